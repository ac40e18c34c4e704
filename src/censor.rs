//! What in these bytes must not pass?
//!
//! The engine knows bytes and rules: no HTTP, no tenant, no store. A [`RuleSet`] and a [`Policy`] compile into
//! an [`Engine`], which finds [`Finding`]s in a text, whole ([`Engine::scan`]) or in pieces ([`TextStream`]).
//! An [`Exchange`] turns findings into replacements and, on the way back, restores pseudonyms.

mod action;
mod bytes;
mod check;
mod compile;
mod confirm;
mod digits;
mod engine;
mod exchange;
pub mod explain;
mod fields;
mod filter;
mod fpe;
mod frequency;
mod generic;
pub mod import;
mod kind;
mod mark;
mod matcher;
mod number;
mod ordinary;
mod pattern;
mod policy;
mod prefilter;
mod prefix;
mod prepare;
mod recent;
mod resolve;
pub mod rules;
mod scanner;
mod stream;
pub mod validate;

pub use action::Action;
pub use check::check;
pub use engine::{Engine, RuleInfo};
pub use exchange::{Blocked, Count, Exchange, Tally};
pub use mark::is_label;
pub use policy::{CompileError, Decisions, Loosened, Policy};
pub use rules::RuleSet;
pub use stream::{Piece, Side, TextStream};

/// Names a rule of one [`Engine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(u16);

impl RuleIndex {
    /// No rule: a pseudonym that got its value back.
    pub const RESTORED: Self = Self(u16::MAX);
}

/// What is known of a text from around it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The nearest JSON key or the column's name, decoded.
    pub field: Option<&'a str>,
}

/// What a finding is, whatever it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nature {
    /// Of the group `secrets`, and so never restorable.
    pub secret: bool,
    /// Of the group `special-category`: health, belief, origin, party, orientation.
    pub special: bool,
}

impl Nature {
    /// What two are that lie over each other.
    const fn and(self, other: Self) -> Self {
        Self { secret: self.secret || other.secret, special: self.special || other.special }
    }
}

/// A region of a text that must not pass as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
    /// Whose it is: of several findings that overlap, by severity, length, position, id. Where something is made of the value, of
    /// those that make it so.
    pub rule: RuleIndex,
    /// What becomes of it: of several findings that overlap, the strictest.
    pub action: Action,
    /// What the findings are, all together.
    pub nature: Nature,
    /// Its value is open-ended: whatever the policy says, it is redacted (or blocks), because a stream replaces it
    /// before its end is known.
    pub open: bool,
}

#[cfg(test)]
mod tests;
