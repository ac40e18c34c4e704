//! Assistants, threads, messages, runs and steps: ids within ids, made by calls, by streams, and by the upstream itself.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::alike::{Place, alike};
use super::kit::upstream::{chunk, chunked, json as reply};
use super::kit::values::{record, token, upload};
use super::kit::{Answer, Caller, Step, house};

/// One of everything that belongs to an assistant.
struct Made {
    assistant: String,
    thread: String,
    message: String,
    run: String,
    step: String,
    /// A vector store that was made for the thread, and never by a call of its own.
    store: String,
}

const MODEL: &str = "gpt-4o-mini";

fn make(caller: &Caller<'_>) -> Made {
    let assistant = caller.post("/v1/assistants", &json!({"model": MODEL, "name": "mine"})).id();
    let resources = json!({"file_search": {"vector_stores": [{"file_ids": []}]}});
    let thread = caller.post("/v1/threads", &json!({"tool_resources": resources})).ok();
    let store = thread.at("/tool_resources/file_search/vector_store_ids/0");
    let thread = thread.id();
    let messages = format!("/v1/threads/{thread}/messages");
    let message = caller.post(&messages, &json!({"role": "user", "content": "hello"})).id();
    let runs = format!("/v1/threads/{thread}/runs");
    let run = caller.post(&runs, &json!({"assistant_id": assistant})).id();
    let step = caller.get(&format!("{runs}/{run}/steps")).ok().at("/data/0/id");
    Made { assistant, thread, message, run, step, store }
}

/// Calls that name a kind's id, and what is the caller's own around it.
fn calls(own: &Made) -> Vec<Place> {
    let (thread, run) = (format!("/v1/threads/{}", own.thread), &own.run);
    vec![
        Place::new("assistant", "GET", "/v1/assistants/ID", ""),
        Place::new("assistant", "POST", "/v1/assistants/ID", r#"{"name":"theirs"}"#),
        Place::new("assistant", "DELETE", "/v1/assistants/ID", ""),
        Place::new("assistant", "GET", "/v1/assistants?after=ID", ""),
        Place::new("assistant", "GET", "/v1/assistants?before=ID", ""),
        Place::new("assistant", "POST", format!("{thread}/runs"), r#"{"assistant_id":"ID"}"#),
        Place::new("assistant", "POST", "/v1/threads/runs", r#"{"assistant_id":"ID"}"#),
        Place::new("thread", "GET", "/v1/threads/ID", ""),
        Place::new("thread", "POST", "/v1/threads/ID", r#"{"metadata":{"a":"b"}}"#),
        Place::new("thread", "DELETE", "/v1/threads/ID", ""),
        Place::new("thread", "GET", "/v1/threads/ID/messages", ""),
        Place::new("thread", "POST", "/v1/threads/ID/messages", r#"{"role":"user","content":"x"}"#),
        Place::new("thread", "GET", format!("/v1/threads/ID/messages/{}", own.message), ""),
        Place::new("thread", "GET", "/v1/threads/ID/runs", ""),
        Place::new("thread", "POST", "/v1/threads/ID/runs", json!({"assistant_id": own.assistant}).to_string()),
        Place::new("thread", "GET", format!("/v1/threads/ID/runs/{run}/steps"), ""),
        Place::new("message", "GET", format!("{thread}/messages/ID"), ""),
        Place::new("message", "POST", format!("{thread}/messages/ID"), r#"{"metadata":{"a":"b"}}"#),
        Place::new("message", "DELETE", format!("{thread}/messages/ID"), ""),
        Place::new("message", "GET", format!("{thread}/messages?after=ID"), ""),
        Place::new("run", "GET", format!("{thread}/messages?run_id=ID"), ""),
        Place::new("run", "GET", format!("{thread}/runs/ID"), ""),
        Place::new("run", "POST", format!("{thread}/runs/ID"), r#"{"metadata":{"a":"b"}}"#),
        Place::new("run", "POST", format!("{thread}/runs/ID/cancel"), ""),
        Place::new("run", "POST", format!("{thread}/runs/ID/submit_tool_outputs"), r#"{"tool_outputs":[]}"#),
        Place::new("run", "GET", format!("{thread}/runs/ID/steps"), ""),
        Place::new("run", "GET", format!("{thread}/runs?before=ID"), ""),
        Place::new("step", "GET", format!("{thread}/runs/{run}/steps/ID"), ""),
        Place::new("step", "GET", format!("{thread}/runs/{run}/steps?after=ID"), ""),
        Place::new("file", "POST", format!("{thread}/messages"), r#"{"role":"user","content":"x","attachments":[{"file_id":"ID"}]}"#),
        Place::new("file", "POST", format!("{thread}/messages"), r#"{"role":"user","content":[{"type":"image_file","image_file":{"file_id":"ID"}}]}"#),
        Place::new("file", "POST", "/v1/threads", r#"{"messages":[{"role":"user","content":"x","attachments":[{"file_id":"ID"}]}]}"#),
        Place::new("file", "POST", "/v1/threads", r#"{"tool_resources":{"code_interpreter":{"file_ids":["ID"]}}}"#),
        Place::new("file", "POST", "/v1/threads", r#"{"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["ID"]}]}}}"#),
        Place::new("file", "POST", "/v1/assistants", r#"{"model":"gpt-4o-mini","tool_resources":{"code_interpreter":{"file_ids":["ID"]}}}"#),
        Place::new("file", "POST", format!("{thread}/runs"), json!({"assistant_id": own.assistant, "additional_messages": [{"role": "user", "content": "x", "attachments": [{"file_id": "ID"}]}]}).to_string()),
        Place::new("file", "POST", "/v1/threads/runs", json!({"assistant_id": own.assistant, "thread": {"messages": [{"role": "user", "content": "x", "attachments": [{"file_id": "ID"}]}]}}).to_string()),
        Place::new("file", "POST", "/v1/threads/runs", json!({"assistant_id": own.assistant, "thread": {"tool_resources": {"code_interpreter": {"file_ids": ["ID"]}}}}).to_string()),
        Place::new("store", "POST", "/v1/threads", r#"{"tool_resources":{"file_search":{"vector_store_ids":["ID"]}}}"#),
        Place::new("store", "POST", "/v1/assistants", r#"{"model":"gpt-4o-mini","tool_resources":{"file_search":{"vector_store_ids":["ID"]}}}"#),
        Place::new("store", "POST", "/v1/threads/runs", json!({"assistant_id": own.assistant, "thread": {"tool_resources": {"file_search": {"vector_store_ids": ["ID"]}}}}).to_string()),
        Place::new("store", "GET", "/v1/vector_stores/ID", ""),
    ]
}

/// S3: in each place, another's id is answered as one that never was, and the upstream hears of neither.
#[test]
fn s3_what_belongs_to_anothers_assistant_is_answered_as_unknown() {
    let (alice, bob) = (house().as_(house().granted()), house().as_(house().granted()));
    let (made, own) = (make(&alice), make(&bob));
    let file = alice.ask(&upload("assistants", "a.jsonl", &record("x"))).id();
    let ids = [
        ("assistant", &made.assistant),
        ("thread", &made.thread),
        ("message", &made.message),
        ("run", &made.run),
        ("step", &made.step),
        ("file", &file),
        ("store", &made.store),
    ];
    assert_eq!(alike(&bob, &calls(&own), &ids), 42);
    // A part is looked for in its own whole only: both are the caller's, and the upstream says that it is not there.
    let second = make(&bob);
    assert_eq!(bob.get(&format!("/v1/threads/{}/messages/{}", own.thread, second.message)).status, 404);
    // Everything is as it was, and its owner sees it.
    let thread = format!("/v1/threads/{}", made.thread);
    for path in [
        format!("/v1/assistants/{}", made.assistant),
        format!("{thread}/messages/{}", made.message),
        format!("{thread}/runs/{}", made.run),
        format!("{thread}/runs/{}/steps/{}", made.run, made.step),
        format!("/v1/vector_stores/{}", made.store),
    ] {
        alice.get(&path).ok();
    }
    assert_eq!(alice.get(&format!("/v1/assistants/{}", made.assistant)).at("/name"), "mine");
    assert!(bob.get("/v1/assistants?limit=100").ok().text().contains(&own.assistant));
    assert!(!bob.get("/v1/assistants?limit=100").text().contains(&made.assistant));
    bob.delete(&format!("/v1/assistants/{}", own.assistant)).ok();
    bob.get(&format!("/v1/assistants/{}", own.assistant)).refused(Reason::ResourceUnknown);
}

/// The ids of a stream's objects, by the kind that each says it is.
fn told(answer: &Answer, object: &str) -> String {
    let text = answer.text();
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let mut ids = events
        .filter(|event| event["object"] == object)
        .map(|event| event["id"].as_str().unwrap().to_owned());
    ids.next().unwrap_or_else(|| panic!("no {object}: {answer}"))
}

/// S2: what a stream tells of is the caller's, each as what it is: a thread, a run, its steps, its messages.
#[test]
fn s2_what_a_runs_stream_tells_of_is_the_callers() {
    let (alice, bob) = (house().as_(house().granted()), house().as_(house().granted()));
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"file_id": {"type": "string"}}}}}]);
    let assistant = alice.post("/v1/assistants", &json!({"model": MODEL, "tools": tools})).id();
    let thread = json!({"messages": [{"role": "user", "content": "call the tool"}]});
    let asked = json!({"assistant_id": assistant, "thread": thread, "stream": true});
    let stream = alice.post("/v1/threads/runs", &asked).ok();
    assert!(stream.text().ends_with("event: done\ndata: [DONE]\n\n"), "{stream}");
    let (thread, run) = (told(&stream, "thread"), told(&stream, "thread.run"));
    let step = told(&stream, "thread.run.step");
    let runs = format!("/v1/threads/{thread}/runs/{run}");
    let waiting = alice.get(&runs).ok();
    assert_eq!(waiting.at("/status"), "requires_action");
    alice.get(&format!("{runs}/steps/{step}")).ok();
    let call = waiting.at("/required_action/submit_tool_outputs/tool_calls/0/id");
    let outputs = json!({"tool_outputs": [{"tool_call_id": call, "output": "seven"}], "stream": true});
    let stream = alice.post(&format!("{runs}/submit_tool_outputs"), &outputs).ok();
    let message = told(&stream, "thread.message");
    let path = format!("/v1/threads/{thread}/messages/{message}");
    assert_eq!(alice.get(&path).ok().at("/content/0/text/value"), "The tool said: seven");
    assert!(alice.get(&format!("/v1/threads/{thread}/messages?run_id={run}")).ok().text().contains(&message));
    // Without a stream the run names its thread.
    let run = alice.post("/v1/threads/runs", &json!({"assistant_id": assistant})).ok();
    alice.get(&format!("/v1/threads/{}/runs/{}", run.at("/thread_id"), run.id())).ok();
    for path in [path, runs, format!("/v1/threads/{}", run.at("/thread_id"))] {
        bob.get(&path).refused(Reason::ResourceUnknown);
    }
    // Models that are another's are nobody's here either.
    let asks = json!({"model": "ft:gpt-4o-mini:acme::never"});
    alice.post("/v1/assistants", &asks).refused(Reason::ResourceUnknown);
}

/// A secret that is spread over the deltas of a message, of the input of a tool, and of what a tool wrote.
#[test]
fn a_runs_deltas_are_censored_as_one_text() {
    let secret = token(9);
    let cut = secret.clone();
    let lane = house().lane(move |up| {
        if up.target() == "/v1/assistants" {
            return reply(200, &json!({"id": "asst_scripted", "object": "assistant"}));
        }
        let mut steps = vec![Step::Send(chunked(200, "text/event-stream"))];
        for piece in ["use ", &cut[..7], &cut[7..20], &cut[20..], " now"] {
            for (event, delta) in deltas(piece) {
                let data = json!({"id": "x_1", "object": event, "delta": delta});
                let event = format!("event: {event}\ndata: {data}\n\n");
                steps.push(Step::Send(chunk(event.as_bytes())));
            }
        }
        steps.push(Step::Send(chunk(b"event: done\ndata: [DONE]\n\n")));
        steps.push(Step::Send(chunk(b"")));
        steps
    });
    let caller = lane.as_(house().granted());
    let assistant = caller.post("/v1/assistants", &json!({"model": MODEL})).id();
    let asked = json!({"assistant_id": assistant, "stream": true});
    let stream = caller.post("/v1/threads/runs", &asked).ok();
    let text = stream.text();
    let events: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
    let calls = "/delta/step_details/tool_calls/0";
    for at in [
        "/delta/content/0/text/value".to_owned(),
        format!("{calls}/function/arguments"),
        format!("{calls}/code_interpreter/input"),
        format!("{calls}/code_interpreter/outputs/0/logs"),
    ] {
        let joined: String = events.iter().filter_map(|event| event.pointer(&at)?.as_str()).collect();
        assert_eq!(joined, "use [GITHUB_PAT] now", "{at}: {text}");
    }
    assert!(!text.contains(&secret[20..]), "{text}");
}

/// The same piece of text at each place of a run's deltas.
fn deltas(piece: &str) -> Vec<(&'static str, Value)> {
    let message = json!({"content": [{"index": 0, "type": "text", "text": {"value": piece}}]});
    let logs = json!([{"index": 0, "type": "logs", "logs": piece}]);
    let calls = [
        json!({"index": 0, "type": "function", "function": {"arguments": piece}}),
        json!({"index": 1, "type": "code_interpreter", "code_interpreter": {"input": piece}}),
        json!({"index": 2, "type": "code_interpreter", "code_interpreter": {"outputs": logs}}),
    ];
    let step = |call: Value| json!({"step_details": {"type": "tool_calls", "tool_calls": [call]}});
    let steps = calls.into_iter().map(|call| ("thread.run.step.delta", step(call)));
    std::iter::once(("thread.message.delta", message)).chain(steps).collect()
}
