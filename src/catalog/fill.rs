//! Path templates, filled in.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a path segment: RFC 3986's unreserved characters, and the colon of model names.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// Fills `{name}` (or `{name:…}`) from values; none if one is missing.
#[must_use]
pub fn fill<'v>(template: &str, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let name = name.split(':').next().unwrap_or(name);
        out.push_str(before);
        out.extend(utf8_percent_encode(value(name)?, SEGMENT));
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn values_are_encoded_and_missing_ones_fail() {
        let value = |name: &str| (name == "id").then_some("org/model:1");
        assert_eq!(fill("/v1/models/{id:slash}", value).as_deref(), Some("/v1/models/org%2Fmodel:1"));
        assert_eq!(fill("/v1/a/{other}", value), None);
        assert_eq!(fill("/v1/a", value).as_deref(), Some("/v1/a"));
    }
}
