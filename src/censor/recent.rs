//! Context words before a place, so that a number far from all of its words is never tried. They are looked for where a
//! number asks for them, and nowhere twice.

use super::digits::Mask;
use super::prefilter::{Hit, LITERAL_MAX, Prefilter};

/// How many places are remembered. More words than that within a window of 192 bytes don't happen in text; if they
/// do, the oldest counts as still there.
const REMEMBERED: usize = 16;
/// What is looked at beyond what was asked for, since more numbers may follow.
const AHEAD: usize = 48;

/// The last context words of a text.
pub(super) struct Recent<'a> {
    filter: &'a Prefilter,
    places: [(usize, u16); REMEMBERED],
    /// How many were seen in all.
    count: usize,
    /// Words that begin before are known, as far back as anybody asked.
    upto: usize,
    /// The rules that the name of the text's field speaks for, once somebody asked.
    pub(super) named: Option<Mask>,
}

impl<'a> Recent<'a> {
    /// Nothing is known yet.
    pub(super) const fn new(filter: &'a Prefilter) -> Self {
        Self { filter, places: [(0, 0); REMEMBERED], count: 0, upto: 0, named: None }
    }

    /// The words that begin at or behind `low` and before `at`. `None`: some may be forgotten. Places are asked for in
    /// their order.
    pub(super) fn between(
        &mut self,
        text: &[u8],
        low: usize,
        at: usize,
    ) -> Option<impl Iterator<Item = (usize, u16)> + '_> {
        self.look(text, low, at);
        let known = self.places.get(..self.count.min(REMEMBERED)).unwrap_or_default();
        let oldest = known.iter().map(|(at, _)| *at).min().unwrap_or(0);
        let forgotten = self.count > REMEMBERED && oldest >= low;
        (!forgotten).then(|| known.iter().copied().filter(move |(place, _)| *place >= low && *place < at))
    }

    fn look(&mut self, text: &[u8], low: usize, at: usize) {
        let from = self.upto.max(low);
        if from >= at {
            return;
        }
        let to = text.len().min(at + AHEAD);
        let known = text.get(..text.len().min(to + LITERAL_MAX)).unwrap_or_default();
        self.filter.hits(known, from, |place, hit| {
            if let Hit::Literal(word) = hit
                && place < to
            {
                if let Some(slot) = self.places.get_mut(self.count % REMEMBERED) {
                    *slot = (place, word);
                }
                self.count += 1;
            }
        });
        self.upto = to;
    }
}
