//! A privacy policy as a file: what it sets, and what each of its promises is kept by.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{CensorSides, GrantsUnder, OtherFiles, RecordActions, Regions, StoreWithoutGrant, ThirdParties};

/// `policies/*.yaml`: settings under one name, and the promises that they keep.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// The name that tenants write: letters, digits, `-` and `_`.
    #[schemars(with = "String")]
    pub policy: Spanned<String>,
    /// What it is, in a few words.
    pub title: String,
    /// Which version of the policy's text it stands for.
    pub version: String,
    /// What it sets: keys that every tenant's file may have.
    #[serde(default)]
    pub options: PolicyOptions,
    /// What it promises.
    #[schemars(with = "Vec<PromiseEntry>")]
    pub promises: Vec<Spanned<PromiseEntry>>,
}

/// What a policy may set. Each key is one of a tenant's file and means the same there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyOptions {
    /// What data may be used for.
    #[serde(default)]
    pub consent: PolicyConsent,
    /// What must not pass.
    #[serde(default)]
    pub censor: CensorSides,
    /// The records of data sets are judged one by one, at least so strictly.
    pub records: Option<PolicyRecords>,
    /// The only operations whose bodies may pass although they can't be inspected. Not written: none beside a `censor`, and what
    /// a tenant likes without one.
    pub opaque: Option<Vec<String>>,
    /// Operations in whose documents nothing may stand that can't be inspected.
    #[serde(default)]
    pub refuse_media: Vec<String>,
    /// What third parties' upstreams get.
    pub third_parties: Option<ThirdParties>,
    /// Whether a tenant has to be bound to one region.
    pub regions: Option<Regions>,
}

/// What a policy may set of `consent`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConsent {
    /// What becomes of a request that asks the upstream to store it, without a grant.
    pub store_without_grant: Option<StoreWithoutGrant>,
    /// Under which version of this policy a grant counts.
    pub grants_under: Option<GrantsUnder>,
}

/// What a policy may set of `records`. What it leaves out is as strict as for a tenant that leaves it out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRecords {
    /// What becomes of records, by what was found.
    #[serde(default)]
    pub when: RecordActions,
    /// What becomes of files that are not read record by record (`refuse`).
    #[serde(default)]
    pub other_files: OtherFiles,
}

/// A promise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromiseEntry {
    /// Its row: a letter and a number.
    pub id: String,
    /// What is promised, in plain words.
    pub promise: String,
    /// What keeps it.
    pub kept_by: Vec<KeptBy>,
    /// Tests that fail if it is broken: `path::name`.
    #[serde(default)]
    pub shown_by: Vec<String>,
}

/// What keeps a promise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum KeptBy {
    /// A setting of this policy, by its JSON pointer below `options`.
    Option(String),
    /// An invariant of ARCHITECTURE.md, by its bold words: no setting turns it off.
    Always(String),
    /// A setting of `consentry.yaml`, which the platform engineer answers for.
    Platform(String),
    /// Something that the tenant's file says of itself: a key's purposes, a grant.
    Tenant(String),
    /// A command that somebody has to run.
    Command(String),
    /// A document of the release.
    Document(String),
    /// What is promised and not kept.
    NotYet(String),
}
