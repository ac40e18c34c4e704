//! Bytes written as text: media pass untouched, or not at all; text is censored as what it is.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::censoring;
use crate::body::testkit::{address, blocked, everywhere, job, nothing_of, pieces, request, run, token};
use crate::body::{Embedded, Transform};
use crate::names::Direction;
use crate::reason::Reason;

/// Bytes by chance behind a signature, in whose base64 a planted value stands.
fn medium(signature: &[u8], size: usize) -> (Vec<u8>, String) {
    let mut bytes = signature.to_vec();
    let mut state = 7_u64;
    while bytes.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.push((state >> 33) as u8);
    }
    bytes.truncate(bytes.len() / 3 * 3);
    // The url alphabet has the letters of a test token.
    let letters = format!("{}AAA-{}", BASE64URL.encode(&bytes), token(1));
    (bytes, letters)
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// The head of a `data:` URL passed as it was, up to 256 bytes of it.
#[test]
fn what_a_data_url_says_of_itself_is_text() {
    let secret = token(1);
    let png = BASE64.encode(b"\x89PNG\r\n\x1a\n");
    let inside =
        |secret: &str| BASE64.encode(format!("a text that is long enough, with {secret} in it").as_bytes());
    let body = |secret: &str| {
        json!([
            format!("data:image/png;name= {secret} ;base64,{png}"),
            format!("data:text/ {secret} ;base64,{}", inside(secret)),
            format!("data:text/plain;base64,{}", inside(secret)),
        ])
        .to_string()
    };
    let outcome = everywhere(&censoring(&request()), body(&secret).as_bytes());
    assert_eq!(outcome.text(), body("[TEST_TOKEN]"));
}

#[test]
fn media_are_never_touched() {
    let signatures: [&[u8]; 7] = [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"%PDF-1.7",
        b"RIFF....WAVE",
        b"ID3\x04",
        b"\xff\xfb\x90\x64",
        b"\0\0\0\x20ftypisom",
    ];
    for signature in signatures {
        for size in [60, 900, 6000] {
            if size < 300 && signature.starts_with(b"\xff\xfb") {
                continue;
            }
            let (_, letters) = medium(signature, size);
            assert!(letters.contains(&token(1)));
            let url = format!("data:image/png;base64,{letters}");
            let body = json!({"a": letters, "url": url, "in": json!({"deep": url}).to_string()}).to_string();
            let make = censoring(&request());
            let outcome = if size < 1000 {
                everywhere(&make, body.as_bytes())
            } else {
                let whole = run(&mut *make(), [body.as_bytes()]);
                assert_eq!(run(&mut *make(), body.as_bytes().chunks(7)).out, whole.out);
                whole
            };
            assert_eq!(outcome.text(), body);
        }
    }
    let floats: Vec<u8> = (0..1536_u16).flat_map(|n| (f32::from(n).sin() * 0.05).to_le_bytes()).collect();
    let floats = BASE64.encode(&floats);
    let body = json!({"embedding": floats, "b64_json": medium(b"\x01\x02\x80", 600).1}).to_string();
    assert_eq!(run(&mut *censoring(&request())(), body.as_bytes().chunks(100)).text(), body);
}

#[test]
fn media_are_refused_where_policy_says_so() {
    let mut job = request();
    job.embedded = Embedded::Block;
    for text in
        [medium(b"\x89PNG\r\n", 300).1, format!("data:audio/wav;base64,{}", medium(b"RIFF....WAVE", 3000).1)]
    {
        let body = json!({ "a": text }).to_string();
        for size in [1, 50, body.len()] {
            let outcome = run(&mut *censoring(&job)(), body.as_bytes().chunks(size));
            assert_eq!(outcome.reason(), Some(Reason::ContentUninspectable));
        }
    }
    let body = json!({"a": BASE64.encode(b"a text that is nothing but a text"), "b": "plain"}).to_string();
    assert_eq!(everywhere(&censoring(&job), body.as_bytes()).text(), body);
}

/// A NUL before a value made bytes of a text that nobody looked at.
#[test]
fn a_text_with_some_bytes_that_are_none_is_a_text() {
    let secret = token(1);
    let inside = |before: &[u8], secret: &str| {
        let text = [before, b"the key is ", secret.as_bytes(), b" and that was all of it\xff\n"].concat();
        BASE64.encode(&text)
    };
    for before in [&b"\0"[..], b"\xff\xfe", b"\x01\x80\0", b"ID3 ", b"RIFF, "] {
        let body = |secret: &str| {
            let letters = inside(before, secret);
            json!({"a": letters, "url": format!("data:application/octet-stream;base64,{letters}")})
                .to_string()
        };
        let outcome = everywhere(&censoring(&request()), body(&secret).as_bytes());
        assert_eq!(outcome.text(), body("[TEST_TOKEN]"), "{}", before.escape_ascii());
    }
}

#[test]
fn text_behind_letters_is_censored_and_written_back() {
    let text = format!("Dear all, the key is {} and that was all of it, thanks.", token(1));
    let expected = text.replace(&token(1), "[TEST_TOKEN]");
    for cut in 0..4 {
        let (text, expected) = (&text[cut..], &expected[cut..]);
        let body = json!({
            "std": BASE64.encode(text.as_bytes()),
            "bare": BASE64_NOPAD.encode(text.as_bytes()),
            "url": format!("data:text/plain;charset=utf-8;base64,{}", BASE64URL_NOPAD.encode(text.as_bytes())),
            "lie": format!("DATA:image/png;base64,{}", BASE64.encode(text.as_bytes())),
            "mime": BASE64.encode(text.as_bytes()).as_bytes().chunks(20).map(|l| std::str::from_utf8(l).unwrap().to_owned() + "\r\n").collect::<String>(),
            "behind": format!("data:;base64,{} and {}", BASE64.encode(text.as_bytes()), token(2)),
        })
        .to_string();
        let outcome = everywhere(&censoring(&request()), body.as_bytes());
        let value: Value = serde_json::from_slice(&outcome.out).unwrap();
        let decoded = |text: &str| String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(decoded(field(&value, "std")), expected);
        assert_eq!(
            BASE64_NOPAD.decode(field(&value, "bare").trim_end_matches('=').as_bytes()).unwrap(),
            expected.as_bytes()
        );
        let url = field(&value, "url").strip_prefix("data:text/plain;charset=utf-8;base64,").unwrap();
        let url = url.trim_end_matches('=').replace('-', "+").replace('_', "/");
        assert_eq!(BASE64_NOPAD.decode(url.as_bytes()).unwrap(), expected.as_bytes());
        assert_eq!(decoded(field(&value, "lie").strip_prefix("DATA:image/png;base64,").unwrap()), expected);
        assert_eq!(decoded(&field(&value, "mime").replace(['\r', '\n'], "")), expected);
        let behind = field(&value, "behind").strip_prefix("data:;base64,").unwrap();
        let (letters, rest) = behind.split_once(' ').unwrap();
        assert_eq!((decoded(letters).as_str(), rest), (expected, "and [TEST_TOKEN]"));
    }
}

#[test]
fn json_behind_letters_is_json() {
    let hidden: String = token(1).chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    let inner = format!(r#"{{"a": "something before it", "k": "{hidden}"}}"#);
    let body =
        json!({"d": format!("data:application/json;base64,{}", BASE64.encode(inner.as_bytes()))}).to_string();
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    let letters = field(&value, "d").split_once(',').unwrap().1;
    let inner: Value = serde_json::from_slice(&BASE64.decode(letters.as_bytes()).unwrap()).unwrap();
    assert_eq!(inner["k"], "[TEST_TOKEN]");
}

#[test]
fn long_texts_are_read_in_pieces() {
    let line = "some words of a text that goes on and on\n";
    let text = format!("{}{} {}{}", line.repeat(2000), token(1), line.repeat(2001), token(2));
    let body = json!({"f": BASE64.encode(text.as_bytes())}).to_string();
    let outcome = run(&mut *censoring(&request())(), body.as_bytes().chunks(5000));
    assert!(outcome.held < 32 * 1024, "{}", outcome.held);
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    let decoded = BASE64.decode(field(&value, "f").as_bytes()).unwrap();
    assert!(
        String::from_utf8(decoded).unwrap()
            == text.replace(&token(1), "[TEST_TOKEN]").replace(&token(2), "[TEST_TOKEN]")
    );
    let kept = BASE64.encode(&line.repeat(2000).as_bytes()[..81_999]);
    assert!(field(&value, "f").starts_with(&kept));
    assert_eq!(run(&mut *censoring(&request())(), [body.as_bytes()]).out, outcome.out);
}

#[test]
fn letters_that_are_themselves_a_finding_do_not_pass() {
    // A key that is known by its letters, which happen to stand for a text.
    let bytes = b"...........................".to_vec();
    let letters = format!("{}{}{}", BASE64.encode(&bytes), "", token(1));
    let body = json!({"a": letters, "b": token(1) + &"A".repeat(0), "c": format!("{}", "Zm9v".repeat(20))})
        .to_string();
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    nothing_of(&token(1), &outcome.out[outcome.out.len() / 2..]);
    let long = format!("{}_{}", "ghx", "Q".repeat(40));
    let body = json!({"a": format!("{long} {}", token(1)), "b": format!("{long}={}", token(1)), "data": "data:", "d": "data:x,y"}).to_string();
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    nothing_of(&token(1), &outcome.out);
}

#[test]
fn names_behind_letters_come_back_and_blocked_ones_do_not_pass() {
    let asked = request();
    let text = format!("please write to {} as soon as you can", address(1));
    let body = json!({"d": format!("data:text/plain;base64,{}", BASE64.encode(text.as_bytes()))}).to_string();
    let sent = run(&mut *censoring(&asked)(), [body.as_bytes()]);
    assert_ne!(sent.text(), body);
    let back = job(asked.exchange, Direction::Response);
    assert_eq!(everywhere(&censoring(&back), &sent.out).text(), body);
    let text = format!("a text with something in it {} that must not pass", blocked());
    let body = json!({"d": BASE64.encode(text.as_bytes())}).to_string();
    assert_eq!(everywhere(&censoring(&request()), body.as_bytes()).reason(), Some(Reason::ContentBlocked));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn texts_and_bytes_in_letters(
        parts in prop::collection::vec(prop_oneof![
            "[a-z é,.{\"\\[\n]{0,20}",
            (0_u64..4).prop_map(|n| format!(" {} ", token(n))),
        ], 0..12),
        noise in prop::collection::vec(any::<u8>(), 0..3),
        padded in any::<bool>(),
        scheme in any::<bool>(),
        tail in "|=|==| x|[A-Z]{1,3}",
        repeat in prop_oneof![9 => Just(1_usize), 1 => Just(60)],
        sizes in prop::collection::vec(1_usize..60, 1..6),
    ) {
        let text = parts.concat().repeat(repeat);
        let bytes = [text.as_bytes(), &noise].concat();
        let letters = if padded { BASE64.encode(&bytes) } else { BASE64_NOPAD.encode(&bytes) };
        let letters = format!("{}{letters}{tail}", if scheme { "data:;base64," } else { "" });
        let body = json!({"a": letters, "b": [letters]}).to_string();
        let make = censoring(&request());
        let whole = run(&mut *make(), [body.as_bytes()]);
        prop_assert_eq!(whole.reason(), None);
        let value = serde_json::from_slice::<Value>(&whole.out).unwrap();
        if !text.contains("tok_") {
            prop_assert_eq!(whole.text(), &body);
        }
        let cut = run(&mut *make() as &mut dyn Transform, pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(cut.text(), whole.text());
        // Where it is base64 of a text for sure, no planted value is in it.
        if scheme && padded && noise.is_empty() && tail.is_empty() && !text.is_empty() {
            let out = BASE64.decode(value["a"].as_str().unwrap().split_once(',').unwrap().1.as_bytes()).unwrap();
            for n in 0..4 {
                nothing_of(&token(n), &out);
            }
        }
    }
}
