//! A whole request: its head and its body, by the stages, plans and readers that the gateway takes it through.
//!
//! The body of the input begins with lines of a head: `POST /v1/files`, then fields, then an empty line.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use consentry::config::{self, Mode};
use consentry::gateway::Live;
use consentry::gateway::rehearsal::{Rehearsal, Rehearsed};
use consentry::reason::Reason;
use futures_util::FutureExt;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;

use super::input::Input;
use super::passed::shown;
use super::tree::is_json;
use super::values;

const MAIN: &str = "\
listeners: {data: {address: 127.0.0.1:0, tls: {development: {}}}, metrics: {address: 127.0.0.1:0}}
master_key: file:key
upstreams: {one: {url: https://localhost:1}}
routes: [{name: all, path: /, upstream: one, api: openai}]
limits: {record: 64KiB, depth: 32}
";

static REHEARSAL: LazyLock<Rehearsal> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("consentry-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("tenants")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("consentry.yaml", MAIN);
    write("key", "a master key of the fuzzers, long enough");
    write("own.yaml", values::RULES.split("  - id: EMAIL_ADDRESS").next().unwrap());
    write("tenants/acme.yaml", "tenant: acme\ncensor: {rules: own.yaml}\n");
    let snapshot = config::load(&folder, Mode::Check, 1);
    std::fs::remove_dir_all(&folder).unwrap();
    let snapshot = snapshot.unwrap_or_else(|errors| panic!("{errors:?}"));
    Rehearsal::new(Arc::new(Live::new(snapshot).unwrap()), values::spools()).unwrap()
});

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = input.body();
    let Some((head, body)) = split(&body) else { return };
    let Some(whole) = rehearse(head, &[body]) else { return };
    let cut = rehearse(head, &input.pieces(body)).unwrap();
    assert_eq!(whole.operation, cut.operation);
    let reason = |done: &Rehearsed| done.refusal.as_ref().map(|refusal| refusal.reason);
    let flaws = [Some(Reason::ContentNotUtf8), Some(Reason::CodingBroken), Some(Reason::CodingBomb)];
    if flaws.contains(&reason(&whole)) || flaws.contains(&reason(&cut)) {
        assert_eq!(whole.refusal.is_some(), cut.refusal.is_some());
    } else {
        assert_eq!(reason(&whole), reason(&cut), "by another cut");
    }
    if whole.refusal.is_none() {
        assert_eq!(whole.ids, cut.ids);
        assert!(whole.body == cut.body, "another cut:\n{}\n{}", shown(&whole.body), shown(&cut.body));
    }
    for done in [&whole, &cut] {
        // An id goes up as it is if it is the tenant's. None that holds a planted value is.
        let ids = done.ids.join("\n");
        values::absent(&[input.template, ids.as_bytes()].concat(), &done.body);
    }
    let json = head.to_ascii_lowercase().windows(16).any(|w| w == b"application/json");
    if json && whole.refusal.is_none() && !whole.body.is_empty() {
        assert!(is_json(&whole.body), "what goes up is no JSON: {}", shown(&whole.body));
    }
}

fn split(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(input, b"\n\n")?;
    Some((&input[..at], &input[at + 2..]))
}

/// Takes a request as far as it goes. None: it has no head that HTTP knows.
fn rehearse(head: &[u8], pieces: &[&[u8]]) -> Option<Rehearsed> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, target) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target).header("host", "gateway.example");
    for line in lines {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        request = request.header(name.trim(), value.trim());
    }
    let (parts, ()) = request.body(()).ok()?.into_parts();
    let pieces: Vec<Result<_, Infallible>> =
        pieces.iter().map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    Some(REHEARSAL.request(parts, body).now_or_never().expect("everything is there"))
}
