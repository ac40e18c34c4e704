//! How fast bodies pass, in bytes per second of CPU time (the machines are shared, so wall time says little).
//!
//! `CONSENTRY_BENCH_JSONL` names a file of chat records to measure on; without it records are made here. Every case
//! runs with the rules that ship with the gateway and with none, which shows what the format itself costs.

#![expect(
    clippy::expect_used,
    clippy::semicolon_if_nothing_returned,
    reason = "a bench that can't be set up has nothing to say"
)]

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::hmac;
use consentry::body::json::{JsonPlan, JsonTransform, Watch};
use consentry::body::jsonl::JsonlTransform;
use consentry::body::multipart::{FileTreatment, FormTransform};
use consentry::body::spool::{SpoolBudget, Spools};
use consentry::body::sse::{SsePlan, SseTransform};
use consentry::body::text::TextTransform;
use consentry::body::{Job, Transform};
use consentry::catalog::{Channel, FieldContent, FormField};
use consentry::censor::{Action, Engine, Exchange, Policy, RuleSet};
use consentry::names::Direction;
use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Nanoseconds that this thread has been on a processor.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = u64;

    fn start(&self) -> u64 {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default()
    }

    fn end(&self, start: u64) -> u64 {
        self.start() - start
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
        values.iter_mut().for_each(|value| *value /= 1e3);
        "µs"
    }

    fn scale_throughputs(&self, _: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let (amount, unit) = match throughput {
            Throughput::Bytes(bytes) => (*bytes as f64 * 1e3, "MB/s"),
            Throughput::Elements(count) => (*count as f64 * 1e9, "/s"),
            _ => (0.0, "?"),
        };
        values.iter_mut().for_each(|value| *value = amount / *value);
        unit
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "ns"
    }
}

const WORDS: &[&str] = &[
    "model", "answers", "question", "about", "the", "weather", "in", "a", "small", "town", "where", "nobody",
    "knows", "which", "token", "comes", "next", "however", "they", "keep", "asking", "for", "more",
    "examples", "of", "it",
];

/// Text of so many words that looks like prose.
fn prose(words: usize, seed: &mut u64) -> String {
    let mut text = String::new();
    for at in 0..words {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let roll = (*seed >> 33) as usize;
        text.push_str(WORDS[roll % WORDS.len()]);
        text.push_str(match (at % 13, roll % 40) {
            (12, _) => ".\n",
            (_, 0) => ", \"",
            _ => " ",
        });
    }
    text
}

/// Chat records, with an address in every `every`th.
fn records(bytes: usize, every: Option<usize>) -> Vec<u8> {
    if let (Ok(path), None) = (std::env::var("CONSENTRY_BENCH_JSONL"), every) {
        return std::fs::read(path).expect("CONSENTRY_BENCH_JSONL names a file");
    }
    let (mut out, mut seed, mut at) = (Vec::with_capacity(bytes + 4096), 7, 0);
    while out.len() < bytes {
        at += 1;
        let mut question = prose(60, &mut seed);
        if every.is_some_and(|every| at % every == 0) {
            question += &["erika.mustermann", "@", "mail.example.org"].concat();
        }
        let record = serde_json::json!({"messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": question},
            {"role": "assistant", "content": prose(250, &mut seed)},
        ]});
        out.extend_from_slice(record.to_string().as_bytes());
        out.push(b'\n');
    }
    out
}

fn engines() -> [(&'static str, Arc<Engine>); 2] {
    let rules = RuleSet::builtin().expect("the rules that ship are valid");
    let compile = |policy: &Policy| Arc::new(Engine::compile(&rules, policy).expect("the rules compile"));
    let none = compile(&Policy::recommended().with("*", Action::Allow));
    [("rules", compile(&Policy::recommended())), ("no rules", none)]
}

fn job(engine: &Arc<Engine>, direction: Direction) -> Job {
    let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"a tenant's key"));
    Job::new(Arc::clone(engine), Exchange::new(key), direction)
}

fn pass(transform: &mut dyn Transform, body: &[u8], piece: usize, out: &mut Vec<u8>) {
    for piece in body.chunks(piece) {
        transform.push(piece, out).expect("the body passes");
        while transform.drain(out).expect("the body passes") {}
        black_box(&out);
        out.clear();
    }
    transform.finish(out).expect("the body passes");
    black_box(&out);
    out.clear();
}

fn files(criterion: &mut Criterion<CpuTime>) {
    const SIZE: usize = 8 << 20;
    let plan = Arc::new(JsonPlan::empty());
    let mut out = Vec::with_capacity(1 << 20);
    let mut group = criterion.benchmark_group("jsonl");
    for (name, engine) in engines() {
        for (kind, body) in [("clean", records(SIZE, None)), ("a finding in 2 KB", records(SIZE, Some(1)))] {
            group.throughput(Throughput::Bytes(body.len() as u64));
            for piece in [16 * 1024, 64 * 1024] {
                group.bench_function(BenchmarkId::new(format!("{name}, {kind}"), piece), |bench| {
                    bench.iter(|| {
                        let job = job(&engine, Direction::Request);
                        pass(&mut JsonlTransform::censoring(job, Arc::clone(&plan)), &body, piece, &mut out);
                    });
                });
            }
        }
    }
    group.finish();
    let mut group = criterion.benchmark_group("text");
    for (name, engine) in engines() {
        let body = records(SIZE, None);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(BenchmarkId::new(name, 65536), |bench| {
            bench.iter(|| {
                pass(&mut TextTransform::new(job(&engine, Direction::Request), None), &body, 65536, &mut out)
            });
        });
    }
    group.finish();
}

fn forms(criterion: &mut Criterion<CpuTime>) {
    let fields: Arc<[FormField]> = [
        FormField { name: "purpose".into(), content: FieldContent::Deciding, required: true },
        FormField { name: "file".into(), content: FieldContent::File, required: true },
    ]
    .into();
    let purpose = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune\r\n";
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n";
    let content = records(8 << 20, None);
    let first = [purpose.as_bytes(), file.as_bytes(), &content, b"\r\n--b--\r\n"].concat();
    let last = [file.as_bytes(), &content, b"\r\n", purpose.as_bytes(), b"--b--\r\n"].concat();
    let spools = Spools::new(SpoolBudget::new(1 << 30), 1 << 20, std::env::temp_dir());
    let mut out = Vec::with_capacity(1 << 20);
    let mut group = criterion.benchmark_group("form");
    for (name, engine) in engines() {
        for (order, body) in [("purpose first", &first), ("file first", &last)] {
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function(BenchmarkId::new(name, order), |bench| {
                bench.iter(|| {
                    let job = job(&engine, Direction::Request);
                    let inner = job.clone();
                    let decide = move |_: &_, _: &_| {
                        let plan = Arc::new(JsonPlan::empty());
                        Ok(FileTreatment::Transform(Box::new(JsonlTransform::censoring(inner.clone(), plan))))
                    };
                    let mut form = FormTransform::new(
                        job,
                        "b",
                        Arc::clone(&fields),
                        spools.clone(),
                        Box::new(decide),
                        Box::new(|_| Ok(())),
                    );
                    pass(&mut form, body, 65536, &mut out);
                });
            });
        }
    }
    group.finish();
}

fn calls(criterion: &mut Criterion<CpuTime>) {
    let watches = ["/model", "/store", "/stream", "/messages/*/content/*/file/file_id", "/**/file_id"]
        .map(|pointer| Watch::opaque(pointer.parse().expect("a pointer")));
    let plan = Arc::new(JsonPlan::compile(&watches, &[]).expect("a plan"));
    let mut out = Vec::with_capacity(1 << 20);
    let mut group = criterion.benchmark_group("call");
    for (name, engine) in engines() {
        for (size, words) in [("1 KiB", 60), ("8 KiB", 1300)] {
            let text = prose(words, &mut 3);
            let body =
                serde_json::json!({"model": "gpt-4o", "stream": false, "temperature": 0.7, "messages": [
                    {"role": "system", "content": "You are a helpful assistant."},
                    {"role": "user", "content": [{"type": "text", "text": text}]},
                ]})
                .to_string();
            for direction in [Direction::Request, Direction::Response] {
                group.throughput(Throughput::Bytes(body.len() as u64));
                let id = BenchmarkId::new(format!("{name}, {}", direction.as_str()), size);
                group.bench_function(id, |bench| {
                    bench.iter(|| {
                        let mut transform = JsonTransform::new(job(&engine, direction), Arc::clone(&plan));
                        pass(&mut transform, body.as_bytes(), 65536, &mut out);
                    });
                });
            }
        }
    }
    group.finish();
}

/// Vectors of floats, as embeddings come.
fn vectors(criterion: &mut Criterion<CpuTime>) {
    let mut seed = 11_u64;
    let mut float = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((seed >> 33) as u32) / f64::from(u32::MAX >> 1) * 0.1 - 0.05
    };
    let items: Vec<_> = (0..16)
        .map(|index| {
            let vector: Vec<f64> = (0..1536).map(|_| float()).collect();
            serde_json::json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let body =
        serde_json::json!({"object": "list", "data": items, "usage": {"prompt_tokens": 8192}}).to_string();
    let plan = Arc::new(JsonPlan::empty());
    let mut out = Vec::with_capacity(1 << 20);
    let mut group = criterion.benchmark_group("vectors");
    group.throughput(Throughput::Bytes(body.len() as u64));
    for (name, engine) in engines() {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let mut transform = JsonTransform::new(job(&engine, Direction::Response), Arc::clone(&plan));
                pass(&mut transform, body.as_bytes(), 65536, &mut out);
            });
        });
    }
    group.finish();
}

fn streams(criterion: &mut Criterion<CpuTime>) {
    let channels = [
        ("/choices/*/delta/content", vec!["/choices/*/index"]),
        (
            "/choices/*/delta/tool_calls/*/function/arguments",
            vec!["/choices/*/index", "/choices/*/delta/tool_calls/*/index"],
        ),
    ]
    .map(|(text, keys)| Channel {
        event: None,
        text: text.parse().expect("a pointer"),
        keys: keys.iter().map(|key| key.parse().expect("a pointer")).collect(),
        whole: false,
    });
    let plan = Arc::new(SsePlan::compile(&channels, &[], &[]).expect("a plan"));
    let text = prose(1000, &mut 5);
    let mut events = Vec::new();
    let mut count = 0;
    for word in text.split_inclusive(' ') {
        count += 1;
        let data = serde_json::json!({"id": "chatcmpl-123", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "gpt-4o",
            "choices": [{"index": 0, "delta": {"content": word}, "logprobs": null, "finish_reason": null}]});
        events.extend_from_slice(format!("data: {data}\n\n").as_bytes());
    }
    let mut out = Vec::with_capacity(1 << 20);
    let mut group = criterion.benchmark_group("events");
    for (name, engine) in engines() {
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let mut transform = SseTransform::new(job(&engine, Direction::Response), Arc::clone(&plan));
                for event in events.split_inclusive(|byte| *byte == b'\n') {
                    transform.push(event, &mut out).expect("the stream passes");
                    black_box(&out);
                    out.clear();
                }
                transform.finish(&mut out).expect("the stream passes");
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime).sample_size(10);
    targets = files, forms, calls, vectors, streams
}
criterion_main!(benches);
