//! Settings that would load and be enforced by nobody: each is an error, where it stands.

use super::faults::{errors, says};
use super::loaded;
use crate::catalog::Catalog;

fn get(more: &str) -> String {
    format!("  get: {{match: 'GET /f', {more}}}\n")
}

/// The column of a text in an operation's line.
fn column(operation: &str, text: &str) -> u64 {
    operation.find(text).unwrap_or_else(|| panic!("{text}")) as u64 + 1
}

#[test]
fn ids_are_asked_for_where_they_are_read() {
    for shape in ["file", "jsonl"] {
        for ids in [
            "shows: [{kind: file, at: [/id]}]",
            "creates: [{kind: file, at: [/id]}]",
            "yields: [{kind: file, at: [/id], required: true}]",
        ] {
            let operation = get(&format!("response: {shape}, {ids}"));
            let fault = says(&operation, "no ids are read from an answer that is a file");
            assert_eq!(fault.column, column(&operation, "file, at:"));
        }
    }
    for shape in ["json_or_events", "events"] {
        for key in ["shows", "creates", "yields"] {
            let some =
                |more: &str| get(&format!("response: {shape}, {key}: [{{kind: file, at: [/id]{more}}}]"));
            says(&some(", required: true"), "can't be seen in an event stream");
            let text = super::faults::text(&some(""));
            assert!(Catalog::parse("test.yaml", &text).is_ok(), "{text}");
        }
    }
    let list = "list: {kind: file, items: /data, id: /id}";
    for shape in ["file", "json_or_events"] {
        says(&get(&format!("response: {shape}, {list}")), "a list is one JSON document");
    }
}

/// What holds the inner elements could be missing, and nobody would count it.
#[test]
fn what_is_required_is_counted_in_one_array() {
    for key in ["shows", "creates", "yields"] {
        let some = |at: &str, more: &str| get(&format!("{key}: [{{kind: file, at: ['{at}']{more}}}]"));
        says(&some("/a/*/b/*/id", ", required: true"), "in the elements of one `*`");
        says(&some("/*/*", ", required: true"), "in the elements of one `*`");
        for good in [some("/a/*/b/*/id", ""), some("/a/*/id", ", required: true")] {
            assert!(Catalog::parse("test.yaml", &super::faults::text(&good)).is_ok(), "{good}");
        }
    }
}

#[test]
fn an_answer_that_is_an_id_is_nothing_else() {
    let id = |more: &str| {
        format!(
            "  put: {{match: PUT /f, request: json, response: id, yields: [{{kind: file, at: ['']{more}}}]"
        )
    };
    for (more, at) in [
        ("shows: [{kind: file, at: [/a]}]", "file, at: [/a]"),
        ("response_edits: [{at: [/a], do: remove}]", "/a]"),
        ("list: {kind: file, items: /a, id: /id}", "file, items"),
    ] {
        let operation = format!("{}, {more}}}\n", id(""));
        assert_eq!(says(&operation, "has no fields").column, column(&operation, at));
    }
    says(&format!("{}}}\n", id(", when: {json: /x}")), "is one in any case");
    says(&format!("{}, channels: [{{text: /x}}]}}\n", id("")), "no event stream");
}

#[test]
fn a_filter_that_is_the_upstreams_is_looked_at() {
    let only = "only: {kind: file, query: ids, none: '0', at_most: 9}";
    for shows in [
        "",
        ", shows: [{kind: file, at: ['/*/id']}]",
        ", shows: [{kind: file, at: [/id], required: true}]",
        ", shows: [{kind: other, at: ['/*/id'], required: true}]",
    ] {
        let operation = get(&format!("{only}{shows}"));
        let operation =
            format!("{operation}  other: {{match: 'GET /o/{{id}}', uses: [{{kind: other, path: id}}]}}\n");
        let text = super::faults::text(&operation).replace(
            "operations:",
            "  other: {numeric: true, adopted: true, not_found: {message: no}}\noperations:",
        );
        let found = errors(&text);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].message.contains("nobody would see"), "{found:#?}");
        assert_eq!(found[0].column, column(&operation, "ids"));
    }
    let both = "shows: [{kind: file, at: ['/*/id'], required: true}], list: {kind: file, items: /a, id: /id}";
    says(&get(&format!("{only}, {both}")), "by the upstream (`only`) or by the gateway");
}

const PAGES: &str = "pages: {offset: offset, size: limit, total: count, default: 2, max: 3}";
const ONE: &str = "  one: {match: 'GET /f/{id}', uses: [{kind: file, path: id}]}\n";

/// A list that the gateway makes itself has nothing that it could not make.
#[test]
fn a_list_that_is_paged_by_numbers_is_one_that_can_be_made() {
    let list = |more: &str| format!("list: {{kind: file, items: /results, id: /id, {PAGES}{more}}}");
    let good = format!("{}{ONE}", get(&list("")));
    let catalog = loaded(Catalog::parse("test.yaml", &super::faults::text(&good)));
    let made = catalog.operations().iter().find_map(|operation| operation.list.as_ref());
    assert_eq!(made.and_then(|list| list.one.as_deref()), Some("/f/{id}"));

    let own = format!("{}{ONE}", get(&format!("query: [sort], {}", list(""))));
    assert_eq!(says(&own, "`sort` would change nothing").column, column(&own, "sort"));
    let uses =
        |place: &str| format!("{}{ONE}", get(&format!("uses: [{{kind: file, {place}}}], {}", list(""))));
    says(&uses("query: of"), "what it uses would change nothing");
    says(&uses("header: of"), "what it uses would change nothing");
    let needs = format!("needs: [{{purpose: train, when: {{query: all}}}}], {}", list(""));
    says(&format!("{}{ONE}", get(&needs)), "has no query that decides");
    says(&format!("{}{ONE}", get(&list(", inherited: true"))), "is not `inherited`");
    let path = format!(
        "  get: {{match: 'GET /x/{{x}}/f', plain: [x], {}}}\n  one: {{match: 'GET /x/{{x}}/f/{{id}}', plain: [x], uses: [{{kind: file, path: id}}]}}\n",
        list("")
    );
    says(&path, "has no parameters in its path");
    for (items, id, message) in [
        ("/a/b", "/id", "under one key"),
        ("''", "/id", "under one key"),
        ("'/*'", "/id", "under one key"),
        ("/count", "/id", "under a name of its own"),
        ("/results", "'/*/id'", "at a place of plain keys"),
    ] {
        let text =
            format!("{}{ONE}", get(&format!("list: {{kind: file, items: {items}, id: {id}, {PAGES}}}")));
        says(&text, message);
    }
    let total = list("").replace("total: count", "total: next");
    says(&format!("{}{ONE}", get(&total)), "under a name of its own");
    let size = list("").replace("size: limit", "size: offset");
    says(&format!("{}{ONE}", get(&size)), "two parameters");
    let posted = format!("  get: {{match: POST /f, {}}}\n{ONE}", list(""));
    says(&posted, "a `GET` without a body");
}

#[test]
fn the_items_of_such_a_list_can_be_asked_for() {
    let list = get(&format!("list: {{kind: file, items: /results, id: /id, {PAGES}}}"));
    for one in [
        "",
        "  one: {match: 'GET /g/{id}', uses: [{kind: file, path: id}]}\n",
        "  one: {match: 'POST /f/{id}', uses: [{kind: file, path: id}]}\n",
        "  one: {match: 'GET /f/{id}', response: file, uses: [{kind: file, path: id}]}\n",
        "  one: {match: 'GET /f/{id}', uses: [{kind: file, path: id}, {kind: file, query: x}]}\n",
        "  one: {match: 'GET /f/{id}', plain: [id]}\n",
    ] {
        let fault = says(&format!("{list}{one}"), "no operation shows one `file`");
        assert_eq!(fault.help.as_deref(), Some("describe `GET /f/{id}`, with `response: json`"), "{one}");
    }
}

#[test]
fn what_nobody_judges_is_for_uses_for_which_records_are_judged() {
    let post =
        |more: &str| format!("  post: {{match: POST /f, request: json, unjudged: [{{because: x}}]{more}}}\n");
    for idle in ["", ", needs: [{purpose: store}]", ", purpose: train"] {
        says(&post(idle), "`unjudged` says something of training");
    }
    for good in [
        ", purpose: annotate",
        ", needs: [{purpose: train}]",
        ", needs: [{purpose: evaluate, when: {json: /x}}]",
    ] {
        assert!(Catalog::parse("test.yaml", &super::faults::text(&post(good))).is_ok(), "{good}");
    }
}
