//! Which checks each operation goes through, read from the plans that the way works with.

use std::fmt::Write;

use serde::Serialize;

use super::live::Live;
use crate::catalog::{BodyShape, FieldContent, Operation, Place};

/// One operation in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The route.
    pub route: String,
    /// The operation.
    pub operation: String,
    /// Method and path template.
    pub call: String,
    /// `served`, or the reason for which it is refused.
    pub served: String,
    /// Places where ids of the request are checked.
    pub isolation: Vec<String>,
    /// What the answer's ids are: `filtered`, `claimed`, or nothing.
    pub answer_ids: Vec<String>,
    /// Purposes that have to be granted, and when.
    pub consent: Vec<String>,
    /// How the request's body is censored.
    pub request: String,
    /// How the answer's body is censored.
    pub response: String,
}

/// All rows of a configuration.
#[must_use]
pub fn of(live: &Live) -> Vec<Row> {
    let mut rows = Vec::new();
    for route in &live.snapshot().routes {
        rows.extend(route.catalog.operations().iter().map(|operation| row(route.name.as_str(), operation)));
    }
    rows
}

fn row(route: &str, operation: &Operation) -> Row {
    let refused = operation.refused.map(|reason| reason.code().to_owned());
    let served = refused.unwrap_or_else(|| "served".to_owned());
    let isolation = operation.uses.iter().map(|used| format!("{} {}", used.kind, place(&used.place)));
    let mut answer_ids = Vec::new();
    if let Some(list) = &operation.list {
        answer_ids.push(if list.inherited {
            "list of the path's resource".into()
        } else {
            format!("{} filtered", list.kind)
        });
    }
    answer_ids.extend(
        operation.creates.iter().chain(&operation.yields).map(|c| format!("{} claimed {}", c.kind, c.at)),
    );
    answer_ids.extend(operation.shows.iter().map(|shown| format!("{} checked {}", shown.kind, shown.at)));
    answer_ids
        .extend(operation.only.iter().map(|only| format!("{} filtered by query {}", only.kind, only.query)));
    let consent = operation.training.iter().map(|t| {
        let when =
            t.when.as_ref().map(|c| format!(" if {} in {:?}", place(&c.place), c.values)).unwrap_or_default();
        format!("{}{when}", t.purpose)
    });
    let store = operation.store.iter().map(|s| format!("store if {}", s.at));
    Row {
        route: route.to_owned(),
        operation: operation.id.to_string(),
        call: format!("{} {}", operation.method, operation.template),
        isolation: isolation.collect(),
        answer_ids,
        consent: consent.chain(store).collect(),
        request: shape(&operation.request).to_owned(),
        response: shape(&operation.response).to_owned(),
        served,
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::Path(name) => format!("path {name}"),
        Place::Query(name) => format!("query {name}"),
        Place::Header(name) => format!("header {name}"),
        Place::Json(at) => format!("body {at}"),
        Place::Form(name) => format!("form {name}"),
    }
}

fn shape(shape: &BodyShape) -> &'static str {
    match shape {
        BodyShape::None => "none",
        BodyShape::Json => "json",
        BodyShape::Jsonl => "jsonl",
        BodyShape::Multipart(fields) if fields.iter().any(|f| f.content == FieldContent::Opaque) => {
            "form, opaque files if the tenant names the operation"
        }
        BodyShape::Multipart(_) => "form, files by their records",
        BodyShape::Urlencoded(_) => "urlencoded form",
        BodyShape::JsonOrEvents => "json or events",
        BodyShape::Events => "events",
        BodyShape::Text => "text",
        BodyShape::File => "file",
        BodyShape::Id => "one id",
        BodyShape::Opaque => "refused unless the tenant names the operation",
    }
}

/// The rows as a table (Markdown).
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| operation | call | served | ids in the request | ids in the answer | consent | request body | answer body |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let Row { operation, call, served, request, response, .. } = row;
        let (isolation, answer, consent) =
            (row.isolation.join("; "), row.answer_ids.join("; "), row.consent.join("; "));
        let _ = writeln!(
            out,
            "| {operation} | `{call}` | {served} | {isolation} | {answer} | {consent} | {request} | {response} |"
        );
    }
    out
}
