use std::sync::Arc;

use proptest::prelude::*;

use super::MixedTransform;
use crate::body::Transform;
use crate::body::charset::OtherCharsets;
use crate::body::multipart::{FileTreatment, FormTransform};
use crate::body::testkit::{blocked, everywhere, nothing_of, pieces, request, run, spools, token};
use crate::body::{Facts, Job};
use crate::catalog::{FieldContent, FormField};
use crate::reason::{Reason, Refusal};

fn body_of(job: Job, kind: &str) -> Box<dyn Transform> {
    Box::new(MixedTransform::new(job, kind, 1).unwrap())
}

fn make() -> Box<dyn Transform> {
    body_of(request(), "multipart/mixed; boundary=\"in ner\"")
}

fn part(boundary: &str, head: &str, content: &str) -> String {
    format!("--{boundary}\r\n{head}\r\n\r\n{content}\r\n")
}

/// Several files of several kinds.
fn several(secret: &str) -> String {
    [
        "preamble\r\n".to_owned(),
        part("in ner", "Content-Disposition: file; filename=\"a.txt\"", &format!("text {secret}")),
        part("in ner", "Content-Type: application/json", &format!("{{\"a\": \"\\u0074{}\" }}", &secret[1..])),
        part("in ner", "Content-Disposition: attachment; filename=b.xml", &format!("<a b='{secret}'/>")),
        part("in ner", "Content-Type: text/csv", &format!("a,\"{secret}\"\r\n1,2")),
        part("in ner", "X-Empty:", ""),
        "--in ner--\r\nepilogue".to_owned(),
    ]
    .concat()
}

#[test]
fn each_part_is_censored_as_what_it_is() {
    let secret = token(1);
    let body = several(&secret);
    let outcome = everywhere(&make, body.as_bytes());
    let expected =
        body.replace(&format!("\\u0074{}", &secret[1..]), "[TEST_TOKEN]").replace(&secret, "[TEST_TOKEN]");
    assert_eq!((outcome.reason(), outcome.text()), (None, expected.as_str()));
    let clean = several("clean");
    assert_eq!(everywhere(&make, clean.as_bytes()).text(), clean);
}

#[test]
fn bodies_inside_each_other_to_a_depth() {
    let secret = token(1);
    let nested = |depth: usize| {
        let mut body = format!("--b0\r\nX: y\r\n\r\n{secret}\r\n--b0--");
        for level in 1..depth {
            let inner = level - 1;
            let head = format!("Content-Type: multipart/related; boundary=b{inner}x");
            body = body.replace(&format!("--b{inner}"), &format!("--b{inner}x"));
            body = format!("{}--b{level}--", part(&format!("b{level}"), &head, &body));
        }
        (format!("multipart/mixed; boundary=b{}", depth - 1), body)
    };
    for depth in 1..=4 {
        let (kind, body) = nested(depth);
        let outcome = everywhere(&|| body_of(request(), &kind), body.as_bytes());
        assert_eq!(
            (outcome.reason(), outcome.text()),
            (None, body.replace(&secret, "[TEST_TOKEN]").as_str())
        );
    }
    let (kind, body) = nested(5);
    let outcome = run(&mut *body_of(request(), &kind), [body.as_bytes()]);
    assert_eq!(outcome.reason(), Some(Reason::ContentTooDeep));
    nothing_of(&secret, &outcome.out);
}

#[test]
fn bodies_that_are_not_as_they_should_be() {
    let text = |content: &str| part("in ner", "Content-Type: text/plain", content);
    let end = "--in ner--";
    for (body, reason) in [
        (text("x"), Reason::ContentTruncated),
        (String::new(), Reason::ContentTruncated),
        (format!("{}--in ner\n", text("x")), Reason::FieldAmbiguous),
        (format!("{}{end}", text(&blocked())), Reason::ContentBlocked),
        (
            format!("{}{end}", part("in ner", "Content-Transfer-Encoding: base64", "eA==")),
            Reason::CodingUnknown,
        ),
        (format!("{}{end}", part("in ner", "Content-Type: application/json", "{")), Reason::ContentTruncated),
        (
            format!("{}{end}", part("in ner", "Content-Type: image/png", "\u{1}\0")),
            Reason::ContentUninspectable,
        ),
        (format!("{}{end}", part("in ner", "Content-Type: multipart/mixed", "x")), Reason::ContentMalformed),
    ] {
        let outcome = everywhere(&make, body.as_bytes());
        assert_eq!(outcome.reason(), Some(reason), "{body}");
        nothing_of(&blocked(), &outcome.out);
    }
    // A million parts, and a header line that never ends.
    let many = text("x").repeat(2000);
    let outcome = run(&mut *make(), many.as_bytes().chunks(1000));
    assert_eq!(outcome.reason(), Some(Reason::RecordTooLarge));
    for endless in ["X-A: ".to_owned() + &"y".repeat(100_000), "X-A: y\r\n".repeat(10_000)] {
        let body = format!("--in ner\r\n{endless}");
        let outcome = run(&mut *make(), body.as_bytes().chunks(1000));
        assert_eq!(outcome.reason(), Some(Reason::HeaderTooLarge));
        assert!(outcome.held < 20_000, "{} bytes were held", outcome.held);
    }
    for kind in ["multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed; boundary=a; boundary=b"] {
        assert!(MixedTransform::new(request(), kind, 1).is_err(), "{kind}");
    }
}

#[test]
fn a_part_in_another_encoding_says_so_no_more() {
    let body = b"--in ner\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n\r\ncaf\xe9\r\n--in ner--";
    let refused = everywhere(&make, body);
    assert_eq!(refused.reason(), Some(Reason::ContentNotUtf8));
    let job = Job { other_charsets: OtherCharsets::Transcode, ..request() };
    let outcome = everywhere(&|| body_of(job.clone(), "multipart/mixed; boundary=\"in ner\""), body);
    assert_eq!(
        outcome.text(),
        "--in ner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ncafé\r\n--in ner--"
    );
}

fn form(job: Job) -> Box<dyn Transform> {
    let field = |name: &str, content, required| FormField { name: name.into(), content, required };
    let fields: Arc<[FormField]> =
        [field("purpose", FieldContent::Deciding, true), field("file", FieldContent::File, false)].into();
    let inner = job.clone();
    let decide = Box::new(move |_: &Facts, header: &crate::body::multipart::PartHeader| {
        let kind = header.content_type.clone().unwrap_or_default();
        let mixed = MixedTransform::new(inner.clone(), &kind, 1)?;
        Ok::<_, Refusal>(FileTreatment::Transform(Box::new(mixed)))
    });
    Box::new(FormTransform::new(job, "xYz", fields, spools(), decide, Box::new(|_| Ok(()))))
}

#[test]
fn inside_of_a_form() {
    let secret = token(1);
    let named = |name: &str, more: &str| format!("Content-Disposition: form-data; name=\"{name}\"{more}");
    let mixed = "\r\nContent-Type: multipart/mixed; boundary=\"in ner\"";
    let purpose = part("xYz", &named("purpose", ""), "x");
    for field in ["note", "file"] {
        let body = format!("{purpose}{}--xYz--\r\n", part("xYz", &named(field, mixed), &several(&secret)));
        let outcome = everywhere(&|| form(request()), body.as_bytes());
        let expected = body
            .replace(&format!("\\u0074{}", &secret[1..]), "[TEST_TOKEN]")
            .replace(&secret, "[TEST_TOKEN]");
        assert_eq!((outcome.reason(), outcome.text()), (None, expected.as_str()), "{field}");
    }
    for (head, reason) in [
        (named("purpose", mixed), Reason::CodingUnknown),
        (named("purpose", "\r\nContent-Type: text/plain; charset=latin1"), Reason::CodingUnknown),
        (named("note", "\r\nContent-Type: text/plain; charset=utf-16"), Reason::ContentNotUtf8),
    ] {
        let body = format!("{}--xYz--", part("xYz", &head, "x y"));
        assert_eq!(everywhere(&|| form(request()), body.as_bytes()).reason(), Some(reason), "{head}");
    }
    let latin = [
        purpose.as_bytes(),
        b"--xYz\r\nContent-Disposition: form-data; name=note\r\nContent-Type: text/plain;charset=latin1\r\n\r\n\xe9\r\n--xYz--",
    ]
    .concat();
    let job = Job { other_charsets: OtherCharsets::Transcode, ..request() };
    let outcome = everywhere(&|| form(job.clone()), &latin);
    assert!(
        outcome.text().ends_with("Content-Type: text/plain;charset=utf-8\r\n\r\né\r\n--xYz--"),
        "{}",
        outcome.text()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_parts_in_any_pieces(
        parts in prop::collection::vec(
            (prop_oneof![Just("X: y"), Just("Content-Type: text/html"), Just("Content-Type: text/plain")],
             prop::collection::vec(prop_oneof!["[ -~]{0,20}", (0_u64..4).prop_map(token)], 0..4)),
            1..5,
        ),
        sizes in prop::collection::vec(1_usize..60, 1..6),
    ) {
        // What begins like JSON is read as JSON, and refused if it ends before it is any.
        let text = |words: &[String]| words.join(" ").replace(['@', '&', '<', '{', '['], "");
        let parts: Vec<String> = parts.iter().map(|(head, words)| part("in ner", head, &text(words))).collect();
        let body = parts.concat() + "--in ner--";
        let outcome = run(&mut *make(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.reason(), None);
        for n in 0..4 {
            nothing_of(&token(n), &outcome.out);
        }
        if !body.contains("tok_") && outcome.out.len() == body.len() {
            prop_assert_eq!(outcome.text(), &body);
        }
        let again = run(&mut *make(), [outcome.out.as_slice()]);
        prop_assert_eq!(again.text(), outcome.text());
    }
}
