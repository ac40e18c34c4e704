//! All records of a file: judged one by one, counted, and told of line by line.

use std::io::Write;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use super::{Finding, Record, RecordAction, RecordPolicy, SubjectStatus, Uses, Verdict, judge};
use crate::reason::{Reason, Refusal, SafeText};

/// Lines that a report names; all are counted, and all are in its hash.
const LINES: usize = 10_000;

/// Proof that all records of a file were judged, or that the policy lets such a file pass unjudged. Only [`Judging`]
/// makes it.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    unread: bool,
}

impl Judged {
    /// There were no records to be read, and the policy lets such a file pass.
    #[must_use]
    pub const fn unread(self) -> bool {
        self.unread
    }
}

/// A record that did not simply pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1: the line, the element of the array, the row below the names.
    pub number: u64,
    /// What became of it.
    pub action: RecordAction,
    /// Why.
    pub finding: Finding,
}

impl Line {
    /// Its line in a report: JSON, with its end.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Self { number, action, finding } = self;
        let (action, finding) = (action.as_str(), finding.as_str());
        let _ok = writeln!(out, "{{\"record\":{number},\"action\":\"{action}\",\"finding\":\"{finding}\"}}");
    }
}

/// What became of the records of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed, but for what the censor found.
    pub kept: u64,
    /// Passed without their subjects.
    pub anonymised: u64,
    /// Left out.
    pub dropped: u64,
    /// Files that passed unjudged, because the policy lets them.
    pub unread: u64,
    /// By finding and action, where there are any.
    pub by: Vec<(Finding, RecordAction, u64)>,
}

impl Counts {
    fn add(&mut self, action: RecordAction, finding: Option<Finding>) {
        match action {
            RecordAction::Pass => self.kept += 1,
            RecordAction::Anonymise => self.anonymised += 1,
            RecordAction::Drop => self.dropped += 1,
            RecordAction::Refuse => {}
        }
        let Some(finding) = finding else { return };
        match self.by.iter_mut().find(|(known, done, _)| (*known, *done) == (finding, action)) {
            Some((_, _, count)) => *count += 1,
            None => self.by.push((finding, action, 1)),
        }
    }

    /// Adds those of another file.
    pub fn add_all(&mut self, other: &Self) {
        self.kept += other.kept;
        self.anonymised += other.anonymised;
        self.dropped += other.dropped;
        self.unread += other.unread;
        for (finding, action, count) in &other.by {
            match self.by.iter_mut().find(|(known, done, _)| (known, done) == (finding, action)) {
                Some((_, _, sum)) => *sum += count,
                None => self.by.push((*finding, *action, *count)),
            }
        }
    }
}

/// Judges the records of one file.
pub struct Judging {
    policy: Arc<RecordPolicy>,
    uses: Uses,
    counts: Counts,
    lines: Vec<Line>,
    /// Over the report's lines, all of them.
    hash: Context,
    scratch: Vec<u8>,
}

impl Judging {
    /// A file that is put to these uses.
    #[must_use]
    pub fn new(policy: Arc<RecordPolicy>, uses: Uses) -> Self {
        let (counts, lines, scratch) = (Counts::default(), Vec::new(), Vec::new());
        Self { policy, uses, counts, lines, hash: Context::new(&SHA256), scratch }
    }

    /// The uses.
    #[must_use]
    pub const fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Judges a record. One that is to be anonymised is counted when that is done: see [`anonymised`](Self::anonymised).
    ///
    /// # Errors
    /// If the policy refuses the file for it.
    pub fn judge(
        &mut self,
        number: u64,
        record: &Record<'_>,
        status: SubjectStatus,
    ) -> Result<RecordAction, Refusal> {
        let Verdict { action, finding } = judge(record, status, &self.uses, &self.policy);
        match (action, finding) {
            (RecordAction::Refuse, finding) => {
                Err(refusal(finding.map_or("it may not be used so", Finding::title)))
            }
            (RecordAction::Anonymise, Some(_)) => Ok(action),
            (action, finding) => {
                self.count(number, action, finding);
                Ok(action)
            }
        }
    }

    /// A record was anonymised: whether it may pass now. It may not if something that names its subject still stands in it
    /// (see [`Names`](super::Names)).
    pub fn anonymised(
        &mut self,
        number: u64,
        record: &Record<'_>,
        status: SubjectStatus,
        named: bool,
    ) -> RecordAction {
        let finding = if named {
            Some(Finding::StillNamed)
        } else {
            judge(record, status, &self.uses, &self.policy).finding
        };
        let action = if named { RecordAction::Drop } else { RecordAction::Anonymise };
        self.count(number, action, finding);
        action
    }

    fn count(&mut self, number: u64, action: RecordAction, finding: Option<Finding>) {
        self.counts.add(action, finding);
        let Some(finding) = finding else { return };
        let line = Line { number, action, finding };
        self.scratch.clear();
        line.write(&mut self.scratch);
        self.hash.update(&self.scratch);
        if self.lines.len() < LINES {
            self.lines.push(line);
        }
    }

    /// The file holds no records that could be read.
    ///
    /// # Errors
    /// Unless the policy lets such files pass.
    pub fn unread(&mut self) -> Result<Judged, Refusal> {
        if self.policy.other_files_pass {
            self.counts.unread += 1;
            return Ok(Judged { unread: true });
        }
        Err(Refusal::new(Reason::RecordsUnreadable).detail("the file's format is not read record by record"))
    }

    /// All records were judged.
    ///
    /// # Errors
    /// If none of them is left: an empty file is of no use to anybody.
    pub fn end(&mut self) -> Result<Judged, Refusal> {
        let Counts { kept, anonymised, dropped, .. } = self.counts;
        if kept == 0 && anonymised == 0 && dropped > 0 {
            return Err(refusal("no record of the file may be used so"));
        }
        Ok(Judged { unread: false })
    }

    /// What became of them so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The first of those that did not simply pass.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// SHA-256 over the lines of the report, those beyond its length included.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.hash.clone().finish().as_ref());
        hash
    }
}

fn refusal(detail: &'static str) -> Refusal {
    Refusal::new(Reason::RecordRefused).detail(SafeText::from(detail))
}
