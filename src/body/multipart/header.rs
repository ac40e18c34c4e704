//! The header section of a part (RFC 7578), read as strictly as it takes for all readers to agree.

use std::fmt;
use std::ops::Range;

use percent_encoding::percent_decode;

use crate::body::Job;
use crate::body::charset::{self, Charset};
use crate::body::text::Whole;
use crate::reason::{Reason, Refusal};

/// What a part says about itself.
#[derive(Clone, Default, PartialEq, Eq)]
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
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) header: PartHeader,
    /// Where texts stand that the censor should see: the values of parameters and of other fields.
    pub(crate) texts: Vec<Range<usize>>,
    /// Where the coded part of a `filename*` stands, and its text.
    pub(crate) coded: Option<(Range<usize>, Vec<u8>)>,
    /// Where the part declares an encoding other than UTF-8, and which.
    pub(crate) charset: Option<(Range<usize>, Charset)>,
}

/// What the part is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// A form: it is a named field.
    Form,
    /// Any other multipart body: it may have a name.
    Mixed,
}

impl Section {
    /// The header section with findings in its texts replaced; it declares UTF-8 if that is what the part will be in.
    pub(crate) fn censored(
        &self,
        bytes: &[u8],
        job: &Job,
        whole: &mut Whole,
        transcoded: bool,
    ) -> Result<Vec<u8>, Refusal> {
        let mut changes: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        for range in &self.texts {
            let text = bytes.get(range.clone()).unwrap_or_default();
            if whole.run(job, text, None)? {
                let mut censored = Vec::new();
                whole.write(text, &mut censored);
                changes.push((range.clone(), censored));
            }
        }
        if let Some((range, text)) = &self.coded
            && whole.run(job, text, None)?
        {
            let mut censored = Vec::new();
            whole.write(text, &mut censored);
            let coded = percent_encoding::percent_encode(&censored, percent_encoding::NON_ALPHANUMERIC);
            changes.push((range.clone(), coded.to_string().into_bytes()));
        }
        if let Some((range, _)) = self.charset.as_ref().filter(|_| transcoded) {
            // A finding in the type itself goes first.
            if !changes.iter().any(|(other, _)| other.start <= range.start && range.end <= other.end) {
                changes.push((range.clone(), b"utf-8".to_vec()));
            }
        }
        changes.sort_by_key(|(range, _)| range.start);
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for (range, text) in changes {
            out.extend_from_slice(bytes.get(at..range.start).unwrap_or_default());
            out.extend(text.into_iter().filter(|byte| !matches!(byte, b'"' | b'\r' | b'\n')));
            at = range.end;
        }
        out.extend_from_slice(bytes.get(at..).unwrap_or_default());
        Ok(out)
    }
}

/// The refusal for a header section, as its body sees it.
pub(crate) fn refusal(job: &Job, fault: Fault) -> Refusal {
    let (reason, detail) = match fault {
        Fault::Malformed(detail) => (Reason::ContentMalformed, detail),
        Fault::Ambiguous(detail) => (Reason::FieldAmbiguous, detail),
        Fault::Coded => (Reason::CodingUnknown, "a part of the form is coded"),
    };
    job.refuse(reason).detail(detail)
}

/// Reads a header section that ends with its empty line.
pub(crate) fn read(raw: &[u8], of: Of) -> Result<Section, Fault> {
    let text = std::str::from_utf8(raw).ok().ok_or(Fault::Malformed("a part's header is not UTF-8"))?;
    let mut texts = Vec::new();
    let (mut disposition, mut content_type, mut other) = (None, None, None);
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
            other = other_charset(value, value_at)?;
            if content_type.replace(value.trim().to_owned()).is_some() {
                return Err(Fault::Ambiguous("a part has two types"));
            }
        }
        check_coding(name, value)?;
        texts.push(range);
    }
    let mut section = match disposition {
        Some(disposition) => disposition_of(text, disposition, of)?,
        None if of == Of::Form => return Err(Fault::Malformed("a part has no disposition")),
        None => Section::default(),
    };
    section.charset = other;
    section.header.content_type = content_type;
    section.texts.append(&mut texts);
    Ok(section)
}

/// The encoding that a content type declares, if it is another than UTF-8.
fn other_charset(value: &str, at: usize) -> Result<Option<(Range<usize>, Charset)>, Fault> {
    let Some(range) = charset::parameter(value) else { return Ok(None) };
    if value.get(range.end..).and_then(charset::parameter).is_some() {
        return Err(Fault::Ambiguous("a part declares two encodings"));
    }
    let charset = Charset::named(value.get(range.clone()).unwrap_or_default());
    Ok((charset != Charset::Utf8).then_some((at + range.start..at + range.end, charset)))
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

fn disposition_of(text: &str, range: Range<usize>, of: Of) -> Result<Section, Fault> {
    let value = text.get(range.clone()).unwrap_or_default();
    let kind = value.find(';').unwrap_or(value.len());
    let named = value.get(..kind).is_some_and(|kind| kind.trim().eq_ignore_ascii_case("form-data"));
    if of == Of::Form && !named {
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
    let name = match (name, of) {
        (Some(name), _) => name,
        (None, Of::Mixed) => String::new(),
        (None, Of::Form) => return Err(Fault::Malformed("a part has no name")),
    };
    let decoded = coded.as_ref().map(|(_, text)| String::from_utf8_lossy(text).into_owned());
    let header = PartHeader { field: None, name, filename: decoded.or(filename), content_type: None };
    Ok(Section { header, texts, coded, charset: None })
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
