//! The public keys of an issuer (RFC 7517), from a file or a URL.
//!
//! What callers present can't make the gateway ask more often than once in `min_refresh`: one fetch runs at a time, in a
//! task of its own, so that a caller who goes away neither stops it nor starts another, and until the next one is due an
//! unknown key id is refused at once.

mod fetch;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::entry::JwksSource;
pub use fetch::FetchFailed;
use fetch::Fetcher;

/// More keys than this are no key set of an identity provider.
const MOST_KEYS: usize = 256;

/// An issuer's key set.
pub struct Jwks {
    source: JwksSource,
    keys: Arc<ArcSwap<Keys>>,
    fetcher: Option<Arc<Fetcher>>,
    state: Arc<Mutex<State>>,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Keys {
    set: Vec<Arc<PublicKey>>,
    /// None for keys from a file: they are as old as the configuration.
    fetched: Option<Instant>,
}

/// A public key for signatures.
pub(super) struct PublicKey {
    kid: Option<Box<str>>,
    algorithm: Option<KeyAlgorithm>,
    curve: Option<EllipticCurve>,
    /// The key itself.
    pub(super) key: DecodingKey,
}

#[derive(Default)]
struct State {
    attempted: Option<Instant>,
    running: Option<watch::Receiver<()>>,
}

/// What the key set has for a token.
pub(super) enum Lookup {
    /// The one key that fits.
    Found(Arc<PublicKey>),
    /// No such key: a newer set may have it.
    Absent,
    /// The key id is there, but the key is for something else.
    Unfit,
}

impl Jwks {
    /// Reads the file, or prepares to fetch.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub(super) fn new(source: JwksSource) -> Result<Self, String> {
        let (keys, fetcher) = match &source {
            JwksSource::File(path) => {
                let bytes = std::fs::read(path)
                    .map_err(|error| format!("can't read the key set {}: {error}", path.display()))?;
                let set =
                    parse(&bytes).map_err(|error| format!("the key set {}: {error}", path.display()))?;
                (Keys { set, fetched: None }, None)
            }
            JwksSource::Url { url, ca, min_refresh, max_age } => {
                if url.scheme() != Some(&http::uri::Scheme::HTTPS) || url.host().is_none() {
                    return Err("its key set's URL is not `https://…`".to_owned());
                }
                if min_refresh.is_zero() || max_age <= min_refresh {
                    return Err(
                        "its key set's `max_age` has to be longer than `min_refresh`, and that not 0"
                            .to_owned(),
                    );
                }
                let fetcher = Fetcher::new(url.clone(), ca.clone(), *min_refresh, *max_age);
                (Keys::default(), Some(Arc::new(fetcher)))
            }
        };
        Ok(Self {
            source,
            keys: Arc::new(ArcSwap::from_pointee(keys)),
            fetcher,
            state: Arc::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Finds the key of a token. Starts a fetch in the background if the set is past half its age.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Lookup {
        let keys = self.keys.load();
        if !self.believed(&keys) {
            return Lookup::Absent;
        }
        if let (Some(fetcher), Some(fetched)) = (&self.fetcher, keys.fetched)
            && fetched.elapsed() > fetcher.max_age / 2
        {
            self.start();
        }
        keys.find(kid, algorithm)
    }

    /// Whether there is a set that is young enough to be believed.
    pub(super) fn usable(&self) -> bool {
        self.believed(&self.keys.load())
    }

    fn believed(&self, keys: &Keys) -> bool {
        match (&self.fetcher, keys.fetched) {
            (None, _) => true,
            (Some(fetcher), Some(fetched)) => fetched.elapsed() <= fetcher.max_age,
            (Some(_), None) => false,
        }
    }

    /// Waits for a fetch that runs, or starts one if it is due. Does nothing for a file.
    pub(super) async fn refresh(&self) {
        if let Some(mut running) = self.start() {
            // The sender is dropped when the fetch ends, whatever its outcome.
            let _ended = running.changed().await;
        }
    }

    /// The fetch that runs, or a new one if it is due. One that was started must not end with its caller: else whoever
    /// presents a made-up key id and hangs up could keep the set from ever being renewed.
    fn start(&self) -> Option<watch::Receiver<()>> {
        let fetcher = self.fetcher.as_ref()?;
        let mut state = lock(&self.state);
        if let Some(running) = &state.running {
            return Some(running.clone());
        }
        if state.attempted.is_some_and(|last| last.elapsed() < fetcher.min_refresh) {
            return None;
        }
        let (done, running) = watch::channel(());
        state.attempted = Some(Instant::now());
        state.running = Some(running.clone());
        drop(state);
        let (fetcher, keys, state) = (Arc::clone(fetcher), Arc::clone(&self.keys), Arc::clone(&self.state));
        self.tasks.spawn(async move {
            match fetcher.fetch().await {
                Ok(set) => keys.store(Arc::new(Keys { set, fetched: Some(Instant::now()) })),
                Err(error) => tracing::warn!(
                    host = fetcher.host(),
                    error = &error as &dyn std::error::Error,
                    "an issuer's key set could not be fetched"
                ),
            }
            lock(&state).running = None;
            drop(done);
        });
        Some(running)
    }

    /// Takes over what an earlier set fetched from the same place.
    pub(super) fn adopt(&self, earlier: &Self) {
        if self.fetcher.is_some() && self.source == earlier.source {
            self.keys.store(earlier.keys.load_full());
            let attempted = lock(&earlier.state).attempted;
            lock(&self.state).attempted = attempted;
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Keys {
    /// The key of this id that fits the algorithm; without an id, the only key that fits.
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Lookup {
        let named = || self.set.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid);
        let mut fitting = named().filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Lookup::Found(Arc::clone(key)),
            (Some(_), Some(_)) => Lookup::Unfit,
            (None, _) if kid.is_some() && named().next().is_some() => Lookup::Unfit,
            (None, _) => Lookup::Absent,
        }
    }
}

impl PublicKey {
    /// Whether the key is of the algorithm's family (RFC 8725, 3.1), of its curve, and not for another algorithm only.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let curve = match algorithm {
            Algorithm::ES256 => Some(EllipticCurve::P256),
            Algorithm::ES384 => Some(EllipticCurve::P384),
            Algorithm::EdDSA => Some(EllipticCurve::Ed25519),
            _ => None,
        };
        self.key.family() == algorithm.family()
            && self.curve == curve
            && self.algorithm.is_none_or(|own| own == KeyAlgorithm::from(algorithm))
    }

    /// The key, if it is a public one for signatures.
    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let meant = match (&common.public_key_use, &common.key_operations) {
            (Some(PublicKeyUse::Signature) | None, None) => true,
            (Some(PublicKeyUse::Signature) | None, Some(operations)) => {
                operations.contains(&KeyOperations::Verify)
            }
            (Some(_), _) => false,
        };
        let curve = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => None,
            AlgorithmParameters::EllipticCurve(parameters) => Some(parameters.curve.clone()),
            AlgorithmParameters::OctetKeyPair(parameters) => Some(parameters.curve.clone()),
            _ => return None,
        };
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (meant && key.family() != AlgorithmFamily::Hmac).then(|| Self {
            kid: common.key_id.as_deref().map(Into::into),
            algorithm: common.key_algorithm,
            curve,
            key,
        })
    }
}

/// Reads a key set. Keys of kinds that are not known are left out, as RFC 7517, section 5, asks.
fn parse(json: &[u8]) -> Result<Vec<Arc<PublicKey>>, &'static str> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(json).map_err(|_withheld| "it is not a JSON Web Key Set")?;
    if set.keys.len() > MOST_KEYS {
        return Err("it has more than 256 keys");
    }
    let keys: Vec<_> = set
        .keys
        .into_iter()
        .filter_map(|value| serde_json::from_value::<Jwk>(value).ok())
        .filter_map(|jwk| PublicKey::from_jwk(&jwk))
        .map(Arc::new)
        .collect();
    if keys.is_empty() { Err("it has no public key for signatures") } else { Ok(keys) }
}
