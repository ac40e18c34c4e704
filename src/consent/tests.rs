use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use super::{Facts, Grant, Preference, Question, Records, Rules, Scope, Signals, decide, train_preference};
use crate::names::{DatasetName, Purpose};
use crate::reason::Reason;

mod ledger;

const NOW: &str = "2026-11-22T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn grant(purpose: Purpose, scope: Scope) -> Grant {
    Grant { purpose, scope, policy_version: None, from: None, until: None, evidence: None, withdrawn: None }
}

fn ask(grants: &[Grant], datasets: &[&str], signal: Preference) -> Result<bool, Reason> {
    let facts = Facts { grants, ledger: &[], rules: &Rules::default() };
    asked(&facts, datasets, Signals { usage: signal, ..Signals::NONE })
}

fn asked(facts: &Facts<'_>, datasets: &[&str], signals: Signals) -> Result<bool, Reason> {
    let purposes = BTreeSet::from([Purpose::Train]);
    let datasets: Vec<_> = datasets.iter().map(|d| DatasetName::new(d)).collect();
    let records = Records::NotAsked;
    let question = Question { purposes: &purposes, datasets: &datasets, subjects: &[], signals, records };
    decide(&question, facts, at(NOW)).map(|p| p.training()).map_err(|r| r.reason)
}

#[test]
fn nothing_is_granted_by_default() {
    assert_eq!(ask(&[], &[], Preference::Unknown), Err(Reason::ConsentMissing));
    assert_eq!(ask(&[], &[], Preference::Allowed), Err(Reason::ConsentMissing), "a signal can't grant");
}

#[test]
fn tenant_and_data_set_are_both_needed() {
    let tenant = grant(Purpose::Train, Scope::Tenant);
    let set = grant(Purpose::Train, Scope::Dataset(DatasetName::new("a")));
    let all = grant(Purpose::Train, Scope::AllDatasets);
    assert_eq!(ask(std::slice::from_ref(&tenant), &["a"], Preference::Unknown), Err(Reason::ConsentMissing));
    assert_eq!(ask(std::slice::from_ref(&set), &["a"], Preference::Unknown), Err(Reason::ConsentMissing));
    assert_eq!(ask(&[tenant.clone(), set.clone()], &["a"], Preference::Unknown), Ok(true));
    assert_eq!(ask(&[tenant.clone(), set], &["a", "b"], Preference::Unknown), Err(Reason::ConsentMissing));
    assert_eq!(ask(&[tenant, all], &["a", "b"], Preference::Unknown), Ok(true));
}

#[test]
fn a_grant_for_another_purpose_does_not_count() {
    let grants = [grant(Purpose::Store, Scope::Tenant), grant(Purpose::Evaluate, Scope::AllDatasets)];
    assert_eq!(ask(&grants, &["a"], Preference::Unknown), Err(Reason::ConsentMissing));
}

#[test]
fn validity_and_withdrawal_count() {
    let mut g = grant(Purpose::Train, Scope::Tenant);
    g.until = Some(at("2026-11-22T11:59:59Z"));
    assert_eq!(ask(std::slice::from_ref(&g), &[], Preference::Unknown), Err(Reason::ConsentExpired));
    g.until = Some(at("2026-11-22T12:00:01Z"));
    assert_eq!(ask(std::slice::from_ref(&g), &[], Preference::Unknown), Ok(true));
    g.from = Some(at("2026-11-22T12:00:01Z"));
    assert_eq!(ask(std::slice::from_ref(&g), &[], Preference::Unknown), Err(Reason::ConsentMissing));
    g.from = None;
    g.withdrawn = Some(at(NOW));
    assert_eq!(ask(std::slice::from_ref(&g), &[], Preference::Unknown), Err(Reason::ConsentMissing));
}

#[test]
fn the_requests_own_no_wins() {
    let grants = [grant(Purpose::Train, Scope::Tenant)];
    assert_eq!(ask(&grants, &[], Preference::Disallowed), Err(Reason::ConsentMissing));
}

#[test]
fn content_usage_is_read_as_the_draft_says() {
    let read = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for v in values {
            headers.append("content-usage", HeaderValue::from_str(v).unwrap());
        }
        train_preference(&headers)
    };
    assert_eq!(read(&[]), Preference::Unknown);
    assert_eq!(read(&["train-ai=y, search=n"]), Preference::Allowed);
    assert_eq!(read(&["search=y, train-ai=n;x=1"]), Preference::Disallowed);
    assert_eq!(read(&["train-ai=y", "train-ai=n"]), Preference::Disallowed);
    assert_eq!(read(&["train-ai=?0, Train-AI=n"]), Preference::Unknown);
}

/// A grant is not enough for a data set whose records nobody judged, where the tenant wants them judged.
#[test]
fn unjudged_records_are_not_permitted() {
    let grants = [grant(Purpose::Train, Scope::Tenant), grant(Purpose::Train, Scope::AllDatasets)];
    let purposes = BTreeSet::from([Purpose::Train]);
    let ask = |records| {
        let signals = Signals::NONE;
        let question = Question { purposes: &purposes, datasets: &[], subjects: &[], signals, records };
        let facts = Facts { grants: &grants, ledger: &[], rules: &Rules::default() };
        decide(&question, &facts, at(NOW)).map(|permit| permit.training()).map_err(|refusal| refusal.reason)
    };
    assert_eq!(ask(Records::NotAsked), Ok(true));
    assert_eq!(ask(Records::Unjudged), Err(Reason::RecordsUnreadable));
}
