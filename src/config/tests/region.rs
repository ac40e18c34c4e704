//! A tenant that is bound to one region.

use super::{MAIN, files, read, tenant, wrong};
use crate::names::TenantId;

fn main(upstream: &str, more: &str) -> (&'static str, String) {
    let text = MAIN.replacen("{url: https://api.openai.com}", upstream, 1);
    assert_ne!(text, MAIN);
    ("consentry.yaml", text + more)
}

const HERE: &str = "{url: https://api.openai.com, region: MY}";

/// S9: who has the policy says which region, and it is one that there is.
#[test]
fn s9_a_tenant_of_the_policy_names_its_region() {
    let refused = |text: &str, upstream: &str| {
        let errors = wrong(&files(&[tenant("one", text)], &[main(upstream, "")]));
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors[0].to_string()
    };
    for (text, upstream, at, told) in [
        ("policy: sectorflow\n", HERE, "one.yaml:2:9", "bound to one region, as promised by sectorflow/S9"),
        ("regions: one\n", HERE, "one.yaml:2:10", "`region` does not say to which"),
        ("region: MX\n", HERE, "one.yaml:2:9", "unknown region of an upstream `MX`"),
        ("region: MY\n", "{url: https://api.openai.com/v1}", "one.yaml:2:9", "unknown region"),
        ("policy: sectorflow\nregions: any\nregion: MY\n", HERE, "one.yaml:3:10", "sectorflow` promises: S9"),
    ] {
        let error = refused(text, upstream);
        assert!(error.contains(at) && error.contains(told), "{text}: {error}");
    }
    let bound = [tenant("one", "policy: sectorflow\nregion: MY\n"), tenant("two", "")];
    let snapshot = read(&files(&bound, &[main(HERE, "")])).unwrap();
    let region = |name: &str| snapshot.tenants[&TenantId::new(name)].region.clone();
    assert_eq!((region("one").as_deref(), region("two")), (Some("MY"), None));
}

/// S9: an analyser gets texts as well.
#[test]
fn s9_an_analyser_is_where_the_tenant_is() {
    let analyser = |more: &str| format!("analysers: {{second: {{url: 'https://second.example'{more}}}}}\n");
    let asks = [tenant("one", "region: MY\ncensor: {analyser: {name: second, request: {PERSON: redact}}}\n")];
    for elsewhere in ["", ", region: SG"] {
        let errors = wrong(&files(&asks, &[main(HERE, &analyser(elsewhere))]));
        let told = errors[0].to_string();
        assert!(told.contains("the analyser `second` is not in the region `MY`"), "{told}");
    }
    assert!(read(&files(&asks, &[main(HERE, &analyser(", region: MY"))])).is_ok());
}
