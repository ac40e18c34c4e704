use http::Method;
use proptest::prelude::*;

use super::{openai, small};
use crate::catalog::{Catalog, Recognised};
use crate::reason::{Reason, Refusal};

fn list(query: &str) -> Result<Recognised, Refusal> {
    openai().recognise(&Method::GET, "/v1/files", Some(query))
}

#[test]
fn what_sdks_send_is_read() {
    let found = list("after=file-abc&limit=20&order=desc&purpose=fine-tune").unwrap();
    assert_eq!(found.query.value("after"), Some("file-abc"));
    assert_eq!(found.query.value("limit"), Some("20"));
    assert_eq!(found.query.len(), 4);
    assert!(list("").unwrap().query.is_empty());
    let jobs = |query| openai().recognise(&Method::GET, "/v1/fine_tuning/jobs", Some(query));
    let found = jobs("metadata%5Bu%5D=1&limit=2").unwrap();
    assert_eq!(found.query.value("metadata[u]"), Some("1"));
    let found =
        openai().recognise(&Method::GET, "/v1/responses/resp_1", Some("include[]=a&include[]=b&stream=true"));
    assert_eq!(found.unwrap().query.len(), 3);
    let found = openai().recognise(&Method::POST, "/v1/responses", Some("beta=true")).unwrap();
    assert_eq!(found.operation.id.as_str(), "createResponse");
    let chats = |query| openai().recognise(&Method::GET, "/v1/chat/completions", Some(query)).unwrap();
    assert_eq!(chats("model=org%2Fmodel").query.value("model"), Some("org/model"));
    assert_eq!(chats("model=ft:a:b::c").query.value("model"), Some("ft:a:b::c"));
}

#[test]
fn what_decides_has_one_reading() {
    for query in [
        "after=file-a&after=file-b",
        "after=file-a&limit=1&after=file-a",
        "after=a&after",
        "%61fter=file-a",
        "After=file-a",
        "AFTER=file-a",
        "after[]=file-a",
        "after[0]=file-a",
        "after%5B%5D=file-a",
        "after.x=file-a",
        "+after=file-a",
        "after%20=file-a",
        "after%00=file-a",
        "after%00x=file-a",
        "limit=1&x=1;after=file-a",
        "x;after=file-a",
        "after=a;b",
        "after=file%2Da",
        "after=file%2da",
        "after=a+b",
        "after=a%00",
        "after=%25",
        "after=%zz",
        "x=%",
        "x=%4",
        "x=%FF",
        "a b",
        "x=\u{e9}",
        "x=\\",
        "x#after=y",
    ] {
        match list(query) {
            Err(refusal) => assert_eq!(refusal.reason, Reason::QueryAmbiguous, "{query:?}"),
            Ok(found) => panic!("{query:?} was taken for {:?}", found.query),
        }
    }
}

#[test]
fn what_decides_nothing_has_to_be_listed() {
    let found = list("purpose=a+b&purpose=a%2Db&purpose%5Bq%5D=%C3%BC").unwrap();
    assert_eq!(found.query.value("purpose"), Some("a b"));
    assert_eq!(found.query.value("purpose[q]"), Some("ü"));
    assert_eq!(found.query.iter().filter(|p| &**p.name() == "purpose").count(), 2);
    for query in ["x=1", "purpose=user_data&before=1", "afterwards=3", "Purpose=batch", "purpose.x=1"] {
        assert_eq!(list(query).unwrap_err().reason, Reason::FieldNotAllowed, "{query}");
    }
}

#[test]
fn a_query_takes_what_its_operation_lists() {
    let catalog = small(
        "  list:
    match: GET /things
    query: [filter]
    list: {kind: thing, items: /data, id: /id, cursor: {by: [after], default: 1, max: 2}}
",
    );
    let ask = |query: &str| catalog.recognise(&Method::GET, "/things", Some(query));
    assert!(ask("filter=1&limit=2&after=a").is_ok());
    assert!(ask("filter[x]=1").is_ok());
    assert_eq!(ask("other=1").unwrap_err().reason, Reason::FieldNotAllowed);
}

/// How the most lenient of readers understands a query: the values that it would take for `after`.
fn lenient(query: &str) -> Vec<String> {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
    };
    query
        .split(['&', ';'])
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).to_ascii_lowercase();
            let name = name.trim().split(['[', '.', '\0']).next().unwrap_or_default().to_owned();
            (name == "after").then(|| decode(value))
        })
        .collect()
}

fn after(catalog: &Catalog, query: &str) -> Option<Option<String>> {
    let found = catalog.recognise(&Method::GET, "/v1/files", Some(query)).ok()?;
    Some(found.query.value("after").map(str::to_owned))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// Whatever passes, no reader finds another cursor in it than we do.
    #[test]
    fn no_reader_finds_another_cursor(parts in proptest::collection::vec("(after|After|%61fter|=|&|;|\\[\\]|\\.x|%20|\\+|%00|file-a|b|limit|%|x)", 0..10)) {
        let query = parts.concat();
        if let Some(ours) = after(openai(), &query) {
            prop_assert_eq!(lenient(&query), ours.into_iter().collect::<Vec<_>>(), "{}", query);
        }
    }
}
