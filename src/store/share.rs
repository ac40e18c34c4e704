//! What an owner shows to others: the values of shares.

use std::fmt;

use jiff::Timestamp;

use super::types::Resource;
use crate::names::{Access, TenantId};

/// What a share allows. Using includes reading; changing and deleting stay the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Read it: retrieve it and what is part of it, see it in lists.
    Read,
    /// Name it in calls too: answer with the model, train on the file.
    Use,
}

impl Right {
    /// The word in the store and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Use => "use",
        }
    }

    /// The value of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Read, Self::Use].into_iter().find(|right| right.as_str() == word)
    }

    /// Whether it allows this.
    #[must_use]
    pub const fn allows(self, access: Access) -> bool {
        match access {
            Access::Read => true,
            Access::Use => matches!(self, Self::Use),
            Access::Change => false,
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// With whom a resource is shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// One tenant.
    Tenant(TenantId),
    /// Every tenant: the resource is public.
    Everyone,
}

impl Audience {
    /// The tenant, if it is one.
    #[must_use]
    pub const fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Tenant(tenant) => Some(tenant),
            Self::Everyone => None,
        }
    }
}

/// A share to be recorded.
#[derive(Clone, Debug)]
pub struct Share {
    /// What is shared.
    pub resource: Resource,
    /// With whom.
    pub with: Audience,
    /// What they may do.
    pub right: Right,
    /// Not after.
    pub until: Option<Timestamp>,
    /// Who recorded it.
    pub recorded_by: String,
}

/// What came of recording a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// It is in force; an earlier one with the same audience is replaced.
    Recorded,
    /// Nobody owns the resource, or it was ended.
    Unknown,
    /// It is the owner with whom it would be shared.
    Owner,
}

/// A share on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareOnRecord {
    /// What is shared.
    pub resource: Resource,
    /// Whose it is.
    pub owner: TenantId,
    /// With whom.
    pub with: Audience,
    /// What they may do.
    pub right: Right,
    /// Since when.
    pub since: Timestamp,
    /// Not after.
    pub until: Option<Timestamp>,
    /// When it was taken back or replaced, or the resource was ended.
    pub withdrawn: Option<Timestamp>,
    /// Who recorded it.
    pub recorded_by: String,
}

/// What a tenant may do with somebody else's resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The widest of what is shared.
    pub right: Right,
    /// Everybody may read it.
    pub public: bool,
}
