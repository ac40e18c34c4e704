//! What is told of orphans, as lines or as JSON.

use std::io::IsTerminal as _;

use serde_json::json;

use super::{Fate, Outcome};
use crate::account::Shelf;
use crate::account::orphans::{Doubt, Orphan, Unseen, Verdict};
use crate::cli::output::{complain, say};
use crate::names::UpstreamId;
use crate::store::OpenIntent;

/// How it is told.
pub(super) struct Report {
    json: bool,
    /// Somebody watches.
    watched: bool,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, watched: std::io::stderr().is_terminal() }
    }

    /// How far a list was read, for whoever watches.
    pub(super) fn progress(&self, shelf: &Shelf<'_>, pages: u64) {
        if self.watched && pages.is_multiple_of(10) {
            complain(format_args!("{}: {pages} pages", shelf.operation()));
        }
    }

    pub(super) fn orphan(
        &self,
        upstream: &UpstreamId,
        orphan: &Orphan,
        verdict: Verdict,
        fate: Fate,
        intents: &[OpenIntent],
    ) {
        let state = match (fate, verdict) {
            (Fate::Claimed, _) => "claimed",
            (Fate::Deleted, _) => "deleted",
            (Fate::Queued, _) => "queued",
            (Fate::Left, Verdict::Certain) => "certain",
            (Fate::Left, Verdict::Contested) => "contested",
            (Fate::Left, Verdict::Ambiguous) => "ambiguous",
            (Fate::Left, Verdict::UnderWay) => "under_way",
            (Fate::Left, Verdict::Nobody) if orphan.was.is_some() => "ended_before",
            (Fate::Left, Verdict::Nobody) => "nobodys",
        };
        let mut tenants: Vec<&str> =
            orphan.by.iter().filter_map(|call| intents.get(*call)).map(tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let found = &orphan.found;
        if self.json {
            let requests = orphan.by.iter().filter_map(|call| intents.get(*call));
            let requests: Vec<String> = requests.map(|one| one.intent.request.to_string()).collect();
            say(json!({
                "type": "resource", "upstream": upstream.as_str(), "kind": found.kind.as_str(), "id": found.id,
                "made": found.made(), "state": state, "tenants": tenants, "requests": requests,
                "doubt": orphan.doubt.filter(|_| !orphan.by.is_empty()).map(Doubt::as_str),
                "was": orphan.was.as_ref().map(|owned| owned.tenant.as_str()),
            }));
            return;
        }
        let made = found.made().map(|at| at.to_string()).unwrap_or_default();
        let by = match (&*tenants, &orphan.was) {
            ([], Some(was)) => format!("it was deleted by {}", was.tenant),
            ([], None) => "no call on record".to_owned(),
            (tenants, _) => format!("by {}", tenants.join(" or ")),
        };
        let doubt = orphan.doubt.filter(|_| !orphan.by.is_empty());
        let state = doubt.map_or_else(|| state.to_owned(), |doubt| format!("{state} ({})", doubt.as_str()));
        say(format_args!("{upstream}\t{}\t{}\t{made}\t{by}\t{state}", found.kind, found.id.escape_debug()));
    }

    pub(super) fn call(&self, open: &OpenIntent, outcome: Outcome) {
        let intent = &open.intent;
        let state = match outcome {
            Outcome::Closed => "closed",
            Outcome::UnderWay => "under_way",
            Outcome::Settling => "settling",
            Outcome::Open => "open",
            Outcome::Unseen(Unseen::Operation) => "operation_unknown",
            Outcome::Unseen(Unseen::Kind) => "not_listed",
            Outcome::Unread => "list_unread",
        };
        if self.json {
            say(json!({
                "type": "call", "upstream": intent.upstream.as_str(), "tenant": intent.tenant.as_str(),
                "operation": intent.operation.as_str(), "request": intent.request.to_string(),
                "begun": open.begun, "lost": open.lost, "state": state,
            }));
            return;
        }
        say(format_args!(
            "{}\tcall {}\t{}\t{}\tby {}\t{state}",
            intent.upstream, intent.operation, intent.request, open.begun, intent.tenant
        ));
    }
}

fn tenant(open: &OpenIntent) -> &str {
    open.intent.tenant.as_str()
}
