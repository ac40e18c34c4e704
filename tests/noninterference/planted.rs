//! Faults that a gateway could have, planted one at a time: whoever looks for interference has to find them.

use super::calls::Ask;
use super::program::Step;
use super::world::Answer;

/// A fault of the answers, made behind the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// None.
    Nothing,
    /// None here: the profile has one.
    Elsewhere,
    /// A header counts everybody's requests.
    Counter,
    /// What one tenant was answered answers another's equal request.
    Cache,
    /// What somebody has is refused in other words than what nobody has.
    Words,
    /// A list says that more follows where others have more.
    More,
    /// A list says how much there is, of everybody's.
    Total,
}

/// Faults of a profile: what they are called, what stands there, and what takes its place.
pub(crate) const PROFILES: &[(&str, &str, &str)] = &[
    (
        "a list is not filtered",
        "list: {kind: vector_store, items: /data, id: /id, cursor: {by: [after, before], ends: true, default: 20, max: 100}}",
        "query: [after, before, limit, order]",
    ),
    (
        "an id in a path is not looked up",
        "match: GET /v1/files/{file_id}\n    or_purposes: [train, evaluate]\n    uses: [{kind: file, path: file_id}]",
        "match: GET /v1/files/{file_id}\n    or_purposes: [train, evaluate]\n    plain: [file_id]",
    ),
    (
        "what is changed is not looked up",
        "match: POST /v1/vector_stores/{vector_store_id}\n    request: json\n    uses: [{kind: vector_store, path: vector_store_id}]",
        "match: POST /v1/vector_stores/{vector_store_id}\n    request: json\n    plain: [vector_store_id]",
    ),
    (
        "an id in a body is not looked up",
        "    uses: [{kind: file, json: [\"/file_ids/*\"]}]\n    creates: [{kind: vector_store,",
        "    creates: [{kind: vector_store,",
    ),
    (
        "an earlier answer is not looked up",
        "      - {kind: response, json: [/previous_response_id]}\n      # What is said",
        "      # What is said",
    ),
    (
        "a model in a query is not looked up",
        "query: [metadata]\n    uses: [{kind: model, query: model}]",
        "query: [metadata, model]",
    ),
    (
        "an answer tells what others have asked",
        "          - /usage/prompt_tokens_details/cached_tokens\n          - /usage/prompt_tokens_details/cache_write_tokens\n          - /usage/cache_read_input_tokens",
        "          - /usage/prompt_tokens_details/cache_write_tokens\n          - /usage/cache_read_input_tokens",
    ),
    (
        "a list tells what others have asked",
        "      - at: [\"/data/*/usage/prompt_tokens_details/cached_tokens\", \"/data/*/usage/prompt_tokens_details/cache_write_tokens\"]",
        "      - at: [\"/data/*/usage/prompt_tokens_details/cache_write_tokens\"]",
    ),
    ("a header tells how busy the account is", "      - x-ratelimit-*\n", ""),
    (
        "an answer that was kept is not looked up",
        "match: GET /v1/chat/completions/{completion_id}\n    include: [usage]\n    uses: [{kind: chat_completion, path: completion_id}]",
        "match: GET /v1/chat/completions/{completion_id}\n    include: [usage]\n    plain: [completion_id]",
    ),
];

/// A fault at work.
pub(crate) struct Fault {
    planted: Planted,
    served: usize,
    answers: Vec<(String, Vec<u8>, Answer)>,
    ids: Vec<String>,
}

impl Planted {
    pub(crate) fn begin(self) -> Fault {
        Fault { planted: self, served: 0, answers: Vec::new(), ids: Vec::new() }
    }
}

impl Fault {
    /// The answer to a request, made wrong.
    pub(crate) fn answer(&mut self, step: &Step, ask: &Ask, send: impl FnOnce() -> Answer) -> Answer {
        self.served += 1;
        let target = ask.target.clone();
        let known = self.answers.iter().find(|(at, body, _)| *at == target && *body == ask.body);
        if let (Planted::Cache, "GET", Some((_, _, answer))) = (self.planted, ask.method, known) {
            return answer.clone();
        }
        let mut answer = send();
        let mut said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match self.planted {
            Planted::Nothing | Planted::Elsewhere => return answer,
            Planted::Counter => answer.headers.push(("x-served".to_owned(), self.served.to_string())),
            Planted::Cache => self.answers.push((target, ask.body.clone(), answer.clone())),
            Planted::Words => {
                let sent = [target.as_bytes(), &ask.body].concat();
                let named = |id: &String| memchr::memmem::find(&sent, id.as_bytes()).is_some();
                if answer.status == 404 && self.ids.iter().any(named) {
                    answer.headers.push(("x-reason".to_owned(), "not yours".to_owned()));
                }
            }
            Planted::More | Planted::Total => {
                let listed = said["data"].as_array().map_or(0, Vec::len);
                if said["has_more"].is_boolean() {
                    match self.planted {
                        Planted::More if self.ids.len() > listed => said["has_more"] = true.into(),
                        Planted::Total => said["total"] = self.ids.len().into(),
                        _ => {}
                    }
                    answer.body = said.to_string().into_bytes();
                }
            }
        }
        if let (super::calls::Does::Makes(_), 200, Some(id)) =
            (step.verb.does, answer.status, said["id"].as_str())
        {
            self.ids.push(id.to_owned());
        }
        answer
    }
}
