//! What an event looks like that carries nothing but a piece of a channel's text. It is made from the last event of
//! the channel: what identifies the stream, the choice and the block stays, everything that adds up at the client
//! (names of tools, ids of calls, usage) is left out.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::body::json::{Level, encode};

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

/// The way to a value of a document that went out, by the keys that it went out with: one that was a finding is another
/// than the one that was read.
pub(crate) fn written(document: &str, at: usize, way: &[Level]) -> Option<Vec<Level>> {
    let from = document.as_ptr().addr();
    let (mut here, mut written) = (document, Vec::with_capacity(way.len()));
    for level in way {
        let mut reader = serde_json::Deserializer::from_str(here);
        let value = match level {
            Level::Key(_) => {
                let members = reader.deserialize_map(Every).ok()?;
                let holds = |value: &RawValue| {
                    let start = value.get().as_ptr().addr() - from;
                    (start..start + value.get().len()).contains(&at)
                };
                let (name, value) = members.into_iter().find(|(_, value)| holds(value))?;
                written.push(Level::Key(name.as_bytes().into()));
                value
            }
            Level::Index(index) => {
                written.push(level.clone());
                reader.deserialize_seq(Item(*index)).ok()??
            }
        };
        here = value.get();
    }
    Some(written)
}

impl Template {
    /// The event with a text in it. None: its data has no skeleton.
    pub(crate) fn fill(&self, text: &str, named: bool) -> Option<Vec<u8>> {
        let mut event = if named { self.name.clone() } else { Vec::new() };
        let data = match &self.data {
            None => text.as_bytes().to_vec(),
            Some(model) => {
                let mut data = Vec::new();
                keep(std::str::from_utf8(&model.data).ok()?, model, 0, text, &mut data)?;
                data
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

/// Writes the skeleton of a value at `depth` of the way, with a text at the way's end.
fn keep(value: &str, model: &Model, depth: usize, text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut reader = serde_json::Deserializer::from_str(value);
    match model.way.get(depth) {
        None => {
            out.push(b'"');
            encode(text.as_bytes(), out);
            out.push(b'"');
        }
        Some(Level::Key(key)) => {
            let (mut open, mut found) = (b'{', false);
            for (name, value) in reader.deserialize_map(Members { model, depth }).ok()? {
                out.push(std::mem::replace(&mut open, b','));
                out.push(b'"');
                encode(name.as_bytes(), out);
                out.extend_from_slice(b"\":");
                if name.as_bytes() == &**key {
                    found = true;
                    keep(value.get(), model, depth + 1, text, out)?;
                } else {
                    out.extend_from_slice(value.get().as_bytes());
                }
            }
            if !found {
                return None;
            }
            out.push(b'}');
        }
        Some(Level::Index(index)) => {
            let item = reader.deserialize_seq(Item(*index)).ok()??;
            out.push(b'[');
            keep(item.get(), model, depth + 1, text, out)?;
            out.push(b']');
        }
    }
    Some(())
}

/// Takes the members of an object that stay. No tree is made of the others, however many there are.
struct Members<'m> {
    model: &'m Model,
    depth: usize,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while let Some((name, value)) = members.next_entry::<Name<'de>, &RawValue>()? {
            let on_the_way = match self.model.way.get(self.depth) {
                Some(Level::Key(key)) => name.0.as_bytes() == &**key,
                Some(Level::Index(_)) | None => false,
            };
            let stays = belongs(&name.0, value.get(), self.depth) && !self.model.is_text(self.depth, &name.0);
            if on_the_way || stays {
                kept.push((name.0, value));
            }
        }
        Ok(kept)
    }
}

/// Takes all members of an object.
struct Every;

impl<'de> Visitor<'de> for Every {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some((name, value)) = members.next_entry::<Name<'de>, &RawValue>()? {
            all.push((name.0, value));
        }
        Ok(all)
    }
}

/// A key, which is copied only if there are escapes in it.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Takes one item of an array.
struct Item(u32);

impl<'de> Visitor<'de> for Item {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.0 {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let item = items.next_element()?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(item)
    }
}

/// Whether a member beside the way tells where the text belongs.
fn belongs(name: &str, value: &str, depth: usize) -> bool {
    match value.as_bytes().first() {
        Some(b'"') => depth == 0 || name == "type",
        Some(b'[' | b'{') => value.get(1..value.len() - 1).is_some_and(|inside| inside.trim().is_empty()),
        _ => true,
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
