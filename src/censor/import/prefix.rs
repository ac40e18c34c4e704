//! What does every match begin with?

use regex_syntax::hir::{Class, Hir, HirKind};

/// A beginning, in lower case where case doesn't count, and whether the match may go on in one way only.
type Beginning = (Vec<u8>, bool);

/// Most beginnings of a rule.
const MOST: usize = 64;
/// Longer keywords say nothing more.
const LONGEST: usize = 20;

/// Literals of which every match begins with one; none is the beginning of another. None: there are no such.
pub(super) fn of(elements: &[Hir]) -> Option<Vec<String>> {
    let mut all = begin(&Hir::concat(elements.to_vec()))?;
    all.sort();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for (literal, _) in all {
        if literal.len() < super::super::prefilter::LITERAL_MIN {
            return None;
        }
        if !kept.iter().any(|shorter| literal.starts_with(shorter)) {
            kept.push(literal);
        }
    }
    kept.into_iter().map(|literal| String::from_utf8(literal).ok()).collect()
}

fn begin(hir: &Hir) -> Option<Vec<Beginning>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![(Vec::new(), true)]),
        HirKind::Look(_) => None,
        HirKind::Literal(literal) => Some(vec![cut((literal.0.to_vec(), true))]),
        HirKind::Class(class) => Some(members(class)),
        HirKind::Capture(capture) => begin(&capture.sub),
        HirKind::Concat(parts) => {
            let mut all = vec![(Vec::new(), true)];
            for part in parts {
                if all.iter().all(|(_, open)| !open) {
                    break;
                }
                all = follow(&all, &begin(part)?)?;
            }
            Some(all)
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(begin(part)?);
            }
            (all.len() <= MOST).then_some(all)
        }
        HirKind::Repetition(repetition) => {
            let once = begin(&repetition.sub)?;
            let mut all = vec![(Vec::new(), true)];
            for _ in 0..repetition.min.min(LONGEST as u32) {
                all = follow(&all, &once)?;
            }
            if repetition.max == Some(repetition.min) {
                return Some(all);
            }
            if (repetition.min, repetition.max) == (0, Some(1)) {
                all.extend(once);
                return Some(all);
            }
            Some(all.into_iter().map(|(literal, _)| (literal, false)).collect())
        }
    }
}

fn cut((mut literal, open): Beginning) -> Beginning {
    let whole = literal.len() <= LONGEST;
    literal.truncate(LONGEST);
    (literal, open && whole)
}

fn follow(heads: &[Beginning], tails: &[Beginning]) -> Option<Vec<Beginning>> {
    let mut all = Vec::new();
    for (head, open) in heads {
        if !open {
            all.push((head.clone(), false));
            continue;
        }
        all.extend(tails.iter().map(|(tail, open)| cut(([head.as_slice(), tail].concat(), *open))));
        if all.len() > MOST {
            // Too many ways on: what is known so far is known.
            return Some(heads.iter().map(|(head, _)| (head.clone(), false)).collect());
        }
    }
    Some(all)
}

/// The bytes of a small class, each case once; anything for a large one.
fn members(class: &Class) -> Vec<Beginning> {
    let anything = vec![(Vec::new(), false)];
    let Class::Bytes(class) = class else { return anything };
    let bytes: Vec<u8> = class.iter().flat_map(|range| range.start()..=range.end()).collect();
    let folded = |byte: &u8| byte.is_ascii_uppercase() && bytes.contains(&byte.to_ascii_lowercase());
    let once: Vec<Beginning> = bytes.iter().filter(|b| !folded(b)).map(|b| (vec![*b], true)).collect();
    if once.len() > 10 || once.iter().any(|(byte, _)| !byte.is_ascii()) { anything } else { once }
}
