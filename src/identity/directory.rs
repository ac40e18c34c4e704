//! Who presents what, compiled.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::caller::{Caller, Purposes, Via};
use super::credentials::{Credentials, Token};
use super::entry::{CertificateEntry, Entries, EntryError, IssuerEntry, KeyEntry};
use super::jwks::Jwks;
use super::jwt::Issuer;
use super::key::{ApiKey, KeyHash, KeyHasher};
use super::peer::{Certificate, SubjectName};
use crate::names::{KeyId, NameMap, OperationId, Purpose, TenantId};
use crate::reason::{Reason, Refusal};

/// Who presents what: compiled from the tenants' files.
pub struct Directory {
    hasher: KeyHasher,
    keys: NameMap<KeyHash, KnownKey>,
    certificates: HashMap<SubjectName, Caller>,
    issuers: HashMap<Box<str>, Issuer>,
}

struct KnownKey {
    hash: KeyHash,
    not_before: Option<Timestamp>,
    caller: Caller,
}

/// Why a caller is not known (yet).
pub(super) enum Undecided {
    /// It is refused.
    Refused(Refusal),
    /// The issuer's keys at hand don't verify the token; newer ones may.
    Keys(Arc<Jwks>),
}

impl From<Refusal> for Undecided {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Reason> for Undecided {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason.into())
    }
}

/// A refusal for a credential that is not valid: the client learns nothing but that.
pub(super) fn invalid(log: &'static str) -> Refusal {
    Refusal::new(Reason::CredentialInvalid).log(log)
}

impl Directory {
    /// Compiles the entries, and reads key files of issuers.
    ///
    /// # Errors
    /// Every entry that contradicts another or can't be enforced.
    pub fn compile(hasher: KeyHasher, entries: Entries) -> Result<Self, Vec<EntryError>> {
        let mut errors = Vec::new();
        let keys = compile_keys(entries.keys, &mut errors);
        let certificates = compile_certificates(entries.certificates, &mut errors);
        let issuers = compile_issuers(entries.issuers, &mut errors);
        if errors.is_empty() { Ok(Self { hasher, keys, certificates, issuers }) } else { Err(errors) }
    }

    /// A directory that knows nobody, so everybody is refused.
    #[must_use]
    pub fn empty(hasher: KeyHasher) -> Self {
        Self { hasher, keys: NameMap::default(), certificates: HashMap::new(), issuers: HashMap::new() }
    }

    /// Says who presents these credentials. Waits only if a token's key has to be fetched.
    ///
    /// Certificates count as credentials only if the configuration has an entry for at least one: else they are a matter
    /// of transport, and a caller needs a key or a token.
    ///
    /// # Errors
    /// [`Reason::CredentialInvalid`] if any credential is unknown, [`Reason::CredentialExpired`] if any has ended,
    /// [`Reason::CredentialConflict`] if they name two identities, [`Reason::CredentialMissing`] if nothing is left that
    /// is a credential, [`Reason::IdentityUnavailable`] if an issuer's keys can't be had.
    pub async fn identify(&self, credentials: &Credentials<'_>, now: Timestamp) -> Result<Caller, Refusal> {
        match self.decide(credentials, now) {
            Ok(caller) => Ok(caller),
            Err(Undecided::Refused(refusal)) => Err(refusal),
            Err(Undecided::Keys(jwks)) => {
                jwks.refresh().await;
                match self.decide(credentials, now) {
                    Ok(caller) => Ok(caller),
                    Err(Undecided::Refused(refusal)) => Err(refusal),
                    Err(Undecided::Keys(jwks)) if jwks.usable() => Err(invalid("the issuer has no such key")),
                    Err(Undecided::Keys(_)) => Err(Reason::IdentityUnavailable.into()),
                }
            }
        }
    }

    /// The decision, from what is at hand.
    fn decide(&self, credentials: &Credentials<'_>, now: Timestamp) -> Result<Caller, Undecided> {
        let mut found: Option<Caller> = None;
        let mut merge = |caller: Caller| -> Result<(), Refusal> {
            let merged = match found.take() {
                Some(other) => other.with(caller)?,
                None => caller,
            };
            found = Some(merged);
            Ok(())
        };
        if let Some(key) = credentials.secrets.key {
            merge(self.by_key(key, now)?)?;
        }
        if let Some(token) = credentials.secrets.token {
            merge(self.by_token(token)?)?;
        }
        if !self.certificates.is_empty()
            && let Some(caller) = self.by_certificate(credentials.certificate, now)?
        {
            merge(caller)?;
        }
        found.ok_or_else(|| Reason::CredentialMissing.into())
    }

    fn by_key(&self, key: ApiKey<'_>, now: Timestamp) -> Result<Caller, Refusal> {
        let hash = self.hasher.hash(key);
        // The map's own comparison may stop early, but on a keyed hash that no caller can steer; whether to believe it is
        // decided in constant time.
        let known = self.keys.get(&hash).filter(|known| known.hash.matches(&hash));
        let known = known.ok_or_else(|| invalid("no such API key"))?;
        if known.not_before.is_some_and(|start| now < start) {
            return Err(invalid("the API key is not valid yet"));
        }
        if known.caller.expires.is_some_and(|end| now >= end) {
            return Err(Reason::CredentialExpired.into());
        }
        Ok(known.caller.clone())
    }

    fn by_certificate(&self, certificate: &Certificate, now: Timestamp) -> Result<Option<Caller>, Refusal> {
        let (names, not_after) = match certificate {
            Certificate::None => return Ok(None),
            Certificate::Unusable(why) => return Err(invalid(why)),
            Certificate::Names { names, not_after } => (names, *not_after),
        };
        if now >= not_after {
            return Err(Reason::CredentialExpired.into());
        }
        let mut found: Option<Caller> = None;
        for caller in names.iter().filter_map(|name| self.certificates.get(name)) {
            let mut caller = caller.clone();
            caller.expires = Some(not_after);
            found = Some(match found {
                Some(other) => other.with(caller)?,
                None => caller,
            });
        }
        found.map(Some).ok_or_else(|| invalid("no entry for any name of the client certificate"))
    }

    fn by_token(&self, token: Token<'_>) -> Result<Caller, Undecided> {
        let issuer = super::jwt::issuer(token)?;
        let issuer = self.issuers.get(&*issuer).ok_or_else(|| invalid("unknown issuer"))?;
        issuer.verify(token)
    }

    /// Fetches the keys of issuers that have a URL, so that the first callers need not wait. What fails here is tried
    /// again when a caller presents a token.
    pub async fn warm(&self) {
        for issuer in self.issuers.values() {
            issuer.jwks.refresh().await;
        }
    }

    /// Takes over the keys that an earlier directory fetched from the same places, so that a reload asks nobody.
    pub fn adopt(&self, earlier: &Self) {
        for (name, issuer) in &self.issuers {
            if let Some(before) = earlier.issuers.get(name) {
                issuer.jwks.adopt(&before.jwks);
            }
        }
    }

    /// How many keys, certificate names and issuers it knows.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.keys.len(), self.certificates.len(), self.issuers.len())
    }
}

/// What a caller of this entry is, once it is believed.
pub(super) fn caller(
    tenant: &TenantId,
    id: &KeyId,
    purposes: &BTreeSet<Purpose>,
    operations: Option<&BTreeSet<OperationId>>,
    via: Via,
) -> Result<Caller, EntryError> {
    if purposes.is_empty() {
        return Err(EntryError::NoPurpose { tenant: tenant.clone(), id: id.clone() });
    }
    Ok(Caller {
        tenant: tenant.clone(),
        key: id.clone(),
        purposes: Purposes::from(purposes),
        operations: operations.map(|set| Arc::new(set.clone())),
        expires: None,
        via,
    })
}

fn compile_keys(entries: Vec<KeyEntry>, errors: &mut Vec<EntryError>) -> NameMap<KeyHash, KnownKey> {
    let mut ids = HashSet::new();
    let mut keys: NameMap<KeyHash, KnownKey> = NameMap::default();
    for entry in entries {
        let KeyEntry { tenant, id, hash, purposes, not_before, expires, operations } = entry;
        if !ids.insert((tenant.clone(), id.clone())) {
            errors.push(EntryError::DuplicateId { tenant, kind: "keys", id });
            continue;
        }
        if not_before.zip(expires).is_some_and(|(start, end)| end <= start) {
            errors.push(EntryError::NeverValid { tenant, id });
            continue;
        }
        if let Some(first) = keys.get(&hash) {
            let (other, other_id) = (first.caller.tenant.clone(), first.caller.key.clone());
            errors.push(EntryError::SharedKey { tenant, id, other, other_id });
            continue;
        }
        match caller(&tenant, &id, &purposes, operations.as_ref(), Via::Key) {
            Ok(caller) => {
                let caller = Caller { expires, ..caller };
                keys.insert(hash, KnownKey { hash, not_before, caller });
            }
            Err(error) => errors.push(error),
        }
    }
    keys
}

fn compile_certificates(
    entries: Vec<CertificateEntry>,
    errors: &mut Vec<EntryError>,
) -> HashMap<SubjectName, Caller> {
    let mut ids = HashSet::new();
    let mut certificates = HashMap::with_capacity(entries.len());
    for entry in entries {
        let CertificateEntry { tenant, id, name, purposes, operations } = entry;
        if !ids.insert((tenant.clone(), id.clone())) {
            errors.push(EntryError::DuplicateId { tenant, kind: "certificates", id });
            continue;
        }
        if certificates.contains_key(&name) {
            errors.push(EntryError::SharedName { tenant, id, name });
            continue;
        }
        match caller(&tenant, &id, &purposes, operations.as_ref(), Via::Certificate) {
            Ok(caller) => {
                certificates.insert(name, caller);
            }
            Err(error) => errors.push(error),
        }
    }
    certificates
}

fn compile_issuers(entries: Vec<IssuerEntry>, errors: &mut Vec<EntryError>) -> HashMap<Box<str>, Issuer> {
    let mut issuers = HashMap::with_capacity(entries.len());
    for entry in entries {
        let name: Box<str> = entry.issuer.as_str().into();
        if issuers.contains_key(&name) {
            errors
                .push(EntryError::Issuer { issuer: entry.issuer, what: "it is configured twice".to_owned() });
            continue;
        }
        match Issuer::compile(entry) {
            Ok(issuer) => {
                issuers.insert(name, issuer);
            }
            Err(mut found) => errors.append(&mut found),
        }
    }
    issuers
}
