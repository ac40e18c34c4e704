use std::time::Duration;

use http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use super::openai;
use crate::catalog::{RequestHeader, ResponseHeader, problem};
use crate::names::Kind;
use crate::reason::{Reason, Refusal, SafeText};

fn body(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn an_unknown_id_is_answered_the_same_whatever_it_is() {
    let file = Kind::new("file");
    let plain = openai().error(&Refusal::new(Reason::ResourceUnknown), "id-1", Some(&file));
    let told = Refusal::new(Reason::ResourceUnknown)
        .detail(SafeText::numbered("foreign, line", 3))
        .log("owned by another tenant");
    let detailed = openai().error(&told, "id-1", Some(&file));
    assert_eq!(plain.status, StatusCode::NOT_FOUND);
    assert_eq!(
        (plain.status, &plain.headers, &plain.body),
        (detailed.status, &detailed.headers, &detailed.body)
    );
    let other_request = openai().error(&told, "id-2", Some(&file));
    assert_eq!(plain.body, other_request.body);
    assert_eq!(
        body(&plain.body),
        json!({"error": {"message": "No such File object.", "type": "invalid_request_error", "param": "id", "code": null}})
    );
    assert_eq!(plain.headers["x-should-retry"], "false");
    assert_eq!(plain.headers["x-request-id"], "id-1");
    assert_eq!(plain.headers["content-type"], "application/json");
}

#[test]
fn an_unknown_id_without_a_kind_tells_nothing_either() {
    let told = Refusal::new(Reason::ResourceUnknown).detail(SafeText::numbered("foreign, line", 3));
    for kind in [None, Some(Kind::new("no such kind"))] {
        let answer = openai().error(&told, "id-1", kind.as_ref());
        let error = &body(&answer.body)["error"];
        assert_eq!(error["message"], "No such resource.");
        assert_eq!(error["type"], "not_found_error");
    }
}

/// The official SDKs choose the exception by status, and send again what has 408, 409, 429 or 5xx unless told not to.
#[test]
fn every_reason_has_an_answer_that_clients_understand() {
    for reason in Reason::ALL {
        let answer = openai().error(&Refusal::new(*reason), "id", None);
        assert_eq!(answer.status, reason.status());
        let error = &body(&answer.body)["error"];
        assert!(
            error["message"].is_string() && error["type"].is_string() && error["code"].is_string(),
            "{reason}"
        );
        let again = matches!(answer.status.as_u16(), 408 | 409 | 429 | 500..);
        let told_not_to = answer.headers.get("x-should-retry").is_some_and(|v| v == "false");
        let told_when = answer.headers.contains_key("retry-after");
        assert!(!again || told_not_to != told_when, "{reason}: sent again blindly");
        assert_eq!(
            answer.headers.contains_key("www-authenticate"),
            answer.status == StatusCode::UNAUTHORIZED
        );
        let plain = problem(&Refusal::new(*reason), "id");
        assert_eq!(plain.headers["content-type"], "application/problem+json");
        assert_eq!(body(&plain.body)["code"], reason.code());
        assert_eq!(body(&plain.body)["status"], reason.status().as_u16());
    }
}

#[test]
fn overload_says_when_to_come_back() {
    let overloaded = openai().error(&Refusal::new(Reason::Overloaded), "id", None);
    assert_eq!(overloaded.headers["retry-after"], "1");
    assert!(!overloaded.headers.contains_key("x-should-retry"));
    let refusal =
        Refusal { retry_after: Some(Duration::from_secs(7)), ..Refusal::new(Reason::StoreUnavailable) };
    assert_eq!(openai().error(&refusal, "id", None).headers["retry-after"], "7");
    let denied = openai().error(&Refusal::new(Reason::ConsentMissing), "id", None);
    assert_eq!(denied.headers["x-should-retry"], "false");
    assert!(!denied.headers.contains_key("retry-after"));
}

#[test]
fn the_detail_is_told_and_stays_json() {
    let refusal = Refusal::new(Reason::ContentMalformed).detail(SafeText::numbered("line", 17)).log("secret");
    let answer = openai().error(&refusal, "id", None);
    assert_eq!(body(&answer.body)["error"]["message"], "The body is not well-formed: line 17.");
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
    let event = openai().error_event(&refusal, "id");
    let data = event.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).unwrap();
    assert!(!data.contains('\n'));
    assert_eq!(body(data.as_bytes())["error"]["code"], "content_malformed");
}

#[test]
fn headers_towards_the_upstream() {
    let rules = openai().headers();
    let what = |name: &str| rules.request(&HeaderName::from_bytes(name.as_bytes()).unwrap());
    for name in ["content-type", "accept", "openai-beta"] {
        assert_eq!(what(name), RequestHeader::Pass, "{name}");
    }
    assert_eq!(what("idempotency-key"), RequestHeader::Salt);
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-prefix",
    ] {
        assert_eq!(what(name), RequestHeader::Refuse, "{name}");
    }
    for name in [
        "openai-organization",
        "openai-project",
        "cookie",
        "user-agent",
        "x-stainless-os",
        "x-stainless-arch",
        "x-stainless-runtime-version",
        "x-forwarded-for",
        "x-forwarded-host",
        "forwarded",
        "x-real-ip",
        "cf-connecting-ip",
        "true-client-ip",
        "x-whatever-else",
    ] {
        assert_eq!(what(name), RequestHeader::Drop, "{name}");
    }
    assert!(rules.set().iter().any(|(name, value)| name == "user-agent" && value == "consentry"));
}

#[test]
fn headers_towards_the_caller() {
    let rules = openai().headers();
    let what = |name: &str| rules.response(&HeaderName::from_bytes(name.as_bytes()).unwrap());
    for name in ["content-type", "content-disposition", "retry-after", "location"] {
        assert_eq!(what(name), ResponseHeader::Pass, "{name}");
    }
    for name in [
        "x-ratelimit-remaining-tokens",
        "openai-organization",
        "openai-project",
        "openai-processing-ms",
        "openai-version",
        "set-cookie",
        "server",
        "cf-ray",
        "alt-svc",
        "x-request-id",
        "strict-transport-security",
        "x-new",
    ] {
        assert_eq!(what(name), ResponseHeader::Drop, "{name}");
    }
}
