//! The file format of an API profile: what stands in `config/apis/*.yaml`, before anything is checked or resolved.
//! Closed structs: an unknown key is an error. The documents of the fields are those of the generated JSON Schema.

mod operation;
mod place;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_saphyr::Spanned;

use crate::diagnostic::{Diagnostic, from_yaml};
pub(super) use operation::*;
pub(super) use place::*;

/// A text with its place in the file.
pub(super) type Text = Spanned<String>;

/// A mapping that keeps the order and the places of its keys.
#[derive(Debug)]
pub(super) struct Entries<T>(pub(super) Vec<(Text, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        BTreeMap::<String, T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}

/// An API profile: what an API's operations use, create, list and end, and what its answers look like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The profile's name, as routes refer to it.
    pub(super) profile: String,
    /// What the API is and where the facts come from, for people.
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    pub(super) about: String,
    /// A slash at the end of a path makes no difference to the API, so every template stands for both.
    #[serde(default)]
    pub(super) optional_slash: bool,
    /// The API's servers read no body without a length: forms are kept until they are whole.
    #[serde(default)]
    pub(super) sized_requests: bool,
    /// The kinds of resources and what their ids look like.
    #[schemars(with = "BTreeMap<String, RawKind>")]
    pub(super) kinds: Entries<RawKind>,
    /// What happens to headers.
    pub(super) headers: RawHeaders,
    /// The API's own shape of errors.
    pub(super) errors: RawErrors,
    /// Pieces that several operations include.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Part>")]
    pub(super) parts: Entries<Part>,
    /// The operations that are served, by the specification's `operationId`.
    #[schemars(with = "BTreeMap<String, RawOperation>")]
    pub(super) operations: Entries<RawOperation>,
    /// The operations that are known and refused.
    #[serde(default)]
    pub(super) refused: Vec<RefusedGroup>,
}

/// A kind of resource. Ids are matched whole, against `owned` or `of_tenant`, then `never`, then `shared`; what none of
/// them matches is malformed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKind {
    /// Regular expressions (ASCII) of ids that have an owner.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) owned: Vec<Text>,
    /// Regular expressions of ids that everybody shares by nature (base models).
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) shared: Vec<Text>,
    /// Regular expressions of ids that are malformed although `shared` would match them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) never: Vec<Text>,
    /// Ids are decimal numbers without leading zeros; takes the place of `owned`.
    #[serde(default)]
    pub(super) numeric: bool,
    /// A regular expression with a group named `whole`: an id that it matches belongs to whoever owns that group's text.
    #[schemars(with = "Option<String>")]
    pub(super) part_of: Option<Text>,
    /// A regular expression with a group named `tenant`: an id is whose name stands there, whether or not it was seen
    /// before (folders, adapters). Takes the place of `owned`.
    #[schemars(with = "Option<String>")]
    pub(super) of_tenant: Option<Text>,
    /// Ids come into being without any call that the profile knows, so that nothing creates them.
    #[serde(default)]
    pub(super) adopted: bool,
    /// What an unknown, foreign or malformed id is answered with.
    pub(super) not_found: RawNotFound,
}

/// The API's own words for an id that does not exist. They never name the id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotFound {
    /// The sentence.
    pub(super) message: String,
    /// The error's type; that of its status, if none.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// The parameter that the error names.
    pub(super) param: Option<String>,
    /// The error's code.
    pub(super) code: Option<String>,
}

/// What happens to headers. Framing, credentials and hop-by-hop headers are the gateway's own and not listed.
/// A name may end in `*`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHeaders {
    /// Towards the upstream.
    pub(super) request: RawRequestHeaders,
    /// Towards the caller.
    pub(super) response: RawResponseHeaders,
}

/// Headers towards the upstream: `refuse` goes before `drop`, `drop` before `salt`, `salt` before `pass`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRequestHeaders {
    /// Pass as they are.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) pass: Vec<Text>,
    /// Are removed.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) drop: Vec<Text>,
    /// Pass as a keyed hash, so that equal values of two tenants differ upstream.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) salt: Vec<Text>,
    /// The request is refused: some readers would take it for another request.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) refuse: Vec<Text>,
    /// Are put in, whatever the caller sent.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) set: Entries<String>,
    /// What happens to all others.
    pub(super) others: Others,
}

/// Headers towards the caller: `pin` goes before `drop`, `drop` before `pass`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawResponseHeaders {
    /// Pass as they are.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) pass: Vec<Text>,
    /// Are removed.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) drop: Vec<Text>,
    /// Where the upstream sends one, the caller gets this value.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) pin: Entries<String>,
    /// What happens to all others.
    pub(super) others: Others,
}

/// What happens to headers that no list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Others {
    /// They pass.
    Pass,
    /// They are removed.
    Drop,
}

/// The API's shape of errors.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawErrors {
    /// The body's media type.
    #[schemars(with = "String")]
    pub(super) content_type: Text,
    /// The body. The strings `$message`, `$type`, `$param`, `$code`, `$status` and `$request_id` are replaced.
    #[schemars(with = "serde_json::Value")]
    pub(super) body: Spanned<serde_json::Value>,
    /// The event that ends a stream: its `data`, with the same replacements.
    #[schemars(with = "serde_json::Value")]
    pub(super) event: Spanned<serde_json::Value>,
    /// The event's name, if it has one.
    pub(super) event_name: Option<String>,
    /// The error's type by HTTP status; `default` for all others.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) types: Entries<String>,
    /// Statuses with which the upstream speaks of the account (its limits, its organisation): they pass, its words do not.
    #[serde(default)]
    pub(super) own_words: Vec<u16>,
    /// The header that carries the request's id.
    #[schemars(with = "String")]
    pub(super) request_id: Text,
    /// The header and value that keep the API's clients from sending a refused request again.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) no_retry: Entries<String>,
}

/// Operations that are refused for one reason.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusedGroup {
    /// The reason.
    pub(super) reason: RefusedAs,
    /// Why, for people.
    #[expect(dead_code, reason = "for readers of the file")]
    pub(super) because: String,
    /// The operations, as method and path template.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) operations: Entries<Text>,
}

/// The reasons for which an operation can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum RefusedAs {
    /// It is not served.
    #[serde(rename = "operation_refused")]
    Operation,
    /// Its answer would hold a credential that bypasses the gateway.
    #[serde(rename = "bypass_refused")]
    Bypass,
    /// It leaves HTTP.
    #[serde(rename = "upgrade_refused")]
    Upgrade,
}

/// The most errors of form that are reported at once.
const MAX_ERRORS: usize = 50;

/// Reads a profile's text. An entry of the wrong form ends its reading, so each such entry is cut out and the rest
/// is read again, until all errors of form are known.
pub(super) fn read(file: &str, yaml: &str) -> Result<Profile, Vec<Diagnostic>> {
    let mut errors: Vec<Diagnostic> = Vec::new();
    let mut text = yaml.to_owned();
    loop {
        match from_yaml::<Profile>(file, &text) {
            Ok(profile) if errors.is_empty() => return Ok(profile),
            Ok(_) => return Err(errors),
            // A section that was emptied by the cutting is no fault of the file.
            Err(error) if !errors.is_empty() && is_section(&text, error.line) => return Err(errors),
            Err(error) => {
                let rest = without_entry(&text, error.line);
                let known = errors.iter().any(|known| known.line == error.line);
                if !known {
                    errors.push(error);
                }
                match rest {
                    Some(rest) if !known && errors.len() < MAX_ERRORS => text = rest,
                    _ => return Err(errors),
                }
            }
        }
    }
}

fn is_section(text: &str, line: u64) -> bool {
    let index = usize::try_from(line).unwrap_or(0).checked_sub(1);
    let line = index.and_then(|index| text.lines().nth(index)).unwrap_or_default();
    SECTIONS.contains(&line.trim_end())
}

/// The sections whose entries are cut out one by one.
const SECTIONS: [&str; 3] = ["operations:", "kinds:", "parts:"];

/// The text without the entry of the second level (an operation, a kind, a part) that holds the line. Its lines stay,
/// empty, so that the places of other errors are right.
fn without_entry(text: &str, line: u64) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let wrong = usize::try_from(line).ok()?.checked_sub(1)?;
    let starts =
        |line: &str| line.starts_with("  ") && line.as_bytes().get(2).is_some_and(u8::is_ascii_alphabetic);
    let ends = |line: &str| !line.trim().is_empty() && !line.starts_with("   ");
    let first = (0..=wrong).rev().find(|index| lines.get(*index).is_some_and(|line| ends(line)))?;
    if !lines.get(first).is_some_and(|line| starts(line)) {
        return None;
    }
    let section =
        lines.get(..first)?.iter().rev().find(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    if !SECTIONS.contains(&section.trim_end()) {
        return None;
    }
    let last = (first + 1..lines.len()).find(|index| lines.get(*index).is_some_and(|line| ends(line)));
    let range = first..last.unwrap_or(lines.len());
    let kept = lines.iter().enumerate().map(|(index, line)| if range.contains(&index) { "" } else { line });
    Some(kept.collect::<Vec<_>>().join("\n"))
}
