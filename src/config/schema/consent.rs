//! What a tenant's file says of consent.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::names::Purpose;

/// What the tenant's data may be used for. Nothing is granted unless it stands here.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The grants on record.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// What becomes of a request that asks the upstream to store it, without a `store` grant (`turn_off`). A request
    /// that says nothing is never stored without one.
    #[schemars(with = "Option<StoreWithoutGrant>")]
    pub store_without_grant: Option<Spanned<StoreWithoutGrant>>,
    /// The version of the privacy policy in force. New grants are recorded under it.
    pub policy_version: Option<String>,
    /// What becomes of grants that were given under another version (`keep`).
    #[schemars(with = "Option<OlderGrants>")]
    pub older_grants: Option<Spanned<OlderGrants>>,
    /// Versions under which grants stand all the same, where older ones lapse.
    #[serde(default)]
    pub still_valid: Vec<String>,
    /// What `Sec-GPC: 1` says no to (`share`).
    pub gpc: Option<Vec<Purpose>>,
}

/// What becomes of older grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OlderGrants {
    /// They stand.
    #[default]
    Keep,
    /// They lapse; one that names no version does, too.
    Lapse,
}

/// What upstreams get that are third parties. The later is the stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThirdParties {
    /// What was granted for `share`.
    #[default]
    Grant,
    /// Nothing, whatever was granted.
    Refuse,
}

/// What becomes of `store: true` without a grant. The later is the stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreWithoutGrant {
    /// It is turned off, and the answer says so (`Consentry-Store: off`).
    #[default]
    TurnOff,
    /// It is refused.
    Refuse,
}

/// A grant on record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What for.
    pub purpose: Purpose,
    /// For what: `tenant`, or `dataset` with a data set's name (`*` for every one, `default` for what names none).
    pub scope: GrantScope,
    /// The policy version that it was given under.
    pub policy_version: Option<String>,
    /// Not before (RFC 3339).
    #[schemars(with = "Option<String>")]
    pub from: Option<Timestamp>,
    /// Not after (RFC 3339).
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Where the evidence is kept.
    pub evidence: Option<String>,
    /// When it was withdrawn (RFC 3339).
    #[schemars(with = "Option<String>")]
    pub withdrawn: Option<Timestamp>,
}

/// What a grant is about.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum GrantScope {
    /// The tenant.
    Tenant,
    /// A data set, or `*`.
    Dataset(String),
}
