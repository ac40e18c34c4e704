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
    pub(crate) data: Option<(Value, Vec<Level>)>,
}

impl Template {
    /// The event with a text in it.
    pub(crate) fn fill(&self, text: &str) -> Vec<u8> {
        let mut event = self.name.clone();
        let data = match &self.data {
            None => text.as_bytes().to_vec(),
            Some((value, way)) => {
                let mut value = value.clone();
                if let Some(place) = place(&mut value, way) {
                    *place = Value::from(text);
                }
                serde_json::to_vec(&value).unwrap_or_default()
            }
        };
        data_lines(&data, &self.prefix, &self.end, &mut event);
        event.extend_from_slice(&self.end);
        event
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

fn place<'a>(value: &'a mut Value, way: &[Level]) -> Option<&'a mut Value> {
    way.iter().try_fold(value, |value, level| match level {
        Level::Key(key) => value.as_object_mut()?.get_mut(std::str::from_utf8(key).ok()?),
        // A skeleton keeps one item of each array on the way.
        Level::Index(_) => value.as_array_mut()?.first_mut(),
    })
}

/// The skeleton of an event's data around the text at `way`. `texts` are the ways to all its channel texts.
pub(crate) fn skeleton(data: &[u8], way: &[Level], texts: &[&[Level]]) -> Option<(Value, Vec<Level>)> {
    let value: Value = serde_json::from_slice(data).ok()?;
    Some((keep(value, way, 0, texts)?, way.to_vec()))
}

fn keep(value: Value, way: &[Level], depth: usize, texts: &[&[Level]]) -> Option<Value> {
    let Some(level) = way.get(depth) else { return Some(Value::from("")) };
    match (value, level) {
        (Value::Object(members), Level::Key(key)) => {
            let mut kept = Map::new();
            for (name, value) in members {
                if name.as_bytes() == &**key {
                    kept.insert(name, keep(value, way, depth + 1, texts)?);
                } else if belongs(&name, &value, depth) && !is_text(way, depth, &name, texts) {
                    kept.insert(name, value);
                }
            }
            Some(Value::Object(kept))
        }
        (Value::Array(mut items), Level::Index(index)) => {
            let index = usize::try_from(*index).ok().filter(|&index| index < items.len())?;
            Some(Value::Array(vec![keep(items.swap_remove(index), way, depth + 1, texts)?]))
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

fn is_text(way: &[Level], depth: usize, name: &str, texts: &[&[Level]]) -> bool {
    texts.iter().any(|text| {
        text.len() == depth + 1
            && text.get(..depth) == way.get(..depth)
            && matches!(text.last(), Some(Level::Key(key)) if **key == *name.as_bytes())
    })
}
