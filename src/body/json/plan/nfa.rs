//! All pointers of a plan at once: which of them a way through a document has followed how far.

use crate::pointer::{Pointer, Step};

/// Which pointers have come how far, closed over `**` that stand for nothing. Sorted.
pub(super) type Positions = Vec<(usize, usize)>;

/// The pointers of a plan.
pub(super) struct Nfa<'a> {
    /// Watches first, then edits.
    pub(super) pointers: Vec<&'a Pointer>,
    /// How many of them are watches.
    pub(super) watches: usize,
}

impl Nfa<'_> {
    fn at(&self, (pointer, step): (usize, usize)) -> Option<&Step> {
        self.pointers.get(pointer)?.steps().get(step)
    }

    /// Positions, and those that they stand for as well when `**` stands for nothing.
    pub(super) fn closed(&self, positions: impl Iterator<Item = (usize, usize)>) -> Positions {
        let mut all = Vec::new();
        for (pointer, mut step) in positions {
            all.push((pointer, step));
            while self.at((pointer, step)) == Some(&Step::Deep) {
                step += 1;
                all.push((pointer, step));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// After one level down by a key (none: any key that is not named).
    pub(super) fn step(&self, set: &Positions, key: Option<&str>) -> Positions {
        self.closed(set.iter().filter_map(|&(pointer, step)| match self.at((pointer, step))? {
            Step::Key(name) if Some(&**name) == key => Some((pointer, step + 1)),
            Step::Key(_) => None,
            Step::Any => Some((pointer, step + 1)),
            Step::Deep => Some((pointer, step)),
        }))
    }

    /// The keys that some pointer names here.
    pub(super) fn keys(&self, set: &Positions) -> Vec<&str> {
        let mut keys: Vec<&str> = set
            .iter()
            .filter_map(|&position| match self.at(position)? {
                Step::Key(name) => Some(&**name),
                Step::Any | Step::Deep => None,
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
