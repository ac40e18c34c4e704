use super::*;
use crate::names::Access;
use crate::store::{Audience, Right, Share, Shared, Shares};

fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

async fn share(store: &Sqlite, id: &str, with: Option<&str>, right: Right, until: Option<i64>) -> Shared {
    let share = Share {
        resource: resource("file", id),
        with: with.map_or(Audience::Everyone, |name| Audience::Tenant(tenant(name))),
        right,
        until: until.map(|seconds| Timestamp::from_second(seconds).unwrap()),
        recorded_by: "a test".to_owned(),
    };
    store.share(share).await.unwrap()
}

async fn right(store: &Sqlite, kind: &str, id: &str, to: &str) -> Option<(Right, bool)> {
    let granted =
        store.granted(&upstream(), &Kind::new(kind), vec![id.to_owned()], &tenant(to)).await.unwrap();
    granted[0].map(|granted| (granted.right, granted.public))
}

async fn seen(store: &Sqlite, by: &str, page: Page) -> (Vec<String>, bool) {
    let slice = store.owned(&upstream(), &Kind::new("file"), &tenant(by), page).await.unwrap();
    (slice.items.into_iter().map(|item| item.id).collect(), slice.more)
}

#[test]
fn to_use_includes_to_read_and_nothing_includes_to_change() {
    let allowed =
        |right: Right| [Access::Read, Access::Use, Access::Change].map(|access| right.allows(access));
    assert_eq!(allowed(Right::Read), [true, false, false]);
    assert_eq!(allowed(Right::Use), [true, true, false]);
}

#[tokio::test]
async fn a_share_holds_for_whom_it_names_while_it_is_in_force() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("a", "file", "f1"), claim("b", "file", "f2")]).await.unwrap();
    assert_eq!(share(&store, "f9", Some("b"), Right::Read, None).await, Shared::Unknown);
    assert_eq!(share(&store, "f1", Some("a"), Right::Read, None).await, Shared::Owner);
    assert_eq!(right(&store, "file", "f1", "b").await, None);

    share(&store, "f1", Some("b"), Right::Use, None).await;
    assert_eq!(right(&store, "file", "f1", "b").await, Some((Right::Use, false)));
    assert_eq!(right(&store, "file", "f1", "c").await, None);
    assert_eq!(right(&store, "file", "f2", "b").await, None);
    assert_eq!(right(&store, "job", "f1", "b").await, None);
    // A narrower one takes its place; a wider one for everybody stands beside it.
    share(&store, "f1", Some("b"), Right::Read, None).await;
    assert_eq!(right(&store, "file", "f1", "b").await, Some((Right::Read, false)));
    share(&store, "f1", None, Right::Use, None).await;
    assert_eq!(right(&store, "file", "f1", "b").await, Some((Right::Use, true)));
    assert_eq!(right(&store, "file", "f1", "c").await, Some((Right::Use, true)));
    assert!(store.unshare(resource("file", "f1"), Audience::Everyone).await.unwrap());
    assert!(!store.unshare(resource("file", "f1"), Audience::Everyone).await.unwrap());
    assert_eq!(right(&store, "file", "f1", "b").await, Some((Right::Read, false)));
    // What is over is over.
    share(&store, "f1", Some("b"), Right::Read, Some(1)).await;
    assert_eq!(right(&store, "file", "f1", "b").await, None);

    assert_eq!(store.shares(None, false).await.unwrap().len(), 0);
    let past = store.shares(Some(&tenant("a")), true).await.unwrap();
    assert_eq!(past.len(), 4, "{past:?}");
    assert_eq!(past.iter().filter(|share| share.withdrawn.is_none()).count(), 1);
    assert!(store.shares(Some(&tenant("b")), true).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_share_ends_with_its_resource_and_does_not_come_back_with_the_id() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("a", "file", "f1")]).await.unwrap();
    share(&store, "f1", Some("b"), Right::Read, None).await;
    store.end(resource("file", "f1")).await.unwrap();
    assert_eq!(right(&store, "file", "f1", "b").await, None);
    assert_eq!(store.shares(None, false).await.unwrap().len(), 0);
    store.claim(vec![claim("a", "file", "f1")]).await.unwrap();
    assert_eq!(right(&store, "file", "f1", "b").await, None);
    assert_eq!(seen(&store, "b", Page { limit: 9, ..Page::default() }).await, (vec![], false));
}

#[tokio::test]
async fn what_is_part_of_something_shared_is_shared_and_what_was_made_of_it_is_not() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let of = |claim, id: &str, relation| from(claim, "file", id, relation);
    let part = of(claim("a", "part", "p"), "f1", Relation::Part);
    let made = of(claim("a", "job", "j"), "f1", Relation::Derived);
    store.claim(vec![claim("a", "file", "f1"), part, made]).await.unwrap();
    share(&store, "f1", Some("b"), Right::Use, None).await;
    assert_eq!(right(&store, "part", "p", "b").await, Some((Right::Use, false)));
    assert_eq!(right(&store, "job", "j", "b").await, None);
    store.end(resource("file", "f1")).await.unwrap();
    assert_eq!(right(&store, "part", "p", "b").await, None);
}

#[tokio::test]
async fn lists_hold_what_is_shared_in_its_place() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let claims = (0..10).map(|n| claim(if n % 2 == 0 { "a" } else { "b" }, "file", &format!("f{n}")));
    store.claim(claims.collect()).await.unwrap();
    let all = || Page { limit: 20, ..Page::default() };
    assert_eq!(seen(&store, "b", all()).await.0, ["f1", "f3", "f5", "f7", "f9"]);
    share(&store, "f4", Some("b"), Right::Read, None).await;
    share(&store, "f8", None, Right::Read, None).await;
    // Its own, said to be everybody's, is there once; what is named twice too.
    share(&store, "f8", Some("b"), Right::Read, None).await;
    let order = ["f1", "f3", "f4", "f5", "f7", "f8", "f9"];
    assert_eq!(seen(&store, "b", all()).await.0, order);
    for newest_first in [false, true] {
        let mut expected: Vec<&str> = order.to_vec();
        if newest_first {
            expected.reverse();
        }
        for limit in 1..9 {
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let page = Page { after: after.clone(), newest_first, limit, ..Page::default() };
                let (ids, more) = seen(&store, "b", page).await;
                after = ids.last().cloned();
                walked.extend(ids);
                if !more {
                    break;
                }
            }
            assert_eq!(walked, expected, "pages of {limit}");
        }
    }
    let before = Page { before: Some("f8".to_owned()), limit: 2, ..Page::default() };
    assert_eq!(seen(&store, "b", before).await, (vec!["f5".to_owned(), "f7".to_owned()], true));
    // What is not shown is no place to go on from.
    let page = Page { after: Some("f2".to_owned()), limit: 9, ..Page::default() };
    assert!(store.owned(&upstream(), &Kind::new("file"), &tenant("b"), page).await.unwrap().unknown_cursor);
}
