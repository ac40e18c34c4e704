//! The APIs that come as profiles, each before a scripted upstream: whatever names a resource is tried with the ids of
//! another tenant. Its answer has to be, to the byte, that of an id that nobody has, and the upstream hears of neither.
//!
//! An API is a table of its own (`apis/NAME.yaml`): what each of the two tenants makes first, the calls that name
//! something, the lists, what is refused by name, and what the upstream answers. Profiles and tables are read from their
//! files when a test runs, so that a place can be taken out of a profile to see its row fail.

mod mlflow;
mod vllm;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use consentry::catalog::{Catalog, Place};
use consentry::pointer::Step as Key;
use consentry::reason::Reason;
use serde::Deserialize;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::{Arrived, Step, answer, json as reply};
use super::kit::values::{FORM, form};
use super::kit::{Answer, Ask, Caller};

/// Everything was granted, to keys for everything.
const RIGHTS: &str = "\
consent:
  grants:
    - {purpose: train, scope: tenant, evidence: a test}
    - {purpose: train, scope: {dataset: \"*\"}, evidence: a test}
    - {purpose: evaluate, scope: tenant, evidence: a test}
    - {purpose: evaluate, scope: {dataset: \"*\"}, evidence: a test}
    - {purpose: share, scope: tenant, evidence: a test}
    - {purpose: share, scope: {dataset: \"*\"}, evidence: a test}
    - {purpose: store, scope: tenant, evidence: a test}
";
const PURPOSES: &str = "[inference, train, evaluate, annotate]";
const TENANTS: [&str; 2] = ["acme", "globex"];

/// An API's table. In all texts `{kind}` stands for an id of that kind, which is tried with others, `{kind!}` for the
/// caller's own, and `{who}` for the caller's name; a text that is `#{kind}` and nothing else becomes a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Operations whose bodies may pass although they can't be inspected.
    #[serde(default)]
    opaque: Vec<String>,
    /// Ids by kind: acme's, globex's, and one that nobody has.
    ids: BTreeMap<String, [String; 3]>,
    /// What each tenant does first, so that the ids are its own.
    #[serde(default)]
    made: Vec<Call>,
    /// Calls that name something. Those that end it come last.
    places: Vec<Call>,
    /// Lists: the upstream's answers hold the ids of everybody.
    #[serde(default)]
    lists: Vec<Call>,
    /// What is refused by name: method and path.
    refused: Vec<String>,
    /// What the upstream answers to a method and path. `{kind}` is the caller's id, `{kind/0}` to `{kind/2}` are all. To
    /// everything else it answers an empty object.
    #[serde(default)]
    answers: BTreeMap<String, Value>,
}

/// A call.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    /// Method and target.
    call: String,
    json: Option<Value>,
    text: Option<String>,
    /// A form; a field whose name ends in `@` is a file.
    form: Option<Vec<(String, String)>>,
    /// The kind that a list is of.
    of: Option<String>,
}

impl Table {
    fn of(api: &str) -> Arc<Self> {
        let text = file(&format!("tests/gateway/apis/{api}.yaml"));
        Arc::new(serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{api}: {error}")))
    }

    /// Fills a text in, with the ids of a tenant, but for one kind, whose id is that of another column.
    fn filled(&self, text: &str, tenant: usize, but: Option<(&str, usize)>) -> String {
        let text = text.replace("{who}", TENANTS[tenant]);
        self.ids.iter().fold(text, |text, (kind, ids)| {
            let column = but.filter(|(other, _)| other == kind).map_or(tenant, |(_, column)| column);
            let text = (0..3).fold(text, |text, all| text.replace(&format!("{{{kind}/{all}}}"), &ids[all]));
            let text = text.replace(&format!("{{{kind}!}}"), &ids[tenant]);
            let text = text.replace(&format!("\"#{{{kind}}}\""), &ids[column]);
            text.replace(&format!("{{{kind}}}"), &ids[column])
        })
    }

    fn ask(&self, call: &Call, tenant: usize, but: Option<(&str, usize)>) -> Ask {
        let filled = |text: &str| self.filled(text, tenant, but);
        let (method, target) = call.call.split_once(' ').unwrap();
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
        let method = methods.into_iter().find(|known| *known == method).unwrap();
        let ask = Ask::new(method, filled(target));
        if let Some(body) = &call.json {
            return ask.typed("application/json", filled(&body.to_string()));
        }
        if let Some(text) = &call.text {
            return ask.typed("text/plain", filled(text));
        }
        let Some(fields) = &call.form else { return ask };
        let values: Vec<String> = fields.iter().map(|(_, value)| filled(value)).collect();
        let fields: Vec<(&str, Option<&str>, &[u8])> = fields
            .iter()
            .zip(&values)
            .map(|((name, _), value)| match name.strip_suffix('@') {
                Some(file) => (file, Some("file.txt"), value.as_bytes()),
                None => (name.as_str(), None, value.as_bytes()),
            })
            .collect();
        ask.typed(FORM, form(&fields))
    }

    /// The kinds that a call names.
    fn kinds(&self, call: &Call) -> Vec<&str> {
        let said = format!("{} {:?} {:?}", call.call, call.json.as_ref().map(Value::to_string), call.form);
        let named = |kind: &&String| said.contains(&format!("{{{kind}}}"));
        self.ids.keys().filter(named).map(String::as_str).collect()
    }

    /// The tenant that a request is of, as the upstream can tell by what it names.
    fn whose(&self, arrived: &Arrived) -> usize {
        let said = format!("{} {}", arrived.target(), arrived.text());
        usize::from(said.contains("globex") || self.ids.values().any(|ids| said.contains(&ids[1])))
    }

    fn answer(&self, arrived: &Arrived) -> Vec<Step> {
        let method = arrived.line.split(' ').next().unwrap_or_default();
        let path = arrived.target().split('?').next().unwrap_or_default();
        let tenant = self.whose(arrived);
        let asked = format!("{method} {path}");
        let found = self.answers.iter().find(|(call, _)| self.filled(call, tenant, None) == asked);
        match found.map(|(_, body)| body) {
            Some(Value::String(text)) => {
                let media = if text.starts_with("data:") { "text/event-stream" } else { "text/plain" };
                vec![Step::Send(answer(200, &[("content-type", media)], text))]
            }
            Some(body) => {
                let text = self.filled(&body.to_string(), tenant, None);
                vec![Step::Send(answer(200, &[("content-type", "application/json")], text))]
            }
            None => reply(200, &json!({})),
        }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = self.json.as_ref().map(Value::to_string).unwrap_or_default();
        write!(f, "{} {body}", self.call)
    }
}

fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A gateway with a route of the API's profile, before an upstream.
fn before(
    api: &str,
    opaque: &[String],
    script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
) -> Running {
    let mut own = Own::new();
    std::fs::create_dir_all(own.setup.config().join("apis")).unwrap();
    own.setup.file(&format!("apis/{api}.yaml"), &file(&format!("config/apis/{api}.yaml")));
    own.setup.routes = own.setup.routes.replace("api: openai", &format!("api: {api}"));
    let rights = format!("{RIGHTS}opaque: [{}]\n", opaque.join(", "));
    own.acme = own.setup.tenant_for("acme", PURPOSES, &rights);
    own.globex = own.setup.tenant_for("globex", PURPOSES, &rights);
    own.start(script)
}

/// The same, before an upstream that answers as the API's table says.
fn start(api: &str) -> (Arc<Table>, Running) {
    let table = Table::of(api);
    let own = Arc::clone(&table);
    let running = before(api, &table.opaque, move |arrived| own.answer(arrived));
    (table, running)
}

fn callers(running: &Running) -> [Caller<'_>; 2] {
    [running.acme(), running.globex()]
}

fn passes(answer: &Answer, call: &Call) {
    assert!((200..300).contains(&answer.status) && answer.whole, "{call}: {answer}");
}

/// Each tenant makes its own.
fn make(table: &Table, running: &Running) {
    for call in &table.made {
        for (tenant, caller) in callers(running).iter().enumerate() {
            passes(&caller.ask(&table.ask(call, tenant, None)), call);
        }
    }
}

/// Whether a row puts an id of a kind to a place.
fn puts(call: &Call, kind: &str, place: &Place) -> bool {
    let id = format!("{{{kind}}}");
    match place {
        Place::Path(_) => call.call.split('?').next().is_some_and(|path| path.contains(&id)),
        Place::Query(name) => call.call.contains(&format!("{name}={id}")),
        Place::Form(name) => {
            call.form.iter().flatten().any(|(field, value)| **field == **name && *value == id)
        }
        Place::Json(pointer) => call.json.as_ref().is_some_and(|json| stands(json, pointer.steps(), &id)),
        Place::Header(_) => false,
    }
}

fn stands(value: &Value, steps: &[Key], id: &str) -> bool {
    let Some((step, rest)) = steps.split_first() else { return value.to_string().contains(id) };
    match (step, value) {
        (Key::Key(key), Value::Object(members)) => members.get(&**key).is_some_and(|at| stands(at, rest, id)),
        (Key::Key(_), _) => false,
        (_, Value::Array(items)) => items.iter().any(|at| stands(at, rest, id)),
        (_, Value::Object(members)) => members.values().any(|at| stands(at, rest, id)),
        (_, _) => false,
    }
}

/// No place of the profile where an id of these kinds can stand is left out.
fn every_place_is_tried(api: &str, table: &Table) {
    let name = format!("config/apis/{api}.yaml");
    let profile = Catalog::parse(&name, &file(&name)).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let served = profile.operations().iter().filter(|operation| operation.refused.is_none());
    let uses = served.flat_map(|operation| operation.uses.iter().map(move |used| (&operation.id, used)));
    let left: Vec<_> = uses
        .filter(|(_, used)| table.ids.contains_key(used.kind.as_str()))
        .filter(|(_, used)| !table.places.iter().any(|call| puts(call, used.kind.as_str(), &used.place)))
        .map(|(operation, used)| format!("{operation}: {} at {:?}", used.kind, used.place))
        .collect();
    assert!(left.is_empty(), "no row of {api} puts {left:#?}");
}

/// Everything that the table says.
fn isolated(api: &str) {
    let (table, running) = start(api);
    every_place_is_tried(api, &table);
    make(&table, &running);
    let mut tried = HashSet::new();
    for call in &table.places {
        for kind in table.kinds(call) {
            tried.insert(kind);
            foreign_as_never(&table, &running, call, kind);
        }
        for (tenant, caller) in callers(&running).iter().enumerate() {
            passes(&caller.ask(&table.ask(call, tenant, None)), call);
        }
    }
    let untried: Vec<_> = table.ids.keys().filter(|kind| !tried.contains(kind.as_str())).collect();
    assert!(untried.is_empty(), "no place names {untried:?}");
    for call in &table.lists {
        listed(&table, &running, call);
    }
    for call in &table.refused {
        let heard = running.upstream.arrived().len();
        let ask = table.ask(&Call { call: call.clone(), ..Call::default() }, 1, None);
        let answer = running.globex().ask(&ask);
        let reasons = [Reason::OperationRefused, Reason::BypassRefused, Reason::UpgradeRefused];
        assert!(reasons.iter().any(|reason| answer.text().contains(reason.code())), "{call}: {answer}");
        assert_eq!(running.upstream.arrived().len(), heard, "{call}");
    }
}

/// The other tenant's id has the answer of one that nobody has, and nobody asks the upstream.
fn foreign_as_never(table: &Table, running: &Running, call: &Call, kind: &str) {
    for (tenant, caller) in callers(running).iter().enumerate() {
        let heard = running.upstream.arrived().len();
        let tried = |column| caller.ask(&table.ask(call, tenant, Some((kind, column))));
        let (foreign, never) = (tried(1 - tenant), tried(2));
        assert_eq!(never.status, 404, "{call}: {kind}: {never}");
        assert_eq!(foreign.comparable(), never.comparable(), "{call}: {kind}");
        assert_eq!(running.upstream.arrived().len(), heard, "{call}: {kind}: it went up");
    }
}

/// A list shows the caller's own, and nothing of others.
fn listed(table: &Table, running: &Running, call: &Call) {
    let ids = &table.ids[call.of.as_ref().unwrap()];
    for (tenant, caller) in callers(running).iter().enumerate() {
        let answer = caller.ask(&table.ask(call, tenant, None));
        passes(&answer, call);
        let shown = |column: usize| holds(&answer.value(), &ids[column]);
        assert_eq!([shown(tenant), shown(1 - tenant), shown(2)], [true, false, false], "{call}: {answer}");
    }
}

/// Whether an id stands anywhere in a document.
fn holds(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Number(number) => number.to_string() == id,
        Value::Array(items) => items.iter().any(|item| holds(item, id)),
        Value::Object(members) => members.values().any(|item| holds(item, id)),
        Value::Null | Value::Bool(_) => false,
    }
}

#[test]
fn the_models_of_tgi_are_apart() {
    isolated("tgi");
}
