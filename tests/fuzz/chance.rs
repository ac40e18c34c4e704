//! Changes to an input, by a chance that is the same every time.

/// A sequence of numbers (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(name: &str) -> Self {
        // FNV-1a.
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below.
    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next()).unwrap() % most.max(1)
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// One to four changes: bytes that are others, gone or new, parts that are repeated or of another seed.
    pub(crate) fn change(&mut self, input: &[u8], other: &[u8], longest: usize) -> Vec<u8> {
        const TELLING: &[u8] = b"\"\\{}[]:,;\n\r\t =&-.@/0e\x01\x02\x03\x06\x07\x08\x0e\x0f\xc3\xa9\xff\x00";
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] = *self.one_of(TELLING),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.insert(at, *self.one_of(TELLING)),
                3 => {
                    let count = self.below(12).min(bytes.len() - at);
                    bytes.drain(at..at + count);
                }
                4 => {
                    let part = bytes[at..bytes.len().min(at + 1 + self.below(40))].to_vec();
                    bytes.splice(at..at, part);
                }
                5 => {
                    let from = self.below(other.len());
                    let part = &other[from..other.len().min(from + 1 + self.below(60))];
                    bytes.splice(at..at, part.iter().copied());
                }
                // The cuts.
                _ => {
                    for byte in bytes.iter_mut().skip(1).take(3) {
                        *byte = u8::try_from(self.next() % 256).unwrap();
                    }
                }
            }
        }
        bytes.truncate(longest);
        bytes
    }
}
