//! What a tenant has to try with: what it made, and what came of it.

use std::sync::Arc;

use crate::catalog::Undo;
use crate::names::{Kind, OperationId};

/// A resource.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// What it was made for, where the profile keeps that.
    pub(super) label: Option<String>,
    /// The name of the sample that it was made with.
    pub(super) made_as: Option<String>,
    /// The operation whose answer showed it first.
    pub(super) by: OperationId,
    /// How it is taken back, if the profile says so.
    pub(super) undo: Option<Undo>,
    /// The path parameters of the call that made it.
    pub(super) params: Vec<(Arc<str>, String)>,
    /// What the call that made it named.
    pub(super) named: Vec<(Kind, String)>,
    /// It was ended.
    pub(super) ended: bool,
}

impl Made {
    /// Whether one was named when the other was made.
    pub(super) fn related(&self, other: &Self) -> bool {
        let names = |one: &Self, two: &Self| one.named.iter().any(|(k, id)| *k == two.kind && *id == two.id);
        names(self, other) || names(other, self)
    }
}

/// Everything that a tenant has to try with.
#[derive(Debug, Default)]
pub(super) struct Stock(Vec<Made>);

impl Stock {
    /// Adds a resource; false: it was there.
    pub(super) fn add(&mut self, made: Made) -> bool {
        let new = !self.0.iter().any(|known| known.kind == made.kind && known.id == made.id);
        if new {
            self.0.push(made);
        }
        new
    }

    pub(super) fn all(&self) -> &[Made] {
        &self.0
    }

    /// What is there still, of a kind.
    pub(super) fn of(&self, kind: &Kind) -> impl Iterator<Item = &Made> {
        self.0.iter().filter(move |made| made.kind == *kind && !made.ended)
    }

    /// One of a kind that fulfils what is asked of it: best one that has to do with those, else the first.
    pub(super) fn pick(&self, kind: &Kind, fits: impl Fn(&Made) -> bool, near: &[&Made]) -> Option<&Made> {
        let related = |made: &Made| near.iter().filter(|other| made.related(other)).count();
        let fitting = self.0.iter().filter(|made| made.kind == *kind && !made.ended && fits(made));
        fitting.fold(None, |best: Option<&Made>, made| match best {
            Some(best) if related(best) >= related(made) => Some(best),
            _ => Some(made),
        })
    }

    pub(super) fn end(&mut self, kind: &Kind, id: &str) {
        if let Some(made) = self.0.iter_mut().find(|made| made.kind == *kind && made.id == id) {
            made.ended = true;
        }
    }
}
