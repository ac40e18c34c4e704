//! What is still to be done upstream, or was: the values of the queue. Ids come from bodies: `Debug` never shows them.

use std::fmt;

use jiff::Timestamp;

use super::types::{Resource, words};
use crate::names::{RequestId, TenantId, UpstreamId};

words! {
    /// Why something is to be done.
    Cause {
        /// It was made and could not be recorded.
        Unrecorded = "unrecorded",
        /// A grant is no longer in force.
        Withdrawal = "withdrawal",
        /// It was to be stored so long and no longer.
        Storage = "storage",
        /// It is older than what is kept.
        Retention = "retention",
        /// Its owner leaves.
        Offboarding = "offboarding",
    }
}

words! {
    /// What is to be done.
    Aim {
        /// The call that takes back what could not be recorded.
        Undo = "undo",
        /// A job that runs is stopped, and is seen to be over.
        Cancel = "cancel",
        /// A job is looked at until it is over.
        Watch = "watch",
        /// A resource is deleted, and is seen to be gone.
        Delete = "delete",
    }
}

words! {
    /// Where a task is.
    Progress {
        /// It waits, or is tried again.
        Open = "open",
        /// It was tried often and in vain. It is tried still, and a person should look.
        Failed = "failed",
        /// A legal hold keeps it from going on.
        Held = "held",
        /// It is done.
        Done = "done",
    }
}

words! {
    /// What was found at the last try.
    Told {
        /// The upstream gave no answer.
        Unreachable = "unreachable",
        /// The upstream said no.
        Denied = "denied",
        /// What was deleted is there still.
        StillThere = "still_there",
        /// The job is not over.
        StillRunning = "still_running",
        /// The call was taken; what it did is asked next.
        Sent = "sent",
        /// A legal hold stands.
        Held = "held",
        /// The profile has no operation for it.
        NoOperation = "no_operation",
        /// The account is not in the configuration.
        NoUpstream = "no_upstream",
        /// It is gone.
        Gone = "gone",
        /// It is over.
        Over = "over",
        /// The undo was taken.
        Undone = "undone",
        /// It is somebody's by now, and stays.
        Owned = "owned",
    }
}

/// What a task is about.
#[derive(Clone, PartialEq, Eq)]
pub enum About {
    /// A resource on record.
    Resource(Resource),
    /// A call, for what is not on record.
    Call {
        /// The account.
        upstream: UpstreamId,
        /// The method.
        method: http::Method,
        /// The path, below the account's base.
        path: String,
        /// What it takes back, where that may come to be somebody's before it is tried.
        of: Option<Resource>,
    },
}

impl About {
    /// The account.
    #[must_use]
    pub const fn upstream(&self) -> &UpstreamId {
        match self {
            Self::Resource(resource) => &resource.upstream,
            Self::Call { upstream, .. } => upstream,
        }
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(resource) => resource.fmt(f),
            Self::Call { upstream, method, .. } => f
                .debug_struct("Call")
                .field("upstream", upstream)
                .field("method", method)
                .finish_non_exhaustive(),
        }
    }
}

/// Something that is to be done upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Whose it is, or was to be.
    pub tenant: TenantId,
    /// Why.
    pub cause: Cause,
    /// What.
    pub aim: Aim,
    /// About what.
    pub about: About,
    /// The request that left it behind; a fresh one, if none did.
    pub request: RequestId,
}

/// The number of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskId(pub(super) i64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for TaskId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A task on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOnRecord {
    /// Its number.
    pub id: TaskId,
    /// What is to be done.
    pub task: Task,
    /// Where it is.
    pub progress: Progress,
    /// The call was taken: what is left is to see that it worked.
    pub sent: bool,
    /// How often it was tried without success.
    pub attempts: u32,
    /// What was found at the last try.
    pub told: Option<Told>,
    /// When it was queued.
    pub queued: Timestamp,
    /// When it is due again.
    pub due: Timestamp,
    /// When it was done.
    pub ended: Option<Timestamp>,
}

/// What a try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// Where the task is now.
    pub progress: Progress,
    /// The call was taken.
    pub sent: bool,
    /// What was found.
    pub told: Told,
    /// When it is due again.
    pub again: Timestamp,
    /// Whether it counts as one in vain.
    pub in_vain: bool,
}

/// How the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Undos that are not done.
    pub undos: u64,
    /// Tasks that wait or are tried again.
    pub open: u64,
    /// Tasks that were tried often and in vain.
    pub failed: u64,
    /// Tasks that a legal hold keeps back.
    pub held: u64,
    /// Tasks that are done.
    pub done: u64,
    /// When the oldest that is not done was queued.
    pub oldest: Option<Timestamp>,
}
