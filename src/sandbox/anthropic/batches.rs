//! `/v1/messages/batches`: requests that are answered some time later.

use bytes::Bytes;
use http::header::HOST;
use serde_json::{Value, json};

use super::{message, missing, now};
use crate::sandbox::account::App;
use crate::sandbox::call::Call;
use crate::sandbox::ids;
use crate::sandbox::reply::{Answer, Fault, Reply};
use crate::sandbox::router::unknown;
use crate::sandbox::table::Paging;

/// The most requests of one batch.
const MOST: usize = 1000;

/// A batch. It has ended as soon as somebody looks at it again.
pub(super) struct Batch {
    created_at: String,
    requests: usize,
    results: Bytes,
    status: &'static str,
}

impl Batch {
    fn shown(&self, id: &str, host: &str) -> Value {
        let ended = self.status == "ended";
        // The link is absolute, as the real API's is.
        let url = ended.then(|| format!("https://{host}/v1/messages/batches/{id}/results"));
        let done = if ended { self.requests } else { 0 };
        json!({
            "id": id, "type": "message_batch", "processing_status": self.status, "created_at": self.created_at,
            "expires_at": self.created_at, "archived_at": null, "cancel_initiated_at": null, "ended_at": null,
            "results_url": url,
            "request_counts": {
                "processing": self.requests - done, "succeeded": done, "errored": 0, "canceled": 0, "expired": 0,
            },
        })
    }
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    let gone = |id: &str| missing("batch", id);
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost").to_owned();
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call, &host).await,
        ("GET", []) => {
            let paging = Paging::by(call, (20, 1000), ["after_id", "before_id"])?;
            let state = app.state();
            let all = state.anthropic.batches.iter().map(|(id, one)| (id.to_owned(), one.shown(id, &host)));
            Ok(paging.cut(all)?.bare().into())
        }
        ("GET", [id]) => {
            let mut state = app.state();
            let batch = state.anthropic.batches.get_mut(id).ok_or_else(|| gone(id))?;
            batch.status = "ended";
            Ok(batch.shown(id, &host).into())
        }
        ("POST", [id, "cancel"]) => {
            let mut state = app.state();
            let batch = state.anthropic.batches.get_mut(id).ok_or_else(|| gone(id))?;
            if batch.status != "ended" {
                batch.status = "canceling";
            }
            Ok(batch.shown(id, &host).into())
        }
        ("GET", [id, "results"]) => {
            let state = app.state();
            let batch = state.anthropic.batches.get(id).ok_or_else(|| gone(id))?;
            Ok(Reply::Bytes("application/x-jsonl", batch.results.clone(), None))
        }
        ("DELETE", [id]) => {
            app.state().anthropic.batches.remove(id).ok_or_else(|| gone(id))?;
            Ok(json!({"id": id, "type": "message_batch_deleted"}).into())
        }
        _ => Err(unknown(call)),
    }
}

async fn create(app: &App, call: &mut Call, host: &str) -> Answer {
    let body = call.json().await?;
    let requests = body.get("requests").and_then(Value::as_array).cloned().unwrap_or_default();
    if requests.is_empty() || requests.len() > MOST {
        return Err(Fault::invalid(format!("requests: 1 to {MOST} requests are taken")));
    }
    let mut state = app.state();
    let mut results = Vec::new();
    for request in &requests {
        let params = request["params"].as_object().cloned().unwrap_or_default();
        let message = message::respond(&mut state, &params, &app.budget)?;
        let line = json!({
            "custom_id": request["custom_id"], "result": {"type": "succeeded", "message": message},
        });
        results.extend_from_slice(line.to_string().as_bytes());
        results.push(b'\n');
    }
    let id = ids::letters("msgbatch_", 24);
    let batch =
        Batch { created_at: now(), requests: requests.len(), results: results.into(), status: "in_progress" };
    let shown = batch.shown(&id, host);
    state.anthropic.batches.insert(&id, batch);
    Ok(shown.into())
}
