//! How a rule matches at a place.

use std::sync::Arc;

use super::bytes::ByteSet;
use super::pattern::Automaton;
use super::scanner::Scanner;

/// Furthest look for context words, in bytes.
pub(super) const MAX_WINDOW: usize = 192;
/// Most bytes of an open-ended value.
pub(super) const MAX_SWALLOW: usize = 16 << 10;
/// Most bytes of a field's value that are looked at as one; a longer one goes as it comes.
pub(super) const MAX_FIELD: usize = 8 << 10;

/// How a rule matches at an anchor.
#[derive(Debug)]
pub(super) enum Matcher {
    /// It matches nowhere but under its field names.
    FieldOnly,
    /// By automata.
    Pattern(Box<PatternMatcher>),
    /// By code.
    Scanner(Scanner),
}

/// Automata around an anchor.
#[derive(Debug)]
pub(super) struct PatternMatcher {
    pub(super) before: Option<Automaton>,
    pub(super) lead: Option<Automaton>,
    pub(super) value: Arc<Automaton>,
    pub(super) trail: Option<Automaton>,
    pub(super) swallow: Option<SwallowMatcher>,
}

impl PatternMatcher {
    /// Can these bytes begin a match? A short lead may end inside them; then the value goes on from there.
    pub(super) fn can_begin_with(&self, bytes: &[u8]) -> bool {
        let Some(lead) = &self.lead else { return self.value.accepts_prefix(bytes) };
        lead.accepts_prefix(bytes)
            || self
                .lead_end(bytes)
                .is_some_and(|end| bytes.get(end..).is_some_and(|rest| self.value.accepts_prefix(rest)))
    }

    /// Can the value begin before these first bytes of a match end?
    pub(super) fn value_within(&self, bytes: &[u8]) -> bool {
        self.lead.is_none() || self.lead_end(bytes).is_some_and(|end| end < bytes.len())
    }

    fn lead_end(&self, bytes: &[u8]) -> Option<usize> {
        let mut end = None;
        self.lead.as_ref()?.walk(bytes, 0, true, |e| end = Some(e));
        end
    }
}

/// What follows an opener.
#[derive(Debug)]
pub(super) struct SwallowMatcher {
    pub(super) members: ByteSet,
    pub(super) until: Option<Automaton>,
    pub(super) max: usize,
}

/// What the whole value of a field must look like.
#[derive(Clone, Debug)]
pub(super) enum FieldValue {
    /// Anything.
    Any,
    /// A match of the automaton.
    Whole(Arc<Automaton>),
}
