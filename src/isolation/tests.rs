use tempfile::TempDir;

use super::*;
use crate::names::{OperationId, RequestId};
use crate::store::{Claim, Making, Options, Origin, Ownership, Resource, Sqlite};

const OWN: &str = "ft:gpt-4o-mini:acme::one:ckpt-step-7";

async fn looks(store: &Sqlite, catalog: &Catalog, id: &str) -> u64 {
    let count = || {
        let stats = store.stats();
        stats.cache_hits + stats.cache_misses
    };
    let (upstream, kind, tenant) = (UpstreamId::new("openai"), Kind::new("model"), TenantId::new("b"));
    // What is warm afterwards is warm for the look that counts.
    sight(store, catalog, &upstream, &tenant, &kind, id).await.unwrap();
    let before = count();
    let seen = sight(store, catalog, &upstream, &tenant, &kind, id).await.unwrap();
    assert!(matches!(seen, Sight::Hidden { .. }), "{seen:?}");
    count() - before
}

/// Time tells nothing: a checkpoint that is another's, one whose model is another's and one of nobody's are looked up alike.
#[tokio::test]
async fn what_is_not_theirs_is_looked_up_as_often_whatever_it_is() {
    let folder = TempDir::new().unwrap();
    let store = Sqlite::open(&Options::serving(folder.path().join("consentry.db"))).unwrap();
    let catalog = Catalog::builtin("openai").unwrap();
    let claim = |id: &str| Claim {
        resource: Resource {
            upstream: UpstreamId::new("openai"),
            kind: Kind::new("model"),
            id: id.to_owned(),
        },
        tenant: TenantId::new("a"),
        dataset: None,
        label: None,
        judged: crate::store::JudgedFor::NOTHING,
        made: Making {
            origin: Origin::Created,
            operation: OperationId::new("retrieveModel"),
            request: RequestId::fresh(),
            from: Vec::new(),
        },
    };
    store.claim(vec![claim(OWN), claim("ft:gpt-4o-mini:acme::two")]).await.unwrap();
    let unknown = looks(&store, &catalog, "ft:gpt-4o-mini:acme::three:ckpt-step-7").await;
    assert_eq!(looks(&store, &catalog, OWN).await, unknown);
    assert_eq!(looks(&store, &catalog, "ft:gpt-4o-mini:acme::two:ckpt-step-7").await, unknown);
}
