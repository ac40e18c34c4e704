use super::{Fault, Of, PartHeader, read};
use crate::body::charset::Charset;

fn header(lines: &[&str]) -> Result<PartHeader, Fault> {
    read((lines.join("\r\n") + "\r\n\r\n").as_bytes(), Of::Form).map(|section| section.header)
}

fn disposition(value: &str) -> Result<PartHeader, Fault> {
    header(&[&format!("Content-Disposition: {value}")])
}

#[test]
fn what_callers_send() {
    for (value, name, filename) in [
        ("form-data; name=\"purpose\"", "purpose", None),
        ("form-data; name=purpose", "purpose", None),
        ("Form-Data;name=\"a b\";filename=\"x.jsonl\"", "a b", Some("x.jsonl")),
        ("form-data; filename=\"a;b=c.txt\"; name=\"file\"", "file", Some("a;b=c.txt")),
        ("form-data; name=\"file\"; filename=\"C:\\dir\\x.txt\"", "file", Some("C:\\dir\\x.txt")),
        (
            "form-data; name=\"file\"; filename=\"na\u{ef}ve.txt\"; filename*=UTF-8''na%C3%AFve.txt",
            "file",
            Some("na\u{ef}ve.txt"),
        ),
        ("form-data; name=\"file\"; filename*=utf-8'en'a%20b", "file", Some("a b")),
        ("form-data; name=\"expires_after[anchor]\"; size=3;", "expires_after[anchor]", None),
        ("form-data; name=\"\"", "", None),
    ] {
        let header = disposition(value).unwrap();
        assert_eq!((header.name.as_str(), header.filename.as_deref()), (name, filename), "{value}");
    }
    let typed = header(&[
        "content-type:  text/csv; charset=\"UTF-8\" ",
        "CONTENT-DISPOSITION: form-data; name=x",
        "X-Other: y",
    ])
    .unwrap();
    assert_eq!(typed.content_type.as_deref(), Some("text/csv; charset=\"UTF-8\""));
}

#[test]
fn what_readers_disagree_about_is_refused() {
    for value in [
        "form-data; name=\"a\"; name=\"b\"",
        "form-data; name=\"a\"; NAME=\"b\"",
        "form-data; name=\"a\"; name*=UTF-8''b",
        "form-data; name=\"a\"; filename=x; filename=y",
        "form-data; name=\"a\\\"b\"",
        "form-data; name=\"a\\b\"",
        "form-data; name=\"file\"; filename=\"x\\\"; name=\\\"y\"",
    ] {
        assert!(matches!(disposition(value), Err(Fault::Ambiguous(_))), "{value}");
    }
    let twice = ["Content-Disposition: form-data; name=a", "content-disposition: form-data; name=b"];
    assert!(matches!(header(&twice), Err(Fault::Ambiguous(_))));
    for line in
        [" form-data; name=\"x\"", "X-A : b", "X-A: \u{0}", "X-A: b\nContent-Disposition: form-data; name=y"]
    {
        assert!(
            matches!(
                header(&["Content-Disposition: form-data; name=a", line]),
                Err(Fault::Ambiguous(_) | Fault::Malformed(_))
            ),
            "{line}"
        );
    }
    for value in [
        "attachment; name=\"a\"",
        "form-data",
        "form-data; name",
        "form-data; filename=\"x\"",
        "form-data; name=\"x",
        "form-data; na me=x",
        "form-data; name=\"x\" y",
        "form-data; name=x; filename*=x",
    ] {
        assert!(matches!(disposition(value), Err(Fault::Malformed(_))), "{value}");
    }
    assert!(matches!(header(&["Content-Type: text/plain"]), Err(Fault::Malformed(_))));
}

#[test]
fn coded_parts_are_refused() {
    let with = |line: &str| header(&["Content-Disposition: form-data; name=a", line]);
    for line in [
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Encoding: gzip",
    ] {
        assert_eq!(with(line).unwrap_err(), Fault::Coded, "{line}");
    }
    for line in [
        "Content-Transfer-Encoding: binary",
        "content-transfer-encoding: 8BIT",
        "Content-Encoding: identity",
        "Content-Type: text/plain; charset=us-ascii",
        "Content-Type: multipart/mixed; boundary=x",
    ] {
        assert!(with(line).is_ok(), "{line}");
    }
    assert_eq!(disposition("form-data; name=a; filename*=ISO-8859-1''%E9").unwrap_err(), Fault::Coded);
    assert_eq!(disposition("form-data; name=a; filename*=UTF-8''%FF").unwrap_err(), Fault::Coded);
}

#[test]
fn a_header_does_not_show_what_the_caller_wrote() {
    let header = disposition("form-data; name=\"hidden\"; filename=\"secret\"").unwrap();
    let shown = format!("{header:?}");
    assert!(!shown.contains("hidden") && !shown.contains("secret"), "{shown}");
}

#[test]
fn other_encodings_are_told_with_their_place() {
    for (value, expected) in [
        ("text/plain; charset=utf-16", Some(("utf-16", true))),
        ("text/plain;x=\"; charset=a\"; CHARSET=\"ISO-8859-1\"; y", Some(("ISO-8859-1", true))),
        ("text/plain; charset=klingon", Some(("klingon", false))),
        ("text/plain; charset=UTF8", None),
        ("text/plain", None),
    ] {
        let raw = format!("Content-Disposition: form-data; name=a\r\nContent-Type: {value}\r\n\r\n");
        let section = read(raw.as_bytes(), Of::Form).unwrap();
        let found = section
            .charset
            .map(|(range, charset)| (raw.get(range).unwrap().to_owned(), charset != Charset::Unknown));
        assert_eq!(found, expected.map(|(name, known)| (name.to_owned(), known)), "{value}");
    }
    let twice = "Content-Type: text/plain; charset=utf-8; charset=utf-16";
    let twice = header(&["Content-Disposition: form-data; name=a", twice]);
    assert!(matches!(twice, Err(Fault::Ambiguous(_))));
}

#[test]
fn parts_of_other_bodies_need_no_name() {
    for (raw, filename) in [
        ("Content-Disposition: attachment; filename=a.txt\r\n\r\n", Some("a.txt")),
        ("Content-Disposition: file; filename=\"b.csv\"\r\nContent-Type: text/csv\r\n\r\n", Some("b.csv")),
        ("Content-Type: text/plain\r\n\r\n", None),
    ] {
        let section = read(raw.as_bytes(), Of::Mixed).unwrap();
        assert_eq!((section.header.name.as_str(), section.header.filename.as_deref()), ("", filename));
    }
}
