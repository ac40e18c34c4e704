//! Content codings (RFC 9110, 8.4): gzip, deflate, br and zstd decoded as they arrive, within limits. Only here: the
//! decoders themselves know no limits and are banned elsewhere (`clippy.toml`).

#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the one place that puts limits around them"
)]
mod codec;
#[expect(clippy::disallowed_types, reason = "the one place that puts limits around them")]
mod gzip;

use crate::body::job::refusal;
use crate::body::{Chain, DRAIN_STEP, Transform};
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

use codec::{Codec, Step};

/// What a coded body may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodingLimits {
    /// Decoded bytes.
    pub size: u64,
    /// Decoded bytes for each coded one, over all codings, once more than [`RATIO_FROM`] are decoded.
    pub ratio: u64,
}

/// Small bodies may shrink as they like.
pub const RATIO_FROM: u64 = 1024 * 1024;

/// Codings on top of each other.
const STACKED: usize = 2;

impl Default for CodingLimits {
    fn default() -> Self {
        Self { size: 8 * 1024 * 1024 * 1024, ratio: 100 }
    }
}

/// Decodes the content codings of one body.
pub struct Decoder {
    layers: Layers,
    direction: Direction,
    limits: CodingLimits,
    written: u64,
}

enum Layers {
    One(Box<Layer>),
    Two(Box<Chain<Layer, Layer>>),
}

impl Decoder {
    /// The decoder for a `Content-Encoding` (several fields joined by commas). None: the body is not coded.
    ///
    /// # Errors
    /// `coding_unknown` for codings that nobody here decodes, and for more than two of them.
    pub fn new(
        content_encoding: &str,
        direction: Direction,
        limits: CodingLimits,
    ) -> Result<Option<Self>, Refusal> {
        let unknown = |detail: &'static str| refusal(direction, Reason::CodingUnknown).detail(detail);
        let mut layers = Vec::new();
        for name in content_encoding.split(',').map(str::trim) {
            if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                continue;
            }
            let codec = Codec::named(name).ok_or_else(|| unknown("gzip, deflate, br and zstd are known"))?;
            layers.push(Layer::new(codec, direction, limits));
        }
        if layers.len() > STACKED {
            return Err(unknown("more than two content codings"));
        }
        // The last one named was applied last, so it comes off first.
        let (last, first) = (layers.pop(), layers.pop());
        let layers = match (last, first) {
            (None, _) => return Ok(None),
            (Some(only), None) => Layers::One(Box::new(only)),
            (Some(outer), Some(inner)) => Layers::Two(Box::new(Chain::new(outer, inner))),
        };
        Ok(Some(Self { layers, direction, limits, written: 0 }))
    }

    /// The decoder of a gzip file, whose headers may hold texts: see [`gzip_texts`](Self::gzip_texts).
    pub(crate) fn gzip(direction: Direction, limits: CodingLimits) -> Self {
        Self::of(Codec::Gzip(gzip::Gzip::with_texts()), direction, limits)
    }

    /// The decoder of RFC 1951 data without a frame, as archives have it.
    pub(crate) fn raw_deflate(direction: Direction, limits: CodingLimits) -> Self {
        Self::of(Codec::raw_deflate(), direction, limits)
    }

    fn of(codec: Codec, direction: Direction, limits: CodingLimits) -> Self {
        let layers = Layers::One(Box::new(Layer::new(codec, direction, limits)));
        Self { layers, direction, limits, written: 0 }
    }

    /// What the headers of a gzip file say beyond the fixed fields, since the last time: names and comments.
    pub(crate) fn gzip_texts(&mut self) -> Vec<u8> {
        match &mut self.layers {
            Layers::One(layer) => layer.codec.gzip_texts(),
            Layers::Two(_) => Vec::new(),
        }
    }

    /// Counts what came out. Each layer keeps to the limits by itself; here they hold for all of them together.
    fn check(&mut self, written: usize) -> Result<(), Refusal> {
        self.written += u64::try_from(written).unwrap_or(u64::MAX);
        let read = match &mut self.layers {
            Layers::One(layer) => layer.read,
            Layers::Two(chain) => chain.first().read,
        };
        self.limits.check(read, self.written, self.direction)
    }
}

impl CodingLimits {
    fn check(&self, read: u64, written: u64, direction: Direction) -> Result<(), Refusal> {
        let bomb = written > self.size || written > RATIO_FROM && written / self.ratio.max(1) > read;
        if bomb { Err(refusal(direction, Reason::CodingBomb)) } else { Ok(()) }
    }
}

impl Transform for Decoder {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let from = out.len();
        match &mut self.layers {
            Layers::One(layer) => layer.push(input, out),
            Layers::Two(chain) => chain.push(input, out),
        }?;
        self.check(out.len() - from)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let from = out.len();
        match &mut self.layers {
            Layers::One(layer) => layer.finish(out),
            Layers::Two(chain) => chain.finish(out),
        }?;
        self.check(out.len() - from)
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let from = out.len();
        let more = match &mut self.layers {
            Layers::One(layer) => layer.drain(out),
            Layers::Two(chain) => chain.drain(out),
        }?;
        self.check(out.len() - from)?;
        Ok(more)
    }

    fn held(&self) -> usize {
        match &self.layers {
            Layers::One(layer) => layer.held(),
            Layers::Two(chain) => chain.held(),
        }
    }
}

/// One coding.
struct Layer {
    codec: Codec,
    direction: Direction,
    limits: CodingLimits,
    /// Input that has not been decoded.
    pending: Vec<u8>,
    at: usize,
    /// Room for decoded bytes.
    piece: Box<[u8]>,
    /// The codec may have more output without more input.
    more: bool,
    read: u64,
    written: u64,
}

/// Output is decoded in pieces of this size.
const PIECE: usize = 64 * 1024;

impl Layer {
    fn new(codec: Codec, direction: Direction, limits: CodingLimits) -> Self {
        Self {
            codec,
            direction,
            limits,
            pending: Vec::new(),
            at: 0,
            piece: vec![0; PIECE].into(),
            more: false,
            read: 0,
            written: 0,
        }
    }

    fn broken(&self, detail: &'static str) -> Refusal {
        refusal(self.direction, Reason::CodingBroken).detail(detail)
    }

    /// Decodes about one [`DRAIN_STEP`].
    fn decode(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let until = out.len() + DRAIN_STEP;
        while self.more && out.len() < until {
            let input = self.pending.get(self.at..).unwrap_or_default();
            let Some(Step { read, written }) = self.codec.step(input, &mut self.piece) else {
                return Err(self.broken("the content coding does not decode"));
            };
            out.extend_from_slice(self.piece.get(..written).unwrap_or_default());
            self.at += read;
            self.read += u64::try_from(read).unwrap_or(u64::MAX);
            self.written += u64::try_from(written).unwrap_or(u64::MAX);
            self.limits.check(self.read, self.written, self.direction)?;
            let left = self.at < self.pending.len();
            if left && read == 0 && written == 0 {
                return Err(self.broken("bytes behind the end of the content coding"));
            }
            self.more = left || written == PIECE;
        }
        if self.at >= self.pending.len() {
            self.pending.clear();
            self.at = 0;
        }
        Ok(())
    }
}

impl Transform for Layer {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.pending.extend_from_slice(input);
        self.more = !self.pending.is_empty();
        self.decode(out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        while self.more {
            self.decode(out)?;
        }
        if self.read == 0 || self.codec.may_end() {
            return Ok(());
        }
        Err(self.broken("the content coding ends before its end"))
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        if !self.more {
            return Ok(false);
        }
        self.decode(out)?;
        Ok(true)
    }

    fn held(&self) -> usize {
        self.pending.len() - self.at
    }
}

#[cfg(test)]
mod tests;
