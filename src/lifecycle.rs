//! How long, and what when it is over?
//!
//! Decisions are pure: which call a task makes next ([`Order`]), and what an answer means to it ([`judge`]). The gateway makes
//! the calls, and the store remembers what is still to be done, so that a crash at any point is followed by the next step.

mod order;
mod verdict;

pub use order::{Order, Step};
pub use verdict::{Answer, Verdict, held, judge, untried};
