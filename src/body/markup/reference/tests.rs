use super::{Dialect, Reference, decode, read};
use crate::body::mapped::Decoded;

struct Text(Vec<u8>);

impl Decoded for Text {
    fn plain(&mut self, raw: &[u8], _style: u8) {
        self.0.extend_from_slice(raw);
    }

    fn escape(&mut self, _raw: &[u8], text: &[u8], _style: u8) {
        self.0.extend_from_slice(text);
    }
}

fn html(text: &str, attribute: bool) -> String {
    let mut out = Text(Vec::new());
    decode(text.as_bytes(), (Dialect::Html, true), attribute, 0, &mut out).unwrap();
    String::from_utf8(out.0).unwrap()
}

fn xml(text: &str) -> Option<String> {
    let mut out = Text(Vec::new());
    decode(text.as_bytes(), (Dialect::Xml, false), false, 0, &mut out).ok()?;
    String::from_utf8(out.0).ok()
}

/// Checked against Python's `html.unescape` and `html.parser`, which hold to the standard's table.
#[test]
fn html_reads_as_browsers_do() {
    for (written, reads) in [
        ("a&#64;b&#x40;c&#X40;d&commat;e", "a@b@c@d@e"),
        ("&#0064&#00000000000000000000064;", "@@"),
        ("&amp;amp; &ampx &amp &AMP;&lt&gt;&quot;&apos;", "&amp; &x & &<>\"'"),
        ("&eacute;&Eacute&copy2&nbsp;.", "\u{e9}\u{c9}\u{a9}2\u{a0}."),
        (
            "&notit; &notin &unknown; & && &; &#; &#x; &#xg;",
            "\u{ac}it; \u{ac}in &unknown; & && &; &#; &#x; &#xg;",
        ),
        ("&#128;&#0;&#xD800;&#x110000;&#99999999999;", "\u{20ac}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ("&period;&lowbar;&num;&colon;&sol;&Tab;", "._#:/\t"),
        ("&apos", "&apos"),
    ] {
        assert_eq!(html(written, false), reads, "{written}");
    }
    assert_eq!(html("?a=1&copy=2&lt=3&amp;x&ampy&amp", true), "?a=1&copy=2&lt=3&x&ampy&");
}

#[test]
fn xml_knows_five_names() {
    assert_eq!(xml("&lt;&gt;&amp;&quot;&apos;&#64;&#x40;&#x1F600;").unwrap(), "<>&\"'@@\u{1f600}");
    for wrong in [
        "&", "&amp", "&#64", "&#;", "&#x;", "&#xg;", "&#0;", "&#x1;", "&#xFFFE;", "&#xD800;", "& b",
        "&nbsp;", "&#X40;", "&1;",
    ] {
        assert_eq!(xml(wrong), None, "{wrong}");
    }
}

#[test]
fn references_may_be_cut() {
    for text in ["&", "&#", "&#x", "&#x4", "&#64", "&am", "&amp", "&commat"] {
        for dialect in [Dialect::Xml, Dialect::Html] {
            assert_eq!(read(text.as_bytes(), false, dialect, false), Reference::Cut, "{text}");
        }
    }
}
