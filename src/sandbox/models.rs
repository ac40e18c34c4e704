//! `/v1/models`: those that everybody has, and those that were trained here.

use serde_json::{Value, json};

use super::account::{App, State};
use super::call::Call;
use super::reply::{Answer, Fault};
use super::router::unknown;

/// Models that can be trained and talked to.
///
/// `sandbox-leaky` tells secrets, `sandbox-breaks` breaks its streams off, `sandbox-garbled` sends
/// events that aren't JSON, `sandbox-endless` streams until the client goes.
const SHARED: [&str; 17] = [
    "gpt-4o-mini-2024-07-18",
    "gpt-4o-mini",
    "gpt-4o",
    "gpt-4.1-mini-2025-04-14",
    "gpt-3.5-turbo-instruct",
    "text-embedding-3-small",
    "omni-moderation-latest",
    "dall-e-3",
    "gpt-image-1",
    "whisper-1",
    "tts-1",
    "gpt-4o-transcribe",
    "sandbox-org/open-model",
    "sandbox-leaky",
    "sandbox-breaks",
    "sandbox-garbled",
    "sandbox-endless",
];

/// A model that a job made, or one of its checkpoints: usable alike, but not listed.
pub(super) struct Trained {
    pub(super) created: u64,
    pub(super) checkpoint: bool,
}

fn shown(id: &str, created: u64, owner: &str) -> Value {
    json!({"id": id, "object": "model", "created": created, "owned_by": owner})
}

impl State {
    /// Whether the model can be used.
    pub(super) fn check_model(&self, name: &str) -> Result<(), Fault> {
        if SHARED.contains(&name) || self.models.get(name).is_some() {
            return Ok(());
        }
        Err(Fault::model(name))
    }
}

pub(super) fn route(app: &App, call: &Call, path: &[&str]) -> Answer {
    let mut state = app.state();
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let shared = SHARED.iter().map(|id| shown(id, 1_721_172_741, "system"));
            let listed = state.models.iter().filter(|(_, model)| !model.checkpoint);
            let trained = listed.map(|(id, model)| shown(id, model.created, "sandbox-org"));
            Ok(json!({"object": "list", "data": shared.chain(trained).collect::<Vec<_>>()}).into())
        }
        ("GET", [id]) => {
            if SHARED.contains(id) {
                return Ok(shown(id, 1_721_172_741, "system").into());
            }
            let model = state.models.get(id).ok_or_else(|| Fault::model(id))?;
            Ok(shown(id, model.created, "sandbox-org").into())
        }
        ("DELETE", [id]) => {
            state.models.remove(id).ok_or_else(|| Fault::model(id))?;
            let prefix = format!("{id}:ckpt-");
            let points = state.models.iter().filter(|(name, _)| name.starts_with(&prefix));
            for name in points.map(|(name, _)| name.to_owned()).collect::<Vec<_>>() {
                state.models.remove(&name);
            }
            Ok(json!({"id": id, "object": "model", "deleted": true}).into())
        }
        _ => Err(unknown(call)),
    }
}
