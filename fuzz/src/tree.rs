//! JSON as another reader has it: what a document is made of, and every text in it.

use serde_json::Value;
use serde_json::value::RawValue;

/// Whether it is JSON, as `serde_json` says; it looks at surrogates only where it decodes.
pub fn is_json(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    if serde_json::from_str::<Box<RawValue>>(text).is_err() {
        return false;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(_) => true,
        Err(error) => {
            let said = error.to_string();
            !said.contains("surrogate") && !said.contains("hex escape")
        }
    }
}

/// A document without its spaces, its texts and its numbers: what censoring leaves as it is.
pub fn skeleton(json: &[u8]) -> String {
    let (mut out, mut rest) = (String::new(), json);
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'"' => {
                out.push('v');
                while let [byte, after @ ..] = rest {
                    rest = after;
                    match byte {
                        b'"' => break,
                        b'\\' => rest = rest.get(1..).unwrap_or_default(),
                        _ => {}
                    }
                }
            }
            b'-' | b'0'..=b'9' => {
                out.push('v');
                let more = |b: &&u8| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                rest = &rest[rest.iter().take_while(more).count()..];
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            byte => out.push(char::from(*byte)),
        }
    }
    out
}

/// Every text of a document, and of the documents in its texts.
pub fn texts(json: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    if let Ok(value) = serde_json::from_slice(json) {
        gather(&value, 0, &mut all);
    }
    all
}

fn gather(value: &Value, depth: usize, all: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if depth < 4
                && let Ok(inner) = serde_json::from_str::<Value>(text)
            {
                gather(&inner, depth + 1, all);
            }
            all.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, depth, all)),
        Value::Object(members) => {
            for (key, value) in members {
                all.push(key.clone());
                gather(value, depth, all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
