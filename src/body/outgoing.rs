//! Bodies as the gateway sends them, in either direction.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};

use crate::reason::Refusal;

/// A stream of pieces that may break off with a refusal.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Refusal>> + Send>>;

/// A body that goes out: nothing, one piece of known length, or pieces as they come.
pub enum Outgoing {
    /// No body.
    Empty,
    /// The whole of it.
    Full(Option<Bytes>),
    /// Piece by piece.
    Pieces(Pieces),
    /// Piece by piece, of a length that is known.
    Sized(u64, Pieces),
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.as_ref().map_or(0, Bytes::len)),
            Self::Pieces(_) => f.write_str("Pieces"),
            Self::Sized(length, _) => write!(f, "Sized({length} bytes)"),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Pieces(pieces) => pieces.as_mut().poll_next(cx).map_ok(Frame::data),
            Self::Sized(left, pieces) => {
                let next = pieces.as_mut().poll_next(cx);
                if let Poll::Ready(Some(Ok(piece))) = &next {
                    *left = left.saturating_sub(piece.len() as u64);
                }
                next.map_ok(Frame::data)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_none(),
            Self::Pieces(_) | Self::Sized(..) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Pieces(_) => SizeHint::default(),
            Self::Sized(left, _) => SizeHint::with_exact(*left),
        }
    }
}

/// Proof that a body went through the censor, or that a policy lets it pass by name. Only the modules of
/// [`crate::body`] make one.
#[derive(Debug)]
pub struct Censored(Outgoing);

impl Censored {
    /// For the pump, the spool and the named exceptions of this room: `git grep 'Censored::assertion'` lists them all.
    pub(super) const fn assertion(body: Outgoing) -> Self {
        Self(body)
    }

    /// A request without a body has nothing to censor.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(Outgoing::Empty)
    }

    /// What the gateway itself says, out of values that went through the censor.
    #[must_use]
    pub(crate) fn own(text: String) -> Self {
        Self(Outgoing::Full(Some(Bytes::from(text))))
    }

    /// What a [`Pump`](super::pump::Pump) gives out, piece by piece.
    #[must_use]
    pub(crate) const fn pumped(pieces: Pieces) -> Self {
        Self(Outgoing::Pieces(pieces))
    }

    /// The body, to be sent.
    pub(crate) fn into_inner(self) -> Outgoing {
        self.0
    }
}
