//! The differences between Go's regular expressions and those of `regex-syntax`, where one text would mean two things.

/// The expression as it is written here.
pub(super) fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    // Inside of `[…]`, and how many characters of it have been.
    let mut class: Option<usize> = None;
    while let Some(c) = rest.next() {
        let first = class.is_some_and(|seen| seen == 0);
        class = class.map(|seen| seen + usize::from(c != '^' || seen > 0));
        match (c, class) {
            ('\\', _) => match rest.next() {
                // The start and the end of a word there, plain signs in Go.
                Some(sign @ ('<' | '>')) => out.push(sign),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            ('[', None) => {
                out.push('[');
                class = Some(0);
            }
            // A class in a class there, a plain bracket in Go.
            ('[', Some(_)) if rest.peek() != Some(&':') => out.push_str("\\["),
            ('[', Some(_)) => {
                out.push('[');
                for c in rest.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            (']', Some(_)) if first => out.push_str("\\]"),
            (']', Some(_)) => {
                out.push(']');
                class = None;
            }
            // Differences of sets there, plain signs in Go.
            ('&' | '~', Some(_)) => out.extend(['\\', c]),
            ('-', Some(_)) if rest.peek() == Some(&'-') => out.push_str("\\-"),
            _ => out.push(c),
        }
    }
    out
}
