//! The way out: readiness fails, then nobody new comes in, then those inside finish, then the door is shut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::signal::unix::Signal;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Bounds;

/// How long aborted tasks get to notice.
const AFTER_ABORT: Duration = Duration::from_secs(1);

/// The way out, shared by every listener and connection. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Readiness has failed.
    draining: AtomicBool,
    /// Somebody asked to end.
    begun: CancellationToken,
    /// Listeners don't accept any more, connections take no new request.
    stop: CancellationToken,
    stopped: AtomicBool,
    /// What still runs is dropped.
    abort: CancellationToken,
    tasks: TaskTracker,
    connections: AtomicU64,
    /// The last connection has ended.
    empty: Notify,
    aborted: AtomicU64,
}

/// How the end was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut off because the drain time was over.
    pub aborted: u64,
    /// From [`Shutdown::begin`] to the end.
    pub took: Duration,
}

impl Drained {
    /// Whether everybody finished.
    #[must_use]
    pub const fn clean(self) -> bool {
        self.aborted == 0
    }
}

impl Shutdown {
    /// A way out that nobody has taken.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Readiness fails from here on. [`drain`](Self::drain) does the rest.
    pub fn begin(&self) {
        self.0.draining.store(true, Ordering::Release);
        self.0.begun.cancel();
    }

    /// Whether the end has begun: readiness probes fail.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Waits until the end has begun.
    pub async fn begun(&self) {
        self.0.begun.cancelled().await;
    }

    /// Begins the end at SIGTERM or SIGINT. A second signal ends the drain at once.
    pub async fn on_signals(&self, terminate: &mut Signal, interrupt: &mut Signal) {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        self.begin();
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        self.stop();
        self.0.abort.cancel();
    }

    /// Waits for [`begin`](Self::begin), then: accepts for `pre_drain` more, so that load balancers notice; stops
    /// accepting, tells connections to finish (GOAWAY, `connection: close`); at the end of `drain` cuts off what is left.
    /// Returns when every task that was spawned here has ended.
    pub async fn drain(&self, bounds: &Bounds) -> Drained {
        self.begun().await;
        let began = Instant::now();
        let aborted = self.0.abort.clone();
        tokio::select! { () = tokio::time::sleep(bounds.pre_drain.min(bounds.drain)) => {}, () = aborted.cancelled() => {} }
        self.stop();
        self.0.tasks.close();
        let left = bounds.drain.saturating_sub(began.elapsed());
        tokio::select! {
            () = self.0.tasks.wait() => {}
            () = tokio::time::sleep(left) => {}
            () = aborted.cancelled() => {}
        }
        self.0.abort.cancel();
        // Tasks that don't yield can't be waited for for ever: the caller ends the process.
        let _late = tokio::time::timeout(AFTER_ABORT, self.0.tasks.wait()).await;
        Drained { aborted: self.0.aborted.load(Ordering::Acquire), took: began.elapsed() }
    }

    /// Connections that are open, those in their handshake included.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.connections.load(Ordering::Acquire)
    }

    /// Waits until no listener accepts any more and the last connection has ended: for what has to be there as long as
    /// there are callers, and must not keep [`drain`](Self::drain) waiting once there are none.
    pub async fn emptied(&self) {
        self.0.stop.cancelled().await;
        let mut empty = std::pin::pin!(self.0.empty.notified());
        loop {
            // Listened to before it is looked at, so that the end in between is not missed.
            empty.as_mut().enable();
            if self.connections() == 0 {
                return;
            }
            empty.as_mut().await;
            empty.set(self.0.empty.notified());
        }
    }

    /// Runs a task that [`drain`](Self::drain) waits for.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.tasks.spawn(task);
    }

    fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
        self.0.stop.cancel();
    }

    /// Fires when listeners stop accepting.
    pub(super) fn stop_token(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// As the token, without a lock.
    pub(super) fn stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    /// Fires when what still runs is dropped.
    pub(super) fn abort_token(&self) -> &CancellationToken {
        &self.0.abort
    }

    pub(super) fn count_aborted(&self) {
        self.0.aborted.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a connection until the guard is dropped, if there are fewer than `most`.
    pub(super) fn enter(&self, most: usize) -> Option<Entered> {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let before = self.0.connections.fetch_add(1, Ordering::AcqRel);
        let entered = Entered(Arc::clone(&self.0));
        (before < most).then_some(entered)
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Entered(Arc<Inner>);

impl Drop for Entered {
    fn drop(&mut self) {
        if self.0.connections.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.empty.notify_waiters();
        }
    }
}

/// Runs HTTP/2 streams as tasks that are waited for.
#[derive(Clone, Debug)]
pub(super) struct Executor(pub(super) Shutdown);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}
