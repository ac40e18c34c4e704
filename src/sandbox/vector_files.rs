//! The files of a vector store, and batches of them.

use serde_json::{Value, json};

use super::account::{App, seconds};
use super::call::{Call, Fields};
use super::files::File;
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::table::Paging;
use super::vector_stores::{asked, found};

/// How long a chunk of a file may be, in characters.
const CHUNK: usize = 800;

/// A file in a store; the file's id is its id.
pub(super) struct Entry {
    pub(super) attributes: Value,
    created_at: u64,
}

/// Files that were added together.
pub(super) struct Batch {
    files: Vec<String>,
    created_at: u64,
    status: &'static str,
}

impl Entry {
    pub(super) fn new(attributes: Value) -> Self {
        let attributes = if attributes.is_null() { json!({}) } else { attributes };
        Self { attributes, created_at: seconds() }
    }

    fn shown(&self, id: &str, store: &str, file: Option<&File>) -> Value {
        json!({
            "id": id, "object": "vector_store.file", "created_at": self.created_at,
            "usage_bytes": file.map_or(0, |file| file.content.length), "vector_store_id": store,
            "status": "completed", "last_error": null, "attributes": self.attributes,
            "chunking_strategy":
                {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 0}},
        })
    }

    /// Whether a filter lets this file into the search: comparisons for equality, `and`, `or`.
    pub(super) fn matches(&self, filter: Option<&Value>) -> bool {
        let Some(filter) = filter.filter(|filter| filter.is_object()) else { return true };
        let parts = filter.get("filters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let same = || {
            let key = filter.get("key").and_then(Value::as_str).unwrap_or_default();
            self.attributes.get(key) == filter.get("value")
        };
        match filter.get("type").and_then(Value::as_str) {
            Some("and") => parts.iter().all(|part| self.matches(Some(part))),
            Some("or") => parts.iter().any(|part| self.matches(Some(part))),
            Some("ne") => !same(),
            _ => same(),
        }
    }
}

impl Batch {
    fn shown(&self, id: &str, store: &str) -> Value {
        json!({
            "id": id, "object": "vector_store.files_batch", "created_at": self.created_at, "vector_store_id": store,
            "status": self.status, "file_counts": counts(self.files.len()),
        })
    }
}

/// Counts of files that are all done.
pub(super) fn counts(done: usize) -> Value {
    json!({"in_progress": 0, "completed": done, "failed": 0, "cancelled": 0, "total": done})
}

/// A file's text in chunks of whole lines, as far as that goes.
pub(super) fn chunks(file: &File) -> Vec<String> {
    let text = file.content.bytes.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let mut chunks = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let piece = line.chars().take(CHUNK).collect::<String>();
        match chunks.last_mut() {
            Some(last) if last.len() + piece.len() <= CHUNK => last.push_str(&piece),
            _ => chunks.push(piece),
        }
    }
    chunks
}

pub(super) async fn files(app: &App, call: &mut Call, store_id: &str, path: &[&str]) -> Answer {
    let body = if call.method == http::Method::POST { call.json().await? } else { serde_json::Map::new() };
    let mut state = app.state();
    let state = &mut *state;
    let store = found(state.stores.get_mut(store_id), store_id)?;
    let missing = |id: &str| Fault::missing("file in the vector store", id);
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let id = body.required("file_id")?;
            let file = state.files.get(id).ok_or_else(|| Fault::missing("File object", id))?;
            let entry = Entry::new(body.copy("attributes"));
            let shown = entry.shown(id, store_id, Some(file));
            store.entries.insert(id, entry);
            Ok(shown.into())
        }
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            // Every file is done at once: another filter finds none.
            let wanted = call.query("filter").is_none_or(|filter| filter == "completed");
            let all = store.entries.iter().filter(|_| wanted);
            let all = all.map(|(id, entry)| (id.to_owned(), entry.shown(id, store_id, state.files.get(id))));
            Ok(paging.cut(all)?.full().into())
        }
        (method @ ("GET" | "POST"), [id]) => {
            let entry = store.entries.get_mut(id).ok_or_else(|| missing(id))?;
            if method == "POST" {
                entry.attributes = body.copy("attributes");
            }
            Ok(entry.shown(id, store_id, state.files.get(id)).into())
        }
        ("DELETE", [id]) => {
            store.entries.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"id": id, "object": "vector_store.file.deleted", "deleted": true}).into())
        }
        ("GET", [id, "content"]) => {
            store.entries.get(id).ok_or_else(|| missing(id))?;
            let file = state.files.get(id).ok_or_else(|| missing(id))?;
            let data: Vec<_> =
                chunks(file).into_iter().map(|text| json!({"type": "text", "text": text})).collect();
            Ok(json!({
                "object": "vector_store.file_content.page", "data": data, "has_more": false, "next_page": null,
            })
            .into())
        }
        _ => Err(unknown(call)),
    }
}

pub(super) async fn batches(app: &App, call: &mut Call, store_id: &str, path: &[&str]) -> Answer {
    let body = if call.method == http::Method::POST { call.json().await? } else { serde_json::Map::new() };
    let mut state = app.state();
    let state = &mut *state;
    let store = found(state.stores.get_mut(store_id), store_id)?;
    let missing = |id: &str| Fault::missing("file batch", id);
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let files = asked(&body);
            if files.is_empty() || files.len() > 2000 {
                return Err(Fault::invalid("'file_ids' or 'files' must name 1 to 2000 files."));
            }
            if let Some((id, _)) = files.iter().find(|(id, _)| state.files.get(id).is_none()) {
                return Err(Fault::missing("File object", id));
            }
            let names = files.iter().map(|(id, _)| id.clone()).collect();
            for (id, attributes) in files {
                store.entries.insert(&id, Entry::new(attributes));
            }
            let (id, batch) =
                (ids::hex("vsfb_", 32), Batch { files: names, created_at: seconds(), status: "completed" });
            let shown = batch.shown(&id, store_id);
            store.batches.insert(&id, batch);
            Ok(shown.into())
        }
        ("GET", [id]) => Ok(store.batches.get(id).ok_or_else(|| missing(id))?.shown(id, store_id).into()),
        ("POST", [id, "cancel"]) => {
            let batch = store.batches.get_mut(id).ok_or_else(|| missing(id))?;
            batch.status = "cancelled";
            Ok(batch.shown(id, store_id).into())
        }
        ("GET", [id, "files"]) => {
            let paging = Paging::of(call, 20, 100)?;
            let batch = store.batches.get(id).ok_or_else(|| missing(id))?;
            let entries = batch.files.iter().filter_map(|file| Some((file, store.entries.get(file)?)));
            let shown = entries
                .map(|(file, entry)| (file.clone(), entry.shown(file, store_id, state.files.get(file))));
            Ok(paging.cut(shown)?.full().into())
        }
        _ => Err(unknown(call)),
    }
}
