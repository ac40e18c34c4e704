//! Analysers, and what tenants want of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::super::units::{Size, Span};
use super::{ActionName, Credential};

/// An analyser that speaks Presidio's HTTP API: `POST /analyze`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Analyser {
    /// Scheme, authority and path prefix. `http` for loopback addresses only.
    #[schemars(with = "String")]
    pub url: Spanned<String>,
    /// PEM file with roots beside the system's.
    #[schemars(with = "Option<String>")]
    pub ca: Option<Spanned<String>>,
    /// What it is shown of who asks.
    pub credential: Option<Credential>,
    /// Where it processes what it gets, as an upstream's `region`.
    pub region: Option<String>,
    /// The language of the texts (`en`).
    pub language: Option<String>,
    /// Findings with a lower score are not wanted: its `score_threshold` (the analyser's own).
    pub score: Option<f64>,
    /// Time for all that is asked about one body (5s).
    pub timeout: Option<Span>,
    /// Questions at once (8).
    pub concurrency: Option<usize>,
    /// Questions a second (100).
    pub rate: Option<u32>,
    /// Bytes of one question (64KiB).
    pub question: Option<Size>,
    /// Bytes of one body; a longer one is refused (1MiB).
    pub body: Option<Size>,
}

/// What a tenant wants of an analyser.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantAnalyser {
    /// The analyser, by its name in `consentry.yaml`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Entities that are looked for towards the upstream, and what becomes of them.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ActionName>")]
    pub request: BTreeMap<String, Spanned<ActionName>>,
    /// The same towards the tenant.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ActionName>")]
    pub response: BTreeMap<String, Spanned<ActionName>>,
    /// Operations whose bodies the analyser isn't asked about, by operation id. What it can't be asked about (streams,
    /// forms, files) is refused elsewhere.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub unanalysed: Vec<Spanned<String>>,
}
