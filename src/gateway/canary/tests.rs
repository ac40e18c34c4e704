use std::sync::Arc;

use super::*;
use crate::body::json::JsonPlan;
use crate::config::{self, Mode};

fn live() -> Arc<Live> {
    let folder = tempfile::tempdir().unwrap();
    let tenants = folder.path().join("tenants");
    std::fs::create_dir(&tenants).unwrap();
    let main =
        "listeners: {data: {address: 127.0.0.1:0, tls: {development: {}}}, metrics: {address: 127.0.0.1:0}}
upstreams: {one: {url: https://localhost:1}}
routes: [{name: all, path: /, upstream: one, api: openai}]
";
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

/// Walks one operation whose plan was changed, and tells the cells that let their canary by.
fn walked(operation: &str, change: impl FnOnce(&mut Plan)) -> Vec<String> {
    let live = live();
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
    let policies = policies(&different(&live), &plan.operation.id, &mut values, &mut sung);
    let engine = &policies.first().unwrap().engines.request;
    let mut cage = Cage { live: &live, route, plan: &plan, engine, sung: &mut sung };
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
