use serde_json::json;

use super::*;

fn at(text: &str) -> Pointer {
    text.parse().unwrap()
}

#[test]
fn values_are_found_wherever_a_wildcard_goes() {
    let document = json!({"data": [{"id": "a", "in": {"id": 7}}, {"id": "b"}], "id": "c"});
    let found = |place: &str| all(&document, &at(place)).into_iter().filter_map(text).collect::<Vec<_>>();
    assert_eq!(found("/data/*/id"), ["a", "b"]);
    assert_eq!(found("/data/1/id"), ["b"]);
    assert_eq!(found("/**/id"), ["c", "a", "7", "b"]);
    assert!(found("/data/id").is_empty());
}

#[test]
fn a_value_is_put_where_others_are_and_leaves_them() {
    let mut document = json!({"messages": [{"role": "user"}], "tools": "none"});
    put(&mut document, &at("/messages/**/file_id"), json!("x"));
    put(&mut document, &at("/tools/*/ids/*"), json!("y"));
    assert_eq!(document, json!({"messages": [{"role": "user", "file_id": "x"}], "tools": [{"ids": ["y"]}]}));
    assert_eq!(all(&document, &at("/messages/**/file_id")), [&json!("x")]);
}

#[test]
fn what_changes_by_itself_is_taken_away_and_nothing_else() {
    let mut document = json!({"data": [{"seen": 1, "id": "a"}, {"id": "b"}]});
    clear(&mut document, &at("/data/*/seen"));
    assert_eq!(document, json!({"data": [{"seen": null, "id": "a"}, {"id": "b"}]}));
}

#[test]
fn a_place_is_within_a_wider_one() {
    assert!(within(&at("/messages/0/content/1/file_id"), &at("/messages/**/file_id")));
    assert!(within(&at("/files/0/file_id"), &at("/files/*/file_id")));
    assert!(!within(&at("/files/0"), &at("/files/*/file_id")));
    assert!(!within(&at("/file_ids/0/x"), &at("/file_ids/*")));
}
