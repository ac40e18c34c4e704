//! Key sets of issuers, fetched from a real server over TLS.

use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::{HeaderMap, HeaderValue};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::Jwk;
use serde_json::json;

use super::*;
use crate::identity::testing::{Signer, claims, issuer};
use crate::identity::{Caller, Credentials, Directory, Entries, JwksSource, KeyHasher, Peer};
use crate::reason::Refusal;

/// An identity provider.
struct Provider {
    address: SocketAddr,
    authority: Authority,
    keys: Arc<Mutex<Vec<Jwk>>>,
    asked: Arc<AtomicUsize>,
    shutdown: Shutdown,
}

impl Provider {
    fn new(keys: Vec<Jwk>) -> Self {
        let authority = Authority::new();
        let leaf = authority.server();
        let hot = HotServer::new(server(&leaf.chain, &leaf.key, None, jiff::Timestamp::now()).unwrap());
        let tagger = Tagger::derive(&master()).unwrap();
        let door = Door::new(Arc::new(hot), roomy(), tagger, Arc::new(crate::listener::Nobody));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), door).unwrap();
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let provider =
            Self { address: listener.local_addr(), authority, keys, asked, shutdown: Shutdown::new() };
        let (keys, asked) = (Arc::clone(&provider.keys), Arc::clone(&provider.asked));
        let service = move |_: Connection| {
            let (keys, asked) = (Arc::clone(&keys), Arc::clone(&asked));
            service_fn(move |request: Request<RequestBody>| {
                asked.fetch_add(1, Ordering::SeqCst);
                let set = json!({ "keys": *keys.lock().unwrap() }).to_string();
                async move {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    Ok::<_, BoxError>(match request.uri().path() {
                        "/jwks" => text(StatusCode::OK, set),
                        "/large" => text(StatusCode::OK, vec![b' '; 600 * 1024]),
                        "/moved" => {
                            let mut moved = text(StatusCode::FOUND, "");
                            moved.headers_mut().insert("location", HeaderValue::from_static("/jwks"));
                            moved
                        }
                        _ => text(StatusCode::OK, "<html>"),
                    })
                }
            })
        };
        provider.shutdown.spawn(listener.serve(service, provider.shutdown.clone()));
        provider
    }

    fn directory(&self, path: &str, min_refresh: Duration, max_age: Duration) -> Directory {
        let url = format!("https://localhost:{}{path}", self.address.port()).parse().unwrap();
        let source = JwksSource::Url { url, ca: Some(self.authority.root()), min_refresh, max_age };
        let issuers = vec![issuer(source, &[Algorithm::ES256])];
        let hasher = KeyHasher::derive(&master()).unwrap();
        Directory::compile(hasher, Entries { issuers, ..Entries::default() }).unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn master() -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"").extract(b"test")
}

async fn ask(directory: &Directory, token: &str) -> Result<Caller, Reason> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    let credentials = Credentials::gather(&headers, &Peer::ANONYMOUS).unwrap();
    let answer = directory.identify(&credentials, jiff::Timestamp::now()).await;
    answer.map_err(|refusal: Refusal| refusal.reason)
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn many_callers_cause_one_fetch() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let provider = Provider::new(vec![signer.jwk()]);
    let directory = provider.directory("/jwks", Duration::from_secs(60), HOUR);
    let token = signer.sign(&claims());
    let calls = (0..50).map(|_| ask(&directory, &token));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap().tenant.as_str(), "acme");
    }
    assert_eq!(provider.asked(), 1);
    // Made-up key ids don't make it ask again before it is due.
    let made_up = Signer::new(Algorithm::ES256, "k2");
    for _ in 0..20 {
        assert_eq!(ask(&directory, &made_up.sign(&claims())).await, Err(Reason::CredentialInvalid));
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_when_a_fetch_is_due_and_a_withdrawn_one_forgotten() {
    let (old, new) = (Signer::new(Algorithm::ES256, "k1"), Signer::new(Algorithm::ES256, "k2"));
    let provider = Provider::new(vec![old.jwk()]);
    let directory = provider.directory("/jwks", Duration::from_millis(300), Duration::from_secs(2));
    directory.warm().await;
    ask(&directory, &old.sign(&claims())).await.unwrap();
    *provider.keys.lock().unwrap() = vec![new.jwk()];
    tokio::time::sleep(Duration::from_millis(350)).await;
    ask(&directory, &new.sign(&claims())).await.unwrap();
    assert_eq!(ask(&directory, &old.sign(&claims())).await, Err(Reason::CredentialInvalid));
    // Past half its age the set is fetched in the background, before anybody has to wait.
    let before = provider.asked();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    ask(&directory, &new.sign(&claims())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(provider.asked(), before + 1);
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_stop_the_fetch() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let provider = Provider::new(vec![signer.jwk()]);
    let directory = provider.directory("/jwks", Duration::from_secs(60), HOUR);
    let token = signer.sign(&claims());
    let hasty = tokio::time::timeout(Duration::from_millis(20), ask(&directory, &token)).await;
    assert!(hasty.is_err());
    ask(&directory, &token).await.unwrap();
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn keys_that_can_not_be_had_are_our_failure_and_not_the_callers() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let provider = Provider::new(vec![signer.jwk()]);
    for path in ["/large", "/moved", "/html"] {
        let directory = provider.directory(path, Duration::from_secs(60), HOUR);
        let answer = ask(&directory, &signer.sign(&claims())).await;
        assert_eq!(answer, Err(Reason::IdentityUnavailable), "{path}");
    }
    // A server that the roots don't vouch for.
    let stranger = Provider::new(vec![signer.jwk()]);
    let elsewhere = Provider { address: stranger.address, ..Provider::new(vec![]) };
    let directory = elsewhere.directory("/jwks", Duration::from_secs(60), HOUR);
    assert_eq!(ask(&directory, &signer.sign(&claims())).await, Err(Reason::IdentityUnavailable));
    assert_eq!(stranger.asked(), 0);
}

#[tokio::test]
async fn keys_that_are_too_old_are_not_believed() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let provider = Provider::new(vec![signer.jwk()]);
    let directory = provider.directory("/jwks", Duration::from_millis(100), Duration::from_millis(600));
    ask(&directory, &signer.sign(&claims())).await.unwrap();
    provider.shutdown.begin();
    provider.shutdown.drain(&roomy()).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(ask(&directory, &signer.sign(&claims())).await, Err(Reason::IdentityUnavailable));
}

#[tokio::test]
async fn a_reload_takes_over_the_keys() {
    let signer = Signer::new(Algorithm::ES256, "k1");
    let provider = Provider::new(vec![signer.jwk()]);
    let first = provider.directory("/jwks", Duration::from_secs(60), HOUR);
    first.warm().await;
    let second = provider.directory("/jwks", Duration::from_secs(60), HOUR);
    second.adopt(&first);
    ask(&second, &signer.sign(&claims())).await.unwrap();
    assert_eq!(provider.asked(), 1);
}
