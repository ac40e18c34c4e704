//! A large upload: what arrives is what was sent, and the gateway's memory does not grow with it.
//!
//! The ordinary test sends 64 MiB. `CONSENTRY_UPLOAD_MIB=1024 cargo test --release --test gateway upload -- --nocapture`
//! sends a gibibyte and says what it took.

use std::fmt::Write as _;
use std::time::Instant;

use aws_lc_rs::digest::{Context, SHA256};

use super::kit::own::{Own, Running};
use super::kit::upstream::{json as reply, plain};
use super::kit::values::{FORM, chat};
use super::kit::{Ask, Caller};

/// By how much resident memory may grow, in KiB.
const MOST: u64 = 64 * 1024;

/// The next piece of a file of clean records, in spellings that a rewrite would not give back.
fn piece(number: &mut u64, out: &mut String) {
    out.clear();
    while out.len() < 60 * 1024 {
        let n = *number;
        let _ok = match n % 3 {
            0 => writeln!(
                out,
                r#"{{"messages":[{{"role":"user","content":"caf\u00e9 number {n}"}},{{"role":"assistant","content":"yes"}}],"n":{n}}}"#
            ),
            1 => writeln!(
                out,
                r#"{{ "n" : {n} , "messages" : [ {{"content": "a \"quoted\" word\/slash", "role": "user"}}, {{"role":"assistant","content":""}} ] }}"#
            ),
            _ => writeln!(
                out,
                r#"{{"n":{n},"messages":[{{"role":"user","content":"it was a long and rainy day at the sea, and nobody wanted to go home before the evening"}}],"x":[[],{{}},-0,1e-7]}}"#
            ),
        };
        *number += 1;
    }
}

/// Sends a form with a file of at least so many bytes, made on the fly in chunks; gives the form's length and hash.
fn send(caller: &Caller<'_>, before: &str, after: &str, bytes: u64) -> (u64, String) {
    let mut conn = caller.gateway.open();
    let head = caller.signed(&Ask::new("POST", "/v1/files").header("content-type", FORM));
    let head = String::from_utf8(head.bytes()).unwrap();
    conn.write(head.replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n").as_bytes());
    let (mut hash, mut length) = (Context::new(&SHA256), 0);
    let mut chunk = |text: &str| {
        hash.update(text.as_bytes());
        length += text.len() as u64;
        conn.write(&super::kit::upstream::chunk(text.as_bytes()));
        length
    };
    chunk(before);
    let (mut number, mut text) = (0, String::new());
    loop {
        piece(&mut number, &mut text);
        if chunk(&text) >= bytes {
            break;
        }
    }
    chunk(after);
    conn.write(b"0\r\n\r\n");
    conn.answer().ok();
    (length, data_encoding::HEXLOWER.encode(hash.finish().as_ref()))
}

/// Sends the file once and looks at what arrived and at the memory that it took; gives the growth in KiB.
fn uploaded(running: &Running, before: &str, after: &str, bytes: u64) -> u64 {
    let process = &running.gateway.process;
    let resident = process.memory("VmRSS");
    let (length, sha256) = send(&running.acme(), before, after, bytes);
    let came = running.upstream.arrived().pop().unwrap();
    assert!(came.complete);
    assert_eq!((came.length, came.sha256), (length, sha256));
    process.memory("VmHWM").saturating_sub(resident)
}

#[test]
#[expect(clippy::print_stdout, reason = "it says what it measured")]
fn an_upload_arrives_identical_and_takes_no_memory_of_its_length() {
    let mib: u64 = std::env::var("CONSENTRY_UPLOAD_MIB").ok().map_or(64, |mib| mib.parse().unwrap());
    let file = serde_json::json!({"id": "file-large", "object": "file", "purpose": "fine-tune"});
    let running = Own::new()
        .start(move |up| if up.line.starts_with("POST /v1/files") { reply(200, &file) } else { plain(up) });
    // What is made at the first request of a kind is there before it is measured.
    running.acme().post("/v1/chat/completions", &chat("x")).ok();
    let field = |name: &str, rest: &str| {
        format!("--cut-here\r\ncontent-disposition: form-data; name=\"{name}\"{rest}\r\n\r\n")
    };
    let purpose = field("purpose", "") + "fine-tune\r\n";
    let opened = field("file", "; filename=\"train.jsonl\"");
    let end = "\r\n--cut-here--\r\n";
    let orders = [
        ("purpose first", mib, format!("{purpose}{opened}"), end.to_owned()),
        // It waits in the spool until the purpose is known.
        ("file first", mib.div_ceil(4), opened, format!("\r\n{purpose}--cut-here--\r\n")),
    ];
    for (name, mib, before, after) in orders {
        let began = Instant::now();
        let grown = uploaded(&running, &before, &after, mib * 1024 * 1024);
        let took = began.elapsed().as_secs_f64();
        println!(
            "{mib} MiB, {name}: {took:.1} s, {:.1} MiB/s, resident memory grew by {:.1} MiB",
            mib as f64 / took,
            grown as f64 / 1024.0
        );
        assert!(grown < MOST, "{name}: {grown} KiB");
    }
}
