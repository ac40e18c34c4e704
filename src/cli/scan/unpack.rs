//! gzip and zstd, by the file's name.

use std::io::{self, Read};
use std::path::Path;

use crate::body::Transform;
use crate::body::coding::{CodingLimits, Decoder};
use crate::names::Direction;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    Gzip,
    Zstd,
}

impl Packed {
    /// By the ending of the name.
    pub(super) fn by_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "gz" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    const fn coding(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// What a packed file holds. It is read piece by piece, so it may hold as much as it likes.
pub(super) struct Unpacked {
    reader: Box<dyn Read + Send>,
    decoder: Decoder,
    /// Decoded bytes, and how many of them were given.
    out: Vec<u8>,
    given: usize,
    ended: bool,
}

impl Unpacked {
    pub(super) fn new(reader: Box<dyn Read + Send>, packed: Packed) -> io::Result<Self> {
        let limits = CodingLimits { size: u64::MAX, ratio: u64::MAX };
        let decoder = Decoder::new(packed.coding(), Direction::Request, limits);
        let decoder = decoder.ok().flatten().ok_or_else(|| broken(packed.coding()))?;
        Ok(Self { reader, decoder, out: Vec::new(), given: 0, ended: false })
    }

    /// Decodes some more. False: there is no more.
    fn more(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.given = 0;
        let failed = |_| broken("packed data");
        while self.out.is_empty() {
            if self.decoder.drain(&mut self.out).map_err(failed)? {
                continue;
            }
            if self.ended {
                return Ok(false);
            }
            let mut input = [0; 64 << 10];
            let read = self.reader.read(&mut input)?;
            if read == 0 {
                self.ended = true;
                self.decoder.finish(&mut self.out).map_err(failed)?;
            } else {
                self.decoder.push(input.get(..read).unwrap_or_default(), &mut self.out).map_err(failed)?;
            }
        }
        Ok(true)
    }
}

impl Read for Unpacked {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.given == self.out.len() && !self.more()? {
            return Ok(0);
        }
        let rest = self.out.get(self.given..).unwrap_or_default();
        let len = rest.len().min(room.len());
        room.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
        self.given += len;
        Ok(len)
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the {what} can't be unpacked: broken, or cut off"))
}
