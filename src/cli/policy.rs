//! `consentry policy`: what privacy policies promise, what keeps each promise, and which test shows it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::check::refuse;
use super::output::{complain, say};
use crate::config::schema::KeptBy;
use crate::config::{Kept, Policy, Promise};
use crate::diagnostic::nearest;

/// What is asked of policies.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the policies that tenants can name, and how much of each is kept.
    List(Shown),
    /// Says of each promise what keeps it and which test shows it.
    Explain(Explain),
    /// Says in which settings two policies differ, and what each promises.
    Diff(Diff),
}

/// Of which configuration, and in which form.
#[derive(Debug, Args)]
pub(super) struct Shown {
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The configuration, whose folder `policies` may hold more: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

/// Which policy.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The policy.
    name: String,
    #[command(flatten)]
    shown: Shown,
}

/// Which policies.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The one.
    one: String,
    /// The other.
    other: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let (Command::List(shown) | Command::Explain(Explain { shown, .. }) | Command::Diff(Diff { shown, .. })) =
        command;
    let policies = match Policy::all(&shown.config) {
        Ok(policies) => policies,
        Err(errors) => return refuse(&errors),
    };
    let told = match command {
        Command::List(_) => Some(list(&policies, shown.format)),
        Command::Explain(asked) => named(&policies, &asked.name).map(|policy| explain(policy, shown.format)),
        Command::Diff(asked) => {
            let (one, other) = (named(&policies, &asked.one), named(&policies, &asked.other));
            one.zip(other).map(|(one, other)| diff(one, other, shown.format))
        }
    };
    let Some(told) = told else { return ExitCode::from(64) };
    say(told.trim_end());
    ExitCode::SUCCESS
}

fn named<'a>(policies: &'a [Policy], name: &str) -> Option<&'a Policy> {
    let found = policies.iter().find(|policy| policy.name == name);
    if found.is_none() {
        let names = policies.iter().map(|policy| policy.name.as_str());
        let near = nearest(name, names.clone()).map(|near| format!("did you mean `{near}`?"));
        let all = || format!("known: {}", names.collect::<Vec<_>>().join(", "));
        complain(format_args!("unknown policy `{name}`; {}", near.unwrap_or_else(all)));
    }
    found
}

/// How many promises are kept, partly kept, and not yet.
fn counts(policy: &Policy) -> [usize; 3] {
    [Kept::Whole, Kept::Partly, Kept::NotYet]
        .map(|kept| policy.promises.iter().filter(|promise| promise.kept() == kept).count())
}

fn list(policies: &[Policy], format: Format) -> String {
    if format == Format::Json {
        let all = policies.iter().map(|policy| {
            let [kept, partly, missing] = counts(policy);
            json!({
                "policy": policy.name, "title": policy.title, "version": policy.version,
                "kept": kept, "partly": partly, "not_yet": missing,
            })
        });
        return pretty(&all.collect());
    }
    let mut text = String::new();
    for policy in policies {
        let [kept, partly, missing] = counts(policy);
        let _ok = writeln!(
            text,
            "{:<12} {} (version {}): {kept} promises kept, {partly} partly, {missing} not yet",
            policy.name, policy.title, policy.version
        );
    }
    text
}

/// What keeps a promise, in words.
fn keeper(policy: &Policy, kept: &KeptBy) -> String {
    match kept {
        KeptBy::Option(at) => {
            let value = policy.written.pointer(at).map(Value::to_string).unwrap_or_default();
            format!("the policy's setting {at} = {value}")
        }
        KeptBy::Always(words) => format!("always: {words} (ARCHITECTURE.md)"),
        KeptBy::Platform(setting) => format!("consentry.yaml: {setting}"),
        KeptBy::Tenant(setting) => format!("the tenant's file: {setting}"),
        KeptBy::Command(command) => format!("the command `{command}`"),
        KeptBy::Document(path) => format!("the document {path}"),
        KeptBy::NotYet(words) => format!("not enforced yet: {words}"),
    }
}

fn explain(policy: &Policy, format: Format) -> String {
    if format == Format::Json {
        return pretty(&json!({
            "policy": policy.name, "title": policy.title, "version": policy.version,
            "options": policy.written,
            "promises": policy.promises.iter().map(|promise| row(policy, promise)).collect::<Vec<_>>(),
        }));
    }
    let mut text = format!("{}: {} (version {})\n\nsets\n", policy.name, policy.title, policy.version);
    for (at, value) in policy.settings() {
        let _ok = writeln!(text, "  {at} = {value}");
    }
    text.push_str("\npromises\n");
    for promise in &policy.promises {
        let _ok = writeln!(text, "  {} [{}] {}", promise.id, promise.kept().as_str(), promise.words);
        for kept in &promise.kept_by {
            let _ok = writeln!(text, "      by {}", keeper(policy, kept));
        }
        for test in &promise.shown_by {
            let _ok = writeln!(text, "      shown by {test}");
        }
    }
    text
}

/// A promise as JSON.
fn row(policy: &Policy, promise: &Promise) -> Value {
    let kept_by = promise.kept_by.iter().map(|kept| {
        let (kind, text) = match kept {
            KeptBy::Option(text) => ("option", text),
            KeptBy::Always(text) => ("always", text),
            KeptBy::Platform(text) => ("platform", text),
            KeptBy::Tenant(text) => ("tenant", text),
            KeptBy::Command(text) => ("command", text),
            KeptBy::Document(text) => ("document", text),
            KeptBy::NotYet(text) => ("not_yet", text),
        };
        let mut row = json!({ kind: text });
        if let (KeptBy::Option(at), Some(members)) = (kept, row.as_object_mut()) {
            members.insert("value".to_owned(), policy.written.pointer(at).cloned().unwrap_or_default());
        }
        row
    });
    json!({
        "id": promise.id, "promise": promise.words, "state": promise.kept().as_str(),
        "kept_by": kept_by.collect::<Vec<_>>(), "shown_by": promise.shown_by,
    })
}

fn diff(one: &Policy, other: &Policy, format: Format) -> String {
    let (mine, theirs) = (one.settings(), other.settings());
    let mut places: Vec<&String> = mine.iter().chain(&theirs).map(|(at, _)| at).collect();
    places.sort();
    places.dedup();
    let of = |all: &[(String, Value)], at: &str| {
        all.iter().find(|(place, _)| place == at).map(|(_, value)| value.clone())
    };
    let differ = places.into_iter().filter_map(|at| {
        let (mine, theirs) = (of(&mine, at), of(&theirs, at));
        (mine != theirs).then_some((at, mine, theirs))
    });
    // Rows of two policies that happen to have the same id are two promises, unless they promise the same.
    let only = |of: &Policy, not: &Policy| -> Vec<(String, String)> {
        let same = |p: &Promise| not.promises.iter().any(|q| q.id == p.id && q.words == p.words);
        let missing = of.promises.iter().filter(|p| !same(p));
        missing.map(|p| (p.id.clone(), p.words.clone())).collect()
    };
    if format == Format::Json {
        let settings: Vec<Value> = differ
            .map(|(at, mine, theirs)| json!({"at": at, &one.name: mine, &other.name: theirs}))
            .collect();
        let promises = |of: &Policy, not: &Policy| -> Value {
            only(of, not).into_iter().map(|(id, words)| json!({"id": id, "promise": words})).collect()
        };
        return pretty(&json!({
            "settings": settings,
            "promises": {&one.name: promises(one, other), &other.name: promises(other, one)},
        }));
    }
    let shown = |value: Option<Value>| value.map_or_else(|| "not set".to_owned(), |value| value.to_string());
    let mut text = String::from("settings\n");
    for (at, mine, theirs) in differ {
        let _ok = writeln!(text, "  {at}: {} {}, {} {}", one.name, shown(mine), other.name, shown(theirs));
    }
    for (of, not) in [(one, other), (other, one)] {
        let _ok = writeln!(text, "\npromised by {} alone", of.name);
        for (id, words) in only(of, not) {
            let _ok = writeln!(text, "  {id} {words}");
        }
    }
    text
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
