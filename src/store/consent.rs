//! The values of the consent ledger. A subject is a keyed hash; nothing else here names a person.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::hmac;
use jiff::Timestamp;

use super::types::words;
use crate::names::{DatasetName, Purpose, SubjectHash, TenantId};

words! {
    /// What a ledger entry does. All but the first say no.
    Change {
        /// It allows.
        Granted = "granted",
        /// Whoever allowed it takes it back.
        Withdrawn = "withdrawn",
        /// Whoever was asked said no.
        Refused = "refused",
        /// The controller, or an authority, ends it.
        Revoked = "revoked",
    }
}

/// What a ledger entry is about: the stored form of the consent room's scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LedgerScope {
    /// The tenant; of a subject, all that the tenant holds of it.
    Tenant,
    /// Every data set of the tenant.
    AllDatasets,
    /// One data set.
    Dataset(DatasetName),
}

impl LedgerScope {
    /// The word in the store.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::AllDatasets => "all_datasets",
            Self::Dataset(_) => "dataset",
        }
    }

    /// The data set, if it is one.
    #[must_use]
    pub const fn dataset(&self) -> Option<&DatasetName> {
        match self {
            Self::Dataset(name) => Some(name),
            Self::Tenant | Self::AllDatasets => None,
        }
    }
}

/// Names a consent record (ISO/IEC TS 27560 `record_id`): a grant and its withdrawal may be events of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordId(uuid::Uuid);

impl RecordId {
    /// A new id.
    #[must_use]
    pub fn fresh() -> Self {
        Self(uuid::Uuid::now_v7())
    }

    /// The id of a text; any UUID is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::try_parse(text).ok().map(Self)
    }

    /// The sixteen bytes, as the store keeps them.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The id that [`Self::to_bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// An entry of the consent ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The record that it belongs to.
    pub record: RecordId,
    /// What it does.
    pub change: Change,
    /// Whose data.
    pub tenant: TenantId,
    /// Which of it.
    pub scope: LedgerScope,
    /// Of whom; without one, of everybody in the scope.
    pub subject: Option<SubjectHash>,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
    /// The policy version that it was given under.
    pub policy_version: Option<String>,
    /// The law that it was given under: a country, or a region of one.
    pub jurisdiction: Option<String>,
    /// The lawful basis, as a term of W3C DPV (`dpv:Consent`).
    pub lawful_basis: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub until: Option<Timestamp>,
    /// Where the evidence is kept.
    pub evidence: Option<String>,
    /// Who recorded it: an operator's or a key's name.
    pub recorded_by: String,
    /// What else a consent record says, as a JSON object.
    pub details: Option<String>,
}

/// An HMAC-SHA-256 over an entry and all before it.
pub type Digest = [u8; 32];

/// An entry on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, in the order of recording over all tenants, from 1.
    pub number: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The entry.
    pub entry: LedgerEntry,
    /// The link of the chain.
    pub hash: Digest,
}

/// The key of the chain, derived from the master key: who can write to the file alone can't make a chain that holds.
#[derive(Clone)]
pub struct ChainKey(hmac::Key);

impl ChainKey {
    /// Takes the key that was derived for this use.
    #[must_use]
    pub const fn new(key: hmac::Key) -> Self {
        Self(key)
    }

    /// The link behind `before`.
    pub(super) fn link(&self, before: &Digest, number: u64, at: Timestamp, entry: &LedgerEntry) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(before);
        // Lengths keep neighbours apart, and what is absent differs from what is empty.
        let mut part = |value: Option<&[u8]>| {
            let length = value.map_or(u64::MAX, |value| u64::try_from(value.len()).unwrap_or(u64::MAX - 1));
            context.update(&length.to_le_bytes());
            context.update(value.unwrap_or_default());
        };
        let text = |value: &Option<String>| value.as_ref().map(|value| value.as_bytes().to_vec());
        let time = |value: Option<Timestamp>| value.map(|at| at.as_millisecond().to_le_bytes());
        part(Some(&number.to_le_bytes()));
        part(Some(&at.as_millisecond().to_le_bytes()));
        part(Some(&entry.record.to_bytes()));
        part(Some(entry.change.as_str().as_bytes()));
        part(Some(entry.tenant.as_str().as_bytes()));
        part(Some(entry.scope.as_str().as_bytes()));
        part(entry.scope.dataset().map(|name| name.as_str().as_bytes()));
        part(entry.subject.as_ref().map(|subject| &subject.as_bytes()[..]));
        part(Some(purposes(&entry.purposes).as_bytes()));
        part(text(&entry.policy_version).as_deref());
        part(text(&entry.jurisdiction).as_deref());
        part(text(&entry.lawful_basis).as_deref());
        part(time(entry.from).as_ref().map(|bytes| &bytes[..]));
        part(time(entry.until).as_ref().map(|bytes| &bytes[..]));
        part(text(&entry.evidence).as_deref());
        part(Some(entry.recorded_by.as_bytes()));
        part(text(&entry.details).as_deref());
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey")
    }
}

/// Purposes as the store keeps them.
pub(super) fn purposes(purposes: &BTreeSet<Purpose>) -> String {
    purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>().join(" ")
}

/// What the chain says of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Nothing was changed, removed or put in.
    Whole {
        /// The number of entries.
        entries: u64,
        /// The last link.
        head: Digest,
    },
    /// From this entry on it does not hold: it, or the one before, was changed, removed or put in.
    Broken {
        /// The first entry that does not fit.
        at: u64,
    },
}

/// Which entries are meant.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// About this subject.
    pub subject: Option<SubjectHash>,
    /// Of this record.
    pub record: Option<RecordId>,
    /// Behind this number.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}

/// What is asked of subjects.
pub struct SubjectQuestion<'a> {
    /// Who holds the data.
    pub tenant: &'a TenantId,
    /// What for.
    pub purpose: Purpose,
    /// The data set that the records belong to.
    pub dataset: Option<&'a DatasetName>,
    /// The time that counts.
    pub now: Timestamp,
    /// Whether a grant that was given under this policy version has lapsed.
    pub lapsed: &'a dyn Fn(Option<&str>) -> bool,
}

impl fmt::Debug for SubjectQuestion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectQuestion")
            .field("tenant", &self.tenant)
            .field("purpose", &self.purpose)
            .field("dataset", &self.dataset)
            .finish_non_exhaustive()
    }
}

/// What the ledger says of a subject. Any no wins: that of all data over a yes for one data set, and the other way about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stance {
    /// Nothing.
    Unknown,
    /// It allows the use.
    Granted,
    /// It was allowed, and the time is over or has not come.
    Expired,
    /// It was allowed under a policy that no longer counts.
    Lapsed,
    /// It was taken back, refused or revoked.
    Withdrawn,
}

impl Stance {
    /// What two words about the same data say together: a no wins, then a yes, whatever their order.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Withdrawn, _) | (_, Self::Withdrawn) => Self::Withdrawn,
            (Self::Granted, _) | (_, Self::Granted) => Self::Granted,
            (Self::Lapsed, _) | (_, Self::Lapsed) => Self::Lapsed,
            (Self::Expired, _) | (_, Self::Expired) => Self::Expired,
            (Self::Unknown, Self::Unknown) => Self::Unknown,
        }
    }
}
