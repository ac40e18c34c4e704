//! The privacy notice: each statement is there while its setting is on, and gone when it is off.

use std::sync::LazyLock;

use jiff::Timestamp;

use super::{files, read, tenant};
use crate::censor::RuleSet;
use crate::config::{Snapshot, statements};
use crate::names::TenantId;

/// The rules that come with the program, read once.
fn rules() -> &'static RuleSet {
    static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::builtin().unwrap());
    &RULES
}

/// The statements' names for all tenants, or one.
fn said(snapshot: &Snapshot, of: Option<&str>, now: Timestamp) -> Vec<&'static str> {
    let id = of.map(TenantId::new);
    statements(snapshot, rules(), id.as_ref(), now).into_iter().map(|statement| statement.id).collect()
}

fn june() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// What all that is censored is said to be.
const ALL: &str = "censor: {request: {secrets: redact, special-category: redact, pii: redact}, response: {secrets: redact, special-category: redact, pii: redact}}\n";

/// T6: every statement that a setting decides, both ways.
#[test]
fn t6_a_statement_is_there_only_while_its_setting_is_on() {
    let grant = |purpose: &str, more: &str| {
        format!("consent: {{grants: [{{purpose: {purpose}, scope: tenant{more}}}]}}\n")
    };
    let (train, store) = (grant("train", ""), grant("store", ""));
    let withdrawn = grant("train", ", withdrawn: 2026-05-01T00:00:00Z");
    let lapsed = grant("train", ", until: 2026-05-01T00:00:00Z");
    let later = grant("train", ", from: 2026-07-01T00:00:00Z");
    let all_but = |from: &str, to: &str| {
        let text = ALL.replacen(from, to, 1);
        assert_ne!(text, ALL, "{from}");
        text
    };
    let without0 = all_but("{secrets: redact", "{secrets: allow");
    let without1 = all_but("{secrets: redact", "{secrets: redact, github-pat: allow");
    let without2 = all_but("response: {secrets: redact", "response: {secrets: allow");
    let without3 =
        all_but("censor: {", "censor: {operations: {createEmbedding: {request: {secrets: allow}}}, ");
    let without4 = all_but("special-category: redact", "special-category: allow");
    let without5 = all_but("pii: redact", "pii: redact, EMAIL_ADDRESS: allow");
    let rows = [
        ("no_training", "", &*train),
        ("no_training", &*withdrawn, &*later),
        ("training_granted", &*train, &*lapsed),
        ("minors", "records: {}\n", ""),
        ("minors", "policy: otso\n", "records: {when: {minor: anonymise}}\n"),
        ("minors", "records: {}\n", "records: {other_files: pass}\n"),
        ("said_no", "records: {when: {said_no: anonymise}}\n", ""),
        ("silence", "records: {}\n", "records: {opt_out: [US]}\n"),
        ("silence", "policy: pystorm\n", "policy: otso\n"),
        ("not_kept", "", &*store),
        ("secrets", ALL, &*without0),
        ("secrets", ALL, &*without1),
        ("secrets", ALL, &*without2),
        ("secrets", ALL, &*without3),
        ("special_categories", ALL, &*without4),
        ("personal", ALL, &*without5),
        ("not_inspected", "opaque: [createSpeech]\n", ""),
    ];
    // Every row's tenants in one configuration: each is told what is its own.
    let tenants = rows
        .iter()
        .enumerate()
        .flat_map(|(n, (_, on, off))| [tenant(&format!("on{n}"), on), tenant(&format!("off{n}"), off)]);
    let snapshot = read(&files(&tenants.collect::<Vec<_>>(), &[])).unwrap();
    for (n, (id, on, off)) in rows.iter().enumerate() {
        let told = |name: &str| said(&snapshot, Some(&format!("{name}{n}")), june()).contains(id);
        assert!(told("on"), "{id} is not said with {on}");
        assert!(!told("off"), "{id} is said with {off}");
    }
    // What holds for one only is said to that one, and to all only if they have to know.
    let tenants = [tenant("one", &train), tenant("two", "opaque: [createSpeech]\n"), tenant("three", "")];
    let snapshot = read(&files(&tenants, &[])).unwrap();
    let ids = ["no_training", "training_granted", "not_inspected"];
    let told = |of: Option<&str>| {
        let said = said(&snapshot, of, june());
        ids.map(|id| said.contains(&id))
    };
    assert_eq!(told(None), [false, true, true]);
    assert_eq!([told(Some("one")), told(Some("two"))], [[false, true, false], [true, false, true]]);
    assert_eq!(told(Some("three")), [true, false, false]);
    assert!(said(&snapshot, Some("nobody"), june()).is_empty());
}

/// T6: what `consentry.yaml` decides.
#[test]
fn t6_third_parties_and_plain_connections_are_told() {
    let upstream = |text: &str| {
        let main = super::MAIN.replacen("{url: https://api.openai.com}", text, 1);
        assert_ne!(main, super::MAIN);
        move |policy: &str| {
            let tenants = [tenant("one", policy)];
            let snapshot = read(&files(&tenants, &[("consentry.yaml", main.clone())])).unwrap();
            said(&snapshot, None, june())
        }
    };
    let share = "consent: {grants: [{purpose: share, scope: tenant}]}\n";
    let third = upstream("{url: https://api.openai.com, third_party: true}");
    let own = upstream("{url: https://api.openai.com/v0}");
    let plain = upstream("{url: 'http://127.0.0.1:1'}");
    let has = |told: Vec<&str>, ids: [&str; 2]| ids.map(|id| told.contains(&id));
    let ids = ["no_third_party", "third_party_granted"];
    assert_eq!(has(third(""), ids), [false, true]);
    assert_eq!(has(third("third_parties: refuse\n"), ids), [true, false]);
    assert_eq!(has(own(""), ids), [true, false]);
    // What an upstream calls for the tenant is somebody else's as well.
    assert_eq!(has(own(share), ids), [false, true]);
    assert_eq!(has(own(&format!("third_parties: refuse\n{share}")), ids), [true, false]);
    let there = upstream("{url: https://api.openai.com, region: MY}");
    assert!(there("region: MY\n").contains(&"one_region") && !there("").contains(&"one_region"));
    let ids = ["encrypted", "encrypted_to_us"];
    assert_eq!((has(own(""), ids), has(plain(""), ids)), ([true, true], [false, true]));
    // What no setting turns off is always said.
    for id in ["apart", "no_content_kept", "caller_unknown", "recorded"] {
        assert!(plain("").contains(&id), "{id}");
    }
}

/// T6: while findings are only counted, nothing is said to be taken out, and that is said.
#[test]
fn t6_a_dry_run_takes_back_what_is_said_of_the_censor() {
    let until = |until: Timestamp, now: Timestamp| {
        let dry = format!(
            "censor: {{dry_run: {{routes: [openai], until: {until}, accepted: secrets_and_personal_data_pass}}, "
        );
        let main = super::MAIN.replace("api: openai}", "api: openai, allow_dry_run: true}");
        let tenants = [tenant("one", &ALL.replacen("censor: {", &dry, 1))];
        let snapshot = read(&files(&tenants, &[("consentry.yaml", main)])).unwrap();
        let ids = said(&snapshot, None, now);
        (ids.contains(&"dry_run"), ids.contains(&"secrets"))
    };
    let now = Timestamp::now();
    let end = now + jiff::SignedDuration::from_hours(24);
    assert_eq!(until(end, now), (true, false));
    assert_eq!(until(end, end), (false, true));
}
