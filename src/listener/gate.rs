//! Requests at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::reason::{Reason, Refusal};

/// When to come back to a gateway that is at its limit.
const COME_BACK: Duration = Duration::from_secs(1);

/// Bounds the requests that are under way. A request over the bound is refused at once: to queue it would make every one
/// behind it slow as well.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<AtomicUsize>);

impl Gate {
    /// Lets a request in if there are fewer than `most`. The permit belongs into the answer's body
    /// ([`Held`](super::Held)): a request is under way until its answer's last byte.
    ///
    /// # Errors
    /// [`Reason::Overloaded`], with a time to come back.
    pub fn enter(&self, most: usize) -> Result<Permit, Refusal> {
        let permit = Permit(Arc::clone(&self.0));
        // Counted before it is compared, and the permit's drop takes it back.
        if self.0.fetch_add(1, Ordering::AcqRel) < most {
            return Ok(permit);
        }
        let mut refusal = Refusal::new(Reason::Overloaded);
        refusal.retry_after = Some(COME_BACK);
        Err(refusal)
    }

    /// Requests that are under way.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// A request that is under way.
#[derive(Debug)]
pub struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
