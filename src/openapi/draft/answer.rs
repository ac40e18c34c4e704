//! What an answer shows: what came into being, what it lists, and what else it gives away.

use crate::openapi::document::{Described, Document, Media};
use crate::openapi::fields::{Field, Fields, Step};
use crate::openapi::words::{self, Says};
use crate::openapi::yaml;

use super::kinds::Kinds;
use super::operation::{At, Body, Cursor, Drafted, List};
use super::request::{is_json, is_lines};

/// What the judge has to know of an answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// A member that would be of use without the gateway.
    pub(super) credential: bool,
    /// It lists things, in a way that no profile can filter.
    pub(super) unfiltered: bool,
}

/// Members that hold a list's items, the likeliest first.
const ITEMS: [&str; 4] = ["data", "items", "results", "value"];

/// Members of a list's answer that tell what the account has besides.
const TOTALS: [&str; 8] =
    ["count", "total", "total_count", "totalCount", "num_total", "next", "previous", "next_page_token"];

/// How many places a comment names.
const NAMED: usize = 8;

/// Reads the answer.
pub(super) fn of(
    document: &Document,
    kinds: &Kinds,
    described: &Described<'_>,
    all: &[Described<'_>],
    to: &mut Drafted,
) -> Answer {
    to.response = body(described, to);
    let json = described.response.iter().find(|media| is_json(media));
    let fields =
        json.and_then(|media| media.schema).map(|schema| Fields::of(document, schema)).unwrap_or_default();
    let mut answer = Answer::default();
    let shallow =
        |field: &&Field<'_>| field.steps.len() <= 2 && !field.steps.contains(&Step::Any) && field.open;
    answer.credential = fields.all.iter().filter(shallow).any(|field| words::credential(field.key()));
    let last = described.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let named_last = last.ends_with('}');
    match described.method.as_str() {
        "GET" if !named_last => answer.unfiltered = !list(kinds, described, &fields, to),
        "POST" if !named_last => {
            let created = creates(kinds, described, &fields, all, to);
            let in_path = to.uses.iter().any(|used| matches!(used.at, At::Path(_)));
            // What has an id of its own is a thing and no list.
            let thing = fields.at(&["id"]).is_some();
            let lists = items(&fields).and_then(|(array, _)| array).is_some_and(|array| {
                ITEMS.contains(&array) || kinds.known.contains_key(&words::kind_of(array))
            });
            let bare = fields.all.first().is_some_and(|field| field.array);
            answer.unfiltered = !created && !in_path && !thing && (lists || bare);
            if !created && thing && to.creates.is_empty() {
                to.decide("the answer has an `id`: of what is named already, or of something new?");
            }
        }
        "DELETE" if named_last => {
            let mut path = to.uses.iter().rev().filter_map(|used| match &used.at {
                At::Path(name) => Some(name.clone()),
                _ => None,
            });
            to.ends = path.next().filter(|name| last == format!("{{{name}}}"));
        }
        "PUT" | "POST" if named_last && !posted(described, all) => {
            to.decide("if this makes a resource under a name that the caller chooses, refuse it or keep names apart");
        }
        _ => {}
    }
    shows(kinds, &fields, to);
    answer
}

/// Whether there is a call that makes what this one names.
fn posted(described: &Described<'_>, all: &[Described<'_>]) -> bool {
    let path = described.path.trim_end_matches('/');
    let collection = path.rsplit_once('/').map_or("", |(collection, _)| collection);
    all.iter().any(|other| other.method == "POST" && other.path.trim_end_matches('/') == collection)
}

/// What the answer's body is.
fn body(described: &Described<'_>, to: &mut Drafted) -> Body {
    let has = |is: &dyn Fn(&Media<'_>) -> bool| described.response.iter().any(is);
    let (json, events) = (has(&is_json), has(&|media| media.name == "text/event-stream"));
    let lines = has(&is_lines);
    let known = [json, events, lines].into_iter().filter(|is| *is).count();
    if described.response.is_empty() {
        return Body::None;
    }
    if described.response.len() > known && known > 0 {
        to.decide("the answer has several types; `file` finds out which it is");
        return Body::Word("file");
    }
    if events {
        to.decide(
            "texts below a `delta` are found; name others that go on from event to event in `channels`",
        );
    }
    match (json, events, lines) {
        (true, true, _) => Body::Word("json_or_events"),
        (true, false, false) => Body::Json,
        (false, true, _) => Body::Word("events"),
        (false, false, true) => Body::Word("jsonl"),
        (false, false, false) if described.response.iter().all(|m| m.name.starts_with("text/")) => {
            Body::Word("text")
        }
        _ => Body::Word("file"),
    }
}

/// The array of the answer whose items have ids: its key, none for the answer itself, and the id's.
fn items<'d>(fields: &Fields<'d>) -> Option<(Option<&'d str>, &'d str)> {
    let mut found: Vec<(Option<&'d str>, &'d str)> = Vec::new();
    for field in fields.all.iter().filter(|field| field.open) {
        let (array, id) = match field.steps.as_slice() {
            [Step::Key(array), Step::Any, Step::Key(id)] => (Some(*array), *id),
            [Step::Any, Step::Key(id)] => (None, *id),
            _ => continue,
        };
        let holds = match array {
            Some(name) => fields.at(&[name]).is_some_and(|field| field.array),
            None => fields.all.first().is_some_and(|field| field.array),
        };
        let own = array.map(words::kind_of).unwrap_or_default();
        let says = words::says(id, &[]);
        if holds && (says == Says::Id || says == Says::IdOf(own) || id == "name") {
            found.push((array, id));
        }
    }
    let rank = |(array, id): &(Option<&str>, &str)| {
        let place =
            array.map_or(0, |name| ITEMS.iter().position(|known| *known == name).unwrap_or(ITEMS.len()));
        let id = if *id == "name" { 2 } else { usize::from(*id != "id") };
        (place, id)
    };
    found.into_iter().min_by_key(rank)
}

/// The kind of what a list lists.
fn listed(kinds: &Kinds, path: &str, array: Option<&str>) -> String {
    if let Some(kind) = kinds.collection(path) {
        return kind.to_owned();
    }
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = array.filter(|name| !words::plural(last) && !ITEMS.contains(name)).unwrap_or(last);
    let kind = words::kind_of(name);
    // `annotations` of `/tasks/{id}/annotations` are what `/annotations/{id}` names.
    let known = kinds.names().iter().find(|known| **known == kind || known.ends_with(&format!("_{kind}")));
    known.cloned().unwrap_or(kind)
}

/// A list, if that is what the answer is. Says whether it can be filtered, or is none.
fn list(kinds: &Kinds, described: &Described<'_>, fields: &Fields<'_>, to: &mut Drafted) -> bool {
    let Some((array, id)) = items(fields) else { return true };
    let kind = listed(kinds, &described.path, array);
    let Some(array) = array else { return false };
    let query = |name: &str| described.parameters.iter().find(|p| p.name == name);
    let limit = query("limit").and_then(|p| p.schema);
    let by: Vec<String> =
        ["after", "before"].iter().filter(|name| query(name).is_some()).map(|n| (*n).to_owned()).collect();
    let number = |name: &str| limit.and_then(|schema| schema.get(name)).and_then(serde_json::Value::as_u64);
    let cursor = (!by.is_empty() && limit.is_some()).then(|| {
        let default = number("default").unwrap_or(20).clamp(1, 10_000);
        Cursor {
            by,
            ends: fields.at(&["first_id"]).is_some() || fields.at(&["last_id"]).is_some(),
            default,
            max: number("maximum").unwrap_or(100).clamp(default, 10_000),
        }
    });
    if let Some(cursor) = &cursor {
        if number("default").is_none() || number("maximum").is_none() {
            to.decide(format!(
                "pages of {} items, and of {} at most: the specification does not say",
                cursor.default, cursor.max
            ));
        }
    } else if described.parameters.iter().any(|p| pages(p.name)) {
        to.decide("the pages of this list can't be put together again: what is the tenant's on its first page is shown");
    }
    if to.uses.iter().any(|used| matches!(used.at, At::Path(_))) {
        to.decide(format!(
            "items are filtered by their own ids; if each belongs to what the path names, say `inherited: true` and name {} in `yields`",
            yaml::comment(&format!("/{array}/*/{id}"))
        ));
    }
    to.removed =
        TOTALS.iter().filter(|name| fields.at(&[name]).is_some()).map(|name| format!("/{name}")).collect();
    if !to.removed.is_empty() {
        to.decide("these tell of the whole account, so they are taken out; can clients do without?");
    }
    to.list = Some(List { kind, items: Step::Key(array).spelt(), id: Step::Key(id).spelt(), cursor });
    true
}

fn pages(name: &str) -> bool {
    ["page", "offset", "cursor", "page_token", "pageToken", "skip", "start"].contains(&name)
}

/// What a POST to a collection makes.
fn creates(
    kinds: &Kinds,
    described: &Described<'_>,
    fields: &Fields<'_>,
    all: &[Described<'_>],
    to: &mut Drafted,
) -> bool {
    let last = described.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let listed_too = all.iter().any(|other| other.method == "GET" && other.path == described.path);
    let collection = kinds.collection(&described.path);
    let Some(kind) = collection
        .map(str::to_owned)
        .or_else(|| (words::plural(last) || listed_too).then(|| listed(kinds, &described.path, None)))
    else {
        return false;
    };
    let mut places: Vec<(usize, String)> = Vec::new();
    for field in fields.all.iter().filter(|field| field.open && field.recursive.is_empty()) {
        let keys: Vec<&str> = field
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(*key),
                Step::Any => None,
            })
            .collect();
        let any = keys.len() != field.steps.len();
        let says = words::says(field.key(), std::slice::from_ref(&kind));
        let of_it = says == Says::IdOf(kind.clone());
        let rank = match keys.as_slice() {
            [_] if !any && says == Says::Id => 0,
            [_] if !any && of_it => 1,
            [outer, _] if !any && words::kind_of(outer) == kind && (says == Says::Id || of_it) => 2,
            [_, _] | [_, _, _] if !any && of_it => 3,
            [_] if any && of_it => 4,
            [_] if any && says == Says::Id => 5,
            [outer, _] if any && says == Says::Id && of_new(outer, &kind) => 5,
            [name] if !any && *name == "name" => 6,
            _ => continue,
        };
        places.push((rank, field.pointer()));
    }
    places.sort_by_key(|place| place.0);
    // What the request names already is put into something, and not made.
    let put = to
        .uses
        .iter()
        .any(|used| used.kind == kind && used.required && matches!(&used.at, At::Json(_) | At::Form(_)));
    match places.into_iter().next() {
        Some(_) if put => to.decide(format!(
            "the request names a {kind}: say in `creates` where the answer shows a new one, if it does"
        )),
        Some((_, place)) => {
            to.creates.push((kind, vec![place]));
            return true;
        }
        None if listed_too || collection.is_some() => to.decide(format!(
            "where does the answer show the id of the new {kind}? Until `creates` says so, nobody owns it"
        )),
        None => {}
    }
    false
}

/// Whether a member of an answer holds what was made.
fn of_new(member: &str, kind: &str) -> bool {
    let name = words::kind_of(member);
    ITEMS.contains(&member) || name == kind || kind.ends_with(&format!("_{name}"))
}

/// Ids in the answer that are neither made nor listed here.
fn shows(kinds: &Kinds, fields: &Fields<'_>, to: &mut Drafted) {
    let mut shown: Vec<String> = Vec::new();
    for field in fields.all.iter().filter(|field| field.open && !field.steps.is_empty()) {
        let says = words::says(field.key(), kinds.names());
        let (Says::IdOf(kind) | Says::Called(kind)) = says else { continue };
        let pointer = field.pointer();
        let known = kinds.known.contains_key(&kind)
            && !to.creates.iter().any(|(_, places)| places.contains(&pointer))
            && !to.uses.iter().any(|used| used.kind == kind);
        if known {
            shown.push(format!("{} ({kind})", yaml::comment(&pointer)));
        }
    }
    let more = shown.len().saturating_sub(NAMED);
    shown.truncate(NAMED);
    if !shown.is_empty() {
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        to.decide(format!(
            "the answer shows {}{more}; what comes into being by itself is to be named in `yields`",
            shown.join(", ")
        ));
    }
}
