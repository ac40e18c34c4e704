//! The decoders behind one interface: some input, some room, how far each went.

use brotli::{BrotliResult, BrotliState, HeapAlloc, HuffmanCode};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as Zstd, Operation};

use super::gzip::Gzip;

/// The largest window of a zstd frame, as a power of two (8 MiB). RFC 8878 asks decoders to support that much.
const ZSTD_WINDOW_LOG: u32 = 23;

/// How far a step went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

type Brotli = BrotliState<HeapAlloc<u8>, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>;

/// A decoder at some point of its stream.
pub(super) enum Codec {
    Gzip(Gzip),
    /// RFC 1950. What some senders call deflate is RFC 1951 without the frame around it; it is refused, because
    /// nothing in it tells truncation from the end.
    Deflate {
        inflate: Decompress,
        ended: bool,
    },
    Brotli {
        state: Box<Brotli>,
        ended: bool,
    },
    Zstd {
        decoder: Zstd<'static>,
        /// Between two frames.
        between: bool,
    },
}

impl Codec {
    /// The decoder of a coding's name. None: unknown.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("gzip") || is("x-gzip") {
            return Some(Self::Gzip(Gzip::default()));
        }
        if is("deflate") {
            return Some(Self::Deflate { inflate: Decompress::new(true), ended: false });
        }
        if is("br") {
            let state = BrotliState::new_strict(
                HeapAlloc::new(0),
                HeapAlloc::new(0),
                HeapAlloc::new(HuffmanCode::default()),
            );
            return Some(Self::Brotli { state: Box::new(state), ended: false });
        }
        if is("zstd") {
            let mut decoder = Zstd::new().ok()?;
            decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).ok()?;
            return Some(Self::Zstd { decoder, between: true });
        }
        None
    }

    /// RFC 1951 without a frame.
    pub(super) fn raw_deflate() -> Self {
        Self::Deflate { inflate: Decompress::new(false), ended: false }
    }

    /// What the headers of gzip members say beyond the fixed fields, since the last time.
    pub(super) fn gzip_texts(&mut self) -> Vec<u8> {
        match self {
            Self::Gzip(gzip) => gzip.take_texts(),
            Self::Deflate { .. } | Self::Brotli { .. } | Self::Zstd { .. } => Vec::new(),
        }
    }

    /// Decodes some. None: what stands there is not this coding.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Option<Step> {
        match self {
            Self::Gzip(gzip) => gzip.step(input, out),
            Self::Deflate { ended: true, .. } | Self::Brotli { ended: true, .. } => {
                Some(Step { read: 0, written: 0 })
            }
            Self::Deflate { inflate, ended } => {
                let (step, status) = inflate_step(inflate, input, out)?;
                *ended = status == Status::StreamEnd;
                Some(step)
            }
            Self::Brotli { state, ended } => brotli_step(state, ended, input, out),
            Self::Zstd { decoder, between } => {
                if input.is_empty() && *between {
                    return Some(Step { read: 0, written: 0 });
                }
                let status = decoder.run_on_buffers(input, out).ok()?;
                *between = status.remaining == 0;
                Some(Step { read: status.bytes_read, written: status.bytes_written })
            }
        }
    }

    /// Whether the input may end here.
    pub(super) const fn may_end(&self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.may_end(),
            Self::Deflate { ended, .. } | Self::Brotli { ended, .. } => *ended,
            Self::Zstd { between, .. } => *between,
        }
    }
}

/// One step of RFC 1950 or 1951.
pub(super) fn inflate_step(inflate: &mut Decompress, input: &[u8], out: &mut [u8]) -> Option<(Step, Status)> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, out, FlushDecompress::None).ok()?;
    let read = usize::try_from(inflate.total_in() - read).ok()?;
    let written = usize::try_from(inflate.total_out() - written).ok()?;
    Some((Step { read, written }, status))
}

fn brotli_step(state: &mut Brotli, ended: &mut bool, input: &[u8], out: &mut [u8]) -> Option<Step> {
    let (mut left, mut read, mut room, mut written, mut total) = (input.len(), 0, out.len(), 0, 0);
    let result = brotli::BrotliDecompressStream(
        &mut left,
        &mut read,
        input,
        &mut room,
        &mut written,
        out,
        &mut total,
        state,
    );
    match result {
        BrotliResult::ResultFailure => return None,
        BrotliResult::ResultSuccess => *ended = true,
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
    }
    Some(Step { read, written })
}
