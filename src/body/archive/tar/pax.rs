//! The records of a pax header: `length key=value\n`.

use std::collections::HashSet;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// Reads records. None: they are none.
pub(super) fn read(mut text: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    let mut known = HashSet::new();
    while !text.is_empty() {
        let space = text.iter().take(20).position(|byte| *byte == b' ')?;
        let length = std::str::from_utf8(text.get(..space)?).ok()?;
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let length: usize = length.parse().ok()?;
        let record = text.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        let key = record.get(..equals)?;
        let value = record.get(equals + 1..)?.to_vec();
        if key.is_empty() || !known.insert(key) {
            return None;
        }
        records.push(Record { key: key.to_vec(), value });
        text = text.get(length..)?;
    }
    Some(records)
}

/// Writes records.
pub(super) fn write(records: &[Record]) -> Vec<u8> {
    let mut out = Vec::new();
    for Record { key, value } in records {
        // The length counts its own digits.
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while rest + length.to_string().len() != length {
            length = rest + length.to_string().len();
        }
        out.extend_from_slice(format!("{length} ").as_bytes());
        out.extend_from_slice(key);
        out.push(b'=');
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    out
}
