//! What happened, and can it be proven?
//!
//! One entry per decision, as a line of JSON in a folder of segments (`audit-000001.jsonl`, …). Each entry carries
//! `SHA-256(hash of the entry before ‖ its own bytes)`, each segment begins with an entry that names the last hash
//! of the one before, and `head.json` holds number and hash of the newest entry, sealed with a key that does not lie
//! in the folder. So a changed, removed, added or reordered entry, a missing segment and a cut end are all found by
//! [`verify`].
//!
//! One thread writes. Refusals, training uses and changes wait until their entry is on the disk
//! ([`Slot::durable`]); allowed inference is written in groups, at the latest after a stated window
//! ([`Slot::write`]). Every request takes a [`Slot`] before it is let on: there are only so many, so a slow disk slows
//! the callers down, and nothing is ever dropped. What a killed process can lose is the window; what was answered as
//! durable is never lost.
//!
//! An [`Entry`] is made of configured names, reasons, numbers and keyed hashes ([`Keyed`]): it can't hold body text.

mod breach;
mod chain;
mod entry;
mod error;
mod files;
mod head;
mod keyed;
mod queue;
mod recover;
mod trail;
mod verify;
mod writer;

pub use breach::{Passed, Window, breach};
pub use entry::{Decision, Entry, Found, JudgedFinding, JudgedRecords, Mark, Named, Records, Role};
pub use error::{AuditError, Broken};
pub use keyed::{Keyed, Keyer};
pub use trail::{Audit, Options, Slot, Stats};
pub use verify::{Summary, verify};

#[cfg(test)]
mod tests;
