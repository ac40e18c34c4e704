use http::Method;
use serde_json::{Value, json};

use super::{Running, bytes, events, start};

fn hello(text: &str) -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})
}

#[tokio::test]
async fn a_file_comes_back_byte_for_byte_and_its_absence_names_its_id() {
    let sandbox = start(|_| {}).await;
    let content = "{\"a\": \"gr\u{fc}n\"}\r\n{\"b\":1}";
    let id = sandbox.upload("fine-tune", content).await;
    assert!(id.starts_with("file-") && id.len() == 27, "{id}");
    assert_eq!(sandbox.get(&format!("/v1/files/{id}/content")).await.text(), content);
    let file = sandbox.get(&format!("/v1/files/{id}")).await.json();
    assert_eq!(
        (&file["bytes"], &file["purpose"], &file["filename"]),
        (&json!(content.len()), &json!("fine-tune"), &json!("a.jsonl"))
    );
    assert_eq!(sandbox.delete(&format!("/v1/files/{id}")).await.json()["deleted"], true);
    let gone = sandbox.get(&format!("/v1/files/{id}")).await;
    assert_eq!(gone.status, 404);
    assert!(gone.json()["error"]["message"].as_str().unwrap().contains(&id));
}

#[tokio::test]
async fn lists_are_paged_from_either_end_and_an_unknown_cursor_is_told() {
    let sandbox = start(|_| {}).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(sandbox.upload("vision", "x").await);
    }
    let page = sandbox.get("/v1/files?limit=2").await.json();
    assert_eq!(
        (&page["first_id"], &page["last_id"], &page["has_more"]),
        (&json!(ids[4]), &json!(ids[3]), &json!(true))
    );
    let page = sandbox.get(&format!("/v1/files?limit=4&order=asc&after={}", ids[2])).await.json();
    assert_eq!((&page["data"][0]["id"], &page["has_more"]), (&json!(ids[3]), &json!(false)));
    let bad = sandbox.get("/v1/files?after=file-unknown").await;
    assert_eq!(bad.status, 400);
    assert!(bad.text().contains("file-unknown"));
    for query in ["limit=0", "limit=x", "limit=10001", "order=up"] {
        assert_eq!(sandbox.get(&format!("/v1/files?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_headers_tell_of_the_account() {
    let sandbox = start(|_| {}).await;
    let request =
        http::Request::builder().uri(sandbox.url("/v1/models")).header("authorization", "Bearer other");
    let got = sandbox.send(request.body(bytes("")).unwrap()).await;
    assert_eq!((got.status.as_u16(), &got.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    let got = sandbox.get("/v1/models").await;
    for name in ["openai-organization", "x-ratelimit-remaining-requests", "x-request-id", "set-cookie"] {
        assert!(got.headers.contains_key(name), "{name}");
    }
    assert_eq!(sandbox.get("/v1/unknown").await.status, 404);
}

async fn streamed(sandbox: &Running, path: &str, mut body: Value) -> String {
    body["stream"] = json!(true);
    let got = sandbox.post(path, body).await;
    assert_eq!(got.headers["content-type"], "text/event-stream; charset=utf-8");
    got.text()
}

/// However the stream is cut on its way, and for any text: the deltas make the plain answer.
#[tokio::test]
async fn deltas_make_the_plain_answer() {
    for piece in [0, 1, 2, 13] {
        let sandbox = start(|options| options.stream_piece = piece).await;
        let text = "Gr\u{fc}\u{df}e \u{6f22}\u{5b57} \u{1f600} \"quoted\" \\ and\nmore";
        let plain = sandbox.post("/v1/chat/completions", hello(text)).await.json();
        assert_eq!(plain["choices"][0]["message"]["content"], format!("You said: {text}"));
        let mut ask = hello(text);
        ask["n"] = json!(2);
        ask["stream_options"] = json!({"include_usage": true});
        let told = streamed(&sandbox, "/v1/chat/completions", ask).await;
        assert!(told.ends_with("data: [DONE]\n\n"));
        let chunks = events(&told);
        for index in 0..2 {
            let choices = chunks.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap());
            let deltas = choices
                .filter(|choice| choice["index"] == index)
                .filter_map(|choice| choice["delta"]["content"].as_str());
            assert_eq!(deltas.collect::<String>(), format!("You said: {text}"));
        }
        assert!(
            chunks.last().unwrap()["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap() > 0
        );
        let told = streamed(&sandbox, "/v1/responses", json!({"model": "gpt-4o", "input": text})).await;
        let deltas = events(&told).into_iter().filter(|event| event["type"] == "response.output_text.delta");
        assert_eq!(
            deltas.map(|event| event["delta"].as_str().unwrap().to_owned()).collect::<String>(),
            format!("You said: {text}")
        );
        let numbers: Vec<_> =
            events(&told).iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn two_tools_are_called_in_turns() {
    let sandbox = start(|_| {}).await;
    let mut ask = hello("call every tool with \"this\" \u{1f600}");
    let tool = |name: &str| {
        let parameters =
            json!({"type": "object", "properties": {"text": {"type": "string"}, "n": {"type": "integer"}}});
        json!({"type": "function", "function": {"name": name, "parameters": parameters}})
    };
    ask["tools"] = json!([tool("one"), tool("two")]);
    let plain = sandbox.post("/v1/chat/completions", ask.clone()).await.json();
    let chunks = events(&streamed(&sandbox, "/v1/chat/completions", ask).await);
    let parts: Vec<_> =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0].as_object()).collect();
    assert_ne!(parts[0]["index"], parts[1]["index"], "the two take turns");
    for index in 0..2 {
        let pieces = parts
            .iter()
            .filter(|part| part["index"] == index)
            .filter_map(|part| part["function"]["arguments"].as_str());
        let arguments: Value = serde_json::from_str(&pieces.collect::<String>()).unwrap();
        assert_eq!(arguments, json!({"text": "call every tool with \"this\" \u{1f600}", "n": 7}));
        let whole =
            plain["choices"][0]["message"]["tool_calls"][index]["function"]["arguments"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(whole).unwrap(), arguments);
    }
    assert_eq!(plain["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn the_rude_models_are_rude() {
    let sandbox = start(|_| {}).await;
    let mut ask = hello("a long enough text to be cut in the middle");
    ask["stream"] = json!(true);
    ask["model"] = json!("sandbox-breaks");
    let got = sandbox.post("/v1/chat/completions", ask.clone()).await;
    assert!(got.broke_off && !got.text().contains("[DONE]") && !got.bytes.is_empty());
    ask["model"] = json!("sandbox-garbled");
    let got = sandbox.post("/v1/chat/completions", ask.clone()).await;
    let data = got.text();
    let bad = data
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|line| serde_json::from_str::<Value>(line).is_err());
    assert_eq!(bad.filter(|line| *line != "[DONE]").count(), 1);
    ask["model"] = json!("sandbox-leaky");
    ask["stream"] = json!(false);
    let said = sandbox.post("/v1/chat/completions", ask).await.text();
    for value in sandbox.get("/__sandbox/leaks").await.json()["values"].as_array().unwrap() {
        assert!(said.contains(value.as_str().unwrap()));
    }
}

#[tokio::test]
async fn what_is_stored_can_be_read_changed_and_deleted() {
    let sandbox = start(|_| {}).await;
    let mut ask = hello("keep this");
    let passing = sandbox.post("/v1/chat/completions", ask.clone()).await.json();
    assert_eq!(
        sandbox.get(&format!("/v1/chat/completions/{}", passing["id"].as_str().unwrap())).await.status,
        404
    );
    ask["store"] = json!(true);
    ask["metadata"] = json!({"k": "v"});
    let id = sandbox.post("/v1/chat/completions", ask).await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/chat/completions/{id}");
    assert_eq!(sandbox.get("/v1/chat/completions?metadata[k]=v").await.json()["data"][0]["id"], id);
    assert_eq!(sandbox.get("/v1/chat/completions?metadata%5Bk%5D=w").await.json()["data"], json!([]));
    assert_eq!(sandbox.get(&format!("{path}/messages")).await.json()["data"][0]["content"], "keep this");
    assert_eq!(sandbox.post(&path, json!({"metadata": {"k": "w"}})).await.json()["metadata"]["k"], "w");
    assert_eq!(sandbox.delete(&path).await.json()["deleted"], true);
    assert_eq!(sandbox.get(&path).await.status, 404);

    let response =
        sandbox.post("/v1/responses", json!({"model": "gpt-4o", "input": "absent means true"})).await.json();
    let path = format!("/v1/responses/{}", response["id"].as_str().unwrap());
    assert_eq!(sandbox.get(&path).await.json()["id"], response["id"]);
    assert_eq!(
        sandbox.get(&format!("{path}/input_items")).await.json()["data"][0]["content"][0]["text"],
        "absent means true"
    );
    let unstored =
        sandbox.post("/v1/responses", json!({"model": "gpt-4o", "input": "x", "store": false})).await.json();
    let missing = sandbox.get(&format!("/v1/responses/{}", unstored["id"].as_str().unwrap())).await;
    assert_eq!(missing.status, 404);
    let after = sandbox
        .post("/v1/responses", json!({"model": "gpt-4o", "input": "x", "previous_response_id": "resp_none"}))
        .await;
    assert!(after.status == 400 && after.text().contains("resp_none"));
}

#[tokio::test]
async fn answers_are_zipped_for_those_who_ask() {
    use std::io::Read;
    let sandbox = start(|options| options.gzip = true).await;
    for stream in [false, true] {
        let mut ask = hello("zip this");
        ask["stream"] = json!(stream);
        let request =
            sandbox.request(Method::POST, "/v1/chat/completions").header("accept-encoding", "gzip, deflate");
        let got = sandbox.send(request.body(bytes(&ask.to_string())).unwrap()).await;
        assert_eq!(got.headers["content-encoding"], "gzip");
        let mut text = String::new();
        #[expect(clippy::disallowed_types, reason = "the bodies here are our own and small")]
        flate2::read::GzDecoder::new(got.bytes.as_slice()).read_to_string(&mut text).unwrap();
        assert!(text.contains("\"id\":\"chatcmpl-"), "{text}");
    }
    assert!(!sandbox.get("/v1/models").await.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn a_grader_is_tried_and_its_model_has_to_be_there() {
    let sandbox = start(|_| {}).await;
    let path = |verb: &str| format!("/v1/fine_tuning/alpha/graders/{verb}");
    let same = json!({
        "type": "string_check", "name": "same", "operation": "eq", "input": "{{sample.output_text}}", "reference": "{{item.a}}",
    });
    for (sample, reward) in [("b", 1.0), ("c", 0.0)] {
        let ask = json!({"grader": same, "model_sample": sample, "item": {"a": "b"}});
        assert_eq!(sandbox.post(&path("run"), ask).await.json()["reward"], reward, "{sample}");
    }
    let asks = |model: &str| json!({"type": "score_model", "name": "asks", "input": [], "model": model});
    let both = json!({"type": "multi", "name": "both", "graders": {"same": same, "asks": asks("gpt-4o")}, "calculate_output": ""});
    let got = sandbox
        .post(&path("run"), json!({"grader": both, "model_sample": "c", "item": {"a": "b"}}))
        .await
        .json();
    assert_eq!((&got["reward"], &got["sub_rewards"]), (&json!(0.5), &json!({"same": 0.0, "asks": 1.0})));
    assert_eq!(sandbox.post(&path("validate"), json!({"grader": both})).await.json()["grader"], both);
    for wrong in [json!("none"), json!({"type": "multi"})] {
        assert_eq!(sandbox.post(&path("validate"), json!({"grader": wrong})).await.status, 400);
    }
    let inside = json!({"type": "multi", "name": "m", "graders": {"asks": asks("ft:none")}});
    for verb in ["run", "validate"] {
        let ask = json!({"grader": inside, "model_sample": "c"});
        let got = sandbox.post(&path(verb), ask).await;
        assert_eq!(
            (got.status.as_u16(), &got.json()["error"]["code"]),
            (404, &json!("model_not_found")),
            "{verb}"
        );
    }
}
