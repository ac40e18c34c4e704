//! Which field of the profile a name of a form stands for.

use crate::catalog::{FieldContent, FormField};

/// The field that a name stands for, if it is one of the profile's. None: some readers would take the name for that
/// of a field that decides, and others would not.
#[expect(clippy::option_option, reason = "three answers: ambiguous, unknown, known")]
pub(super) fn field_named(fields: &[FormField], name: &str) -> Option<Option<usize>> {
    let position = |name: &str| {
        fields.iter().position(|field| {
            *field.name == *name || field.name.strip_suffix("[]").is_some_and(|list| is_index_of(list, name))
        })
    };
    let field = position(name);
    if field.is_some() {
        return Some(field);
    }
    let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let base = name.split('[').next().unwrap_or(name);
    let decides = |name: &str| {
        let field = position(name).and_then(|field| fields.get(field));
        field.is_some_and(|field| field.content == FieldContent::Deciding)
    };
    // Some readers fold the case, cut white space, or make one name of `a.b`, `a b` and `a_b`.
    let plain: String = base
        .trim_matches(|c: char| c.is_whitespace() || c.is_control())
        .chars()
        .map(|c| if matches!(c, '.' | ' ' | '-') { '_' } else { c.to_ascii_lowercase() })
        .collect();
    let folds = plain != base && fields.iter().any(|field| field.name.to_ascii_lowercase() == plain);
    let ambiguous =
        *decoded != *name && position(&decoded).is_some() || base != name && decides(base) || folds;
    (!ambiguous).then_some(None)
}

/// `name[3]` or `name[]` for the list `name`.
fn is_index_of(list: &str, name: &str) -> bool {
    name.strip_prefix(list)
        .and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'))
        .is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
}
