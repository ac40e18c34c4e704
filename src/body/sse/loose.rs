//! Texts that no channel of the profile names: which strings of an event are pieces of a text that goes on in other
//! events, and what tells one such text from another.
//!
//! Clients put together what stands below a `delta`, whatever it is called there, so that is what counts. Words among
//! it (ids, types, roles, names) are read by clients at once and mean something as a whole: they are not held back, but a
//! second one at the same place is read together with the first.

use super::view::Event;
use crate::body::FactValue;
use crate::body::json::{Hit, Level};

/// Places that are looked at in every event, whatever the profile says.
pub(super) const PLACES: &[&str] =
    &["", "/*", "/*/*/index", FINISH, "/choices/*/text", "/message/content", "/token/text", "/**/delta/**"];

/// Why an item of a list ends.
pub(super) const FINISH: &str = "/*/*/finish_reason";

/// Members that hold a text in events that don't say what they are.
const TEXTS: &[&str] = &[
    "text",
    "content",
    "response",
    "completion",
    "output_text",
    "thinking",
    "reasoning",
    "reasoning_content",
];

/// Members that are words.
const WORDS: &[&str] = &[
    "type",
    "role",
    "object",
    "status",
    "name",
    "model",
    "provider",
    "format",
    "encoding",
    "mime_type",
    "language",
    "event",
    "finish_reason",
    "stop_reason",
    "stop_sequence",
    "service_tier",
    "system_fingerprint",
];

/// Members that no reader takes for text: padding, and bytes under a coding of their own.
const BYTES: &[&str] =
    &["obfuscation", "signature", "encrypted_content", "data", "b64_json", "partial_image_b64"];

/// Members that say which text an event belongs to.
const BELONGS: &[&str] = &["item_id", "segment_id", "call_id", "tool_call_id"];

/// What a string that no channel names is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A piece of a text.
    Text,
    /// Short, and read as a whole.
    Word,
}

/// A text that no channel names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loose {
    /// The event's type or name.
    kind: Option<Box<str>>,
    /// Its way in the event; items of lists by what they say of their index.
    way: String,
    /// The item of a list at the top that it belongs to: the list's way and the item's index.
    item: Option<(Box<[u8]>, String)>,
    /// What the event says of the text that it belongs to.
    beside: Vec<(Box<[u8]>, String)>,
    pub(crate) word: bool,
}

impl Loose {
    /// Whether two events mean the same text. What one of them does not say tells nothing.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.way == other.way
            && self.beside.iter().all(|(name, value)| {
                other.beside.iter().find(|(known, _)| known == name).is_none_or(|(_, known)| known == value)
            })
    }
}

/// The nearest name of a place.
fn name(way: &[Level]) -> Option<&str> {
    way.iter().rev().find_map(|level| match level {
        Level::Key(key) => Some(std::str::from_utf8(key).unwrap_or_default()),
        Level::Index(_) => None,
    })
}

fn is_key(level: &Level, name: &str) -> bool {
    matches!(level, Level::Key(key) if **key == *name.as_bytes())
}

fn is_delta(kind: &str) -> bool {
    kind.rsplit(['.', '_']).next() == Some("delta")
}

/// What a string is, by the type of its event and by where it stands. None: it is there as a whole.
pub(super) fn role(kinds: [Option<&str>; 2], way: &[Level]) -> Option<Role> {
    let Some(last) = name(way) else { return way.is_empty().then_some(Role::Text) };
    let below = way.iter().any(|level| is_key(level, "delta"));
    let of_delta = kinds.iter().flatten().any(|kind| is_delta(kind));
    let untyped = kinds.iter().all(Option::is_none);
    let known = match way {
        [Level::Key(_)] => of_delta || untyped && TEXTS.contains(&last),
        [list, Level::Index(_), text] => is_key(list, "choices") && is_key(text, "text"),
        [outer, inner] => {
            untyped && (is_key(outer, "message") && is_key(inner, "content"))
                || is_key(outer, "token") && is_key(inner, "text")
        }
        _ => false,
    };
    let sound = way.len() == 1 && kinds.iter().flatten().any(|kind| kind.ends_with("audio.delta"));
    if !below && !known || sound || BYTES.contains(&last) || way.iter().any(|level| is_key(level, "error")) {
        return None;
    }
    if WORDS.contains(&last) || last == "id" || last.ends_with("_id") {
        return below.then_some(Role::Word);
    }
    Some(Role::Text)
}

/// A number as readers compare it, or any other value as it is.
pub(super) fn canonical(value: &FactValue) -> Option<String> {
    match value {
        FactValue::Number(number) => {
            let read: f64 = number.parse().ok()?;
            Some(if read.fract() == 0.0 && read.abs() < 9e15 {
                format!("{read:.0}")
            } else {
                read.to_string()
            })
        }
        other => other.as_text().map(str::to_owned),
    }
}

/// What an item of a list says of its index; else where it stands.
fn index_of(hits: &[Hit], item: &[Level], position: u32) -> String {
    let beside = |hit: &&Hit| {
        hit.way.len() == item.len() + 1
            && hit.way.starts_with(item)
            && hit.way.last().is_some_and(|level| is_key(level, "index"))
    };
    hits.iter().find(beside).and_then(|hit| canonical(&hit.value)).unwrap_or_else(|| position.to_string())
}

/// Which text a string belongs to.
pub(super) fn identity(event: &Event<'_>, kind: Option<&str>, text: &Hit, role: Role) -> Loose {
    let mut way = String::new();
    let mut item = None;
    for (depth, level) in text.way.iter().enumerate() {
        way.push('/');
        match level {
            Level::Key(key) => way.push_str(&String::from_utf8_lossy(key)),
            Level::Index(position) => {
                let here = text.way.get(..=depth).unwrap_or_default();
                let index = index_of(event.hits, here, *position);
                way.push_str(&index);
                if let [Level::Key(list), Level::Index(_)] = here {
                    item = Some((list.clone(), index));
                }
            }
        }
    }
    let beside = scalars(event)
        .filter(|(name, _)| name.ends_with(b"index") || BELONGS.iter().any(|b| name[..] == *b.as_bytes()))
        .filter_map(|(name, hit)| Some((name.clone(), canonical(&hit.value)?)))
        .collect();
    Loose { kind: kind.map(Box::from), way, item, beside, word: role == Role::Word }
}

/// Members at the top of an event.
fn scalars<'a>(event: &Event<'a>) -> impl Iterator<Item = (&'a Box<[u8]>, &'a Hit)> {
    event.hits.iter().filter_map(|hit| match &*hit.way {
        [Level::Key(name)] => Some((name, hit)),
        _ => None,
    })
}

/// Whether an event says that the item of a list which the text belongs to is finished.
pub(super) fn finishes(event: &Event<'_>, text: &Loose) -> bool {
    let Some((list, index)) = &text.item else { return false };
    event.hits.iter().any(|hit| {
        let [Level::Key(key), Level::Index(position), reason] = &*hit.way else { return false };
        is_key(reason, "finish_reason")
            && key == list
            && hit.value.as_text().is_some_and(|reason| !reason.is_empty())
            && index_of(event.hits, hit.way.get(..2).unwrap_or_default(), *position) == *index
    })
}

/// Whether an event speaks of no other text than this.
pub(super) fn agrees(event: &Event<'_>, text: &Loose) -> bool {
    text.beside.iter().all(|(name, value)| {
        let said = scalars(event).find(|(known, _)| *known == name);
        said.is_none_or(|(_, hit)| canonical(&hit.value).is_none_or(|said| said == *value))
    })
}
