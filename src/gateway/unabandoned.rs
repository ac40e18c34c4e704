//! What was begun is brought to its end, whether or not the caller waits for it.
//!
//! The HTTP library drops a request's future when its caller goes away. Up to the point where something happens that has to
//! be recorded, that is right: nobody wants the answer any more. From there on (a creating call has gone upstream, a
//! refusal is being written) the future goes on by itself.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use crate::listener::Shutdown;

/// Bytes of a request's future. What only some requests need lies in boxes of its own.
const LARGEST: usize = if cfg!(debug_assertions) { 64 * 1024 } else { 16 * 1024 };

/// Says that a request has to be brought to its end.
#[derive(Clone, Default)]
pub(super) struct Must(Arc<AtomicBool>);

impl Must {
    /// From here on it has to.
    pub(super) fn finish(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn has_to(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A future that goes on in a task of its own when it is dropped after [`Must::finish`].
pub(super) struct Unabandoned<F: Future + Send + 'static> {
    work: Option<Pin<Box<F>>>,
    must: Must,
    shutdown: Shutdown,
}

impl<F: Future + Send + 'static> Unabandoned<F> {
    /// Wraps the work. A process that stops waits for it as it waits for connections.
    pub(super) fn new(work: Pin<Box<F>>, must: Must, shutdown: Shutdown) -> Self {
        const {
            assert!(size_of::<F>() <= LARGEST, "every request moves its future once: box what is large in it")
        };
        Self { work: Some(work), must, shutdown }
    }
}

impl<F: Future + Send + 'static> Future for Unabandoned<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out while it runs: if it panics, there is nothing left to go on with.
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<F: Future + Send + 'static> Drop for Unabandoned<F> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take().filter(|_| self.must.has_to()) {
            self.shutdown.spawn(async move { drop(work.await) });
        }
    }
}
