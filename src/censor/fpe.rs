//! Values that keep their format: FF1 of NIST SP 800-38G, over as many decimal digits as a value of this shape has
//! possibilities.
//!
//! What is replaced are digits and ASCII letters, each by one of its own class; what stands between them stays, and so does
//! what a reader needs of a card (its issuer), an IBAN (its country) and a telephone number (all but its last digits).
//! The cipher is walked on until a value comes out that its rule's check takes (cycle walking), if the original passed
//! that check. So it is a permutation of the values that have this shape and are valid, one for each key and for each text
//! that stays.

use aes::Aes256;
use fpe::ff1::{FF1, NumeralString, Operations};

use super::validate::{Validator, mod97};

/// Fewest values of a shape: what the standard's revision 1 asks for.
const DOMAIN_MIN: u128 = 1_000_000;
/// Most characters that are replaced; more digits than that don't fit into the arithmetic.
const SLOTS_MAX: usize = 36;
/// Most steps of one walk. One valid value in 200 is found in all but 5 of 100 000 walks.
const STEPS_MAX: u32 = 2000;
/// Digits at the end of a telephone number that are replaced.
const SUBSCRIBER: usize = 6;
/// Digits at the beginning of a card's number that name its issuer (ISO/IEC 7812-1).
const ISSUER: usize = 6;

/// The cipher of one key.
pub(super) struct Cipher(FF1<Aes256>);

impl Cipher {
    /// None if the library refuses the radix, which it doesn't.
    pub(super) fn new(key: &[u8; 32]) -> Option<Self> {
        FF1::new(key, RADIX).ok().map(Self)
    }

    /// Another value of the same format; none if there is no such value, or it isn't found. `steps`: how many more the
    /// exchange has.
    pub(super) fn replace(
        &self,
        entity: &str,
        original: &[u8],
        validator: Option<Validator>,
        steps: &mut u32,
    ) -> Option<Vec<u8>> {
        let shape = Shape::of(entity, original)?;
        let validator = validator.filter(|valid| valid(original));
        let tweak = shape.tweak(original);
        let digits = shape.digits()?;
        let mut number = shape.rank(original);
        for _ in 0..STEPS_MAX.min(*steps) {
            *steps -= 1;
            let next = self.0.encrypt(&tweak, &Numerals { number, count: digits }).ok()?;
            number = next.number;
            let Some(value) = shape.value(original, number) else { continue };
            if value == original {
                return None;
            }
            if shape.agrees(original, &value) && validator.is_none_or(|valid| valid(&value)) {
                return Some(value);
            }
        }
        None
    }
}

/// A character that is replaced.
#[derive(Clone, Copy)]
struct Slot {
    at: usize,
    /// The first of its class.
    first: u8,
    /// How many there are.
    of: u8,
}

/// What of a value is replaced.
struct Shape {
    slots: Vec<Slot>,
    /// How many values there are of it.
    size: u128,
    /// The places of an IBAN's check digits.
    check: Option<[usize; 2]>,
}

impl Shape {
    /// None if the value is no number of this kind, or there are too few or too many of its shape.
    fn of(entity: &str, original: &[u8]) -> Option<Self> {
        let mut slots = Vec::new();
        for (at, byte) in original.iter().enumerate() {
            let (first, of) = match byte {
                b'0'..=b'9' => (b'0', 10),
                b'A'..=b'Z' => (b'A', 26),
                b'a'..=b'z' => (b'a', 26),
                b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' => continue,
                _ => return None,
            };
            slots.push(Slot { at, first, of });
        }
        let numerals = slots.iter().filter(|slot| slot.of == 10).count();
        if numerals * 3 < slots.len() {
            return None;
        }
        let mut check = None;
        match entity {
            "IBAN_CODE" => {
                check = Some([slots.get(2)?.at, slots.get(3)?.at]);
                slots.drain(..4);
            }
            "CREDIT_CARD" => drop(slots.drain(..ISSUER.min(slots.len()))),
            "PHONE_NUMBER" => drop(slots.drain(..slots.len().saturating_sub(SUBSCRIBER))),
            _ => {}
        }
        if slots.len() > SLOTS_MAX {
            return None;
        }
        let size = slots.iter().try_fold(1_u128, |size, slot| size.checked_mul(u128::from(slot.of)))?;
        (DOMAIN_MIN <= size && size <= 10_u128.pow(SLOTS_MAX as u32)).then_some(Self { slots, size, check })
    }

    /// How many decimal digits number all values of the shape.
    fn digits(&self) -> Option<usize> {
        let last = self.size.checked_sub(1)?;
        usize::try_from(last.checked_ilog10()? + 1).ok()
    }

    /// What stays of letters and digits: different ones, different permutations.
    fn tweak(&self, original: &[u8]) -> Vec<u8> {
        let stays = |at: &usize| {
            !self.slots.iter().any(|slot| slot.at == *at)
                && self.check.is_none_or(|check| !check.contains(at))
        };
        let kept = original.iter().enumerate().filter(|(at, byte)| byte.is_ascii_alphanumeric() && stays(at));
        kept.map(|(_, byte)| byte.to_ascii_uppercase()).collect()
    }

    /// The number of a value among all of its shape.
    fn rank(&self, value: &[u8]) -> u128 {
        self.slots.iter().fold(0, |rank, slot| {
            let byte = value.get(slot.at).copied().unwrap_or(slot.first);
            rank * u128::from(slot.of) + u128::from(byte - slot.first)
        })
    }

    /// The value of a number; none if there are fewer.
    fn value(&self, original: &[u8], mut rank: u128) -> Option<Vec<u8>> {
        if rank >= self.size {
            return None;
        }
        let mut value = original.to_vec();
        for slot in self.slots.iter().rev() {
            let of = u128::from(slot.of);
            *value.get_mut(slot.at)? = slot.first + u8::try_from(rank % of).ok()?;
            rank /= of;
        }
        if let Some(places) = self.check {
            for at in places {
                *value.get_mut(at)? = b'0';
            }
            let code: Vec<u8> =
                value.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect();
            let turned = code.iter().skip(4).chain(code.iter().take(4)).copied();
            let sum = 98_u8.checked_sub(u8::try_from(mod97(turned)?).ok()?)?;
            *value.get_mut(places[0])? = b'0' + sum / 10;
            *value.get_mut(places[1])? = b'0' + sum % 10;
        }
        Some(value)
    }

    /// A number that begins with a zero stays one, and one that doesn't gets none: it may stand where only the latter may.
    fn agrees(&self, original: &[u8], value: &[u8]) -> bool {
        let first = |text: &[u8]| text.iter().find(|b| b.is_ascii_alphanumeric()) == Some(&b'0');
        first(original) == first(value)
    }
}

const RADIX: u32 = 10;

/// Decimal digits as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numerals {
    number: u128,
    count: usize,
}

fn power(digits: usize) -> u128 {
    (0..digits).fold(1, |power, _| power * u128::from(RADIX))
}

impl NumeralString for Numerals {
    type Ops = Self;

    fn is_valid(&self, radix: u32) -> bool {
        radix == RADIX && self.count <= SLOTS_MAX && self.number < power(self.count)
    }

    fn numeral_count(&self) -> usize {
        self.count
    }

    fn split(&self) -> (Self, Self) {
        let front = self.count / 2;
        let back = self.count - front;
        let split = power(back);
        (
            Self { number: self.number / split, count: front },
            Self { number: self.number % split, count: back },
        )
    }

    fn concat(a: Self, b: Self) -> Self {
        Self { number: a.number * power(b.count) + b.number, count: a.count + b.count }
    }
}

impl Operations for Numerals {
    type Bytes = Vec<u8>;

    fn numeral_count(&self) -> usize {
        self.count
    }

    fn to_be_bytes(&self, _radix: u32, b: usize) -> Vec<u8> {
        let bytes = self.number.to_be_bytes();
        let mut out = vec![0; b.saturating_sub(bytes.len())];
        out.extend_from_slice(bytes.get(bytes.len().saturating_sub(b)..).unwrap_or_default());
        out
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, m: usize) -> Self {
        let modulus = power(m);
        Self { number: (self.number + residue(other, modulus)) % modulus, count: m }
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, m: usize) -> Self {
        let modulus = power(m);
        Self { number: (self.number + modulus - residue(other, modulus)) % modulus, count: m }
    }
}

/// Halves have at most 18 digits, so nothing overflows.
fn residue(bytes: impl Iterator<Item = u8>, modulus: u128) -> u128 {
    bytes.fold(0, |sum, byte| (sum * 256 + u128::from(byte)) % modulus)
}

#[cfg(test)]
mod tests;
