use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{bytes, form, start};

/// Bodies that are wrong in every way get an error of the API, and the next request its answer.
#[tokio::test]
async fn wrong_bodies_get_an_error_of_the_api() {
    let sandbox = start(|_| {}).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies = [
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"model\":",
        "\u{0}",
        "{\"model\":{\"a\":[]}}",
        "{\"model\":\"gpt-4o\",\"messages\":7}",
        "{\"model\":\"gpt-4o\",\"messages\":[]}",
        "{\"model\":\"gpt-4o\",\"messages\":[null]}",
        "{\"model\":\"gpt-4o\",\"input\":[7]}",
        "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":{\"a\":1}}],\"n\":-1,\"tools\":[7,{},{\"function\":3}],\"store\":\"yes\"}",
        "{\"part_ids\":[[]]}",
        "{\"bytes\":-1,\"filename\":\"x\",\"purpose\":\"batch\",\"mime_type\":\"x\"}",
        deep.as_str(),
    ];
    let paths = [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/moderations",
        "/v1/fine_tuning/jobs",
        "/v1/batches",
        "/v1/uploads",
        "/v1/uploads/x/complete",
        "/v1/vector_stores/x/search",
        "/v1/vector_stores/x/files",
        "/v1/files",
        "/v1/images/generations",
        "/v1/images/edits",
        "/v1/audio/speech",
        "/v1/audio/transcriptions",
        "/v1/chat/completions/x",
        "/v1/responses/x/cancel",
        "/v1/responses/compact",
        "/v1/responses/input_tokens",
        "/__sandbox/watch",
    ];
    for path in paths {
        for body in bodies {
            let request = sandbox.request(Method::POST, path).header("content-type", "application/json");
            let got = sandbox.send(request.body(bytes(body)).unwrap()).await;
            assert!(got.status.as_u16() < 500, "{path} {body}: {}", got.status);
            assert!(got.json().is_object());
        }
    }
}

#[tokio::test]
async fn wrong_forms_get_an_error_of_the_api() {
    let sandbox = start(|_| {}).await;
    let whole = form("fine-tune", "{}\n");
    for end in 0..whole.len() - 10 {
        let got = sandbox.form("/v1/files", &whole[..end]).await;
        assert_eq!(got.status, 400, "cut at {end}");
    }
    let many = "--cut\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\ny\r\n".repeat(200);
    assert_eq!(sandbox.form("/v1/files", &format!("{many}--cut--\r\n")).await.status, 400);
    let long = form(&"x".repeat(2_000_000), "{}");
    assert_eq!(sandbox.form("/v1/files", &long).await.status, 400);
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "text/plain",
        "multipart/form-data; boundary=\u{7f}",
    ] {
        let request = sandbox.request(Method::POST, "/v1/files");
        let Ok(request) = request.header("content-type", kind).body(bytes(&whole)) else { continue };
        assert!(sandbox.send(request).await.status.is_client_error(), "{kind}");
    }
    sandbox.upload("fine-tune", "{}\n").await;
}

#[tokio::test]
async fn odd_paths_have_no_handler() {
    let sandbox = start(|_| {}).await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "//v1/models",
        "/v1/files/",
        "/v1/files//content",
        "/v1/%ff",
        "/v1/files/%00",
        "/v1/models/..",
        "/v1/files/a/b/c",
    ] {
        let got = sandbox.get(path).await;
        assert_eq!(got.status, 404, "{path}");
    }
    // A slash in a name is part of the name when it is encoded.
    assert_eq!(sandbox.get("/v1/models/sandbox-org%2Fopen-model").await.status, 200);
}

/// More than is kept: counted and hashed, not kept, and its text is not read into memory.
#[tokio::test]
async fn a_large_file_is_counted_and_hashed() {
    let sandbox = start(|options| options.keep = 64 * 1024).await;
    let head = form("user_data", "\u{1}");
    let (before, after) = head.split_once('\u{1}').unwrap();
    let pieces = 512_u64;
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let mut whole = vec![Bytes::copy_from_slice(before.as_bytes())];
    whole.extend((0..pieces).map(|_| piece.clone()));
    whole.push(Bytes::copy_from_slice(after.as_bytes()));
    let frames = stream::iter(whole.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(piece))));
    let request = sandbox
        .request(Method::POST, "/v1/files")
        .header("content-type", "multipart/form-data; boundary=cut");
    let got =
        sandbox.send(request.body(BodyExt::boxed_unsync(StreamBody::new(frames))).unwrap()).await.json();
    assert_eq!(got["bytes"], pieces * 65_536);
    let id = got["id"].as_str().unwrap();
    let told = sandbox.get("/__sandbox/files").await.json()[id].clone();
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    (0..pieces).for_each(|_| hash.update(&piece));
    assert_eq!(told["sha256"], data_encoding::HEXLOWER.encode(hash.finish().as_ref()));
    assert_eq!(
        (&told["kept"], &told["head"], &told["tail"]),
        (&json!(false), &json!("x".repeat(256)), &json!("x".repeat(256)))
    );
    assert_eq!(sandbox.get(&format!("/v1/files/{id}/content")).await.status, 400);
}

#[tokio::test]
async fn the_journal_is_only_there_when_it_is_asked_for() {
    let sandbox = start(|options| options.journal = false).await;
    for path in ["/__sandbox/journal", "/__sandbox/files", "/__sandbox"] {
        assert_eq!(sandbox.get(path).await.status, 404, "{path}");
    }
}

/// No TLS, half a handshake, half a request: each ends its own connection only.
#[tokio::test]
async fn connections_that_talk_nonsense_end() {
    let sandbox = start(|_| {}).await;
    for nonsense in ["GET /v1/models HTTP/1.1\r\n\r\n".as_bytes(), &[0x16, 3, 1, 0xff, 0xff], &[0; 100]] {
        let mut socket = TcpStream::connect(sandbox.bound.address).await.unwrap();
        socket.write_all(nonsense).await.unwrap();
        let _ = socket.shutdown().await;
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(5), socket.read_to_end(&mut rest)).await.expect("it is closed");
    }
    assert_eq!(sandbox.get("/v1/models").await.status, 200);
}

#[tokio::test]
async fn header_sections_without_end_are_refused() {
    let sandbox = start(|_| {}).await;
    let mut request = sandbox.request(Method::GET, "/v1/models").version(http::Version::HTTP_11);
    for number in 0..400 {
        request = request.header(format!("x-{number}"), "y".repeat(1000));
    }
    let got = timeout(Duration::from_secs(10), sandbox.client.request(request.body(bytes("")).unwrap()))
        .await
        .unwrap();
    assert!(got.is_err() || got.is_ok_and(|answer| answer.status().is_client_error()));
    assert_eq!(sandbox.get("/v1/models").await.status, 200);
}
