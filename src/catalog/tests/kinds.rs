use proptest::prelude::*;

use super::{openai, small};
use crate::catalog::{Catalog, IdClass, KindRule};
use crate::names::{Access, Kind};

fn kind(name: &str) -> &'static KindRule {
    openai().kind(&Kind::new(name))
}

#[test]
fn models_are_shared_or_owned_by_their_names() {
    let class = |id: &str| kind("model").classify(id);
    for id in [
        "gpt-5.2",
        "o4-mini",
        "org/model",
        "gpt-oss:20b",
        "llama/tiny",
        "text-embedding-3-small",
        "meta-llama/Llama-3.3-70B",
    ] {
        assert_eq!(class(id), IdClass::Shared, "{id}");
    }
    for id in [
        "ft:gpt-4o-mini-2024-07-18:acme:suffix:7q8mpxmy",
        "ft:gpt-4o-mini-2024-07-18:acme::7q8mpxmy",
        "ft:gpt-4o-mini-2024-07-18:acme:custom_suffix:9ABel2dg:ckpt-step-88",
        "ft:org/base:acme",
        "curie:ft-acme-2023-03-01-12-00-00",
    ] {
        assert_eq!(class(id), IdClass::Owned, "{id}");
    }
    for id in [
        "",
        ".",
        "..",
        "../gpt",
        "a/../b",
        "a/..",
        "FT:gpt-4o-mini:acme::x",
        "Ft:gpt-4o-mini:acme::x",
        "org/ft:x",
        "ft:",
        "ft-x",
        "curie:FT-acme",
        "ft:gpt-4o mini:acme::x",
        "gpt 5",
        "gpt-5\n",
        "gpt-5\0",
        "gpt%2D5",
        "gpt-é",
        "-gpt",
    ] {
        assert_eq!(class(id), IdClass::Malformed, "{id:?}");
    }
    assert_eq!(class(&"a".repeat(4000)), IdClass::Malformed);
    assert_eq!(class(&format!("ft:{}", ":a".repeat(400))), IdClass::Malformed);
}

#[test]
fn a_checkpoint_is_known_by_its_own_name_or_by_its_model() {
    let ids = kind("model").registry_ids("ft:base:acme:s:9ABel2dg:ckpt-step-88");
    assert_eq!(ids.own, "ft:base:acme:s:9ABel2dg:ckpt-step-88");
    assert_eq!(ids.whole, Some("ft:base:acme:s:9ABel2dg"));
    assert_eq!(ids.iter().count(), 2);
    for id in ["ft:base:acme:s:9ABel2dg", "ft:base:acme:s:x:ckpt-step-", "gpt-5.2", "x:ckpt-step-1"] {
        assert_eq!(kind("model").registry_ids(id).whole, None, "{id}");
    }
    assert_eq!(kind("file").registry_ids("file-a").iter().collect::<Vec<_>>(), ["file-a"]);
}

#[test]
fn ids_of_servers_of_this_family_are_well_formed() {
    for (name, id) in [
        ("file", "file-6F2ksmvXxt4VdoqmHRw6kL"),
        ("file", "file-0b5c8a9e-0f5c-4a4e-a6a8-2f6f1f5f1b9e"),
        ("vector_store", "vs_2f6f1f5f-1b9e"),
        ("chat_completion", "chatcmpl-AyPNinnUqUDYo9SAdA52NobMflmj2"),
        ("chat_message", "chatcmpl-AyPNinnUqUDYo9SAdA52NobMflmj2-0"),
        ("fine_tuning_event", "ft-event-ddTJfwuMVpfLXseO0Am0Gqjm"),
        ("fine_tuning_checkpoint", "ftckpt_zc4Q7MP6XxulcVzj4MZdwsAB"),
        ("response", "resp_67ccfcdd16748190a91872c75d38539e09e4d4aac714747c"),
    ] {
        assert_eq!(kind(name).classify(id), IdClass::Owned, "{name} {id}");
    }
    for id in ["", ".", "..", "a/b", "a:b", "a.b", "a b", "-a", "_a", "é", "a\n", "%2E"] {
        assert_eq!(kind("file").classify(id), IdClass::Malformed, "{id:?}");
    }
}

#[test]
fn numbers_have_one_form() {
    let catalog = small("  a: {match: 'GET /a/{id}', uses: [{kind: number, path: id}]}\n");
    let class = |id: &str| catalog.kind(&Kind::new("number")).classify(id);
    for id in ["0", "7", "18446744073709551615"] {
        assert_eq!(class(id), IdClass::Owned, "{id}");
    }
    for id in ["", "00", "07", "+7", "-7", " 7", "7.0", "7e1", "18446744073709551616", "٧"] {
        assert_eq!(class(id), IdClass::Malformed, "{id:?}");
    }
}

#[test]
fn an_unknown_kind_knows_no_id() {
    assert_eq!(kind("no such kind").classify("file-a"), IdClass::Malformed);
    assert_eq!(kind("voice").classify("alloy"), IdClass::Shared);
    assert_eq!(kind("voice").classify("voice_1234"), IdClass::Owned);
}

proptest! {
    /// A name that says fine-tuned in any spelling is never shared.
    #[test]
    fn nothing_fine_tuned_is_shared(name in "((f|F)(t|T)(:|-)|[a-z0-9]{1,4}(:|/)(f|F)(t|T)(:|-))[ -~]{0,30}") {
        prop_assert_ne!(kind("model").classify(&name), IdClass::Shared, "{}", name);
    }

    /// What is well-formed can stand in a path segment, a log and a header.
    #[test]
    fn what_is_well_formed_is_harmless(id in "[ -~]{0,20}|\\PC{0,8}") {
        for rule in openai().kinds() {
            if rule.classify(&id) != IdClass::Malformed {
                prop_assert!(id.bytes().all(|b| b.is_ascii_graphic() && !b"%\\\"'<>?#;&".contains(&b)), "{}: {}", rule.kind(), id);
                prop_assert!(id.split('/').all(|part| !matches!(part, "." | "..")), "{}: {}", rule.kind(), id);
            }
        }
    }
}

#[test]
fn what_a_call_does_with_what_it_names() {
    let catalog = small(
        "  show: {match: 'GET /t/{id}', uses: [{kind: thing, path: id}, {kind: number, query: n}]}
  change: {match: 'POST /t/{id}', request: json, uses: [{kind: thing, path: id}, {kind: number, json: [/n]}]}
  search: {match: 'POST /t/{id}/search', uses: [{kind: thing, path: id, access: read}]}
  forget: {match: DELETE /t, uses: [{kind: thing, query: id}]}
",
    );
    let of = |operation: usize| {
        catalog.operations()[operation].uses.iter().map(|used| used.access).collect::<Vec<_>>()
    };
    assert_eq!(of(0), [Access::Read, Access::Read]);
    assert_eq!(of(1), [Access::Change, Access::Use]);
    assert_eq!(of(2), [Access::Read]);
    assert_eq!(of(3), [Access::Change]);
}

/// Of one kind, some ids name their tenant and the others are everybody's: adapters, and the models below them.
#[test]
fn ids_of_tenants_stand_beside_shared_ones() {
    let kinds = "kinds:
  model: {of_tenant: '(?<tenant>[a-z]+):[a-z]+', never: ['.*nobody.*'], shared: ['[a-z/]+'], not_found: {message: no}}
";
    let operations = "operations:\n  get: {match: 'GET /{id}', uses: [{kind: model, path: id}]}\n";
    let catalog = super::loaded(Catalog::parse("small.yaml", &format!("{}{kinds}{operations}", super::HEAD)));
    let rule = catalog.kind(&Kind::new("model"));
    for (id, class) in [
        ("acme:tone", IdClass::OfTenant),
        ("nobody:tone", IdClass::OfTenant),
        ("org/base", IdClass::Shared),
        ("nobody", IdClass::Malformed),
        ("acme:", IdClass::Malformed),
        (":tone", IdClass::Malformed),
        ("Acme:tone", IdClass::Malformed),
    ] {
        assert_eq!(rule.classify(id), class, "{id}");
    }
    assert_eq!(rule.tenant_of("acme:tone"), Some("acme"));
    assert_eq!(rule.tenant_of("org/base"), None);
}
