//! The format itself, and streams in no API's shape.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{channel, chat, data, joined, making, read, through};
use crate::body::sse::error_event;
use crate::body::testkit::{
    blocked, censored, exchange, job, nothing_of, pieces, request, response, run, token,
};
use crate::body::{Limits, Transform};
use crate::censor::{Engine, Policy, RuleSet};
use crate::names::Direction;
use crate::reason::Reason;

#[test]
fn what_needs_no_change_stays() {
    for stream in [
        "",
        "\n",
        ": a comment\n\n",
        "\u{feff}data: 1\n\n",
        "event: x\nid: 7\nretry: 10\ndata: {\"a\": [1, 2.50]}\nunknown: y\n\n",
        "data: {\"a\":\ndata:  \"b\"\ndata: }\n\n",
        "data\n\ndata:\n\ndata: \n\n",
        "data: plain text\r\ndata: of two lines!\r\n\r\n: ping\r\rdata: {\"a\":1}\r\rdata: 3\n\n",
        "data: [DONE]\n\n",
        "data: {not json!\n\n",
        "data: {\"a\":1}",
        "data: {\"a\":1}\n",
        "id: 1",
        "data: \"text!\"\n\n\n\n",
    ] {
        assert_eq!(through(&response(), &chat(), stream).text(), stream);
    }
}

/// api7/aisix#1102: data of several lines and data that is no JSON went by.
#[test]
fn everything_else_is_censored_event_by_event() {
    let secret = token(1);
    let stream = format!(
        "event: {secret}\nid: x {secret}\n: comment {secret}\nother: {secret}\ndata: {{\"a\": [\"{secret}\"],\ndata: \"choices\": \"{secret}\"}}\n\n\
         data: plain {secret}\ndata: and;\n\ndata: \"{secret} ;\"\n\ndata: {{\"broken\":\"{secret} ;\n\ndata: {{\"id\":\"{secret}\",\"type\":\"{secret}\",\"choices\":[{{\"index\":\"{secret}\"}}]}}\n\n: {secret}"
    );
    assert_eq!(through(&response(), &chat(), &stream).text(), stream.replace(&secret, "[TEST_TOKEN]"));
}

/// Only what stood behind a colon was looked at: a line without one passed, and a name and its value were two texts.
#[test]
fn a_line_that_clients_ignore_is_text() {
    let secret = token(1);
    let stream =
        format!("{secret}\nx {secret} : y\n{secret}: {secret}\ndata {secret}\ndata: fine!\n\n{secret}");
    for channels in [chat(), vec![channel(None, "", &[], false)]] {
        let outcome = through(&response(), &channels, &stream);
        assert_eq!(outcome.text(), stream.replace(&secret, "[TEST_TOKEN]"));
    }
}

/// A name that gets its value back could make of such a line one that clients read.
#[test]
fn a_line_that_clients_ignore_stays_one() {
    let rule = "version: 1\nrules:\n  - id: evil-line\n    description: x\n    groups: [pii]\n    severity: 1\n    action: pseudonym\n    \
                keywords: ['data:']\n    pattern: 'data:[a-z]{4}'\n";
    let rules = RuleSet::parse("x.yaml", rule).unwrap();
    let mut asked = request();
    asked.engine = Arc::new(Engine::compile(&rules, &Policy::recommended()).unwrap());
    let name = String::from_utf8(asked.censored(b"data:evil").unwrap().unwrap()).unwrap();
    let mut job = job(asked.exchange.clone(), Direction::Response);
    job.engine = asked.engine;
    let outcome = through(&job, &chat(), &format!("{name}\ndata: 1\n\n"));
    assert_eq!(outcome.text(), ":data:evil\ndata: 1\n\n");
}

/// The text was looked for under the key that was read; the event that was made had neither it nor an end.
#[test]
fn text_that_is_held_under_a_key_that_is_a_finding_comes_out() {
    let key = format!("re {} son", token(1));
    let stream = [
        data(&json!({"type": "x", "delta": {key: "a tok_"}})),
        data(&json!({"type": "x", "delta": {"other": "b tok_"}})),
    ]
    .concat();
    let outcome = through(&response(), &[], &stream);
    for (key, text) in [("re [TEST_TOKEN] son", "a tok_"), ("other", "b tok_")] {
        assert_eq!(joined(outcome.text(), &format!("/delta/{key}")), text, "{}", outcome.text());
    }
    for (_, data) in read(outcome.text()) {
        assert!(serde_json::from_str::<Value>(&data).is_ok(), "{data}");
    }
}

#[test]
fn a_key_place_that_is_text_for_another_event_is_censored_as_a_whole() {
    let channels = [channel(Some("a.delta"), "/delta", &["/id"], false)];
    let stream = format!("data: {{\"type\":\"b.delta\",\"delta\":\"x {} tok_\"}}\n\n", token(1));
    let outcome = through(&response(), &channels, &stream);
    assert_eq!(joined(outcome.text(), "/delta"), "x [TEST_TOKEN] tok_");
}

#[test]
fn bare_text_goes_on_from_event_to_event_where_a_channel_says_so() {
    let secret = token(1);
    for cut in 0..secret.len() {
        let stream = format!(
            "data: a {}\n\nevent: x\ndata: {secret}\n\ndata: {} b\n\ndata: tok_Q\n\ndata: [DONE]\n\n",
            &secret[..cut],
            &secret[cut..]
        );
        let outcome = through(
            &response(),
            &[channel(Some("x"), "", &[], false), channel(None, "", &[], false)],
            &stream,
        );
        let (x, texts): (Vec<_>, Vec<_>) =
            read(outcome.text()).into_iter().partition(|(name, _)| name == "x");
        assert_eq!(x.into_iter().map(|(_, data)| data).collect::<String>(), "[TEST_TOKEN]");
        assert_eq!(
            texts.into_iter().map(|(_, data)| data).collect::<String>(),
            "a [TEST_TOKEN] btok_Q[DONE]"
        );
    }
    let stream = "data: one \n\ndata: two lines\ndata: of text \n\n";
    assert_eq!(through(&response(), &[channel(None, "", &[], false)], stream).text(), stream);
}

/// BerriAI/litellm#31503: a block was swallowed, and what was held came out on errors.
#[test]
fn a_blocked_value_ends_the_stream_before_its_event() {
    let value = blocked();
    for cut in 1..value.len() {
        let event = |text: &str| data(&json!({"choices": [{"index": 0, "delta": {"content": text}}]}));
        let stream = [event("fine "), event(&value[..cut]), event(&value[cut..]), event(" after")].concat();
        let outcome = run(&mut *making(&response(), &chat())(), stream.as_bytes().chunks(40));
        assert_eq!(outcome.reason(), Some(Reason::UpstreamContentBlocked));
        nothing_of(&value, &outcome.out);
        assert_eq!(
            joined(outcome.text(), "/choices/0/delta/content").trim_end_matches(&value[..cut.min(4)]),
            "fine "
        );
        assert!(outcome.text().ends_with("\n\n"));
    }
    let error = error_event("{\"error\":{\n\"message\":\"x\"}}");
    assert_eq!(
        String::from_utf8(error).unwrap(),
        "event: error\ndata: {\"error\":{\ndata: \"message\":\"x\"}}\n\n"
    );
}

#[test]
fn a_broken_off_stream_leaks_nothing() {
    let text = format!("x {} y", token(1));
    let stream: String = text
        .chars()
        .map(|c| data(&json!({"choices": [{"index": 0, "delta": {"content": c.to_string()}}]})))
        .collect();
    let mut transform = making(&response(), &chat())();
    let mut out = Vec::new();
    for piece in stream.as_bytes().chunks(13) {
        transform.push(piece, &mut out).unwrap();
    }
    nothing_of(&token(1), &out);
    assert_eq!(joined(std::str::from_utf8(&out).unwrap(), "/choices/0/delta/content"), "x [TEST_TOKEN] ");
}

#[test]
fn streams_are_bounded() {
    let mut job = response();
    job.limits = Arc::new(Limits { event: 200, channels: 3, ..Limits::default() });
    let long = format!("data: {}\n\n", "x".repeat(300));
    let endless = format!("data: {}", "x".repeat(300));
    for stream in [long, endless] {
        assert_eq!(through(&job, &chat(), &stream).reason(), Some(Reason::UpstreamUninspectable));
    }
    let many: String =
        (0..5).map(|n| data(&json!({"choices": [{"index": n, "delta": {"content": "tok_"}}]}))).collect();
    assert_eq!(through(&job, &chat(), &many).reason(), Some(Reason::UpstreamUninspectable));
    assert_eq!(through(&job, &chat(), "data: \u{e9}\n\n").reason(), None);
    let choices: Vec<Value> = (0..3000).map(|n| json!({"index": n, "delta": {"content": ""}})).collect();
    let outcome = run(&mut *making(&response(), &chat())(), [data(&json!({"choices": choices})).as_bytes()]);
    assert_eq!(outcome.reason(), Some(Reason::UpstreamUninspectable));
    let make = making(&job, &chat());
    assert_eq!(
        run(&mut *make(), [b"data: \xff\n\n".as_slice()]).reason(),
        Some(Reason::UpstreamUninspectable)
    );
    let length = 10_000;
    let stream = data(&json!({"choices": [{"index": 0, "delta": {"content": "tok_ and"}}]})).repeat(length);
    let outcome = run(&mut *making(&response(), &chat())(), stream.as_bytes().chunks(4096));
    assert!(outcome.held < 8192, "{}", outcome.held);
    assert_eq!(joined(outcome.text(), "/choices/0/delta/content"), "tok_ and".repeat(length));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_deltas_of_a_channel_are_one_text(
        pieces_of in prop::collection::vec((0_usize..3, prop_oneof![
            Just("tok_".to_owned()), (0_u64..3).prop_map(token), "[a-z ]{0,6}", "[A-Z]{1,12}", any::<String>(),
            (0_u64..3, 1_usize..15).prop_map(|(n, cut)| token(n)[..cut].to_owned()),
            (0_u64..3, 1_usize..15).prop_map(|(n, cut)| token(n)[cut..].to_owned()),
            Just("<<KEY-".to_owned()), Just("-KEY>> ".to_owned()),
        ]), 0..20),
        finish in any::<bool>(),
        sizes in prop::collection::vec(1_usize..90, 1..6),
    ) {
        let mut texts = [String::new(), String::new(), String::new()];
        let mut stream = String::new();
        for (index, text) in &pieces_of {
            texts[*index] += text;
            stream += &data(&json!({"n": 1.50, "choices": [{"index": index, "delta": {"content": text}, "x": text.len()}]}));
        }
        if finish {
            for index in 0..3 {
                stream += &data(&json!({"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]}));
            }
        }
        let outcome = run(&mut *making(&response(), &chat())(), pieces(stream.as_bytes(), &sizes));
        let mut out = [String::new(), String::new(), String::new()];
        let mut finished = [false; 3];
        for (_, data) in read(outcome.text()) {
            let value: Value = serde_json::from_str(&data).unwrap();
            let choice = &value["choices"][0];
            let index = choice["index"].as_u64().unwrap() as usize;
            prop_assert!(!finished[index]);
            out[index] += choice["delta"]["content"].as_str().unwrap_or_default();
            finished[index] = choice["finish_reason"].is_string();
        }
        for (text, out) in texts.iter().zip(&out) {
            prop_assert_eq!(out, &censored(&exchange(), None, text));
        }
        if out == texts && !stream.contains("tok_") && !stream.contains("<<") {
            // Nothing can have been held but for what an address could begin with.
            prop_assert_eq!(finished, [finish; 3]);
        }
    }
}

/// The arguments of a tool call are JSON in pieces: what is hidden behind its escapes is found, however it is cut.
#[test]
fn escapes_inside_streamed_arguments_do_not_hide_a_value() {
    let hidden: String = token(1).chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    let inner = json!({"deep": format!("{{\"k\":\"{}\"}}", token(2))});
    let arguments = format!("{{\"a\":\"x {hidden}\",\"n\":[1, 2.5],\"b\":{inner}}}");
    let event = |text: &str| {
        data(
            &json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}}]}),
        )
    };
    let expected = json!({"a": "x [TEST_TOKEN]", "n": [1, 2.5], "b": {"deep": "{\"k\":\"[TEST_TOKEN]\"}"}});
    for (a, _) in arguments.char_indices() {
        for b in [a, a + 1, a + 7, arguments.len()] {
            let b = b.min(arguments.len());
            let stream = [event(&arguments[..a]), event(&arguments[a..b]), event(&arguments[b..])].concat();
            let outcome = run(&mut *making(&response(), &chat())(), [stream.as_bytes()]);
            let text = joined(outcome.text(), "/choices/0/delta/tool_calls/0/function/arguments");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected, "{a} {b} {text}");
            nothing_of(&token(2), &outcome.out);
        }
    }
}

/// A clean call in small deltas: its text stays, and only keys and numbers wait for what follows them.
#[test]
fn clean_arguments_stay() {
    let arguments =
        json!({"location": "Paris, \u{e9}\n", "days": 14, "list": [true, null, {"x": -1.5e3}]}).to_string();
    for size in 1..8 {
        let chars: Vec<char> = arguments.chars().collect();
        let stream: String = chars
            .chunks(size)
            .map(|text| text.iter().collect::<String>())
            .map(|text| data(&json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": text}})))
            .chain([data(&json!({"type": "content_block_stop", "index": 1}))])
            .collect();
        let outcome = run(&mut *making(&response(), &super::messages())(), [stream.as_bytes()]);
        assert_eq!(joined(outcome.text(), "/delta/partial_json"), arguments);
    }
}
