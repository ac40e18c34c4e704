//! Images and audio: opaque bytes in, opaque bytes out.

use std::io::Write;

use bytes::Bytes;
use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use http::header::{CONTENT_TYPE, HOST};
use serde_json::{Value, json};

use super::account::{App, State, seconds};
use super::call::{Call, Fields};
use super::echo;
use super::form::Form;
use super::ids;
use super::reply::{Answer, Fault, Reply};
use super::router::unknown;
use super::sse;

/// An image that was made before: anybody who knows its address may have it.
pub(super) fn image(app: &App, name: &str) -> Answer {
    let state = app.state();
    let bytes = name.strip_suffix(".png").and_then(|id| state.images.get(id));
    let bytes = bytes.ok_or_else(|| Fault::missing("image", name))?;
    Ok(Reply::Bytes("image/png", bytes.clone(), None))
}

pub(super) async fn images(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    let wants_form =
        call.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    let (model, prompt, inline, many) = match (call.method.as_str(), path) {
        ("POST", ["edits" | "variations"]) if wants_form => {
            let form = Form::read(call, app.options.keep, &app.budget).await?;
            if !form.files.iter().any(|part| part.field == "image" || part.field == "image[]") {
                return Err(Fault::invalid("Missing required parameter: 'image'.").param("image"));
            }
            let field = |name| form.field(name).unwrap_or_default().to_owned();
            (
                field("model"),
                field("prompt"),
                field("response_format") == "b64_json",
                field("n").parse().unwrap_or(1),
            )
        }
        ("POST", ["generations" | "edits"]) => {
            let body = call.json().await?;
            let state = app.state();
            for image in body.get("images").and_then(Value::as_array).into_iter().flatten() {
                if let Some(id) = image.get("file_id").and_then(Value::as_str) {
                    state.file(id)?;
                }
            }
            let field = |name| body.text(name).unwrap_or_default().to_owned();
            let many = body.get("n").and_then(Value::as_u64).unwrap_or(1);
            (
                field("model"),
                body.required("prompt")?.to_owned(),
                field("response_format") == "b64_json",
                many,
            )
        }
        _ => return Err(unknown(call)),
    };
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost").to_owned();
    let mut state = app.state();
    if !model.is_empty() {
        state.check_model(&model)?;
    }
    let inline = inline || model == "gpt-image-1";
    let data: Vec<_> = (0..many.clamp(1, 10)).map(|_| made(&mut state, &host, &prompt, inline)).collect();
    Ok(json!({"created": seconds(), "data": data}).into())
}

/// A new image: where it is, or itself. The address is absolute, as the real API's is.
fn made(state: &mut State, host: &str, prompt: &str, inline: bool) -> Value {
    let bytes = png();
    if inline {
        return json!({"b64_json": BASE64.encode(&bytes)});
    }
    let id = ids::letters("img-", 24);
    state.images.insert(&id, bytes);
    json!({"url": format!("https://{host}/sandbox-images/{id}.png"), "revised_prompt": prompt})
}

/// A picture of one grey point.
fn png() -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = pixels.write_all(&[0, 128]);
    let header = [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0];
    for (kind, data) in
        [(b"IHDR", header.to_vec()), (b"IDAT", pixels.finish().unwrap_or_default()), (b"IEND", Vec::new())]
    {
        let chunk = [kind.as_slice(), &data].concat();
        bytes.extend(u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(&chunk);
        bytes.extend(crc32fast::hash(&chunk).to_be_bytes());
    }
    bytes.into()
}

pub(super) async fn audio(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", ["speech"]) => {
            let body = call.json().await?;
            app.state().check_model(body.required("model")?)?;
            let spoken = [b"ID3\x04\0\0".as_slice(), body.required("input")?.as_bytes()].concat();
            Ok(Reply::Bytes("audio/mpeg", spoken.into(), None))
        }
        ("POST", ["transcriptions" | "translations"]) => transcribe(app, call).await,
        _ => Err(unknown(call)),
    }
}

/// What is heard in a recording: its bytes, if they are text.
async fn transcribe(app: &App, call: &mut Call) -> Answer {
    let mut form = Form::read(call, app.options.keep, &app.budget).await?;
    let recording = form.file("file")?.content;
    let model = form.field("model").unwrap_or_default();
    app.state().check_model(model)?;
    let heard = recording.bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = heard.map_or_else(|| format!("A recording of {} bytes.", recording.length), str::to_owned);
    if form.field("stream") == Some("true") {
        let mut events: Vec<_> = echo::pieces(&text)
            .into_iter()
            .map(|piece| sse::data(&json!({"type": "transcript.text.delta", "delta": piece})))
            .collect();
        events.push(sse::data(&json!({"type": "transcript.text.done", "text": text})));
        return Ok(sse::reply(&app.options, model, events));
    }
    Ok(match form.field("response_format") {
        Some("text") => Reply::Bytes("text/plain; charset=utf-8", text.into(), None),
        Some("verbose_json") => {
            json!({"task": "transcribe", "language": "english", "duration": 1.0, "text": text, "segments": []}).into()
        }
        _ => json!({"text": text, "usage": {"type": "duration", "seconds": 1}}).into(),
    })
}
