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

/// A line ends as YAML says (YAML 1.2, 5.4), so that the caret stands below the line that was counted.
#[test]
fn a_line_ends_at_either_break_or_both() {
    for text in
        ["# a\rlimit: 3\rlimt: 4\r", "# a\r\nlimit: 3\r\nlimt: 4\r\n", "# a\r\r\nlimt: 4", "\n\rlimt: 4\n"]
    {
        let e = error(text);
        assert_eq!((e.line, e.source.as_deref()), (3, Some("limt: 4")), "{text:?} {e}");
    }
}
