//! An upstream account in the test's own hands: files, vector stores and assistants, jobs and their results, boards in numbered
//! pages and racks that a filter makes a tenant's, which it makes, lists, shows and deletes as APIs do. It knows who made what by the name that the maker gave it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::upstream::{Arrived, Step, json as reply};

/// The profile of the account, small: a gateway that is started forty times is soon there.
pub(crate) const PROFILE: &str = r"kinds:
  file: {owned: ['file-[0-9]{22}'], not_found: {message: No such File.}}
  vector_store: {owned: ['vs_[0-9]{22}'], not_found: {message: No such store.}}
  assistant: {owned: ['asst_[0-9]{22}'], not_found: {message: No such assistant.}}
  ticket: {owned: ['[a-z0-9]{1,64}'], not_found: {message: No such ticket.}}
  job: {owned: ['job_[0-9]{22}'], not_found: {message: No such job.}}
  result: {owned: ['res_[0-9]{22}'], not_found: {message: No such result.}}
  board: {owned: ['brd_[0-9]{22}'], not_found: {message: No such board.}}
  rack: {owned: ['rck_[0-9]{22}'], not_found: {message: No such rack.}}
operations:
  createFile:
    match: POST /v1/files
    request: {multipart: [{name: file, content: file, required: true}, {name: purpose, content: deciding, required: true}]}
    creates: [{kind: file, at: [/id], undo: deleteFile, label: {form: purpose}}]
  listFiles:
    match: GET /v1/files
    list: {kind: file, items: /data, id: /id, cursor: {by: [after], ends: true, default: 20, max: 100}}
  retrieveFile:
    match: GET /v1/files/{file_id}
    uses: [{kind: file, path: file_id}]
  deleteFile:
    match: DELETE /v1/files/{file_id}
    uses: [{kind: file, path: file_id}]
    ends: file_id
  createStore:
    match: POST /v1/vector_stores
    request: json
    uses: [{kind: file, json: [/train_on], labels: [fine-tune]}]
    creates: [{kind: vector_store, at: [/id], undo: deleteStore}]
  listStores:
    match: GET /v1/vector_stores
    list: {kind: vector_store, items: /data, id: /id, cursor: {by: [after], ends: true, default: 20, max: 100}}
  getStore:
    match: GET /v1/vector_stores/{id}
    uses: [{kind: vector_store, path: id}]
  deleteStore:
    match: DELETE /v1/vector_stores/{id}
    uses: [{kind: vector_store, path: id}]
    ends: id
  createAssistant:
    match: POST /v1/assistants
    request: json
    creates: [{kind: assistant, at: [/id], undo: deleteAssistant}]
  listAssistants:
    match: GET /v1/assistants
    list: {kind: assistant, items: /data, id: /id, cursor: {by: [after], ends: true, default: 20, max: 100}}
  getAssistant:
    match: GET /v1/assistants/{id}
    uses: [{kind: assistant, path: id}]
  deleteAssistant:
    match: DELETE /v1/assistants/{id}
    uses: [{kind: assistant, path: id}]
    ends: id
  createPair:
    match: POST /v1/pairs
    request: json
    creates: [{kind: ticket, at: [/ticket]}, {kind: assistant, at: [/id], undo: deleteAssistant}]
  createJob:
    match: POST /v1/jobs
    request: json
    creates: [{kind: job, at: [/id]}]
  listJobs:
    match: GET /v1/jobs
    list: {kind: job, items: /data, id: /id, cursor: {by: [after_id], ends: true, default: 20, max: 100}}
    yields: [{kind: result, at: ['/data/*/result']}]
  getJob:
    match: GET /v1/jobs/{id}
    uses: [{kind: job, path: id}]
    yields: [{kind: result, at: [/result]}]
  createResult:
    match: POST /v1/results
    request: json
    creates: [{kind: result, at: [/id], undo: deleteResult, label: {json: /purpose}}]
  listResults:
    match: GET /v1/results
    list: {kind: result, items: /data, id: /id, cursor: {by: [after], ends: true, default: 20, max: 100}}
  getResult:
    match: GET /v1/results/{id}
    uses: [{kind: result, path: id}]
  deleteResult:
    match: DELETE /v1/results/{id}
    uses: [{kind: result, path: id}]
    ends: id
  createBoard:
    match: POST /v1/boards
    request: json
    creates: [{kind: board, at: [/id], undo: deleteBoard}]
  listBoards:
    match: GET /v1/boards
    list: {kind: board, items: /results, id: /id, pages: {number: page, size: size, total: count, default: 5, max: 100}}
  getBoard:
    match: GET /v1/boards/{id}
    uses: [{kind: board, path: id}]
  deleteBoard:
    match: DELETE /v1/boards/{id}
    uses: [{kind: board, path: id}]
    ends: id
  createRack:
    match: POST /v1/racks
    request: json
    creates: [{kind: rack, at: [/id], undo: deleteRack}]
  listRacks:
    match: GET /v1/racks
    query: [page, page_size]
    only: {kind: rack, query: ids, none: rck_0000000000000000000000, at_most: 100}
    shows: [{kind: rack, at: ['/results/*/id'], required: true}]
  getRack:
    match: GET /v1/racks/{id}
    uses: [{kind: rack, path: id}]
  deleteRack:
    match: DELETE /v1/racks/{id}
    uses: [{kind: rack, path: id}]
    ends: id
  createTicket:
    match: POST /v1/tickets
    request: json
    creates: [{kind: ticket, at: [/id]}]
  getTicket:
    match: GET /v1/tickets/{id}
    uses: [{kind: ticket, path: id}]
";

/// What somebody made.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    /// The collection's path: `files`.
    pub(crate) of: &'static str,
    pub(crate) id: String,
    /// The name that its maker gave it.
    pub(crate) name: String,
    pub(crate) shown: Value,
}

/// The account. Its clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Shop(Arc<Mutex<(u64, Vec<Thing>)>>);

const COLLECTIONS: [(&str, &str, &str); 7] = [
    ("files", "file", "file-"),
    ("vector_stores", "vector_store", "vs_"),
    ("assistants", "assistant", "asst_"),
    ("jobs", "job", "job_"),
    ("results", "result", "res_"),
    ("boards", "board", "brd_"),
    ("racks", "rack", "rck_"),
];

impl Shop {
    pub(crate) fn things(&self) -> Vec<Thing> {
        self.0.lock().unwrap().1.clone()
    }

    /// Makes something past the gateway.
    pub(crate) fn make(&self, of: &'static str, name: &str, more: &Value) -> String {
        let (_, object, prefix) = COLLECTIONS.into_iter().find(|(path, ..)| *path == of).unwrap();
        let mut shop = self.0.lock().unwrap();
        shop.0 += 1;
        let id = format!("{prefix}{:022}", shop.0);
        let now = jiff::Timestamp::now().as_second();
        let mut shown =
            json!({"id": id, "object": object, "created_at": now, "name": name, "filename": name});
        for (key, value) in more.as_object().unwrap() {
            shown[key] = value.clone();
        }
        shop.1.push(Thing { of, id: id.clone(), name: name.to_owned(), shown });
        id
    }

    /// Changes what is shown of something.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let mut shop = self.0.lock().unwrap();
        change(&mut shop.1.iter_mut().find(|thing| thing.id == id).unwrap().shown);
    }

    /// Whether something is there.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.things().iter().any(|thing| thing.id == id)
    }

    /// Answers as the API does.
    pub(crate) fn answer(&self, up: &Arrived) -> Vec<Step> {
        let (path, query) = up.target().split_once('?').unwrap_or((up.target(), ""));
        let mut parts = path.trim_start_matches("/v1/").split('/');
        let of = parts.next().unwrap();
        if up.line.starts_with("POST /v1/pairs") {
            let id = self.make("assistants", "pair", &json!({}));
            return reply(200, &json!({"id": id, "ticket": "t1"}));
        }
        let Some((of, object, _)) = COLLECTIONS.into_iter().find(|(known, ..)| *known == of) else {
            return reply(404, &json!({"error": {"message": "unknown"}}));
        };
        let id = parts.next();
        match (up.line.split(' ').next().unwrap(), id) {
            ("POST", None) => {
                let (name, more) = said(up);
                let id = self.make(of, &name, &more);
                reply(200, &self.things().into_iter().find(|thing| thing.id == id).unwrap().shown)
            }
            ("GET", None) => reply(200, &self.list(of, query)),
            ("GET", Some(id)) => match self.things().into_iter().find(|thing| thing.id == id) {
                Some(thing) => reply(200, &thing.shown),
                None => reply(404, &json!({"error": {"message": "gone"}})),
            },
            ("DELETE", Some(id)) => {
                self.0.lock().unwrap().1.retain(|thing| thing.id != id);
                reply(200, &json!({"id": id, "object": format!("{object}.deleted"), "deleted": true}))
            }
            _ => reply(405, &json!({"error": {"message": "not here"}})),
        }
    }

    fn list(&self, of: &str, query: &str) -> Value {
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let mut all: Vec<Value> =
            self.things().into_iter().filter(|thing| thing.of == of).map(|thing| thing.shown).collect();
        all.reverse();
        if ["boards", "racks"].contains(&of) {
            return numbered(&all, value("page"), of == "racks");
        }
        if let Some(after) = value("after").or_else(|| value("after_id")) {
            let decoded = percent_encoding::percent_decode_str(after).decode_utf8().unwrap();
            let at = all.iter().position(|item| item["id"] == *decoded).map_or(all.len(), |at| at + 1);
            all.drain(..at);
        }
        // Small pages, whatever is asked for: every walk turns one.
        let limit = value("limit").map_or(20, |limit| limit.parse().unwrap()).min(7);
        let more = all.len() > limit;
        all.truncate(limit);
        let end = |item: Option<&Value>| item.map_or(Value::Null, |item| item["id"].clone());
        let (first, last) = (end(all.first()), end(all.last()));
        json!({"object": "list", "data": all, "first_id": first, "last_id": last, "has_more": more})
    }
}

/// A page by its number: counted, or with the way to the next one.
fn numbered(all: &[Value], page: Option<&str>, leads: bool) -> Value {
    let page: usize = page.map_or(1, |page| page.parse().unwrap());
    let items = all.chunks(7).nth(page - 1).unwrap_or_default();
    let next = (page * 7 < all.len()).then(|| format!("https://localhost/v1/racks?page={}", page + 1));
    if leads {
        return json!({"results": items, "next": next, "previous": null});
    }
    json!({"results": items, "count": all.len()})
}

/// The name, and what else is shown later, of what is to be made.
fn said(up: &Arrived) -> (String, Value) {
    if up.header("content-type") == Some("application/json") {
        let value = up.value();
        let more = value["purpose"].as_str().map_or(json!({}), |purpose| json!({"purpose": purpose}));
        return (value["name"].as_str().unwrap_or_default().to_owned(), more);
    }
    let text = up.text();
    let between = |before: &str, end: &str| {
        let (_, rest) = text.split_once(before)?;
        Some(rest.split(end).next()?.to_owned())
    };
    let purpose = between("name=\"purpose\"\r\n\r\n", "\r\n").unwrap_or_default();
    let name = between("filename=\"", "\"").unwrap_or_default();
    (name, json!({"purpose": purpose, "bytes": up.length}))
}
