//! What the tests drive the gateway with.

pub(crate) mod client;
pub(crate) mod gateway;
pub(crate) mod house;
pub(crate) mod own;
pub(crate) mod process;
pub(crate) mod sandbox;
pub(crate) mod shelf;
pub(crate) mod shop;
pub(crate) mod tls;
pub(crate) mod upstream;
pub(crate) mod values;

pub(crate) use client::{Answer, Ask, Caller, Conn};
pub(crate) use gateway::{Gateway, Setup, Tenant};
pub(crate) use house::house;
pub(crate) use upstream::{Arrived, Gate, Step, Upstream};

/// Longer than anything here takes: a test that waits so long has failed.
pub(crate) const LONG: std::time::Duration = std::time::Duration::from_secs(120);

/// Waits for what follows from something that was done, and is not told to whoever did it.
pub(crate) fn eventually(holds: impl Fn() -> bool) {
    let end = std::time::Instant::now() + LONG;
    while !holds() {
        assert!(std::time::Instant::now() < end, "it never happened");
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
}

/// Where `tests/setup.sh` puts what the tests need.
pub(crate) fn cache() -> Option<std::path::PathBuf> {
    let of =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let shared = || of("XDG_CACHE_HOME").or_else(|| Some(of("HOME")?.join(".cache")));
    of("CONSENTRY_CACHE").or_else(|| Some(shared()?.join("consentry")))
}
