//! Canaries: before a configuration comes into force, every operation that it serves is walked with made-up values, through
//! the very plans, readers and censors that requests go through. An id that would not be looked up, a use that would not be
//! asked for, a value that would not be stopped: each is an error of the configuration, and nothing starts.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::hmac;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::live::Live;
use super::plan::Plan;
use super::seen::Seen;
use crate::body::json::JsonTransform;
use crate::body::multipart::FormTransform;
use crate::body::spool::{SpoolBudget, Spools};
use crate::body::urlencoded::UrlencodedTransform;
use crate::body::{Facts, Job, Transform};
use crate::catalog::{BodyShape, Params, Place};
use crate::censor::{Engine, Exchange};
use crate::config::{Engines, Route, Tenant};
use crate::diagnostic::Diagnostic;
use crate::names::{Direction, OperationId};
use crate::reason::Refusal;
use bodies::{BOUNDARY, form, urlencoded};

mod bodies;
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
    let Some(first) = live.snapshot().tenants.values().next() else {
        sung.silent.push("there is no tenant".to_owned());
        return Ok(sung);
    };
    let tenants = different(live);
    let mut values = Values::default();
    for route in &live.snapshot().routes {
        for operation in route.catalog.operations().iter().filter(|o| o.refused.is_none()) {
            let Some(plan) = live.plans().get(&route.name, &operation.id) else {
                sung.fail(route, operation.id.as_str(), "has no plan");
                continue;
            };
            let policies = policies(&tenants, &operation.id, &mut values, &mut sung);
            let engine = &first.policies.general.request;
            let mut cage = Cage { live, route, plan, engine, sung: &mut sung };
            cage.isolation();
            cage.consent();
            for policy in &policies {
                cage.censor(policy);
            }
        }
    }
    if sung.errors.is_empty() { Ok(sung) } else { Err(sung.errors) }
}

/// A tenant that stands for all with the same engines for an operation, and the values that these stop.
struct Policy {
    tenant: Arc<Tenant>,
    engines: Engines,
    request: Option<&'static str>,
    response: Option<&'static str>,
}

fn same(one: &Engines, two: &Engines) -> bool {
    Arc::ptr_eq(&one.request, &two.request) && Arc::ptr_eq(&one.response, &two.response)
}

/// One tenant for all that have the same engines for everything: most have, and there may be thousands.
fn different(live: &Live) -> Vec<&Arc<Tenant>> {
    let mut different: Vec<&Arc<Tenant>> = Vec::new();
    for tenant in live.snapshot().tenants.values() {
        let own = &tenant.policies;
        let alike = |other: &&Arc<Tenant>| {
            let other = &other.policies;
            let mut operations = own.operations.iter().zip(&other.operations);
            same(&own.general, &other.general)
                && own.operations.len() == other.operations.len()
                && operations.all(|(one, two)| one.0 == two.0 && same(one.1, two.1))
        };
        if !different.iter().any(alike) {
            different.push(tenant);
        }
    }
    different
}

/// One tenant for each pair of engines that an operation's bodies are censored with.
fn policies(
    tenants: &[&Arc<Tenant>],
    operation: &OperationId,
    values: &mut Values,
    sung: &mut Sung,
) -> Vec<Policy> {
    let mut policies: Vec<Policy> = Vec::new();
    for tenant in tenants {
        let engines = tenant.engines(operation);
        if policies.iter().any(|policy| same(&policy.engines, engines)) {
            continue;
        }
        let mut stopped = |engine: &Arc<Engine>, direction: Direction| {
            let (value, new) = values.stopped(engine);
            if value.is_none() && new {
                let way = direction.as_str();
                sung.silent.push(format!("tenant `{}`: its policy stops no canary in a {way}", tenant.id));
            }
            value
        };
        let request = stopped(&engines.request, Direction::Request);
        let response = stopped(&engines.response, Direction::Response);
        policies.push(Policy { tenant: Arc::clone(tenant), engines: engines.clone(), request, response });
    }
    policies
}

/// What the engines stop that were asked already.
#[derive(Default)]
struct Values {
    known: Vec<(Arc<Engine>, Option<&'static str>)>,
}

impl Values {
    /// A value that the engine stops, and whether it was asked for the first time.
    fn stopped(&mut self, engine: &Arc<Engine>) -> (Option<&'static str>, bool) {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| Arc::ptr_eq(known, engine)) {
            return (*value, false);
        }
        let job = job(engine, Direction::Request);
        let value = values().iter().map(String::as_str).find(|value| stops(&job, value));
        self.known.push((Arc::clone(engine), value));
        (value, true)
    }
}

/// Values that look real and are nobody's; put together here, so that no scanner finds them in this file.
fn values() -> &'static [String] {
    static VALUES: OnceLock<Vec<String>> = OnceLock::new();
    VALUES.get_or_init(|| {
        vec![
            ["AKIA", "Z7QK3XW2PLMN4RST"].concat(),
            ["ghp_", "n7Vq2LxT9bRk4ZsWd8YcHf5MgJp3Ae6Uo1Ki"].concat(),
            ["canary", "@", "mail-desk.com"].concat(),
            ["4111 1111", " 1111 1111"].concat(),
        ]
    })
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
            let Some(read) = self.read(&used.place, &id) else {
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
        let path = sample::path(catalog, operation, Some(at))?;
        let mut said = self.needed(Some(at))?;
        said.push((at, value.to_owned()));
        let pairs = said.iter().filter_map(|(place, value)| match place {
            Place::Query(name) => Some(format!("{name}={value}")),
            _ => None,
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        let query = Some(&*query).filter(|query| !query.is_empty());
        let media = operation.request.media();
        let found = catalog.recognise_with(&operation.method, media, &path, query).ok()?;
        if found.operation.id != operation.id {
            return None;
        }
        let mut read = Read { path: found.path, query: found.query, ..Read::default() };
        let mut fields: Vec<(&str, &str)> = Vec::new();
        for (place, value) in &said {
            match place {
                Place::Header(name) => drop(read.headers.insert(name, HeaderValue::try_from(value).ok()?)),
                Place::Form(name) => fields.push((name, value)),
                Place::Path(_) | Place::Query(_) | Place::Json(_) => {}
            }
        }
        if !fields.is_empty() {
            read.form = self.form_facts(&fields);
        }
        if operation.request == BodyShape::Json {
            let mut transform = JsonTransform::new(self.plain_job(), Arc::clone(&self.plan.request));
            run(&mut transform, document(&said).to_string().as_bytes()).ok()?;
            read.json = transform.facts().clone();
        }
        Some(read)
    }

    /// What a request has to say beside what stands at a place: what is required, and one of those of which one is.
    fn needed(&self, at: Option<&Place>) -> Option<Vec<(&Place, String)>> {
        let operation = &self.plan.operation;
        let one_of: Vec<_> = operation.one_of.iter().filter_map(|one| operation.uses.get(*one)).collect();
        let said = one_of.iter().any(|used| used.required || Some(&used.place) == at);
        let first = one_of.first().copied().filter(|_| !said);
        let needed = operation.uses.iter().filter(|used| used.required).chain(first);
        let needed = needed.filter(|used| !matches!(used.place, Place::Path(_)) && Some(&used.place) != at);
        needed
            .map(|used| sample::another(&self.route.catalog, &used.kind).map(|id| (&used.place, id)))
            .collect()
    }

    /// A job for what is read, whatever becomes of it.
    fn plain_job(&self) -> Job {
        job(self.engine, Direction::Request)
    }

    fn form_facts(&self, fields: &[(&str, &str)]) -> Facts {
        if matches!(self.plan.operation.request, BodyShape::Urlencoded(_)) {
            let mut transform = UrlencodedTransform::new(self.plain_job(), Arc::from(self.plan.fields()));
            let _refused = run(&mut transform, urlencoded(fields).as_bytes());
            return transform.facts().clone();
        }
        let form = form(fields, None);
        let known = Arc::from(self.plan.fields());
        let treat = Box::new(|_: &Facts, _: &_| Err(Refusal::new(crate::reason::Reason::Internal)));
        let mut transform =
            FormTransform::new(self.plain_job(), BOUNDARY, known, spools(), treat, Box::new(|_| Ok(())));
        // The form ends without its file, which is refused: what was read before counts.
        let _refused = run(&mut transform, form.as_bytes());
        transform.facts().clone()
    }
}

/// The smallest document that says this.
fn document(said: &[(&Place, String)]) -> Value {
    let mut document = json!({});
    for (place, value) in said {
        if let Place::Json(at) = place {
            sample::put(&mut document, at, Value::from(value.as_str()));
        }
    }
    document
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
