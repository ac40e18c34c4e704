//! What must be remembered?
//!
//! One trait per need: who owns a resource ([`Ownership`]), who else may see it ([`Shares`]), what was begun
//! ([`Intents`]), what has to be taken back ([`Doomed`]), what came from what ([`Lineage`]), which upload is being put
//! together ([`Uploads`]), what an operator did by a command ([`Deeds`]) and who allowed what ([`Consents`],
//! [`SubjectConsent`]). [`Sqlite`] is the embedded implementation. Every method that
//! changes something answers after the change is on the disk; an answer is the proof.
//!
//! The store knows names and ids. It holds no body text but the file name of an upload that is under way.

mod cache;
mod consent;
mod deed;
mod error;
mod making;
mod share;
mod sqlite;
mod types;

use std::pin::Pin;

use jiff::Timestamp;

pub use consent::{
    Chain, ChainKey, Change, Digest, LedgerEntry, LedgerScope, RecordId, Recorded, Stance, SubjectQuestion,
    Which,
};
pub use deed::{Deed, What};
pub use error::StoreError;
pub use making::{Making, Origin, Parent, Relation};
pub use share::{Audience, Granted, Right, Share, ShareOnRecord, Shared};
pub use sqlite::{Options, Sqlite, Stats};
pub use types::{
    Attempt, Claim, Doom, DoomId, Edge, Intent, IntentId, JudgedFor, Node, OpenIntent, Owned, OwnedItem,
    Page, Resource, Slice, State, Towards, Upload, UploadPart, UploadState,
};

use crate::names::{Kind, SubjectHash, TenantId, UpstreamId, Via};

/// The answer of the store, as it comes.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Whose is it? The key of a resource is (upstream account, kind, id). An owner never changes until the resource is
/// ended, so it may be cached; that nobody owns an id is never cached.
pub trait Ownership: Send + Sync {
    /// The owner of a warm id, without waiting. `None` says nothing: ask [`Ownership::owner`].
    fn cached(&self, upstream: &UpstreamId, kind: &Kind, id: &str) -> Option<Owned>;

    /// The owner of an id. An ended one is shown as such (`ended`), and is unknown to everybody.
    fn owner(&self, upstream: &UpstreamId, kind: &Kind, id: &str) -> Fut<'_, Option<Owned>>;

    /// The owners of many ids of one kind, in their order (a page of a list).
    fn owners(&self, upstream: &UpstreamId, kind: &Kind, ids: Vec<String>) -> Fut<'_, Vec<Option<Owned>>>;

    /// Records all the claims or none, with their lineage.
    ///
    /// Claiming again what the tenant owns changes nothing. An id that another tenant owns, or owned until it was
    /// ended, is a [`StoreError::Conflict`]. The tenant's own ended id comes to life again only by
    /// [`Origin::Created`]; a parent that is not on record is a [`StoreError::ParentUnknown`].
    fn claim(&self, claims: Vec<Claim>) -> Fut<'_, ()>;

    /// Ends a resource: from now on its id is unknown to everybody. False if it was not on record or ended before.
    fn end(&self, resource: Resource) -> Fut<'_, bool>;

    /// Sets the state of a live resource. False if there is none.
    fn set_state(&self, resource: Resource, state: State) -> Fut<'_, bool>;

    /// The live resources of a kind that are the tenant's own or shared with it, in the order in which they were claimed.
    fn owned(&self, upstream: &UpstreamId, kind: &Kind, tenant: &TenantId, page: Page) -> Fut<'_, Slice>;
}

/// Who else may see it? The owner's word, read anew for every decision: what is taken back is gone with the next
/// request, whoever took it back. A share ends with its resource.
pub trait Shares: Send + Sync {
    /// Shares a live resource; an earlier share with the same audience is replaced.
    fn share(&self, share: Share) -> Fut<'_, Shared>;

    /// Takes a share back. False if there was none.
    fn unshare(&self, resource: Resource, with: Audience) -> Fut<'_, bool>;

    /// What a tenant may do with each of these ids of one kind that it does not own, in their order. An id that
    /// nobody has is as good as one that is not shared.
    fn granted(
        &self,
        upstream: &UpstreamId,
        kind: &Kind,
        ids: Vec<String>,
        tenant: &TenantId,
    ) -> Fut<'_, Vec<Option<Granted>>>;

    /// The shares in force, of one owner or of all; with `past`, those that were taken back too.
    fn shares(&self, owner: Option<&TenantId>, past: bool) -> Fut<'_, Vec<ShareOnRecord>>;
}

/// What was begun and may have had its effect? Recorded before a call that creates, settled in the transaction that
/// records what was created: what stays open after a crash may be an orphan.
pub trait Intents: Send + Sync {
    /// Records that a creating call is about to be made.
    fn begin(&self, intent: Intent) -> Fut<'_, IntentId>;

    /// The call has had no effect, or its effect is on record.
    fn settle(&self, intent: IntentId) -> Fut<'_, ()>;

    /// Its outcome was lost, and nobody waits for it any more: it stays open until somebody looks what came of it.
    fn lose(&self, intent: IntentId) -> Fut<'_, ()>;

    /// Records claims and settles the intent, both or neither.
    fn claim_and_settle(&self, claims: Vec<Claim>, intent: IntentId) -> Fut<'_, ()>;

    /// The open intents, oldest first. Those of a process that has ended are lost.
    fn open(&self) -> Fut<'_, Vec<OpenIntent>>;
}

/// What has to be taken back upstream? A durable queue of calls that undo.
pub trait Doomed: Send + Sync {
    /// Queues an undo. If an intent is named, it is settled in the same transaction.
    fn doom(&self, doom: Doom, settles: Option<IntentId>) -> Fut<'_, DoomId>;

    /// Up to `limit` undos that are due at `now`, oldest first. They stay queued. One that names what it deletes must not be
    /// tried once somebody owns that.
    fn due(&self, now: Timestamp, limit: u32) -> Fut<'_, Vec<Attempt>>;

    /// The undo was tried without success; it is due again at `again`.
    fn postpone(&self, doom: DoomId, again: Timestamp) -> Fut<'_, ()>;

    /// The undo is done.
    fn done(&self, doom: DoomId) -> Fut<'_, ()>;

    /// How many undos are queued.
    fn waiting(&self) -> Fut<'_, u64>;
}

/// What did the operator do by a command? Each deed is one transaction, and the note of it for the audit trail is in it.
pub trait Deeds: Send + Sync {
    /// Records what is assigned, all or none. What was on record already makes no note.
    fn adopt(&self, claims: Vec<Claim>) -> Fut<'_, ()>;

    /// Records what a lost call made, and closes the call. If it is closed already, that is a [`StoreError::Conflict`].
    fn give(&self, claim: Claim, call: IntentId) -> Fut<'_, ()>;

    /// Queues the deletion of what nobody owns. None: somebody does.
    fn take_back(&self, resource: Resource, doom: Doom) -> Fut<'_, Option<DoomId>>;

    /// Closes a call. False if it is closed already.
    fn close(&self, call: &OpenIntent) -> Fut<'_, bool>;

    /// Deeds that the audit trail has not been told of, oldest first.
    fn untold_deeds(&self, limit: u32) -> Fut<'_, Vec<Deed>>;

    /// The audit trail has everything up to this number.
    fn deeds_told(&self, through: u64) -> Fut<'_, ()>;
}

/// What came from what? Edges are recorded with claims.
pub trait Lineage: Send + Sync {
    /// Adds an edge between two resources on record. Adding it again changes nothing.
    fn link(&self, child: Resource, parent: Resource, relation: Relation, via: Via) -> Fut<'_, ()>;

    /// What is on record of a resource: its newest life, ended or not.
    fn node(&self, resource: Resource) -> Fut<'_, Option<Node>>;

    /// All edges that can be reached from a resource, nearest first, at most `limit`.
    fn lineage(&self, from: Resource, towards: Towards, limit: u32) -> Fut<'_, Vec<Edge>>;
}

/// Which uploads are being put together by the gateway itself?
pub trait Uploads: Send + Sync {
    /// Records a new upload, without parts.
    fn open_upload(&self, upload: Upload) -> Fut<'_, ()>;

    /// The upload with its parts in order of arrival, if it is the tenant's.
    fn upload(&self, tenant: &TenantId, id: &str) -> Fut<'_, Option<Upload>>;

    /// Adds a part to an open upload. False if the upload is not open, or would grow beyond what it declared.
    fn add_part(&self, tenant: &TenantId, upload: &str, part: UploadPart) -> Fut<'_, bool>;

    /// Moves an upload from one state to another. False if it was not in the first.
    fn move_upload(&self, tenant: &TenantId, id: &str, from: UploadState, to: UploadState) -> Fut<'_, bool>;

    /// Uploads that were opened before a time and are still in a state.
    fn uploads_before(&self, state: UploadState, before: Timestamp) -> Fut<'_, Vec<Upload>>;

    /// Forgets an upload and its parts.
    fn forget_upload(&self, tenant: &TenantId, id: &str) -> Fut<'_, bool>;
}

/// Who allowed what? An append-only ledger: a withdrawal is an entry of its own, and each entry is chained to the one
/// before.
pub trait Consents: Send + Sync {
    /// Appends entries, all or none, and returns the number of the first. Numbers have no gaps.
    fn record(&self, entries: Vec<LedgerEntry>, key: ChainKey) -> Fut<'_, u64>;

    /// Entries in their order.
    fn ledger(&self, which: Which) -> Fut<'_, Vec<Recorded>>;

    /// Follows the chain from the first entry to the last.
    fn verify(&self, key: ChainKey) -> Fut<'_, Chain>;

    /// The entries of a tenant that are about no single subject, oldest first, as they are at this moment: the ledger's end is
    /// read from the file, whoever wrote there last, and what is not known yet is read too. It waits for no other thread.
    ///
    /// # Errors
    /// If the file can't be read. Then nothing is granted.
    fn standing(&self, tenant: &TenantId) -> Result<std::sync::Arc<[Recorded]>, StoreError>;

    /// Entries that nobody was told of yet, oldest first.
    fn untold(&self, limit: u32) -> Fut<'_, Vec<Recorded>>;

    /// Everything up to this number was told to the audit trail.
    fn told(&self, number: u64) -> Fut<'_, ()>;
}

/// What did data subjects allow? Answered from memory, which is brought up to the ledger's end before each answer: a withdrawal
/// that is on the disk counts, by whichever process it was made.
pub trait SubjectConsent: Send + Sync {
    /// What each of these subjects says, in their order; `stances` is cleared first. One call looks at the ledger's end once
    /// (a few microseconds), so ask for many subjects at a time, and again for what comes later. It waits for no other
    /// thread, and may be called where a body is read.
    ///
    /// # Errors
    /// If the ledger can't be read. Then nothing is granted.
    fn stances(
        &self,
        question: &SubjectQuestion<'_>,
        subjects: &[SubjectHash],
        stances: &mut Vec<Stance>,
    ) -> Result<(), StoreError>;
}

/// Everything together, for the room that holds the store.
pub trait Store:
    Ownership + Shares + Intents + Doomed + Deeds + Lineage + Uploads + Consents + SubjectConsent
{
    /// Writes as much as a busy commit does and removes it, to find out whether the store can record.
    fn probe(&self) -> Fut<'_, ()>;

    /// Whether the store could do its last work. After a fault the store is tried again by itself, as long as somebody
    /// asks here.
    ///
    /// # Errors
    /// The fault that it met and has not overcome since.
    fn health(&self) -> Result<(), StoreError>;
}
