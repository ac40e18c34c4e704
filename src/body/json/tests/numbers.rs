//! Numbers that are findings become strings; all others stay as they are.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{censoring, plan};
use crate::body::json::{JsonPlan, JsonTransform, Watch};
use crate::body::testkit::{everywhere, exchange, job, request, run};
use crate::body::{FactValue, Job, Transform};
use crate::censor::{Engine, Policy, RuleSet};
use crate::names::Direction;

/// Digits that are a finding by themselves.
fn number(n: u32) -> String {
    format!("{}{:010}", 77, 1_234_567_890 + u64::from(n))
}

/// A card's number that passes its check.
fn card() -> String {
    ["4111", "1111", "1111", "1111"].concat()
}

#[test]
fn a_number_that_is_a_finding_becomes_a_string() {
    let (a, b) = (number(1), number(2));
    let body = format!(
        r#"{{"a":{a},"b":[1,{b} ,-2.5e3],"account": 12345,"c":{{"account_no":[55555,4],"x":12345}} , "d":{a}.0,"e":{a}.5,"f":-0}}"#
    );
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert_eq!(value["a"], "[TEST_NUMBER]");
    assert_eq!(value["d"], "[TEST_NUMBER]");
    assert!(value["account"].as_str().unwrap().starts_with("TEST_ACCOUNT_"), "{value}");
    assert!(value["c"]["account_no"][0].as_str().unwrap().starts_with("TEST_ACCOUNT_"), "{value}");
    let rest = r#","b":[1,"[TEST_NUMBER]" ,-2.5e3],"account": ""#;
    assert!(outcome.text().contains(rest), "{}", outcome.text());
    assert!(outcome.text().ends_with(&format!(r#","x":12345}} , "d":"[TEST_NUMBER]","e":{a}.5,"f":-0}}"#)));
    for root in [number(3), format!(" {}\n", number(3))] {
        let outcome = everywhere(&censoring(&request()), root.as_bytes());
        assert_eq!(outcome.text().trim(), r#""[TEST_NUMBER]""#);
    }
}

#[test]
fn a_number_under_a_telling_name_may_be_short() {
    let body = r#"{"birth_name":1234,"other":1234,"x":{"birth_name":[12,345]}}"#;
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert!(value["birth_name"].as_str().unwrap().contains("****"), "{value}");
    assert_eq!(value["x"]["birth_name"][0], 12);
    assert!(value["x"]["birth_name"][1].is_string(), "{value}");
    assert_eq!(value["other"], 1234);
}

#[test]
fn a_number_that_decides_is_told_as_it_came() {
    let watches = [Watch::opaque("/id".parse().unwrap()), Watch::new("/n".parse().unwrap())];
    let plan = plan(&watches, &[]);
    let body = format!(r#"{{"id":{0},"n":{0},"m":{0}}}"#, number(1));
    let make = || JsonTransform::new(request(), Arc::clone(&plan));
    let outcome = everywhere(&|| Box::new(make()) as Box<dyn Transform>, body.as_bytes());
    let expected = format!(r#"{{"id":{},"n":"[TEST_NUMBER]","m":"[TEST_NUMBER]"}}"#, number(1));
    assert_eq!(outcome.text(), expected);
    let mut transform = make();
    run(&mut transform, body.as_bytes().chunks(5));
    for watch in 0..2 {
        let values: Vec<_> = transform.facts().at(watch).collect();
        assert_eq!(values, [&FactValue::Number(number(1).into())]);
    }
}

fn shipped(direction: Direction) -> Job {
    let rules = RuleSet::builtin().unwrap();
    let mut job = job(exchange(), direction);
    job.engine = Arc::new(Engine::compile(&rules, &Policy::recommended()).unwrap());
    job
}

#[test]
fn numbers_of_real_calls_stay() {
    let body = json!({
        "id": "chatcmpl-1", "created": 1_726_345_098, "created_at": 1_726_345_098_123_u64, "expires_at": 1_726_431_498,
        "updated_at": 1_726_345_098_123_456_u64, "time_ns": 1_726_345_098_123_456_789_u64,
        "seed": card().parse::<u64>().unwrap(), "randomSeed": card().parse::<u64>().unwrap(), "temperature": 0.700_000_000_000_000_1, "top_p": 1.0, "max_tokens": 4096,
        "usage": {"prompt_tokens": 123_456, "completion_tokens": 45_678, "total_tokens": 169_134,
            "prompt_tokens_details": {"cached_tokens": 100_096, "audio_tokens": 0},
            "input_tokens": 10_240, "cache_creation_input_tokens": 20_480},
        "logprobs": {"content": [{"token": "a", "logprob": -12.345_678_901_234_567, "bytes": [97, 226, 128, 153]}]},
        "logit_bias": {"50256": -100, "12345": 5},
        "trained_tokens": 5_678_901, "bytes": 123_456_789, "size": 40_123_456_789_u64, "n_epochs": 3,
        "hyperparameters": {"batch_size": 128, "learning_rate_multiplier": 1.5e-5},
        "embedding": [0.012_345_678_901_234, -0.987_654_321_098_765_4, 1.234_567_89e-5, 4.111_111_111_111_111],
        "tokens": [50256, 12345, 198, 220, 151_643], "index": 41_111, "duration": 12.345_678, "offset": 100_000,
        "start": 1234, "end": 5678, "width": 1024, "price": 19_999, "year": 2024, "sequence_number": 123_456,
    })
    .to_string();
    for direction in [Direction::Request, Direction::Response] {
        let mut transform = JsonTransform::new(shipped(direction), Arc::new(JsonPlan::empty()));
        assert_eq!(run(&mut transform, [body.as_bytes()]).text(), body);
    }
}

/// A word speaks for a number as a whole word of the field's name: `cancelled_at` is no cell, and `recall` no call.
#[test]
fn a_word_within_a_word_of_a_name_speaks_for_nothing() {
    let cancelled = r#"{"id":"batch_1","object":"batch","status":"cancelled","created_at":1764531120,"in_progress_at":null,"cancelling_at":1764531180,"cancelled_at":1764531181,"expires_at":1764617520,"excelled":1764531181,"contact_issued_at":1764531181}"#;
    for direction in [Direction::Request, Direction::Response] {
        let mut transform = JsonTransform::new(shipped(direction), Arc::new(JsonPlan::empty()));
        assert_eq!(run(&mut transform, [cancelled.as_bytes()]).text(), cancelled);
    }
    let said = [
        "cell",
        "cellPhone",
        "cell_phone",
        "CELL-PHONE",
        "homePhone",
        "phone2",
        "phones",
        "user.mobile",
        "SMSPhone",
        "联系手机号",
        "Telefon",
        "contactUs",
    ];
    for name in said {
        let body = json!({ name: 4_915_112_345_678_u64 }).to_string();
        let mut transform = JsonTransform::new(shipped(Direction::Request), Arc::new(JsonPlan::empty()));
        assert_ne!(run(&mut transform, [body.as_bytes()]).text(), body, "{name}");
    }
}

#[test]
fn a_card_as_a_number_does_not_pass() {
    let body = format!(
        r#"{{"card":{0},"rows":[[1,{0}]],"password":123456,"phone":4915112345678,"ssn":536221234}}"#,
        card()
    );
    let mut transform = JsonTransform::new(shipped(Direction::Request), Arc::new(JsonPlan::empty()));
    let outcome = run(&mut transform, body.as_bytes().chunks(3));
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert_eq!(value["card"], "[CREDIT_CARD]");
    assert_eq!(value["rows"][0], json!([1, "[CREDIT_CARD]"]));
    assert_eq!(value["password"], "[PASSWORD]");
    assert!(value["ssn"].is_string() && value["phone"].is_string(), "{value}");
}

#[test]
fn a_fraction_under_a_telling_name_is_looked_at_behind_others_too() {
    let body = r#"{"x":[1.25,0.5],"latitude":[0.5,52.520008,1],"y":52.520008,"latitudes":[7.25,52.520008]}"#;
    let mut transform = JsonTransform::new(shipped(Direction::Request), Arc::new(JsonPlan::empty()));
    let outcome = run(&mut transform, [body.as_bytes()]);
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert_eq!(value["latitude"], json!([0.5, "[LOCATION_COORDINATES]", 1]));
    assert_eq!(value["latitudes"][1], "[LOCATION_COORDINATES]");
    assert_eq!(value["y"], 52.520_008);
}

/// Numbers made by chance: how many of them the rules that ship take for something.
#[test]
fn numbers_by_chance_are_rarely_taken_for_findings() {
    let job = shipped(Direction::Request);
    let mut state = 88_172_645_463_325_252_u64;
    let mut numbers = Vec::new();
    for _ in 0..20_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        numbers.extend([state >> 1, state >> 32, state >> 14, 1_700_000_000_000_000 + (state >> 20)]);
    }
    let body = json!({ "values": numbers }).to_string();
    let mut transform = JsonTransform::new(job, Arc::new(JsonPlan::empty()));
    let outcome = run(&mut transform, [body.as_bytes()]);
    let strings = outcome.text().matches('[').count() - 1;
    assert!(strings < numbers.len() / 200, "{strings} of {} numbers", numbers.len());
}
