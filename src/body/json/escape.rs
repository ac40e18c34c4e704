//! String contents: RFC 8259 section 7, in both directions.

/// The longest escape: a surrogate pair, `\ud83d\ude00`.
pub(crate) const LONGEST: usize = 12;

/// What stands at a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// A complete escape of so many bytes.
    Whole(usize, char),
    /// The beginning of one.
    Cut,
    /// None that the grammar knows, or half a surrogate pair.
    Wrong,
}

/// Reads the escape at the start of `text`, whose first byte is a backslash.
pub(crate) fn read(text: &[u8]) -> Escape {
    let Some(&letter) = text.get(1) else { return Escape::Cut };
    let c = match letter {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return Escape::Wrong,
    };
    Escape::Whole(2, c)
}

fn unicode(text: &[u8]) -> Escape {
    let high = match hex(text, 2) {
        Ok(unit) => unit,
        Err(wrong) => return wrong,
    };
    match high {
        0xd800..=0xdbff => {
            for (at, expected) in [(6, b'\\'), (7, b'u')] {
                match text.get(at) {
                    None => return Escape::Cut,
                    Some(&byte) if byte == expected => {}
                    Some(_) => return Escape::Wrong,
                }
            }
            let low = match hex(text, 8) {
                Ok(unit) => unit,
                Err(wrong) => return wrong,
            };
            if !(0xdc00..=0xdfff).contains(&low) {
                return Escape::Wrong;
            }
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            char::from_u32(code).map_or(Escape::Wrong, |c| Escape::Whole(12, c))
        }
        _ => char::from_u32(high).map_or(Escape::Wrong, |c| Escape::Whole(6, c)),
    }
}

fn hex(text: &[u8], at: usize) -> Result<u32, Escape> {
    let mut unit = 0;
    for i in at..at + 4 {
        let Some(&byte) = text.get(i) else { return Err(Escape::Cut) };
        let Some(digit) = char::from(byte).to_digit(16) else { return Err(Escape::Wrong) };
        unit = unit * 16 + digit;
    }
    Ok(unit)
}

/// Reads the escape at the start of `text` where the contents are complete: a backslash that begins none stands
/// for itself. Only texts inside texts have such.
pub(crate) fn read_whole(text: &[u8]) -> (usize, char) {
    match read(text) {
        Escape::Whole(len, c) => (len, c),
        Escape::Cut | Escape::Wrong => (1, '\\'),
    }
}

/// Appends the text that the raw contents of a string stand for. The contents are complete.
pub(crate) fn decode(raw: &[u8], text: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        text.extend_from_slice(plain);
        let (len, c) = read_whole(escape);
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &escape[len..];
    }
    text.extend_from_slice(rest);
}

/// Walks raw contents by lengths of decoded text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Walk {
    /// Bytes of raw contents that were passed.
    pub(crate) raw: usize,
    /// Decoded bytes of the escape at `raw` that were passed already.
    into: usize,
}

impl Walk {
    /// Whether the place stands inside an escape.
    pub(crate) const fn inside(self) -> bool {
        self.into > 0
    }

    /// Goes on by `len` decoded bytes.
    pub(crate) fn advance(&mut self, contents: &[u8], len: usize) {
        let mut left = len + self.into;
        self.into = 0;
        while left > 0 {
            let rest = contents.get(self.raw..).unwrap_or_default();
            let window = rest.get(..left).unwrap_or(rest);
            match memchr::memchr(b'\\', window) {
                None => {
                    self.raw += window.len();
                    return;
                }
                Some(at) => {
                    self.raw += at;
                    left -= at;
                    let (raw, c) = read_whole(&rest[at..]);
                    let decoded = c.len_utf8();
                    if left < decoded {
                        self.into = left;
                        return;
                    }
                    self.raw += raw;
                    left -= decoded;
                }
            }
        }
    }
}

/// Appends what takes a number's place: as a number if it is one by itself (another value of the same format), else as a
/// string.
pub(crate) fn encode_in_place_of_number(text: &[u8], out: &mut Vec<u8>) {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.first() == Some(&b'0');
    if !digits.is_empty() && !leading_zero && digits.iter().all(u8::is_ascii_digit) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    encode(text, out);
    out.push(b'"');
}

/// Appends a text as the contents of a string: escaped where the grammar demands it, and nowhere else.
pub(crate) fn encode(text: &[u8], raw: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'"' => raw.extend_from_slice(b"\\\""),
            b'\\' => raw.extend_from_slice(b"\\\\"),
            b'\n' => raw.extend_from_slice(b"\\n"),
            b'\r' => raw.extend_from_slice(b"\\r"),
            b'\t' => raw.extend_from_slice(b"\\t"),
            0..=0x1f => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
                raw.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
            }
            _ => raw.push(byte),
        }
    }
}

/// Whether a byte stands there that a string must not hold as it is.
pub(crate) fn has_control(text: &[u8]) -> bool {
    // Without an early exit, so that the compiler makes vector code of it.
    text.iter().fold(0_u8, |found, &byte| found | u8::from(byte < 0x20)) != 0
}
