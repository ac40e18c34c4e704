//! The event stream format of the WHATWG HTML standard, section 9.2: cuts a stream into events and events into lines.

use std::ops::Range;

use memchr::memchr2;

/// What a line of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Data,
    Event,
    /// `id` or `retry`.
    Other,
    /// A field that the standard tells clients to ignore.
    Unknown,
    Comment,
    /// The empty line that ends the event.
    Blank,
}

/// A line of an event, as ranges of the event's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) field: Field,
    /// The whole line without its end.
    pub(crate) text: Range<usize>,
    /// The field's value (of a comment: what stands behind the colon).
    pub(crate) value: Range<usize>,
    /// The line end: CR, LF, both, or nothing.
    pub(crate) end: Range<usize>,
}

/// Cuts an event into its lines.
pub(crate) fn lines(event: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < event.len() {
        let rest = event.get(at..).unwrap_or_default();
        let length = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let end = match rest.get(length..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([_, ..]) => 1,
            _ => 0,
        };
        lines.push(line(event, at..at + length, end));
        at += length + end;
    }
    lines
}

fn line(event: &[u8], text: Range<usize>, end: usize) -> Line {
    let bytes = event.get(text.clone()).unwrap_or_default();
    let colon = memchr::memchr(b':', bytes);
    let value = match colon {
        None => text.end,
        Some(at) if bytes.get(at + 1) == Some(&b' ') => text.start + at + 2,
        Some(at) => text.start + at + 1,
    };
    Line { field: field(bytes), value: value..text.end, end: text.end..text.end + end, text }
}

/// What a line is by its name.
pub(super) fn field(line: &[u8]) -> Field {
    match line.split(|byte| *byte == b':').next().unwrap_or_default() {
        _ if line.is_empty() => Field::Blank,
        b"" => Field::Comment,
        b"data" => Field::Data,
        b"event" => Field::Event,
        b"id" | b"retry" => Field::Other,
        _ => Field::Unknown,
    }
}

/// Finds where events end, in a stream in pieces.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    buffer: Vec<u8>,
    /// Up to here the buffer has been looked at; the current line starts here or before.
    seen: usize,
    /// The current line has bytes.
    in_line: bool,
    /// The line before ended with CR: an LF that follows belongs to it.
    after_cr: bool,
    /// The current event has bytes.
    in_event: bool,
}

/// What the splitter has cut off the front of its buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A whole event with its blank line.
    Event(Vec<u8>),
    /// An LF that belongs to the line end of the event before.
    Rest,
}

impl Splitter {
    pub(crate) fn push(&mut self, input: &[u8]) {
        self.buffer.extend_from_slice(input);
    }

    /// Bytes that belong to no complete event yet.
    pub(crate) const fn held(&self) -> usize {
        self.buffer.len()
    }

    /// The next complete event.
    pub(crate) fn next(&mut self) -> Option<Cut> {
        loop {
            let &byte = self.buffer.get(self.seen)?;
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                self.seen += 1;
                if !self.in_event {
                    self.cut();
                    return Some(Cut::Rest);
                }
                continue;
            }
            let rest = self.buffer.get(self.seen..).unwrap_or_default();
            let Some(length) = memchr2(b'\r', b'\n', rest) else {
                self.in_line = true;
                self.in_event = true;
                self.seen = self.buffer.len();
                return None;
            };
            let blank = length == 0 && !self.in_line;
            self.after_cr = rest.get(length) == Some(&b'\r');
            self.seen += length + 1;
            self.in_line = false;
            self.in_event = true;
            if blank {
                if self.after_cr && self.buffer.get(self.seen) == Some(&b'\n') {
                    self.after_cr = false;
                    self.seen += 1;
                }
                self.in_event = false;
                return Some(Cut::Event(self.cut()));
            }
        }
    }

    /// What is left at the end of the stream: an event without its blank line.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        self.seen = 0;
        std::mem::take(&mut self.buffer)
    }

    fn cut(&mut self) -> Vec<u8> {
        let rest = self.buffer.split_off(self.seen);
        self.seen = 0;
        std::mem::replace(&mut self.buffer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Field, Splitter, lines};

    fn cuts(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut splitter = Splitter::default();
        let mut events: Vec<Vec<u8>> = Vec::new();
        for piece in pieces {
            splitter.push(piece);
            while let Some(cut) = splitter.next() {
                match cut {
                    Cut::Event(event) => events.push(event),
                    Cut::Rest => events.last_mut().unwrap().push(b'\n'),
                }
            }
        }
        (events, splitter.rest())
    }

    #[test]
    fn every_line_end_at_every_cut() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = ["data: a", "data: b", "", ": c", "", "", "event: x", "data", "", "tail"].join(end);
            let whole = cuts(&[stream.as_bytes()]);
            assert_eq!(whole.0.len(), 4, "{end:?}");
            assert_eq!(whole.1, b"tail");
            for cut in 0..stream.len() {
                let (a, b) = stream.as_bytes().split_at(cut);
                assert_eq!(cuts(&[a, b]), whole, "{end:?} at {cut}");
            }
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            assert_eq!(cuts(&bytes), whole, "{end:?} by bytes");
        }
    }

    #[test]
    fn fields_as_the_standard_reads_them() {
        let event = b"data:one\ndata:  two\n:comment\nevent\nid: 7\r\nfoo:bar\rdatax: 1\n\n";
        let read: Vec<(Field, &[u8])> =
            lines(event).into_iter().map(|line| (line.field, &event[line.value])).collect();
        assert_eq!(
            read,
            [
                (Field::Data, b"one".as_slice()),
                (Field::Data, b" two"),
                (Field::Comment, b"comment"),
                (Field::Event, b""),
                (Field::Other, b"7"),
                (Field::Unknown, b"bar"),
                (Field::Unknown, b"1"),
                (Field::Blank, b""),
            ]
        );
    }
}
