//! The invariants of whatever takes a body in pieces.

use consentry::body::{Job, Transform};
use consentry::reason::{Reason, Refusal};

use super::input::Input;
use super::values::absent;

/// The most bytes that a transform with the bounds of these targets may hold.
const HELD: usize = 48 * 1024;

/// What came of a body.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What came out, up to the end or the refusal.
    pub out: Vec<u8>,
    /// Why it did not end well.
    pub refusal: Option<Refusal>,
    /// Findings.
    pub found: u64,
    /// Pseudonyms that got their values back.
    pub restored: u64,
}

impl Outcome {
    /// Nothing changed and nothing was found.
    pub fn is_clean(&self) -> bool {
        self.refusal.is_none() && self.found == 0 && self.restored == 0
    }
}

/// A way to treat a body.
pub struct Treatment<'a> {
    /// The work on a body, with an exchange of its own.
    pub job: &'a dyn Fn() -> Job,
    /// What does it.
    pub make: &'a dyn Fn(Job) -> Box<dyn Transform>,
    /// More than one reason may be found for one body, depending on the cuts.
    pub many_reasons: bool,
    /// What comes out of a body that breaks off is how the whole output begins.
    pub in_order: bool,
    /// The rules are those that find what is planted.
    pub finds: bool,
}

impl<'a> Treatment<'a> {
    /// The usual one.
    pub fn new(job: &'a dyn Fn() -> Job, make: &'a dyn Fn(Job) -> Box<dyn Transform>) -> Self {
        Self { job, make, many_reasons: false, in_order: true, finds: true }
    }

    /// Passes pieces through, to the end.
    pub fn run<'b>(&self, pieces: impl IntoIterator<Item = &'b [u8]>) -> Outcome {
        self.passed(pieces, true)
    }

    fn passed<'b>(&self, pieces: impl IntoIterator<Item = &'b [u8]>, to_the_end: bool) -> Outcome {
        let job = (self.job)();
        let exchange = job.exchange.clone();
        let before = exchange.tally();
        let mut transform = (self.make)(job);
        let mut out = Vec::new();
        let refusal = steps(&mut *transform, pieces, to_the_end, &mut out).err();
        let tally = exchange.tally();
        let found = tally.total() - before.total();
        Outcome { out, refusal, found, restored: tally.restored - before.restored }
    }

    /// Sees that a body comes out the same whole and in pieces, that what breaks off leaks nothing, that nothing planted
    /// comes out, that a body without findings stays, and that what is held is bounded.
    pub fn check(&self, input: &Input<'_>, body: &[u8]) -> Outcome {
        let whole = self.run([body]);
        let cut = self.run(input.pieces(body));
        self.same(&whole, &cut);
        let (begun, _) = body.split_at(input.end(body));
        let broken = self.passed(input.pieces(begun), false);
        if self.finds {
            [&whole, &cut, &broken].iter().for_each(|outcome| absent(input.template, &outcome.out));
        }
        assert!(
            !self.in_order || whole.refusal.is_some() || whole.out.starts_with(&broken.out),
            "what broke off begins otherwise: {}",
            shown(&broken.out)
        );
        whole
    }

    /// Sees that one way to cut a body gives what another does.
    fn same(&self, whole: &Outcome, cut: &Outcome) {
        let reason = |outcome: &Outcome| outcome.refusal.as_ref().map(|refusal| refusal.reason);
        // A byte that begins a character where none may stand is seen as this flaw or as the other, by where it is cut.
        let not_utf8 = [Some(Reason::ContentNotUtf8), Some(Reason::UpstreamUninspectable)];
        let many = self.many_reasons || not_utf8.contains(&reason(whole)) || not_utf8.contains(&reason(cut));
        if many {
            assert_eq!(
                whole.refusal.is_some(),
                cut.refusal.is_some(),
                "{:?} and {:?}",
                whole.refusal,
                cut.refusal
            );
        } else {
            assert_eq!(reason(whole), reason(cut), "by another cut");
        }
        if whole.refusal.is_none() {
            assert!(
                whole.out == cut.out,
                "another cut, another output:\n{}\n{}",
                shown(&whole.out),
                shown(&cut.out)
            );
            assert_eq!((whole.found, whole.restored), (cut.found, cut.restored), "counted by another cut");
        }
    }

    /// Sees that what came out has nothing more to be taken out of it.
    pub fn twice(&self, once: &Outcome) {
        let again = self.run([once.out.as_slice()]);
        assert_eq!(again.refusal, None, "of its own output: {}", shown(&once.out));
        assert!(again.out == once.out, "once and twice:\n{}\n{}", shown(&once.out), shown(&again.out));
    }
}

/// Passes pieces through a transform as the gateway does.
fn steps<'a>(
    transform: &mut dyn Transform,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    to_the_end: bool,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    for piece in pieces {
        transform.push(piece, out)?;
        while transform.drain(out)? {}
        let held = transform.held();
        assert!(held <= HELD, "{held} bytes are held");
    }
    if to_the_end {
        transform.finish(out)?;
        while transform.drain(out)? {}
    }
    Ok(())
}

/// An output as it may be looked at.
pub fn shown(out: &[u8]) -> String {
    let text = String::from_utf8_lossy(out);
    text.chars().take(4000).collect::<String>().escape_debug().to_string()
}
