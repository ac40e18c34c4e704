use std::convert::Infallible;

use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;

use super::*;
use crate::body::spool::SpoolBudget;
use crate::config::{self, Mode};

fn rehearsal() -> Rehearsal {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tenants")).unwrap();
    let main =
        "listeners: {data: {address: 127.0.0.1:0, tls: {development: {}}}, metrics: {address: 127.0.0.1:0}}
upstreams: {one: {url: https://localhost:1}}
routes: [{name: all, path: /, upstream: one, api: openai}]
";
    std::fs::write(folder.path().join("consentry.yaml"), main).unwrap();
    std::fs::write(folder.path().join("tenants/acme.yaml"), "tenant: acme\n").unwrap();
    let snapshot = config::load(folder.path(), Mode::Serve, 1).unwrap();
    let spools = Spools::new(SpoolBudget::new(1 << 20), 1 << 16, std::env::temp_dir());
    Rehearsal::new(Arc::new(Live::new(snapshot).unwrap()), spools).unwrap()
}

fn rehearse(rehearsal: &Rehearsal, path: &str, content_type: &str, body: &str) -> Rehearsed {
    let request = Request::post(path).header("content-type", content_type).header("host", "gateway.example");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let pieces: Vec<Result<_, Infallible>> =
        body.as_bytes().chunks(7).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    futures_util::FutureExt::now_or_never(rehearsal.request(parts, StreamBody::new(stream::iter(pieces))))
        .unwrap()
}

#[test]
fn a_request_is_read_as_the_gateway_reads_it() {
    let rehearsal = rehearsal();
    let mail = ["erika", "@", "mail-desk.com"].concat();
    let body = format!(r#"{{"model":"gpt-4o","messages":[{{"role":"user","content":"write to {mail}"}}]}}"#);
    let done = rehearse(&rehearsal, "/v1/chat/completions", "application/json", &body);
    assert_eq!(done.refusal, None);
    assert_eq!(done.operation, Some(OperationId::new("createChatCompletion")));
    assert_eq!(done.ids, ["gpt-4o"]);
    let text = String::from_utf8(done.body).unwrap();
    assert!(text.contains("write to ") && !text.contains(&mail), "{text}");

    let line = format!(r#"{{"messages":[{{"role":"user","content":"{mail}"}}]}}"#);
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{line}\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune\r\n--b--\r\n"
    );
    let done = rehearse(&rehearsal, "/v1/files", "multipart/form-data; boundary=b", &form);
    assert_eq!(done.refusal, None);
    let text = String::from_utf8(done.body).unwrap();
    assert!(text.ends_with("--b--\r\n") && !text.contains(&mail), "{text}");

    let done = rehearse(&rehearsal, "/v1/nothing", "application/json", "{}");
    assert_eq!(done.refusal.unwrap().reason, Reason::OperationUnknown);
    let done = rehearse(&rehearsal, "/v1/chat/completions", "text/plain", "{}");
    assert_eq!(done.refusal.unwrap().reason, Reason::BodyTypeMismatch);
}
