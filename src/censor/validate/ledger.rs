//! Addresses and keys of public ledgers: Base58Check, bech32 and bech32m, EIP-55.

use aws_lc_rs::digest::{SHA256, digest};

use super::keccak::keccak256;

/// Longest Base58 text decoded here: an extended key is 111 characters.
const LONGEST_BASE58: usize = 120;
const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Base58Check: the last four bytes are the head of a double SHA-256 of the rest (addresses, WIF and extended keys).
pub(super) fn base58check(text: &[u8]) -> bool {
    base58(text).is_some_and(|bytes| checked(&bytes).is_some())
}

/// An address of Bitcoin or of a close relative: Base58Check with 20 bytes and a known version, or bech32.
/// Versions: 0 and 5 Bitcoin, 0x30 and 0x32 Litecoin, 0x1E and 0x16 Dogecoin, 0x4C Dash, 0x41 Tron, 0x6F and 0xC4 test.
pub(super) fn bitcoin_address(text: &[u8]) -> bool {
    if bech32(text) {
        return true;
    }
    base58(text).is_some_and(|bytes| {
        checked(&bytes).is_some_and(|payload| {
            payload.len() == 21
                && payload.first().is_some_and(|version| {
                    matches!(version, 0 | 5 | 0x30 | 0x32 | 0x1E | 0x16 | 0x4C | 0x41 | 0x6F | 0xC4)
                })
        })
    })
}

/// A Solana account: Base58 of exactly 32 bytes. No check sum, so rules with it need context.
pub(super) fn solana_address(text: &[u8]) -> bool {
    matches!(text.len(), 32..=44) && base58(text).is_some_and(|bytes| bytes.len() == 32)
}

/// The payload, when its check sum holds.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (payload, sum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    let twice = digest(&SHA256, digest(&SHA256, payload).as_ref());
    (!payload.is_empty() && twice.as_ref().starts_with(sum)).then_some(payload)
}

fn base58(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > LONGEST_BASE58 {
        return None;
    }
    // Little-endian base 256, grown as needed: long division is quadratic, but the input is short.
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for letter in text {
        let mut carry = BASE58.iter().position(|known| known == letter)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xFF) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push((carry & 0xFF) as u8);
            carry >>= 8;
        }
    }
    let zeros = text.iter().take_while(|letter| **letter == b'1').count();
    bytes.extend(std::iter::repeat_n(0, zeros));
    bytes.reverse();
    Some(bytes)
}

/// Bech32 (BIP-173) or bech32m (BIP-350), without the limit of 90 characters that other users of it drop.
pub(super) fn bech32(text: &[u8]) -> bool {
    let upper = text.iter().any(u8::is_ascii_uppercase);
    let lower = text.iter().any(u8::is_ascii_lowercase);
    let Some(one) = text.iter().rposition(|byte| *byte == b'1') else { return false };
    let (head, tail) = (text.get(..one).unwrap_or(&[]), text.get(one + 1..).unwrap_or(&[]));
    if (upper && lower) || head.is_empty() || tail.len() < 6 {
        return false;
    }
    let head = || head.iter().map(u8::to_ascii_lowercase);
    let mut sum = 1_u32;
    for value in head().map(|byte| byte >> 5).chain([0]).chain(head().map(|byte| byte & 31)) {
        sum = bech32_step(sum, u32::from(value));
    }
    for byte in tail {
        let Some(value) = BECH32.iter().position(|known| *known == byte.to_ascii_lowercase()) else {
            return false;
        };
        sum = bech32_step(sum, value as u32);
    }
    sum == 1 || sum == 0x2bc8_30a3
}

fn bech32_step(sum: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let mut next = ((sum & 0x01ff_ffff) << 5) ^ value;
    for (bit, poly) in GENERATOR.iter().enumerate() {
        if (top >> bit) & 1 == 1 {
            next ^= poly;
        }
    }
    next
}

/// `0x` and 40 hexadecimal digits: all lower, all upper, or capitals as EIP-55 asks (Keccak-256 of the lower form).
pub(super) fn eip55(text: &[u8]) -> bool {
    let Some(address) = text.strip_prefix(b"0x") else { return false };
    if address.len() != 40 || !address.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    if address.iter().all(|byte| *byte == address[0]) {
        return false;
    }
    let upper = address.iter().any(u8::is_ascii_uppercase);
    let lower = address.iter().any(u8::is_ascii_lowercase);
    if !(upper && lower) {
        return true;
    }
    let sum = keccak256(&address.to_ascii_lowercase());
    address.iter().enumerate().all(|(place, byte)| {
        let nibble = sum[place / 2] >> (if place % 2 == 0 { 4 } else { 0 }) & 15;
        byte.is_ascii_digit() || (nibble >= 8) == byte.is_ascii_uppercase()
    })
}
