//! The first stage: one look at every four adjacent bytes, which nearly all of a text never gets past.
//!
//! Every literal is known by four adjacent bytes of its own, those that are seen least in text. A [`Sieve`] says of 64
//! places at a time, without a branch, where such four bytes may stand; there the four bytes themselves are compared and
//! then the literal. It tells of single bytes that anchor something (digits, `@`, `:`), too.

mod sieve;
mod wide;

use super::bytes::ByteSet;
use super::frequency;
use sieve::{BLOCK, BLOCK_BYTES, Seen, Sieve};

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

/// Bytes that a place is known by.
const GRAM: usize = 4;
const BUCKETS: u32 = 15;
/// Makes lower-case letters of upper-case ones, and other signs of other signs: nothing is missed by it.
const FOLD: u32 = 0x2020_2020;

/// Stands behind the end of a text; no text has it.
const END: u8 = 0xff;
/// Blocks that are looked at in one go.
const BATCH: usize = 16;

/// A literal's bucket. The sieve uses other bits of a gram's hash.
const fn bucket(gram: u32) -> usize {
    (gram.wrapping_mul(0x85eb_ca6b) >> (32 - BUCKETS)) as usize
}

/// What is looked for, and how it is found.
pub(super) struct Prefilter {
    sieve: Sieve,
    /// Entries by the upper bits of their hash: `buckets[h]..buckets[h + 1]`.
    buckets: Box<[u32; (1 << BUCKETS) + 1]>,
    entries: Vec<Entry>,
    known: Vec<Known>,
    /// Literals that are known by the byte before them, which the first place of a text hasn't, by their own bytes.
    heads: Vec<(u32, u16)>,
    anchors: u8,
}

/// Four bytes that a literal is known by.
#[derive(Clone, Copy, Debug)]
struct Entry {
    gram: u32,
    literal: u16,
    /// Where the four bytes stand, from the literal's beginning; the byte before it is at -1.
    offset: i8,
    /// How much of the literal is in `near`: four bytes or less.
    near_mask: u32,
    /// The bytes of the literal behind the four or, if they are its last, before them: most mistakes end here.
    near: u32,
    near_fold: u32,
    near_at: i8,
}

impl Entry {
    fn new(literal: &Literal, index: usize, gram: u32, offset: i8) -> Self {
        let behind = (i32::from(offset) + GRAM as i32).max(0) as usize;
        let from = if literal.len > behind {
            behind
        } else {
            usize::try_from(offset).unwrap_or(0).saturating_sub(GRAM)
        };
        let len = literal.len.saturating_sub(from).min(GRAM);
        let part = |bytes: u128| (bytes >> (8 * from)) as u32;
        let near_mask = if len == 0 { 0 } else { u32::MAX >> (32 - 8 * len as u32) };
        Self {
            gram,
            literal: u16::try_from(index).unwrap_or(u16::MAX),
            offset,
            near_mask,
            near: part(literal.value) & near_mask,
            near_fold: part(literal.fold),
            near_at: i8::try_from(from).unwrap_or(0),
        }
    }
}

/// A literal, as far as it is compared, and what it is told as.
struct Known {
    value: u128,
    fold: u128,
    len: u8,
    hit: Hit,
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

    fn known(&self, hit: Hit) -> Known {
        Known { value: self.value, fold: self.fold, len: u8::try_from(self.len).unwrap_or(0), hit }
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
        // A text may end behind the literal.
        let behind = folded(self.beside.behind, &[END])
            .into_iter()
            .map(|x| (u32::from_le_bytes([a, b, c, x]), 0))
            .collect();
        // Every four bytes more fill the sieve more, and its mistakes cost, too.
        const COST: f32 = 1e-6;
        let cost = |grams: &Vec<(u32, i8)>| -> f32 {
            grams.iter().map(|(gram, _)| frequency::gram(*gram) + COST).sum()
        };
        if cost(&before) < cost(&behind) { before } else { behind }
    }
}

/// Something seen at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// A keyword's beginning: whom it is for.
    Literal(u16),
    /// A context word's beginning: its number. It is told before every digit behind it.
    Word(u16),
    /// A run of digits begins.
    Digits,
    /// An `@`.
    At,
    /// A `:` before what can stand in an IPv6 address, or at the end.
    Colon,
}

impl Prefilter {
    /// Builds the tables, of literals and what each is told as. The flags say which single bytes anchor something.
    #[expect(clippy::needless_pass_by_value, reason = "they are spent")]
    pub(super) fn new(literals: Vec<(Literal, Hit)>, anchors: u8) -> Self {
        let mut sieve = Sieve::default();
        let mut entries = Vec::new();
        for (index, (literal, _)) in literals.iter().enumerate() {
            for (gram, offset) in literal.grams() {
                sieve.add(gram);
                entries.push(Entry::new(literal, index, gram, offset));
            }
        }
        entries.sort_unstable_by_key(|entry| (bucket(entry.gram), entry.gram, entry.literal));
        let mut buckets = Box::new([0; (1 << BUCKETS) + 1]);
        for (index, slot) in buckets.iter_mut().enumerate() {
            let first = entries.partition_point(|entry| bucket(entry.gram) < index);
            *slot = u32::try_from(first).unwrap_or(u32::MAX);
        }
        // The byte before stands lowest.
        let heads =
            entries.iter().filter(|entry| entry.offset < 0).map(|entry| (entry.gram >> 8, entry.literal));
        let heads = heads.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let known = literals.iter().map(|(literal, hit)| literal.known(*hit)).collect();
        Self { sieve, buckets, entries, known, heads, anchors }
    }

    /// Calls back for everything seen from `from` on, block by block: first literals, then single bytes. Every
    /// literal that stands wholly in the text and begins at or behind `from`, every single byte at or behind it, is
    /// told exactly once.
    pub(super) fn hits(&self, text: &[u8], from: usize, mut hit: impl FnMut(usize, Hit)) {
        if from == 0 {
            self.heads_at(text, &mut hit);
        }
        if self.entries.is_empty() && self.anchors == 0 {
            return;
        }
        // A literal may be known by the byte before it.
        let mut at = from.saturating_sub(1);
        let mut seen = [Seen::default(); BATCH];
        let mut digit = digit_before(text, at);
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let blocks = self.sieve.look(rest, &mut seen);
            let blocks = if blocks == 0 {
                let mut last = [END; BLOCK_BYTES];
                let there = rest.len().min(BLOCK_BYTES);
                last[..there].copy_from_slice(&rest[..there]);
                seen[0] = self.sieve.part(&last, there);
                1
            } else {
                blocks
            };
            for block in seen.iter().take(blocks) {
                self.block(text, from, at, block, digit, &mut hit);
                digit = block.digits >> (BLOCK - 1);
                at += BLOCK;
            }
        }
    }

    /// `digit`: 1 if the byte before the block is a digit.
    #[inline(always)]
    fn block(
        &self,
        text: &[u8],
        from: usize,
        at: usize,
        block: &Seen,
        digit: u64,
        hit: &mut impl FnMut(usize, Hit),
    ) {
        let mut mask = block.grams;
        while mask != 0 {
            let place = at + mask.trailing_zeros() as usize;
            mask &= mask - 1;
            self.literals_at(text, from, place, hit);
        }
        let starts = block.digits & !(block.digits << 1 | digit);
        let mut mask = starts | block.signs;
        while mask != 0 {
            let place = at + mask.trailing_zeros() as usize;
            mask &= mask - 1;
            if place >= from {
                self.single_at(text, place, hit);
            }
        }
    }

    fn heads_at(&self, text: &[u8], hit: &mut impl FnMut(usize, Hit)) {
        let Some([a, b, c]) = text.first_chunk::<LITERAL_MIN>() else { return };
        let key = u32::from_le_bytes([*a, *b, *c, 0]) | FOLD >> 8;
        let first = self.heads.partition_point(|(head, _)| *head < key);
        for (_, literal) in self.heads.iter().skip(first).take_while(|(head, _)| *head == key) {
            if let Some(known) =
                self.known.get(usize::from(*literal)).filter(|known| known.stands_at(text, 0))
            {
                hit(0, known.hit);
            }
        }
    }

    fn literals_at(&self, text: &[u8], from: usize, at: usize, hit: &mut impl FnMut(usize, Hit)) {
        let gram = gram_at(text, at);
        let bucket = bucket(gram);
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
            let near = text.get(start + entry.near_at as usize..).and_then(|rest| rest.first_chunk::<GRAM>());
            if near.is_some_and(|near| {
                (u32::from_le_bytes(*near) | entry.near_fold) & entry.near_mask != entry.near
            }) {
                continue;
            }
            let Some(known) = self.known.get(usize::from(entry.literal)) else { continue };
            if known.stands_at(text, start) {
                hit(start, known.hit);
            }
        }
    }

    /// The byte at a place is an `@`, a `:` or the first digit of a run.
    #[inline(always)]
    fn single_at(&self, text: &[u8], place: usize, hit: &mut impl FnMut(usize, Hit)) {
        match text.get(place) {
            Some(b'@') if self.anchors & AT != 0 => hit(place, Hit::At),
            Some(b':') if self.anchors & COLON != 0 && text.get(place + 1).copied().is_none_or(in_ipv6) => {
                hit(place, Hit::Colon);
            }
            Some(b'0'..=b'9') if self.anchors & DIGIT != 0 => hit(place, Hit::Digits),
            _ => {}
        }
    }
}

/// 1 if the byte before a place is a digit.
fn digit_before(text: &[u8], at: usize) -> u64 {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    u64::from(before.is_some_and(u8::is_ascii_digit))
}

/// The folded bytes from a place on, with [`END`] behind the last.
fn gram_at(text: &[u8], at: usize) -> u32 {
    let rest = text.get(at..).unwrap_or_default();
    let gram = match rest.first_chunk::<GRAM>() {
        Some(gram) => *gram,
        None => {
            let mut gram = [END; GRAM];
            gram.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
            gram
        }
    };
    u32::from_le_bytes(gram) | FOLD
}

const fn in_ipv6(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b':'
}

#[cfg(test)]
mod tests;
