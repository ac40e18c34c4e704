//! What a request carries: its body, the resources that it names, and what it lets the upstream do.

use std::collections::BTreeMap;

use crate::openapi::document::{Described, Document, Media, Stands};
use crate::openapi::fields::{Field, Fields, Step};
use crate::openapi::words::{self, Says};
use crate::openapi::yaml;

use super::kinds::Kinds;
use super::operation::{At, Body, Drafted, FormField};

/// Query parameters that page a list by the ids of its items.
const CURSORS: [&str; 6] = ["after", "before", "starting_after", "ending_before", "after_id", "before_id"];

/// Why a field is refused until somebody has decided.
const CHOSEN: &str = "lets the caller choose an id, which may be another tenant's";

pub(in crate::openapi) fn is_json(media: &Media<'_>) -> bool {
    media.name == "application/json" || media.name.ends_with("+json") || media.name == "*/*"
}

pub(super) fn is_lines(media: &Media<'_>) -> bool {
    let names =
        ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];
    names.contains(&media.name.as_str())
}

fn is_text(media: &Media<'_>) -> bool {
    media.name.starts_with("text/") || media.name.ends_with("xml") || media.name == "application/yaml"
}

/// The body, and what it names.
pub(super) fn body(document: &Document, kinds: &Kinds, described: &Described<'_>, to: &mut Drafted) {
    let find = |is: &dyn Fn(&Media<'_>) -> bool| described.request.iter().find(|media| is(media));
    let json = find(&is_json);
    let multipart = find(&|media| media.name == "multipart/form-data");
    let coded = find(&|media| media.name == "application/x-www-form-urlencoded");
    let has_file = |media: &&Media<'_>| {
        let fields = media.schema.map(|schema| Fields::of(document, schema));
        fields.is_some_and(|fields| fields.all.iter().any(|field| field.binary))
    };
    let media = multipart.filter(has_file).or(json).or(multipart).or(coded);
    if let Some(taken) = media.filter(|_| described.request.len() > 1) {
        let others: Vec<&str> =
            described.request.iter().map(|m| m.name.as_str()).filter(|name| *name != taken.name).collect();
        to.decide(format!("bodies in {} are refused; this takes {}", others.join(", "), taken.name));
    }
    let Some(media) = media else {
        to.request = match described.request.first() {
            None => Body::None,
            Some(media) if is_lines(media) => Body::Word("jsonl"),
            Some(media) if is_text(media) => Body::Word("text"),
            Some(_) => Body::Word("file"),
        };
        return;
    };
    let fields = media.schema.map(|schema| Fields::of(document, schema)).unwrap_or_default();
    if fields.cut {
        to.decide("not all of the body's schema could be followed; look for ids in the rest");
    }
    if is_json(media) {
        to.request = Body::Json;
        json_fields(kinds, &fields, to);
    } else {
        let word = if media.name.starts_with("multipart") { "multipart" } else { "urlencoded" };
        form(kinds, &fields, word, to);
    }
}

fn json_fields(kinds: &Kinds, fields: &Fields<'_>, to: &mut Drafted) {
    let mut found: BTreeMap<(String, &str), Vec<&Field<'_>>> = BTreeMap::new();
    let mut addresses: BTreeMap<&str, Vec<&Field<'_>>> = BTreeMap::new();
    for field in fields.all.iter().filter(|field| field.open && !field.steps.is_empty()) {
        if let Some(kind) = names(kinds, field, to) {
            found.entry((kind, field.key())).or_default().push(field);
        }
        if words::address(field.key()) {
            addresses.entry(field.key()).or_default().push(field);
        }
    }
    for ((kind, _), fields) in found {
        let required = matches!(fields.as_slice(), [field] if field.required && field.steps.len() == 1);
        for place in places(&fields) {
            to.uses(kind.clone(), At::Json(place), required);
        }
    }
    for place in addresses.values().flat_map(|fields| places(fields)) {
        to.needs.push(("share", Some(format!("{{json: {}}}", yaml::scalar(&place)))));
    }
    if !addresses.is_empty() {
        to.decide("does the upstream fetch or call what these addresses name? That is sharing, or nothing");
    }
    to.stream = fields.at(&["stream"]).is_some_and(|field| field.boolean);
    let keeps = fields.at(&["store"]).filter(|field| field.boolean);
    to.store = keeps.map(|field| field.default.and_then(serde_json::Value::as_bool).unwrap_or(true));
    if let Some(purpose) = fields.at(&["purpose"]) {
        purposes(purpose, "json: /purpose", to);
    }
}

/// A purpose that the caller names decides what has to be granted.
fn purposes(field: &Field<'_>, place: &str, to: &mut Drafted) {
    let values: Vec<&str> = field.values.iter().filter_map(|value| value.as_str()).collect();
    for (purpose, is) in
        [("train", words::trains as fn(&str) -> bool), ("evaluate", |value| value.contains("eval"))]
    {
        let meant: Vec<&str> = values.iter().copied().filter(|value| is(value)).collect();
        if !meant.is_empty() {
            to.needs.push((purpose, Some(format!("{{{place}, is: {}}}", yaml::list(&meant)))));
        }
    }
}

/// Places of one name that are written out. More are told with `**`.
const WRITTEN_OUT: usize = 12;

/// The places of fields that are called the same.
fn places(fields: &[&Field<'_>]) -> Vec<String> {
    if fields.len() <= WRITTEN_OUT {
        return fields.iter().map(|field| field.pointer()).collect();
    }
    let mut places: Vec<String> = fields
        .iter()
        .map(|field| {
            let keys = field.steps.iter().filter(|step| **step != Step::Any).count();
            let first = field.steps.first().filter(|_| keys > 1 && field.recursive.is_empty());
            let name = Step::Key(field.key()).spelt();
            let items = if field.many() { "/*" } else { "" };
            format!("{}/**{name}{items}", first.map(Step::spelt).unwrap_or_default())
        })
        .collect();
    places.sort();
    places.dedup();
    places
}

/// The kind of resource that a place of a JSON body names, if it does.
fn names(kinds: &Kinds, field: &Field<'_>, to: &mut Drafted) -> Option<String> {
    let key = field.key();
    if words::says(key, kinds.names()) != Says::Id || field.parent().is_some() {
        return kinds.named(key, field.integer, field.parent());
    }
    // `id` of the body itself: that of the resource in the path, or one that the caller chooses.
    let path = to.uses.iter().rev().find(|used| matches!(used.at, At::Path(_))).map(|used| used.kind.clone());
    let path = path.filter(|_| to.path.trim_end_matches('/').ends_with('}'));
    if path.is_none() && !field.many() {
        to.refuses.push((field.pointer(), CHOSEN));
        return None;
    }
    let collection = || kinds.collection(&to.path).unwrap_or("resource").to_owned();
    Some(path.unwrap_or_else(collection))
}

fn form(kinds: &Kinds, fields: &Fields<'_>, word: &'static str, to: &mut Drafted) {
    let mut list: Vec<FormField> = Vec::new();
    for field in fields.all.iter().filter(|field| field.steps.len() == 1) {
        let name = field.key().to_owned();
        let inside: Vec<&Field<'_>> = fields
            .all
            .iter()
            .filter(|inner| inner.steps.len() > 1 && inner.steps.first() == field.steps.first())
            .collect();
        let binary = field.binary || inside.iter().any(|inner| inner.binary);
        let open = field.open || inside.iter().any(|inner| inner.open && inner.many());
        let kind = if binary || !open { None } else { kinds.named(&name, field.integer, None) };
        let content = match (&kind, name.as_str()) {
            (Some(_), _) | (None, "purpose") => "deciding",
            (None, _) if binary && word == "multipart" => "file",
            (None, _) => "text",
        };
        to.upload |= content == "file";
        if let Some(kind) = kind {
            to.uses(kind, At::Form(name.clone()), field.required);
        } else if words::says(&name, kinds.names()) == Says::Id {
            to.decide(format!("field {} lets the caller choose an id", yaml::comment(&name)));
        }
        for inner in inside.iter().filter(|inner| inner.open && !inner.binary) {
            if inner.steps.len() > 2 && kinds.named(inner.key(), inner.integer, inner.parent()).is_some() {
                let place = yaml::comment(&inner.pointer());
                to.decide(format!(
                    "{place} may name a resource, in a field of a form where no profile looks"
                ));
            }
        }
        if name == "purpose" {
            purposes(field, "form: purpose", to);
        }
        if words::address(&name) && open {
            to.decide(format!("does the upstream fetch or call what {} names?", yaml::comment(&name)));
        }
        list.push(FormField { name, content, required: field.required });
    }
    to.request = Body::Form(word, list);
}

/// The parameters of query and headers.
pub(super) fn parameters(document: &Document, kinds: &Kinds, described: &Described<'_>, to: &mut Drafted) {
    let pages = to.list.as_ref().is_some_and(|list| list.cursor.is_some());
    let mut headers: Vec<&str> = Vec::new();
    for parameter in &described.parameters {
        let fields = parameter.schema.map(|schema| Fields::of(document, schema)).unwrap_or_default();
        let field = fields.all.first();
        let open = field.is_none_or(|field| field.open || field.array || field.object);
        let integer = field.is_some_and(|field| field.integer);
        let name = parameter.name;
        match parameter.stands {
            Stands::Path => {}
            Stands::Cookie => to.decide(format!("the cookie {} does not pass", yaml::comment(name))),
            Stands::Header => match kinds.named(name, integer, None).filter(|_| open) {
                Some(kind) => to.uses(kind, At::Header(name.to_ascii_lowercase()), parameter.required),
                None => headers.push(name),
            },
            Stands::Query if pages && (CURSORS.contains(&name) || ["limit", "order"].contains(&name)) => {}
            Stands::Query => {
                let bare = name.trim_end_matches("[]");
                let around = to.list.as_ref().map(|list| list.kind.clone());
                match kinds.named(bare, integer, around.as_deref()).filter(|_| open) {
                    Some(kind) => to.uses(kind, At::Query(name.to_owned()), parameter.required),
                    None => to.query.push(name.to_owned()),
                }
                if field.is_some_and(|field| field.object && !field.open) {
                    to.decide(format!(
                        "{} is an object: write out the names it is sent under",
                        yaml::comment(name)
                    ));
                }
            }
        }
    }
    let own = ["accept", "content-type", "authorization", "user-agent"];
    headers.retain(|name| !own.contains(&name.to_ascii_lowercase().as_str()));
    if !headers.is_empty() {
        to.decide(format!("headers that are dropped: {}", yaml::comment(&headers.join(", "))));
    }
}
