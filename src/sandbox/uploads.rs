//! `/v1/uploads`: a file in parts.

use serde_json::{Value, json};

use super::account::{App, seconds};
use super::call::{Call, Fields};
use super::content::Content;
use super::files::{File, check_purpose};
use super::form::Form;
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;

/// How many parts an upload may have.
const MOST_PARTS: usize = 10_000;

/// An upload.
pub(super) struct Upload {
    filename: String,
    purpose: String,
    bytes: u64,
    created_at: u64,
    status: &'static str,
    parts: Vec<(String, Content)>,
}

impl Upload {
    fn shown(&self, id: &str, file: &Value) -> Value {
        json!({
            "id": id, "object": "upload", "bytes": self.bytes, "created_at": self.created_at,
            "filename": self.filename, "purpose": self.purpose, "status": self.status,
            "expires_at": self.created_at + 3600, "file": file,
        })
    }
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("POST", [id, "parts"]) => add_part(app, call, id).await,
        ("POST", [id, "complete"]) => complete(app, call, id).await,
        ("POST", [id, "cancel"]) => {
            let mut state = app.state();
            let upload = pending(state.uploads.get_mut(id), id)?;
            upload.status = "cancelled";
            upload.parts.clear();
            Ok(upload.shown(id, &Value::Null).into())
        }
        _ => Err(unknown(call)),
    }
}

fn pending<'a>(upload: Option<&'a mut Upload>, id: &str) -> Result<&'a mut Upload, Fault> {
    let upload = upload.ok_or_else(|| Fault::missing("Upload object", id))?;
    if upload.status == "pending" {
        return Ok(upload);
    }
    Err(Fault::invalid(format!("Upload {id} has already been {}.", upload.status)))
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    check_purpose(body.required("purpose")?)?;
    let bytes = body.get("bytes").and_then(Value::as_u64);
    let upload = Upload {
        filename: body.required("filename")?.to_owned(),
        purpose: body.required("purpose")?.to_owned(),
        bytes: bytes.ok_or_else(|| Fault::invalid("Missing required parameter: 'bytes'.").param("bytes"))?,
        created_at: seconds(),
        status: "pending",
        parts: Vec::new(),
    };
    body.required("mime_type")?;
    let id = ids::hex("upload_", 32);
    let shown = upload.shown(&id, &Value::Null);
    app.state().uploads.insert(&id, upload);
    Ok(shown.into())
}

async fn add_part(app: &App, call: &mut Call, id: &str) -> Answer {
    pending(app.state().uploads.get_mut(id), id)?;
    let mut form = Form::read(call, app.options.keep, &app.budget).await?;
    let content = form.file("data")?.content;
    let mut state = app.state();
    let upload = pending(state.uploads.get_mut(id), id)?;
    if upload.parts.len() == MOST_PARTS {
        return Err(Fault::invalid(format!("Upload {id} has too many parts.")));
    }
    let part = ids::hex("part_", 32);
    upload.parts.push((part.clone(), content));
    Ok(json!({"id": part, "object": "upload.part", "created_at": seconds(), "upload_id": id}).into())
}

async fn complete(app: &App, call: &mut Call, id: &str) -> Answer {
    let body = call.json().await?;
    let named = body.get("part_ids").and_then(Value::as_array);
    let named =
        named.ok_or_else(|| Fault::invalid("Missing required parameter: 'part_ids'.").param("part_ids"))?;
    let mut state = app.state();
    let upload = pending(state.uploads.get_mut(id), id)?;
    let mut pieces = Vec::new();
    for part in named.iter().map(|part| part.as_str().unwrap_or_default()) {
        let found = upload.parts.iter().find(|(each, _)| each == part);
        pieces.push(found.ok_or_else(|| Fault::missing("Part object", part))?.1.clone());
    }
    let content = Content::joined(&pieces, app.options.keep.max(64 * 1024 * 1024), &app.budget);
    if content.length != upload.bytes {
        let message = format!(
            "The number of bytes uploaded ({}) does not match the number of bytes of the Upload ({}).",
            content.length, upload.bytes
        );
        return Err(Fault::invalid(message));
    }
    upload.status = "completed";
    upload.parts.clear();
    let file = File::new(&upload.filename, &upload.purpose, content);
    let file_id = state.add_file(file);
    let shown = state.file(&file_id)?.shown(&file_id);
    let upload = state.uploads.get(id).ok_or_else(|| Fault::missing("Upload object", id))?;
    Ok(upload.shown(id, &shown).into())
}
