//! A file of a kind that has to be found out, plain text, archives and tables among them.

use std::sync::Arc;

use consentry::body::container::{ContainerLimits, Containers};
use consentry::body::file::{FileHint, FileKind, FilePlans, FileTransform};
use consentry::body::json::JsonPlan;
use consentry::body::text::TextTransform;
use consentry::body::{Job, Transform};
use consentry::names::Direction;

use super::input::Input;
use super::passed::Treatment;
use super::values::{self, ENGINES};

const NAMES: [&str; 6] = ["", "a.jsonl", "a.json", "a.csv", "a.tsv", "a.md"];
const FIELDS: [Option<&str>; 4] = [None, Some("birth_name"), Some("account"), Some("password")];

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = input.body();
    let engine = &ENGINES[if input.beyond(10) % 2 == 0 { 0 } else { 4 }];
    let job = || values::job(engine, Direction::Request);
    let way = usize::from(input.one_of(10));
    let make = |job: Job| -> Box<dyn Transform> {
        match way.checked_sub(NAMES.len()) {
            Some(field) => Box::new(TextTransform::new(job, FIELDS[field])),
            None => Box::new(file(job, NAMES[way])),
        }
    };
    let treatment = Treatment { finds: input.beyond(10) % 2 == 0, ..Treatment::new(&job, &make) };
    let whole = treatment.check(&input, &body);
    if whole.refusal.is_some() {
        return;
    }
    if whole.is_clean() {
        assert!(whole.out == body, "nothing was found, and it changed");
    }
    // What a file without a name is depends on its first bytes, which censoring changes; a field's text is masked anew.
    if input.beyond(10) % 2 == 0 && (1..=NAMES.len()).contains(&way) {
        treatment.twice(&whole);
    }
}

fn file(job: Job, name: &str) -> FileTransform {
    let plan = Arc::new(JsonPlan::empty());
    let containers = Containers::new(values::spools(), ContainerLimits::default());
    let plans = FilePlans::new(plan, false, Some(containers));
    let hint = match name {
        "" => FileHint::default(),
        "a.jsonl" => FileHint { expected: Some(FileKind::Jsonl), ..FileHint::default() },
        name => FileHint { name: Some(name.to_owned()), ..FileHint::default() },
    };
    FileTransform::new(job, hint, plans)
}
