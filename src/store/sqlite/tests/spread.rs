//! How far a tenant's own lie apart among everybody's.

use super::*;

async fn spread(store: &Sqlite, page: Page) -> Option<u32> {
    store.spread(&upstream(), &Kind::new("file"), &TenantId::new("acme"), page).await.unwrap()
}

#[tokio::test]
async fn a_spread_counts_everybodys_of_the_kind_up_to_the_pages_last_own() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    // Oldest first: a0 z1 z2 a3 z4 z5 a6 z7 z8, and one of another kind behind each.
    for n in 0..9 {
        let tenant = if n % 3 == 0 { "acme" } else { "zeta" };
        store.claim(vec![claim(tenant, "file", &format!("f{n}"))]).await.unwrap();
        store.claim(vec![claim(tenant, "batch", &format!("b{n}"))]).await.unwrap();
    }
    let oldest = |limit| Page { limit, ..Page::default() };
    let newest = |limit| Page { newest_first: true, limit, ..Page::default() };
    let id = |id: &str| Some(id.to_owned());
    for (page, counted) in [
        (oldest(1), 1),
        (oldest(2), 4),
        (oldest(9), 7),
        (newest(1), 3),
        (newest(2), 6),
        (newest(9), 9),
        (Page { after: id("f0"), ..oldest(1) }, 3),
        (Page { after: id("f6"), ..newest(1) }, 3),
        (Page { after: id("f6"), ..oldest(1) }, 0),
        (Page { before: id("f6"), ..oldest(1) }, 3),
        (Page { before: id("f0"), ..newest(2) }, 6),
        (Page { after: id("f0"), before: id("f6"), ..oldest(5) }, 3),
        // A neighbour's id and an invented one are the same.
        (Page { after: id("f1"), ..oldest(1) }, 0),
        (Page { after: id("none"), ..oldest(1) }, 0),
    ] {
        assert_eq!(spread(&store, page.clone()).await, Some(counted), "{page:?}");
    }
    store.end(resource("file", "f4")).await.unwrap();
    assert_eq!(spread(&store, newest(2)).await, Some(5), "what has ended is not in the account's list");
    let nobody = store.spread(&upstream(), &Kind::new("file"), &TenantId::new("nobody"), newest(2)).await;
    assert_eq!(nobody, Ok(Some(0)));
}

#[tokio::test]
async fn a_stretch_too_long_to_be_counted_says_so() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    store.claim(vec![claim("acme", "file", "mine")]).await.unwrap();
    let page = Page { newest_first: true, limit: 1, ..Page::default() };
    let others = |kind: &'static str, from: usize, to| {
        store.claim((from..to).map(|n| claim("zeta", kind, &format!("{kind}-{n}"))).collect())
    };
    others("file", 0, 500).await.unwrap();
    others("batch", 0, 498).await.unwrap();
    assert_eq!(spread(&store, page.clone()).await, Some(501));
    others("batch", 498, 499).await.unwrap();
    assert_eq!(spread(&store, page).await, None);
}
