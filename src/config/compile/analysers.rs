//! Analysers, and what tenants want of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::schema::{self, ActionName};
use super::super::snapshot::Analysis;
use super::super::units::{Size, Span};
use super::Compiler;
use super::{engines, upstreams};
use crate::analyser::Settings;
use crate::censor::{Action, RuleInfo, is_label};
use crate::names::OperationId;

/// The analysers of the main file.
pub(super) fn compile(
    c: &mut Compiler<'_>,
    file: &Text,
    raw: &BTreeMap<String, Spanned<schema::Analyser>>,
) -> BTreeMap<String, Settings> {
    let compiled =
        raw.iter().filter_map(|(name, spanned)| Some((name.clone(), one(c, file, name, spanned)?)));
    compiled.collect()
}

fn one(
    c: &mut Compiler<'_>,
    file: &Text,
    name: &str,
    spanned: &Spanned<schema::Analyser>,
) -> Option<Settings> {
    let raw = &spanned.value;
    let base = upstreams::base(c, file, &raw.url)?;
    let whole = format!("{}/analyze", base.to_string().trim_end_matches('/'));
    let Ok(url) = whole.parse::<Uri>() else {
        c.error(file, &raw.url, "is not a URL");
        return None;
    };
    let credential = match &raw.credential {
        None => None,
        Some(given) => Some(upstreams::credential(c, file, spanned, given)?),
    };
    let ca = raw.ca.as_ref().map(|path| c.path(&path.value));
    if let (Some(path), Some(at)) = (&ca, &raw.ca)
        && let Err(error) = crate::tls::client(&crate::tls::Roots::system_and(Some(path)))
    {
        c.error(file, at, error.to_string());
    }
    if raw.score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
        c.error(file, spanned, "a score lies between 0 and 1");
    }
    let zero = [raw.concurrency == Some(0), raw.rate == Some(0)].contains(&true);
    if zero {
        c.error(file, spanned, "an analyser that may not be asked");
    }
    let size = |given: Option<Size>, default: u64| {
        usize::try_from(given.map_or(default, |size| size.0)).unwrap_or(usize::MAX)
    };
    Some(Settings {
        name: name.to_owned(),
        region: raw.region.clone(),
        url,
        ca,
        credential: credential.map(|credential| (credential.header, credential.value)),
        language: raw.language.clone().unwrap_or_else(|| "en".to_owned()),
        score: raw.score,
        timeout: raw.timeout.map_or(Duration::from_secs(5), |Span(time)| time),
        concurrency: raw.concurrency.unwrap_or(8),
        rate: raw.rate.unwrap_or(100),
        question: size(raw.question, 64 << 10),
        body: size(raw.body, 1 << 20),
    })
}

/// What a tenant's file asks for.
pub(super) fn of(
    c: &mut Compiler<'_>,
    file: &Text,
    raw: &Spanned<schema::TenantAnalyser>,
    analysers: &BTreeMap<String, Settings>,
    known: &BTreeSet<String>,
) -> Option<Analysis> {
    let asked = &raw.value;
    if !analysers.contains_key(&asked.name.value) {
        c.unknown(file, &asked.name, "analyser", &asked.name.value, analysers.keys().map(String::as_str));
        return None;
    }
    let request = wanted(c, file, &asked.request);
    let response = wanted(c, file, &asked.response);
    if request.is_empty() && response.is_empty() {
        c.error(file, raw, "nothing is wanted of the analyser: `request` and `response` are empty");
    }
    for name in asked.unanalysed.iter().filter(|name| !known.contains(&name.value)) {
        c.unknown(file, name, "operation", &name.value, known.iter().map(String::as_str));
    }
    let unanalysed = asked.unanalysed.iter().map(|name| OperationId::new(&name.value)).collect();
    Some(Analysis { analyser: asked.name.value.clone(), request, response, unanalysed })
}

fn wanted(c: &mut Compiler<'_>, file: &Text, raw: &BTreeMap<String, Spanned<ActionName>>) -> Vec<RuleInfo> {
    let mut wanted = Vec::with_capacity(raw.len());
    for (entity, named) in raw {
        if !is_label(entity) {
            c.error(file, named, "an entity has 3 to 40 capital letters, digits and `_`");
        }
        let action = engines::action(named.value);
        if action != Action::Allow {
            let (id, entity) = (Arc::from(format!("analyser:{entity}")), Arc::from(entity.as_str()));
            wanted.push(RuleInfo { id, entity, action, severity: 5, secret: false, special: false });
        }
    }
    wanted
}
