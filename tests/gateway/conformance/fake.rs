//! A deployment that is none: an API of notes that answers as a gateway should, but for what a test changes. Walks over it
//! are short.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use consentry::catalog::Catalog;
use consentry::names::Kind;
use consentry::reason::{Reason, Refusal};
use serde_json::json;

use super::super::kit::Setup;
use super::super::kit::process::Process;
use super::super::kit::tls::Valid;
use super::super::kit::upstream::{Arrived, Step, Upstream, answer, json};
use super::{Said, started};

/// The profile that it is walked by. Notes are deleted; a run can only be stopped, and nothing ends a pin.
const PROFILE: &str = r#"
profile: notes
kinds:
  note: {owned: ['note_[a-z0-9]{12}'], not_found: {message: No such note.}}
  run: {owned: ['run_[a-z0-9]{12}'], not_found: {message: No such run.}}
  pin: {owned: ['pin_[a-z0-9]{12}'], not_found: {message: No such pin.}}
headers:
  request: {pass: [accept, content-type], others: drop}
  response: {pass: [content-type], others: drop}
errors:
  content_type: application/json
  body: {message: $message, code: $code}
  event: {message: $message, code: $code}
  types: {default: error}
  own_words: [403]
  request_id: x-request-id
operations:
  listNotes: {match: GET /v1/notes, list: {kind: note, items: /data, id: /id}}
  createNote: {match: POST /v1/notes, request: json, creates: [{kind: note, at: [/id], undo: deleteNote}]}
  getNote: {match: 'GET /v1/notes/{note_id}', uses: [{kind: note, path: note_id}]}
  deleteNote: {match: 'DELETE /v1/notes/{note_id}', uses: [{kind: note, path: note_id}], ends: note_id}
  copyNote:
    match: POST /v1/notes/{note_id}/copy
    uses: [{kind: note, path: note_id}]
    creates: [{kind: note, at: [/id], undo: deleteNote}]
  createRun: {match: POST /v1/runs, request: json, creates: [{kind: run, at: [/id], undo: stopRun}]}
  getRun: {match: 'GET /v1/runs/{run_id}', uses: [{kind: run, path: run_id}]}
  stopRun: {match: 'POST /v1/runs/{run_id}/stop', uses: [{kind: run, path: run_id}]}
  createPin: {match: POST /v1/pins, request: json, creates: [{kind: pin, at: [/id]}]}
  getPin: {match: 'GET /v1/pins/{pin_id}', uses: [{kind: pin, path: pin_id}]}
"#;

/// A call as a test sees it.
pub(super) struct Passing<'p> {
    pub(super) by_b: bool,
    /// `POST /v1/notes`.
    pub(super) line: &'p str,
    /// What it names is there, and the caller's.
    pub(super) known: bool,
}

/// What a test does to an answer.
pub(super) enum Then {
    /// Nothing.
    As,
    /// It goes through, whoever asks.
    Served,
    /// Another status, and nothing else.
    Status(u16),
    /// The call is carried out, and these come before its answer.
    After(Vec<Step>),
}

/// The things that are there: whose, and their paths.
type Things = Arc<Mutex<Vec<(bool, String)>>>;

/// The deployment and who walks it.
pub(super) struct Fake {
    setup: Setup,
    port: u16,
    things: Things,
    upstream: Upstream,
}

/// What was made before.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Below this path nothing is answered.
pub(super) const CUT: &str = "/cut";

impl Fake {
    /// With one route at `/`, and these beside it.
    pub(super) fn start(more: &[&str], then: impl Fn(&Passing<'_>) -> Then + Send + Sync + 'static) -> Self {
        let mut setup = Setup::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        setup.upstreams = "  notes: {url: \"https://localhost:1\", ca: ca.pem}\n".to_owned();
        for (nth, path) in ["/"].iter().chain(more).enumerate() {
            setup
                .routes
                .push_str(&format!("  - {{name: notes{nth}, path: {path}, upstream: notes, api: notes}}\n"));
        }
        std::fs::create_dir(setup.config().join("apis")).unwrap();
        setup.file("apis/notes.yaml", PROFILE);
        let (a, b) = (setup.tenant("acme", ""), setup.tenant("globex", ""));
        setup.file("a.key", &a.key);
        setup.file("b.key", &b.key);
        setup.write();
        let things = Things::default();
        let leaf = setup.authority.leaf(&["localhost"], Valid::Now);
        let upstream = Upstream::start(
            listener,
            leaf.server(),
            script(format!("Bearer {}", b.key), Arc::clone(&things), then),
        );
        Self { setup, port, things, upstream }
    }

    /// Begins a walk.
    pub(super) fn walk(&self, more: &[&str]) -> Process {
        started(&self.setup.config(), self.port, &[&["--wait", "0"], more].concat())
    }

    /// Walks it.
    pub(super) fn walked(&self, more: &[&str]) -> Said {
        Said::of(&mut self.walk(more))
    }

    /// What is there, by its path.
    pub(super) fn there(&self) -> Vec<String> {
        self.things.lock().unwrap().iter().map(|(_, path)| path.clone()).collect()
    }

    /// How many calls came, but for those of the route that gives no answer.
    pub(super) fn answered(&self) -> usize {
        self.upstream.arrived().iter().filter(|arrived| !arrived.target().starts_with(CUT)).count()
    }
}

fn script(b: String, things: Things, then: impl Fn(&Passing<'_>) -> Then) -> impl Fn(&Arrived) -> Vec<Step> {
    let catalog = Catalog::parse("notes.yaml", PROFILE).unwrap();
    move |arrived| {
        if arrived.target().starts_with(CUT) {
            return vec![Step::Cut];
        }
        let by_b = arrived.header("authorization") == Some(&b);
        let line = arrived.line.trim_end_matches(" HTTP/1.1");
        let (method, path) = line.split_once(' ').unwrap();
        let (kinds, rest) = path.trim_start_matches("/v1/").split_once('/').unwrap_or((&path[4..], ""));
        let kind = kinds.trim_end_matches('s');
        let one = path.trim_end_matches("/copy").trim_end_matches("/stop").to_owned();
        let mut things = things.lock().unwrap();
        let known = rest.is_empty() || things.contains(&(by_b, one.clone()));
        let (goes, mut steps) = match then(&Passing { by_b, line, known }) {
            Then::As => (known, Vec::new()),
            Then::Served => (true, Vec::new()),
            Then::Status(status) => return json(status, &json!({})),
            Then::After(steps) => (known, steps),
        };
        let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let body = match method {
            _ if !goes => {
                let refusal = Refusal::new(Reason::ResourceUnknown);
                let unknown = catalog.error(&refusal, "", Some(&Kind::new(kind)));
                let status = unknown.status.as_u16();
                steps.push(Step::Send(answer(status, &[("content-type", "application/json")], unknown.body)));
                return steps;
            }
            "DELETE" => {
                things.retain(|(_, path)| *path != one);
                json!({})
            }
            "POST" if !path.ends_with("/stop") => {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let made = format!("/v1/{kinds}/{kind}_{number:012}");
                things.push((by_b, made.clone()));
                json!({"id": id(&made)})
            }
            "GET" if rest.is_empty() => {
                let own = things.iter().filter(|(by, path)| *by == by_b && path.starts_with(&one));
                json!({"data": own.map(|(_, path)| json!({"id": id(path)})).collect::<Vec<_>>()})
            }
            _ => json!({"id": id(&one)}),
        };
        steps.extend(json(200, &body));
        steps
    }
}
