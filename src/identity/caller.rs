//! The answer to "who is calling?".

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::names::{KeyId, OperationId, Purpose, TenantId};
use crate::reason::{Reason, Refusal};

/// A set of purposes, as cheap to copy as a number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Purposes(u8);

impl Purposes {
    /// No purpose.
    pub const NONE: Self = Self(0);

    const fn bit(purpose: Purpose) -> u8 {
        1 << (purpose as u8)
    }

    /// Whether the purpose is in the set.
    #[must_use]
    pub const fn contains(self, purpose: Purpose) -> bool {
        self.0 & Self::bit(purpose) != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The purposes, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.contains(*purpose))
    }
}

impl FromIterator<Purpose> for Purposes {
    fn from_iter<I: IntoIterator<Item = Purpose>>(purposes: I) -> Self {
        Self(purposes.into_iter().fold(0, |bits, purpose| bits | Self::bit(purpose)))
    }
}

impl From<&BTreeSet<Purpose>> for Purposes {
    fn from(purposes: &BTreeSet<Purpose>) -> Self {
        purposes.iter().copied().collect()
    }
}

impl fmt::Debug for Purposes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The kind of credential that told who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// An API key in a header.
    Key,
    /// A client certificate.
    Certificate,
    /// A signed token of a configured issuer.
    Jwt,
}

impl Via {
    /// The metric label and audit word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Jwt => "jwt",
        }
    }
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant.
    pub tenant: TenantId,
    /// The id of the key, certificate or token entry, as configured.
    pub key: KeyId,
    /// What the key may be used for.
    pub purposes: Purposes,
    /// The operations that the key may call; none: every operation that its purposes allow.
    pub operations: Option<Arc<BTreeSet<OperationId>>>,
    /// When the credential ends, if it does.
    pub expires: Option<Timestamp>,
    /// How the caller showed it.
    pub via: Via,
}

impl Caller {
    /// Whether the key is bound to the purpose.
    ///
    /// # Errors
    /// [`Reason::PurposeNotAllowed`].
    pub fn may(&self, purpose: Purpose) -> Result<(), Refusal> {
        if self.purposes.contains(purpose) {
            return Ok(());
        }
        Err(Refusal::new(Reason::PurposeNotAllowed).detail(purpose.as_str()))
    }

    /// Whether the key is bound to the operation.
    ///
    /// # Errors
    /// [`Reason::PurposeNotAllowed`].
    pub fn may_call(&self, operation: &OperationId) -> Result<(), Refusal> {
        match &self.operations {
            Some(allowed) if !allowed.contains(operation) => {
                Err(Refusal::new(Reason::PurposeNotAllowed).detail("the key is not bound to this operation"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// One caller out of two credentials of one request.
    ///
    /// The tenant and the key id have to be the same. A key and a certificate may share an id: then both have to
    /// allow what is done.
    pub(super) fn with(self, other: Self) -> Result<Self, Refusal> {
        if self.tenant != other.tenant || self.key != other.key {
            return Err(Reason::CredentialConflict.into());
        }
        let operations = match (self.operations, other.operations) {
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(a), Some(b)) => Some(Arc::new(a.intersection(&b).cloned().collect())),
            (a, b) => a.or(b),
        };
        Ok(Self {
            tenant: self.tenant,
            key: self.key,
            purposes: self.purposes.and(other.purposes),
            operations,
            expires: match (self.expires, other.expires) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            via: self.via,
        })
    }
}
