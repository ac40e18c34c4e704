mod apis;
mod loose;
mod streams;

use std::sync::Arc;

use serde_json::Value;

use super::{SsePlan, SseTransform};
use crate::body::testkit::{Outcome, everywhere};
use crate::body::{Job, Transform};
use crate::catalog::Channel;

fn channel(event: Option<&str>, text: &str, keys: &[&str], whole: bool) -> Channel {
    Channel {
        event: event.map(Arc::from),
        text: text.parse().unwrap(),
        keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
        whole,
    }
}

/// The texts of chat completions.
fn chat() -> Vec<Channel> {
    vec![
        channel(None, "/choices/*/delta/content", &["/choices/*/index"], false),
        channel(None, "/choices/*/delta/reasoning_content", &["/choices/*/index"], false),
        channel(
            None,
            "/choices/*/delta/tool_calls/*/function/arguments",
            &["/choices/*/index", "/choices/*/delta/tool_calls/*/index"],
            false,
        ),
    ]
}

/// Some of the texts of the responses API.
fn responses() -> Vec<Channel> {
    let keys = ["/item_id", "/output_index", "/content_index"];
    vec![
        channel(Some("response.output_text.delta"), "/delta", &keys, false),
        channel(Some("response.output_text.done"), "/text", &keys, true),
        channel(Some("response.function_call_arguments.delta"), "/delta", &keys[..2], false),
        channel(Some("response.function_call_arguments.done"), "/arguments", &keys[..2], true),
    ]
}

/// The texts of the messages API.
fn messages() -> Vec<Channel> {
    vec![
        channel(Some("content_block_delta"), "/delta/text", &["/index"], false),
        channel(Some("content_block_delta"), "/delta/partial_json", &["/index"], false),
        channel(Some("content_block_delta"), "/delta/thinking", &["/index"], false),
    ]
}

fn making(job: &Job, channels: &[Channel]) -> impl Fn() -> Box<dyn Transform> + use<> {
    let job = job.clone();
    let plan = Arc::new(SsePlan::compile(channels, &[], &[]).unwrap());
    move || Box::new(SseTransform::new(job.clone(), Arc::clone(&plan)))
}

fn through(job: &Job, channels: &[Channel], body: &str) -> Outcome {
    everywhere(&making(job, channels), body.as_bytes())
}

/// The events of a stream as an independent, simple reader has them: name and data.
fn read(stream: &str) -> Vec<(String, String)> {
    let text = stream.replace("\r\n", "\n").replace('\r', "\n");
    text.split("\n\n")
        .filter_map(|event| {
            let field = |name: &str| {
                event
                    .lines()
                    .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                    .map(|v| v.strip_prefix(' ').unwrap_or(v))
                    .collect::<Vec<_>>()
            };
            let data = field("data");
            (!data.is_empty()).then(|| (field("event").concat(), data.join("\n")))
        })
        .collect()
}

fn values(stream: &str) -> Vec<Value> {
    read(stream).iter().filter_map(|(_, data)| serde_json::from_str(data).ok()).collect()
}

/// All text at a place, in order.
fn joined(stream: &str, pointer: &str) -> String {
    values(stream).iter().filter_map(|value| value.pointer(pointer)?.as_str()).collect()
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}
