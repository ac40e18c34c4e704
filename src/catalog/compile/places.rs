//! Places where values stand, and conditions on them: each must exist in the operation that names it.

use std::sync::Arc;

use http::Method;
use serde_saphyr::Location;

use super::Compiler;
use crate::catalog::profile::{RawBody, RawCondition, RawContent, RawPlace, RawUse, Text};
use crate::catalog::{Condition, Place, Use};
use crate::names::Access;

/// What of an operation its places refer to.
pub(super) struct Scope<'a> {
    /// The template's parameters.
    pub(super) params: Vec<Arc<str>>,
    /// The request's body.
    pub(super) body: &'a RawBody,
    /// Where the operation stands.
    pub(super) at: Location,
}

impl Scope<'_> {
    fn takes_json(&self) -> bool {
        matches!(self.body, RawBody::Json | RawBody::Jsonl | RawBody::JsonOrEvents)
    }
}

impl Compiler<'_> {
    fn path_place(&mut self, scope: &Scope<'_>, text: &Text) -> Option<Place> {
        if let Some(name) = scope.params.iter().find(|name| ***name == *text.value) {
            return Some(Place::Path(Arc::clone(name)));
        }
        self.unknown("path parameter", text, scope.params.iter().map(|name| &**name));
        None
    }

    fn json_place(&mut self, scope: &Scope<'_>, text: &Text) -> Option<Place> {
        if !scope.takes_json() {
            self.error(text.referenced, "the operation's request is not JSON");
            return None;
        }
        self.pointer(text).map(Place::Json)
    }

    fn form_place(&mut self, scope: &Scope<'_>, text: &Text) -> Option<Place> {
        let (RawBody::Multipart(fields) | RawBody::Urlencoded(fields)) = scope.body else {
            self.error(text.referenced, "the operation's request is not a form");
            return None;
        };
        match fields.iter().find(|field| field.name.value == text.value) {
            Some(field) if field.content == RawContent::Deciding => {
                Some(Place::Form(Arc::from(text.value.as_str())))
            }
            Some(_) => {
                self.error(text.referenced, format!("field `{}` decides here", text.value)).help =
                    Some("give the field `content: deciding`".to_owned());
                None
            }
            None => {
                self.unknown("form field", text, fields.iter().map(|field| field.name.value.as_str()));
                None
            }
        }
    }

    fn header_place(&mut self, text: &Text) -> Option<Place> {
        self.header_name(text, &text.value).map(Place::Header)
    }

    /// The places that a `uses` entry names.
    pub(super) fn uses(&mut self, scope: &Scope<'_>, raw: &RawUse, method: &Method, uses: &mut Vec<Use>) {
        let kind = self.kind(&raw.kind);
        let mut places = Vec::new();
        places.extend(raw.path.as_ref().map(|text| self.path_place(scope, text)));
        places.extend(raw.query.as_ref().map(query_place));
        places.extend(raw.header.as_ref().map(|text| self.header_place(text)));
        places.extend(raw.form.as_ref().map(|text| self.form_place(scope, text)));
        places.extend(raw.json.iter().map(|text| self.json_place(scope, text)));
        if places.is_empty() {
            self.error(raw.kind.referenced, "no place is named: `path`, `query`, `header`, `form` or `json`");
        }
        for place in places.into_iter().flatten() {
            let Some(kind) = kind.clone() else { continue };
            if uses.iter().any(|known| known.place == place) {
                self.error(raw.kind.referenced, format!("{} is named twice", spelt(&place)));
            }
            let required = raw.required || matches!(place, Place::Path(_));
            let labels = raw.labels.iter().map(|label| Arc::from(label.as_str())).collect();
            let access = raw.access.unwrap_or_else(|| access(method, &place));
            let via = place.via();
            uses.push(Use { kind, place, required, labels, access, via });
        }
    }

    /// The one place of a condition.
    pub(super) fn condition(&mut self, scope: &Scope<'_>, raw: &RawCondition) -> Option<Condition> {
        let place = RawPlace {
            path: raw.path.clone(),
            query: raw.query.clone(),
            header: raw.header.clone(),
            json: raw.json.clone(),
            form: raw.form.clone(),
        };
        let place = self.place(scope, &place)?;
        let values = raw.is.iter().map(|value| Arc::from(value.as_str())).collect();
        let except = raw.is_not.iter().map(|text| Arc::from(text.value.as_str())).collect();
        if let (false, Some(both)) = (raw.is.is_empty(), raw.is_not.first()) {
            self.error(both.referenced, "`is` and `is_not` can't stand together");
        }
        Some(Condition { place, values, except, absent: raw.absent })
    }

    /// The one place of a field.
    pub(super) fn place(&mut self, scope: &Scope<'_>, raw: &RawPlace) -> Option<Place> {
        let named = [&raw.path, &raw.query, &raw.header, &raw.json, &raw.form];
        let count = named.iter().filter(|place| place.is_some()).count();
        if count != 1 {
            let at = named.into_iter().flatten().next().map_or(scope.at, |text| text.referenced);
            self.error(at, format!("one place is needed, and {count} are named")).help =
                Some("name one of `path`, `query`, `header`, `json`, `form`".to_owned());
            return None;
        }
        raw.path
            .as_ref()
            .and_then(|text| self.path_place(scope, text))
            .or_else(|| raw.query.as_ref().and_then(query_place))
            .or_else(|| raw.header.as_ref().and_then(|text| self.header_place(text)))
            .or_else(|| raw.json.as_ref().and_then(|text| self.json_place(scope, text)))
            .or_else(|| raw.form.as_ref().and_then(|text| self.form_place(scope, text)))
    }
}

fn query_place(text: &Text) -> Option<Place> {
    Some(Place::Query(Arc::from(text.value.as_str())))
}

/// A place as `needs.of` and messages spell it.
pub(super) fn spelt(place: &Place) -> String {
    match place {
        Place::Path(name) | Place::Query(name) | Place::Form(name) => name.to_string(),
        Place::Header(name) => name.to_string(),
        Place::Json(pointer) => pointer.to_string(),
    }
}

/// What a call does with what it names, where the profile does not say.
fn access(method: &Method, place: &Place) -> Access {
    if method == Method::GET || method == Method::HEAD {
        Access::Read
    } else if method == Method::DELETE || matches!(place, Place::Path(_)) {
        Access::Change
    } else {
        Access::Use
    }
}
