//! What operators do by commands is one transaction with its note for the audit trail.

use super::*;
use crate::store::{Deeds, What};

fn doom(tenant: &str) -> Doom {
    let (method, path) = (http::Method::DELETE, "/v1/files/a".to_owned());
    Doom { tenant: TenantId::new(tenant), upstream: upstream(), method, path, request: RequestId::fresh() }
}

fn call(request: RequestId) -> Intent {
    Intent {
        tenant: TenantId::new("acme"),
        upstream: upstream(),
        operation: OperationId::new("createFile"),
        request,
        dataset: None,
        label: None,
        said: Some("0f".to_owned()),
        from: Vec::new(),
    }
}

async fn told(store: &Sqlite) -> Vec<(What, String, Option<String>)> {
    let deeds = store.untold_deeds(100).await.unwrap();
    deeds
        .into_iter()
        .map(|deed| (deed.what, deed.tenant.as_str().to_owned(), deed.resource.map(|resource| resource.id)))
        .collect()
}

#[tokio::test]
async fn what_is_adopted_is_noted_once_and_a_conflict_leaves_no_note() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let adopted = |tenant, id| {
        let mut claim = claim(tenant, "file", id);
        claim.made.origin = Origin::Adopted;
        claim
    };
    store.adopt(vec![adopted("acme", "a"), adopted("acme", "b")]).await.unwrap();
    store.adopt(vec![adopted("acme", "b"), adopted("acme", "c")]).await.unwrap();
    let refused = store.adopt(vec![adopted("zeta", "d"), adopted("zeta", "a")]).await;
    assert_eq!(refused, Err(StoreError::Conflict));
    let noted = |id: &str| (What::Adopted, "acme".to_owned(), Some(id.to_owned()));
    assert_eq!(told(&store).await, [noted("a"), noted("b"), noted("c")]);
    let second = store.untold_deeds(2).await.unwrap()[1].number;
    store.deeds_told(second).await.unwrap();
    assert_eq!(told(&store).await, [noted("c")]);
}

#[tokio::test]
async fn a_lost_call_gives_one_thing_and_is_closed_once() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let id = store.begin(call(RequestId::fresh())).await.unwrap();
    assert_eq!(store.open().await.unwrap()[0].intent.said.as_deref(), Some("0f"));
    store.give(claim("acme", "file", "a"), id).await.unwrap();
    assert_eq!(store.give(claim("acme", "file", "b"), id).await, Err(StoreError::Conflict));
    assert_eq!(owner(&store, "file", "b").await, None);
    store.begin(call(RequestId::fresh())).await.unwrap();
    let open = store.open().await.unwrap().remove(0);
    assert!(store.close(&open).await.unwrap());
    assert!(!store.close(&open).await.unwrap(), "it is closed");
    let noted =
        [(What::Given, "acme".to_owned(), Some("a".to_owned())), (What::Closed, "acme".to_owned(), None)];
    assert_eq!(told(&store).await, noted);
}

#[tokio::test]
async fn what_somebody_owns_is_not_taken_back() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("acme", "file", "a")]).await.unwrap();
    assert_eq!(store.take_back(resource("file", "a"), doom("operator")).await.unwrap(), None);
    assert_eq!(store.waiting().await.unwrap(), 0);
    assert!(told(&store).await.is_empty());
    // What was deleted once, and stands there again.
    assert!(store.end(resource("file", "a")).await.unwrap());
    assert!(store.take_back(resource("file", "a"), doom("operator")).await.unwrap().is_some());
    let due = store.due(Timestamp::now(), 9).await.unwrap();
    assert_eq!(due[0].of, Some(resource("file", "a")), "whoever tries it looks again whose it is");
    assert_eq!(told(&store).await, [(What::TakenBack, "operator".to_owned(), Some("a".to_owned()))]);
}
