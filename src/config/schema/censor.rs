//! What must not pass, as a tenant's file says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::TenantAnalyser;
use crate::censor::rules::RuleSpec;

/// What must not pass, by direction.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Censor {
    /// Rules of the tenant's own, which apply to nobody else: a rule file or a folder of them, relative to the
    /// configuration's folder and inside of it; or the rules themselves, in a list.
    #[schemars(schema_with = "OwnRules::schema")]
    pub rules: Option<Spanned<OwnRules>>,
    /// Towards the upstream.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ActionName>")]
    pub request: BTreeMap<String, Spanned<ActionName>>,
    /// Towards the tenant.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ActionName>")]
    pub response: BTreeMap<String, Spanned<ActionName>>,
    /// Of single operations, by operation id. Of two entries the one with the more specific name decides; of two with
    /// the same name the operation's.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, CensorSides>")]
    pub operations: BTreeMap<String, Spanned<CensorSides>>,
    /// A second opinion on texts. Whatever it can't see or doesn't answer does not pass.
    #[schemars(with = "Option<TenantAnalyser>")]
    pub analyser: Option<Spanned<TenantAnalyser>>,
    /// For a trial: what is found is reported and passes. DANGEROUS.
    #[schemars(with = "Option<DryRun>")]
    pub dry_run: Option<Spanned<DryRun>>,
}

/// What must not pass by direction, and nothing else: of one operation, or of a policy.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CensorSides {
    /// Towards the upstream.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ActionName>")]
    pub request: BTreeMap<String, Spanned<ActionName>>,
    /// Towards the tenant.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ActionName>")]
    pub response: BTreeMap<String, Spanned<ActionName>>,
}

/// A dry run: what the censor finds is reported as ever, and passes unchanged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// The routes it holds on. Each has to say `allow_dry_run: true`.
    #[schemars(with = "Vec<String>")]
    pub routes: Vec<Spanned<String>>,
    /// When it ends by itself (RFC 3339), at most 31 days ahead.
    #[schemars(with = "String")]
    pub until: Spanned<jiff::Timestamp>,
    /// What whoever writes this takes upon them.
    pub accepted: DryRunAccepted,
}

/// The words that a dry run has to be asked for with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DryRunAccepted {
    /// Secrets and personal data pass.
    SecretsAndPersonalDataPass,
}

/// Rules of a tenant's own.
#[derive(Debug)]
pub enum OwnRules {
    /// The path of a file or folder.
    Path(String),
    /// The rules themselves.
    Inline(Vec<RuleSpec>),
}

impl OwnRules {
    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["string", "array"], "items": {"type": "object"}})
    }
}

impl<'de> Deserialize<'de> for OwnRules {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OwnRulesVisitor)
    }
}

/// By hand, because what serde does for untagged enums loses the places of errors.
struct OwnRulesVisitor;

impl<'de> serde::de::Visitor<'de> for OwnRulesVisitor {
    type Value = OwnRules;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a path or a list of rules")
    }

    fn visit_str<E: serde::de::Error>(self, path: &str) -> Result<OwnRules, E> {
        Ok(OwnRules::Path(path.to_owned()))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut rules: A) -> Result<OwnRules, A::Error> {
        let mut all = Vec::new();
        while let Some(rule) = rules.next_element()? {
            all.push(rule);
        }
        Ok(OwnRules::Inline(all))
    }
}

/// What is done with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionName {
    /// It passes.
    Allow,
    /// It becomes `[ENTITY]`.
    Redact,
    /// All but its last characters become `*`.
    Mask,
    /// It becomes a keyed hash.
    Hash,
    /// It becomes a stable pseudonym that is restored in the answer.
    Pseudonym,
    /// It becomes another value of the same format, which is restored in the answer.
    Fpe,
    /// The request or the answer is refused.
    Block,
}
