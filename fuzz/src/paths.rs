//! What a request's head says: which operation, and who is calling.
//!
//! The body of the input is lines: method, path, query, then one credential a line.

use std::sync::LazyLock;

use consentry::body::multipart::boundary;
use consentry::catalog::Catalog;
use consentry::identity::{ApiKey, Credentials, KeyHash, Peer, SubjectName};
use consentry::pointer::Pointer;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::input::Input;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::builtin("openai").unwrap());

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let text = String::from_utf8_lossy(input.template);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (method, path, query) = (next(), next(), next());
    if let Ok(method) = Method::from_bytes(method.as_bytes()) {
        recognised(&method, path, (!query.is_empty()).then_some(query));
    }
    let rest: Vec<&str> = lines.collect();
    credentials(&rest);
    for text in rest {
        names(text);
    }
    let certificate = rustls_pki_types::CertificateDer::from(input.template.to_vec());
    let peer = Peer::from_chain(Some(&[certificate]));
    assert!(peer.presented());
}

/// What is recognised has one reading: for whoever takes the path apart in another way it is the same.
fn recognised(method: &Method, path: &str, query: Option<&str>) {
    let Ok(found) = CATALOG.recognise(method, path, query) else { return };
    let operation = &found.operation;
    assert_eq!(operation.method, *method);
    assert!(path.is_ascii() && path.starts_with('/'));
    assert!(!path.contains("//") && !path.contains(['\\', ';', '?', '#', ' ']));
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().unwrap();
    assert!(!decoded.split('/').any(|segment| matches!(segment, "." | "..")), "a dot segment: {path}");
    assert!(!decoded.contains('%') && !decoded.chars().any(char::is_control));
    // The template with the parameters in it is the path.
    let mut filled = String::new();
    let mut rest = &*operation.template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        let name = name.split(':').next().unwrap_or_default();
        filled.push_str(before);
        filled.push_str(found.path.get(name).unwrap().raw());
        rest = after;
    }
    filled.push_str(rest);
    assert_eq!(filled, path, "of {}", operation.template);
    for deciding in &operation.deciding_query {
        let times = found.query.iter().filter(|param| *param.name() == *deciding).count();
        assert!(times <= 1, "`{deciding}` stands {times} times");
    }
    for param in &found.query {
        let known = operation.deciding_query.iter().chain(&operation.query);
        let base = param.name().split('[').next().unwrap_or_default();
        assert!(known.into_iter().any(|name| **name == *base || **name == **param.name()));
    }
}

/// What is presented is one identity or none, and is never shown.
fn credentials(lines: &[&str]) {
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.trim()))
        else {
            continue;
        };
        headers.append(name, value);
    }
    let peer = Peer::ANONYMOUS;
    if let Ok(credentials) = Credentials::gather(&headers, &peer) {
        let shown = format!("{credentials:?}");
        for value in headers.values().filter_map(|value| value.to_str().ok()) {
            let secret = value.rsplit(' ').next().unwrap_or_default();
            assert!(secret.len() < 24 || !shown.contains(secret), "a credential is shown");
        }
        for name in ["authorization", "x-api-key", "api-key"] {
            assert!(headers.get_all(name).iter().count() <= 1);
        }
    }
}

/// What is read and written again is the same.
fn names(text: &str) {
    if let Ok(name) = text.parse::<SubjectName>() {
        assert_eq!(name.to_string(), text);
    }
    if let Ok(hash) = text.parse::<KeyHash>() {
        assert_eq!(hash.to_string().to_ascii_lowercase(), text.to_ascii_lowercase());
    }
    if let Ok(pointer) = text.parse::<Pointer>() {
        assert_eq!(pointer.to_string().parse::<Pointer>().unwrap(), pointer);
    }
    if ApiKey::parse(text).is_ok() {
        assert!(ApiKey::claimed(text) && text.len() == 53);
    }
    if let Some(boundary) = boundary(text) {
        assert!((1..=70).contains(&boundary.len()));
    }
}
