//! The rules that a tenant's engines are made of: the built-in ones, the configuration's, and the tenant's own.

use std::path::{Component, Path};

use serde_saphyr::Spanned;

use super::super::files::{self, Text};
use super::super::schema::{self, OwnRules};
use super::Compiler;
use crate::censor::RuleSet;
use crate::diagnostic::Diagnostic;
use crate::names::TenantId;

/// Most rules, and most bytes of their automata.
#[derive(Clone, Copy)]
struct Most {
    rules: usize,
    bytes: usize,
}

/// Of the configuration. The built-in rules take about 56 MiB.
const OF_ALL: Most = Most { rules: 8000, bytes: 256 << 20 };
/// Of a tenant's own.
const OF_ONE: Most = Most { rules: 2000, bytes: 64 << 20 };

/// Rules, and a name that only the same rules have.
pub(super) struct Rules {
    pub(super) set: RuleSet,
    pub(super) name: String,
    /// The ids of the tenant's own.
    pub(super) own: Vec<String>,
}

/// The built-in rules and those of the folder `rules`, which win by their ids.
pub(super) fn shared(c: &mut Compiler<'_>, texts: &[Text]) -> Option<RuleSet> {
    let own = read(c, texts, OF_ALL)?;
    match RuleSet::builtin() {
        Ok(builtin) => Some(own.or(builtin)),
        Err(error) => {
            c.errors.push(error);
            None
        }
    }
}

/// The rules of a tenant: its own, which win by their ids, and those that all have.
pub(super) fn of(
    c: &mut Compiler<'_>,
    file: &Text,
    tenant: &TenantId,
    raw: &schema::Censor,
    shared: &RuleSet,
) -> Option<Rules> {
    let Some(spanned) = &raw.rules else {
        return Some(Rules { set: shared.clone(), name: String::new(), own: Vec::new() });
    };
    let (own, name) = match &spanned.value {
        OwnRules::Inline(specs) => {
            let (set, errors) = RuleSet::of(&file.name, specs.clone());
            (checked(c, set, errors, std::slice::from_ref(file), OF_ONE)?, format!("of {tenant}"))
        }
        OwnRules::Path(path) => {
            let texts = texts(c, file, spanned, path)?;
            let own = read(c, &texts, OF_ONE);
            let name = digest(&texts);
            c.more.extend(texts);
            (own?, name)
        }
    };
    let ids = own.iter().map(|rule| rule.spec.id.value.clone()).collect();
    Some(Rules { set: own.or(shared.clone()), name, own: ids })
}

/// The rule files at a path that a tenant's file names. It leads out of the configuration's folder for nobody: a tenant's admin
/// edits that file, and errors show lines of what was read.
fn texts(c: &mut Compiler<'_>, file: &Text, at: &Spanned<OwnRules>, path: &str) -> Option<Vec<Text>> {
    let inside =
        !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        c.error(
            file,
            at,
            "the path of rules is relative to the configuration's folder and stays inside of it",
        );
        return None;
    }
    let whole = c.path(path);
    let texts = if whole.is_dir() {
        files::all(&whole)
    } else {
        files::one(&whole).map(|text| vec![text]).map_err(|e| vec![e])
    };
    match texts {
        Ok(texts) if texts.is_empty() => {
            c.error(file, at, format!("there are no rule files (*.yaml) in `{path}`"));
            None
        }
        Ok(texts) => Some(texts),
        Err(errors) => {
            for error in errors {
                c.error(file, at, format!("`{path}`: {}", error.message));
            }
            None
        }
    }
}

fn digest(texts: &[Text]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for text in texts {
        context.update(&(text.text.len() as u64).to_be_bytes());
        context.update(text.text.as_bytes());
    }
    data_encoding::HEXLOWER.encode(context.finish().as_ref())
}

/// Reads rule files: all of them hold, or none is taken.
fn read(c: &mut Compiler<'_>, texts: &[Text], most: Most) -> Option<RuleSet> {
    let mut set = RuleSet::default();
    let mut errors = Vec::new();
    for text in texts {
        let (rules, wrong) = RuleSet::parse_all(&text.name, &text.text);
        errors.extend(wrong);
        errors.extend(rules.split().filter_map(|rule| set.extend(rule).err()));
    }
    checked(c, set, errors, texts, most)
}

/// Refuses rules that can't be matched, or not within bounds.
fn checked(
    c: &mut Compiler<'_>,
    set: RuleSet,
    mut errors: Vec<Diagnostic>,
    texts: &[Text],
    most: Most,
) -> Option<RuleSet> {
    if set.len() > most.rules {
        let file = texts.first().map_or("rules", |text| &text.name);
        errors.push(Diagnostic::whole(file, format!("{} rules, more than {}", set.len(), most.rules)));
    } else {
        errors.extend(set.verify(most.bytes));
    }
    let whole = errors.is_empty();
    c.errors.extend(errors.into_iter().map(
        |error| match texts.iter().find(|text| text.name == error.file) {
            Some(text) if error.source.is_none() => error.with_source(&text.text),
            _ => error,
        },
    ));
    whole.then_some(set)
}
