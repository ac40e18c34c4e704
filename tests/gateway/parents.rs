//! APIs whose ids are numbers, whose resources live in one another, and whose lists are counted: a board has cards, and
//! whoever owns the board owns them, though no call of theirs made them.

use std::sync::Mutex;

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::{Arrived, Step, answer, json as reply};
use super::kit::values::{FORM, form};
use super::kit::{Answer, Ask};

/// An API of boards and cards.
const PROFILE: &str = r"optional_slash: true
kinds:
  board: {numeric: true, not_found: {message: Not found.}}
  card: {numeric: true, not_found: {message: Not found.}}
  shelf: {numeric: true, not_found: {message: Not found.}}
  receipt: {owned: ['[A-Za-z0-9]{22}'], not_found: {message: Not found.}}
  folder:
    of_tenant: '(?:/[^/.][^/]*)*?/tenants/(?<tenant>[^/.][^/]*)(?:/[^/.][^/]*)*'
    not_found: {message: Not found.}
operations:
  createBoard:
    match: POST /boards/
    request: json
    creates: [{kind: board, at: [/id], required: true}]
  listBoards:
    match: GET /boards/
    query: [page]
    only: {kind: board, query: ids, none: '0', at_most: 3}
    shows: [{kind: board, at: ['/results/*/id'], required: true}]
    response_edits: [{at: [/next], do: rebase}]
  readBoard:
    match: GET /boards/{id}
    uses: [{kind: board, path: id}]
    shows: [{kind: board, at: [/id], required: true}]
  sweepBoards:
    match: DELETE /boards/
    request: json
    uses: [{kind: board, json: ['/ids/*'], access: change}]
  fillBoard:
    match: POST /boards/{id}/cards
    request: json
    uses: [{kind: board, path: id}, {kind: card, json: ['/*/after']}]
    yields: [{kind: card, at: ['/ids/*'], lives_in: id}]
  uploadCards:
    match: POST /boards/{id}/cards
    request: {multipart: [{name: file, content: file, required: true}]}
    uses: [{kind: board, path: id}]
  listCards:
    match: GET /cards/
    query: [page]
    uses: [{kind: board, query: board}, {kind: card, query: card}]
    one_of: [board, card]
    yields: [{kind: card, at: ['/cards/*/id'], required: true, lives_in: board}]
    shows: [{kind: board, at: ['/cards/*/board'], required: true}]
  readCard:
    match: GET /cards/{id}/
    uses: [{kind: card, path: id}]
  createShelf:
    match: POST /shelves
    request: json
    uses: [{kind: folder, json: [/path], required: true}]
    creates: [{kind: shelf, at: [/id], required: true}]
  listShelves:
    match: GET /shelves
    list: {kind: shelf, items: /results, id: /id, pages: {offset: offset, size: limit, total: count, default: 2, max: 3}}
  readShelf:
    match: GET /shelves/{id}
    uses: [{kind: shelf, path: id}]
  upload:
    match: POST /uploads
    request: {multipart: [{name: file, content: file, required: true}]}
    response: id
    creates: [{kind: receipt, at: ['']}]
  readUpload:
    match: GET /uploads/{id}
    uses: [{kind: receipt, path: id}]
";

fn own(profile: &str) -> Own {
    let mut own = Own::new();
    own.profile("boards", profile);
    own.setup.routes = own.setup.routes.replace("api: openai", "api: boards");
    own
}

fn with(script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static) -> Running {
    own(PROFILE).start(script)
}

/// An answer that is an id is shown to no analyser: who wants answers to be seen does not get it unseen.
#[test]
fn an_id_alone_is_an_answer_that_no_analyser_saw() {
    let mut own = own(PROFILE);
    own.setup.more = "analysers: {second: {url: \"https://localhost:1\", ca: ca.pem}}\n".to_owned();
    let wanted =
        |more: &str| format!("censor: {{analyser: {{name: second, response: {{PERSON: redact}}{more}}}}}\n");
    own.acme = own.setup.tenant("acme", &wanted(""));
    own.globex = own.setup.tenant("globex", &wanted(", unanalysed: [upload]"));
    let plain = [("content-type", "text/plain")];
    let running = own.start(move |_| vec![Step::Send(answer(200, &plain, "Abcdefghijklmnopqrstuv"))]);
    let file = Ask::new("POST", "/uploads").typed(FORM, form(&[("file", Some("a.csv"), b"a\nb\n")]));
    running.acme().ask(&file).refused(Reason::UpstreamUninspectable);
    assert_eq!(running.globex().ask(&file).ok().text(), "Abcdefghijklmnopqrstuv");
}

/// `sized_requests`: a file that fits into no memory goes up with its length all the same, and otherwise as it is read.
#[test]
fn a_form_with_a_file_has_a_length_where_the_upstream_needs_one() {
    let body = form(&[("file", Some("a.csv"), "a,b\r\n".repeat(200_000).as_bytes())]);
    let ask = Ask::new("POST", "/uploads").typed(FORM, body.clone());
    let arrived = |profile: &str| {
        let plain = [("content-type", "text/plain")];
        let running =
            own(profile).start(move |_| vec![Step::Send(answer(200, &plain, "Abcdefghijklmnopqrstuv"))]);
        running.acme().ask(&ask).ok();
        running.upstream.one()
    };
    let sized = arrived(&format!("sized_requests: true\n{PROFILE}"));
    assert_eq!(sized.header("content-length"), Some(&*body.len().to_string()));
    assert_eq!(sized.header("transfer-encoding"), None);
    assert_eq!(sized.length, body.len() as u64);
    let flowing = arrived(PROFILE);
    assert_eq!(flowing.header("content-length"), None);
    assert_eq!((flowing.length, &flowing.sha256), (sized.length, &sized.sha256));
}

fn parameter(arrived: &Arrived, name: &str) -> Option<String> {
    let (_, query) = arrived.target().split_once('?')?;
    let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
    Some(pair.replace("%2C", ","))
}

/// The account: boards are numbered as they come, board N has the cards N01 and N02, shelves are numbered too.
#[derive(Default)]
struct Account {
    boards: Vec<u64>,
    shelves: Vec<u64>,
    /// How many shelves were ever made.
    made: u64,
    /// Answers a list as if there were no filter.
    deaf: bool,
}

impl Account {
    fn cards(board: u64) -> Vec<Value> {
        [1, 2].map(|n| json!({"id": board * 100 + n, "board": board})).to_vec()
    }

    fn answer(&mut self, arrived: &Arrived) -> Vec<Step> {
        let target = arrived.target().to_owned();
        let path = target.split('?').next().unwrap();
        let method = arrived.line.split(' ').next().unwrap();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, &*parts) {
            ("POST", ["boards"]) => {
                self.boards.push(self.boards.len() as u64 + 1);
                reply(201, &json!({"id": self.boards.len()}))
            }
            ("GET", ["boards"]) => {
                let ids = parameter(arrived, "ids").unwrap_or_default();
                let ids: Vec<u64> = ids.split(',').filter_map(|id| id.parse().ok()).collect();
                let found: Vec<Value> = self
                    .boards
                    .iter()
                    .filter(|board| self.deaf || ids.is_empty() || ids.contains(board))
                    .map(|board| json!({"id": board}))
                    .collect();
                reply(200, &json!({"count": found.len(), "next": null, "results": found}))
            }
            ("GET", ["boards", id]) => reply(200, &json!({"id": id.parse::<u64>().unwrap()})),
            ("DELETE", ["boards"]) => reply(200, &json!({})),
            ("POST", ["boards", _, "cards"]) => reply(201, &json!({"count": 2})),
            ("GET", ["cards"]) => {
                let board = parameter(arrived, "board").map(|board| board.parse().unwrap());
                reply(200, &json!({"total": 2, "cards": board.map_or_else(Vec::new, Self::cards)}))
            }
            ("GET", ["cards", id]) => reply(200, &json!({"id": id.parse::<u64>().unwrap()})),
            ("POST", ["shelves"]) => {
                self.made += 1;
                self.shelves.push(self.made);
                reply(201, &json!({"id": self.made}))
            }
            ("GET", ["shelves", id]) => {
                let id: u64 = id.parse().unwrap();
                if self.shelves.contains(&id) {
                    reply(200, &json!({"id": id}))
                } else {
                    reply(404, &json!({}))
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

fn running() -> (Running, &'static Mutex<Account>) {
    let account: &'static Mutex<Account> = Box::leak(Box::default());
    (with(move |arrived| account.lock().unwrap().answer(arrived)), account)
}

fn created(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 201, "{answer}");
    answer.value()["id"].as_u64().unwrap()
}

fn made(running: &Running) -> (u64, u64) {
    let board = json!({"title": "x"});
    (created(&running.acme().post("/boards/", &board)), created(&running.globex().post("/boards/", &board)))
}

fn refusals(running: &Running, one: &str, other: &str) {
    let seen = running.upstream.arrived().len();
    let one = running.globex().get(one).refused(Reason::ResourceUnknown);
    assert_eq!(one.comparable(), running.globex().get(other).comparable());
    assert_eq!(running.upstream.arrived().len(), seen, "the upstream was asked");
}

/// What stands in the caller's list, in its count, and in what a caller who has nothing gets.
#[test]
fn a_list_that_the_upstream_filters_is_the_callers_alone_with_one_call() {
    let (running, account) = running();
    let acme = running.acme();
    acme.get("/boards/").ok();
    assert_eq!(running.upstream.one().target(), "/boards/?ids=0");
    let (mine, other) = made(&running);
    let listed = acme.get("/boards/?page=1").ok().value();
    assert_eq!((&listed["count"], &listed["results"]), (&json!(1), &json!([{"id": mine}])));
    let asked = running.upstream.arrived().pop().unwrap();
    assert_eq!(asked.target(), format!("/boards/?page=1&ids={mine}"));
    // A caller may name some: those of others are left out like those that nobody has.
    assert_eq!(acme.get(&format!("/boards/?ids={other},{mine},99")).ok().at("/count"), "1");
    let foreign = running.globex().get(&format!("/boards/?ids={mine}")).ok();
    assert_eq!(running.upstream.arrived().pop().unwrap().target(), "/boards/?ids=0");
    assert_eq!(foreign.comparable(), running.globex().get("/boards/?ids=99").ok().comparable());
    acme.get(&format!("/boards/?ids={mine}&ids={other}")).refused(Reason::QueryAmbiguous);
    acme.get(&format!("/boards/?IDS={other}")).refused(Reason::QueryAmbiguous);
    // Who has more than the filter takes has to name some.
    for _ in 0..3 {
        acme.post("/boards/", &json!({}));
    }
    acme.get("/boards/").refused(Reason::FieldMissing);
    acme.get(&format!("/boards/?ids={mine}")).ok();
    // An upstream that does not filter shows nothing.
    account.lock().unwrap().deaf = true;
    acme.get(&format!("/boards/?ids={mine}")).refused(Reason::UpstreamUnexpected);
}

#[test]
fn what_lives_in_a_resource_is_its_owners_from_the_first_list_on() {
    let (running, _) = running();
    let (mine, other) = made(&running);
    let acme = running.acme();
    acme.get(&format!("/cards/{mine}01/")).refused(Reason::ResourceUnknown);
    let cards = acme.get(&format!("/cards/?board={mine}")).ok().value();
    assert_eq!(cards["cards"].as_array().unwrap().len(), 2);
    acme.get(&format!("/cards/{mine}01/")).ok();
    refusals(&running, &format!("/cards/{mine}01/"), "/cards/9901/");
    refusals(&running, &format!("/cards/?board={mine}"), "/cards/?board=99");
    refusals(
        &running,
        &format!("/cards/?board={other}&card={mine}01"),
        &format!("/cards/?board={other}&card=9"),
    );
    // Without a parent the account's cards would be meant.
    acme.get("/cards/").refused(Reason::FieldMissing);
    acme.get("/cards/?page=1").refused(Reason::FieldMissing);
    acme.get(&format!("/cards/?card={mine}02")).ok();
    acme.get("/cards/?board=01").refused(Reason::ResourceUnknown);
}

/// Many a server takes the keys of an object, or the letters of a text, for the elements of a list.
#[test]
fn ids_in_a_list_stand_in_a_list() {
    let (running, _) = running();
    for _ in 0..6 {
        made(&running);
    }
    let sweep = |ids: &Value| {
        let body = json!({"ids": ids}).to_string();
        running.globex().ask(&Ask::new("DELETE", "/boards/").typed("application/json", body))
    };
    // The boards with even numbers are theirs.
    for ids in [json!([2, "4"]), json!([]), Value::Null, json!([12])] {
        sweep(&ids).ok();
    }
    let seen = running.upstream.arrived().len();
    let never = sweep(&json!([99])).refused(Reason::ResourceUnknown);
    for ids in [
        json!({"1": 2}),
        json!({"2": 2}),
        json!("12"),
        json!(12),
        json!(true),
        json!([[1]]),
        json!([{"1": 2}]),
    ] {
        let refused = sweep(&ids).refused(Reason::ResourceUnknown);
        assert_eq!(refused.comparable(), never.comparable(), "{ids}");
    }
    assert_eq!(running.upstream.arrived().len(), seen, "the upstream was asked");
}

/// A slash at the end makes no difference, and the body says which of two calls of one path is meant.
#[test]
fn a_path_has_one_meaning_with_and_without_a_slash_and_one_for_each_body() {
    let (running, _) = running();
    let (mine, other) = made(&running);
    let acme = running.acme();
    for path in [format!("/boards/{mine}"), format!("/boards/{mine}/")] {
        acme.get(&path).ok();
        assert_eq!(running.upstream.arrived().pop().unwrap().target(), path);
        refusals(&running, &path, "/boards/99/");
    }
    acme.get(&format!("/boards/{mine}//")).refused(Reason::PathNotCanonical);
    let path = format!("/boards/{mine}/cards");
    assert_eq!(acme.post(&path, &json!([{"text": "x"}])).status, 201);
    assert_eq!(
        acme.ask(&Ask::new("POST", &*path).typed(FORM, form(&[("file", Some("a.csv"), b"a\nb\n")]))).status,
        201
    );
    assert_eq!(acme.post(&path, &json!([{"after": other}])).status, 404);
    acme.ask(&Ask::new("POST", &*path).typed("text/csv", "a\nb\n")).refused(Reason::BodyTypeMismatch);
}

#[test]
fn an_id_that_names_its_tenant_is_that_tenants() {
    let (running, _) = running();
    let acme = running.acme();
    for path in ["/srv/tenants/acme", "/srv/tenants/acme/a b/c", "/tenants/acme/tenants/globex"] {
        assert_eq!(acme.post("/shelves", &json!({"path": path})).status, 201, "{path}");
    }
    let seen = running.upstream.arrived().len();
    for path in [
        "/srv/tenants/globex",
        "/srv/tenants/globex/tenants/acme",
        "/srv/tenants/acme/../globex",
        "/srv/tenants/acme2",
        "/srv/tenants/acme/.hidden",
        "/srv/tenants/acme//etc",
        "/srv/tenants",
        "/",
    ] {
        let refused = acme.post("/shelves", &json!({"path": path})).refused(Reason::ResourceUnknown);
        assert_eq!(refused.comparable(), acme.post("/shelves", &json!({"path": "/none"})).comparable());
    }
    acme.post("/shelves", &json!({})).refused(Reason::FieldMissing);
    assert_eq!(running.upstream.arrived().len(), seen);
}

#[test]
fn a_list_that_is_paged_by_numbers_is_counted_as_if_nobody_else_were_there() {
    let (running, account) = running();
    let (acme, globex) = (running.acme(), running.globex());
    let empty = acme.get("/shelves").ok().value();
    assert_eq!(empty, json!({"count": 0, "next": null, "previous": null, "results": []}));
    let shelf = |name: &str| json!({"path": format!("/tenants/{name}")});
    for _ in 0..5 {
        created(&acme.post("/shelves", &shelf("acme")));
        created(&globex.post("/shelves", &shelf("globex")));
    }
    let before = running.upstream.arrived().len();
    let page = acme.get("/shelves").ok().value();
    assert_eq!(page["results"], json!([{"id": 9}, {"id": 7}]));
    assert_eq!((&page["count"], &page["previous"]), (&json!(5), &Value::Null));
    assert_eq!(running.upstream.arrived().len() - before, 2, "a page costs as many calls as it has items");
    let next = page["next"].as_str().unwrap().to_owned();
    assert!(next.ends_with("/shelves?limit=2&offset=2"), "{next}");
    let next = &next[next.find("/shelves").unwrap()..];
    let second = acme.get(next).ok().value();
    assert_eq!(second["results"], json!([{"id": 5}, {"id": 3}]));
    assert!(second["previous"].as_str().unwrap().ends_with("limit=2&offset=0"), "{second}");
    let last = acme.get("/shelves?limit=100&offset=3").ok().value();
    assert_eq!((&last["results"], &last["next"]), (&json!([{"id": 3}, {"id": 1}]), &Value::Null));
    assert_eq!(acme.get("/shelves?offset=50").ok().at("/count"), "5");
    // What the upstream no longer has is neither listed nor counted.
    account.lock().unwrap().shelves.retain(|id| *id != 9);
    let page = acme.get("/shelves").ok().value();
    assert_eq!((&page["count"], &page["results"]), (&json!(4), &json!([{"id": 7}, {"id": 5}])));
    // However many are gone, what is left is found, and a page says whether more follows.
    account.lock().unwrap().shelves.retain(|id| *id != 7 && *id != 5);
    let page = acme.get("/shelves?limit=1").ok().value();
    assert_eq!((&page["count"], &page["results"]), (&json!(2), &json!([{"id": 3}])));
    assert!(page["next"].as_str().unwrap().ends_with("limit=1&offset=1"), "{page}");
    for query in ["limit=0", "limit=x", "offset=-1", "limit=1&limit=2"] {
        acme.get(&format!("/shelves?{query}")).refused(Reason::QueryAmbiguous);
    }
    for query in ["name=x", "sort=x"] {
        acme.get(&format!("/shelves?{query}")).refused(Reason::FieldNotAllowed);
    }
}

#[test]
fn a_page_walks_over_what_is_gone_upstream() {
    let (running, account) = running();
    let acme = running.acme();
    for _ in 0..5 {
        created(&acme.post("/shelves", &json!({"path": "/tenants/acme"})));
    }
    account.lock().unwrap().shelves.retain(|id| *id < 3);
    let page = acme.get("/shelves").ok().value();
    assert_eq!(page["results"], json!([{"id": 2}, {"id": 1}]));
    assert_eq!((&page["count"], &page["next"]), (&json!(2), &Value::Null));
    for _ in 0..250 {
        created(&acme.post("/shelves", &json!({"path": "/tenants/acme"})));
    }
    account.lock().unwrap().shelves.retain(|id| *id == 1);
    let before = running.upstream.arrived().len();
    acme.get("/shelves").refused(Reason::Overloaded);
    assert_eq!(running.upstream.arrived().len() - before, 200);
    let page = acme.get("/shelves").ok().value();
    assert_eq!((&page["count"], &page["results"]), (&json!(1), &json!([{"id": 1}])));
    assert_eq!(running.upstream.arrived().len() - before, 252, "none was asked for twice");
}

/// An answer of another shape, or with what is somebody else's, is not passed on, and nothing in it becomes anybody's.
#[test]
fn an_answer_that_the_profile_does_not_expect_is_not_passed_on() {
    let next: &'static Mutex<Vec<Value>> = Box::leak(Box::default());
    let running = with(move |arrived| match next.lock().unwrap().pop() {
        Some(body) => reply(200, &body),
        None if arrived.target() == "/uploads" => {
            vec![Step::Send(answer(200, &[("content-type", "text/plain")], "Abcdefghijklmnopqrstuv"))]
        }
        None => reply(200, &json!({"id": 7})),
    });
    let (acme, globex) = (running.acme(), running.globex());
    let board = |id: u64| next.lock().unwrap().push(json!({"id": id}));
    board(1);
    acme.post("/boards/", &json!({})).ok();
    board(2);
    globex.post("/boards/", &json!({})).ok();
    let card = |id: u64, board: u64| json!({"id": id, "board": board});
    for (answered, why) in [
        (json!([card(5, 1)]), "another root"),
        (json!({"items": [card(5, 1)]}), "another member"),
        (json!({"cards": null}), "nothing that holds the items"),
        (json!({"cards": [card(5, 1), {"board": 1}]}), "an item without an id"),
        (json!({"cards": [card(5, 1), {"id": null, "board": 1}]}), "an item whose id is null"),
        (json!({"cards": [card(5, 1), {"id": {"n": 6}, "board": 1}]}), "an item whose id is none"),
        (json!({"cards": [card(5, 1), {"id": 6}]}), "an item of nothing"),
        (json!({"cards": [card(5, 1), card(6, 2)]}), "an item of somebody else's board"),
        (json!({"cards": [card(5, 1), card(6, 3)]}), "an item of nobody's board"),
        (json!({"cards": [card(5, 1), 6]}), "an item that is none"),
    ] {
        next.lock().unwrap().push(answered);
        let refused = acme.get("/cards/?board=1");
        assert_eq!(refused.status, 502, "{why}: {refused}");
        refused.refused(Reason::UpstreamUnexpected);
        acme.get("/cards/5/").refused(Reason::ResourceUnknown);
    }
    // What is made without an id is not told.
    for answered in [json!({}), json!({"id": null}), json!([{"id": 9}]), json!({"id": {"id": 9}})] {
        next.lock().unwrap().push(answered);
        acme.post("/boards/", &json!({})).refused(Reason::UpstreamUnexpected);
    }
    board(2);
    acme.get("/boards/1").refused(Reason::UpstreamUnexpected);
    // An answer that is an id.
    let file = Ask::new("POST", "/uploads").typed(FORM, form(&[("file", Some("a.csv"), b"a\nb\n")]));
    let id = acme.ask(&file).ok().text();
    acme.get(&format!("/uploads/{id}")).ok();
    let foreign = globex.get(&format!("/uploads/{id}")).refused(Reason::ResourceUnknown);
    assert_eq!(foreign.comparable(), globex.get("/uploads/Zbcdefghijklmnopqrstuv").comparable());
    // Twice the same one: it stays its owner's.
    globex.ask(&file).refused(Reason::UpstreamUnexpected);
    acme.get(&format!("/uploads/{id}")).ok();
    next.lock().unwrap().push(json!("no id"));
    acme.ask(&file).refused(Reason::UpstreamUnexpected);
}
