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
    /// Under which version of the policy a grant counts (`any`).
    #[schemars(with = "Option<GrantsUnder>")]
    pub grants_under: Option<Spanned<GrantsUnder>>,
    /// What `Sec-GPC: 1` says no to (`share`).
    pub gpc: Option<Vec<Purpose>>,
}

/// Under which version of the policy a grant counts. The later is the stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantsUnder {
    /// Under any, and without one.
    #[default]
    Any,
    /// Under the version that the tenant's policy has now: with a new one it has lapsed until it is given again.
    Current,
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
