//! A request of an operation: from its sample, or from the profile alone.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::client::Call;
use super::json;
use super::samples::{File, Mark, Sample};
use super::stock::{Made, Stock};
use crate::catalog::{BodyShape, Catalog, Condition, FieldContent, Operation, Place, Use};
use crate::names::Kind;
use crate::pointer::Pointer;

/// What stays as it is in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// What stays as it is in a query: unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const BOUNDARY: &str = "consentry-conformance";

/// A request in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) params: Vec<(Arc<str>, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, String)>,
    json: Option<Value>,
    form: Vec<(String, String)>,
    files: Vec<(String, File)>,
    /// The resources that it names.
    pub(super) named: Vec<(Kind, String)>,
}

/// Why there is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// The tenant has none of a kind to name in it.
    Own(Kind),
    /// The profile can't tell what its body is.
    Sample,
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own(kind) => write!(f, "there is no {kind} of the caller's own to name"),
            Self::Sample => f.write_str("there is no sample of its request"),
        }
    }
}

/// Where an id is put, whatever else stands in the request.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'p> {
    /// At a place that the profile names.
    Use(&'p Use),
    /// At a mark of the sample.
    Mark(usize),
}

/// Who asks, and what has to stand where.
pub(super) struct Order<'o> {
    pub(super) catalog: &'o Catalog,
    pub(super) operation: &'o Operation,
    pub(super) sample: Option<&'o Sample>,
    pub(super) stock: &'o Stock,
    pub(super) put: Option<(At<'o>, &'o str)>,
    /// What the rest is to have to do with.
    pub(super) near: Vec<&'o Made>,
}

impl<'o> Order<'o> {
    /// Makes the request.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn draft(mut self) -> Result<Draft, Lack> {
        let mut draft = Draft::default();
        self.path(&mut draft)?;
        self.body(&mut draft)?;
        let operation = self.operation;
        for used in operation.uses.iter().filter(|used| used.required && !self.is_put(used)) {
            if draft.values(&used.place).is_empty() {
                let made = self.own(used)?;
                draft.put(&used.place, &made.id, self.catalog.kind(&used.kind).numeric());
            }
        }
        self.one_of(&mut draft)?;
        if let Some((At::Use(used), id)) = self.put {
            draft.put(&used.place, id, self.catalog.kind(&used.kind).numeric());
        }
        for used in &operation.uses {
            draft.named.extend(draft.values(&used.place).into_iter().map(|id| (used.kind.clone(), id)));
        }
        Ok(draft)
    }

    /// Where one of several places has to be filled, the first that can be is.
    fn one_of(&self, draft: &mut Draft) -> Result<(), Lack> {
        let places = || self.operation.one_of.iter().filter_map(|index| self.operation.uses.get(*index));
        if places().any(|used| self.is_put(used) || !draft.values(&used.place).is_empty()) {
            return Ok(());
        }
        let mut lack = None;
        for used in places() {
            match self.own(used) {
                Ok(made) => {
                    draft.put(&used.place, &made.id, self.catalog.kind(&used.kind).numeric());
                    return Ok(());
                }
                Err(missing) => lack = Some(missing),
            }
        }
        lack.map_or(Ok(()), Err)
    }

    fn is_put(&self, used: &Use) -> bool {
        matches!(self.put, Some((At::Use(put), _)) if put.place == used.place && put.kind == used.kind)
    }

    fn own(&self, used: &Use) -> Result<&'o Made, Lack> {
        let labelled = |made: &Made| {
            let label = made.label.as_deref();
            used.labels.is_empty() || used.labels.iter().any(|wanted| Some(&**wanted) == label)
        };
        let made = self.stock.pick(&used.kind, labelled, &self.near);
        made.ok_or_else(|| Lack::Own(used.kind.clone()))
    }

    fn path(&mut self, draft: &mut Draft) -> Result<(), Lack> {
        let operation = self.operation;
        for name in parameters(&operation.template) {
            let at = Place::Path(Arc::from(name));
            let value = match operation.uses.iter().find(|used| used.place == at) {
                Some(used) if self.is_put(used) => String::new(),
                Some(used) => {
                    let made = self.own(used)?;
                    self.near.push(made);
                    made.id.clone()
                }
                None => "conformance".to_owned(),
            };
            draft.params.push((Arc::from(name), value));
        }
        Ok(())
    }

    fn body(&mut self, draft: &mut Draft) -> Result<(), Lack> {
        if let Some(sample) = self.sample {
            let mut nth = 0;
            let (stock, near, put) = (self.stock, &mut self.near, self.put);
            let mut id = |mark: &Mark| {
                nth += 1;
                match put {
                    Some((At::Mark(at), id)) if at + 1 == nth => return Some(id.to_owned()),
                    Some((At::Use(used), _)) if stands(mark, used) => return Some(String::new()),
                    _ => {}
                }
                let fits = |made: &Made| mark.made_as.is_none() || made.made_as == mark.made_as;
                let made = stock.pick(&mark.kind, fits, near)?;
                near.push(made);
                Some(made.id.clone())
            };
            let filled = sample.filled(&mut id).map_err(|mark| Lack::Own(mark.kind))?;
            draft.query.extend(filled.query);
            draft.json = filled.json;
            draft.form.extend(filled.form);
            draft.files.extend(filled.files);
        }
        match &self.operation.request {
            BodyShape::None => {}
            BodyShape::Json | BodyShape::JsonOrEvents => {
                draft.json.get_or_insert_with(|| json!({}));
            }
            BodyShape::Multipart(fields) | BodyShape::Urlencoded(fields) => {
                let there = |name: &str| {
                    draft.form.iter().any(|(known, _)| known == name)
                        || draft.files.iter().any(|(known, _)| known == name)
                };
                let texts = [FieldContent::Text, FieldContent::Deciding];
                let missing = fields.iter().filter(|field| field.required && !there(&field.name));
                let put = |name: &str| match self.put {
                    Some((At::Use(used), _)) => used.place == Place::Form(Arc::from(name)),
                    _ => false,
                };
                if missing.clone().any(|field| !(texts.contains(&field.content) && put(&field.name))) {
                    return Err(Lack::Sample);
                }
            }
            BodyShape::Jsonl
            | BodyShape::Events
            | BodyShape::Text
            | BodyShape::File
            | BodyShape::Opaque
            | BodyShape::Id => {
                return Err(Lack::Sample);
            }
        }
        Ok(())
    }
}

/// Whether a mark of a sample stands where the profile names a resource.
fn stands(mark: &Mark, used: &Use) -> bool {
    match &used.place {
        Place::Json(wide) => mark.place.parse::<Pointer>().is_ok_and(|at| json::within(&at, wide)),
        Place::Form(name) => mark.place == format!("form `{name}`"),
        Place::Query(name) => mark.place == format!("query `{name}`"),
        Place::Path(_) | Place::Header(_) => false,
    }
}

/// The names of a template's parameters.
pub(super) fn parameters(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next())
}

impl Draft {
    /// One that has nothing but its path.
    pub(super) fn bare(params: Vec<(Arc<str>, String)>) -> Self {
        Self { params, ..Self::default() }
    }

    /// Puts an id at a place.
    fn put(&mut self, place: &Place, id: &str, numeric: bool) {
        let set = |list: &mut Vec<(String, String)>, name: &str| {
            list.retain(|(known, _)| known != name);
            list.push((name.to_owned(), id.to_owned()));
        };
        match place {
            Place::Path(name) => {
                if let Some((_, value)) = self.params.iter_mut().find(|(known, _)| known == name) {
                    id.clone_into(value);
                }
            }
            Place::Query(name) => set(&mut self.query, name),
            Place::Form(name) => set(&mut self.form, name),
            Place::Header(name) => {
                self.headers.retain(|(known, _)| known != name);
                self.headers.push((name.clone(), id.to_owned()));
            }
            Place::Json(at) => {
                let number = numeric.then(|| id.parse::<u64>().ok()).flatten();
                let value = number.map_or_else(|| Value::from(id), Value::from);
                json::put(self.json.get_or_insert_with(|| json!({})), at, value);
            }
        }
    }

    /// The texts at a place.
    pub(super) fn values(&self, place: &Place) -> Vec<String> {
        let of = |list: &[(String, String)], name: &str| -> Vec<String> {
            list.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
        };
        match place {
            Place::Path(name) => {
                self.params.iter().filter(|(known, _)| known == name).map(|(_, v)| v.clone()).collect()
            }
            Place::Query(name) => of(&self.query, name),
            Place::Form(name) => of(&self.form, name),
            Place::Header(name) => {
                self.headers.iter().filter(|(known, _)| known == name).map(|(_, v)| v.clone()).collect()
            }
            Place::Json(at) => {
                let found = self.json.as_ref().map(|document| json::all(document, at)).unwrap_or_default();
                found.into_iter().filter_map(json::text).collect()
            }
        }
    }

    /// Whether it fulfils a condition.
    pub(super) fn fulfils(&self, condition: &Condition) -> bool {
        let values = self.values(&condition.place);
        if values.is_empty() {
            return condition.absent;
        }
        values.iter().any(|value| {
            if !condition.values.is_empty() {
                condition.values.iter().any(|wanted| **wanted == **value)
            } else if !condition.except.is_empty() {
                !condition.except.iter().any(|other| **other == **value)
            } else {
                value != "false"
            }
        })
    }

    /// As it is sent.
    pub(super) fn call(&self, operation: &Operation, prefix: &str, host: Option<&str>) -> Call {
        let (content_type, body) = match &operation.request {
            BodyShape::Multipart(_) => {
                (Some(format!("multipart/form-data; boundary={BOUNDARY}")), self.multipart())
            }
            BodyShape::Urlencoded(_) => {
                (Some("application/x-www-form-urlencoded".to_owned()), pairs(&self.form))
            }
            _ => match &self.json {
                Some(json) => (Some("application/json".to_owned()), json.to_string()),
                None => (None, String::new()),
            },
        };
        let mut target = format!("{prefix}{}", self.path(&operation.template));
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&pairs(&self.query));
        }
        Call {
            method: operation.method.clone(),
            target,
            host: host.map(str::to_owned),
            headers: self.headers.clone(),
            content_type,
            body: Bytes::from(body),
        }
    }

    fn path(&self, template: &str) -> String {
        let value = |name: &str| {
            let found = self.params.iter().find(|(known, _)| **known == *name);
            found.map_or("", |(_, value)| value.as_str())
        };
        filled(template, value)
    }

    fn multipart(&self) -> String {
        let mut body = String::new();
        for (name, value) in &self.form {
            body.push_str(&format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        for (name, File { name: file, media, text }) in &self.files {
            body.push_str(&format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: \
                 {media}\r\n\r\n{text}\r\n"
            ));
        }
        body.push_str(&format!("--{BOUNDARY}--\r\n"));
        body
    }
}

/// A template with a value for each parameter.
pub(super) fn filled<'v>(template: &str, value: impl Fn(&str) -> &'v str) -> String {
    let (mut out, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        match name.split_once(':') {
            // What takes the rest of a path holds its slashes.
            Some((name, "rest")) => {
                let parts = value(name).split('/').map(|part| utf8_percent_encode(part, SEGMENT).to_string());
                out.push_str(&parts.collect::<Vec<_>>().join("/"));
            }
            Some((name, _)) => out.extend(utf8_percent_encode(value(name), SEGMENT)),
            None => out.extend(utf8_percent_encode(value(name), SEGMENT)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn pairs(list: &[(String, String)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, QUERY).to_string();
    list.iter().map(|(k, v)| format!("{}={}", encoded(k), encoded(v))).collect::<Vec<_>>().join("&")
}
