use std::sync::Arc;

use super::{FileHint, FileKind, FilePlans, FileTransform};
use crate::body::Transform;
use crate::body::charset::OtherCharsets;
use crate::body::csv::Separator;
use crate::body::json::JsonPlan;
use crate::body::testkit::{everywhere, nothing_of, request, run, token};
use crate::reason::Reason;

fn transform(hint: &FileHint, allow_uninspectable: bool) -> FileTransform {
    let plans = FilePlans {
        document: Arc::new(JsonPlan::empty()),
        lines: Arc::new(JsonPlan::empty()),
        records: None,
        allow_uninspectable,
        containers: None,
    };
    FileTransform::new(request(), hint.clone(), plans)
}

fn kind(first: &[u8], hint: &FileHint) -> Option<FileKind> {
    let make = || Box::new(transform(hint, false)) as Box<dyn Transform>;
    if first.len() < 500 {
        everywhere(&make, first);
    }
    let mut file = transform(hint, false);
    let mut out = Vec::new();
    let _ = file.push(first, &mut out).and_then(|()| file.finish(&mut out));
    file.kind()
}

fn named(name: &str) -> FileHint {
    FileHint { name: Some(name.into()), ..FileHint::default() }
}

fn typed(content_type: &str) -> FileHint {
    FileHint { content_type: Some(content_type.into()), ..FileHint::default() }
}

#[test]
fn what_is_said_decides_between_texts() {
    for (hint, expected) in [
        (named("train.jsonl"), FileKind::Jsonl),
        (named("TRAIN.NDJSON"), FileKind::Jsonl),
        (named("a.json"), FileKind::Json),
        (named("a.csv"), FileKind::Table(Separator::Unknown)),
        (named("a.TSV"), FileKind::Table(Separator::Tab)),
        (named("README.md"), FileKind::Text),
        (named("a.XML"), FileKind::Xml),
        (named("a.svg"), FileKind::Xml),
        (named("index.htm"), FileKind::Html),
        (typed("text/xml; charset=utf-8"), FileKind::Xml),
        (typed("image/svg+xml"), FileKind::Xml),
        (typed("application/xhtml+xml"), FileKind::Xml),
        (typed("text/html"), FileKind::Html),
        (typed("application/x-www-form-urlencoded"), FileKind::Urlencoded),
        (typed("application/x-ndjson"), FileKind::Jsonl),
        (typed("application/json; charset=utf-8"), FileKind::Json),
        (typed("text/csv"), FileKind::Table(Separator::Unknown)),
        (FileHint { expected: Some(FileKind::Jsonl), ..named("a.txt") }, FileKind::Jsonl),
        (FileHint { content_type: Some("text/csv".into()), ..named("a.json") }, FileKind::Json),
    ] {
        assert_eq!(kind(b"{\"a\":1}", &hint), Some(expected), "{hint:?}");
    }
}

#[test]
fn nothing_is_said() {
    let long = format!("{{\"a\":\"{}\"}}\n{{}}\n", "x".repeat(9000));
    for (first, expected) in [
        ("{\"a\":1}\n{\"a\":2}\n", FileKind::Jsonl),
        ("[1]\n", FileKind::Jsonl),
        ("\u{feff}{\"a\":1}", FileKind::Jsonl),
        (&long, FileKind::Jsonl),
        ("{\n  \"a\": 1\n}\n", FileKind::Json),
        ("\n\n[\n1,\n2]", FileKind::Json),
        ("[Title](link)\ntext", FileKind::Text),
        ("{curly} text", FileKind::Text),
        ("name,mail\na,b\n", FileKind::Text),
        ("", FileKind::Text),
        ("\"a\"\n", FileKind::Text),
        ("<?xml version=\"1.0\"?>\n<a/>", FileKind::Xml),
        ("\u{feff}\n<!DOCTYPE HTML><p>", FileKind::Html),
        ("<html lang=en>", FileKind::Html),
        ("<jane> wrote", FileKind::Text),
    ] {
        for hint in
            [FileHint::default(), typed("application/octet-stream"), typed("text/plain"), named("file")]
        {
            assert_eq!(kind(first.as_bytes(), &hint), Some(expected), "{first}");
        }
    }
}

#[test]
fn what_can_not_be_inspected_passes_only_by_policy() {
    for first in [
        b"%PDF-1.7 text".as_slice(),
        b"\x89PNG\r\n",
        b"PK\x03\x04",
        b"text with \0",
        b"text with \xff",
        b"PAR1text",
    ] {
        for hint in [FileHint::default(), named("a.jsonl"), typed("text/plain")] {
            let refusing = || Box::new(transform(&hint, false)) as Box<dyn Transform>;
            let outcome = everywhere(&refusing, first);
            assert_eq!((outcome.reason(), outcome.out.len()), (Some(Reason::ContentUninspectable), 0));
            let allowing = || Box::new(transform(&hint, true)) as Box<dyn Transform>;
            let long = [first, &[7; 10_000]].concat();
            assert_eq!(everywhere(&allowing, first).out, first);
            assert_eq!(run(&mut *allowing(), long.chunks(1000)).out, long);
        }
    }
    // Bytes that turn up behind the window are refused by the text itself.
    let late = [vec![b'a'; 9000], vec![0, 1, 2]].concat();
    assert_eq!(
        run(&mut transform(&FileHint::default(), true), [late.as_slice()]).reason(),
        Some(Reason::ContentUninspectable)
    );
}

/// A file of a tenant whose policy writes other encodings in UTF-8.
fn transcoding(hint: &FileHint) -> Box<dyn Transform> {
    let mut file = transform(hint, false);
    file.job.other_charsets = OtherCharsets::Transcode;
    Box::new(file)
}

#[test]
fn files_in_other_encodings() {
    let secret = token(1);
    let utf16 = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let latin =
        |text: &str| -> Vec<u8> { text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect() };
    let line = format!("{{\"a\":\"{secret}\"}}\n");
    let table = format!("name;text\r\nJos\u{e9};{secret}\r\n");
    let xml = format!("<?xml version='1.0' encoding='ENCODING'?><a>\u{e9} {secret}</a>");
    let latin_text =
        FileHint { content_type: Some("text/plain; charset=iso-8859-1".into()), ..FileHint::default() };
    for (hint, bytes, text) in [
        (named("a.jsonl"), utf16(&line), line.clone()),
        (FileHint::default(), utf16(&line), line),
        (named("a.csv"), utf16(&table), table.clone()),
        (latin_text, latin(&table), table),
        (named("a.xml"), latin(&xml.replace("ENCODING", "iso-8859-1")), xml.replace("ENCODING", "UTF-8")),
        (FileHint::default(), utf16(&xml.replace("ENCODING", "utf-16")), xml.replace("ENCODING", "UTF-8")),
    ] {
        let refused = everywhere(&|| Box::new(transform(&hint, false)), &bytes);
        assert_eq!(refused.reason(), Some(Reason::ContentNotUtf8), "{hint:?}");
        nothing_of(&secret, &refused.out);
        let outcome = everywhere(&|| transcoding(&hint), &bytes);
        let expected = text.replace(&secret, "[TEST_TOKEN]");
        assert_eq!((outcome.reason(), outcome.text()), (None, expected.as_str()), "{hint:?}");
    }
    // Where policy lets what can't be inspected pass, it passes as it is.
    let bytes = utf16("text");
    assert_eq!(everywhere(&|| Box::new(transform(&named("a.txt"), true)), &bytes).out, bytes);
    let binary = [b"\xff\xfe".as_slice(), &[0xff, 0xdf, 0, 0xd8, 1, 2]].concat();
    assert_eq!(everywhere(&|| transcoding(&named("a.txt")), &binary).reason(), Some(Reason::ContentNotUtf8));
}

#[test]
fn every_kind_is_censored() {
    let secret = token(1);
    for (name, body) in [
        ("a.xml", format!("<?xml version='1.0'?><a b='{secret}'>\n{secret}</a>")),
        ("a.svg", format!("<svg><text>{secret}</text></svg>")),
        ("a.html", format!("<p title={secret}>{secret}<br>")),
        ("a.jsonl", format!("{{\"a\":\"{secret}\"}}\n{{\"b\":\"\\u0074{}\"}}\n", &secret[1..])),
        ("a.json", format!("\u{feff}{{\n\"a\":\"{secret}\"}}")),
        ("a.csv", format!("a,{secret}\r\n\"{secret}\",b\r\n")),
    ] {
        let hint = named(name);
        let make = || Box::new(transform(&hint, false)) as Box<dyn Transform>;
        let outcome = everywhere(&make, body.as_bytes());
        assert_eq!(outcome.reason(), None, "{name}");
        nothing_of(&secret, &outcome.out);
        assert_eq!(
            outcome.text(),
            body.replace(&format!("\\u0074{}", &secret[1..]), "[TEST_TOKEN]")
                .replace(&secret, "[TEST_TOKEN]")
        );
        let far = body.replace(&secret, &format!("{} {secret}", "pad ".repeat(3000)));
        let outcome = run(&mut *make(), far.as_bytes().chunks(1000));
        nothing_of(&secret, &outcome.out);
    }
    let broken = everywhere(&|| Box::new(transform(&named("a.jsonl"), false)), b"{\"a\":1}\nnot json\n");
    assert_eq!(broken.reason(), Some(Reason::ContentMalformed));
}

/// Where records are judged, lines that are records are judged whatever is said of the file, and pass in no other one.
#[test]
fn lines_of_records_are_known_by_their_content() {
    let lines = b"{\"a\":1}\n{\"a\":2}\n";
    let judged = Arc::new(std::sync::Mutex::new(0));
    let file = |hint: &FileHint, body: &[u8]| {
        let seen = Arc::clone(&judged);
        let plan = Arc::new(JsonPlan::empty());
        let judge = Box::new(move |_: u64, _: &crate::body::Facts| {
            *seen.lock().unwrap() += 1;
            Ok(crate::body::records::RecordVerdict::Keep)
        });
        let anonymous = crate::body::records::Anonymous { job: request(), plan: Arc::clone(&plan) };
        let records = crate::body::records::Records { plan: Arc::clone(&plan), anonymous, judge };
        let spools = crate::body::testkit::spools();
        let containers = crate::body::container::Containers::new(
            spools,
            crate::body::container::ContainerLimits::default(),
        );
        let plans = FilePlans::new(plan, false, Some(containers)).judged(Some(records));
        let mut file = FileTransform::new(request(), hint.clone(), plans);
        *judged.lock().unwrap() = 0;
        let outcome = run(&mut file, [body]);
        (outcome.reason(), *judged.lock().unwrap(), outcome.out)
    };
    for hint in [
        named("a.txt"),
        named("a.csv"),
        named("a.json"),
        named("a.xml"),
        typed("text/csv"),
        typed("application/json"),
        FileHint::default(),
    ] {
        let (reason, count, out) = file(&hint, lines);
        assert_eq!((reason, count), (None, 2), "{hint:?}");
        assert_eq!(out, lines);
    }
    // One document that is said to be one, an array, and a text are none; a judge of these tests lets them pass.
    for (hint, body) in [
        (named("a.json"), &b"{\"a\":1}\n"[..]),
        (named("b.json"), b"[{\"a\":1}]\n"),
        (named("a.txt"), b"hello\n"),
    ] {
        assert_eq!(file(&hint, body).1, 0, "{hint:?}");
        assert_eq!(file(&hint, body).0, None, "{hint:?}");
    }
    let packed = |body: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, body).unwrap();
        gzip.finish().unwrap()
    };
    for name in ["a.jsonl.gz", "a.txt.gz", "a.gz"] {
        assert_eq!(file(&named(name), &packed(lines)).0, Some(Reason::RecordsUnreadable), "{name}");
        assert_eq!(file(&named(name), &packed(&packed(lines))).0, Some(Reason::RecordsUnreadable), "{name}");
    }
    assert_eq!(file(&named("a.txt.gz"), &packed(b"hello")).0, None);
    let mixed = typed("multipart/mixed; boundary=x");
    let body = [&b"--x\r\ncontent-type: text/plain\r\n\r\n"[..], lines, b"\r\n--x--\r\n"].concat();
    assert_eq!(file(&mixed, &body).0, Some(Reason::RecordsUnreadable));
}
