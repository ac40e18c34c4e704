//! Streams in the shapes of real APIs.

use serde_json::{Value, json};

use super::{chat, data, joined, messages, read, responses, through, values};
use crate::body::testkit::{address, job, nothing_of, quoted, request, response, run, token};
use crate::body::{FactValue, Transform};
use crate::names::Direction;

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    data(
        &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]}),
    )
}

fn said(texts: &[&str]) -> String {
    let mut stream = chunk(&json!({"role": "assistant", "content": ""}), None);
    texts.iter().for_each(|text| stream += &chunk(&json!({"content": text}), None));
    stream += &chunk(&json!({}), Some("stop"));
    stream += &data(&json!({"id": "chatcmpl-1", "choices": [], "usage": {"total_tokens": 7}}));
    stream + "data: [DONE]\n\n"
}

const TEXT: &str = "/choices/0/delta/content";

/// BerriAI/litellm#31756: masking collapsed a stream into one event.
#[test]
fn a_clean_chat_stays_byte_for_byte() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = said(&["Hello ", "wörld \u{1f600}", "\n", ", \"how\" are ", "you?"]).replace('\n', end);
        assert_eq!(through(&response(), &chat(), &stream).text(), stream);
    }
}

/// BerriAI/litellm#41611: an address split over two events passed.
#[test]
fn a_secret_at_every_pair_of_cuts_over_three_deltas() {
    let text = format!("the key is {} today", token(1));
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let stream = said(&[&text[..first], &text[first..second], &text[second..]]);
            let make = super::making(&response(), &chat());
            let outcome = run(&mut *make(), stream.as_bytes().chunks(100));
            assert_eq!(outcome.refusal, None);
            assert_eq!(joined(outcome.text(), TEXT), "the key is [TEST_TOKEN] today", "{first} {second}");
            nothing_of(&token(1), &outcome.out);
            let finish = outcome.text().find("\"stop\"").unwrap();
            assert!(outcome.text().rfind("today").unwrap() < finish);
            assert!(outcome.text().ends_with("data: [DONE]\n\n"));
        }
    }
}

#[test]
fn held_text_comes_before_what_ends_its_channel() {
    let stream = said(&["so it begins: tok_ZX"]);
    let outcome = through(&response(), &chat(), &stream);
    assert_eq!(joined(outcome.text(), TEXT), "so it begins: tok_ZX");
    let values = values(outcome.text());
    assert_eq!(values.len(), 5, "{}", outcome.text());
    assert_eq!(values[1]["choices"][0]["delta"]["content"], "so it begins: ");
    // The event that was added carries what identifies the stream and the choice, and nothing that adds up.
    assert_eq!(
        values[2],
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "delta": {"content": "tok_ZX"}, "logprobs": null, "finish_reason": null}]})
    );
    assert_eq!(values[3]["choices"][0]["finish_reason"], "stop");
    // The finish in the same event as text, and streams that end without any.
    let together =
        chunk(&json!({"content": "a tok_"}), None) + &chunk(&json!({"content": "ZX"}), Some("length"));
    let outcome = through(&response(), &chat(), &together);
    assert_eq!(joined(outcome.text(), TEXT), "a tok_ZX");
    assert_eq!(values_len(outcome.text()), 2);
    for cut_off in [
        chunk(&json!({"content": "a tok_"}), None),
        chunk(&json!({"content": "a tok_"}), None).trim_end().to_owned(),
    ] {
        assert_eq!(joined(through(&response(), &chat(), &cut_off).text(), TEXT), "a tok_");
    }
    let done = chunk(&json!({"content": "a tok_"}), None) + "data: [DONE]\n\n";
    let outcome = through(&response(), &chat(), &done);
    assert_eq!(joined(outcome.text(), TEXT), "a tok_");
    assert!(outcome.text().ends_with("data: [DONE]\n\n"));
}

fn values_len(stream: &str) -> usize {
    values(stream).len()
}

#[test]
fn choices_and_tool_calls_are_texts_of_their_own() {
    let secret = token(2);
    let (a, b) = secret.split_at(7);
    let event = |choices: Value| data(&json!({"id": "x", "choices": choices}));
    let call = |index: usize, name: Option<&str>, arguments: &str| {
        let mut call = json!({"index": index, "function": {"arguments": arguments}});
        if let Some(name) = name {
            call["id"] = json!(format!("call_{index}"));
            call["type"] = json!("function");
            call["function"]["name"] = json!(name);
        }
        call
    };
    let stream = [
        event(json!([{"index": 0, "delta": {"content": a}}, {"index": 1, "delta": {"content": "x "}}])),
        event(json!([{"index": 1, "delta": {"content": a}}])),
        event(json!([{"index": 0, "delta": {"content": "-no "}}, {"index": 1, "delta": {"content": b}}])),
        event(json!([{"index": 0, "delta": {"tool_calls": [call(0, Some("f"), &format!("{{\"k\":\"{a}"))]}}])),
        event(json!([{"index": 0, "delta": {"tool_calls": [call(1, Some("g"), &format!("{{\"l\":\"{a}"))]}}])),
        event(json!([{"index": 0, "delta": {"tool_calls": [call(0, None, &format!("{b}\"}}")), call(1, None, "\"}")]}}])),
        event(json!([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}])),
        event(json!([{"index": 1, "delta": {}, "finish_reason": "stop"}])),
    ]
    .concat();
    let outcome = through(&response(), &chat(), &stream);
    nothing_of(&secret[7..], &outcome.out);
    let mut texts = [String::new(), String::new()];
    let mut calls = [String::new(), String::new()];
    let mut names = Vec::new();
    for value in values(outcome.text()) {
        for choice in value["choices"].as_array().unwrap() {
            let index = choice["index"].as_u64().unwrap() as usize;
            texts[index] += choice["delta"]["content"].as_str().unwrap_or_default();
            for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                let index = call["index"].as_u64().unwrap() as usize;
                calls[index] += call["function"]["arguments"].as_str().unwrap();
                names.extend(call["function"]["name"].as_str().map(str::to_owned));
            }
        }
    }
    assert_eq!(texts, [format!("{a}-no "), "x [TEST_TOKEN]".to_owned()]);
    assert_eq!(calls, ["{\"k\":\"[TEST_TOKEN]\"}".to_owned(), format!("{{\"l\":\"{a}\"}}")]);
    assert_eq!(names, ["f", "g"]);
}

#[test]
fn a_flush_of_a_tool_call_repeats_neither_name_nor_id() {
    let event = |calls: Value| {
        data(
            &json!({"id": "x", "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": calls}}]}),
        )
    };
    let stream = event(
        json!([{"index": 0, "id": "c0", "type": "function", "function": {"name": "f", "arguments": "tok_Z"}}]),
    ) + &data(
        &json!({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}),
    );
    let outcome = through(&response(), &chat(), &stream);
    let values = values(outcome.text());
    assert_eq!(
        values[1]["choices"][0]["delta"]["tool_calls"],
        json!([{"index": 0, "type": "function", "function": {"arguments": "tok_Z"}}])
    );
    assert!(values[1]["choices"][0]["delta"].get("role").is_none());
    assert_eq!(outcome.text().matches("\"name\"").count(), 1);
}

/// BerriAI/litellm#31950: names were not restored in the arguments of tool calls.
#[test]
fn names_are_restored_across_deltas_and_fit_into_json() {
    let asking = request();
    let ask = |text: &str| {
        let mut transform = crate::body::text::TextTransform::new(asking.clone(), None);
        run(&mut transform, [text.as_bytes()]).text().to_owned()
    };
    let (mail, hard) = (ask(&address(1)), ask(&quoted(1)));
    let back = job(asking.exchange.clone(), Direction::Response);
    for cut in 0..mail.len() {
        let outcome =
            through_once(&back, &said(&["I wrote to ", &mail[..cut], &mail[cut..], " and ", &hard, "."]));
        assert_eq!(joined(&outcome, TEXT), format!("I wrote to {} and {}.", address(1), quoted(1)));
    }
    let arguments = format!("{{\"to\":\"{hard}\"}}");
    for cut in 0..arguments.len() {
        let event =
            |text: &str| chunk(&json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}), None);
        let outcome = through_once(&back, &(event(&arguments[..cut]) + &event(&arguments[cut..])));
        let text = joined(&outcome, "/choices/0/delta/tool_calls/0/function/arguments");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"to": quoted(1)}));
    }
}

fn through_once(job: &crate::body::Job, stream: &str) -> String {
    run(&mut *super::making(job, &chat())(), stream.as_bytes().chunks(64)).text().to_owned()
}

#[test]
fn the_responses_api() {
    let secret = token(3);
    let event = |mut value: Value, n: usize| {
        value["sequence_number"] = json!(n);
        format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap())
    };
    let text = format!("a {secret} b tok_Q");
    for cut in 0..text.len() {
        let delta = |text: &str| json!({"type": "response.output_text.delta", "item_id": "m1", "output_index": 0, "content_index": 0, "delta": text, "logprobs": []});
        let stream = [
            event(json!({"type": "response.created", "response": {"id": "r1", "output": []}}), 0),
            event(delta(&text[..cut]), 1),
            event(json!({"type": "response.web_search_call.completed", "item_id": "w1", "output_index": 1}), 2),
            event(delta(&text[cut..]), 3),
            event(json!({"type": "response.output_text.done", "item_id": "m1", "output_index": 0, "content_index": 0, "text": text}), 4),
            event(json!({"type": "response.content_part.done", "item_id": "m1", "output_index": 0, "content_index": 0, "part": {"type": "output_text", "text": text}}), 5),
            event(json!({"type": "response.completed", "response": {"id": "r1", "output": [{"content": [{"text": text}]}]}}), 6),
        ]
        .concat();
        let outcome = run(&mut *super::making(&response(), &responses())(), stream.as_bytes().chunks(50));
        let expected = "a [TEST_TOKEN] b tok_Q";
        nothing_of(&secret, &outcome.out);
        assert_eq!(joined(outcome.text(), "/delta"), expected);
        assert_eq!(joined(outcome.text(), "/text"), expected);
        assert_eq!(joined(outcome.text(), "/part/text"), expected);
        assert_eq!(joined(outcome.text(), "/response/output/0/content/0/text"), expected);
        let kinds: Vec<String> = read(outcome.text()).into_iter().map(|(name, _)| name).collect();
        let (done, deltas) = (
            kinds.iter().position(|k| k.ends_with("text.done")).unwrap(),
            kinds.iter().rposition(|k| k.ends_with(".delta")).unwrap(),
        );
        assert!(deltas < done, "{kinds:?}");
        for (name, data) in read(outcome.text()) {
            let value: Value = serde_json::from_str(&data).unwrap();
            assert_eq!(value["type"], name);
            if name.ends_with(".delta") {
                assert_eq!(value["item_id"], "m1");
            }
        }
    }
}

#[test]
fn the_messages_api() {
    let secret = token(4);
    let event = |value: Value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap());
    let delta = |index: usize, kind: &str, key: &str, text: &str| {
        event(json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, key: text}}))
    };
    for cut in 0..secret.len() {
        let stream = [
            event(json!({"type": "message_start", "message": {"id": "msg", "content": [], "usage": {"input_tokens": 3}}})),
            event(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}})),
            delta(0, "thinking_delta", "thinking", &secret[..cut]),
            event(json!({"type": "ping"})),
            delta(0, "thinking_delta", "thinking", &secret[cut..]),
            event(json!({"type": "content_block_stop", "index": 0})),
            event(json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}})),
            delta(1, "input_json_delta", "partial_json", &format!("{{\"a\":\"{}", &secret[..cut])),
            delta(1, "input_json_delta", "partial_json", &format!("{}\"}}", &secret[cut..])),
            event(json!({"type": "content_block_stop", "index": 1})),
            event(json!({"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}})),
            delta(2, "text_delta", "text", &format!("tail {}", &secret[..cut])),
            event(json!({"type": "content_block_stop", "index": 2})),
            event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}})),
            event(json!({"type": "message_stop"})),
        ]
        .concat();
        let outcome = run(&mut *super::making(&response(), &messages())(), stream.as_bytes().chunks(33));
        let own = |key: &str| joined(outcome.text(), &format!("/delta/{key}"));
        assert_eq!(own("thinking"), "[TEST_TOKEN]");
        assert_eq!(own("partial_json"), "{\"a\":\"[TEST_TOKEN]\"}");
        assert_eq!(own("text"), format!("tail {}", &secret[..cut]));
        // Everything of a block comes before it stops, with its index and the type of its delta.
        let mut stopped = Vec::new();
        for value in values(outcome.text()) {
            let index = value["index"].clone();
            match value["type"].as_str().unwrap() {
                "content_block_stop" => stopped.push(index),
                "content_block_delta" => {
                    assert!(!stopped.contains(&index), "{}", outcome.text());
                    assert!(value["delta"]["type"].as_str().unwrap().ends_with("_delta"));
                }
                _ => {}
            }
        }
        assert_eq!(outcome.text().matches("event: message_delta").count(), 1);
    }
}

#[test]
fn ids_are_told_before_their_events_are_sent() {
    let watches = [crate::body::json::Watch::opaque("/response/id".parse().unwrap())];
    let edits = [crate::catalog::Edit {
        at: "/**/cached_tokens".parse().unwrap(),
        action: crate::catalog::EditAction::Remove,
    }];
    let plan = std::sync::Arc::new(super::SsePlan::compile(&responses(), &watches, &edits).unwrap());
    let mut transform = super::SseTransform::new(response(), plan);
    let mut out = Vec::new();
    transform
        .push(
            b"data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"cached_tokens\":3}}\n",
            &mut out,
        )
        .unwrap();
    assert!(out.is_empty() && transform.take_facts().is_empty());
    transform.push(b"\n", &mut out).unwrap();
    assert_eq!(transform.take_facts().first(0), Some(&FactValue::Text("resp_1".into())));
    assert_eq!(out, b"data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n");
    assert!(transform.take_facts().is_empty());
}
