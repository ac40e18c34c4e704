//! `consentry rules explain ID`: what a rule is, and what it makes of a text. The text is never shown.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::output::{complain, say};
use super::all;
use crate::censor::explain::{Place, explain};
use crate::censor::rules::{Anchor, Checksum, ContextMode, Rule, RuleSpec};
use crate::censor::{Action, Context, Engine, Policy, RuleSet};
use crate::diagnostic::nearest;

/// Which rule, and what about.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The rule's id.
    id: String,
    /// A file, or `-` for standard input: which stage finds something in it, or says no.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// The name of the field or column that the text is the value of.
    #[arg(long, value_name = "NAME", requires = "text")]
    field: Option<String>,
    /// Rule files or folders of them; a rule replaces the built-in one of its id.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
}

/// Most of a text that is looked at.
const LARGEST: u64 = 64 << 20;
/// Most places without a finding that are told.
const TOLD: usize = 50;

/// Shows it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let rules = match all(&arguments.rules) {
        Ok(rules) => rules,
        Err(code) => return code,
    };
    let Some(rule) = rules.get(&arguments.id) else {
        let near = nearest(&arguments.id, rules.iter().map(|rule| rule.spec.id.value.as_str()));
        let near = near
            .map_or("; `consentry rules list` lists them".to_owned(), |id| format!("; did you mean `{id}`?"));
        complain(format_args!("there is no rule `{}`{near}", arguments.id));
        return ExitCode::from(64);
    };
    say(described(rule));
    let Some(path) = &arguments.text else { return ExitCode::SUCCESS };
    match text(path).and_then(|text| look(&rules, rule, &text, arguments.field.as_deref())) {
        Ok(told) => {
            say(format_args!("\n{told}"));
            ExitCode::SUCCESS
        }
        Err(message) => {
            complain(message);
            ExitCode::from(2)
        }
    }
}

fn text(path: &PathBuf) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = Vec::new();
    let read = if **path == *"-" {
        std::io::stdin().take(LARGEST + 1).read_to_end(&mut text)
    } else {
        std::fs::File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut text)
    };
    read.map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(format!("{}: is longer than {LARGEST} bytes", path.display()));
    }
    Ok(text)
}

fn line(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(out, "\n  {name:<11} {value}");
    }
}

/// The rule in words.
fn described(rule: &Rule) -> String {
    let spec = &rule.spec;
    let mut out = format!("{}\n  {}", spec.id.value, spec.description);
    let mut say = |name: &str, value: &str| line(&mut out, name, value);
    say("from", &format!("{}:{}", rule.file, rule.location.line()));
    say("entity", &spec.label());
    say("groups", &spec.groups.join(", "));
    say("severity", &spec.severity.to_string());
    let off = if spec.action.action() == Action::Allow { " (off until a policy names it)" } else { "" };
    say("action", &format!("{}{off}", spec.action.action()));
    let keywords: Vec<String> =
        spec.keywords.iter().map(|word| format!("`{}`", word.escape_debug())).collect();
    say("keywords", &keywords.join(" "));
    if spec.anchor == Some(Anchor::Digits) {
        let least = spec.min_digits.map(|least| format!(", {least} or more")).unwrap_or_default();
        say("anchor", &format!("digits{least}"));
    }
    say("scanner", &spec.scanner.map(|name| format!("{name:?}")).unwrap_or_default());
    say("fields", &spec.fields.join(", "));
    say("before", spec.before.as_ref().map_or("", |text| &text.value));
    say("pattern", spec.pattern.as_ref().map_or("", |text| &text.value));
    say("beside", &beside(spec));
    say("length", &length(rule));
    say("entropy", &spec.min_entropy.map(|bits| format!("{bits} bits a byte, or more")).unwrap_or_default());
    say("validator", &validator(spec));
    say("context", &context(spec));
    spec.allow.iter().for_each(|text| say("allow", &text.value));
    say("stop words", &spec.stop_words.join(", "));
    spec.references.iter().for_each(|text| say("reference", text));
    let shown = |text: String| text.escape_debug().to_string();
    spec.examples.iter().for_each(|parts| say("found", &shown(parts.value.concat())));
    for example in &spec.field_examples {
        say("found", &format!("{}: {}", example.field, shown(example.parts.value.concat())));
    }
    spec.negative_examples.iter().for_each(|parts| say("not found", &shown(parts.value.concat())));
    for example in &spec.negative_field_examples {
        say("not found", &format!("{}: {}", example.field, shown(example.parts.value.concat())));
    }
    out
}

fn beside(spec: &RuleSpec) -> String {
    format!("no {:?} before, no {:?} behind", spec.left, spec.right)
        .to_lowercase()
        .replace("no none", "anything")
}

fn length(rule: &Rule) -> String {
    let spec = &rule.spec;
    match (&spec.swallow, rule.longest()) {
        (Some(swallow), _) => format!("open-ended, at most {} bytes", swallow.max),
        (None, Some(longest)) if longest > 0 => {
            format!("at most {} bytes", spec.max_length.unwrap_or(longest))
        }
        _ => String::new(),
    }
}

fn validator(spec: &RuleSpec) -> String {
    let Some(name) = &spec.validator else { return String::new() };
    let what = match spec.checksum {
        Checksum::Gate => "has to accept the value",
        Checksum::Boost => "what it accepts needs no entropy and no context",
    };
    format!("{}: {what}", name.value)
}

fn context(spec: &RuleSpec) -> String {
    let Some(context) = &spec.context else { return String::new() };
    let mode = match context.mode {
        ContextMode::Required => "one is needed",
        ContextMode::Boost => "one makes up for entropy and check digits",
    };
    format!("{} ({mode}, within {} bytes)", context.words.join(", "), context.window)
}

/// What the rule makes of a text.
fn look(rules: &RuleSet, rule: &Rule, text: &[u8], field: Option<&str>) -> Result<String, String> {
    let id = &rule.spec.id.value;
    let places = explain(rules, id, text, field).map_err(|error| error.to_string())?;
    let (found, refused): (Vec<&Place>, Vec<&Place>) =
        places.iter().partition(|place| place.refused.is_none());
    let mut out = format!("in the text: {} found, {} place(s) refused", found.len(), refused.len());
    let number = |at: usize| 1 + memchr::memchr_iter(b'\n', text.get(..at).unwrap_or_default()).count();
    let whole = match Engine::compile(rules, &Policy::recommended()) {
        Ok(engine) if !found.is_empty() => Some(engine),
        _ => None,
    };
    for place in
        places.iter().filter(|place| place.refused.is_none()).chain(refused.iter().copied().take(TOLD))
    {
        let value = if place.masked.is_empty() { String::new() } else { format!(" {}", place.masked) };
        let (stage, why) = match &place.refused {
            None => ("found", overlap(whole.as_ref(), id, place, text, field)),
            Some((stage, why)) => (stage.as_str(), why.clone()),
        };
        let _ = write!(
            out,
            "\n  line {}, bytes {}-{}{value}: {stage}{}{why}",
            number(place.start),
            place.start,
            place.end,
            if why.is_empty() { "" } else { ": " },
        );
    }
    if refused.len() > TOLD {
        let _ = write!(out, "\n  and {} more", refused.len() - TOLD);
    }
    Ok(out)
}

/// Who names the region if all rules look.
fn overlap(engine: Option<&Engine>, id: &str, place: &Place, text: &[u8], field: Option<&str>) -> String {
    let Some(engine) = engine else { return String::new() };
    let mut found = Vec::new();
    engine.scan(text, Context { field }, &mut found);
    let Some(finding) = found.iter().find(|f| f.start < place.end && place.start < f.end) else {
        return "but the rule is off until a policy names it".to_owned();
    };
    let other = engine.rule(finding.rule);
    if *other.id == *id {
        return String::new();
    }
    format!(
        "but `{}` (severity {}) names the region, bytes {}-{}",
        other.id, other.severity, finding.start, finding.end
    )
}
