//! What bad input gets: one reason, an answer in the API's shape that no SDK repeats, a metric, an audit entry; the
//! upstream hears nothing, and the next good request is served.

use std::io::Write as _;
use std::sync::OnceLock;

use consentry::reason::Reason;
use serde_json::json;

use super::kit::tls::{Authority, Valid};
use super::kit::upstream::{answer, plain};
use super::kit::values::{FORM, chat, form, record, upload};
use super::kit::{Answer, Arrived, Ask, Caller, Conn, Setup, Step, Upstream, eventually, house};

const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = "/v1/models";

/// Carries out what is bad, and checks everything that has to follow.
fn meets(caller: &Caller<'_>, reason: Reason, ask: impl FnOnce() -> Answer) -> Answer {
    let gateway = caller.gateway;
    let before = gateway.blocked(&caller.tenant.name, reason);
    let answer = ask().refused(reason);
    let counted = gateway.blocked(&caller.tenant.name, reason) - before;
    assert!((counted - 1.0).abs() < 0.1, "{reason} was counted {counted} times");
    let entries = gateway.recorded(answer.header("x-request-id").unwrap());
    assert_eq!(entries.len(), 1, "{reason}: {entries:?}");
    assert_eq!(entries[0]["reason"], reason.code());
    assert_eq!(entries[0]["tenant"], caller.tenant.name.as_str());
    assert_eq!(entries[0]["status"], answer.status);
    caller.get(MODELS).ok();
    answer
}

/// The same of somebody whose tenant is not known.
fn meets_unknown(caller: &Caller<'_>, reason: Reason, ask: impl FnOnce() -> Answer) -> Answer {
    let gateway = caller.gateway;
    let before = gateway.blocked("_unknown", reason);
    let answer = ask().refused(reason);
    assert!(gateway.blocked("_unknown", reason) >= before + 1.0, "{reason} was not counted");
    let entries = gateway.recorded(answer.header("x-request-id").unwrap());
    assert_eq!(entries.len(), 1, "{reason}: {entries:?}");
    assert_eq!((&entries[0]["reason"], &entries[0]["tenant"]), (&json!(reason.code()), &json!(null)));
    caller.get(MODELS).ok();
    answer
}

/// Nothing came but the good requests in between.
fn nothing_came(upstream: &Upstream) {
    let came = upstream.arrived();
    assert!(came.iter().all(|arrived| arrived.target() == MODELS), "{came:?}");
}

#[test]
fn malformed_json_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for (body, reason) in [
        (r#"{"model":"gpt-4o-mini","messages":["#, Reason::ContentTruncated),
        (r#"{"model":"gpt-4o-mini",}"#, Reason::ContentMalformed),
        (r"{'model':'gpt-4o-mini'}", Reason::ContentMalformed),
        (r#"{"model":"gpt-4o-mini"} {}"#, Reason::ContentMalformed),
        ("{\"model\":\"gpt-4o-mini\",\"user\":\"a\nb\"}", Reason::ContentMalformed),
        (r#"{"model":"gpt-4o-mini","n":01}"#, Reason::ContentMalformed),
        (r#"{"model":"gpt-4o-mini","n":NaN}"#, Reason::ContentMalformed),
        ("", Reason::ContentTruncated),
    ] {
        let ask = Ask::new("POST", CHAT).typed("application/json", body);
        meets(&caller, reason, || caller.ask(&ask));
        meets(&caller, reason, || caller.ask_h2(&ask));
    }
    let deep = format!("{{\"model\":\"gpt-4o-mini\",\"x\":{}{}}}", "[".repeat(100), "]".repeat(100));
    meets(&caller, Reason::ContentTooDeep, || {
        caller.ask(&Ask::new("POST", CHAT).typed("application/json", deep))
    });
    nothing_came(&lane.upstream);
}

#[test]
fn duplicate_keys_that_decide_are_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for (path, body) in [
        (CHAT, r#"{"model":"gpt-4o-mini","model":"gpt-4o","messages":[]}"#),
        (CHAT, r#"{"model":"gpt-4o-mini","mod\u0065l":"gpt-4o","messages":[]}"#),
        (CHAT, r#"{"store":false,"model":"gpt-4o-mini","messages":[],"store":true}"#),
        (
            "/v1/fine_tuning/jobs",
            r#"{"model":"gpt-4o-mini","training_file":"file-a","training_file":"file-b"}"#,
        ),
    ] {
        let ask = Ask::new("POST", path).typed("application/json", body);
        meets(&caller, Reason::FieldAmbiguous, || caller.ask(&ask));
    }
    let file = record("x");
    let fields: [(&str, Option<&str>, &[u8]); 3] =
        [("purpose", None, b"user_data"), ("purpose", None, b"fine-tune"), ("file", Some("x.jsonl"), &file)];
    let ask = Ask::new("POST", "/v1/files").typed(FORM, form(&fields));
    meets(&caller, Reason::FieldAmbiguous, || caller.ask(&ask));
    meets(&caller, Reason::QueryAmbiguous, || caller.get("/v1/files?after=file-a&after=file-b"));
    nothing_came(&lane.upstream);
}

#[test]
fn a_cut_off_form_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let file = record("nothing special");
    let whole = form(&[("file", Some("x.jsonl"), &file), ("purpose", None, b"user_data")]);
    // Cut within the last boundary, within the second field, within the file.
    for length in [whole.len() - 14, whole.len() - 40, 150] {
        let ask = Ask::new("POST", "/v1/files").typed(FORM, &whole[..length]);
        meets(&caller, Reason::ContentTruncated, || caller.ask(&ask));
    }
    nothing_came(&lane.upstream);
}

#[test]
fn a_form_that_is_cut_off_in_its_file_never_becomes_a_whole_request() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let file = record("nothing special").repeat(4000);
    let whole = upload("user_data", "x.jsonl", &file);
    let cut = whole.body.len() - 1000;
    let ask = Ask { body: whole.body[..cut].to_vec(), ..whole };
    meets(&caller, Reason::ContentTruncated, || caller.ask(&ask));
    let complete = |arrived: &&Arrived| arrived.complete && arrived.target() != MODELS;
    assert!(lane.upstream.arrived().iter().find(complete).is_none());
}

#[test]
fn a_caller_that_goes_away_within_its_body_is_counted_and_recorded() {
    let lane = house().lane(plain);
    let tenant = house().granted();
    let caller = lane.as_(tenant);
    let bytes = caller.signed(&Ask::json(CHAT, &chat("never to be finished"))).bytes();
    let mut conn = caller.gateway.open();
    conn.write(&bytes[..bytes.len() - 10]);
    conn.cut();
    let before = |reason| caller.gateway.blocked(&tenant.name, reason) > 0.0;
    eventually(|| before(Reason::ClientGone) || before(Reason::ContentTruncated));
    let entries = caller.gateway.recorded(&format!("\"tenant\":\"{}\"", tenant.name));
    assert!(entries.iter().any(|entry| entry["decision"] == "denied"), "{entries:?}");
    caller.get(MODELS).ok();
    nothing_came(&lane.upstream);
}

#[test]
fn invalid_utf8_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for bad in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"] {
        let body = [br#"{"model":"gpt-4o-mini","user":"a"#, bad, b"\"}"].concat();
        let ask = Ask::new("POST", CHAT).typed("application/json", body);
        meets(&caller, Reason::ContentNotUtf8, || caller.ask(&ask));
        let line = [br#"{"messages":[{"role":"user","content":"a"#, bad, b"\"}]}\n"].concat();
        // At its beginning it tells what a file is; later on it is a broken record.
        let late = [record("clean").repeat(1000), line.clone()].concat();
        for (file, reason) in [(line, Reason::ContentUninspectable), (late, Reason::ContentNotUtf8)] {
            let name_first = form(&[("file", Some("x.jsonl"), &file), ("purpose", None, b"user_data")]);
            let ask = Ask::new("POST", "/v1/files").typed(FORM, name_first);
            meets(&caller, reason, || caller.ask(&ask));
        }
    }
    let complete = lane.upstream.arrived().into_iter().filter(|arrived| arrived.complete);
    assert!(complete.into_iter().all(|arrived| arrived.target() == MODELS));
}

/// What decodes to far more than it is, in every coding.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    static BOMBS: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    BOMBS.get_or_init(made_bombs).clone()
}

fn made_bombs() -> Vec<(&'static str, Vec<u8>)> {
    let long = format!("{{\"model\":\"gpt-4o-mini\",\"n\":\"{}\"}}", "a".repeat(8 * 1024 * 1024));
    let long = long.as_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(long).unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(long).unwrap();
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 64 * 1024, 4, 22).write_all(long).unwrap();
    let mut zstd = zstd::Encoder::new(Vec::new(), 3).unwrap();
    zstd.write_all(long).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    twice.write_all(&gzip).unwrap();
    vec![
        ("deflate", deflate.finish().unwrap()),
        ("br", brotli),
        ("zstd", zstd.finish().unwrap()),
        ("gzip, gzip", twice.finish().unwrap()),
        ("gzip", gzip),
    ]
}

#[test]
fn bombs_of_every_coding_are_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for (coding, bomb) in bombs() {
        assert!(bomb.len() < 100_000, "{coding}: {}", bomb.len());
        let ask = Ask::new("POST", CHAT).typed("application/json", bomb).header("content-encoding", coding);
        let before = caller.gateway.process.memory("VmRSS");
        meets(&caller, Reason::CodingBomb, || caller.ask(&ask));
        let grown = caller.gateway.process.memory("VmRSS").saturating_sub(before);
        assert!(grown < 64 * 1024, "{coding}: {grown} KiB");
    }
    nothing_came(&lane.upstream);
}

#[test]
fn codings_that_are_unknown_or_broken_are_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let body = chat("x").to_string();
    let ask = |coding: &str, body: &[u8]| {
        Ask::new("POST", CHAT).typed("application/json", body).header("content-encoding", coding)
    };
    for coding in ["compress", "gzip;q=1", "identity, rot13", "gzip, gzip, gzip", "aes128gcm"] {
        meets(&caller, Reason::CodingUnknown, || caller.ask(&ask(coding, body.as_bytes())));
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    for coding in ["gzip", "deflate", "br", "zstd"] {
        meets(&caller, Reason::CodingBroken, || caller.ask(&ask(coding, body.as_bytes())));
    }
    for broken in [&gzip[..gzip.len() - 3], &[&gzip[..], b"more"].concat()] {
        let answer = caller.ask(&ask("gzip", broken));
        assert!(matches!(answer.status, 400), "{answer}");
    }
    nothing_came(&lane.upstream);
    // What is whole is read.
    caller.ask(&ask("gzip", &gzip)).ok();
    assert_eq!(lane.upstream.arrived().last().unwrap().text(), body);
}

#[test]
fn a_header_of_100_mib_is_cut_short() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let gateway = caller.gateway;
    let before = gateway.blocked("_unknown", Reason::HeaderTooLarge);
    let memory = gateway.process.memory("VmRSS");
    let mut conn = gateway.open();
    conn.write(format!("GET {}{MODELS} HTTP/1.1\r\nhost: localhost\r\na: ", lane.prefix()).as_bytes());
    let flood = vec![b'x'; 1024 * 1024];
    for _ in 0..100 {
        if conn.try_write(&flood).is_err() {
            break;
        }
    }
    // It comes long before the header's end, which never comes.
    assert!(conn.try_answer(false).is_none_or(|answer| answer.status == 431));
    eventually(|| gateway.blocked("_unknown", Reason::HeaderTooLarge) > before);
    let entries = gateway.recorded(Reason::HeaderTooLarge.code());
    assert!(entries.iter().any(|entry| entry["status"] == 431), "{entries:?}");
    assert!(gateway.process.memory("VmRSS").saturating_sub(memory) < 64 * 1024);
    // One that is a little too long gets to read why.
    let ask = Ask::get(format!("{}{MODELS}", lane.prefix())).header("a", &"x".repeat(40 * 1024));
    assert_eq!(gateway.send(&ask).status, 431);
    caller.get(MODELS).ok();
    assert_eq!(lane.upstream.arrived().len(), 1);
}

#[test]
fn a_chunked_body_without_end_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let head = caller.signed(&Ask::new("POST", CHAT).header("content-type", "application/json"));
    meets(&caller, Reason::BodyTooLarge, || {
        let mut conn = caller.gateway.open();
        let head = String::from_utf8(head.bytes())
            .unwrap()
            .replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n");
        conn.write(head.as_bytes());
        conn.write(b"6\r\n{\"a\":\"\r\n");
        let chunk = super::kit::upstream::chunk(&vec![b' '; 64 * 1024]);
        // The limit is 4 MiB; the end never comes.
        for _ in 0..66 {
            conn.write(&chunk);
        }
        conn.answer()
    });
    nothing_came(&lane.upstream);
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let ask = Ask::json(CHAT, &chat(&"long ".repeat(900_000)));
    meets(&caller, Reason::BodyTooLarge, || caller.ask(&ask));
    nothing_came(&lane.upstream);
}

#[test]
fn wrong_keys_are_refused_and_told_nothing() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let (unknown, _) = Setup::new().key();
    let target = format!("{}{MODELS}", lane.prefix());
    let with = |name: &str, value: &str| Ask::get(&target).header(name, value);
    let bearer = |key: &str| with("authorization", &format!("Bearer {key}"));
    let mut mistyped = caller.tenant.key.clone();
    mistyped.replace_range(10..11, if &mistyped[10..11] == "a" { "b" } else { "a" });
    for (reason, ask) in [
        (Reason::CredentialMissing, Ask::get(&target)),
        (Reason::CredentialInvalid, bearer(&unknown)),
        (Reason::CredentialInvalid, bearer(&mistyped)),
        (Reason::CredentialInvalid, bearer(&caller.tenant.key[..40])),
        (Reason::CredentialInvalid, with("x-api-key", "sandbox-account-key")),
        (Reason::CredentialInvalid, with("authorization", &format!("Basic {}", caller.tenant.key))),
        (Reason::CredentialExpired, bearer(&house().expired.key)),
    ] {
        let answer = meets_unknown(&caller, reason, || caller.gateway.send(&ask));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{answer}");
        assert!(!answer.text().contains("csk_"), "{answer}");
    }
    nothing_came(&lane.upstream);
}

#[test]
fn two_identities_are_none() {
    let lane = house().lane(plain);
    let (one, other) = (house().granted(), house().nobody());
    let caller = lane.as_(one);
    let ask = caller.signed(&Ask::get(MODELS));
    let both = ask.clone().header("x-api-key", &other.key);
    meets_unknown(&caller, Reason::CredentialConflict, || caller.gateway.send(&both));
    meets_unknown(&caller, Reason::CredentialConflict, || caller.gateway.send_h2(&both));
    // A certificate of one tenant and a key of another.
    let authority = &caller.gateway.setup.authority;
    let leaf = authority.leaf(&["spiffe://test/certified"], Valid::Now);
    let mut conn = Conn::open(caller.gateway.data, authority.client("http/1.1", Some(&leaf)));
    conn.write(&ask.bytes());
    conn.answer().refused(Reason::CredentialConflict);
    // The same key twice is one identity.
    caller.gateway.send(&ask.header("x-api-key", &one.key)).ok();
    nothing_came(&lane.upstream);
}

#[test]
fn client_certificates_are_in_time_and_of_our_authority_or_refused() {
    let lane = house().lane(plain);
    let gateway = &house().gateway;
    let name = ["spiffe://test/certified"];
    let (ours, theirs) = (&gateway.setup.authority, Authority::new());
    let good = ours.leaf(&name, Valid::Now);
    let ask = Ask::get(format!("{}{MODELS}", lane.prefix()));
    let mut conn = Conn::open(gateway.data, ours.client("http/1.1", Some(&good)));
    conn.write(&ask.bytes());
    conn.answer().ok();
    for bad in [ours.leaf(&name, Valid::Expired), theirs.leaf(&name, Valid::Now)] {
        let refused = || gateway.metric("consentry_tls_handshakes_total", &[("result", "failed")]);
        let before = refused();
        let outcome = Conn::try_open(gateway.data, ours.client("http/1.1", Some(&bad)));
        let answered = outcome.ok().and_then(|mut conn| {
            conn.try_write(&ask.bytes()).ok()?;
            conn.try_answer(false)
        });
        assert!(answered.is_none(), "{answered:?}");
        eventually(|| refused() > before);
    }
    // One of ours that nobody was named for is a stranger.
    let stranger = ours.leaf(&["spiffe://test/certified/not"], Valid::Now);
    let mut conn = Conn::open(gateway.data, ours.client("http/1.1", Some(&stranger)));
    conn.write(&ask.bytes());
    conn.answer().refused(Reason::CredentialInvalid);
    assert_eq!(lane.upstream.arrived().len(), 1);
}

#[test]
fn an_expired_certificate_of_its_own_is_refused_at_the_start() {
    let mut setup = Setup::new();
    setup.upstream("only", 1, "ca.pem", "/");
    let leaf = setup.authority.leaf(&["localhost"], Valid::Expired);
    setup.file("leaf.pem", &leaf.certificate);
    setup.file("leaf.key", &leaf.private_key);
    let mut process = setup.process();
    let status = process.wait();
    assert!(!status.success());
    let told = process.written();
    assert!(told.contains("leaf.pem") && told.contains("expired"), "{told}");
}

#[test]
fn an_upstream_that_is_not_there_is_named() {
    let tenant = house().granted();
    let caller = Caller { prefix: "/dead", ..house().as_(tenant) };
    let before = caller.gateway.metric("consentry_upstream_errors_total", &[("upstream", "dead")]);
    let answer = caller.post(CHAT, &chat("x")).refused(Reason::UpstreamUnreachable);
    caller.ask_h2(&Ask::json(CHAT, &chat("x"))).refused(Reason::UpstreamUnreachable);
    assert!((caller.gateway.blocked(&tenant.name, Reason::UpstreamUnreachable) - 2.0).abs() < 0.1);
    let after = caller.gateway.metric("consentry_upstream_errors_total", &[("upstream", "dead")]);
    assert!((after - before - 2.0).abs() < 0.1);
    let entries = caller.gateway.recorded(answer.header("x-request-id").unwrap());
    assert_eq!(entries[0]["reason"], "upstream_unreachable", "{entries:?}");
    house().as_(tenant).get(MODELS).ok();
}

/// W4: the upstream is who it says it is, or hears nothing.
#[test]
fn w4_an_upstream_whose_certificate_is_not_good_hears_nothing() {
    let authority = &house().gateway.setup.authority;
    for leaf in [
        authority.leaf(&["localhost"], Valid::Expired),
        authority.leaf(&["elsewhere"], Valid::Now),
        Authority::new().leaf(&["localhost"], Valid::Now),
    ] {
        let lane = house().lane_with(&leaf);
        let tenant = house().granted();
        let caller = lane.as_(tenant);
        let answer = caller.post(CHAT, &chat("x")).refused(Reason::UpstreamTls);
        assert!((caller.gateway.blocked(&tenant.name, Reason::UpstreamTls) - 1.0).abs() < 0.1);
        let entries = caller.gateway.recorded(answer.header("x-request-id").unwrap());
        assert_eq!(entries[0]["reason"], "upstream_tls", "{entries:?}");
        assert!(lane.upstream.arrived().is_empty());
    }
}

#[test]
fn an_upstream_that_answers_nonsense_is_named() {
    let html = answer(200, &[("content-type", "text/html")], "<html>hello</html>");
    let json = [("content-type", "application/json")];
    let half =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"id\":".to_vec();
    let huge = answer(200, &[json[0], ("x-long", &"x".repeat(1024 * 1024))], "{}");
    for (bytes, cut, reason) in [
        (html, false, Reason::UpstreamUnexpected),
        (answer(200, &json, "{\"id\":"), false, Reason::UpstreamBroke),
        (answer(200, &json, "not json"), false, Reason::UpstreamUnexpected),
        (answer(200, &json, b"{\"id\":\"\xff\"}"), false, Reason::UpstreamUninspectable),
        (half, true, Reason::UpstreamBroke),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec(), true, Reason::UpstreamBroke),
        (Vec::new(), true, Reason::UpstreamBroke),
        (huge, false, Reason::UpstreamBroke),
    ] {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned();
        let lane = house().lane(move |_| {
            let mut steps = vec![Step::Send(bytes.clone())];
            steps.extend(cut.then_some(Step::Cut));
            steps
        });
        let tenant = house().granted();
        let answer = lane.as_(tenant).post(CHAT, &chat("x"));
        assert_eq!(
            (answer.status, answer.at("/error/code").as_str()),
            (502, reason.code()),
            "{shown}: {answer}"
        );
        answer.refused(reason);
        assert!((house().gateway.blocked(&tenant.name, reason) - 1.0).abs() < 0.1);
    }
}

#[test]
fn bombs_and_unknown_codings_of_an_upstream_are_refused() {
    let mut codings = bombs();
    codings.push(("rot13", b"{}".to_vec()));
    codings.push(("gzip", b"{}".to_vec()));
    let answers = std::sync::Mutex::new(codings.clone());
    let lane = house().lane(move |_| {
        let (coding, body) = answers.lock().unwrap().remove(0);
        let headers = [("content-type", "application/json"), ("content-encoding", coding)];
        vec![Step::Send(answer(200, &headers, body))]
    });
    let tenant = house().granted();
    for (coding, _) in &codings {
        let answer = lane.as_(tenant).post(CHAT, &chat("x"));
        assert_eq!(answer.at("/error/code"), "upstream_coding", "{coding}: {answer}");
        answer.refused(Reason::UpstreamCoding);
    }
}

#[test]
fn a_path_that_no_route_serves_is_answered_as_a_problem() {
    // The shared gateway serves every path, so this one has a prefix of its own.
    let mut setup = Setup::new();
    setup.upstream("only", 1, "ca.pem", "/only");
    let tenant = setup.tenant("acme", "");
    let gateway = setup.start();
    let answer = gateway.as_(&tenant).get(MODELS).refused(Reason::RouteUnknown);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(gateway.recorded(answer.header("x-request-id").unwrap())[0]["reason"], "route_unknown");
    gateway.stop();
}
