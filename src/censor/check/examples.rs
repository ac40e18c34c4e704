//! Are examples found, others not, and does the validator have a say?

use super::Complaints;
use crate::censor::prepare::Prepared;
use crate::censor::rules::{Checksum, Rule, RuleSpec};
use crate::censor::{Context, Engine, Finding, Policy, RuleSet};

/// A text, and whether something is to be found in it.
pub(super) struct Example<'a> {
    pub(super) field: Option<&'a str>,
    pub(super) text: Vec<u8>,
    pub(super) at: serde_saphyr::Location,
    pub(super) wanted: bool,
}

/// All examples of a rule, put together.
pub(super) fn of(spec: &RuleSpec) -> impl Iterator<Item = Example<'_>> {
    let plain = spec.examples.iter().map(|parts| (None, parts, true));
    let not = spec.negative_examples.iter().map(|parts| (None, parts, false));
    let fields = spec.field_examples.iter().map(|e| (Some(e.field.as_str()), &e.parts, true));
    let not_fields = spec.negative_field_examples.iter().map(|e| (Some(e.field.as_str()), &e.parts, false));
    let all = plain.chain(not).chain(fields).chain(not_fields);
    all.map(|(field, parts, wanted)| Example {
        field,
        text: parts.value.concat().into_bytes(),
        at: parts.referenced,
        wanted,
    })
}

/// Runs all examples.
pub(super) fn check(rule: &Rule, prepared: &Prepared, engine: &Engine, complaints: &mut Complaints) {
    let spec = &rule.spec;
    if spec.examples.is_empty() && spec.field_examples.is_empty() {
        complaints.add(rule, rule.location, "there is no example");
        return;
    }
    let mut found = Vec::new();
    for example in of(spec) {
        engine.scan(&example.text, Context { field: example.field }, &mut found);
        match (found.is_empty(), example.wanted) {
            (true, true) => drop(complaints.add(rule, example.at, "this example isn't found")),
            (false, false) => {
                complaints.add(rule, example.at, "this negative example is found, although it must not be");
            }
            _ => {}
        }
    }
    if let (Some(name), Some((validator, checksum))) = (&spec.validator, prepared.filter.validator) {
        let reached = of(spec).filter(|example| example.wanted).any(|example| {
            engine.scan(&example.text, Context { field: example.field }, &mut found);
            found.iter().any(|f| example.text.get(f.start..f.end).is_some_and(validator))
        });
        if !reached {
            let message = format!("no example has a value that the validator `{}` accepts", name.value);
            complaints.add(rule, name.referenced, message);
        } else if checksum == Checksum::Gate && !decides(rule, engine) {
            let message = format!(
                "nothing shows that the validator `{}` decides: neither a negative example nor an example with a wrong \
                 character is found without it and not found with it",
                name.value
            );
            complaints.add(rule, name.referenced, message);
        }
    }
}

/// Is there a text that is found without the validator, and isn't with it?
fn decides(rule: &Rule, engine: &Engine) -> bool {
    let mut bare = rule.clone();
    bare.spec.validator = None;
    let (set, _) = RuleSet::of(&bare.file, vec![bare.spec]);
    let policy =
        engine.rules().fold(Policy::recommended(), |policy, info| policy.with(&*info.id, info.action));
    let Ok(bare) = Engine::compile(&set, &policy) else { return false };
    let mut found = Vec::new();
    let mut refused = |text: &[u8], context: Context<'_>, near: Option<&Finding>| {
        let near = |f: &Finding| near.is_none_or(|near| f.start < near.end && near.start < f.end);
        bare.scan(text, context, &mut found);
        let without = found.iter().any(near);
        engine.scan(text, context, &mut found);
        without && !found.iter().any(near)
    };
    of(&rule.spec).any(|example| {
        let context = Context { field: example.field };
        if !example.wanted {
            return refused(&example.text, context, None);
        }
        let mut whole = Vec::new();
        engine.scan(&example.text, context, &mut whole);
        whole
            .iter()
            .any(|finding| broken(&example.text, finding).any(|text| refused(&text, context, Some(finding))))
    })
}

/// The text with one character of the finding changed, for every character that can be; with all of them alike; and
/// without its end.
fn broken<'a>(text: &'a [u8], finding: &'a Finding) -> impl Iterator<Item = Vec<u8>> + 'a {
    let range = finding.start..finding.end;
    let changed = move |at: usize, by: u8| {
        let mut changed = text.to_vec();
        changed.get_mut(at).into_iter().for_each(|slot| *slot = turned(*slot, by));
        changed
    };
    let singles = range.clone().flat_map(move |at| (1..10).map(move |by| changed(at, by)));
    // A token begins with what it is known by, which has to stay.
    let places =
        (0..FIXED.min(finding.end - finding.start)).flat_map(|kept| FILLS.iter().map(move |f| (kept, f)));
    let filled = places.map(move |(kept, fill)| {
        let mut changed = text.to_vec();
        let region = changed.get_mut(finding.start + kept..finding.end).into_iter().flatten();
        for (byte, index) in region.filter(|byte| byte.is_ascii_alphanumeric()).zip(0..) {
            let wanted = match *byte {
                b'0'..=b'9' => fill.digits,
                b'A'..=b'Z' => fill.capitals,
                _ => fill.letters,
            };
            *byte = wanted.get(index * 7 % wanted.len()).copied().unwrap_or(*byte);
        }
        changed
    });
    let cut = range.rev().map(move |at| {
        [text.get(..at), text.get(finding.end..)].into_iter().flatten().collect::<Vec<_>>().concat()
    });
    singles.chain(filled).chain(cut)
}

/// Most bytes at the beginning of a value that are left as they are.
const FIXED: usize = 20;

/// What stands in a text for digits, small letters and capitals.
struct Fill {
    digits: &'static [u8],
    letters: &'static [u8],
    capitals: &'static [u8],
}

/// Texts that are all alike, and texts of one sort only that are not: of digits, of letters, of hexadecimal letters.
const FILLS: &[Fill] = &[
    Fill { digits: b"0", letters: b"a", capitals: b"A" },
    Fill { digits: b"1", letters: b"x", capitals: b"X" },
    Fill { digits: b"9", letters: b"z", capitals: b"Z" },
    Fill { digits: b"a", letters: b"a", capitals: b"a" },
    Fill { digits: b"A", letters: b"A", capitals: b"A" },
    Fill { digits: b"0", letters: b"0", capitals: b"0" },
    Fill { digits: b"0123456789", letters: b"0123456789", capitals: b"0123456789" },
    Fill { digits: SMALL, letters: SMALL, capitals: SMALL },
    Fill { digits: LARGE, letters: LARGE, capitals: LARGE },
    Fill { digits: SMALL, letters: SMALL, capitals: LARGE },
    Fill { digits: b"abcdef", letters: b"abcdef", capitals: b"abcdef" },
    Fill { digits: WORDS, letters: WORDS, capitals: WORDS },
];

const SMALL: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const LARGE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Common pairs of letters at every seventh place, so that the text reads like words.
const WORDS: &[u8] = b"theresationinghandmenter";

/// Another character of the same sort.
const fn turned(byte: u8, by: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'0' + (byte - b'0' + by) % 10,
        b'a'..=b'z' => b'a' + (byte - b'a' + by) % 26,
        b'A'..=b'Z' => b'A' + (byte - b'A' + by) % 26,
        other => other,
    }
}
