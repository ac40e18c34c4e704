//! What an event looks like that carries nothing but a piece of a channel's text. It is made from the last event of
//! the channel: what identifies the stream, the choice and the block stays, everything that adds up at the client
//! (names of tools, ids of calls, usage) is left out.

use serde_json::{Map, Value};

use crate::body::json::Level;

/// An event to be filled with text.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The `event` line with its end, if the event had one.
    pub(crate) name: Vec<u8>,
    /// What stands before the value of a `data` line.
    pub(crate) prefix: Vec<u8>,
    /// A line end.
    pub(crate) end: Vec<u8>,
    /// The data; none: the data is the text itself.
    pub(crate) data: Option<Model>,
}

/// The data of an event that went out, and where its texts stand. Most are never looked at again.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) data: Vec<u8>,
    /// The way to the channel's text.
    pub(crate) way: Vec<Level>,
    /// The ways to the texts of all channels.
    pub(crate) texts: Vec<Vec<Level>>,
}

impl Template {
    /// The event with a text in it. None: its data has no skeleton.
    pub(crate) fn fill(&self, text: &str, named: bool) -> Option<Vec<u8>> {
        let mut event = if named { self.name.clone() } else { Vec::new() };
        let data = match &self.data {
            None => text.as_bytes().to_vec(),
            Some(model) => {
                let value: Value = serde_json::from_slice(&model.data).ok()?;
                serde_json::to_vec(&keep(value, model, 0, text)?).ok()?
            }
        };
        data_lines(&data, &self.prefix, &self.end, &mut event);
        event.extend_from_slice(&self.end);
        Some(event)
    }
}

/// Writes data as `data` lines.
pub(crate) fn data_lines(data: &[u8], prefix: &[u8], end: &[u8], event: &mut Vec<u8>) {
    for line in data.split(|&byte| byte == b'\n' || byte == b'\r') {
        event.extend_from_slice(prefix);
        event.extend_from_slice(line);
        event.extend_from_slice(end);
    }
}

/// The skeleton of a value at `depth` of the way, with a text at the way's end.
fn keep(value: Value, model: &Model, depth: usize, text: &str) -> Option<Value> {
    let Some(level) = model.way.get(depth) else { return Some(Value::from(text)) };
    match (value, level) {
        (Value::Object(members), Level::Key(key)) => {
            let mut kept = Map::new();
            for (name, value) in members {
                if name.as_bytes() == &**key {
                    kept.insert(name, keep(value, model, depth + 1, text)?);
                } else if belongs(&name, &value, depth) && !model.is_text(depth, &name) {
                    kept.insert(name, value);
                }
            }
            Some(Value::Object(kept))
        }
        (Value::Array(mut items), Level::Index(index)) => {
            let index = usize::try_from(*index).ok().filter(|&index| index < items.len())?;
            Some(Value::Array(vec![keep(items.swap_remove(index), model, depth + 1, text)?]))
        }
        _ => None,
    }
}

/// Whether a member beside the way tells where the text belongs.
fn belongs(name: &str, value: &Value, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(_) => depth == 0 || name == "type",
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

impl Model {
    /// Whether a member beside the way is a text itself.
    fn is_text(&self, depth: usize, name: &str) -> bool {
        self.texts.iter().any(|text| {
            text.len() == depth + 1
                && text.get(..depth) == self.way.get(..depth)
                && matches!(text.last(), Some(Level::Key(key)) if **key == *name.as_bytes())
        })
    }
}
