use super::{Kept, read};
use crate::catalog::{ListShape, Paging};
use crate::names::Kind;

fn shape() -> ListShape {
    ListShape {
        kind: Kind::new("file"),
        items: "/data".parse().unwrap(),
        id: "/id".parse().unwrap(),
        paging: Paging::Cursor {
            after: "after".into(),
            before: "before".into(),
            ends: true,
            oldest_first: false,
            default: 20,
            max: 100,
        },
        inherited: false,
        omits_empty: false,
        one: None,
    }
}

const BODY: &[u8] = br#"{"object":"list", "data":[{"id":"a","n":1.0},{"id":"b","n":1e3}],"first_id":"a","last_id":"b","has_more":true}"#;

#[test]
fn items_keep_their_bytes_and_the_ends_follow_the_items() {
    let page = read(&shape(), BODY).unwrap();
    assert!(page.has_more);
    let ids: Vec<_> = page.items.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    let kept: Vec<Kept> = page.items[1..].iter().map(super::Item::to_owned).collect();
    let out = String::from_utf8(page.with(&shape(), &kept, false)).unwrap();
    assert_eq!(
        out,
        r#"{"object":"list","data":[{"id":"b","n":1e3}],"first_id":"b","last_id":"b","has_more":false}"#
    );
}

#[test]
fn an_empty_page_has_no_ends() {
    let page = read(&shape(), BODY).unwrap();
    let out = String::from_utf8(page.with(&shape(), &[], false)).unwrap();
    assert_eq!(out, r#"{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}"#);
}

#[test]
fn shapes_that_the_profile_does_not_expect_are_refused() {
    for body in [
        &b"[]"[..],
        b"{",
        br#"{"object":"list"}"#,
        br#"{"data":{}}"#,
        br#"{"data":[1]}"#,
        br#"{"data":[{"name":"x"}]}"#,
        br#"{"data":[{"id":null}]}"#,
        br#"{"data":[],"data":[{"id":"a"}]}"#,
        br#"{"data":[{"id":"mine","id":"theirs"}]}"#,
        br#"{"data":[{"id":"mine","\u0069d":"theirs"}]}"#,
    ] {
        assert!(read(&shape(), body).is_err(), "{}", String::from_utf8_lossy(body));
    }
}
