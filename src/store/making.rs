//! What made a resource known, and from what. No claim can be made without it, so that no lineage is forgotten.

use std::fmt;

use super::types::words;
use crate::names::{Kind, OperationId, RequestId, Via};

/// What made a resource known, and from what.
#[derive(Clone, Debug)]
pub struct Making {
    /// How it came to be known.
    pub origin: Origin,
    /// The operation that showed it.
    pub operation: OperationId,
    /// The request that showed it.
    pub request: RequestId,
    /// What it was made from or lives in. What was made from nothing says so.
    pub from: Vec<Parent>,
}

/// A parent of a claimed resource, in the same upstream account. It has to be on record, or be claimed before in the
/// same call.
#[derive(Clone, PartialEq, Eq)]
pub struct Parent {
    /// The kind.
    pub kind: Kind,
    /// The id.
    pub id: String,
    /// How the child hangs on it.
    pub relation: Relation,
    /// The place by which the one names the other.
    pub via: Via,
}

impl fmt::Debug for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parent")
            .field("kind", &self.kind)
            .field("relation", &self.relation)
            .field("via", &self.via)
            .finish_non_exhaustive()
    }
}

words! {
    /// How a child hangs on its parent.
    Relation {
        /// It was made from it: file, job, model.
        Derived = "derived",
        /// It lives in it: a message in a thread.
        Part = "part",
    }
}

words! {
    /// How a resource came to be known.
    Origin {
        /// The tenant's own call made it: an ended id of the tenant comes to life again.
        Created = "created",
        /// It was first seen in an answer about a resource of the tenant: what was ended stays ended.
        Yielded = "yielded",
        /// An operator assigned it: what was ended stays ended.
        Adopted = "adopted",
    }
}
