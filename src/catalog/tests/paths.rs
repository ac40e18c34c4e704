use http::Method;
use proptest::prelude::*;

use super::{openai, small};
use crate::catalog::{Catalog, Operation};
use crate::reason::{Reason, Refusal};

fn get(catalog: &Catalog, path: &str) -> Result<(String, Vec<String>), Refusal> {
    let found = catalog.recognise(&Method::GET, path, None)?;
    let values = found.path.iter().map(|param| param.value().to_owned()).collect();
    Ok((found.operation.id.to_string(), values))
}

fn refused(catalog: &Catalog, path: &str) -> Reason {
    match get(catalog, path) {
        Ok(found) => panic!("`{path}` was taken for {found:?}"),
        Err(refusal) => refusal.reason,
    }
}

#[test]
fn what_sdks_send_is_recognised() {
    let ft = "ft:gpt-4o-mini-2024-07-18:acme:suffix:7q8mpxmy";
    for (path, id, value) in [
        ("/v1/files/file-abc123", "retrieveFile", "file-abc123"),
        ("/v1/models/gpt-5.2", "retrieveModel", "gpt-5.2"),
        // The OpenAI SDKs send a slash encoded and a colon raw; .NET and encodeURIComponent encode the colon too.
        ("/v1/models/org%2Fmodel", "retrieveModel", "org/model"),
        ("/v1/models/ft:gpt-4o-mini-2024-07-18:acme:suffix:7q8mpxmy", "retrieveModel", ft),
        ("/v1/models/ft%3Agpt-4o-mini-2024-07-18%3Aacme%3Asuffix%3A7q8mpxmy", "retrieveModel", ft),
        ("/v1/fine_tuning/jobs/ftjob-1/events", "listFineTuningEvents", "ftjob-1"),
    ] {
        assert_eq!(get(openai(), path).unwrap(), (id.to_owned(), vec![value.to_owned()]), "{path}");
    }
    let found = openai().recognise(&Method::GET, "/v1/models/org%2Fmodel", None).unwrap();
    assert_eq!(found.path.get("model").unwrap().raw(), "org%2Fmodel");
}

#[test]
fn a_path_with_two_readings_is_refused() {
    for path in [
        "/v1/files/../files/file-a",
        "/v1/./files/file-a",
        "/v1/files/..",
        "/v1/files/.",
        "/v1/files/%2e%2e",
        "/v1/files/%2E%2E",
        "/v1/files/.%2E/models",
        "/v1//files/file-a",
        "//v1/files/file-a",
        "/v1/files//",
        "/v1/files/",
        "/v1/files/file-a/",
        "/v1/files\\file-a",
        "/v1/files/%5Cfile-a",
        "/v1/files/file-a%00",
        "/v1/files/file-a%0A",
        "/v1/files/file-a\u{0}",
        "/v1/files/file-é",
        "/v1/files/file-%C3",
        "/v1/files/file-%C2%85",
        // Lower case, and encodings that nothing needs.
        "/v1/models/org%2fmodel",
        "/v1/files/%66ile-a",
        "/v1/%66iles/file-a",
        "/v1/files/file%2Da",
        // Encoded twice.
        "/v1/files/%252E%252E",
        "/v1/models/org%252Fmodel",
        // Broken.
        "/v1/files/%",
        "/v1/files/%4",
        "/v1/files/%zz",
        // A slash where none belongs, and slashes that make dot segments.
        "/v1/files/file-a%2Fcontent",
        "/v1%2Ffiles/file-a",
        "/v1/models/..%2Ffiles",
        "/v1/models/a%2F..%2Fb",
        "/v1/models/a%2F%2Fb",
        "/v1/models/%2Fa",
        "/v1/models/a%2F",
        // Parameters and delimiters.
        "/v1/files/file-a;v=1",
        "/v1/files;x/file-a",
        "/v1/files/file-a%3Bv",
        "/v1/files/file-a%3Fx=1",
        "/v1/files/file-a%23x",
        "/v1/files/file-a?x",
        "/v1/files/file-a#x",
        "/v1/files/file a",
        "/v1/files/\"file",
        "v1/files/file-a",
        "",
        "*",
        "https://api.openai.com/v1/files",
    ] {
        assert_eq!(refused(openai(), path), Reason::PathNotCanonical, "{path:?}");
    }
}

#[test]
fn what_no_profile_names_is_unknown() {
    for path in [
        "/",
        "/v1",
        "/v2/files",
        "/V1/files",
        "/v1/Files",
        "/v1/file",
        "/v1/files/a/b",
        "/v1/models/org/model",
    ] {
        assert_eq!(refused(openai(), path), Reason::OperationUnknown, "{path}");
    }
    // Served by one server of this family, and in no specification: lists everybody's.
    assert_eq!(refused(openai(), "/v1/responses"), Reason::OperationUnknown);
    let head = openai().recognise(&Method::HEAD, "/v1/files", None).unwrap_err();
    assert_eq!(head.reason, Reason::OperationUnknown);
}

#[test]
fn refused_operations_are_refused_by_name() {
    let refuse = |method: Method, path: &str| openai().recognise(&method, path, None).unwrap_err();
    let secret = refuse(Method::POST, "/v1/realtime/client_secrets");
    assert_eq!(secret.reason, Reason::BypassRefused);
    assert_eq!(secret.detail.unwrap().as_str(), "operation create-realtime-client-secret");
    for path in
        ["/v1/organization/users", "/v1/chatkit/threads/thread_1", "/v1/skills", "/v1/videos/video_1/content"]
    {
        assert_eq!(refuse(Method::GET, path).reason, Reason::OperationRefused, "{path}");
    }
}

#[test]
fn literals_go_before_parameters() {
    let post = |path: &str| openai().recognise(&Method::POST, path, None).unwrap().operation.id.to_string();
    assert_eq!(post("/v1/responses/input_tokens"), "Getinputtokencounts");
    assert_eq!(post("/v1/responses/resp_1/cancel"), "cancelResponse");
}

#[test]
fn verbs_behind_a_colon_and_many_segments() {
    let catalog = small(
        "  get: {match: 'GET /v1/{id}', uses: [{kind: thing, path: id}]}
  cancel: {match: 'GET /v1/{id}:cancel', uses: [{kind: thing, path: id}]}
  upload: {match: 'GET /v1/accounts/{account}/models/{model}:upload', plain: [account], uses: [{kind: thing, path: model}]}
  data: {match: 'GET /data/{path:rest}', uses: [{kind: thing, path: path}]}
  known: {match: 'GET /data/upload/{id}', uses: [{kind: thing, path: id}]}
  slash: {match: 'GET /api/{id}/', uses: [{kind: number, path: id}]}
",
    );
    let found = |path: &str| {
        let (id, values) = get(&catalog, path).unwrap();
        format!("{id} {}", values.join(" "))
    };
    assert_eq!(found("/v1/a:b"), "get a:b");
    assert_eq!(found("/v1/a:cancel"), "cancel a");
    assert_eq!(found("/v1/a:b:cancel"), "cancel a:b");
    assert_eq!(found("/v1/accounts/x/models/y:upload"), "upload x y");
    assert_eq!(found("/data/upload/7"), "known 7");
    assert_eq!(found("/data/upload/7/b.json"), "data upload/7/b.json");
    assert_eq!(found("/data/a%2Fb/c"), "data a/b/c");
    assert_eq!(found("/data/upload"), "data upload");
    assert_eq!(found("/api/12/"), "slash 12");
    assert_eq!(found("/api/0/"), "slash 0");
    for path in
        ["/v1/a%3Acancel", "/data/a/", "/data/", "/data//a", "/data/a%2F..%2Fb", "/api/012/", "/api/00/"]
    {
        assert_eq!(refused(&catalog, path), Reason::PathNotCanonical, "{path}");
    }
    // Where nothing else takes the segment, an encoded verb is no verb.
    for path in ["/v1/accounts/x/models/y%3Aupload", "/v1/accounts/x/models/:upload", "/api/12", "/data"] {
        assert!(get(&catalog, path).is_err(), "{path}");
    }
}

/// A canonical value for a path parameter, encoded.
fn value() -> impl Strategy<Value = (String, String)> {
    "[A-Za-z0-9][A-Za-z0-9_~-]{0,20}(:[a-z0-9]{1,5})?( [a-z]{1,3})?(ü)?".prop_map(|value| {
        let raw: String = value
            .bytes()
            .map(|b| {
                if crate::catalog::path::stands_raw(b) {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect();
        (value, raw)
    })
}

fn filled(operation: &Operation, raw: &str) -> String {
    let mut path = String::new();
    for segment in operation.template.split('/').skip(1) {
        path.push('/');
        path.push_str(if segment.starts_with('{') { raw } else { segment });
    }
    path
}

/// Every operation that is served, with its parameters.
fn served() -> Vec<&'static Operation> {
    let served = openai().operations().iter().map(|op| &**op).filter(|op| op.refused.is_none());
    // Two operations of one path are told apart by the type of the body, which no path has.
    served.filter(|op| !op.id.as_str().ends_with("_json")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_panics(method in "(GET|POST|DELETE|PUT|X)", path in "\\PC{0,60}", query in proptest::option::of("\\PC{0,60}")) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let _ = openai().recognise(&method, &path, query.as_deref());
        let _ = openai().recognise(&method, &format!("/v1/files/{path}"), query.as_deref());
    }

    #[test]
    fn nothing_panics_on_paths_of_hard_parts(parts in proptest::collection::vec("(/|%|%2F|%2f|%2E|\\.|\\.\\.|;|\\\\|v1|files|models|ft:|:|[ -~]|ü|\\x00)", 0..14)) {
        let _ = openai().recognise(&Method::GET, &parts.concat(), Some(&parts.concat()));
    }

    /// What was written into a template comes out of it.
    #[test]
    fn canonical_paths_come_back((value, raw) in value()) {
        for operation in served() {
            let path = filled(operation, &raw);
            let found = openai().recognise(&operation.method, &path, None);
            let found = found.unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
            if operation.template.contains('{') {
                prop_assert!(found.path.iter().all(|p| p.value() == value && p.raw() == raw), "{}", path);
            }
            let id = found.operation.id.as_str();
            let id = id.strip_suffix("_json").unwrap_or(id);
            prop_assert_eq!(id, operation.id.as_str(), "{}", path);
        }
    }

    /// One byte of a canonical path written in another way is never the same operation on the same resource.
    #[test]
    fn other_spellings_are_refused((_, raw) in value(), pick in any::<prop::sample::Index>(), how in 0..6) {
        for operation in served() {
            let path = filled(operation, &raw);
            let at = pick.index(path.len());
            let Some(byte) = path.as_bytes().get(at).copied().filter(u8::is_ascii_graphic) else { continue };
            let (before, after) = path.split_at(at);
            let rest = &after[1..];
            let other = match how {
                0 => format!("{before}%{byte:02X}{rest}"),
                1 => format!("{before}%{byte:02x}{rest}"),
                2 => format!("{before}%25{byte:02X}{rest}"),
                3 => format!("{before}/.{after}"),
                4 => format!("{before}/{after}"),
                _ => format!("{before};{after}"),
            };
            let first = openai().recognise(&operation.method, &path, None).unwrap();
            if let Ok(second) = openai().recognise(&operation.method, &other, None) {
                let same = second.operation.id == first.operation.id && second.path.iter().map(|p| p.value()).eq(first.path.iter().map(|p| p.value()));
                // An encoded delimiter is the one freedom that clients take.
                let delimiter = how == 0 && crate::catalog::path::stands_raw(byte) && !crate::catalog::path::unreserved(byte);
                prop_assert!(!same || delimiter, "{} and {}", path, other);
            }
        }
    }

    /// A hex digit in lower case is refused wherever it stands.
    #[test]
    fn lower_case_is_refused(prefix in "[a-z]{0,5}", code in "(%2f|%3a|%c3%bc|%5b)", suffix in "[a-z]{0,5}") {
        let path = format!("/v1/models/{prefix}{code}{suffix}");
        let refusal = openai().recognise(&Method::GET, &path, None).unwrap_err();
        prop_assert_eq!(refusal.reason, Reason::PathNotCanonical);
    }
}
