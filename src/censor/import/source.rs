//! What stands in a `gitleaks.toml`.

use serde::Deserialize;
use toml::Spanned;

/// The file.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) extend: Option<Extend>,
    allowlist: Option<Allow>,
    #[serde(default)]
    allowlists: Vec<Allow>,
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extend {
    #[serde(default)]
    pub(super) use_default: bool,
    #[serde(default)]
    pub(super) disabled_rules: Vec<String>,
}

/// A rule.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) id: Spanned<String>,
    #[serde(default)]
    pub(super) description: String,
    pub(super) regex: Option<Spanned<String>>,
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) secret_group: u32,
    pub(super) entropy: Option<f64>,
    #[serde(default)]
    pub(super) keywords: Vec<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    allowlist: Option<Allow>,
    #[serde(default)]
    allowlists: Vec<Allow>,
    pub(super) required: Option<toml::Value>,
    #[serde(default)]
    pub(super) skip_report: bool,
}

/// What is no secret.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Allow {
    #[serde(default)]
    condition: String,
    #[serde(default)]
    regex_target: String,
    #[serde(default)]
    pub(super) regexes: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    commits: Vec<String>,
    #[serde(default)]
    pub(super) stopwords: Vec<String>,
    #[serde(default)]
    target_rules: Vec<String>,
}

impl File {
    pub(super) fn allowlists(&self) -> impl Iterator<Item = &Allow> {
        self.allowlist.iter().chain(&self.allowlists)
    }
}

impl Rule {
    pub(super) fn allowlists(&self) -> impl Iterator<Item = &Allow> {
        self.allowlist.iter().chain(&self.allowlists)
    }
}

impl Allow {
    /// Whether it is for a rule.
    pub(super) fn is_for(&self, id: &str) -> bool {
        self.target_rules.is_empty() || self.target_rules.iter().any(|rule| rule == id)
    }

    /// Whether its expressions are about the value alone.
    pub(super) fn is_about_the_value(&self) -> bool {
        matches!(self.regex_target.as_str(), "" | "secret")
    }

    /// Whether it can be kept: where all of several conditions have to hold, each by itself allows too much.
    pub(super) fn counts(&self) -> bool {
        let kinds = [&self.regexes, &self.paths, &self.commits, &self.stopwords];
        let several = kinds.iter().filter(|kind| !kind.is_empty()).count() > 1;
        !(several && matches!(self.condition.as_str(), "AND" | "and" | "&&"))
    }

    /// What can't be kept of it.
    pub(super) fn lost(&self) -> Vec<String> {
        let mut lost = Vec::new();
        if !self.counts() {
            lost.push("conditions hold together only (`AND`): none of them is kept".to_owned());
            return lost;
        }
        if !self.paths.is_empty() {
            lost.push(format!("{} path(s) are not kept: only contents are looked at here", self.paths.len()));
        }
        if !self.commits.is_empty() {
            lost.push(format!("{} commit(s) are not kept", self.commits.len()));
        }
        if !self.is_about_the_value() && !self.regexes.is_empty() {
            let (count, target) = (self.regexes.len(), &self.regex_target);
            lost.push(format!(
                "{count} expression(s) about the {target} are not kept: `allow` is about the value"
            ));
        }
        lost
    }
}
