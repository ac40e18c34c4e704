//! Ids that never were, in the form of a kind's own patterns, and texts that can't be ids.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::catalog::{IdClass, KindRule};

/// How often a form is tried before it is given up.
const TRIES: usize = 64;

/// How long what may go on without end is made.
const LONG: u32 = 16;

/// Where chance comes from.
struct Dice(Vec<u8>);

impl Dice {
    const fn new() -> Self {
        Self(Vec::new())
    }

    /// A number below `sides`; 0 if there are none.
    fn below(&mut self, sides: usize) -> usize {
        if self.0.len() < 8 {
            let mut more = [0; 512];
            // Without chance the ids are the same each time, which the comparison would notice: they'd be known.
            if aws_lc_rs::rand::fill(&mut more).is_ok() {
                self.0.extend_from_slice(&more);
            }
        }
        let mut number = 0_usize;
        for _ in 0..4 {
            number = number << 8 | usize::from(self.0.pop().unwrap_or_default());
        }
        number.checked_rem(sides).unwrap_or_default()
    }
}

/// Ids of a kind that never were: one beside a real one, and one for each of the kind's patterns.
pub(super) fn invented(rule: &KindRule, real: &str) -> Vec<String> {
    let mut dice = Dice::new();
    let mut ids: Vec<String> = beside(rule, real, &mut dice).into_iter().collect();
    if rule.numeric() {
        ids.extend(owned(rule, |dice| (1 + dice.below(9)).to_string() + &digits(dice, 14), &mut dice));
    }
    for pattern in rule.patterns() {
        let Ok(hir) = regex_syntax::parse(pattern) else { continue };
        ids.extend(owned(rule, |dice| written(&hir, None, dice), &mut dice));
    }
    ids.retain(|id| id != real);
    ids.dedup();
    ids
}

/// Ids that belong to the owner of a whole (`part_of`), whether or not they were ever given out.
pub(super) fn part(rule: &KindRule, whole: &str) -> Option<String> {
    let hir = regex_syntax::parse(rule.part_pattern()?).ok()?;
    let mut dice = Dice::new();
    let made = owned(rule, |dice| written(&hir, Some(whole), dice), &mut dice)?;
    (rule.registry_ids(&made).whole == Some(whole)).then_some(made)
}

/// A text that can be no id of the kind.
pub(super) fn malformed(rule: &KindRule) -> Option<String> {
    let long = "x".repeat(600);
    ["no id", "~", "!", "ft:", &long]
        .into_iter()
        .find(|text| rule.classify(text) == IdClass::Malformed)
        .map(str::to_owned)
}

fn owned(rule: &KindRule, make: impl Fn(&mut Dice) -> String, dice: &mut Dice) -> Option<String> {
    (0..TRIES).map(|_| make(dice)).find(|id| rule.classify(id) == IdClass::Owned)
}

/// The real id with other letters in its last long run of them: what somebody who guesses would try.
fn beside(rule: &KindRule, real: &str, dice: &mut Dice) -> Option<String> {
    if rule.numeric() {
        let number: u64 = real.parse().ok()?;
        let beside = number.checked_add(1_000_000 + dice.below(1_000_000_000) as u64)?;
        return Some(beside.to_string()).filter(|id| rule.classify(id) == IdClass::Owned);
    }
    let same = |id: &str| {
        rule.classify(id) == IdClass::Owned && rule.matching(id).eq(rule.matching(real)) && id != real
    };
    let runs: Vec<&str> = real.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let run = runs.iter().rev().find(|run| run.len() >= 6).or_else(|| runs.iter().max_by_key(|r| r.len()))?;
    let at = real.rfind(run)?;
    let (before, after) = (real.get(..at)?, real.get(at + run.len()..)?);
    let hex = run.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (0..TRIES).map(|_| format!("{before}{}{after}", others(run, hex, dice))).find(|id| same(id))
}

fn others(run: &str, hex: bool, dice: &mut Dice) -> String {
    const LOWER: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    const HEX: &[u8; 16] = b"0123456789abcdef";
    const DIGITS: &[u8; 10] = b"0123456789";
    let other = |c: char, dice: &mut Dice| {
        let from: &[u8] = match c {
            _ if hex => HEX,
            '0'..='9' => DIGITS,
            _ => LOWER,
        };
        let drawn = from.get(dice.below(from.len())).map_or(c, |b| char::from(*b));
        if c.is_ascii_uppercase() { drawn.to_ascii_uppercase() } else { drawn }
    };
    run.chars().map(|c| other(c, dice)).collect()
}

fn digits(dice: &mut Dice, many: usize) -> String {
    (0..many).map(|_| dice.below(10).to_string()).collect()
}

/// A text that a pattern matches; its group `whole` is given.
fn written(hir: &Hir, whole: Option<&str>, dice: &mut Dice) -> String {
    let mut out = String::new();
    write(hir, whole, dice, &mut out);
    out
}

fn write(hir: &Hir, whole: Option<&str>, dice: &mut Dice, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(member(class, dice)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.max(LONG)).min(repetition.min.max(LONG));
            let spread = usize::try_from(most.saturating_sub(repetition.min)).unwrap_or_default();
            // Long ones are seldom somebody's by chance.
            let times = if most >= LONG { most } else { repetition.min + dice.below(spread + 1) as u32 };
            (0..times).for_each(|_| write(&repetition.sub, whole, dice, out));
        }
        HirKind::Capture(capture) => match whole.filter(|_| capture.name.as_deref() == Some("whole")) {
            Some(text) => out.push_str(text),
            None => write(&capture.sub, whole, dice, out),
        },
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, whole, dice, out)),
        HirKind::Alternation(parts) => {
            if let Some(part) = parts.get(dice.below(parts.len())) {
                write(part, whole, dice, out);
            }
        }
    }
}

/// A letter or digit of a class if it has any, else whatever is in it.
fn member(class: &Class, dice: &mut Dice) -> Option<char> {
    let has = |c: char| match class {
        Class::Unicode(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c))
        }
        Class::Bytes(class) => class
            .ranges()
            .iter()
            .any(|range| (char::from(range.start())..=char::from(range.end())).contains(&c)),
    };
    let plain: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').filter(|c| has(*c)).collect();
    plain.get(dice.below(plain.len())).copied().or_else(|| match class {
        Class::Unicode(class) => class.ranges().first().map(regex_syntax::hir::ClassUnicodeRange::start),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())),
    })
}

#[cfg(test)]
mod tests;
