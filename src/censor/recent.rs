//! Context words before a place, so that a number far from all of its words is never tried.

use super::digits::Mask;
use super::prefilter::LITERAL_MAX;

/// How many places are remembered. More words than that within a window of 192 bytes don't happen in text; if they
/// do, every word counts as being there.
const REMEMBERED: usize = 32;

/// The last context words of a text.
#[derive(Default)]
pub(super) struct Recent {
    /// Nearly in the order of the text: where a word is seen isn't always where it begins.
    places: [(usize, u16); REMEMBERED],
    /// How many were seen in all.
    count: usize,
    /// The rules that the name of the text's field speaks for, once somebody asked.
    pub(super) named: Option<Mask>,
}

impl Recent {
    /// Nothing is known of a text yet, unless that the name of its field speaks for no rule.
    pub(super) fn new(silent: bool) -> Self {
        Self { named: silent.then(Mask::default), ..Self::default() }
    }

    /// A word begins at a place.
    pub(super) fn note(&mut self, at: usize, word: u16) {
        if let Some(slot) = self.places.get_mut(self.count % REMEMBERED) {
            *slot = (at, word);
        }
        self.count += 1;
    }

    /// A word begins at a place, which was perhaps told before.
    pub(super) fn note_again(&mut self, at: usize, word: u16) {
        if !self.newest().any(|seen| seen == (at, word)) {
            self.note(at, word);
        }
    }

    fn newest(&self) -> impl Iterator<Item = (usize, u16)> + '_ {
        let first = self.count.saturating_sub(REMEMBERED);
        (first..self.count).rev().filter_map(|index| self.places.get(index % REMEMBERED)).copied()
    }

    /// The words that begin at or behind `low`. `None`: some may be forgotten.
    pub(super) fn since(&self, low: usize) -> Option<impl Iterator<Item = (usize, u16)> + '_> {
        // No word behind this one begins further before it than a word is long.
        let over = move |(at, _): &(usize, u16)| at + LITERAL_MAX < low;
        let forgotten =
            self.count > REMEMBERED && !self.places.get(self.count % REMEMBERED).is_some_and(over);
        (!forgotten).then(|| {
            self.newest().take_while(move |seen| !over(seen)).filter(move |(place, _)| *place >= low)
        })
    }

    /// The text's first bytes are gone.
    pub(super) fn shift(&mut self, count: usize) {
        self.places.iter_mut().for_each(|(at, _)| *at = at.saturating_sub(count));
    }
}
