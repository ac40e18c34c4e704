//! Cuts a multipart body (RFC 2046, 5.1) at its boundaries, byte for byte.
//!
//! Readers of multipart bodies differ: some take a bare LF for a line end, some take a line that only begins with the
//! boundary for a delimiter, some let a delimiter follow the header section at once. A body that two readers could
//! cut in two ways is refused, or a field could be hidden from one of them.

use std::ops::Range;

use memchr::memmem::Finder;

use crate::body::Job;
use crate::reason::{Reason, Refusal};

/// Why a body can't be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It breaks the grammar.
    Malformed(&'static str),
    /// It can be read in two ways.
    Ambiguous(&'static str),
    /// It ends before the closing delimiter.
    Truncated,
    /// A header section is longer than the limit.
    HeaderTooLong,
}

/// The refusal for a body, as its direction sees it.
pub(crate) fn refusal(job: &Job, fault: Fault) -> Refusal {
    let (reason, detail) = match fault {
        Fault::Malformed(detail) => (Reason::ContentMalformed, detail),
        Fault::Ambiguous(detail) => (Reason::FieldAmbiguous, detail),
        Fault::Truncated => (Reason::ContentTruncated, "the form has no closing boundary"),
        Fault::HeaderTooLong => (Reason::HeaderTooLarge, "a part's header section"),
    };
    job.refuse(reason).detail(detail)
}

/// What a piece of the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text before the first delimiter.
    Preamble,
    /// A delimiter with its line ends: the part before it (if any) is complete, another begins.
    Delimiter,
    /// A header section with its empty line.
    Header,
    /// Content of a part.
    Data,
    /// The closing delimiter, without the line end behind it.
    Close,
    /// Text after the closing delimiter.
    Epilogue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the first delimiter; at the very start of the body it needs no line end before it.
    Start,
    Preamble,
    Header,
    /// In a part, at its first byte.
    DataStart,
    Data,
    /// Behind the closing delimiter.
    Closed,
    Epilogue,
}

/// The longest white space that may follow a boundary.
const PADDING: usize = 128;

pub(crate) struct Splitter {
    /// `--boundary`.
    dashed: Finder<'static>,
    at: At,
    header_limit: usize,
}

/// What stands behind a `--boundary`.
enum After {
    /// A line end: so many bytes with padding.
    Next(usize),
    /// `--`.
    Close,
    /// Not enough bytes to say.
    Cut,
    /// Something else.
    Other,
}

impl Splitter {
    pub(crate) fn new(boundary: &str, header_limit: usize) -> Self {
        let dashed = Finder::new(format!("--{boundary}").as_bytes()).into_owned();
        Self { dashed, at: At::Start, header_limit }
    }

    /// The next piece of `data`, whose first `*pos` bytes have been cut off; moves `pos` behind it. None: what is
    /// left can't be decided without more, and has to be shown again with more behind it. `end`: there is no more.
    pub(crate) fn next(
        &mut self,
        data: &[u8],
        pos: &mut usize,
        end: bool,
    ) -> Result<Option<(Kind, Range<usize>)>, Fault> {
        let rest = data.get(*pos..).unwrap_or_default();
        let cut = match self.at {
            At::Start => self.start(rest, end)?,
            At::Preamble => self.text(rest, end, Kind::Preamble)?,
            At::DataStart | At::Data => self.text(rest, end, Kind::Data)?,
            At::Header => self.header(rest, end)?,
            At::Closed => self.closed(rest, end)?,
            At::Epilogue => self.text(rest, end, Kind::Epilogue)?,
        };
        Ok(cut.map(|(kind, length)| {
            let range = *pos..*pos + length;
            *pos = range.end;
            (kind, range)
        }))
    }

    /// Whether the closing delimiter has been seen.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.at, At::Closed | At::Epilogue)
    }

    fn start(&mut self, rest: &[u8], end: bool) -> Result<Option<(Kind, usize)>, Fault> {
        let dashed = self.dashed.needle();
        let here = dashed.len().min(rest.len());
        if dashed.get(..here) != rest.get(..here) {
            self.at = At::Preamble;
            return self.text(rest, end, Kind::Preamble);
        }
        if here < dashed.len() {
            return if end { Err(Fault::Truncated) } else { Ok(None) };
        }
        self.delimiter(rest, 0, end)
    }

    /// A delimiter whose `--boundary` stands at `at`; the bytes before are its line end.
    fn delimiter(&mut self, rest: &[u8], at: usize, end: bool) -> Result<Option<(Kind, usize)>, Fault> {
        let behind = at + self.dashed.needle().len();
        match after(rest.get(behind..).unwrap_or_default()) {
            After::Next(length) => {
                self.at = At::Header;
                Ok(Some((Kind::Delimiter, behind + length)))
            }
            After::Close => {
                self.at = At::Closed;
                Ok(Some((Kind::Close, behind + 2)))
            }
            After::Cut if !end => Ok(None),
            After::Cut => Err(Fault::Truncated),
            After::Other => Err(Fault::Ambiguous("a line that only begins with the boundary")),
        }
    }

    fn text(&mut self, rest: &[u8], end: bool, kind: Kind) -> Result<Option<(Kind, usize)>, Fault> {
        let mut from = 0;
        while let Some(found) = self.dashed.find(rest.get(from..).unwrap_or_default()) {
            let at = from + found;
            let line_end = match rest.get(..at).unwrap_or_default() {
                [.., b'\r', b'\n'] => 2,
                [.., b'\r' | b'\n'] => 1,
                [] if self.at == At::DataStart => {
                    return Err(Fault::Ambiguous("a boundary at once behind a header section"));
                }
                _ => {
                    from = at + 1;
                    continue;
                }
            };
            // What stands before goes first, whatever is wrong behind it: it may be wrong itself.
            let length = at - line_end;
            if length > 0 {
                return Ok(Some(self.some(kind, length)));
            }
            if line_end == 1 {
                return Err(Fault::Ambiguous("a boundary behind a bare CR or LF"));
            }
            if self.at == At::Epilogue {
                return Err(Fault::Ambiguous("a boundary behind the closing one"));
            }
            return self.delimiter(rest, at, end);
        }
        let length = if end { rest.len() } else { rest.len() - self.open_end(rest) };
        if length > 0 {
            return Ok(Some(self.some(kind, length)));
        }
        if end && self.at != At::Epilogue { Err(Fault::Truncated) } else { Ok(None) }
    }

    const fn some(&mut self, kind: Kind, length: usize) -> (Kind, usize) {
        if matches!(self.at, At::DataStart) {
            self.at = At::Data;
        }
        (kind, length)
    }

    /// How many bytes at the end could be the beginning of a delimiter, its line end included.
    fn open_end(&self, rest: &[u8]) -> usize {
        let dashed = self.dashed.needle();
        let window = rest.len().saturating_sub(dashed.len() + 1);
        for at in window..rest.len() {
            let behind = match rest.get(at..).unwrap_or_default() {
                [b'\r', b'\n', behind @ ..] | [b'\r' | b'\n', behind @ ..] => behind,
                // At the start of a part a boundary needs no line end to be seen (and refused).
                behind if at == 0 && self.at == At::DataStart => behind,
                _ => continue,
            };
            if dashed.starts_with(behind) {
                let crlf = rest.get(at) == Some(&b'\n') && at > 0 && rest.get(at - 1) == Some(&b'\r');
                return rest.len() - at + usize::from(crlf);
            }
        }
        0
    }

    fn header(&mut self, rest: &[u8], end: bool) -> Result<Option<(Kind, usize)>, Fault> {
        if rest.starts_with(b"\r\n") {
            return Err(Fault::Malformed("a part without a header section"));
        }
        let length = memchr::memmem::find(rest, b"\r\n\r\n").map(|at| at + 4);
        if length.unwrap_or(rest.len()) > self.header_limit {
            return Err(Fault::HeaderTooLong);
        }
        match length {
            Some(length) => {
                self.at = At::DataStart;
                Ok(Some((Kind::Header, length)))
            }
            None if end => Err(Fault::Truncated),
            None => Ok(None),
        }
    }

    /// Behind the closing delimiter stands nothing, or a line end and an epilogue.
    fn closed(&mut self, rest: &[u8], end: bool) -> Result<Option<(Kind, usize)>, Fault> {
        if end && rest.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            self.at = At::Epilogue;
            return Ok((!rest.is_empty()).then_some((Kind::Epilogue, rest.len())));
        }
        match after(rest) {
            After::Next(length) => {
                self.at = At::Epilogue;
                // The line end could also be that of a further boundary, so it is left for the epilogue.
                let padding = length - 2;
                if padding > 0 {
                    Ok(Some((Kind::Epilogue, padding)))
                } else {
                    self.text(rest, end, Kind::Epilogue)
                }
            }
            After::Cut if !end => Ok(None),
            _ => Err(Fault::Malformed("bytes behind the closing boundary")),
        }
    }
}

fn after(rest: &[u8]) -> After {
    if rest.starts_with(b"--") {
        return After::Close;
    }
    if rest == b"-" {
        return After::Cut;
    }
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match rest.get(padding..).unwrap_or_default() {
        _ if padding > PADDING => After::Other,
        [b'\r', b'\n', ..] => After::Next(padding + 2),
        [] | [b'\r'] => After::Cut,
        _ => After::Other,
    }
}

#[cfg(test)]
mod tests;
