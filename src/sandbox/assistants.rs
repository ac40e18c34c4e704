//! `/v1/assistants`: a model with instructions and tools.

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::call::{Call, Fields};
use super::content::Kept;
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::table::Paging;

/// An object with the room that it takes.
pub(super) struct Shown {
    pub(super) value: Value,
    _kept: Kept,
}

impl Shown {
    /// An object that is kept as it is shown.
    pub(super) fn new(app: &App, value: Value) -> Result<Self, Fault> {
        let kept = app.budget.reserve(value.to_string().len() * 2);
        let kept = kept.ok_or_else(|| Fault::invalid("The sandbox is full."))?;
        Ok(Self { value, _kept: kept })
    }

    /// Takes those of the named members that a request has.
    pub(super) fn take(&mut self, body: &Map<String, Value>, names: &[&str]) {
        for name in names {
            if let Some(value) = body.get(*name) {
                self.value[*name] = value.clone();
            }
        }
    }
}

/// What a request can say of an assistant.
const MEMBERS: [&str; 10] = [
    "model",
    "name",
    "description",
    "instructions",
    "tools",
    "tool_resources",
    "metadata",
    "temperature",
    "top_p",
    "response_format",
];

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    let missing = |id: &str| Fault::missing("assistant", id);
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let body = call.json().await?;
            let mut state = app.state();
            state.check_model(body.required("model")?)?;
            let id = ids::letters("asst_", 24);
            let mut shown = Shown::new(
                app,
                json!({
                    "id": id, "object": "assistant", "created_at": seconds(), "name": null, "description": null,
                    "model": null, "instructions": null, "tools": [], "tool_resources": {}, "metadata": {},
                    "temperature": 1.0, "top_p": 1.0, "response_format": "auto",
                }),
            )?;
            shown.take(&body, &MEMBERS);
            check_resources(&mut state, &mut shown.value)?;
            let answer = shown.value.clone();
            state.assistants.insert(&id, shown);
            Ok(answer.into())
        }
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let state = app.state();
            let all = state.assistants.iter().map(|(id, one)| (id.to_owned(), one.value.clone()));
            Ok(paging.cut(all)?.full().into())
        }
        ("GET", [id]) => Ok(app.state().assistants.get(id).ok_or_else(|| missing(id))?.value.clone().into()),
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let assistant = state.assistants.get_mut(id).ok_or_else(|| missing(id))?;
            assistant.take(&body, &MEMBERS);
            let mut value = assistant.value.clone();
            check_resources(&mut state, &mut value)?;
            if let Some(assistant) = state.assistants.get_mut(id) {
                assistant.value = value.clone();
            }
            Ok(value.into())
        }
        ("DELETE", [id]) => {
            app.state().assistants.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"id": id, "object": "assistant.deleted", "deleted": true}).into())
        }
        _ => Err(unknown(call)),
    }
}

/// The files and vector stores for the tools have to be there. A store that is described is made, and shown by its id.
pub(super) fn check_resources(state: &mut State, shown: &mut Value) -> Result<(), Fault> {
    let texts = |list: Option<&Value>| -> Vec<String> {
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let resources = &shown["tool_resources"];
    for file in texts(resources["code_interpreter"].get("file_ids")) {
        state.file(&file)?;
    }
    let mut stores = texts(resources["file_search"].get("vector_store_ids"));
    if let Some(id) = stores.iter().find(|id| state.stores.get(id).is_none()) {
        return Err(Fault::missing("vector store", id));
    }
    let described = resources["file_search"].get("vector_stores").and_then(Value::as_array).cloned();
    for store in described.into_iter().flatten().filter_map(|store| store.as_object().cloned()) {
        stores.push(super::vector_stores::make(state, &store)?);
    }
    if !stores.is_empty() {
        shown["tool_resources"]["file_search"] = json!({"vector_store_ids": stores});
    }
    Ok(())
}
