//! The central directory of a ZIP file (APPNOTE 6.3), and what it has to be to be believed.

use std::collections::HashSet;

use super::record::{Fields, extras};
use crate::body::archive::names::checked;
use crate::body::coding::RATIO_FROM;
use crate::body::container::{Containers, Contents, Seekable};
use crate::reason::{Reason, Refusal};

/// The end of the central directory without its comment, and its mark.
const END: usize = 22;
const END_MARK: &[u8] = b"PK\x05\x06";
/// What leads to the end of a large directory, and that end.
const LOCATOR: usize = 20;
const LOCATOR_MARK: u32 = 0x0706_4b50;
const LARGE_END: usize = 56;
const LARGE_END_MARK: u32 = 0x0606_4b50;
/// An entry of the directory without its texts.
const ENTRY: usize = 46;
const ENTRY_MARK: u32 = 0x0201_4b50;
/// The type of a file in Unix's mode, and that of a link.
const TYPE: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

/// The directory as a whole.
pub(super) struct Directory {
    /// In their order in the directory.
    pub(super) entries: Vec<Entry>,
    /// Where the directory begins.
    pub(super) at: u64,
    pub(super) comment: Vec<u8>,
    /// Version and system of the large end, if there is one.
    pub(super) large: bool,
}

/// One member as the directory has it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) made_by: u16,
    pub(super) needs: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u32,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) internal: u16,
    pub(super) external: u32,
    /// Where its local header stands.
    pub(super) at: u64,
}

impl Entry {
    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/")
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        self.flags & (1 | 1 << 6 | 1 << 13) != 0
    }

    pub(super) const fn has_descriptor(&self) -> bool {
        self.flags & 1 << 3 != 0
    }

    /// A link, on the systems that have them.
    pub(super) const fn is_link(&self) -> bool {
        matches!(self.made_by >> 8, 3 | 19) && (self.external >> 16) & TYPE == LINK
    }
}

pub(super) fn malformed(contents: &dyn Contents, detail: &'static str) -> Refusal {
    contents.refuse(Reason::ContentMalformed, detail)
}

/// Reads the directory of a whole file.
pub(super) fn read(
    file: &mut Seekable,
    contents: &dyn Contents,
    containers: &Containers,
) -> Result<Directory, Refusal> {
    let length = file.len();
    let tail = usize::try_from(length).unwrap_or(usize::MAX).min(END + usize::from(u16::MAX));
    let tail_at = length - tail as u64;
    let mut bytes = Vec::new();
    file.read(tail_at, tail, &mut bytes)?;
    // A comment may hold the mark of an end: there is one end that reaches to the end of the file, or it is refused.
    let ends: Vec<usize> = memchr::memmem::find_iter(&bytes, END_MARK)
        .filter(|at| {
            let comment = Fields(bytes.get(*at..).unwrap_or_default()).u16(20);
            comment.is_some_and(|comment| at + END + usize::from(comment) == bytes.len())
        })
        .collect();
    let [end] = ends[..] else {
        let detail = "the end of the archive's directory";
        return Err(if ends.is_empty() {
            contents.refuse(Reason::ContentTruncated, detail)
        } else {
            contents.refuse(Reason::FieldAmbiguous, detail)
        });
    };
    let end_at = tail_at + end as u64;
    let fields = Fields(bytes.get(end..).unwrap_or_default());
    let about =
        About::read(file, &fields, end_at).ok_or_else(|| malformed(contents, "the archive's directory"))?;
    if about.at.checked_add(about.size) != Some(about.behind) {
        return Err(malformed(contents, "the archive's directory is not where it is said to be"));
    }
    if about.size > containers.limits.block as u64 {
        return Err(contents.refuse(Reason::RecordTooLarge, "the archive's directory"));
    }
    let comment = bytes.get(end + END..).unwrap_or_default().to_vec();
    let mut raw = Vec::new();
    file.read(about.at, usize::try_from(about.size).unwrap_or_default(), &mut raw)?;
    let entries = entries(&raw, &about, contents, containers)?;
    let directory = Directory { entries, at: about.at, comment, large: about.large };
    directory.check(contents, containers)?;
    Ok(directory)
}

/// Where the directory is said to be.
struct About {
    count: u64,
    at: u64,
    size: u64,
    /// What follows it.
    behind: u64,
    large: bool,
}

impl About {
    fn read(file: &mut Seekable, end: &Fields<'_>, end_at: u64) -> Option<Self> {
        let (disk, first, here, count) = (end.u16(4)?, end.u16(6)?, end.u16(8)?, end.u16(10)?);
        let (size, at) = (end.u32(12)?, end.u32(16)?);
        let large = count == u16::MAX || size == u32::MAX || at == u32::MAX;
        let mut locator = Vec::new();
        let locator_at = end_at.checked_sub(LOCATOR as u64);
        if let Some(at) = locator_at {
            file.read(at, LOCATOR, &mut locator).ok()?;
        }
        if Fields(&locator).u32(0) == Some(LOCATOR_MARK) {
            let locator = Fields(&locator);
            let large_at = locator.u64(8)?;
            if locator.u32(4)? != 0
                || locator.u32(16)? != 1
                || large_at.checked_add(LARGE_END as u64) != locator_at
            {
                return None;
            }
            let mut bytes = Vec::new();
            file.read(large_at, LARGE_END, &mut bytes).ok()?;
            let fields = Fields(&bytes);
            let whole = fields.u32(0)? == LARGE_END_MARK && fields.u64(4)? == LARGE_END as u64 - 12;
            let (here, all, size64, at64) =
                (fields.u64(24)?, fields.u64(32)?, fields.u64(40)?, fields.u64(48)?);
            // The small end says the same, as far as it can.
            let same = (count == u16::MAX || u64::from(count) == all)
                && (size == u32::MAX || u64::from(size) == size64)
                && (at == u32::MAX || u64::from(at) == at64);
            let first = fields.u32(16)? == 0 && fields.u32(20)? == 0 && here == all;
            return (whole && same && first).then_some(Self {
                count: all,
                at: at64,
                size: size64,
                behind: large_at,
                large: true,
            });
        }
        let first = disk == 0 && first == 0 && here == count && !large;
        first.then_some(Self {
            count: u64::from(count),
            at: u64::from(at),
            size: u64::from(size),
            behind: end_at,
            large: false,
        })
    }
}

fn entries(
    raw: &[u8],
    about: &About,
    contents: &dyn Contents,
    containers: &Containers,
) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        if !containers.count_member() {
            return Err(contents.refuse(Reason::RecordTooLarge, "the archive has too many members"));
        }
        let (entry, length) =
            entry(rest).ok_or_else(|| malformed(contents, "an entry of the archive's directory"))?;
        entries.push(entry);
        rest = rest.get(length..).unwrap_or_default();
    }
    if entries.len() as u64 != about.count {
        return Err(malformed(contents, "the archive has other entries than it says"));
    }
    Ok(entries)
}

fn entry(bytes: &[u8]) -> Option<(Entry, usize)> {
    let fields = Fields(bytes);
    if fields.u32(0)? != ENTRY_MARK {
        return None;
    }
    let (name, extra, comment) =
        (usize::from(fields.u16(28)?), usize::from(fields.u16(30)?), usize::from(fields.u16(32)?));
    let at = |from: usize, length: usize| bytes.get(from..from + length).map(<[u8]>::to_vec);
    let mut entry = Entry {
        made_by: fields.u16(4)?,
        needs: fields.u16(6)?,
        flags: fields.u16(8)?,
        method: fields.u16(10)?,
        time: fields.u32(12)?,
        crc: fields.u32(16)?,
        packed: u64::from(fields.u32(20)?),
        size: u64::from(fields.u32(24)?),
        name: at(ENTRY, name)?,
        extra: at(ENTRY + name, extra)?,
        comment: at(ENTRY + name + extra, comment)?,
        internal: fields.u16(36)?,
        external: fields.u32(38)?,
        at: u64::from(fields.u32(42)?),
    };
    if fields.u16(34)? != 0 {
        return None;
    }
    let large = extras(&entry.extra)?.into_iter().find(|(id, _)| *id == super::record::LARGE);
    let mut values = large.map_or(&[][..], |(_, data)| data);
    for value in [&mut entry.size, &mut entry.packed, &mut entry.at] {
        if *value == u64::from(u32::MAX) {
            *value = Fields(values).u64(0)?;
            values = values.get(8..)?;
        }
    }
    Some((entry, ENTRY + name + extra + comment))
}

impl Directory {
    /// No two entries over each other or of one name, no bytes between, no more bytes than may be.
    fn check(&self, contents: &dyn Contents, containers: &Containers) -> Result<(), Refusal> {
        let mut names = HashSet::new();
        let mut total = 0_u64;
        for entry in &self.entries {
            let name = checked(contents, &entry.name, containers.limits.path)?;
            if !names.insert(name.trim_end_matches('/')) {
                return Err(contents.refuse(Reason::FieldAmbiguous, "two members of one path"));
            }
            let bomb = entry.size > RATIO_FROM && entry.size / containers.limits.ratio.max(1) > entry.packed;
            total = total.saturating_add(entry.size);
            if bomb || total > containers.left() {
                return Err(contents.refuse(Reason::CodingBomb, "the members of the archive"));
            }
            if entry.is_folder() && (entry.size > 0 || entry.packed > 0 && entry.method == 0) {
                return Err(malformed(contents, "a folder with a content"));
            }
            if entry.is_encrypted() {
                contents.uninspectable("an encrypted member")?;
            } else if !matches!(entry.method, 0 | 8) {
                contents.uninspectable("a member whose compression is unknown")?;
            }
            if entry.is_link() {
                contents.uninspectable("a link in the archive")?;
            }
        }
        Ok(())
    }

    /// The entries as they stand in the file, each with where the next one begins.
    pub(super) fn by_place(&self) -> Option<Vec<(usize, u64)>> {
        let mut places: Vec<usize> = (0..self.entries.len()).collect();
        places.sort_by_key(|index| self.entries.get(*index).map(|entry| entry.at));
        let starts: Vec<u64> =
            places.iter().filter_map(|index| self.entries.get(*index).map(|entry| entry.at)).collect();
        if starts.first().copied().unwrap_or(self.at) != 0 {
            return None;
        }
        let ends = starts.iter().skip(1).copied().chain([self.at]);
        let mut all = Vec::new();
        for ((index, start), end) in places.iter().zip(&starts).zip(ends) {
            let packed = self.entries.get(*index).map_or(0, |entry| entry.packed);
            let least = start.checked_add(30)?.checked_add(packed)?;
            if end < least {
                return None;
            }
            all.push((*index, end));
        }
        Some(all)
    }
}
