//! What a tenant's file says of consent.

use std::collections::BTreeSet;

use super::super::files::Text;
use super::super::schema::{self, GrantScope};
use super::Compiler;
use crate::consent::{Grant, OlderGrants, Rules, Scope};
use crate::names::{DatasetName, Purpose};

/// Its rules.
pub(super) fn of(c: &mut Compiler<'_>, file: &Text, raw: &schema::Consent) -> Rules {
    let older = match &raw.older_grants {
        Some(asked) if asked.value == schema::OlderGrants::Lapse => {
            if raw.policy_version.is_none() {
                c.error(
                    file,
                    asked,
                    "older grants can't lapse where `policy_version` doesn't say which one is in force",
                );
            }
            OlderGrants::Lapse(raw.still_valid.iter().cloned().collect())
        }
        Some(_) | None => OlderGrants::Keep,
    };
    Rules {
        policy_version: raw.policy_version.clone(),
        older,
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
