//! Random, unguessable ids in the shapes that the real API gives them.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `prefix` and `length` random letters and digits.
pub(super) fn letters(prefix: &str, length: usize) -> String {
    // 8 bits onto 62 letters is a little uneven; unguessable all the same.
    let tail = random(length).into_iter().map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    prefix.chars().chain(tail).collect()
}

/// `prefix` and `length` random hexadecimal digits.
pub(super) fn hex(prefix: &str, length: usize) -> String {
    let mut text = data_encoding::HEXLOWER.encode(&random(length.div_ceil(2)));
    text.truncate(length);
    text.insert_str(0, prefix);
    text
}

/// `length` random bytes.
pub(super) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        // Without the system's randomness ids need only still differ from one another.
        let mut seed = uuid::Uuid::now_v7().as_u128();
        for byte in &mut bytes {
            seed = seed.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
            *byte = (seed >> 96) as u8;
        }
    }
    bytes
}
