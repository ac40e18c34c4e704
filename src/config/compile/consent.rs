//! What a tenant's file says of consent.

use std::collections::BTreeSet;

use super::super::schema::{self, GrantScope};
use super::promised::Floors;
use crate::consent::{Grant, Rules, Scope, Versions};
use crate::names::{DatasetName, Purpose};

/// Its rules. `version`: the one that grants have to be of, if it matters.
pub(super) fn of(raw: &schema::Consent, version: Option<String>, floors: &Floors) -> Rules {
    let current = floors.only_version();
    Rules {
        versions: version.map_or_else(|| Versions::Any { current }, Versions::Only),
        gpc: raw
            .gpc
            .as_ref()
            .map_or_else(|| BTreeSet::from([Purpose::Share]), |gpc| gpc.iter().copied().collect()),
        ..Rules::default()
    }
}

/// A grant.
pub(super) fn grant(raw: &schema::Grant) -> Grant {
    Grant {
        purpose: raw.purpose,
        scope: match &raw.scope {
            GrantScope::Tenant => Scope::Tenant,
            GrantScope::Dataset(name) if name == "*" => Scope::AllDatasets,
            GrantScope::Dataset(name) => Scope::Dataset(DatasetName::new(name)),
        },
        policy_version: raw.policy_version.clone(),
        from: raw.from,
        until: raw.until,
        evidence: raw.evidence.clone(),
        withdrawn: raw.withdrawn,
    }
}
