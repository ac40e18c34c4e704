//! `/v1/models`.

use serde_json::{Value, json};

use super::missing;
use crate::sandbox::call::Call;
use crate::sandbox::reply::{Answer, Fault};
use crate::sandbox::router::unknown;
use crate::sandbox::table::Paging;

/// Everybody's. The leaky one tells secrets.
const MODELS: [&str; 3] = ["claude-sandbox-4", "claude-sandbox-haiku", "sandbox-leaky"];

/// A model that has to be there.
pub(super) fn check(name: &str) -> Result<(), Fault> {
    if MODELS.contains(&name) { Ok(()) } else { Err(missing("model", name)) }
}

fn shown(id: &str) -> Value {
    json!({
        "type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active",
    })
}

pub(super) fn route(call: &Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let paging = Paging::by(call, (20, 1000), ["after_id", "before_id"])?;
            // The newest stands last in the table of pages.
            let all = MODELS.iter().rev().map(|id| ((*id).to_owned(), shown(id)));
            Ok(paging.cut(all)?.bare().into())
        }
        ("GET", [id]) => {
            check(id)?;
            Ok(shown(id).into())
        }
        _ => Err(unknown(call)),
    }
}
