//! The header section of a part (RFC 7578), read as strictly as it takes for all readers to agree.

use std::fmt;
use std::ops::Range;

use percent_encoding::percent_decode;

/// What a part says about itself.
#[derive(Clone, PartialEq, Eq)]
pub struct PartHeader {
    /// The field of the profile that it is, as an index.
    pub field: Option<usize>,
    /// The field's name as the caller gave it.
    pub name: String,
    /// The file's name, if it is a file; the decoded `filename*` if there is one.
    pub filename: Option<String>,
    /// The part's content type.
    pub content_type: Option<String>,
}

/// The texts are the caller's, so they are not shown.
impl fmt::Debug for PartHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartHeader").field("field", &self.field).finish_non_exhaustive()
    }
}

/// Why a header section is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Malformed(&'static str),
    Ambiguous(&'static str),
    /// The content is coded, or in another character set.
    Coded,
}

/// A header section, read.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) header: PartHeader,
    /// Where texts stand that the censor should see: the values of parameters and of other fields.
    pub(crate) texts: Vec<Range<usize>>,
    /// Where the coded part of a `filename*` stands, and its text.
    pub(crate) coded: Option<(Range<usize>, Vec<u8>)>,
}

/// Reads a header section that ends with its empty line.
pub(crate) fn read(raw: &[u8]) -> Result<Section, Fault> {
    let text = std::str::from_utf8(raw).ok().ok_or(Fault::Malformed("a part's header is not UTF-8"))?;
    let mut texts = Vec::new();
    let (mut disposition, mut content_type) = (None, None);
    let mut at = 0;
    for line in text.strip_suffix("\r\n\r\n").unwrap_or(text).split("\r\n") {
        let start = at;
        at += line.len() + 2;
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Fault::Ambiguous("a control character in a part's header"));
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(Fault::Malformed("a line of a part's header is no field"));
        };
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Fault::Ambiguous("a part's header holds a folded line or a strange name"));
        }
        let value_at = start + name.len() + 1;
        let range = value_at..value_at + value.len();
        if name.eq_ignore_ascii_case("content-disposition") {
            if disposition.replace(range).is_some() {
                return Err(Fault::Ambiguous("a part has two dispositions"));
            }
            continue;
        }
        if name.eq_ignore_ascii_case("content-type") {
            check_type(value)?;
            if content_type.replace(value.trim().to_owned()).is_some() {
                return Err(Fault::Ambiguous("a part has two types"));
            }
        }
        check_coding(name, value)?;
        texts.push(range);
    }
    let disposition = disposition.ok_or(Fault::Malformed("a part has no disposition"))?;
    let mut section = disposition_of(text, disposition)?;
    section.header.content_type = content_type;
    section.texts.append(&mut texts);
    Ok(section)
}

fn check_type(value: &str) -> Result<(), Fault> {
    let mut parts = value.split(';').map(str::trim);
    if parts.next().is_some_and(|kind| kind.get(..10).is_some_and(|k| k.eq_ignore_ascii_case("multipart/"))) {
        return Err(Fault::Coded);
    }
    for parameter in parts {
        let Some((name, charset)) = parameter.split_once('=') else { continue };
        let charset = charset.trim().trim_matches('"');
        let known = ["utf-8", "utf8", "us-ascii"].iter().any(|name| charset.eq_ignore_ascii_case(name));
        if name.trim().eq_ignore_ascii_case("charset") && !known {
            return Err(Fault::Coded);
        }
    }
    Ok(())
}

fn check_coding(name: &str, value: &str) -> Result<(), Fault> {
    let allowed: &[&str] = if name.eq_ignore_ascii_case("content-transfer-encoding") {
        &["7bit", "8bit", "binary"]
    } else if name.eq_ignore_ascii_case("content-encoding") {
        &["identity"]
    } else {
        return Ok(());
    };
    if allowed.iter().any(|known| value.trim().eq_ignore_ascii_case(known)) {
        Ok(())
    } else {
        Err(Fault::Coded)
    }
}

struct Parameter<'a> {
    name: &'a str,
    value: &'a str,
    at: Range<usize>,
}

fn disposition_of(text: &str, range: Range<usize>) -> Result<Section, Fault> {
    let value = text.get(range.clone()).unwrap_or_default();
    let kind = value.find(';').unwrap_or(value.len());
    if !value.get(..kind).is_some_and(|kind| kind.trim().eq_ignore_ascii_case("form-data")) {
        return Err(Fault::Malformed("a part's disposition is not form-data"));
    }
    let (mut name, mut filename, mut coded) = (None, None, None);
    let mut texts = Vec::new();
    let mut at = range.start + kind;
    while let Some(parameter) = parameter(text, &mut at, range.end)? {
        let is = |known: &str| parameter.name.eq_ignore_ascii_case(known);
        let twice = if is("name") {
            if parameter.value.contains('\\') {
                return Err(Fault::Ambiguous("a backslash in a field's name"));
            }
            name.replace(parameter.value.to_owned()).is_some()
        } else if is("filename") {
            filename.replace(parameter.value.to_owned()).is_some()
        } else if is("filename*") {
            coded.replace(extended(&parameter)?).is_some()
        } else {
            is("name*")
        };
        if twice {
            return Err(Fault::Ambiguous("a part is named twice"));
        }
        if !is("filename*") {
            texts.push(parameter.at);
        }
    }
    let name = name.ok_or(Fault::Malformed("a part has no name"))?;
    let decoded = coded.as_ref().map(|(_, text)| String::from_utf8_lossy(text).into_owned());
    let header = PartHeader { field: None, name, filename: decoded.or(filename), content_type: None };
    Ok(Section { header, texts, coded })
}

/// The next `; name=value` of a field that ends at `end`.
fn parameter<'a>(text: &'a str, at: &mut usize, end: usize) -> Result<Option<Parameter<'a>>, Fault> {
    let malformed = Err(Fault::Malformed("a part's disposition can't be read"));
    let rest = text.get(*at..end).unwrap_or_default();
    let trimmed = rest.trim_start_matches([' ', '\t']);
    if trimmed.is_empty() {
        return Ok(None);
    }
    let Some(after) = trimmed.strip_prefix(';') else { return malformed };
    let after = after.trim_start_matches([' ', '\t']);
    if after.is_empty() {
        return Ok(None);
    }
    let Some((name, value)) = after.split_once('=') else { return malformed };
    if name.is_empty() || !name.bytes().all(is_token) {
        return malformed;
    }
    let start = end - value.len();
    let (length, quotes) = match value.strip_prefix('"') {
        None => {
            (value.bytes().take_while(|byte| is_token(*byte) || *byte == b'\'' || *byte == b'%').count(), 0)
        }
        Some(quoted) => match quoted.find('"') {
            // A quote behind a backslash ends the text for some readers and not for others.
            Some(close) if quoted.get(..close).is_some_and(|text| text.ends_with('\\')) => {
                return Err(Fault::Ambiguous("an escaped quote in a part's header"));
            }
            Some(close) => (close, 1),
            None => return malformed,
        },
    };
    let range = start + quotes..start + quotes + length;
    *at = range.end + quotes;
    Ok(Some(Parameter { name, value: text.get(range.clone()).unwrap_or_default(), at: range }))
}

/// An extended value (RFC 8187): `UTF-8'en'percent-encoded`.
fn extended(parameter: &Parameter<'_>) -> Result<(Range<usize>, Vec<u8>), Fault> {
    let mut parts = parameter.value.splitn(3, '\'');
    let (Some(charset), Some(_), Some(coded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Fault::Malformed("a file name is not coded as RFC 8187 says"));
    };
    let decoded: Vec<u8> = percent_decode(coded.as_bytes()).collect();
    if !charset.eq_ignore_ascii_case("utf-8") || std::str::from_utf8(&decoded).is_err() {
        return Err(Fault::Coded);
    }
    Ok((parameter.at.end - coded.len()..parameter.at.end, decoded))
}

/// The characters of a token (RFC 9110, 5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;
