//! That the schema's indexes are used, and what ten million ids cost (`--ignored`, minutes).

use std::time::Instant;

use super::super::lists::{LAST_ASCENDING, LAST_DESCENDING, SELECT_ASCENDING, SELECT_DESCENDING};
use super::*;

#[test]
fn lists_read_the_tenants_own_rows_only() {
    let folder = TempDir::new().unwrap();
    drop(store(&folder));
    let raw = Connection::open(folder.path().join("consentry.db")).unwrap();
    for sql in [SELECT_ASCENDING, SELECT_DESCENDING, LAST_ASCENDING, LAST_DESCENDING] {
        let mut statement = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows =
            statement.query_map(params!["u", "k", "t", -1, i64::MAX, 10], |row| row.get::<_, String>(3));
        let plan: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
        let plan = plan.join("\n");
        assert!(
            plan.contains("USING INDEX resource_owned (upstream=? AND kind=? AND tenant=? AND seq>"),
            "{plan}"
        );
        assert!(!plan.contains("B-TREE"), "no sorting: {plan}");
    }
}

#[tokio::test]
#[ignore = "minutes; `cargo test --release -- --ignored --nocapture ten_million`"]
async fn ten_million_ids() {
    let folder = TempDir::new().unwrap();
    let total: u64 = std::env::var("CONSENTRY_TEST_IDS").map_or(10_000_000, |n| n.parse().unwrap());
    let id = |n: u64| {
        // Spread as the upstream's random ids are.
        format!("file-{:016x}{:08x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n)
    };
    let mut out = std::io::stdout();
    let started = Instant::now();
    {
        let store = store(&folder);
        let mut n = 0;
        while n < total {
            let claims =
                (n..(n + 10_000).min(total)).map(|n| claim(&format!("tenant-{}", n % 100), "file", &id(n)));
            store.claim(claims.collect()).await.unwrap();
            n += 10_000;
        }
        writeln!(out, "{total} claims in {:?}", started.elapsed()).unwrap();
    }
    std::thread::park_timeout(Duration::from_secs(5));
    let opening = Instant::now();
    let store = store(&folder);
    let bytes = store.stats().bytes;
    writeln!(out, "opened in {:?}; {bytes} bytes, {} an id", opening.elapsed(), bytes / total).unwrap();
    // As after a restart of the machine: nothing of the file in memory.
    for name in ["consentry.db", "consentry.db-wal"] {
        let file = format!("if={}", folder.path().join(name).display());
        std::process::Command::new("dd").args([&file, "iflag=nocache", "count=0"]).output().unwrap();
    }
    let mut times = Vec::new();
    for n in 0..20_000_u64 {
        let n = n.wrapping_mul(0x2545_f491_4f6c_dd1d) % total;
        let started = Instant::now();
        let found = owner(&store, "file", &id(n)).await;
        times.push(started.elapsed());
        assert_eq!(found, Some((format!("tenant-{}", n % 100), false)));
    }
    times.sort();
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    writeln!(out, "cold look-up p50 {:?} p99 {:?} p99.9 {:?}", at(0.5), at(0.99), at(0.999)).unwrap();
    assert!(at(0.99) < Duration::from_millis(1));
    let warm = id(7);
    let (upstream, kind) = (upstream(), Kind::new("file"));
    store.owner(&upstream, &kind, &warm).await.unwrap();
    let started = Instant::now();
    for _ in 0..1_000_000 {
        assert!(store.cached(&upstream, &kind, &warm).is_some());
    }
    writeln!(out, "warm look-up {:?}", started.elapsed() / 1_000_000).unwrap();
}
