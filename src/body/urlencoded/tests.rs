use std::sync::Arc;

use proptest::prelude::*;

use super::UrlencodedTransform;
use crate::body::testkit::{
    address, blocked, censored, everywhere, exchange, job, nothing_of, pieces, request, run, token,
};
use crate::body::{FactValue, Transform};
use crate::catalog::{Edit, EditAction, FieldContent, FormField};
use crate::names::Direction;
use crate::reason::Reason;

fn fields() -> Arc<[FormField]> {
    let field = |name: &str, content, required| FormField { name: name.into(), content, required };
    [
        field("model", FieldContent::Deciding, true),
        field("file_ids[]", FieldContent::Deciding, false),
        field("note", FieldContent::Text, false),
    ]
    .into()
}

fn form() -> UrlencodedTransform {
    UrlencodedTransform::new(request(), fields())
}

fn make() -> Box<dyn Transform> {
    Box::new(form())
}

fn free() -> Box<dyn Transform> {
    Box::new(UrlencodedTransform::new(request(), Arc::new([])))
}

/// Every byte as `%XX`.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().unwrap().into_owned()
}

#[test]
fn clean_forms_stay_byte_for_byte() {
    for body in [
        "model=gpt&note=caf%c3%a9+%C3%A9+%7e~%&x=%zz&=&&y",
        "model=a%2Db&file_ids[]=1&note[]=2;3",
        "model=a&note=Grüße+😀+100%25",
        "model=a&note=x;y=1;z&",
    ] {
        let outcome = everywhere(&make, body.as_bytes());
        assert_eq!((outcome.reason(), outcome.text()), (None, body));
    }
    assert_eq!(everywhere(&free, b"").reason(), None);
}

#[test]
fn values_are_found_as_they_read() {
    let (secret, mail) = (token(1), address(1));
    let hidden = censored(&exchange(), None, &mail);
    for (written, reads) in [
        (format!("model=a&note=use+{secret}+now&x=1"), "use [TEST_TOKEN] now".to_owned()),
        (format!("model=a&note=use%20{}%20now&x=1", percent(&secret)), "use [TEST_TOKEN] now".to_owned()),
        (format!("model=a&note=%74{}%2B%26&x=1", &secret[1..]), "[TEST_TOKEN]+&".to_owned()),
        (format!("model=a&note={}&x=1", mail.replace('@', "%40")), hidden),
        (format!("model=a&note=%ef%bb%bf{secret}&x=1"), "\u{feff}[TEST_TOKEN]".to_owned()),
        // JSON in a field, with its own escapes.
        (
            format!("model=a&note=%7B%22a%22%3A%22%5Cu0074{}%22%7D&x=1", &secret[1..]),
            "{\"a\":\"[TEST_TOKEN]\"}".to_owned(),
        ),
        // What stands under a name that says it all.
        ("model=a&note=n&birth_name=Joan+of+Arc&x=1".to_owned(), "n".to_owned()),
    ] {
        let outcome = everywhere(&make, written.as_bytes());
        assert_eq!(outcome.reason(), None, "{written}");
        let value = outcome.text().split('&').find_map(|pair| pair.strip_prefix("note=")).unwrap();
        assert_eq!(decoded(value), reads, "{written}");
        assert!(outcome.text().starts_with("model=a&") && outcome.text().ends_with("&x=1"));
        nothing_of(&secret, decoded(outcome.text()).as_bytes());
        assert!(!outcome.text().contains("Joan"));
    }
    // Only what changes is written anew.
    let body = format!("model=a&note=%c3%A9+{secret}%7e");
    assert_eq!(everywhere(&make, body.as_bytes()).text(), "model=a&note=%c3%A9+%5BTEST_TOKEN%5D%7e");
}

#[test]
fn names_are_censored_too() {
    let secret = token(2);
    let body = format!("model=a&x+{}=1&{secret}&y=", percent(&secret));
    let outcome = everywhere(&make, body.as_bytes());
    assert_eq!(outcome.text(), "model=a&x+%5BTEST_TOKEN%5D=1&%5BTEST_TOKEN%5D&y=");
}

#[test]
fn a_value_that_decides_is_a_text_besides() {
    let secret = token(5);
    let body = format!("model=x+{}&file_ids[]=a", percent(&secret));
    assert_eq!(everywhere(&make, body.as_bytes()).text(), "model=x+%5BTEST_TOKEN%5D&file_ids[]=a");
    // What is looked up is what was sent.
    let mut transform = form();
    run(&mut transform, [body.as_bytes()]);
    assert_eq!(transform.facts().first(0), Some(&FactValue::Text(format!("x {secret}").into())));
    let ids = || Box::new(form().with_ids(vec![0])) as Box<dyn Transform>;
    assert_eq!(everywhere(&ids, body.as_bytes()).text(), body);
    let blocked = format!("model={}", percent(&blocked()));
    assert_eq!(everywhere(&make, blocked.as_bytes()).reason(), Some(Reason::ContentBlocked));
}

#[test]
fn what_decides_is_read_once() {
    let mut transform = form();
    let outcome = run(&mut transform, [b"mod%65l=gpt%2D4+x&file_ids[]=a&note=b".as_slice()]);
    assert_eq!(outcome.text(), "mod%65l=gpt%2D4+x&file_ids[]=a&note=b");
    assert_eq!(transform.facts().first(0), Some(&FactValue::Text("gpt-4 x".into())));
    assert_eq!(transform.facts().first(1), Some(&FactValue::Text("a".into())));
    for (body, reason) in [
        ("model=a&model=b", Reason::FieldAmbiguous),
        ("model=a&mod%65l=b", Reason::FieldAmbiguous),
        ("model=a&model", Reason::FieldAmbiguous),
        ("model=a&model[]=b", Reason::FieldAmbiguous),
        ("model=a&MODEL=b", Reason::FieldAmbiguous),
        ("model=a&+model=b", Reason::FieldAmbiguous),
        ("model=a&mod%2565l=b", Reason::FieldAmbiguous),
        ("model=a&file_ids[]=x&file_ids[]=y", Reason::FieldAmbiguous),
        // Some readers begin a field behind a semicolon.
        ("model=a&note=1;model=b", Reason::FieldAmbiguous),
        ("model=a&note;model=b", Reason::FieldAmbiguous),
        ("model=a;file_ids[]=b", Reason::FieldAmbiguous),
        ("model=a&note=1;mod%65l=b&x=1", Reason::FieldAmbiguous),
        ("note=b", Reason::FieldMissing),
        ("", Reason::FieldMissing),
        ("model=%zz", Reason::ContentMalformed),
        ("model=%ff", Reason::ContentNotUtf8),
        ("model=a&n%zote=1", Reason::ContentMalformed),
        ("model=a&note=%ff", Reason::ContentNotUtf8),
        ("model=a&note=%c3", Reason::ContentNotUtf8),
        ("model=a&note=x%00", Reason::ContentUninspectable),
    ] {
        assert_eq!(everywhere(&make, body.as_bytes()).reason(), Some(reason), "{body}");
    }
    let body = format!("model=a&note={}", percent(&blocked()));
    let outcome = everywhere(&make, body.as_bytes());
    assert_eq!(outcome.reason(), Some(Reason::ContentBlocked));
    nothing_of(&blocked(), &outcome.out);
}

#[test]
fn a_field_that_is_salted_leaves_as_its_hash() {
    let edits = [Edit { at: "/user".parse().unwrap(), action: EditAction::Salt }];
    let make = || Box::new(form().with_edits(&edits)) as Box<dyn Transform>;
    let hash = String::from_utf8(request().salted(b"jane 4711").unwrap()).unwrap();
    let outcome = everywhere(&make, b"model=a&user=jane+%34711&User[0]=jane+4711");
    assert_eq!(outcome.text(), format!("model=a&user={hash}&User[0]={hash}"));
}

#[test]
fn bounds() {
    let long = |name: &str, len| format!("model=a&{name}={}", "x".repeat(len));
    for (body, reason) in [
        (long(&"n".repeat(70_000), 1), Reason::RecordTooLarge),
        (format!("model={}", "x".repeat(5000)), Reason::RecordTooLarge),
        (format!("model=a&{}", "a=b&".repeat(20_000)), Reason::RecordTooLarge),
    ] {
        assert_eq!(run(&mut *make(), body.as_bytes().chunks(1000)).reason(), Some(reason));
    }
    let body = long("note", 4 << 20);
    let outcome = run(&mut *make(), body.as_bytes().chunks(16 * 1024));
    assert!(outcome.text() == body);
    assert!(outcome.held < 32 * 1024, "{} bytes were held", outcome.held);
}

#[test]
fn names_are_restored_in_the_answer() {
    let job_out = request();
    let asked = censored(&job_out.exchange, None, &address(3));
    let back = || {
        let job = job(job_out.exchange.clone(), Direction::Response);
        Box::new(UrlencodedTransform::new(job, Arc::new([]))) as Box<dyn Transform>
    };
    let outcome = everywhere(&back, format!("to={asked}&x=1").as_bytes());
    assert_eq!(decoded(outcome.text()), format!("to={}&x=1", address(3)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_form_in_pieces_reads_as_its_values_censored(
        pairs in prop::collection::vec(
            ("[a-z]{1,5}", prop::collection::vec(prop_oneof![
                any::<String>(),
                (0_u64..4).prop_map(|n| format!(" {} ", token(n))),
                (0_u64..4).prop_map(address),
                Just(" tok_".to_owned()),
            ], 0..5)),
            0..6,
        ),
        spell in any::<u64>(),
        sizes in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let mut state = spell | 1;
        let mut spelt = |text: &str| -> String {
            text.bytes().map(|byte| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                match byte {
                    b' ' if state >> 40 & 1 == 0 => "+".to_owned(),
                    byte if byte.is_ascii_alphanumeric() && state >> 41 & 3 > 0 => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                }
            }).collect()
        };
        let values: Vec<(String, String)> =
            pairs.into_iter().map(|(name, words)| (name, words.concat().replace('\0', ""))).collect();
        let body: Vec<String> =
            values.iter().map(|(name, value)| format!("{name}={}", spelt(value))).collect();
        let body = body.join("&");
        let outcome = run(&mut *free(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.reason(), None);
        let whole = run(&mut *free(), [body.as_bytes()]);
        prop_assert_eq!(outcome.text(), whole.text());
        let clean = values.iter().all(|(name, value)| censored(&exchange(), Some(name), value) == *value);
        if clean {
            prop_assert_eq!(outcome.text(), &body);
        }
        for n in 0..4 {
            nothing_of(&token(n), decoded(outcome.text()).as_bytes());
        }
        let again = run(&mut *free(), [outcome.out.as_slice()]);
        prop_assert_eq!(again.text(), outcome.text());
    }
}
