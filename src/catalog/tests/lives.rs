//! What the profiles say of how resources are shown, stopped and deleted.

use std::collections::BTreeSet;

use super::super::{Catalog, Life};
use crate::names::{Kind, Purpose};

fn life(catalog: &Catalog, kind: &str) -> Life {
    catalog.lives().get(&Kind::new(kind)).unwrap().clone()
}

fn called(call: Option<&super::super::Call>, id: &str) -> Option<String> {
    call.map(|call| format!("{} {}", call.method, call.path(id).unwrap()))
}

fn words<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    words.into_iter().map(|word| word.as_ref().to_owned()).collect()
}

#[test]
fn files_and_models_can_be_deleted_and_asked_for() {
    let openai = Catalog::builtin("openai").unwrap();
    let file = life(&openai, "file");
    assert_eq!(called(file.delete.as_ref(), "file-1").as_deref(), Some("DELETE /v1/files/file-1"));
    assert_eq!(called(file.show.as_ref(), "file-1").as_deref(), Some("GET /v1/files/file-1"));
    assert!(file.cancel.is_none() && file.over.is_none());
    assert_eq!(words(&file.training_labels), words(["fine-tune", "vision", "evals"]));
    let model = life(&openai, "model");
    assert_eq!(
        called(model.delete.as_ref(), "ft:a/b:c::d").as_deref(),
        Some("DELETE /v1/models/ft:a%2Fb:c::d")
    );
    // What needs the id of something else as well can't be ended by its own alone.
    let message = life(&openai, "thread_message");
    assert!(message.delete.is_none() && message.show.is_none());
    // What is shown by its whole content is not shown by its state.
    assert_eq!(called(life(&openai, "response").show.as_ref(), "r").as_deref(), Some("GET /v1/responses/r"));
}

#[test]
fn jobs_can_be_stopped_and_say_when_they_are_over() {
    let openai = Catalog::builtin("openai").unwrap();
    let job = life(&openai, "fine_tuning_job");
    assert_eq!(called(job.cancel.as_ref(), "j").as_deref(), Some("POST /v1/fine_tuning/jobs/j/cancel"));
    assert_eq!(called(job.show.as_ref(), "j").as_deref(), Some("GET /v1/fine_tuning/jobs/j"));
    assert!(job.delete.is_none());
    let over = job.over.as_ref().unwrap();
    assert_eq!((over.at.to_string().as_str(), over.is.len()), ("/status", 3));
    assert_eq!(job.training, BTreeSet::from([Purpose::Train]));
    assert_eq!(words(job.from.iter().map(Kind::as_str)), words(["file", "model"]));
    let outputs = words(job.outputs.iter().map(Kind::as_str));
    assert!(outputs.contains("model") && outputs.contains("file"), "{outputs:?}");
    let yields: Vec<_> = job.yields.iter().map(|one| one.kind.as_str()).collect();
    assert!(yields.contains(&"model") && yields.contains(&"file"), "{yields:?}");
    let batch = life(&openai, "batch");
    assert!(batch.training.is_empty() && batch.over.is_some());
    assert_eq!(called(batch.cancel.as_ref(), "b").as_deref(), Some("POST /v1/batches/b/cancel"));
}

#[test]
fn other_apis_need_say_nothing_more() {
    let label_studio = Catalog::builtin("label-studio").unwrap();
    let project = life(&label_studio, "project");
    assert_eq!(called(project.delete.as_ref(), "7").as_deref(), Some("DELETE /api/projects/7/"));
    assert!(project.show.is_some());
}

#[test]
fn a_kind_of_jobs_has_to_be_shown_by_something() {
    let text = include_str!("../../../config/apis/openai.yaml").replace(
        "  upload_part:\n    owned: *id\n",
        "  upload_part:\n    owned: *id\n    over: {at: /status, is: [done]}\n",
    );
    let errors = Catalog::parse("openai.yaml", &text).unwrap_err();
    assert!(errors.iter().any(|error| error.to_string().contains("`over` can't be asked")), "{errors:?}");
}
