//! Values that must not pass, put together here, and the rules that find them.
//!
//! Each stands between spaces, so that whatever the fuzzer puts beside it, it is a finding. Its letters stand in no rule
//! and no word, so a part of it in an output came from there.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;
use consentry::body::spool::{SpoolBudget, Spools};
use consentry::body::{Job, Limits, Rebase, Rewrite};
use consentry::censor::{Action, Engine, Exchange, Finding, Policy, RuleSet};
use consentry::names::Direction;

/// The rules of the tests of bodies: one of each kind that formats have to cope with.
pub const RULES: &str = include_str!("../../src/body/testkit/rules.yaml");
/// The rules of the tests of the engine: one of each kind.
const ENGINE_RULES: &str = include_str!("../../src/censor/tests/rules.yaml");

/// The bounds of bodies here: small, so that inputs reach them.
pub const LIMITS: Limits = Limits {
    depth: 24,
    key: 512,
    number: 256,
    fact: 128,
    facts: 64,
    record: 8 * 1024,
    event: 8 * 1024,
    channels: 8,
    part_header: 1024,
    parts: 12,
};

fn mixed(n: u64, length: usize) -> String {
    const LETTERS: &[u8] = b"ZXQJKVWYHGPRU";
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(LETTERS[(state % LETTERS.len() as u64) as usize])
    };
    (0..length).map(|_| letter()).collect()
}

fn token(n: u64) -> String {
    format!("{}{}", "tok_", mixed(n, 12))
}

fn blocked() -> String {
    format!("{}{}", "blk_", mixed(7, 8))
}

fn address(n: u64) -> String {
    format!("{}@{}.example.com", mixed(n, 6).to_ascii_lowercase(), "mail")
}

fn open() -> String {
    format!("<<KEY-{}-KEY>>", mixed(11, 20))
}

/// What the address number 2 is called in an exchange with the key of these values.
static NAME: LazyLock<String> = LazyLock::new(|| {
    let job = job(&ENGINES[0], Direction::Request);
    let censored = job.censored(address(2).as_bytes()).unwrap().unwrap();
    String::from_utf8(censored).unwrap()
});

/// What the control characters of a body stand for.
static PLANTED: LazyLock<[Option<String>; 16]> = LazyLock::new(|| {
    let escaped: String = token(3).bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let (first, second) = (token(4), token(4));
    let mut all: [Option<String>; 16] = Default::default();
    all[0x01] = Some(format!(" {} ", token(1)));
    all[0x02] = Some(format!(" {} ", address(1)));
    all[0x03] = Some(format!(" {} ", open()));
    all[0x04] = Some(format!("q=\\\"{}\\\\{}\\\"", mixed(5, 5), mixed(6, 5)));
    all[0x05] = Some(format!("77{:010}", 1_234_567));
    all[0x06] = Some(format!(" {}", &first[..10]));
    all[0x07] = Some(format!("{} ", &second[10..]));
    all[0x08] = Some(format!(" {} ", blocked()));
    all[0x0e] = Some(format!(" {escaped} "));
    all[0x0f] = Some(format!(" {} ", *NAME));
    all
});

/// What a byte of a body stands for, if it does.
pub fn planted(byte: u8) -> Option<&'static str> {
    PLANTED.get(usize::from(byte))?.as_deref()
}

/// So many letters of a planted value are a part of it. A value that is masked keeps four, and half of the one that comes
/// in two pieces has six.
const PART: usize = 7;

/// The parts of planted values of which none may come out.
static SECRETS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let letters = [mixed(1, 12), mixed(3, 12), mixed(4, 12), mixed(11, 20), mixed(7, 8)];
    let mut parts: Vec<String> = letters
        .iter()
        .flat_map(|value| (PART..=value.len()).map(|end| value[end - PART..end].to_owned()))
        .collect();
    parts.push(address(1)[..PART].to_owned());
    parts
});

/// Sees that nothing of a planted value is in an output, unless the input had it in clear.
///
/// # Panics
/// If there is.
pub fn absent(template: &[u8], out: &[u8]) {
    for secret in SECRETS.iter() {
        let there = |text: &[u8]| memchr::memmem::find(text, secret.as_bytes()).is_some();
        assert!(!there(out) || there(template), "a planted value came out: {}", String::from_utf8_lossy(out));
    }
}

/// The examples of every rule that ships, found or not.
static EXAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let rules = RuleSet::builtin().unwrap();
    let of_rule = rules.iter().flat_map(|rule| {
        let plain = rule.spec.examples.iter().chain(&rule.spec.negative_examples);
        let fields = rule.spec.field_examples.iter().map(|example| example.parts.value.concat());
        plain.map(|parts| parts.value.concat()).chain(fields).collect::<Vec<_>>()
    });
    of_rule.collect()
});

/// One of them.
pub fn example(number: usize) -> &'static str {
    EXAMPLES.get(number % EXAMPLES.len()).map_or("", |example| example)
}

/// Compiled rules: of bodies, of the engine, and those that ship under four policies.
pub static ENGINES: LazyLock<Vec<Arc<Engine>>> = LazyLock::new(|| {
    let own = |rules| RuleSet::parse("rules.yaml", rules).unwrap();
    let compile = |rules: &RuleSet, policy| Arc::new(Engine::compile(rules, &policy).unwrap());
    let shipped = RuleSet::builtin().unwrap();
    let every = |action| Policy::recommended().with("*", action);
    let engine_rules = own(ENGINE_RULES);
    vec![
        compile(&own(RULES), Policy::recommended()),
        compile(&engine_rules, Policy::recommended().with("stop-sign", Action::Allow)),
        compile(&engine_rules, every(Action::Pseudonym)),
        compile(&shipped, Policy::recommended()),
        compile(&shipped, every(Action::Redact)),
        compile(&shipped, every(Action::Hash)),
        compile(&shipped, every(Action::Mask { keep: 4 })),
        compile(&shipped, every(Action::Pseudonym)),
    ]
});

/// How many of [`ENGINES`] there are.
pub const ENGINE_COUNT: u8 = 8;

fn key(name: &str) -> Arc<hmac::Key> {
    Arc::new(hmac::Key::new(hmac::HMAC_SHA256, name.as_bytes()))
}

/// The work on one body of a fresh exchange.
pub fn job(engine: &Arc<Engine>, direction: Direction) -> Job {
    let mut job = Job::new(Arc::clone(engine), Exchange::new(key("a tenant's key")), direction);
    job.limits = Arc::new(LIMITS);
    job.rewrite = Rewrite {
        salt: Some(key("a salt")),
        rebase: Some(Arc::new(Rebase {
            from: "https://api.example/v1".into(),
            to: "https://gateway.example/x/v1".into(),
        })),
    };
    job
}

/// The same for an answer, in whose exchange there is a name to restore.
pub fn answer(engine: &Arc<Engine>) -> Job {
    let asked = job(engine, Direction::Request);
    asked.censored(address(2).as_bytes()).unwrap();
    let mut job = job(engine, Direction::Response);
    job.exchange = asked.exchange;
    job
}

/// Spools in memory.
pub fn spools() -> Spools {
    Spools::new(SpoolBudget::new(1 << 24), 1 << 22, std::env::temp_dir())
}

/// A text as the engine censors it, whole. None: it holds what blocks.
pub fn censored(job: &Job, text: &[u8], found: &mut Vec<Finding>) -> Option<Vec<u8>> {
    job.engine.scan(text, consentry::censor::Context::default(), found);
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    for finding in found.iter() {
        out.extend_from_slice(&text[at..finding.start]);
        at = finding.end;
        job.exchange.replace(&job.engine, finding, &text[finding.start..at], job.side, &mut out).ok()?;
    }
    out.extend_from_slice(&text[at..]);
    Some(out)
}
