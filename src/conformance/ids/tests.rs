use super::*;
use crate::catalog::Catalog;
use crate::names::Kind;

const HEAD: &str = "profile: test
kinds:
  prefixed:
    owned: ['(job|batch)-[0-9a-f]{24}', 'old_[A-Z]{4}(:[a-z]{1,8}){1,3}']
    adopted: true
    not_found: {message: No such job.}
  number:
    numeric: true
    adopted: true
    not_found: {message: No such number.}
  uuid:
    owned: ['[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}']
    adopted: true
    not_found: {message: No such thing.}
  slug:
    owned: ['[a-z]+(-[a-z0-9]+)*/[^/\\s]{3,40}']
    adopted: true
    not_found: {message: No such repository.}
  model:
    owned: ['ft:[a-z0-9-]{1,40}(:[a-z0-9-]{0,40}){1,4}']
    shared: ['[a-z0-9-]{1,40}']
    part_of: '(?<whole>ft:.+):step-[0-9]{1,6}'
    adopted: true
    not_found: {message: No such model.}
headers: {request: {others: drop}, response: {others: drop}}
errors: {content_type: application/json, body: {error: $message}, event: {error: $message}, request_id: x-request-id, types: {default: error}}
operations:
  list:
    match: GET /things
    list: {kind: slug, items: /data, id: /id}
";

fn rule(kind: &str) -> KindRule {
    let catalog = Catalog::parse("test.yaml", HEAD).unwrap_or_else(|errors| panic!("{errors:#?}"));
    catalog.kind(&Kind::new(kind)).clone()
}

#[test]
fn invented_ids_have_the_form_of_the_kind_and_are_no_ones() {
    let real = [
        ("prefixed", "job-0123456789abcdef01234567", 3),
        ("number", "17", 2),
        ("uuid", "0d2f6c1e-7b53-4a8e-9c64-1f0e5a7b9c3d", 2),
        ("slug", "acme/corpus-one", 2),
        ("model", "ft:gpt-4o:acme::x7y8z9", 2),
    ];
    for (kind, real, many) in real {
        let rule = rule(kind);
        assert_eq!(rule.classify(real), IdClass::Owned, "{real}");
        for _ in 0..50 {
            let ids = invented(&rule, real);
            assert_eq!(ids.len(), many, "{ids:?}");
            for id in &ids {
                assert_eq!(rule.classify(id), IdClass::Owned, "{id}");
                assert_ne!(id, real);
            }
        }
    }
    let near = invented(&rule("prefixed"), "job-0123456789abcdef01234567");
    assert!(near[0].starts_with("job-"), "{near:?}");
}

#[test]
fn without_a_real_one_the_patterns_are_enough() {
    assert_eq!(invented(&rule("prefixed"), "").len(), 2);
    assert_eq!(invented(&rule("number"), "").len(), 1);
}

#[test]
fn a_part_belongs_to_its_whole() {
    let rule = rule("model");
    let made = part(&rule, "ft:gpt-4o:acme::x7").unwrap();
    assert!(made.starts_with("ft:gpt-4o:acme::x7:step-"), "{made}");
    assert_eq!(part(&super::tests::rule("uuid"), "x"), None);
}

#[test]
fn malformed_ids_are_none() {
    for kind in ["prefixed", "number", "uuid", "slug", "model"] {
        let rule = rule(kind);
        let id = malformed(&rule).unwrap();
        assert_eq!(rule.classify(&id), IdClass::Malformed, "{id}");
    }
}
