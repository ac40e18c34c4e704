//! Bodies with a value that must not pass: JSON, lines, forms, files, streams.

use std::sync::Arc;

use aws_lc_rs::hmac;
use http::{HeaderMap, HeaderValue, Request, header};
use serde_json::{Value, json};

use super::super::asked::Asked;
use super::super::stages::{Received, Recognised};
use super::super::touched::Touched;
use super::super::treatment::{self, Decided};
use super::super::way;
use super::{Cage, Policy, document, holds, job, run, sample, spools};
use crate::audit::Keyer;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::multipart::FormTransform;
use crate::body::sse::SseTransform;
use crate::body::urlencoded::UrlencodedTransform;
use crate::body::{Job, Transform};
use crate::catalog::{BodyShape, Channel, Condition, FieldContent, Params, Place};
use crate::censor::Exchange;
use crate::identity::{Caller, Purposes};
use crate::names::{Direction, KeyId, Purpose};
use crate::reason::{Reason, Refusal};

impl Cage<'_> {
    /// Values that the policy stops don't pass, in either direction.
    pub(super) fn censor(&mut self, policy: &Policy) {
        let plan = Arc::clone(self.plan);
        if let Some(value) = policy.request {
            match &plan.operation.request {
                BodyShape::Json => self.json_request(policy, value),
                BodyShape::Multipart(_) => self.form_request(policy, value),
                BodyShape::Urlencoded(_) => self.urlencoded_request(policy, value),
                BodyShape::Text | BodyShape::File => {
                    let job = || job(&policy.engines.request, Direction::Request);
                    self.files(&plan.operation.request, job, value, "the request");
                }
                BodyShape::None
                | BodyShape::Opaque
                | BodyShape::Id
                | BodyShape::Jsonl
                | BodyShape::JsonOrEvents
                | BodyShape::Events => {}
            }
        }
        let Some(value) = policy.response else { return };
        let job = || job(&policy.engines.response, Direction::Response);
        let shape = &plan.operation.response;
        if matches!(shape, BodyShape::Json | BodyShape::JsonOrEvents) {
            self.json_body(job(), &plan.response, json!({}), value, "the answer");
            self.claims();
        }
        if matches!(shape, BodyShape::Events | BodyShape::JsonOrEvents) {
            for channel in plan.operation.channels.iter().filter(|channel| !channel.whole) {
                self.channel(job(), channel, value);
            }
        }
        if matches!(shape, BodyShape::File | BodyShape::Jsonl | BodyShape::Text | BodyShape::Urlencoded(_)) {
            self.files(shape, job, value, "the answer");
        }
    }

    /// A text or a file of each kind that is read in its own way.
    fn files(&mut self, shape: &BodyShape, job: impl Fn() -> Job, value: &str, cell: &str) {
        let spelt: String = value.bytes().map(|byte| format!("&#{byte};")).collect();
        let kinds = [
            (format!("a {value} b"), "text/plain"),
            (format!("<a b='{value}'>a {spelt} <!-- {value} --></a>"), "application/xml"),
            (format!("<p title={spelt}>a {spelt} b<br>{value}"), "text/html"),
            (records(value), "application/jsonl"),
            (format!("name,text\r\n1,\"a {value} b\"\r\n"), "text/csv"),
            (urlencoded(&[("text", value)]), "application/x-www-form-urlencoded"),
        ];
        let lines = *shape == BodyShape::Jsonl;
        for (body, kind) in kinds.into_iter().filter(|(_, kind)| !lines || kind.ends_with("jsonl")) {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            let mut transform = treatment::of_shape(shape, job(), &headers, false, None, None);
            let passed = run(&mut transform, body.as_bytes());
            let stopped = passed.map_or(true, |out| {
                !holds(&out, value) && !holds(&out, &spelt) && !holds(&out, &percent(value))
            });
            self.check(stopped, &format!("{cell} as {kind}"));
        }
    }

    fn urlencoded_request(&mut self, policy: &Policy, value: &str) {
        let fields = Arc::from(self.plan.fields());
        let mut texts: Vec<(&str, &str)> = Vec::new();
        for field in self.plan.fields() {
            let word = sample::words(&self.plan.operation, &field.name).first().copied().unwrap_or("canary");
            texts.push((&field.name, if field.content == FieldContent::Deciding { word } else { value }));
        }
        texts.push(("consentry_canary", value));
        let form = urlencoded(&texts);
        let job = job(&policy.engines.request, Direction::Request);
        let passed = run(&mut UrlencodedTransform::new(job, fields), form.as_bytes());
        self.check(passed.map_or(true, |out| !holds(&out, &percent(value))), "the form");
    }

    fn json_request(&mut self, policy: &Policy, value: &str) {
        let plan = Arc::clone(self.plan);
        let Some(document) = self.needed(None).map(|said| document(&said)) else {
            return self.silent("the request");
        };
        let job = || job(&policy.engines.request, Direction::Request);
        self.json_body(job(), &plan.request, document.clone(), value, "the request");
        self.json_body(
            job(),
            &plan.request_unstored,
            document.clone(),
            value,
            "the request, not to be stored",
        );
        if let Some(lines) = &plan.lines {
            let line = sample::line(&plan.operation, &lines.shape, document);
            self.json_body(job(), &lines.plain, line.clone(), value, "a line of a file");
            self.json_body(job(), &lines.unstored, line, value, "a line of a file, not to be stored");
        }
    }

    fn json_body(&mut self, job: Job, plan: &Arc<JsonPlan>, mut document: Value, value: &str, cell: &str) {
        if let Some(object) = document.as_object_mut() {
            let deep = json!({"text": format!("a {value} b"), "list": [[value]]});
            object.insert("consentry_canary".to_owned(), deep);
        }
        self.body(&mut JsonTransform::new(job, Arc::clone(plan)), &document.to_string(), value, cell);
    }

    fn body(&mut self, transform: &mut dyn Transform, body: &str, value: &str, cell: &str) {
        let passed = run(transform, body.as_bytes()).map(|out| holds(&out, value));
        self.stopped(passed, cell);
    }

    /// A body that is refused for another cause than its value shows nothing.
    fn stopped(&mut self, passed: Result<bool, Refusal>, cell: &str) {
        match passed {
            Ok(passed) => self.check(!passed, cell),
            Err(refusal) => {
                let blocked =
                    matches!(refusal.reason, Reason::ContentBlocked | Reason::UpstreamContentBlocked);
                self.check(blocked, &format!("{cell}, where it met `{}`", refusal.reason));
            }
        }
    }

    /// Every id that an answer brings is read.
    fn claims(&mut self) {
        let plan = Arc::clone(self.plan);
        let made = plan.operation.creates.iter().chain(&plan.operation.yields).map(|one| &one.at);
        for (watch, at) in made.chain(plan.operation.shows.iter().map(|one| &one.at)).enumerate() {
            let mut document = json!({});
            sample::put(&mut document, at, Value::from("canary0001"));
            let mut transform = JsonTransform::new(self.plain_job(), Arc::clone(&plan.response));
            let read = run(&mut transform, document.to_string().as_bytes()).is_ok();
            let mut values = transform.facts().at(watch);
            let found = read && values.any(|found| found.as_text() == Some("canary0001"));
            self.check(found, &format!("the new id at {at}"));
        }
    }

    /// A value that is spread over two events of a stream.
    fn channel(&mut self, job: Job, channel: &Channel, value: &str) {
        let (first, second) = value.split_at(value.len() / 2);
        let mut stream = String::new();
        for text in [format!("a {first}"), format!("{second} b")] {
            let mut event = json!({});
            if let Some(name) = &channel.event {
                event["type"] = Value::from(&**name);
            }
            for key in &channel.keys {
                sample::put(&mut event, key, Value::from(0));
            }
            sample::put(&mut event, &channel.text, Value::from(text));
            let name = channel.event.as_ref().map(|name| format!("event: {name}\n")).unwrap_or_default();
            stream.push_str(&format!("{name}data: {event}\n\n"));
        }
        let mut transform = SseTransform::new(job, Arc::clone(&self.plan.events));
        let cell = format!("the stream's {}", channel.text);
        let out = match run(&mut transform, stream.as_bytes()) {
            Ok(out) => out,
            Err(refusal) => return self.stopped(Err(refusal), &cell),
        };
        let text = String::from_utf8_lossy(&out);
        let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let joined: String = events
            .filter_map(|event| sample::get(&event, &channel.text)?.as_str().map(str::to_owned))
            .collect();
        self.check(joined.contains("a ") && !joined.contains(value), &cell);
    }

    /// A form with every word that the profile knows for the fields that decide.
    fn form_request(&mut self, policy: &Policy, value: &str) {
        let plan = Arc::clone(self.plan);
        let fields = plan.fields();
        let deciding = fields.iter().find(|field| field.content == FieldContent::Deciding);
        let words = deciding.map(|field| sample::words(&plan.operation, &field.name)).unwrap_or_default();
        let words = if words.is_empty() { vec!["canary"] } else { words };
        for word in words {
            let Some(request) = self.recognised(policy) else { return self.silent("the form") };
            let mut texts: Vec<(&str, &str)> = deciding.iter().map(|field| (&*field.name, word)).collect();
            let plain = fields.iter().filter(|field| field.content == FieldContent::Text);
            texts.extend(plain.map(|field| (&*field.name, value)));
            let Some(content) = self.file(policy, word, value) else {
                self.silent("the form's file");
                continue;
            };
            // What can't be inspected is named by policy or not taken at all: no value is put there.
            let files = fields.iter().filter_map(|field| match field.content {
                FieldContent::File => Some((&*field.name, &*content)),
                FieldContent::Opaque => Some((&*field.name, "canary")),
                FieldContent::Text | FieldContent::Deciding => None,
            });
            let form = form(&texts, files);
            let job =
                way::job(&request, Exchange::new(Arc::clone(&policy.tenant.secret)), Direction::Request);
            let treat =
                treatment::of(&request, &job, &Decided::default(), &Asked::default(), &super::spools());
            let mut transform =
                FormTransform::new(job, BOUNDARY, Arc::from(fields), spools(), treat, Box::new(|_| Ok(())));
            self.body(&mut transform, &form, value, &format!("the form with `{word}`"));
        }
    }

    /// What a file of this purpose holds: requests, or records.
    fn file(&self, policy: &Policy, word: &str, value: &str) -> Option<String> {
        let operation = &self.plan.operation;
        let fulfils = |when: &Condition| when.values.iter().any(|v| **v == *word);
        let lines = operation.lines.as_ref().filter(|lines| lines.when.as_ref().is_none_or(fulfils));
        let Some(lines) = lines else { return Some(records(value)) };
        let operations = self.route.catalog.operations();
        let Some(of) = operations.iter().find(|o| lines.operations.contains(&o.id)) else {
            return Some(records(value));
        };
        // A line is censored as the request that it is; what stops the form's own value may let it pass there.
        let engine = &policy.tenant.engines(&of.id).request;
        if !super::stops(&job(engine, Direction::Request), value) {
            return None;
        }
        let mut body = json!({"messages": [{"role": "user", "content": value}]});
        for used in of.uses.iter().filter(|used| used.required) {
            if let (Place::Json(at), Some(id)) = (&used.place, sample::id(&self.route.catalog, &used.kind)) {
                sample::put(&mut body, at, Value::from(id));
            }
        }
        Some(format!("{}\n", sample::line(of, lines, body)))
    }

    /// The operation's own request, as far as its body.
    fn recognised(&self, policy: &Policy) -> Option<Recognised> {
        let path = sample::path(&self.route.catalog, &self.plan.operation, None)?;
        let uri = format!("{}{path}", self.route.prefix);
        let (parts, ()) =
            Request::builder().method(&self.plan.operation.method).uri(uri).body(()).ok()?.into_parts();
        let keyer = Arc::new(Keyer::new(hmac::Key::new(hmac::HMAC_SHA256, b"canary")));
        Some(Recognised {
            received: Received::of_canary(self.live, self.route, parts, Touched::new(&keyer)),
            caller: Caller {
                tenant: policy.tenant.id.clone(),
                key: KeyId::new("canary"),
                purposes: Purpose::ALL.into_iter().collect::<Purposes>(),
                operations: None,
                expires: None,
                via: crate::identity::Via::Key,
            },
            tenant: Arc::clone(&policy.tenant),
            plan: Arc::clone(self.plan),
            path: Params::default(),
            query: Params::default(),
            store_granted: false,
            // A record of nobody's would be left out, and a canary in it seen by nobody.
            judgings: None,
        })
    }
}

/// A form with percent-encoding.
pub(super) fn urlencoded(texts: &[(&str, &str)]) -> String {
    let pairs = texts.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

pub(super) const BOUNDARY: &str = "consentry-canary";

/// A form of texts and files.
pub(super) fn form<'f>(
    texts: &[(&str, &str)],
    files: impl IntoIterator<Item = (&'f str, &'f str)>,
) -> String {
    let mut form = String::new();
    for (name, value) in texts {
        form.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    for (name, content) in files {
        form.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"canary.jsonl\"\r\n\r\n{content}\r\n"
        ));
    }
    form.push_str(&format!("--{BOUNDARY}--\r\n"));
    form
}

fn records(value: &str) -> String {
    format!("{}\n", json!({"messages": [{"role": "user", "content": format!("a {value} b")}]}))
}
