//! From an expression that is searched to one that begins at a literal and ends somewhere.

use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use super::super::bytes::ByteSet;
use super::super::pattern::{self, MAX_BEFORE};
use super::super::rules::Boundary;
use super::{go, prefix};

/// What an expression became.
#[derive(Debug)]
pub(super) struct Draft {
    /// What stands before the keyword.
    pub(super) before: Vec<Hir>,
    /// From the keyword or the first digit on.
    pub(super) pattern: Vec<Hir>,
    /// None: the pattern begins with a digit.
    pub(super) keywords: Vec<String>,
    pub(super) left: Boundary,
    pub(super) right: Boundary,
    /// What is not as it was.
    pub(super) changes: Vec<String>,
}

/// What a repetition without end is cut at, of the value and of what stands beside it.
const VALUE_MOST: u32 = 512;
const OTHER_MOST: u32 = 48;

/// The drafts of an expression: one for each way of it, if it has several on its top level with values of their own.
pub(super) fn of(regex: &str, group: u32) -> Result<Vec<Draft>, String> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let hir = parser.parse(&go::translated(regex)).map_err(|error| {
        let kind = match &error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            other => other.to_string(),
        };
        format!("its `regex` can't be read: {kind}")
    })?;
    let groups = hir.properties().explicit_captures_len();
    let wanted = usize::try_from(group).unwrap_or(usize::MAX);
    if wanted > groups {
        return Err(format!("`secretGroup` is {group}, and its `regex` has {groups} group(s)"));
    }
    let ways = match hir.kind() {
        HirKind::Alternation(ways) if groups > 1 && group == 0 => ways.clone(),
        _ => vec![hir],
    };
    ways.into_iter().map(|way| draft(way, group)).collect()
}

fn draft(hir: Hir, group: u32) -> Result<Draft, String> {
    let mut changes = Vec::new();
    let wanted = if group > 0 { Some(group) } else { first_group(&hir) };
    let mut parts = elements(strip(hir.clone(), wanted));
    let top = parts.iter().filter(|part| is_value(part)).count();
    if wanted.is_some() && top != 1 {
        changes.push(
            "the group of its value is not at the top level of its `regex`: the whole match is replaced"
                .to_owned(),
        );
        parts = elements(strip(hir, None));
    }
    let (mut left, mut right) = (Boundary::None, Boundary::None);
    loop {
        trim_left(&mut parts, &mut left, &mut changes);
        trim_right(&mut parts, &mut right, &mut changes);
        match parts.as_slice() {
            [only] if is_value(only) => parts = elements(strip(only.clone(), None)),
            _ => break,
        }
    }
    if parts.iter().any(|part| !part.properties().look_set().is_empty()) {
        return Err("a look-around (`^`, `$`, `\\b`) inside of its `regex`".to_owned());
    }
    let mut bounded = false;
    let parts: Vec<Hir> = parts
        .into_iter()
        .map(|part| if is_value(&part) { bound(part, VALUE_MOST, &mut bounded) } else { part })
        .collect();
    let whole = !parts.iter().any(is_value);
    let most = if whole { VALUE_MOST } else { OTHER_MOST };
    let parts: Vec<Hir> = parts.into_iter().map(|part| bound(part, most, &mut bounded)).collect();
    if bounded {
        changes.push(format!(
            "repetitions without end are cut at {VALUE_MOST} for the value and {OTHER_MOST} around it: what is longer is not found"
        ));
    }
    greedy(&parts, &mut changes);
    let (before, pattern, keywords) = anchor(&parts)?;
    Ok(Draft { before, pattern, keywords, left, right, changes })
}

/// The first group of an expression.
fn first_group(hir: &Hir) -> Option<u32> {
    match hir.kind() {
        HirKind::Capture(capture) => Some(capture.index),
        HirKind::Repetition(repetition) => first_group(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().find_map(first_group),
        _ => None,
    }
}

/// The expression without its groups but one, which is called `value`.
fn strip(hir: Hir, keep: Option<u32>) -> Hir {
    match hir.into_kind() {
        HirKind::Capture(Capture { index, sub, .. }) if Some(index) == keep => {
            Hir::capture(Capture { index: 1, name: Some("value".into()), sub: Box::new(strip(*sub, None)) })
        }
        HirKind::Capture(capture) => strip(*capture.sub, keep),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(strip(*repetition.sub, keep));
            Hir::repetition(Repetition { sub, ..repetition })
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(|part| strip(part, keep)).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(|part| strip(part, keep)).collect())
        }
        kind => pattern::rebuild(kind),
    }
}

fn elements(hir: Hir) -> Vec<Hir> {
    match hir.into_kind() {
        HirKind::Concat(parts) => parts,
        HirKind::Empty => Vec::new(),
        kind => vec![pattern::rebuild(kind)],
    }
}

fn is_value(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Capture(_))
}

fn has_value(hir: &Hir) -> bool {
    pattern::count_values(hir) > 0
}

/// Takes off what stands before the match and is no part of it.
fn trim_left(parts: &mut Vec<Hir>, left: &mut Boundary, changes: &mut Vec<String>) {
    while let Some(first) = parts.first() {
        let next = parts.get(1).map_or_else(ByteSet::default, first_bytes);
        match first.kind() {
            _ if has_value(first) => return,
            HirKind::Look(Look::WordAscii | Look::WordStartAscii) => *left = Boundary::Word,
            HirKind::Look(Look::WordAsciiNegate) => return,
            HirKind::Look(_) => changes.push("`^` is not kept: it may begin anywhere".to_owned()),
            _ if is_beside(first) => *left = boundary(first, &next),
            _ if first.properties().minimum_len() == Some(0) && parts.len() > 1 => {}
            _ => return,
        }
        parts.remove(0);
    }
}

/// Takes off what stands behind the match and is no part of it.
fn trim_right(parts: &mut Vec<Hir>, right: &mut Boundary, changes: &mut Vec<String>) {
    while let [rest @ .., last] = parts.as_slice() {
        let before = rest.last().map_or_else(ByteSet::default, pattern::alphabet);
        match last.kind() {
            _ if has_value(last) => return,
            HirKind::Look(Look::WordAscii | Look::WordEndAscii) => *right = Boundary::Word,
            HirKind::Look(Look::WordAsciiNegate) => return,
            HirKind::Look(_) => {
                changes.push("`$` is not kept: it may end anywhere".to_owned());
                *right = cover(&before);
            }
            _ if is_beside(last) => *right = boundary(last, &before),
            _ if last.properties().minimum_len() == Some(0) && !rest.is_empty() => {}
            _ => return,
        }
        parts.pop();
    }
}

/// Is it about what stands beside a match: the text's end, or one of some signs?
fn is_beside(hir: &Hir) -> bool {
    let properties = hir.properties();
    properties.minimum_len() == Some(0)
        && properties.maximum_len().is_some_and(|most| most <= 2)
        && !properties.look_set().is_empty()
}

/// What must not stand there, so that the match is whole, and nothing that was allowed to stand there.
fn boundary(beside: &Hir, value: &ByteSet) -> Boundary {
    let allowed = pattern::alphabet(beside);
    let free =
        |boundary: &Boundary| (0..=u8::MAX).all(|byte| !(member(*boundary, byte) && allowed.contains(byte)));
    let wanted = cover(value);
    let less = [Boundary::Base64, Boundary::Token, Boundary::Word, Boundary::Alnum, Boundary::Digit];
    let from = less.iter().position(|boundary| *boundary == wanted).unwrap_or(0);
    less.into_iter().skip(from).find(free).unwrap_or(Boundary::None)
}

/// The smallest set that holds all signs of a value that tokens are made of.
fn cover(value: &ByteSet) -> Boundary {
    let all = [Boundary::Alnum, Boundary::Word, Boundary::Token, Boundary::Base64];
    let holds = |boundary: &Boundary| {
        (0..=u8::MAX)
            .filter(|byte| value.contains(*byte))
            .all(|byte| member(*boundary, byte) || !member(Boundary::Base64, byte))
    };
    all.into_iter().find(holds).unwrap_or(Boundary::Base64)
}

const fn member(boundary: Boundary, byte: u8) -> bool {
    super::super::bytes::member(boundary, byte)
}

/// Gives repetitions an end.
fn bound(hir: Hir, most: u32, done: &mut bool) -> Hir {
    match hir.into_kind() {
        HirKind::Repetition(repetition) => {
            let max = repetition.max.or_else(|| {
                *done = true;
                Some(repetition.min.saturating_add(most))
            });
            let sub = Box::new(bound(*repetition.sub, most, done));
            Hir::repetition(Repetition { max, sub, ..repetition })
        }
        HirKind::Capture(capture) => {
            let sub = Box::new(bound(*capture.sub, most, done));
            Hir::capture(Capture { sub, ..capture })
        }
        HirKind::Concat(parts) => {
            Hir::concat(parts.into_iter().map(|part| bound(part, most, done)).collect())
        }
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(|part| bound(part, most, done)).collect())
        }
        kind => pattern::rebuild(kind),
    }
}

/// Says where what leads to the value could take the value's beginning.
fn greedy(parts: &[Hir], changes: &mut Vec<String>) {
    let Some(at) = parts.iter().position(is_value).filter(|at| *at > 0) else { return };
    let (Some(lead), Some(value)) = (parts.get(at - 1), parts.get(at)) else { return };
    let (taken, wanted) = (pattern::alphabet(lead), first_bytes(value));
    let variable = lead.properties().minimum_len() != lead.properties().maximum_len();
    if variable && (0..=u8::MAX).any(|byte| taken.contains(byte) && wanted.contains(byte)) {
        changes
            .push("what leads to the value takes all it can, and may take the value's beginning".to_owned());
    }
}

/// The bytes that a match can begin with.
fn first_bytes(hir: &Hir) -> ByteSet {
    match hir.kind() {
        HirKind::Literal(literal) => ByteSet::of(|byte| literal.0.first() == Some(&byte)),
        HirKind::Capture(capture) => first_bytes(&capture.sub),
        HirKind::Repetition(repetition) => first_bytes(&repetition.sub),
        HirKind::Alternation(parts) => {
            parts.iter().fold(ByteSet::default(), |all, p| all.with(&first_bytes(p)))
        }
        HirKind::Concat(parts) => {
            let open = parts.iter().position(|part| part.properties().minimum_len() != Some(0));
            let until = open.map_or(parts.len(), |at| at + 1);
            parts.iter().take(until).fold(ByteSet::default(), |all, part| all.with(&first_bytes(part)))
        }
        _ => pattern::alphabet(hir),
    }
}

type Anchored = (Vec<Hir>, Vec<Hir>, Vec<String>);

/// Finds the literals that a match can be found by: at its beginning, or not far behind it.
fn anchor(parts: &[Hir]) -> Result<Anchored, String> {
    for at in 0..parts.len() {
        let (before, rest) = parts.split_at(at);
        let length: Option<usize> = before.iter().map(|part| part.properties().maximum_len()).sum();
        if before.iter().any(is_value) || length.is_none_or(|length| length > MAX_BEFORE) {
            break;
        }
        if let Some(keywords) = prefix::of(rest) {
            return Ok((before.to_vec(), rest.to_vec(), keywords));
        }
        if at == 0 && rest.first().is_some_and(begins_with_digit) {
            return Ok((Vec::new(), rest.to_vec(), Vec::new()));
        }
    }
    Err("nothing of three bytes or more stands near the beginning of every match, by which it could be found"
        .to_owned())
}

fn begins_with_digit(hir: &Hir) -> bool {
    let first = first_bytes(hir);
    let digits = (0..=u8::MAX).all(|byte| byte.is_ascii_digit() || !first.contains(byte));
    digits && hir.properties().minimum_len().is_some_and(|least| least > 0)
}
