//! What replacements leave in a text, so that censoring it again changes nothing more.
//!
//! Where a replacement stands, stood a value when the text was first looked at, and what is near it was judged by
//! that. So a finding near a replacement must be one however the replacement is read: as the sign that it begins
//! and ends with, or as a word. A replacement ends the look for context words, and is never a value itself.

use std::collections::BTreeSet;

use super::bytes::Beside;

/// Longest label.
pub(super) const LABEL_MAX: usize = 40;
/// Longest replacement that is told from others by its form.
pub(super) const MARK_MAX: usize = LABEL_MAX + 28;
/// Fewest stars of a masked value.
pub(super) const STARS: &[u8] = b"****";

/// The labels of every rule that there is.
#[derive(Debug, Default)]
pub(super) struct Labels(BTreeSet<Box<str>>);

impl FromIterator<String> for Labels {
    fn from_iter<I: IntoIterator<Item = String>>(labels: I) -> Self {
        Self(labels.into_iter().map(String::into_boxed_str).collect())
    }
}

const fn in_label(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Fewest characters of a label: with the `_` behind it, a name has to begin with what the prefilter can look for.
const LABEL_MIN: usize = 3;

/// Can this be the label of what replaces a finding?
#[must_use]
pub fn is_label(text: &str) -> bool {
    (LABEL_MIN..=LABEL_MAX).contains(&text.len()) && text.bytes().all(in_label)
}

/// RFC 4648 section 6.
pub(super) const fn is_base32(byte: u8) -> bool {
    byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7')
}

impl Labels {
    fn has(&self, bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|label| self.0.contains(label))
    }

    /// Where a bracketed label begins that ends with the `]` at `close`.
    fn open_of(&self, text: &[u8], close: usize) -> Option<usize> {
        let low = close.saturating_sub(LABEL_MAX + 1);
        let inner = text.get(low..close)?;
        let open = inner.iter().rposition(|b| !in_label(*b)).filter(|at| inner.get(*at) == Some(&b'['))?;
        self.has(inner.get(open + 1..)?).then_some(low + open)
    }

    /// Could a bracketed label or a masked value begin here, as far as the text goes?
    pub(super) fn may_begin(&self, text: &[u8], at: usize) -> bool {
        match text.get(at..).and_then(<[u8]>::split_first) {
            Some((b'[', inner)) => inner.len() <= LABEL_MAX && inner.iter().all(|b| in_label(*b)),
            Some((b'*', rest)) => rest.len() < STARS.len() - 1 && rest.iter().all(|b| *b == b'*'),
            _ => false,
        }
    }

    /// The text with letters written over bracketed labels and stars, if there are any.
    pub(super) fn covered(&self, text: &[u8]) -> Option<Vec<u8>> {
        let closes = memchr::memchr_iter(b']', text);
        let labels = closes.filter_map(|close| Some(self.open_of(text, close)?..close + 1));
        let mut ranges: Vec<std::ops::Range<usize>> = labels.collect();
        let mut at = 0;
        while let Some(star) = text.get(at..).and_then(|rest| memchr::memchr(b'*', rest)) {
            at += star;
            let run = text.iter().skip(at).take_while(|byte| **byte == b'*').count();
            if run >= STARS.len() {
                ranges.push(at..at + run);
            }
            at += run;
        }
        if ranges.is_empty() {
            return None;
        }
        let mut text = text.to_vec();
        for range in ranges {
            text.get_mut(range).unwrap_or_default().fill(b'x');
        }
        Some(text)
    }

    /// The end of the window that no replacement stands in.
    pub(super) fn after_last<'a>(&self, window: &'a [u8]) -> &'a [u8] {
        let last = memchr::memrchr_iter(b']', window).find(|close| self.open_of(window, *close).is_some());
        last.and_then(|close| window.get(close + 1..)).unwrap_or(window)
    }

    /// Does the value hold what a replacement left, or a part of it?
    pub(super) fn touch(&self, text: &[u8], start: usize, end: usize, complete: bool) -> Beside {
        let part = |b: &u8| in_label(*b) || matches!(b, b'[' | b']' | b'*');
        let before = text.get(start.saturating_sub(MARK_MAX)..start).unwrap_or_default();
        let before = before.iter().rev().take_while(|b| part(b)).count();
        let behind = text.get(end..).unwrap_or_default();
        let len = behind.iter().take(MARK_MAX).take_while(|b| part(b)).count();
        if self.within(text.get(start - before..end + len).unwrap_or_default()) {
            Beside::Taken
        } else if len == behind.len() && len < MARK_MAX && !complete {
            Beside::Unknown
        } else {
            Beside::Free
        }
    }

    /// Does the text hold what a replacement left?
    pub(super) fn within(&self, value: &[u8]) -> bool {
        // Stars, a bracket, or what joins a label and a name: most values have none of them.
        if memchr::memchr3(b'*', b'[', b'_', value).is_none() {
            return false;
        }
        if value.windows(STARS.len()).any(|w| w == STARS) {
            return true;
        }
        let mut at = 0;
        while at < value.len() {
            let run = value.get(at..).unwrap_or_default();
            let len = run.iter().take_while(|b| in_label(**b)).count();
            let run = run.get(..len).unwrap_or_default();
            if len > 2 && (self.is_name(run) || (in_brackets(value, at, len) && self.has(run))) {
                return true;
            }
            at += len + 1;
        }
        false
    }

    /// `LABEL_ABCDEFGH`: what `hash` and `pseudonym` leave.
    fn is_name(&self, run: &[u8]) -> bool {
        let Some(at) = run.iter().rposition(|b| *b == b'_') else { return false };
        let (label, name) = (run.get(..at).unwrap_or_default(), run.get(at + 1..).unwrap_or_default());
        name.len() >= 8 && name.iter().all(|b| is_base32(*b)) && self.has(label)
    }
}

fn in_brackets(value: &[u8], at: usize, len: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| value.get(i));
    before == Some(&b'[') && value.get(at + len) == Some(&b']')
}
