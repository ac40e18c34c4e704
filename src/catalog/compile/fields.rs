//! The lists of an operation: what it creates, lists, keeps and rewrites, and where texts go on.

use std::sync::Arc;

use http::Method;

use super::Compiler;
use super::places::{Scope, spelt};
use crate::catalog::operation::via;
use crate::catalog::profile::{
    RawAction, RawBody, RawChannel, RawCreation, RawEdit, RawLines, RawList, RawNeed, RawOnly, RawPages,
    RawShown, RawStore, Text,
};
use crate::catalog::template::{self, Segment};
use crate::catalog::{
    Begins, Channel, Creation, Edit, EditAction, Label, Lines, ListShape, Numbers, Only, Paging, Place,
    Shown, StoreField, Undo, Use, matcher,
};
use crate::names::{Access, OperationId};
use crate::pointer::{Pointer, Step};

/// Where a page lies from the item that its cursor names, as the cursors of APIs say in their names.
const SIDES: [&str; 2] = ["after", "before"];

impl Compiler<'_> {
    pub(super) fn of(&mut self, need: &RawNeed, uses: &[Use]) -> Vec<usize> {
        need.of.iter().filter_map(|name| self.use_at(name, uses)).collect()
    }

    /// The use at a place, as the file spells it.
    pub(super) fn use_at(&mut self, name: &Text, uses: &[Use]) -> Option<usize> {
        let index = uses.iter().position(|u| spelt(&u.place) == name.value);
        if index.is_none() {
            let known: Vec<String> = uses.iter().map(|u| spelt(&u.place)).collect();
            self.unknown("place of `uses`", name, known.iter().map(String::as_str));
        }
        index
    }

    pub(super) fn creations(
        &mut self,
        scope: &Scope<'_>,
        raw: &RawCreation,
        uses: &[Use],
        creations: &mut Vec<Creation>,
    ) {
        let kind = self.kind(&raw.kind);
        let places = self.pointers(&raw.at);
        let when = self.when(scope, raw.when.as_ref());
        let undo = raw.undo.as_ref().and_then(|name| self.undo(scope, name, &raw.kind));
        let label = self.label(scope, raw, uses);
        let lives_in = raw.lives_in.as_ref().and_then(|name| self.use_at(name, uses));
        if raw.required {
            self.countable(&raw.at, &places);
        }
        if places.is_empty() && raw.at.is_empty() {
            self.error(raw.kind.referenced, "no place is named: `at` is empty");
        }
        let (Some(kind), Ok(when)) = (kind, when) else { return };
        creations.extend(places.into_iter().map(|at| Creation {
            kind: kind.clone(),
            via: via(&at),
            at,
            when: when.clone(),
            required: raw.required,
            lives_in,
            undo: undo.clone(),
            label: label.clone(),
        }));
    }

    /// What has to be there is counted.
    fn countable(&mut self, texts: &[Text], places: &[Pointer]) {
        let any = |at: &Pointer| at.steps().iter().filter(|step| **step == Step::Any).count();
        if let Some(text) = texts.first().filter(|_| places.iter().any(|at| any(at) > 1)) {
            self.error(text.referenced, "what is required stands in the elements of one `*`").help =
                Some("leave `required` out, or name a place with one `*` at most".to_owned());
        }
        let deep = places.iter().any(|at| at.steps().contains(&Step::Deep));
        if let Some(text) = texts.first().filter(|_| deep) {
            self.error(text.referenced, "`**` does not say where an id has to be").help =
                Some("leave `required` out, or name the place".to_owned());
        }
    }

    /// Ids in an answer that have to be the caller's.
    pub(super) fn shown(&mut self, raw: &RawShown, shows: &mut Vec<Shown>) {
        let kind = self.kind(&raw.kind);
        let places = self.pointers(&raw.at);
        if raw.at.is_empty() {
            self.error(raw.kind.referenced, "no place is named: `at` is empty");
        }
        if raw.required {
            self.countable(&raw.at, &places);
        }
        let Some(kind) = kind else { return };
        shows.extend(places.into_iter().map(|at| Shown { kind: kind.clone(), at, required: raw.required }));
    }

    /// The upstream's own filter of a list.
    pub(super) fn only(&mut self, raw: &RawOnly) -> Option<Only> {
        let kind = self.kind(&raw.kind)?;
        if raw.at_most == 0 {
            self.error(raw.query.referenced, "a filter is given at least one id");
        }
        Some(Only {
            kind,
            query: Arc::from(raw.query.value.as_str()),
            none: Arc::from(raw.none.as_str()),
            at_most: raw.at_most,
        })
    }

    /// How a list is paged by numbers.
    fn numbers(&mut self, raw: &RawPages, kind: &Text) -> Option<Numbers> {
        self.page_sizes(kind, raw.default, raw.max);
        let begins = match (&raw.number, &raw.offset) {
            (Some(page), None) => Begins::Page(Arc::from(page.value.as_str())),
            (None, Some(offset)) => Begins::Offset(Arc::from(offset.value.as_str())),
            (Some(_), Some(_)) | (None, None) => {
                self.error(kind.referenced, "a page begins by one parameter: `number` or `offset`");
                return None;
            }
        };
        Some(Numbers {
            begins,
            size: Arc::from(raw.size.as_str()),
            total: Arc::from(raw.total.as_str()),
            oldest_first: raw.oldest_first,
            default: raw.default,
            max: raw.max,
        })
    }

    /// The parameter that names the item on this side of a page; the word itself where the API has none.
    fn cursor(&mut self, by: &[Text], side: &str) -> Arc<str> {
        let mut names = by.iter().filter(|name| name.value.contains(side));
        let name = names.next();
        if let Some(other) = names.next() {
            self.error(other.referenced, format!("a page has one cursor `{side}` it"));
        }
        Arc::from(name.map_or(side, |name| &name.value))
    }

    fn page_sizes(&mut self, kind: &Text, default: u32, max: u32) {
        if default == 0 || max < default {
            self.error(kind.referenced, "a page has at least one item, and `max` is at least `default`");
        }
    }

    fn label(&mut self, scope: &Scope<'_>, raw: &RawCreation, uses: &[Use]) -> Option<Label> {
        match (&raw.label, &raw.label_of) {
            (None, None) => None,
            (Some(place), None) => self.place(scope, place).map(Label::Value),
            (None, Some(name)) => self.use_at(name, uses).map(Label::Same),
            (Some(_), Some(name)) => {
                self.error(name.referenced, "a label comes from one place: `label` or `label_of`");
                None
            }
        }
    }

    /// The call that takes a resource of this kind back.
    pub(super) fn undo(&mut self, scope: &Scope<'_>, name: &Text, kind: &Text) -> Option<Undo> {
        let operations = &self.profile.operations.0;
        let Some((_, raw)) = operations.iter().find(|(known, _)| known.value == name.value) else {
            self.unknown("operation", name, operations.iter().map(|(known, _)| known.value.as_str()));
            return None;
        };
        // A template that does not parse is reported where it stands.
        let (method, path) = raw.matches.value.split_once(' ')?;
        let segments = template::parse(path).ok()?;
        let takes = |param: &str| {
            raw.uses.iter().any(|u| {
                u.kind.value == kind.value && u.path.as_ref().is_some_and(|path| path.value == *param)
            })
        };
        let params: Vec<&Arc<str>> = matcher::names(&segments).collect();
        let Some(id) = params.iter().rev().find(|param| takes(param)) else {
            let message = format!("`{}` takes no `{}` in its path", name.value, kind.value);
            self.error(name.referenced, message);
            return None;
        };
        if let Some(other) = params.iter().find(|param| *param != id && !scope.params.contains(**param)) {
            let message =
                format!("`{}` needs `{other}`, which the operation's path does not have", name.value);
            self.error(name.referenced, message);
        }
        Some(Undo {
            operation: OperationId::new(&name.value),
            method: Method::from_bytes(method.as_bytes()).ok()?,
            template: with_id(&segments, id),
        })
    }

    pub(super) fn list(&mut self, raw: &RawList, uses: &mut Vec<Use>) -> Option<ListShape> {
        let kind = self.kind(&raw.kind);
        let items = self.pointer(&raw.items);
        let id = self.pointer(&raw.id);
        let paging = match (&raw.cursor, &raw.pages) {
            (None, None) => Paging::None,
            (None, Some(pages)) => Paging::Numbers(self.numbers(pages, &raw.kind)?),
            (Some(_), Some(_)) => {
                self.error(raw.kind.referenced, "a list is paged in one way: `cursor` or `pages`");
                return None;
            }
            (Some(cursor), None) => {
                self.page_sizes(&raw.kind, cursor.default, cursor.max);
                Paging::Cursor {
                    after: self.cursor(&cursor.by, "after"),
                    before: self.cursor(&cursor.by, "before"),
                    ends: cursor.ends,
                    oldest_first: cursor.oldest_first,
                    default: cursor.default,
                    max: cursor.max,
                }
            }
        };
        let kind = kind?;
        for name in raw.cursor.iter().flat_map(|cursor| &cursor.by) {
            if !SIDES.iter().any(|side| name.value.contains(side)) {
                self.error(
                    name.referenced,
                    format!("`{}` does not say on which side of an item a page is", name.value),
                )
                .help = Some("a cursor's name has the word `after` or `before` in it".to_owned());
            }
            let place = Place::Query(Arc::from(name.value.as_str()));
            uses.push(Use {
                kind: kind.clone(),
                via: place.via(),
                place,
                required: false,
                labels: Vec::new(),
                access: Access::Read,
            });
        }
        Some(ListShape {
            kind,
            items: items?,
            id: id?,
            paging,
            inherited: raw.inherited,
            omits_empty: raw.omits_empty,
            one: None,
        })
    }

    pub(super) fn store(&mut self, scope: &Scope<'_>, raw: &RawStore) -> Option<StoreField> {
        if !matches!(scope.body, RawBody::Json) {
            self.error(raw.at.referenced, "the operation's request is not JSON");
        }
        let at = self.plain_pointer(&raw.at)?;
        Some(StoreField { at, default: raw.default })
    }

    pub(super) fn lines(&mut self, scope: &Scope<'_>, raw: &RawLines) -> Option<Lines> {
        let known = &self.profile.operations.0;
        for name in &raw.operations {
            if !known.iter().any(|(known, _)| known.value == name.value) {
                self.unknown("operation", name, known.iter().map(|(known, _)| known.value.as_str()));
            }
        }
        let when = self.when(scope, raw.when.as_ref());
        let (method, url, body) =
            (self.pointer(&raw.method), self.pointer(&raw.url), self.pointer(&raw.body));
        Some(Lines {
            when: when.ok()?,
            method: method?,
            url: url?,
            body: body?,
            operations: raw.operations.iter().map(|name| OperationId::new(&name.value)).collect(),
        })
    }

    pub(super) fn edits(&mut self, raw: &RawEdit, edits: &mut Vec<Edit>) {
        for text in &raw.at {
            let (at, action) = match &raw.action {
                RawAction::Remove => (self.pointer(text), EditAction::Remove),
                RawAction::Salt => (self.pointer(text), EditAction::Salt),
                RawAction::Rebase => (self.pointer(text), EditAction::Rebase),
                RawAction::Replace(value) => (self.pointer(text), EditAction::Replace(value.clone())),
                RawAction::Set(value) => (self.plain_pointer(text), EditAction::Set(value.clone())),
            };
            edits.extend(at.map(|at| Edit { at, action }));
        }
    }

    /// A place that can be made if it is not there.
    pub(super) fn plain_pointer(&mut self, text: &Text) -> Option<Pointer> {
        let pointer = self.pointer(text)?;
        let plain = pointer.steps().iter().all(|step| matches!(step, Step::Key(_)));
        if !plain || pointer.steps().is_empty() {
            self.error(
                text.referenced,
                "a member can only be added at a place of plain keys, without wildcards",
            );
            return None;
        }
        Some(pointer)
    }

    pub(super) fn channel(&mut self, raw: &RawChannel) -> Option<Channel> {
        let text = self.pointer(&raw.text)?;
        let mut keys = Vec::with_capacity(raw.keys.len());
        for key in &raw.keys {
            let pointer = self.pointer(key)?;
            let last = pointer.steps().iter().rposition(|step| *step == Step::Any);
            let shared = last.map_or(0, |last| last + 1);
            if pointer.steps().get(..shared) != text.steps().get(..shared) {
                self.error(key.referenced, "the key's wildcards do not go the way of the text's").help =
                    Some("up to its last `*` a key reads as `text` does".to_owned());
            }
            keys.push(pointer);
        }
        if text.steps().contains(&Step::Deep) || keys.iter().any(|key| key.steps().contains(&Step::Deep)) {
            self.error(raw.text.referenced, "`**` can't tell one channel from another");
        }
        let event = raw.event.as_ref().map(|event| Arc::from(event.as_str()));
        Some(Channel { event, text, keys, whole: raw.whole })
    }
}

/// The template of an undoing call: the new resource's parameter is `{id}`.
fn with_id(segments: &[Segment], id: &Arc<str>) -> Arc<str> {
    let mut template = String::new();
    for segment in segments {
        template.push('/');
        match segment {
            Segment::Literal(text) => template.push_str(text),
            Segment::Param { prefix, name, suffix, .. } => {
                let name = if name == id { "id" } else { &**name };
                template.push_str(&format!("{prefix}{{{name}}}{suffix}"));
            }
        }
    }
    Arc::from(template)
}
