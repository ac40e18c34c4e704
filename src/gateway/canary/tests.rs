use std::sync::Arc;

use super::*;
use crate::body::json::JsonPlan;
use crate::config::{self, Mode};

fn live() -> Arc<Live> {
    live_of("openai", "")
}

/// A configuration whose one route is of this API, which its own profile describes if the gateway brings none.
fn live_of(api: &str, profile: &str) -> Arc<Live> {
    let folder = tempfile::tempdir().unwrap();
    if !profile.is_empty() {
        std::fs::create_dir(folder.path().join("apis")).unwrap();
        std::fs::write(folder.path().join(format!("apis/{api}.yaml")), profile).unwrap();
    }
    let tenants = folder.path().join("tenants");
    std::fs::create_dir(&tenants).unwrap();
    let main =
        "listeners: {data: {address: 127.0.0.1:0, tls: {development: {}}}, metrics: {address: 127.0.0.1:0}}
upstreams: {one: {url: https://localhost:1}}
";
    let main = format!("{main}routes: [{{name: all, path: /, upstream: one, api: {api}}}]\n");
    std::fs::write(folder.path().join("consentry.yaml"), main).unwrap();
    std::fs::write(tenants.join("acme.yaml"), "tenant: acme\n").unwrap();
    let snapshot = config::load(folder.path(), Mode::Serve, 1).unwrap();
    Arc::new(Live::new(snapshot).unwrap())
}

#[test]
fn every_cell_of_the_openai_profile_stops_its_canary() {
    let live = live();
    let sung = sing(&live).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(sung.silent, Vec::<String>::new());
    assert!(sung.cells > 500, "{}", sung.cells);
}

#[test]
fn no_cell_of_a_profile_that_comes_with_the_gateway_is_silent() {
    for name in crate::catalog::Catalog::builtin_names() {
        let sung = sing(&live_of(name, "")).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        assert_eq!(sung.silent, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn no_cell_of_the_doccano_profile_is_silent() {
    let sung = sing(&live_of("doccano", "")).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(sung.silent, Vec::<String>::new());
}

/// Of one place or another one is needed, in whatever they stand; a folder names its tenant.
const PLACES: &str = "profile: places
headers: {request: {others: drop}, response: {others: drop}}
errors:
  content_type: application/json
  body: {error: $message}
  event: {error: $message}
  types: {default: api_error}
  request_id: x-request-id
kinds:
  thing: {numeric: true, adopted: true, not_found: {message: no}}
  folder: {of_tenant: '/(?<tenant>[a-z0-9]+)', not_found: {message: no}}
operations:
  queried: {match: GET /a, uses: [{kind: thing, query: one}, {kind: thing, query: two}, {kind: thing, query: third}], one_of: [one, two]}
  written:
    match: POST /b
    request: json
    uses: [{kind: thing, json: [/one]}, {kind: thing, header: x-two}, {kind: thing, json: [/third]}, {kind: folder, json: [/path], required: true}]
    one_of: [x-two, /one]
  headed: {match: GET /c, uses: [{kind: folder, header: x-folder, required: true}, {kind: thing, query: third}]}
  filled:
    match: POST /d
    request: {urlencoded: [{name: one, content: deciding}, {name: path, content: deciding}, {name: third, content: deciding}]}
    uses: [{kind: thing, form: one}, {kind: thing, form: third}, {kind: folder, form: path, required: true}]
    one_of: [one]
";

#[test]
fn what_else_a_request_needs_is_there() {
    let sung = sing(&live_of("places", PLACES)).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(sung.silent, Vec::<String>::new());
    let places = sung.cells;
    assert!(places > 12, "{places}");
}

/// What is needed beside has another id: it is not taken for the one that is looked for.
#[test]
fn a_place_that_is_not_read_is_not_hidden_by_one_that_is() {
    let live = live_of("places", PLACES);
    let passed = walked_of(&live, "written", |plan| {
        let read = ["/one", "/elsewhere", "/path"].map(|at| at.parse().unwrap());
        plan.request = Arc::new(JsonPlan::reading(&read.each_ref()).unwrap());
    });
    assert_eq!(passed.len(), 1, "{passed:?}");
    assert!(passed[0].ends_with("a canary passed at /third"), "{passed:?}");
}

/// Walks one operation whose plan was changed, and tells the cells that let their canary by.
fn walked(operation: &str, change: impl FnOnce(&mut Plan)) -> Vec<String> {
    walked_of(&live(), operation, change)
}

fn walked_of(live: &Arc<Live>, operation: &str, change: impl FnOnce(&mut Plan)) -> Vec<String> {
    let route = live.snapshot().routes.first().unwrap();
    let whole = live.plans().get(&route.name, &crate::names::OperationId::new(operation)).unwrap();
    let mut plan = Plan {
        operation: Arc::clone(&whole.operation),
        watched: whole.watched.clone(),
        request_unstored: Arc::clone(&whole.request_unstored),
        request: Arc::clone(&whole.request),
        response: Arc::clone(&whole.response),
        events: Arc::clone(&whole.events),
        expected: crate::gateway::expected::Expected::default(),
        item: whole.item,
        labels: Arc::clone(&whole.labels),
        lines: None,
    };
    change(&mut plan);
    let (plan, mut sung) = (Arc::new(plan), Sung::default());
    let mut values = Values::default();
    let policies = policies(&different(live), &plan.operation.id, &mut values, &mut sung);
    let engine = &policies.first().unwrap().engines.request;
    let mut cage = Cage { live, route, plan: &plan, engine, sung: &mut sung };
    cage.isolation();
    cage.consent();
    cage.censor(policies.first().unwrap());
    sung.errors.into_iter().map(|error| error.message).collect()
}

#[test]
fn a_plan_that_reads_nothing_lets_its_canaries_by() {
    assert_eq!(walked("createResponse", |_| {}), Vec::<String>::new());
    let passed = walked("createResponse", |plan| plan.request = Arc::new(JsonPlan::empty()));
    assert!(
        passed.iter().any(|cell| cell.ends_with("a canary passed at /previous_response_id")),
        "{passed:?}"
    );
    assert!(passed.iter().any(|cell| cell.ends_with("a canary passed at purpose `share`")), "{passed:?}");
    let passed = walked("createResponse", |plan| plan.response = Arc::new(JsonPlan::empty()));
    assert!(passed.iter().any(|cell| cell.ends_with("a canary passed at the new id at /id")), "{passed:?}");
}

#[test]
fn a_policy_that_stops_nothing_is_told() {
    let mut sung = Sung::default();
    let allow = crate::censor::Policy::default().with("*", crate::censor::Action::Allow);
    let engine = Arc::new(Engine::compile(&crate::censor::RuleSet::builtin().unwrap(), &allow).unwrap());
    assert!(values().iter().all(|value| !stops(&job(&engine, Direction::Request), value)));
    let operation = crate::names::OperationId::new("createResponse");
    let live = live();
    let found = policies(&different(&live), &operation, &mut Values::default(), &mut sung);
    assert!(sung.silent.is_empty());
    assert!(found.iter().all(|policy| policy.request.is_some() && policy.response.is_some()));
}
