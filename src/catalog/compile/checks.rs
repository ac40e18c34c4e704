//! What the gateway would not hold an answer to, or could not make a list of, is an error of the profile.

use std::sync::Arc;

use http::Method;

use super::operation::Lists;
use super::places::Scope;
use super::{Compiler, Entry};
use crate::catalog::profile::{RawBody, RawList, RawOperation};
use crate::catalog::{Begins, BodyShape, Edit, EditAction, ListShape, Numbers, Operation, Paging, Place};
use crate::names::Purpose;
use crate::pointer::{Pointer, Step};

impl Compiler<'_> {
    /// A form's parts go out one after another: a field can be hashed, and neither be left out nor added.
    pub(super) fn check_form(&mut self, scope: &Scope<'_>, operation: &Operation) {
        let form = matches!(operation.request, BodyShape::Multipart(_) | BodyShape::Urlencoded(_));
        let can_be =
            |edit: &Edit| matches!((edit.at.steps(), &edit.action), ([Step::Key(_)], EditAction::Salt));
        if form && !operation.request_edits.iter().all(can_be) {
            self.error(scope.at, "in a form, `salt` of a field is all that can be rewritten");
        }
    }

    /// Records are judged for training, evaluation and annotation: for other calls nobody asks.
    pub(super) fn check_unjudged(&mut self, scope: &Scope<'_>, operation: &Operation) {
        let judged =
            |purpose: Purpose| matches!(purpose, Purpose::Train | Purpose::Evaluate | Purpose::Annotate);
        let asks = operation.purpose == Purpose::Annotate
            || operation.training.iter().any(|training| judged(training.purpose));
        if !operation.unjudged.is_empty() && !asks {
            self.error(scope.at, "`unjudged` says something of training, evaluation and annotation only")
                .help = Some("name the purpose in `needs`, or leave `unjudged` out".to_owned());
        }
    }

    /// Ids and lists stand in JSON; texts that go on stand in events.
    pub(super) fn check_answer(
        &mut self,
        scope: &Scope<'_>,
        raw: &RawOperation,
        both: &Lists<'_>,
        operation: &Operation,
    ) {
        let events = matches!(raw.response, RawBody::JsonOrEvents | RawBody::Events | RawBody::File);
        if !operation.channels.is_empty() && !events {
            self.error(scope.at, "the operation has channels, but its answer is no event stream");
        }
        match raw.response {
            RawBody::Id => self.check_id(scope, raw, both, operation),
            RawBody::Json | RawBody::JsonOrEvents | RawBody::Events | RawBody::File | RawBody::Jsonl => {
                self.check_ids(raw, both);
            }
            _ => {
                let ids = operation.creates.len() + operation.yields.len() + operation.shows.len();
                if ids > 0 || !operation.response_edits.is_empty() || operation.list.is_some() {
                    self.error(scope.at, "the answer has fields with a meaning, but is not JSON");
                }
            }
        }
    }

    /// An answer that is an id is that, whatever the request says.
    fn check_id(&mut self, scope: &Scope<'_>, raw: &RawOperation, both: &Lists<'_>, operation: &Operation) {
        let ids: Vec<_> = operation.creates.iter().chain(&operation.yields).collect();
        match ids[..] {
            [one] if one.at.steps().is_empty() => {}
            [_] => {
                self.error(scope.at, "an answer that is an id has no fields");
            }
            _ => {
                self.error(scope.at, "an answer that is an id holds one").help =
                    Some("name its kind in `creates` or `yields`, with `at: ['']`".to_owned());
            }
        }
        let edits = both.response_edits.iter().filter_map(|edit| edit.at.first()).map(|text| text.referenced);
        let fields = both.shows.iter().map(|shown| shown.kind.referenced).chain(edits);
        for at in fields.chain(raw.list.iter().map(|list| list.kind.referenced)) {
            self.error(at, "an answer that is an id has no fields");
        }
        for made in both.creates.iter().chain(&both.yields).filter(|made| made.when.is_some()) {
            self.error(made.kind.referenced, "an answer that is an id is one in any case").help =
                Some("leave `when` out".to_owned());
        }
    }

    /// Files are read for no ids. Events are, one by one: that none is missing can't be seen before the last.
    fn check_ids(&mut self, raw: &RawOperation, both: &Lists<'_>) {
        let made = both.creates.iter().chain(&both.yields).map(|made| (&made.kind, made.required));
        let ids = made.chain(both.shows.iter().map(|shown| (&shown.kind, shown.required)));
        for (kind, required) in ids {
            match raw.response {
                RawBody::File | RawBody::Jsonl => {
                    self.error(kind.referenced, "no ids are read from an answer that is a file");
                }
                RawBody::JsonOrEvents | RawBody::Events if required => {
                    self.error(kind.referenced, "that an id is missing can't be seen in an event stream")
                        .help = Some("leave `required` out, or say `response: json`".to_owned());
                }
                _ => {}
            }
        }
        if let Some(list) = raw.list.as_ref().filter(|_| !matches!(raw.response, RawBody::Json)) {
            self.error(list.kind.referenced, "a list is one JSON document");
        }
    }

    /// What is fixed is written plainly and stands once, like what decides, and is not what decides.
    pub(super) fn fix_query(&mut self, raw: &RawOperation, operation: &mut Operation) {
        for (name, value) in &raw.fixed.0 {
            let known = operation.deciding_query.iter().chain(&operation.query);
            if known.into_iter().any(|known| **known == *name.value) {
                self.error(name.referenced, format!("`{}` is fixed, and the caller's to say", name.value));
            }
            let plain = |text: &str| {
                text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'~'))
            };
            if !plain(&name.value) || !value.as_deref().is_none_or(plain) {
                self.error(name.referenced, "what is fixed is letters, digits, `_`, `-`, `.` and `~`");
            }
        }
        operation.deciding_query.extend(operation.fixed.iter().map(|(name, _)| Arc::clone(name)));
    }

    /// Lists that are filtered by somebody, and looked at.
    pub(super) fn check_lists(
        &mut self,
        scope: &Scope<'_>,
        raw: &RawOperation,
        both: &Lists<'_>,
        operation: &Operation,
    ) {
        if let (Some(text), Some(only)) = (&raw.only, &operation.only) {
            if let Some(list) = &raw.list {
                let message = "a list is filtered by the upstream (`only`) or by the gateway (`list`)";
                self.error(list.kind.referenced, message);
            }
            let mut shown = operation.shows.iter().filter(|shown| shown.kind == only.kind && shown.required);
            if !shown.any(|shown| shown.at.steps().contains(&Step::Any)) {
                self.error(text.query.referenced, "nobody would see that the upstream does not filter")
                    .help = Some(format!(
                    "name the items in `shows`: `{{kind: {}, at: […], required: true}}`",
                    only.kind
                ));
            }
        }
        if let (Some(list), Some(ListShape { paging: Paging::Cursor { .. }, inherited: false, .. })) =
            (&raw.list, &operation.list)
            && operation.request != BodyShape::None
        {
            self.error(list.kind.referenced, "a list that is paged by ids is asked for without a body");
        }
        if let (Some(list), Some(ListShape { paging: Paging::Numbers(numbers), id, .. })) =
            (&raw.list, &operation.list)
        {
            self.check_made(scope, operation, list, (numbers, id));
            let says = "the gateway makes this list itself, of all that the caller owns";
            for name in &raw.query {
                self.error(name.referenced, format!("`{}` would change nothing: {says}", name.value));
            }
            for used in both.uses.iter().filter(|used| used.path.is_none()) {
                self.error(used.kind.referenced, format!("what it uses would change nothing: {says}"));
            }
        }
    }

    /// A list that the gateway makes itself.
    fn check_made(
        &mut self,
        scope: &Scope<'_>,
        operation: &Operation,
        list: &RawList,
        (numbers, id): (&Numbers, &Pointer),
    ) {
        let (Begins::Page(begins) | Begins::Offset(begins)) = &numbers.begins;
        let whole = operation.method == Method::GET && operation.request == BodyShape::None;
        let says = "which the gateway makes itself";
        let of_query =
            |place: &Place| matches!(place, Place::Query(name) if name != begins && *name != numbers.size);
        let plain = |steps: &[Step]| steps.iter().all(|step| matches!(step, Step::Key(_)));
        let items = match list.items.value.strip_prefix('/') {
            Some(items) if !items.contains('/') && !items.contains('*') => items,
            _ => {
                self.error(list.items.referenced, "the items stand under one key of the answer: `/results`");
                ""
            }
        };
        if !plain(id.steps()) {
            self.error(list.id.referenced, "an item has one id, at a place of plain keys");
        }
        for (wrong, message) in [
            (!whole, "is asked for by a `GET` without a body"),
            (!scope.params.is_empty(), "has no parameters in its path"),
            (list.inherited, "is not `inherited`"),
            (operation.conditions().any(|when| of_query(&when.place)), "has no query that decides"),
            (*begins == numbers.size, "has two parameters: where a page begins, and its size"),
            (
                ["next", "previous", items].contains(&&*numbers.total),
                "counts its items under a name of its own",
            ),
        ] {
            if wrong {
                self.error(list.kind.referenced, format!("a list {says} {message}"));
            }
        }
    }

    /// By which operation the items of a list can be asked for, one by one.
    pub(super) fn find_items(&mut self, entries: &mut [Entry]) {
        let found: Vec<Option<Arc<str>>> = entries
            .iter()
            .map(|entry| {
                let list = entry.operation.list.as_ref()?;
                let mut all = entries.iter().map(|other| &other.operation);
                all.find(|other| shows_one(other, &entry.operation, list))
                    .map(|one| Arc::clone(&one.template))
            })
            .collect();
        for (entry, one) in entries.iter_mut().zip(found) {
            let Some(list) = &mut entry.operation.list else { continue };
            if one.is_none() && matches!(list.paging, Paging::Numbers(_)) && self.errors.is_empty() {
                let (kind, template) = (&list.kind, entry.operation.template.trim_end_matches('/'));
                self.error(
                    entry.at,
                    format!("no operation shows one `{kind}` of a list that is made of them"),
                )
                .help = Some(format!("describe `GET {template}/{{id}}`, with `response: json`"));
            }
            list.one = one;
        }
    }
}

/// Whether an operation shows one resource of a list: the list's path with one parameter behind it.
fn shows_one(operation: &Operation, of: &Operation, list: &ListShape) -> bool {
    let [used] = &*operation.uses else { return false };
    let Place::Path(name) = &used.place else { return false };
    let path = of.template.trim_end_matches('/');
    let tail = operation.template.trim_end_matches('/').strip_prefix(path);
    let tail = tail.and_then(|tail| tail.strip_prefix("/{")).and_then(|tail| tail.strip_suffix('}'));
    operation.method == Method::GET
        && operation.refused.is_none()
        && operation.response == BodyShape::Json
        && used.kind == list.kind
        && !path.contains('{')
        && tail.is_some_and(|tail| *tail == **name)
}
