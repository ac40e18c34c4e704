//! API keys: how they look, how they are made, how they are remembered.
//!
//! `csk_` + 43 random characters of base62 (256.03 bits) + 6 characters of base62 that hold the CRC-32 of what stands
//! before. The checksum lets secret scanners tell a key from a look-alike without asking anybody, and lets the gateway
//! drop a mistyped one before it hashes. It protects nothing.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::{constant_time, hkdf, hmac, rand};
use data_encoding::HEXLOWER;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{CryptoFailed, derive};

const PREFIX: &str = "csk_";
const RANDOM: usize = 43;
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + RANDOM + CHECKSUM;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The largest multiple of 62 in a byte: bytes from here on would favour the first digits.
const FAIR: u8 = 248;

/// A text that has the shape of an API key. Whether anybody holds it is the directory's to say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiKey<'a>(&'a str);

/// A text that is not an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It starts with something else.
    #[error("an API key starts with `csk_`")]
    Prefix,
    /// It starts as a key, and is too long, too short, or holds another character than digits and letters.
    #[error("an API key is `csk_` and 49 digits and letters")]
    Shape,
    /// It was mistyped or cut.
    #[error("the API key's checksum is wrong")]
    Checksum,
}

impl<'a> ApiKey<'a> {
    /// A new key, to be shown once.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn generate() -> Result<SecretString, CryptoFailed> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        let mut bytes = [0_u8; 64];
        while text.len() < PREFIX.len() + RANDOM {
            rand::fill(&mut bytes)?;
            let room = PREFIX.len() + RANDOM - text.len();
            text.extend(
                bytes
                    .iter()
                    .filter(|byte| **byte < FAIR)
                    .take(room)
                    .map(|byte| char::from(digit(u32::from(*byte)))),
            );
        }
        bytes.zeroize();
        let sum = checksum(&text);
        text.extend(sum.into_iter().map(char::from));
        Ok(SecretString::from(text.as_str()))
    }

    /// Reads a key's shape: prefix, characters and checksum.
    ///
    /// # Errors
    /// Says what is wrong with the shape.
    pub fn parse(text: &'a str) -> Result<Self, NotAKey> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotAKey::Prefix)?;
        if text.len() != LENGTH || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(NotAKey::Shape);
        }
        let (body, given) = text.split_at_checked(LENGTH - CHECKSUM).ok_or(NotAKey::Shape)?;
        if given.as_bytes() != checksum(body).as_slice() {
            return Err(NotAKey::Checksum);
        }
        Ok(Self(text))
    }

    /// Whether the text claims to be an API key, be it well-formed or not.
    #[must_use]
    pub fn claimed(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

impl fmt::Debug for ApiKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(csk_…)")
    }
}

fn digit(value: u32) -> u8 {
    let index = usize::try_from(value % 62).unwrap_or(0);
    BASE62.get(index).copied().unwrap_or(b'0')
}

fn checksum(text: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for place in digits.iter_mut().rev() {
        *place = digit(rest);
        rest /= 62;
    }
    digits
}

/// What is remembered of a key: HMAC-SHA-256 under a key that is derived from the master key. As text `v1:` and 64
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyHash([u8; 32]);

/// A text that is not a [`KeyHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's hash is `v1:` and 64 hexadecimal digits, as `consentry keys new` prints it")]
pub struct NotAKeyHash;

impl KeyHash {
    /// Compares in a time that does not depend on where the hashes differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl FromStr for KeyHash {
    type Err = NotAKeyHash;

    fn from_str(text: &str) -> Result<Self, NotAKeyHash> {
        let hex = text.strip_prefix("v1:").ok_or(NotAKeyHash)?;
        let bytes = HEXLOWER.decode(hex.as_bytes()).ok().ok_or(NotAKeyHash)?;
        bytes.try_into().map(Self).ok().ok_or(NotAKeyHash)
    }
}

impl TryFrom<String> for KeyHash {
    type Error = NotAKeyHash;

    fn try_from(text: String) -> Result<Self, NotAKeyHash> {
        text.parse()
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1:{}", HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Makes [`KeyHash`]es. Without the master key, a stored hash can't even be tested against a guess.
#[derive(Clone, Debug)]
pub struct KeyHasher(hmac::Key);

impl KeyHasher {
    /// The hasher of this installation.
    ///
    /// # Errors
    /// If the derivation fails.
    pub fn derive(master: &hkdf::Prk) -> Result<Self, CryptoFailed> {
        derive(master, "consentry/api-key/v1").map(Self)
    }

    /// The hash of a key.
    #[must_use]
    pub fn hash(&self, key: ApiKey<'_>) -> KeyHash {
        let tag = hmac::sign(&self.0, key.0.as_bytes());
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        KeyHash(bytes)
    }
}
