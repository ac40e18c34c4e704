//! Keyed hashes: equal things can be found again by who holds the key, and nobody can guess them from the trail.

use std::cell::RefCell;
use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroize;

use crate::names::{Kind, UpstreamId};

/// The first half of an HMAC-SHA-256. It says whether two things are equal, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Keyed([u8; 16]);

impl Keyed {
    /// Writes the 32 hexadecimal digits.
    pub(super) fn hex(self, out: &mut Vec<u8>) {
        super::chain::hex(&self.0, out);
    }
}

impl fmt::Display for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Makes [`Keyed`] hashes.
#[derive(Clone)]
pub struct Keyer(hmac::Key);

impl Keyer {
    /// Takes the key that was derived for this use.
    #[must_use]
    pub const fn new(key: hmac::Key) -> Self {
        Self(key)
    }

    /// The hash of a resource.
    #[must_use]
    pub fn resource(&self, upstream: &UpstreamId, kind: &Kind, id: &str) -> Keyed {
        self.over(&[b"resource", upstream.as_str().as_bytes(), kind.as_str().as_bytes(), id.as_bytes()])
    }

    /// The hash of what a caller says that something is for, as text.
    #[must_use]
    pub fn label(&self, said: &str) -> String {
        self.other("label", said.as_bytes()).to_string()
    }

    /// The hash of something that comes from outside: `what` says what it is (`address`, `user_agent`, `dataset`).
    #[must_use]
    pub fn other(&self, what: &'static str, value: &[u8]) -> Keyed {
        self.over(&[what.as_bytes(), value])
    }

    fn over(&self, parts: &[&[u8]]) -> Keyed {
        thread_local! {
            static TOGETHER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        TOGETHER.with_borrow_mut(|together| {
            together.clear();
            for part in parts {
                // Lengths keep `a|bc` and `ab|c` apart.
                together.extend_from_slice(&(part.len() as u64).to_le_bytes());
                together.extend_from_slice(part);
            }
            let tag = hmac::sign(&self.0, together);
            // It is the caller's text in clear, which is not kept.
            together.zeroize();
            let mut half = [0; 16];
            half.copy_from_slice(&tag.as_ref()[..16]);
            Keyed(half)
        })
    }
}

impl fmt::Debug for Keyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyer")
    }
}
