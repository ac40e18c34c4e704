//! Drives a [`Transform`] over a body as it arrives: decodes its content codings, counts, keeps to limits and times,
//! and gives out what may go on. What breaks off gives nothing more.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::Transform;
use super::coding::Decoder;
use super::outgoing::{Censored, Outgoing};
use super::spool::{Spool, Spools};
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

/// Output is given out in pieces of about this size.
const PIECE: usize = 64 * 1024;

/// What bounds a pump.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Which way the body goes: names the reasons.
    pub direction: Direction,
    /// Bytes as they arrive, coded.
    pub bytes: u64,
    /// When the last byte has to have arrived.
    pub deadline: Instant,
}

impl Bounds {
    /// Bounds that end after a time from now.
    #[must_use]
    pub fn within(direction: Direction, bytes: u64, time: Duration) -> Self {
        let now = Instant::now();
        Self { direction, bytes, deadline: now.checked_add(time).unwrap_or(now) }
    }
}

/// A body on its way through a transform.
pub struct Pump<B, T> {
    body: B,
    decoder: Option<Decoder>,
    transform: T,
    bounds: Bounds,
    arrived: u64,
    given: u64,
    waited: Duration,
    decoded: Vec<u8>,
    out: Vec<u8>,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Reading,
    /// The transform has more to give than fits into one piece.
    Draining {
        then_end: bool,
    },
    Ended,
    Broken(Refusal),
}

impl<B, T> Pump<B, T>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    T: Transform,
{
    /// A pump that has not begun.
    #[must_use]
    pub fn new(body: B, decoder: Option<Decoder>, transform: T, bounds: Bounds) -> Self {
        Self {
            body,
            decoder,
            transform,
            bounds,
            arrived: 0,
            given: 0,
            waited: Duration::ZERO,
            decoded: Vec::new(),
            out: Vec::new(),
            state: State::Reading,
        }
    }

    /// The transform, for its facts.
    #[must_use]
    pub const fn transform(&self) -> &T {
        &self.transform
    }

    /// The transform, to change what it does with what is still to come.
    pub const fn transform_mut(&mut self) -> &mut T {
        &mut self.transform
    }

    /// Bytes that arrived so far, as they came.
    #[must_use]
    pub const fn arrived(&self) -> u64 {
        self.arrived
    }

    /// How long it waited for its sender so far.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// Bytes that were given out so far.
    #[must_use]
    pub const fn given(&self) -> u64 {
        self.given
    }

    /// Whether the end was given out.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.state == State::Ended && self.out.is_empty()
    }

    /// The next piece that may go on; none at the end. A piece may be all there is for a while, however small:
    /// nothing waits for more input than it must.
    ///
    /// # Errors
    /// With the refusal that ends the body. From then on every call fails.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let step = match &self.state {
                State::Ended => return Ok(None),
                State::Broken(refusal) => return Err(refusal.clone()),
                State::Draining { then_end } => self.drain(*then_end),
                State::Reading => self.read().await,
            };
            // What a transform put out before it refused may go on: it is the same whatever the cuts are.
            if let Err(refusal) = step {
                self.state = State::Broken(refusal);
            }
            if !self.out.is_empty() {
                let piece = Bytes::from(std::mem::take(&mut self.out));
                self.given = self.given.saturating_add(piece.len() as u64);
                return Ok(Some(piece));
            }
            if matches!(self.state, State::Draining { .. }) {
                // Much may be read before something comes out: others wait for the thread.
                tokio::task::yield_now().await;
            }
        }
    }

    async fn read(&mut self) -> Result<(), Refusal> {
        let frame = match self.body.frame().now_or_never() {
            Some(frame) => frame,
            None => {
                let began = std::time::Instant::now();
                let frame = tokio::time::timeout_at(self.bounds.deadline, self.body.frame()).await;
                self.waited += began.elapsed();
                frame.map_err(|_elapsed| timed_out(self.bounds.direction))?
            }
        };
        match frame {
            None => {
                if let Some(decoder) = &mut self.decoder {
                    decoder.finish(&mut self.decoded)?;
                    self.undecoded()?;
                }
                self.transform.finish(&mut self.out)?;
                self.state = State::Draining { then_end: true };
                self.drain(true)
            }
            Some(Err(error)) => Err(broke(self.bounds.direction, error.into().as_ref())),
            Some(Ok(frame)) => {
                // Trailers carry fields that no profile describes: they end here.
                let Ok(data) = frame.into_data() else { return Ok(()) };
                self.arrived = self.arrived.saturating_add(data.len() as u64);
                if self.arrived > self.bounds.bytes {
                    return Err(super::job::refusal(self.bounds.direction, Reason::BodyTooLarge));
                }
                match &mut self.decoder {
                    None => {
                        // Most of it comes out as long as it went in.
                        self.out.reserve(data.len());
                        self.transform.push(&data, &mut self.out)?;
                    }
                    Some(decoder) => {
                        decoder.push(&data, &mut self.decoded)?;
                        self.undecoded()?;
                    }
                }
                self.state = State::Draining { then_end: false };
                self.drain(false)
            }
        }
    }

    /// Passes on what the decoder has, in steps: a coded piece may decode to a hundred times its size.
    fn undecoded(&mut self) -> Result<(), Refusal> {
        loop {
            self.transform.push(&self.decoded, &mut self.out)?;
            self.decoded.clear();
            let Some(decoder) = &mut self.decoder else { return Ok(()) };
            if !decoder.drain(&mut self.decoded)? && self.decoded.is_empty() {
                return Ok(());
            }
        }
    }

    fn drain(&mut self, then_end: bool) -> Result<(), Refusal> {
        while self.out.len() < PIECE {
            let before = self.out.len();
            if !self.transform.drain(&mut self.out)? {
                self.state = if then_end { State::Ended } else { State::Reading };
                return Ok(());
            }
            if self.out.len() == before {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads on until more than `memory` bytes came out, or to the end if that comes first.
    ///
    /// # Errors
    /// With the refusal that ends the body.
    pub async fn gather(&mut self, memory: usize) -> Result<Gathered, Refusal> {
        let Some(first) = self.next().await? else { return Ok(Gathered::Whole(Held::Memory(Bytes::new()))) };
        let Some(second) = self.next().await? else { return Ok(Gathered::Whole(Held::Memory(first))) };
        let mut kept = BytesMut::from(first.as_ref());
        kept.extend_from_slice(&second);
        while kept.len() <= memory {
            match self.next().await? {
                Some(piece) => kept.extend_from_slice(&piece),
                None => return Ok(Gathered::Whole(Held::Memory(kept.freeze()))),
            }
        }
        Ok(Gathered::Begun(kept.freeze()))
    }

    /// Reads to the end, all of it into memory, and no more than `most` bytes.
    ///
    /// # Errors
    /// With the refusal that ends the body, or as a body that is too large.
    pub async fn at_most(&mut self, most: usize) -> Result<Bytes, Refusal> {
        match self.gather(most).await? {
            Gathered::Whole(Held::Memory(bytes)) if bytes.len() <= most => Ok(bytes),
            Gathered::Whole(_) | Gathered::Begun(_) => {
                Err(super::job::refusal(self.bounds.direction, Reason::BodyTooLarge))
            }
        }
    }

    /// Reads to the end and keeps what came out: in memory up to `memory` bytes, then in the spool.
    ///
    /// # Errors
    /// With the refusal that ends the body, or [`Reason::SpoolFull`].
    pub async fn hold(&mut self, memory: usize, spools: &Spools) -> Result<Held, Refusal> {
        let kept = match self.gather(memory).await? {
            Gathered::Whole(held) => return Ok(held),
            Gathered::Begun(kept) => kept,
        };
        self.hold_behind(vec![kept], spools).await
    }

    /// Reads to the end and keeps what came out, behind what came out before.
    ///
    /// # Errors
    /// As [`hold`](Self::hold).
    pub async fn hold_behind(&mut self, lead: Vec<Bytes>, spools: &Spools) -> Result<Held, Refusal> {
        let mut spool = spools.open();
        for piece in lead {
            spool.push(&piece)?;
        }
        while let Some(piece) = self.next().await? {
            spool.push(&piece)?;
        }
        Ok(Held::Spool(spool))
    }
}

/// What was read at once.
pub enum Gathered {
    /// All of it.
    Whole(Held),
    /// The beginning.
    Begun(Bytes),
}

/// A body that was kept until it could be decided.
pub enum Held {
    /// In memory.
    Memory(Bytes),
    /// In the spool.
    Spool(Spool),
}

impl Held {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spool(spool) => spool.len(),
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What came out of the transform, to be sent on.
    #[must_use]
    pub fn into_censored(self) -> Censored {
        match self {
            Self::Memory(bytes) => Censored::assertion(Outgoing::Full(Some(bytes))),
            Self::Spool(spool) => Censored::assertion(Outgoing::Sized(spool.len(), pieces(spool))),
        }
    }
}

/// Reads a spool to its end, piece by piece.
#[must_use]
pub fn pieces(spool: Spool) -> super::Pieces {
    Box::pin(futures_util::stream::unfold(Some(spool.into_reader()), |reader| async move {
        let mut reader = reader?;
        let mut out = Vec::new();
        match reader.read(&mut out) {
            Ok(true) => Some((Ok(Bytes::from(out)), Some(reader))),
            Ok(false) if out.is_empty() => None,
            Ok(false) => Some((Ok(Bytes::from(out)), Some(reader))),
            Err(refusal) => Some((Err(refusal), None)),
        }
    }))
}

fn timed_out(direction: Direction) -> Refusal {
    Refusal::new(match direction {
        Direction::Request => Reason::RequestTimeout,
        Direction::Response => Reason::UpstreamTimeout,
    })
}

/// A body that broke off, for a reason of our own (a deadline) or because its sender went away.
fn broke(direction: Direction, error: &(dyn std::error::Error + Send + Sync + 'static)) -> Refusal {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return refusal.clone();
        }
        cause = inner.source();
    }
    Refusal::new(match direction {
        Direction::Request => Reason::ClientGone,
        Direction::Response => Reason::UpstreamBroke,
    })
}
