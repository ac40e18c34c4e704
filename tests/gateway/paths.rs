//! One request, one reading: what the gateway and the upstream could read differently never gets there.

use consentry::reason::Reason;
use serde_json::json;

use super::kit::house::Lane;
use super::kit::upstream::plain;
use super::kit::values::{FORM, chat, form};
use super::kit::{Answer, Ask, Caller, house};

const CHAT: &str = "/v1/chat/completions";

/// Nothing has come, also not in another form.
fn silent(lane: &Lane) {
    assert!(lane.upstream.arrived().is_empty(), "{:?}", lane.upstream.arrived());
}

#[test]
fn a_path_with_two_readings_never_goes_up() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for path in [
        "/v1/files/../models",
        "/v1/files/..",
        "/v1/./models",
        "/v1/models/.",
        "/v1//models",
        "//v1/models",
        "/v1/models//",
        "/v1/models/",
        "/v1/%2e%2e/models",
        "/v1/files/%2E%2E/models",
        "/v1/models/%2E",
        "/v1/mod%65ls",
        "/v1/files/file%2Dabc",
        "/v1/files/a%2Fb",
        "/v1/files/a%2fb",
        "/v1/files/..%2Fmodels",
        "/v1/models/org%2F..%2Fsecret",
        "/v1/models/org%2F%2Fx",
        "/v1/models/org%252Fx",
        "/v1/models/org%5Cx",
        "/v1/files/file-a;v=1",
        "/v1/files/file-a%3Bv=1",
        "/v1/files/file-a%00",
        "/v1/files/file-a%0D%0Ax",
        "/v1/files/file-a%3Fx=1",
        "/v1/files/file-a%23x",
        "/v1/files/%",
        "/v1/files/%4",
        "/v1/files/%zz",
        "/v1/files/%c3%a9",
        "/v1/models/%FF",
    ] {
        let answer = caller.get(path).refused(Reason::PathNotCanonical);
        assert_eq!(answer.status, 400);
        caller.ask_h2(&Ask::get(path)).refused(Reason::PathNotCanonical);
    }
    silent(&lane);
}

#[test]
fn characters_that_no_path_has_are_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for path in [
        "/v1/files/a\\b",
        "/v1/files/a|b",
        "/v1/files/a\"b",
        "/v1/files/a<b",
        "/v1/files/é",
        "/v1/files/a\u{1}b",
    ] {
        let bytes = caller.signed(&Ask::get(path)).bytes();
        let mut conn = caller.gateway.open();
        conn.write(&bytes);
        let answer = conn.answer();
        assert_eq!(answer.status, 400, "{path}: {answer}");
    }
    silent(&lane);
}

#[test]
fn dots_lead_to_no_other_route() {
    let (lane, other) = (house().lane(plain), house().lane(plain));
    let caller = lane.as_(house().granted());
    for path in [
        format!("/..{}/v1/models", other.prefix()),
        format!("/v1/../..{}/v1/models", other.prefix()),
        format!("/%2E%2E{}/v1/models", other.prefix()),
        format!("/..%2F{}/v1/models", &other.prefix()[1..]),
    ] {
        caller.get(&path).refused(Reason::PathNotCanonical);
    }
    // A prefix ends where a segment ends.
    let joined = Caller { prefix: "", ..caller };
    let answer = joined.get(&format!("{}x/v1/models", lane.prefix()));
    assert_eq!(answer.at("/error/code"), "operation_unknown", "{answer}");
    silent(&lane);
    silent(&other);
}

#[test]
fn an_encoded_slash_passes_where_the_template_takes_it() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for path in ["/v1/models/org%2Fmodel", "/v1/models/gpt-oss%3A20b", "/v1/models/gpt-oss:20b"] {
        caller.get(path).ok();
        assert_eq!(lane.upstream.arrived().last().unwrap().target(), path);
    }
}

#[test]
fn queries_that_decide_have_one_reading() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for query in [
        "after=file-a&after=file-b",
        "after=file-a&%61fter=file-b",
        "after=%zz",
        "after=a%00b",
        "after=file-a;after=file-b",
    ] {
        let answer = caller.get(&format!("/v1/files?{query}"));
        assert!(matches!(answer.status, 400 | 404), "{query}: {answer}");
    }
    silent(&lane);
}

#[test]
fn headers_that_override_the_method_or_the_path_are_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
        "x-override-url",
        "x-forwarded-prefix",
        "x-forwarded-path",
        "x-forwarded-uri",
    ] {
        let ask = Ask::get("/v1/models").header(name, "DELETE");
        caller.ask(&ask).refused(Reason::HeaderAmbiguous);
        caller.ask_h2(&ask).refused(Reason::HeaderAmbiguous);
        let upper = Ask::get("/v1/models").header(&name.to_ascii_uppercase(), "/v1/files");
        caller.ask(&upper).refused(Reason::HeaderAmbiguous);
    }
    silent(&lane);
}

/// A request whose head is written by hand, with a key that is good; what stands behind it is what a smuggler hopes for.
fn by_hand(caller: &Caller<'_>, line: &str, headers: &str, body: &str) -> (u16, String) {
    let (prefix, key) = (caller.prefix, &caller.tenant.key);
    let (method, path) = line.split_once(' ').unwrap();
    let hidden = format!(
        "GET {prefix}/v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
    );
    let request = format!(
        "{method} {prefix}{path} HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n{headers}\r\n{body}{hidden}"
    );
    let all = String::from_utf8_lossy(&caller.gateway.raw(request.as_bytes())).into_owned();
    let status = all.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, all)
}

#[test]
fn conflicting_framing_never_goes_up_and_nothing_behind_it_is_served() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let body = chat("x").to_string();
    let length = body.len();
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let host = "host: localhost\r\n";
    for headers in [
        format!("{host}content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("{host}transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        format!("{host}content-length: 4\r\ntransfer-encoding: chunked\r\n"),
        format!("{host}transfer-encoding: gzip, chunked\r\n"),
        format!("{host}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n"),
        format!("{host}transfer-encoding: chunked, chunked\r\n"),
        format!("{host}transfer-encoding: identity\r\n"),
        format!("{host}transfer-encoding: xchunked\r\n"),
        format!("{host}transfer-encoding : chunked\r\n"),
        format!("{host}transfer-encoding:\u{b}chunked\r\n"),
        format!("{host}x: y\r\n transfer-encoding: chunked\r\n"),
        format!("{host}transfer-encoding:\r\n chunked\r\n"),
    ] {
        let (status, all) = by_hand(&caller, &format!("POST {CHAT}"), &headers, &chunked);
        assert!(matches!(status, 400 | 415), "{headers}: {all}");
        assert!(!all.contains("200 OK"), "{headers}: {all}");
    }
    for headers in [
        format!("{host}content-length: {length}\r\ncontent-length: {length}\r\n"),
        format!("{host}content-length: {length}\r\ncontent-length: 4\r\n"),
        format!("{host}content-length: {length}, {length}\r\n"),
        format!("{host}content-length: +{length}\r\n"),
        format!("{host}content-length: 0x{length:x}\r\n"),
        format!("{host}content-length : {length}\r\n"),
        format!("{host}content-length: -1\r\n"),
        format!("{host}content-length: 99999999999999999999\r\n"),
        format!("{host}content-length: {length}\r\nhost: elsewhere\r\n"),
        format!("content-length: {length}\r\n"),
        format!("{host}content-length: {length}\r\nconnection: close, authorization\r\n"),
        format!("{host}content-length: {length}\r\nconnection: upgrade\r\nupgrade: websocket\r\n"),
        format!("{host}content-length: {length}\r\nupgrade: h2c\r\n"),
        format!("{host}content-length: {length}\r\nexpect: 200-maybe\r\n"),
        format!("{host}content-length: {length}\r\nx\0y: z\r\n"),
        format!("{host}content-length: {length}\r\nx: y\rz\r\n"),
        format!("{host}content-length: {length}\r\nno colon\r\n"),
        format!("{host}content-length: {length}\r\n: no name\r\n"),
    ] {
        let (status, all) = by_hand(&caller, &format!("POST {CHAT}"), &headers, &body);
        assert!(matches!(status, 400 | 403 | 413), "{headers}: {all}");
    }
    silent_but_models(&lane);
}

/// The request that stands behind a refused one whose length was plain may be served: it is the caller's next one.
fn silent_but_models(lane: &Lane) {
    let came = lane.upstream.arrived();
    assert!(came.iter().all(|arrived| arrived.target() == "/v1/models"), "{came:?}");
}

#[test]
fn broken_chunks_never_become_a_request() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let body = chat("x").to_string();
    let length = body.len();
    for chunks in [
        format!("0x{length:x}\r\n{body}\r\n0\r\n\r\n"),
        format!("{length:x}\r\n{body}0\r\n\r\n"),
        format!("-{length:x}\r\n{body}\r\n0\r\n\r\n"),
        format!("{length:x} z\r\n{body}\r\n0\r\n\r\n"),
        format!("{:x}\r\n{body}\r\n0\r\n\r\n", length - 1),
        format!("fffffffffffffffff\r\n{body}\r\n0\r\n\r\n"),
        format!("\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
    ] {
        let headers = "host: localhost\r\ntransfer-encoding: chunked\r\n";
        let (status, all) = by_hand(&caller, &format!("POST {CHAT}"), headers, &chunks);
        assert_eq!(status, 400, "{chunks}: {all}");
        assert!(!all.contains("200 OK"), "{chunks}: {all}");
    }
    silent(&lane);
}

#[test]
fn a_host_beside_another_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let key = &caller.tenant.key;
    for (line, host) in [
        ("GET https://elsewhere/v1/models HTTP/1.1", "localhost"),
        ("GET https://u@localhost/v1/models HTTP/1.1", "u@localhost"),
        ("CONNECT localhost:443 HTTP/1.1", "localhost:443"),
        ("GET v1/models HTTP/1.1", "localhost"),
        ("GET * HTTP/1.1", "localhost"),
        ("GET /v1/models HTTP/1.1 x", "localhost"),
        ("GET  /v1/models HTTP/1.1", "localhost"),
        ("GET /v1/models HTTP/9.9", "localhost"),
        ("GET /v1/models", "localhost"),
    ] {
        let request =
            format!("{line}\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n");
        let all = String::from_utf8_lossy(&caller.gateway.raw(request.as_bytes())).into_owned();
        let status = all.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "403", "404", "505", ""].contains(&status), "{line}: {all}");
    }
}

#[test]
fn another_body_type_or_charset_than_the_operations_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let body = chat("x").to_string();
    let mut asks: Vec<Ask> = [
        "text/plain",
        "application/x-www-form-urlencoded",
        FORM,
        "application/jsonl",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=\"utf-7\"",
        "application/json; x=1; charset=iso-8859-1",
        "application/jsonx",
        "json",
    ]
    .iter()
    .map(|kind| Ask::new("POST", CHAT).typed(kind, body.as_str()))
    .collect();
    let json = Ask::new("POST", CHAT).typed("application/json", body.as_str());
    asks.push(json.clone().header("content-type", "text/plain"));
    asks.push(json.clone().header("content-type", "application/json"));
    asks.push(Ask { headers: Vec::new(), ..json });
    let upload = form(&[("purpose", None, b"user_data"), ("file", Some("x.txt"), b"text")]);
    for kind in [
        "application/json",
        "multipart/mixed; boundary=cut-here",
        "multipart/form-data-x; boundary=cut-here",
        "text/plain",
    ] {
        asks.push(Ask::new("POST", "/v1/files").typed(kind, upload.as_slice()));
    }
    asks.push(Ask::get("/v1/models").typed("application/json", "{}"));
    asks.push(Ask::get("/v1/models").typed("text/plain", "x"));
    for ask in &asks {
        caller.ask(ask).refused(Reason::BodyTypeMismatch);
        caller.ask_h2(ask).refused(Reason::BodyTypeMismatch);
    }
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
    ] {
        let ask = Ask::new("POST", "/v1/files").typed(kind, upload.as_slice());
        caller.ask(&ask).refused(Reason::ContentMalformed);
    }
    silent(&lane);
    for kind in ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
        caller.ask(&Ask::new("POST", CHAT).typed(kind, body.as_str())).ok();
    }
}

#[test]
fn a_loop_through_itself_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    caller.post(CHAT, &chat("x")).ok();
    // What the upstream would send, if the upstream were the gateway.
    let via = lane.upstream.one().header("via").unwrap().to_owned();
    for via in [via.clone(), format!("1.1 other, {via}"), format!("{via}, 2 other")] {
        caller.ask(&Ask::json(CHAT, &chat("x")).header("via", &via)).refused(Reason::HeaderAmbiguous);
    }
    assert_eq!(lane.upstream.arrived().len(), 1);
    caller.ask(&Ask::json(CHAT, &chat("x")).header("via", "1.1 other")).ok();
    assert_eq!(lane.upstream.arrived()[1].header("via"), Some(via.as_str()), "others' marks stay behind");
}

#[test]
fn operations_that_no_profile_names_and_those_it_refuses_never_go_up() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let send = |method, path: &str| -> Answer { caller.ask(&Ask::new(method, path)) };
    for (method, path) in [
        ("PUT", "/v1/files"),
        ("PATCH", "/v1/models"),
        ("DELETE", "/v1/files"),
        ("TRACE", "/v1/models"),
        ("OPTIONS", "/v1/models"),
        ("GET", "/v2/models"),
        ("GET", "/v1/models/org/model"),
        ("GET", "/V1/models"),
        ("GET", "/v1/Models"),
        ("GET", "/v1/nothing"),
        ("GET", "/__sandbox/journal"),
        ("BREW", "/v1/models"),
    ] {
        send(method, path).refused(Reason::OperationUnknown);
    }
    send("GET", "/v1/organization/admin_api_keys").refused(Reason::OperationRefused);
    send("GET", "/v1/skills").refused(Reason::OperationRefused);
    for path in ["/v1/organization/admin_api_keys", "/v1/realtime/sessions", "/v1/chatkit/sessions"] {
        caller.post(path, &json!({})).refused(Reason::BypassRefused);
    }
    silent(&lane);
}

/// Found by the drivers of the SDKs: the audit trail said that something was refused by name, and did not say its name.
#[test]
fn what_is_refused_by_name_stands_in_the_trail_by_its_name() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for (ask, reason, name) in [
        (Ask::get("/v1/skills"), Reason::OperationRefused, json!("ListSkills")),
        (
            Ask::json("/v1/realtime/sessions", &json!({})),
            Reason::BypassRefused,
            json!("create-realtime-session"),
        ),
        (Ask::get("/v1/files?after=file-a&after=file-b"), Reason::QueryAmbiguous, json!("listFiles")),
        (Ask::get("/v1/nothing"), Reason::OperationUnknown, json!(null)),
    ] {
        let answer = caller.ask(&ask).refused(reason);
        let entries = house().gateway.recorded(answer.header("x-request-id").unwrap());
        assert_eq!((entries.len(), &entries[0]["operation"]), (1, &name), "{entries:?}");
    }
    silent(&lane);
}

/// Nothing leaves HTTP: WebSocket, HTTP/2 in the clear, `CONNECT`, and the word `upgrade` alone.
#[test]
fn every_upgrade_is_refused_by_name() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let websocket = |method, upgrade: &[(&str, &str)]| {
        let mut ask = Ask::new(method, "/v1/realtime?model=gpt-4o");
        for (name, value) in upgrade {
            ask = ask.header(name, value);
        }
        ask
    };
    let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let version = ("sec-websocket-version", "13");
    for ask in [
        websocket("GET", &[("connection", "Upgrade"), ("upgrade", "websocket"), key, version]),
        websocket("GET", &[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket"), key, version]),
        websocket("GET", &[("upgrade", "websocket")]),
        websocket("GET", &[("connection", "upgrade")]),
        websocket(
            "GET",
            &[
                ("connection", "Upgrade, HTTP2-Settings"),
                ("upgrade", "h2c"),
                ("http2-settings", "AAMAAABkAAQAAP__"),
            ],
        ),
        Ask::json(CHAT, &chat("x")).header("connection", "upgrade").header("upgrade", "websocket"),
    ] {
        let answer = caller.ask(&ask).refused(Reason::UpgradeRefused);
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("upgrades are not allowed"), "{answer}");
    }
    let tunnel = Ask::new("CONNECT", "localhost:443").header("host", "localhost:443");
    house().gateway.send(&tunnel).refused(Reason::UpgradeRefused);
    silent(&lane);
}
