//! Every call that names an id of a kind. `ID` stands where it goes, `OWN` is an id of the caller's own.

use serde_json::json;

use super::super::kit::Ask;

/// A call: the kind of the id, the method, the target, and the body as JSON if there is one.
pub(crate) struct Call(pub(crate) &'static str, &'static str, &'static str, &'static str);

impl Call {
    pub(crate) fn ask(&self, id: &str, own: &str) -> Ask {
        let Self(_, method, target, body) = self;
        let target = target.replace("ID", &id.replace(' ', "%20").replace('é', "%C3%A9"));
        if body.is_empty() {
            return Ask::new(method, target);
        }
        let body = body.replace("\"ID\"", &json!(id).to_string()).replace("\"OWN\"", &json!(own).to_string());
        Ask::new(method, target).typed("application/json", body)
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.1, self.2, self.3)
    }
}

const JOBS: &str = "/v1/fine_tuning/jobs";
const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

pub(crate) const CALLS: &[Call] = &[
    Call("file", "GET", "/v1/files/ID", ""),
    Call("file", "GET", "/v1/files/ID/content", ""),
    Call("file", "DELETE", "/v1/files/ID", ""),
    Call("file", "GET", "/v1/files?after=ID", ""),
    Call("file", "POST", JOBS, r#"{"model":"gpt-4o-mini","training_file":"ID"}"#),
    Call("file", "POST", JOBS, r#"{"model":"gpt-4o-mini","training_file":"OWN","validation_file":"ID"}"#),
    Call(
        "file",
        "POST",
        "/v1/batches",
        r#"{"input_file_id":"ID","endpoint":"/v1/embeddings","completion_window":"24h"}"#,
    ),
    Call("file", "POST", "/v1/vector_stores", r#"{"file_ids":["OWN","ID"]}"#),
    Call(
        "file",
        "POST",
        CHAT,
        r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"file","file":{"file_id":"ID"}}]}]}"#,
    ),
    Call(
        "file",
        "POST",
        RESPONSES,
        r#"{"model":"gpt-4o-mini","input":[{"role":"user","content":[{"type":"input_file","file_id":"ID"}]}]}"#,
    ),
    Call(
        "file",
        "POST",
        RESPONSES,
        r#"{"model":"gpt-4o-mini","input":[{"type":"x","deep":[{"er":{"file_id":"ID"}}]}]}"#,
    ),
    Call(
        "file",
        "POST",
        RESPONSES,
        r#"{"model":"gpt-4o-mini","input":"x","tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["OWN","ID"]}}]}"#,
    ),
    Call("job", "GET", "/v1/fine_tuning/jobs/ID", ""),
    Call("job", "GET", "/v1/fine_tuning/jobs/ID/events", ""),
    Call("job", "GET", "/v1/fine_tuning/jobs/ID/checkpoints", ""),
    Call("job", "POST", "/v1/fine_tuning/jobs/ID/cancel", ""),
    Call("job", "POST", "/v1/fine_tuning/jobs/ID/pause", ""),
    Call("job", "POST", "/v1/fine_tuning/jobs/ID/resume", ""),
    Call("job", "GET", "/v1/fine_tuning/jobs?after=ID", ""),
    Call("model", "GET", "/v1/models/ID", ""),
    Call("model", "DELETE", "/v1/models/ID", ""),
    Call("model", "GET", "/v1/chat/completions?model=ID", ""),
    Call("model", "POST", CHAT, r#"{"model":"ID","messages":[{"role":"user","content":"x"}]}"#),
    Call("model", "POST", RESPONSES, r#"{"model":"ID","input":"x"}"#),
    Call("model", "POST", "/v1/completions", r#"{"model":"ID","prompt":"x"}"#),
    Call("model", "POST", "/v1/embeddings", r#"{"model":"ID","input":"x"}"#),
    Call("model", "POST", "/v1/moderations", r#"{"model":"ID","input":"x"}"#),
    Call("model", "POST", JOBS, r#"{"model":"ID","training_file":"OWN"}"#),
    Call("batch", "GET", "/v1/batches/ID", ""),
    Call("batch", "POST", "/v1/batches/ID/cancel", ""),
    Call("batch", "GET", "/v1/batches?after=ID", ""),
    Call("store", "GET", "/v1/vector_stores/ID", ""),
    Call("store", "POST", "/v1/vector_stores/ID", r#"{"name":"mine now"}"#),
    Call("store", "DELETE", "/v1/vector_stores/ID", ""),
    Call("store", "POST", "/v1/vector_stores/ID/search", r#"{"query":"x"}"#),
    Call("store", "POST", "/v1/vector_stores/ID/files", r#"{"file_id":"OWN"}"#),
    Call("store", "GET", "/v1/vector_stores/ID/files", ""),
    Call("store", "GET", "/v1/vector_stores?after=ID", ""),
    Call("store", "GET", "/v1/vector_stores?before=ID", ""),
    Call(
        "store",
        "POST",
        RESPONSES,
        r#"{"model":"gpt-4o-mini","input":"x","tools":[{"type":"file_search","vector_store_ids":["ID"]}]}"#,
    ),
    Call("upload", "POST", "/v1/uploads/ID/complete", r#"{"part_ids":[]}"#),
    Call("upload", "POST", "/v1/uploads/ID/cancel", ""),
    Call("response", "GET", "/v1/responses/ID", ""),
    Call("response", "GET", "/v1/responses/ID?stream=true", ""),
    Call("response", "DELETE", "/v1/responses/ID", ""),
    Call("response", "POST", "/v1/responses/ID/cancel", ""),
    Call("response", "GET", "/v1/responses/ID/input_items", ""),
    Call("response", "POST", RESPONSES, r#"{"model":"gpt-4o-mini","input":"x","previous_response_id":"ID"}"#),
    Call("completion", "GET", "/v1/chat/completions/ID", ""),
    Call("completion", "POST", "/v1/chat/completions/ID", r#"{"metadata":{"a":"b"}}"#),
    Call("completion", "DELETE", "/v1/chat/completions/ID", ""),
    Call("completion", "GET", "/v1/chat/completions/ID/messages", ""),
    Call("completion", "GET", "/v1/chat/completions?after=ID", ""),
];
