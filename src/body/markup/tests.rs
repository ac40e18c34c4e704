use proptest::prelude::*;

use super::{Dialect, MarkupTransform};
use crate::body::Transform;
use crate::body::testkit::{
    address, blocked, censored, everywhere, exchange, job, nothing_of, open, pieces, request, response, run,
    token,
};
use crate::names::Direction;
use crate::reason::Reason;

fn xml() -> Box<dyn Transform> {
    Box::new(MarkupTransform::new(request(), Dialect::Xml))
}

fn html() -> Box<dyn Transform> {
    Box::new(MarkupTransform::new(request(), Dialect::Html))
}

fn both(body: &str, expected: &str) {
    for make in [&xml as &dyn Fn() -> Box<dyn Transform>, &html] {
        let outcome = everywhere(make, body.as_bytes());
        assert_eq!((outcome.reason(), outcome.text()), (None, expected), "{body}");
    }
}

/// Every byte as a reference.
fn spelt(text: &str) -> String {
    text.bytes()
        .enumerate()
        .map(|(at, b)| if at % 2 == 0 { format!("&#{b};") } else { format!("&#x{b:X};") })
        .collect()
}

#[test]
fn clean_documents_stay_byte_for_byte() {
    for body in [
        "<?xml version=\"1.0\" encoding='UTF-8' standalone=\"yes\"?>\r\n<!-- a > b & c -->\n<!DOCTYPE a PUBLIC \"-//X//Y\" 'http://x/y.dtd' [\n<!ELEMENT a (#PCDATA)> <!-- it's \" --> <?p '?>\n<!ATTLIST a b CDATA \"50% [x] >\">]>\n<a  b = 'x &amp; \"y\"'\tc=\"it's\"\n>text &lt; &#x41; ]] > <b/><b />< /a>".replace("< /a>", "</a >\n<?end?>\n"),
        "\u{feff}<a><![CDATA[ <x> & ]] ]]]><b xmlns:n='u' n:c='1'><n:d/></b>\u{e9}</a>".to_owned(),
        "<a>]]<![CDATA[>]]>&gt;</a>".to_owned(),
        "<svg:svg xmlns:svg='http://www.w3.org/2000/svg'><svg:path d='M0 0L1 1'/></svg:svg>".to_owned(),
        String::new(),
    ] {
        let outcome = everywhere(&xml, body.as_bytes());
        assert_eq!((outcome.reason(), outcome.text()), (None, body.as_str()));
    }
    for body in [
        "<!doctype html><title>a <b> &amp; c</title><p class=x data-a='b\"c' hidden checked=>1 < 2 & 3 && <3 </ p></>",
        "<script>if (a<b && c</d/) { x = '<p>'; }</script ><style>a>b{}</STYLE\n><textarea>&lt;</p></textarea>",
        "<a/b=c/d>x</a b=c><img src=a><br/><!-- x --!><!--><!---><!-- --><!x><?php echo 1 ?><![CDATA[ x ]]>",
        "<svg><style>a&lt;b</style><title><b>x</b></title></svg><p",
        "<p title=\"never ends > <b>",
        "<script>never ends </scrip",
        "text &",
        "text &#x4",
        "text <!-",
        "<plaintext></plaintext>&amp;",
        "",
    ] {
        let outcome = everywhere(&html, body.as_bytes());
        assert_eq!((outcome.reason(), outcome.text()), (None, body));
    }
}

#[test]
fn text_is_found_as_it_reads() {
    let secret = token(1);
    for (body, expected) in [
        (format!("<p>use {secret} now</p>"), "<p>use [TEST_TOKEN] now</p>".to_owned()),
        (format!("<p>use {} now</p>", spelt(&secret)), "<p>use [TEST_TOKEN] now</p>".to_owned()),
        (format!("<p>&amp;{}&lt;</p>", spelt(&secret)), "<p>&amp;[TEST_TOKEN]&lt;</p>".to_owned()),
        // Over tags, comments and instructions, which stay.
        (
            format!("<p>a {}<em class='x'>{}</em><span/>{} c</p>", &secret[..5], &secret[5..9], &secret[9..]),
            "<p>a [TEST_TOKEN]<em class='x'></em><span/> c</p>".to_owned(),
        ),
        (
            format!("<p>{}<!-- x -->{}</p>", &secret[..6], &secret[6..]),
            "<p>[TEST_TOKEN]<!-- x --></p>".to_owned(),
        ),
        // Attributes, in both kinds of quotes.
        (
            format!("<p title=\"a {secret}\" lang='{}'>x</p>", spelt(&secret)),
            "<p title=\"a [TEST_TOKEN]\" lang='[TEST_TOKEN]'>x</p>".to_owned(),
        ),
        (format!("<p><!-- {secret} --></p>"), "<p><!-- [TEST_TOKEN] --></p>".to_owned()),
        // A word that counts stands in the cell before.
        ("<td>account</td><td>123456</td>".to_owned(), "<td>account</td><td>".to_owned()),
    ] {
        let body = if body.starts_with("<td>") { format!("<tr>{body}</tr>") } else { body };
        for make in [&xml as &dyn Fn() -> Box<dyn Transform>, &html] {
            let outcome = everywhere(make, body.as_bytes());
            assert_eq!(outcome.reason(), None, "{body}");
            if body.starts_with("<tr>") {
                assert!(outcome.text().contains("TEST_ACCOUNT_"), "{}", outcome.text());
                continue;
            }
            assert_eq!(outcome.text(), expected, "{body}");
            nothing_of(&secret, &outcome.out);
        }
    }
    let address = address(1);
    let written = address.replace('@', "&#64;").replace('.', "&#x2e;");
    let hidden = censored(&exchange(), None, &address);
    both(&format!("<p>mail <b>{written}</b></p>"), &format!("<p>mail <b>{hidden}</b></p>"));
}

#[test]
fn replacements_are_written_as_their_place_demands() {
    // `q="…"` comes back in the answer with its quotes.
    let value = crate::body::testkit::quoted(1);
    let asked = request();
    let hidden = censored(&asked.exchange, None, &value);
    for dialect in [Dialect::Xml, Dialect::Html] {
        let back = || {
            let job = job(asked.exchange.clone(), Direction::Response);
            Box::new(MarkupTransform::new(job, dialect)) as Box<dyn Transform>
        };
        let outcome = everywhere(&back, format!("<p a=\"{hidden}\" b='{hidden}'>{hidden}</p>").as_bytes());
        let quoted = value.replace('"', "&#34;").replace('=', "&#61;");
        assert_eq!(outcome.text(), format!("<p a=\"{quoted}\" b='{quoted}'>{value}</p>"));
    }
    // What stands behind must not end a section, or be an error.
    let secret = token(1);
    let outcome =
        everywhere(&xml, format!("<a>{secret}]&gt; <![CDATA[{secret}]>]{secret}]]></a>").as_bytes());
    assert_eq!(
        outcome.text(),
        "<a>[TEST_TOKEN]]&gt; <![CDATA[[TEST_TOKEN]]]]><![CDATA[>][TEST_TOKEN]]]></a>"
    );
    let outcome = everywhere(&xml, format!("<a>{secret}]></a>").as_bytes());
    assert_eq!(outcome.text(), "<a>[TEST_TOKEN]]&gt;</a>");
    let outcome = everywhere(&html, format!("<p a={secret} b={}>", spelt(&secret)).as_bytes());
    assert_eq!(outcome.text(), "<p a=[TEST_TOKEN] b=[TEST_TOKEN]>");
}

#[test]
fn names_of_elements_and_attributes_say_what_stands_in_them() {
    for body in [
        "<user><birth_name>Joan</birth_name></user>",
        "<user><birth_name>J<x/>oan</birth_name></user>",
        "<user birth_name='Joan'/>",
        "<user><field name='birth_name'>Joan</field></user>",
        "<plist><key>birth_name</key><string>Joan</string></plist>",
        "<user><birth_name><value>Joan</value></birth_name></user>",
        "<x:user xmlns:x='u'><x:birth-name>J&#111;an</x:birth-name></x:user>",
        "<user><birth_name><![CDATA[Joan]]></birth_name></user>",
    ] {
        let outcome = everywhere(&xml, body.as_bytes());
        assert_eq!(outcome.reason(), None, "{body}");
        assert!(!outcome.text().contains("Joan") && !outcome.text().contains("oan<"), "{}", outcome.text());
        assert!(outcome.text().contains('*'), "{}", outcome.text());
    }
    for body in ["<input name=birth_name value=Joan>", "<meta content='Joan' name=\"birth_name\">"] {
        let outcome = everywhere(&html, body.as_bytes());
        assert!(!outcome.text().contains("Joan"), "{}", outcome.text());
    }
    // The account is one because its element says so.
    let outcome = everywhere(&xml, b"<a><account>123456</account><other>123456</other></a>");
    assert!(outcome.text().contains("<account>TEST_ACCOUNT_"), "{}", outcome.text());
    assert!(outcome.text().ends_with("<other>123456</other></a>"), "{}", outcome.text());
}

#[test]
fn what_is_no_text_is_looked_at_too() {
    let secret = token(1);
    for (body, expected) in [
        (
            format!("<?p {secret}?><!DOCTYPE a SYSTEM \"{secret}\"><a/>"),
            "<?p [TEST_TOKEN]?><!DOCTYPE a SYSTEM \"_TEST_TOKEN_\"><a/>",
        ),
        (format!("<a><![CDATA[<b>{secret}</b>]]></a>"), "<a><![CDATA[<b>[TEST_TOKEN]</b>]]></a>"),
    ] {
        assert_eq!(everywhere(&xml, body.as_bytes()).text(), expected);
    }
    for (body, expected) in [
        (
            format!("<script>var a = \"{secret}\";</script>{secret}"),
            "<script>var a = \"[TEST_TOKEN]\";</script>[TEST_TOKEN]".to_owned(),
        ),
        (format!("<style>/* {secret} */</style>"), "<style>/* [TEST_TOKEN] */</style>".to_owned()),
        (
            format!("<script type=json>{{\"a\":\"\\u0074{}\"}}</script>", &secret[1..]),
            "<script type=json>{\"a\":\"[TEST_TOKEN]\"}</script>".to_owned(),
        ),
        (format!("<title>{}</title>", spelt(&secret)), "<title>[TEST_TOKEN]</title>".to_owned()),
        (
            format!("<svg><style>{}</style></svg>", spelt(&secret)),
            "<svg><style>[TEST_TOKEN]</style></svg>".to_owned(),
        ),
        (format!("<{secret} {secret}>"), "<_TEST_TOKEN_ _TEST_TOKEN_>".to_owned()),
        (format!("<!x {secret}><?y {secret}>"), "<!x [TEST_TOKEN]><?y [TEST_TOKEN]>".to_owned()),
        // What never ends.
        (format!("<p title=\"{secret} <b>"), "<p title=\"[TEST_TOKEN] <b>".to_owned()),
        (format!("<p title=\"{}", spelt(&secret)), "<p title=\"[TEST_TOKEN]".to_owned()),
        (format!("<!-- {secret}"), "<!-- [TEST_TOKEN]".to_owned()),
        (format!("<script>{secret}"), "<script>[TEST_TOKEN]".to_owned()),
        (format!("a {}", spelt(&secret).trim_end_matches(';')), "a [TEST_TOKEN]".to_owned()),
    ] {
        let outcome = everywhere(&html, body.as_bytes());
        assert_eq!((outcome.reason(), outcome.text()), (None, expected.as_str()), "{body}");
    }
    let mail = everywhere(&html, format!("Jane <{}> wrote", address(1)).as_bytes());
    assert!(mail.text().starts_with("Jane <EMAIL_ADDRESS_"), "{}", mail.text());
    let named = everywhere(&xml, format!("<{secret}/>").as_bytes());
    assert_eq!(named.reason(), Some(Reason::ContentBlocked));
}

#[test]
fn xml_that_is_not_well_formed_is_refused() {
    for (body, reason) in [
        ("<a>", Reason::ContentTruncated),
        ("<a", Reason::ContentTruncated),
        ("<a>x</a", Reason::ContentTruncated),
        ("<!-- x", Reason::ContentTruncated),
        ("<a>&am", Reason::ContentTruncated),
        ("<a></b>", Reason::ContentMalformed),
        ("</a>", Reason::ContentMalformed),
        ("<a/><b/>", Reason::ContentMalformed),
        ("<a/>text", Reason::ContentMalformed),
        ("text", Reason::ContentMalformed),
        (" ", Reason::ContentMalformed),
        ("<!-- x -->", Reason::ContentMalformed),
        ("&#65;<a/>", Reason::ContentMalformed),
        ("<![CDATA[x]]><a/>", Reason::ContentMalformed),
        ("<a b=c/>", Reason::ContentMalformed),
        ("<a b/>", Reason::ContentMalformed),
        ("<a b='<'/>", Reason::ContentMalformed),
        ("<a b='1' b='2'/>", Reason::ContentMalformed),
        ("<a b='1'c='2'/>", Reason::ContentMalformed),
        ("<a b='&x;'/>", Reason::ContentMalformed),
        ("<a>&x;</a>", Reason::ContentMalformed),
        ("<a>&</a>", Reason::ContentMalformed),
        ("<a>&#0;</a>", Reason::ContentMalformed),
        ("<a>]]></a>", Reason::ContentMalformed),
        ("<a>\u{1}</a>", Reason::ContentMalformed),
        ("<a>< b</a>", Reason::ContentMalformed),
        ("<a><!-- -- --></a>", Reason::ContentMalformed),
        ("<a><!-- ---></a>", Reason::ContentMalformed),
        ("<a><!x></a>", Reason::ContentMalformed),
        ("<a><?xml version='1.0'?></a>", Reason::ContentMalformed),
        (" <?xml version='1.0'?><a/>", Reason::ContentMalformed),
        ("<a/><!DOCTYPE a>", Reason::ContentMalformed),
        ("<!DOCTYPE a><!DOCTYPE a><a/>", Reason::ContentMalformed),
        ("<!DOCTYPE a [ x ]><a/>", Reason::ContentMalformed),
        ("<1/>", Reason::ContentMalformed),
        ("<a>\0</a>", Reason::ContentUninspectable),
        ("<?xml version='1.0' encoding='latin1'?><a/>", Reason::ContentNotUtf8),
        ("<?xml version='1.0' encoding='utf-16'?><a/>", Reason::ContentNotUtf8),
        (
            "<!DOCTYPE a [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><a>&lol2;</a>",
            Reason::ContentUninspectable,
        ),
        ("<!DOCTYPE a [<!ENTITY % p SYSTEM 'x'>]><a/>", Reason::ContentUninspectable),
        ("<!DOCTYPE a [ %p; ]><a/>", Reason::ContentUninspectable),
    ] {
        assert_eq!(everywhere(&xml, body.as_bytes()).reason(), Some(reason), "{body}");
        if reason != Reason::ContentUninspectable {
            assert!(everywhere(&html, body.as_bytes()).reason().is_none(), "{body}");
        }
    }
    // An entity that is declared elsewhere stays.
    let body = "<!DOCTYPE html PUBLIC 'x' 'y'><html a='&nbsp;'>&nbsp;</html>";
    assert_eq!(everywhere(&xml, body.as_bytes()).text(), body);
    for bytes in [b"<a>\xff</a>".as_slice(), b"<a>\xc3</a>", b"<a b='\xff'/>"] {
        assert_eq!(everywhere(&xml, bytes).reason(), Some(Reason::ContentNotUtf8));
        assert_eq!(everywhere(&html, bytes).reason(), Some(Reason::ContentNotUtf8));
    }
    let answer = || Box::new(MarkupTransform::new(response(), Dialect::Xml)) as Box<dyn Transform>;
    assert_eq!(everywhere(&answer, b"<a></b>").reason(), Some(Reason::UpstreamUnexpected));
}

#[test]
fn a_declaration_says_utf8_once_it_is() {
    let make =
        || Box::new(MarkupTransform::new(request(), Dialect::Xml).transcoded(true)) as Box<dyn Transform>;
    let outcome = everywhere(&make, b"<?xml version='1.0' encoding=\"UTF-16\" ?><a/>");
    assert_eq!(outcome.text(), "<?xml version='1.0' encoding=\"UTF-8\" ?><a/>");
}

#[test]
fn blocked_values_and_bodies_that_break_off() {
    let secret = token(1);
    for body in [
        format!("<a>{}</a>", blocked()),
        format!("<a b='{}'/>", spelt(&blocked())),
        format!("<a><!-- {} --></a>", blocked()),
    ] {
        for make in [&xml as &dyn Fn() -> Box<dyn Transform>, &html] {
            let outcome = everywhere(make, body.as_bytes());
            assert_eq!(outcome.reason(), Some(Reason::ContentBlocked), "{body}");
            nothing_of(&blocked(), &outcome.out);
        }
    }
    let body = format!(
        "<a>x {} <b c='{secret}'>{}</b><!-- {secret} --><p>{}</p></a>",
        secret,
        spelt(&secret),
        open(3).replace('<', "&lt;")
    );
    for end in 0..body.len() {
        let outcome = run(&mut *xml(), [&body.as_bytes()[..end]]);
        assert_eq!(outcome.reason().is_some(), end > 0, "{end}");
        nothing_of(&secret, &outcome.out);
        nothing_of(&open(3), &outcome.out);
    }
}

#[test]
fn memory_is_bounded() {
    let row =
        format!("<row id='7'><name>plain</name><text>lorem ipsum {} &amp; so on</text></row>\n", token(1));
    let body = format!("<rows>{}</rows>", row.repeat(20_000));
    let outcome = run(&mut *xml(), body.as_bytes().chunks(16 * 1024));
    assert!(outcome.text() == body.replace(&token(1), "[TEST_TOKEN]"));
    assert!(outcome.held < 8192, "{} bytes were held", outcome.held);
    let mut job = request();
    job.limits = std::sync::Arc::new(crate::body::Limits { record: 4096, depth: 8, ..Default::default() });
    for (body, reason) in [
        (format!("<a b='{}'/>", "x".repeat(5000)), Reason::RecordTooLarge),
        (format!("<!--{}--><a/>", "x".repeat(5000)), Reason::RecordTooLarge),
        (format!("<a>tok_{}</a>", "<span></span>".repeat(2000)), Reason::RecordTooLarge),
        (format!("<a>&{};</a>", "x".repeat(5000)), Reason::RecordTooLarge),
        (format!("<!DOCTYPE {}>", "x".repeat(70_000)), Reason::RecordTooLarge),
        ("<a>".repeat(9), Reason::ContentTooDeep),
    ] {
        let mut transform = MarkupTransform::new(job.clone(), Dialect::Xml);
        assert_eq!(
            run(&mut transform, body.as_bytes().chunks(100)).reason(),
            Some(reason),
            "{}",
            &body[..20]
        );
    }
}

/// Text content and attributes, as a second implementation reads them.
fn texts(document: &str) -> Vec<String> {
    let parsed = roxmltree::Document::parse(document).unwrap();
    let mut texts = Vec::new();
    for node in parsed.descendants() {
        texts.extend(node.attributes().map(|a| a.value().to_owned()));
        if node.is_text() || node.is_comment() {
            texts.push(node.text().unwrap_or_default().to_owned());
        }
    }
    texts
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z ]{0,9}",
        "[\\]>]{0,4}",
        // Letters beside it would make it something else.
        (0_u64..4).prop_map(|n| format!(" {} ", token(n))),
        (0_u64..4).prop_map(address),
        Just("tok_".to_owned()),
    ]
}

/// Writes a text of a document, with references here and there.
fn written(text: &str, state: &mut u64) -> String {
    text.chars()
        .filter(|c| super::reference::is_xml_char(*c))
        .map(|c| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match c {
                '<' => "&lt;".to_owned(),
                '&' => "&amp;".to_owned(),
                '>' | '"' | '\'' | '\r' | '\n' | '\t' => format!("&#{};", u32::from(c)),
                c if *state >> 40 & 7 == 0 => format!("&#x{:x};", u32::from(c)),
                c => c.to_string(),
            }
        })
        .collect()
}

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Element(usize, String, Vec<Node>),
    Comment(String),
    Cdata(String),
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let leaf = prop_oneof![
        word().prop_map(Node::Text),
        word().prop_map(|text| Node::Comment(text.replace('-', " "))),
        word().prop_map(|text| Node::Cdata(text.replace(']', " "))),
    ];
    let node = leaf.prop_recursive(3, 12, 4, |inner| {
        (0_usize..5, word(), prop::collection::vec(inner, 0..4))
            .prop_map(|(name, value, children)| Node::Element(name, value, children))
    });
    prop::collection::vec(node, 0..5)
}

fn write(nodes: &[Node], state: &mut u64, out: &mut String) {
    let plain = |text: &str| text.chars().filter(|c| super::reference::is_xml_char(*c)).collect::<String>();
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(&written(text, state)),
            Node::Comment(text) => out.push_str(&format!("<!--{}-->", plain(text))),
            Node::Cdata(text) => out.push_str(&format!("<![CDATA[{}]]>", plain(text))),
            Node::Element(name, value, children) => {
                let name = ["p", "b", "item", "account", "n:x"][*name];
                out.push_str(&format!("<{name} a='{}'>", written(value, state)));
                write(children, state, out);
                out.push_str(&format!("</{name}>"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_document_in_pieces_stays_valid_and_says_nothing_found(
        nodes in nodes(),
        spell in any::<u64>(),
        sizes in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let mut body = String::from("<root xmlns:n='u'>");
        write(&nodes, &mut (spell | 1), &mut body);
        body.push_str("</root>");
        let before = texts(&body);
        let whole = run(&mut *xml(), [body.as_bytes()]);
        prop_assert_eq!(whole.reason(), None, "{}", body);
        let outcome = run(&mut *xml(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.text(), whole.text());
        let after = texts(outcome.text());
        for n in 0..4 {
            for text in &after {
                prop_assert!(!text.contains(&token(n)), "{}", outcome.text());
            }
        }
        let clean = before.iter().all(|text| !text.contains("tok_") && !text.contains('@'))
            && before.concat().chars().filter(char::is_ascii_digit).count() < 5
            && before.concat().bytes().filter(|b| b.is_ascii_alphanumeric()).count() < 40;
        if clean && after == before {
            prop_assert_eq!(outcome.text(), &body);
        }
        let again = run(&mut *xml(), [outcome.out.as_slice()]);
        prop_assert_eq!(again.text(), outcome.text());
    }

    #[test]
    fn html_is_total(
        words in prop::collection::vec(
            prop_oneof![
                word(),
                "[<>/!?&;#='\" a-c-]{0,8}",
                Just("<script>".to_owned()),
                Just("</script>".to_owned()),
                Just("<!--".to_owned()),
                Just("-->".to_owned()),
                Just("&#11".to_owned()),
                Just("<svg>".to_owned()),
                Just("<title>".to_owned()),
            ],
            0..16,
        ),
        sizes in prop::collection::vec(1_usize..20, 1..6),
    ) {
        let body = words.concat().replace('\0', "");
        let whole = run(&mut *html(), [body.as_bytes()]);
        prop_assert_eq!(whole.reason(), None);
        let outcome = run(&mut *html(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.text(), whole.text());
        let found = [address(0), address(1), address(2), address(3), "tok_".to_owned()];
        if !found.iter().any(|value| body.contains(value)) && !body.contains('&') && outcome.out.len() == body.len() {
            prop_assert_eq!(outcome.text(), &body);
        }
    }
}
