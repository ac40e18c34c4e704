//! The gzip file format (RFC 1952) around RFC 1951 data: members one after another, each with its check value.

use flate2::{Decompress, Status};

use super::codec::{Step, inflate_step};

/// The longest header: the extra field has 64 KiB at most; names and comments longer than that are nobody's.
const HEADER: usize = 256 * 1024;
/// Bytes of headers that wait until they are asked for.
const HEADERS: usize = 512 * 1024;

/// A stream of members.
pub(super) struct Gzip {
    at: At,
    /// Bytes of a header or a trailer so far.
    frame: Vec<u8>,
    members: u64,
    /// What headers said beyond their fixed fields, until it is taken. None: nobody asks.
    texts: Option<Vec<u8>>,
}

enum At {
    Header,
    Data { inflate: Box<Decompress>, check: crc32fast::Hasher, length: u32 },
    Trailer { check: u32, length: u32 },
}

impl Default for Gzip {
    fn default() -> Self {
        Self { at: At::Header, frame: Vec::new(), members: 0, texts: None }
    }
}

impl Gzip {
    pub(super) const fn may_end(&self) -> bool {
        matches!(self.at, At::Header) && self.frame.is_empty() && self.members > 0
    }

    /// What headers say is kept for who asks.
    pub(super) fn with_texts() -> Self {
        Self { texts: Some(Vec::new()), ..Self::default() }
    }

    pub(super) fn take_texts(&mut self) -> Vec<u8> {
        self.texts.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Decodes some. None: what stands there is not gzip.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Option<Step> {
        match &mut self.at {
            At::Header => self.header(input),
            At::Data { inflate, check, length } => {
                let (step, status) = inflate_step(inflate, input, out)?;
                let decoded = out.get(..step.written)?;
                check.update(decoded);
                // The format counts modulo 2^32.
                *length = length.wrapping_add(u32::try_from(step.written).ok()?);
                if status == Status::StreamEnd {
                    self.at = At::Trailer { check: check.clone().finalize(), length: *length };
                }
                Some(step)
            }
            At::Trailer { check, length } => {
                let read = input.len().min(8 - self.frame.len());
                self.frame.extend_from_slice(input.get(..read)?);
                if self.frame.len() == 8 {
                    if self.frame != [check.to_le_bytes(), length.to_le_bytes()].concat() {
                        return None;
                    }
                    self.frame.clear();
                    self.members += 1;
                    self.at = At::Header;
                }
                Some(Step { read, written: 0 })
            }
        }
    }

    fn header(&mut self, input: &[u8]) -> Option<Step> {
        let before = self.frame.len();
        self.frame.extend_from_slice(input.get(..input.len().min(HEADER))?);
        let read = match header_length(&self.frame)? {
            Some(length) => {
                if let Some(texts) = self.texts.as_mut().filter(|_| length > FIXED) {
                    // None of them may be passed over.
                    if texts.len() > HEADERS {
                        return None;
                    }
                    texts.extend_from_slice(self.frame.get(FIXED..length)?);
                    texts.push(b'\n');
                }
                self.frame.clear();
                self.at = At::Data {
                    inflate: Box::new(Decompress::new(false)),
                    check: crc32fast::Hasher::new(),
                    length: 0,
                };
                length - before
            }
            None if self.frame.len() > HEADER => return None,
            None => self.frame.len() - before,
        };
        Some(Step { read, written: 0 })
    }
}

/// The fields that every header has.
const FIXED: usize = 10;

const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;

/// The length of the header at the start of `bytes`. `Some(None)`: it is not complete. None: it is none.
#[expect(clippy::option_option, reason = "three answers: wrong, not yet, complete")]
fn header_length(bytes: &[u8]) -> Option<Option<usize>> {
    let fixed = [0x1f, 0x8b, 8];
    let here = bytes.len().min(fixed.len());
    if bytes.get(..here) != fixed.get(..here) {
        return None;
    }
    let Some(&flags) = bytes.get(3) else { return Some(None) };
    // Reserved bits, and the text hint that nobody sets.
    if flags & 0b1110_0000 != 0 {
        return None;
    }
    let mut at = FIXED;
    if flags & FEXTRA != 0 {
        let Some(&[low, high]) = bytes.get(at..at + 2) else { return Some(None) };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for flag in [FNAME, FCOMMENT] {
        if flags & flag != 0 {
            let Some(end) = bytes.get(at..).and_then(|rest| memchr::memchr(0, rest)) else {
                return Some(None);
            };
            at += end + 1;
        }
    }
    if flags & FHCRC != 0 {
        let Some(&[low, high]) = bytes.get(at..at + 2) else { return Some(None) };
        let sum = crc32fast::hash(bytes.get(..at)?) & 0xffff;
        if sum != u32::from(u16::from_le_bytes([low, high])) {
            return None;
        }
        at += 2;
    }
    Some((bytes.len() >= at).then_some(at))
}
