use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;
use http::Method;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::plan::Plans;
use super::*;
use crate::body::Job;
use crate::catalog::{Catalog, Media};
use crate::censor::{Engine, Exchange, Policy, RuleSet};
use crate::names::{Direction, RouteName};

/// Places of ids in every company: alone, in a list, one or many, one or in an object, and all of that.
const PROFILE: &str = "profile: shapes
headers: {request: {others: drop}, response: {others: drop}}
errors:
  content_type: application/json
  body: {error: $message}
  event: {error: $message}
  types: {default: api_error}
  request_id: x-request-id
kinds:
  thing: {owned: ['[a-z]-[0-9]'], adopted: true, not_found: {message: no}}
operations:
  use:
    match: POST /use
    request: json
    uses:
      - {kind: thing, json: [/one, '/many/*', /either, '/either/*', /held, /held/id, '/held/ids/*', '/all/*', '/all/*/id']}
    needs:
      - {purpose: share, when: {json: /said}}
      - {purpose: store, when: {json: '/listed/*'}}
      - {purpose: train, when: {json: /kind, is: [train]}}
    refuses:
      - {when: {json: /kind, is_not: [train, test]}, because: no kind that is known}
";

static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| {
    let catalog = Catalog::parse("shapes.yaml", PROFILE).unwrap();
    let mut plans = Plans::default();
    let route = RouteName::new("all");
    plans.add(&route, catalog.operations()).unwrap_or_else(|_| panic!("no plan"));
    let found = catalog.recognise_with(&Method::POST, Media::Json, "/use", None).unwrap();
    Arc::clone(plans.get(&route, &found.operation.id).unwrap())
});

static JOB: LazyLock<Job> = LazyLock::new(|| {
    let engine = Engine::compile(&RuleSet::builtin().unwrap(), &Policy::recommended()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a tenant's key");
    Job::new(Arc::new(engine), Exchange::new(Arc::new(key)), Direction::Request)
});

/// Reads a request's body, and asks something of it.
fn of<T>(body: &Json, ask: impl FnOnce(&Seen<'_>) -> T) -> T {
    let facts = crate::body::json::read(&JOB, &PLAN.request, body.to_string().as_bytes()).unwrap();
    let (path, query) = (Params::default(), Params::default());
    let seen = Seen {
        plan: &PLAN,
        path: &path,
        query: &query,
        headers: &HeaderMap::new(),
        json: &facts,
        form: &Facts::default(),
    };
    ask(&seen)
}

/// The ids that are looked up; none where the request is refused.
fn named(body: &Json) -> Option<BTreeSet<String>> {
    of(body, |seen| seen.named().ok().map(|all| all.into_iter().map(|one| one.id).collect()))
}

/// Every text of a value, names of members included: what some server could take for an id.
fn texts(value: &Json, all: &mut BTreeSet<String>) {
    match value {
        Json::String(text) => drop(all.insert(text.clone())),
        Json::Array(elements) => elements.iter().for_each(|element| texts(element, all)),
        Json::Object(members) => {
            for (name, value) in members {
                all.insert(name.clone());
                texts(value, all);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[test]
fn what_stands_for_an_id_is_looked_up_or_refused() {
    let some = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
    for (body, found) in [
        (json!({"one": "a-1", "many": ["b-1", "b-2"], "either": "c-1"}), some(&["a-1", "b-1", "b-2", "c-1"])),
        (json!({"either": ["c-1", "c-2"], "held": "d-1"}), some(&["c-1", "c-2", "d-1"])),
        (json!({"held": {"id": "d-1", "ids": ["d-2"], "type": "auto"}}), some(&["d-1", "d-2"])),
        (json!({"held": {"type": "auto"}, "one": null, "many": null, "either": null}), some(&[])),
        (json!({"all": ["e-1", {"id": "e-2"}]}), some(&["e-1", "e-2"])),
        (json!({"one": ["a-1"]}), None),
        (json!({"one": {"a-1": null}}), None),
        (json!({"many": "b-1"}), None),
        (json!({"many": {"b-1": null}}), None),
        (json!({"many": [["b-1"]]}), None),
        (json!({"many": [{"b-1": null}]}), None),
        (json!({"either": {"c-1": null}}), None),
        (json!({"either": [["c-1"]]}), None),
        (json!({"either": [{"c-1": null}]}), None),
        (json!({"held": ["d-1"]}), None),
        (json!({"held": {"id": ["d-1"]}}), None),
        (json!({"held": {"ids": {"d-1": null}}}), None),
        (json!({"held": {"ids": "d-1"}}), None),
        (json!({"all": {"e-1": null}}), None),
        (json!({"all": [["e-1"]]}), None),
    ] {
        assert_eq!(named(&body), found, "{body}");
    }
}

#[test]
fn a_condition_takes_what_it_can_not_know_for_fulfilled() {
    let asked = |body: Json| of(&body, |seen| seen.purposes());
    for said in [json!({}), json!([]), json!(["x"]), json!({"x": null}), json!("x"), json!(true), json!(0)] {
        assert_eq!(asked(json!({"said": said})), BTreeSet::from([Purpose::Share]), "{said}");
    }
    for said in [json!(null), json!(false)] {
        assert_eq!(asked(json!({"said": said})), BTreeSet::new(), "{said}");
    }
    for listed in [json!(["x"]), json!([["x"]]), json!([{}]), json!({"x": null}), json!("x"), json!(7)] {
        assert_eq!(asked(json!({"listed": listed})), BTreeSet::from([Purpose::Store]), "{listed}");
    }
    for listed in [json!(null), json!([]), json!([null])] {
        assert_eq!(asked(json!({"listed": listed})), BTreeSet::new(), "{listed}");
    }
    let refused = |kind: Json| {
        let when = &PLAN.operation.refuses[0].when;
        of(&json!({"kind": kind}), |seen| seen.holds(when))
    };
    for kind in [json!(["train"]), json!({"train": true}), json!([]), json!("other")] {
        assert!(refused(kind.clone()), "{kind}");
    }
    assert!(!refused(json!("train")) && !refused(json!("test")) && !refused(json!(null)));
}

/// Ids, and what may be around them.
fn shape() -> impl Strategy<Value = Json> {
    let id = || (prop::sample::select(vec!["a", "b", "c"]), 0..3).prop_map(|(l, n)| format!("{l}-{n}"));
    let leaf = prop_oneof![
        4 => id().prop_map(Json::from),
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let name = prop_oneof![2 => id(), 1 => Just("id".to_owned()), 1 => Just("ids".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map(name, inner, 0..3)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever stands at a place of ids: each text in it is looked up, or the request is refused. What an object holds beside
    /// the places that the profile knows is the API's own to refuse.
    #[test]
    fn no_text_at_a_place_of_ids_goes_unlooked(
        place in prop::sample::select(vec!["one", "many", "either", "held", "all"]),
        value in shape(),
    ) {
        if let Some(found) = named(&json!({ place: value })) {
            let mut known = value.clone();
            let objects = match (&mut known, place) {
                (Json::Array(elements), "all") => elements.iter_mut().collect(),
                (whole, "held") => vec![whole],
                _ => Vec::new(),
            };
            for members in objects.into_iter().filter_map(Json::as_object_mut) {
                // Only where the profile has them within: at `held`, and in the elements of `all`.
                members.retain(|name, _| name == "id" || (name == "ids" && place == "held"));
            }
            let mut there = BTreeSet::new();
            texts(&known, &mut there);
            there.retain(|text| text != "id" && text != "ids");
            let all = there.is_subset(&found);
            prop_assert!(all, "{place}: {value} holds {there:?}, and {found:?} are looked up");
        }
    }
}
