//! `head.json`: number and hash of the newest entry, so that a cut end is seen.
//!
//! The file holds two slots of fixed length that are written in turn, in place: a crash in the middle of a write
//! leaves the other one. Each is sealed with an HMAC, for whose key one has to go elsewhere than into the folder.
//! The head may lie behind the trail (after a power cut), never before it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

use super::chain::{HASH, Link, unhex};
use super::error::{AuditError, Broken};

/// The file's name.
pub(super) const NAME: &str = "head.json";

const OPEN: &[u8] = b"[\n";
const BETWEEN: &[u8] = b",\n";
const CLOSE: &[u8] = b"\n]\n";

/// Where the newest entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The segment, from 1; 0 before the first.
    pub(super) segment: u64,
    /// The entry.
    pub(super) link: Link,
}

impl Place {
    pub(super) const GENESIS: Self = Self { segment: 0, link: Link::GENESIS };

    fn bare(&self) -> String {
        let hash = HEXLOWER.encode(&self.link.hash);
        format!(r#"{{"segment":{:>20},"seq":{:>20},"hash":"{hash}""#, self.segment, self.link.seq)
    }

    fn line(&self, seal: &hmac::Key) -> String {
        let bare = self.bare();
        let tag = HEXLOWER.encode(hmac::sign(seal, bare.as_bytes()).as_ref());
        format!(r#"{bare},"seal":"{tag}"}}"#)
    }

    /// Reads a slot, without its seal being checked.
    fn parse(line: &[u8]) -> Option<(Self, [u8; HASH])> {
        let text = std::str::from_utf8(line).ok()?;
        let rest = text.strip_prefix(r#"{"segment":"#)?;
        let (segment, rest) = rest.split_once(r#","seq":"#)?;
        let (seq, rest) = rest.split_once(r#","hash":""#)?;
        let (hash, rest) = rest.split_once(r#"","seal":""#)?;
        let seal = unhex(rest.strip_suffix(r#""}"#)?.as_bytes())?;
        let link = Link { seq: seq.trim_start().parse().ok()?, hash: unhex(hash.as_bytes())? };
        let place = Self { segment: segment.trim_start().parse().ok()?, link };
        // One text for one place: everything else is damage.
        text.starts_with(&place.bare()).then_some((place, seal))
    }
}

fn slot_length() -> usize {
    Place::GENESIS.bare().len() + r#","seal":""}"#.len() + 2 * HASH
}

/// The two slots as they stand in the file.
pub(super) struct Slots(pub(super) [Option<(Place, [u8; HASH])>; 2]);

impl Slots {
    /// Reads the file. `None` if there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, AuditError> {
        let length = slot_length();
        let whole = OPEN.len() + BETWEEN.len() + CLOSE.len() + 2 * length;
        let mut bytes = Vec::new();
        match File::open(folder.join(NAME)) {
            Ok(file) => file.take(whole as u64 + 1).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let second = OPEN.len() + length + BETWEEN.len();
        let frame = bytes.len() == whole
            && bytes.starts_with(OPEN)
            && bytes.ends_with(CLOSE)
            && bytes[OPEN.len() + length..second] == *BETWEEN;
        if !frame {
            return Err(Broken::whole(NAME, "the file is not of its form").into());
        }
        let slot = |at: usize| Place::parse(&bytes[at..at + length]);
        Ok(Some(Self([slot(OPEN.len()), slot(second)])))
    }

    /// Checks the seals of the slots that can be read.
    pub(super) fn check(&self, seal: &hmac::Key) -> Result<(), Broken> {
        for (place, tag) in self.0.iter().flatten() {
            hmac::verify(seal, place.bare().as_bytes(), tag)
                .map_err(|_unspecified| Broken::whole(NAME, "the seal is not of this key"))?;
        }
        Ok(())
    }

    /// The newer slot and its index.
    pub(super) fn newest(&self) -> Option<(usize, Place)> {
        let slots = self.0.iter().enumerate().filter_map(|(n, slot)| slot.map(|(place, _)| (n, place)));
        slots.max_by_key(|(_, place)| place.link.seq)
    }
}

/// The file, open for writing.
pub(super) struct Head {
    file: File,
    seal: hmac::Key,
    /// The slot that is written next.
    next: usize,
}

impl Head {
    /// Makes the file, or brings both of its slots to one place.
    pub(super) fn open(folder: &Path, seal: &hmac::Key, place: Place) -> Result<Self, AuditError> {
        let path = folder.join(NAME);
        if !path.exists() {
            let line = place.line(seal);
            let parts = [OPEN, line.as_bytes(), BETWEEN, line.as_bytes(), CLOSE];
            // Under its name it is whole from the first moment.
            let new = folder.join("head.json.new");
            let mut file =
                OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
            file.write_all(&parts.concat())?;
            file.sync_all()?;
            std::fs::rename(new, &path)?;
            super::files::sync_folder(folder)?;
        }
        let file = OpenOptions::new().write(true).open(path)?;
        let newest = Slots::read(folder)?.and_then(|slots| slots.newest()).map_or(0, |(n, _)| n);
        let mut head = Self { file, seal: seal.clone(), next: 1 - newest };
        // The older slot first: if this stops half-way, the newer one is still there.
        head.write(place)?;
        head.sync()?;
        head.write(place)?;
        head.sync()?;
        Ok(head)
    }

    /// Writes the next slot. The kernel has it then; it is on the disk after [`Self::sync`].
    pub(super) fn write(&mut self, place: Place) -> io::Result<()> {
        let line = place.line(&self.seal);
        let at = OPEN.len() + self.next * (line.len() + BETWEEN.len());
        self.file.write_all_at(line.as_bytes(), at as u64)?;
        self.next = 1 - self.next;
        Ok(())
    }

    /// Puts both slots on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
