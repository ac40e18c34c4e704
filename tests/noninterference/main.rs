//! Non-interference: what a tenant sees does not depend on what others do.
//!
//! Random programs of up to 200 calls by three tenants run against the whole gateway, once with everybody and once with
//! each tenant alone. Every answer has to be right by a model (who has what), and what a tenant sees, to the byte but for
//! times and the names of ids, has to be the same both times. `CONSENTRY_PROGRAMS` says how many programs,
//! `CONSENTRY_SEED` which.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on fails; clippy knows helpers of unit tests only"
)]

mod calls;
mod model;
mod planted;
mod program;
mod run;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use planted::Planted;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use world::{Wire, World};

/// How many programs run if nobody says otherwise.
const PROGRAMS: u32 = 1_000;
/// Threads that run them. Each has a gateway of its own.
const THREADS: u32 = 3;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Runs programs; gives what the shortest that showed a fault was, and after how many it was found.
fn search(world: &World, programs: u32, seed: u64, planted: Planted) -> Result<u32, (u32, String)> {
    // What was planted needs no explanation.
    let max_shrink_iters = if planted == Planted::Nothing { 500 } else { 0 };
    let config = Config { cases: programs, max_shrink_iters, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let (ran, found) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcome = runner.run(&program::programs(), |program| {
        if found.load(Ordering::Relaxed) == 0 {
            ran.fetch_add(1, Ordering::Relaxed);
        }
        run::check(world, &program, planted).map_err(|wrong| {
            found.store(1, Ordering::Relaxed);
            TestCaseError::fail(wrong)
        })
    });
    let ran = u32::try_from(ran.into_inner()).unwrap();
    match outcome {
        Ok(()) => Ok(ran),
        Err(TestError::Fail(wrong, program)) => Err((ran, format!("{wrong}\nthe program:{program:?}"))),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// S1, S3: no trace in which a tenant observes what another's calls could have changed.
#[test]
fn s1_s3_what_a_tenant_sees_does_not_depend_on_others() {
    let programs = u32::try_from(setting("CONSENTRY_PROGRAMS", PROGRAMS.into())).unwrap();
    let seed = setting("CONSENTRY_SEED", 1);
    let ran = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let ran = Arc::clone(&ran);
            let share = programs / THREADS + u32::from(thread < programs % THREADS);
            std::thread::spawn(move || {
                let world = World::new(Wire::Memory, None);
                match search(&world, share, seed * 1_000 + u64::from(thread), Planted::Nothing) {
                    Ok(programs) => ran.fetch_add(programs as usize, Ordering::Relaxed),
                    Err((after, wrong)) => panic!("after {after} programs: {wrong}"),
                }
            })
        })
        .collect();
    for thread in threads {
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
    assert_eq!(ran.load(Ordering::Relaxed), programs as usize);
}

/// The same through TLS and sockets, with fewer programs.
#[test]
fn s1_s3_the_same_over_tls() {
    let world = World::new(Wire::Tls, None);
    if let Err((after, wrong)) = search(&world, 50, setting("CONSENTRY_SEED", 1) + 77, Planted::Nothing) {
        panic!("after {after} programs: {wrong}");
    }
}

/// What is behind the gateway keeps nothing apart: all that is seen apart is the gateway's doing.
#[test]
fn the_account_itself_shows_everything_to_everybody() {
    let world = World::new(Wire::Memory, None);
    let [one, other] = world.fresh();
    let ask = |method, body: &str| calls::Ask {
        method,
        target: "/v1/vector_stores".to_owned(),
        kind: (!body.is_empty()).then_some("application/json"),
        body: body.as_bytes().to_vec(),
    };
    for tenant in [one, other] {
        assert_eq!(world.ask(tenant, &ask("POST", r#"{"name":"a store"}"#)).status, 200);
    }
    let listed = |answer: &world::Answer| memchr::memmem::find_iter(&answer.body, b"\"vs_").count();
    // Each id stands in its item, and at an end of the list or both.
    assert_eq!(listed(&world.ask_account(&ask("GET", ""))), 4);
    assert_eq!(listed(&world.ask(one, &ask("GET", ""))), 3);
    assert_eq!(listed(&world.ask(other, &ask("GET", ""))), 3);
}

/// How many programs a planted fault may take to be found.
const PATIENCE: u32 = 1_000;

/// A gateway that tells of others is found, whatever it does: each fault of a profile, one at a time.
#[test]
fn every_planted_fault_of_a_profile_is_found() {
    let profile = include_str!("../../config/apis/openai.yaml");
    for (fault, right, wrong) in planted::PROFILES {
        assert_eq!(profile.matches(right).count(), 1, "{fault}: the profile has changed");
        let mut changed = profile.replace(right, wrong);
        if fault.contains("header") {
            changed = changed.replace(
                "      - content-disposition\n",
                "      - content-disposition\n      - x-ratelimit-remaining-requests\n",
            );
        }
        found(&World::new(Wire::Memory, Some(&changed)), fault, Planted::Elsewhere);
    }
}

/// The same for faults of the answers that no profile can have.
#[test]
fn every_planted_fault_of_the_answers_is_found() {
    let world = World::new(Wire::Memory, None);
    for planted in [Planted::Counter, Planted::Cache, Planted::Words, Planted::More, Planted::Total] {
        found(&world, &format!("{planted:?}"), planted);
    }
}

#[expect(clippy::print_stderr, reason = "how soon it was found is worth knowing")]
fn found(world: &World, fault: &str, planted: Planted) {
    match search(world, PATIENCE, 1, planted) {
        Ok(_) => panic!("{fault}: not found by {PATIENCE} programs"),
        Err((after, wrong)) => {
            let line = wrong.lines().next().unwrap_or_default();
            eprintln!("{fault}: found after {after} programs: {line}");
        }
    }
}
