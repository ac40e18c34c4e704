//! Whether the store could do its last work.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::StoreError;

/// How often a store that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The fault that the store met last and has not overcome. A damaged file is never overcome.
#[derive(Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    fault: Option<StoreError>,
    /// When it was tried last.
    tried: Option<Instant>,
}

/// What has to be done to find out whether the store has recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// Nothing.
    Rest,
    /// Write something.
    Write,
    /// Remove what was written.
    Remove,
}

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the outcome of a commit.
    pub(super) fn set(&self, fault: Option<&StoreError>) {
        let mut state = self.state();
        if !matches!(state.fault, Some(StoreError::Corrupt(_))) {
            state.fault = fault.cloned();
        }
    }

    /// Notes a fault of a look-up: only damage stays.
    pub(super) fn saw(&self, fault: &StoreError) {
        if matches!(fault, StoreError::Corrupt(_)) {
            self.set(Some(fault));
        }
    }

    /// What is wrong, if anything is.
    pub(super) fn get(&self) -> Result<(), StoreError> {
        self.state().fault.clone().map_or(Ok(()), Err)
    }

    /// A file that was seen to be damaged is not asked any more, and nothing is added to it: pages that are still whole in
    /// memory would hide it for a while.
    pub(super) fn undamaged(&self) -> Result<(), StoreError> {
        match &self.state().fault {
            Some(damage @ StoreError::Corrupt(_)) => Err(damage.clone()),
            Some(_) | None => Ok(()),
        }
    }

    /// While a fault lasts, no request may come that would show its end: then the store tries by itself.
    pub(super) fn probe(&self) -> Probe {
        let mut state = self.state();
        let tried = state.tried;
        match (&state.fault, tried) {
            (Some(StoreError::Corrupt(_)), _) | (None, None) => Probe::Rest,
            (Some(_), Some(tried)) if tried.elapsed() < RETRY => Probe::Rest,
            (Some(_), _) => {
                state.tried = Some(Instant::now());
                Probe::Write
            }
            (None, Some(_)) => {
                state.tried = None;
                Probe::Remove
            }
        }
    }
}
