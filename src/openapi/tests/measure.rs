//! How much of what people found a draft finds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::catalog::{Catalog, Operation, Place};
use crate::openapi::document::Document;
use crate::openapi::draft;
use crate::openapi::draft::request::is_json;
use crate::openapi::fields::{Fields, Step as Taken};
use crate::pointer::{Pointer, Step};

/// Whether a pattern matches a place.
fn matches(pattern: &[Step], place: &[Taken<'_>]) -> bool {
    match (pattern, place) {
        ([], []) => true,
        ([Step::Deep, rest @ ..], _) => {
            matches(rest, place) || !place.is_empty() && matches(pattern, &place[1..])
        }
        ([Step::Any, rest @ ..], [_, left @ ..]) => matches(rest, left),
        ([Step::Key(key), rest @ ..], [Taken::Key(name), left @ ..]) => {
            **key == **name && matches(rest, left)
        }
        _ => false,
    }
}

fn json(operation: &Operation) -> Vec<&Pointer> {
    let places = operation.uses.iter().filter_map(|used| match &used.place {
        Place::Json(pointer) => Some(pointer),
        _ => None,
    });
    places.collect()
}

fn key(method: &str, template: &str) -> String {
    let template: String = template
        .split('/')
        .map(|segment| if segment.contains('{') { "/{}".to_owned() } else { format!("/{segment}") })
        .collect();
    format!("{method} {template}")
}

/// With `CONSENTRY_OPENAPI=openai-openapi.yaml`: what a draft of OpenAI's specification finds of the places in the profile
/// that people made of it. `--nocapture` shows every miss.
#[test]
#[ignore = "a measurement; `CONSENTRY_OPENAPI=openai-openapi.yaml cargo test --lib -- --ignored --nocapture a_draft_finds`"]
fn a_draft_finds_what_people_found() {
    let path = std::env::var_os("CONSENTRY_OPENAPI").expect("CONSENTRY_OPENAPI names the specification");
    let text = std::fs::read_to_string(path).unwrap();
    let begun = std::time::Instant::now();
    let document = Document::parse("openapi.yaml", &text).unwrap();
    let read = begun.elapsed();
    let drafted = draft(&document, "drafted");
    let took = begun.elapsed() - read;
    let theirs = Catalog::parse("drafted.yaml", &drafted.yaml).unwrap_or_else(|e| panic!("{e:#?}"));
    let theirs: BTreeMap<String, &Operation> =
        theirs.operations().iter().map(|op| (key(op.method.as_str(), &op.template), &**op)).collect();
    let described = document.operations();
    let ours = Catalog::builtin("openai").unwrap();
    let (mut found, mut refused, mut missed, mut unspecified) = (0, 0, 0, 0);
    let mut told = String::new();
    for operation in ours.operations().iter().filter(|op| op.refused.is_none()) {
        let key = key(operation.method.as_str(), &operation.template);
        let Some(drafted) = theirs.get(&key) else {
            let _ = writeln!(told, "no operation {key}");
            missed += operation.uses.len();
            continue;
        };
        let described = described.iter().find(|one| self::key(&one.method, &one.path) == key).unwrap();
        let schema = described.request.iter().find(|media| is_json(media)).and_then(|media| media.schema);
        let fields = schema.map(|schema| Fields::of(&document, schema)).unwrap_or_default();
        for used in &operation.uses {
            let (specified, has) = match &used.place {
                Place::Json(pointer) => {
                    let places: Vec<_> = fields
                        .all
                        .iter()
                        .filter(|field| field.open && matches(pointer.steps(), &field.steps))
                        .collect();
                    let theirs = json(drafted);
                    let all =
                        places.iter().all(|field| theirs.iter().any(|p| matches(p.steps(), &field.steps)));
                    (!places.is_empty(), all)
                }
                Place::Query(name) => {
                    let specified = described.parameters.iter().any(|p| *p.name == **name);
                    (specified, drafted.uses.iter().any(|other| other.place == used.place))
                }
                place => (true, drafted.uses.iter().any(|other| other.place == *place)),
            };
            if !specified {
                unspecified += 1;
            } else if drafted.refused.is_some() {
                refused += 1;
                let _ = writeln!(told, "refused: {} {:?}", operation.id, used.place);
            } else if has {
                found += 1;
            } else {
                missed += 1;
                let _ = writeln!(told, "missed: {} {:?}", operation.id, used.place);
            }
        }
    }
    let all = found + refused + missed;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "{told}found {found} of {all}; {refused} in operations that the draft refuses, {missed} missed; {unspecified} not specified"
    );
    let _ = writeln!(
        out,
        "read in {read:?}, drafted in {took:?}; {} served, {} refused, {} left out, {} to decide",
        drafted.served, drafted.refused, drafted.left_out, drafted.decisions
    );
    assert!(missed * 20 <= all && found * 4 >= all * 3, "{told}found {found} of {all}, missed {missed}");
}
