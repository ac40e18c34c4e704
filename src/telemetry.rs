//! How is it doing?
//!
//! [`Metrics`] counts what the audit trail records, from the same [`Entry`](crate::audit::Entry), so that the two
//! can't disagree. [`Health`] answers probes, [`Admin`] serves both over plain HTTP on a listener of its own.
//! [`logs`] writes lines of JSON or text without ever waiting for who reads them; [`Trace`] carries the caller's
//! trace on to the upstream.
//!
//! Labels are configured names and words of closed sets: nothing that a caller sends can make a series.

mod admin;
mod catalogue;
mod families;
mod health;
mod labels;
pub mod logs;
mod meters;
mod metrics;
mod sources;
mod trace;

pub use admin::Admin;
pub use catalogue::document;
pub use health::{Check, Health};
pub use labels::{ConnectionState, ConsentOutcome, Handshake, Listener, Stage, TlsVersion, Violation};
pub use meters::{Held, RequestMeter, Stopwatch, UpstreamMeter};
pub use metrics::{Build, Metrics, Names};
pub use sources::{Sources, Spool};
pub use trace::Trace;

#[cfg(test)]
mod tests;
