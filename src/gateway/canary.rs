//! Canaries: before a configuration comes into force, every operation that it serves is walked with made-up values, through
//! the very plans, readers and censors that requests go through. An id that would not be looked up, a use that would not be
//! asked for, a value that would not be stopped: each is an error of the configuration, and nothing starts.

use std::sync::Arc;

use aws_lc_rs::hmac;
use http::{HeaderMap, HeaderValue, Request, header};
use serde_json::{Value, json};

use super::asked::Asked;
use super::live::Live;
use super::plan::Plan;
use super::seen::Seen;
use super::stages::{Received, Recognised};
use super::touched::Touched;
use super::treatment::{self, Decided};
use super::way;
use crate::audit::Keyer;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::multipart::FormTransform;
use crate::body::spool::{SpoolBudget, Spools};
use crate::body::sse::SseTransform;
use crate::body::text::TextTransform;
use crate::body::{Facts, Job, Transform};
use crate::catalog::{BodyShape, Channel, Condition, FieldContent, Params, Place};
use crate::censor::{Engine, Exchange};
use crate::config::{Route, Tenant};
use crate::diagnostic::Diagnostic;
use crate::identity::{Caller, Purposes};
use crate::names::{Direction, KeyId, Purpose};
use crate::reason::Refusal;

mod sample;

/// What the canaries came to.
#[derive(Debug, Default)]
pub struct Sung {
    /// Cells of the coverage table that stopped theirs.
    pub cells: usize,
    /// Cells that no canary could be made for: an id of a form that is not known, a policy that lets every value pass.
    pub silent: Vec<String>,
    errors: Vec<Diagnostic>,
}

/// Walks every operation of a configuration.
///
/// # Errors
/// With every cell that lets its canary by.
pub fn sing(live: &Arc<Live>) -> Result<Sung, Vec<Diagnostic>> {
    let mut sung = Sung::default();
    let policies = policies(live, &mut sung);
    let Some(first) = policies.first() else {
        sung.silent.push("there is no tenant".to_owned());
        return Ok(sung);
    };
    for route in &live.snapshot().routes {
        for operation in route.catalog.operations().iter().filter(|o| o.refused.is_none()) {
            let Some(plan) = live.plans().get(&route.name, &operation.id) else {
                sung.fail(route, operation.id.as_str(), "has no plan");
                continue;
            };
            let mut cage = Cage { live, route, plan, engine: &first.tenant.request, sung: &mut sung };
            cage.isolation();
            cage.consent();
            for policy in &policies {
                cage.censor(policy);
            }
        }
    }
    if sung.errors.is_empty() { Ok(sung) } else { Err(sung.errors) }
}

/// A tenant that stands for all with the same engines, and the values that these stop.
struct Policy {
    tenant: Arc<Tenant>,
    request: Option<String>,
    response: Option<String>,
}

/// One tenant for each pair of engines.
fn policies(live: &Live, sung: &mut Sung) -> Vec<Policy> {
    let mut policies: Vec<Policy> = Vec::new();
    for tenant in live.snapshot().tenants.values() {
        let same = |p: &Policy| {
            Arc::ptr_eq(&p.tenant.request, &tenant.request)
                && Arc::ptr_eq(&p.tenant.response, &tenant.response)
        };
        if policies.iter().any(same) {
            continue;
        }
        let mut stopped = |engine: &Arc<Engine>, direction: Direction| {
            let value = values().into_iter().find(|value| stops(&job(engine, direction), value));
            if value.is_none() {
                let way = direction.as_str();
                sung.silent.push(format!("tenant `{}`: its policy stops no canary in a {way}", tenant.id));
            }
            value
        };
        let request = stopped(&tenant.request, Direction::Request);
        let response = stopped(&tenant.response, Direction::Response);
        policies.push(Policy { tenant: Arc::clone(tenant), request, response });
    }
    policies
}

/// Values that look real and are nobody's; put together here, so that no scanner finds them in this file.
fn values() -> Vec<String> {
    vec![
        ["AKIA", "Z7QK3XW2PLMN4RST"].concat(),
        ["ghp_", "n7Vq2LxT9bRk4ZsWd8YcHf5MgJp3Ae6Uo1Ki"].concat(),
        ["canary", "@", "mail-desk.com"].concat(),
        ["4111 1111", " 1111 1111"].concat(),
    ]
}

fn job(engine: &Arc<Engine>, direction: Direction) -> Job {
    let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"canary"));
    Job::new(Arc::clone(engine), Exchange::new(key), direction)
}

fn stops(job: &Job, value: &str) -> bool {
    match job.censored(value.as_bytes()) {
        Ok(censored) => censored.is_some_and(|censored| !holds(&censored, value)),
        Err(_blocked) => true,
    }
}

fn holds(text: &[u8], value: &str) -> bool {
    memchr::memmem::find(text, value.as_bytes()).is_some()
}

/// Runs a transform over a body that comes in two pieces.
fn run(transform: &mut dyn Transform, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let (first, second) = body.split_at(body.len() / 2);
    for piece in [first, second] {
        transform.push(piece, &mut out)?;
        while transform.drain(&mut out)? {}
    }
    transform.finish(&mut out)?;
    while transform.drain(&mut out)? {}
    Ok(out)
}

impl Sung {
    fn fail(&mut self, route: &Route, operation: &str, what: &str) {
        let said = format!("route `{}`, operation `{operation}`: {what}", route.name);
        self.errors.push(Diagnostic::whole(route.catalog.name(), said));
    }
}

/// One operation.
struct Cage<'a> {
    live: &'a Arc<Live>,
    route: &'a Arc<Route>,
    plan: &'a Arc<Plan>,
    engine: &'a Arc<Engine>,
    sung: &'a mut Sung,
}

/// What was read of a canary's request.
#[derive(Default)]
struct Read {
    path: Params,
    query: Params,
    headers: HeaderMap,
    json: Facts,
    form: Facts,
}

impl Cage<'_> {
    fn check(&mut self, good: bool, cell: &str) {
        if good {
            self.sung.cells += 1;
        } else {
            self.sung.fail(
                self.route,
                self.plan.operation.id.as_str(),
                &format!("a canary passed at {cell}"),
            );
        }
    }

    fn silent(&mut self, cell: &str) {
        let operation = &self.plan.operation.id;
        self.sung.silent.push(format!("route `{}`, operation `{operation}`: {cell}", self.route.name));
    }

    /// Every place that names a resource is looked at.
    fn isolation(&mut self) {
        let plan = Arc::clone(self.plan);
        for used in &plan.operation.uses {
            let cell = place(&used.place);
            let Some(id) = sample::id(&self.route.catalog, &used.kind) else {
                self.silent(&cell);
                continue;
            };
            let Some(read) = self.read(&used.place, id) else {
                self.silent(&cell);
                continue;
            };
            let named = self.seen(&read).named();
            let found = named.is_ok_and(|named| named.iter().any(|n| n.kind == used.kind && n.id == id));
            self.check(found, &cell);
        }
    }

    /// Every condition under which a use has to be granted, or is refused, is noticed.
    fn consent(&mut self) {
        let plan = Arc::clone(self.plan);
        for training in &plan.operation.training {
            let cell = format!("purpose `{}`", training.purpose);
            let read = match &training.when {
                None => Some(Read::default()),
                Some(when) => self.read(&when.place, &sample::fulfilling(when)),
            };
            match read {
                Some(read) => {
                    let asked = self.seen(&read).purposes().contains(&training.purpose);
                    self.check(asked, &cell);
                }
                None => self.silent(&cell),
            }
        }
        for refused in &plan.operation.refuses {
            let cell = place(&refused.when.place);
            match self.read(&refused.when.place, &sample::fulfilling(&refused.when)) {
                Some(read) => {
                    let holds = self.seen(&read).holds(&refused.when);
                    self.check(holds, &cell);
                }
                None => self.silent(&cell),
            }
        }
    }

    fn seen<'r>(&'r self, read: &'r Read) -> Seen<'r> {
        Seen {
            plan: self.plan,
            path: &read.path,
            query: &read.query,
            headers: &read.headers,
            json: &read.json,
            form: &read.form,
        }
    }

    /// Reads a request that has a value at a place, and what else it needs to be read.
    fn read(&self, at: &Place, value: &str) -> Option<Read> {
        let operation = &self.plan.operation;
        let catalog = &self.route.catalog;
        let path = sample::path(catalog, operation)?;
        let query = match at {
            Place::Query(name) => Some(format!("{name}={value}")),
            _ => None,
        };
        let found = catalog.recognise(&operation.method, &path, query.as_deref()).ok()?;
        if found.operation.id != operation.id {
            return None;
        }
        let mut read = Read { path: found.path, query: found.query, ..Read::default() };
        match at {
            Place::Header(name) => drop(read.headers.insert(name, HeaderValue::try_from(value).ok()?)),
            Place::Form(name) => read.form = self.form_facts(name, value),
            Place::Path(_) | Place::Query(_) | Place::Json(_) => {}
        }
        if operation.request == BodyShape::Json {
            let mut document = self.required()?;
            if let Place::Json(pointer) = at {
                sample::put(&mut document, pointer, Value::from(value));
            }
            let mut transform = JsonTransform::new(self.plain_job(), Arc::clone(&self.plan.request));
            run(&mut transform, document.to_string().as_bytes()).ok()?;
            read.json = transform.facts().clone();
        }
        Some(read)
    }

    /// The smallest document that the operation takes.
    fn required(&self) -> Option<Value> {
        let mut document = json!({});
        for used in self.plan.operation.uses.iter().filter(|used| used.required) {
            if let Place::Json(at) = &used.place {
                let id = sample::id(&self.route.catalog, &used.kind)?;
                sample::put(&mut document, at, Value::from(id));
            }
        }
        Some(document)
    }

    /// A job for what is read, whatever becomes of it.
    fn plain_job(&self) -> Job {
        job(self.engine, Direction::Request)
    }

    fn form_facts(&self, name: &str, value: &str) -> Facts {
        let form = form(&[(name, value)], None);
        let fields = Arc::from(self.plan.fields());
        let treat = Box::new(|_: &Facts, _: &_| Err(Refusal::new(crate::reason::Reason::Internal)));
        let mut transform =
            FormTransform::new(self.plain_job(), BOUNDARY, fields, spools(), treat, Box::new(|_| Ok(())));
        // The form ends without its file, which is refused: what was read before counts.
        let _refused = run(&mut transform, form.as_bytes());
        transform.facts().clone()
    }

    /// Values that the policy stops don't pass, in either direction.
    fn censor(&mut self, policy: &Policy) {
        let plan = Arc::clone(self.plan);
        if let Some(value) = &policy.request {
            match &plan.operation.request {
                BodyShape::Json => self.json_request(policy, value),
                BodyShape::Multipart(_) => self.form_request(policy, value),
                _ => {}
            }
        }
        let Some(value) = &policy.response else { return };
        let job = || job(&policy.tenant.response, Direction::Response);
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
        if matches!(shape, BodyShape::File | BodyShape::Jsonl) {
            for (body, kind) in
                [(format!("a {value} b"), "text/plain"), (records(value), "application/jsonl")]
            {
                let mut headers = HeaderMap::new();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
                self.body(
                    &mut treatment::of_answer(job(), &headers, false),
                    &body,
                    value,
                    "a file in the answer",
                );
            }
        }
        if *shape == BodyShape::Text {
            self.body(
                &mut TextTransform::new(job(), None),
                &format!("a {value} b"),
                value,
                "the answer's text",
            );
        }
    }

    fn json_request(&mut self, policy: &Policy, value: &str) {
        let plan = Arc::clone(self.plan);
        let Some(document) = self.required() else { return self.silent("the request") };
        let job = || job(&policy.tenant.request, Direction::Request);
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
        let passed = run(transform, body.as_bytes());
        self.check(passed.map_or(true, |out| !holds(&out, value)), cell);
    }

    /// Every id that an answer brings is read.
    fn claims(&mut self) {
        let plan = Arc::clone(self.plan);
        for (watch, creation) in plan.operation.creates.iter().chain(&plan.operation.yields).enumerate() {
            let mut document = json!({});
            sample::put(&mut document, &creation.at, Value::from("canary0001"));
            let mut transform = JsonTransform::new(self.plain_job(), Arc::clone(&plan.response));
            let read = run(&mut transform, document.to_string().as_bytes()).is_ok();
            let mut values = transform.facts().at(watch);
            let found = read && values.any(|found| found.as_text() == Some("canary0001"));
            self.check(found, &format!("the new id at {}", creation.at));
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
        let Ok(out) = run(&mut transform, stream.as_bytes()) else { return self.check(true, "") };
        let text = String::from_utf8_lossy(&out);
        let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let joined: String = events
            .filter_map(|event| sample::get(&event, &channel.text)?.as_str().map(str::to_owned))
            .collect();
        self.check(!holds(joined.as_bytes(), value), &format!("the stream's {}", channel.text));
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
            let file = fields.iter().find(|field| field.content == FieldContent::File);
            let content = self.file(word, value);
            let form = form(&texts, file.map(|file| (&*file.name, &*content)));
            let job =
                way::job(&request, Exchange::new(Arc::clone(&policy.tenant.secret)), Direction::Request);
            let treat = treatment::of(&request, &job, &Decided::default(), &Asked::default());
            let mut transform =
                FormTransform::new(job, BOUNDARY, Arc::from(fields), spools(), treat, Box::new(|_| Ok(())));
            self.body(&mut transform, &form, value, &format!("the form with `{word}`"));
        }
    }

    /// What a file of this purpose holds: requests, or records.
    fn file(&self, word: &str, value: &str) -> String {
        let operation = &self.plan.operation;
        let fulfils = |when: &Condition| when.values.iter().any(|v| **v == *word);
        let lines = operation.lines.as_ref().filter(|lines| lines.when.as_ref().is_none_or(fulfils));
        let Some(lines) = lines else { return records(value) };
        let operations = self.route.catalog.operations();
        let Some(of) = operations.iter().find(|o| lines.operations.contains(&o.id)) else {
            return records(value);
        };
        let mut body = json!({"messages": [{"role": "user", "content": value}]});
        for used in of.uses.iter().filter(|used| used.required) {
            if let (Place::Json(at), Some(id)) = (&used.place, sample::id(&self.route.catalog, &used.kind)) {
                sample::put(&mut body, at, Value::from(id));
            }
        }
        format!("{}\n", sample::line(of, lines, body))
    }

    /// The operation's own request, as far as its body.
    fn recognised(&self, policy: &Policy) -> Option<Recognised> {
        let path = sample::path(&self.route.catalog, &self.plan.operation)?;
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
        })
    }
}

const BOUNDARY: &str = "consentry-canary";

/// A form of texts and perhaps a file.
fn form(texts: &[(&str, &str)], file: Option<(&str, &str)>) -> String {
    let mut form = String::new();
    for (name, value) in texts {
        form.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    if let Some((name, content)) = file {
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

/// Spools that are never needed: what canaries carry fits into memory.
fn spools() -> Spools {
    Spools::new(SpoolBudget::new(1 << 20), 1 << 16, std::env::temp_dir())
}

fn place(place: &Place) -> String {
    match place {
        Place::Path(name) => format!("the path's `{name}`"),
        Place::Query(name) => format!("the query's `{name}`"),
        Place::Header(name) => format!("the header `{name}`"),
        Place::Json(at) => at.to_string(),
        Place::Form(name) => format!("the form's `{name}`"),
    }
}

#[cfg(test)]
mod tests;
