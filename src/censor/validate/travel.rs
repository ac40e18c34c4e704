//! What is printed on travel documents and vehicles.

/// ICAO 9303 check digit: weights 7 3 1, letters from 10, `<` zero.
pub(super) fn icao_check(text: &[u8]) -> u32 {
    text.iter()
        .zip([7, 3, 1].iter().cycle())
        .map(|(byte, weight)| (*byte as char).to_digit(36).unwrap_or(0) * weight)
        .sum::<u32>()
        % 10
}

fn holds(field: &[u8], check: u8) -> bool {
    // An empty optional field may have `<` for its check digit.
    (check == b'<' && field.iter().all(|byte| *byte == b'<'))
        || u32::from(check.wrapping_sub(b'0')) == icao_check(field)
}

/// Machine-readable zone, one to three lines of ICAO 9303 (TD1, TD2, TD3): dates and document number check.
pub(super) fn mrz(text: &[u8]) -> bool {
    let lines: Vec<&[u8]> = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .collect();
    match lines.as_slice() {
        // Sizes TD3 and TD2: names above, numbers below.
        [names, numbers] if matches!(numbers.len(), 44 | 36) => {
            names.first().is_some_and(u8::is_ascii_uppercase) && numbers_line(numbers)
        }
        [numbers] if matches!(numbers.len(), 44 | 36) => numbers_line(numbers),
        [first, second, ..] if first.len() == 30 && second.len() == 30 => {
            holds(&first[5..14], first[14])
                && holds(&second[..6], second[6])
                && holds(&second[8..14], second[14])
        }
        _ => false,
    }
}

fn numbers_line(line: &[u8]) -> bool {
    holds(&line[..9], line[9]) && holds(&line[13..19], line[19]) && holds(&line[21..27], line[27])
}

/// Vehicle identification number with the North American check at place nine (49 CFR 565.15).
pub(super) fn vin(text: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    if text.len() != 17 || !text.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let mut sum = 0;
    for (byte, weight) in text.iter().zip(WEIGHTS) {
        let value = match byte.to_ascii_uppercase() {
            digit @ b'0'..=b'9' => u32::from(digit - b'0'),
            letter @ b'A'..=b'H' => u32::from(letter - b'A') + 1,
            letter @ (b'J'..=b'N' | b'P' | b'R') => u32::from(letter - b'J') + 1,
            letter @ b'S'..=b'Z' => u32::from(letter - b'S') + 2,
            _ => return false,
        };
        sum += value * weight;
    }
    b"0123456789X"[(sum % 11) as usize] == text[8].to_ascii_uppercase()
}
