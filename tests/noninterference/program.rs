//! Random programs: who calls what, and whose ids they name.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::Index;

use super::calls::{Does, VERBS, Verb};

/// How many tenants a program has.
pub(crate) const TENANTS: usize = 3;
/// The longest program.
const LONGEST: usize = 200;

/// Whose an id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Something that the caller has.
    Own,
    /// Something that another tenant has or had. To the caller that is nothing, so where the caller is alone an invented
    /// id takes its place.
    Foreign,
    /// Something that the caller had.
    Ended,
    /// Something that the caller has, of another kind.
    OtherKind,
    /// Nobody's.
    Invented,
}

/// An id, before it is known which there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    pub(crate) whose: Whose,
    pub(crate) which: Index,
}

/// Which page of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) limit: Option<u16>,
    pub(crate) order: Option<bool>,
    pub(crate) cursor: Option<(bool, Name)>,
}

/// One call of one tenant.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) tenant: usize,
    pub(crate) verb: &'static Verb,
    pub(crate) names: [Name; 2],
    pub(crate) text: u8,
    pub(crate) page: Page,
}

/// A program.
#[derive(Clone)]
pub(crate) struct Program(pub(crate) Vec<Step>);

fn name() -> impl Strategy<Value = Name> {
    let whose = prop_oneof![
        20 => Just(Whose::Own),
        4 => Just(Whose::Foreign),
        1 => Just(Whose::Ended),
        1 => Just(Whose::OtherKind),
        2 => Just(Whose::Invented),
    ];
    (whose, any::<Index>()).prop_map(|(whose, which)| Name { whose, which })
}

fn page() -> impl Strategy<Value = Page> {
    let limit = prop_oneof![
        6 => Just(None),
        8 => (1_u16..=4).prop_map(Some),
        1 => Just(Some(100)),
        1 => prop_oneof![Just(0), Just(10_001)].prop_map(Some),
    ];
    let order = prop_oneof![2 => Just(None), 1 => any::<bool>().prop_map(Some)];
    let cursor = prop_oneof![3 => Just(None), 2 => (any::<bool>(), name()).prop_map(Some)];
    (limit, order, cursor).prop_map(|(limit, order, cursor)| Page { limit, order, cursor })
}

/// A step of a program that has only some of the calls: programs of few calls come to ends that others don't reach.
#[derive(Clone, Debug)]
struct Draft {
    tenant: usize,
    verb: Index,
    names: [Name; 2],
    text: u8,
    page: Page,
}

fn draft() -> impl Strategy<Value = Draft> {
    (0..TENANTS, any::<Index>(), [name(), name()], 0..4_u8, page())
        .prop_map(|(tenant, verb, names, text, page)| Draft { tenant, verb, names, text, page })
}

/// Most are short, some are long, a few as long as they may be.
pub(crate) fn programs() -> impl Strategy<Value = Program> {
    let all: Vec<&'static Verb> =
        VERBS.iter().flat_map(|verb| std::iter::repeat_n(verb, verb.weight as usize)).collect();
    let verbs = proptest::sample::subsequence(all, 4..40);
    let steps = prop_oneof![
        70 => proptest::collection::vec(draft(), 2..14),
        24 => proptest::collection::vec(draft(), 14..28),
        5 => proptest::collection::vec(draft(), 28..80),
        1 => proptest::collection::vec(draft(), 80..=LONGEST),
    ];
    (verbs, steps).prop_map(|(verbs, steps)| {
        let step = |Draft { tenant, verb, names, text, page }| {
            let verb = *verb.get(&verbs);
            Step { tenant, verb, names, text, page }
        };
        Program(steps.into_iter().map(step).collect())
    })
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant {}: {} {} {}", self.tenant, self.verb.method, self.verb.target, self.verb.body)?;
        for (place, (name, kind)) in self.names.iter().zip(self.verb.ids).enumerate() {
            write!(f, " {{{}}}={:?} {kind:?}", place + 1, name.whose)?;
        }
        if let Does::Lists(_) = self.verb.does {
            let cursor =
                self.page.cursor.map(|(before, name)| (if before { "before" } else { "after" }, name.whose));
            write!(f, " limit={:?} ascending={:?} cursor={cursor:?}", self.page.limit, self.page.order)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            write!(f, "\n  {number}. {step:?}")?;
        }
        Ok(())
    }
}
