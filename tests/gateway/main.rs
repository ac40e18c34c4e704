//! The whole gateway over real sockets: the program as it is built, TLS on both sides, callers that behave and callers
//! that don't, in front of the sandbox API or of an upstream that a test scripts byte by byte.
//!
//! Most tests share one gateway (`kit::house`), each with tenants and an upstream of its own; those that kill it, fill
//! its disk or change its configuration start their own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on fails; clippy knows helpers of unit tests only"
)]

mod account;
mod adopt;
mod analysis;
mod anthropic;
mod apis;
mod bad_input;
mod cached;
mod censor;
mod conformance;
mod consent;
mod conversations;
mod desk;
mod faults;
mod files;
mod formats;
mod homes;
mod isolation;
mod kit;
mod ledger;
mod lineage;
mod memory;
mod operator;
mod orphans;
mod parents;
mod paths;
mod promises;
mod records;
mod replacement;
mod shares;
mod sharing;
mod shutdown;
mod threads;
