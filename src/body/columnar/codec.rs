//! How pages and buffers are packed.

use std::io::{Read, Write};

use crate::body::Transform;
use crate::body::coding::{CodingLimits, Decoder};
use crate::body::container::Contents;
use crate::reason::{Reason, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Snappy,
    Gzip,
    Brotli,
    Zstd,
    /// A block without a frame.
    Lz4Block,
    Lz4Frame,
}

/// The quality and the window of Brotli that Parquet's writers take.
const BROTLI: (u32, u32) = (1, 22);

impl Codec {
    /// Unpacks to the size that is said, which fits into memory.
    pub(super) fn unpack(
        self,
        contents: &dyn Contents,
        packed: &[u8],
        size: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let broken = || contents.refuse(Reason::CodingBroken, "a packed part of a table");
        let unpacked = match self {
            Self::Plain => Some(packed.to_vec()),
            Self::Snappy => match snap::raw::decompress_len(packed) {
                Ok(length) if length == size => snap::raw::Decoder::new().decompress_vec(packed).ok(),
                _ => None,
            },
            Self::Lz4Block => lz4_flex::block::decompress(packed, size).ok(),
            Self::Lz4Frame => {
                let mut out = Vec::new();
                let most = (size as u64).saturating_add(1);
                let read = lz4_flex::frame::FrameDecoder::new(packed).take(most).read_to_end(&mut out);
                read.ok().map(|_| out)
            }
            Self::Gzip | Self::Brotli | Self::Zstd => Some(self.decoded(contents, packed, size)?),
        };
        unpacked.filter(|bytes| bytes.len() == size).ok_or_else(broken)
    }

    fn decoded(self, contents: &dyn Contents, packed: &[u8], size: usize) -> Result<Vec<u8>, Refusal> {
        let limits = CodingLimits { size: size as u64, ratio: u64::MAX };
        let name = match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            _ => "gzip",
        };
        let unknown = || Refusal::new(Reason::Internal).log("a codec without a decoder");
        let mut decoder = Decoder::new(name, contents.direction(), limits)?.ok_or_else(unknown)?;
        let mut out = Vec::new();
        decoder.push(packed, &mut out)?;
        while decoder.drain(&mut out)? {}
        decoder.finish(&mut out)?;
        Ok(out)
    }

    /// Packs.
    pub(super) fn pack(self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        let packed = match self {
            Self::Plain => Some(bytes.to_vec()),
            Self::Snappy => snap::raw::Encoder::new().compress_vec(bytes).ok(),
            Self::Lz4Block => Some(lz4_flex::block::compress(bytes)),
            Self::Lz4Frame => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(bytes).ok().and_then(|()| encoder.finish().ok())
            }
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).ok().and_then(|()| encoder.finish().ok())
            }
            Self::Brotli => {
                let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI.0, BROTLI.1);
                encoder.write_all(bytes).ok().map(|()| encoder.into_inner())
            }
            Self::Zstd => zstd::bulk::compress(bytes, 0).ok(),
        };
        packed.ok_or_else(|| Refusal::new(Reason::Internal).log("packing"))
    }
}
