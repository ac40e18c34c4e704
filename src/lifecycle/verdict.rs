//! What an answer means to a task.

use jiff::{SignedDuration, Timestamp};

use super::order::Step;
use crate::store::{Aim, Progress, TaskOnRecord, Told, Try};

/// Tries in vain after which a person should look.
const MANY: u32 = 12;

/// The longest pause, in seconds: an hour, or five minutes for a job that runs.
const LONGEST: i64 = 3600;
const LONGEST_WATCH: i64 = 300;

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing that says anything: no connection, a time-out, a fault, a limit.
    Nothing,
    /// No.
    No,
    /// There is no such thing.
    Unknown,
    /// Yes; for a look at a job, whether it is over.
    Yes {
        /// The job is over.
        over: bool,
    },
}

impl Answer {
    /// What a status says.
    #[must_use]
    pub fn of(status: http::StatusCode) -> Self {
        match status.as_u16() {
            200..=299 => Self::Yes { over: false },
            404 | 410 => Self::Unknown,
            408 | 425 | 429 | 500..=599 => Self::Nothing,
            _ => Self::No,
        }
    }
}

/// What becomes of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done(Told),
    /// The job runs: it is stopped now.
    Stop,
    /// Not yet.
    Later(Try),
}

/// Judges the answer to a step of a task.
#[must_use]
pub fn judge(task: &TaskOnRecord, step: Step, answer: Answer, now: Timestamp) -> Verdict {
    let aim = task.task.aim;
    match (aim, step, answer) {
        (_, _, Answer::Unknown) => Verdict::Done(Told::Gone),
        (_, _, Answer::Nothing) => later(task, Told::Unreachable, task.sent, now),
        (Aim::Undo, _, Answer::Yes { .. }) => Verdict::Done(Told::Undone),
        // Whether it worked is asked at once.
        (Aim::Delete, Step::Act, Answer::Yes { .. }) => at_once(Told::Sent, now),
        (Aim::Delete, Step::Look, Answer::Yes { .. }) => later(task, Told::StillThere, false, now),
        (Aim::Cancel | Aim::Watch, Step::Look, Answer::Yes { over: true }) => Verdict::Done(Told::Over),
        (Aim::Watch, _, Answer::Yes { .. }) => watched(task, now),
        (Aim::Cancel, Step::Look, Answer::Yes { over: false }) if task.sent => {
            later(task, Told::StillRunning, false, now)
        }
        (Aim::Cancel, Step::Look, Answer::Yes { over: false }) => Verdict::Stop,
        // A job that has just ended can't be cancelled: the next look tells.
        (Aim::Cancel, Step::Act, Answer::Yes { .. }) => at_once(Told::Sent, now),
        (_, _, Answer::No) => later(task, Told::Denied, task.sent, now),
    }
}

/// Judges a task that could not be tried.
#[must_use]
pub fn untried(task: &TaskOnRecord, told: Told, now: Timestamp) -> Try {
    match later(task, told, task.sent, now) {
        Verdict::Later(was) => was,
        Verdict::Done(_) | Verdict::Stop => held(now),
    }
}

/// A hold stands: it is looked again in a minute.
#[must_use]
pub fn held(now: Timestamp) -> Try {
    let again = after(now, 60);
    Try { progress: Progress::Held, sent: false, told: Told::Held, again, in_vain: false }
}

fn at_once(told: Told, now: Timestamp) -> Verdict {
    Verdict::Later(Try { progress: Progress::Open, sent: true, told, again: now, in_vain: false })
}

/// 10 s, 20 s, 40 s … up to an hour.
fn later(task: &TaskOnRecord, told: Told, sent: bool, now: Timestamp) -> Verdict {
    let wait = (10_i64 << task.attempts.min(9)).min(LONGEST);
    let progress = if task.attempts + 1 >= MANY { Progress::Failed } else { Progress::Open };
    Verdict::Later(Try { progress, sent, told, again: after(now, wait), in_vain: true })
}

/// A job that runs is no failure. 5 s, 10 s, 20 s … up to five minutes.
fn watched(task: &TaskOnRecord, now: Timestamp) -> Verdict {
    let wait = (5_i64 << task.attempts.min(9)).min(LONGEST_WATCH);
    let again = after(now, wait);
    Verdict::Later(Try {
        progress: Progress::Open,
        sent: false,
        told: Told::StillRunning,
        again,
        in_vain: true,
    })
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
