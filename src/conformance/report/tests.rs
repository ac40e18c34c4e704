use serde_json::{Value, json};

use super::{Check, Outcome, Report, Row};

fn row(operation: &str, outcome: Outcome, detail: &str) -> Row {
    Row {
        route: "models".to_owned(),
        operation: operation.to_owned(),
        check: Check::Place,
        place: "path `file_id`".to_owned(),
        kind: "file".to_owned(),
        outcome,
        detail: detail.to_owned(),
    }
}

fn report() -> Report {
    Report {
        answers: 9,
        rows: vec![
            row("deleteFile", Outcome::Differs, "the status: 403, not 404"),
            row("retrieveFile", Outcome::Same, ""),
            row("downloadFile", Outcome::Untried, "A has no <file> & \"more\"\u{7}"),
        ],
        left: vec!["batch b1 of A: answered 400".to_owned()],
    }
}

#[test]
fn in_json_it_holds_its_rows_and_their_sums() {
    let value: Value = serde_json::from_str(&report().json().unwrap()).unwrap();
    assert_eq!((&value["same"], &value["differs"], &value["untried"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(value["answers"], 9);
    assert_eq!(value["left"][0], "batch b1 of A: answered 400");
    assert_eq!(
        value["rows"][0],
        json!({
            "route": "models",
            "operation": "deleteFile",
            "check": "place",
            "place": "path `file_id`",
            "kind": "file",
            "outcome": "differs",
            "detail": "the status: 403, not 404",
        })
    );
}

#[test]
fn in_junit_what_differs_fails_and_what_was_not_tried_is_skipped() {
    let text = report().junit();
    assert!(
        text.contains(r#"<testsuite name="models" tests="3" failures="1" errors="0" skipped="1">"#),
        "{text}"
    );
    assert!(text.contains(
        r#"<testcase classname="models.deleteFile" name="place file path `file_id`"><failure message="the status: 403, not 404"/></testcase>"#
    ), "{text}");
    assert!(
        text.contains(r#"<testcase classname="models.retrieveFile" name="place file path `file_id`"/>"#),
        "{text}"
    );
    assert!(
        text.contains("<skipped message=\"A has no &lt;file&gt; &amp; &quot;more&quot;\u{fffd}\"/>"),
        "{text}"
    );
    assert!(text.contains("<system-err>left behind: batch b1 of A: answered 400</system-err>"), "{text}");
}

#[test]
fn the_table_gives_a_terminal_no_orders() {
    let mut report = report();
    report.left.push("note n\u{1b}[2J\u{9b}1m\r of A: nothing takes it back".to_owned());
    let text = report.text();
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert!(text.contains("left behind: note n\u{fffd}[2J\u{fffd}1m\u{fffd} of A"), "{text:?}");
    assert!(text.contains("\"more\"\u{fffd}"), "{text:?}");
}

#[test]
fn in_the_table_what_differs_stands_last() {
    let text = report().text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("same") && lines[3].starts_with("DIFFERS"), "{text}");
    assert_eq!(*lines.last().unwrap(), "9 answers read: 1 checks the same, 1 DIFFER, 1 untried");
}
