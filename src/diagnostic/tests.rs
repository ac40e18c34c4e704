use super::{Diagnostic, from_yaml};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    #[expect(dead_code, reason = "only its place is tested")]
    limit: u32,
}

fn error(text: &str) -> Diagnostic {
    from_yaml::<Sample>("a.yaml", text).unwrap_err()
}

#[test]
fn unknown_key_is_named_with_place_and_neighbour() {
    let e = error("limit: 3\nlimt: 4\n");
    assert_eq!((e.line, e.column), (2, 1), "{e}");
    assert!(e.message.contains("`limt`"), "{e}");
    assert_eq!(e.help.as_deref(), Some("did you mean `limit`?"), "{e}");
    assert_eq!(e.source.as_deref(), Some("limt: 4"));
}

#[test]
fn wrong_type_is_named_with_place() {
    let e = error("limit: many\n");
    assert_eq!(e.line, 1, "{e}");
    assert!(!e.message.contains('\n'), "{e}");
}

#[test]
fn duplicate_key_is_refused() {
    let e = error("limit: 3\nlimit: 4\n");
    assert!(e.message.to_lowercase().contains("duplicate"), "{e}");
}
