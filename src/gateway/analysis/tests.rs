use std::sync::Arc;

use super::*;

fn rule(entity: &str, action: Action) -> RuleInfo {
    RuleInfo { id: Arc::from(entity), entity: Arc::from(entity), action, severity: 5, secret: false }
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
    assert_eq!(regions(&[span(0, 0, 3), span(1, 2, 9)], &both), [span(1, 0, 9)]);
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
fn a_span_over_two_texts_is_a_part_of_each() {
    let spans = [span(0, 2, 9)];
    assert_eq!(within(&spans, &(0..4)), [span(0, 2, 4)]);
    assert_eq!(within(&spans, &(6..12)), [span(0, 0, 3)]);
    assert_eq!(within(&spans, &(9..12)), []);
}
