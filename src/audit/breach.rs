//! What left in a stretch of time, and to whom: what has to be told after a breach.
//!
//! It is read from a trail that holds, so that it says neither more nor less than what was decided then. Who the bodies were about
//! stands in no trail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{AuditError, Broken};
use super::head;
use super::verify::{Summary, walk};

/// Which entries count: from a time on, and before another; of one tenant, or of all.
#[derive(Clone, Debug)]
pub struct Window {
    /// From then on.
    pub from: Timestamp,
    /// Before then.
    pub to: Timestamp,
    /// Of this tenant only.
    pub tenant: Option<String>,
}

/// What passed for one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// How many requests.
    pub requests: u64,
    /// Bytes of their bodies, as the caller sent them.
    pub bytes_in: u64,
    /// To whom: requests by route.
    pub routes: BTreeMap<String, u64>,
    /// Requests by operation.
    pub operations: BTreeMap<String, u64>,
    /// Values that were found, by entity, direction and what was done.
    pub found: BTreeMap<String, u64>,
    /// Values among them that passed as they were, because the censor ran dry.
    pub found_and_passed: u64,
    /// Records that passed, censored and anonymous ones among them.
    pub records: u64,
    /// Different resources that were touched.
    pub resources: usize,
    /// When the first was decided.
    pub first: String,
    /// When the last was decided.
    pub last: String,
}

/// An entry of a decision, as far as it is asked.
#[derive(Deserialize)]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    time: String,
    #[serde(default)]
    request: String,
    #[serde(default)]
    decision: String,
    dry_run: Option<String>,
    tenant: Option<String>,
    #[serde(default)]
    route: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    bytes_in: u64,
    #[serde(default)]
    records: Records,
    #[serde(default)]
    found: Vec<Found>,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Default, Deserialize)]
struct Records {
    passed: u64,
    censored: u64,
    anonymised: u64,
}

#[derive(Deserialize)]
struct Found {
    entity: String,
    direction: String,
    action: String,
    count: u64,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
}

/// What passed in a window, by tenant, and the trail that says so. In memory: what is on record of each request in it.
///
/// # Errors
/// As [`verify`](super::verify): a trail that doesn't hold says nothing, nor one with an entry that can't be read.
pub fn breach(
    folder: &Path,
    seal: Option<&hmac::Key>,
    window: &Window,
) -> Result<(BTreeMap<String, Passed>, Summary), AuditError> {
    let (mut requests, mut unread) = (BTreeMap::new(), false);
    let summary = walk(folder, seal, &mut |line| match serde_json::from_slice::<Members>(line) {
        Ok(members) => note(&mut requests, window, members),
        Err(_other) => unread = true,
    })?;
    if unread {
        return Err(Broken::whole(head::NAME, "an entry is written as this version does not read it").into());
    }
    Ok((by_tenant(requests.into_values()), summary))
}

/// Of each request that passed the last entry counts: what a stream or a break brought is added there.
fn note(requests: &mut BTreeMap<String, Members>, window: &Window, members: Members) {
    if members.kind != "decision" {
        return;
    }
    if let Some(known) = requests.get_mut(&members.request) {
        *known = Members { time: std::mem::take(&mut known.time), ..members };
        return;
    }
    let within = members.time.parse::<Timestamp>().is_ok_and(|time| window.from <= time && time < window.to);
    let asked = window.tenant.is_none() || members.tenant == window.tenant;
    if within && asked && matches!(members.decision.as_str(), "forward" | "censored") {
        requests.insert(members.request.clone(), members);
    }
}

fn by_tenant(requests: impl Iterator<Item = Members>) -> BTreeMap<String, Passed> {
    let mut tenants: BTreeMap<String, (Passed, BTreeSet<String>)> = BTreeMap::new();
    for members in requests {
        let Members { time, dry_run, tenant, route, operation, bytes_in, records, found, .. } = members;
        let (of, resources) = tenants.entry(tenant.unwrap_or_default()).or_default();
        of.requests += 1;
        of.bytes_in += bytes_in;
        *of.routes.entry(route).or_default() += 1;
        *of.operations.entry(operation).or_default() += 1;
        of.records += records.passed + records.censored + records.anonymised;
        for found in found {
            of.found_and_passed += if dry_run.is_some() { found.count } else { 0 };
            let name = format!("{} {} {}", found.entity, found.direction, found.action);
            *of.found.entry(name).or_default() += found.count;
        }
        resources.extend(members.resources.into_iter().map(|resource| resource.id));
        if of.first.is_empty() || time < of.first {
            of.first.clone_from(&time);
        }
        of.last = time.max(std::mem::take(&mut of.last));
    }
    let count = |(tenant, (passed, resources)): (String, (Passed, BTreeSet<String>))| {
        (tenant, Passed { resources: resources.len(), ..passed })
    };
    tenants.into_iter().map(count).collect()
}
