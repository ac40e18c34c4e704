//! Text that is not written in UTF-8: told by a byte order mark or by a `charset`. It is refused by name, or written in
//! UTF-8 where the tenant's policy says so.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

use crate::body::{Job, Transform};
use crate::reason::{ConfiguredName, Reason, Refusal, SafeText};

/// What becomes of text in another encoding than UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherCharsets {
    /// It does not pass.
    #[default]
    Refuse,
    /// It is written in UTF-8.
    Transcode,
}

/// A character encoding, as it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, of which ASCII is a part.
    Utf8,
    /// Another one, which can be read.
    Other(&'static Encoding),
    /// None that we know.
    Unknown,
}

impl Charset {
    /// The encoding that a name stands for (the names of the WHATWG's Encoding Standard).
    #[must_use]
    pub fn named(name: &str) -> Self {
        let name = name.trim();
        // For that standard ASCII is windows-1252; a byte above 0x7f is an error all the same.
        if ["us-ascii", "ascii"].iter().any(|ascii| name.eq_ignore_ascii_case(ascii)) {
            return Self::Utf8;
        }
        match Encoding::for_label_no_replacement(name.as_bytes()) {
            Some(known) if known == UTF_8 => Self::Utf8,
            Some(known) if known != X_USER_DEFINED => Self::Other(known),
            Some(_) | None => Self::Unknown,
        }
    }

    /// The encoding that a content type declares; none if it declares none.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        let range = parameter(content_type)?;
        content_type.get(range).map(Self::named)
    }

    /// The encoding that a byte order mark says, which may be cut. UTF-8's own mark is none of our business.
    #[must_use]
    pub fn of_mark(first: &[u8]) -> Option<Self> {
        match first {
            [0xff, 0xfe, ..] => Some(Self::Other(UTF_16LE)),
            [0xfe, 0xff, ..] => Some(Self::Other(UTF_16BE)),
            _ => None,
        }
    }

    /// The refusal for a text in this encoding.
    pub(crate) fn refusal(self, job: &Job) -> Refusal {
        let refusal = job.refuse(Reason::ContentNotUtf8);
        match self {
            Self::Other(encoding) => refusal.detail(SafeText::named(
                "the text is declared as",
                &ConfiguredName::assertion(encoding.name()),
            )),
            Self::Utf8 | Self::Unknown => refusal.detail("the text is declared to be in an unknown encoding"),
        }
    }
}

/// Where the value of the `charset` parameter stands in a content type, without its quotes.
pub(crate) fn parameter(content_type: &str) -> Option<std::ops::Range<usize>> {
    let mut at = content_type.find(';')? + 1;
    loop {
        let rest = content_type.get(at..)?;
        let (name, value) = rest.split_once('=')?;
        let name = name.trim_matches([' ', '\t', ';']);
        let start = at + rest.len() - value.len();
        let (start, len, behind) = match value.strip_prefix('"') {
            Some(quoted) => {
                let len = quoted.find('"').unwrap_or(quoted.len());
                (start + 1, len, 1)
            }
            None => (start, value.find(';').unwrap_or(value.len()), 0),
        };
        if name.eq_ignore_ascii_case("charset") {
            return Some(start..start + len);
        }
        at = start + len + behind;
    }
}

/// A content type whose `charset` is UTF-8; none if it says so already, or says nothing.
#[must_use]
pub fn rewritten(content_type: &str) -> Option<String> {
    let range = parameter(content_type)?;
    let name = content_type.get(range.clone())?;
    if Charset::named(name) == Charset::Utf8 {
        return None;
    }
    let (before, behind) = (content_type.get(..range.start)?, content_type.get(range.end..)?);
    Some(format!("{before}utf-8{behind}"))
}

/// Writes a text in UTF-8, whatever it was in. What is in UTF-8 passes as it is.
pub struct Transcoder {
    job: Job,
    declared: Option<Charset>,
    /// The first bytes, until they say what the text is.
    first: Option<Vec<u8>>,
    decoder: Option<Decoder>,
    /// What is declared may not pass; its ASCII is UTF-8 too, so as long as it is nothing else it does.
    ascii: Option<Charset>,
}

impl Transcoder {
    /// A text with the encoding that is declared, if one is. A byte order mark is looked for.
    #[must_use]
    pub const fn new(job: Job, declared: Option<Charset>) -> Self {
        Self { job, declared, first: Some(Vec::new()), decoder: None, ascii: None }
    }

    /// The encoding is known by now: whether it may pass, and how it is read.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some(first) = self.first.take() else { return Ok(()) };
        let marked = Charset::of_mark(&first);
        let charset = match (self.declared, marked) {
            // A mark overrides what is declared only where both can be meant.
            (None, Some(marked)) => marked,
            (Some(declared), _) => declared,
            (None, None) => Charset::Utf8,
        };
        match charset {
            Charset::Utf8 => {
                out.extend_from_slice(&first);
                Ok(())
            }
            Charset::Other(encoding) if self.job.other_charsets == OtherCharsets::Transcode => {
                // The mark itself, which is the encoding's own or an error, is none of the text.
                self.decoder = Some(encoding.new_decoder_with_bom_removal());
                self.decode(&first, false, out)
            }
            Charset::Other(encoding) if encoding.is_ascii_compatible() => {
                self.ascii = Some(charset);
                self.pass(&first, out)
            }
            Charset::Other(_) | Charset::Unknown => Err(charset.refusal(&self.job)),
        }
    }

    /// Passes what is UTF-8 already.
    fn pass(&self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let len = self.ascii.map_or(input.len(), |_| input.iter().take_while(|byte| byte.is_ascii()).count());
        out.extend_from_slice(input.get(..len).unwrap_or_default());
        match self.ascii {
            Some(charset) if len < input.len() => Err(charset.refusal(&self.job)),
            Some(_) | None => Ok(()),
        }
    }

    fn decode(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut rest = input;
        let mut text = String::new();
        loop {
            let room = decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(4096);
            text.clear();
            text.reserve(room.clamp(16, 64 * 1024));
            let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, last);
            out.extend_from_slice(text.as_bytes());
            rest = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    return Err(self
                        .job
                        .refuse(Reason::ContentMalformed)
                        .detail("the text does not hold to its encoding"));
                }
            }
        }
    }
}

impl Transform for Transcoder {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some(first) = &mut self.first else {
            if self.decoder.is_some() {
                return self.decode(input, false, out);
            }
            return self.pass(input, out);
        };
        first.extend_from_slice(input);
        if first.len() < 2 { Ok(()) } else { self.begin(out) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.begin(out)?;
        self.decode(b"", true, out)
    }

    fn held(&self) -> usize {
        self.first.as_ref().map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests;
