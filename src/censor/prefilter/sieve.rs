//! Where may four bytes stand that something is known by? A Bloom filter in blocks of one word: three bits of it for each
//! four bytes, so that one look at memory answers.

use super::{FOLD, wide};

/// Places in a block: one bit each.
pub(super) const BLOCK: usize = 64;
/// Bytes that must be there for a block: its places', and those behind that the last ones and wide loads look at.
pub(super) const BLOCK_BYTES: usize = BLOCK + 16;

/// Words of the table, as a power of two: 32 KiB, to stay in the first-level cache.
pub(super) const WORD_BITS: u32 = 13;
const WORDS: usize = 1 << WORD_BITS;
/// Where the three bits' numbers stand in a hash.
pub(super) const FIRST: u32 = 14;
pub(super) const SECOND: u32 = 9;
pub(super) const THIRD: u32 = 4;
pub(super) const FACTOR: u32 = 0x9e37_79b1;

/// What is seen at the places of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Four bytes that the sieve may hold begin there.
    pub(super) grams: u64,
    /// A digit.
    pub(super) digits: u64,
    /// An `@` or a `:`.
    pub(super) signs: u64,
}

/// The filter.
pub(super) struct Sieve {
    words: Box<[u32; WORDS]>,
    wide: Option<wide::Wide>,
}

impl Default for Sieve {
    fn default() -> Self {
        Self { words: Box::new([0; WORDS]), wide: wide::Wide::detect() }
    }
}

impl Sieve {
    /// Takes four folded bytes in.
    pub(super) fn add(&mut self, gram: u32) {
        let hash = gram.wrapping_mul(FACTOR);
        if let Some(word) = self.words.get_mut((hash >> (32 - WORD_BITS)) as usize) {
            *word |= [FIRST, SECOND, THIRD].iter().fold(0, |bits, bit| bits | 1 << (hash >> bit & 31));
        }
    }

    /// Looks at as many whole blocks of the text as there are, at most as many as `seen` has room for. Says how many.
    #[inline]
    pub(super) fn look(&self, text: &[u8], seen: &mut [Seen]) -> usize {
        let blocks = (text.len() + BLOCK).saturating_sub(BLOCK_BYTES) / BLOCK;
        let blocks = blocks.min(seen.len());
        let seen = seen.get_mut(..blocks).unwrap_or_default();
        match self.wide {
            Some(wide) => wide.look(&self.words, text, seen),
            None => self.narrow(text, seen),
        }
        blocks
    }

    /// Looks at the first places of a block, as many as there are; nothing is seen at the others.
    #[inline]
    pub(super) fn part(&self, block: &[u8; BLOCK_BYTES], places: usize) -> Seen {
        let places = places.min(BLOCK);
        match self.wide {
            Some(wide) => wide.part(&self.words, block, places),
            None => Seen { grams: self.grams(block, places), ..singles(block) },
        }
    }

    /// The same, looked at in every way that the processor has.
    #[cfg(test)]
    pub(super) fn ways(&self) -> Vec<Self> {
        wide::Wide::all()
            .into_iter()
            .map(|wide| Self { words: self.words.clone(), wide: Some(wide) })
            .collect()
    }

    /// The same on every processor.
    pub(super) fn narrow(&self, text: &[u8], seen: &mut [Seen]) {
        for (index, seen) in seen.iter_mut().enumerate() {
            let Some(block) = text.get(index * BLOCK..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>())
            else {
                return;
            };
            *seen = Seen { grams: self.grams(block, BLOCK), ..singles(block) };
        }
    }

    fn grams(&self, block: &[u8; BLOCK_BYTES], places: usize) -> u64 {
        let mut mask = 0;
        for index in 0..places.min(BLOCK) {
            let gram = [block[index], block[index + 1], block[index + 2], block[index + 3]];
            let hash = (u32::from_le_bytes(gram) | FOLD).wrapping_mul(FACTOR);
            let word = self.words[(hash >> (32 - WORD_BITS)) as usize];
            let all = [FIRST, SECOND, THIRD].iter().fold(1, |bits, bit| bits & word >> (hash >> bit & 31));
            mask |= u64::from(all & 1) << index;
        }
        mask
    }
}

fn singles(block: &[u8; BLOCK_BYTES]) -> Seen {
    let mut seen = Seen::default();
    for (index, byte) in block.iter().take(BLOCK).enumerate() {
        seen.digits |= u64::from(byte.is_ascii_digit()) << index;
        seen.signs |= u64::from(*byte == b'@' || *byte == b':') << index;
    }
    seen
}
