//! Formats beyond JSON over the wire: forms, markup, encodings, multipart bodies, in requests, answers and files.

use consentry::reason::Reason;
use serde_json::json;

use super::kit::own::{Own, Running};
use super::kit::upstream::{Arrived, answer, json as reply};
use super::kit::values::{FORM, form, mail, token};
use super::kit::{Ask, Step};

/// What takes a token's place.
const HIDDEN: &str = "[GITHUB_PAT]";

/// An API that speaks what OpenAI's doesn't.
const PROFILE: &str = "kinds:
  note: {owned: ['note-[A-Za-z0-9]{1,32}'], not_found: {message: No such note.}}
operations:
  createNote:
    match: POST /notes
    request:
      urlencoded:
        - {name: about, content: deciding}
        - {name: purpose, content: deciding, required: true}
        - {name: text, content: text}
    uses: [{kind: note, form: about}]
    creates: [{kind: note, at: [/id]}]
    needs: [{purpose: share, when: {form: purpose, is: [publish]}}]
    request_edits: [{at: [/user], do: salt}]
  readNote:
    match: GET /notes/{id}
    response: text
    uses: [{kind: note, path: id}]
  putPage: {match: PUT /page, request: text, response: text}
  putFile: {match: PUT /file, request: file, limit: upload}
";

/// A gateway before such an API, whose second tenant lets other encodings be written in UTF-8.
fn running(script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static) -> Running {
    let mut own = Own::new();
    own.profile("notes", PROFILE);
    own.setup.routes.push_str("  - {name: notes, path: /n, upstream: only, api: notes}\n");
    let rights = format!("{}other_charsets: transcode\n", super::kit::gateway::GRANTED);
    own.globex = own.setup.tenant("globex", &rights);
    own.start(script)
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn references(text: &str) -> String {
    text.bytes().map(|byte| format!("&#{byte};")).collect()
}

fn urlencoded(body: impl Into<Vec<u8>>) -> Ask {
    Ask::new("POST", "/n/notes").typed("application/x-www-form-urlencoded", body)
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn forms_are_censored_and_decide() {
    let running = running(|_| reply(200, &json!({"id": "note-1"})));
    let (acme, secret) = (running.acme(), token(1));
    let clean = "purpose=keep&text=caf%c3%A9+%7e&x=1%2B1&&y";
    acme.ask(&urlencoded(clean)).ok();
    assert_eq!(running.upstream.arrived().pop().unwrap().text(), clean);
    let body = format!("purpose=keep&text=use+{}&user=jane&{secret}=1", percent(&secret));
    for back in [acme.ask(&urlencoded(body.clone())), acme.ask_h2(&urlencoded(body))] {
        back.ok();
        let came = running.upstream.arrived().pop().unwrap();
        let hidden = "%5BGITHUB_PAT%5D";
        assert!(came.text().starts_with(&format!("purpose=keep&text=use+{hidden}&user=")), "{}", came.text());
        assert!(came.text().ends_with(&format!("&{hidden}=1")) && !came.text().contains("jane"));
        assert_eq!(came.header("content-length"), Some(came.length.to_string().as_str()));
    }
    // The ids of a form are the tenant's, or nobody's, whatever their spelling.
    acme.ask(&urlencoded("purpose=keep&about=note-1")).ok();
    let seen = running.upstream.arrived().len();
    let foreign = running.globex().ask(&urlencoded("purpose=keep&%61bout=note%2D1"));
    let unknown = running.globex().ask(&urlencoded("purpose=keep&about=note-none"));
    assert_eq!(foreign.comparable(), unknown.comparable());
    assert_eq!(foreign.status, 404);
    for (body, reason) in [
        ("purpose=keep&purpose=publish", Reason::FieldAmbiguous),
        ("purpose=keep&p%75rpose=publish", Reason::FieldAmbiguous),
        ("purpose=keep&text=x;purpose=publish", Reason::FieldAmbiguous),
        ("text=x", Reason::FieldMissing),
        ("purpose=publish", Reason::ConsentMissing),
        ("purpose=keep&text=%ff", Reason::ContentNotUtf8),
    ] {
        acme.ask(&urlencoded(body)).refused(reason);
    }
    let other =
        Ask::new("POST", "/n/notes").typed("application/x-www-form-urlencoded; charset=utf-16", clean);
    acme.ask(&other).refused(Reason::BodyTypeMismatch);
    acme.ask(&Ask::json("/n/notes", &json!({}))).refused(Reason::BodyTypeMismatch);
    assert_eq!(running.upstream.arrived().len(), seen);
}

#[test]
fn markup_is_censored_as_it_reads() {
    let (secret, address) = (token(2), mail("jane"));
    let xml = format!(
        "<?xml version=\"1.0\"?>\r\n<a t='{secret}'>x {} &amp; <b>y</b><!-- {secret} --></a>",
        references(&secret)
    );
    let html =
        format!("<!doctype html><p title={secret}>use {}<b>{}</b>&nbsp;<br>", &secret[..9], &secret[9..]);
    let (one, two) = (xml.clone(), html.clone());
    let running = running(move |arrived| {
        let (kind, body) = if arrived.target().ends_with("page") {
            ("text/html; charset=utf-8", &two)
        } else {
            ("application/json", &one)
        };
        let body = if kind.ends_with("json") { "{}" } else { body.as_str() };
        vec![Step::Send(answer(200, &[("content-type", kind)], body))]
    });
    let acme = running.acme();
    let clean_xml =
        format!("<?xml version=\"1.0\"?>\r\n<a t='{HIDDEN}'>x {HIDDEN} &amp; <b>y</b><!-- {HIDDEN} --></a>");
    let clean_html = format!("<!doctype html><p title={HIDDEN}>use {HIDDEN}<b></b>&nbsp;<br>");
    // A request of text, and its answer.
    let back = acme.ask(&Ask::new("PUT", "/n/page").typed("text/xml", xml.clone())).ok();
    assert_eq!(running.upstream.arrived().pop().unwrap().text(), clean_xml);
    assert_eq!(back.text(), clean_html);
    // Files: by the type that is said, and by what they are.
    for (kind, body, expected) in [
        ("image/svg+xml", xml.as_str(), clean_xml.as_str()),
        ("application/octet-stream", &xml, &clean_xml),
        ("text/html", &html, &clean_html),
    ] {
        acme.ask(&Ask::new("PUT", "/n/file").typed(kind, body)).ok();
        assert_eq!(running.upstream.arrived().pop().unwrap().text(), expected);
    }
    // The name of an element is context, and mail addresses become names as elsewhere.
    let body =
        format!("<users><date_of_birth>1980-02-03</date_of_birth><m>{}</m></users>", references(&address));
    acme.ask(&Ask::new("PUT", "/n/file").typed("application/xml", body)).ok();
    let came = running.upstream.arrived().pop().unwrap().text();
    assert!(!came.contains("1980") && came.contains("<m>EMAIL_ADDRESS_"), "{came}");
}

#[test]
fn markup_that_lies_is_refused() {
    let running = running(|_| vec![Step::Send(answer(200, &[("content-type", "text/xml")], "<a><b></a>"))]);
    let acme = running.acme();
    let laughs = "<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><a>&b;</a>";
    for (kind, body, reason) in [
        ("application/xml", laughs, Reason::ContentUninspectable),
        ("application/xml", "<a></b>", Reason::ContentMalformed),
        ("application/xml", "<a>", Reason::ContentTruncated),
        ("application/xml", "{\"json\": 1}", Reason::ContentMalformed),
        ("text/plain", "<?xml version='1.0'?><a>", Reason::ContentTruncated),
    ] {
        acme.ask(&Ask::new("PUT", "/n/file").typed(kind, body)).refused(reason);
    }
    assert_eq!(running.upstream.arrived().len(), 0);
    acme.ask(&Ask::new("PUT", "/n/page").typed("text/html", "<a></b>")).refused(Reason::UpstreamUnexpected);
}

#[test]
fn other_encodings_pass_by_policy_alone() {
    let secret = token(3);
    let leaked = secret.clone();
    let running = running(move |_| {
        let body = [b"caf\xe9 ".as_slice(), leaked.as_bytes()].concat();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=ISO-8859-1\r\n";
        let head = format!("{head}content-length: {}\r\n\r\n", body.len());
        vec![Step::Send([head.into_bytes(), body].concat())]
    });
    let (acme, globex) = (running.acme(), running.globex());
    let page = |kind: &str, body: Vec<u8>| Ask::new("PUT", "/n/page").typed(kind, body);
    let text = format!("Grüße {secret}");
    acme.ask(&page("text/plain; charset=utf-16", utf16(&text))).refused(Reason::ContentNotUtf8);
    acme.ask(&page("text/plain", utf16(&text))).refused(Reason::ContentNotUtf8);
    assert_eq!(running.upstream.arrived().len(), 0);
    let xml = "<?xml version='1.0' encoding='ISO-8859-1'?><a>caf\u{e9}</a>".chars();
    let xml: Vec<u8> = xml.map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (ask, kind, expected) in [
        (
            page("text/plain; charset=utf-16", utf16(&text)),
            "text/plain; charset=utf-8",
            format!("Grüße {HIDDEN}"),
        ),
        (page("text/plain", utf16(&text)), "text/plain", format!("Grüße {HIDDEN}")),
        (
            Ask::new("PUT", "/n/file").typed("text/xml", xml),
            "text/xml",
            "<?xml version='1.0' encoding='UTF-8'?><a>café</a>".to_owned(),
        ),
    ] {
        let back = globex.ask(&ask);
        let came = running.upstream.arrived().pop().unwrap();
        assert_eq!((came.header("content-type"), came.text()), (Some(kind), expected));
        if ask.target.ends_with("page") {
            let back = back.ok();
            assert_eq!(back.header("content-type"), Some("text/plain; charset=utf-8"));
            assert_eq!(back.text(), format!("café {HIDDEN}"));
        }
    }
    // A form's file says what it is in now.
    let latin = |body: &[u8]| {
        let head = "--cut-here\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\ncontent-type: text/plain; charset=latin1\r\n\r\n";
        let purpose = form(&[("purpose", None, b"user_data")]);
        let end = b"\r\n--cut-here--\r\n";
        [&purpose[..purpose.len() - b"--cut-here--\r\n".len()], head.as_bytes(), body, end].concat()
    };
    let upload = || Ask::new("POST", "/v1/files").typed(FORM, latin(b"caf\xe9"));
    acme.ask(&upload()).refused(Reason::ContentNotUtf8);
    let _ = globex.ask(&upload());
    let came = running.upstream.arrived().pop().unwrap().text();
    assert!(came.contains("content-type: text/plain; charset=utf-8\r\n\r\ncafé\r\n--cut-here--"), "{came}");
}

#[test]
fn multipart_bodies_in_forms() {
    let running = running(|_| reply(200, &json!({"id": "file-1", "object": "file"})));
    let (acme, secret) = (running.acme(), token(4));
    let mixed = |text: &str, end: &str| {
        format!(
            "--in\r\nContent-Disposition: file; filename=\"a.txt\"\r\n\r\n{text}\r\n--in\r\nContent-Type: application/xml\r\n\r\n<a b='{text}'/>\r\n--in--{end}"
        )
    };
    let upload = |inner: String| {
        let head = "--cut-here\r\ncontent-disposition: form-data; name=\"file\"; filename=\"all\"\r\ncontent-type: multipart/mixed; boundary=in\r\n\r\n";
        let purpose = form(&[("purpose", None, b"user_data")]);
        let purpose = String::from_utf8(purpose).unwrap().replace("--cut-here--\r\n", "");
        Ask::new("POST", "/v1/files").typed(FORM, format!("{purpose}{head}{inner}\r\n--cut-here--\r\n"))
    };
    acme.ask(&upload(mixed(&secret, "\r\n"))).ok();
    let came = running.upstream.arrived().pop().unwrap().text();
    assert!(came.contains(&mixed(HIDDEN, "\r\n")), "{came}");
    for (inner, reason) in [
        (mixed("x", "").replace("--in--", ""), Reason::ContentTruncated),
        (mixed("<x>", ""), Reason::ContentMalformed),
        ("--in\r\nX: y\r\n\r\nz\r\n".repeat(2000), Reason::RecordTooLarge),
        (format!("--in\r\nX: {}", "y".repeat(100_000)), Reason::HeaderTooLarge),
    ] {
        acme.ask(&upload(inner)).refused(reason);
    }
}
