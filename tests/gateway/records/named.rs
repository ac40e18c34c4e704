//! What was made anonymous names nobody, and nothing of a record is told anywhere.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::super::files::file_of;
use super::super::kit::own::Running;
use super::super::kit::values::{mail, mark};
use super::{counts, judging, line, train};

/// A record of somebody who says no.
fn no(more: &Value, said: &str) -> String {
    let mut all = json!({"subject_id": "Ann-Br\u{fc}ck", "training_consent": false});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{}\n", json!({"messages": [{"role": "user", "content": said}], "metadata": all}))
}

/// O5: whoever a record is about, and however a text says it, no anonymous record names them.
#[test]
fn o5_an_anonymous_record_names_no_subject_of_it() {
    let actions = ["said_no", "two_subjects", "unreadable", "no_subject"]
        .map(|finding| format!("{finding}: anonymise"));
    let (Running { gateway, upstream, .. }, people) =
        judging(&format!("records: {{when: {{{}}}}}\n", actions.join(", ")));
    let caller = gateway.as_(&people);
    let nested = json!({"who": "ann-br\u{fc}ck"}).to_string().replace("ann", "\\u0061nn");
    let second = json!({"consent": {"pii_principal_id": "p-second"}});
    let naming = [
        no(&json!({}), "it was ANN-BR\u{dc}CK"),
        no(&json!({}), "it was ann-bru\u{308}ck"),
        no(&json!({}), &nested),
        no(&second, "it was p-second"),
        no(&second, "it was ann-br\u{fc}ck"),
        no(&json!({"record_id": "rec-77"}), "see REC-77."),
        no(&json!({"subject_id": 123456}), "number 123,456"),
        no(&json!({"subject_id": 123456, "copy": 123456.0}), "x"),
        no(&json!({"subject_id": {"id": "p-inner"}}), "it was p-inner"),
    ];
    let innocent = [no(&json!({}), "it was somebody"), no(&second, "it was somebody else")];
    let kept = line("p-1", &json!({}));
    let file = format!("{kept}{}{}", naming.concat(), innocent.concat());
    let answer = train(&caller, &file).ok();
    let arrived = String::from_utf8(file_of(&upstream.one())).unwrap();
    assert_eq!(counts(&answer), [1, innocent.len() as u64, naming.len() as u64], "{arrived}");
    for name in ["ck", "p-second", "77", "123", "p-inner"] {
        assert!(!arrived.to_lowercase().contains(name), "{name} in {arrived}");
    }
    let entry = &gateway.recorded(answer.header("x-request-id").unwrap())[0];
    let still = json!({"finding": "still_named", "action": "drop", "count": naming.len()});
    assert!(entry["judged"]["findings"].as_array().unwrap().contains(&still), "{entry}");
    drop(gateway.stop());
}

/// What the trail tells of an anonymous record is what became of it.
#[test]
fn what_is_told_of_an_anonymous_record_is_what_became_of_it() {
    let (Running { gateway, upstream, .. }, people) = judging("records: {when: {said_no: anonymise}}\n");
    let said = format!("write to {}", mail("somebody"));
    let answer = train(&gateway.as_(&people), &no(&json!({}), &said)).ok();
    assert!(String::from_utf8(file_of(&upstream.one())).unwrap().contains("[EMAIL_ADDRESS]"));
    let entry = &gateway.recorded(answer.header("x-request-id").unwrap())[0];
    let found = json!([{"entity": "EMAIL_ADDRESS", "direction": "request", "action": "redact", "count": 1}]);
    assert_eq!(entry["found"], found, "{entry}");
    drop(gateway.stop());
}

/// Nothing of a record that is judged is in the log, the metrics, the trail or an error: of none that is kept, left out, made
/// anonymous or refused, in no place that is read.
#[test]
fn nothing_of_a_judged_record_is_told() {
    let (Running { gateway, upstream, .. }, people) =
        judging("records: {when: {said_no: anonymise, minor: refuse}}\n");
    let caller = gateway.as_(&people);
    let marks: Vec<String> = (0..9).map(|_| mark()).collect();
    let [subject, status, place, born, purpose, record, said, other, key] = &marks[..] else { panic!() };
    let all = |more: Value| {
        let mut all = json!({
            "subject_id": subject, "record_id": record, "jurisdiction": place, "birth_date": born, key.as_str(): other,
            "consent": {"status": status, "purposes": [purpose], "valid_until": said, "event_time": other},
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{}\n", json!({"messages": [{"role": "user", "content": said}], "metadata": all}))
    };
    let kept = line(subject, &json!({}));
    let anonymous = no(&json!({"subject_id": subject, "record_id": record}), other);
    let file = format!("{kept}{}{anonymous}{}", all(json!({})), all(json!({"special_category": said})));
    let answer = train(&caller, &file).ok();
    assert_eq!(counts(&answer), [1, 1, 2]);
    assert!(upstream.one().text().contains(subject), "the marks are looked for where they are");
    let refused = train(&caller, &format!("{kept}{}", all(json!({"age": 3})))).refused(Reason::RecordRefused);
    let broken =
        train(&caller, &format!("{kept}{{\"metadata\":{{\"subject_id\":\"{subject}\", {said}}}}}\n"));
    let broken = broken.refused(Reason::ContentMalformed);
    let metrics = gateway.observe("/metrics").1;
    let trail: String = gateway.recorded("").iter().map(Value::to_string).collect();
    let folder = gateway.setup.config().join("data");
    let log = gateway.process.written();
    assert!(trail.contains("said_no") && metrics.contains("said_no"), "they tell of what was judged");
    let answers =
        [&answer, &refused, &broken].map(|answer| format!("{:?} {}", answer.comparable().1, answer.text()));
    for mark in &marks {
        for (what, text) in
            [("log", &log), ("metrics", &metrics), ("trail", &trail), ("answers", &answers.concat())]
        {
            assert!(!text.contains(mark.as_str()), "{mark} is in the {what}");
        }
        let held = std::process::Command::new("grep")
            .args(["-r", "-l", "-F", mark.as_str()])
            .arg(&folder)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&held.stdout), "", "{mark} is in the state");
    }
    drop(gateway.stop());
}
