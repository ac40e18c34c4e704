use serde_json::json;

use super::*;

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("x{n}")).collect()
}

fn after() -> Turns {
    Turns::After { name: Arc::from("after_id"), max: 20 }
}

fn numbers(begins: Begins, total: Option<&str>) -> Turns {
    Turns::Numbers { begins, size: Some(("size".to_owned(), 100)), total: total.map(str::to_owned) }
}

fn page() -> Begins {
    Begins::Page(Arc::from("page"))
}

#[test]
fn a_cursor_is_called_what_the_profile_calls_it() {
    let first = Place::default();
    assert_eq!(after().query(&first).unwrap(), "limit=20");
    let next = after().next(&json!({"has_more": true}), &first, &["a b".to_owned()]).unwrap().unwrap();
    assert_eq!(after().query(&next).unwrap(), "limit=20&after_id=a%20b");
    assert!(!next.may_be_missing(), "the account said that it is there");
}

/// A page that is missing is an end only where nothing said that it is there.
#[test]
fn a_list_that_is_cut_short_is_an_error_and_no_end() {
    let first = Place::default();
    let ends = |turns: &Turns, answer: Value, n| matches!(turns.next(&answer, &first, &ids(n)), Ok(None));
    let wrong = |turns: &Turns, answer: Value, n| turns.next(&answer, &first, &ids(n)).is_err();
    assert!(ends(&after(), json!({"has_more": false}), 3));
    assert!(wrong(&after(), json!({"has_more": true}), 0));
    let unsaid = after().next(&json!({}), &first, &ids(3)).unwrap().unwrap();
    assert!(unsaid.may_be_missing() && ends(&after(), json!({}), 0));

    assert!(ends(&Turns::Never, json!({"next": null}), 3) && ends(&Turns::Never, json!([]), 0));
    for more in [json!({"has_more": true}), json!({"next": "https://x/?page=2"}), json!({"next_page": "t"})] {
        assert!(wrong(&Turns::Never, more, 3));
    }

    let counted = numbers(page(), Some("count"));
    assert!(ends(&counted, json!({"count": 3}), 3) && ends(&counted, json!({"count": 0}), 0));
    assert!(wrong(&counted, json!({}), 3) && wrong(&counted, json!({"count": 4}), 0));
    // The account gives smaller pages than it was asked for.
    let second = counted.next(&json!({"count": 14}), &first, &ids(7)).unwrap().unwrap();
    assert_eq!(counted.query(&second).unwrap(), "page=2&size=100");
    assert!(counted.next(&json!({"count": 15}), &second, &ids(7)).unwrap().is_some());
    assert_eq!(counted.next(&json!({"count": 14}), &second, &ids(7)).unwrap(), None);
    let offset = numbers(Begins::Offset(Arc::from("offset")), Some("count"));
    let second = offset.next(&json!({"count": 14}), &first, &ids(7)).unwrap().unwrap();
    assert_eq!(offset.query(&second).unwrap(), "offset=7&size=100");

    // Without a count, and without a word on what follows, it is read on until nothing comes.
    let bare = numbers(page(), None);
    assert!(bare.next(&json!([]), &first, &ids(7)).unwrap().unwrap().may_be_missing());
    assert!(ends(&bare, json!([]), 0) && ends(&bare, json!({"next": null}), 7));
    assert!(!bare.next(&json!({"next": "x"}), &first, &ids(7)).unwrap().unwrap().may_be_missing());
}
