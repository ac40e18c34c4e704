//! `/v1/containers`: places where a model's tools find files. Nothing runs in them here.

use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::account::{App, State, seconds};
use super::assistants::Shown;
use super::call::{Call, Fields};
use super::content::Content;
use super::form::Form;
use super::ids;
use super::reply::{Answer, Fault, Reply};
use super::router::unknown;
use super::table::{Paging, Table};

/// A container with its files.
pub(super) struct Container {
    shown: Shown,
    files: Table<Held>,
}

/// A file in a container.
struct Held {
    path: String,
    content: Content,
    created_at: u64,
}

impl Held {
    fn new(name: &str, content: Content) -> Self {
        Self { path: format!("/mnt/data/{name}"), content, created_at: seconds() }
    }

    fn shown(&self, id: &str, container: &str) -> Value {
        json!({
            "id": id, "object": "container.file", "created_at": self.created_at, "bytes": self.content.length,
            "container_id": container, "path": self.path, "source": "user",
        })
    }
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let name = call.query("name").map(str::to_owned);
            let state = app.state();
            let named = |one: &Value| name.as_ref().is_none_or(|name| one["name"] == **name);
            let all = state.containers.iter().filter(|(_, one)| named(&one.shown.value));
            Ok(paging.cut(all.map(|(id, one)| (id.to_owned(), one.shown.value.clone())))?.full().into())
        }
        ("GET", [id]) => Ok(found(&mut app.state(), id)?.shown.value.clone().into()),
        ("DELETE", [id]) => {
            app.state().containers.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"id": id, "object": "container.deleted", "deleted": true}).into())
        }
        (_, [id, "files", rest @ ..]) => files(app, call, id, rest).await,
        _ => Err(unknown(call)),
    }
}

fn missing(id: &str) -> Fault {
    Fault::missing("container", id)
}

fn found<'s>(state: &'s mut State, id: &str) -> Result<&'s mut Container, Fault> {
    state.containers.get_mut(id).ok_or_else(|| missing(id))
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let name = body.required("name")?.to_owned();
    let mut state = app.state();
    let mut files = Table::default();
    for file in body.get("file_ids").and_then(Value::as_array).into_iter().flatten() {
        let file = state.file(file.as_str().unwrap_or_default())?;
        files.insert(&ids::hex("cfile_", 32), Held::new(&file.filename, file.content.clone()));
    }
    let id = ids::hex("cntr_", 32);
    let expires = body.get("expires_after").cloned();
    let value = json!({
        "id": id, "object": "container", "created_at": seconds(), "status": "running", "name": name,
        "expires_after": expires.unwrap_or_else(|| json!({"anchor": "last_active_at", "minutes": 20})),
        "last_active_at": seconds(), "memory_limit": body.text("memory_limit").unwrap_or("1g"),
        "network_policy": body.get("network_policy").cloned().unwrap_or_else(|| json!({"type": "disabled"})),
    });
    let shown = Shown::new(app, value.clone())?;
    state.containers.insert(&id, Container { shown, files });
    Ok(value.into())
}

async fn files(app: &App, call: &mut Call, container: &str, path: &[&str]) -> Answer {
    let gone = |id: &str| Fault::missing("container file", id);
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let held = held(app, call).await?;
            let mut state = app.state();
            let place = found(&mut state, container)?;
            let id = ids::hex("cfile_", 32);
            let shown = held.shown(&id, container);
            place.files.insert(&id, held);
            Ok(shown.into())
        }
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let mut state = app.state();
            let all = found(&mut state, container)?.files.iter();
            Ok(paging.cut(all.map(|(id, file)| (id.to_owned(), file.shown(id, container))))?.full().into())
        }
        ("GET", [id]) => {
            let mut state = app.state();
            let file = found(&mut state, container)?.files.get(id).ok_or_else(|| gone(id))?;
            Ok(file.shown(id, container).into())
        }
        ("GET", [id, "content"]) => {
            let mut state = app.state();
            let file = found(&mut state, container)?.files.get(id).ok_or_else(|| gone(id))?;
            let bytes =
                file.content.bytes.clone().ok_or_else(|| Fault::invalid("It was too large to keep."))?;
            Ok(Reply::Bytes("application/octet-stream", bytes, None))
        }
        ("DELETE", [id]) => {
            found(&mut app.state(), container)?.files.remove(id).ok_or_else(|| gone(id))?;
            Ok(json!({"id": id, "object": "container.file.deleted", "deleted": true}).into())
        }
        _ => Err(unknown(call)),
    }
}

/// The file that a request brings, or names.
async fn held(app: &App, call: &mut Call) -> Result<Held, Fault> {
    let is_form =
        call.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    let named = if is_form {
        let mut form = Form::read(call, app.options.keep, &app.budget).await?;
        match form.field("file_id").map(str::to_owned) {
            Some(id) => id,
            None => {
                let part = form.file("file")?;
                return Ok(Held::new(&part.filename, part.content));
            }
        }
    } else {
        call.json().await?.required("file_id")?.to_owned()
    };
    let state = app.state();
    let file = state.file(&named)?;
    Ok(Held::new(&file.filename, file.content.clone()))
}
