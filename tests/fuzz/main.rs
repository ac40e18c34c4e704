//! The fuzz targets over their seeds, and over what becomes of the seeds by chance: always the same chance. A fuzzer goes
//! further (`fuzz/README.md`); this keeps targets, seeds and invariants from falling apart.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on fails; clippy knows helpers of unit tests only"
)]

use std::path::{Path, PathBuf};

#[expect(unreachable_pub, reason = "to the fuzzers it is a library of its own")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

mod chance;

use chance::Chance;

/// So many changed seeds of each target are tried.
const CHANGED: usize = 160;
/// A changed seed does not become longer than this.
const LONGEST: usize = 4096;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus-seed").join(name)
}

/// A target's seeds, in the order of their names.
fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = |path: &PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
    };
    paths.iter().map(named).collect()
}

/// Runs an input, and says which it was if it fails.
fn run(target: &targets::Target, what: &str, input: &[u8]) {
    let input = input.to_vec();
    let done = std::panic::catch_unwind(|| (target.run)(&input));
    if done.is_err() {
        panic!("{} fails on {what}: {}", target.name, input.escape_ascii());
    }
}

fn smoke(name: &str) {
    let target = targets::TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = seeds(name);
    assert!(seeds.len() >= 4, "{name} has {} seeds", seeds.len());
    for (seed, input) in &seeds {
        run(target, seed, input);
    }
    let mut chance = Chance::new(name);
    for number in 0..CHANGED {
        let (seed, input) = chance.one_of(&seeds);
        let (_, other) = chance.one_of(&seeds);
        let changed = chance.change(input, other, LONGEST);
        run(target, &format!("the {number}th, of {seed}"), &changed);
    }
}

macro_rules! smoke {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            smoke(stringify!($name));
        })*

        #[test]
        fn every_target_is_run_here_and_has_a_fuzzer() {
            let here = [$(stringify!($name)),*];
            let there: Vec<&str> = targets::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(here.as_slice(), there);
            let manifest: toml::Table = include_str!("../../fuzz/Cargo.toml").parse().unwrap();
            let fuzzers = manifest["bin"].as_array().unwrap();
            let fuzzers: Vec<&str> = fuzzers.iter().map(|bin| bin["name"].as_str().unwrap()).collect();
            assert_eq!(fuzzers, there);
        }
    };
}

smoke!(matcher, json, lines, table, file, container, form, coding, events, call, paths, loaders);
