//! Context words that were just seen, so that a number far from all of its words is never tried.

use std::cell::OnceCell;

use super::digits::Mask;

/// How many places are remembered. More words than that within a window of 192 bytes don't happen in text; if they
/// do, the oldest counts as still there.
const REMEMBERED: usize = 16;

/// The last context words.
#[derive(Debug, Default)]
pub(super) struct Recent {
    places: [(usize, u16); REMEMBERED],
    /// How many were seen in all.
    count: usize,
    /// The rules that the name of the text's field speaks for, once somebody asked.
    pub(super) named: OnceCell<Mask>,
}

impl Recent {
    /// A word begins here.
    pub(super) fn add(&mut self, at: usize, word: u16) {
        if let Some(slot) = self.places.get_mut(self.count % REMEMBERED) {
            *slot = (at, word);
        }
        self.count += 1;
    }

    /// The words that begin at or behind `low`. `None`: some may be forgotten.
    pub(super) fn since(&self, low: usize) -> Option<impl Iterator<Item = (usize, u16)> + '_> {
        let known = self.places.get(..self.count.min(REMEMBERED)).unwrap_or_default();
        let oldest = known.iter().map(|(at, _)| *at).min().unwrap_or(0);
        let forgotten = self.count > REMEMBERED && oldest >= low;
        (!forgotten).then(|| known.iter().copied().filter(move |(at, _)| *at >= low))
    }
}
