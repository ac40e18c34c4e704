//! What an operator can get wrong, and what an operator's files must not show.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::kit::values::{mail, token};
use super::kit::{LONG, Setup, house};

/// Mistakes that were told, but for those that follow from one.
fn mistakes(told: &str) -> usize {
    told.matches("consentry.yaml:").count() - told.matches("unknown upstream").count()
}

/// W4: what leaves the machine is encrypted; plain HTTP is for a neighbour on the loopback interface.
#[test]
fn w4_plain_http_upstream_loads_for_loopback_addresses_only() {
    let with = |urls: &[&str]| {
        let mut setup = Setup::new();
        for (n, url) in urls.iter().enumerate() {
            setup.upstream(&format!("up{n}"), 1, "ca.pem", &format!("/up{n}"));
            setup.upstreams = setup.upstreams.replace("https://localhost:1", url);
        }
        setup.tenant("acme", "");
        setup.check()
    };
    let loopback = ["http://localhost:1", "http://127.0.0.1:1", "http://127.8.9.1:1", "http://[::1]:1"];
    let (status, told) = with(&loopback);
    assert_eq!(status, 0, "{told}");
    let others = [
        "http://api.example.com",
        "http://10.0.0.1:1",
        "http://[::2]:1",
        "http://localhost.example.com",
        "http://0.0.0.0:1",
        "ftp://localhost",
        "localhost:1",
    ];
    let (status, told) = with(&others);
    assert_eq!(status, 64, "{told}");
    assert_eq!(mistakes(&told), others.len(), "{told}");
    assert_eq!(told.matches("`http` is allowed for loopback addresses only").count(), 5, "{told}");
}

/// W4: nobody is answered in plain text.
#[test]
fn w4_p5_plain_http_gets_no_answer() {
    let mut tcp = TcpStream::connect(house().gateway.data).unwrap();
    tcp.set_read_timeout(Some(LONG)).unwrap();
    tcp.write_all(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _end = tcp.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
}

/// Secrets are given by reference, and no error shows what stood in their place.
#[test]
fn secrets_in_the_configuration_are_refused_and_never_shown() {
    let (secret, address) = (token(20), mail("operator"));
    let references = [
        "env:CONSENTRY_TEST_NOT_SET".to_owned(),
        "file:missing.key".to_owned(),
        "file:empty.key".to_owned(),
        "file:lines.key".to_owned(),
        "file:binary.key".to_owned(),
    ];
    let mut setup = Setup::new();
    for (n, reference) in references.iter().enumerate() {
        setup.upstream(&format!("up{n}"), 1, "ca.pem", &format!("/up{n}"));
        setup.upstreams = setup.upstreams.replace("file:account.key", reference);
    }
    setup.file("empty.key", "\n");
    setup.file("lines.key", &format!("{secret}\nand {address}\n"));
    std::fs::write(setup.config().join("binary.key"), [secret.as_bytes(), b"\xff\x00"].concat()).unwrap();
    let (status, told) = setup.check();
    assert_eq!(status, 64, "{told}");
    assert_eq!(mistakes(&told), references.len(), "{told}");
    assert!(!told.contains(&secret) && !told.contains(&address), "{told}");
    let mut setup = Setup::new();
    setup.upstream("only", 1, "ca.pem", "/");
    setup.upstreams = setup.upstreams.replace("file:account.key", &secret);
    let (status, told) = setup.check();
    assert_eq!(status, 64, "{told}");
    assert!(!told.contains(&secret), "{told}");
    // The same of a master key, a key's hash and a tenant's grant.
    let mut setup = Setup::new();
    setup.upstream("only", 1, "ca.pem", "/");
    let tenant = setup.tenant("acme", "");
    let file = setup.config().join("tenants/acme.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("hash: \"").unwrap() + 7;
    let end = at + text[at..].find('"').unwrap();
    std::fs::write(&file, format!("{}{}{}", &text[..at], tenant.key, &text[end..])).unwrap();
    let (status, told) = setup.check();
    assert_eq!(status, 64, "{told}");
    assert!(!told.contains(&tenant.key), "{told}");
    // And of a key that there is not.
    let text = format!("{text}api_key: {secret}\ntoken: \"{}\"\n", tenant.key);
    std::fs::write(&file, text).unwrap();
    let (status, told) = setup.check();
    assert_eq!(status, 64, "{told}");
    assert!(told.contains("api_key") && !told.contains(&secret) && !told.contains(&tenant.key), "{told}");
}

/// Every mistake of every file at once, each with its place.
#[test]
fn all_mistakes_are_told_at_once_with_their_places() {
    let mut setup = Setup::new();
    setup.upstream("only", 1, "ca.pem", "/");
    setup.routes =
        setup.routes.replace("upstream: only", "upstream: onyl").replace("api: openai", "api: opnai");
    setup.tenant("acme", "consent: {store_without_grant: turn_of}\n");
    setup.tenant("globex", "censor: {request: {EMAIL_ADRESS: redact}}\n");
    setup.tenant("initech", "grants: []\n");
    let (status, told) = setup.check();
    assert_eq!(status, 64, "{told}");
    for place in ["consentry.yaml:", "acme.yaml:", "globex.yaml:", "initech.yaml:"] {
        assert!(told.contains(place), "{place}: {told}");
    }
    for help in ["`only`", "openai", "turn_off", "EMAIL_ADDRESS"] {
        assert!(told.contains(help), "{help}: {told}");
    }
    let mut process = setup.process();
    assert_eq!(process.wait().code(), Some(64), "{}", process.written());
    assert!(!setup.config().join("data/consentry.db").exists());
}
