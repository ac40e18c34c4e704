//! MLflow: lists that are asked for whole, and folders that nobody gets out of.

use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::json;

use super::super::kit::Ask;
use super::super::kit::upstream::json as reply;
use super::{before, isolated, start};

#[test]
fn the_experiments_of_mlflow_are_apart() {
    isolated("mlflow");
}

/// A list is asked for as a whole, whatever the caller says: how many of others' come before one's own does not show.
#[test]
fn a_search_of_mlflow_is_of_the_whole() {
    let (_, running) = start("mlflow");
    let acme = running.acme();
    acme.get("/api/2.0/mlflow/registered-models/search?max_results=1&page_token=x&filter=f").ok();
    let pages =
        json!({"max_results": 1, "maxResults": 1, "page_token": "x", "pageToken": "x", "filter": "f"});
    acme.post("/api/2.0/mlflow/experiments/search", &pages).ok();
    let arrived = running.upstream.arrived();
    let whole = "/api/2.0/mlflow/registered-models/search?filter=f&max_results=1000";
    assert_eq!(arrived[0].target(), whole);
    assert_eq!(arrived[1].value(), json!({"filter": "f", "max_results": 50000}));
    for query in ["max_results=1&max_results=2", "max_results[]=1", "Page_Token=x", "page%5Ftoken=x"] {
        let target = format!("/api/2.0/mlflow/registered-models/search?{query}");
        let answer = acme.get(&target);
        assert!(matches!(answer.status, 400 | 403), "{query}: {answer}");
    }
    assert_eq!(running.upstream.arrived().len(), 2);
}

/// The server reads a text that holds JSON as that JSON; nobody else does, so it does not go up.
#[test]
fn a_body_of_mlflow_is_an_object() {
    let (table, running) = start("mlflow");
    super::make(&table, &running);
    let heard = running.upstream.arrived().len();
    let mut tried = 0;
    for call in table.places.iter().chain(&table.lists) {
        let ask = table.ask(call, 0, None);
        // Of these the server takes the model that the path names.
        let of_path = call.call.ends_with("/tags") || call.call.ends_with("/params");
        if call.json.is_none() || of_path {
            continue;
        }
        let hidden = json!(String::from_utf8_lossy(&ask.body)).to_string();
        let answer = running.acme().ask(&Ask { body: hidden.into_bytes(), ..ask });
        assert!((400..500).contains(&answer.status), "{call}: {answer}");
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
    assert_eq!(running.upstream.arrived().len(), heard);
}

/// A list of nothing looks alike, whether others have something or not; one that is not whole is not shown.
#[test]
fn an_empty_search_of_mlflow_tells_nothing() {
    let asked = AtomicUsize::new(0);
    let running = before("mlflow", &[], move |_arrived| {
        let theirs = json!([{"name": "globex.churn"}]);
        let body = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => json!({}),
            1 => json!({"registered_models": theirs}),
            _ => json!({"registered_models": theirs, "next_page_token": "dG9rZW4="}),
        };
        reply(200, &body)
    });
    let search = || running.acme().get("/api/2.0/mlflow/registered-models/search");
    let (nothing, others) = (search().ok(), search().ok());
    assert_eq!(nothing.comparable(), others.comparable());
    let more = search();
    assert_eq!(more.status, Reason::UpstreamUnexpected.status().as_u16(), "{more}");
}

/// The folders of others can't be reached by a way out of one's own, however it is written.
#[test]
fn no_way_leads_out_of_an_experiments_folder() {
    let (table, running) = start("mlflow");
    super::make(&table, &running);
    let acme = running.acme();
    let heard = running.upstream.arrived().len();
    let base = "/api/2.0/mlflow-artifacts/artifacts";
    for out in [
        "110011/../220022/x",
        "110011/%2E%2E/220022/x",
        "110011/%2e%2e/220022/x",
        "110011/..%2F220022/x",
        "110011%2F..%2F220022/x",
        "110011//220022",
        "110011/.hidden",
        "110011/..",
        "110011/a\\..\\b",
        "0110011/x",
        "/220022/x",
        ".",
        "..",
    ] {
        for ask in [
            Ask::get(format!("{base}/{out}")),
            Ask::get(format!("{base}?path={out}")),
            Ask::new("DELETE", format!("{base}/{out}")),
        ] {
            let answer = acme.ask(&ask);
            assert!((400..500).contains(&answer.status), "{}: {answer}", ask.target);
        }
    }
    for source in [
        "runs:/b1b1/x",
        "file:///etc/passwd",
        "/etc/passwd",
        "s3://bucket/110011/x",
        "mlflow-artifacts:/220022/x",
        "mlflow-artifacts:/110011/../220022/x",
        "mlflow-artifacts://host/110011/x",
        "models:/globex.churn/1",
    ] {
        let body = json!({"name": "acme.churn", "source": source});
        let answer = acme.post("/api/2.0/mlflow/model-versions/create", &body);
        assert_eq!(answer.status, 404, "{source}: {answer}");
    }
    let body = json!({"name": "acme/new", "artifact_location": "s3://bucket"});
    assert_eq!(acme.post("/api/2.0/mlflow/experiments/create", &body).status, 403);
    assert_eq!(running.upstream.arrived().len(), heard);
}
