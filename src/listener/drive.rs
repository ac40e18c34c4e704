//! Drives a connection: its requests, its clock, and the way out.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hyper_util::server::graceful::GracefulConnection;
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFuture;

use super::Bounds;
use super::activity::{Activity, Verdict};
use super::observer::End;
use super::shutdown::Shutdown;
use crate::reason::Reason;

/// How long a peer with nothing in flight may take to answer a goodbye, and then to close its side.
const GOODBYE: Duration = Duration::from_secs(2);

/// Runs a connection until it ends, by itself or by us. Says as well if the HTTP library refused what it read.
pub(super) async fn drive<C>(
    connection: C,
    activity: &Activity,
    bounds: &Bounds,
    shutdown: &Shutdown,
) -> (End, Option<Reason>)
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let first = match activity.verdict(bounds) {
        Verdict::Later(at) => at,
        Verdict::Over(_) => Instant::now(),
    };
    let connection = pin!(connection);
    let stop = pin!(shutdown.stop_token().cancelled());
    let abort = pin!(shutdown.abort_token().cancelled());
    let clock = pin!(sleep_until(first.into()));
    let mut driver = Driver {
        connection,
        stop,
        abort,
        clock,
        activity,
        bounds,
        shutdown,
        finishing: None,
        waker: None,
        unreadable: None,
    };
    std::future::poll_fn(move |cx| driver.poll(cx).map(|end| (end, driver.unreadable))).await
}

struct Driver<'a, 't, C> {
    connection: Pin<&'a mut C>,
    stop: Pin<&'a mut WaitForCancellationFuture<'t>>,
    abort: Pin<&'a mut WaitForCancellationFuture<'t>>,
    /// The next moment at which a bound could be broken.
    clock: Pin<&'a mut Sleep>,
    activity: &'a Activity,
    bounds: &'a Bounds,
    shutdown: &'a Shutdown,
    /// The peer was told to finish, and why.
    finishing: Option<End>,
    waker: Option<Waker>,
    /// What the HTTP library refused.
    unreadable: Option<Reason>,
}

impl<C: GracefulConnection<Error = hyper::Error>> Driver<'_, '_, C> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if let Poll::Ready(ended) = self.connection.as_mut().poll(cx) {
            let otherwise = if ended.is_ok() { End::Closed } else { End::Broken };
            self.unreadable = ended.err().and_then(|error| {
                error.is_parse().then(|| {
                    if error.is_parse_too_large() { Reason::HeaderTooLarge } else { Reason::RequestMalformed }
                })
            });
            return Poll::Ready(self.finishing.unwrap_or(otherwise));
        }
        if self.way_out(cx) {
            return Poll::Ready(End::Aborted);
        }
        if self.activity.tainted() {
            self.finish(End::Broken, cx);
        }
        if let Some(due) = self.activity.head_due(self.bounds)
            && self.clock.deadline() > due.into()
        {
            self.clock.as_mut().reset(due.into());
        }
        while self.clock.as_mut().poll(cx).is_ready() {
            if let Some(end) = self.look_at_clock(cx) {
                return Poll::Ready(end);
            }
        }
        Poll::Pending
    }

    /// Says whether to drop everything. The tokens are polled once, and then only after one has fired: their wakers stay
    /// registered, and to poll them each time would take a lock that all connections share.
    fn way_out(&mut self, cx: &mut Context<'_>) -> bool {
        let fresh = !self.waker.as_ref().is_some_and(|known| known.will_wake(cx.waker()));
        if fresh {
            self.waker = Some(cx.waker().clone());
        }
        if !fresh && !self.shutdown.stopped() {
            return false;
        }
        if self.abort.as_mut().poll(cx).is_ready() {
            return true;
        }
        if self.stop.as_mut().poll(cx).is_ready() {
            self.finish(End::Closed, cx);
        }
        false
    }

    /// A moment has come at which a bound could be broken. Sets the next one, or says that this is the end.
    fn look_at_clock(&mut self, cx: &mut Context<'_>) -> Option<End> {
        match (self.activity.verdict(self.bounds), self.finishing) {
            (_, Some(end)) if self.activity.quiet() => {
                // First the peer's side is taken as closed, so that TLS is ended in order; then the socket is dropped.
                if self.activity.hang_up() {
                    return Some(end);
                }
                self.set_clock(Instant::now() + GOODBYE);
                cx.waker().wake_by_ref();
            }
            (Verdict::Later(at), None) => self.set_clock(at),
            (Verdict::Later(at), Some(_)) => self.set_clock(at.min(Instant::now() + GOODBYE)),
            (Verdict::Over(End::Idle), _) => self.finish(End::Idle, cx),
            (Verdict::Over(end), _) => return Some(self.finishing.unwrap_or(end)),
        }
        None
    }

    fn finish(&mut self, why: End, cx: &Context<'_>) {
        if self.finishing.is_none() {
            self.finishing = Some(why);
            self.connection.as_mut().graceful_shutdown();
            self.set_clock(Instant::now() + GOODBYE);
            cx.waker().wake_by_ref();
        }
    }

    fn set_clock(&mut self, at: Instant) {
        self.clock.as_mut().reset(at.into());
    }
}
