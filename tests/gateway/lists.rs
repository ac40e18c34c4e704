//! What a page of a list costs the account, before an upstream that is counted.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::kit::Caller;
use super::kit::own::{Own, Running};
use super::kit::upstream::{Arrived, Step, json as reply};

/// The account's vector stores, oldest first.
type Stores = Arc<Mutex<Vec<String>>>;

/// Makes one, or shows a page of them, the newest first.
fn account(stores: &Stores, arrived: &Arrived) -> Vec<Step> {
    let mut stores = stores.lock().unwrap();
    if arrived.line.starts_with("POST") {
        let id = format!("vs_{:04}", stores.len());
        stores.push(id.clone());
        return reply(200, &store(&id));
    }
    let (path, query) = arrived.target().split_once('?').unwrap();
    assert_eq!(path, "/v1/vector_stores");
    let asked = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let newest: Vec<&String> = stores.iter().rev().collect();
    // The gateway writes an id's `_` as `%5F`.
    let after = asked("after").map(|id| id.replace("%5F", "_"));
    let from = after.map_or(0, |after| newest.iter().position(|id| **id == after).unwrap() + 1);
    let limit: usize = asked("limit").unwrap().parse().unwrap();
    let page: Vec<Value> = newest.iter().skip(from).take(limit).map(|id| store(id)).collect();
    let (first, last) = (page.first().map(|item| &item["id"]), page.last().map(|item| &item["id"]));
    let more = from + page.len() < newest.len();
    reply(200, &json!({"object": "list", "data": page, "first_id": first, "last_id": last, "has_more": more}))
}

fn store(id: &str) -> Value {
    json!({"id": id, "object": "vector_store", "name": "n"})
}

fn make(caller: &Caller<'_>) -> String {
    caller.post("/v1/vector_stores", &json!({"name": "n"})).id()
}

/// A page: its ids, whether there are more, and the limits of the calls that it took.
fn page(running: &Running, query: &str) -> (Vec<String>, bool, Vec<u32>) {
    let before = running.upstream.arrived().len();
    let page = running.acme().get(&format!("/v1/vector_stores?{query}")).ok().value();
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    let ids = page["data"].as_array().unwrap().iter().map(id).collect();
    let limit = |arrived: &Arrived| arrived.target().rsplit_once("limit=").unwrap().1.parse().unwrap();
    let limits = running.upstream.arrived()[before..].iter().map(limit).collect();
    (ids, page["has_more"] == true, limits)
}

fn begin() -> (Stores, Running) {
    let stores = Stores::default();
    let own = Arc::clone(&stores);
    (stores, Own::new().start(move |arrived| account(&own, arrived)))
}

#[test]
fn a_page_of_the_tenants_own_takes_one_call_among_others() {
    for (others, most) in [(0, 21), (1, 44), (3, 93)] {
        let (_, running) = begin();
        let mut own: Vec<String> = Vec::new();
        for _ in 0..30 {
            own.push(make(&running.acme()));
            for _ in 0..others {
                make(&running.globex());
            }
        }
        own.reverse();
        let (ids, more, calls) = page(&running, "limit=20");
        assert_eq!((&ids[..], more), (&own[..20], true), "{others}");
        assert!(calls.len() == 1 && calls[0] <= most, "{others}: {calls:?}");
        let (ids, more, calls) = page(&running, &format!("limit=20&after={}", own[19]));
        assert_eq!((&ids[..], more), (&own[20..], false), "{others}");
        assert_eq!(calls.len(), 1, "{others}: {calls:?}");
    }
}

/// The registry guesses how far to read; what is there is what the account shows.
#[test]
fn what_is_gone_from_the_account_is_neither_shown_nor_told_of() {
    let (stores, running) = begin();
    let own: Vec<String> = (0..5).map(|_| make(&running.acme())).collect();
    for _ in 0..3 {
        make(&running.globex());
    }
    stores.lock().unwrap().retain(|id| ![&own[0], &own[1]].contains(&id));
    let (ids, more, _) = page(&running, "limit=3");
    assert_eq!((&ids[..], more), (&[own[4].clone(), own[3].clone(), own[2].clone()][..], false));
    let (ids, more, _) = page(&running, "limit=2");
    assert_eq!((&ids[..], more), (&[own[4].clone(), own[3].clone()][..], true));
}
