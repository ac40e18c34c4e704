//! `/v1/files`.

use serde_json::{Value, json};

use super::account::{App, State, seconds};
use super::call::Call;
use super::content::Content;
use super::form::Form;
use super::ids;
use super::reply::{Answer, Fault, Reply};
use super::router::unknown;
use super::table::Paging;

/// Purposes that a client may upload for.
pub(super) const PURPOSES: [&str; 6] = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];

/// A file.
pub(super) struct File {
    pub(super) filename: String,
    pub(super) purpose: String,
    pub(super) content: Content,
    pub(super) created_at: u64,
    pub(super) expires_at: Option<u64>,
}

impl File {
    pub(super) fn new(filename: &str, purpose: &str, content: Content) -> Self {
        Self {
            filename: filename.to_owned(),
            purpose: purpose.to_owned(),
            content,
            created_at: seconds(),
            expires_at: None,
        }
    }

    pub(super) fn shown(&self, id: &str) -> Value {
        json!({
            "object": "file", "id": id, "purpose": self.purpose, "filename": self.filename,
            "bytes": self.content.length, "created_at": self.created_at, "expires_at": self.expires_at,
            "status": "processed", "status_details": null,
        })
    }
}

impl State {
    /// Adds a file; returns its id.
    pub(super) fn add_file(&mut self, file: File) -> String {
        let id = ids::letters("file-", 22);
        self.files.insert(&id, file);
        id
    }

    pub(super) fn file(&self, id: &str) -> Result<&File, Fault> {
        self.files.get(id).ok_or_else(|| Fault::missing("File object", id))
    }
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("GET", []) => list(app, call),
        ("GET", [id]) => Ok(app.state().file(id)?.shown(id).into()),
        ("DELETE", [id]) => {
            app.state().files.remove(id).ok_or_else(|| Fault::missing("File object", id))?;
            Ok(json!({"object": "file", "deleted": true, "id": id}).into())
        }
        ("GET", [id, "content"]) => content(app, id),
        _ => Err(unknown(call)),
    }
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let mut form = Form::read(call, app.options.keep, &app.budget).await?;
    let part = form.file("file")?;
    let purpose = form.field("purpose").unwrap_or_default();
    check_purpose(purpose)?;
    let mut file = File::new(&part.filename, purpose, part.content);
    if let Some(text) = form.field("expires_after[seconds]") {
        let seconds: u64 = text.parse().map_err(|_not_a_number| {
            Fault::invalid(format!("Invalid 'expires_after[seconds]': '{text}'.")).param("expires_after")
        })?;
        file.expires_at = Some(file.created_at.saturating_add(seconds));
    }
    let mut state = app.state();
    let id = state.add_file(file);
    Ok(state.file(&id)?.shown(&id).into())
}

/// Refuses purposes that there are not.
pub(super) fn check_purpose(purpose: &str) -> Result<(), Fault> {
    if PURPOSES.contains(&purpose) {
        return Ok(());
    }
    let known = PURPOSES.join("', '");
    Err(Fault::invalid(format!("'{purpose}' is not one of ['{known}'] - 'purpose'")).param("purpose"))
}

fn list(app: &App, call: &Call) -> Answer {
    let paging = Paging::of(call, 10_000, 10_000)?;
    let purpose = call.query("purpose");
    let state = app.state();
    let wanted = state.files.iter().filter(|(_, file)| purpose.is_none_or(|purpose| file.purpose == purpose));
    Ok(paging.cut(wanted.map(|(id, file)| (id.to_owned(), file.shown(id))))?.full().into())
}

/// The bytes of a file.
pub(super) fn content(app: &App, id: &str) -> Answer {
    let state = app.state();
    let file = state.file(id)?;
    let Some(bytes) = &file.content.bytes else {
        return Err(Fault::invalid(format!("The content of {id} was too large for the sandbox to keep.")));
    };
    Ok(Reply::Bytes("application/octet-stream", bytes.clone(), Some(file.filename.clone())))
}
