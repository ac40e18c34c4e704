//! Which of the rules that begin with a digit can match at a place: one bit for each rule, one table for each pair of
//! bytes around the place, and all of them together leave those that are worth trying.

use aho_corasick::AhoCorasick;

use super::bytes::{ByteSet, free_before_byte};
use super::confirm::View;
use super::filter::Name;
use super::kind::{KINDS, KindSet, NONE, PairSet, kind};
use super::number::MOST;
use super::pattern::Automaton;
use super::prepare::bare;
use super::recent::Recent;
use super::rules::Boundary;

/// Most rules that begin with a digit.
pub(super) const MAX_RULES: usize = 64 * WORDS;
const WORDS: usize = 4;
/// Pairs looked at from the digit on.
const AHEAD: usize = 7;
/// Pairs looked at before it.
const BACK: usize = 2;

/// The order in which the pairs are asked: those that leave the fewest rules first.
const ORDER: [usize; BACK + AHEAD] = [3, 2, 1, 4, 5, 6, 7, 0, 8];

/// A set of rules.
pub(super) type Mask = [u64; WORDS];

/// A rule, as far as this stage needs it.
pub(super) struct DigitRule<'a> {
    pub(super) target: u16,
    pub(super) min_digits: u8,
    pub(super) left: Boundary,
    pub(super) before: Option<&'a Automaton>,
    /// The automaton from the first digit on; `None`: anything may follow.
    pub(super) first: Option<&'a Automaton>,
    /// Context words without which there is no finding, if that is so, and how far they may stand.
    pub(super) words: Option<(&'a [String], usize)>,
    /// Fewest digits of a number that the rule could match all by itself, if there is such a number.
    pub(super) alone: Option<u8>,
}

/// The tables.
pub(super) struct Digits {
    /// Their targets.
    rules: Vec<u16>,
    /// By how many digits stand there: the rules that need no more.
    counted: Vec<Mask>,
    /// One for each pair, from the two bytes before the digit on.
    tables: Vec<Table>,
    /// Rules that need no context word.
    free: Mask,
    /// Of each context word: the rules that it speaks for, with how far it may stand from the number.
    spoken: Vec<Vec<(u16, usize)>>,
    names: Option<(AhoCorasick, Vec<Mask>)>,
    window: usize,
    /// Fewest digits of a number that is a finding by itself, without a context word.
    least: u8,
}

/// By the kinds of a pair's bytes: the rules that allow them.
struct Table([Mask; KINDS * KINDS]);

impl Table {
    fn fill(&mut self, rule: usize, set: &PairSet) {
        for (first, seconds) in set.iter().enumerate() {
            for second in (0..KINDS).filter(|second| seconds >> second & 1 == 1) {
                if let Some(mask) = self.0.get_mut(first * KINDS + second) {
                    put(mask, rule);
                }
            }
        }
    }
}

const ANY: PairSet = [KindSet::MAX; KINDS];

/// What may stand in the two pairs before the first digit's successor: (two before, one before), (one before, digit).
fn pairs_before(rule: &DigitRule<'_>) -> [PairSet; BACK] {
    let optional = rule.before.is_none_or(|before| before.ends(before.start()));
    let mut last = ByteSet::of(|byte| optional && free_before_byte(rule.left, byte));
    let mut pair = if optional { ANY } else { [0; KINDS] };
    if let Some(before) = rule.before {
        last = last.with(&ByteSet::of(|byte| before.first_can_be(byte)));
        for (nearer, further) in before.pairs(1).first().copied().unwrap_or(ANY).into_iter().enumerate() {
            for (slot, kind) in pair.iter_mut().zip(0..) {
                *slot |= (further >> kind & 1) << nearer;
            }
        }
    }
    let mut near = [0; KINDS];
    let bytes = (0..=u8::MAX).filter(|byte| last.contains(*byte)).map(kind);
    bytes.for_each(|kind| near.get_mut(kind).into_iter().for_each(|seconds| *seconds = KindSet::MAX));
    if optional {
        near.get_mut(NONE).into_iter().for_each(|seconds| *seconds = KindSet::MAX);
    }
    [pair, near]
}

impl Digits {
    /// Builds the tables; `words` are the context words that the prefilter tells of, by their number.
    pub(super) fn new(rules: &[DigitRule<'_>], words: &[String]) -> Self {
        let mut this = Self {
            rules: rules.iter().map(|rule| rule.target).collect(),
            counted: (0..=u8::MAX).map(|count| counted(rules, count)).collect(),
            tables: (0..BACK + AHEAD).map(|_| Table([[0; WORDS]; KINDS * KINDS])).collect(),
            free: [0; WORDS],
            spoken: vec![Vec::new(); words.len()],
            names: None,
            window: 0,
            least: MOST,
        };
        for (index, rule) in rules.iter().enumerate() {
            let ahead = rule.first.map_or_else(|| vec![ANY; AHEAD], |first| first.pairs(AHEAD));
            let pairs = pairs_before(rule).into_iter().chain(ahead);
            this.tables.iter_mut().zip(pairs).for_each(|(table, set)| table.fill(index, &set));
            this.listen(index, rule, words);
        }
        this.names = name(rules);
        this
    }

    fn listen(&mut self, index: usize, rule: &DigitRule<'_>, words: &[String]) {
        let known = |word: &String| words.iter().position(|other| other == word);
        let places = rule.words.and_then(|(all, _)| all.iter().map(known).collect::<Option<Vec<_>>>());
        match (places, rule.words) {
            (Some(places), Some((_, window))) => {
                let index = u16::try_from(index).unwrap_or(u16::MAX);
                for place in places {
                    if let Some(word) = self.spoken.get_mut(place) {
                        word.push((index, window));
                    }
                }
                self.window = self.window.max(window);
            }
            _ => {
                put(&mut self.free, index);
                self.least = self.least.min(rule.alone.map_or(MOST, |least| least.max(rule.min_digits)));
            }
        }
    }

    /// Asks for every rule that could match at this digit. `recent`: where context words before it are known from; without
    /// it none is looked for.
    pub(super) fn candidates(
        &self,
        view: &View<'_>,
        at: usize,
        recent: Option<&mut Recent>,
        mut ask: impl FnMut(u16),
    ) {
        let mut mask = [u64::MAX; WORDS];
        let mut kinds = [NONE; BACK + AHEAD + 1];
        let from = at.saturating_sub(BACK);
        let bytes = view.text.get(from..).unwrap_or_default();
        let slots = kinds.iter_mut().skip(BACK - (at - from));
        slots.zip(bytes).for_each(|(slot, byte)| *slot = kind(*byte));
        for place in ORDER {
            let pair = (kinds.get(place), kinds.get(place + 1), self.tables.get(place));
            if let (Some(first), Some(second), Some(table)) = pair
                && let Some(allowed) = table.0.get(first * KINDS + second)
            {
                mask.iter_mut().zip(allowed).for_each(|(word, allowed)| *word &= allowed);
            }
            if empty(&mask) {
                return;
            }
        }
        let counted = self.counted.get(usize::from(view.count_digits(at)));
        mask.iter_mut().zip(counted.into_iter().flatten()).for_each(|(word, counted)| *word &= counted);
        if empty(&mask) {
            return;
        }
        if let Some(recent) = recent.filter(|_| !within(&mask, &self.free)) {
            let spoken = self.spoken_for(view, at, recent);
            mask.iter_mut().zip(spoken).for_each(|(word, spoken)| *word &= spoken);
        }
        for (word, base) in mask.iter().zip((0..).step_by(64)) {
            let mut word = *word;
            while word != 0 {
                let index = base + word.trailing_zeros() as usize;
                word &= word - 1;
                self.rules.get(index).into_iter().for_each(|target| ask(*target));
            }
        }
    }

    /// The rules that need no context word or have one.
    fn spoken_for(&self, view: &View<'_>, at: usize, recent: &mut Recent) -> Mask {
        let mut mask = self.free;
        // What stands before the digit may belong to the match, whose start the window is counted from.
        let reach = super::pattern::MAX_BEFORE;
        let low = at.saturating_sub(self.window + reach);
        let Some(words) = recent.since(low) else {
            return [u64::MAX; WORDS];
        };
        for (place, word) in words.filter(|(place, _)| *place < at) {
            for (index, window) in self.spoken.get(usize::from(word)).into_iter().flatten() {
                if place + window + reach >= at {
                    put(&mut mask, usize::from(*index));
                }
            }
        }
        let named = recent.named.get_or_insert_with(|| self.named(view.field));
        mask.iter_mut().zip(named).for_each(|(word, named)| *word |= *named);
        mask
    }

    /// The rules that the name of a field speaks for.
    fn named(&self, field: Option<&str>) -> Mask {
        let mut mask = [0; WORDS];
        if let (Some(field), Some((names, masks))) = (field, &self.names) {
            let name = Name::of(field);
            for found in names.find_overlapping_iter(name.bytes()) {
                if let Some(named) = masks.get(found.pattern().as_usize()) {
                    mask.iter_mut().zip(named).for_each(|(word, named)| *word |= named);
                }
            }
        }
        mask
    }

    /// Fewest digits of a number that is a finding by itself.
    pub(super) const fn least(&self) -> u8 {
        self.least
    }

    /// Does a field of this name speak for any rule?
    pub(super) fn speaks_for(&self, name: &Name) -> bool {
        self.names.as_ref().is_some_and(|(names, _)| {
            names.find_overlapping_iter(name.bytes()).any(|found| name.has_word(found.start(), found.end()))
        })
    }

    /// Is there no such rule?
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// The words without what separates their parts, for the names of fields, and whom each speaks for.
fn name(rules: &[DigitRule<'_>]) -> Option<(AhoCorasick, Vec<Mask>)> {
    let (mut names, mut masks) = (Vec::new(), Vec::new());
    for (index, rule) in rules.iter().enumerate() {
        let words = rule.words.map_or_else(Vec::new, |(words, _)| bare(words));
        let mut mask = [0; WORDS];
        put(&mut mask, index);
        masks.resize(masks.len() + words.len(), mask);
        names.extend(words);
    }
    let names = AhoCorasick::builder().ascii_case_insensitive(true).build(&names).ok()?;
    (!masks.is_empty()).then_some((names, masks))
}

/// The rules that need no more digits than so many.
fn counted(rules: &[DigitRule<'_>], count: u8) -> Mask {
    let mut mask = [0; WORDS];
    rules.iter().zip(0..).filter(|(rule, _)| rule.min_digits <= count).for_each(|(_, i)| put(&mut mask, i));
    mask
}

/// Is every rule of the mask among these?
fn within(mask: &Mask, others: &Mask) -> bool {
    mask.iter().zip(others).all(|(mine, others)| mine & !others == 0)
}

fn put(mask: &mut Mask, index: usize) {
    if let Some(word) = mask.get_mut(index / 64) {
        *word |= 1 << (index % 64);
    }
}

const fn empty(mask: &Mask) -> bool {
    let mut index = 0;
    while index < WORDS {
        if mask[index] != 0 {
            return false;
        }
        index += 1;
    }
    true
}
