//! Path templates: `/v1/files/{file_id}`, `/v1/models/{model:slash}`, `/v1/{name}:cancel`, `/data/{path:rest}`.

use std::sync::Arc;

/// How much of a path a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// One segment, or a part of it.
    Segment,
    /// One segment, in which `%2F` may stand.
    Slash,
    /// One or more segments up to the end.
    Rest,
}

/// A segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Stands as it is. The empty one can only be the last: a trailing slash.
    Literal(Box<str>),
    /// A parameter with literals around it.
    Param { prefix: Box<str>, name: Arc<str>, suffix: Box<str>, span: Span },
}

/// The most parameters of a template: captures need no allocation.
pub(super) const MAX_PARAMS: usize = 6;

/// Reads a template.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn parse(template: &str) -> Result<Vec<Segment>, String> {
    let Some(path) = template.strip_prefix('/') else {
        return Err("a path template starts with `/`".to_owned());
    };
    let texts: Vec<&str> = path.split('/').collect();
    let last = texts.len() - 1;
    let mut segments = Vec::with_capacity(texts.len());
    let mut names: Vec<Arc<str>> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let segment = segment(text)?;
        match &segment {
            Segment::Literal(literal) if literal.is_empty() && index != last => {
                return Err("an empty segment (`//`) matches no request".to_owned());
            }
            Segment::Literal(literal) if matches!(&**literal, "." | "..") => {
                return Err("a dot segment matches no request".to_owned());
            }
            Segment::Param { span: Span::Rest, .. } if index != last => {
                return Err("`:rest` takes all that follows, so it stands last".to_owned());
            }
            Segment::Param { name, .. } if names.contains(name) => {
                return Err(format!("parameter `{name}` stands twice"));
            }
            Segment::Param { name, .. } => names.push(Arc::clone(name)),
            Segment::Literal(_) => {}
        }
        segments.push(segment);
    }
    if names.len() > MAX_PARAMS {
        return Err(format!("a template has at most {MAX_PARAMS} parameters"));
    }
    Ok(segments)
}

fn segment(text: &str) -> Result<Segment, String> {
    let Some((prefix, rest)) = text.split_once('{') else {
        return Ok(Segment::Literal(literal(text)?));
    };
    let Some((inner, suffix)) = rest.split_once('}') else {
        return Err("`{` is not closed in its segment".to_owned());
    };
    let (name, span) = match inner.split_once(':') {
        None => (inner, Span::Segment),
        Some((name, "slash")) => (name, Span::Slash),
        Some((name, "rest")) => (name, Span::Rest),
        Some((_, form)) => {
            return Err(format!(
                "unknown form `:{form}`: a parameter is `{{name}}`, `{{name:slash}}` or `{{name:rest}}`"
            ));
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!("`{name}` is no parameter's name (letters, digits, `_`, `-`)"));
    }
    if span == Span::Rest && !(prefix.is_empty() && suffix.is_empty()) {
        return Err("`:rest` stands alone in its segment".to_owned());
    }
    Ok(Segment::Param { prefix: literal(prefix)?, name: Arc::from(name), suffix: literal(suffix)?, span })
}

/// A literal holds only what may stand raw in a canonical path.
fn literal(text: &str) -> Result<Box<str>, String> {
    match text.bytes().find(|b| !super::path::stands_raw(*b)) {
        None => Ok(Box::from(text)),
        Some(b'{' | b'}') => Err("a segment holds one parameter".to_owned()),
        Some(_) => Err(format!("`{text}` holds a character that no canonical path has")),
    }
}
