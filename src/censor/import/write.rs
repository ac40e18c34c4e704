//! The rule file as text.

use std::fmt::Write as _;

use super::{Written, print};

/// The file.
pub(super) fn file(from: &str, rules: &[Written]) -> String {
    let mut out = format!("# Imported from {}.\nversion: 1\nrules:", from.escape_debug());
    if rules.is_empty() {
        out.push_str(" []");
    }
    out.push('\n');
    for written in rules {
        rule(from, written, &mut out);
    }
    out
}

fn rule(from: &str, rule: &Written, out: &mut String) {
    let draft = &rule.draft;
    let _ = writeln!(out, "  - id: {}", quoted(&rule.id));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "    {name}: {value}");
    };
    line("description", &quoted(&rule.description));
    if let Some(entity) = &rule.entity {
        line("entity", &quoted(entity));
    }
    line("groups", &list(&rule.groups));
    line("severity", "7");
    line("action", "redact");
    if draft.keywords.is_empty() {
        line("anchor", "digits");
    } else {
        line("keywords", &list(&draft.keywords));
    }
    if !draft.before.is_empty() {
        line("before", &quoted(&print::text(&draft.before)));
    }
    line("pattern", &quoted(&print::text(&draft.pattern)));
    line("left", name(draft.left));
    line("right", name(draft.right));
    if let Some(bits) = rule.entropy {
        line("min_entropy", &format!("{bits:?}"));
    }
    if !rule.context.is_empty() {
        line("context", &format!("{{words: {}, window: 192}}", list(&rule.context)));
    }
    if !rule.allow.is_empty() {
        line("allow", &list(&rule.allow));
    }
    if !rule.stop_words.is_empty() {
        line("stop_words", &list(&rule.stop_words));
    }
    line("references", &list(&[format!("gitleaks rule, {from}:{}", rule.line)]));
}

const fn name(boundary: super::super::rules::Boundary) -> &'static str {
    use super::super::rules::Boundary;
    match boundary {
        Boundary::None => "none",
        Boundary::Digit => "digit",
        Boundary::Alnum => "alnum",
        Boundary::Word => "word",
        Boundary::Token => "token",
        Boundary::Base64 => "base64",
        Boundary::Number => "number",
    }
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A scalar of YAML: in single quotes if that says it, or as JSON would.
fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}
