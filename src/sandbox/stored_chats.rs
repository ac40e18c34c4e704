//! Chat completions that were made with `store: true`.

use serde_json::{Map, Value, json};

use super::account::{App, State};
use super::call::{Call, Fields};
use super::chat::Completion;
use super::content::Kept;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::table::Paging;

/// A stored completion with the messages that led to it.
pub(super) struct StoredChat {
    shown: Value,
    messages: Vec<(String, Value)>,
    _kept: Kept,
}

impl State {
    pub(super) fn store_chat(
        &mut self,
        app: &App,
        made: &Completion,
        body: &Map<String, Value>,
    ) -> Result<(), Fault> {
        let messages = body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let size = messages.iter().map(|message| message.to_string().len()).sum::<usize>();
        let kept = app.budget.reserve(size * 2).ok_or_else(|| Fault::invalid("The sandbox is full."))?;
        let messages = messages.iter().enumerate().map(|(number, message)| {
            let id = format!("{}-{number}", made.id);
            let mut message = message.clone();
            if let Some(fields) = message.as_object_mut() {
                fields.insert("id".to_owned(), json!(id));
            }
            (id, message)
        });
        let mut shown = made.shown();
        shown["metadata"] = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
        self.chats.insert(&made.id, StoredChat { shown, messages: messages.collect(), _kept: kept });
        Ok(())
    }
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    let missing = |id: &str| Fault::missing("chat completion", id);
    match (call.method.as_str(), path) {
        ("GET", []) => list(app, call),
        ("GET", [id]) => Ok(app.state().chats.get(id).ok_or_else(|| missing(id))?.shown.clone().into()),
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let chat = state.chats.get_mut(id).ok_or_else(|| missing(id))?;
            chat.shown["metadata"] = body.copy("metadata");
            Ok(chat.shown.clone().into())
        }
        ("DELETE", [id]) => {
            app.state().chats.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"object": "chat.completion.deleted", "id": id, "deleted": true}).into())
        }
        ("GET", [id, "messages"]) => {
            let paging = Paging::of(call, 20, 100)?.usually_oldest_first(call);
            let state = app.state();
            let chat = state.chats.get(id).ok_or_else(|| missing(id))?;
            Ok(paging.cut(chat.messages.clone())?.full().into())
        }
        _ => Err(unknown(call)),
    }
}

fn list(app: &App, call: &Call) -> Answer {
    let paging = Paging::of(call, 20, 100)?.usually_oldest_first(call);
    let (model, metadata) = (call.query("model"), call.query_map("metadata"));
    let state = app.state();
    let matching = state.chats.iter().filter(|(_, chat)| {
        let has = |(key, value): &(String, String)| {
            chat.shown["metadata"].get(key).and_then(Value::as_str) == Some(value)
        };
        model.is_none_or(|model| chat.shown["model"] == model) && metadata.iter().all(has)
    });
    Ok(paging.cut(matching.map(|(id, chat)| (id.to_owned(), chat.shown.clone())))?.full().into())
}
