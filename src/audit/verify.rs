//! Whether a trail is the one that was written.

use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::hmac;
use serde::Deserialize;

use super::chain::Link;
use super::error::{AuditError, Broken};
use super::files::{self, Line, Lines};
use super::head::{self, Place, Slots};
use super::recover;
use crate::reason::Reason;

/// What stands in a trail that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Segments.
    pub segments: u64,
    /// Entries of every type.
    pub entries: u64,
    /// Time of the first entry.
    pub first: Option<String>,
    /// Time of the last entry.
    pub last: Option<String>,
    /// Entries of requests by decision.
    pub decisions: BTreeMap<String, u64>,
    /// Refusals by reason, those of the gaps among them: equal to the sums of `consentry_blocked_total`.
    pub refusals: BTreeMap<String, u64>,
    /// Times at which the trail could not be written.
    pub gaps: u64,
    /// Crashes that left a torn end.
    pub torn: u64,
    /// Bytes behind the last entry that are not one yet: the gateway is writing, or was killed while it was.
    pub unfinished: u64,
    /// The newest entry's hash, in hexadecimal.
    pub head: String,
}

/// The members that are counted.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    time: &'a str,
    #[serde(default)]
    decision: Option<&'a str>,
    #[serde(default)]
    reason: Option<&'a str>,
    #[serde(default)]
    refused: u64,
    #[serde(default)]
    segment: u64,
}

/// Reads a whole trail, in memory for one line. With the key, the seal of the head is checked too; without it, a
/// trail that was written anew from its beginning can't be told from the first one. It may be written meanwhile.
///
/// # Errors
/// [`AuditError::Broken`] names file, line and what is wrong; [`AuditError::Failed`] if a file can't be read.
pub fn verify(folder: &Path, seal: Option<&hmac::Key>) -> Result<Summary, AuditError> {
    walk(folder, seal, &mut |_line| {})
}

/// The same, and shows each entry once it is seen to follow from the one before. Only at the end is it known that all of it holds.
pub(super) fn walk(
    folder: &Path,
    seal: Option<&hmac::Key>,
    each: &mut dyn FnMut(&[u8]),
) -> Result<Summary, AuditError> {
    // The head first: everything up to it has to be there when the segments are read.
    let slots = Slots::read(folder)?.ok_or_else(|| Broken::whole(head::NAME, "the file is missing"))?;
    let [Some((one, _)), Some((two, _))] = slots.0 else {
        return Err(Broken::whole(head::NAME, "a slot can't be read").into());
    };
    if let Some(seal) = seal {
        slots.check(seal)?;
    }
    let mut check = Check { heads: [one, two], link: Link::GENESIS, summary: Summary::default() };
    let segments = files::segments(folder)?;
    for (n, number) in segments.iter().enumerate() {
        if *number != n as u64 + 1 {
            return Err(Broken::whole(files::name(n as u64 + 1), "the segment is missing").into());
        }
        check.segment(folder, *number, n + 1 == segments.len(), each)?;
    }
    if check.heads.iter().any(|head| head.link.seq > check.link.seq) {
        let file = segments.last().map_or_else(|| files::name(1), |number| files::name(*number));
        return Err(Broken::whole(file, "entries are missing at the end").into());
    }
    check.summary.head = data_encoding::HEXLOWER.encode(&check.link.hash);
    Ok(check.summary)
}

struct Check {
    heads: [Place; 2],
    link: Link,
    summary: Summary,
}

impl Check {
    fn segment(
        &mut self,
        folder: &Path,
        number: u64,
        last: bool,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), AuditError> {
        let file = files::name(number);
        let mut lines = Lines::open(folder, number)?;
        self.summary.segments += 1;
        loop {
            let n = lines.count() + 1;
            match lines.next()? {
                Line::Whole(line) => {
                    let next = self.entry(line, number, n == 1);
                    self.link = next.map_err(|what| Broken::at(&file, n, what))?;
                    each(line);
                }
                Line::Torn if last => {
                    let whole = std::fs::metadata(folder.join(&file))?.len();
                    self.summary.unfinished = whole.saturating_sub(lines.offset());
                    break;
                }
                Line::Torn => return Err(Broken::at(&file, n, "the line has no end").into()),
                Line::End => break,
            }
        }
        if lines.count() == 0 && self.summary.unfinished == 0 {
            return Err(Broken::whole(file, "the segment is empty").into());
        }
        Ok(())
    }

    fn entry(&mut self, line: &[u8], segment: u64, first: bool) -> Result<Link, &'static str> {
        let link = self.link.follow(line)?;
        self.heads_agree(link, segment)?;
        let members: Members<'_> =
            serde_json::from_slice(line).map_err(|_not_json| "the entry is not JSON")?;
        // Otherwise an entry could be moved from the end of one segment to the beginning of the next.
        let begins = members.kind == "segment";
        if begins != first
            || begins && (members.segment != segment || recover::before(line) != Some(self.link))
        {
            return Err("the segment does not begin with its own first entry");
        }
        count(&mut self.summary, &members);
        Ok(link)
    }

    fn heads_agree(&self, link: Link, segment: u64) -> Result<(), &'static str> {
        let mut heads = self.heads.iter().filter(|head| head.link.seq == link.seq);
        if heads.all(|head| head.link.hash == link.hash && head.segment == segment) {
            Ok(())
        } else {
            Err("the entry is not the one that the head names")
        }
    }
}

fn count(summary: &mut Summary, members: &Members<'_>) {
    summary.entries += 1;
    if summary.first.is_none() {
        summary.first = Some(members.time.to_owned());
    }
    members.time.clone_into(summary.last.get_or_insert_default());
    let mut refused = |reason: &str, n: u64| *summary.refusals.entry(reason.to_owned()).or_default() += n;
    match members.kind {
        "decision" => {
            members.reason.iter().for_each(|reason| refused(reason, 1));
            if let Some(decision) = members.decision {
                *summary.decisions.entry(decision.to_owned()).or_default() += 1;
            }
        }
        "gap" => {
            summary.gaps += 1;
            if members.refused > 0 {
                refused(Reason::AuditUnavailable.code(), members.refused);
            }
        }
        "torn" => summary.torn += 1,
        _ => {}
    }
}
