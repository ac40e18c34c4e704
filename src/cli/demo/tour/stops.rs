//! The stops of the tour, in their order.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::client::Answer;
use super::{Guide, Stop, chat, fake_secret, form, short};

const EMAIL: &str = "jane.doe@example.com";

/// All stops.
pub(super) async fn all(guide: &mut Guide<'_>) -> Result<(), String> {
    who(guide).await?;
    let file = upload(guide).await?;
    files(guide, &file).await?;
    let model = job(guide, &file).await?;
    models(guide, &model).await?;
    chats(guide).await?;
    streams(guide).await?;
    stored(guide).await?;
    paths(guide).await?;
    bodies(guide).await?;
    proof(guide).await
}

fn nothing(since: &[Value]) -> String {
    if since.is_empty() { "nothing".to_owned() } else { format!("{} request(s)", since.len()) }
}

fn brief(answer: &Answer) -> String {
    format!("{} {}", answer.status.as_u16(), short(&answer.body))
}

/// What the sandbox saw of the newest request with a body.
fn text(since: &[Value]) -> String {
    since.last().and_then(|e| e["text"].as_str()).unwrap_or_default().to_owned()
}

async fn who(guide: &mut Guide<'_>) -> Result<(), String> {
    let before = guide.seen().await?;
    let back = guide.get("", "/v1/models").await?;
    let since = guide.since(before).await?;
    guide.show(&Stop {
        title: "Nobody",
        sent: "GET /v1/models without a credential".to_owned(),
        upstream: nothing(&since),
        kept: back.status == StatusCode::UNAUTHORIZED && since.is_empty(),
        back: brief(&back),
        why: "every route authenticates",
    });
    let before = guide.seen().await?;
    let other = guide.globex.to_owned();
    let key = guide.acme.to_owned();
    let back = guide.with(&key, Method::GET, "/v1/models", &[("x-api-key", &other)], String::new()).await?;
    let since = guide.since(before).await?;
    guide.show(&Stop {
        title: "Two identities",
        sent: "GET /v1/models with acme's key in one header and globex' in another".to_owned(),
        upstream: nothing(&since),
        kept: back.status == StatusCode::UNAUTHORIZED && since.is_empty(),
        back: brief(&back),
        why: "a request has one identity, or none",
    });
    Ok(())
}

fn records() -> String {
    let secret = fake_secret();
    let line = |user: String| {
        json!({"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": "Done."}]})
            .to_string()
    };
    [line(format!("my key is {secret}")), line("what is a tenant?".to_owned())].join("\n")
}

async fn upload(guide: &mut Guide<'_>) -> Result<String, String> {
    let (kind, body) = form("fine-tune", "support.jsonl", &records());
    let before = guide.seen().await?;
    let key = guide.globex.to_owned();
    let back = guide.with(&key, Method::POST, "/v1/files", &[("content-type", &kind)], body.clone()).await?;
    let since = guide.since(before).await?;
    guide.show(&Stop {
        title: "Training without consent",
        sent: "POST /v1/files purpose=fine-tune, by globex".to_owned(),
        upstream: nothing(&since),
        kept: back.status == StatusCode::FORBIDDEN && since.is_empty(),
        back: brief(&back),
        why: "globex granted no training; unknown is no",
    });
    let before = guide.seen().await?;
    let key = guide.acme.to_owned();
    let headers = [("content-type", kind.as_str()), ("consentry-dataset", "support")];
    let back = guide.with(&key, Method::POST, "/v1/files", &headers, body).await?;
    let since = guide.since(before).await?;
    let file: Value = serde_json::from_str(&back.body).unwrap_or_default();
    let saw = guide.kept(file["id"].as_str().unwrap_or_default()).await?;
    let clean = !saw.contains(&fake_secret()) && saw.contains("what is a tenant?");
    guide.show(&Stop {
        title: "Training with consent, without the secret",
        sent: "POST /v1/files purpose=fine-tune, by acme, for its data set `support`, with an AWS key in a record".to_owned(),
        upstream: short(&saw),
        kept: back.status == StatusCode::OK && clean && since.len() == 1,
        back: brief(&back),
        why: "acme granted training on `support`; secrets are redacted record by record, the other records stay as they are",
    });
    Ok(file["id"].as_str().unwrap_or_default().to_owned())
}

async fn files(guide: &mut Guide<'_>, file: &str) -> Result<(), String> {
    let before = guide.seen().await?;
    let key = guide.globex.to_owned();
    let foreign = guide.get(&key, &format!("/v1/files/{file}")).await?;
    let invented = guide.get(&key, "/v1/files/file-00000000000000000000000000").await?;
    let since = guide.since(before).await?;
    guide.show(&Stop {
        title: "A neighbour's file",
        sent: "GET /v1/files/{acme's file}, by globex; and the same with an invented id".to_owned(),
        upstream: nothing(&since),
        kept: foreign.status == StatusCode::NOT_FOUND && foreign.body == invented.body && since.is_empty(),
        back: brief(&foreign),
        why: "foreign and invented ids get the same answer, byte for byte: nobody learns that the file exists",
    });
    let acme = guide.acme.to_owned();
    let mine = guide.get(&acme, "/v1/files").await?;
    let theirs = guide.get(&key, "/v1/files").await?;
    guide.show(&Stop {
        title: "Two lists of one account",
        sent: "GET /v1/files, by acme and by globex".to_owned(),
        upstream: "GET /v1/files, with the account's own key".to_owned(),
        kept: mine.body.contains(file) && !theirs.body.contains(file) && theirs.status == StatusCode::OK,
        back: format!("acme: {} — globex: {}", short(&mine.body), short(&theirs.body)),
        why: "a list holds the tenant's own; ends and `has_more` follow",
    });
    Ok(())
}

async fn job(guide: &mut Guide<'_>, file: &str) -> Result<String, String> {
    let acme = guide.acme.to_owned();
    let body = json!({"model": "gpt-4o-mini-2024-07-18", "training_file": file, "suffix": "support"});
    let before = guide.seen().await?;
    let back = guide.json(&acme, Method::POST, "/v1/fine_tuning/jobs", &body).await?;
    let job: Value = serde_json::from_str(&back.body).unwrap_or_default();
    let id = job["id"].as_str().unwrap_or_default().to_owned();
    let since = guide.since(before).await?;
    guide.show(&Stop {
        title: "A fine-tuning job",
        sent: "POST /v1/fine_tuning/jobs with acme's file".to_owned(),
        upstream: nothing(&since),
        kept: back.status == StatusCode::OK && !id.is_empty() && !back.body.contains("sandbox-org"),
        back: brief(&back),
        why: "the grants of the tenant and of the file's data set allow it; the account's organisation is not shown",
    });
    let mut model = String::new();
    for _ in 0..100 {
        let state = guide.get(&acme, &format!("/v1/fine_tuning/jobs/{id}")).await?;
        let state: Value = serde_json::from_str(&state.body).unwrap_or_default();
        if state["status"] == "succeeded"
            && let Some(name) = state["fine_tuned_model"].as_str()
        {
            name.clone_into(&mut model);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let events = guide.get(&acme, &format!("/v1/fine_tuning/jobs/{id}/events?limit=100")).await?;
    // The sandbox derives what it leaks from the file's id; its raw log shows whether there was anything to hide.
    let leaked =
        ["T3Blb", "gh"].iter().zip(["kFJ", "p_"]).any(|(a, b)| events.body.contains(&[*a, b].concat()));
    guide.show(&Stop {
        title: "Job logs",
        sent: "GET /v1/fine_tuning/jobs/{job}/events".to_owned(),
        upstream: "an event that holds a provider's key, put there by the sandbox on purpose".to_owned(),
        kept: events.status == StatusCode::OK && events.body.contains("_KEY]") && !leaked,
        back: short(
            events.body.split("_KEY]").next().map_or("", |head| &head[head.len().saturating_sub(90)..]),
        ) + "_KEY]…",
        why: "what comes back is censored as well",
    });
    Ok(model)
}

async fn models(guide: &mut Guide<'_>, model: &str) -> Result<(), String> {
    let (acme, globex) = (guide.acme.to_owned(), guide.globex.to_owned());
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hello"}]});
    let mine = guide.json(&acme, Method::POST, "/v1/chat/completions", &body).await?;
    let before = guide.seen().await?;
    let theirs = guide.json(&globex, Method::POST, "/v1/chat/completions", &body).await?;
    let since = guide.since(before).await?;
    guide.show(&Stop {
        title: "Whose model is it?",
        sent: "POST /v1/chat/completions with the fine-tuned model, by acme and by globex".to_owned(),
        upstream: "acme's only".to_owned(),
        kept: !model.is_empty()
            && mine.status == StatusCode::OK
            && theirs.status == StatusCode::NOT_FOUND
            && since.is_empty(),
        back: format!("acme: {} — globex: {}", mine.status.as_u16(), brief(&theirs)),
        why: "a model belongs to the tenant whose job made it, at inference too",
    });
    Ok(())
}

async fn chats(guide: &mut Guide<'_>) -> Result<(), String> {
    let acme = guide.acme.to_owned();
    let before = guide.seen().await?;
    let back =
        guide.json(&acme, Method::POST, "/v1/chat/completions", &chat(&format!("write to {EMAIL}"))).await?;
    let saw = text(&guide.since(before).await?);
    guide.show(&Stop {
        title: "A pseudonym there, the address back",
        sent: format!("chat: write to {EMAIL}"),
        upstream: short(&saw),
        kept: back.status == StatusCode::OK && !saw.contains(EMAIL) && back.body.contains(EMAIL),
        back: brief(&back),
        why: "acme's policy says EMAIL_ADDRESS: pseudonym; it is restored for the same tenant, in the same exchange",
    });
    let globex = guide.globex.to_owned();
    let before = guide.seen().await?;
    let secret = fake_secret();
    let back =
        guide.json(&globex, Method::POST, "/v1/chat/completions", &chat(&format!("use {secret}"))).await?;
    let since = guide.since(before).await?;
    let saw = text(&since);
    let headers = since.last().map(|e| e["headers"].to_string()).unwrap_or_default();
    let told = headers.contains("train-ai=n") && !headers.contains(&globex);
    guide.show(&Stop {
        title: "A secret in a prompt",
        sent: "chat: use <an AWS key>, by globex".to_owned(),
        upstream: short(&saw),
        kept: back.status == StatusCode::OK && !saw.contains(&secret) && told,
        back: brief(&back),
        why: "secrets are redacted; the upstream gets `Content-Usage: train-ai=n` and never the tenant's key",
    });
    Ok(())
}

async fn streams(guide: &mut Guide<'_>) -> Result<(), String> {
    let acme = guide.acme.to_owned();
    let mut body = chat(&format!("write to {EMAIL}, word by word"));
    body["stream"] = Value::Bool(true);
    let back = guide.json(&acme, Method::POST, "/v1/chat/completions", &body).await?;
    let said: String = back
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    guide.show(&Stop {
        title: "The same, streamed",
        sent: format!("chat, stream: write to {EMAIL}"),
        upstream: "a pseudonym, which comes back in pieces of a few bytes".to_owned(),
        kept: back.status == StatusCode::OK
            && said.contains(EMAIL)
            && back.body.trim_end().ends_with("[DONE]"),
        back: short(&said),
        why: "each channel of a stream is one text; only what a rule may still extend is held back",
    });
    Ok(())
}

async fn stored(guide: &mut Guide<'_>) -> Result<(), String> {
    let acme = guide.acme.to_owned();
    let mut body = chat("keep this");
    body["store"] = Value::Bool(true);
    let before = guide.seen().await?;
    let back = guide.json(&acme, Method::POST, "/v1/chat/completions", &body).await?;
    let since = guide.since(before).await?;
    guide.show(&Stop {
        title: "Stored for later",
        sent: "chat with store: true".to_owned(),
        upstream: short(&text(&since)),
        kept: back.status == StatusCode::OK
            && text(&since).contains("\"store\":false")
            && back.headers.get("consentry-store").is_some_and(|v| v == "off"),
        back: format!("{} Consentry-Store: off", back.status.as_u16()),
        why: "nobody granted the purpose `store`, so it is turned off, and the answer says so",
    });
    let before = guide.seen().await?;
    let body = json!({"model": "gpt-4o-mini", "input": "hello"});
    let back = guide.json(&acme, Method::POST, "/v1/responses", &body).await?;
    let saw = text(&guide.since(before).await?);
    guide.show(&Stop {
        title: "Stored unless told otherwise",
        sent: "POST /v1/responses that says nothing of `store`".to_owned(),
        upstream: short(&saw),
        kept: back.status == StatusCode::OK && saw.contains("\"store\":false"),
        back: brief(&back),
        why: "absent means true there, so the word is added",
    });
    Ok(())
}

async fn paths(guide: &mut Guide<'_>) -> Result<(), String> {
    let acme = guide.acme.to_owned();
    for (title, path, status, why) in [
        (
            "The account's affairs",
            "/v1/organization/users",
            StatusCode::FORBIDDEN,
            "refused by name: it is about everybody's account",
        ),
        (
            "An operation that nobody described",
            "/v1/secret/backdoor",
            StatusCode::NOT_FOUND,
            "what no profile names is refused",
        ),
        (
            "A path with two readings",
            "/v1/files/%2e%2e/models",
            StatusCode::BAD_REQUEST,
            "gateway and upstream must not read one path differently",
        ),
    ] {
        let before = guide.seen().await?;
        let back = guide.get(&acme, path).await?;
        let since = guide.since(before).await?;
        guide.show(&Stop {
            title,
            sent: format!("GET {path}"),
            upstream: nothing(&since),
            kept: back.status == status && since.is_empty(),
            back: brief(&back),
            why,
        });
    }
    Ok(())
}

async fn bodies(guide: &mut Guide<'_>) -> Result<(), String> {
    let acme = guide.acme.to_owned();
    let twice = r#"{"model":"gpt-4o-mini","model":"other","messages":[]}"#.to_owned();
    let json = ("content-type", "application/json");
    for (title, headers, body, status, why) in [
        (
            "A field that stands twice",
            vec![json],
            twice,
            StatusCode::BAD_REQUEST,
            "readers disagree on which one counts",
        ),
        (
            "A coding that nobody can read",
            vec![json, ("content-encoding", "rot13")],
            "{}".to_owned(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "what can't be inspected does not pass",
        ),
    ] {
        let before = guide.seen().await?;
        let sent = format!("POST /v1/chat/completions {}", short(&body));
        let back = guide.with(&acme, Method::POST, "/v1/chat/completions", &headers, body).await?;
        let since = guide.since(before).await?;
        guide.show(&Stop {
            title,
            sent,
            upstream: nothing(&since),
            kept: back.status == status && since.is_empty(),
            back: brief(&back),
            why,
        });
    }
    Ok(())
}

async fn proof(guide: &mut Guide<'_>) -> Result<(), String> {
    let url = format!("{}/metrics", guide.places.metrics);
    let metrics = guide.gateway.send(Method::GET, &url, &[], "").await?;
    let blocked: Vec<&str> = metrics
        .body
        .lines()
        .filter(|line| line.starts_with("consentry_blocked_total{") && !line.ends_with(" 0"))
        .collect();
    let verified = crate::audit::verify(&guide.places.audit, Some(&guide.places.seal));
    let chain = verified
        .as_ref()
        .map_or_else(ToString::to_string, |summary| super::super::super::audit::text(summary, true));
    guide.show(&Stop {
        title: "What it leaves behind",
        sent: format!("GET {url}; consentry audit verify"),
        upstream: "nothing".to_owned(),
        kept: blocked.len() > 5 && verified.is_ok() && !metrics.body.contains(&fake_secret()),
        back: format!(
            "{} kinds of blocked flows counted, such as {} — audit: {chain}",
            blocked.len(),
            blocked.first().unwrap_or(&"")
        ),
        why: "every decision is counted and chained; none of it holds a body's text",
    });
    Ok(())
}
