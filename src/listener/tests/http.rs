use std::fmt::Write as _;

use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

#[tokio::test]
async fn requests_follow_each_other_in_a_connection() {
    let rig = Rig::new(roomy());
    let mut stream = rig.raw().await;
    for _ in 0..3 {
        stream
            .write_all(b"POST /count HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nabcde")
            .await
            .unwrap();
        let answer = read_until(&mut stream, "5 bytes").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    for _ in 0..3 {
        let chunked = b"POST /count HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        stream.write_all(chunked).await.unwrap();
        read_until(&mut stream, "3 bytes").await;
    }
}

#[tokio::test]
async fn a_header_section_over_the_limit_gets_431() {
    let rig = Rig::new(Bounds { header_bytes: 16 * 1024, ..roomy() });
    let long = "x".repeat(20 * 1024);
    let answer = rig.exchange(&format!("GET / HTTP/1.1\r\nhost: localhost\r\na: {long}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let mut many = String::new();
    for index in 0..200 {
        write!(many, "a{index}: x\r\n").unwrap();
    }
    let answer = rig.exchange(&format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    rig.notebook.wait(Seen::Unreadable(Reason::HeaderTooLarge)).await;
    let answer = rig.exchange("GET / HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    rig.notebook.wait(Seen::Unreadable(Reason::RequestMalformed)).await;
    // 100 MiB of header: the answer comes long before its end.
    let mut stream = rig.raw().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\na: ").await.unwrap();
    let flood = vec![b'x'; 1024 * 1024];
    for _ in 0..100 {
        if stream.write_all(&flood).await.is_err() {
            break;
        }
    }
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let rig = Rig::new(roomy());
    let mut stream = rig.raw().await;
    stream
        .write_all(b"POST /unread HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8388608\r\n\r\n")
        .await
        .unwrap();
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..128 {
        stream.write_all(&piece).await.unwrap();
    }
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.ends_with("refused unread"), "{answer}");
}

#[tokio::test]
async fn framing_that_two_readers_could_take_differently_is_refused() {
    let rig = Rig::new(roomy());
    for (headers, status, code) in [
        ("host: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n", 400, "framing_conflict"),
        ("host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n", 400, "framing_conflict"),
        ("host: a\r\ncontent-length: 3\r\ncontent-length: 3\r\n", 400, "framing_conflict"),
        ("host: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n", 400, ""),
        ("host: a\r\ncontent-length: 3, 3\r\n", 400, ""),
        ("host: a\r\ncontent-length: +3\r\n", 400, ""),
        ("host: a\r\ntransfer-encoding: gzip, chunked\r\n", 400, "framing_conflict"),
        ("host: a\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", 400, "framing_conflict"),
        ("host: a\r\ntransfer-encoding: gzip\r\n", 400, ""),
        ("host: a\r\ntransfer-encoding : chunked\r\n", 400, ""),
        ("host: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n", 403, "upgrade_refused"),
        ("host: a\r\nupgrade: h2c\r\n", 403, "upgrade_refused"),
        ("host: a\r\nexpect: 200-maybe\r\n", 400, "framing_conflict"),
        ("host: a\r\nauthorization: x\r\nconnection: close, authorization\r\n", 400, "header_ambiguous"),
        ("host: a\r\nhost: b\r\n", 400, "header_ambiguous"),
        ("accept: */*\r\n", 400, "header_ambiguous"),
    ] {
        let body = "3\r\nabc\r\n0\r\n\r\n";
        let answer =
            rig.exchange(&format!("POST /count HTTP/1.1\r\n{headers}connection: close\r\n\r\n{body}")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(code),
            "{headers}: {answer}"
        );
    }
    for (line, status) in [
        ("CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n", 403),
        ("GET http://b/ HTTP/1.1\r\nhost: a\r\n", 400),
        ("GET http://u@a/ HTTP/1.1\r\nhost: u@a\r\n", 400),
        ("POST /count HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n", 400),
    ] {
        let answer = rig.exchange(&format!("{line}connection: close\r\n\r\n")).await;
        assert!(answer.split(' ').nth(1) == Some(&status.to_string()), "{line}: {answer}");
    }
    let plain = "host: a\r\nte: trailers\r\nconnection: te, close\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc";
    let answer = rig.exchange(&format!("POST /count HTTP/1.1\r\n{plain}")).await;
    assert!(answer.contains("100 Continue") && answer.contains("3 bytes"), "{answer}");
}

/// Over HTTP/2 what upgrades is a `CONNECT` (RFC 8441): the plain one is refused by name; the extended one is not on offer,
/// and whoever sends it all the same gets an error of its stream.
#[tokio::test]
async fn over_http2_nothing_is_upgraded() {
    let rig = Rig::new(roomy());
    let stream = rig.connect(rig.config(&["h2"])).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    let tasks = TaskTracker::new();
    tasks.spawn(connection);
    let connect = |uri: &str| Request::connect(uri).body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(connect("a:443")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let said = answer.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(said, "upgrade_refused");
    let mut extended = connect("https://localhost/who");
    extended.extensions_mut().insert(hyper::ext::Protocol::from_static("websocket"));
    assert!(sender.send_request(extended).await.is_err());
}

#[tokio::test]
async fn nothing_after_a_smuggled_request_is_believed() {
    let rig = Rig::new(roomy());
    let both =
        "POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = rig.exchange(&format!("{both}GET /who HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("200 OK"), "{answer}");
    rig.notebook.wait(Seen::Closed(Protocol::Http1, End::Broken)).await;
}

#[tokio::test]
async fn a_broken_chunk_and_a_cut_off_body_are_told_apart() {
    let rig = Rig::new(roomy());
    let head = "POST /count HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = rig.exchange(&format!("{head}3\r\nabc\r\nzz\r\n")).await;
    assert!(answer.contains("content_malformed"), "{answer}");
    let mut stream = rig.raw().await;
    stream.write_all(format!("{head}3\r\nabc\r\n").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(!read_all(&mut stream).await.contains("200"));
}

/// One frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn preface() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    bytes
}

/// `GET path` in HPACK: indexed method and scheme, literal path and authority.
fn headers(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path.as_bytes());
    block.extend([0x01, 9]);
    block.extend(b"localhost");
    block
}

/// The frames that come until the listener closes: kind, flags, payload.
async fn frames(stream: &mut TlsStream<TcpStream>) -> Vec<(u8, u8, Vec<u8>)> {
    let mut all = Vec::new();
    let _end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut all)).await.unwrap();
    let mut found = Vec::new();
    let mut rest = &all[..];
    while let Some((head, after)) = rest.split_at_checked(9) {
        let length = usize::try_from(u32::from_be_bytes([0, head[0], head[1], head[2]])).unwrap();
        let Some((payload, after)) = after.split_at_checked(length) else { break };
        found.push((head[3], head[4], payload.to_vec()));
        rest = after;
    }
    found
}

fn goaway_code(frames: &[(u8, u8, Vec<u8>)]) -> Option<u32> {
    let (_, _, payload) = frames.iter().rfind(|(kind, _, _)| *kind == 7)?;
    Some(u32::from_be_bytes(payload.get(4..8)?.try_into().unwrap()))
}

#[tokio::test]
async fn rapid_reset_ends_in_enhance_your_calm() {
    let rig = Rig::new(roomy());
    let mut stream = rig.connect(rig.config(&["h2"])).await.unwrap();
    let mut attack = preface();
    for index in 0..400_u32 {
        attack.extend(frame(1, 5, 1 + 2 * index, &headers("/slow")));
        attack.extend(frame(3, 0, 1 + 2 * index, &8_u32.to_be_bytes()));
    }
    stream.write_all(&attack).await.unwrap();
    assert_eq!(goaway_code(&frames(&mut stream).await), Some(0xb));
}

#[tokio::test]
async fn endless_continuation_and_header_lists_over_the_limit_are_refused() {
    let rig = Rig::new(Bounds { header_bytes: 16 * 1024, ..roomy() });
    let mut stream = rig.connect(rig.config(&["h2"])).await.unwrap();
    let mut attack = preface();
    attack.extend(frame(1, 1, 1, &headers("/")));
    // A literal header without indexing, and then more of them for ever: END_HEADERS never comes.
    let mut piece = vec![0x00, 1, b'a', 0x7f, 0xe1, 0x1e];
    piece.extend([b'x'; 4000]);
    for _ in 0..64 {
        attack.extend(frame(9, 0, 1, &piece));
    }
    let _cut_off = stream.write_all(&attack).await;
    let found = frames(&mut stream).await;
    assert!(goaway_code(&found).is_some_and(|code| code != 0), "{found:?}");
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused_and_the_rest_answered() {
    let rig = Rig::new(Bounds { streams: 4, idle: Duration::from_secs(2), ..roomy() });
    let mut stream = rig.connect(rig.config(&["h2"])).await.unwrap();
    let mut bytes = preface();
    for index in 0..6 {
        bytes.extend(frame(1, 5, 1 + 2 * index, &headers("/slow")));
    }
    stream.write_all(&bytes).await.unwrap();
    let found = frames(&mut stream).await;
    let refused = found.iter().filter(|(kind, _, payload)| *kind == 3 && payload[..] == 7_u32.to_be_bytes());
    let data = found.iter().filter(|(kind, _, payload)| *kind == 0 && payload == b"slow but whole");
    assert_eq!((refused.count(), data.count()), (2, 4), "{found:?}");
}
