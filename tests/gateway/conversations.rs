//! Conversations, containers and evals: what is kept upstream until somebody ends it, and who may put something into it.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::json as reply;
use super::kit::values::{FORM, form, mark, upload};
use super::kit::{Answer, Ask, Caller, house};

const MODEL: &str = "gpt-4o-mini";

/// One of everything.
struct Made {
    file: String,
    conversation: String,
    item: String,
    container: String,
    held: String,
    eval: String,
    run: String,
    output: String,
}

fn make(caller: &Caller<'_>) -> Made {
    let file = caller.ask(&upload("user_data", "a.jsonl", b"{\"item\": {\"a\": 1}}\n")).id();
    let conversation = caller.post("/v1/conversations", &json!({"metadata": {"of": "mine"}})).id();
    let items = format!("/v1/conversations/{conversation}/items");
    let item = caller.post(&items, &json!({"items": [{"role": "user", "content": "hello"}]})).ok();
    let container = caller.post("/v1/containers", &json!({"name": "mine", "file_ids": [file]})).id();
    let held = caller.get(&format!("/v1/containers/{container}/files")).ok().at("/data/0/id");
    let criteria = json!([{"type": "score_model", "name": "g", "model": MODEL, "input": [{"role": "user", "content": "x"}]}]);
    let asks = json!({"name": "mine", "data_source_config": {"type": "custom", "item_schema": {}}, "testing_criteria": criteria});
    let eval = caller.post("/v1/evals", &asks).id();
    let runs = format!("/v1/evals/{eval}/runs");
    let run = caller.post(&runs, &over(&json!({"type": "file_id", "id": file}))).id();
    let output = caller.get(&format!("{runs}/{run}/output_items")).ok().at("/data/0/id");
    Made { file, conversation, item: item.at("/data/0/id"), container, held, eval, run, output }
}

/// A run of an eval over some source.
fn over(source: &Value) -> Value {
    json!({"name": "r", "data_source": {"type": "jsonl", "source": source}})
}

/// Calls that name a kind's id: method, target and body, with `ID` where it goes, and what is the caller's own around it.
#[expect(clippy::too_many_lines, reason = "a flat list")]
fn calls(own: &Made) -> Vec<(&'static str, &'static str, String, Value)> {
    let conversation = format!("/v1/conversations/{}", own.conversation);
    let container = format!("/v1/containers/{}", own.container);
    let runs = format!("/v1/evals/{}/runs", own.eval);
    let run = format!("{runs}/{}", own.run);
    let edits = "/v1/images/edits".to_owned();
    let said = json!([{"role": "user", "content": "x"}]);
    let citing = json!([{"role": "user", "content": [{"type": "input_file", "file_id": "ID"}]}]);
    let tools = |tool: Value| json!({"data_source": {"type": "responses", "source": {"type": "file_content", "content": []}, "sampling_params": {"tools": [tool]}}});
    let none = Value::Null;
    vec![
        ("conversation", "GET", "/v1/conversations/ID".to_owned(), none.clone()),
        ("conversation", "POST", "/v1/conversations/ID".to_owned(), json!({"metadata": {"a": "b"}})),
        ("conversation", "DELETE", "/v1/conversations/ID".to_owned(), none.clone()),
        ("conversation", "GET", "/v1/conversations/ID/items".to_owned(), none.clone()),
        ("conversation", "POST", "/v1/conversations/ID/items".to_owned(), json!({"items": said})),
        ("conversation", "GET", format!("/v1/conversations/ID/items/{}", own.item), none.clone()),
        ("conversation", "DELETE", format!("/v1/conversations/ID/items/{}", own.item), none.clone()),
        (
            "conversation",
            "POST",
            "/v1/responses".to_owned(),
            json!({"model": MODEL, "input": "x", "conversation": "ID"}),
        ),
        (
            "conversation",
            "POST",
            "/v1/responses".to_owned(),
            json!({"model": MODEL, "input": "x", "conversation": {"id": "ID"}, "store": false}),
        ),
        (
            "conversation",
            "POST",
            "/v1/responses/input_tokens".to_owned(),
            json!({"model": MODEL, "input": "x", "conversation": "ID"}),
        ),
        ("item", "GET", format!("{conversation}/items/ID"), none.clone()),
        ("item", "DELETE", format!("{conversation}/items/ID"), none.clone()),
        ("item", "GET", format!("{conversation}/items?after=ID"), none.clone()),
        (
            "item",
            "POST",
            format!("{conversation}/items"),
            json!({"items": [{"type": "item_reference", "id": "ID"}]}),
        ),
        (
            "item",
            "POST",
            "/v1/conversations".to_owned(),
            json!({"items": [{"type": "item_reference", "id": "ID"}]}),
        ),
        ("file", "POST", "/v1/conversations".to_owned(), json!({"items": citing})),
        ("file", "POST", format!("{conversation}/items"), json!({"items": citing})),
        ("file", "POST", "/v1/containers".to_owned(), json!({"name": "x", "file_ids": ["ID"]})),
        ("file", "POST", format!("{container}/files"), json!({"file_id": "ID"})),
        ("file", "FORM", format!("{container}/files"), json!("ID")),
        ("file", "POST", runs.clone(), over(&json!({"type": "file_id", "id": "ID"}))),
        (
            "file",
            "POST",
            runs.clone(),
            tools(json!({"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["ID"]}})),
        ),
        ("file", "POST", edits.clone(), json!({"prompt": "x", "images": [{"file_id": "ID"}]})),
        // What stands for a list, or for an id, and is none.
        ("file", "POST", "/v1/containers".to_owned(), json!({"name": "x", "file_ids": {"ID": null}})),
        ("file", "POST", "/v1/containers".to_owned(), json!({"name": "x", "file_ids": "ID"})),
        ("file", "POST", "/v1/containers".to_owned(), json!({"name": "x", "file_ids": [["ID"]]})),
        ("file", "POST", edits.clone(), json!({"prompt": "x", "images": ["ID"]})),
        ("file", "POST", edits.clone(), json!({"prompt": "x", "images": {"file_id": "ID"}})),
        ("file", "POST", edits.clone(), json!({"prompt": "x", "images": [], "mask": "ID"})),
        ("file", "POST", edits.clone(), json!({"prompt": "x", "images": [], "mask": ["ID"]})),
        ("file", "POST", edits.clone(), json!({"prompt": "x", "image": "ID"})),
        ("file", "POST", edits, json!({"prompt": "x", "file_ids": ["ID"]})),
        (
            "conversation",
            "POST",
            "/v1/responses".to_owned(),
            json!({"model": MODEL, "input": "x", "conversation": ["ID"]}),
        ),
        (
            "container",
            "POST",
            "/v1/responses".to_owned(),
            json!({"model": MODEL, "input": "x", "tools": [{"type": "code_interpreter", "container": ["ID"]}]}),
        ),
        ("container", "GET", "/v1/containers/ID".to_owned(), none.clone()),
        ("container", "DELETE", "/v1/containers/ID".to_owned(), none.clone()),
        ("container", "GET", "/v1/containers?after=ID".to_owned(), none.clone()),
        ("container", "GET", "/v1/containers/ID/files".to_owned(), none.clone()),
        ("container", "POST", "/v1/containers/ID/files".to_owned(), json!({"file_id": own.file})),
        ("container", "GET", format!("/v1/containers/ID/files/{}/content", own.held), none.clone()),
        (
            "container",
            "POST",
            "/v1/responses".to_owned(),
            json!({"model": MODEL, "input": "x", "tools": [{"type": "code_interpreter", "container": "ID"}]}),
        ),
        ("container", "POST", runs.clone(), tools(json!({"type": "code_interpreter", "container": "ID"}))),
        ("held", "GET", format!("{container}/files/ID"), none.clone()),
        ("held", "GET", format!("{container}/files/ID/content"), none.clone()),
        ("held", "DELETE", format!("{container}/files/ID"), none.clone()),
        ("held", "GET", format!("{container}/files?after=ID"), none.clone()),
        ("eval", "GET", "/v1/evals/ID".to_owned(), none.clone()),
        ("eval", "POST", "/v1/evals/ID".to_owned(), json!({"name": "theirs"})),
        ("eval", "DELETE", "/v1/evals/ID".to_owned(), none.clone()),
        ("eval", "GET", "/v1/evals?after=ID".to_owned(), none.clone()),
        ("eval", "GET", "/v1/evals/ID/runs".to_owned(), none.clone()),
        (
            "eval",
            "POST",
            "/v1/evals/ID/runs".to_owned(),
            over(&json!({"type": "file_content", "content": []})),
        ),
        ("eval", "GET", format!("/v1/evals/ID/runs/{}", own.run), none.clone()),
        ("run", "GET", format!("{runs}/ID"), none.clone()),
        ("run", "POST", format!("{runs}/ID"), none.clone()),
        ("run", "POST", format!("{runs}/ID/cancel"), none.clone()),
        ("run", "DELETE", format!("{runs}/ID"), none.clone()),
        ("run", "GET", format!("{runs}?after=ID"), none.clone()),
        ("run", "GET", format!("{runs}/ID/output_items"), none.clone()),
        ("output", "GET", format!("{run}/output_items/ID"), none.clone()),
        ("output", "GET", format!("{run}/output_items?after=ID"), none),
    ]
}

fn ask(
    caller: &Caller<'_>,
    (_, method, target, body): &(&str, &'static str, String, Value),
    id: &str,
) -> Answer {
    let target = target.replace("ID", id);
    let body = body.to_string().replace("\"ID\"", &json!(id).to_string());
    caller.ask(&match *method {
        "FORM" => Ask::new("POST", target).typed(FORM, form(&[("file_id", None, id.as_bytes())])),
        _ if body == "null" => Ask::new(method, target),
        _ => Ask::new(method, target).typed("application/json", body),
    })
}

/// S3: in each place, another's id is answered as one that never was, and the upstream hears of neither.
#[test]
fn s3_what_another_keeps_upstream_is_answered_as_unknown() {
    let (alice, bob) = (house().as_(house().keeping()), house().as_(house().keeping()));
    let (made, own) = (make(&alice), make(&bob));
    let ids = [
        ("conversation", &made.conversation),
        ("item", &made.item),
        ("file", &made.file),
        ("container", &made.container),
        ("held", &made.held),
        ("eval", &made.eval),
        ("run", &made.run),
        ("output", &made.output),
    ];
    let mut compared = 0;
    for call in calls(&own) {
        let id = ids.iter().find(|(kind, _)| *kind == call.0).unwrap().1;
        let (start, _) = id.split_once(['_', '-']).unwrap();
        let never = format!("{start}_{}", mark());
        let unknown = ask(&bob, &call, &never).refused(Reason::ResourceUnknown);
        let foreign = ask(&bob, &call, id);
        let malformed = ask(&bob, &call, "no.such.form");
        assert_eq!(unknown.comparable(), foreign.comparable(), "{call:?} of {id}");
        assert_eq!(unknown.comparable(), malformed.comparable(), "{call:?} of another form");
        assert!(house().sandbox.journal(&never).is_empty(), "{call:?} went up");
        compared += 1;
    }
    assert_eq!(compared, 61);
    // Everything is as it was, and its owner sees it; lists hold nothing of anybody else's.
    assert_eq!(
        alice.get(&format!("/v1/conversations/{}", made.conversation)).ok().at("/metadata/of"),
        "mine"
    );
    assert_eq!(alice.get(&format!("/v1/evals/{}", made.eval)).ok().at("/name"), "mine");
    for (list, hers, his) in
        [("containers", &made.container, &own.container), ("evals", &made.eval, &own.eval)]
    {
        let seen = bob.get(&format!("/v1/{list}?limit=100")).ok().text();
        assert!(seen.contains(his) && !seen.contains(hers), "{list}: {seen}");
    }
    for path in [
        format!("/v1/conversations/{}/items/{}", made.conversation, made.item),
        format!("/v1/containers/{}/files/{}/content", made.container, made.held),
        format!("/v1/evals/{}/runs/{}/output_items/{}", made.eval, made.run, made.output),
    ] {
        alice.get(&path).ok();
    }
    // What is ended is nobody's.
    for path in [
        format!("/v1/evals/{}/runs/{}", own.eval, own.run),
        format!("/v1/evals/{}", own.eval),
        format!("/v1/containers/{}/files/{}", own.container, own.held),
        format!("/v1/containers/{}", own.container),
        format!("/v1/conversations/{}", own.conversation),
    ] {
        bob.delete(&path).ok();
        bob.get(&path).refused(Reason::ResourceUnknown);
    }
}

/// What a response says in a conversation is its owner's: told by the answer, by a stream, and by the conversation itself.
#[test]
fn s2_items_of_a_conversation_are_the_callers_however_they_came_into_it() {
    let (alice, bob) = (house().as_(house().keeping()), house().as_(house().keeping()));
    let conversation = alice.post("/v1/conversations", &json!({})).id();
    let items = format!("/v1/conversations/{conversation}/items");
    let asks = json!({"model": MODEL, "input": "one", "conversation": conversation});
    let told = alice.post("/v1/responses", &asks).ok();
    assert_eq!(told.at("/conversation/id"), conversation);
    let asks = json!({"model": MODEL, "input": "two", "conversation": {"id": conversation}, "stream": true});
    alice.post("/v1/responses", &asks).ok();
    let list = alice.get(&format!("{items}?order=asc")).ok().value();
    let ids: Vec<&str> =
        list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 4, "{list}");
    assert_eq!(ids[1], told.at("/output/0/id"));
    for id in ids {
        alice.get(&format!("{items}/{id}")).ok();
        bob.get(&format!("{items}/{id}")).refused(Reason::ResourceUnknown);
        bob.post("/v1/responses", &json!({"model": MODEL, "input": [{"type": "item_reference", "id": id}]}))
            .refused(Reason::ResourceUnknown);
    }
}

/// S1: a conversation is kept whatever `store` says, so that nobody puts anything into one without a grant to store: not with
/// `store: false`, not with nothing said, not by a line of a batch; and a withdrawal works on the next request.
#[test]
fn s1_nothing_is_put_into_a_conversation_without_a_grant_to_store() {
    let own = Own::new();
    let grant = "consent:\n  grants:\n    - {purpose: store, scope: tenant, evidence: a test}\n    - {purpose: store, scope: {dataset: '*'}, evidence: a test}\n";
    let acme = own.setup.tenant_for("acme", "[inference, store]", grant);
    let Running { gateway, upstream, globex, .. } =
        own.start(|_| reply(200, &json!({"id": "x_1", "object": "x", "output": [], "data": []})));
    let caller = gateway.as_(&acme);
    let conversation = caller.post("/v1/conversations", &json!({})).ok().id();
    let text = mark();
    let asks = |place: Value| json!({"model": MODEL, "input": text, "store": false, "conversation": place});
    let unsaid = json!({"model": MODEL, "input": text, "conversation": {"id": conversation}});
    let line = json!({"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": asks(json!(conversation))});
    let items = format!("/v1/conversations/{conversation}/items");
    let all = [
        Ask::json("/v1/responses", &asks(json!(conversation))),
        Ask::json("/v1/responses", &asks(json!({"id": conversation}))),
        Ask::json("/v1/responses", &unsaid),
        upload("batch", "b.jsonl", format!("{line}\n").as_bytes()),
        Ask::json("/v1/conversations", &json!({"items": [{"role": "user", "content": text}]})),
        Ask::json(items, &json!({"items": [{"role": "user", "content": text}]})),
        Ask::json(format!("/v1/conversations/{conversation}"), &json!({"metadata": {"a": text}})),
    ];
    for ask in &all {
        caller.ask(ask).ok();
    }
    // A key that is not for storing, of a tenant that granted none.
    gateway.as_(&globex).post("/v1/conversations", &json!({})).refused(Reason::PurposeNotAllowed);
    let file = gateway.setup.config().join("tenants/acme.yaml");
    let granted = std::fs::read_to_string(&file).unwrap();
    let withdrawn = granted.replace("evidence: a test", "evidence: a test, withdrawn: 2026-01-01T00:00:00Z");
    gateway.setup.file("tenants/acme.yaml", &withdrawn);
    gateway.process.signal("HUP");
    gateway.process.line("the configuration was reloaded");
    let came = upstream.arrived().len();
    for ask in &all {
        caller.ask(ask).refused(Reason::ConsentMissing);
    }
    assert_eq!(upstream.arrived().len(), came);
    // It can still be read, and ended; and what is said outside of it goes up, to be forgotten.
    caller.get(&format!("/v1/conversations/{conversation}")).ok();
    caller.post("/v1/responses", &json!({"model": MODEL, "input": "x"})).ok();
    assert_eq!(upstream.arrived().last().unwrap().value()["store"], json!(false));
    caller.delete(&format!("/v1/conversations/{conversation}")).ok();
    drop(gateway.stop());
}

/// P1, W1: an eval reads what its run brings, and not what the whole account stored; and it needs a grant.
#[test]
fn p1_w1_an_eval_reads_nothing_but_what_the_tenant_brings() {
    let keeping = house().as_(house().keeping());
    let config =
        |kind: &str| json!({"data_source_config": {"type": kind, "item_schema": {}}, "testing_criteria": []});
    for kind in ["logs", "stored_completions", "Custom", "custom "] {
        keeping.post("/v1/evals", &config(kind)).refused(Reason::FieldNotAllowed);
    }
    keeping.post("/v1/evals", &json!({"data_source_config": {}})).refused(Reason::FieldNotAllowed);
    let eval = keeping.post("/v1/evals", &config("custom")).id();
    let runs = format!("/v1/evals/{eval}/runs");
    for source in [
        json!({"type": "stored_completions", "metadata": {}}),
        json!({"type": "responses", "model": MODEL}),
        json!({"metadata": {}}),
    ] {
        keeping.post(&runs, &over(&source)).refused(Reason::FieldNotAllowed);
    }
    let run =
        keeping.post(&runs, &over(&json!({"type": "file_content", "content": [{"item": {"a": 1}}]}))).ok();
    assert_eq!(run.status, 201);
    // What tells of the account that is shared.
    assert_eq!(run.value()["report_url"], "");
    assert_eq!(run.value()["per_model_usage"][0]["cached_tokens"], 0);
    let listed = keeping.get(&runs).ok();
    assert_eq!(
        (
            &listed.value()["data"][0]["report_url"],
            &listed.value()["data"][0]["per_model_usage"][0]["cached_tokens"]
        ),
        (&json!(""), &json!(0))
    );
    let nobody = house().as_(house().nobody());
    nobody.post("/v1/evals", &config("custom")).refused(Reason::ConsentMissing);
}

/// P5, S1: what stands in a conversation is sent with each of its responses, so that a container in it reaches no network: nobody
/// would ask for the grant to share again. One that reaches nothing may stand there.
#[test]
fn p5_s1_a_container_of_an_item_reaches_no_network() {
    let lane = house()
        .lane(|_| reply(200, &json!({"id": "conv_lane", "object": "x", "data": [{"id": "item_lane"}]})));
    let caller = lane.as_(house().keeping());
    let conversation = caller.post("/v1/conversations", &json!({})).ok().id();
    let items = format!("/v1/conversations/{conversation}/items");
    let tools = |tool: Value| json!({"items": [{"type": "tool_search_output", "tools": [tool]}]});
    let code = |container: Value| tools(json!({"type": "code_interpreter", "container": container}));
    let shell = |environment: Value| tools(json!({"type": "shell", "environment": environment}));
    let auto = json!({"type": "auto", "memory_limit": "1g", "file_ids": []});
    let closed = json!({"type": "container_auto", "network_policy": {"type": "disabled"}});
    for body in [code(auto), shell(closed)] {
        caller.post(&items, &body).ok();
        caller.post("/v1/conversations", &body).ok();
    }
    let came = lane.upstream.arrived().len();
    for domains in [json!(["example.com"]), json!("example.com"), json!({"example.com": null})] {
        let open =
            json!({"type": "auto", "network_policy": {"type": "allowlist", "allowed_domains": domains}});
        let itself = json!({"items": [{"type": "shell_call", "environment": open}]});
        for body in [code(open.clone()), shell(open.clone()), itself] {
            caller.post(&items, &body).refused(Reason::FieldNotAllowed);
            caller.post("/v1/conversations", &body).refused(Reason::FieldNotAllowed);
        }
        // In a response it is asked for, each time.
        let asks =
            json!({"model": MODEL, "input": "x", "tools": [{"type": "code_interpreter", "container": open}]});
        caller.post("/v1/responses", &asks).refused(Reason::ConsentMissing);
    }
    assert_eq!(lane.upstream.arrived().len(), came);
}

/// Log probabilities repeat a text in pieces that no rule finds a value in: they are emptied wherever items are shown.
#[test]
fn items_are_shown_without_log_probabilities() {
    let text = json!([{"type": "output_text", "text": "x", "logprobs": [{"token": "x", "logprob": -1, "bytes": [120]}]}]);
    let item = json!({"id": "msg_lane", "type": "message", "role": "assistant", "content": text});
    let lane = house().lane(move |up| {
        let all = json!({"object": "list", "data": [item], "has_more": false, "first_id": "msg_lane", "last_id": "msg_lane"});
        match up.line.split(' ').nth(1).unwrap() {
            "/v1/conversations" => reply(200, &json!({"id": "conv_lane", "object": "conversation"})),
            "/v1/responses" | "/v1/responses/resp_lane" => reply(200, &json!({"id": "resp_lane", "object": "response", "output": [item]})),
            path if path.ends_with("/items/msg_lane") => reply(200, &item),
            _ => reply(200, &all),
        }
    });
    let caller = lane.as_(house().keeping());
    caller.post("/v1/conversations", &json!({})).ok();
    let said = json!({"items": [{"role": "user", "content": "x"}]});
    let made = caller.post("/v1/conversations/conv_lane/items", &said).ok();
    caller.post("/v1/responses", &json!({"model": MODEL, "input": "x", "store": true})).ok();
    for (answer, at) in [
        (made, "/data/0/content/0/logprobs"),
        (caller.get("/v1/conversations/conv_lane/items"), "/data/0/content/0/logprobs"),
        (caller.get("/v1/conversations/conv_lane/items/msg_lane"), "/content/0/logprobs"),
        (caller.get("/v1/responses/resp_lane/input_items"), "/data/0/content/0/logprobs"),
        (caller.get("/v1/responses/resp_lane"), "/output/0/content/0/logprobs"),
    ] {
        assert_eq!(answer.ok().at(at), "[]", "{at}");
    }
}
