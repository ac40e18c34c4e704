//! The local header of a member, and what stands behind its data.

use super::directory::{Entry, malformed};
use super::record::{self, Fields};
use crate::body::container::{Contents, Seekable};
use crate::reason::{Reason, Refusal};

/// Bytes of a local header without its texts, and its mark.
const LOCAL: usize = 30;
const LOCAL_MARK: u32 = 0x0403_4b50;
const DESCRIPTOR_MARK: &[u8] = b"PK\x07\x08";
/// Where a member stands.
pub(super) struct Local {
    pub(super) extra: Vec<u8>,
    pub(super) data: u64,
    pub(super) data_end: u64,
    pub(super) end: u64,
}

impl Local {
    /// The local header, which says what the directory says.
    pub(super) fn read(
        file: &mut Seekable,
        contents: &dyn Contents,
        entry: &Entry,
        end: u64,
    ) -> Result<Self, Refusal> {
        let mut header = Vec::new();
        file.read(entry.at, LOCAL, &mut header)?;
        let differ = contents.refuse(Reason::FieldAmbiguous, "a member's two headers differ");
        let fields = Fields(&header);
        let lengths = (fields.u16(26), fields.u16(28));
        let (Some(name), Some(extra)) = lengths else { return Err(differ) };
        let texts = usize::from(name) + usize::from(extra);
        let data = entry.at + LOCAL as u64 + texts as u64;
        let data_end = data.checked_add(entry.packed).filter(|at| *at <= end);
        let Some(data_end) = data_end else { return Err(malformed(contents, "a member over another")) };
        let mut text = Vec::new();
        file.read(entry.at + LOCAL as u64, texts, &mut text)?;
        let (name, extra) = text.split_at(usize::from(name));
        if !says_the_same(entry, &fields, name, extra) {
            return Err(differ);
        }
        let local = Self { extra: extra.to_vec(), data, data_end, end };
        local.descriptor(file, contents, entry)?;
        Ok(local)
    }

    /// Between a member and the next one stands its descriptor, if it has one, and nothing else.
    fn descriptor(&self, file: &mut Seekable, contents: &dyn Contents, entry: &Entry) -> Result<(), Refusal> {
        let mut bytes = Vec::new();
        let length = usize::try_from(self.end - self.data_end).unwrap_or(usize::MAX);
        let nothing = malformed(contents, "bytes in the archive that belong to no member");
        if length > 24 {
            return Err(nothing);
        }
        file.read(self.data_end, length, &mut bytes)?;
        if !entry.has_descriptor() {
            return if bytes.is_empty() { Ok(()) } else { Err(nothing) };
        }
        let short = |value: u64| (value as u32).to_le_bytes();
        let crc = entry.crc.to_le_bytes();
        let small = [crc, short(entry.packed), short(entry.size)].concat();
        let large = [&crc[..], &entry.packed.to_le_bytes(), &entry.size.to_le_bytes()].concat();
        let plain = bytes.strip_prefix(DESCRIPTOR_MARK).unwrap_or(&bytes);
        let known = plain == small || plain == large || *bytes == small || *bytes == large;
        if known { Ok(()) } else { Err(nothing) }
    }
}

/// Whether a local header says what the directory says. Sizes that come behind the data may be zero here.
fn says_the_same(entry: &Entry, fields: &Fields<'_>, name: &[u8], extra: &[u8]) -> bool {
    const FLAGS: u16 = 1 | 1 << 3 | 1 << 6 | 1 << 11 | 1 << 13;
    let read = || {
        let marks = fields.u32(0)? == LOCAL_MARK
            && fields.u16(6)? & FLAGS == entry.flags & FLAGS
            && fields.u16(8)? == entry.method;
        let large = record::extras(extra)?.into_iter().find(|(id, _)| *id == record::LARGE);
        let mut values = large.map_or(&[][..], |(_, data)| data);
        let mut size = |at: usize| {
            let value = u64::from(fields.u32(at)?);
            if value != u64::from(u32::MAX) {
                return Some(value);
            }
            let value = Fields(values).u64(0)?;
            values = values.get(8..)?;
            Some(value)
        };
        // The size stands before the packed size in the extra field, and behind it here.
        let (size, packed, crc) = (size(22)?, size(18)?, fields.u32(14)?);
        let later = |value: u64, known: u64| value == known || value == 0 && entry.has_descriptor();
        let sizes = later(u64::from(crc), u64::from(entry.crc))
            && later(size, entry.size)
            && later(packed, entry.packed);
        Some(marks && sizes && name == entry.name)
    };
    read().unwrap_or(false)
}
