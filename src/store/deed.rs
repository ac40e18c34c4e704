//! What an operator did by a command, as the audit trail is told of it.

use jiff::Timestamp;

use super::types::{Resource, words};
use crate::names::{RequestId, TenantId};

words! {
    /// What was done.
    What {
        /// A resource that an account held before was assigned to a tenant.
        Adopted = "adopted",
        /// A resource that a lost call had made was given to whom the call was made for, and the call is closed.
        Given = "given",
        /// A resource that nobody owns was queued to be deleted upstream.
        TakenBack = "taken_back",
        /// A lost call of which nothing is left was closed.
        Closed = "call_closed",
    }
}

/// What an operator did. It is on record in the transaction that did it, until the audit trail has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Its number. No two have the same, ever.
    pub number: u64,
    /// When it was done.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// For whom.
    pub tenant: TenantId,
    /// With which resource; of a call that is closed there is none.
    pub resource: Option<Resource>,
    /// The call that made it or was closed, or the run that adopted it.
    pub request: RequestId,
}
