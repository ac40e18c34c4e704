//! Texts that no channel names, channels that end too early, and words that are none.

use serde_json::{Value, json};

use super::{chat, data, joined, making, messages, read, responses, through, values};
use crate::body::testkit::{nothing_of, response, run, token};
use crate::catalog::Channel;

fn choice(delta: &Value, more: &Value) -> String {
    let mut choice = json!({"index": 0, "delta": delta});
    for (name, value) in more.as_object().unwrap() {
        choice[name] = value.clone();
    }
    data(&json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
}

/// A secret cut anywhere, in events of one shape, comes out as one text.
fn is_one_text(channels: &[Channel], pointer: &str, event: impl Fn(&str) -> String) {
    let text = format!("a {} b", token(1));
    for cut in 1..text.len() {
        let stream = event(&text[..cut]) + &event(&text[cut..]);
        let outcome = run(&mut *making(&response(), channels)(), stream.as_bytes().chunks(50));
        assert_eq!(outcome.refusal, None, "{pointer}");
        assert_eq!(
            joined(outcome.text(), pointer),
            "a [TEST_TOKEN] b",
            "{pointer} at {cut}: {}",
            outcome.text()
        );
    }
}

#[test]
fn a_reason_to_finish_that_is_empty_is_none() {
    is_one_text(&chat(), "/choices/0/delta/content", |text| {
        choice(&json!({"content": text}), &json!({"finish_reason": ""}))
    });
}

#[test]
fn a_choice_without_an_index_is_the_one_that_stands_there() {
    let text = format!("a {} b", token(1));
    for cut in 1..text.len() {
        let mut stream = String::new();
        let says = [
            json!([{"delta": {"content": &text[..cut]}}]),
            json!([{"index": 0.0, "delta": {"content": &text[cut..]}}]),
        ];
        for choices in says {
            stream += &data(&json!({"choices": choices}));
        }
        let outcome = run(&mut *making(&response(), &chat())(), [stream.as_bytes()]);
        assert_eq!(joined(outcome.text(), "/choices/0/delta/content"), "a [TEST_TOKEN] b");
    }
    // What one event leaves out of the keys tells nothing.
    let event = |item: &str, text: &str| {
        data(&json!({"type": "response.output_text.delta", "item_id": item, "delta": text}))
    };
    let stream = event("m1", &text[..9])
        + &event("m1", &text[9..12]).replace("\"item_id\":\"m1\",", "")
        + &event("m1", &text[12..]);
    let outcome = through(&response(), &responses(), &stream);
    assert_eq!(joined(outcome.text(), "/delta"), "a [TEST_TOKEN] b");
}

#[test]
fn text_behind_an_end_goes_on() {
    let secret = token(1);
    for cut in 1..secret.len() {
        let stream = choice(&json!({"content": &secret[..cut]}), &json!({"finish_reason": "stop"}))
            + &choice(&json!({"content": &secret[cut..]}), &json!({}));
        let outcome = through(&response(), &chat(), &stream);
        let whole = format!("{}[TEST_TOKEN]", &secret[..cut]);
        assert_eq!(joined(outcome.text(), "/choices/0/delta/content"), whole);
    }
    // What is no value goes on, also behind a value that ended in time.
    for (one, other) in [("a tok_", "ZX and more"), (secret.as_str(), " b"), ("", ""), ("x ", &secret)] {
        let stream = choice(&json!({"content": one}), &json!({"finish_reason": "stop"}))
            + &choice(&json!({"content": other}), &json!({"finish_reason": "stop"}));
        let outcome = through(&response(), &chat(), &stream);
        let whole = format!("{one}{other}").replace(&secret, "[TEST_TOKEN]");
        assert_eq!(joined(outcome.text(), "/choices/0/delta/content"), whole);
    }
    // An open value is swallowed to its own end.
    let stream = choice(&json!({"content": "<<KEY-ABC"}), &json!({"finish_reason": "stop"}))
        + &choice(&json!({"content": "DEF-KEY>> b"}), &json!({}));
    let outcome = through(&response(), &chat(), &stream);
    assert_eq!(joined(outcome.text(), "/choices/0/delta/content"), "[TEST_OPEN] b");
}

#[test]
fn every_string_below_a_delta_is_a_text() {
    for way in [
        "thinking",
        "reasoning",
        "some_day/text",
        "reasoning_details/0/text",
        "content/0/text",
        "content/0/text/value",
        "images/3",
    ] {
        let delta = |text: &str| {
            way.rsplit('/').fold(json!(text), |inside, step| match step.parse::<usize>() {
                Ok(at) => Value::Array((0..at).map(|_| json!(null)).chain([inside]).collect()),
                Err(_) => json!({ step: inside }),
            })
        };
        let pointer = format!("/choices/0/delta/{way}");
        // What was held comes in an event with its item alone.
        let pointer = pointer.replace("images/3", "images/0");
        if !way.starts_with("images") {
            is_one_text(&chat(), &pointer, |text| choice(&delta(text), &json!({})));
        }
    }
    is_one_text(&responses(), "/delta", |text| {
        data(&json!({"type": "response.reasoning.delta", "item_id": "i", "output_index": 0, "delta": text}))
    });
    is_one_text(&responses(), "/delta/patch", |text| {
        data(&json!({"type": "response.some_day.delta", "obfuscation": "x", "delta": {"patch": text}}))
    });
    is_one_text(&responses(), "/text", |text| data(&json!({"type": "some_day_delta", "text": text})));
    is_one_text(&messages(), "/delta/citation", |text| {
        format!(
            "event: content_block_delta\ndata: {}\n\n",
            json!({"index": 0, "delta": {"type": "citations_delta", "citation": text}})
        )
    });
    for (pointer, event) in [
        ("/choices/0/text", (|t| json!({"choices": [{"index": 0, "text": t}]})) as fn(&str) -> Value),
        ("/content", |t| json!({"content": t, "stop": false})),
        ("/message/content", |t| json!({"model": "m", "message": {"role": "assistant", "content": t}})),
        ("/token/text", |t| json!({"token": {"id": 1, "text": t}})),
        ("", |t| json!(t)),
    ] {
        is_one_text(&[], pointer, |text| data(&event(text)));
    }
}

#[test]
fn data_that_is_no_json_goes_on() {
    let text = format!("a {} b", token(1));
    for cut in 1..text.len() {
        let stream =
            format!("data: {}\n\n: ping\n\ndata: {}\n\ndata: [DONE]\n\n", &text[..cut], &text[cut..]);
        let outcome = run(&mut *making(&response(), &chat())(), stream.as_bytes().chunks(9));
        let said: String = read(outcome.text()).into_iter().map(|(_, data)| data).collect();
        assert!(!said.contains(&token(1)), "{said}");
        nothing_of(&token(1), said.as_bytes());
    }
}

/// Each item of a list and each event type has texts of its own.
#[test]
fn unnamed_texts_are_told_apart() {
    let secret = token(1);
    let (a, b) = secret.split_at(8);
    let part = |index: usize, text: &str| json!({"index": index, "text": text});
    let stream = [
        choice(&json!({"parts": [part(0, a), part(1, "x ")]}), &json!({})),
        choice(&json!({"parts": [part(1, a)]}), &json!({})),
        choice(&json!({"parts": [part(0, "-no ")]}), &json!({})),
        choice(&json!({"parts": [part(1, b)]}), &json!({})),
        choice(&json!({}), &json!({"finish_reason": "stop"})),
    ]
    .concat();
    let outcome = through(&response(), &chat(), &stream);
    let mut texts = [String::new(), String::new()];
    for value in values(outcome.text()) {
        for part in value["choices"][0]["delta"]["parts"].as_array().into_iter().flatten() {
            texts[part["index"].as_u64().unwrap() as usize] += part["text"].as_str().unwrap();
        }
    }
    assert_eq!(texts, [format!("{a}-no "), "x [TEST_TOKEN]".to_owned()]);
    // Held text comes before what ends it.
    let finish = outcome.text().find("\"stop\"").unwrap();
    assert!(outcome.text().rfind("parts").unwrap() < finish);
    let stream = data(&json!({"type": "response.reasoning.delta", "item_id": "i", "delta": "tok_"}))
        + &data(&json!({"type": "response.reasoning.done", "item_id": "i"}));
    let outcome = through(&response(), &responses(), &stream);
    assert_eq!(values(outcome.text()).last().unwrap()["type"], "response.reasoning.done");
    assert_eq!(joined(outcome.text(), "/delta"), "tok_");
}

/// What a client reads at once is sent at once, whatever it begins with.
#[test]
fn words_are_not_held_back() {
    let call = |id: &str, name: &str, arguments: &str| json!({"tool_calls": [{"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]});
    for stream in [
        choice(&json!({"role": "tok_", "content": ""}), &json!({"finish_reason": null})),
        choice(&call("call_tok_", "tok_", ""), &json!({}))
            + &choice(&call("call_tok_", "tok_", "{}"), &json!({})),
        data(
            &json!({"type": "response.reasoning.delta", "item_id": "tok_", "delta": " ", "obfuscation": "tok_Z"}),
        ),
        data(&json!({"type": "response.audio.delta", "response_id": "r", "delta": "tok_"})),
        data(
            &json!({"type": "response.output_item.added", "item": {"id": "tok_", "type": "function_call", "name": "tok_"}}),
        ),
        data(
            &json!({"type": "response.output_text.annotation.added", "annotation": {"title": "tok_", "url": "tok_"}}),
        ),
        data(&json!({"error": {"message": "no tok_", "type": "tok_", "code": null}})),
        data(&json!({"error": "tok_"})),
        data(&json!({"id": "tok_", "provider": "tok_", "model": "tok_", "choices": []})),
    ] {
        assert_eq!(through(&response(), &chat(), &stream).text(), stream);
    }
}

#[test]
fn a_value_in_two_words_ends_with_the_first() {
    let secret = token(1);
    for cut in 1..secret.len() {
        let event = |name: &str| {
            choice(&json!({"tool_calls": [{"index": 0, "function": {"name": name}}]}), &json!({}))
        };
        let stream = event(&secret[..cut]) + &event(&secret[cut..]);
        let outcome = through(&response(), &chat(), &stream);
        let name = joined(outcome.text(), "/choices/0/delta/tool_calls/0/function/name");
        assert_eq!(name, format!("{}[TEST_TOKEN]", &secret[..cut]));
    }
}

/// A template is made of an event as large as one may be; a tree of it would take many times that.
#[test]
fn what_is_held_back_comes_without_what_adds_up() {
    let filler: Vec<Value> = (0..5000).map(|_| json!([])).collect();
    let event = json!({"id": "c", "usage": {"total": 3}, "x": filler, "empty": [ ], "choices": [{"index": 0, "delta": {"role": "r", "content": "tok_"}}]});
    let outcome = run(&mut *making(&response(), &chat())(), [data(&event).as_bytes()]);
    assert_eq!(
        *values(outcome.text()).last().unwrap(),
        json!({"id": "c", "empty": [], "choices": [{"index": 0, "delta": {"content": "tok_"}}]})
    );
}
