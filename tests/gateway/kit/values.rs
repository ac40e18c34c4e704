//! Secrets and forms that stand in no file: they are put together here.

use std::sync::atomic::{AtomicU64, Ordering};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Letters and digits that are the same for the same seed.
pub(crate) fn letters(mut seed: u64, length: usize) -> String {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(LETTERS[usize::try_from(seed >> 33).unwrap() % LETTERS.len()])
    };
    (0..length).map(|_| next()).collect()
}

/// A text that is found again wherever it went, and no other test has.
pub(crate) fn mark() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("mark-{}", letters(NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9), 12))
}

/// A GitHub token: 30 letters and the CRC-32 of them in six digits of base 62.
pub(crate) fn token(seed: u64) -> String {
    let body = letters(seed ^ 0x5a5a, 30);
    let mut sum = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = LETTERS[(sum % 62) as usize];
        sum /= 62;
    }
    ["g", "hp_", &body, &String::from_utf8_lossy(&digits)].concat()
}

/// A mail address.
pub(crate) fn mail(name: &str) -> String {
    [name, "mail-desk.com"].join("@")
}

/// The boundary of `form`.
pub(crate) const FORM: &str = "multipart/form-data; boundary=cut-here";

/// A form of fields; those with a file name are files.
pub(crate) fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, value) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend(
            format!("--cut-here\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n")
                .into_bytes(),
        );
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut-here--\r\n");
    body
}

/// A form that uploads a file.
pub(crate) fn upload(purpose: &str, name: &str, file: &[u8]) -> super::Ask {
    let body = form(&[("purpose", None, purpose.as_bytes()), ("file", Some(name), file)]);
    super::Ask::new("POST", "/v1/files").typed(FORM, body)
}

/// One record for training.
pub(crate) fn record(text: &str) -> Vec<u8> {
    let record = serde_json::json!({"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}]});
    format!("{record}\n").into_bytes()
}

/// A chat of one message.
pub(crate) fn chat(text: &str) -> serde_json::Value {
    serde_json::json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]})
}
