use std::sync::Arc;

use super::*;
use crate::censor::Action;

fn rule(entity: &str, action: Action) -> RuleInfo {
    RuleInfo {
        id: Arc::from(entity),
        entity: Arc::from(entity),
        action,
        severity: 5,
        secret: false,
        special: false,
    }
}

const fn span(entity: usize, start: usize, end: usize) -> Span {
    Span { entity, start, end }
}

#[test]
fn spans_that_overlap_are_one_region() {
    let wanted = [rule("PERSON", Action::Redact), rule("LOCATION", Action::Block)];
    assert_eq!(regions(&[span(0, 0, 4), span(0, 4, 6)], &wanted), [span(0, 0, 4), span(0, 4, 6)]);
    assert_eq!(regions(&[span(0, 0, 9), span(1, 2, 4), span(0, 8, 12)], &wanted), [span(1, 0, 12)]);
    let both = [rule("PERSON", Action::Redact), rule("LOCATION", Action::Hash)];
    assert_eq!(regions(&[span(0, 0, 3), span(1, 2, 9)], &both), [span(0, 0, 9)], "the stricter");
}

#[test]
fn what_was_restored_is_left_out_of_a_region() {
    let text = "Dr Jane Roe, Jane";
    let restored = |values: &[&str]| Restored(AhoCorasick::new(values).ok()).ranges(text);
    assert_eq!(open(&span(0, 0, 11), text, &restored(&["Jane"])), [span(0, 0, 3), span(0, 7, 11)]);
    assert_eq!(open(&span(0, 3, 7), text, &restored(&["Jane"])), []);
    assert_eq!(open(&span(0, 0, 11), text, &Restored(None).ranges(text)), [span(0, 0, 11)]);
    assert_eq!(open(&span(0, 0, 7), text, &restored(&["Dr Jane Roe", "Jane"])), []);
}

#[test]
fn a_region_over_two_texts_is_a_part_of_each() {
    let parts = split(&[span(0, 2, 9), span(1, 10, 11), span(0, 11, 12)], &[0..4, 6..8, 9..12, 14..15]);
    let third = vec![span(1, 1, 2), span(0, 2, 3)];
    assert_eq!(parts, [vec![span(0, 2, 4)], vec![span(0, 0, 2)], third, Vec::new()]);
    assert_eq!(split(&[span(0, 4, 6)], &[0..4, 6..8]), [Vec::new(), Vec::new()]);
}

/// An analyser that finds something everywhere in many short texts costs no more than there is to say.
#[test]
fn many_spans_over_many_texts_are_few_regions() {
    let wanted = [rule("PERSON", Action::Redact)];
    let places: Vec<_> = (0..20_000).map(|at| 3 * at..3 * at + 1).collect();
    let spans: Vec<Span> = (0..60_000).map(|at| span(0, at, 60_000)).collect();
    let parts = split(&regions(&spans, &wanted), &places);
    assert!(parts.iter().all(|part| *part == [span(0, 0, 1)]));
}
