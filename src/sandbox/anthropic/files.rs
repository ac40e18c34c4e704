//! `/v1/files`, as this API shows them.

use serde_json::{Value, json};

use super::{Held, missing, now};
use crate::sandbox::account::App;
use crate::sandbox::call::Call;
use crate::sandbox::content::Content;
use crate::sandbox::form::Form;
use crate::sandbox::ids;
use crate::sandbox::reply::{Answer, Fault, Reply};
use crate::sandbox::router::unknown;
use crate::sandbox::table::Paging;

/// The most ids that a list takes.
const MOST_IDS: usize = 100;

/// A file.
pub(super) struct Kept {
    filename: String,
    content: Content,
    created_at: String,
    /// Made in a container, and not brought: only such a file can be downloaded.
    made: bool,
}

impl Kept {
    fn shown(&self, id: &str) -> Value {
        json!({
            "type": "file", "id": id, "filename": self.filename, "mime_type": "text/plain",
            "size_bytes": self.content.length, "created_at": self.created_at, "downloadable": self.made,
        })
    }
}

impl Held {
    /// Adds a file; returns its id.
    pub(super) fn add_file(&mut self, filename: &str, content: Content, made: bool) -> String {
        let id = ids::letters("file_", 24);
        let kept = Kept { filename: filename.to_owned(), content, created_at: now(), made };
        self.files.insert(&id, kept);
        id
    }

    /// The files that a message names, at any depth, have to be there.
    pub(super) fn check_files(&self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.check_files(item)),
            Value::Object(members) => members.iter().try_for_each(|(key, value)| match value.as_str() {
                Some(id) if key == "file_id" && self.files.get(id).is_none() => Err(missing("file", id)),
                _ => self.check_files(value),
            }),
            _ => Ok(()),
        }
    }
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    let gone = |id: &str| missing("file", id);
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let part = Form::read(call, app.options.keep, &app.budget).await?.file("file")?;
            let mut state = app.state();
            let id = state.anthropic.add_file(&part.filename, part.content, false);
            let file = state.anthropic.files.get(&id).ok_or_else(|| gone(&id))?;
            Ok(file.shown(&id).into())
        }
        ("GET", []) => list(app, call),
        ("GET", [id]) => Ok(app.state().anthropic.files.get(id).ok_or_else(|| gone(id))?.shown(id).into()),
        ("GET", [id, "content"]) => {
            let state = app.state();
            let file = state.anthropic.files.get(id).ok_or_else(|| gone(id))?;
            if !file.made {
                return Err(Fault::invalid(format!("File {id} was uploaded and can't be downloaded.")));
            }
            let bytes =
                file.content.bytes.clone().ok_or_else(|| Fault::invalid("It was too large to keep."))?;
            Ok(Reply::Bytes("text/plain", bytes, Some(file.filename.clone())))
        }
        ("DELETE", [id]) => {
            app.state().anthropic.files.remove(id).ok_or_else(|| gone(id))?;
            Ok(json!({"id": id, "type": "file_deleted"}).into())
        }
        _ => Err(unknown(call)),
    }
}

/// Those that the caller names, or a page that begins where a token says.
fn list(app: &App, call: &Call) -> Answer {
    let named: Vec<&str> = call.queries("ids[]").collect();
    let state = app.state();
    let files = &state.anthropic.files;
    if !named.is_empty() {
        if named.len() > MOST_IDS || call.query("page").is_some() || call.query("limit").is_some() {
            return Err(Fault::invalid("`ids` takes 100 ids at most, and neither `page` nor `limit`."));
        }
        let data: Vec<_> = named.iter().filter_map(|id| Some(files.get(id)?.shown(id))).collect();
        return Ok(json!({"data": data, "next_page": null}).into());
    }
    let from: usize =
        match call.query("page").map(|page| page.strip_prefix("page_").and_then(|n| n.parse().ok())) {
            None => 0,
            Some(Some(from)) => from,
            Some(None) => return Err(Fault::invalid("`page` is no page of this list.")),
        };
    let limit = Paging::by(call, (20, 1000), ["after_id", "before_id"])?.limit();
    let all: Vec<_> = files.iter().rev().map(|(id, file)| file.shown(id)).collect();
    let data: Vec<_> = all.iter().skip(from).take(limit).cloned().collect();
    let end = from + data.len();
    let next = (end < all.len()).then(|| format!("page_{end}"));
    Ok(json!({"data": data, "next_page": next}).into())
}
