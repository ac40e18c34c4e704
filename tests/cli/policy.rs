//! `consentry policy`.

use serde_json::Value;

use super::{Ended, Place};

const OWN: &str = "\
policy: clinic
title: Hospital pilot
version: '3'
options:
  third_parties: refuse
promises:
  - id: C1
    promise: Diagnoses never leave the house.
    kept_by: [{option: /third_parties}, {not_yet: faxes}]
    shown_by: ['tests/clinic.py::test_c1']
";

fn told(place: &Place, arguments: &[&str]) -> String {
    let Ended { code, out, err } = place.run(arguments);
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    out
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_str(&told(place, &[arguments, &["--format", "json"]].concat())).unwrap()
}

#[test]
fn policies_are_listed_with_how_much_of_each_is_kept() {
    let place = Place::new();
    let all = told(&place, &["policy", "list"]);
    assert_eq!(all.lines().count(), 5, "{all}");
    assert!(all.lines().any(|line| line.starts_with("sectorflow ")), "{all}");
    place.write("config/policies/clinic.yaml", OWN);
    let rows = json(&place, &["policy", "list"]);
    let row = rows.as_array().unwrap().iter().find(|row| row["policy"] == "clinic").unwrap();
    assert_eq!((&row["kept"], &row["partly"], &row["not_yet"]), (&0.into(), &1.into(), &0.into()));
}

#[test]
fn a_policy_says_what_keeps_its_promises() {
    let place = Place::new();
    let text = told(&place, &["policy", "explain", "sectorflow"]);
    for said in [
        "/third_parties = \"refuse\"",
        "S10 [kept] Nothing is shared with third parties.",
        "by the policy's setting /third_parties = \"refuse\"",
        "shown by tests/gateway/promises.rs::s10_third_parties_get_nothing_whatever_was_granted",
        "not enforced yet: ",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    place.write("config/policies/clinic.yaml", OWN);
    let policy = json(&place, &["policy", "explain", "clinic"]);
    assert_eq!(policy["options"], serde_json::json!({"third_parties": "refuse"}));
    let row = &policy["promises"][0];
    assert_eq!((&row["state"], &row["kept_by"][0]["value"]), (&"partly".into(), &"refuse".into()));
    let Ended { code, err, .. } = place.run(&["policy", "explain", "clinik"]);
    assert_eq!(code, 64);
    assert!(err.contains("did you mean `clinic`?"), "{err}");
}

#[test]
fn two_policies_are_compared() {
    let place = Place::new();
    place.write("config/policies/clinic.yaml", OWN);
    let text = told(&place, &["policy", "diff", "clinic", "sectorflow"]);
    assert!(!text.contains("/third_parties"), "both set it: {text}");
    assert!(text.contains("/censor/request/secrets: clinic not set, sectorflow \"redact\""), "{text}");
    let both = json(&place, &["policy", "diff", "clinic", "sectorflow"]);
    assert_eq!(both["promises"]["clinic"][0]["id"], "C1");
    // A row of the same id that promises something else is another row, on both sides.
    place.write(
        "config/policies/ward.yaml",
        OWN.replace("policy: clinic", "policy: ward").replace("Diagnoses never", "Names never"),
    );
    let both = json(&place, &["policy", "diff", "clinic", "ward"]);
    assert_eq!(both["promises"]["clinic"][0]["promise"], "Diagnoses never leave the house.");
    assert_eq!(both["promises"]["ward"][0]["promise"], "Names never leave the house.");
    let text = told(&place, &["policy", "diff", "clinic", "ward"]);
    assert!(text.contains("C1 Names never") && text.contains("C1 Diagnoses never"), "{text}");
    let same = json(&place, &["policy", "diff", "clinic", "clinic"]);
    assert_eq!(same["promises"]["clinic"], serde_json::json!([]));
    assert!(json(&place, &["policy", "diff", "wosom", "wosom"])["settings"].as_array().unwrap().is_empty());
}

#[test]
fn a_policy_that_is_wrong_is_told_with_its_place() {
    let place = Place::new();
    place.write("config/policies/clinic.yaml", OWN.replace("option: /third", "option: /thrid"));
    let Ended { code, err, .. } = place.run(&["policy", "list"]);
    assert_eq!(code, 64);
    assert!(err.contains("config/policies/clinic.yaml:7:5: C1 is said to be kept by"), "{err}");
}
