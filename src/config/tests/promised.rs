//! Privacy policies: the stricter of policy and tenant holds, and a looser key is refused by the promise's name.

use super::{files, read, rule, tenant, wrong};
use crate::censor::Action;
use crate::config::{Kept, Policy, Snapshot};
use crate::consent::record::{Field, Finding, RecordAction};
use crate::diagnostic::Diagnostic;
use crate::names::{OperationId, TenantId};

/// A policy of the tests' own.
const STRICT: &str = "\
policy: strict
title: Strict
version: '1'
options:
  consent: {store_without_grant: refuse}
  third_parties: refuse
  opaque: [createSpeech]
  refuse_media: [createEmbedding]
  censor:
    request: {secrets: redact, EMAIL_ADDRESS: hash}
    response: {secrets: block}
  records: {when: {minor: refuse, unknown: pass}}
promises:
  - {id: X1, promise: Nothing is stored., kept_by: [{option: /consent/store_without_grant}], shown_by: ['a::b']}
  - {id: X2, promise: Nothing is shared., kept_by: [{option: /third_parties}], shown_by: ['a::b']}
  - {id: X3, promise: No secret leaves., kept_by: [{option: /censor/request}, {option: /censor/response}], shown_by: ['a::b']}
  - {id: X4, promise: All is read., kept_by: [{option: /opaque}, {option: /refuse_media}], shown_by: ['a::b']}
  - {id: X5, promise: No child is in it., kept_by: [{option: /records}], shown_by: ['a::b']}
";

/// A main file whose upstream has a region.
fn in_malaysia() -> (&'static str, String) {
    let text =
        super::MAIN.replacen("{url: https://api.openai.com}", "{url: https://api.openai.com, region: MY}", 1);
    assert_ne!(text, super::MAIN);
    ("consentry.yaml", text)
}

fn with(text: &str) -> Result<Snapshot, Vec<Diagnostic>> {
    let tenants = [tenant("one", text)];
    read(&files(&tenants, &[("policies/strict.yaml", STRICT.to_owned())]))
}

/// The only error of a tenant that says this beside its policy.
fn refused(text: &str) -> String {
    let Err(errors) = with(&format!("policy: strict\n{text}")) else { panic!("it loads: {text}") };
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].to_string()
}

fn action(snapshot: &Snapshot, request: bool, rule: &str) -> Action {
    let engines = snapshot.tenants[&TenantId::new("one")].engines(&OperationId::new("createChatCompletion"));
    let engine = if request { &engines.request } else { &engines.response };
    let found = engine.rules().find(|info| &*info.id == rule).map(|info| info.action);
    found.unwrap_or(Action::Allow)
}

#[test]
fn a_policy_sets_what_the_tenant_leaves_out() {
    let snapshot = with("policy: strict\n").unwrap();
    let one = &snapshot.tenants[&TenantId::new("one")];
    assert!(!one.store_turned_off && one.third_parties_refused);
    assert_eq!(one.refuse_media, [OperationId::new("createEmbedding")]);
    assert_eq!(one.promised.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["strict"]);
    assert_eq!(action(&snapshot, true, "github-pat"), Action::Redact);
    assert_eq!(action(&snapshot, false, "github-pat"), Action::Block);
    assert_eq!(action(&snapshot, true, "EMAIL_ADDRESS"), Action::Hash);
    // Without the policy nothing of it holds.
    let snapshot = with("").unwrap();
    let one = &snapshot.tenants[&TenantId::new("one")];
    assert!(one.store_turned_off && !one.third_parties_refused && one.promised.is_empty());
    assert_eq!(action(&snapshot, false, "github-pat"), Action::Redact);
}

#[test]
fn a_tenant_may_be_stricter_than_its_policy() {
    let text = "policy: strict\nopaque: [createSpeech]\ncensor:\n  request: {github-pat: block, EMAIL_ADDRESS: redact, PHONE_NUMBER: allow}\n";
    let snapshot = with(text).unwrap();
    assert_eq!(action(&snapshot, true, "github-pat"), Action::Block);
    assert_eq!(action(&snapshot, true, "EMAIL_ADDRESS"), Action::Redact);
    // What the policy says nothing of is the tenant's own.
    assert_eq!(action(&snapshot, true, "PHONE_NUMBER"), Action::Allow);
    // A wide word undoes no narrow one, and the stricter of both holds.
    let snapshot = with("policy: strict\ncensor: {request: {'*': allow}}\n").unwrap();
    assert_eq!(action(&snapshot, true, "github-pat"), Action::Redact);
    let snapshot = with("policy: strict\ncensor: {request: {'*': block}}\n").unwrap();
    assert_eq!(action(&snapshot, true, "github-pat"), Action::Block);
}

#[test]
fn a_key_that_loosens_a_policy_is_refused_by_the_promises_name() {
    let own = rule("github-pat", "badge-[0-9]{4}")
        .lines()
        .fold(String::new(), |all, line| all + "    " + line + "\n");
    for (text, at, id) in [
        ("consent: {store_without_grant: turn_off}\n", "one.yaml:3:", "X1: Nothing is stored."),
        ("third_parties: grant\n", "one.yaml:3:16", "X2: Nothing is shared."),
        ("censor: {request: {secrets: allow}}\n", "one.yaml:3:", "X3: No secret leaves."),
        ("censor: {request: {github-pat: mask}}\n", "one.yaml:3:", "X3"),
        ("censor: {request: {vcs: hash}}\n", "one.yaml:3:", "X3"),
        ("censor: {response: {secrets: redact}}\n", "one.yaml:3:", "X3"),
        ("censor: {operations: {createEmbedding: {request: {github-pat: allow}}}}\n", "one.yaml:3:", "X3"),
        (&format!("censor:\n  rules:\n{own}"), "one.yaml:5:", "X3"),
        ("records: {when: {minor: drop}}\n", "one.yaml:3:", "X5: No child is in it."),
        ("records: {when: {no_subject: pass}}\n", "one.yaml:3:", "X5"),
        ("records: {other_files: pass}\n", "one.yaml:3:", "X5"),
        ("opaque: [createTranscription]\n", "one.yaml:3:", "X4: All is read."),
    ] {
        let told = if text.contains("rules:") {
            let Err(errors) = with(&format!("policy: strict\n{text}")) else { panic!("it loads: {text}") };
            errors[0].to_string()
        } else {
            refused(text)
        };
        assert!(told.contains(at) && told.contains(id) && told.contains("`strict`"), "{text}: {told}");
    }
    let dry = "censor: {dry_run: {routes: [openai], until: 2026-01-01T00:00:00Z, accepted: secrets_and_personal_data_pass}}\n";
    let Err(errors) = with(&format!("policy: strict\n{dry}")) else { panic!("it loads") };
    assert!(errors.iter().any(|error| error.to_string().contains("X3")), "{errors:?}");
}

/// Who adds rules to a group makes no other name of a policy decide about it.
#[test]
fn a_tenants_own_rules_make_no_group_of_a_policy_wider() {
    let policy = "policy: {}\ntitle: Groups\nversion: '1'\noptions:\n  censor:\n    request: {vcs: block, ai-keys: mask}\npromises: []\n";
    let policy = policy.replacen("{}", "groups", 1);
    let shared = |id: &str, groups: &str| {
        let text = rule(id, "badge-[0-9]{4}").replace("groups: [pii]", groups);
        assert!(text.contains(groups), "{text}");
        text
    };
    // A rule of both groups is decided by the narrower one, and sixty more rules would make that the wider one.
    let both = format!("version: 1\nrules:\n{}", shared("of-both", "groups: [vcs, ai-keys]"));
    let decided = |text: &str| {
        let tenants = [tenant("one", text)];
        let more = [("policies/groups.yaml", policy.clone()), ("rules/both.yaml", both.clone())];
        read(&files(&tenants, &more)).map(|snapshot| action(&snapshot, true, "of-both"))
    };
    assert_eq!(decided("policy: groups\n").unwrap(), Action::Block);
    let many: String = (0..60).map(|n| shared(&format!("mine{n}"), "groups: [vcs]")).collect();
    let many = many.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    assert_eq!(decided(&format!("policy: groups\ncensor:\n  rules:\n{many}")).unwrap(), Action::Block);
    // And what is looser by the group's name is refused as it would be without them.
    let Err(errors) =
        decided(&format!("policy: groups\ncensor:\n  request: {{vcs: redact}}\n  rules:\n{many}"))
    else {
        panic!("it loads")
    };
    assert!(
        errors[0].to_string().contains("loosens what the policy `groups` sets: /censor/request/vcs"),
        "{errors:?}"
    );
}

/// Where a policy says what must not pass, nothing passes in which that can't be looked for.
#[test]
fn bodies_that_can_not_be_inspected_pass_beside_no_policy_that_censors() {
    for name in ["otso", "platform", "pystorm", "sectorflow", "wosom"] {
        let text = format!("policy: {name}\nopaque: [createSpeech, createTranscription]\nregion: MY\n");
        let errors = wrong(&files(&[tenant("one", &text)], &[in_malaysia()]));
        assert_eq!(errors.len(), 2, "{errors:?}");
        for (error, at) in errors.iter().zip(["one.yaml:3:10", "one.yaml:3:24"]) {
            let told = error.to_string();
            assert!(told.contains(at) && told.contains(&format!("the policy `{name}` promises: ")), "{told}");
            assert!(told.contains("can't be inspected"), "{told}");
        }
    }
    let without = "policy: lax\ntitle: Lax\nversion: '1'\noptions: {third_parties: refuse}\npromises: []\n";
    let tenants = [tenant("one", "policy: lax\nopaque: [createSpeech]\n")];
    assert!(read(&files(&tenants, &[("policies/lax.yaml", without.to_owned())])).is_ok());
}

/// What becomes of records by one finding.
fn record(text: &str, finding: Finding) -> Option<RecordAction> {
    let snapshot = with(text).unwrap();
    let records = snapshot.tenants[&TenantId::new("one")].records.as_ref();
    records.map(|records| records.policy.action(finding))
}

#[test]
fn records_are_judged_by_the_stricter_of_policy_and_tenant() {
    assert_eq!(record("", Finding::Minor), None);
    for (own, minor, unknown, lapsed) in [
        ("", RecordAction::Refuse, RecordAction::Pass, RecordAction::Drop),
        // A tenant that says `records` has the strict form where it says no more.
        ("records: {}\n", RecordAction::Refuse, RecordAction::Drop, RecordAction::Drop),
        (
            "records: {when: {unknown: pass, lapsed: refuse}}\n",
            RecordAction::Refuse,
            RecordAction::Pass,
            RecordAction::Refuse,
        ),
    ] {
        let text = format!("policy: strict\n{own}");
        for (finding, action) in
            [(Finding::Minor, minor), (Finding::Unknown, unknown), (Finding::Lapsed, lapsed)]
        {
            assert_eq!(record(&text, finding), Some(action), "{own} {finding:?}");
        }
    }
    // Of several, the strictest: `pystorm` drops who said nothing, `otso` lets them pass.
    assert_eq!(record("policy: otso\n", Finding::Unknown), Some(RecordAction::Pass));
    assert_eq!(record("policy: [otso, pystorm]\n", Finding::Unknown), Some(RecordAction::Drop));
    assert_eq!(record("policy: [otso, pystorm]\n", Finding::SpecialCategory), Some(RecordAction::Drop));
}

/// A tenant can't look for children where there are none.
#[test]
fn places_of_records_are_more_places_beside_a_policy() {
    let places = |text: &str| -> Vec<String> {
        let snapshot = with(text).unwrap();
        let records = snapshot.tenants[&TenantId::new("one")].records.as_ref().unwrap().clone();
        let minor = records.fields.iter().filter(|(field, _)| *field == Field::BirthDate);
        minor.map(|(_, at)| at.to_string()).collect()
    };
    let own = "records: {fields: {birth_date: [/born]}}\n";
    assert_eq!(places(own), ["/born"]);
    assert_eq!(places(&format!("policy: strict\n{own}")), ["/born", "/metadata/birth_date", "/birth_date"]);
    let nowhere = "policy: strict\nrecords: {fields: {birth_date: []}}\n";
    assert_eq!(places(nowhere), ["/metadata/birth_date", "/birth_date"]);
}

#[test]
fn of_several_policies_the_strictest_holds() {
    let snapshot = with("policy: [strict, wosom, platform, strict]\n").unwrap();
    let one = &snapshot.tenants[&TenantId::new("one")];
    assert_eq!(one.promised.len(), 3);
    assert!(!one.store_turned_off, "the strictest");
    assert_eq!(action(&snapshot, false, "github-pat"), Action::Block);
    assert_eq!(action(&snapshot, false, "IP_ADDRESS"), Action::Redact);
    assert!(refused("censor: {request: {secrets: hash}}\n").contains("X3"));
    let errors =
        wrong(&files(&[tenant("one", "policy: [strikt]\n")], &[("policies/a.yaml", STRICT.to_owned())]));
    assert!(errors[0].to_string().contains("did you mean `strict`?"), "{errors:?}");
}

#[test]
fn a_file_takes_the_place_of_the_policy_of_its_name() {
    let mine = STRICT.replace("policy: strict", "policy: platform");
    let tenants = [tenant("one", "policy: platform\n")];
    let snapshot = read(&files(&tenants, &[("policies/mine.yaml", mine.clone())])).unwrap();
    assert_eq!(action(&snapshot, false, "github-pat"), Action::Block);
    let other = read(&files(&tenants, &[])).unwrap();
    assert_ne!(snapshot.fingerprint, other.fingerprint);
    let errors = wrong(&files(&tenants, &[("policies/a.yaml", mine.clone()), ("policies/b.yaml", mine)]));
    assert!(errors[0].message.contains("two files describe the policy `platform`"), "{errors:?}");
}

#[test]
fn what_is_wrong_in_a_policy_is_told_with_its_place() {
    for (from, to, told) in [
        ("/third_parties}", "/thirdparties}", "kept by `/thirdparties`, which this policy does not set"),
        ("id: X2", "id: X1", "the promise `X1` has no plain id of its own"),
        (", shown_by: ['a::b']}\n  - {id: X2", "}\n  - {id: X2", "no test is named that shows X1"),
        ("['a::b']", "['a:b']", "`a:b` names no test"),
        ("kept_by: [{option: /third_parties}]", "kept_by: []", "nothing is said of what keeps X2"),
        ("unknown: pass", "said_no: pass", "a record can't pass when it says no itself"),
        ("secrets: redact", "secretes: redact", "`secretes` is no rule, entity or group"),
        ("[createSpeech]", "[createSpeach]", "no API profile has an operation `createSpeach`"),
        ("policy: strict", "policy: 'a b'", "a policy's name has"),
        ("version: '1'", "versoin: '1'", "did you mean `version`?"),
    ] {
        let text = STRICT.replacen(from, to, 1);
        assert_ne!(text, STRICT, "{from}");
        let errors = wrong(&files(&[tenant("one", "")], &[("policies/strict.yaml", text)]));
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(
            all.iter().any(|e| e.contains(told) && e.contains("policies/strict.yaml")),
            "{told}: {all:?}"
        );
    }
}

/// A policy only sets what every tenant can set.
#[test]
fn a_policy_sets_nothing_that_a_tenant_can_not() {
    let schemas = crate::config::schemas();
    let of = |name: &str| schemas.iter().find(|(file, _)| *file == name).unwrap().1.clone().to_value();
    let (tenant, policy) = (of("tenant.schema.json"), of("policy.schema.json"));
    let within =
        |schema: &serde_json::Value, at: &str| schema.pointer(at).unwrap().as_object().unwrap().clone();
    let own = within(&tenant, "/properties");
    for name in within(&policy, "/$defs/PolicyOptions/properties").keys() {
        assert!(own.contains_key(name), "{name}");
    }
    for (of_policy, of_tenant) in
        [("PolicyConsent", "Consent"), ("CensorSides", "Censor"), ("PolicyRecords", "Records")]
    {
        let own = within(&tenant, &format!("/$defs/{of_tenant}/properties"));
        for name in within(&policy, &format!("/$defs/{of_policy}/properties")).keys() {
            assert!(own.contains_key(name), "{of_tenant}.{name}");
        }
    }
}

/// Every setting of a policy that comes with the program keeps a promise, and every row has its place.
#[test]
fn the_five_policies_hold_all_rows() {
    let policies = Policy::builtin().unwrap();
    let rows: Vec<(&str, usize)> = policies.iter().map(|p| (p.name.as_str(), p.promises.len())).collect();
    assert_eq!(rows, [("otso", 9), ("platform", 7), ("pystorm", 9), ("sectorflow", 11), ("wosom", 12)]);
    for policy in &policies {
        let letter = policy.promises[0].id.chars().next().unwrap();
        for (index, promise) in policy.promises.iter().enumerate() {
            assert_eq!(promise.id, format!("{letter}{}", index + 1));
            assert_eq!(promise.kept() == Kept::NotYet, promise.shown_by.is_empty(), "{}", promise.id);
        }
        // Each by itself is a tenant's whole policy.
        let text = format!("policy: {}\nregion: MY\n", policy.name);
        let snapshot = read(&files(&[tenant("one", &text)], &[in_malaysia()]));
        assert!(snapshot.is_ok(), "{}", policy.name);
    }
}
