//! What isolation costs: one decision for a warm id, a page of a list beside the upstream's own time for one, and
//! look-ups in a registry of ten million ids whose file is not in memory (`CONSENTRY_BENCH_IDS` names another number;
//! ten million take some minutes and 2 GB).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::semicolon_if_nothing_returned,
    reason = "a bench that can't be set up has nothing to say"
)]

#[path = "../tests/noninterference/calls.rs"]
#[expect(dead_code, reason = "the tests' calls; a bench needs few")]
mod calls;
#[path = "../tests/noninterference/world.rs"]
#[expect(dead_code, reason = "as above")]
mod world;

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use calls::Ask;
use consentry::catalog::Catalog;
use consentry::isolation::{Named, entitle};
use consentry::names::{Access, Kind, OperationId, RequestId, TenantId, UpstreamId, Via};
use consentry::store::{Claim, Making, Options, Origin, Ownership as _, Resource, Sqlite};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use tempfile::TempDir;
use world::{Wire, World};

const TENANTS: u64 = 100;

fn tenant(n: u64) -> TenantId {
    TenantId::new(&format!("tenant-{}", n % TENANTS))
}

/// Spread as random ids are.
fn id(n: u64) -> String {
    format!("file-{:016x}{n:08x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn claim(n: u64) -> Claim {
    Claim {
        resource: Resource { upstream: UpstreamId::new("account"), kind: Kind::new("file"), id: id(n) },
        tenant: tenant(n),
        dataset: None,
        label: None,
        judged: consentry::store::JudgedFor::NOTHING,
        made: Making {
            origin: Origin::Created,
            operation: OperationId::new("createFile"),
            request: RequestId::fresh(),
            from: Vec::new(),
        },
    }
}

/// One decision: everything that a request with one id asks, from the id as text to the proof.
fn decision(criterion: &mut Criterion) {
    let folder = TempDir::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let store = Sqlite::open(&Options::serving(folder.path().join("consentry.db"))).unwrap();
    runtime.block_on(store.claim((0..1_000).map(claim).collect())).unwrap();
    let catalog = Catalog::builtin("openai").unwrap();
    let upstream = UpstreamId::new("account");
    let named: Vec<Vec<Named>> = (0..1_000)
        .map(|n| {
            let kind = Kind::new("file");
            vec![Named {
                kind,
                id: id(n),
                labels: Vec::new(),
                access: Access::Read,
                via: Via::new("file_id"),
                at: 0,
            }]
        })
        .collect();
    let tenants: Vec<TenantId> = (0..1_000).map(tenant).collect();
    let mut next = 0;
    criterion.bench_function("isolation/decision for a warm id", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % named.len();
            let decided = entitle(&store, &catalog, &upstream, &tenants[next], &named[next]).now_or_never();
            assert!(black_box(decided).is_some_and(|scope| scope.is_ok()));
        })
    });
}

/// A page of vector stores: through the gateway, where three of four are another tenant's, and of the account itself.
fn page(criterion: &mut Criterion) {
    let world = World::new(Wire::Memory, None);
    let [one, other] = world.fresh();
    let make = Ask {
        method: "POST",
        target: "/v1/vector_stores".to_owned(),
        kind: Some("application/json"),
        body: br#"{"name":"a store"}"#.to_vec(),
    };
    let list =
        Ask { method: "GET", target: "/v1/vector_stores?limit=20".to_owned(), kind: None, body: Vec::new() };
    let fill = |others: usize| {
        world.empty_account();
        for _ in 0..100 {
            assert_eq!(world.ask(one, &make).status, 200);
            for _ in 0..others {
                assert_eq!(world.ask(other, &make).status, 200);
            }
        }
    };
    for (name, others) in [("alone", 0), ("with as much of another's", 1), ("with three times as much", 3)] {
        fill(others);
        let twenty = |body: &[u8]| memchr::memmem::find_iter(body, b"\"vector_store\"").count();
        assert_eq!(twenty(&world.ask(one, &list).body), 20);
        assert_eq!(twenty(&world.ask_account(&list).body), 20);
        criterion.bench_function(&format!("isolation/page of the account, {name}"), |bencher| {
            bencher.iter(|| black_box(world.ask_account(&list).status))
        });
        criterion.bench_function(&format!("isolation/page of a tenant, {name}"), |bencher| {
            bencher.iter(|| black_box(world.ask(one, &list).status))
        });
    }
}

/// Ten million ids: how large, and how long a look-up takes that finds nothing of the file in memory.
fn registry(_: &mut Criterion) {
    let total: u64 =
        std::env::var("CONSENTRY_BENCH_IDS").map_or(10_000_000, |number| number.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("consentry.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let began = Instant::now();
    let store = Sqlite::open(&Options::serving(&path)).unwrap();
    for first in (0..total).step_by(10_000) {
        let claims = (first..(first + 10_000).min(total)).map(claim).collect();
        runtime.block_on(store.claim(claims)).unwrap();
    }
    println!("isolation/registry: {total} ids recorded in {:.0?}", began.elapsed());
    drop(store);
    // The last writer folds the log into the file when it has gone.
    std::thread::park_timeout(Duration::from_secs(10));
    let began = Instant::now();
    let store = Sqlite::open(&Options::serving(&path)).unwrap();
    let bytes = store.stats().bytes;
    println!("isolation/registry: opened in {:.1?}; {bytes} bytes, {} an id", began.elapsed(), bytes / total);
    drop(store);
    std::thread::park_timeout(Duration::from_secs(3));
    // Opened anew without the check that reads all of it: what was read is put out of memory behind it.
    let store = Sqlite::open(&Options::serving(&path)).unwrap();
    let left = put_out(folder.path());
    let upstream = UpstreamId::new("account");
    let mut times: Vec<Duration> = (0..20_000_u64)
        .map(|n| {
            let n = n.wrapping_mul(0x2545_f491_4f6c_dd1d) % total;
            let id = id(n);
            let began = Instant::now();
            let found = runtime.block_on(store.owner(&upstream, &Kind::new("file"), &id)).unwrap();
            let took = began.elapsed();
            assert_eq!(found.unwrap().tenant, tenant(n));
            took
        })
        .collect();
    let first = times[..100].iter().max().copied().unwrap_or_default();
    times.sort_unstable();
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    println!(
        "isolation/registry: {left} bytes of the file in memory before; cold look-up p50 {:.1?}, p99 {:.1?}, p99.9 {:.1?}, \
         longest {:.1?}, longest of the first hundred {first:.1?}",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0 - f64::EPSILON),
    );
}

/// Puts a store's files out of the system's memory (`posix_fadvise`, which `dd` can ask for); gives what stayed.
fn put_out(folder: &Path) -> u64 {
    let mut left = 0;
    for name in ["consentry.db", "consentry.db-wal"] {
        let file = folder.join(name);
        let from = format!("if={}", file.display());
        let dropped = Command::new("dd").args([&from, "iflag=nocache", "count=0"]).output().unwrap();
        assert!(dropped.status.success(), "{dropped:?}");
        let resident = Command::new("fincore").args(["-b", "-n", "-o", "RES"]).arg(&file).output().unwrap();
        left += String::from_utf8_lossy(&resident.stdout).trim().parse::<u64>().unwrap_or_default();
    }
    left
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(60).measurement_time(Duration::from_secs(5));
    targets = decision, page, registry
}
criterion_main!(benches);
