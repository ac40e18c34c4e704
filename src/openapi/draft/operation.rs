//! One operation of the draft.

use crate::openapi::document::{Described, Document};
use crate::openapi::words;

use super::kinds::{self, Kinds};
use super::{answer, judge, request};

/// Where a resource is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Path(String),
    Query(String),
    Header(String),
    Form(String),
    Json(String),
}

/// A use.
#[derive(Clone, Debug)]
pub(super) struct Used {
    pub(super) kind: String,
    pub(super) at: At,
    pub(super) required: bool,
}

/// A form's field: its name, what it holds, and whether it is needed.
#[derive(Clone, Debug)]
pub(super) struct FormField {
    pub(super) name: String,
    pub(super) content: &'static str,
    pub(super) required: bool,
}

/// A body.
#[derive(Clone, Debug, Default)]
pub(super) enum Body {
    #[default]
    None,
    Json,
    /// One of the words of a profile that have no fields.
    Word(&'static str),
    Form(&'static str, Vec<FormField>),
}

/// A list.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) kind: String,
    pub(super) items: String,
    pub(super) id: String,
    pub(super) cursor: Option<Cursor>,
}

/// How it is paged.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub(super) by: Vec<String>,
    pub(super) ends: bool,
    pub(super) default: u64,
    pub(super) max: u64,
}

/// What becomes of an operation.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Served,
    Refused { reason: &'static str, because: &'static str },
    LeftOut(String),
}

/// An operation of the draft.
#[derive(Clone, Debug)]
pub(super) struct Drafted {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) fate: Fate,
    pub(super) decide: Vec<String>,
    pub(super) trains: bool,
    pub(super) request: Body,
    pub(super) response: Body,
    pub(super) query: Vec<String>,
    pub(super) plain: Vec<String>,
    pub(super) uses: Vec<Used>,
    pub(super) creates: Vec<(String, Vec<String>)>,
    pub(super) undo: Option<String>,
    pub(super) ends: Option<String>,
    pub(super) list: Option<List>,
    /// Purposes that have to be granted, with their condition in YAML.
    pub(super) needs: Vec<(&'static str, Option<String>)>,
    pub(super) refuses: Vec<(String, &'static str)>,
    pub(super) store: Option<bool>,
    pub(super) stream: bool,
    pub(super) upload: bool,
    pub(super) removed: Vec<String>,
}

impl Drafted {
    pub(super) fn decide(&mut self, what: impl Into<String>) {
        self.decide.push(what.into());
    }

    pub(super) fn served(&self) -> bool {
        matches!(self.fate, Fate::Served)
    }

    /// Whether every call names a resource. What may be left out says nothing: without it the call is about everybody's.
    pub(super) fn names(&self) -> bool {
        self.uses.iter().any(|used| used.required || matches!(used.at, At::Path(_)))
    }

    /// Records that a resource is named at a place. A place names one.
    pub(super) fn uses(&mut self, kind: String, at: At, required: bool) {
        if !self.uses.iter().any(|known| known.at == at) {
            self.uses.push(Used { kind, at, required });
        }
    }
}

/// Drafts an operation.
pub(super) fn of(
    document: &Document,
    kinds: &Kinds,
    described: &Described<'_>,
    all: &[Described<'_>],
) -> Drafted {
    let mut to = Drafted {
        id: id(described),
        method: described.method.clone(),
        path: described.path.clone(),
        fate: Fate::Served,
        decide: Vec::new(),
        trains: words::trains(&described.path)
            || words::trains(&described.id.unwrap_or_default().replace('_', " ")),
        request: Body::None,
        response: Body::None,
        query: Vec::new(),
        plain: Vec::new(),
        uses: Vec::new(),
        creates: Vec::new(),
        undo: None,
        ends: None,
        list: None,
        needs: Vec::new(),
        refuses: Vec::new(),
        store: None,
        stream: false,
        upload: false,
        removed: Vec::new(),
    };
    for parameter in kinds::parameters(&described.path) {
        if kinds::fixed(document, described, parameter) {
            to.plain.push(parameter.to_owned());
        } else {
            to.uses(kinds::of_parameter(&described.path, parameter), At::Path(parameter.to_owned()), false);
        }
    }
    request::body(document, kinds, described, &mut to);
    let answer = answer::of(document, kinds, described, all, &mut to);
    request::parameters(document, kinds, described, &mut to);
    if to.trains && described.method == "POST" {
        to.needs.push(("train", None));
    }
    judge::fate(described, &answer, &mut to);
    to
}

/// The operation's id, or one made of method and path.
fn id(described: &Described<'_>) -> String {
    let made;
    let text = match described.id.filter(|id| !id.trim().is_empty()) {
        Some(id) => id,
        None => {
            made = format!("{}_{}", described.method.to_lowercase(), words::snake(&described.path));
            &made
        }
    };
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
    text.trim().chars().map(kept).take(120).collect()
}

/// Finds, for what is created, the call that takes it back.
pub(super) fn take_back(drafted: &mut [Drafted]) {
    let enders: Vec<(String, String, String)> = drafted
        .iter()
        .filter(|one| one.served() && one.method == "DELETE")
        .filter_map(|one| {
            let end = one.ends.as_ref()?;
            let kind = one.uses.iter().find(|used| used.at == At::Path(end.clone()))?.kind.clone();
            let path = one.path.trim_end_matches('/').strip_suffix(&format!("/{{{end}}}"))?.to_owned();
            Some((path, kind, one.id.clone()))
        })
        .collect();
    for one in drafted.iter_mut() {
        let kind = one.creates.first().map(|(kind, _)| kind.clone());
        let path = one.path.trim_end_matches('/').to_owned();
        let same = |(collection, of, _): &&(String, String, String)| {
            *collection == path && kind.as_ref() == Some(of)
        };
        one.undo = enders.iter().find(same).map(|(_, _, id)| id.clone());
    }
}
