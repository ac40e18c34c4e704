//! What consent has to know of the records that a call puts to use, and what is kept of them with what the call makes.

use std::collections::BTreeSet;

use super::super::seen::Seen;
use super::super::stages::Recognised;
use crate::catalog::{LimitClass, Operation, TrainingUse, Unjudged};
use crate::config::Snapshot;
use crate::consent::Records;
use crate::isolation::{Mark, TenantScope};
use crate::names::{Purpose, TenantId};
use crate::store::JudgedFor;

/// Those of a call's uses for which records are judged: training, evaluation, and people who look at them.
fn judged_uses(operation: &Operation, purposes: &BTreeSet<Purpose>) -> BTreeSet<Purpose> {
    let judged =
        |purpose: &Purpose| matches!(purpose, Purpose::Train | Purpose::Evaluate | Purpose::Annotate);
    let own = Some(operation.purpose).filter(|purpose| *purpose == Purpose::Annotate);
    purposes.iter().copied().filter(judged).chain(own).collect()
}

fn carries_file(operation: &Operation) -> bool {
    operation.limit == LimitClass::Upload || operation.assembly.is_some()
}

/// The uses that a file of this call is put to, if its records have to be judged for them.
pub(in crate::gateway) fn uses(operation: &Operation, purposes: &BTreeSet<Purpose>) -> BTreeSet<Purpose> {
    if carries_file(operation) { judged_uses(operation, purposes) } else { BTreeSet::new() }
}

/// What consent has to know of the records that a call puts to use: those of its file, those in its body, and those of files
/// that came before. Calls that open an upload carry none yet.
pub(in crate::gateway) fn standing(
    snapshot: &Snapshot,
    request: &Recognised,
    seen: &Seen<'_>,
    scope: &TenantScope,
) -> Records {
    let operation = request.operation();
    let judged = judged_uses(operation, &seen.purposes());
    if judged.is_empty() {
        return Records::NotAsked;
    }
    if !sources_are_judged(snapshot, request, seen, scope) {
        return Records::Unjudged;
    }
    let wanted = request.judgings.is_some();
    let unread = |records: &Unjudged| records.when.as_ref().is_none_or(|when| seen.holds(when));
    if wanted && operation.unjudged.iter().any(unread) {
        return Records::Unjudged;
    }
    if operation.assembly.is_some() || !carries_file(operation) {
        return Records::NotAsked;
    }
    of(request, &judged)
}

/// Whether the records of whatever the call names for a use were judged for it, where the caller or the owner wants records
/// judged.
fn sources_are_judged(
    snapshot: &Snapshot,
    request: &Recognised,
    seen: &Seen<'_>,
    scope: &TenantScope,
) -> bool {
    let policy = |tenant: &TenantId| snapshot.tenants.get(tenant).and_then(|tenant| tenant.records.as_ref());
    let own = request.tenant.records.as_ref();
    let holds = |training: &&TrainingUse| training.when.as_ref().is_none_or(|when| seen.holds(when));
    let is_judged = |training: &TrainingUse, mark: &Mark| {
        let wanted = [own, policy(&mark.owner).filter(|_| mark.owner != request.tenant.id)];
        let mut wanted = wanted.into_iter().flatten();
        wanted.all(|records| mark.judged.covers(training.purpose, records.policy.other_files_pass))
    };
    let judged = [Purpose::Train, Purpose::Evaluate, Purpose::Annotate];
    let trainings = request.operation().training.iter().filter(|training| judged.contains(&training.purpose));
    trainings.filter(holds).all(|training| {
        scope
            .marks()
            .iter()
            .filter(|mark| training.of.contains(&mark.at))
            .all(|mark| is_judged(training, mark))
    })
}

/// For which uses the records of what a call makes were judged: those of its file, or those of what it is made of.
pub(in crate::gateway) fn judged_for(request: &Recognised, scope: &TenantScope) -> JudgedFor {
    if let Some(judgings) = request.judgings.as_ref().filter(|judgings| judgings.is_begun()) {
        return judgings.judged_for();
    }
    let trainings = request.operation().training.iter().filter(|training| !training.of.is_empty());
    let covered = trainings.filter_map(|training| {
        let marks = scope.marks().iter().filter(|mark| training.of.contains(&mark.at));
        let all = marks.map(|mark| mark.judged).reduce(JudgedFor::and)?;
        all.covers(training.purpose, true)
            .then(|| JudgedFor::of([&training.purpose], !all.covers(training.purpose, false)))
    });
    covered.reduce(JudgedFor::or).unwrap_or(JudgedFor::NOTHING)
}

/// What is known of the records of a data set that is put to these uses.
pub(in crate::gateway) fn of(request: &Recognised, uses: &BTreeSet<Purpose>) -> Records {
    match &request.judgings {
        Some(judgings) if !uses.is_empty() => judgings.proof().map_or(Records::Unjudged, Records::Judged),
        Some(_) | None => Records::NotAsked,
    }
}
