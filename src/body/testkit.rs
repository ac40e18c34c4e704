//! What the tests of the formats share: rules, planted values, and the ways to cut a body.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;

use crate::body::spool::{SpoolBudget, Spools};
use crate::body::{Job, Rebase, Rewrite, Transform};
use crate::censor::{Context, Engine, Exchange, Policy, RuleSet, Side};
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| {
    let rules = RuleSet::parse("rules.yaml", include_str!("testkit/rules.yaml")).unwrap();
    Arc::new(Engine::compile(&rules, &Policy::recommended()).unwrap())
});

pub(crate) fn engine() -> Arc<Engine> {
    Arc::clone(&ENGINE)
}

fn key(name: &str) -> Arc<hmac::Key> {
    Arc::new(hmac::Key::new(hmac::HMAC_SHA256, name.as_bytes()))
}

pub(crate) fn exchange() -> Exchange {
    Exchange::new(key("a tenant's key"))
}

pub(crate) fn request() -> Job {
    job(exchange(), Direction::Request)
}

pub(crate) fn response() -> Job {
    job(exchange(), Direction::Response)
}

pub(crate) fn job(exchange: Exchange, direction: Direction) -> Job {
    let mut job = Job::new(engine(), exchange, direction);
    job.rewrite = Rewrite {
        salt: Some(key("a salt")),
        rebase: Some(Arc::new(Rebase {
            from: "https://api.example/v1".into(),
            to: "https://gateway.example/x/v1".into(),
        })),
    };
    job
}

pub(crate) fn spools() -> Spools {
    Spools::new(SpoolBudget::new(1 << 26), 0, std::env::temp_dir())
}

/// A secret, the `n`th. Its body is of characters that no clean text of the tests has.
pub(crate) fn token(n: u64) -> String {
    format!("{}{}", "tok_", mixed(n, 12))
}

/// A value that is blocked.
pub(crate) fn blocked() -> String {
    format!("{}{}", "blk_", mixed(7, 8))
}

/// An address.
pub(crate) fn address(n: u64) -> String {
    format!("{}@{}.example.com", mixed(n, 6).to_ascii_lowercase(), "mail")
}

/// A value that needs escapes in JSON.
pub(crate) fn quoted(n: u64) -> String {
    format!("q=\"{}\\{}\"", mixed(n, 5), mixed(n + 1, 5))
}

/// A secret that is open at its end.
pub(crate) fn open(lines: u64) -> String {
    let body: Vec<String> = (0..lines).map(|line| mixed(line, 20)).collect();
    format!("<<KEY-{}-KEY>>", body.join("\n"))
}

fn mixed(n: u64, length: usize) -> String {
    const LETTERS: &[u8] = b"ZXQJKVWYHGPRU";
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(LETTERS[(state % LETTERS.len() as u64) as usize])
        })
        .collect()
}

/// A text as the engine censors it, whole: what the formats have to agree with.
pub(crate) fn censored(exchange: &Exchange, field: Option<&str>, text: &str) -> String {
    let mut found = Vec::new();
    engine().scan(text.as_bytes(), Context { field }, &mut found);
    let (mut out, mut at) = (Vec::new(), 0);
    for finding in &found {
        out.extend_from_slice(&text.as_bytes()[at..finding.start]);
        let original = &text.as_bytes()[finding.start..finding.end];
        exchange.replace(&engine(), finding, original, Side::Censor, &mut out).ok().unwrap();
        at = finding.end;
    }
    out.extend_from_slice(&text.as_bytes()[at..]);
    String::from_utf8(out).unwrap()
}

/// What came of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) out: Vec<u8>,
    pub(crate) refusal: Option<Refusal>,
    /// The most bytes that were held after a push.
    pub(crate) held: usize,
}

impl Outcome {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        self.refusal.as_ref().map(|refusal| refusal.reason)
    }
}

/// Passes a body through a transform as a gateway does.
pub(crate) fn run<'a>(transform: &mut dyn Transform, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let (mut out, mut held) = (Vec::new(), 0);
    let refusal = steps(transform, pieces, &mut out, &mut held).err();
    Outcome { out, refusal, held }
}

fn steps<'a>(
    transform: &mut dyn Transform,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    out: &mut Vec<u8>,
    held: &mut usize,
) -> Result<(), Refusal> {
    for piece in pieces {
        transform.push(piece, out)?;
        while transform.drain(out)? {}
        *held = (*held).max(transform.held());
    }
    transform.finish(out)?;
    while transform.drain(out)? {}
    Ok(())
}

/// The ways to cut a body that every fixture goes through: whole, byte by byte, by small sizes, and at every place.
pub(crate) fn cuts(body: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut all: Vec<Vec<&[u8]>> = vec![vec![body]];
    for size in [1, 2, 3, 5, 7, 16, 61] {
        all.push(body.chunks(size).collect());
    }
    all.extend((0..=body.len()).map(|at| {
        let (a, b) = body.split_at(at);
        vec![a, b]
    }));
    all
}

/// Passes a body through fresh transforms in every way to cut it, and sees that it always comes out the same.
pub(crate) fn everywhere(make: &dyn Fn() -> Box<dyn Transform>, body: &[u8]) -> Outcome {
    let whole = run(&mut *make(), [body]);
    for pieces in cuts(body) {
        let lengths = pieces.iter().map(|piece| piece.len()).take(3).collect::<Vec<_>>();
        let outcome = run(&mut *make(), pieces);
        assert_eq!(outcome.reason(), whole.reason(), "cut as {lengths:?}\n{}", String::from_utf8_lossy(body));
        if whole.refusal.is_none() {
            assert_eq!(
                String::from_utf8_lossy(&outcome.out),
                String::from_utf8_lossy(&whole.out),
                "cut as {lengths:?}\n{}",
                String::from_utf8_lossy(body)
            );
        }
    }
    whole
}

/// Sees that no part of a value is in an output. The output is never taken back, so this holds for its every prefix.
pub(crate) fn nothing_of(value: &str, out: &[u8]) {
    let body = value.trim_start_matches(|c: char| !c.is_ascii_digit() && !c.is_ascii_uppercase());
    for window in body.as_bytes().windows(4) {
        assert!(
            memchr::memmem::find(out, window).is_none(),
            "a part of a planted value is in\n{}",
            String::from_utf8_lossy(out)
        );
    }
}

/// Cuts a body at random, as proptest says.
pub(crate) fn pieces<'a>(body: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut pieces, mut sizes) = (body, Vec::new(), sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |size| (*size).clamp(1, rest.len()));
        let (piece, after) = rest.split_at(size);
        pieces.push(piece);
        rest = after;
    }
    pieces
}
