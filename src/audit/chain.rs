//! The chain: how a line is hashed, written and read back.
//!
//! A line is `{"seq":N,` + the entry's own members + `,"hash":"` + 64 hexadecimal digits + `"}` + LF. The hash is
//! SHA-256 over the 32 bytes of the hash before and all bytes of the line up to `,"hash":"`. No canonical form of
//! JSON is needed: the bytes are the form.

use std::io::Write;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

/// Bytes of the hash.
pub(super) const HASH: usize = 32;

/// No line is longer; a longer one is damage.
pub(super) const MAX_LINE: usize = 1 << 20;

const BEFORE_HASH: &[u8] = b",\"hash\":\"";
const AFTER_HASH: &[u8] = b"\"}";
const TAIL: usize = BEFORE_HASH.len() + 2 * HASH + AFTER_HASH.len();

/// Number and hash of the newest entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) hash: [u8; HASH],
}

impl Link {
    /// Before the first entry.
    pub(super) const GENESIS: Self = Self { seq: 0, hash: [0; HASH] };

    /// Writes the next entry's line and becomes that entry. `members` are the entry's own, without braces.
    pub(super) fn append(&mut self, members: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        self.seq += 1;
        out.extend_from_slice(b"{\"seq\":");
        number(self.seq, out);
        out.push(b',');
        out.extend_from_slice(members);
        self.hash = digest(&self.hash, &out[start..]);
        out.extend_from_slice(BEFORE_HASH);
        hex(&self.hash, out);
        out.extend_from_slice(AFTER_HASH);
        out.push(b'\n');
    }

    /// The entry of a line (without its LF), if it is the one that follows this.
    pub(super) fn follow(&self, line: &[u8]) -> Result<Self, &'static str> {
        let (body, hash) = split(line).ok_or("the line is not an entry")?;
        let seq = seq_of(body).ok_or("the entry has no number")?;
        if seq != self.seq.wrapping_add(1) {
            return Err("an entry is missing, repeated or out of order");
        }
        if digest(&self.hash, body) != hash {
            return Err("the entry is not the one that was written");
        }
        Ok(Self { seq, hash })
    }
}

/// Splits a line into what is hashed and the hash.
fn split(line: &[u8]) -> Option<(&[u8], [u8; HASH])> {
    let (body, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    let digits = tail.strip_prefix(BEFORE_HASH)?.strip_suffix(AFTER_HASH)?;
    Some((body, unhex(digits)?))
}

/// The number at the beginning of a line.
pub(super) fn seq_of(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"seq\":")?;
    let digits = rest.split(|b| *b == b',').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn digest(before: &[u8; HASH], body: &[u8]) -> [u8; HASH] {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(body);
    let mut hash = [0; HASH];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), 0);
    HEXLOWER.encode_mut(bytes, &mut out[start..]);
}

/// Reads 64 lower-case hexadecimal digits.
pub(super) fn unhex(digits: &[u8]) -> Option<[u8; HASH]> {
    HEXLOWER.decode(digits).ok()?.try_into().ok()
}

/// A number in decimal.
pub(super) fn number(value: u64, out: &mut Vec<u8>) {
    // Writing into a Vec can't fail.
    let _ok = write!(out, "{value}");
}
