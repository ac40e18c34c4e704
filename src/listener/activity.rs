//! What a connection is doing, as its clock sees it.
//!
//! One timer for each connection, set for the next moment at which a bound could be broken, and looked at again then:
//! a request that comes and goes in time touches no timer at all.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::observer::End;
use super::{Bounds, Protocol};

/// How long after its bound an answer that the client does not take costs it the connection. Before, the answer's own
/// body has had the time to end it.
const GRACE: Duration = Duration::from_secs(5);

/// No header section has begun.
const NONE: u64 = 0;
/// One has begun since the clock was last looked at. Most end before it is, and never cost a look.
const NOW: u64 = u64::MAX;

/// What a connection is doing. Times are milliseconds since `start`.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    protocol: Protocol,
    in_flight: AtomicU32,
    idle_since: AtomicU64,
    /// Plus one; [`NONE`] and [`NOW`].
    head_since: AtomicU64,
    tainted: AtomicBool,
    hung_up: AtomicBool,
    /// HTTP/1.1: when the one answer that can be under way began, plus one; [`NONE`].
    answer: AtomicU64,
    /// HTTP/2: those that are under way.
    answers: Mutex<Answers>,
}

/// When each answer that is under way began.
#[derive(Debug, Default)]
struct Answers {
    began: Vec<Option<u64>>,
    free: Vec<usize>,
}

/// What the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All is well; look again then.
    Later(Instant),
    /// A bound is broken.
    Over(End),
}

impl Activity {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            start: Instant::now(),
            protocol,
            in_flight: AtomicU32::new(0),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(NONE),
            tainted: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            answer: AtomicU64::new(NONE),
            answers: Mutex::default(),
        }
    }

    pub(super) fn is_http1(&self) -> bool {
        self.protocol == Protocol::Http1
    }

    fn now(&self) -> u64 {
        millis(self.start.elapsed())
    }

    fn at(&self, ms: u64, after: Duration) -> Instant {
        let since = Duration::from_millis(ms).saturating_add(after);
        // A bound that is too far away to be told as a time is looked at again in a day.
        self.start.checked_add(since).unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400))
    }

    /// Bytes came. Says whether nothing was in flight.
    pub(super) fn read(&self) -> bool {
        let quiet = self.quiet();
        if quiet && self.is_http1() && self.head_since.load(Ordering::Relaxed) == NONE {
            self.head_since.store(NOW, Ordering::Relaxed);
        }
        quiet
    }

    /// A header section whose framing the HTTP library repairs was seen: nothing in this connection is believed any more.
    pub(super) fn taint(&self) {
        self.tainted.store(true, Ordering::Release);
    }

    pub(super) fn tainted(&self) -> bool {
        self.tainted.load(Ordering::Acquire)
    }

    /// Whether nothing is in flight.
    pub(super) fn quiet(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
    }

    /// From here on nothing more is read. Says whether it was so before.
    pub(super) fn hang_up(&self) -> bool {
        self.hung_up.swap(true, Ordering::AcqRel)
    }

    pub(super) fn hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Acquire)
    }

    /// When the header section that has begun must have ended.
    pub(super) fn head_due(&self, bounds: &Bounds) -> Option<Instant> {
        let since = match self.head_since.load(Ordering::Relaxed) {
            NONE => return None,
            NOW => {
                let now = self.now();
                self.head_since.store(now + 1, Ordering::Relaxed);
                now
            }
            since => since - 1,
        };
        Some(self.at(since, bounds.header))
    }

    /// A request came.
    pub(super) fn begin(self: &Arc<Self>) -> Flight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.head_since.store(NONE, Ordering::Relaxed);
        Flight { activity: Arc::clone(self), place: None }
    }

    /// Looks at the bounds.
    pub(super) fn verdict(&self, bounds: &Bounds) -> Verdict {
        let now = Instant::now();
        if !self.quiet() {
            let oldest = match self.protocol {
                Protocol::Http1 => self.answer.load(Ordering::Acquire).checked_sub(1),
                Protocol::Http2 => self.answers().began.iter().flatten().min().copied(),
            };
            let due = oldest.map(|ms| self.at(ms, bounds.response_body.saturating_add(GRACE)));
            let soon = now + bounds.idle.max(Duration::from_millis(10));
            return match due {
                Some(due) if due <= now => Verdict::Over(End::AnswerTimeout),
                Some(due) => Verdict::Later(due.min(soon)),
                None => Verdict::Later(soon),
            };
        }
        let (due, end) = match self.head_due(bounds) {
            Some(due) => (due, End::HeaderTimeout),
            None => (self.at(self.idle_since.load(Ordering::Acquire), bounds.idle), End::Idle),
        };
        if due <= now { Verdict::Over(end) } else { Verdict::Later(due) }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX - 1)
}

/// A request, until the last byte of its answer or until it is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    activity: Arc<Activity>,
    /// HTTP/2: where its answer is noted.
    place: Option<usize>,
}

impl Flight {
    /// The answer's head is there. Says since when.
    pub(super) fn answering(&mut self) -> Instant {
        let at = Instant::now();
        let now = millis(at.duration_since(self.activity.start));
        if self.activity.is_http1() {
            self.activity.answer.store(now + 1, Ordering::Release);
            return at;
        }
        let mut answers = self.activity.answers();
        let place = answers.free.pop().unwrap_or_else(|| {
            answers.began.push(None);
            answers.began.len() - 1
        });
        if let Some(began) = answers.began.get_mut(place) {
            *began = Some(now);
        }
        drop(answers);
        self.place = Some(place);
        at
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.activity.answer.store(NONE, Ordering::Release);
        if let Some(place) = self.place {
            let mut answers = self.activity.answers();
            if let Some(began) = answers.began.get_mut(place) {
                *began = None;
            }
            answers.free.push(place);
        }
        // Before the count: whoever sees 0 must see since when.
        self.activity.idle_since.store(self.activity.now(), Ordering::Release);
        self.activity.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
