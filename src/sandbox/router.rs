//! Which handler serves what.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use serde_json::json;

use super::account::App;
use super::call::Call;
use super::reply::{Answer, Fault, Reply};
use super::{
    anthropic, assistants, batches, chat, containers, conversations, evals, files, jobs, leaks, media,
    models, responses, stored_chats, text, threads, uploads, vector_stores,
};

/// Serves a request.
pub(super) async fn route(app: &Arc<App>, call: &mut Call) -> Answer {
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["__sandbox", rest @ ..] => return control(app, call, rest).await,
        ["sandbox-images", name] if call.method == Method::GET => return media::image(app, name),
        _ => {}
    }
    if anthropic::speaks(call) {
        return anthropic::route(app, call, &path).await;
    }
    authenticate(app, call)?;
    served(app, call, &path).await
}

async fn served(app: &Arc<App>, call: &mut Call, path: &[&str]) -> Answer {
    match path {
        ["v1", "files", rest @ ..] => files::route(app, call, rest).await,
        ["v1", "uploads", rest @ ..] => uploads::route(app, call, rest).await,
        ["v1", "fine_tuning", rest @ ..] => jobs::route(app, call, rest).await,
        ["v1", "models", rest @ ..] => models::route(app, call, rest),
        ["v1", "batches", rest @ ..] => batches::route(app, call, rest).await,
        ["v1", "vector_stores", rest @ ..] => vector_stores::route(app, call, rest).await,
        ["v1", "assistants", rest @ ..] => assistants::route(app, call, rest).await,
        ["v1", "threads", rest @ ..] => threads::route(app, call, rest).await,
        ["v1", "chat", "completions"] if call.method == Method::POST => chat::create(app, call).await,
        ["v1", "chat", "completions", rest @ ..] => stored_chats::route(app, call, rest).await,
        ["v1", "responses", rest @ ..] => responses::route(app, call, rest).await,
        ["v1", "conversations", rest @ ..] => conversations::route(app, call, rest).await,
        ["v1", "containers", rest @ ..] => containers::route(app, call, rest).await,
        ["v1", "evals", rest @ ..] => evals::route(app, call, rest).await,
        ["v1", "completions"] if call.method == Method::POST => text::completion(app, call).await,
        ["v1", "embeddings"] if call.method == Method::POST => text::embeddings(app, call).await,
        ["v1", "moderations"] if call.method == Method::POST => text::moderations(app, call).await,
        ["v1", "images", rest @ ..] => media::images(app, call, rest).await,
        ["v1", "audio", rest @ ..] => media::audio(app, call, rest).await,
        _ => Err(unknown(call)),
    }
}

/// The answer to a method and path that nothing serves.
pub(super) fn unknown(call: &Call) -> Fault {
    let path = call.segments().join("/");
    Fault::invalid(format!("Invalid URL ({} /{path})", call.method)).status(StatusCode::NOT_FOUND)
}

fn authenticate(app: &App, call: &Call) -> Result<(), Fault> {
    let refused =
        |message: String| Fault::invalid(message).status(StatusCode::UNAUTHORIZED).code("invalid_api_key");
    let presented = call.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(key) = presented.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Err(refused("You didn't provide an API key.".to_owned()));
    };
    if key == app.options.account_key {
        return Ok(());
    }
    let ends: String = key.chars().take(4).chain("****".chars()).collect();
    Err(refused(format!("Incorrect API key provided: {ends}.")))
}

/// What only tests and the demo ask; not part of the API that is played here.
async fn control(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    let Some(journal) = &app.journal else { return Err(unknown(call)) };
    match (call.method.as_str(), path) {
        ("GET", ["journal"]) => Ok(journal.read(call).into()),
        ("DELETE", ["journal"]) => {
            journal.forget();
            Ok(Reply::Nothing)
        }
        ("POST", ["watch"]) => journal.watch(call).await,
        ("GET", ["files"]) => {
            let state = app.state();
            let files =
                state.files.iter().map(|(id, file)| (id.to_owned(), file.content.described())).collect();
            Ok(serde_json::Value::Object(files).into())
        }
        ("GET", ["files", id]) => files::content(app, id),
        ("GET", ["leaks"]) => Ok(leaks::described().into()),
        ("GET", ["account"]) => Ok(app.state().inventory().into()),
        ("GET", []) => Ok(json!({"served": "journal watch files leaks account"}).into()),
        _ => Err(unknown(call)),
    }
}
