use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::content::{Budget, Content, Sink};
use crate::sandbox::echo;
use crate::sandbox::leaks;
use crate::sandbox::table::Table;

/// A value is seen however the body is cut.
#[tokio::test]
async fn the_journal_sees_a_value_across_any_two_pieces() {
    use crate::sandbox::journal::Journal;
    let needle = "planted-value-0123456789";
    let body = format!("some text {needle} and more");
    for cut in 0..=body.len() {
        let journal = std::sync::Arc::new(Journal::new(16));
        journal.watch_for(&[needle.to_owned(), "absent-value".to_owned()]).unwrap();
        let (parts, ()) = http::Request::builder().method("POST").uri("/x").body(()).unwrap().into_parts();
        let mut tap = journal.begin(&parts);
        tap.push(&body.as_bytes()[..cut]);
        tap.push(&body.as_bytes()[cut..]);
        tap.ended();
        drop(tap);
        let entry = journal.entries(None, "/x", 10)["entries"][0].clone();
        assert_eq!(entry["seen"], json!([needle]), "cut at {cut}");
        assert_eq!(entry["text"], "some text plante");
        assert_eq!((&entry["cut"], &entry["complete"]), (&json!(true), &json!(true)));
    }
}

#[test]
fn the_journal_sees_what_stands_in_the_path_and_the_headers() {
    use crate::sandbox::journal::Journal;
    let journal = std::sync::Arc::new(Journal::new(16));
    journal.watch_for(&["jane@mail.com".to_owned(), "Bearer tenant-key".to_owned()]).unwrap();
    let request = http::Request::builder()
        .uri("/v1/x?user=jane%40mail.com")
        .header("authorization", "Bearer tenant-key");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    drop(journal.begin(&parts));
    let entry = journal.entries(None, "", 10)["entries"][0].clone();
    assert_eq!(entry["seen"], json!(["Bearer tenant-key", "jane@mail.com"]));
    assert_eq!(entry["complete"], false);
}

proptest! {
    /// Length, hash, head and tail are those of the whole, however it is cut; it is kept if it fits.
    #[test]
    fn a_sink_does_not_care_for_pieces(bytes in prop::collection::vec(any::<u8>(), 0..2000), size in 1_usize..700, keep in 0_usize..2000) {
        let budget = Budget::new(10_000);
        let mut sink = Sink::new(keep, &budget);
        for piece in bytes.chunks(size) {
            sink.push(piece);
        }
        let content = sink.finish();
        let whole = Content::of(&bytes, &budget);
        prop_assert_eq!(content.length, bytes.len() as u64);
        let mut told = content.described();
        told["kept"] = json!(true);
        prop_assert_eq!(told, whole.described());
        prop_assert_eq!(content.bytes.is_some(), bytes.len() <= keep);
        if let Some(kept) = content.bytes {
            prop_assert_eq!(kept.as_ref(), bytes.as_slice());
        }
    }

    /// What is taken from the budget comes back.
    #[test]
    fn a_budget_is_never_overdrawn(sizes in prop::collection::vec(0_usize..400, 0..20)) {
        let budget = Budget::new(1000);
        let mut held = Vec::new();
        for size in &sizes {
            held.push(Content::of(&vec![0; *size], &budget));
        }
        let kept: usize = held.iter().filter_map(|content| content.bytes.as_ref()).map(bytes::Bytes::len).sum();
        prop_assert!(kept <= 1000);
        drop(held);
        prop_assert!(budget.reserve(1000).is_some());
    }

    /// Pages put together are the list, each item once, whatever the size of a page.
    #[test]
    fn pages_make_the_list(count in 0_usize..40, limit in 1_usize..12, newest_first in any::<bool>()) {
        let items: Vec<(String, Value)> = (0..count).map(|n| (format!("id-{n}"), json!(n))).collect();
        let mut wanted: Vec<Value> = items.iter().map(|(_, value)| value.clone()).collect();
        if newest_first {
            wanted.reverse();
        }
        let mut got = Vec::new();
        let mut after = None;
        loop {
            let page = crate::sandbox::table::Paging::new(limit, after.clone(), None, newest_first).cut(items.clone()).unwrap().full();
            let data = page["data"].as_array().unwrap().clone();
            prop_assert!(data.len() <= limit);
            got.extend(data);
            if page["has_more"] == false {
                break;
            }
            after = page["last_id"].as_str().map(str::to_owned);
            prop_assert!(after.is_some());
        }
        prop_assert_eq!(got, wanted);
    }

    /// Small pieces make the text again, and none is empty.
    #[test]
    fn pieces_make_the_text(text in ".{0,200}") {
        let pieces = echo::pieces(&text);
        prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
        prop_assert_eq!(pieces.concat(), text);
    }
}

#[test]
fn the_oldest_goes_when_a_table_is_full() {
    let mut table = Table::default();
    for number in 0..10_001 {
        let gone = table.insert(&number.to_string(), number);
        assert_eq!(gone, (number == 10_000).then_some(0));
    }
    assert!(table.get("0").is_none());
    assert_eq!(table.iter().count(), 10_000);
    assert_eq!(table.remove("5"), Some(5));
    assert!(table.get("5").is_none());
}

#[test]
fn the_leaked_values_have_the_shapes_of_real_ones() {
    let key = leaks::provider_key(3);
    assert_eq!((key.len(), &key[..3], &key[23..31]), (51, "sk-", ["T3Bl", "bkFJ"].concat().as_str()));
    let token = leaks::repository_token(3);
    let (body, sum) = token[4..].split_at(30);
    let number = sum.bytes().fold(0_u64, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            _ => digit - b'a' + 36,
        };
        number * 62 + u64::from(digit)
    });
    assert_eq!(number, u64::from(crc32fast::hash(body.as_bytes())));
    assert_ne!(leaks::provider_key(4), key);
}
