use std::sync::Arc;

use super::*;
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
