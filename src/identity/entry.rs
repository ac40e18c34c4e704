//! What the configuration says about who may call: the raw material of a [`Directory`](super::Directory).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::Algorithm;

use super::key::KeyHash;
use super::peer::SubjectName;
use crate::names::{KeyId, OperationId, Purpose, TenantId};

/// An API key.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// Whose it is.
    pub tenant: TenantId,
    /// What logs and audit call it. Unique among the tenant's keys.
    pub id: KeyId,
    /// What is remembered of it.
    pub hash: KeyHash,
    /// What it may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// Not valid before.
    pub not_before: Option<Timestamp>,
    /// Not valid from here on. Two keys of a tenant may overlap: that is how they are rotated.
    pub expires: Option<Timestamp>,
    /// The operations it may call; none: all that its purposes allow.
    pub operations: Option<BTreeSet<OperationId>>,
}

/// A client certificate, by one of its subject alternative names.
#[derive(Clone, Debug)]
pub struct CertificateEntry {
    /// Whose it is.
    pub tenant: TenantId,
    /// What logs and audit call it. Unique among the tenant's certificates; if it is also the id of one of the tenant's
    /// keys, a request may present both.
    pub id: KeyId,
    /// The exact name.
    pub name: SubjectName,
    /// What it may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// The operations it may call; none: all that its purposes allow.
    pub operations: Option<BTreeSet<OperationId>>,
}

/// Somebody whose signed tokens are believed.
#[derive(Clone, Debug)]
pub struct IssuerEntry {
    /// The `iss` claim, exactly. Unique.
    pub issuer: String,
    /// The `aud` claim has to hold one of these.
    pub audiences: Vec<String>,
    /// The signature algorithms that are believed. Asymmetric only.
    pub algorithms: Vec<Algorithm>,
    /// Where its public keys are.
    pub jwks: JwksSource,
    /// Clock skew that is forgiven, at most 60 s.
    pub leeway: Duration,
    /// The claim that tells the tenant. Its value is a string.
    pub claim: String,
    /// What the claim's values mean. A value that is not here is refused.
    pub tenants: Vec<ClaimEntry>,
}

/// One value of the claim that tells the tenant.
#[derive(Clone, Debug)]
pub struct ClaimEntry {
    /// The value, exactly. Unique in its issuer.
    pub value: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// What logs and audit call it.
    pub id: KeyId,
    /// What it may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// The operations it may call; none: all that its purposes allow.
    pub operations: Option<BTreeSet<OperationId>>,
}

/// Where an issuer's public keys are (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// A file, read when the configuration is loaded.
    File(PathBuf),
    /// An `https` URL, fetched when a key is missing or old.
    Url {
        /// The URL.
        url: http::Uri,
        /// Roots beside the system's.
        ca: Option<PathBuf>,
        /// No fetch sooner than this after the last, whatever callers present.
        min_refresh: Duration,
        /// Fetched again after this, so that a withdrawn key is forgotten.
        max_age: Duration,
    },
}

/// Everything that tells who is calling.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// API keys.
    pub keys: Vec<KeyEntry>,
    /// Client certificates.
    pub certificates: Vec<CertificateEntry>,
    /// Issuers of tokens.
    pub issuers: Vec<IssuerEntry>,
}

/// Why entries can't be a directory. Each names what the operator called the entry, so that the configuration can point
/// at its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Two entries of a kind have one id in one tenant.
    #[error("tenant `{tenant}` has two {kind} named `{id}`")]
    DuplicateId {
        /// The tenant.
        tenant: TenantId,
        /// `keys` or `certificates`.
        kind: &'static str,
        /// The id.
        id: KeyId,
    },
    /// One key stands in two entries, so it would be two identities.
    #[error("key `{id}` of tenant `{tenant}` is the same key as `{other_id}` of tenant `{other}`")]
    SharedKey {
        /// The tenant of the later entry.
        tenant: TenantId,
        /// The later entry.
        id: KeyId,
        /// The tenant of the earlier entry.
        other: TenantId,
        /// The earlier entry.
        other_id: KeyId,
    },
    /// One certificate name stands in two entries.
    #[error("certificate `{id}` of tenant `{tenant}` has the name `{name}`, which another entry has")]
    SharedName {
        /// The tenant of the later entry.
        tenant: TenantId,
        /// The later entry.
        id: KeyId,
        /// The name.
        name: SubjectName,
    },
    /// An entry that nothing can be done with.
    #[error("`{id}` of tenant `{tenant}` has no purpose, so it could do nothing")]
    NoPurpose {
        /// The tenant.
        tenant: TenantId,
        /// The entry.
        id: KeyId,
    },
    /// An entry that is never valid.
    #[error("key `{id}` of tenant `{tenant}` expires before it is valid")]
    NeverValid {
        /// The tenant.
        tenant: TenantId,
        /// The entry.
        id: KeyId,
    },
    /// Something about an issuer.
    #[error("issuer `{issuer}`: {what}")]
    Issuer {
        /// The issuer.
        issuer: String,
        /// What is wrong.
        what: String,
    },
}
