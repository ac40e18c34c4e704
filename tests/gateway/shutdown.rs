//! The way out: in order at SIGTERM, at once at the second one, and without harm at SIGKILL.

use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::json;

use super::kit::gateway::verified;
use super::kit::own::{Own, Running};
use super::kit::upstream::{chunk, chunked, json as reply, plain};
use super::kit::values::{chat, record, upload};
use super::kit::{Ask, Conn, Gate, Step, eventually};

const CHAT: &str = "/v1/chat/completions";

/// An answer that waits in its middle for `go`.
fn held(go: &Gate) -> impl Fn(&super::kit::Arrived) -> Vec<Step> + use<> {
    let go = go.clone();
    move |up| {
        if !up.text().contains("\"stream\":true") {
            return plain(up);
        }
        let event = |text: &str| {
            let event = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
            Step::Send(chunk(format!("data: {event}\n\n").as_bytes()))
        };
        let head = Step::Send(chunked(200, "text/event-stream"));
        vec![head, event("first, and "), Step::Wait(go.clone()), event("last."), Step::Send(chunk(b""))]
    }
}

/// Opens a stream and reads its beginning.
fn streaming(running: &Running) -> Conn {
    let mut body = chat("x");
    body["stream"] = json!(true);
    let mut conn = running.gateway.open();
    conn.write(&running.acme().signed(&Ask::json(CHAT, &body)).bytes());
    assert_eq!(conn.head().unwrap().status, 200);
    assert!(String::from_utf8(conn.chunk().unwrap()).unwrap().contains("first"));
    conn
}

#[test]
fn sigterm_lets_what_is_under_way_finish_and_nobody_new_in() {
    let go = Gate::default();
    let mut running = Own::new().start(held(&go));
    let mut conn = streaming(&running);
    let mut idle = Conn::open(running.gateway.data, running.gateway.http2.clone());
    idle.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    // Its SETTINGS, so that it is known to be served.
    idle.until(b"\0\0\0\x04\x01\0\0\0\0").unwrap();
    assert_eq!(running.gateway.observe("/readyz").0, 200);
    running.gateway.process.signal("TERM");
    eventually(|| running.gateway.observe("/readyz").0 == 503);
    assert_eq!(running.gateway.observe("/livez").0, 200);
    let farewell = idle.rest();
    assert!(memchr::memmem::find(&farewell, b"\0\0\x08\x07\0\0\0\0\0").is_some(), "no GOAWAY: {farewell:?}");
    eventually(|| std::net::TcpStream::connect(running.gateway.data).is_err());
    assert!(running.gateway.process.runs());
    go.open();
    let mut rest = Vec::new();
    while let Some(piece) = conn.chunk().filter(|piece| !piece.is_empty()) {
        rest.extend(piece);
    }
    assert!(String::from_utf8(rest).unwrap().contains("last."));
    assert_eq!(running.gateway.process.wait().code(), Some(0), "{}", running.gateway.process.written());
    let audit = running.gateway.setup.config().join("data/audit");
    assert_eq!(running.gateway.recorded("\"type\":\"closed\"").len(), 1);
    let (whole, told) = verified(&audit);
    assert!(whole, "{told}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for signals in [["TERM", "TERM"], ["INT", "TERM"]] {
        let never = Gate::default();
        let mut own = Own::new();
        // Longer than any test may wait.
        own.setup.data.push_str(", bounds: {drain: 10m}");
        let mut running = own.start(held(&never));
        let conn = streaming(&running);
        running.gateway.process.signal(signals[0]);
        eventually(|| running.gateway.observe("/readyz").0 == 503);
        assert!(running.gateway.process.runs());
        running.gateway.process.signal(signals[1]);
        assert_eq!(running.gateway.process.wait().code(), Some(0), "{}", running.gateway.process.written());
        drop(conn);
        never.open();
        let (whole, told) = verified(&running.gateway.setup.config().join("data/audit"));
        assert!(whole, "{told}");
    }
}

#[test]
fn what_does_not_finish_in_the_drain_time_is_cut_off() {
    let never = Gate::default();
    let mut own = Own::new();
    own.setup.data.push_str(", bounds: {drain: 300ms}");
    let mut running = own.start(held(&never));
    let mut conn = streaming(&running);
    running.gateway.process.signal("TERM");
    assert_eq!(running.gateway.process.wait().code(), Some(0));
    assert!(conn.chunk().is_none());
    never.open();
}

/// P7: killed while the upstream makes something, it shows nothing to anybody that is not on record.
#[test]
fn p7_killed_while_something_is_made_it_shows_it_to_nobody() {
    let (came, never) = (Gate::default(), Gate::default());
    let (told, waits) = (came.clone(), never.clone());
    let running = Own::new().start(move |up| match up.line.starts_with("POST") {
        false => plain(up),
        true => {
            let made = json!({"id": "file-made", "object": "file", "purpose": "user_data"});
            let mut steps = vec![Step::Tell(told.clone()), Step::Wait(waits.clone())];
            steps.extend(reply(200, &made));
            steps
        }
    });
    let mut conn = running.gateway.open();
    conn.write(&running.acme().signed(&upload("user_data", "x.jsonl", &record("x"))).bytes());
    came.wait();
    let running = running.killed_and_started_again();
    assert!(conn.try_answer(false).is_none());
    for caller in [running.acme(), running.globex()] {
        caller.get("/v1/files/file-made").refused(Reason::ResourceUnknown);
        caller.delete("/v1/files/file-made").refused(Reason::ResourceUnknown);
    }
    never.open();
    let (whole, told) = verified(&running.gateway.stop().config().join("data/audit"));
    assert!(whole, "{told}");
}

/// P7: what was answered before the kill is there after it, for its owner and nobody else.
#[test]
fn p7_killed_at_any_time_it_keeps_what_it_answered() {
    let number = AtomicUsize::new(0);
    let mut running = Own::new().start(move |up| match up.line.starts_with("POST") {
        false => reply(200, &json!({"id": "found", "object": "file"})),
        true => {
            let id = format!("file-{}", number.fetch_add(1, Ordering::SeqCst));
            reply(200, &json!({"id": id, "object": "file", "purpose": "user_data"}))
        }
    });
    let mut answered = Vec::new();
    for round in 0..3 {
        let (data, config) = (running.gateway.data, running.gateway.http1.clone());
        let bytes = running.acme().signed(&upload("user_data", "x.jsonl", &record("x"))).bytes();
        let (started, enough) = (Gate::default(), 3 + round);
        let told = started.clone();
        let creating = std::thread::spawn(move || {
            let mut ids = Vec::new();
            let mut conn = Conn::open(data, config);
            loop {
                let answer = conn.try_write(&bytes).ok().and_then(|()| conn.try_answer(false));
                match answer.filter(|answer| answer.whole && answer.status == 200) {
                    Some(answer) => ids.push(answer.id()),
                    None => return ids,
                }
                if ids.len() == enough {
                    told.open();
                }
            }
        });
        // It goes on creating while it is killed.
        started.wait();
        running = running.killed_and_started_again();
        answered.extend(creating.join().unwrap());
        for id in &answered {
            running.acme().get(&format!("/v1/files/{id}")).ok();
            running.globex().get(&format!("/v1/files/{id}")).refused(Reason::ResourceUnknown);
        }
    }
    assert!(answered.len() >= 12);
    let (whole, told) = verified(&running.gateway.stop().config().join("data/audit"));
    assert!(whole, "{told}");
}
