//! From a specification to the first draft of a profile.

mod answer;
mod judge;
mod kinds;
mod operation;
pub(super) mod request;
mod write;

use super::document::Document;
use crate::catalog::Catalog;
use kinds::Kinds;
use operation::{Drafted, Fate};

/// A draft and what is left to be decided.
#[derive(Debug)]
pub struct Draft {
    /// The profile.
    pub yaml: String,
    /// Operations that it serves.
    pub served: usize,
    /// Operations that it names and refuses.
    pub refused: usize,
    /// Operations that can't stand in a profile: in comments only.
    pub left_out: usize,
    /// Comments that begin with `decide:`.
    pub decisions: usize,
}

/// How often a draft is read again without the operations that a profile can't hold.
const ROUNDS: usize = 12;

/// Drafts a profile. It loads: what would keep it from loading is left out and told.
#[must_use]
pub fn draft(document: &Document, name: &str) -> Draft {
    let described = document.operations();
    let kinds = Kinds::of(document, &described);
    let mut drafted: Vec<Drafted> = Vec::with_capacity(described.len());
    for one in &described {
        let mut next = operation::of(document, &kinds, one, &described);
        let taken = |id: &str| drafted.iter().any(|other| other.id == id);
        if taken(&next.id) {
            next.id = (2..).map(|n| format!("{}_{n}", next.id)).find(|id| !taken(id)).unwrap_or_default();
        }
        drafted.push(next);
    }
    operation::take_back(&mut drafted);
    let mut written = write::profile(document, name, &kinds, &drafted);
    for _ in 0..ROUNDS {
        let Err(errors) = Catalog::parse(name, &written.yaml) else { break };
        let mut found = false;
        for error in &errors {
            if let Some(index) = written.operation_at(error.line)
                && let Some(drafted) = drafted.get_mut(index)
            {
                drafted.fate = Fate::LeftOut(error.message.clone());
                found = true;
            }
        }
        if !found {
            break;
        }
        operation::take_back(&mut drafted);
        written = write::profile(document, name, &kinds, &drafted);
    }
    let count = |is: fn(&Fate) -> bool| drafted.iter().filter(|one| is(&one.fate)).count();
    Draft {
        served: count(|fate| matches!(fate, Fate::Served)),
        refused: count(|fate| matches!(fate, Fate::Refused { .. })),
        left_out: count(|fate| matches!(fate, Fate::LeftOut(_))),
        decisions: written.yaml.lines().filter(|line| line.trim_start().starts_with("# decide: ")).count(),
        yaml: written.yaml,
    }
}
