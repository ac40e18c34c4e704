//! Profiles with a fault: each is refused at load, by file, line and column, with what would be right.

use super::HEAD;
use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;

const KINDS: &str = "kinds:
  file: {owned: ['file-[a-z]+'], not_found: {message: no}}
";

const CREATE: &str = "  create:
    match: POST /files
    request: json
    creates: [{kind: file, at: [/id]}]
";

pub(super) fn errors(text: &str) -> Vec<Diagnostic> {
    Catalog::parse("test.yaml", text).err().unwrap_or_else(|| panic!("loaded:\n{text}"))
}

/// A profile whose operations are `CREATE` and these.
pub(super) fn text(operations: &str) -> String {
    format!("{HEAD}{KINDS}operations:\n{CREATE}{operations}")
}

/// The one error of a profile whose operations are `CREATE` and these.
fn fault(operations: &str) -> Diagnostic {
    let found = errors(&text(operations));
    assert_eq!(found.len(), 1, "{found:#?}");
    let fault = found.into_iter().next().unwrap();
    assert_eq!(fault.file, "test.yaml");
    assert!(fault.line > 0 && fault.column > 0, "{fault}");
    fault
}

pub(super) fn says(operations: &str, message: &str) -> Diagnostic {
    let fault = fault(operations);
    assert!(fault.message.contains(message), "`{}` does not say `{message}`", fault.message);
    fault
}

#[test]
fn the_text_they_are_made_of_is_right() {
    assert!(Catalog::parse("test.yaml", &format!("{HEAD}{KINDS}operations:\n{CREATE}")).is_ok());
}

#[test]
fn an_unknown_key_has_its_neighbour() {
    let fault = says("  get: {match: 'GET /a', respnse: json}\n", "respnse");
    assert_eq!(fault.help.as_deref(), Some("did you mean `response`?"));
    assert_eq!(fault.source.as_deref(), Some("  get: {match: 'GET /a', respnse: json}"));
}

#[test]
fn an_unknown_kind_has_its_neighbour() {
    let fault =
        says("  get: {match: 'GET /f/{id}', uses: [{kind: fiel, path: id}]}\n", "unknown kind `fiel`");
    assert_eq!(fault.help.as_deref(), Some("did you mean `file`?"));
    assert_eq!(fault.column, "  get: {match: 'GET /f/{id}', uses: [{kind: ".len() as u64 + 1);
    let far = says("  get: {match: 'GET /f/{id}', uses: [{kind: sofa, path: id}]}\n", "unknown kind `sofa`");
    assert_eq!(far.help.as_deref(), Some("known are: file"));
}

#[test]
fn two_operations_that_match_one_request() {
    let fault = says(
        "  again: {match: POST /files, request: json}\n",
        "`again` matches the same requests as `create`",
    );
    assert!(fault.message.contains("line 14"), "{fault}");
    let params = "  one: {match: 'GET /f/{a}', uses: [{kind: file, path: a}]}\n  two: {match: 'GET /f/{b}', uses: [{kind: file, path: b}]}\n";
    says(params, "`two` matches the same requests as `one`");
    let forms = "  one: {match: 'GET /f/{a}', uses: [{kind: file, path: a}]}\n  two: {match: 'DELETE /f/{a:slash}', uses: [{kind: file, path: a}]}\n";
    says(forms, "parameters of different forms");
    let crossed = "  one: {match: 'GET /{a}:x', plain: [a]}\n  two: {match: 'GET /y-{a}', plain: [a]}\n";
    says(crossed, "could be taken by `two` or by another");
}

#[test]
fn an_operation_that_no_request_reaches() {
    let hidden = "  one: {match: 'GET /{a}', plain: [a]}\n  two: {match: 'GET /{b:rest}', plain: [b]}\n";
    assert!(fault(hidden).message.contains("`two` can't be reached: `one` answers in its place"));
    says("  a: {match: 'GET /a/../b'}\n", "a dot segment matches no request");
    says("  a: {match: 'GET /a//b'}\n", "an empty segment");
    says("  a: {match: 'GET /a b'}\n", "no canonical path has");
    says("  a: {match: 'GET /a;b'}\n", "no canonical path has");
    says("  a: {match: 'GET /a%2Fb'}\n", "no canonical path has");
}

#[test]
fn templates_that_say_nothing() {
    says("  a: {match: GET files}\n", "starts with `/`");
    says("  a: {match: /files}\n", "expected a method and a path");
    let fault = says("  a: {match: GTE /files}\n", "unknown method `GTE`");
    assert!(fault.help.unwrap().contains("GET"));
    says("  a: {match: 'GET /{a'}\n", "not closed");
    says("  a: {match: 'GET /{}'}\n", "no parameter's name");
    says("  a: {match: 'GET /{a}{b}', plain: [a, b]}\n", "one parameter");
    says("  a: {match: 'GET /{a}/{a}', plain: [a]}\n", "stands twice");
    says("  a: {match: 'GET /{a:int}', plain: [a]}\n", "unknown form `:int`");
    says("  a: {match: 'GET /{a:rest}/b', plain: [a]}\n", "stands last");
    says("  a: {match: 'GET /x{a:rest}', plain: [a]}\n", "stands alone");
    let many: String = (0..7).map(|n| format!("/{{p{n}}}")).collect();
    says(&format!("  a: {{match: 'GET {many}'}}\n"), "at most 6 parameters");
}

#[test]
fn places_that_the_operation_does_not_have() {
    let fault = says(
        "  get: {match: 'GET /f/{file_id}', uses: [{kind: file, path: fileid}], plain: [file_id]}\n",
        "unknown path parameter `fileid`",
    );
    assert_eq!(fault.help.as_deref(), Some("did you mean `file_id`?"));
    says("  get: {match: 'GET /f/{id}'}\n", "path parameter `id` names no resource");
    says(
        "  get: {match: 'GET /f/{id}', plain: [id], uses: [{kind: file, path: id}]}\n",
        "names a resource in `uses`",
    );
    says("  get: {match: 'GET /f', plain: [id]}\n", "unknown path parameter `id`");
    says("  a: {match: POST /a, uses: [{kind: file, json: [/x]}]}\n", "request is not JSON");
    says("  a: {match: POST /a, request: json, uses: [{kind: file, form: x}]}\n", "request is not a form");
    says("  a: {match: POST /a, request: json, uses: [{kind: file}]}\n", "no place is named");
    says(
        "  a: {match: POST /a, request: json, uses: [{kind: file, json: [x]}]}\n",
        "no place in a JSON document",
    );
    says("  a: {match: POST /a, request: json, uses: [{kind: file, json: [/x, /x]}]}\n", "/x is named twice");
    says("  a: {match: POST /a, uses: [{kind: file, header: X-File}]}\n", "lower case");
    let form = |content: &str| {
        format!(
            "  a: {{match: POST /a, request: {{multipart: [{{name: kind, content: {content}}}]}}, uses: [{{kind: file, form: kind}}]}}\n"
        )
    };
    says(&form("text"), "field `kind` decides here");
    let urlencoded = form("text").replace("multipart", "urlencoded");
    says(&urlencoded, "field `kind` decides here");
    says(
        "  a: {match: POST /a, request: {urlencoded: [{name: f, content: file}]}}\n",
        "such a form has no files",
    );
    says(
        "  a: {match: POST /a, request: {urlencoded: [{name: f, content: text}, {name: f, content: text}]}}\n",
        "field `f` stands twice",
    );
    says(
        "  a: {match: POST /a, request: {urlencoded: []}, request_edits: [{at: [/f], do: remove}]}\n",
        "in a form",
    );
    says(
        "  a: {match: POST /a, request: {multipart: [{name: kind, content: deciding}]}, uses: [{kind: file, form: knd}]}\n",
        "unknown form field `knd`",
    );
    says(
        "  a: {match: POST /a, request: {multipart: [{name: x, content: text}, {name: x, content: text}]}}\n",
        "field `x` stands twice",
    );
}

#[test]
fn conditions_without_a_place_or_with_two() {
    let need = |when: &str| {
        format!("  a: {{match: POST /a, request: json, needs: [{{purpose: train, when: {{{when}}}}}]}}\n")
    };
    says(&need("is: [x]"), "0 are named");
    says(&need("json: /x, query: y"), "2 are named");
    let fault = fault("  a: {match: POST /a, request: json, needs: [{purpose: trian}]}\n");
    assert!(fault.message.contains("trian"), "{fault}");
    says(
        "  a: {match: POST /a, request: json, uses: [{kind: file, json: [/file]}], needs: [{purpose: train, of: [/fil]}]}\n",
        "unknown place of `uses` `/fil`",
    );
}

#[test]
fn names_of_other_operations() {
    says(
        "  a: {match: POST /a, request: json, creates: [{kind: file, at: [/id], undo: creat}]}\n",
        "unknown operation `creat`",
    );
    says(
        "  a: {match: POST /a, request: json, creates: [{kind: file, at: [/id], undo: create}]}\n",
        "takes no `file` in its path",
    );
    let nested = "  del: {match: 'DELETE /s/{store}/f/{id}', plain: [store], uses: [{kind: file, path: id}]}\n  a: {match: POST /a, request: json, creates: [{kind: file, at: [/id], undo: del}]}\n";
    says(nested, "needs `store`");
    says(
        "  del: {match: 'DELETE /f/{id}', uses: [{kind: file, path: id}]}\n  a: {match: POST /a, request: json, yields: [{kind: file, at: [/id], undo: del}]}\n",
        "not taken back",
    );
    says("  a: {match: POST /a, request: json, creates: [{kind: file, at: []}]}\n", "`at` is empty");
    says(
        "  a: {match: 'DELETE /f/{id}', uses: [{kind: file, path: id}], ends: file}\n",
        "no path parameter in `uses`",
    );
    says(
        "  a: {match: POST /a, request: json, lines: {method: /m, url: /u, body: /b, operations: [crate]}}\n",
        "unknown operation `crate`",
    );
    says("  a: {match: POST /a, include: [usage]}\n", "unknown part `usage`");
    says("  a: {match: GET /a, also: [create]}\n", "operation `create` is described twice");
    says(
        "  a: {match: POST /a, request: json, creates: [{kind: file, at: [/id], label: {json: /p}, label_of: x}]}\n",
        "a label comes from one place",
    );
}

#[test]
fn rewrites_and_channels_that_can_t_be() {
    says(
        "  a: {match: GET /a, request_edits: [{at: [/x], do: salt}]}\n",
        "no fields that could be rewritten",
    );
    says(
        "  a: {match: POST /a, request: json, request_edits: [{at: ['/*/x'], do: {set: 1}}]}\n",
        "plain keys",
    );
    says("  a: {match: POST /a, request: json, store: {at: '/**/store', default: true}}\n", "plain keys");
    says(
        "  a: {match: POST /a, request: {multipart: [{name: x, content: text}]}, request_edits: [{at: [/x], do: remove}]}\n",
        "in a form",
    );
    says("  a: {match: POST /a, store: {at: /store, default: true}}\n", "request is not JSON");
    says("  a: {match: GET /a, response: opaque, response_edits: [{at: [/x], do: remove}]}\n", "is not JSON");
    says("  a: {match: GET /a, channels: [{text: /x}]}\n", "no event stream");
    says(
        "  a: {match: GET /a, response: events, channels: [{text: '/c/*/text', keys: ['/d/*/index']}]}\n",
        "do not go the way",
    );
    says(
        "  a: {match: GET /a, response: events, channels: [{text: '/**/text'}]}\n",
        "can't tell one channel from another",
    );
    says(
        "  a: {match: GET /a, list: {kind: file, items: /data, id: /id, cursor: {by: [after], default: 20, max: 10}}}\n",
        "`max` is at least `default`",
    );
}

fn of_kinds(kinds: &str) -> String {
    let found = errors(&format!("{HEAD}kinds:\n{kinds}operations:\n  get: {{match: GET /a}}\n"));
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].message.clone()
}

#[test]
fn kinds_without_a_rule() {
    assert!(of_kinds("  file: {not_found: {message: no}}\n").contains("says nothing about its ids"));
    assert!(
        of_kinds("  file: {owned: ['a('], not_found: {message: no}}\n").contains("not a regular expression")
    );
    assert!(
        of_kinds("  file: {owned: ['a*'], adopted: true, not_found: {message: no}}\n")
            .contains("matches an empty id")
    );
    assert!(
        of_kinds("  file: {owned: ['a+'], not_found: {message: no}}\n").contains("nobody can own a `file`")
    );
    assert!(
        of_kinds("  file: {numeric: true, owned: ['a+'], adopted: true, not_found: {message: no}}\n")
            .contains("takes the place")
    );
    assert!(
        of_kinds("  file: {shared: ['a+'], part_of: 'b', not_found: {message: no}}\n")
            .contains("no group named `whole`")
    );
    assert!(of_kinds("  file: {shared: ['a+']}\n").contains("not_found"));
}

#[test]
fn parts_that_nothing_includes() {
    let text = format!("{HEAD}{KINDS}parts:\n  unused: {{}}\noperations:\n{CREATE}");
    assert!(errors(&text)[0].message.contains("part `unused` is included nowhere"));
}

#[test]
fn headers_and_errors_that_can_t_be() {
    let edit = |from: &str, to: &str| {
        let text = format!("{HEAD}{KINDS}operations:\n{CREATE}");
        assert!(text.contains(from), "{from}");
        errors(&text.replace(from, to))[0].message.clone()
    };
    let request = "request: {others: drop}";
    assert!(edit(request, "request: {others: drop, pass: [Accept]}").contains("lower case"));
    assert!(edit(request, "request: {others: drop, pass: ['*']}").contains("names no header"));
    assert!(edit(request, "request: {others: drop, drop: ['a b']}").contains("no header's name"));
    assert!(
        edit(request, "request: {others: drop, set: {a: \"x\\ny\"}}").contains("can't stand in a header")
    );
    assert!(edit(request, "request: {}").contains("others"));
    assert!(edit("types: {default: api_error}", "types: {400: x}").contains("names no `default`"));
    assert!(
        edit("types: {default: api_error}", "types: {default: x, 99999: y}")
            .contains("neither an HTTP status")
    );
    assert!(
        edit("body: {error: {message: $message}}", "body: {error: {}}").contains("no place for `$message`")
    );
}

/// A reader mends all faults at once, and not one after the other.
#[test]
fn all_faults_are_told() {
    let text = format!(
        "{HEAD}{KINDS}operations:\n{CREATE}  a: {{match: GET a}}\n  b: {{match: 'GET /{{id}}'}}\n  c: {{match: POST /files}}\n"
    );
    let lines: Vec<u64> = errors(&text).iter().map(|error| error.line).collect();
    assert_eq!(lines, [18, 19, 20]);
    let forms = format!(
        "{HEAD}{KINDS}operations:\n{CREATE}  a: {{match: GET /a, x: 1}}\n  b: {{match: GET /b}}\n  c:\n    match: GET /c\n    response: jsn\n  d: {{}}\n"
    );
    let found = errors(&forms);
    assert_eq!(found.iter().map(|error| error.line).collect::<Vec<_>>(), [18, 22, 23], "{found:#?}");
}

#[test]
fn an_unknown_profile_names_those_there_are() {
    let error = Catalog::builtin("opnai").unwrap_err();
    let names = ["openai", "anthropic", "label-studio", "doccano", "mlflow", "vllm", "tgi"];
    assert_eq!(Catalog::builtin_names().collect::<Vec<_>>(), names);
    assert_eq!(error[0].help, Some(format!("known are: {}", names.join(", "))));
}

/// The guide's first example is a profile.
#[test]
fn the_guide_is_right() {
    let guide = include_str!("../../../config/apis/README.md");
    let example = guide.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let catalog = super::loaded(Catalog::parse("README.md", &format!("{HEAD}{example}")));
    assert_eq!(catalog.operations().len(), 2);
}

/// Every key of the format stands in the guide, so that a new one is not forgotten.
#[test]
fn the_guide_names_every_key_of_an_operation() {
    let guide = include_str!("../../../config/apis/README.md");
    let schema = serde_json::to_value(schemars::schema_for!(crate::catalog::Profile)).unwrap();
    let keys = schema["$defs"]["RawOperation"]["properties"].as_object().unwrap();
    assert!(keys.len() > 20);
    for key in keys.keys().filter(|key| *key != "about") {
        assert!(guide.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn what_is_ended_is_changed() {
    let ends = |access: &str| {
        format!(
            "  delete: {{match: 'DELETE /f/{{id}}', uses: [{{kind: file, path: id{access}}}], ends: id}}\n"
        )
    };
    says(&ends(", access: read"), "what ends `id` changes it");
    let text = format!("{HEAD}{KINDS}operations:\n{CREATE}{}", ends(""));
    assert!(Catalog::parse("test.yaml", &text).is_ok());
}

#[test]
fn what_an_answer_has_to_say_is_said_of_its_places() {
    let get = |more: &str| format!("  get: {{match: 'GET /f', {more}}}\n");
    says(&get("shows: [{kind: file, at: []}]"), "`at` is empty");
    says(&get("shows: [{kind: file, at: ['/**/id'], required: true}]"), "`**` does not say where");
    says(&get("yields: [{kind: file, at: ['/**/id'], required: true}]"), "`**` does not say where");
    says(&get("yields: [{kind: file, at: [/id], lives_in: of}]"), "unknown place of `uses` `of`");
    says(&get("one_of: [of]"), "unknown place of `uses` `of`");
    says(&get("shows: [{kind: fiel, at: [/id]}]"), "unknown kind `fiel`");
    says(&get("response: text, shows: [{kind: file, at: [/id]}]"), "is not JSON");
    says(&get("response: id"), "an answer that is an id holds one");
    says(&get("response: id, yields: [{kind: file, at: [/id]}]"), "has no fields");
    says(&get("request: id"), "a request is no id");
}

#[test]
fn lists_are_filtered_and_paged_in_one_way() {
    let get = |more: &str| format!("  get: {{match: 'GET /f', {more}}}\n");
    says(&get("only: {kind: fiel, query: ids, none: '0', at_most: 9}"), "unknown kind `fiel`");
    let shows = "shows: [{kind: file, at: ['/*/id'], required: true}]";
    says(
        &get(&format!("only: {{kind: file, query: ids, none: '0', at_most: 0}}, {shows}")),
        "at least one id",
    );
    let list = |paging: &str| get(&format!("list: {{kind: file, items: /a, id: /id, {paging}}}"));
    let rest = "size: s, total: count, default: 5, max: 9";
    says(&list(&format!("pages: {{{rest}}}")), "a page begins by one parameter");
    says(&list(&format!("pages: {{number: p, offset: o, {rest}}}")), "a page begins by one parameter");
    says(&list("pages: {number: p, size: s, total: count, default: 5, max: 4}"), "at least `default`");
    let both = format!("cursor: {{by: [after], default: 1, max: 2}}, pages: {{number: p, {rest}}}");
    says(&list(&both), "a list is paged in one way");
    let cursor = "list: {kind: file, items: /a, id: /id, cursor: {by: [after], default: 1, max: 2}}";
    says(&format!("  a: {{match: 'POST /f', request: json, {cursor}}}\n"), "asked for without a body");
}

#[test]
fn what_is_fixed_is_not_the_callers_to_say() {
    let get = |more: &str| format!("  get: {{match: 'GET /f', {more}}}\n");
    says(&get("query: [size], fixed: {size: '9'}"), "`size` is fixed, and the caller's to say");
    let used = "uses: [{kind: file, query: size}]";
    says(&get(&format!("{used}, fixed: {{size: null}}")), "`size` is fixed, and the caller's to say");
    says(&get("fixed: {size: '9&page=2'}"), "what is fixed is letters, digits");
    says(&get("fixed: {'size=1': '9'}"), "what is fixed is letters, digits");
}

#[test]
fn a_kind_says_one_thing_about_its_ids() {
    for (kind, message) in [
        ("of_tenant: '/[a-z]+'", "no group named `tenant`"),
        ("of_tenant: '/(?<tenant>[a-z]+)', owned: ['a']", "`of_tenant` says all"),
        ("of_tenant: '/(?<tenant>[a-z]+)', numeric: true", "`of_tenant` says all"),
        ("of_tenant: '/(?<tenant>[a-z]+)', shared: ['a'], part_of: '(?<whole>a)b'", "`of_tenant` says all"),
    ] {
        let kinds = format!("{KINDS}  folder: {{{kind}, not_found: {{message: no}}}}\n");
        let found = errors(&format!("{HEAD}{kinds}operations:\n{CREATE}"));
        assert!(found.iter().any(|fault| fault.message.contains(message)), "{kind}: {found:#?}");
    }
}
