use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use super::*;
use crate::identity::testing::{Signer, claims, issuer};
use crate::identity::{EntryError, IssuerEntry, JwksSource, Via};

/// A key set in a file that lasts as long as the test.
fn key_set(keys: &[Jwk]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!({ "keys": keys }).to_string()).unwrap();
    file
}

fn directory_of(signers: &[&Signer], algorithms: &[Algorithm]) -> (Directory, tempfile::NamedTempFile) {
    let jwks: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    let file = key_set(&jwks);
    let issuers = vec![issuer(JwksSource::File(file.path().to_owned()), algorithms)];
    (directory(Entries { issuers, ..Entries::default() }), file)
}

fn but(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

async fn ask(directory: &Directory, token: &str) -> Result<Caller, Reason> {
    let bearer = format!("Bearer {token}");
    let answer = identify(directory, &[("authorization", &bearer)], &Peer::ANONYMOUS, Timestamp::now()).await;
    answer.map_err(|refusal| refusal.reason)
}

#[tokio::test]
async fn every_pinned_algorithm_verifies() {
    for algorithm in [
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::RS512,
    ] {
        let signer = Signer::new(algorithm, "k1");
        let (directory, _file) = directory_of(&[&signer], &[algorithm]);
        let caller =
            ask(&directory, &signer.sign(&claims())).await.unwrap_or_else(|r| panic!("{algorithm:?}: {r}"));
        assert_eq!((caller.tenant.as_str(), caller.key.as_str(), caller.via), ("acme", "sso", Via::Jwt));
        assert!(caller.expires.is_some());
        let caller = ask(&directory, &signer.sign(&but("org", json!("org-2")))).await.unwrap();
        assert_eq!(caller.tenant.as_str(), "globex");
    }
}

#[tokio::test]
async fn claims_that_are_missing_or_not_ours_are_refused() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let (directory, _file) = directory_of(&[&signer], &[Algorithm::ES256]);
    let now = get_current_timestamp();
    for (name, value) in [
        ("iss", json!(null)),
        ("iss", json!("https://other.example/")),
        ("iss", json!(["https://idp.example/", "https://other.example/"])),
        ("aud", json!(null)),
        ("aud", json!("another-service")),
        ("aud", json!([])),
        ("exp", json!(null)),
        ("exp", json!("tomorrow")),
        ("exp", json!(-1)),
        ("nbf", json!(now + 120)),
        ("org", json!(null)),
        ("org", json!("org-3")),
        ("org", json!(["org-1"])),
        ("org", json!("ORG-1")),
    ] {
        let token = signer.sign(&but(name, value.clone()));
        assert_eq!(ask(&directory, &token).await, Err(Reason::CredentialInvalid), "{name}: {value}");
    }
    let expired = |ago: u64| signer.sign(&but("exp", json!(now - ago)));
    assert_eq!(ask(&directory, &expired(120)).await, Err(Reason::CredentialExpired));
    ask(&directory, &expired(10)).await.unwrap();
    ask(&directory, &signer.sign(&but("aud", json!(["x", "gateway"])))).await.unwrap();
    ask(&directory, &signer.sign(&but("nbf", json!(now + 10)))).await.unwrap();
}

#[tokio::test]
async fn signatures_and_algorithms_can_not_be_traded() {
    let (signer, stranger) = (Signer::new(Algorithm::ES256, "k1"), Signer::new(Algorithm::ES256, "k1"));
    let (rsa, p384) = (Signer::new(Algorithm::RS256, "k2"), Signer::new(Algorithm::ES384, "k3"));
    let (directory, _file) = directory_of(&[&signer, &rsa, &p384], &[Algorithm::ES256, Algorithm::RS256]);
    let invalid = Err(Reason::CredentialInvalid);
    assert_eq!(ask(&directory, &stranger.sign(&claims())).await, invalid, "signed by somebody else");
    assert_eq!(ask(&directory, &p384.sign(&claims())).await, invalid, "an algorithm that is not pinned");
    // The key of one algorithm named by a token of another.
    let crossed = Header { kid: Some("k2".to_owned()), ..Header::new(Algorithm::ES256) };
    assert_eq!(ask(&directory, &signer.sign_with(&crossed, &claims())).await, invalid);
    // A MAC keyed with the public key.
    let public = serde_json::to_vec(&signer.jwk()).unwrap();
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    let mac = encode(&header, &claims(), &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(ask(&directory, &mac).await, invalid);
    // No signature at all.
    let part = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    for algorithm in ["none", "None", "NONE", ""] {
        let token = format!("{}.{}.", part(&json!({ "alg": algorithm, "kid": "k1" })), part(&claims()));
        assert_eq!(ask(&directory, &token).await, invalid, "{algorithm}");
    }
    // Changed claims under a good signature.
    let token = signer.sign(&claims());
    let mut parts = token.split('.');
    let (head, _, seal) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
    let forged = format!("{head}.{}.{seal}", part(&but("org", json!("org-2"))));
    assert_eq!(ask(&directory, &forged).await, invalid);
}

#[tokio::test]
async fn headers_bring_no_keys_and_no_extensions() {
    let (signer, own) = (Signer::new(Algorithm::ES256, "k1"), Signer::new(Algorithm::ES256, "k1"));
    let (directory, _file) = directory_of(&[&signer], &[Algorithm::ES256]);
    let invalid = Err(Reason::CredentialInvalid);
    let with_key = Header { jwk: Some(own.jwk()), ..own.header() };
    assert_eq!(ask(&directory, &own.sign_with(&with_key, &claims())).await, invalid);
    let critical = Header { crit: Some(vec!["b64".to_owned()]), ..signer.header() };
    assert_eq!(ask(&directory, &signer.sign_with(&critical, &claims())).await, invalid);
    let id_token = Header { typ: Some("secevent+jwt".to_owned()), ..signer.header() };
    assert_eq!(ask(&directory, &signer.sign_with(&id_token, &claims())).await, invalid);
    for typ in [None, Some("at+jwt"), Some("application/at+jwt"), Some("jwt")] {
        let header = Header { typ: typ.map(str::to_owned), ..signer.header() };
        ask(&directory, &signer.sign_with(&header, &claims())).await.unwrap();
    }
    // Without a key id the one key that fits is taken, of two none.
    let anonymous = Header::new(Algorithm::ES256);
    ask(&directory, &signer.sign_with(&anonymous, &claims())).await.unwrap();
    let other = Signer::new(Algorithm::ES256, "k2");
    let (directory, _file) = directory_of(&[&signer, &other], &[Algorithm::ES256]);
    assert_eq!(ask(&directory, &signer.sign_with(&anonymous, &claims())).await, invalid);
    let unknown = Header { kid: Some("k9".to_owned()), ..Header::new(Algorithm::ES256) };
    assert_eq!(ask(&directory, &signer.sign_with(&unknown, &claims())).await, invalid);
}

#[test]
fn what_an_issuer_can_not_enforce_does_not_load() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let file = key_set(&[signer.jwk()]);
    let good = || issuer(JwksSource::File(file.path().to_owned()), &[Algorithm::ES256]);
    let url = |url: &'static str| JwksSource::Url {
        url: http::Uri::from_static(url),
        ca: None,
        min_refresh: Duration::from_secs(30),
        max_age: Duration::from_secs(3600),
    };
    let empty = key_set(&[]);
    let mut encryption = signer.jwk();
    encryption.common.public_key_use = Some(PublicKeyUse::Encryption);
    let (encryption, symmetric) = (key_set(&[encryption]), tempfile::NamedTempFile::new().unwrap());
    std::fs::write(symmetric.path(), json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }).to_string())
        .unwrap();
    let of = |file: &tempfile::NamedTempFile| JwksSource::File(file.path().to_owned());
    let first = good().tenants[0].clone();
    for (entry, expected) in [
        (IssuerEntry { audiences: vec![], ..good() }, "audience"),
        (IssuerEntry { algorithms: vec![], ..good() }, "algorithms"),
        (IssuerEntry { algorithms: vec![Algorithm::ES256, Algorithm::HS256], ..good() }, "HMAC"),
        (IssuerEntry { leeway: Duration::from_secs(61), ..good() }, "leeway"),
        (IssuerEntry { tenants: vec![], ..good() }, "claim"),
        (IssuerEntry { tenants: vec![first.clone(), first], ..good() }, "mapped twice"),
        (IssuerEntry { jwks: JwksSource::File("missing.json".into()), ..good() }, "missing.json"),
        (IssuerEntry { jwks: of(&empty), ..good() }, "no public key"),
        (IssuerEntry { jwks: of(&encryption), ..good() }, "no public key"),
        (IssuerEntry { jwks: of(&symmetric), ..good() }, "no public key"),
        (IssuerEntry { jwks: url("http://idp.example/jwks"), ..good() }, "https"),
    ] {
        let entries = Entries { issuers: vec![entry], ..Entries::default() };
        let errors = Directory::compile(hasher(), entries).err().unwrap_or_else(|| panic!("{expected}"));
        assert!(matches!(&errors[..], [EntryError::Issuer { .. }]), "{errors:?}");
        assert!(errors[0].to_string().contains(expected), "{expected}: {errors:?}");
    }
    let entries = Entries { issuers: vec![good(), good()], ..Entries::default() };
    assert!(Directory::compile(hasher(), entries).err().unwrap()[0].to_string().contains("twice"));
}

#[tokio::test]
async fn a_set_with_keys_of_unknown_kinds_still_serves_the_others() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let file = tempfile::NamedTempFile::new().unwrap();
    let odd = json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "odd" });
    let set = json!({ "keys": [odd, { "kty": "AKP", "alg": "ML-DSA-44" }, signer.jwk()] });
    std::fs::write(file.path(), set.to_string()).unwrap();
    let issuers = vec![issuer(JwksSource::File(file.path().to_owned()), &[Algorithm::ES256])];
    let directory = directory(Entries { issuers, ..Entries::default() });
    ask(&directory, &signer.sign(&claims())).await.unwrap();
}
