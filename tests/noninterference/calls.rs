//! The calls that programs are made of. `{1}` and `{2}` stand for ids, `{t}` for a text that tenants have in common.

/// Kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    File,
    Job,
    Model,
    Batch,
    Store,
    Group,
    Chat,
    Response,
    Upload,
    Part,
}

pub(crate) const KINDS: [Kind; 10] = [
    Kind::File,
    Kind::Job,
    Kind::Model,
    Kind::Batch,
    Kind::Store,
    Kind::Group,
    Kind::Chat,
    Kind::Response,
    Kind::Upload,
    Kind::Part,
];

/// What a call does if every id that it names is the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// It answers with something new, whose id stands at `/id`.
    Makes(Kind),
    /// It ends what it names first.
    Ends(Kind),
    /// It lists what the caller has of a kind, in pages.
    Lists(Kind),
    /// It succeeds. What came into being by itself shows.
    Reads,
    /// The API may have its reasons to refuse it, or not to know what the id stands for any more.
    Tries,
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verb {
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    /// JSON, or with a `|` the purpose and the name of a file in a form.
    pub(crate) body: &'static str,
    /// What the ids are of.
    pub(crate) ids: &'static [Kind],
    pub(crate) does: Does,
    /// How often it is taken.
    pub(crate) weight: u32,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) kind: Option<&'static str>,
    pub(crate) body: Vec<u8>,
}

use Does::{Ends, Lists, Makes, Reads, Tries};
use Kind::{Batch, Chat, File, Group, Job, Model, Part, Response, Store, Upload};

const fn get(weight: u32, target: &'static str, ids: &'static [Kind], does: Does) -> Verb {
    Verb { method: "GET", target, body: "", ids, does, weight }
}

const fn post(
    weight: u32,
    target: &'static str,
    body: &'static str,
    ids: &'static [Kind],
    does: Does,
) -> Verb {
    Verb { method: "POST", target, body, ids, does, weight }
}

const fn delete(weight: u32, target: &'static str, ids: &'static [Kind], does: Does) -> Verb {
    Verb { method: "DELETE", target, body: "", ids, does, weight }
}

const JOBS: &str = "/v1/fine_tuning/jobs";
const CHATS: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const STORES: &str = "/v1/vector_stores";

pub(crate) const VERBS: &[Verb] = &[
    // Files.
    post(6, "/v1/files", "user_data|notes.txt", &[], Makes(File)),
    post(6, "/v1/files", "fine-tune|train.jsonl", &[], Makes(File)),
    post(4, "/v1/files", "batch|batch.jsonl", &[], Makes(File)),
    get(10, "/v1/files", &[], Lists(File)),
    get(3, "/v1/files?purpose=batch", &[], Reads),
    get(6, "/v1/files/{1}", &[File], Reads),
    get(4, "/v1/files/{1}/content", &[File], Reads),
    delete(5, "/v1/files/{1}", &[File], Ends(File)),
    // Uploads in parts.
    post(2, "/v1/uploads", UPLOAD, &[], Makes(Upload)),
    post(2, "/v1/uploads/{1}/parts", "|part", &[Upload], Tries),
    post(2, "/v1/uploads/{1}/complete", r#"{"part_ids":["{2}"]}"#, &[Upload, Part], Tries),
    post(1, "/v1/uploads/{1}/cancel", "", &[Upload], Tries),
    // Jobs and what comes of them.
    post(5, JOBS, r#"{"model":"gpt-4o-mini","training_file":"{1}"}"#, &[File], Makes(Job)),
    post(
        1,
        JOBS,
        r#"{"model":"gpt-4o-mini","training_file":"{1}","validation_file":"{2}"}"#,
        &[File, File],
        Makes(Job),
    ),
    post(1, JOBS, r#"{"model":"{1}","training_file":"{2}"}"#, &[Model, File], Tries),
    get(5, JOBS, &[], Lists(Job)),
    get(12, "/v1/fine_tuning/jobs/{1}", &[Job], Reads),
    get(3, "/v1/fine_tuning/jobs/{1}/events", &[Job], Reads),
    get(2, "/v1/fine_tuning/jobs/{1}/checkpoints", &[Job], Reads),
    post(2, "/v1/fine_tuning/jobs/{1}/cancel", "", &[Job], Tries),
    post(1, "/v1/fine_tuning/jobs/{1}/pause", "", &[Job], Tries),
    post(1, "/v1/fine_tuning/jobs/{1}/resume", "", &[Job], Tries),
    get(3, "/v1/models", &[], Reads),
    get(3, "/v1/models/{1}", &[Model], Tries),
    delete(1, "/v1/models/{1}", &[Model], Ends(Model)),
    // Batches.
    post(4, "/v1/batches", BATCH, &[File], Makes(Batch)),
    get(4, "/v1/batches", &[], Lists(Batch)),
    get(8, "/v1/batches/{1}", &[Batch], Reads),
    post(1, "/v1/batches/{1}/cancel", "", &[Batch], Tries),
    // Vector stores.
    post(4, STORES, r#"{"name":"{t}"}"#, &[], Makes(Store)),
    post(2, STORES, r#"{"file_ids":["{1}","{2}"]}"#, &[File, File], Makes(Store)),
    get(8, STORES, &[], Lists(Store)),
    get(3, "/v1/vector_stores/{1}", &[Store], Reads),
    post(2, "/v1/vector_stores/{1}", r#"{"name":"{t}"}"#, &[Store], Reads),
    delete(2, "/v1/vector_stores/{1}", &[Store], Ends(Store)),
    post(2, "/v1/vector_stores/{1}/search", r#"{"query":"{t}"}"#, &[Store], Reads),
    post(3, "/v1/vector_stores/{1}/files", r#"{"file_id":"{2}"}"#, &[Store, File], Reads),
    get(3, "/v1/vector_stores/{1}/files", &[Store], Reads),
    get(1, "/v1/vector_stores/{1}/files?limit=1&after={2}", &[Store, File], Tries),
    get(2, "/v1/vector_stores/{1}/files/{2}", &[Store, File], Tries),
    get(1, "/v1/vector_stores/{1}/files/{2}/content", &[Store, File], Tries),
    delete(1, "/v1/vector_stores/{1}/files/{2}", &[Store, File], Tries),
    post(2, "/v1/vector_stores/{1}/file_batches", r#"{"file_ids":["{2}"]}"#, &[Store, File], Makes(Group)),
    get(1, "/v1/vector_stores/{1}/file_batches/{2}", &[Store, Group], Tries),
    get(1, "/v1/vector_stores/{1}/file_batches/{2}/files", &[Store, Group], Tries),
    // Chats.
    post(
        5,
        CHATS,
        r#"{"model":"gpt-4o-mini","store":true,"messages":[{"role":"user","content":"{t}"}]}"#,
        &[],
        Makes(Chat),
    ),
    post(2, CHATS, r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"{t}"}]}"#, &[], Reads),
    post(
        1,
        CHATS,
        r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"{t}"}]}"#,
        &[],
        Reads,
    ),
    post(2, CHATS, r#"{"model":"{1}","messages":[{"role":"user","content":"{t}"}]}"#, &[Model], Tries),
    post(2, CHATS, ATTACHED, &[File], Tries),
    get(6, CHATS, &[], Lists(Chat)),
    get(1, "/v1/chat/completions?model={1}", &[Model], Tries),
    get(3, "/v1/chat/completions/{1}", &[Chat], Reads),
    get(2, "/v1/chat/completions/{1}/messages", &[Chat], Reads),
    post(1, "/v1/chat/completions/{1}", r#"{"metadata":{"a":"{t}"}}"#, &[Chat], Reads),
    delete(2, "/v1/chat/completions/{1}", &[Chat], Ends(Chat)),
    // Responses.
    post(4, RESPONSES, r#"{"model":"gpt-4o-mini","input":"{t}"}"#, &[], Makes(Response)),
    post(
        2,
        RESPONSES,
        r#"{"model":"gpt-4o-mini","input":"{t}","previous_response_id":"{1}"}"#,
        &[Response],
        Makes(Response),
    ),
    post(1, RESPONSES, SEARCHING, &[Store], Tries),
    post(1, RESPONSES, READING, &[File], Tries),
    get(3, "/v1/responses/{1}", &[Response], Reads),
    get(2, "/v1/responses/{1}/input_items", &[Response], Reads),
    post(1, "/v1/responses/{1}/cancel", "", &[Response], Tries),
    delete(2, "/v1/responses/{1}", &[Response], Ends(Response)),
    // The rest.
    post(1, "/v1/embeddings", r#"{"model":"{1}","input":"{t}"}"#, &[Model], Tries),
];

const UPLOAD: &str = r#"{"purpose":"user_data","filename":"x.txt","bytes":10,"mime_type":"text/plain"}"#;
const BATCH: &str = r#"{"input_file_id":"{1}","endpoint":"/v1/chat/completions","completion_window":"24h"}"#;
const ATTACHED: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":[{"type":"text","text":"{t}"},{"type":"file","file":{"file_id":"{1}"}}]}]}"#;
const SEARCHING: &str = r#"{"model":"gpt-4o-mini","input":"{t}","store":false,"tools":[{"type":"file_search","vector_store_ids":["{1}"]}]}"#;
const READING: &str = r#"{"model":"gpt-4o-mini","store":false,"input":[{"role":"user","content":[{"type":"input_file","file_id":"{1}"}]}]}"#;

impl Verb {
    /// The request with these ids.
    pub(crate) fn ask(&self, ids: &[String], text: &str, query: &str) -> Ask {
        let fill = |template: &str| {
            let mut filled = template.replace("{t}", text);
            for (id, place) in ids.iter().zip(["{1}", "{2}"]) {
                filled = filled.replace(place, id);
            }
            filled
        };
        let target = fill(self.target) + query;
        if self.body.is_empty() {
            return Ask { method: self.method, target, kind: None, body: Vec::new() };
        }
        let (kind, body) = match self.body.split_once('|') {
            Some((purpose, name)) => (FORM, form(purpose, name, text)),
            None => ("application/json", fill(self.body).into_bytes()),
        };
        Ask { method: self.method, target, kind: Some(kind), body }
    }
}

const FORM: &str = "multipart/form-data; boundary=cut-here";

/// A file for a purpose, or without one a part of a file.
fn form(purpose: &str, name: &str, text: &str) -> Vec<u8> {
    let message = format!(r#"{{"role":"user","content":"{text}"}}"#);
    let content = match purpose {
        "fine-tune" => {
            format!("{{\"messages\":[{message},{{\"role\":\"assistant\",\"content\":\"yes\"}}]}}\n")
        }
        "batch" => format!(
            "{{\"custom_id\":\"1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{{\"model\":\"gpt-4o-mini\",\"messages\":[{message}]}}}}\n"
        ),
        "" => "0123456789".to_owned(),
        _ => format!("{text}\n"),
    };
    let head = |field: &str| format!("--cut-here\r\ncontent-disposition: form-data; name=\"{field}\"");
    let said =
        if purpose.is_empty() { String::new() } else { format!("{}\r\n\r\n{purpose}\r\n", head("purpose")) };
    let field = if purpose.is_empty() { "data" } else { "file" };
    format!("{said}{}; filename=\"{name}\"\r\n\r\n{content}\r\n--cut-here--\r\n", head(field)).into_bytes()
}
