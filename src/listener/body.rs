//! Bodies with an end in time: requests' and answers'.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::Flight;
use crate::reason::{Reason, Refusal};

/// The error of a service or a body of whatever kind.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The same as an error type of its own: what the compiler has to know of a task's errors must not depend on a lifetime.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Failed(BoxError);

impl Failed {
    pub(super) fn from(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }
}

/// A moment after which a body is over. The timer is made when the body first has to wait: most never do.
struct Deadline {
    at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn after(since: Instant, within: Duration) -> Self {
        Self { at: since.checked_add(within).unwrap_or(since + Duration::from_secs(86_400)), timer: None }
    }

    fn over(&self) -> bool {
        // Without a timer the body never had to wait, and what is already here is not late.
        self.timer.is_some() && Instant::now() >= self.at
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        self.timer.get_or_insert_with(|| Box::pin(sleep_until(at))).as_mut().poll(cx)
    }
}

/// A request's body that has to be there, whole, within a time: trickling does not extend it. Its errors are refusals:
/// [`Reason::RequestTimeout`], [`Reason::ClientGone`], [`Reason::ContentMalformed`] (chunked framing).
pub struct DeadlineBody<B> {
    inner: B,
    /// None for a body that is empty from the start.
    deadline: Option<Deadline>,
    failed: bool,
}

impl<B: Body> DeadlineBody<B> {
    /// The body has to end within this time from now.
    pub fn new(inner: B, within: Duration) -> Self {
        let deadline = (!inner.is_end_stream()).then(|| Deadline::after(Instant::now(), within));
        Self { inner, deadline, failed: false }
    }
}

impl<B> fmt::Debug for DeadlineBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineBody").finish_non_exhaustive()
    }
}

impl<B> Body for DeadlineBody<B>
where
    B: Body<Error = hyper::Error> + Unpin,
{
    type Data = B::Data;
    type Error = Refusal;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        if this.failed {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        let Some(deadline) = &mut this.deadline else {
            return polled.map_err(|error| broken(&error));
        };
        let refusal = match polled {
            Poll::Ready(Some(Err(error))) => broken(&error),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Ok(frame))) if !deadline.over() => return Poll::Ready(Some(Ok(frame))),
            Poll::Pending if deadline.poll(cx).is_pending() => return Poll::Pending,
            Poll::Ready(Some(Ok(_))) | Poll::Pending => Reason::RequestTimeout.into(),
        };
        this.failed = true;
        Poll::Ready(Some(Err(refusal)))
    }

    fn is_end_stream(&self) -> bool {
        self.failed || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What an error of the HTTP library means for a request's body.
fn broken(error: &hyper::Error) -> Refusal {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && matches!(io.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData)
        {
            return Refusal::new(Reason::ContentMalformed).detail("the chunked framing is malformed");
        }
        source = cause.source();
    }
    if error.is_timeout() {
        return Reason::RequestTimeout.into();
    }
    if error.is_parse() {
        return Refusal::new(Reason::ContentMalformed).detail("the framing is malformed");
    }
    Reason::ClientGone.into()
}

/// An answer's body that keeps something until its end: a permit, a guard that counts. It is dropped with the last frame,
/// or with the body if that is dropped before.
#[derive(Debug)]
pub struct Held<B, G> {
    inner: B,
    guard: Option<G>,
}

impl<B: Body, G> Held<B, G> {
    /// Keeps the guard until the body's end.
    pub fn new(inner: B, guard: G) -> Self {
        let guard = (!inner.is_end_stream()).then_some(guard);
        Self { inner, guard }
    }
}

impl<B, G> Body for Held<B, G>
where
    B: Body + Unpin,
    G: Unpin,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let ended = match &polled {
            Poll::Ready(None | Some(Err(_))) => true,
            Poll::Ready(Some(Ok(_))) => self.inner.is_end_stream(),
            Poll::Pending => false,
        };
        if ended {
            self.guard = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The answer's body took longer than its bound.
#[derive(Debug, thiserror::Error)]
#[error("the answer's body took longer than its bound")]
struct AnswerTimeout;

/// An answer's body on its way to the client: counted, and over at its bound.
pub(super) struct Answer<B> {
    inner: B,
    deadline: Deadline,
    _flight: Flight,
}

impl<B> Answer<B> {
    pub(super) fn new(inner: B, within: Duration, mut flight: Flight) -> Self {
        let since = flight.answering();
        Self { inner, deadline: Deadline::after(since.into(), within), _flight: flight }
    }
}

impl<B> Body for Answer<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = Failed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(_))) if this.deadline.over() => {
                Poll::Ready(Some(Err(Failed::from(AnswerTimeout))))
            }
            Poll::Ready(ready) => Poll::Ready(ready.map(|frame| frame.map_err(Failed::from))),
            Poll::Pending => match this.deadline.poll(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(Failed::from(AnswerTimeout)))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
