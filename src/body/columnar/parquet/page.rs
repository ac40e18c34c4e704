//! The pages of a column.

use super::super::codec::Codec;
use super::super::{Values, censored};
use super::footer::{Leaf, extremes, fault, forget_extremes, nothing_left};
use super::thrift::{Fault, Struct, Value};
use super::values::{self, DICTIONARY, Decoded, PLAIN, PLAIN_DICTIONARY};
use crate::body::container::Contents;
use crate::reason::{Reason, Refusal};

/// A page as it stands in the file.
pub(super) struct Page<'a> {
    pub(super) header: Struct,
    /// Packed.
    pub(super) body: &'a [u8],
}

/// What a page becomes.
pub(super) struct Rewritten {
    pub(super) header: Struct,
    pub(super) body: Vec<u8>,
    /// How much larger it is, unpacked.
    pub(super) grown: i64,
    /// Its values are written in another encoding.
    pub(super) reencoded: bool,
}

/// What is known of a page's column.
pub(super) struct Column<'a> {
    pub(super) leaf: &'a Leaf,
    pub(super) codec: Codec,
    /// Values in its dictionary.
    pub(super) dictionary: Option<usize>,
    /// Bytes that a page may have, unpacked.
    pub(super) most: usize,
}

/// The parts of a page that hold its values, and where they stand in its header.
struct Layout {
    /// The structure that is about the page's kind.
    about: i16,
    encoding_field: i16,
    statistics_field: i16,
    encoding: i64,
    values: usize,
    is_packed: bool,
    /// Bytes before the values that are not packed.
    bare: usize,
}

fn malformed(contents: &dyn Contents) -> Refusal {
    contents.refuse(Reason::ContentMalformed, "a page of the table")
}

/// The size of a page's body, and unpacked.
pub(super) fn sizes(header: &Struct) -> Option<(usize, usize)> {
    let size = |field| header.size(field).and_then(|size| usize::try_from(size).ok());
    Some((size(3)?, size(2)?))
}

/// How many values it has, if it is a dictionary.
pub(super) fn dictionary(header: &Struct) -> Option<usize> {
    let about = header.structure(7).filter(|_| header.int(1) == Some(2))?;
    usize::try_from(about.size(1)?).ok()
}

impl Page<'_> {
    /// Censors the page. None: nothing was found.
    pub(super) fn censor(
        self,
        contents: &mut dyn Contents,
        column: &Column<'_>,
    ) -> Result<Option<Rewritten>, Refusal> {
        let layout = self.layout().ok_or_else(|| malformed(contents))?;
        let mut header = self.header.clone();
        let mut found =
            match header.structure_mut(layout.about).and_then(|s| s.structure_mut(layout.statistics_field)) {
                Some(statistics) => extremes(contents, statistics, column.leaf)?,
                None => false,
            };
        nothing_left(contents, &header)?;
        let indices = layout.about != 7 && matches!(layout.encoding, DICTIONARY | PLAIN_DICTIONARY);
        if indices {
            let plain = self.unpacked(contents, column, &layout)?;
            let from =
                levels(&plain, &layout, &self.header, column.leaf).ok_or_else(|| malformed(contents))?;
            let data = plain.get(from..).unwrap_or_default();
            if !column.dictionary.is_some_and(|count| values::are_indices(data, count)) {
                return Err(malformed(contents));
            }
            return Ok(found.then(|| Rewritten {
                header,
                body: self.body.to_vec(),
                grown: 0,
                reencoded: false,
            }));
        }
        if !values::is_known(layout.encoding) {
            contents.uninspectable("a column whose encoding is unknown")?;
            return Ok(found.then(|| Rewritten {
                header,
                body: self.body.to_vec(),
                grown: 0,
                reencoded: false,
            }));
        }
        let plain = self.unpacked(contents, column, &layout)?;
        let from = levels(&plain, &layout, &self.header, column.leaf).ok_or_else(|| malformed(contents))?;
        let data = plain.get(from..).unwrap_or_default();
        let decoded = values::decode(layout.encoding, data, layout.values, column.most, column.leaf.fixed)
            .map_err(|f| fault(contents, f, "a page of the table"))?;
        if layout.about == 7 && decoded.len() != layout.values {
            return Err(malformed(contents));
        }
        let changed = changes(contents, column.leaf, &decoded)?;
        found |= changed.is_some();
        if !found {
            return Ok(None);
        }
        let Some(changed) = changed else {
            return Ok(Some(Rewritten { header, body: self.body.to_vec(), grown: 0, reencoded: false }));
        };
        let mut written = plain.get(..from).unwrap_or_default().to_vec();
        changed.write_plain(&mut written);
        if written.len() > i32::MAX as usize {
            return Err(contents.refuse(Reason::RecordTooLarge, "a page of the table"));
        }
        let (bare, rest) = written.split_at(layout.bare.min(written.len()));
        let packed = if layout.is_packed { column.codec.pack(rest)? } else { rest.to_vec() };
        let body = [bare, &packed].concat();
        if let Some(about) = header.structure_mut(layout.about) {
            if let Some(statistics) = about.structure_mut(layout.statistics_field) {
                forget_extremes(statistics);
            }
            if let Some(Value::Int(_, encoding)) = about.get_mut(layout.encoding_field)
                && layout.encoding != PLAIN_DICTIONARY
            {
                *encoding = PLAIN;
            }
            // A dictionary is in its order no more.
            if let Some(sorted @ Value::Bool(true)) = about.get_mut(3).filter(|_| layout.about == 7) {
                *sorted = Value::Bool(false);
            }
        }
        header.set_int(2, written.len() as u64);
        header.set_int(3, body.len() as u64);
        if let Some(Value::Int(_, check)) = header.get_mut(4) {
            *check = i64::from(crc32fast::hash(&body).cast_signed());
        }
        let grown = written.len() as i64 - plain.len() as i64;
        let reencoded = !matches!(layout.encoding, PLAIN | PLAIN_DICTIONARY);
        Ok(Some(Rewritten { header, body, grown, reencoded }))
    }

    fn layout(&self) -> Option<Layout> {
        let (about, encoding_field, statistics_field) = match self.header.int(1)? {
            0 => (5, 2, 5),
            2 => (7, 2, 0),
            3 => (8, 4, 8),
            _ => return None,
        };
        let inner = self.header.structure(about)?;
        let levels = |field| inner.size(field).and_then(|size| usize::try_from(size).ok());
        let bare = if about == 8 { levels(5)?.checked_add(levels(6)?)? } else { 0 };
        Some(Layout {
            about,
            encoding_field,
            statistics_field,
            encoding: inner.int(encoding_field)?,
            values: usize::try_from(inner.size(1)?).ok()?,
            is_packed: about != 8 || inner.get(7) != Some(&Value::Bool(false)),
            bare,
        })
    }

    fn unpacked(
        &self,
        contents: &dyn Contents,
        column: &Column<'_>,
        layout: &Layout,
    ) -> Result<Vec<u8>, Refusal> {
        let (_, size) = sizes(&self.header).ok_or_else(|| malformed(contents))?;
        if size > column.most {
            return Err(contents.refuse(Reason::RecordTooLarge, "a page of the table"));
        }
        let split =
            (self.body.get(..layout.bare), self.body.get(layout.bare..), size.checked_sub(layout.bare));
        let (Some(bare), Some(packed), Some(size)) = split else { return Err(malformed(contents)) };
        let codec = if layout.is_packed { column.codec } else { Codec::Plain };
        // Nothing may be packed as nothing.
        let rest = match (size, packed.is_empty()) {
            (0, true) => Vec::new(),
            _ => codec.unpack(contents, packed, size)?,
        };
        Ok([bare, &rest].concat())
    }
}

/// Where the levels of a page end and its values begin.
fn levels(plain: &[u8], layout: &Layout, header: &Struct, leaf: &Leaf) -> Option<usize> {
    const BIT_PACKED: i64 = 4;
    match layout.about {
        5 => {
            let inner = header.structure(5)?;
            let mut at = 0_usize;
            // Repetition first, then definition.
            for (highest, field) in [(leaf.levels.1, 4), (leaf.levels.0, 3)] {
                if highest == 0 {
                    continue;
                }
                let length = if inner.int(field)? == BIT_PACKED {
                    let bits = (u32::BITS - highest.leading_zeros()) as usize;
                    layout.values.checked_mul(bits)?.div_ceil(8)
                } else {
                    let bytes = plain.get(at..)?.first_chunk()?;
                    usize::try_from(u32::from_le_bytes(*bytes)).ok()?.checked_add(4)?
                };
                at = at.checked_add(length).filter(|at| *at <= plain.len())?;
            }
            Some(at)
        }
        8 => Some(layout.bare).filter(|at| *at <= plain.len()),
        _ => Some(0),
    }
}

/// The values with what was found replaced. None: nothing was found.
fn changes(contents: &mut dyn Contents, leaf: &Leaf, decoded: &Decoded) -> Result<Option<Decoded>, Refusal> {
    if leaf.values == Values::Other {
        return Ok(None);
    }
    let mut changed: Option<Decoded> = None;
    for (at, value) in decoded.iter().enumerate() {
        let new = censored(contents, leaf.values, &leaf.name, value)?;
        if new.is_some() && changed.is_none() {
            let mut before = Decoded::default();
            decoded.iter().take(at).for_each(|value| before.push(value));
            changed = Some(before);
        }
        if let Some(changed) = &mut changed {
            changed.push(new.as_deref().unwrap_or(value));
        }
    }
    Ok(changed)
}

/// Reads the header that bytes begin with.
pub(super) fn header(bytes: &[u8]) -> Result<(Struct, usize), Fault> {
    const VALUES: usize = 1024;
    super::thrift::read(bytes, VALUES)
}
