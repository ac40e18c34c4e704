//! Opening a trail: what stands in it up to the head must be what was written; what a crash left behind the head is
//! kept as far as it is whole, put aside as far as it is not, and both are told in an entry.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::hmac;

use super::chain::Link;
use super::error::{AuditError, Broken};
use super::files::{self, Line, Lines};
use super::head::{self, Place, Slots};

/// Where a trail goes on.
pub(super) struct Recovered {
    /// The newest whole entry.
    pub(super) place: Place,
    /// Bytes of the newest segment.
    pub(super) length: u64,
    /// Bytes that were put aside.
    pub(super) torn: u64,
}

/// Reads the end of the trail.
///
/// # Errors
/// [`AuditError::Broken`] if an entry up to the head is missing or another than was written.
pub(super) fn recover(folder: &Path, seal: &hmac::Key) -> Result<Recovered, AuditError> {
    let segments = files::segments(folder)?;
    let Some(slots) = Slots::read(folder)? else {
        if segments.is_empty() {
            return Ok(Recovered { place: Place::GENESIS, length: 0, torn: 0 });
        }
        return Err(Broken::whole(head::NAME, "the file is missing").into());
    };
    slots.check(seal)?;
    let (_, head) = slots.newest().ok_or_else(|| Broken::whole(head::NAME, "neither slot can be read"))?;
    let mut end = Recovered { place: Place::GENESIS, length: 0, torn: 0 };
    let mut reached = head == Place::GENESIS;
    let found = segments.into_iter().filter(|number| *number >= head.segment);
    for (expected, number) in (head.segment.max(1)..).zip(found) {
        // Behind a tear nothing can be trusted.
        let whole =
            if end.torn == 0 && number == expected { scan(folder, number, &mut end, head)? } else { 0 };
        reached |= end.place.segment == head.segment && end.place.link.seq >= head.link.seq;
        if !reached {
            return Err(
                Broken::whole(files::name(number), "entries up to the head are missing or changed").into()
            );
        }
        end.torn += put_aside(folder, number, whole)?;
    }
    if !reached {
        return Err(Broken::whole(files::name(head.segment), "the segment of the head is missing").into());
    }
    Ok(end)
}

/// Follows the chain through a segment; gives the bytes up to which it holds.
fn scan(folder: &Path, number: u64, end: &mut Recovered, head: Place) -> Result<u64, AuditError> {
    let mut lines = Lines::open(folder, number)?;
    let mut link = end.place.link;
    if end.place.segment == 0 && number > 1 {
        // The first segment that is read names the hash before it; that it is true is for `verify` to say.
        link = match lines.next()? {
            Line::Whole(line) => {
                before(line).ok_or_else(|| Broken::at(&files::name(number), 1, "no beginning"))?
            }
            Line::Torn | Line::End => return Ok(0),
        };
        lines = Lines::open(folder, number)?;
    }
    let mut whole = 0;
    while let Line::Whole(line) = lines.next()? {
        let Ok(next) = link.follow(line) else { break };
        link = next;
        if link.seq == head.link.seq && link.hash != head.link.hash {
            return Err(Broken::at(&files::name(number), lines.count(), "the entry is not the head's").into());
        }
        whole = lines.offset();
        end.place = Place { segment: number, link };
        end.length = whole;
    }
    Ok(whole)
}

/// The link before a segment's first entry, as the entry says.
pub(super) fn before(line: &[u8]) -> Option<Link> {
    let seq = super::chain::seq_of(line)?.checked_sub(1)?;
    let at = memchr::memmem::find(line, b",\"before\":\"")? + b",\"before\":\"".len();
    Some(Link { seq, hash: super::chain::unhex(line.get(at..at + 64)?)? })
}

/// Moves what stands behind `whole` bytes of a segment into a file of its own; an empty rest removes the segment.
fn put_aside(folder: &Path, number: u64, whole: u64) -> Result<u64, AuditError> {
    let path = folder.join(files::name(number));
    let mut segment = OpenOptions::new().read(true).write(true).open(&path)?;
    let rest = segment.metadata()?.len().saturating_sub(whole);
    if rest > 0 {
        segment.seek(SeekFrom::Start(whole))?;
        let mut aside = fresh(folder, number, whole)?;
        io::copy(&mut segment, &mut aside)?;
        aside.sync_all()?;
        segment.set_len(whole)?;
        segment.sync_all()?;
    }
    if whole == 0 {
        fs::remove_file(path)?;
    }
    files::sync_folder(folder)?;
    Ok(rest)
}

/// A file name that was not used: a second crash at the same place keeps its own evidence.
fn fresh(folder: &Path, number: u64, whole: u64) -> io::Result<File> {
    let mut n = 1_u32;
    loop {
        let path = folder.join(format!("torn-{number:06}-{whole}-{n}.bin"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
            other => return other,
        }
    }
}
