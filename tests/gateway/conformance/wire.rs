//! Faults on the wire: a small proxy between the command and the gateway, that changes what tenant B is answered.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::kit::tls::Valid;
use super::super::kit::upstream::{Arrived, Step, Upstream, answer};
use super::super::kit::{Answer, Ask, Conn};
use super::{Rig, Said, conformance};

/// What passes through the proxy.
struct Passing<'p> {
    /// Who asks.
    by_b: bool,
    method: String,
    target: String,
    body: String,
    /// What A was told the ids of.
    theirs: &'p [String],
}

impl Passing<'_> {
    /// B names something of A's.
    fn foreign(&self) -> bool {
        let text = format!("{} {}", self.target.replace("%3A", ":"), self.body);
        self.by_b && self.theirs.iter().any(|id| text.contains(id.as_str()))
    }

    fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.target.split('?').next() == Some(path)
    }
}

/// Runs the command through a proxy that does this to answers.
fn through(fault: impl Fn(&Passing<'_>, &mut Answer) + Send + Sync + 'static) -> Said {
    let rig = Rig::new();
    let (a, b) = (format!("Bearer {}", rig.a.key), format!("Bearer {}", rig.b.key));
    let gateway = rig.start();
    let leaf = gateway.setup.authority.leaf(&["localhost"], Valid::Now);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (address, client) = (gateway.data, Arc::clone(&gateway.http1));
    let theirs: Mutex<Vec<String>> = Mutex::default();
    let script = move |arrived: &Arrived| {
        let mut line = arrived.line.split(' ');
        let method = line.next().unwrap().to_owned();
        let known = ["GET", "POST", "DELETE"].into_iter().find(|known| *known == method).unwrap();
        let mut ask = Ask::new(known, arrived.target());
        ask.body.clone_from(&arrived.body);
        for name in ["authorization", "content-type"] {
            ask.headers.extend(arrived.header(name).map(|value| (name.to_owned(), value.to_owned())));
        }
        let mut conn = Conn::open(address, Arc::clone(&client));
        conn.write(&ask.bytes());
        let mut got = conn.answer();
        let by = arrived.header("authorization").unwrap();
        if by == a && known == "POST" && got.status == 200 {
            theirs.lock().unwrap().extend(ids(&got));
        }
        let passing = Passing {
            by_b: by == b,
            method,
            target: arrived.target().to_owned(),
            body: arrived.text(),
            theirs: &theirs.lock().unwrap().clone(),
        };
        fault(&passing, &mut got);
        if got.status == 0 {
            return vec![Step::Cut];
        }
        let own = ["content-length", "transfer-encoding", "connection"];
        let headers: Vec<(&str, &str)> = got.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| !own.contains(name)).collect();
        vec![Step::Send(answer(got.status, &headers, &got.body))]
    };
    let _proxy = Upstream::start(listener, leaf.server(), script);
    conformance(&gateway, port, &[])
}

/// The id of what was made.
fn ids(answer: &Answer) -> Option<String> {
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    Some(value.get("id")?.as_str()?.to_owned())
}

/// Changes JSON.
fn edit(answer: &mut Answer, change: impl FnOnce(&mut Value)) {
    let mut value = answer.value();
    change(&mut value);
    answer.body = value.to_string().into_bytes();
}

#[test]
fn a_proxy_that_changes_nothing_is_not_a_fault() {
    let said = through(|_, _| {});
    assert_eq!(said.status, 0, "{}", said.text);
}

#[test]
fn a_header_more_for_what_is_anothers() {
    let said = through(|passing, answer| {
        if passing.foreign() {
            answer.headers.push(("x-shard".to_owned(), "7".to_owned()));
        }
    });
    said.found("place", "retrieveFile");
    said.found("place", "createResponse");
}

#[test]
fn one_byte_of_the_body_that_is_another() {
    let said = through(|passing, answer| {
        if passing.foreign() && passing.is("POST", "/v1/vector_stores") {
            answer.body =
                answer.text().replacen("No such File object.", "No such file object.", 1).into_bytes();
        }
    });
    said.found("place", "createVectorStore");
}

#[test]
fn another_status_for_what_is_anothers() {
    let said = through(|passing, answer| {
        if passing.foreign() && passing.method == "DELETE" {
            answer.status = 403;
        }
    });
    said.found("place", "deleteVectorStore");
}

#[test]
fn a_list_with_one_item_of_anothers() {
    let said = through(|passing, answer| {
        let last = passing.theirs.first().cloned();
        if let Some(id) = last.filter(|_| passing.by_b && passing.is("GET", "/v1/files")) {
            edit(answer, |value| {
                value["data"].as_array_mut().unwrap().push(json!({"id": id, "object": "file"}));
            });
        }
    });
    said.found("apart", "listFiles");
}

#[test]
fn a_count_of_the_whole_account() {
    let said = through(|passing, answer| {
        let many = passing.theirs.len();
        if passing.by_b && passing.is("GET", "/v1/vector_stores") {
            edit(answer, |value| value["total"] = json!(many));
        }
    });
    said.found("apart", "listVectorStores");
}

#[test]
fn what_its_owner_does_not_get() {
    let said = through(|passing, answer| {
        let own = passing.theirs.iter().any(|id| passing.target == format!("/v1/files/{id}"));
        if own && passing.method == "GET" && !passing.by_b {
            answer.status = 404;
            answer.body =
                json!({"error": {"message": "No such File object.", "type": "invalid_request_error", "param": "id", "code": null}})
                    .to_string()
                    .into_bytes();
        }
    });
    said.found("own", "retrieveFile");
}

#[test]
fn what_is_changed_though_the_answer_says_otherwise() {
    let touched = Mutex::new(false);
    let said = through(move |passing, answer| {
        let mut touched = touched.lock().unwrap();
        *touched |= passing.foreign() && passing.method == "DELETE";
        if *touched
            && !passing.by_b
            && passing.target.starts_with("/v1/vector_stores/vs_")
            && passing.method == "GET"
        {
            edit(answer, |value| value["name"] = json!("another"));
        }
    });
    said.found("unchanged", "getVectorStore");
}

#[test]
fn a_malformed_id_that_is_told_from_others() {
    let said = through(|passing, answer| {
        if passing.is("GET", "/v1/batches") && passing.target.contains("after=no%20id") {
            answer.status = 400;
        }
    });
    said.found("place", "listBatches");
}

#[test]
fn what_was_ended_and_is_remembered() {
    let said = through(|passing, answer| {
        let own = passing.theirs.iter().any(|id| passing.target == format!("/v1/files/{id}"));
        if own && passing.method == "GET" && answer.status == 404 && !passing.by_b {
            answer.status = 410;
        }
    });
    said.found("ended", "retrieveFile");
}

#[test]
fn a_connection_that_breaks_off_for_what_is_anothers() {
    let said = through(|passing, answer| {
        if passing.foreign() && passing.target.starts_with("/v1/files/") {
            answer.status = 0;
        }
    });
    said.found("place", "downloadFile");
}

#[test]
fn an_operation_that_is_served_though_it_is_refused() {
    let said = through(|passing, answer| {
        if passing.is("GET", "/v1/organization/users") {
            answer.status = 200;
        }
    });
    said.found("refused", "list-users");
}
