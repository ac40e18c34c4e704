//! What is told of an adoption, as lines or as JSON.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use serde_json::json;

use super::plan::Row;
use super::{Fate, Missing};
use crate::account::Shelf;
use crate::cli::output::{complain, say};
use crate::names::{Kind, RequestId, TenantId, UpstreamId};

type Counts = BTreeMap<&'static str, u64>;

/// How it is told, and how much there was of each.
pub(super) struct Report {
    json: bool,
    apply: bool,
    upstream: UpstreamId,
    /// Somebody watches.
    watched: bool,
    counts: Counts,
    kinds: BTreeMap<Kind, Counts>,
}

impl Report {
    pub(super) fn new(json: bool, apply: bool, upstream: UpstreamId) -> Self {
        let watched = std::io::stderr().is_terminal();
        Self { json, apply, upstream, watched, counts: Counts::new(), kinds: BTreeMap::new() }
    }

    /// How far a list was read, for whoever watches.
    pub(super) fn progress(&self, shelf: &Shelf<'_>, pages: u64) {
        if self.watched {
            let read: u64 = self.counts.values().sum();
            complain(format_args!("{}: {pages} pages, {read} things seen so far", shelf.operation()));
        }
    }

    /// A thing that the account shows. What is on record and stays so is counted only.
    pub(super) fn thing(&mut self, kind: &Kind, id: &str, fate: &Fate) {
        let (state, tenants): (_, Vec<&str>) = match fate {
            Fate::Adopted(tenant) if self.apply => ("adopted", vec![tenant.as_str()]),
            Fate::Adopted(tenant) => ("would_be_adopted", vec![tenant.as_str()]),
            Fate::Held(_) => ("on_record", Vec::new()),
            Fate::Conflict(owner) => ("anothers", vec![owner.as_str()]),
            Fate::Ambiguous(tenants) => ("ambiguous", tenants.iter().map(TenantId::as_str).collect()),
            Fate::Ended(owner) => ("ended_before", vec![owner.as_str()]),
            Fate::OfCall => ("of_an_open_call", Vec::new()),
            Fate::Doomed => ("about_to_be_deleted", Vec::new()),
            Fate::Part => ("part", Vec::new()),
            Fate::OfAnother => ("of_another_thing", Vec::new()),
            Fate::Nobodys => ("nobodys", Vec::new()),
        };
        self.count(kind, state);
        if matches!(fate, Fate::Held(_) | Fate::Part) {
            return;
        }
        self.line(kind, id, state, &tenants, None);
    }

    /// A row of the table that came to nothing.
    pub(super) fn missing(&mut self, kind: &Kind, id: &str, row: &Row, missing: Missing) {
        let state = match missing {
            Missing::NotFound => "not_found",
            Missing::NotListed => "not_listed",
            Missing::Unread => "list_unread",
        };
        self.count(kind, state);
        self.line(kind, id, state, &[row.tenant.as_str()], Some(row.line));
    }

    fn count(&mut self, kind: &Kind, state: &'static str) {
        *self.counts.entry(state).or_default() += 1;
        *self.kinds.entry(kind.clone()).or_default().entry(state).or_default() += 1;
    }

    fn line(&self, kind: &Kind, id: &str, state: &str, tenants: &[&str], line: Option<u64>) {
        let upstream = &self.upstream;
        if self.json {
            say(json!({
                "type": "resource", "upstream": upstream.as_str(), "kind": kind.as_str(), "id": id, "state": state,
                "tenants": tenants, "line": line,
            }));
            return;
        }
        let of = tenants.join(" or ");
        let line = line.map(|line| format!("\tline {line}")).unwrap_or_default();
        say(format_args!("{upstream}\t{kind}\t{}\t{of}\t{state}{line}", id.escape_debug()));
    }

    /// The counts, and the status: 1 if something that was asked for could not be done.
    pub(super) fn end(&self, request: RequestId, unread: usize) -> ExitCode {
        let upstream = &self.upstream;
        if self.json {
            let kinds: BTreeMap<&str, &Counts> =
                self.kinds.iter().map(|(kind, counts)| (kind.as_str(), counts)).collect();
            say(json!({
                "type": "summary", "upstream": upstream.as_str(), "applied": self.apply,
                "request": request.to_string(), "counts": self.counts, "kinds": kinds, "lists_unread": unread,
            }));
        } else {
            let words = |counts: &Counts| {
                let counts: Vec<String> =
                    counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
                counts.join(", ")
            };
            for (kind, counts) in &self.kinds {
                say(format_args!("{upstream}: {kind}: {}", words(counts)));
            }
            let all = if self.counts.is_empty() { "nothing there".to_owned() } else { words(&self.counts) };
            let end = if self.apply {
                format!("; recorded as request {request}")
            } else {
                "; nothing was changed: `--apply` records it".to_owned()
            };
            say(format_args!("{upstream}: {all}{end}"));
        }
        let fine = ["adopted", "would_be_adopted", "on_record", "part", "nobodys"];
        let left = self.counts.keys().any(|state| !fine.contains(state));
        ExitCode::from(u8::from(left || unread > 0))
    }
}
