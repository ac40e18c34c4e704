//! Anthropic's API, for requests that say its version: some paths are those of the other API, with answers of other shapes.

mod batches;
mod files;
mod message;
mod models;

use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::json;

use super::account::App;
use super::call::Call;
use super::reply::{Answer, Fault, Reply};
use super::router::unknown;
use super::table::Table;

/// What the account holds.
#[derive(Default)]
pub(super) struct Held {
    files: Table<files::Kept>,
    batches: Table<batches::Batch>,
    containers: Table<()>,
}

impl Held {
    /// The ids of files and batches, for the control side.
    pub(super) fn ids(&self) -> serde_json::Value {
        let files: Vec<_> = self.files.iter().map(|(id, _)| id).collect();
        let batches: Vec<_> = self.batches.iter().map(|(id, _)| id).collect();
        json!({"files": files, "batches": batches})
    }
}

/// Whether a request speaks it.
pub(super) fn speaks(call: &Call) -> bool {
    call.headers.contains_key("anthropic-version")
}

/// Answers in its shapes, errors as well.
pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    Ok(match served(app, call, path).await {
        Ok(reply) => reply,
        Err(fault) => refused(&fault),
    })
}

async fn served(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    authenticate(app, call)?;
    match path {
        ["v1", "messages", "batches", rest @ ..] => batches::route(app, call, rest).await,
        ["v1", "messages", rest @ ..] => message::route(app, call, rest).await,
        ["v1", "files", rest @ ..] => files::route(app, call, rest).await,
        ["v1", "models", rest @ ..] => models::route(call, rest),
        _ => Err(unknown(call)),
    }
}

fn authenticate(app: &App, call: &Call) -> Result<(), Fault> {
    let bearer = call.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = bearer.and_then(|value| value.strip_prefix("Bearer ")).or_else(|| call.header("x-api-key"));
    if key == Some(&*app.options.account_key) {
        return Ok(());
    }
    Err(Fault::invalid("invalid x-api-key").status(StatusCode::UNAUTHORIZED))
}

/// An error as this API says it.
fn refused(fault: &Fault) -> Reply {
    let kind = match fault.status.as_u16() {
        401 => "authentication_error",
        404 => "not_found_error",
        413 => "request_too_large",
        _ => "invalid_request_error",
    };
    let id = super::ids::letters("req_", 24);
    let body =
        json!({"type": "error", "error": {"type": kind, "message": fault.to_string()}, "request_id": id});
    Reply::Failed(fault.status, body)
}

/// Something that isn't there. The message names its id.
fn missing(what: &str, id: &str) -> Fault {
    Fault::invalid(format!("{what} `{id}` was not found.")).status(StatusCode::NOT_FOUND)
}

/// Now, as this API writes times.
fn now() -> String {
    jiff::Timestamp::now().to_string()
}
