//! Tables as text, with the `csv` crate as the second reader.

use consentry::body::csv::{CsvTransform, Separator};
use consentry::body::{Job, Transform};
use consentry::names::Direction;

use super::input::Input;
use super::passed::{Treatment, shown};
use super::values::{self, ENGINES};

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = input.body();
    let separator = if input.one_of(2) == 0 { Separator::Unknown } else { Separator::Tab };
    let engine = &ENGINES[if input.beyond(2) % 2 == 0 { 0 } else { 4 }];
    let job = || values::job(engine, Direction::Request);
    let make = |job: Job| -> Box<dyn Transform> { Box::new(CsvTransform::new(job, separator)) };
    let treatment = Treatment { finds: input.beyond(2) % 2 == 0, ..Treatment::new(&job, &make) };
    let whole = treatment.check(&input, &body);
    if whole.refusal.is_some() {
        return;
    }
    if whole.is_clean() {
        assert!(whole.out == body, "nothing was found, and it changed");
    }
    // Which separator it is can be told from outside only if there is one kind, and the first line has it.
    let kinds: Vec<u8> = [b',', b';', b'\t'].into_iter().filter(|kind| body.contains(kind)).collect();
    let first = body.split(|byte| matches!(byte, b'\n' | b'\"')).next().unwrap_or_default();
    if let ([kind], Separator::Unknown) | ([kind @ b'\t'], Separator::Tab) = (&*kinds, separator)
        && first.contains(kind)
    {
        let (before, after) = (sizes(&body, *kind), sizes(&whole.out, *kind));
        assert_eq!(before, after, "another table:\n{}\n{}", shown(&body), shown(&whole.out));
    }
    if input.beyond(2) % 2 == 0 {
        treatment.twice(&whole);
    }
}

/// How many fields each record has.
fn sizes(table: &[u8], separator: u8) -> Vec<usize> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(table);
    reader.byte_records().filter_map(Result::ok).map(|record| record.len()).collect()
}
