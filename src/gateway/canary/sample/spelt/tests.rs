use super::*;
use crate::catalog::Catalog;
use crate::names::Kind;

fn of(kind: &str) -> Option<String> {
    let text = format!(
        "profile: test
headers: {{request: {{others: drop}}, response: {{others: drop}}}}
errors:
  content_type: application/json
  body: {{error: $message}}
  event: {{error: $message}}
  types: {{default: api_error}}
  request_id: x-request-id
kinds:
  one: {{{kind}, adopted: true, not_found: {{message: no}}}}
operations:
  get: {{match: 'GET /{{id:slash}}', uses: [{{kind: one, path: id}}]}}
"
    );
    let catalog = Catalog::parse("test.yaml", &text).unwrap_or_else(|errors| panic!("{errors:?}"));
    by(catalog.kind(&Kind::new("one")), "canary")
}

#[test]
fn a_pattern_spells_an_id_that_it_takes() {
    for (kind, id) in [
        (
            r"of_tenant: '/?(?:[^/.\\][^/\\]*/)*?tenants/(?<tenant>[^/.\\][^/\\]*)(?:/[^/.\\][^/\\]*)*/?'",
            "tenants/canary",
        ),
        ("of_tenant: 's3://(?:shared|team-(?<tenant>[a-z]+))/[0-9]{3}'", "s3://team-canary/000"),
        ("of_tenant: '(?:/(?<tenant>[a-z]+))*x'", "/canaryx"),
        ("of_tenant: '(?<tenant>team-[0-9]+)'", "team-0"),
        ("owned: ['doc_[0-9]{4}', 'file']", "doc_0000"),
        ("owned: ['[^a-z]x']", "Ax"),
    ] {
        assert_eq!(of(kind).as_deref(), Some(id), "{kind}");
    }
    assert_eq!(of("owned: ['a{600}']"), None, "longer than an id");
}
