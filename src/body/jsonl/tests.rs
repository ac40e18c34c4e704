use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::Value;

use super::JsonlTransform;
use crate::body::json::{JsonPlan, Watch};
use crate::body::records::{Anonymous, RecordVerdict, Records};
use crate::body::testkit::{
    address, blocked, censored, cuts, everywhere, exchange, nothing_of, pieces, request, response, run, token,
};
use crate::body::{Job, Limits, Transform};
use crate::reason::{Reason, Refusal};

fn make() -> Box<dyn Transform> {
    Box::new(JsonlTransform::censoring(request(), Arc::new(JsonPlan::empty())))
}

/// Judges by `/keep`, and notes what it was shown.
fn judging(seen: &Arc<Mutex<Vec<(u64, String)>>>) -> JsonlTransform {
    let plan = JsonPlan::compile(&[Watch::new("/keep".parse().unwrap())], &[]).unwrap();
    let seen = Arc::clone(seen);
    let judge = move |line, facts: &crate::body::Facts| {
        let keep = facts.first(0).and_then(|value| value.as_text()).unwrap_or("none").to_owned();
        let verdict = match keep.as_str() {
            "no" => Ok(RecordVerdict::Drop),
            "never" => Err(Refusal::new(Reason::ConsentMissing)),
            _ => Ok(RecordVerdict::Keep),
        };
        seen.lock().unwrap().push((line, keep));
        verdict
    };
    let plan = Arc::new(plan);
    let anonymous = Anonymous { job: request(), plan: Arc::clone(&plan) };
    JsonlTransform::judged(request(), Records { plan, anonymous, judge: Box::new(judge) })
}

/// api7/aisix#1120: an upload was scanned as one text and forwarded as another.
#[test]
fn lines_without_findings_stay_as_they_are() {
    let token = token(1);
    let lines = [
        " {\"a\": \"plain \\u00e9\"} \r\n".to_owned(),
        "\n".to_owned(),
        format!("{{\"a\":\"x {token} y\"}}\n"),
        "  \r\n".to_owned(),
        "[1, 2.50]\n".to_owned(),
        "7\n".to_owned(),
        format!("\"{token}\"\n"),
        "{\"last\":true}".to_owned(),
    ];
    for bom in ["", "\u{feff}"] {
        for count in 0..=lines.len() {
            let body = format!("{bom}{}", lines[..count].concat());
            let outcome = everywhere(&make, body.as_bytes());
            assert_eq!(outcome.reason(), None);
            assert_eq!(outcome.text(), body.replace(&token, "[TEST_TOKEN]"));
        }
    }
}

/// BerriAI/litellm#37519: records of batch files were not looked at.
#[test]
fn records_are_judged_by_their_facts() {
    let lines = [
        r#"{"keep":"yes","t":"a"}"#.to_owned(),
        String::new(),
        format!(r#"{{"t":"{} b","keep":"no"}}"#, token(1)),
        r#"{"keep":"no"}"#.to_owned(),
        r#"{"t":"c"}"#.to_owned(),
        format!(r#"{{"t":"{} d"}}"#, token(1)),
    ];
    for (end, last) in [("\n", "\n"), ("\r\n", "\r\n"), ("\n", "")] {
        let body = lines.join(end) + last;
        for pieces in cuts(body.as_bytes()) {
            let seen = Arc::default();
            let mut transform = judging(&seen);
            let meter = transform.walker.job().meter.clone();
            let outcome = run(&mut transform, pieces);
            let expected =
                [lines[0].as_str(), "", lines[4].as_str(), r#"{"t":"[TEST_TOKEN] d"}"#].join(end) + last;
            assert_eq!(outcome.text(), expected);
            assert_eq!(meter.records(), 3);
            let told: Vec<(u64, String)> = seen.lock().unwrap().clone();
            let told: Vec<(u64, &str)> = told.iter().map(|(line, keep)| (*line, keep.as_str())).collect();
            assert_eq!(told, [(1, "yes"), (3, "no"), (4, "no"), (5, "none"), (6, "none")]);
        }
    }
}

#[test]
fn no_byte_of_a_refused_record_comes_out() {
    let body = "{\"t\":\"first\"}\n{\"t\":\"SECOND\",\"keep\":\"never\"}\n{\"t\":\"third\"}\n";
    for pieces in cuts(body.as_bytes()) {
        let outcome = run(&mut judging(&Arc::default()), pieces);
        assert_eq!(outcome.reason(), Some(Reason::ConsentMissing));
        assert_eq!(outcome.refusal.as_ref().unwrap().detail.as_ref().unwrap().as_str(), "line 2");
        assert!("{\"t\":\"first\"}\n".starts_with(outcome.text()), "{}", outcome.text());
    }
}

#[test]
fn refusals_name_the_line() {
    let mut job = request();
    job.limits = Arc::new(Limits { record: 60, ..Limits::default() });
    let make = || {
        Box::new(JsonlTransform::censoring(job.clone(), Arc::new(JsonPlan::empty()))) as Box<dyn Transform>
    };
    let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(60));
    let blocked = format!("{{\"a\":\"{}\"}}\n", blocked());
    for (line, reason, detail) in [
        ("{\"a\":}\n", Reason::ContentMalformed, "line 3, not JSON (RFC 8259)"),
        ("{\"a\":\n", Reason::ContentMalformed, "line 3, the JSON document is not complete"),
        ("{\"a\":\"x\n\"}\n", Reason::ContentMalformed, "line 3, the JSON document is not complete"),
        ("{} {}\n", Reason::ContentMalformed, "line 3, not JSON (RFC 8259)"),
        ("{\"a\":1", Reason::ContentTruncated, "line 3, the JSON document is not complete"),
        (&long, Reason::RecordTooLarge, "line 3"),
        (&blocked, Reason::ContentBlocked, "line 3, rule test-blocked"),
    ] {
        let body = format!("{{}}\n\n{line}");
        let outcome = everywhere(&make, body.as_bytes());
        assert_eq!(outcome.reason(), Some(reason), "{line}");
        assert_eq!(outcome.refusal.unwrap().detail.unwrap().as_str(), detail);
    }
    let outcome = everywhere(&make, b"{}\n\n\"\xff\"\n");
    assert_eq!(outcome.reason(), Some(Reason::ContentNotUtf8));
    assert_eq!(outcome.refusal.unwrap().detail.unwrap().as_str(), "line 3");
    let answer =
        || Box::new(JsonlTransform::censoring(response(), Arc::new(JsonPlan::empty()))) as Box<dyn Transform>;
    assert_eq!(everywhere(&answer, b"{").reason(), Some(Reason::UpstreamBroke));
    assert_eq!(everywhere(&answer, b"{\n").reason(), Some(Reason::UpstreamUnexpected));
}

/// A line that came in one piece was measured before it was read, one in pieces as it was read: of two reasons either.
#[test]
fn what_is_wrong_first_is_told_at_every_cut() {
    let mut job = request();
    job.limits = Arc::new(Limits { record: 40, ..Limits::default() });
    let make = || {
        Box::new(JsonlTransform::censoring(job.clone(), Arc::new(JsonPlan::empty()))) as Box<dyn Transform>
    };
    let long = "x".repeat(60);
    for (line, reason) in [
        (format!("{{\"a\":}} {long}\n"), Reason::ContentMalformed),
        (format!("{{\"a\":\"{} {long}\"}}\n", blocked()), Reason::ContentBlocked),
        (format!("{{\"a\":\"{long}\"}} x\n"), Reason::RecordTooLarge),
    ] {
        for body in [line.clone(), format!("{{}}\n{line}{{}}\n")] {
            assert_eq!(everywhere(&make, body.as_bytes()).reason(), Some(reason), "{body}");
        }
    }
}

#[test]
fn a_record_is_all_that_is_held() {
    let line = format!("{{\"messages\":[{{\"content\":\"{} {}\"}}]}}\n", "lorem ".repeat(200), token(1));
    let body = line.repeat(10_000);
    let outcome = run(&mut *make(), body.as_bytes().chunks(16 * 1024));
    assert!(outcome.held < 2 * line.len(), "{} bytes were held", outcome.held);
    assert!(outcome.text() == body.replace(&token(1), "[TEST_TOKEN]"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn lines_are_independent(
        records in prop::collection::vec(
            ("[a-z é\"\\\\]{0,20}", prop::option::of(0_u64..4), any::<bool>(), any::<bool>()), 0..8),
        sizes in prop::collection::vec(1_usize..60, 1..6),
        last in any::<bool>(),
    ) {
        let exchange = exchange();
        let (mut body, mut expected) = (String::new(), String::new());
        let count = records.len();
        for (at, (text, finding, mail, crlf)) in records.into_iter().enumerate() {
            let text = match finding {
                None => text,
                Some(n) if mail => format!("{text} {}", address(n)),
                Some(n) => format!("{} {text}", token(n)),
            };
            let record = |text: &str| serde_json::json!({"n": at, "text": text}).to_string();
            let end = match (crlf, at + 1 == count && !last) {
                (_, true) => "",
                (true, _) => "\r\n",
                (false, _) => "\n",
            };
            body.push_str(&(record(&text) + end));
            expected.push_str(&(record(&censored(&exchange, Some("text"), &text)) + end));
        }
        let outcome = run(&mut *make(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.text(), &expected);
        for line in outcome.text().lines() {
            prop_assert!(serde_json::from_str::<Value>(line).is_ok());
        }
        for n in 0..4 {
            nothing_of(&token(n), &outcome.out);
        }
    }
}

/// Drops, keeps and makes anonymous by `/do`, and looks for `/who` in what was made anonymous.
struct Sorting {
    ended: Arc<Mutex<usize>>,
}

fn at(record: &crate::body::records::Record<'_>, watch: usize) -> String {
    record.facts.first(watch).and_then(|value| value.as_text()).unwrap_or_default().to_owned()
}

impl crate::body::records::RecordJudge for Sorting {
    fn judge(&mut self, record: &crate::body::records::Record<'_>) -> Result<RecordVerdict, Refusal> {
        match at(record, 0).as_str() {
            "drop" => Ok(RecordVerdict::Drop),
            "hide" | "hide special" => Ok(RecordVerdict::Anonymise),
            "refuse" => Err(Refusal::new(Reason::RecordRefused).detail("it is so")),
            "special" if !record.special => Ok(RecordVerdict::Drop),
            _ => Ok(RecordVerdict::Keep),
        }
    }

    fn names(&self, record: &crate::body::records::Record<'_>, text: &[u8]) -> bool {
        memchr::memmem::find(text, at(record, 1).as_bytes()).is_some()
    }

    fn anonymised(
        &mut self,
        record: &crate::body::records::Record<'_>,
        named: bool,
    ) -> Result<RecordVerdict, Refusal> {
        assert!(!record.facts.is_empty());
        assert!(at(record, 0) != "hide special" || record.special, "what was found in a record is forgotten");
        Ok(if named { RecordVerdict::Drop } else { RecordVerdict::Keep })
    }

    fn unread(&mut self) -> Result<(), Refusal> {
        Err(Refusal::new(Reason::RecordsUnreadable))
    }

    fn end(&mut self) -> Result<(), Refusal> {
        *self.ended.lock().unwrap() += 1;
        Ok(())
    }
}

fn sorting(ended: &Arc<Mutex<usize>>) -> JsonlTransform {
    sorting_of(ended, request())
}

fn sorting_of(ended: &Arc<Mutex<usize>>, job: Job) -> JsonlTransform {
    let [verb, who, meta] = ["/do", "/who", "/meta"].map(|at| at.parse::<crate::pointer::Pointer>().unwrap());
    let watches = [Watch::new(verb.clone()), Watch::new(who.clone())];
    let remove = |at: &crate::pointer::Pointer| crate::catalog::Edit {
        at: at.clone(),
        action: crate::catalog::EditAction::Remove,
    };
    let plan = Arc::new(JsonPlan::compile(&watches, &[remove(&meta)]).unwrap());
    let hiding = JsonPlan::compile(&watches, &[remove(&meta), remove(&who), remove(&verb)]).unwrap();
    let anonymous = Anonymous { job: request(), plan: Arc::new(hiding) };
    let judge = Box::new(Sorting { ended: Arc::clone(ended) });
    JsonlTransform::judged(job, Records { plan, anonymous, judge })
}

/// Kept records stay byte for byte, dropped ones leave nothing, anonymous ones lose who they are about; however the body
/// is cut.
#[test]
fn records_are_kept_dropped_and_made_anonymous_under_every_cut() {
    let token = token(1);
    let lines = [
        ("{\"do\":\"keep\", \"who\" :\"ann-1\",\"t\":\"\\u00e9\"}\r\n".to_owned(), None),
        ("{\"do\":\"drop\",\"who\":\"ann-2\"}\n".to_owned(), Some("".to_owned())),
        (
            format!("{{\"who\":\"ann-3\",\"do\":\"hide\",\"t\":\"x {token} y\"}}\n"),
            Some("{\"t\":\"x [TEST_TOKEN] y\"}\n".to_owned()),
        ),
        ("\n".to_owned(), None),
        ("{\"who\":\"ann-4\",\"do\":\"hide\",\"t\":\"said ann-4\"}\n".to_owned(), Some(String::new())),
        ("{\"who\":\"ann-5\",\"do\":\"hide\",\"t\":\"said \\u0061nn-5\"}\n".to_owned(), Some(String::new())),
        (
            "{\"who\":\"ann-7\",\"do\":\"hide\",\"t\":\"{\\\"a\\\":\\\"\\\\u0061nn-7\\\"}\"}\n".to_owned(),
            Some(String::new()),
        ),
        (
            "{\"who\":\"ann-8\",\"do\":\"hide\",\"t\":\"C:\\\\x\"}\n".to_owned(),
            Some("{\"t\":\"C:\\\\x\"}\n".to_owned()),
        ),
        (
            "{\"do\":\"keep\",\"meta\":{\"a\":[1]},\"t\":1}\n".to_owned(),
            Some("{\"do\":\"keep\",\"t\":1}\n".to_owned()),
        ),
        ("{\"do\":\"hide\",\"who\":\"ann-6\", \"t\":2 }".to_owned(), Some("{ \"t\":2 }".to_owned())),
    ];
    for count in 0..=lines.len() {
        let body: String = lines[..count].iter().map(|(line, _)| line.as_str()).collect();
        let expected: String =
            lines[..count].iter().map(|(line, out)| out.as_deref().unwrap_or(line)).collect();
        let ended = Arc::default();
        let outcome = everywhere(&|| Box::new(sorting(&ended)) as Box<dyn Transform>, body.as_bytes());
        assert_eq!(outcome.reason(), None);
        assert_eq!(outcome.text(), expected);
    }
    let ended = Arc::default();
    let body: String = lines.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(run(&mut sorting(&ended), pieces(body.as_bytes(), &[5])).reason(), None);
    assert_eq!(*ended.lock().unwrap(), 1);
}

#[test]
fn a_refused_record_ends_the_file_with_its_line() {
    let body = "{\"do\":\"keep\"}\n{\"do\":\"refuse\"}\n{\"do\":\"keep\"}\n";
    let ended = Arc::default();
    let outcome = everywhere(&|| Box::new(sorting(&ended)) as Box<dyn Transform>, body.as_bytes());
    assert_eq!(outcome.reason(), Some(Reason::RecordRefused));
    assert_eq!(*ended.lock().unwrap(), 0, "a file that is refused was not judged to its end");
}

/// What was found before a file, in another file of the request, is not found in its first record; and what was found in a
/// record is known when it has been made anonymous.
#[test]
fn what_is_special_is_told_of_its_own_record() {
    let special = format!("sp_{}", 1234);
    let line = |verb: &str, text: &str| format!("{{\"do\":\"{verb}\",\"who\":\"ann-1\",\"t\":\"{text}\"}}\n");
    let (clean, found) = (line("special", "nothing"), line("special", &special));
    let hidden = line("hide special", &special);
    for cut in [1, 7, 4096] {
        let exchange = crate::body::testkit::exchange();
        let job = crate::body::testkit::job(exchange, crate::names::Direction::Request);
        let ended = Arc::default();
        let first = run(&mut sorting_of(&ended, job.clone()), [found.as_bytes()]);
        assert_eq!(first.text().lines().count(), 1, "the rules of the tests find no special category");
        let body = format!("{clean}{found}{clean}{hidden}{clean}");
        let outcome = run(&mut sorting_of(&ended, job), pieces(body.as_bytes(), &[cut]));
        assert_eq!(outcome.reason(), None);
        assert_eq!(outcome.text().lines().count(), 2, "{}", outcome.text());
    }
}
