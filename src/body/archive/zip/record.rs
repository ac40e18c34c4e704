//! The records of a ZIP file as they are read and written.

use super::directory::{Directory, Entry};

/// The extra field with sizes that don't fit into 32 bits.
pub(super) const LARGE: u16 = 1;
/// A second name of a member, in UTF-8.
pub(super) const UNICODE_PATH: u16 = 0x7075;
/// Fields of encryption.
pub(super) const ENCRYPTION: &[u16] = &[0x0014, 0x0015, 0x0016, 0x0017, 0x0019, 0x9901];

/// Little-endian numbers at places.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        self.0.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        self.0.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(super) fn u64(&self, at: usize) -> Option<u64> {
        self.0.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }
}

/// The extra fields. A rest of zeros is padding.
pub(super) fn extras(mut bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut all = Vec::new();
    while bytes.len() >= 4 {
        let fields = Fields(bytes);
        let (id, length) = (fields.u16(0)?, usize::from(fields.u16(2)?));
        all.push((id, bytes.get(4..4 + length)?));
        bytes = bytes.get(4 + length..)?;
    }
    bytes.iter().all(|byte| *byte == 0).then_some(all)
}

/// Extra fields without those that say something which changed.
fn kept(extra: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for (id, data) in extras(extra).unwrap_or_default() {
        if id != LARGE && id != UNICODE_PATH {
            kept.extend_from_slice(&id.to_le_bytes());
            kept.extend_from_slice(&(data.len() as u16).to_le_bytes());
            kept.extend_from_slice(data);
        }
    }
    kept
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn length(text: &[u8]) -> [u8; 2] {
    u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes()
}

/// The extra fields with those values in 64 bits that need them.
fn with_large(extra: &[u8], values: &[u64]) -> Vec<u8> {
    let mut all = Vec::new();
    let large: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    if !large.is_empty() {
        all.extend_from_slice(&LARGE.to_le_bytes());
        all.extend_from_slice(&length(&large));
        all.extend_from_slice(&large);
    }
    all.extend(kept(extra));
    all
}

fn needs(entry: &Entry, large: bool) -> u16 {
    if large { entry.needs.max(45) } else { entry.needs }
}

/// A local header, whose sizes are known.
pub(super) fn local(entry: &Entry, extra: &[u8], out: &mut Vec<u8>) {
    let large = entry.size >= u64::from(u32::MAX) || entry.packed >= u64::from(u32::MAX);
    let (size, packed) =
        if large { (u64::from(u32::MAX), u64::from(u32::MAX)) } else { (entry.size, entry.packed) };
    let values = [entry.size, entry.packed];
    let extra = with_large(extra, if large { &values } else { &[] });
    out.extend_from_slice(b"PK\x03\x04");
    for field in [needs(entry, large), entry.flags, entry.method] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    for field in [entry.time, entry.crc, small(packed), small(size)] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(&length(&entry.name));
    out.extend_from_slice(&length(&extra));
    out.extend_from_slice(&entry.name);
    out.extend_from_slice(&extra);
}

/// An entry of the directory.
fn central(entry: &Entry, out: &mut Vec<u8>) {
    let sizes = [entry.size, entry.packed, entry.at];
    let values: Vec<u64> = sizes.iter().copied().filter(|value| *value >= u64::from(u32::MAX)).collect();
    let extra = with_large(&entry.extra, &values);
    out.extend_from_slice(b"PK\x01\x02");
    for field in [entry.made_by, needs(entry, !values.is_empty()), entry.flags, entry.method] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    for field in [entry.time, entry.crc, small(entry.packed), small(entry.size)] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    for text in [&entry.name, &extra, &entry.comment] {
        out.extend_from_slice(&length(text));
    }
    out.extend_from_slice(&0_u16.to_le_bytes());
    out.extend_from_slice(&entry.internal.to_le_bytes());
    out.extend_from_slice(&entry.external.to_le_bytes());
    out.extend_from_slice(&small(entry.at).to_le_bytes());
    out.extend_from_slice(&entry.name);
    out.extend_from_slice(&extra);
    out.extend_from_slice(&entry.comment);
}

/// The directory, which begins at a place, and its end.
pub(super) fn directory(directory: &Directory, at: u64, out: &mut Vec<u8>) {
    let from = out.len();
    for entry in &directory.entries {
        central(entry, out);
    }
    let size = (out.len() - from) as u64;
    let count = directory.entries.len() as u64;
    let large = directory.large
        || count >= u64::from(u16::MAX)
        || size >= u64::from(u32::MAX)
        || at >= u64::from(u32::MAX);
    if large {
        out.extend_from_slice(b"PK\x06\x06");
        out.extend_from_slice(&44_u64.to_le_bytes());
        out.extend_from_slice(&45_u16.to_le_bytes());
        out.extend_from_slice(&45_u16.to_le_bytes());
        out.extend_from_slice(&0_u64.to_le_bytes());
        for field in [count, count, size, at] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        out.extend_from_slice(b"PK\x06\x07");
        out.extend_from_slice(&0_u32.to_le_bytes());
        out.extend_from_slice(&(at + size).to_le_bytes());
        out.extend_from_slice(&1_u32.to_le_bytes());
    }
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&small(size).to_le_bytes());
    out.extend_from_slice(&small(at).to_le_bytes());
    out.extend_from_slice(&length(&directory.comment));
    out.extend_from_slice(&directory.comment);
}
