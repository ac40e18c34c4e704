//! `Content-Usage` (draft-ietf-aipref-attach, vocabulary draft-ietf-aipref-vocab): an RFC 9651 dictionary whose
//! `train-ai` key holds the token `y` or `n`. Unknown keys and other value types are ignored; a dictionary that
//! does not parse says nothing. `train-genai` is taken as an old spelling.

use http::HeaderMap;

/// What somebody says of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// Nothing.
    Unknown,
    /// Yes.
    Allowed,
    /// No.
    Disallowed,
}

/// Reads what a message says of training. Any `n` wins.
#[must_use]
pub fn train_preference(headers: &HeaderMap) -> Preference {
    let mut found = Preference::Unknown;
    for value in headers.get_all("content-usage") {
        match value.to_str().map_or(Preference::Unknown, preference_of) {
            Preference::Disallowed => return Preference::Disallowed,
            Preference::Allowed => found = Preference::Allowed,
            Preference::Unknown => {}
        }
    }
    found
}

/// Reads what one dictionary says of training. Any `n` wins.
pub(super) fn preference_of(text: &str) -> Preference {
    let mut found = Preference::Unknown;
    for member in text.split(',') {
        let member = member.split(';').next().unwrap_or_default();
        let Some((key, value)) = member.split_once('=') else { continue };
        if !matches!(key.trim(), "train-ai" | "train-genai") {
            continue;
        }
        match value.trim() {
            "n" => return Preference::Disallowed,
            "y" => found = Preference::Allowed,
            _ => {}
        }
    }
    found
}
