//! The encodings of byte arrays.

use super::thrift::Fault;

/// The values of a page's data: plain.
pub(super) const PLAIN: i64 = 0;
pub(super) const PLAIN_DICTIONARY: i64 = 2;
const DELTA_LENGTH: i64 = 6;
const DELTA: i64 = 7;
pub(super) const DICTIONARY: i64 = 8;

/// Values one after the other.
#[derive(Default)]
pub(super) struct Decoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Decoded {
    pub(super) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(from, to)| self.bytes.get(from..*to).unwrap_or_default())
    }

    /// Writes the values plainly.
    pub(super) fn write_plain(&self, out: &mut Vec<u8>) {
        for value in self.iter() {
            out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(value);
        }
    }
}

/// Decodes the values of a page: no more than `values` of them, no more than `most` bytes.
pub(super) fn decode(
    encoding: i64,
    data: &[u8],
    values: usize,
    most: usize,
    fixed: Option<usize>,
) -> Result<Decoded, Fault> {
    let decoded = match (encoding, fixed) {
        (PLAIN | PLAIN_DICTIONARY, None) => plain(data),
        (PLAIN | PLAIN_DICTIONARY, Some(length)) if length > 0 && data.len().is_multiple_of(length) => {
            let mut decoded = Decoded::default();
            data.chunks_exact(length).for_each(|value| decoded.push(value));
            Ok(decoded)
        }
        (DELTA_LENGTH, None) => delta_length(data, values.min(most / 8)),
        (DELTA, _) => delta(data, values.min(most / 8), most),
        _ => Err(Fault::Malformed),
    }?;
    if decoded.len() > values { Err(Fault::Malformed) } else { Ok(decoded) }
}

/// Whether [`decode`] knows an encoding.
pub(super) const fn is_known(encoding: i64) -> bool {
    matches!(encoding, PLAIN | PLAIN_DICTIONARY | DELTA_LENGTH | DELTA | DICTIONARY)
}

/// Whether all that stands in a page's data are places in a dictionary of so many values: a width, then runs of one
/// place, or of places packed into bits.
pub(super) fn are_indices(data: &[u8], count: usize) -> bool {
    let Some((width, rest)) = data.split_first() else { return true };
    let width = usize::from(*width);
    let mut bits = Bits { data: rest, at: 0 };
    while bits.at < rest.len() {
        let Ok(head) = bits.size() else { return false };
        let packed = head & 1 == 1;
        let length = if packed { (head >> 1).checked_mul(width) } else { Some(width.div_ceil(8)) };
        let Some(run) = length.and_then(|length| bits.bytes(length).ok()) else { return false };
        let places = if packed { (head >> 1).saturating_mul(8) } else { 1 };
        let bits_each = u8::try_from(if packed { width } else { run.len() * 8 }).unwrap_or(u8::MAX);
        // A run of no bits says nothing but the first place.
        let inside = |at| unpack(run, at, bits_each) < count.max(1) as u64;
        if width > 32 || !(run.is_empty() || (0..places).all(inside)) {
            return false;
        }
    }
    true
}

fn plain(mut data: &[u8]) -> Result<Decoded, Fault> {
    let mut values = Decoded::default();
    while !data.is_empty() {
        let length = data.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).ok_or(Fault::Malformed)?;
        let end = usize::try_from(length).ok().and_then(|l| l.checked_add(4)).ok_or(Fault::Malformed)?;
        values.push(data.get(4..end).ok_or(Fault::Malformed)?);
        data = data.get(end..).unwrap_or_default();
    }
    Ok(values)
}

fn delta_length(data: &[u8], most: usize) -> Result<Decoded, Fault> {
    let (lengths, mut at) = packed(data, most)?;
    let mut values = Decoded::default();
    for length in lengths {
        let end = at.checked_add(length).ok_or(Fault::Malformed)?;
        values.push(data.get(at..end).ok_or(Fault::Malformed)?);
        at = end;
    }
    if at == data.len() { Ok(values) } else { Err(Fault::Malformed) }
}

fn delta(data: &[u8], most: usize, bytes: usize) -> Result<Decoded, Fault> {
    let (prefixes, at) = packed(data, most)?;
    let suffixes = delta_length(data.get(at..).unwrap_or_default(), most)?;
    if prefixes.len() != suffixes.len() {
        return Err(Fault::Malformed);
    }
    let mut values = Decoded::default();
    let mut value: Vec<u8> = Vec::new();
    for (prefix, suffix) in prefixes.into_iter().zip(suffixes.iter()) {
        if prefix > value.len() {
            return Err(Fault::Malformed);
        }
        value.truncate(prefix);
        value.extend_from_slice(suffix);
        if values.bytes() + value.len() > bytes {
            return Err(Fault::TooMany);
        }
        values.push(&value);
    }
    Ok(values)
}

/// Lengths as differences, packed into bits. Gives how many bytes they took.
fn packed(data: &[u8], most: usize) -> Result<(Vec<usize>, usize), Fault> {
    let mut bits = Bits { data, at: 0 };
    let (block, minis, count) = (bits.size()?, bits.size()?, bits.size()?);
    let first = bits.zigzag()?;
    let sane = minis > 0 && block.is_multiple_of(128) && block.is_multiple_of(minis) && block <= 1 << 20;
    if !sane || !(block / minis).is_multiple_of(32) {
        return Err(Fault::Malformed);
    }
    if count > most {
        return Err(Fault::TooMany);
    }
    let length = |value: i64| usize::try_from(value).map_err(|_range| Fault::Malformed);
    let mut values = Vec::new();
    let mut last = first;
    if count > 0 {
        values.push(length(first)?);
    }
    while values.len() < count {
        let least = bits.zigzag()?;
        let widths = bits.bytes(minis)?.to_vec();
        for width in widths {
            if values.len() >= count {
                break;
            }
            if width > 64 {
                return Err(Fault::Malformed);
            }
            let mini = bits.bytes(block / minis * usize::from(width) / 8)?;
            for index in 0..block / minis {
                if values.len() >= count {
                    break;
                }
                let more = unpack(mini, index, width).cast_signed();
                last = last.wrapping_add(least).wrapping_add(more);
                values.push(length(last)?);
            }
        }
    }
    Ok((values, bits.at))
}

/// The `index`th number of so many bits, the lowest first.
fn unpack(bytes: &[u8], index: usize, width: u8) -> u64 {
    let mut value = 0_u64;
    for bit in 0..usize::from(width) {
        let at = index * usize::from(width) + bit;
        let set = bytes.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
        value |= u64::from(set) << bit;
    }
    value
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.data.get(self.at).ok_or(Fault::Malformed)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Malformed)
    }

    fn size(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.varint()?).map_err(|_range| Fault::Malformed)
    }

    fn zigzag(&mut self) -> Result<i64, Fault> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let end = self.at.checked_add(count).ok_or(Fault::Malformed)?;
        let bytes = self.data.get(self.at..end).ok_or(Fault::Malformed)?;
        self.at = end;
        Ok(bytes)
    }
}
