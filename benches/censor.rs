//! How fast the censor is, in bytes per second of CPU time (the machines are shared, so wall time says little).
//!
//! `CONSENTRY_BENCH_JSONL` names a file of chat records to measure on; without it a text is made here.

#![expect(
    clippy::expect_used,
    clippy::semicolon_if_nothing_returned,
    clippy::print_stderr,
    reason = "a bench that can't be set up has nothing to say"
)]

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::hmac;
use consentry::censor::{Context, Engine, Exchange, Finding, Piece, Policy, RuleSet, Side, TextStream};
use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Nanoseconds that this thread has been on a processor.
struct CpuTime;

fn on_cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = u64;

    fn start(&self) -> u64 {
        on_cpu()
    }

    fn end(&self, start: u64) -> u64 {
        on_cpu() - start
    }

    fn add(&self, a: &u64, b: &u64) -> u64 {
        a + b
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, value: &u64) -> f64 {
        *value as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &PerSecond
    }
}

struct PerSecond;

impl ValueFormatter for PerSecond {
    fn scale_values(&self, _: f64, values: &mut [f64]) -> &'static str {
        values.iter_mut().for_each(|v| *v /= 1e6);
        "ms"
    }

    fn scale_throughputs(&self, _: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let Throughput::Bytes(bytes) = throughput else { return "?" };
        values.iter_mut().for_each(|v| *v = *bytes as f64 * 1e3 / *v);
        "MB/s"
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "ns"
    }
}

/// The texts of chat records, up to so many bytes.
fn texts(limit: usize) -> Vec<String> {
    let Some(file) = std::env::var_os("CONSENTRY_BENCH_JSONL") else { return made(limit) };
    let text = std::fs::read_to_string(file).expect("the file of chat records");
    let mut texts = Vec::new();
    let mut bytes = 0;
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record");
        for message in record["messages"].as_array().into_iter().flatten() {
            if let Some(content) = message["content"].as_str() {
                bytes += content.len();
                texts.push(content.to_owned());
            }
        }
        if bytes > limit {
            break;
        }
    }
    texts
}

/// Prose and code out of a small vocabulary, always the same.
fn made(limit: usize) -> Vec<String> {
    const WORDS: &str = "the of and to in a is that it for was on with as be at by this are or from have an they which one you \
        were all her she there would their we him been has when who will no more if out so up said what its about than into \
        function return value error file server request response config user data model train prompt token batch layer query \
        index table column schema deploy build test branch commit review release version package import class object array 2023";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = 7_u64;
    let mut next = move |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut texts = Vec::new();
    let mut bytes = 0;
    while bytes < limit {
        let mut text = String::new();
        for _ in 0..300 {
            let bound = 1 + next(words.len());
            let word = words[next(bound)];
            text.push_str(word);
            text.push_str([" ", " ", " ", " ", ", ", ". ", "_", " = ", "(\"", "\")\n"][next(10)]);
        }
        bytes += text.len();
        texts.push(text);
    }
    texts
}

/// The program's rules, or those of the folder `CONSENTRY_BENCH_RULES`.
fn rules() -> RuleSet {
    let Some(folder) = std::env::var_os("CONSENTRY_BENCH_RULES") else {
        return RuleSet::builtin().expect("the rules");
    };
    let mut rules = RuleSet::default();
    for entry in std::fs::read_dir(folder).expect("the folder of rules").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).expect("a rule file");
            let file = path.to_string_lossy();
            rules.extend(RuleSet::parse(&file, &text).expect("rules")).expect("ids that differ");
        }
    }
    rules
}

fn total(texts: &[String]) -> Throughput {
    Throughput::Bytes(texts.iter().map(|t| t.len() as u64).sum())
}

fn findings(engine: &Engine, text: &str) -> usize {
    let mut found: Vec<Finding> = Vec::new();
    engine.scan(text.as_bytes(), Context::default(), &mut found);
    found.len()
}

fn through_stream(engine: &Arc<Engine>, exchange: &Exchange, text: &str, chunk: usize) -> usize {
    let mut stream = TextStream::new(Arc::clone(engine), exchange.clone(), None, Side::Censor);
    let mut out = 0;
    let mut drain = |stream: &mut TextStream| {
        while let Some(piece) = stream.next() {
            out += match piece {
                Piece::Keep { len } => len,
                Piece::Replace { with, .. } => with.len(),
                Piece::Block { .. } => 0,
            };
        }
    };
    for part in text.as_bytes().chunks(chunk) {
        stream.push(part);
        drain(&mut stream);
    }
    stream.finish();
    drain(&mut stream);
    out
}

fn censor(c: &mut Criterion<CpuTime>) {
    let rules = rules();
    let engine = Arc::new(Engine::compile(&rules, &Policy::recommended()).expect("an engine"));
    let exchange = Exchange::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"bench")));
    let all = texts(8 << 20);
    let (clean, _): (Vec<String>, Vec<String>) =
        all.iter().cloned().partition(|text| findings(&engine, text) == 0);
    let count: usize = all.iter().map(|text| findings(&engine, text)).sum();
    eprintln!("{} rules, {} texts, {} of them clean, {count} findings", rules.len(), all.len(), clean.len());
    let mut group = c.benchmark_group("censor");
    group.sample_size(20);

    group.throughput(total(&clean));
    group.bench_function("scan clean", |b| {
        b.iter(|| clean.iter().map(|t| findings(&engine, t)).sum::<usize>())
    });
    group.throughput(total(&all));
    group.bench_function("scan all", |b| b.iter(|| all.iter().map(|t| findings(&engine, t)).sum::<usize>()));
    for chunk in [16 << 10, 64, 5] {
        group.bench_with_input(BenchmarkId::new("stream all", chunk), &chunk, |b, chunk| {
            b.iter(|| all.iter().map(|t| through_stream(&engine, &exchange, t, *chunk)).sum::<usize>());
        });
    }
    let short: Vec<String> = clean
        .iter()
        .flat_map(|t| t.as_bytes().chunks(40))
        .map(|c| String::from_utf8_lossy(c).into())
        .collect();
    let short = &short[..short.len().min(50_000)];
    group.throughput(total(short));
    group.bench_function("scan 40 bytes", |b| {
        b.iter(|| short.iter().map(|t| findings(&engine, t)).sum::<usize>())
    });

    let keywords: Vec<&String> = rules.iter().flat_map(|rule| &rule.spec.keywords).collect();
    let dfa = aho_corasick::AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .build(&keywords)
        .expect("an automaton");
    group.throughput(total(&clean));
    group.bench_function(format!("aho-corasick on {} keywords", keywords.len()), |b| {
        b.iter(|| clean.iter().map(|t| black_box(&dfa).find_iter(t.as_bytes()).count()).sum::<usize>());
    });
    group.bench_function("memchr of a byte that isn't there", |b| {
        b.iter(|| clean.iter().filter(|t| memchr::memchr(1, t.as_bytes()).is_some()).count());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = censor
}
criterion_main!(benches);
