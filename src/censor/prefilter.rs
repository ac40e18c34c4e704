//! The first stage: one look at every four adjacent bytes, which nearly all of a text never gets past.
//!
//! Every literal is known by four adjacent bytes of its own, those that are seen least in text. Blocks of 64 places
//! are looked up in a table of bits, without a branch; where a bit is set, the four bytes themselves are compared and
//! then the literal. Single bytes that anchor something (digits, `@`, `:`) are found eight at a time.

use super::bytes::ByteSet;
use super::frequency;

/// Runs of digits anchor something.
pub(super) const DIGIT: u8 = 1;
/// `@` does.
pub(super) const AT: u8 = 2;
/// `:` does, before what can stand in an IPv6 address.
pub(super) const COLON: u8 = 4;

/// Most bytes of a literal that are compared here; the automaton sees the rest.
pub(super) const LITERAL_MAX: usize = 16;
/// Fewest bytes of a literal.
pub(super) const LITERAL_MIN: usize = 3;

/// Places in a block: one bit each.
const BLOCK: usize = 64;
/// Bytes that a block's places look at.
const BLOCK_BYTES: usize = BLOCK + GRAM - 1;
/// Bytes that a place is known by.
const GRAM: usize = 4;
/// The table has two to this many bits. It should stay in the first-level cache: 16 KiB.
const TABLE: u32 = 18;
const WORDS: usize = 1 << (TABLE - 6);
/// The second table has two to this many bits; only what passes the first is looked up in it.
const SIFT: u32 = 18;
const SIFT_WORDS: usize = 1 << (SIFT - 6);
const BUCKETS: u32 = 13;
/// Makes lower-case letters of upper-case ones, and other signs of other signs: nothing is missed by it.
const FOLD: u32 = 0x2020_2020;

const fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1) >> (32 - TABLE)
}

/// Another hash, so that what the first table mistakes the second doesn't.
const fn hash_again(gram: u32) -> u32 {
    (gram ^ gram >> 15).wrapping_mul(0x85eb_ca6b) >> (32 - SIFT)
}

/// What is looked for, and how it is found.
pub(super) struct Prefilter {
    bits: Box<[u64; WORDS]>,
    sift: Box<[u64; SIFT_WORDS]>,
    /// Entries by the upper bits of their hash: `buckets[h]..buckets[h + 1]`.
    buckets: Box<[u32; (1 << BUCKETS) + 1]>,
    entries: Vec<Entry>,
    known: Vec<Known>,
    /// Literals that are known by the byte before them, which the first place of a text hasn't, by their own bytes.
    heads: Vec<(u32, u16)>,
    anchors: u8,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    gram: u32,
    literal: u16,
    /// Where the four bytes stand, from the literal's beginning; the byte before it is at -1.
    offset: i8,
}

/// A literal, as far as it is compared, and whom it is for.
struct Known {
    value: u128,
    fold: u128,
    len: u8,
    target: u16,
}

impl Known {
    /// Does the text have it at this place?
    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let Some(rest) = text.get(at..) else { return false };
        let seen = match rest.first_chunk() {
            Some(chunk) => u128::from_le_bytes(*chunk),
            None if rest.len() < usize::from(self.len) => return false,
            None => {
                let mut chunk = [0; LITERAL_MAX];
                chunk.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
                u128::from_le_bytes(chunk)
            }
        };
        let mask = u128::MAX >> (128 - 8 * u32::from(self.len));
        (seen | self.fold) & mask == self.value
    }
}

/// Bytes that can stand before an anchor and belong to the value, and how many of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) set: ByteSet,
    pub(super) max: usize,
}

impl Run {
    /// Where the run begins that ends at `end`.
    pub(super) fn start(&self, text: &[u8], end: usize) -> usize {
        let before = text.get(end.saturating_sub(self.max)..end).unwrap_or_default();
        end - before.iter().rev().take_while(|byte| self.set.contains(**byte)).count()
    }

    /// Does it hold all that the other holds?
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.set.covers(&other.set) && self.max >= other.max
    }
}

/// What can stand beside a literal. One of three bytes is known by one more byte on one of its sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beside {
    /// Before it, unless it begins the text; all if anything may.
    pub(super) before: ByteSet,
    /// Behind it, unless it ends the text.
    pub(super) behind: ByteSet,
}

impl Beside {
    /// Anything.
    pub(super) const fn any() -> Self {
        Self { before: ByteSet::all(), behind: ByteSet::all() }
    }
}

/// The beginning of a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// Bytes with the bits of `fold` set, the first in the lowest place.
    value: u128,
    /// 0x20 where ASCII case doesn't count.
    fold: u128,
    len: usize,
    beside: Beside,
    /// What of a text that ends in a part of the literal must be held; nothing if the value is yet to come.
    pub(super) held: Option<Run>,
}

impl Literal {
    /// The first bytes of a keyword; `folds` says at which of them case doesn't count.
    pub(super) fn new(
        keyword: &[u8],
        folds: impl Fn(usize) -> bool,
        beside: Beside,
        held: Option<Run>,
    ) -> Self {
        let (mut value, mut fold) = ([0; LITERAL_MAX], [0; LITERAL_MAX]);
        let slots = value.iter_mut().zip(&mut fold);
        for (index, (byte, (value, fold))) in keyword.iter().zip(slots).enumerate() {
            *fold = if byte.is_ascii_alphabetic() && folds(index) { 0x20 } else { 0 };
            *value = byte | *fold;
        }
        let len = keyword.len().min(LITERAL_MAX);
        Self { value: u128::from_le_bytes(value), fold: u128::from_le_bytes(fold), len, beside, held }
    }

    fn known(&self, target: u16) -> Known {
        Known { value: self.value, fold: self.fold, len: u8::try_from(self.len).unwrap_or(0), target }
    }

    /// Its bytes, in lower case.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        let value = self.value.to_le_bytes();
        value.into_iter().take(self.len).map(|byte| byte.to_ascii_lowercase())
    }

    /// The bytes that can stand at each of its places: two where case doesn't count.
    pub(super) fn choices(&self) -> impl Iterator<Item = (u8, u8)> {
        let (value, fold) = (self.value.to_le_bytes(), self.fold.to_le_bytes());
        value.into_iter().zip(fold).take(self.len).map(|(value, fold)| (value, value & !fold))
    }

    /// The four bytes that it is known by, those that are seen least, and where they stand.
    fn grams(&self) -> Vec<(u32, i8)> {
        let bytes: Vec<u8> = self.value.to_le_bytes().into_iter().take(self.len).map(|b| b | 0x20).collect();
        let [a, b, c] = match bytes.as_slice() {
            [a, b, c] => [*a, *b, *c],
            longer => {
                let grams = longer.array_windows::<GRAM>().map(|gram| u32::from_le_bytes(*gram)).zip(0..);
                let rarest =
                    grams.min_by(|(a, _), (b, _)| frequency::gram(*a).total_cmp(&frequency::gram(*b)));
                return rarest.into_iter().collect();
            }
        };
        let folded = |set: ByteSet, more: &[u8]| -> Vec<u8> {
            let mut folded = ByteSet::of(|b| more.contains(&b));
            (0..=u8::MAX).filter(|b| set.contains(*b)).for_each(|b| folded.insert(b | 0x20));
            (0..=u8::MAX).filter(|b| folded.contains(*b)).collect()
        };
        let before = folded(self.beside.before, &[])
            .into_iter()
            .map(|x| (u32::from_le_bytes([x, a, b, c]), -1))
            .collect();
        // A text may end behind the literal; zeros are put there then.
        let behind = folded(self.beside.behind, &[0x20])
            .into_iter()
            .map(|x| (u32::from_le_bytes([a, b, c, x]), 0))
            .collect();
        // Every four bytes more fill the table more, and its mistakes cost, too.
        let cost = |grams: &Vec<(u32, i8)>| -> f32 {
            grams.iter().map(|(gram, _)| frequency::gram(*gram) + 0.3 / WORDS as f32 / 64.0).sum()
        };
        if cost(&before) < cost(&behind) { before } else { behind }
    }
}

/// Something seen at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// A keyword's beginning: whom it is for.
    Literal(u16),
    /// A run of digits begins.
    Digits,
    /// An `@`.
    At,
    /// A `:` before what can stand in an IPv6 address, or at the end.
    Colon,
}

impl Prefilter {
    /// Builds the tables. The flags say which single bytes anchor something.
    #[expect(clippy::needless_pass_by_value, reason = "they are spent")]
    pub(super) fn new(literals: Vec<(Literal, u16)>, anchors: u8) -> Self {
        let mut bits = Box::new([0; WORDS]);
        let mut sift = Box::new([0; SIFT_WORDS]);
        let mut entries = Vec::new();
        for (index, (literal, _)) in literals.iter().enumerate() {
            for (gram, offset) in literal.grams() {
                let hash = hash(gram);
                if let Some(word) = bits.get_mut((hash >> 6) as usize) {
                    *word |= 1_u64 << (hash & 63);
                }
                let again = hash_again(gram);
                if let Some(word) = sift.get_mut((again >> 6) as usize) {
                    *word |= 1_u64 << (again & 63);
                }
                entries.push(Entry { gram, literal: u16::try_from(index).unwrap_or(u16::MAX), offset });
            }
        }
        let bucket = |entry: &Entry| hash(entry.gram) >> (TABLE - BUCKETS);
        entries.sort_unstable_by_key(|entry| (bucket(entry), entry.gram, entry.literal));
        let mut buckets = Box::new([0; (1 << BUCKETS) + 1]);
        for (slot, index) in buckets.iter_mut().zip(0_u32..) {
            *slot = u32::try_from(entries.partition_point(|entry| bucket(entry) < index)).unwrap_or(u32::MAX);
        }
        // The byte before stands lowest.
        let heads =
            entries.iter().filter(|entry| entry.offset < 0).map(|entry| (entry.gram >> 8, entry.literal));
        let heads = heads.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let known = literals.iter().map(|(literal, target)| literal.known(*target)).collect();
        Self { bits, sift, buckets, entries, known, heads, anchors }
    }

    /// Calls back for everything seen from `from` on, block by block: first literals, then single bytes. Every
    /// literal that stands wholly in the text and begins at or behind `from`, every single byte at or behind it, is
    /// told exactly once.
    pub(super) fn hits(&self, text: &[u8], from: usize, mut hit: impl FnMut(usize, Hit)) {
        if from == 0 {
            self.heads_at(text, &mut hit);
        }
        // A literal may be known by the byte before it.
        let mut at = from.saturating_sub(1);
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>()) {
            self.block(text, from, at, block, &mut hit);
            at += BLOCK;
        }
        while at < text.len() {
            let mut block = [0; BLOCK_BYTES];
            block.iter_mut().zip(text.get(at..).unwrap_or_default()).for_each(|(slot, byte)| *slot = *byte);
            self.block(text, from, at, &block, &mut hit);
            at += BLOCK;
        }
    }

    #[inline(always)]
    fn block(
        &self,
        text: &[u8],
        from: usize,
        at: usize,
        block: &[u8; BLOCK_BYTES],
        hit: &mut impl FnMut(usize, Hit),
    ) {
        let mut mask = self.sifted(block, self.places(block));
        while mask != 0 {
            let index = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            self.literals_at(text, from, at + index, gram_at(block, index), hit);
        }
        let singles = singles(block);
        if singles.iter().fold(0, |all, word| all | word) != 0 {
            self.singles_at(text, from, at, &singles, hit);
        }
    }

    /// One bit for each place whose four bytes a literal may be known by.
    #[inline(always)]
    fn places(&self, block: &[u8; BLOCK_BYTES]) -> u64 {
        let mut mask = 0;
        for index in 0..BLOCK {
            let hash = hash(gram_at(block, index));
            let word = self.bits[(hash >> 6) as usize];
            mask |= (word >> (hash & 63) & 1) << index;
        }
        mask
    }

    fn heads_at(&self, text: &[u8], hit: &mut impl FnMut(usize, Hit)) {
        let Some([a, b, c]) = text.first_chunk::<LITERAL_MIN>() else { return };
        let key = u32::from_le_bytes([*a, *b, *c, 0]) | FOLD >> 8;
        let first = self.heads.partition_point(|(head, _)| *head < key);
        for (_, literal) in self.heads.iter().skip(first).take_while(|(head, _)| *head == key) {
            if let Some(known) =
                self.known.get(usize::from(*literal)).filter(|known| known.stands_at(text, 0))
            {
                hit(0, Hit::Literal(known.target));
            }
        }
    }

    /// Those of the places that the second table has, too.
    #[inline(always)]
    fn sifted(&self, block: &[u8; BLOCK_BYTES], mut places: u64) -> u64 {
        let mut mask = 0;
        while places != 0 {
            let index = places.trailing_zeros();
            places &= places - 1;
            let hash = hash_again(gram_at(block, index as usize));
            let word = self.sift[(hash >> 6) as usize];
            mask |= (word >> (hash & 63) & 1) << index;
        }
        mask
    }

    fn literals_at(&self, text: &[u8], from: usize, at: usize, gram: u32, hit: &mut impl FnMut(usize, Hit)) {
        let bucket = (hash(gram) >> (TABLE - BUCKETS)) as usize;
        let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        for entry in self.entries.get(range).unwrap_or_default() {
            if entry.gram != gram {
                continue;
            }
            let Some(start) =
                at.checked_add_signed(-isize::from(entry.offset)).filter(|start| *start >= from)
            else {
                continue;
            };
            let Some(known) = self.known.get(usize::from(entry.literal)) else { continue };
            if known.stands_at(text, start) {
                hit(start, Hit::Literal(known.target));
            }
        }
    }

    fn singles_at(
        &self,
        text: &[u8],
        from: usize,
        at: usize,
        singles: &[u64; 8],
        hit: &mut impl FnMut(usize, Hit),
    ) {
        let byte = |i: usize| text.get(i).copied();
        for (index, word) in singles.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let place = at + 8 * index + (word.trailing_zeros() / 8) as usize;
                word &= word - 1;
                match byte(place).filter(|_| place >= from) {
                    Some(b'@') if self.anchors & AT != 0 => hit(place, Hit::At),
                    Some(b':') if self.anchors & COLON != 0 && byte(place + 1).is_none_or(in_ipv6) => {
                        hit(place, Hit::Colon);
                    }
                    Some(b'0'..=b'9') if self.anchors & DIGIT != 0 => {
                        let before = place.checked_sub(1).and_then(byte);
                        if !before.is_some_and(|b| b.is_ascii_digit()) {
                            hit(place, Hit::Digits);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

#[inline(always)]
const fn gram_at(block: &[u8; BLOCK_BYTES], index: usize) -> u32 {
    u32::from_le_bytes([block[index], block[index + 1], block[index + 2], block[index + 3]]) | FOLD
}

/// The highest bit of each byte that is a digit, `:` or `@`; eight bytes a word.
#[inline(always)]
fn singles(block: &[u8; BLOCK_BYTES]) -> [u64; 8] {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut words = [0; 8];
    for (index, word) in words.iter_mut().enumerate() {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&block[8 * index..8 * index + 8]);
        let bytes = u64::from_le_bytes(bytes);
        // Of `b ^ 0x30`, digits and `:` are below 11; adding 117 lifts everything else to the highest bit.
        let digits = bytes ^ (ONES * 0x30);
        let no_digit = ((digits & LOW) + ONES * 117) | digits;
        let at = bytes ^ (ONES * 0x40);
        let no_at = ((at & LOW) + LOW) | at;
        *word = !(no_digit & no_at) & HIGH;
    }
    words
}

const fn in_ipv6(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b':'
}

#[cfg(test)]
mod tests;
