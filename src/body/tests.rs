//! The invariants, for every kind of body: the output doesn't depend on the cuts, nothing found gets out, what is
//! clean stays, what is valid stays valid, what is held is bounded, and to censor twice changes nothing more.

use std::io::Write;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::body::coding::{CodingLimits, Decoder};
use crate::body::file::{FileHint, FilePlans, FileTransform};
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::jsonl::JsonlTransform;
use crate::body::multipart::{FileTreatment, FormTransform};
use crate::body::sse::{SsePlan, SseTransform};
use crate::body::testkit::{nothing_of, open, pieces, request, response, run, spools, token};
use crate::body::text::TextTransform;
use crate::body::{Chain, Pass, Rebase, Transform};
use crate::catalog::{Channel, FieldContent, FormField};
use crate::names::Direction;
use crate::reason::Reason;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Json,
    Jsonl,
    Events,
    Text,
    Form,
    FileOfLines,
    Gzip,
    Nested,
}

const KINDS: [Kind; 8] = [
    Kind::Json,
    Kind::Jsonl,
    Kind::Events,
    Kind::Text,
    Kind::Form,
    Kind::FileOfLines,
    Kind::Gzip,
    Kind::Nested,
];

fn lines() -> Box<dyn Transform> {
    Box::new(JsonlTransform::censoring(request(), Arc::new(JsonPlan::empty())))
}

fn form() -> Box<dyn Transform> {
    let field = |name: &str, content| FormField { name: name.into(), content, required: true };
    let fields = Arc::new([field("purpose", FieldContent::Deciding), field("file", FieldContent::File)]);
    let decide = Box::new(|_: &_, _: &_| Ok(FileTreatment::Transform(lines())));
    Box::new(FormTransform::new(request(), "b", fields, spools(), decide, Box::new(|_| Ok(()))))
}

fn file() -> Box<dyn Transform> {
    let plans = FilePlans {
        document: Arc::new(JsonPlan::empty()),
        lines: Arc::new(JsonPlan::empty()),
        records: None,
        allow_uninspectable: false,
        containers: None,
    };
    let hint = FileHint { name: Some("a.jsonl".into()), ..FileHint::default() };
    Box::new(FileTransform::new(request(), hint, plans))
}

fn decoded(coding: &str, inner: Box<dyn Transform>) -> Box<dyn Transform> {
    let decoder = Decoder::new(coding, Direction::Request, CodingLimits::default()).unwrap().unwrap();
    Box::new(Chain::new(decoder, inner))
}

impl Kind {
    fn make(self) -> Box<dyn Transform> {
        match self {
            Self::Json => Box::new(JsonTransform::new(request(), Arc::new(JsonPlan::empty()))),
            Self::Jsonl => lines(),
            Self::Events => {
                let channel = Channel {
                    event: None,
                    text: "/delta".parse().unwrap(),
                    keys: vec!["/n".parse().unwrap()],
                    whole: false,
                };
                Box::new(SseTransform::new(
                    response(),
                    Arc::new(SsePlan::compile(&[channel], &[], &[]).unwrap()),
                ))
            }
            Self::Text => Box::new(TextTransform::new(request(), None)),
            Self::Form => form(),
            Self::FileOfLines => file(),
            Self::Gzip => decoded("gzip", lines()),
            Self::Nested => decoded("gzip", form()),
        }
    }

    /// A body of this kind that holds these texts.
    fn body(self, texts: &[String]) -> Vec<u8> {
        let record = |text: &String| json!({"role": "user", "text": text, "n": 1.5}).to_string();
        match self {
            Self::Json => {
                json!({"all": texts, "each": texts.iter().map(|t| json!({"t": t})).collect::<Value>()})
                    .to_string()
                    .into_bytes()
            }
            Self::Jsonl | Self::FileOfLines => {
                texts.iter().map(|text| record(text) + "\r\n").collect::<String>().into_bytes()
            }
            Self::Events => {
                let event = |(n, text): (usize, &String)| {
                    format!("event: x\r\ndata: {}\r\n\r\n", json!({"n": n % 2, "delta": text, "other": text}))
                };
                texts.iter().enumerate().map(event).collect::<String>().into_bytes()
            }
            Self::Text => texts.join("\n").into_bytes(),
            Self::Form => {
                let content = String::from_utf8(Self::Jsonl.body(texts)).unwrap();
                let note = texts.first().map(String::as_str).unwrap_or_default();
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{content}\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n{note}\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nx\r\n--b--\r\n"
                )
                .into_bytes()
            }
            Self::Gzip => gzip(&Self::Jsonl.body(texts)),
            Self::Nested => gzip(&Self::Form.body(texts)),
        }
    }

    /// What the body is without its coding.
    fn plain(self, texts: &[String]) -> Vec<u8> {
        match self {
            Self::Gzip => Self::Jsonl.body(texts),
            Self::Nested => Self::Form.body(texts),
            other => other.body(texts),
        }
    }

    fn is_valid(self, body: &[u8]) -> bool {
        let text = std::str::from_utf8(body).unwrap();
        let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        match self {
            Self::Json => is_json(text),
            Self::Jsonl | Self::FileOfLines | Self::Gzip => text.lines().all(is_json),
            Self::Events => text.lines().filter_map(|line| line.strip_prefix("data: ")).all(is_json),
            Self::Text => true,
            Self::Form | Self::Nested => {
                let content =
                    text.split("a.jsonl\"\r\n\r\n").nth(1).unwrap().split("\r\n--b\r\n").next().unwrap();
                text.ends_with("\r\n--b--\r\n") && content.lines().all(is_json)
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    coder.write_all(bytes).unwrap();
    coder.finish().unwrap()
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        3 => "[a-z é\"\\\\{}]{0,20}".prop_map(|text| text),
        1 => ("[a-z ]{0,9}", 0_u64..4).prop_map(|(text, n)| format!("{text} {} .", token(n))),
        1 => (1_u64..3, "[a-z]{0,4}").prop_map(|(n, text)| format!("{} {text}", open(n))),
        1 => Just("tok_".to_owned()),
        1 => Just("<<KEY".to_owned()),
    ];
    prop::collection::vec(text, 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn invariants(
        kind in prop::sample::select(&KINDS[..]),
        texts in texts(),
        sizes in prop::collection::vec(1_usize..70, 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let body = kind.body(&texts);
        let whole = run(&mut *kind.make(), [body.as_slice()]);
        prop_assert_eq!(&whole.refusal, &None);
        let cut = run(&mut *kind.make(), pieces(&body, &sizes));
        prop_assert_eq!(cut.text(), whole.text());
        prop_assert!(cut.held < 24 * 1024, "{} bytes were held", cut.held);
        prop_assert!(kind.is_valid(&whole.out), "{}", whole.text());
        // Broken off at any place, whatever came out by then.
        let (begun, _) = body.split_at(end.index(body.len() + 1));
        let (mut transform, mut out) = (kind.make(), Vec::new());
        for piece in pieces(begun, &sizes) {
            transform.push(piece, &mut out).unwrap();
            while transform.drain(&mut out).unwrap() {}
        }
        for n in 0..4 {
            nothing_of(&token(n), &whole.out);
            nothing_of(&token(n), &out);
        }
        nothing_of(&open(3), &whole.out);
        nothing_of(&open(3), &out);
        prop_assert!(matches!(kind, Kind::Events) || whole.out.starts_with(&out));
        if !texts.iter().any(|text| text.contains("tok_") || text.contains("<<KEY")) && !matches!(kind, Kind::Events) {
            prop_assert_eq!(&whole.out, &kind.plain(&texts));
        }
        if !matches!(kind, Kind::Gzip | Kind::Nested | Kind::Events) {
            let again = run(&mut *kind.make(), [whole.out.as_slice()]);
            prop_assert_eq!(again.text(), whole.text());
        }
    }

    #[test]
    fn flawed_bodies_are_read_the_same_at_every_cut(
        kind in prop::sample::select(&KINDS[..]),
        texts in texts(),
        sizes in prop::collection::vec(1_usize..70, 1..6),
        flaws in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = kind.body(&texts);
        body.push(b'\n');
        for (at, byte) in flaws {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let whole = run(&mut *kind.make(), [body.as_slice()]);
        let cut = run(&mut *kind.make(), pieces(&body, &sizes));
        // A byte that begins a character where none may stand is seen as the one flaw or as the other, by whether the
        // cut lies behind it; and of two flaws, one in a coding and one in what is coded, either may be met first.
        let not_utf8 = [Some(Reason::ContentNotUtf8), Some(Reason::UpstreamUninspectable)];
        let either = not_utf8.contains(&cut.reason()) || not_utf8.contains(&whole.reason());
        if either || matches!(kind, Kind::Gzip | Kind::Nested) {
            prop_assert_eq!(cut.refusal.is_some(), whole.refusal.is_some());
        } else {
            prop_assert_eq!(&cut.refusal, &whole.refusal);
        }
        if whole.refusal.is_none() {
            prop_assert_eq!(cut.out, whole.out);
        }
    }
}

#[test]
fn a_chain_passes_drains_and_ends_on() {
    let text = "some text that repeats itself ".repeat(50_000);
    let body = gzip(text.as_bytes());
    let mut chain = decoded("gzip", Box::new(TextTransform::new(request(), None)));
    let (mut out, mut steps) = (Vec::new(), 0);
    chain.push(&body, &mut out).unwrap();
    while chain.drain(&mut out).unwrap() {
        steps += 1;
    }
    assert!(steps > 3);
    chain.finish(&mut out).unwrap();
    while chain.drain(&mut out).unwrap() {}
    assert!(out == text.as_bytes());
    let broken = run(&mut *decoded("gzip", lines()), [&gzip(b"{}\n")[..20]]);
    assert_eq!(broken.reason(), Some(Reason::CodingBroken));
    let inner = run(&mut *decoded("gzip", lines()), [gzip(b"{").as_slice()]);
    assert_eq!(inner.reason(), Some(Reason::ContentTruncated));
    assert_eq!(run(&mut Chain::new(Pass, Pass), [b"as it is".as_slice()]).out, b"as it is");
}

#[test]
fn prefixes_of_urls() {
    let rebase = |from: &str, url: &str| Rebase { from: from.into(), to: "https://gw".into() }.apply(url);
    assert_eq!(
        rebase("https://api.example", "https://API.example/v1/x?y").as_deref(),
        Some("https://gw/v1/x?y")
    );
    assert_eq!(rebase("https://api.example", "https://api.example").as_deref(), Some("https://gw"));
    assert_eq!(rebase("https://api.example", "https://api.example:8443/"), None);
    assert_eq!(rebase("https://api.example", "https://api.example@evil/"), None);
    // A server that doesn't know of the TLS in front of it.
    assert_eq!(rebase("https://api.example", "http://api.example/x").as_deref(), Some("https://gw/x"));
    assert_eq!(rebase("https://api.example", "ftp://api.example/"), None);
    assert_eq!(rebase("https://api.example", "http://api.example@evil/"), None);
    assert_eq!(rebase("https://api.example/é", "https://api.example/é/x").as_deref(), Some("https://gw/x"));
    assert_eq!(rebase("https://api.example", "é"), None);
}
