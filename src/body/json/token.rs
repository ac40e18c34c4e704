//! A strict tokenizer for RFC 8259 that can be interrupted at any byte.
//!
//! It knows the grammar (what may follow what) and nothing else: no keys, no places, no limits but depth and the
//! length of numbers. It doesn't copy; tokens are ranges of the input. Text is checked for control characters and
//! escapes here, for UTF-8 by who feeds it.

use memchr::memchr2;

use super::escape::{self, Escape};
use super::number::Digits;

/// Why a document is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A byte stands where the grammar allows none of its kind.
    Grammar,
    /// The document ends before its end.
    Truncated,
    /// Nested deeper than the limit.
    Depth,
    /// A control character inside a string.
    Control,
    /// An escape that the grammar doesn't know, or half a surrogate pair.
    Escape,
    /// A number longer than the limit.
    Number,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{` or `[`.
    Open {
        /// `{`.
        object: bool,
    },
    /// `}` or `]`.
    Close {
        /// `}`.
        object: bool,
    },
    /// `:`.
    Colon,
    /// `,`.
    Comma,
    /// The quote before a string.
    Quote {
        /// The string is a key.
        key: bool,
    },
    /// Contents of a string as far as they go in this input; escapes are whole.
    Text {
        /// There are escapes among them.
        escapes: bool,
    },
    /// One escape that was cut between inputs: see [`Tokenizer::unit`].
    Unit,
    /// The quote after a string.
    Unquote,
    /// Bytes of a number or a literal, as far as they go in this input.
    Scalar {
        /// It is complete.
        done: bool,
    },
    /// The number before is complete. Takes no bytes.
    ScalarEnd,
}

/// One token: its kind and the bytes of the input that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    const fn some(kind: Kind, start: usize, end: usize) -> Option<Self> {
        Some(Self { kind, start, end })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    FirstValueOrEnd,
    FirstKeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Structure,
    Text,
    Number(Digits),
    Literal(&'static [u8]),
}

/// The state between two inputs.
#[derive(Clone, Debug)]
pub(crate) struct Tokenizer {
    expect: Expect,
    inside: Inside,
    /// For every open container whether it is an object.
    open: Vec<bool>,
    depth: usize,
    /// The beginning of an escape that was cut.
    cut: [u8; escape::LONGEST],
    cut_len: usize,
    number: usize,
    number_limit: usize,
    /// Control characters may stand in the input at hand, so every text is looked through for them.
    controls: bool,
    /// Strings hold whatever stands between their quotes, and an escape that is cut is left for the next input.
    lenient: bool,
    /// The text of the contents last handed out, if there were escapes in them.
    pub(super) decoded: Vec<u8>,
}

impl Tokenizer {
    pub(crate) const fn new(depth: usize, number_limit: usize) -> Self {
        Self {
            expect: Expect::Value,
            inside: Inside::Structure,
            open: Vec::new(),
            depth,
            cut: [0; escape::LONGEST],
            cut_len: 0,
            number: 0,
            number_limit,
            controls: true,
            lenient: false,
            decoded: Vec::new(),
        }
    }

    /// A tokenizer for texts that may be JSON and may be not quite that, as models write it: control characters and
    /// escapes that the grammar doesn't know don't end a string.
    pub(crate) fn lenient(depth: usize, number_limit: usize) -> Self {
        Self { controls: false, lenient: true, ..Self::new(depth, number_limit) }
    }

    /// Begins another document.
    pub(crate) fn reset(&mut self) {
        self.expect = Expect::Value;
        self.inside = Inside::Structure;
        self.open.clear();
        self.cut_len = 0;
    }

    /// Whether nothing but white space has been seen.
    pub(crate) fn is_blank(&self) -> bool {
        self.expect == Expect::Value && self.inside == Inside::Structure && self.open.is_empty()
    }

    /// Whether the document is complete.
    pub(crate) fn is_done(&self) -> bool {
        self.expect == Expect::Done && self.inside == Inside::Structure
    }

    /// Takes note of an input that comes next. Most hold no control characters at all, and looking at all of it at
    /// once is faster than at each text.
    pub(crate) fn announce(&mut self, input: &[u8]) {
        self.controls = escape::has_control(input);
    }

    /// The escape that [`Kind::Unit`] tells of, as it was written.
    pub(crate) fn unit(&self) -> &[u8] {
        &self.cut[..self.cut_len]
    }

    /// How many bytes of an escape were cut off by the end of the input.
    pub(crate) const fn cut(&self) -> &[u8] {
        self.cut.split_at(self.cut_len).0
    }

    /// The next token of the input at `at`, which moves behind it. None: the input is used up.
    #[inline]
    pub(crate) fn next(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Token>, Fault> {
        match self.inside {
            Inside::Structure => self.structure(input, at),
            Inside::Text => self.text(input, at),
            Inside::Number(digits) => self.digits(input, at, *at, digits),
            Inside::Literal(left) => self.literal(input, at, *at, left),
        }
    }

    /// Takes note of the end of the document: a number at its root ends only here.
    pub(crate) fn finish(&mut self) -> Result<Option<Kind>, Fault> {
        let mut last = None;
        if let Inside::Number(digits) = self.inside {
            if !digits.may_end() {
                return Err(Fault::Truncated);
            }
            self.value_done();
            last = Some(Kind::ScalarEnd);
        }
        if self.is_done() { Ok(last) } else { Err(Fault::Truncated) }
    }

    fn structure(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Token>, Fault> {
        let Some(skipped) = input[*at..].iter().position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t'))
        else {
            *at = input.len();
            return Ok(None);
        };
        let start = *at + skipped;
        let byte = input[start];
        *at = start + 1;
        let kind = match (self.expect, byte) {
            (Expect::FirstKeyOrEnd | Expect::Key, b'"') => {
                self.inside = Inside::Text;
                self.cut_len = 0;
                Kind::Quote { key: true }
            }
            (Expect::Colon, b':') => {
                self.expect = Expect::Value;
                Kind::Colon
            }
            (Expect::CommaOrEnd, b',') => {
                let object = self.open.last().copied().unwrap_or_default();
                self.expect = if object { Expect::Key } else { Expect::Value };
                Kind::Comma
            }
            (Expect::CommaOrEnd | Expect::FirstKeyOrEnd, b'}') => self.close(true)?,
            (Expect::CommaOrEnd | Expect::FirstValueOrEnd, b']') => self.close(false)?,
            (Expect::Value | Expect::FirstValueOrEnd, _) => return self.value(input, at, start, byte),
            _ => return Err(Fault::Grammar),
        };
        Ok(Token::some(kind, start, *at))
    }

    fn value(
        &mut self,
        input: &[u8],
        at: &mut usize,
        start: usize,
        byte: u8,
    ) -> Result<Option<Token>, Fault> {
        let kind = match byte {
            b'"' => {
                self.inside = Inside::Text;
                self.expect = Expect::CommaOrEnd;
                self.cut_len = 0;
                Kind::Quote { key: false }
            }
            b'{' | b'[' => self.open(byte == b'{')?,
            b'-' | b'0'..=b'9' => {
                self.number = 1;
                return self.digits(input, at, start, Digits::first(byte));
            }
            b't' => return self.literal(input, at, start, b"rue"),
            b'f' => return self.literal(input, at, start, b"alse"),
            b'n' => return self.literal(input, at, start, b"ull"),
            _ => return Err(Fault::Grammar),
        };
        Ok(Token::some(kind, start, *at))
    }

    fn open(&mut self, object: bool) -> Result<Kind, Fault> {
        if self.open.len() >= self.depth {
            return Err(Fault::Depth);
        }
        self.open.push(object);
        self.expect = if object { Expect::FirstKeyOrEnd } else { Expect::FirstValueOrEnd };
        Ok(Kind::Open { object })
    }

    fn close(&mut self, object: bool) -> Result<Kind, Fault> {
        if self.open.pop() != Some(object) {
            return Err(Fault::Grammar);
        }
        self.value_done();
        Ok(Kind::Close { object })
    }

    fn value_done(&mut self) {
        self.inside = Inside::Structure;
        self.expect = if self.open.is_empty() { Expect::Done } else { Expect::CommaOrEnd };
    }

    fn text(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Token>, Fault> {
        if self.cut_len > 0 {
            // After a unit was handed out, `cut` still holds it.
            if matches!(escape::read(self.cut()), Escape::Whole(..)) {
                self.cut_len = 0;
            } else {
                return self.rest_of_escape(input, at);
            }
        }
        let start = *at;
        let mut escapes = false;
        let mut pos = start;
        loop {
            let rest = &input[pos..];
            let mut plain = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            let control = self.controls && escape::has_control(&rest[..plain]);
            if control {
                plain = rest.iter().position(|byte| *byte < 0x20).unwrap_or(plain);
            }
            if escapes {
                self.decoded.extend_from_slice(&rest[..plain]);
            }
            pos += plain;
            match rest.get(plain) {
                // What stands before a fault is handed out first: it may be wrong itself.
                Some(_) if control => {
                    return Self::run(start, pos, escapes, at).ok_or(Fault::Control).map(Some);
                }
                None => break,
                Some(b'"') if pos == start => {
                    *at = pos + 1;
                    self.end_text();
                    return Ok(Token::some(Kind::Unquote, pos, pos + 1));
                }
                Some(b'"') => break,
                Some(_) => match self.escape(&rest[plain..]) {
                    Escape::Whole(len, c) => {
                        if !escapes {
                            self.decoded.clear();
                            self.decoded.extend_from_slice(&input[start..pos]);
                            escapes = true;
                        }
                        self.decoded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        pos += len;
                    }
                    Escape::Wrong => {
                        return Self::run(start, pos, escapes, at).ok_or(Fault::Escape).map(Some);
                    }
                    Escape::Cut if self.lenient => break,
                    Escape::Cut => {
                        let cut = &rest[plain..];
                        self.cut[..cut.len()].copy_from_slice(cut);
                        self.cut_len = cut.len();
                        let run = Self::run(start, pos, escapes, at);
                        *at = input.len();
                        return Ok(run);
                    }
                },
            }
        }
        Ok(Self::run(start, pos, escapes, at))
    }

    /// Contents of a string, if there are any.
    fn run(start: usize, end: usize, escapes: bool, at: &mut usize) -> Option<Token> {
        *at = end;
        (end > start).then_some(Token { kind: Kind::Text { escapes }, start, end })
    }

    #[inline]
    fn escape(&self, text: &[u8]) -> Escape {
        match escape::read(text) {
            Escape::Wrong if self.lenient => Escape::Whole(1, '\\'),
            other => other,
        }
    }

    fn rest_of_escape(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Token>, Fault> {
        let start = *at;
        while let Some(&byte) = input.get(*at) {
            let Some(slot) = self.cut.get_mut(self.cut_len) else { return Err(Fault::Escape) };
            *slot = byte;
            self.cut_len += 1;
            *at += 1;
            match escape::read(self.cut()) {
                Escape::Whole(..) => return Ok(Token::some(Kind::Unit, start, *at)),
                Escape::Cut => {}
                Escape::Wrong => return Err(Fault::Escape),
            }
        }
        Ok(None)
    }

    fn end_text(&mut self) {
        self.inside = Inside::Structure;
        self.expect = match self.expect {
            Expect::FirstKeyOrEnd | Expect::Key => Expect::Colon,
            _ if self.open.is_empty() => Expect::Done,
            _ => Expect::CommaOrEnd,
        };
    }

    fn literal(
        &mut self,
        input: &[u8],
        at: &mut usize,
        start: usize,
        left: &'static [u8],
    ) -> Result<Option<Token>, Fault> {
        let rest = &input[*at..];
        let len = left.len().min(rest.len());
        let (now, later) = left.split_at(len);
        if now != &rest[..len] {
            return Err(Fault::Grammar);
        }
        *at += len;
        let done = later.is_empty();
        if done {
            self.value_done();
        } else {
            self.inside = Inside::Literal(later);
        }
        Ok((*at > start).then_some(Token { kind: Kind::Scalar { done }, start, end: *at }))
    }

    fn digits(
        &mut self,
        input: &[u8],
        at: &mut usize,
        start: usize,
        mut digits: Digits,
    ) -> Result<Option<Token>, Fault> {
        while let Some(&byte) = input.get(*at) {
            let Some(next) = digits.after(byte) else {
                if !digits.may_end() {
                    return Err(Fault::Grammar);
                }
                self.value_done();
                let kind = if *at > start { Kind::Scalar { done: true } } else { Kind::ScalarEnd };
                return Ok(Token::some(kind, start, *at));
            };
            digits = next;
            *at += 1;
            self.number += 1;
            if self.number > self.number_limit {
                return Err(Fault::Number);
            }
        }
        self.inside = Inside::Number(digits);
        Ok((*at > start).then_some(Token { kind: Kind::Scalar { done: false }, start, end: *at }))
    }
}
