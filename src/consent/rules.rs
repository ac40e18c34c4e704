//! A tenant's rules of consent: which policy version counts, and what the law of a place says.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::Purpose;

/// What the law of a place says of a use that nobody was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// It needs consent before.
    OptIn,
    /// It is allowed until somebody says no.
    OptOut,
}

/// What becomes of a grant that was given under another policy version than the one in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OlderGrants {
    /// It stands.
    #[default]
    Keep,
    /// It lapses, unless its version is one of these.
    Lapse(BTreeSet<String>),
}

/// A tenant's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The policy version in force.
    pub policy_version: Option<String>,
    /// What becomes of older grants.
    pub older: OlderGrants,
    /// What the law says, by country or region, in capitals (`EU`, `US-CA`).
    pub jurisdictions: BTreeMap<String, Law>,
    /// What Global Privacy Control says no to.
    pub gpc: BTreeSet<Purpose>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            policy_version: None,
            older: OlderGrants::Keep,
            jurisdictions: BTreeMap::new(),
            gpc: BTreeSet::from([Purpose::Share]),
        }
    }
}

impl Rules {
    /// Whether a grant that was given under this version has lapsed. One that names none is older than any.
    #[must_use]
    pub fn lapsed(&self, version: Option<&str>) -> bool {
        match &self.older {
            OlderGrants::Keep => false,
            OlderGrants::Lapse(standing) => {
                version.is_none_or(|v| self.policy_version.as_deref() != Some(v) && !standing.contains(v))
            }
        }
    }

    /// What the law says to somebody of this place. A region is looked for first, then its country (`US-CA`, `US`); a place that is not
    /// known, or not said, asks for consent before.
    #[must_use]
    pub fn law(&self, jurisdiction: Option<&str>) -> Law {
        let place = jurisdiction.unwrap_or_default().trim().to_ascii_uppercase();
        let country = place.split('-').next().unwrap_or_default();
        let found = self.jurisdictions.get(&place).or_else(|| self.jurisdictions.get(country));
        found.copied().unwrap_or(Law::OptIn)
    }
}
