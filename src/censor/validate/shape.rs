//! How random does a text look, and does it stand for itself?
//!
//! A secret in an assignment has no prefix to know it by, so its looks decide: entropy, how often the class of its
//! characters changes, and how often two letters follow each other that do so in words.

/// Shannon entropy of the bytes, in bits a byte: 0 for one byte repeated, at most log2 of the length.
#[must_use]
pub fn entropy(text: &[u8]) -> f32 {
    if text.is_empty() {
        return 0.0;
    }
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let len = text.len() as f32;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| *count as f32 / len)
        .map(|share| -share * share.log2())
        .sum()
}

/// Row by first letter, bit by second: the 275 pairs that make up 93 % of the pairs in the words of English
/// documentation and code (counted over Debian's documentation and Python's library).
const PAIRS: [u32; 26] = [
    0x13e_bd4e, 0x016_4b11, 0x01e_4d95, 0x016_4919, 0x1ff_f97f, 0x01e_4931, 0x016_6991, 0x01a_4111,
    0x2ae_f87f, 0x000_0010, 0x004_4111, 0x11c_4939, 0x014_d913, 0x03c_ed7d, 0x07e_fd6f, 0x11e_c991,
    0x010_0000, 0x13e_fd7d, 0x11c_fd95, 0x15e_f9bd, 0x00e_b97f, 0x000_0111, 0x002_4191, 0x00c_8010,
    0x00c_a800, 0x000_0110,
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Symbol,
}

fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' => Class::Lower,
        b'A'..=b'Z' => Class::Upper,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Symbol,
    }
}

/// What a text is made of.
struct Looks {
    lower: usize,
    upper: usize,
    digits: usize,
    /// `_`, `-`, `.`, `/`, `:`, space: what joins the parts of names.
    joints: usize,
    symbols: usize,
    /// Changes between lower, upper and digits; the capital that begins a word is none.
    changes: usize,
    pairs: usize,
    common: usize,
}

fn looks(text: &[u8]) -> Looks {
    let mut looks =
        Looks { lower: 0, upper: 0, digits: 0, joints: 0, symbols: 0, changes: 0, pairs: 0, common: 0 };
    let mut before: Option<u8> = None;
    for &byte in text {
        match class(byte) {
            Class::Lower => looks.lower += 1,
            Class::Upper => looks.upper += 1,
            Class::Digit => looks.digits += 1,
            Class::Symbol if b"_-./: ".contains(&byte) => looks.joints += 1,
            Class::Symbol => looks.symbols += 1,
        }
        if let Some(before) = before {
            let (one, two) = (class(before), class(byte));
            let plain = one != Class::Symbol && two != Class::Symbol;
            if plain && one != two && !(one == Class::Upper && two == Class::Lower) {
                looks.changes += 1;
            }
            if before.is_ascii_alphabetic() && byte.is_ascii_alphabetic() {
                let row = PAIRS[usize::from(before.to_ascii_lowercase() - b'a') % 26];
                looks.pairs += 1;
                looks.common += (row >> (byte.to_ascii_lowercase() - b'a') & 1) as usize;
            }
        }
        before = Some(byte);
    }
    looks
}

impl Looks {
    fn letters(&self) -> usize {
        self.lower + self.upper
    }

    fn total(&self) -> usize {
        self.letters() + self.digits + self.joints + self.symbols
    }

    /// Does it read like words: pairs of letters that words have, in runs?
    fn wordlike(&self) -> bool {
        self.pairs >= 3 && self.common * 100 >= self.pairs * 78 && self.changes * 100 < self.total() * 30
    }
}

/// Words that are all a placeholder is made of, in lower case.
const HOLLOW: &[&str] = &[
    "your",
    "you",
    "my",
    "the",
    "our",
    "a",
    "an",
    "some",
    "any",
    "this",
    "that",
    "is",
    "it",
    "in",
    "to",
    "for",
    "of",
    "with",
    "from",
    "by",
    "here",
    "goes",
    "go",
    "put",
    "paste",
    "enter",
    "insert",
    "replace",
    "replaced",
    "change",
    "changed",
    "changeme",
    "changeit",
    "set",
    "fill",
    "add",
    "use",
    "me",
    "example",
    "examples",
    "sample",
    "dummy",
    "fake",
    "mock",
    "test",
    "tests",
    "testing",
    "tester",
    "demo",
    "placeholder",
    "redacted",
    "masked",
    "hidden",
    "removed",
    "sanitized",
    "filtered",
    "censored",
    "foo",
    "bar",
    "baz",
    "qux",
    "foobar",
    "todo",
    "fixme",
    "tbd",
    "none",
    "null",
    "nil",
    "undefined",
    "empty",
    "missing",
    "secret",
    "secrets",
    "password",
    "passwd",
    "passwort",
    "pass",
    "pwd",
    "pw",
    "passphrase",
    "passcode",
    "key",
    "keys",
    "token",
    "tokens",
    "apikey",
    "api",
    "app",
    "auth",
    "authorization",
    "access",
    "client",
    "private",
    "public",
    "user",
    "username",
    "admin",
    "root",
    "guest",
    "default",
    "value",
    "values",
    "string",
    "str",
    "text",
    "char",
    "varchar",
    "bytes",
    "bool",
    "boolean",
    "int",
    "integer",
    "number",
    "object",
    "credential",
    "credentials",
    "cred",
    "creds",
    "login",
    "account",
    "id",
    "name",
    "host",
    "hostname",
    "localhost",
    "server",
    "service",
    "db",
    "database",
    "data",
    "env",
    "var",
    "variable",
    "config",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "required",
    "optional",
    "invalid",
    "valid",
    "wrong",
    "correct",
    "incorrect",
    "bad",
    "good",
    "new",
    "old",
    "current",
    "not",
    "real",
    "super",
    "very",
    "long",
    "short",
    "random",
    "generated",
    "abc",
    "abcd",
    "abcdef",
    "xyz",
    "asdf",
    "qwerty",
    "xxx",
    "xxxx",
    "xx",
    "x",
    "y",
    "z",
    "bearer",
    "basic",
    "oauth",
    "jwt",
    "header",
    "sha",
    "md",
    "hash",
    "hex",
    "base",
    "encoded",
    "encrypted",
    "file",
    "path",
    "url",
    "uri",
    "org",
    "com",
    "io",
    "aws",
    "azure",
    "gcp",
    "google",
    "github",
    "gitlab",
    "openai",
    "anthropic",
    "stripe",
    "slack",
    "sk",
    "pk",
    "live",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "local",
    "internal",
    "external",
    "session",
    "cookie",
    "csrf",
    "xsrf",
    "refresh",
    "encryption",
    "signing",
    "shared",
    "webhook",
    "field",
    "param",
    "parameter",
    "arg",
    "input",
    "type",
    "prompt",
    "ask",
    "see",
    "docs",
    "get",
    "getenv",
    "environ",
    "of",
    "and",
    "or",
    "be",
    "must",
    "should",
    "same",
    "other",
    "ignored",
    "anything",
    "something",
    "whatever",
    "nothing",
    "blah",
];

/// Does `text` only stand for a secret? Templates (`${X}`, `<x>`, `{{x}}`, `%s`, `$X`), placeholder words with no more
/// than a counter beside them, one byte repeated, alphabets and digits written out.
#[must_use]
pub fn is_placeholder(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    is_template(text) || is_run(text) || is_hollow(text) || holds_marker(text)
}

fn is_template(text: &[u8]) -> bool {
    let contains = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    let enclosed = match (text.first(), text.last()) {
        (Some(b'<'), Some(b'>')) | (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => true,
        (Some(b'%'), Some(b'%')) | (Some(b'_'), Some(b'_')) | (Some(b'@'), Some(b'@')) => text.len() > 3,
        _ => false,
    };
    let variable = text.first() == Some(&b'$')
        && text.get(1..).is_some_and(|name| {
            name.starts_with(b"{")
                || name.starts_with(b"(")
                || (name.first().is_some_and(u8::is_ascii_alphabetic)
                    && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                    && (name.iter().all(|byte| !byte.is_ascii_lowercase()) || looks(name).wordlike()))
        });
    let format =
        text.starts_with(b"%") && text.len() <= 4 && text.last().is_some_and(u8::is_ascii_alphabetic);
    enclosed
        || variable
        || format
        || [&b"${"[..], b"{{", b"}}", b"$(", b"<%", b"#{", b"%(", b"...", b"****"]
            .iter()
            .any(|part| contains(part))
        || text.contains(&b'\xE2') && contains("…".as_bytes())
}

/// One or two bytes nearly throughout, or a run of the alphabet or the digits.
fn is_run(text: &[u8]) -> bool {
    let mut counts = [0_usize; 256];
    for byte in text {
        counts[usize::from(byte.to_ascii_lowercase())] += 1;
    }
    let mut kinds = 0;
    let mut most = 0;
    for count in counts.iter().filter(|count| **count > 0) {
        kinds += 1;
        most = most.max(*count);
    }
    let steps =
        text.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1) || pair[1] == pair[0]).count();
    let len = text.len();
    len > 2 && (kinds == 1 || (len > 7 && (kinds <= 2 || most * 3 >= len * 2 || steps * 5 >= (len - 1) * 4)))
}

/// All words are hollow, and what is beside them is a short counter.
fn is_hollow(text: &[u8]) -> bool {
    let mut letters = 0;
    let mut longest = 0;
    let mut digits = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match class(byte) {
            Class::Lower | Class::Upper => {
                let end = word_end(text, at);
                if !is_hollow_word(text.get(at..end).unwrap_or(&[])) {
                    return false;
                }
                letters += end - at;
                longest = longest.max(end - at);
                at = end;
                continue;
            }
            Class::Digit => digits += 1,
            Class::Symbol if b"_-. :/#,'\"()[]<>".contains(&byte) => {}
            Class::Symbol => return false,
        }
        at += 1;
    }
    longest > 2 && digits <= 4 && letters > digits
}

/// Where the word that begins at `at` ends: at a change of case that begins another, or at what is no letter.
fn word_end(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let (Some(before), Some(here)) = (text.get(end - 1), text.get(end)) {
        let next_is_lower = text.get(end + 1).is_some_and(u8::is_ascii_lowercase);
        let hump = here.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower);
        if !here.is_ascii_alphabetic() || hump {
            break;
        }
        end += 1;
    }
    end
}

/// One of [`HOLLOW`], or two of them in one.
fn is_hollow_word(word: &[u8]) -> bool {
    let known = |part: &[u8]| HOLLOW.iter().any(|hollow| hollow.as_bytes().eq_ignore_ascii_case(part));
    let one_letter = word.iter().all(|byte| byte.eq_ignore_ascii_case(&word[0]));
    known(word)
        || (one_letter && word.len() > 2)
        || (3..word.len().saturating_sub(1)).any(|cut| {
            word.split_at_checked(cut)
                .is_some_and(|(head, tail)| known(head) && known(tail) && tail.len() > 1)
        })
}

/// Something inside says that this is no secret, whatever is around it.
fn holds_marker(text: &[u8]) -> bool {
    const MARKERS: &[&str] = &[
        "example",
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "replace_me",
        "replace-me",
        "your_",
        "your-",
        "xxxxx",
        "redacted",
        "dummy",
        "_here",
        "-here",
        "insert_",
        "abcdefgh",
        "123456789012",
        "00000000",
        "1234567890abcdef",
        "deadbeef",
        "undefined",
        "not-a-real",
        "not_a_real",
        "not-real",
        "fake",
    ];
    let lower = text.to_ascii_lowercase();
    MARKERS.iter().any(|marker| memchr::memmem::find(&lower, marker.as_bytes()).is_some())
}

/// The opposite of [`is_placeholder`].
pub(super) fn not_placeholder(text: &[u8]) -> bool {
    !is_placeholder(text)
}

/// Has a digit: most random tokens do, words don't.
pub(super) fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// Digits and letters both, and no placeholder.
pub(super) fn mixed(text: &[u8]) -> bool {
    let looks = looks(text);
    let hexadecimal = text.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    looks.digits > 0
        && looks.letters() > 0
        && (hexadecimal || !looks.wordlike())
        && !is_run(text)
        && !holds_marker(text)
}

/// Lower, upper and digits, and not words: a token in base 62 or 64 that has no prefix of its own.
pub(crate) fn token_like(text: &[u8]) -> bool {
    let looks = looks(text);
    looks.lower > 0
        && looks.upper > 0
        && looks.digits > 0
        && !looks.wordlike()
        && !is_run(text)
        && !holds_marker(text)
}

/// What could be the value of a key, token or secret: random, and no name, path, version, date or number.
pub(crate) fn key_like(text: &[u8]) -> bool {
    let looks = looks(text);
    let len = text.len();
    if len < 8 || text.contains(&b' ') || is_placeholder(text) || is_reference(text) {
        return false;
    }
    let hexadecimal = text.iter().all(u8::is_ascii_hexdigit);
    if looks.letters() == 0 && looks.symbols < 2 {
        return false;
    }
    if hexadecimal {
        return len >= 16 && looks.digits > 0 && entropy(text) > 2.5;
    }
    if is_uuid(text) {
        return true;
    }
    let strong_symbols = looks.symbols - text.iter().filter(|byte| b"+=~".contains(byte)).count();
    if strong_symbols > 0 {
        return password_like(text) && (looks.digits > 0 || len >= 16);
    }
    let random = !looks.wordlike() && !is_version_or_date(text);
    let enough = match len {
        0..=11 => looks.digits > 1 && looks.changes > 2 && entropy(text) > 2.7,
        12..=19 => looks.digits > 0 && looks.changes > 1 && entropy(text) > 2.9,
        _ => entropy(text) > 3.1 && (looks.digits > 0 || (looks.upper > 3 && looks.lower > 3)),
    };
    random && enough
}

/// What could be a password that somebody chose or a program made: two classes of characters or more, and no name,
/// template, path or word.
pub(crate) fn password_like(text: &[u8]) -> bool {
    let looks = looks(text);
    let len = text.len();
    if len < 5
        || text.contains(&b' ')
        || is_placeholder(text)
        || is_reference(text)
        || is_version_or_date(text)
    {
        return false;
    }
    let name = looks.symbols == 0 && looks.digits == 0;
    if name {
        // Letters and joints only: a name, unless it can't be read.
        return looks.letters() >= 8
            && looks.upper > 1
            && looks.lower > 1
            && looks.pairs >= 5
            && looks.common * 100 < looks.pairs * 60
            && looks.joints < 2;
    }
    if looks.letters() == 0 && looks.symbols == 0 {
        return (6..=16).contains(&len) && looks.joints == 0;
    }
    let closing = text.iter().filter(|byte| b"(){}[]<>;,'\"`|\\".contains(byte)).count();
    if closing > 1 && (looks.digits == 0 || closing * 4 > len) {
        return false;
    }
    if looks.symbols == 0 {
        return looks.letters() + looks.digits > 4;
    }
    looks.letters() + looks.digits >= 3
}

/// Refers to a secret kept elsewhere, or to code: a path, an address, a call, members of a thing.
#[expect(clippy::too_many_lines, reason = "one list of shapes")]
fn is_reference(text: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "http://",
        "https://",
        "file:",
        "arn:",
        "projects/",
        "op://",
        "vault:",
        "secret:",
        "secrets.",
        "env.",
        "env:",
        "process.env",
        "os.environ",
        "${",
        "$(",
        "/",
        "./",
        "../",
        "~/",
        "c:\\",
        "self.",
        "this.",
        "config.",
        "cfg.",
        "settings.",
        "options.",
        "params.",
        "args.",
        "request.",
        "req.",
        "ctx.",
        "data.",
        "var.",
        "local.",
        "module.",
        "!ref",
        "!sub",
        "enc(",
        "{cipher}",
        "urn:",
        "resolve:",
        "ssm:",
        "aws-sm",
        "keyvault",
        "function",
        "lambda",
        "new ",
        "return",
        "import",
        "--",
        "::",
        "sha256:",
        "sha256-",
        "sha1:",
        "sha1-",
        "sha512:",
        "sha512-",
        "sha384-",
        "md5:",
    ];
    let starts =
        |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()));
    // `@name@`, `&anchor`, `*alias`: a sign and a word.
    let sign = matches!(text.first(), Some(b'@' | b'&' | b'*'))
        && text.iter().skip(1).all(|byte| byte.is_ascii_alphanumeric() || b"_-.@".contains(byte))
        && !text.iter().any(u8::is_ascii_digit);
    if sign || STARTS.iter().any(|start| starts(start)) {
        // A base64 value may start with `/`: what doesn't read like words is no path.
        let looks = looks(text);
        return !(text.first() == Some(&b'/') && looks.digits > 0 && looks.upper > 0 && !looks.wordlike());
    }
    let call =
        text.contains(&b'(') && (text.last() == Some(&b')') || text.windows(2).any(|pair| pair == b"()"));
    let scoped = text.windows(2).any(|pair| pair == b"::" || pair == b"->");
    let mut parts = text.split(|byte| *byte == b'.');
    let members = text.contains(&b'.')
        && parts.all(|part| {
            let first_is_letter =
                part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
            let plain = part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_[]\"'()".contains(byte));
            let looks = looks(part);
            first_is_letter && plain && (part.len() < 4 || looks.wordlike() || looks.digits == 0)
        });
    call || scoped || members
}

/// `1.22.3-rc1`, `2026-11-22T10:00:00Z`, `10.2.3.4`.
fn is_version_or_date(text: &[u8]) -> bool {
    let start = usize::from(matches!(text.first(), Some(b'v' | b'V')));
    let digits_and_joints =
        text.iter().skip(start).take_while(|byte| byte.is_ascii_digit() || b".-:/T ".contains(byte)).count();
    let joints = text.iter().filter(|byte| b".-:/".contains(byte)).count();
    text.get(start).is_some_and(u8::is_ascii_digit)
        && joints > 1
        && digits_and_joints * 3 >= text.len() * 2
        && text.len() < 32
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(super) fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
