//! Where the columns of a table are, once they were written.

use super::footer::{CHUNK_META, COLUMNS, Chunk, Footer, ROW_GROUPS, STATISTICS, forget_extremes};
use super::thrift::{self, Struct, Value};
use super::{MAGIC, values};

/// What became of a column of a row group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    pub(super) changed: bool,
    /// Where it begins now.
    pub(super) start: u64,
    /// Where its first page of data begins now, and how long it is.
    pub(super) data: u64,
    pub(super) length: u64,
    pub(super) grown: i64,
    pub(super) reencoded: bool,
    /// Where its Bloom filter is now.
    pub(super) bloom: Option<u64>,
    /// Its indices are where they were.
    pub(super) column_index: bool,
    pub(super) offset_index: bool,
}

/// Writes the footer, as places and sizes are now.
pub(super) fn write(footer: &mut Footer, fates: &[Fate], moved: bool, out: &mut Vec<u8>) {
    let mut fates = fates.iter().zip(&footer.chunks);
    for group in footer.meta.structures_mut(ROW_GROUPS) {
        let mut first = None;
        let (mut packed, mut grown) = (0, 0);
        for column in group.structures_mut(COLUMNS) {
            let Some((fate, chunk)) = fates.next() else { return };
            first.get_or_insert(fate.start);
            packed += fate.length;
            grown += fate.grown;
            if moved {
                place(column, fate, chunk);
            }
        }
        if moved && let Some(first) = first {
            group.set_int(5, first);
            group.set_int(6, packed);
            let size = group.int(2).unwrap_or_default().saturating_add(grown);
            group.set_int(2, u64::try_from(size).unwrap_or_default());
        }
    }
    let from = out.len();
    footer.meta.write(out);
    let length = u32::try_from(out.len() - from).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(MAGIC);
}

/// Where a column is now.
fn place(column: &mut Struct, fate: &Fate, chunk: &Chunk) {
    for (field, kept) in
        [(4, fate.offset_index), (5, fate.offset_index), (6, fate.column_index), (7, fate.column_index)]
    {
        if !kept {
            column.remove(field);
        }
    }
    // It points to the column or to its metadata, or is zero.
    if let Some(old) = column.size(2).filter(|old| *old > 0) {
        let inside = old.checked_sub(chunk.start).filter(|inside| *inside < chunk.length && !fate.changed);
        column.set_int(2, fate.start + inside.unwrap_or_default());
    }
    let Some(meta) = column.structure_mut(CHUNK_META) else { return };
    if meta.size(11).is_some_and(|at| at > 0) {
        meta.set_int(11, fate.start);
    }
    let data =
        if fate.changed { fate.data } else { fate.start + (meta.size(9).unwrap_or_default() - chunk.start) };
    meta.set_int(9, data);
    meta.remove(10);
    meta.set_int(7, fate.length);
    match fate.bloom {
        Some(at) => meta.set_int(14, at),
        None => {
            meta.remove(14);
            meta.remove(15);
        }
    }
    if !fate.changed {
        return;
    }
    let size = meta.int(6).unwrap_or_default().saturating_add(fate.grown);
    meta.set_int(6, u64::try_from(size).unwrap_or_default());
    if let Some(statistics) = meta.structure_mut(STATISTICS) {
        forget_extremes(statistics);
    }
    // Sizes of values before they were encoded.
    meta.remove(16);
    if fate.reencoded {
        meta.remove(13);
        let plain = Value::Int(thrift::I32, values::PLAIN);
        if let Some(encodings) = meta.list_mut(2).filter(|list| !list.contains(&plain)) {
            encodings.push(plain);
        }
    }
}
