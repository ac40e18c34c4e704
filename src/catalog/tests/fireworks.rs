//! Fireworks AI's profile, beside the list of what the official SDK calls.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{Catalog, IdClass, Operation};
use crate::names::{Kind, OperationId, Purpose};

/// Method, path and name of every operation.
const OPERATIONS: &str = include_str!("fireworks-operations.txt");

static PROFILE: LazyLock<Catalog> = LazyLock::new(|| super::loaded(Catalog::builtin("fireworks")));

fn operation(id: &str) -> &'static Operation {
    PROFILE.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

#[test]
fn every_operation_of_the_sdk_is_named_at_its_place_and_no_other() {
    let mut known = BTreeSet::new();
    for line in OPERATIONS.lines().filter(|line| !line.starts_with('#')) {
        let [method, path, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let operation = operation(id);
        let template = super::unnamed(&operation.template);
        assert_eq!((operation.method.as_str(), template.as_str()), (method, path), "{id}");
        known.insert(id);
    }
    assert_eq!(known.len(), 99);
    assert!(PROFILE.operations().iter().all(|operation| known.contains(operation.id.as_str())));
    assert_eq!(PROFILE.operations().iter().filter(|operation| operation.refused.is_none()).count(), 23);
}

/// The account is the operator's, whatever the path calls it; everything behind it is looked up.
#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    let bare = super::unchecked(&PROFILE);
    assert!(bare.iter().all(|one| one.ends_with(" account_id")), "{bare:?}");
    assert_eq!(bare.len(), 17);
}

/// A name says whose it is, by itself and behind the account's; the provider's models are everybody's.
#[test]
fn a_name_says_whose_it_is() {
    let class = |kind: &str, id: &str| PROFILE.kind(&Kind::new(kind)).classify(id);
    let of = |kind: &str, id: &str| PROFILE.kind(&Kind::new(kind)).tenant_of(id).map(str::to_owned);
    for (kind, id, tenant) in [
        ("dataset", "acme--reviews", "acme"),
        ("dataset", "accounts/shared/datasets/acme--reviews", "acme"),
        ("dataset", "acme-eu--reviews-2--b", "acme-eu"),
        ("supervised_fine_tuning_job", "acme--job", "acme"),
        ("dpo_job", "accounts/shared/dpoJobs/acme--job", "acme"),
        ("model", "accounts/shared/models/acme--m", "acme"),
        ("own_model", "acme--m", "acme"),
    ] {
        assert_eq!(of(kind, id).as_deref(), Some(tenant), "{kind} {id}");
        assert_eq!(class(kind, id), IdClass::OfTenant, "{kind} {id}");
    }
    for (kind, id, expected) in [
        ("model", "accounts/fireworks/models/llama-v3p1-8b-instruct", IdClass::Shared),
        ("model", "accounts/shared/models/nobodys", IdClass::Malformed),
        ("model", "accounts/fireworks/models/x#accounts/shared/deployments/acme--d", IdClass::Malformed),
        ("model", "accounts/shared/models/acme--m#accounts/shared/deployments/x", IdClass::Malformed),
        ("dataset", "reviews", IdClass::Malformed),
        ("dataset", "accounts/shared/models/acme--m", IdClass::Malformed),
        ("dataset", "--reviews", IdClass::Malformed),
        ("own_model", "llama-v3p1-8b-instruct", IdClass::Malformed),
    ] {
        assert_eq!(class(kind, id), expected, "{kind} {id}");
    }
}

#[test]
fn training_needs_a_grant() {
    let needs = |id: &str| operation(id).training.iter().map(|need| need.purpose).collect::<Vec<_>>();
    assert_eq!(needs("datasets.upload"), [Purpose::Train]);
    for id in ["supervised_fine_tuning_jobs", "dpo_jobs"] {
        assert_eq!(needs(&format!("{id}.create")), [Purpose::Share, Purpose::Train], "{id}");
        assert_eq!(needs(&format!("{id}.resume")), [Purpose::Train], "{id}");
    }
}
