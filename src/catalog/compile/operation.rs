//! One operation.

use std::sync::Arc;

use http::Method;

use super::places::Scope;
use super::{Compiler, Entry};
use crate::catalog::profile::{
    Part, RawAssembly, RawBody, RawChannel, RawCondition, RawContent, RawCreation, RawEdit, RawField,
    RawLimit, RawList, RawNeed, RawOperation, RawRefuses, RawShown, RawUnjudged, RawUse, RefusedField, Text,
};
use crate::catalog::{
    Assembly, Begins, BodyShape, Condition, FieldContent, FormField, LimitClass, ListShape, Operation,
    Paging, Place, Refuses, TrainingUse, Unjudged, Use, matcher,
};
use crate::names::{Access, OperationId, Purpose};
use crate::reason::Reason;

/// An operation of which nothing but its name and place is known.
pub(super) fn bare(id: OperationId, method: Method, template: Arc<str>) -> Operation {
    Operation {
        id,
        also: Vec::new(),
        method,
        template,
        purpose: Purpose::Inference,
        or_purposes: Vec::new(),
        query: Vec::new(),
        fixed: Vec::new(),
        deciding_query: Vec::new(),
        request: BodyShape::None,
        response: BodyShape::None,
        uses: Vec::new(),
        creates: Vec::new(),
        yields: Vec::new(),
        shows: Vec::new(),
        one_of: Vec::new(),
        only: None,
        ends: None,
        list: None,
        training: Vec::new(),
        store: None,
        stream: None,
        lines: None,
        records: None,
        request_edits: Vec::new(),
        response_edits: Vec::new(),
        refuses: Vec::new(),
        unjudged: Vec::new(),
        channels: Vec::new(),
        refused: None,
        limit: LimitClass::Call,
        cookies: false,
        assembly: None,
    }
}

impl<'f> Compiler<'f> {
    pub(super) fn compile_operation(&mut self, name: &Text, raw: &'f RawOperation) -> Option<Entry> {
        let (method, template, segments) = self.matches(&raw.matches)?;
        let params = matcher::names(&segments).cloned().collect();
        let scope = Scope { params, body: &raw.request, at: raw.matches.referenced };
        let mut operation = bare(OperationId::new(&name.value), method, template);
        operation.also = raw.also.iter().map(|id| OperationId::new(&id.value)).collect();
        operation.purpose = raw.purpose;
        operation.or_purposes.clone_from(&raw.or_purposes);
        operation.query = raw.query.iter().map(|name| Arc::from(name.value.as_str())).collect();
        let fixed = raw.fixed.0.iter();
        operation.fixed = fixed
            .map(|(name, value)| (Arc::from(name.value.as_str()), value.as_deref().map(Arc::from)))
            .collect();
        operation.request = self.body(&raw.request);
        if operation.request == BodyShape::Id {
            self.error(raw.matches.referenced, "a request is no id: name its place in `uses`");
        }
        operation.response = self.body(&raw.response);
        operation.limit = match raw.limit {
            RawLimit::Call => LimitClass::Call,
            RawLimit::Upload => LimitClass::Upload,
        };
        operation.cookies = raw.cookies;
        operation.assembly = raw.assembly.map(|part| match part {
            RawAssembly::Create => Assembly::Create,
            RawAssembly::Part => Assembly::Part,
            RawAssembly::Complete => Assembly::Complete,
            RawAssembly::Cancel => Assembly::Cancel,
        });
        let parts = self.included(&raw.include);
        let both = Lists::of(raw, &parts);
        self.compile_resources(&scope, raw, &both, &mut operation);
        self.compile_uses_of_data(&scope, raw, &both, &mut operation);
        self.compile_rewrites(&scope, &both, &mut operation);
        operation.deciding_query = deciding_query(&operation, raw.list.as_ref());
        self.fix_query(raw, &mut operation);
        self.check_params(&scope, raw, &both);
        self.check_form(&scope, &operation);
        self.check_unjudged(&scope, &operation);
        self.check_answer(&scope, raw, &both, &operation);
        self.check_lists(&scope, raw, &both, &operation);
        Some(Entry { operation, segments, at: name.referenced })
    }

    fn included(&mut self, names: &'f [Text]) -> Vec<&'f Part> {
        let mut parts = Vec::new();
        for name in names {
            match self.parts.get(name.value.as_str()) {
                Some((part, _)) => {
                    parts.push(*part);
                    self.included.push(&name.value);
                }
                None => {
                    let known: Vec<&str> = self.parts.keys().copied().collect();
                    self.unknown("part", name, known.into_iter());
                }
            }
        }
        parts
    }

    fn body(&mut self, raw: &RawBody) -> BodyShape {
        match raw {
            RawBody::None => BodyShape::None,
            RawBody::Json => BodyShape::Json,
            RawBody::Jsonl => BodyShape::Jsonl,
            RawBody::JsonOrEvents => BodyShape::JsonOrEvents,
            RawBody::Events => BodyShape::Events,
            RawBody::Text => BodyShape::Text,
            RawBody::File => BodyShape::File,
            RawBody::Opaque => BodyShape::Opaque,
            RawBody::Id => BodyShape::Id,
            RawBody::Multipart(fields) => BodyShape::Multipart(self.fields(fields)),
            RawBody::Urlencoded(fields) => {
                let files = [RawContent::File, RawContent::Opaque];
                for field in fields.iter().filter(|field| files.contains(&field.content)) {
                    self.error(field.name.referenced, "such a form has no files");
                }
                BodyShape::Urlencoded(self.fields(fields))
            }
        }
    }

    fn fields(&mut self, fields: &[RawField]) -> Vec<FormField> {
        let mut known: Vec<FormField> = Vec::with_capacity(fields.len());
        for field in fields {
            if known.iter().any(|other| *other.name == *field.name.value) {
                self.error(field.name.referenced, format!("field `{}` stands twice", field.name.value));
            }
            let content = match field.content {
                RawContent::Text => FieldContent::Text,
                RawContent::Deciding => FieldContent::Deciding,
                RawContent::File => FieldContent::File,
                RawContent::Opaque => FieldContent::Opaque,
            };
            let name = Arc::from(field.name.value.as_str());
            known.push(FormField { name, content, required: field.required });
        }
        known
    }

    /// What it uses, creates, lists and ends.
    fn compile_resources(
        &mut self,
        scope: &Scope<'_>,
        raw: &RawOperation,
        both: &Lists<'_>,
        to: &mut Operation,
    ) {
        for raw in &both.uses {
            let method = to.method.clone();
            self.uses(scope, raw, &method, &mut to.uses);
        }
        if let Some(list) = &raw.list {
            to.list = self.list(list, &mut to.uses);
        }
        for raw in &both.creates {
            self.creations(scope, raw, &to.uses, &mut to.creates);
        }
        // What gets something to live in it is added to, wherever it is named: that stays its owner's.
        for home in to.creates.iter().filter_map(|creation| creation.lives_in) {
            if let Some(used) = to.uses.get_mut(home) {
                used.access = Access::Change;
            }
        }
        for raw in &both.yields {
            if let Some(undo) = &raw.undo {
                self.error(undo.referenced, "what is only seen in an answer is not taken back").help =
                    Some("leave `undo` out: the resource is recorded when it is seen again".to_owned());
            }
            self.creations(scope, raw, &to.uses, &mut to.yields);
        }
        for raw in &both.shows {
            self.shown(raw, &mut to.shows);
        }
        to.one_of = raw.one_of.iter().filter_map(|name| self.use_at(name, &to.uses)).collect();
        to.only = raw.only.as_ref().and_then(|only| self.only(only));
        self.ends(raw, to);
    }

    fn ends(&mut self, raw: &RawOperation, to: &mut Operation) {
        if let Some(ends) = &raw.ends {
            let is_it = |u: &Use| matches!(&u.place, Place::Path(name) if **name == *ends.value);
            to.ends = to.uses.iter().position(is_it);
            match to.ends.and_then(|at| to.uses.get(at)) {
                None => {
                    self.error(ends.referenced, format!("`{}` is no path parameter in `uses`", ends.value));
                }
                Some(used) if used.access != Access::Change => {
                    self.error(ends.referenced, format!("what ends `{}` changes it", ends.value)).help =
                        Some("leave its `access` out".to_owned());
                }
                Some(_) => {}
            }
        }
    }

    /// What has to be granted, and what is kept.
    fn compile_uses_of_data(
        &mut self,
        scope: &Scope<'_>,
        raw: &RawOperation,
        both: &Lists<'_>,
        to: &mut Operation,
    ) {
        for need in &both.needs {
            let of = self.of(need, &to.uses);
            if let Ok(when) = self.when(scope, need.when.as_ref()) {
                to.training.push(TrainingUse { purpose: need.purpose, when, of });
            }
        }
        to.store = raw.store.as_ref().and_then(|store| self.store(scope, store));
        to.stream = raw.stream.as_ref().and_then(|stream| self.place(scope, stream));
        to.records = raw.records.as_ref().and_then(|when| self.condition(scope, when));
        if let Some(lines) = raw.lines.as_ref().filter(|_| self.profile.sized_requests) {
            self.error(
                lines.url.referenced,
                "lines that are requests go up as they are read: not with `sized_requests`",
            );
        }
        to.lines = raw.lines.as_ref().and_then(|lines| self.lines(scope, lines));
    }

    fn compile_rewrites(&mut self, scope: &Scope<'_>, both: &Lists<'_>, to: &mut Operation) {
        for raw in &both.request_edits {
            if matches!(scope.body, RawBody::None | RawBody::Opaque | RawBody::Text | RawBody::File) {
                let at = raw.at.first().map_or(scope.at, |text| text.referenced);
                self.error(at, "the operation's request has no fields that could be rewritten");
            }
            self.edits(raw, &mut to.request_edits);
        }
        for raw in &both.response_edits {
            self.edits(raw, &mut to.response_edits);
        }
        for raw in &both.refuses {
            let reason = match raw.reason {
                RefusedField::FieldNotAllowed => Reason::FieldNotAllowed,
                RefusedField::BypassRefused => Reason::BypassRefused,
            };
            if let Some(when) = self.condition(scope, &raw.when) {
                to.refuses.push(Refuses { when, reason });
            }
        }
        for raw in &both.unjudged {
            if let Ok(when) = self.when(scope, raw.when.as_ref()) {
                to.unjudged.push(Unjudged { when });
            }
        }
        for raw in &both.channels {
            to.channels.extend(self.channel(raw));
        }
    }

    pub(super) fn when(
        &mut self,
        scope: &Scope<'_>,
        raw: Option<&RawCondition>,
    ) -> Result<Option<Condition>, Reported> {
        match raw {
            None => Ok(None),
            Some(raw) => self.condition(scope, raw).map(Some).ok_or(Reported),
        }
    }

    /// Every parameter of the path names a resource, or is said not to.
    fn check_params(&mut self, scope: &Scope<'_>, raw: &RawOperation, both: &Lists<'_>) {
        for param in &scope.params {
            let used = both.uses.iter().any(|u| u.path.as_ref().is_some_and(|path| *path.value == **param));
            let plain = raw.plain.iter().find(|text| *text.value == **param);
            match (used, plain) {
                (true, Some(text)) => {
                    self.error(text.referenced, format!("`{param}` names a resource in `uses`"));
                }
                (false, None) => {
                    self.error(scope.at, format!("path parameter `{param}` names no resource")).help = Some(
                        "name its kind in `uses`, or list it in `plain` if it is no resource's id".to_owned(),
                    );
                }
                (true, None) | (false, Some(_)) => {}
            }
        }
        for text in &raw.plain {
            if !scope.params.iter().any(|param| **param == *text.value) {
                self.unknown("path parameter", text, scope.params.iter().map(|name| &**name));
            }
        }
    }
}

/// The error is in the list already.
pub(super) struct Reported;

/// An operation's lists, behind those of the parts that it includes.
pub(super) struct Lists<'a> {
    pub(super) uses: Vec<&'a RawUse>,
    pub(super) creates: Vec<&'a RawCreation>,
    pub(super) yields: Vec<&'a RawCreation>,
    pub(super) shows: Vec<&'a RawShown>,
    pub(super) needs: Vec<&'a RawNeed>,
    pub(super) refuses: Vec<&'a RawRefuses>,
    pub(super) unjudged: Vec<&'a RawUnjudged>,
    pub(super) request_edits: Vec<&'a RawEdit>,
    pub(super) response_edits: Vec<&'a RawEdit>,
    pub(super) channels: Vec<&'a RawChannel>,
}

impl<'a> Lists<'a> {
    fn of(raw: &'a RawOperation, parts: &[&'a Part]) -> Self {
        Self {
            uses: parts.iter().flat_map(|part| &part.uses).chain(&raw.uses).collect(),
            creates: parts.iter().flat_map(|part| &part.creates).chain(&raw.creates).collect(),
            yields: parts.iter().flat_map(|part| &part.yields).chain(&raw.yields).collect(),
            shows: parts.iter().flat_map(|part| &part.shows).chain(&raw.shows).collect(),
            needs: parts.iter().flat_map(|part| &part.needs).chain(&raw.needs).collect(),
            refuses: parts.iter().flat_map(|part| &part.refuses).chain(&raw.refuses).collect(),
            unjudged: parts.iter().flat_map(|part| &part.unjudged).chain(&raw.unjudged).collect(),
            request_edits: parts
                .iter()
                .flat_map(|part| &part.request_edits)
                .chain(&raw.request_edits)
                .collect(),
            response_edits: parts
                .iter()
                .flat_map(|part| &part.response_edits)
                .chain(&raw.response_edits)
                .collect(),
            channels: parts.iter().flat_map(|part| &part.channels).chain(&raw.channels).collect(),
        }
    }
}

/// The query parameters of which each has to have one reading.
fn deciding_query(operation: &Operation, list: Option<&RawList>) -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = operation
        .deciding()
        .filter_map(|place| match place {
            Place::Query(name) => Some(Arc::clone(name)),
            _ => None,
        })
        .collect();
    if list.is_some_and(|list| list.cursor.is_some()) {
        names.extend(["limit", "order"].map(Arc::from));
    }
    if let Some(ListShape { paging: Paging::Numbers(numbers), .. }) = &operation.list {
        let (Begins::Page(begins) | Begins::Offset(begins)) = &numbers.begins;
        names.extend([begins, &numbers.size].map(Arc::clone));
    }
    names.extend(operation.only.iter().map(|only| Arc::clone(&only.query)));
    names.sort();
    names.dedup();
    names
}
