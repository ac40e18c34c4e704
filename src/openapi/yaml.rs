//! Texts as they may stand in the draft's YAML.

use std::fmt::Write as _;

/// A text as a YAML scalar: as it is where that is safe, else between quotation marks.
pub(super) fn scalar(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];
    if starts && text.chars().all(plain) && !words.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    quoted(text)
}

/// Between quotation marks. JSON's escapes are YAML's too; what YAML does not print is escaped besides.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in serde_json::Value::from(text).to_string().chars() {
        if matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') {
            let _ = write!(quoted, "\\u{:04x}", u32::from(c));
        } else {
            quoted.push(c);
        }
    }
    quoted
}

/// A flow sequence.
pub(super) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let all: Vec<String> = texts.iter().map(|text| scalar(text.as_ref())).collect();
    format!("[{}]", all.join(", "))
}

/// A text that can't end the line of its comment.
pub(super) fn comment(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect();
    line.trim().chars().take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::{comment, scalar};

    #[test]
    fn every_text_comes_back() {
        for text in [
            "a",
            "/data/*/id",
            "on",
            "No",
            "1",
            "",
            "a: b",
            "it's",
            "a #b",
            "\"",
            "\\",
            "ü\n\u{7f}x",
            "{x}",
            "~",
            "-",
        ] {
            let line = format!("{{a: {}}}", scalar(text));
            let read: std::collections::BTreeMap<String, String> = serde_saphyr::from_str(&line).unwrap();
            assert_eq!(read["a"], text, "{line}");
        }
        assert_eq!(comment("a\nb: {c}\r\u{2028}d\n"), "a b: {c}  d");
    }
}
