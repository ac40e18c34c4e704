//! Argilla's API before one service account that two tenants share.

use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::shelf::{Collection, Shelf};
use super::kit::upstream::json as reply;
use super::kit::{Answer, Arrived, Ask, Caller, Step, Tenant};

const ACCOUNT: &[Collection] = &[
    Collection {
        path: "/api/v1/workspaces",
        post: "/api/v1/workspaces",
        id: ("id", |n| format!("aaaaaaaa-0000-4000-8000-{n:012x}")),
        items: Some("items"),
        more: |_| json!({}),
    },
    Collection {
        path: "/api/v1/datasets",
        post: "/api/v1/datasets",
        id: ("id", |n| format!("bbbbbbbb-0000-4000-8000-{n:012x}")),
        items: Some("items"),
        more: |_| json!({}),
    },
];

/// What stands below a thing is numbered by the thing's own number.
fn below(path: &str, start: &str) -> String {
    let of = path.split('/').find(|part| part.len() == 36).unwrap();
    format!("{start}-0000-4000-8000-{}", of.rsplit('-').next().unwrap())
}

fn account(shelf: &Shelf, up: &Arrived) -> Vec<Step> {
    let path = up.target().split('?').next().unwrap().to_owned();
    let method = up.line.split(' ').next().unwrap();
    let items = |one: Value| reply(200, &json!({"items": [one], "total": 1}));
    match (method, path.as_str()) {
        ("GET", "/api/v1/me") => {
            return reply(200, &json!({"id": "99999999-0000-4000-8000-000000000001", "username": "owner", "first_name": "The", "last_name": "Owner", "role": "owner", "api_key": "the account's"}));
        }
        ("GET", "/api/v1/me/workspaces") => return shelf.listed("/api/v1/workspaces"),
        ("GET", "/api/v1/me/datasets") => return shelf.listed("/api/v1/datasets"),
        (_, path) if path.ends_with("/fields") => {
            let shown = json!({"id": below(path, "cccccccc"), "name": "text"});
            return if method == "POST" { reply(201, &shown) } else { items(shown) };
        }
        (_, path) if path.ends_with("/questions") => {
            let shown = json!({"id": below(path, "dddddddd"), "name": "label"});
            return if method == "POST" { reply(201, &shown) } else { items(shown) };
        }
        (_, path) if path.ends_with("/records/bulk") || path.ends_with("/records") => {
            let responses = json!([{"id": below(path, "ffffffff"), "values": {}}]);
            return items(json!({"id": below(path, "eeeeeeee"), "fields": {"text": "x"}, "responses": responses}));
        }
        ("GET", path) if path.starts_with("/api/v1/records/") => return reply(200, &json!({"id": path.rsplit('/').next().unwrap(), "fields": {}})),
        _ => {}
    }
    shelf.answer(up, || reply(200, &json!({"id": path.rsplit('/').next().unwrap()})))
}

fn annotating(own: &Own, name: &str) -> Tenant {
    own.setup.tenant_for(name, "[annotate]", "")
}

fn start() -> Running {
    let mut own = Own::speaking("argilla");
    (own.acme, own.globex) = (annotating(&own, "acme"), annotating(&own, "globex"));
    let shelf = Shelf::new(ACCOUNT);
    own.start(move |up| account(&shelf, up))
}

struct Made {
    workspace: String,
    dataset: String,
    field: String,
    question: String,
    record: String,
    response: String,
}

fn make(caller: &Caller<'_>) -> Made {
    let name = format!("{}--reviews", caller.tenant.name);
    let workspace = caller.post("/api/v1/workspaces", &json!({"name": name})).id();
    let dataset = caller.post("/api/v1/datasets", &json!({"name": "d", "workspace_id": workspace})).id();
    let at = |part: &str| format!("/api/v1/datasets/{dataset}/{part}");
    let field = caller.post(&at("fields"), &json!({"name": "text", "dataset_id": dataset})).id();
    let question = caller.post(&at("questions"), &json!({"name": "label"})).id();
    let suggestion = json!({"question_id": question, "value": "a"});
    let item = json!({"fields": {"text": "x"}, "suggestions": [suggestion]});
    let made = caller.post(&at("records/bulk"), &json!({"items": [item]})).ok();
    Made { workspace, field, question, record: made.at("/items/0/id"), response: made.at("/items/0/responses/0/id"), dataset }
}

fn calls(own: &Made) -> Vec<(&'static str, &'static str, String, Value)> {
    let none = Value::Null;
    let to = |path: &str| format!("/api/v1/{path}");
    let of = |part: &str| format!("/api/v1/datasets/{}/{part}", own.dataset);
    vec![
        ("workspace", "GET", to("workspaces/ID"), none.clone()),
        ("workspace", "DELETE", to("workspaces/ID"), none.clone()),
        ("workspace", "POST", to("datasets"), json!({"name": "d", "workspace_id": "ID"})),
        ("workspace", "PATCH", to(&format!("datasets/{}", own.dataset)), json!({"workspace_id": "ID"})),
        ("workspace", "GET", to("me/datasets?workspace_id=ID"), none.clone()),
        ("dataset", "GET", to("datasets/ID"), none.clone()),
        ("dataset", "DELETE", to("datasets/ID"), none.clone()),
        ("dataset", "PUT", to("datasets/ID/publish"), none.clone()),
        ("dataset", "GET", to("datasets/ID/progress"), none.clone()),
        ("dataset", "GET", to("datasets/ID/fields"), none.clone()),
        ("dataset", "GET", to("datasets/ID/records?offset=0&limit=9"), none.clone()),
        ("dataset", "POST", to("datasets/ID/records/bulk"), json!({"items": []})),
        ("dataset", "PUT", to("datasets/ID/records/bulk"), json!({"items": []})),
        ("dataset", "POST", to("datasets/ID/records/search"), json!({"query": {"text": {"q": "x"}}})),
        ("dataset", "POST", of("fields"), json!({"name": "f", "dataset_id": "ID"})),
        ("dataset", "PUT", of("records/bulk"), json!({"items": [{"dataset_id": "ID", "fields": {}}]})),
        ("field", "DELETE", to("fields/ID"), none.clone()),
        ("field", "PATCH", to("fields/ID"), json!({"title": "x"})),
        ("question", "DELETE", to("questions/ID"), none.clone()),
        ("question", "PUT", of("records/bulk"), json!({"items": [{"suggestions": [{"question_id": "ID"}]}]})),
        ("question", "PUT", to(&format!("records/{}/suggestions", own.record)), json!({"question_id": "ID", "value": "x"})),
        ("record", "GET", to("records/ID"), none.clone()),
        ("record", "DELETE", to("records/ID"), none.clone()),
        ("record", "PATCH", to("records/ID"), json!({"metadata": {}})),
        ("record", "POST", to("records/ID/responses"), json!({"values": {}, "status": "draft"})),
        ("record", "PUT", of("records/bulk"), json!({"items": [{"id": "ID", "fields": {}}]})),
        ("record", "POST", of("records/search"), json!({"query": {"vector": {"name": "v", "record_id": "ID"}}})),
        ("response", "PUT", to("responses/ID"), json!({"values": {}, "status": "draft"})),
        ("response", "DELETE", to("responses/ID"), none),
    ]
}

/// S3: in each place, another's id is answered as one that never was, and the server hears of neither.
#[test]
fn s3_what_another_annotates_is_answered_as_unknown() {
    let running = start();
    let (alice, bob) = (running.acme(), running.globex());
    let (made, own) = (make(&alice), make(&bob));
    let mut compared = 0;
    for (kind, method, path, body) in calls(&own) {
        let foreign = match kind {
            "workspace" => &made.workspace,
            "dataset" => &made.dataset,
            "field" => &made.field,
            "question" => &made.question,
            "record" => &made.record,
            _ => &made.response,
        };
        let ask = |id: &str| -> Answer {
            let ask = Ask::new(method, path.replace("ID", id));
            bob.ask(&if body.is_null() {
                ask
            } else {
                ask.typed("application/json", body.to_string().replace("\"ID\"", &json!(id).to_string()))
            })
        };
        let unknown = ask("12345678-0000-4000-8000-123456789abc");
        assert_eq!((unknown.status, unknown.at("/detail/code")), (404, "not_found".to_owned()), "{method} {path}");
        assert_eq!(ask(foreign).comparable(), unknown.comparable(), "{method} {path} {body}");
        assert_eq!(ask("no.such.form").comparable(), unknown.comparable(), "{method} {path}");
        let up = running.upstream.arrived();
        assert!(up.iter().all(|up| !up.line.contains("123456789abc") && !up.text().contains("123456789abc")), "{path}");
        compared += 1;
    }
    assert_eq!(compared, 29);
    for (list, hers, his) in [("workspaces", &made.workspace, &own.workspace), ("datasets", &made.dataset, &own.dataset)] {
        let seen = bob.get(&format!("/api/v1/me/{list}")).ok().text();
        assert!(seen.contains(his.as_str()) && !seen.contains(hers.as_str()), "{list}: {seen}");
    }
    for path in [
        format!("workspaces/{}", made.workspace),
        format!("datasets/{}/records?limit=9", made.dataset),
        format!("records/{}", made.record),
    ] {
        alice.get(&format!("/api/v1/{path}")).ok();
    }
}

/// S3, S4: a name that another has is no other than one that nobody has; who the account is does not show; what leads elsewhere is refused.
#[test]
fn s3_s4_names_and_the_account_tell_nothing() {
    let running = start();
    let (alice, bob) = (running.acme(), running.globex());
    make(&alice);
    let came = running.upstream.arrived().len();
    let taken = bob.post("/api/v1/workspaces", &json!({"name": "acme--reviews"}));
    assert_eq!(taken.status, 404, "{taken}");
    for name in ["nobody--reviews", "reviews", "default"] {
        assert_eq!(bob.post("/api/v1/workspaces", &json!({"name": name})).comparable(), taken.comparable(), "{name}");
    }
    let dataset = "bbbbbbbb-0000-4000-8000-000000000002";
    for (method, path, body) in [
        ("POST", "webhooks".to_owned(), json!({"url": "https://x.example", "events": ["record.created"]})),
        ("POST", format!("datasets/{dataset}/import"), json!({"name": "org/repo"})),
        ("POST", format!("datasets/{dataset}/export"), json!({"name": "org/repo", "token": "x"})),
        ("GET", "users".to_owned(), Value::Null),
        ("POST", "token".to_owned(), json!({"username": "x"})),
        ("DELETE", format!("datasets/{dataset}/records?ids=x"), Value::Null),
    ] {
        let ask = Ask::new(method, format!("/api/v1/{path}"));
        let ask = if body.is_null() { ask } else { ask.typed("application/json", body.to_string()) };
        let refused = alice.ask(&ask);
        let code = refused.at("/detail/code");
        assert!(refused.status == 403 && ["operation_refused", "bypass_refused"].contains(&code.as_str()), "{path}: {refused}");
    }
    assert_eq!(running.upstream.arrived().len(), came);
    let me = alice.get("/api/v1/me").ok();
    assert!(!me.text().contains("Owner") && me.value().get("api_key").is_none(), "{me}");
    assert_eq!(me.at("/username"), "consentry");
}
