//! Event streams: how they are written, paced and cut, and how a rude one ends.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body::Frame;
use serde_json::Value;

use super::Options;
use super::reply::{BreaksOff, Reply};

/// An event without a name.
pub(super) fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// An event with one.
pub(super) fn named(name: &str, value: &Value) -> String {
    format!("event: {name}\ndata: {value}\n\n")
}

/// The events as an answer. What a model with bad manners does to them is done here: it breaks off
/// half-way, or puts in an event that isn't JSON, or says everything over and over.
pub(super) fn reply(options: &Options, model: &str, events: Vec<String>) -> Reply {
    let middle = events.len() / 2;
    let mut parts: Vec<Result<String, BreaksOff>> = events.into_iter().map(Ok).collect();
    match model {
        "sandbox-breaks" => {
            parts.truncate(middle.max(1));
            parts.push(Err(BreaksOff));
        }
        "sandbox-garbled" => {
            parts.insert(middle, Ok("data: {\"choices\": [{\"delta\": {\"content\": \"cut\n\n".to_owned()));
        }
        "sandbox-endless" => {
            let again: Vec<String> =
                parts.into_iter().filter_map(Result::ok).filter(|each| !each.contains("[DONE]")).collect();
            let forever = again.into_iter().cycle().map(Ok);
            return Reply::events(paced(options, forever));
        }
        _ => {}
    }
    Reply::events(paced(options, parts.into_iter()))
}

fn paced(
    options: &Options,
    events: impl Iterator<Item = Result<String, BreaksOff>> + Send + 'static,
) -> impl Stream<Item = Result<Frame<Bytes>, BreaksOff>> + Send + 'static {
    let (pause, size) = (Duration::from_millis(options.stream_delay_ms), options.stream_piece);
    let cut = events.flat_map(move |event| match event {
        Ok(event) => {
            let bytes = Bytes::from(event);
            let size = if size == 0 { bytes.len().max(1) } else { size };
            let starts = (0..bytes.len()).step_by(size);
            starts.map(|start| Ok(bytes.slice(start..bytes.len().min(start + size)))).collect()
        }
        Err(problem) => vec![Err(problem)],
    });
    stream::unfold(cut, move |mut cut| async move {
        let next = cut.next()?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        } else if next.is_err() {
            // Lets what was sent before reach the client first.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some((next.map(Frame::data), cut))
    })
}
