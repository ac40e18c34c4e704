//! What the fuzz targets do, apart from the fuzzer: a function of bytes for each, which panics where an invariant is
//! broken. The fuzzers (`fuzz_targets/`) give it what they come upon; `tests/fuzz` gives it the seeds and what becomes
//! of them by chance. How to run them, and what is checked: `fuzz/README.md`.

pub mod call;
pub mod coding;
pub mod container;
pub mod events;
pub mod file;
pub mod form;
mod input;
pub mod json;
pub mod lines;
pub mod loaders;
pub mod matcher;
mod passed;
pub mod paths;
pub mod table;
mod tree;
mod values;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its fuzzer and of its folder of seeds.
    pub name: &'static str,
    /// What it does with an input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "matcher", run: matcher::run },
    Target { name: "json", run: json::run },
    Target { name: "lines", run: lines::run },
    Target { name: "table", run: table::run },
    Target { name: "file", run: file::run },
    Target { name: "container", run: container::run },
    Target { name: "form", run: form::run },
    Target { name: "coding", run: coding::run },
    Target { name: "events", run: events::run },
    Target { name: "call", run: call::run },
    Target { name: "paths", run: paths::run },
    Target { name: "loaders", run: loaders::run },
];
