//! The secrets that leak on purpose. They are assembled at run time, so that no file of the
//! repository holds anything that looks like one; nothing anywhere accepts them.

use serde_json::{Value, json};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` letters and digits that are the same for the same seed.
fn letters(mut seed: u64, length: usize) -> String {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(LETTERS[usize::try_from(seed >> 33).unwrap_or_default() % LETTERS.len()])
    };
    (0..length).map(|_| next()).collect()
}

/// A key in the old shape of an OpenAI key: 20 letters, a marker, 20 letters. Made from a seed, so that
/// each training file leaks another one.
pub(super) fn provider_key(seed: u64) -> String {
    ["s", "k-", &letters(seed, 20), "T3Blb", "kFJ", &letters(!seed, 20)].concat()
}

/// A GitHub token: 30 letters and the CRC-32 of them in six digits of base 62.
pub(super) fn repository_token(seed: u64) -> String {
    let body = letters(seed ^ 0x5a5a, 30);
    let mut sum = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = LETTERS[(sum % 62) as usize];
        sum /= 62;
    }
    ["g", "hp_", &body, &String::from_utf8_lossy(&digits)].concat()
}

/// What the model that can't keep a secret says.
pub(super) fn confession() -> String {
    format!(
        " By the way, the deployment key is {} and the token {}; write to {} about it.",
        provider_key(7),
        repository_token(7),
        ["ops.lead", "sandbox-mail.com"].join("@"),
    )
}

/// A number from a text, for a seed.
pub(super) fn seed(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What the model `sandbox-leaky` and each job leak, for the control side. A job's values are made
/// from the id of its training file: `provider_key(seed(id))` and `repository_token(seed(id))`.
pub(super) fn described() -> Value {
    json!({
        "model": "sandbox-leaky",
        "says": confession(),
        "values": [provider_key(7), repository_token(7)],
    })
}
