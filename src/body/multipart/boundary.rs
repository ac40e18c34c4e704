//! The boundary, as a content type names it.

/// The boundary of a `multipart/form-data` content type.
///
/// # Errors
/// None when the content type is another, names no boundary, two, or one that RFC 2046 doesn't allow (1 to 70
/// characters of its set, no space at the end).
#[must_use]
pub fn boundary(content_type: &str) -> Option<String> {
    let kind = content_type.split(';').next().unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("multipart/form-data") { boundary_of(content_type) } else { None }
}

/// Whether a content type is that of a multipart body, of whatever kind.
#[must_use]
pub fn is_multipart(content_type: &str) -> bool {
    content_type.trim_start().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"))
}

/// The boundary of a multipart content type of whatever kind.
pub(crate) fn boundary_of(content_type: &str) -> Option<String> {
    let (_, mut rest) = content_type.split_once(';')?;
    let mut found = None;
    while !rest.trim().is_empty() {
        let (name, value) = rest.split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let (value, after) = value.split_at(value.find(';').unwrap_or(value.len()));
                let value = value.trim();
                if value.contains(' ') {
                    return None;
                }
                (value, after)
            }
        };
        if name.trim().eq_ignore_ascii_case("boundary") && found.replace(value.to_owned()).is_some() {
            return None;
        }
        rest = match after.trim_start() {
            "" => "",
            more => more.strip_prefix(';')?,
        };
    }
    found.filter(|text| is_boundary(text))
}

fn is_boundary(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    (1..=70).contains(&text.len()) && !text.ends_with(' ') && text.bytes().all(allowed)
}
