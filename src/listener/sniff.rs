//! A look at HTTP/1.1 header sections beside the HTTP library's own, for what the library repairs in silence: a length
//! beside a transfer coding, a repeated length. RFC 9112, 6.3, lets a server repair them; a reader before this one may
//! have repaired them otherwise.
//!
//! It follows header sections and bodies with a length exactly. After a chunked body it can't tell where the next section
//! begins until the connection has nothing in flight; a second request that comes before is the library's alone to read.

/// What a line is looked at for: the longest name, its colon, white space, and a length's digits.
const KEEP: usize = 64;

/// Follows one connection.
#[derive(Debug)]
pub(super) struct Sniffer {
    place: Place,
    line: [u8; KEEP],
    filled: usize,
    /// Whether a line of this section was seen, so that an empty one ends it.
    begun: bool,
    lengths: u8,
    length: u64,
    coding: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Head,
    Body(u64),
    Unknown,
}

impl Sniffer {
    pub(super) const fn new() -> Self {
        Self {
            place: Place::Head,
            line: [0; KEEP],
            filled: 0,
            begun: false,
            lengths: 0,
            length: 0,
            coding: false,
        }
    }

    /// Takes what was read, and whether nothing was in flight before. Says whether a header section ended that the
    /// library repairs.
    pub(super) fn read(&mut self, mut bytes: &[u8], quiet: bool) -> bool {
        if quiet && self.place == Place::Unknown {
            self.place = Place::Head;
        }
        let mut conflict = false;
        while !bytes.is_empty() {
            match self.place {
                Place::Unknown => return conflict,
                Place::Body(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(here..).unwrap_or_default();
                    let left = left.saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
                    self.place = if left == 0 { Place::Head } else { Place::Body(left) };
                }
                Place::Head => {
                    let end = memchr::memchr(b'\n', bytes);
                    let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
                    bytes = rest;
                    conflict |= self.part_of_line(line, end.is_some());
                }
            }
        }
        conflict
    }

    fn part_of_line(&mut self, part: &[u8], complete: bool) -> bool {
        if complete && self.filled == 0 {
            return self.line(part);
        }
        for (to, from) in self.line.iter_mut().skip(self.filled).zip(part) {
            *to = *from;
        }
        self.filled = (self.filled + part.len()).min(KEEP);
        if !complete {
            return false;
        }
        let line = self.line;
        let filled = std::mem::take(&mut self.filled);
        self.line(line.get(..filled).unwrap_or_default())
    }

    /// A whole line, or as much of it as is looked at.
    fn line(&mut self, line: &[u8]) -> bool {
        match line.first() {
            None | Some(b'\n') => self.end(),
            Some(b'\r') if line.get(1).is_none_or(|next| *next == b'\n') => self.end(),
            Some(b'c' | b'C') => {
                self.begun = true;
                if let Some(value) = value_of(line, b"content-length:") {
                    self.lengths = self.lengths.saturating_add(1);
                    self.length = std::str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.trim().parse().ok())
                        .unwrap_or(0);
                }
                false
            }
            Some(b't' | b'T') => {
                self.begun = true;
                self.coding |= value_of(line, b"transfer-encoding:").is_some();
                false
            }
            Some(_) => {
                self.begun = true;
                false
            }
        }
    }

    /// An empty line: the section's end, or one of those that may stand before a request.
    fn end(&mut self) -> bool {
        if !std::mem::take(&mut self.begun) {
            return false;
        }
        let lengths = std::mem::take(&mut self.lengths);
        let coding = std::mem::take(&mut self.coding);
        let length = std::mem::take(&mut self.length);
        self.place = match (coding, length) {
            (true, _) => Place::Unknown,
            (false, 0) => Place::Head,
            (false, length) => Place::Body(length),
        };
        lengths > 1 || (coding && lengths > 0)
    }
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (own, value) = line.split_at_checked(name.len())?;
    own.eq_ignore_ascii_case(name).then_some(value)
}
