//! Forms, with `multer` as the second reader.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use consentry::body::json::JsonPlan;
use consentry::body::jsonl::JsonlTransform;
use consentry::body::multipart::{FileTreatment, FormTransform};
use consentry::body::text::TextTransform;
use consentry::body::{Job, Transform};
use consentry::catalog::{Edit, EditAction, FieldContent, FormField};
use consentry::names::Direction;
use futures_util::FutureExt;

use super::input::Input;
use super::passed::{Treatment, shown};
use super::values::{self, ENGINES};

const BOUNDARY: &str = "b";

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = input.body();
    let job = || values::job(&ENGINES[0], Direction::Request);
    let required = input.one_of(2) == 0;
    let make = |job: Job| -> Box<dyn Transform> { Box::new(form(job, required)) };
    let treatment = Treatment::new(&job, &make);
    let whole = treatment.check(&input, &body);
    if whole.refusal.is_some() {
        return;
    }
    let salted = memchr::memmem::find(&body.to_ascii_lowercase(), b"user").is_some();
    if whole.is_clean() && !salted {
        assert!(whole.out == body, "nothing was found, and it changed");
    }
    // Whoever else reads the form reads as many parts of it as before, named alike where no name was a finding.
    if let Some(before) = parts(&body) {
        let after = parts(&whole.out);
        let after = after.unwrap_or_else(|| panic!("it can't be read any more: {}", shown(&whole.out)));
        assert_eq!(before.len(), after.len(), "another form:\n{}\n{}", shown(&body), shown(&whole.out));
        for ((name, content), (new_name, new_content)) in before.iter().zip(&after) {
            assert!(name == new_name || new_name.contains(['[', '*', '_']), "{name} became {new_name}");
            assert!(content == new_content || whole.found > 0 || salted);
        }
    }
    if !salted {
        treatment.twice(&whole);
    }
}

fn form(job: Job, required: bool) -> FormTransform {
    let field = |name: &str, content| FormField { name: name.into(), content, required };
    let fields = Arc::new([
        field("purpose", FieldContent::Deciding),
        field("file", FieldContent::File),
        FormField { name: "list[]".into(), content: FieldContent::Text, required: false },
    ]);
    let inner = job.clone();
    let decide = move |facts: &consentry::body::Facts, _: &_| {
        let lines = facts.first(0).and_then(|value| value.as_text()) == Some("x");
        let transform: Box<dyn Transform> = if lines {
            Box::new(JsonlTransform::censoring(inner.clone(), Arc::new(JsonPlan::empty())))
        } else {
            Box::new(TextTransform::new(inner.clone(), None))
        };
        Ok(FileTreatment::Transform(transform))
    };
    let edits = [Edit { at: "/user".parse().unwrap(), action: EditAction::Salt }];
    FormTransform::new(job, BOUNDARY, fields, values::spools(), Box::new(decide), Box::new(|_| Ok(())))
        .with_edits(&edits)
}

/// Names and contents, as the other reader has them. None: it can't read it.
fn parts(form: &[u8]) -> Option<Vec<(String, Bytes)>> {
    let bytes = Bytes::copy_from_slice(form);
    let stream = futures_util::stream::once(async move { Ok::<_, Infallible>(bytes) });
    let read = async move {
        let mut form = multer::Multipart::new(stream, BOUNDARY);
        let mut parts = Vec::new();
        while let Some(part) = form.next_field().await.ok()? {
            let name = part.name()?.to_owned();
            parts.push((name, part.bytes().await.ok()?));
        }
        Some(parts)
    };
    read.now_or_never()?
}
