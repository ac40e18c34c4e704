//! What names the subject of a record, and whether it still stands in a text.
//!
//! A text names somebody whatever its spelling: names and text are compared without regard to case, accents, width, invisible
//! characters and the kind of space, and a number by its value.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::said::{Field, Said};

/// Shorter ids would be found by chance.
const SHORTEST: usize = 3;

/// Everything that names the subject of a record, or the record itself.
#[derive(Clone, Debug, Default)]
pub struct Names {
    folded: Vec<String>,
    numbers: Vec<f64>,
    /// Something names it that is no text or number, or a very long one: what to look for is not known.
    unknown: bool,
}

impl Names {
    /// Takes note of what stands at a place of the record.
    pub fn note(&mut self, field: Field, said: Said<'_>) {
        if !matches!(field, Field::Subject | Field::Identifier) {
            return;
        }
        match said {
            Said::Text(text) | Said::Number(text) => {
                let folded = fold(text);
                let folded = folded.trim();
                if folded.chars().count() < SHORTEST {
                    return;
                }
                self.numbers.extend(number(folded));
                self.folded.push(folded.to_owned());
            }
            Said::Composite | Said::TooLong => self.unknown = true,
            Said::Nothing | Said::Bool(_) => {}
        }
    }

    /// Whether one of them stands in a text by itself, or can't be looked for.
    #[must_use]
    pub fn stand_in(&self, text: &[u8]) -> bool {
        if self.unknown {
            return true;
        }
        if self.folded.is_empty() {
            return false;
        }
        let text = fold(&String::from_utf8_lossy(text));
        self.folded.iter().any(|name| is_in(&text, name)) || self.is_counted_in(&text)
    }

    /// Whether a number of the text is one of them, however it is written.
    fn is_counted_in(&self, text: &str) -> bool {
        if self.numbers.is_empty() {
            return false;
        }
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | ',' | '_');
        text.split(|c: char| !part(c)).any(|word| {
            let plain: String = word.chars().filter(|c| !matches!(c, ',' | '_')).collect();
            [word.trim_end_matches(['.', ',']), plain.trim_end_matches('.')]
                .iter()
                .filter_map(|word| number(word))
                .any(|found| self.numbers.contains(&found))
        })
    }
}

/// The number that a text is. Words that Rust takes for numbers are none.
fn number(text: &str) -> Option<f64> {
    let begins = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    text.parse::<f64>().ok().filter(|number| begins && number.is_finite())
}

/// Whether a name stands in a text, with no letter or digit beside it.
fn is_in(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// A text as it is compared.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).flat_map(char::to_lowercase)
    {
        // Lower case may bring marks of its own (İ).
        match c {
            c if is_combining_mark(c) => {}
            c if c.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            c => folded.push(c),
        }
    }
    folded
}

/// Characters that are not seen between letters.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
