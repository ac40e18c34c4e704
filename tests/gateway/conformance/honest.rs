//! What it may not say: that all is well where nothing was tried, that nothing is left behind where something is.

use std::sync::LazyLock;

use super::super::kit::Setup;
use super::fake::{Fake, Passing, Then};
use super::{Said, conformance};

/// A walk over Label Studio's profile, before an upstream that is not there.
static DOWN: LazyLock<Said> = LazyLock::new(|| {
    let mut setup = Setup::new();
    setup.upstreams = "  down: {url: \"https://localhost:1\", ca: ca.pem}\n".to_owned();
    setup.routes = "  - {name: down, path: /, upstream: down, api: label-studio}\n".to_owned();
    for (tenant, file) in [("acme", "a.key"), ("globex", "b.key")] {
        let tenant = setup.tenant_for(tenant, "[annotate, evaluate, train]", "");
        setup.file(file, &tenant.key);
    }
    let gateway = setup.start();
    conformance(&gateway, gateway.data.port(), &["--wait", "0"])
});

/// Label Studio's errors hold the id of the request, in the body too.
#[test]
fn the_id_of_a_request_is_no_difference() {
    let refused = DOWN.rows("same").into_iter().filter(|row| row[1] == "refused").count();
    assert!(refused > 20, "{}", DOWN.text);
    assert!(DOWN.rows("DIFFERS").is_empty(), "{}", DOWN.text);
}

fn as_it_is(_: &Passing<'_>) -> Then {
    Then::As
}

/// A deployment without a fault, and a walk over it.
static FINE: LazyLock<(Fake, Said)> = LazyLock::new(|| {
    let fake = Fake::start(&[], as_it_is);
    let said = fake.walked(&[]);
    (fake, said)
});
