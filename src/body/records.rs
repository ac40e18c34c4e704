//! Records of a data set that are judged one by one, in the same pass in which they are censored.
//!
//! This room knows what a record is and what stands in it. What may become of it, somebody else says: [`RecordJudge`].

use std::sync::Arc;

use crate::body::json::JsonPlan;
use crate::body::{Facts, Job};
use crate::reason::Refusal;

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordVerdict {
    /// It passes, censored.
    Keep,
    /// It passes without whoever it is about.
    Anonymise,
    /// It is left out, with what separates it from others.
    Drop,
}

/// A record as its judge sees it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its number, from 1: the line, the element, the row.
    pub number: u64,
    /// What stood at the watched places.
    pub facts: &'a Facts,
    /// The censor found something of a special category in it.
    pub special: bool,
}

/// Judges the records of a file. A refusal ends the body; it is given the record's place as its detail.
pub trait RecordJudge: Send {
    /// Judges a record.
    ///
    /// # Errors
    /// If the file may not pass because of it.
    fn judge(&mut self, record: &Record<'_>) -> Result<RecordVerdict, Refusal>;

    /// Whether something that names the record's subject stands in a text of it, now that it was anonymised. It is asked of
    /// the text as it stands and once more for each layer of escapes in it, so that none hides a name.
    fn names(&self, record: &Record<'_>, text: &[u8]) -> bool;

    /// Whether a record that was to be anonymised may pass, now that it was, and its subject is `named` in it or not.
    ///
    /// # Errors
    /// As [`judge`](Self::judge).
    fn anonymised(&mut self, record: &Record<'_>, named: bool) -> Result<RecordVerdict, Refusal>;

    /// There are no records here that could be read.
    ///
    /// # Errors
    /// If such a file may not pass.
    fn unread(&mut self) -> Result<(), Refusal>;

    /// The last record was judged.
    ///
    /// # Errors
    /// If the file may not pass as it is now.
    fn end(&mut self) -> Result<(), Refusal>;
}

/// Judges JSON lines by what stands in them, and nothing else. For tests of what reads records.
impl<F: FnMut(u64, &Facts) -> Result<RecordVerdict, Refusal> + Send> RecordJudge for F {
    fn judge(&mut self, record: &Record<'_>) -> Result<RecordVerdict, Refusal> {
        self(record.number, record.facts)
    }

    fn names(&self, _: &Record<'_>, _: &[u8]) -> bool {
        false
    }

    fn anonymised(&mut self, _: &Record<'_>, _: bool) -> Result<RecordVerdict, Refusal> {
        Ok(RecordVerdict::Keep)
    }

    fn unread(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        Ok(())
    }
}

/// How the records of a file are read, and who judges them.
pub struct Records {
    /// The places that are watched, and what is taken out of every record.
    pub plan: Arc<JsonPlan>,
    /// How a record is anonymised.
    pub anonymous: Anonymous,
    /// Judges.
    pub judge: Box<dyn RecordJudge>,
}

/// How a record is anonymised.
#[derive(Clone)]
pub struct Anonymous {
    /// Takes personal data out of its texts.
    pub job: Job,
    /// Takes out what names its subject.
    pub plan: Arc<JsonPlan>,
}
