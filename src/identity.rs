//! Who is calling? A credential becomes a tenant, a key and its purposes.
//!
//! [`Credentials::gather`] reads what a request presents, [`Directory::identify`] says whose it is. A request has one
//! identity: the same credential twice is the same identity, two different ones are refused, and a credential that is
//! not valid is never made up for by another that is.

mod caller;
mod credentials;
mod directory;
mod entry;
mod jwks;
mod jwt;
mod key;
mod peer;
mod redacted;

pub use crate::names::ClientTag;
pub use caller::{Caller, Purposes, Via};
pub use credentials::{CREDENTIAL_HEADERS, Credentials};
pub use directory::Directory;
pub use entry::{CertificateEntry, ClaimEntry, Entries, EntryError, IssuerEntry, JwksSource, KeyEntry};
pub use jsonwebtoken::Algorithm;
pub use jwks::{FetchFailed, Jwks};
pub use key::{ApiKey, KeyHash, KeyHasher, NotAKey, NotAKeyHash};
pub use peer::{NotAName, Peer, SubjectName};
pub use redacted::Tagger;

use aws_lc_rs::{error::Unspecified, hkdf, hmac};

/// The randomness or the key derivation of the crypto library failed. It doesn't say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the crypto library failed")]
pub struct CryptoFailed;

impl From<Unspecified> for CryptoFailed {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// The HMAC-SHA-256 key for one use, derived from the master key by its label (HKDF, RFC 5869, `info`).
fn derive(master: &hkdf::Prk, label: &'static str) -> Result<hmac::Key, CryptoFailed> {
    Ok(master.expand(&[label.as_bytes()], hmac::HMAC_SHA256)?.into())
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
