use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use proptest::prelude::*;
use rusqlite::params;
use tempfile::TempDir;

use super::*;
use crate::names::{DatasetName, OperationId, RequestId, TenantId, Via};
use crate::store::{
    Claim, Doom, Doomed, Intent, Intents, Lineage, Making, Origin, Ownership, Page, Parent, Relation,
    Resource, State, Towards, Upload, UploadPart, UploadState, Uploads,
};

mod deeds;
mod faults;
mod ledger;
mod model;
mod scale;
mod shares;

fn store(folder: &TempDir) -> Sqlite {
    Sqlite::open(&Options::serving(folder.path().join("consentry.db"))).unwrap()
}

fn upstream() -> UpstreamId {
    UpstreamId::new("openai")
}

fn resource(kind: &str, id: &str) -> Resource {
    Resource { upstream: upstream(), kind: Kind::new(kind), id: id.to_owned() }
}

fn claim(tenant: &str, kind: &str, id: &str) -> Claim {
    Claim {
        resource: resource(kind, id),
        tenant: TenantId::new(tenant),
        dataset: None,
        label: None,
        judged: crate::store::JudgedFor::NOTHING,
        made: Making {
            origin: Origin::Created,
            operation: OperationId::new("createFile"),
            request: RequestId::fresh(),
            from: Vec::new(),
        },
    }
}

fn child_of(claim: Claim, kind: &str, id: &str) -> Claim {
    from(claim, kind, id, Relation::Derived)
}

fn from(mut claim: Claim, kind: &str, id: &str, relation: Relation) -> Claim {
    let via = Via::new("training_file");
    claim.made.from.push(Parent { kind: Kind::new(kind), id: id.to_owned(), relation, via });
    claim
}

fn yielded(mut claim: Claim) -> Claim {
    claim.made.origin = Origin::Yielded;
    claim
}

async fn owner(store: &Sqlite, kind: &str, id: &str) -> Option<(String, bool)> {
    let owned = store.owner(&upstream(), &Kind::new(kind), id).await.unwrap();
    owned.map(|owned| (owned.tenant.as_str().to_owned(), owned.ended))
}

fn cached(store: &Sqlite, kind: &str, id: &str) -> bool {
    store.cached(&upstream(), &Kind::new(kind), id).is_some()
}

#[tokio::test]
async fn a_claim_is_seen_by_its_key_only_and_survives_a_restart() {
    let folder = TempDir::new().unwrap();
    {
        let store = store(&folder);
        assert_eq!(owner(&store, "file", "file-1").await, None);
        let dataset = Some(DatasetName::new("reviews"));
        store.claim(vec![Claim { dataset, ..claim("acme", "file", "file-1") }]).await.unwrap();
    }
    let store = store(&folder);
    let owned = store.owner(&upstream(), &Kind::new("file"), "file-1").await.unwrap().unwrap();
    assert_eq!(owned.tenant, TenantId::new("acme"));
    assert_eq!(owned.dataset, Some(DatasetName::new("reviews")));
    assert_eq!(owned.state, State::Active);
    assert_eq!(owner(&store, "model", "file-1").await, None);
    assert_eq!(owner(&store, "file", "FILE-1").await, None);
    assert_eq!(owner(&store, "file", "file-1 ").await, None);
    assert_eq!(store.owner(&UpstreamId::new("other"), &Kind::new("file"), "file-1").await.unwrap(), None);
}

#[tokio::test]
async fn claims_are_all_or_nothing_and_only_the_guilty_fail() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("acme", "file", "a")]).await.unwrap();
    let theft = store.claim(vec![claim("zeta", "file", "b"), claim("zeta", "file", "a")]);
    let honest = store.claim(vec![claim("zeta", "file", "c")]);
    let (theft, honest) = tokio::join!(theft, honest);
    assert_eq!(theft, Err(StoreError::Conflict));
    assert_eq!(honest, Ok(()));
    assert_eq!(owner(&store, "file", "a").await, Some(("acme".into(), false)));
    assert_eq!(owner(&store, "file", "b").await, None);
    assert!(!cached(&store, "file", "b"), "a claim that was rolled back is not warm");
    assert_eq!(owner(&store, "file", "c").await, Some(("zeta".into(), false)));
    // The same tenant again: nothing changes, the first data set stays.
    let again = Claim { dataset: Some(DatasetName::new("late")), ..claim("acme", "file", "a") };
    store.claim(vec![again]).await.unwrap();
    assert_eq!(store.owner(&upstream(), &Kind::new("file"), "a").await.unwrap().unwrap().dataset, None);
    assert!(store.health().is_ok(), "a conflict is not the store's fault");
}

#[tokio::test]
async fn what_ended_is_unknown_until_its_own_tenant_makes_it_anew() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("acme", "file", "a")]).await.unwrap();
    assert!(cached(&store, "file", "a"));
    assert!(store.end(resource("file", "a")).await.unwrap());
    assert!(!cached(&store, "file", "a"));
    assert!(!store.end(resource("file", "a")).await.unwrap());
    assert!(!store.end(resource("file", "never")).await.unwrap());
    assert_eq!(owner(&store, "file", "a").await, Some(("acme".into(), true)));
    assert!(!cached(&store, "file", "a"), "an ended owner is never warm");
    // Seen again in an answer: stays ended. Another tenant: conflict.
    store.claim(vec![yielded(claim("acme", "file", "a"))]).await.unwrap();
    assert_eq!(owner(&store, "file", "a").await, Some(("acme".into(), true)));
    assert_eq!(store.claim(vec![claim("zeta", "file", "a")]).await, Err(StoreError::Conflict));
    store.claim(vec![claim("acme", "file", "a")]).await.unwrap();
    assert_eq!(owner(&store, "file", "a").await, Some(("acme".into(), false)));
    assert!(store.end(resource("file", "a")).await.unwrap());
    assert_eq!(owner(&store, "file", "a").await, Some(("acme".into(), true)));
}

#[tokio::test]
async fn states_change_and_the_warm_owner_with_them() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("acme", "model", "ft:x")]).await.unwrap();
    assert!(store.set_state(resource("model", "ft:x"), State::Quarantined).await.unwrap());
    let owned = store.owner(&upstream(), &Kind::new("model"), "ft:x").await.unwrap().unwrap();
    assert_eq!(owned.state, State::Quarantined);
    assert_eq!(store.cached(&upstream(), &Kind::new("model"), "ft:x").unwrap().state, State::Quarantined);
    assert!(!store.set_state(resource("model", "ft:y"), State::Finished).await.unwrap());
}

#[tokio::test]
async fn owners_of_a_page_come_in_its_order() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("acme", "file", "a"), claim("zeta", "file", "b")]).await.unwrap();
    let ids = ["b", "none", "a", "b"].map(str::to_owned).to_vec();
    let owners = store.owners(&upstream(), &Kind::new("file"), ids).await.unwrap();
    let names: Vec<_> = owners.iter().map(|o| o.as_ref().map(|o| o.tenant.as_str())).collect();
    assert_eq!(names, [Some("zeta"), None, Some("acme"), Some("zeta")]);
}

async fn ids(store: &Sqlite, page: Page) -> (Vec<String>, bool) {
    let slice = store.owned(&upstream(), &Kind::new("file"), &TenantId::new("acme"), page).await.unwrap();
    assert!(!slice.unknown_cursor);
    (slice.items.into_iter().map(|item| item.id).collect(), slice.more)
}

#[tokio::test]
async fn pages_hold_the_tenants_own_in_order() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    for n in 0..10 {
        let tenant = if n % 2 == 0 { "acme" } else { "zeta" };
        store.claim(vec![claim(tenant, "file", &format!("f{n}"))]).await.unwrap();
    }
    store.end(resource("file", "f4")).await.unwrap();
    let page = |limit| Page { limit, ..Page::default() };
    let after = |id: &str| Some(id.to_owned());
    assert_eq!(ids(&store, page(2)).await, (vec!["f0".into(), "f2".into()], true));
    // The cursor is an item that was deleted while paging: its place is still known.
    assert_eq!(
        ids(&store, Page { after: after("f4"), ..page(5) }).await,
        (vec!["f6".into(), "f8".into()], false)
    );
    let newest = Page { newest_first: true, ..page(2) };
    assert_eq!(ids(&store, newest.clone()).await, (vec!["f8".into(), "f6".into()], true));
    let next = Page { after: after("f6"), ..newest.clone() };
    assert_eq!(ids(&store, next).await, (vec!["f2".into(), "f0".into()], false));
    // `before` alone: the page nearest to it, in the order asked for.
    assert_eq!(
        ids(&store, Page { before: after("f8"), ..page(2) }).await,
        (vec!["f2".into(), "f6".into()], true)
    );
    let nearest = Page { before: after("f0"), ..newest };
    assert_eq!(ids(&store, nearest).await, (vec!["f6".into(), "f2".into()], true));
    // A neighbour's id and an invented one are the same: unknown.
    for id in ["f1", "nothing"] {
        let page = Page { after: after(id), ..page(5) };
        let slice = store.owned(&upstream(), &Kind::new("file"), &TenantId::new("acme"), page).await.unwrap();
        assert!(slice.unknown_cursor && slice.items.is_empty());
    }
}

#[tokio::test]
async fn an_intent_is_settled_with_its_claims_or_stays_open() {
    let folder = TempDir::new().unwrap();
    let intent = |request| Intent {
        tenant: TenantId::new("acme"),
        upstream: upstream(),
        operation: OperationId::new("createFile"),
        request,
        dataset: None,
        label: None,
        said: None,
        from: Vec::new(),
    };
    let (lost, kept) = (RequestId::fresh(), RequestId::fresh());
    {
        let store = store(&folder);
        store.claim(vec![claim("zeta", "file", "taken")]).await.unwrap();
        let first = store.begin(intent(lost)).await.unwrap();
        let second = store.begin(intent(kept)).await.unwrap();
        let refused = store.claim_and_settle(vec![claim("acme", "file", "taken")], first).await;
        assert_eq!(refused, Err(StoreError::Conflict));
        store.claim_and_settle(vec![claim("acme", "file", "mine")], second).await.unwrap();
    }
    let store = store(&folder);
    let open = store.open().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].intent, intent(lost));
    store.settle(open[0].id).await.unwrap();
    assert!(store.open().await.unwrap().is_empty());
    let third = store.begin(intent(lost)).await.unwrap();
    assert_ne!(third, open[0].id, "a number is never given twice");
}

#[tokio::test]
async fn undos_wait_until_they_are_done() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let doom = Doom {
        tenant: TenantId::new("acme"),
        upstream: upstream(),
        method: http::Method::DELETE,
        path: "/v1/files/file-9".into(),
        request: RequestId::fresh(),
    };
    let intent = Intent {
        tenant: TenantId::new("acme"),
        upstream: upstream(),
        operation: OperationId::new("createFile"),
        request: doom.request,
        dataset: None,
        label: None,
        said: None,
        from: Vec::new(),
    };
    let intent = store.begin(intent).await.unwrap();
    let id = store.doom(doom.clone(), Some(intent)).await.unwrap();
    assert!(store.open().await.unwrap().is_empty());
    let now = Timestamp::now();
    let due = store.due(now, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].id, &due[0].doom, due[0].attempts), (id, &doom, 0));
    let later = now + jiff::SignedDuration::from_secs(30);
    store.postpone(id, later).await.unwrap();
    assert!(store.due(now, 10).await.unwrap().is_empty());
    assert_eq!(store.due(later, 10).await.unwrap()[0].attempts, 1);
    assert_eq!(store.waiting().await.unwrap(), 1);
    store.done(id).await.unwrap();
    assert_eq!(store.waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn lineage_is_walked_both_ways() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let unknown = store.claim(vec![child_of(claim("acme", "job", "j0"), "file", "nowhere")]).await;
    assert_eq!(unknown, Err(StoreError::ParentUnknown));
    assert_eq!(owner(&store, "job", "j0").await, None);
    store
        .claim(vec![
            claim("acme", "file", "f"),
            child_of(claim("acme", "job", "j"), "file", "f"),
            child_of(claim("acme", "model", "m1"), "job", "j"),
            child_of(claim("acme", "model", "m2"), "job", "j"),
        ])
        .await
        .unwrap();
    // A circle, as a tenant can make one by training on a model's output.
    store
        .link(resource("file", "f"), resource("model", "m1"), Relation::Derived, Via::new("model"))
        .await
        .unwrap();
    store
        .link(resource("file", "f"), resource("model", "m1"), Relation::Derived, Via::new("x"))
        .await
        .unwrap();
    store.end(resource("model", "m2")).await.unwrap();
    let down = store.lineage(resource("file", "f"), Towards::Children, 100).await.unwrap();
    let ids: Vec<_> =
        down.iter().map(|e| (e.parent.resource.id.as_str(), e.child.resource.id.as_str())).collect();
    assert_eq!(ids, [("f", "j"), ("j", "m1"), ("j", "m2"), ("m1", "f")]);
    let vias: Vec<_> = down.iter().map(|e| e.via.as_ref().unwrap().as_str()).collect();
    assert_eq!(vias, ["training_file", "training_file", "training_file", "model"]);
    assert_eq!(down.iter().map(|e| e.depth).collect::<Vec<_>>(), [1, 2, 2, 3]);
    assert!(down[2].child.ended && !down[1].child.ended);
    let up = store.lineage(resource("model", "m2"), Towards::Parents, 2).await.unwrap();
    assert_eq!(up.iter().map(|e| e.parent.resource.id.as_str()).collect::<Vec<_>>(), ["j", "f"]);
    assert!(store.lineage(resource("file", "none"), Towards::Parents, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_upload_takes_parts_while_it_is_open_and_no_more_than_declared() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let tenant = TenantId::new("acme");
    let upload = Upload {
        id: "upload_1".into(),
        tenant: tenant.clone(),
        upstream: upstream(),
        purpose: "fine-tune".into(),
        filename: "train.jsonl".into(),
        mime: "text/jsonl".into(),
        bytes: 100,
        dataset: Some(DatasetName::new("reviews")),
        state: UploadState::Open,
        opened: Timestamp::from_millisecond(1_700_000_000_000).unwrap(),
        parts: Vec::new(),
    };
    store.open_upload(upload.clone()).await.unwrap();
    assert_eq!(store.open_upload(upload.clone()).await, Err(StoreError::Taken));
    let part = |id: &str, bytes| UploadPart { id: id.into(), bytes, spool: format!("spool-{id}") };
    assert!(store.add_part(&tenant, "upload_1", part("p1", 60)).await.unwrap());
    assert!(!store.add_part(&tenant, "upload_1", part("p1", 1)).await.unwrap(), "the part's id is taken");
    assert!(!store.add_part(&tenant, "upload_1", part("p2", 41)).await.unwrap(), "more than declared");
    assert!(!store.add_part(&TenantId::new("zeta"), "upload_1", part("p3", 1)).await.unwrap());
    assert!(store.add_part(&tenant, "upload_1", part("p4", 40)).await.unwrap());
    let whole = Upload { parts: vec![part("p1", 60), part("p4", 40)], ..upload };
    assert_eq!(store.upload(&tenant, "upload_1").await.unwrap(), Some(whole.clone()));
    assert_eq!(store.upload(&TenantId::new("zeta"), "upload_1").await.unwrap(), None);
    let old = store.uploads_before(UploadState::Open, Timestamp::now()).await.unwrap();
    assert_eq!(old, [whole]);
    let (open, completing) = (UploadState::Open, UploadState::Completing);
    let moves = tokio::join!(
        store.move_upload(&tenant, "upload_1", open, completing),
        store.move_upload(&tenant, "upload_1", open, UploadState::Cancelled)
    );
    assert_eq!(moves, (Ok(true), Ok(false)), "only one of two wins");
    assert!(!store.add_part(&tenant, "upload_1", part("p5", 0)).await.unwrap());
    assert!(store.forget_upload(&tenant, "upload_1").await.unwrap());
    assert!(!store.forget_upload(&tenant, "upload_1").await.unwrap());
    assert_eq!(store.upload(&tenant, "upload_1").await.unwrap(), None);
}

#[tokio::test]
async fn any_number_of_names_is_kept_and_the_view_is_readable() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let make = |n: u32| {
        let dataset = Some(DatasetName::new(&format!("set {n}")));
        Claim { dataset, ..claim("acme", "file", &format!("f{n}")) }
    };
    store.claim((0..5_000).map(make).collect()).await.unwrap();
    store.claim((0..5_000).map(make).collect()).await.unwrap();
    let owned = store.owner(&upstream(), &Kind::new("file"), "f17").await.unwrap().unwrap();
    assert_eq!(owned.dataset, Some(DatasetName::new("set 17")));
    let raw = Connection::open(folder.path().join("consentry.db")).unwrap();
    let names: i64 = raw.query_row("SELECT count(*) FROM name", [], |row| row.get(0)).unwrap();
    assert_eq!(names, 5_000 + 4);
    let sql = "SELECT upstream || kind || tenant || operation || dataset FROM resources WHERE id = 'f3'";
    let row: String = raw.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(row, "openaifileacmecreateFileset 3");
}

#[test]
fn debug_shows_no_id() {
    let secret = "file-abcdef";
    let claim = child_of(claim("acme", "file", secret), "file", secret);
    let page = Page { after: Some(secret.into()), ..Page::default() };
    assert!(!format!("{claim:?} {page:?}").contains(secret));
}
