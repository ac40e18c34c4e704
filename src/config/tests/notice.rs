//! The privacy notice: each statement is there while its setting is on, and gone when it is off.

use super::{files, read, tenant};
use crate::config::statements;
use crate::names::TenantId;

/// The statements' names for all tenants, or one.
fn said(tenants: &[(&str, &str)], more: &str, of: Option<&str>) -> Vec<&'static str> {
    let tenants: Vec<_> = tenants.iter().map(|(name, text)| tenant(name, text)).collect();
    let main = super::MAIN.to_owned() + more;
    let snapshot = read(&files(&tenants, &[("consentry.yaml", main)])).unwrap();
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let id = of.map(TenantId::new);
    statements(&snapshot, id.as_ref(), now).unwrap().into_iter().map(|statement| statement.id).collect()
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
    for (id, on, off) in [
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
        ("secrets", ALL, &*all_but("{secrets: redact", "{secrets: allow")),
        ("secrets", ALL, &*all_but("{secrets: redact", "{secrets: redact, github-pat: allow")),
        ("secrets", ALL, &*all_but("response: {secrets: redact", "response: {secrets: allow")),
        (
            "secrets",
            ALL,
            &*all_but("censor: {", "censor: {operations: {createEmbedding: {request: {secrets: allow}}}, "),
        ),
        ("special_categories", ALL, &*all_but("special-category: redact", "special-category: allow")),
        ("personal", ALL, &*all_but("pii: redact", "pii: redact, EMAIL_ADDRESS: allow")),
        ("not_inspected", "opaque: [createSpeech]\n", ""),
    ] {
        assert!(said(&[("one", on)], "", None).contains(&id), "{id} is not said with {on}");
        assert!(!said(&[("one", off)], "", None).contains(&id), "{id} is said with {off}");
        // What holds for one only is said to that one, and to all only if they have to know.
        let both = [("one", on), ("two", off)];
        let told = matches!(id, "training_granted" | "not_inspected");
        assert_eq!(said(&both, "", None).contains(&id), told, "{id}");
        assert!(said(&both, "", Some("one")).contains(&id) && !said(&both, "", Some("two")).contains(&id));
    }
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
            let now = "2026-06-01T00:00:00Z".parse().unwrap();
            let all = statements(&snapshot, None, now).unwrap();
            all.into_iter().map(|statement| statement.id).collect::<Vec<_>>()
        }
    };
    let third = upstream("{url: https://api.openai.com, third_party: true}");
    let own = upstream("{url: https://api.openai.com/v0}");
    let plain = upstream("{url: 'http://127.0.0.1:1'}");
    let has = |told: Vec<&str>, ids: [&str; 2]| ids.map(|id| told.contains(&id));
    let ids = ["no_third_party", "third_party_granted"];
    assert_eq!(has(third(""), ids), [false, true]);
    assert_eq!(has(third("policy: sectorflow\n"), ids), [true, false]);
    assert_eq!(has(own(""), ids), [true, false]);
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
    let until = |until: jiff::Timestamp, now: jiff::Timestamp| {
        let dry = format!("censor: {{dry_run: {{routes: [openai], until: {until}, accepted: secrets_and_personal_data_pass}}, ");
        let main = super::MAIN.replace("api: openai}", "api: openai, allow_dry_run: true}");
        let tenants = [tenant("one", &ALL.replacen("censor: {", &dry, 1))];
        let snapshot = read(&files(&tenants, &[("consentry.yaml", main)])).unwrap();
        let all = statements(&snapshot, None, now).unwrap();
        let ids: Vec<_> = all.into_iter().map(|statement| statement.id).collect();
        (ids.contains(&"dry_run"), ids.contains(&"secrets"))
    };
    let now = jiff::Timestamp::now();
    let end = now + jiff::SignedDuration::from_hours(24);
    assert_eq!(until(end, now), (true, false));
    assert_eq!(until(end, end), (false, true));
}
