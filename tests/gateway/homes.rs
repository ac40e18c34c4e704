//! Where something lives, when what it lives in is shared: the place that the profile names decides, and nobody but the
//! owner adds to it. And answers that say what can't be so: what they tell of is taken back, or not told.

use consentry::names::{Kind, TenantId, UpstreamId};
use consentry::reason::Reason;
use consentry::store::{Audience, Options, Resource, Right, Share, Shared, Shares as _, Sqlite};
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::{Arrived, Step, answer, json as reply};
use super::kit::{Caller, eventually};

/// An API of rooms with pictures in them.
const PROFILE: &str = r"kinds:
  room: {numeric: true, not_found: {message: Not found.}}
  picture: {numeric: true, not_found: {message: Not found.}}
operations:
  createRoom:
    match: POST /rooms
    request: json
    uses: [{kind: picture, json: [/cover]}]
    creates: [{kind: room, at: [/id], required: true, undo: deleteRoom}]
    yields: [{kind: picture, at: [/cover]}]
    refuses: [{when: {json: /key, is: [''], absent: true}, because: It would be the account's own.}]
  readRoom:
    match: GET /rooms/{id}
    uses: [{kind: room, path: id}]
    yields: [{kind: picture, at: [/cover]}]
  deleteRoom:
    match: DELETE /rooms/{id}
    uses: [{kind: room, path: id}]
    response: none
    ends: id
  hang:
    match: POST /pictures
    request: json
    uses: [{kind: room, json: [/room], required: true}, {kind: room, query: room}]
    creates: [{kind: picture, at: [/id], required: true, lives_in: /room, undo: takeDown}]
    shows: [{kind: room, at: [/room], required: true}]
  readPicture:
    match: GET /pictures/{id}
    uses: [{kind: picture, path: id}]
  takeDown:
    match: DELETE /pictures/{id}
    uses: [{kind: picture, path: id}]
    response: none
    ends: id
";

const UPSTREAM: &str = "only";

/// What the account answers: ids as they are asked for, so that a test says what happens.
fn account(arrived: &Arrived) -> Vec<Step> {
    let target = arrived.target().to_owned();
    let path = target.split('?').next().unwrap();
    match (arrived.line.split(' ').next().unwrap(), path) {
        ("POST", _) => {
            let asked = arrived.value();
            let mut said = json!({"id": asked["gets"]});
            for name in ["room", "cover"] {
                if let Some(value) = asked.get(format!("says_{name}")).or(asked.get(name)) {
                    said[name] = value.clone();
                }
            }
            reply(200, &said)
        }
        ("DELETE", _) => vec![Step::Send(answer(204, &[], b""))],
        (_, path) => {
            let id: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
            reply(
                200,
                &json!({"id": id, "cover": if path.starts_with("/rooms") { json!(50) } else { Value::Null }}),
            )
        }
    }
}

fn running() -> Running {
    let mut own = Own::new();
    own.profile("rooms", PROFILE);
    own.setup.routes = own.setup.routes.replace("api: openai", "api: rooms");
    own.start(account)
}

fn share(running: &Running, kind: &str, id: &str, right: Right) {
    let path = running.gateway.setup.config().join("data/consentry.db");
    let store = Sqlite::open(&Options { cache: 0, readers: 1, exclusive: false, ..Options::serving(&path) });
    let share = Share {
        resource: Resource { upstream: UpstreamId::new(UPSTREAM), kind: Kind::new(kind), id: id.to_owned() },
        with: Audience::Tenant(TenantId::new("globex")),
        right,
        until: None,
        recorded_by: "a test".to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(store.unwrap().share(share)).unwrap(), Shared::Recorded);
}

fn room(caller: &Caller<'_>, id: u64) {
    caller.post("/rooms", &json!({"gets": id, "key": "k"})).ok();
}

fn went_up(running: &Running, line: &str) -> bool {
    running.upstream.arrived().iter().any(|arrived| arrived.line.starts_with(line))
}

/// Two rooms are named, and the picture lives in the one that the profile says: the other one's readers don't see it.
#[test]
fn s3_a_share_of_one_room_shows_nothing_of_another_that_was_named_with_it() {
    let running = running();
    let acme = running.acme();
    room(&acme, 1);
    room(&acme, 2);
    share(&running, "room", "1", Right::Read);
    acme.post("/pictures?room=1", &json!({"gets": 50, "room": 2})).ok();
    acme.post("/pictures?room=2", &json!({"gets": 51, "room": 1})).ok();
    let globex = running.globex();
    globex.get("/pictures/50").refused(Reason::ResourceUnknown);
    globex.get("/pictures/51").ok();
}

/// To name a room in a body so that something is hung into it is to add to it, whatever the method says.
#[test]
fn s3_who_may_use_a_room_hangs_nothing_into_it() {
    let running = running();
    room(&running.acme(), 1);
    share(&running, "room", "1", Right::Use);
    let globex = running.globex();
    globex.get("/rooms/1").ok();
    let unknown = globex.post("/pictures", &json!({"gets": 60, "room": 999}));
    let lent = globex.post("/pictures", &json!({"gets": 60, "room": 1})).refused(Reason::ResourceUnknown);
    assert_eq!(lent.comparable(), unknown.comparable());
    assert!(!went_up(&running, "POST /pictures"));
}

/// What is lent and mentioned is its owner's still, and no reason to refuse.
#[test]
fn s3_what_is_lent_can_be_mentioned() {
    let running = running();
    let (acme, globex) = (running.acme(), running.globex());
    room(&acme, 1);
    acme.post("/pictures", &json!({"gets": 50, "room": 1})).ok();
    share(&running, "picture", "50", Right::Use);
    globex.post("/rooms", &json!({"gets": 7, "key": "k", "cover": 50})).ok();
    globex.get("/rooms/7").ok();
    globex.delete("/pictures/50").refused(Reason::ResourceUnknown);
    assert_eq!(acme.delete("/pictures/50").status, 204);
}

/// An answer that can't be passed on made something all the same: that is taken back.
#[test]
fn what_a_refused_answer_made_is_taken_back() {
    let running = running();
    let acme = running.acme();
    room(&acme, 1);
    room(&running.globex(), 2);
    for said in [json!(2), json!(999), Value::Null] {
        let asked = json!({"gets": 70, "room": 1, "says_room": said});
        acme.post("/pictures", &asked).refused(Reason::UpstreamUnexpected);
        acme.get("/pictures/70").refused(Reason::ResourceUnknown);
        eventually(|| went_up(&running, "DELETE /pictures/70"));
    }
}

/// An id that is none of its kind's can't be recorded, so nobody is told it.
#[test]
fn what_has_to_be_an_id_and_is_none_is_not_told() {
    let running = running();
    for id in [json!("abc"), json!("007"), json!("1 or so")] {
        let told = running.acme().post("/rooms", &json!({"gets": id, "key": "k"}));
        told.refused(Reason::UpstreamUnexpected);
    }
}

/// A blank is an empty text to many a reader.
#[test]
fn a_refused_empty_value_is_refused_with_blanks_in_it() {
    let running = running();
    for key in [json!(""), json!(" "), json!("\t\u{a0}\u{1f}"), Value::Null] {
        let asked = json!({"gets": 9, "key": key});
        running.acme().post("/rooms", &asked).refused(Reason::FieldNotAllowed);
    }
    running.acme().post("/rooms", &json!({"gets": 9})).refused(Reason::FieldNotAllowed);
    room(&running.acme(), 9);
}
