//! Events that carry a number (`sequence_number`) go up by it, also where an event had to be added for text that was held
//! back: the events behind an added one are numbered on.

use memchr::memmem;

const KEY: &[u8] = b"\"sequence_number\":";

/// The numbers of a stream.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    last: Option<u64>,
    added: u64,
}

impl Numbers {
    /// Numbers the events that begin at `from`. A stream that had nothing added keeps its bytes.
    pub(crate) fn apply(&mut self, out: &mut Vec<u8>, from: usize) {
        let mut at = from;
        while let Some(found) = out.get(at..).and_then(|rest| memmem::find(rest, KEY)) {
            let key = at + found;
            let mut start = key + KEY.len();
            while out.get(start) == Some(&b' ') {
                start += 1;
            }
            let digits = out.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
            at = start + digits;
            // Within a text the quote would be escaped.
            let quoted = key.checked_sub(1).and_then(|before| out.get(before)) == Some(&b'\\');
            let number = out.get(start..at).and_then(|d| std::str::from_utf8(d).ok()?.parse::<u64>().ok());
            let (Some(number), false) = (number, quoted) else { continue };
            let mut new = number.saturating_add(self.added);
            if let Some(last) = self.last.filter(|last| new <= *last) {
                self.added += 1;
                new = last + 1;
            }
            self.last = Some(new);
            if new != number {
                let text = new.to_string();
                out.splice(start..at, text.bytes());
                at = start + text.len();
            }
        }
    }
}
