//! Kinds and their patterns.

use regex::{Regex, RegexBuilder};

use super::Compiler;
use crate::catalog::KindRule;
use crate::catalog::kind::NotFound;
use crate::catalog::profile::Text;
use crate::names::Kind;

/// Compiled size that a pattern may have, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;

impl Compiler<'_> {
    pub(super) fn compile_kinds(&mut self) {
        for (name, raw) in &self.profile.kinds.0 {
            let lists = !(raw.owned.is_empty() && raw.shared.is_empty());
            if raw.numeric && lists {
                self.error(name.referenced, "`numeric` takes the place of `owned` and `shared`");
            } else if raw.of_tenant.is_some()
                && (!raw.owned.is_empty() || raw.numeric || raw.part_of.is_some())
            {
                self.error(
                    name.referenced,
                    "`of_tenant` says all that there is to say about ids of an owner",
                );
            } else if !raw.numeric && raw.of_tenant.is_none() && !lists {
                self.error(name.referenced, format!("kind `{}` says nothing about its ids", name.value))
                    .help = Some(
                    "give it `owned` patterns, `shared` patterns, `of_tenant`, or `numeric: true`".to_owned(),
                );
            }
            let rule = KindRule {
                kind: Kind::new(&name.value),
                numeric: raw.numeric,
                owned: self.patterns(&raw.owned),
                never: self.patterns(&raw.never),
                shared: self.patterns(&raw.shared),
                part_of: self.with_group(
                    raw.part_of.as_ref(),
                    "whole",
                    "the id of the resource that this one is a part of",
                ),
                of_tenant: self.with_group(
                    raw.of_tenant.as_ref(),
                    "tenant",
                    "the name of the tenant whose it is",
                ),
                not_found: NotFound {
                    message: raw.not_found.message.clone(),
                    kind: raw.not_found.kind.clone(),
                    param: raw.not_found.param.clone(),
                    code: raw.not_found.code.clone(),
                },
            };
            self.kinds.insert(rule.kind.clone(), rule);
        }
    }

    /// A pattern that has a group of this name.
    fn with_group(&mut self, text: Option<&Text>, group: &str, what: &str) -> Option<Regex> {
        let text = text?;
        let pattern = self.pattern(text)?;
        if pattern.capture_names().flatten().any(|name| name == group) {
            return Some(pattern);
        }
        self.error(text.referenced, format!("the pattern has no group named `{group}`")).help =
            Some(format!("`(?<{group}>…)` is {what}"));
        None
    }

    fn patterns(&mut self, texts: &[Text]) -> Vec<Regex> {
        texts.iter().filter_map(|text| self.pattern(text)).collect()
    }

    /// An id is matched whole, as ASCII.
    fn pattern(&mut self, text: &Text) -> Option<Regex> {
        let whole = format!(r"\A(?:{})\z", text.value);
        match RegexBuilder::new(&whole).size_limit(PATTERN_LIMIT).build() {
            Ok(regex) if regex.is_match("") => {
                self.error(text.referenced, "the pattern matches an empty id");
                None
            }
            Ok(regex) => Some(regex),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.error(text.referenced, format!("not a regular expression: {why}"));
                None
            }
        }
    }
}
