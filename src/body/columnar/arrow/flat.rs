//! FlatBuffers, as Arrow writes its metadata: read without trust in any place that is said, changed where texts stand.

/// Tables that are read of a buffer.
pub(super) const TABLES: usize = 100_000;

/// What may still be read of a buffer. Pointers may lead to one place from many; each time counts.
pub(super) struct Left {
    tables: usize,
    bytes: usize,
}

impl Left {
    pub(super) const fn of(buffer: &[u8]) -> Self {
        Self { tables: TABLES, bytes: 2 * buffer.len() }
    }

    /// A table with so many bytes of text is read. None: there were too many.
    pub(super) fn take(&mut self, text: usize) -> Option<()> {
        self.tables = self.tables.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(text)?;
        Some(())
    }
}

/// A table at a place of a buffer.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where its table of fields is, and how long.
    fields: usize,
    length: usize,
}

/// A text, and the place that points to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub(super) pointer: usize,
    pub(super) at: usize,
    pub(super) bytes: &'a [u8],
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

pub(super) fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..)?.first_chunk().map(|bytes| i32::from_le_bytes(*bytes))
}

pub(super) fn i64_at(bytes: &[u8], at: usize) -> Option<i64> {
    bytes.get(at..)?.first_chunk().map(|bytes| i64::from_le_bytes(*bytes))
}

/// Where the pointer at a place leads.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    let offset = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
    at.checked_add(usize::try_from(offset).ok()?).filter(|to| *to < bytes.len() && *to != at)
}

impl<'a> Table<'a> {
    /// The table that a buffer begins with.
    pub(super) fn root(bytes: &'a [u8]) -> Option<Self> {
        Self::at(bytes, follow(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let back = i64::from(i32_at(bytes, at)?);
        let fields = usize::try_from(i64::try_from(at).ok()?.checked_sub(back)?).ok()?;
        let length = usize::from(u16_at(bytes, fields)?);
        (length >= 4 && fields + length <= bytes.len()).then_some(Self { bytes, at, fields, length })
    }

    /// Where a field stands, if it does.
    pub(super) fn field(&self, number: usize) -> Option<usize> {
        let slot = 4 + 2 * number;
        if slot + 2 > self.length {
            return None;
        }
        match usize::from(u16_at(self.bytes, self.fields + slot)?) {
            0 => None,
            offset => Some(self.at + offset),
        }
    }

    pub(super) fn u8(&self, number: usize) -> Option<u8> {
        match self.field(number) {
            None => Some(0),
            Some(at) => self.bytes.get(at).copied(),
        }
    }

    pub(super) fn i16(&self, number: usize) -> Option<i16> {
        match self.field(number) {
            None => Some(0),
            Some(at) => u16_at(self.bytes, at).map(u16::cast_signed),
        }
    }

    pub(super) fn i32(&self, number: usize) -> Option<i32> {
        match self.field(number) {
            None => Some(0),
            Some(at) => i32_at(self.bytes, at),
        }
    }

    pub(super) fn i64(&self, number: usize) -> Option<i64> {
        match self.field(number) {
            None => Some(0),
            Some(at) => i64_at(self.bytes, at),
        }
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.field(number).is_some()
    }

    pub(super) fn table(&self, number: usize) -> Option<Self> {
        Self::at(self.bytes, follow(self.bytes, self.field(number)?)?)
    }

    /// A text; none if the field is not there or leads nowhere.
    pub(super) fn text(&self, number: usize) -> Option<Text<'a>> {
        let pointer = self.field(number)?;
        let at = follow(self.bytes, pointer)?;
        let length = usize::try_from(i32_at(self.bytes, at)?).ok()?;
        let bytes = self.bytes.get(at + 4..(at + 4).checked_add(length)?)?;
        Some(Text { pointer, at: at + 4, bytes })
    }

    /// A vector of things of a size: the place of the first, and how many there are. A field that is not there is
    /// an empty one.
    pub(super) fn vector(&self, number: usize, size: usize) -> Option<(usize, usize)> {
        let Some(field) = self.field(number) else { return Some((0, 0)) };
        let at = follow(self.bytes, field)?;
        let count = usize::try_from(i32_at(self.bytes, at)?).ok()?;
        let end = (at + 4).checked_add(count.checked_mul(size)?)?;
        (end <= self.bytes.len()).then_some((at + 4, count))
    }

    /// The tables of a vector.
    pub(super) fn tables(&self, number: usize) -> Option<Vec<Self>> {
        let (at, count) = self.vector(number, 4).filter(|(_, count)| *count <= TABLES)?;
        (0..count).map(|index| Self::at(self.bytes, follow(self.bytes, at + 4 * index)?)).collect()
    }

    /// The buffer that it stands in.
    pub(super) const fn buffer(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Puts another text in the place of one. It stands at the buffer's end; the old one is overwritten.
pub(super) fn replace(buffer: &mut Vec<u8>, pointer: usize, at: usize, old: usize, new: &[u8]) {
    if let Some(bytes) = buffer.get_mut(at..at + old) {
        bytes.fill(0);
    }
    buffer.resize(buffer.len().next_multiple_of(4), 0);
    let offset = u32::try_from(buffer.len() - pointer).unwrap_or(u32::MAX);
    if let Some(place) = buffer.get_mut(pointer..pointer + 4) {
        place.copy_from_slice(&offset.to_le_bytes());
    }
    buffer.extend_from_slice(&u32::try_from(new.len()).unwrap_or(u32::MAX).to_le_bytes());
    buffer.extend_from_slice(new);
    buffer.push(0);
}

/// Texts that nothing leads to: runs of characters in a buffer outside of the ranges that are known.
pub(super) fn leftovers(buffer: &[u8], known: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<u8>> {
    const LEAST: usize = 6;
    let mut rest = buffer.to_vec();
    for (at, length) in known {
        if let Some(text) = rest.get_mut(at..at.saturating_add(length)) {
            text.fill(0);
        }
    }
    let runs = rest.split(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'));
    runs.filter(|run| run.len() >= LEAST).map(<[u8]>::to_vec).collect()
}
