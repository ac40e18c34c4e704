//! The values that go into the store and come out of it. Ids come from bodies: `Debug` never shows them.

use std::fmt;

use jiff::Timestamp;

use super::making::{Making, Parent, Relation};
use crate::names::{DatasetName, Kind, Label, OperationId, Purpose, RequestId, TenantId, UpstreamId, Via};

/// A set of words that is kept as text.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The word in the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value of a word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

pub(super) use words;

/// The key of a resource: ids are unique within an upstream account and a kind.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The account.
    pub upstream: UpstreamId,
    /// The kind.
    pub kind: Kind,
    /// The id, as the upstream gave it.
    pub id: String,
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("upstream", &self.upstream)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Records that a resource is a tenant's.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The resource.
    pub resource: Resource,
    /// Whose it is.
    pub tenant: TenantId,
    /// The data set that it holds or was made from.
    pub dataset: Option<DatasetName>,
    /// What it was made for, where that decides what it may be used for.
    pub label: Option<Label>,
    /// For which uses its records were judged.
    pub judged: JudgedFor,
    /// What made it known, and from what.
    pub made: Making,
}

/// For which uses the records that a resource holds, or was made of, were judged one by one on their way up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct JudgedFor(u8);

impl JudgedFor {
    /// For none: it came before records were judged, or in another way.
    pub const NOTHING: Self = Self(0);

    /// There were no records in it that could be read, and the policy of that day let it pass.
    const UNREAD: u8 = 0x80;

    const fn bit(purpose: Purpose) -> u8 {
        match purpose {
            Purpose::Train => 1,
            Purpose::Evaluate => 2,
            Purpose::Annotate => 4,
            Purpose::Inference | Purpose::Share | Purpose::Store | Purpose::Statistics => 0,
        }
    }

    /// For these.
    pub fn of<'p>(purposes: impl IntoIterator<Item = &'p Purpose>, unread: bool) -> Self {
        let bits = purposes.into_iter().fold(0, |bits, purpose| bits | Self::bit(*purpose));
        Self(if bits != 0 && unread { bits | Self::UNREAD } else { bits })
    }

    /// Whether it may be put to a use as far as its records are concerned: they were judged for it, or let pass unread and
    /// still would be.
    #[must_use]
    pub const fn covers(self, purpose: Purpose, unread_passes: bool) -> bool {
        self.0 & Self::bit(purpose) != 0 && (unread_passes || self.0 & Self::UNREAD == 0)
    }

    /// What holds of two resources together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        let uses = self.0 & other.0 & !Self::UNREAD;
        Self(if uses == 0 { 0 } else { uses | (self.0 | other.0) & Self::UNREAD })
    }

    /// What holds of one resource for these uses and for those.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// As the store keeps it.
    #[must_use]
    pub const fn to_bits(self) -> u8 {
        self.0
    }

    /// What [`to_bits`](Self::to_bits) gave.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

words! {
    /// Where a resource is in its life.
    State {
        /// It can be used.
        Active = "active",
        /// It has come to its end by itself (a job that has run).
        Finished = "finished",
        /// It may not be used until a person says so.
        Quarantined = "quarantined",
    }
}

/// Whose a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The tenant.
    pub tenant: TenantId,
    /// The data set.
    pub dataset: Option<DatasetName>,
    /// What it was made for.
    pub label: Option<Label>,
    /// For which uses its records were judged.
    pub judged: JudgedFor,
    /// It was deleted: unknown to everybody.
    pub ended: bool,
    /// Where it is in its life.
    pub state: State,
}

/// A part of a tenant's resources.
#[derive(Clone, Default)]
pub struct Page {
    /// Begin behind this id, in the order asked for.
    pub after: Option<String>,
    /// End before this id, in the order asked for.
    pub before: Option<String>,
    /// Newest first.
    pub newest_first: bool,
    /// At most so many; at least one is given if there is one.
    pub limit: u32,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("after", &self.after.is_some())
            .field("before", &self.before.is_some())
            .field("newest_first", &self.newest_first)
            .field("limit", &self.limit)
            .finish()
    }
}

/// A page of a tenant's resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The items.
    pub items: Vec<OwnedItem>,
    /// There are more behind the last one.
    pub more: bool,
    /// `after` or `before` is not an id of this tenant and kind: nothing is shown.
    pub unknown_cursor: bool,
}

/// A resource in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedItem {
    /// The id.
    pub id: String,
    /// The data set.
    pub dataset: Option<DatasetName>,
    /// Where it is in its life.
    pub state: State,
    /// When it was claimed.
    pub claimed: Timestamp,
}

impl fmt::Debug for OwnedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedItem").field("state", &self.state).finish_non_exhaustive()
    }
}

/// A creating call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Whose call it is.
    pub tenant: TenantId,
    /// Where it goes.
    pub upstream: UpstreamId,
    /// What it is.
    pub operation: OperationId,
    /// The request.
    pub request: RequestId,
    /// The data set that what it makes will belong to.
    pub dataset: Option<DatasetName>,
    /// What that is said to be for, if some use asks for it.
    pub label: Option<Label>,
    /// A keyed hash of what it is said to be for, whatever that is: the words are the caller's.
    pub said: Option<String>,
    /// What it will have been made from.
    pub from: Vec<Parent>,
}

/// The number of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntentId(pub(super) i64);

/// An intent that was not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// Its number.
    pub id: IntentId,
    /// What was begun.
    pub intent: Intent,
    /// When.
    pub begun: Timestamp,
    /// When it was seen that its outcome is lost. None: it may be under way.
    pub lost: Option<Timestamp>,
}

/// A call that takes something back upstream.
#[derive(Clone, PartialEq, Eq)]
pub struct Doom {
    /// Whose it was to be.
    pub tenant: TenantId,
    /// The account.
    pub upstream: UpstreamId,
    /// The method of the undo.
    pub method: http::Method,
    /// The path of the undo, below the upstream's base.
    pub path: String,
    /// The request that left it behind.
    pub request: RequestId,
}

impl fmt::Debug for Doom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doom")
            .field("tenant", &self.tenant)
            .field("upstream", &self.upstream)
            .field("method", &self.method)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// The number of an undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DoomId(pub(super) i64);

/// An undo that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number.
    pub id: DoomId,
    /// What to do.
    pub doom: Doom,
    /// How often it was tried without success.
    pub attempts: u32,
    /// What it deletes, where that may have come to be somebody's since.
    pub of: Option<Resource>,
}

/// Which way to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Towards {
    /// To what it was made from.
    Parents,
    /// To what was made from it.
    Children,
}

/// A resource in a lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The resource.
    pub resource: Resource,
    /// Whose it is.
    pub tenant: TenantId,
    /// It was deleted.
    pub ended: bool,
    /// Where it is in its life.
    pub state: State,
}

/// A step of a lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What was made from the other, or lives in it.
    pub child: Node,
    /// The other.
    pub parent: Node,
    /// How.
    pub relation: Relation,
    /// By which place the one named the other, if that is on record.
    pub via: Option<Via>,
    /// Steps from where the walk began: 1 for the first.
    pub depth: u32,
}

words! {
    /// Where an upload is.
    UploadState {
        /// Parts may come.
        Open = "open",
        /// It is being put together.
        Completing = "completing",
        /// The file is upstream.
        Completed = "completed",
        /// The caller gave it up.
        Cancelled = "cancelled",
    }
}

/// An upload that the gateway puts together from parts.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// The gateway's own id.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where the file will go.
    pub upstream: UpstreamId,
    /// The API's word for what the file is for (`fine-tune`).
    pub purpose: String,
    /// The file's name, as the caller gave it.
    pub filename: String,
    /// The file's type, as the caller gave it.
    pub mime: String,
    /// The bytes that the caller declared.
    pub bytes: u64,
    /// The data set.
    pub dataset: Option<DatasetName>,
    /// Where it is.
    pub state: UploadState,
    /// When it was opened.
    pub opened: Timestamp,
    /// The parts, in order of arrival.
    pub parts: Vec<UploadPart>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("tenant", &self.tenant)
            .field("bytes", &self.bytes)
            .field("state", &self.state)
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}

/// A part of an upload.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadPart {
    /// The gateway's own id.
    pub id: String,
    /// Its length.
    pub bytes: u64,
    /// The name of its file in the spool.
    pub spool: String,
}

impl fmt::Debug for UploadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadPart").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
