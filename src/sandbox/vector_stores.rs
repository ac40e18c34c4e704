//! `/v1/vector_stores`: files to search in.

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::call::{Call, Fields};
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::table::{Paging, Table};
use super::vector_files::{self, Batch, Entry};

/// A vector store.
pub(super) struct VectorStore {
    name: Value,
    description: Value,
    metadata: Value,
    expires_after: Value,
    created_at: u64,
    pub(super) entries: Table<Entry>,
    pub(super) batches: Table<Batch>,
}

impl VectorStore {
    fn shown(&self, id: &str, state: &State) -> Value {
        let size = |file: &str| state.files.get(file).map_or(0, |file| file.content.length);
        let usage: u64 = self.entries.iter().map(|(file, _)| size(file)).sum();
        let days = self.expires_after.get("days").and_then(Value::as_u64);
        json!({
            "id": id, "object": "vector_store", "created_at": self.created_at, "name": self.name,
            "description": self.description, "usage_bytes": usage, "status": "completed",
            "file_counts": vector_files::counts(self.entries.iter().count()), "expires_after": self.expires_after,
            "expires_at": days.map(|days| self.created_at.saturating_add(days.saturating_mul(86_400))),
            "last_active_at": seconds(), "metadata": self.metadata,
        })
    }
}

/// A store that must be there.
pub(super) fn found<'a>(store: Option<&'a mut VectorStore>, id: &str) -> Result<&'a mut VectorStore, Fault> {
    store.ok_or_else(|| Fault::missing("vector store", id))
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let state = app.state();
            let all = state.stores.iter().map(|(id, store)| (id.to_owned(), store.shown(id, &state)));
            Ok(paging.cut(all)?.full().into())
        }
        ("GET", [id]) => shown(&app.state(), id),
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let store = found(state.stores.get_mut(id), id)?;
            for (name, place) in [
                ("name", &mut store.name),
                ("metadata", &mut store.metadata),
                ("expires_after", &mut store.expires_after),
            ] {
                if let Some(value) = body.get(name) {
                    *place = value.clone();
                }
            }
            shown(&state, id)
        }
        ("DELETE", [id]) => {
            app.state().stores.remove(id).ok_or_else(|| Fault::missing("vector store", id))?;
            Ok(json!({"id": id, "object": "vector_store.deleted", "deleted": true}).into())
        }
        ("POST", [id, "search"]) => search(app, call, id).await,
        (_, [id, "files", rest @ ..]) => vector_files::files(app, call, id, rest).await,
        (_, [id, "file_batches", rest @ ..]) => vector_files::batches(app, call, id, rest).await,
        _ => Err(unknown(call)),
    }
}

fn shown(state: &State, id: &str) -> Answer {
    let store = state.stores.get(id).ok_or_else(|| Fault::missing("vector store", id))?;
    Ok(store.shown(id, state).into())
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    let id = make(&mut state, &body)?;
    shown(&state, &id)
}

/// Makes a store as a request describes it; returns its id.
pub(super) fn make(state: &mut State, body: &Map<String, Value>) -> Result<String, Fault> {
    let mut store = VectorStore {
        name: body.copy("name"),
        description: body.copy("description"),
        metadata: body.get("metadata").cloned().unwrap_or_else(|| json!({})),
        expires_after: body.copy("expires_after"),
        created_at: seconds(),
        entries: Table::default(),
        batches: Table::default(),
    };
    for file in body.get("file_ids").and_then(Value::as_array).into_iter().flatten() {
        let file = file.as_str().unwrap_or_default();
        state.file(file)?;
        store.entries.insert(file, Entry::new(Value::Null));
    }
    let id = ids::hex("vs_", 32);
    state.stores.insert(&id, store);
    Ok(id)
}

/// Paragraphs that hold any word of the query, best first.
async fn search(app: &App, call: &mut Call, id: &str) -> Answer {
    let body = call.json().await?;
    let query = match body.get("query") {
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => body.required("query")?.to_owned(),
    };
    let most = body.get("max_num_results").and_then(Value::as_u64).unwrap_or(10).clamp(1, 50);
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let state = app.state();
    let store = state.stores.get(id).ok_or_else(|| Fault::missing("vector store", id))?;
    let mut hits = Vec::new();
    for (file_id, entry) in store.entries.iter() {
        let Some(file) = state.files.get(file_id).filter(|_| entry.matches(body.get("filters"))) else {
            continue;
        };
        for text in vector_files::chunks(file) {
            let lower = text.to_lowercase();
            let score = words.iter().filter(|word| lower.contains(word.as_str())).count();
            if score > 0 {
                hits.push((score, file_id, file.filename.as_str(), entry, text));
            }
        }
    }
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.0));
    let total = words.len().max(1);
    let has_more = hits.len() as u64 > most;
    let data = hits.into_iter().zip(0..most).map(|((score, file_id, filename, entry, text), _)| {
        json!({
            "file_id": file_id, "filename": filename, "score": score as f64 / total as f64,
            "attributes": entry.attributes, "content": [{"type": "text", "text": text}],
        })
    });
    Ok(json!({
        "object": "vector_store.search_results.page", "search_query": [query], "data": data.collect::<Vec<_>>(),
        "has_more": has_more, "next_page": null,
    })
    .into())
}

/// The attributes and file ids of a body that adds files.
pub(super) fn asked(body: &Map<String, Value>) -> Vec<(String, Value)> {
    let id = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let many = body.get("file_ids").and_then(Value::as_array).into_iter().flatten();
    let mut asked: Vec<_> = many.map(|file| (id(file), body.copy("attributes"))).collect();
    for file in body.get("files").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
    {
        asked.push((id(&file.copy("file_id")), file.copy("attributes")));
    }
    asked
}
