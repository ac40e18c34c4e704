//! `consentry notice`: the privacy notice, in plain words, from the configuration that is enforced.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::check::refuse;
use super::output::{complain, say};
use crate::censor::RuleSet;
use crate::config::{self, Mode, Publisher, Statement, statements};
use crate::names::TenantId;

/// Of which configuration, to whom, and in which form.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
    /// What can be said to this tenant. By default what can be said to all.
    #[arg(long)]
    tenant: Option<String>,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Text with headings.
    Markdown,
    /// A page.
    Html,
    /// One JSON document.
    Json,
}

/// Prints it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let snapshot = match config::load(&arguments.config, Mode::Check, 0) {
        Ok(snapshot) => snapshot,
        Err(errors) => return refuse(&errors),
    };
    let Some(publisher) = &snapshot.notice else {
        complain(
            "consentry.yaml does not say whose notice it is: `notice: {platform: …, contact: …, site: …}`",
        );
        return ExitCode::from(64);
    };
    let tenant = arguments.tenant.as_deref().map(TenantId::new);
    if let Some(id) = tenant.as_ref().filter(|id| !snapshot.tenants.contains_key(*id)) {
        complain(format_args!("there is no tenant `{id}`"));
        return ExitCode::from(64);
    }
    let rules = match RuleSet::builtin() {
        Ok(rules) => rules,
        Err(error) => return refuse(&[error]),
    };
    let said = statements(&snapshot, &rules, tenant.as_ref(), jiff::Timestamp::now());
    match arguments.format {
        Format::Markdown => say(markdown(publisher, &said).trim_end()),
        Format::Html => say(html(publisher, &said).trim_end()),
        Format::Json => say(json!({
            "platform": publisher.platform, "contact": publisher.contact, "site": publisher.site,
            "tenant": arguments.tenant,
            "statements": said.iter().map(|s| json!({"id": s.id, "topic": s.topic, "words": s.words})).collect::<Vec<_>>(),
        })),
    }
    ExitCode::SUCCESS
}

/// The statements, topic by topic.
fn topics(said: &[Statement]) -> impl Iterator<Item = (&str, &[Statement])> {
    said.chunk_by(|one, next| one.topic == next.topic)
        .filter_map(|of_topic| Some((of_topic.first()?.topic, of_topic)))
}

fn markdown(publisher: &Publisher, said: &[Statement]) -> String {
    let mut text = format!("# Privacy notice of {}\n", publisher.platform);
    for (topic, statements) in topics(said) {
        let _ok = write!(text, "\n## {topic}\n\n");
        for statement in statements {
            let _ok = writeln!(text, "- {}", statement.words);
        }
    }
    let _ok = write!(
        text,
        "\n## Whom to ask\n\n{} ({}): {}\n",
        publisher.platform, publisher.site, publisher.contact
    );
    text
}

fn html(publisher: &Publisher, said: &[Statement]) -> String {
    let (platform, contact) = (escaped(&publisher.platform), escaped(&publisher.contact));
    let site = escaped(&publisher.site);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Privacy notice of {platform}</title></head>\n<body>\n<h1>Privacy notice of {platform}</h1>\n"
    );
    for (topic, statements) in topics(said) {
        let _ok = writeln!(text, "<h2>{}</h2>\n<ul>", escaped(topic));
        for statement in statements {
            let _ok = writeln!(text, "<li>{}</li>", escaped(statement.words));
        }
        text.push_str("</ul>\n");
    }
    let _ok = writeln!(
        text,
        "<h2>Whom to ask</h2>\n<p>{platform} (<a href=\"{site}\">{site}</a>): {contact}</p>\n</body>\n</html>"
    );
    text
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
