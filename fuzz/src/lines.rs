//! JSON lines.

use std::sync::Arc;

use consentry::body::json::JsonPlan;
use consentry::body::jsonl::JsonlTransform;
use consentry::body::{Job, Transform};
use consentry::names::Direction;

use super::input::Input;
use super::passed::{Treatment, shown};
use super::tree::{is_json, skeleton, texts};
use super::values::{self, ENGINES};

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = input.body();
    let engine = &ENGINES[if input.one_of(2) == 0 { 0 } else { 4 }];
    let job = || values::job(engine, Direction::Request);
    let plan = Arc::new(JsonPlan::empty());
    let make =
        |job: Job| -> Box<dyn Transform> { Box::new(JsonlTransform::censoring(job, Arc::clone(&plan))) };
    let treatment = Treatment { finds: input.one_of(2) == 0, ..Treatment::new(&job, &make) };
    let whole = treatment.check(&input, &body);
    if whole.refusal.is_some() {
        return;
    }
    if whole.is_clean() {
        assert!(whole.out == body, "nothing was found, and it changed");
    }
    // Each line as if it were alone.
    let mut one_by_one = Vec::new();
    for (at, line) in body.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let alone = treatment.run([line]);
        let here = alone.out.len();
        one_by_one.extend_from_slice(&alone.out);
        // Only the first may have a byte order mark.
        let line = if at == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        assert!(is_json(line), "what is no JSON passed: {}", shown(line));
        let out = &one_by_one[one_by_one.len() - here..];
        let out = if at == 0 { out.strip_prefix(b"\xef\xbb\xbf").unwrap_or(out) } else { out };
        assert!(is_json(out), "it is no JSON any more: {}", shown(out));
        assert_eq!(skeleton(line), skeleton(out));
        for text in texts(out) {
            if treatment.finds {
                values::absent(input.template, text.as_bytes());
            }
        }
    }
    assert!(one_by_one == whole.out, "one by one:\n{}\n{}", shown(&one_by_one), shown(&whole.out));
    if input.one_of(2) == 0 {
        treatment.twice(&whole);
    }
}
