//! How findings are told.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::work::Hit;
use crate::censor::{Engine, RuleInfo, RuleSet};

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// `FILE:LINE: RULE (ENTITY) bytes START-END, ACTION`, one a line.
    Text,
    /// In columns, and how often each rule found something.
    Table,
    /// `{"line":n,"start":b,"end":b,"rule":"…","entity":"…","action":"…"}`, one a line; `file` where there are several.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Writes findings as they come.
pub(super) struct Report<'a, W> {
    out: W,
    format: Format,
    engine: &'a Engine,
    rules: &'a RuleSet,
    /// There are several files, so each finding says which.
    several: bool,
    /// How often each rule found something.
    counts: BTreeMap<String, u64>,
    total: u64,
    /// What could not be read.
    notes: Vec<String>,
}

impl<'a, W: Write> Report<'a, W> {
    pub(super) const fn new(
        out: W,
        format: Format,
        (engine, rules): (&'a Engine, &'a RuleSet),
        several: bool,
    ) -> Self {
        Self { out, format, engine, rules, several, counts: BTreeMap::new(), total: 0, notes: Vec::new() }
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// Something could not be read.
    pub(super) fn failed(&mut self, message: &str) {
        self.notes.push(message.to_owned());
    }

    /// A finding in a file.
    pub(super) fn hit(&mut self, file: &str, hit: &Hit) -> io::Result<()> {
        let rule = self.engine.rule(hit.rule);
        match self.format {
            Format::Text => self.text(file, hit, rule)?,
            Format::Table => self.row(file, hit, rule)?,
            Format::Json => self.json(file, hit, rule)?,
            Format::Sarif => {
                let start = if self.total == 0 { SARIF_START } else { ",\n" };
                let result = result(file, hit, rule);
                write!(self.out, "{start}{result}")?;
            }
        }
        self.total += 1;
        *self.counts.entry(rule.id.to_string()).or_default() += 1;
        Ok(())
    }

    fn text(&mut self, file: &str, hit: &Hit, rule: &RuleInfo) -> io::Result<()> {
        let file = if self.several { format!("{}:", shown(file)) } else { String::new() };
        let member = hit.member.as_ref().map(|m| format!(" {}", shown(m))).unwrap_or_default();
        let place = hit.pointer.as_ref().map(|p| format!("{member} {}", shown(p))).unwrap_or(member);
        let column = hit.column.as_ref().map(|c| format!(" {}", shown(c))).unwrap_or_default();
        writeln!(
            self.out,
            "{file}{}:{place}{column} {} ({}) bytes {}-{}, {}",
            hit.line, rule.id, rule.entity, hit.start, hit.end, hit.action
        )
    }

    fn row(&mut self, file: &str, hit: &Hit, rule: &RuleInfo) -> io::Result<()> {
        if self.total == 0 {
            writeln!(
                self.out,
                "{:<32} {:<28} {:<9} {:>8} {:>19}  WHERE",
                "RULE", "ENTITY", "ACTION", "LINE", "BYTES"
            )?;
        }
        let parts = [hit.member.as_deref(), hit.pointer.as_deref().or(hit.column.as_deref())];
        let place: String = parts.into_iter().flatten().map(|p| format!(" {}", shown(p))).collect();
        let file = shown(file);
        let bytes = format!("{}-{}", hit.start, hit.end);
        let action = hit.action.to_string();
        writeln!(
            self.out,
            "{:<32} {:<28} {action:<9} {:>8} {bytes:>19}  {file}{place}",
            rule.id, rule.entity, hit.line
        )
    }

    fn json(&mut self, file: &str, hit: &Hit, rule: &RuleInfo) -> io::Result<()> {
        let mut value = json!({
            "line": hit.line,
            "start": hit.start,
            "end": hit.end,
            "rule": rule.id,
            "entity": rule.entity,
            "action": hit.action.as_str(),
        });
        if let Some(pointer) = &hit.pointer {
            value["pointer"] = pointer.as_str().into();
        }
        if let Some(column) = &hit.column {
            value["column"] = (**column).into();
        }
        if let Some(member) = &hit.member {
            value["member"] = (**member).into();
        }
        if self.several {
            value["file"] = file.into();
        }
        writeln!(self.out, "{value}")
    }

    /// Nothing more is found.
    pub(super) fn finish(mut self) -> io::Result<()> {
        match self.format {
            Format::Text | Format::Json => {}
            Format::Table => {
                if self.total > 0 {
                    writeln!(self.out)?;
                }
                let mut counts: Vec<_> = self.counts.iter().collect();
                counts.sort_by_key(|(id, count)| (std::cmp::Reverse(**count), (*id).clone()));
                for (id, count) in counts {
                    writeln!(self.out, "{count:>8}  {id}")?;
                }
                writeln!(self.out, "{:>8}  in all", self.total)?;
            }
            Format::Sarif => {
                let start = if self.total == 0 { SARIF_START } else { "" };
                let end = self.sarif_end();
                writeln!(self.out, "{start}{end}")?;
            }
        }
        self.out.flush()
    }

    /// What comes behind the results: the tool, the rules that found something, and what went wrong.
    fn sarif_end(&self) -> String {
        let rules: Vec<Value> =
            self.counts.keys().filter_map(|id| self.rules.get(id)).map(descriptor).collect();
        let driver = json!({
            "name": "Consentry",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        });
        let notes: Vec<Value> =
            self.notes.iter().map(|text| json!({"level": "error", "message": {"text": text}})).collect();
        let invocation =
            json!({"executionSuccessful": notes.is_empty(), "toolExecutionNotifications": notes});
        let tool = json!({"driver": driver});
        format!("],\"tool\":{tool},\"invocations\":[{invocation}],\"columnKind\":\"utf16CodeUnits\"}}]}}")
    }
}

/// The beginning of a SARIF file. Results come first, so that they can be written as they are found.
const SARIF_START: &str = "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"results\":[\n";

/// A finding as SARIF has it. In records and cells the offsets are in the decoded text, so they are properties.
fn result(file: &str, hit: &Hit, rule: &RuleInfo) -> Value {
    let mut region = json!({"startLine": hit.line});
    let mut properties = json!({"entity": rule.entity, "action": hit.action.as_str()});
    if hit.pointer.is_none() && hit.column.is_none() && hit.member.is_none() {
        region["byteOffset"] = hit.start.into();
        region["byteLength"] = (hit.end - hit.start).into();
    } else {
        properties["start"] = hit.start.into();
        properties["end"] = hit.end.into();
    }
    if let Some(member) = &hit.member {
        properties["member"] = (**member).into();
    }
    if let Some(pointer) = &hit.pointer {
        properties["pointer"] = pointer.as_str().into();
    }
    if let Some(column) = &hit.column {
        properties["column"] = (**column).into();
    }
    let text = format!("{} found by the rule {}", rule.entity, rule.id);
    json!({
        "ruleId": rule.id,
        "level": level(rule.severity),
        "message": {"text": text},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": region}
        }],
        "properties": properties,
    })
}

fn descriptor(rule: &crate::censor::rules::Rule) -> Value {
    let spec = &rule.spec;
    let mut descriptor = json!({
        "id": spec.id.value,
        "shortDescription": {"text": spec.description},
        "defaultConfiguration": {"level": level(spec.severity)},
        "properties": {"tags": spec.groups, "security-severity": format!("{}.0", spec.severity)},
    });
    if let Some(reference) = spec.references.iter().find(|text| text.starts_with("https://")) {
        descriptor["helpUri"] = reference.as_str().into();
    }
    descriptor
}

const fn level(severity: u8) -> &'static str {
    match severity {
        7.. => "error",
        4..=6 => "warning",
        _ => "note",
    }
}

/// A name that somebody else chose (a file's, a member's, a column's), as it may stand in a line of a terminal: control
/// characters would end the line, or speak to the terminal.
fn shown(name: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    name.chars().map(escaped).collect()
}

/// A file's name as a reference of RFC 3986.
fn uri(file: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    let encoded = percent_encoding::utf8_percent_encode(file, KEPT).to_string();
    let absolute = matches!(Path::new(file).components().next(), Some(Component::RootDir));
    if absolute { format!("file://{encoded}") } else { encoded }
}
