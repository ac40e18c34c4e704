use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::{FileDecision, FileTreatment, FormTransform, boundary};
use crate::body::json::JsonPlan;
use crate::body::jsonl::JsonlTransform;
use crate::body::spool::{SpoolBudget, Spools};
use crate::body::testkit::{blocked, cuts, everywhere, nothing_of, pieces, request, run, spools, token};
use crate::body::{Facts, Transform};
use crate::catalog::{Edit, EditAction, FieldContent, FormField};
use crate::reason::{Reason, Refusal};

fn field(name: &str, content: FieldContent, required: bool) -> FormField {
    FormField { name: name.into(), content, required }
}

/// The fields of a file upload.
fn fields() -> Arc<[FormField]> {
    [
        field("purpose", FieldContent::Deciding, true),
        field("file", FieldContent::File, true),
        field("expires_after[anchor]", FieldContent::Deciding, false),
        field("note[]", FieldContent::Text, false),
        field("image", FieldContent::Opaque, false),
    ]
    .into()
}

/// JSON lines for training, anything for images, nothing else.
fn decision(seen: &Arc<Mutex<Vec<String>>>) -> FileDecision {
    let seen = Arc::clone(seen);
    Box::new(move |facts: &Facts, header| {
        let purpose = facts.first(0).and_then(|value| value.as_text()).unwrap_or("none").to_owned();
        seen.lock().unwrap().push(format!("{purpose} {}", header.filename.as_deref().unwrap_or_default()));
        match (purpose.as_str(), header.field) {
            (_, Some(4)) => Ok(FileTreatment::Pass),
            ("fine-tune", _) => Ok(FileTreatment::Transform(Box::new(JsonlTransform::censoring(
                request(),
                Arc::new(JsonPlan::empty()),
            )))),
            _ => Err(Refusal::new(Reason::ConsentMissing)),
        }
    })
}

fn form(spools: &Spools, seen: &Arc<Mutex<Vec<String>>>) -> FormTransform {
    let before_end = |facts: &Facts| {
        if facts.first(2).and_then(|value| value.as_text()) == Some("never") {
            return Err(Refusal::new(Reason::FieldNotAllowed));
        }
        Ok(())
    };
    FormTransform::new(request(), "xYz", fields(), spools.clone(), decision(seen), Box::new(before_end))
}

fn make() -> Box<dyn Transform> {
    Box::new(form(&spools(), &Arc::default()))
}

fn part(name: &str, rest: &str, content: &str) -> String {
    format!("--xYz\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{content}\r\n")
}

const FILE: &str = "; filename=\"train.jsonl\"\r\nContent-Type: application/octet-stream";
const END: &str = "--xYz--\r\n";

fn lines(secret: &str) -> String {
    format!("{{\"a\":\"plain\"}}\r\n{{\"a\":\"x {secret}\"}}\n{{\"b\": 1.50 }}")
}

/// A boundary that is none was told before what stood before it, or after, depending on the cuts.
#[test]
fn what_stands_before_a_wrong_boundary_is_read_first() {
    let end = [part("a", "", "x").as_str(), END].concat();
    for (body, reason) in [
        (format!("--x\0\n--xYz\r\n{end}"), Reason::ContentUninspectable),
        (format!("--x\n--xYz\0\r\n{end}"), Reason::FieldAmbiguous),
        (format!("{end}a\0\r\n--xYz\r\n"), Reason::ContentUninspectable),
        (format!("{end}a\r\n--xYz\r\n"), Reason::FieldAmbiguous),
    ] {
        let make = || {
            let spools = spools();
            let decide = decision(&Arc::default());
            let fields = [field("a", FieldContent::Text, false)].into();
            Box::new(FormTransform::new(request(), "xYz", fields, spools, decide, Box::new(|_| Ok(()))))
                as Box<dyn Transform>
        };
        assert_eq!(everywhere(&make, body.as_bytes()).reason(), Some(reason), "{body:?}");
    }
}

/// What decides went up as it was, whatever it was.
#[test]
fn a_value_that_decides_is_a_text_besides() {
    let secret = token(1);
    let anchor = part("expires_after[anchor]", "", &format!("x {secret}"));
    let body =
        [part("purpose", "", "fine-tune").as_str(), &anchor, &part("file", FILE, "{}\n"), END].concat();
    let outcome = everywhere(&make, body.as_bytes());
    assert_eq!(outcome.text(), body.replace(&secret, "[TEST_TOKEN]"));
    let told = |facts: &Facts| facts.first(2).and_then(|value| value.as_text()).map(str::to_owned);
    let mut form = form(&spools(), &Arc::default());
    run(&mut form, [body.as_bytes()]);
    assert_eq!(told(form.facts()), Some(format!("x {secret}")));
    let ids = || Box::new(self::form(&spools(), &Arc::default()).with_ids(vec![2])) as Box<dyn Transform>;
    assert_eq!(everywhere(&ids, body.as_bytes()).text(), body);
    let blocked = body.replace(&secret, &blocked());
    assert_eq!(everywhere(&make, blocked.as_bytes()).reason(), Some(Reason::ContentBlocked));
}

#[test]
fn the_purpose_before_the_file_and_after_it() {
    let secret = token(1);
    let (purpose, file) = (part("purpose", "", "fine-tune"), part("file", FILE, &lines(&secret)));
    let note = part("note[0]", "", &format!("a note with {secret} in it"));
    for body in [
        [purpose.as_str(), &file, END].concat(),
        [file.as_str(), &purpose, END].concat(),
        [note.as_str(), &file, &note, &purpose, &note, END].concat(),
        [file.as_str(), &note, &part("image", "; filename=x.png", "\u{1}\u{0}\u{2}"), &purpose, END].concat(),
    ] {
        let outcome = everywhere(&make, body.as_bytes());
        assert_eq!(outcome.reason(), None, "{body}");
        assert_eq!(outcome.text(), body.replace(&secret, "[TEST_TOKEN]"));
        nothing_of(&secret, &outcome.out);
    }
}

#[test]
fn nothing_of_a_file_goes_out_before_it_is_decided() {
    let clean = "{\"a\":\"CONTENT\"}\n".repeat(200);
    let body = [
        part("file", FILE, &clean),
        part("note[]", "", "NOTE"),
        part("purpose", "", "fine-tune"),
        END.to_owned(),
    ]
    .concat();
    let spools = spools();
    let seen = Arc::default();
    let mut form = form(&spools, &seen);
    let (mut out, mut purpose_at) = (Vec::new(), None);
    for (at, piece) in body.as_bytes().chunks(10).enumerate() {
        form.push(piece, &mut out).unwrap();
        while form.drain(&mut out).unwrap() {}
        if form.facts().is_empty() {
            assert!(!out.windows(7).any(|w| w == b"CONTENT"));
            assert!(seen.lock().unwrap().is_empty());
        } else {
            purpose_at.get_or_insert(at);
        }
    }
    assert!(purpose_at.is_some());
    form.finish(&mut out).unwrap();
    while form.drain(&mut out).unwrap() {}
    assert_eq!(String::from_utf8(out).unwrap(), body);
    assert_eq!(*seen.lock().unwrap(), ["fine-tune train.jsonl"]);
    assert_eq!(spools.budget().used(), 0);
}

#[test]
fn files_are_refused_by_what_decides() {
    let file = part("file", FILE, &lines(&token(1)));
    for body in [
        [part("purpose", "", "assistants"), file.clone(), END.to_owned()].concat(),
        [file, part("purpose", "", "assistants"), END.to_owned()].concat(),
    ] {
        let outcome = everywhere(&make, body.as_bytes());
        assert_eq!(outcome.reason(), Some(Reason::ConsentMissing));
        assert!(!outcome.text().contains("plain") && !outcome.text().contains(END));
    }
}

#[test]
fn forms_that_are_not_as_they_should_be() {
    let (purpose, file) = (part("purpose", "", "fine-tune"), part("file", FILE, "{}"));
    let all = |parts: &[&str]| parts.concat();
    for (body, reason) in [
        (all(&[&purpose, &purpose, &file, END]), Reason::FieldAmbiguous),
        (all(&[&file, END]), Reason::FieldMissing),
        (all(&[&purpose, END]), Reason::FieldMissing),
        (all(&[&purpose, &file]), Reason::ContentTruncated),
        (all(&[&purpose, &file, "--xYz"]), Reason::ContentTruncated),
        (all(&[&purpose, &part("file", FILE, "{\"a\":}"), END]), Reason::ContentMalformed),
        (all(&[&part("file", FILE, "{\"a\":}"), &purpose, END]), Reason::ContentMalformed),
        (all(&[&purpose, &part("purpose%5d", "", "x"), &file, END]), Reason::ContentTruncated),
        (all(&[&part("purpos%65", "", "assistants"), &purpose, &file, END]), Reason::FieldAmbiguous),
        (all(&[&part("purpose[]", "", "assistants"), &purpose, &file, END]), Reason::FieldAmbiguous),
        (all(&[&part("purpose[0]", "", "assistants"), &purpose, &file, END]), Reason::FieldAmbiguous),
        (all(&[&part("expires_after[anchor]", "", "never"), &purpose, &file, END]), Reason::FieldNotAllowed),
        (all(&[&file, &part("expires_after[anchor]", "", "never"), &purpose, END]), Reason::FieldNotAllowed),
        (all(&[&part("purpose", "", &"x".repeat(5000)), &file, END]), Reason::RecordTooLarge),
        (all(&[&purpose, &part("unknown", "", "\u{0}"), &file, END]), Reason::ContentUninspectable),
        (all(&[&purpose, &part("note[1]", "", &blocked()), &file, END]), Reason::ContentBlocked),
        (
            all(&[&purpose, &part("file", "\r\nContent-Transfer-Encoding: base64", "e30="), END]),
            Reason::CodingUnknown,
        ),
    ] {
        if reason == Reason::ContentTruncated && body.ends_with(END) {
            assert_eq!(everywhere(&make, body.as_bytes()).reason(), None, "{body}");
            continue;
        }
        let check = |outcome: &crate::body::testkit::Outcome| {
            assert_eq!(outcome.reason(), Some(reason), "{body}");
            // What was refused never looks complete.
            assert!(!String::from_utf8_lossy(&outcome.out).contains("--xYz--"), "{body}");
        };
        if body.len() < 2000 {
            check(&everywhere(&make, body.as_bytes()));
        }
        check(&run(&mut *make(), body.as_bytes().chunks(100)));
    }
}

#[test]
fn names_of_files_and_fields_are_censored() {
    let secret = token(2);
    let coded: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
    let body = [
        part("purpose", "", "fine-tune"),
        part(
            "file",
            &format!("; filename=\"{secret}.jsonl\"; filename*=UTF-8''%20{coded}\r\nX-Note: {secret}"),
            "{}",
        ),
        part(&format!("x {secret}"), "", "y"),
        format!("{END}epilogue {secret}"),
    ]
    .concat();
    let body = format!("preamble {secret}\r\n{body}");
    let outcome = everywhere(&make, body.as_bytes());
    let expected =
        body.replace(&format!("%20{coded}"), "%20%5BTEST%5FTOKEN%5D").replace(&secret, "[TEST_TOKEN]");
    assert_eq!(outcome.text(), expected);
}

#[test]
fn boundaries() {
    for (content_type, expected) in [
        ("multipart/form-data; boundary=xYz", Some("xYz")),
        ("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b'(),./:=?\" ", Some("a b'(),./:=?")),
        ("multipart/form-data; boundary=\"x;y\"", None),
        ("multipart/form-data", None),
        ("multipart/mixed; boundary=x", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=a; boundary=b", None),
        ("multipart/form-data; boundary=a boundary=b", None),
        ("multipart/form-data; boundary=\"a \"", None),
    ] {
        assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
    }
    assert!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(70))).is_some());
    assert!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))).is_none());
}

#[test]
fn memory_is_bounded_and_the_budget_too() {
    let line = format!("{{\"a\":\"{} {}\"}}\n", "lorem ipsum ".repeat(100), token(1));
    let content = line.repeat(4000);
    let body = [part("file", FILE, &content), part("purpose", "", "fine-tune"), END.to_owned()].concat();
    let spools = Spools::new(SpoolBudget::new(1 << 30), 0, std::env::temp_dir());
    let outcome = run(&mut form(&spools, &Arc::default()), body.as_bytes().chunks(64 * 1024));
    assert!(outcome.out == body.replace(&token(1), "[TEST_TOKEN]").as_bytes());
    assert!(outcome.held < 300 * 1024, "{} bytes were held", outcome.held);
    assert_eq!(spools.budget().used(), 0);
    let small = Spools::new(SpoolBudget::new(1 << 20), 0, std::env::temp_dir());
    let outcome = run(&mut form(&small, &Arc::default()), body.as_bytes().chunks(64 * 1024));
    assert_eq!(outcome.reason(), Some(Reason::SpoolFull));
    assert_eq!(small.budget().used(), 0);
}

#[test]
fn too_many_parts() {
    let body = part("note[]", "", "x").repeat(1025);
    assert_eq!(run(&mut *make(), [body.as_bytes()]).reason(), Some(Reason::RecordTooLarge));
    for pieces in cuts(part("note[]", "", "x").repeat(2).as_bytes()) {
        assert_eq!(run(&mut *make(), pieces).reason(), Some(Reason::ContentTruncated));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_form_in_any_order_comes_out_in_its_order(
        order in Just(vec![0, 1, 2, 3, 3, 5]).prop_shuffle(),
        records in prop::collection::vec((any::<String>(), prop::option::of(0_u64..4)), 0..6),
        text in any::<String>(),
        sizes in prop::collection::vec(1_usize..120, 1..6),
    ) {
        let text = text.replace(['\0', '\n', '\r', '@'], "") + " " + &token(1);
        let content: String = records.iter().map(|(text, n)| {
            serde_json::json!({"t": text.replace('@', ""), "s": n.map(token)}).to_string() + "\r\n"
        }).collect();
        let parts = [
            part("purpose", "", "fine-tune"),
            part("file", FILE, &content),
            part("expires_after[anchor]", "", "created_at"),
            part("note[]", "", &text),
            String::new(),
            part("else", "; filename=\"x.txt\"", &text),
        ];
        let body: String = order.iter().map(|at| parts[*at].as_str()).collect::<String>() + END;
        let outcome = run(&mut *make(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.reason(), None);
        let expected = (0..4).fold(body, |body, n| body.replace(&token(n), "[TEST_TOKEN]"));
        prop_assert_eq!(outcome.text(), &expected);
    }
}

/// `user` of a form went up in clear although the profile hashes it.
#[test]
fn a_field_that_is_salted_leaves_as_its_hash() {
    let edits = [Edit { at: "/note".parse().unwrap(), action: EditAction::Salt }];
    let make = || Box::new(form(&spools(), &Arc::default()).with_edits(&edits)) as Box<dyn Transform>;
    let body = |value: &str| {
        let file = part("file", FILE, "{\"a\":\"jane 4711\"}");
        let parts =
            [part("note", "", value), file, part("NOTE[0]", "", value), part("notes", "", "jane 4711")];
        [parts.concat(), part("purpose", "", "fine-tune"), END.to_owned()].concat()
    };
    let hash = String::from_utf8(request().salted(b"jane 4711").unwrap()).unwrap();
    let outcome = everywhere(&make, body("jane 4711").as_bytes());
    let expected = body(&hash);
    assert_eq!((outcome.reason(), outcome.text()), (None, expected.as_str()));
    let long = everywhere(&make, body(&"x".repeat(5000)).as_bytes());
    assert_eq!(long.reason(), Some(Reason::RecordTooLarge));
}
