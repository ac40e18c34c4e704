//! Kinds of resources: what their ids look like, which of them have an owner, and what an unknown one is answered.

use regex::Regex;

use crate::names::Kind;

/// The longest id that is looked at, in bytes.
const MAX_ID: usize = 512;

/// What an id is, by its form alone. Whose it is, the registry knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdClass {
    /// It has an owner, if it exists at all.
    Owned,
    /// It is shared by nature (a base model).
    Shared,
    /// It names its tenant ([`KindRule::tenant_of`]).
    OfTenant,
    /// No resource of this kind can have it: answered as an unknown one.
    Malformed,
}

/// Under which ids a resource may stand in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryIds<'a> {
    /// Its own.
    pub own: &'a str,
    /// That of the resource it is a part of: whoever owns the whole owns the part (`ft:…:ckpt-step-7` of `ft:…`).
    pub whole: Option<&'a str>,
}

impl<'a> RegistryIds<'a> {
    /// The ids, in the order in which they are looked up.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        std::iter::once(self.own).chain(self.whole)
    }
}

/// The compiled rule of a kind.
#[derive(Clone, Debug)]
pub struct KindRule {
    pub(super) kind: Kind,
    pub(super) numeric: bool,
    pub(super) owned: Vec<Regex>,
    pub(super) never: Vec<Regex>,
    pub(super) shared: Vec<Regex>,
    pub(super) part_of: Option<Regex>,
    pub(super) of_tenant: Option<Regex>,
    pub(super) not_found: NotFound,
}

/// The API's own words for an id that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NotFound {
    pub(super) message: String,
    pub(super) kind: Option<String>,
    pub(super) param: Option<String>,
    pub(super) code: Option<String>,
}

impl KindRule {
    /// The rule of a kind that no profile describes: every id is malformed.
    pub(super) fn unknown() -> Self {
        Self {
            kind: Kind::new("unknown"),
            numeric: false,
            owned: Vec::new(),
            never: Vec::new(),
            shared: Vec::new(),
            part_of: None,
            of_tenant: None,
            not_found: NotFound::default(),
        }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Ids are decimal numbers without leading zeros.
    #[must_use]
    pub const fn numeric(&self) -> bool {
        self.numeric
    }

    /// What an id is, by its form.
    #[must_use]
    pub fn classify(&self, id: &str) -> IdClass {
        let any = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(id));
        if id.len() > MAX_ID {
            IdClass::Malformed
        } else if self.tenant_of(id).is_some() {
            IdClass::OfTenant
        } else if self.numeric {
            if is_number(id) { IdClass::Owned } else { IdClass::Malformed }
        } else if any(&self.owned) {
            IdClass::Owned
        } else if !any(&self.never) && any(&self.shared) {
            IdClass::Shared
        } else {
            IdClass::Malformed
        }
    }

    /// The tenant that an id names, where ids of the kind do.
    #[must_use]
    pub fn tenant_of<'a>(&self, id: &'a str) -> Option<&'a str> {
        let captures = self.of_tenant.as_ref().filter(|_| id.len() <= MAX_ID)?.captures(id)?;
        captures.name("tenant").map(|group| group.as_str())
    }

    /// The patterns of ids that have an owner, as they are matched.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.owned.iter().map(Regex::as_str)
    }

    /// The pattern of ids that name their tenant, as it is matched.
    #[must_use]
    pub fn tenant_pattern(&self) -> Option<&str> {
        self.of_tenant.as_ref().map(Regex::as_str)
    }

    /// Which of the patterns match an id, in their order.
    pub fn matching<'a>(&'a self, id: &'a str) -> impl Iterator<Item = bool> + use<'a> {
        self.owned.iter().map(move |pattern| pattern.is_match(id))
    }

    /// The pattern of ids whose group `whole` is the id of what they are a part of.
    #[must_use]
    pub fn part_pattern(&self) -> Option<&str> {
        self.part_of.as_ref().map(Regex::as_str)
    }

    /// Under which ids an owned resource may stand in the registry.
    #[must_use]
    pub fn registry_ids<'a>(&self, id: &'a str) -> RegistryIds<'a> {
        let captures =
            self.part_of.as_ref().filter(|_| id.len() <= MAX_ID).and_then(|part| part.captures(id));
        let whole = captures.and_then(|found| found.name("whole")).map(|group| group.as_str());
        RegistryIds { own: id, whole: whole.filter(|whole| *whole != id) }
    }
}

/// A decimal number in its only form, within 64 bits.
fn is_number(id: &str) -> bool {
    !leading_zero(id) && id.bytes().all(|b| b.is_ascii_digit()) && id.parse::<u64>().is_ok()
}

/// `007` and `7` are one number to the upstream, and two ids to everybody else.
pub(super) fn leading_zero(id: &str) -> bool {
    id.len() > 1 && id.starts_with('0')
}
