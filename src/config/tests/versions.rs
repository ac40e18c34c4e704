//! Grants and the version of the policy that they were given under.

use super::{files, read, tenant, wrong};
use crate::names::TenantId;

fn policy(name: &str, version: &str, under: &str) -> String {
    format!(
        "policy: {name}\ntitle: News\nversion: '{version}'\noptions: {{consent: {{grants_under: {under}}}}}\npromises:\n  \
         - {{id: N1, promise: Changes are announced., kept_by: [{{option: /consent/grants_under}}], shown_by: ['a::b']}}\n"
    )
}

const OLD: &str = "{purpose: train, scope: tenant, policy_version: '1'}";
const NEW: &str = "{purpose: store, scope: tenant, policy_version: '2'}";
const NONE: &str = "{purpose: share, scope: tenant}";

/// W12: with a new version, what was granted under another has lapsed, and so has what names none.
#[test]
fn w12_a_new_version_of_the_policy_ends_old_grants() {
    let lapsed = |head: &str, under: &str| -> Vec<bool> {
        let text = format!("{head}consent:\n{under}  grants: [{OLD}, {NEW}, {NONE}]\n");
        let more = [
            ("policies/a.yaml", policy("news", "2", "current")),
            ("policies/b.yaml", policy("old", "2", "any")),
        ];
        let snapshot = read(&files(&[tenant("one", &text)], &more)).unwrap();
        snapshot.tenants[&TenantId::new("one")].grants.iter().map(|grant| grant.lapsed).collect()
    };
    assert_eq!(lapsed("", ""), [false, false, false]);
    assert_eq!(lapsed("policy: news\n", ""), [true, false, true]);
    assert_eq!(lapsed("policy: [old, news]\n", ""), [true, false, true]);
    assert_eq!(lapsed("policy: old\n", ""), [false, false, false]);
    // A tenant may ask for it without its policy.
    assert_eq!(lapsed("policy: old\n", "  grants_under: current\n"), [true, false, true]);
}

#[test]
fn a_version_that_no_grant_can_be_of_is_refused() {
    let more = [
        ("policies/a.yaml", policy("news", "2", "current")),
        ("policies/b.yaml", policy("news3", "3", "current")),
    ];
    for (text, at, told) in [
        ("consent: {grants_under: current}\n", "one.yaml:2:25", "has no `policy` whose version"),
        ("policy: [news, news3]\n", "one.yaml:2:9", "`news` (2) and `news3` (3) have different versions"),
        ("policy: news\nconsent: {grants_under: any}\n", "one.yaml:3:25", "the policy `news` promises: N1"),
    ] {
        let errors = wrong(&files(&[tenant("one", text)], &more));
        let error = errors[0].to_string();
        assert!(error.contains(at) && error.contains(told), "{text}: {error}");
    }
}
