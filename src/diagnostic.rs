//! What is wrong in a file that an operator wrote: where, what, and what would be right.

use std::fmt;

use serde::de::DeserializeOwned;

/// One error in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as the operator named it.
    pub file: String,
    /// Line, from 1; 0 if the error belongs to the file as a whole.
    pub line: u64,
    /// Column in characters, from 1; 0 as for the line.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What would be right: allowed values, the nearest name.
    pub help: Option<String>,
    /// The line's text, for the caret. None where the line may hold a secret.
    pub source: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn at(file: &str, location: serde_saphyr::Location, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: location.line(),
            column: location.column(),
            message: message.into(),
            help: None,
            source: None,
        }
    }

    /// An error of the file as a whole.
    #[must_use]
    pub fn whole(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, message: message.into(), help: None, source: None }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the line's text from the file's.
    #[must_use]
    pub fn with_source(mut self, text: &str) -> Self {
        let index = usize::try_from(self.line).unwrap_or(0).checked_sub(1);
        self.source = index.and_then(|i| lines(text).nth(i)).map(without_secrets);
        self
    }
}

/// The lines of a text. They end at LF, CR, or both, as YAML counts them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// A line of a file as it may be shown. Whatever could be a key that was written where it does not belong becomes as
/// many `*`, so that the caret stays in its place.
fn without_secrets(line: &str) -> String {
    let of_a_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '=');
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(|c| !of_a_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word);
        let has = |what: fn(&u8) -> bool| word.as_bytes().iter().any(what);
        if word.len() >= SECRET && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) {
            shown.extend(std::iter::repeat_n('*', word.len()));
        } else {
            shown.push_str(word);
        }
        let mut after = after.chars();
        shown.extend(after.next());
        rest = after.as_str();
    }
    shown
}

/// From how many characters on a word of letters and digits is taken for a secret.
const SECRET: usize = 16;

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(source) = &self.source {
            let column = usize::try_from(self.column).unwrap_or(1).max(1);
            write!(f, "\n  |\n  | {source}\n  | {:>column$}", "^")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// A message with these words is about a line that may hold a secret.
pub const NEVER_SHOWN: &str = "never written here";

/// Reads a YAML text into a closed type. Unknown keys get the nearest known one as help.
///
/// # Errors
/// Says where the text is not what the type allows.
pub fn from_yaml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Diagnostic> {
    serde_saphyr::from_str(text).map_err(|error| {
        let location = error.location();
        let message = without_secrets(&plain(&error));
        let mut diagnostic = match location {
            // A secret that was written in place of its reference must not be shown.
            Some(location) if message.contains(NEVER_SHOWN) => Diagnostic::at(file, location, message),
            Some(location) => Diagnostic::at(file, location, message).with_source(text),
            None => Diagnostic::whole(file, message),
        };
        diagnostic.help = nearest_of(&diagnostic.message);
        diagnostic
    })
}

/// The error's sentence without the place and the picture that its crate draws around it.
fn plain(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.split(" at line ").next().unwrap_or(first);
    let first = first.strip_prefix("error: ").unwrap_or(first);
    match first.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((_, message)) => message.to_owned(),
        None => first.to_owned(),
    }
}

/// `unknown field \`limt\`, expected one of ...` gets its nearest neighbour.
fn nearest_of(message: &str) -> Option<String> {
    let (wrong, rest) = message.split_once('`')?.1.split_once('`')?;
    let (_, expected) = rest.split_once("expected ")?;
    let expected = expected.strip_prefix("one of ").unwrap_or(expected);
    let names = expected.split([',', ' ']).map(|n| n.trim_matches('`')).filter(|n| !n.is_empty());
    nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

/// The name nearest to `wrong`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(wrong.len()) / 4)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
