//! What a failure of a connection is called: sorted by what the operator has to look at.

use std::error::Error;
use std::io;

use crate::reason::{Reason, Refusal};

/// An error of whatever kind.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// No connection could be made.
pub(super) fn unconnected(error: &(dyn Error + 'static)) -> Refusal {
    sorted(Some(error)).unwrap_or_else(|| Refusal::new(Reason::UpstreamUnreachable))
}

/// A connection broke off before the head of the answer came.
pub(super) fn broke(error: Option<&hyper::Error>) -> Refusal {
    let sorted = error.and_then(|error| sorted(error.source()));
    sorted.unwrap_or_else(|| Refusal::new(Reason::UpstreamBroke).log("before the answer's head"))
}

fn sorted(mut cause: Option<&(dyn Error + 'static)>) -> Option<Refusal> {
    while let Some(inner) = cause {
        // The body of the request broke off with a refusal of its own.
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return Some(refusal.clone());
        }
        tracing::debug!(cause = %inner, "upstream");
        if inner.is::<rustls::Error>() {
            return Some(Refusal::new(Reason::UpstreamTls));
        }
        let io = inner.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
            return Some(Refusal::new(Reason::UpstreamTimeout).log("connecting"));
        }
        // An I/O error passes over what it wraps when it is asked for its source.
        cause = match io.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
    }
    None
}
