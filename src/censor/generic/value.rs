//! From a name to its value: what stands between, and how far the value goes.

use super::name::Name;
use super::{Ahead, Short};

/// Most bytes between a name and its value.
pub(super) const BETWEEN_MAX: usize = 160;
/// Longest value, in bytes.
pub(super) const VALUE_MAX: usize = 512;

/// Where a value begins and what ends it.
pub(super) struct Start {
    /// Its first byte.
    pub(super) at: usize,
    /// The quote that opened it.
    quote: Option<u8>,
    /// The quote was written with a backslash, as in JSON inside a string.
    escaped: bool,
    /// In the query of an address, where `&` ends a value.
    query: bool,
    /// How the value is given.
    pub(super) manner: Manner,
}

/// How a value is given; what isn't assigned must look more like a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// With an operator, or as a flag's argument.
    Assigned,
    /// In a sentence: «the password is …».
    Spoken,
    /// With nothing between: `password …`.
    Bare,
    /// In the next cell of a table, or in brackets: `password;…`, `password (…)`.
    Cell,
    /// Behind a comma, as the second of a pair: only in quotes.
    Paired,
}

impl Start {
    /// In quotes.
    pub(super) const fn is_quoted(&self) -> bool {
        self.quote.is_some()
    }

    /// In the query of an address.
    pub(super) const fn is_query(&self) -> bool {
        self.query
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Finds where the value begins. `None`: this is no assignment.
pub(super) fn find(ahead: &Ahead<'_>, name: &Name) -> Result<Option<Start>, Short> {
    let mut at = name.end;
    let quoted = closing(ahead, &mut at)?;
    let mut spaces = ahead.skip(at, 8, is_blank)? - at;
    at += spaces;
    // «secret key base», as Rails calls it.
    if spaces > 0
        && ahead.has(at, b"base")?
        && !ahead.at(at + 4)?.is_some_and(|byte| byte.is_ascii_alphanumeric())
    {
        at += 4;
        spaces = ahead.skip(at, 4, is_blank)? - at;
        at += spaces;
    }
    let Some(byte) = ahead.at(at)? else { return Ok(None) };
    let behind = match operator(ahead, at, byte, quoted, name)? {
        Some(behind) if byte == b',' && quoted => (behind, Manner::Paired),
        // `pass|fail`, but a table has blanks.
        Some(behind) if byte == b'|' && spaces == 0 => (behind, Manner::Cell),
        Some(behind) => (behind, Manner::Assigned),
        // A cell of a table, or a remark in brackets: `api key (…)`.
        None if byte == b';' || (byte == b'(' && spaces > 0) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&*+@^_-".contains(&byte);
            if name.weak || !ahead.at(at + 1)?.is_some_and(plain) {
                return Ok(None);
            }
            (at + 1, Manner::Cell)
        }
        None if spaces > 0 => match spoken(ahead, at, byte, quoted, name)? {
            Some(found) => found,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    let query = matches!(name.before, Some(b'?' | b'&'));
    open(ahead, behind.0, query, behind.1)
}

/// Behind the operator of an assignment, if one stands here.
fn operator(
    ahead: &Ahead<'_>,
    at: usize,
    byte: u8,
    quoted: bool,
    name: &Name,
) -> Result<Option<usize>, Short> {
    Ok(match byte {
        b':' => colon(ahead, at + 1)?,
        b'=' => Some(ahead.skip(at + 1, 2, |byte| matches!(byte, b'=' | b'>'))?),
        b'?' | b'+' | b'.' => {
            let sign = ahead.skip(at + 1, 1, |byte| byte == b'?')?;
            (ahead.at(sign)? == Some(b'=')).then_some(sign + 1)
        }
        b'(' if ahead.at(at + 1)?.is_some_and(is_quote) => Some(at + 1),
        b'\r' | b'\n' => {
            let next = ahead.skip(at, 32, |byte| byte.is_ascii_whitespace())?;
            attribute(ahead, next)?
        }
        b',' if quoted => Some(pair(ahead, at + 1)?),
        // A table of commas: no blank behind.
        b',' => ahead.at(at + 1)?.filter(u8::is_ascii_alphanumeric).map(|_| at + 1),
        b'>' if name.before == Some(b'<') && !ahead.at(at + 1)?.is_some_and(is_blank) => Some(at + 1),
        b'|' => {
            let bars = ahead.skip(at, 2, |byte| byte == b'|')?;
            Some(ahead.skip(bars, 1, |byte| byte == b'=')?)
        }
        b'-' if ahead.has(at, b"->")? => Some(at + 2),
        0xEF if ahead.has(at, "：".as_bytes())? => Some(at + 3),
        b'%' if ahead.has(at, b"%3D")? || ahead.has(at, b"%3A")? => Some(at + 3),
        b'{' if quoted => block(ahead, at + 1)?,
        byte if byte >= 0x80 => topic(ahead, at)?,
        byte if quoted && byte.is_ascii_alphabetic() => attribute(ahead, at)?,
        byte if byte.is_ascii_alphabetic() => typed(ahead, at)?,
        _ => None,
    })
}

/// Behind what joins a name and its value without an operator: a flag's blank, «is», «for the admin is», a quote, nothing.
fn spoken(
    ahead: &Ahead<'_>,
    at: usize,
    byte: u8,
    quoted: bool,
    name: &Name,
) -> Result<Option<(usize, Manner)>, Short> {
    if name.flag {
        return Ok((!matches!(byte, b'-' | b'<' | b'[' | b'{')).then_some((at, Manner::Assigned)));
    }
    if is_quote(byte) {
        let manner = if byte == b'`' { Manner::Bare } else { Manner::Spoken };
        return Ok((!quoted).then_some((at, manner)));
    }
    if let Some(behind) = verb(ahead, at)? {
        return Ok(Some((behind, Manner::Spoken)));
    }
    if let Some(behind) = phrase(ahead, at)? {
        return Ok(Some((behind, Manner::Spoken)));
    }
    if matches!(byte, b'-' | b'>') && ahead.at(at + 1)? == Some(b' ') {
        return Ok(Some((at + 1, Manner::Spoken)));
    }
    let plain = byte.is_ascii_alphanumeric() || b"!#$%+@^_".contains(&byte);
    Ok((plain && !name.weak && !quoted).then_some((at, Manner::Bare)))
}

/// Steps over what closes the name: quotes, `]`, `)`, with their backslashes. Was there a quote?
fn closing(ahead: &Ahead<'_>, at: &mut usize) -> Result<bool, Short> {
    let mut quoted = false;
    for _ in 0..5 {
        match ahead.at(*at)? {
            Some(byte) if is_quote(byte) => quoted = true,
            Some(b']' | b')' | b'*') => {}
            Some(b'\\') if ahead.at(*at + 1)?.is_some_and(|byte| is_quote(byte) || byte == b'\\') => {}
            _ => break,
        }
        *at += 1;
    }
    Ok(quoted)
}

/// Behind a colon: `:=` and longer, a type and then `=`, nothing more. `None`: a path, `Key::new`.
fn colon(ahead: &Ahead<'_>, at: usize) -> Result<Option<usize>, Short> {
    let colons = ahead.skip(at, 2, |byte| byte == b':')?;
    if ahead.at(colons)? == Some(b'=') {
        return Ok(Some(colons + 1));
    }
    if colons > at {
        return Ok(None);
    }
    let start = ahead.skip(at, 4, is_blank)?;
    Ok(Some(typed(ahead, start)?.unwrap_or(at)))
}

/// A type and then `=`, as between a name and its value in many languages. Behind the sign.
fn typed(ahead: &Ahead<'_>, at: usize) -> Result<Option<usize>, Short> {
    const TYPES: &[&str] = &[
        "str",
        "&",
        "Optional",
        "char",
        "std",
        "any",
        "SecretStr",
        "bytes",
        "final",
        "Option",
        "text",
        "varchar",
        "secret",
    ];
    for name in TYPES {
        if ahead.has(at, name.as_bytes())? {
            let in_type = |byte: u8| byte.is_ascii_alphanumeric() || b"_<>&[]'|?:* .".contains(&byte);
            let end = ahead.skip(at, 32, in_type)?;
            return Ok((ahead.at(end)? == Some(b'=')).then_some(end + 1));
        }
    }
    Ok(None)
}

/// Behind the comma of a pair: `("password", "…")`, or `"name":"PASSWORD","value":"…"`.
fn pair(ahead: &Ahead<'_>, at: usize) -> Result<usize, Short> {
    let start = ahead.skip(at, 24, |byte| byte.is_ascii_whitespace() || is_quote(byte) || byte == b'\\')?;
    Ok(match attribute(ahead, start)? {
        Some(behind) => behind,
        None => at,
    })
}

/// Behind «is» of languages that write it without a blank.
fn topic(ahead: &Ahead<'_>, at: usize) -> Result<Option<usize>, Short> {
    for word in ["は", "는", "은", "是", "为", "為"] {
        if ahead.has(at, word.as_bytes())? {
            return Ok(Some(at + word.len()));
        }
    }
    Ok(None)
}

/// Behind the `default =` of a variable in Terraform, with a line or two before it.
fn block(ahead: &Ahead<'_>, at: usize) -> Result<Option<usize>, Short> {
    let mut line = at;
    for _ in 0..3 {
        line = ahead.skip(line, 16, |byte| byte.is_ascii_whitespace())?;
        if ahead.has(line, b"default")? {
            let sign = ahead.skip(line + 7, 12, is_blank)?;
            return Ok((ahead.at(sign)? == Some(b'=')).then_some(sign + 1));
        }
        line = ahead.skip(line, 32, |byte| !matches!(byte, b'\n' | b'}'))?;
    }
    Ok(None)
}

/// `value=` or `value:` with what may stand between, as XML and Kubernetes write a pair. Behind it, if it is there.
fn attribute(ahead: &Ahead<'_>, at: usize) -> Result<Option<usize>, Short> {
    if !ahead.has(at, b"value")? {
        return Ok(None);
    }
    let end = ahead.skip(at + 5, 6, |byte| is_blank(byte) || is_quote(byte) || byte == b'\\')?;
    Ok(match ahead.at(end)? {
        Some(b'=' | b':') => Some(end + 1),
        _ => None,
    })
}

/// «is» and its like in several languages. Behind it, if it is there.
fn verb(ahead: &Ahead<'_>, at: usize) -> Result<Option<usize>, Short> {
    const VERBS: &[&str] = &[
        "is", "was", "to", "ist", "lautet", "es", "est", "adalah", "ialah", "jest", "are", "será", "é", "as",
    ];
    let end = ahead.skip(at, 8, |byte| byte.is_ascii_alphabetic() || byte >= 0x80)?;
    let word = ahead.text.get(at..end).unwrap_or(&[]);
    let known = VERBS.iter().any(|verb| verb.as_bytes().eq_ignore_ascii_case(word));
    if !known {
        return Ok(None);
    }
    let behind = match ahead.at(end)? {
        Some(b':') => end + 1,
        _ => end,
    };
    Ok(ahead.at(behind)?.is_some_and(|byte| byte.is_ascii_whitespace()).then_some(behind))
}

/// `for the admin account is`, `of master:`: at most five words, then «is» or a colon. Behind that, if it is so.
fn phrase(ahead: &Ahead<'_>, at: usize) -> Result<Option<usize>, Short> {
    const FIRST: &[&str] = &[
        "for ", "of ", "in ", "on ", "to ", "at ", "für ", "de ", "para ", "pour ", "untuk ", "del ", "von ",
    ];
    let mut starts = false;
    for word in FIRST {
        starts |= ahead.has(at, word.as_bytes())?;
    }
    if !starts {
        return Ok(None);
    }
    let mut word = at;
    for _ in 0..6 {
        let end = ahead.skip(word, 32, |byte| {
            byte.is_ascii_alphanumeric() || byte >= 0x80 || b"@._-'/".contains(&byte)
        })?;
        match ahead.at(end)? {
            Some(b':' | b'=')
                if end > word && ahead.at(end + 1)?.is_some_and(|byte| byte.is_ascii_whitespace()) =>
            {
                return Ok(Some(end + 1));
            }
            // A word that ends in a full stop ends the sentence.
            Some(b' ') if end > word && ahead.text.get(end - 1) != Some(&b'.') => {}
            _ => return Ok(None),
        }
        word = end + 1;
        if let Some(behind) = verb(ahead, word)? {
            return Ok(Some(behind));
        }
    }
    Ok(None)
}

/// Steps over blanks, a line break, a scheme (`Bearer`), a wrapper (`SecretStr(`) and the opening quote.
fn open(ahead: &Ahead<'_>, at: usize, query: bool, manner: Manner) -> Result<Option<Start>, Short> {
    // Bold in Markdown: `**Password:** …`.
    let bold = |at| ahead.has(at, b"**").map(|bold| at + 2 * usize::from(bold));
    let mut at = bold(ahead.skip(bold(at)?, 8, is_blank)?)?;
    // A block of YAML: `|`, `>-`.
    let sign = ahead.skip(at, 1, |byte| matches!(byte, b'|' | b'>'))?;
    let sign = ahead.skip(sign, 1, |byte| sign > at && matches!(byte, b'-' | b'+'))?;
    let broken = ahead.skip(sign, 2, |byte| matches!(byte, b'\r' | b'\n'))?;
    if broken > sign {
        at = ahead.skip(broken, 24, is_blank)?;
        // A name of its own on the next line: the value was empty. `- name: X` and then `value: …` is one pair.
        match attribute(ahead, at)? {
            Some(behind) => at = ahead.skip(behind, 4, is_blank)?,
            None if names_itself(ahead, at)? => return Ok(None),
            None => {}
        }
    }
    at = wrapper(ahead, at)?;
    let mut escaped = false;
    if ahead.at(at)? == Some(b'\\') && ahead.at(at + 1)?.is_some_and(is_quote) {
        escaped = true;
        at += 1;
    }
    let quote = ahead.at(at)?.filter(|byte| is_quote(*byte));
    if quote.is_some() {
        at += 1;
    }
    at = scheme(ahead, at)?;
    Ok(ahead.at(at)?.filter(|byte| !byte.is_ascii_whitespace()).map(|_| Start {
        at,
        quote,
        escaped,
        query,
        manner,
    }))
}

/// Does a line begin here with a name and an operator, or with a sentence?
fn names_itself(ahead: &Ahead<'_>, at: usize) -> Result<bool, Short> {
    let end = ahead.skip(at, 64, |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')?;
    Ok(match ahead.at(end)? {
        Some(b' ') => true,
        // `base64:…` and ids in two parts go on at once.
        Some(b':') => ahead.at(end + 1)?.is_none_or(|byte| byte.is_ascii_whitespace()),
        Some(b'=') => ahead.at(end + 1)?.is_some_and(|byte| byte != b'=' && !byte.is_ascii_whitespace()),
        _ => false,
    })
}

/// A letter before a string (`b"`, `@"`), or a call around it that only wraps.
fn wrapper(ahead: &Ahead<'_>, at: usize) -> Result<usize, Short> {
    const CALLS: &[&str] = &[
        "SecretStr(",
        "SecretString(",
        "SecretString::new(",
        "String::from(",
        "Secret::new(",
        "Secret(",
        "new String(",
        "str(",
        "bytes(",
        "Buffer.from(",
        "quote(",
        "ConvertTo-SecureString ",
        "pulumi.secret(",
    ];
    for call in CALLS {
        if ahead.has(at, call.as_bytes())? {
            return Ok(at + call.len());
        }
    }
    let prefix = ahead.at(at)?.is_some_and(|byte| b"bruf@L".contains(&byte));
    Ok(if prefix && ahead.at(at + 1)?.is_some_and(is_quote) { at + 1 } else { at })
}

/// `Bearer`, `Token`, `Basic` before a value stay.
fn scheme(ahead: &Ahead<'_>, at: usize) -> Result<usize, Short> {
    for scheme in ["bearer ", "token ", "basic ", "apikey ", "key "] {
        if ahead.has(at, scheme.as_bytes())? {
            return Ok(at + scheme.len());
        }
    }
    Ok(at)
}

/// Where the value ends.
pub(super) fn extent(ahead: &Ahead<'_>, start: &Start) -> Result<usize, Short> {
    if let Some(quote) = start.quote
        && let Some(end) = quoted(ahead, start, quote)?
    {
        return Ok(end);
    }
    bare(ahead, start)
}

/// The closing quote of the same kind; `None` when the line ends before it.
fn quoted(ahead: &Ahead<'_>, start: &Start, quote: u8) -> Result<Option<usize>, Short> {
    let mut at = start.at;
    while at < start.at + VALUE_MAX {
        match ahead.at(at)? {
            None | Some(b'\n' | b'\r') => return Ok(None),
            Some(b'\\') => {
                let next = ahead.at(at + 1)?;
                if start.escaped && next == Some(quote) {
                    return Ok(Some(at));
                }
                at += 1;
            }
            Some(byte) if byte == quote => return Ok(Some(at)),
            Some(_) => {}
        }
        at += 1;
    }
    Ok(None)
}

/// A run without blanks, quotes and angle brackets; punctuation that ends a sentence or closes a bracket is no part.
fn bare(ahead: &Ahead<'_>, start: &Start) -> Result<usize, Short> {
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || byte.is_ascii_control()
            || is_quote(byte)
            || matches!(byte, b'<' | b'>' | b';' | b'\\')
            || byte >= 0x80
            || (start.query && byte == b'&')
    };
    let end = ahead.skip(start.at, VALUE_MAX, |byte| !ends(byte))?;
    let value = ahead.text.get(start.at..end).unwrap_or(&[]);
    // In a list or a call the value ends at the comma.
    let value = match value.iter().position(|byte| *byte == b',') {
        Some(comma) if comma > 15 => value.get(..comma).unwrap_or(value),
        _ => value,
    };
    let mut len = value.len();
    while let Some(last) = len.checked_sub(1).and_then(|index| value.get(index)) {
        let closes = match last {
            b')' => !value.contains(&b'('),
            b']' => !value.contains(&b'['),
            b'}' => !value.contains(&b'{'),
            b'.' | b',' | b':' | b'|' => true,
            // Bold in Markdown.
            b'*' if value.get(..len).is_some_and(|value| value.ends_with(b"**")) => {
                len -= 1;
                true
            }
            _ => false,
        };
        if !closes {
            break;
        }
        len -= 1;
    }
    Ok(start.at + len)
}
