use proptest::prelude::*;

use super::TextTransform;
use crate::body::Transform;
use crate::body::testkit::{
    address, blocked, censored, everywhere, exchange, job, nothing_of, open, pieces, request, response, run,
    token,
};
use crate::names::Direction;
use crate::reason::Reason;

fn make() -> Box<dyn Transform> {
    Box::new(TextTransform::new(request(), None))
}

#[test]
fn every_cut_of_a_text() {
    let body = format!("Grüße 😀 {} and\r\n{}\n{} tok_short ü{}", token(1), open(3), address(1), token(2));
    let outcome = everywhere(&make, body.as_bytes());
    assert_eq!(outcome.text(), censored(&exchange(), None, &body));
    assert!(
        outcome.text().starts_with("Grüße 😀 [TEST_TOKEN] and\r\n[TEST_OPEN]\nEMAIL_ADDRESS_"),
        "{}",
        outcome.text()
    );
    nothing_of(&token(1), &outcome.out);
    nothing_of(&open(3), &outcome.out);
}

#[test]
fn what_is_no_text_is_refused() {
    assert_eq!(everywhere(&make, b"abc\xffdef").reason(), Some(Reason::ContentNotUtf8));
    assert_eq!(everywhere(&make, b"abc\xe2\x82").reason(), Some(Reason::ContentNotUtf8));
    assert_eq!(everywhere(&make, b"abc\0def").reason(), Some(Reason::ContentUninspectable));
    assert_eq!(everywhere(&make, b"").reason(), None);
    let answer = || Box::new(TextTransform::new(response(), None)) as Box<dyn Transform>;
    assert_eq!(everywhere(&answer, b"abc\xffdef").reason(), Some(Reason::UpstreamUninspectable));
}

#[test]
fn a_blocked_value_ends_it() {
    let body = format!("fine {} after", blocked());
    let outcome = everywhere(&make, body.as_bytes());
    assert_eq!(outcome.reason(), Some(Reason::ContentBlocked));
    nothing_of(&blocked(), &outcome.out);
    assert!(!outcome.text().contains("after"));
}

#[test]
fn names_are_restored_in_the_answer() {
    let job_out = request();
    let asked = run(&mut TextTransform::new(job_out.clone(), None), [address(3).as_bytes()]);
    assert_ne!(asked.text(), address(3));
    let answer = format!("you are {} or {}.", asked.text(), asked.text().to_lowercase());
    let back = || {
        Box::new(TextTransform::new(job(job_out.exchange.clone(), Direction::Response), None))
            as Box<dyn Transform>
    };
    let outcome = everywhere(&back, answer.as_bytes());
    assert_eq!(outcome.text(), format!("you are {0} or {0}.", address(3)));
    let foreign = everywhere(
        &|| Box::new(TextTransform::new(response(), None)) as Box<dyn Transform>,
        answer.as_bytes(),
    );
    assert_eq!(foreign.text(), answer);
}

#[test]
fn memory_does_not_grow_with_the_length() {
    let body = format!("lorem ipsum dolor {} sit\n", token(1)).repeat(40_000);
    let outcome = run(&mut *make(), body.as_bytes().chunks(16 * 1024));
    assert!(outcome.held < 4096, "{} bytes were held", outcome.held);
    assert!(outcome.text() == body.replace(&token(1), "[TEST_TOKEN]"));
    let long = "a".repeat(1 << 22);
    let outcome = run(&mut *make(), long.as_bytes().chunks(16 * 1024));
    assert!(outcome.held < 4096, "{} bytes were held", outcome.held);
    assert!(outcome.text() == long);
}

/// What people upload as text: Markdown, logs, terminals' output. Each fixture holds two secrets and an address.
fn documents(secret: &str, other: &str, mail: &str) -> Vec<String> {
    vec![
        format!("\\u001b[1;33m{secret}\\u001b[0m \\033[32m{other}\\x1b[K {mail}"),
        format!("# Title\n\nUse `{secret}` or:\n\n```sh\nexport A={other}\n```\n> quoted <{mail}>\n"),
        format!("| key | value |\r\n|---|:--|\r\n| a | {secret} |\r\n|{other}|{mail}|\r\n"),
        format!("[link](https://x.example/?t={secret} \"{other}\") ![i][{mail}]\n\n[x]: <mailto:{mail}>\n"),
        format!("* **{secret}**\n* *{other}*\n* ~~{mail}~~ <!-- {secret} --> &amp; \\*\n"),
        format!("2024-05-01T10:00:00Z INFO [main] token={secret} user=\"{mail}\" path=/a?b={other}\r\n"),
        format!("\u{1b}[1;31merror\u{1b}[0m: \u{1b}[33m{secret}\u{1b}[0m\r\u{1b}[2K{other}\u{8} {mail}\n"),
        format!(
            "<34>1 2024-05-01T10:00:00Z h su - - [x k=\"{secret}\"] \u{feff}'{other}' failed for {mail}\n"
        ),
        format!("{{\"level\":\"info\"}} not JSON: {secret}\tat a.b.C({other})\n\tCaused by: {mail}"),
        format!("\u{feff}{secret}\n\u{2028}{other}\u{85}{mail}\u{a0}"),
        format!("Diff:\n-{secret}\n+{other}\n@@ -1,2 +1,2 @@\n {mail}\n"),
    ]
}

#[test]
fn markdown_and_logs() {
    let (secret, other, mail) = (token(1), token(2), address(1));
    let hidden = censored(&exchange(), None, &mail);
    let clean = documents("plain", "words", "nobody");
    for (body, clean) in documents(&secret, &other, &mail).into_iter().zip(clean) {
        let outcome = everywhere(&make, body.as_bytes());
        assert_eq!(outcome.reason(), None, "{body}");
        let expected =
            body.replace(&secret, "[TEST_TOKEN]").replace(&other, "[TEST_TOKEN]").replace(&mail, &hidden);
        assert_eq!(outcome.text(), expected);
        assert_eq!(everywhere(&make, clean.as_bytes()).text(), clean);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_text_in_pieces_is_the_text(
        words in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "[a-z ]{0,9}",
                (0_u64..4).prop_map(token),
                (0_u64..4).prop_map(address),
                (1_u64..4).prop_map(open),
                Just("tok_".to_owned()),
                Just("<<KEY".to_owned()),
            ],
            0..12,
        ),
        sizes in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let body = words.concat().replace('\0', "");
        let expected = censored(&exchange(), None, &body);
        let outcome = run(&mut *make(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.text(), &expected);
        let again = run(&mut *make(), [outcome.out.as_slice()]);
        prop_assert_eq!(again.text(), &expected);
    }
}
