mod credentials;
mod directory;
mod jwt;
mod key;
mod peer;

use std::collections::BTreeSet;

use aws_lc_rs::hkdf;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{ApiKey, Caller, Credentials, Directory, Entries, KeyEntry, KeyHasher, Peer};
use crate::names::{KeyId, Purpose, TenantId};
use crate::reason::{Reason, Refusal};

fn master() -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"").extract(b"a master key for tests")
}

fn hasher() -> KeyHasher {
    KeyHasher::derive(&master()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn some_purposes() -> BTreeSet<Purpose> {
    [Purpose::Inference, Purpose::Train].into()
}

/// A fresh key and its entry.
fn key_of(tenant: &str, id: &str) -> (SecretString, KeyEntry) {
    let key = ApiKey::generate().unwrap();
    let hash = hasher().hash(ApiKey::parse(key.expose_secret()).unwrap());
    let entry = KeyEntry {
        tenant: TenantId::new(tenant),
        id: KeyId::new(id),
        hash,
        purposes: some_purposes(),
        not_before: None,
        expires: None,
        operations: None,
    };
    (key, entry)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// Gathers and identifies, as a request would.
async fn identify(
    directory: &Directory,
    pairs: &[(&str, &str)],
    peer: &Peer,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let headers = headers(pairs);
    directory.identify(&Credentials::gather(&headers, peer)?, now).await
}

fn reason<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Reason {
    result.unwrap_err().reason
}

fn directory(entries: Entries) -> Directory {
    Directory::compile(hasher(), entries).unwrap()
}
