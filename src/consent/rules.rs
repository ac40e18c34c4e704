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

/// Which versions of the policy grants count under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Any, and without one.
    Any {
        /// The one that new grants are recorded under, if there is one.
        current: Option<String>,
    },
    /// This one; a grant under another, or under none, has lapsed.
    Only(String),
}

/// A tenant's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Which versions of the policy grants count under.
    pub versions: Versions,
    /// What the law says, by country or region, in capitals (`EU`, `US-CA`).
    pub jurisdictions: BTreeMap<String, Law>,
    /// What Global Privacy Control says no to.
    pub gpc: BTreeSet<Purpose>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            versions: Versions::Any { current: None },
            jurisdictions: BTreeMap::new(),
            gpc: BTreeSet::from([Purpose::Share]),
        }
    }
}

impl Rules {
    /// Whether a grant that was given under this version has lapsed.
    #[must_use]
    pub fn lapsed(&self, version: Option<&str>) -> bool {
        match &self.versions {
            Versions::Any { .. } => false,
            Versions::Only(only) => version != Some(only),
        }
    }

    /// The version that new grants are recorded under.
    #[must_use]
    pub fn current_version(&self) -> Option<&str> {
        match &self.versions {
            Versions::Any { current } => current.as_deref(),
            Versions::Only(only) => Some(only),
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
