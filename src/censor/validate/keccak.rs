//! Keccak-256 with the padding of 2011 (Ethereum's), which is not the SHA3-256 that FIPS 202 standardised later and
//! that our crypto library offers: they differ in one padding byte.

/// Bytes absorbed per permutation: 1600 bits less twice the digest.
const RATE: usize = 136;

/// Keccak-256 of `message`.
pub(super) fn keccak256(message: &[u8]) -> [u8; 32] {
    let mut state = [0_u64; 25];
    let mut blocks = message.chunks_exact(RATE);
    for block in &mut blocks {
        absorb(&mut state, block);
    }
    let mut last = [0_u8; RATE];
    let rest = blocks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut out = [0; 32];
    for (target, lane) in out.chunks_exact_mut(8).zip(state) {
        target.copy_from_slice(&lane.to_le_bytes());
    }
    out
}

fn absorb(state: &mut [u64; 25], block: &[u8]) {
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        let mut word = [0; 8];
        word.copy_from_slice(bytes);
        *lane ^= u64::from_le_bytes(word);
    }
    permute(state);
}

/// Keccak-f[1600]: 24 rounds of theta, rho and pi, chi, iota (FIPS 202 section 3).
fn permute(lanes: &mut [u64; 25]) {
    let mut constant = 1_u8;
    for _ in 0..24 {
        let mut parity = [0_u64; 5];
        for (x, column) in parity.iter_mut().enumerate() {
            *column = (0..5).fold(0, |sum, y| sum ^ lanes[x + 5 * y]);
        }
        for (place, lane) in lanes.iter_mut().enumerate() {
            let x = place % 5;
            *lane ^= parity[(x + 4) % 5] ^ parity[(x + 1) % 5].rotate_left(1);
        }
        let (mut x, mut y, mut moving) = (1, 0, lanes[1]);
        for step in 0..24_u32 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            let turned = moving.rotate_left((step + 1) * (step + 2) / 2 % 64);
            moving = std::mem::replace(&mut lanes[x + 5 * y], turned);
        }
        for row in lanes.chunks_exact_mut(5) {
            let old = [row[0], row[1], row[2], row[3], row[4]];
            for (x, lane) in row.iter_mut().enumerate() {
                *lane = old[x] ^ (!old[(x + 1) % 5] & old[(x + 2) % 5]);
            }
        }
        lanes[0] ^= round_constant(&mut constant);
    }
}

/// The next round's constant: bits 2^j - 1 from a shift register over x^8 + x^6 + x^5 + x^4 + 1.
fn round_constant(register: &mut u8) -> u64 {
    let mut word = 0;
    for power in 0..7 {
        if *register & 1 == 1 {
            word |= 1_u64 << ((1 << power) - 1);
        }
        *register = (*register << 1) ^ (if *register & 0x80 == 0 { 0 } else { 0x71 });
    }
    word
}
