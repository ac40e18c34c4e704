//! Base64 (RFC 4648, sections 4 and 5), read as leniently as its readers do: both alphabets, with line breaks.

/// The bits of a letter.
pub(super) const fn bits(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Of every byte: 1 for a letter, 2 for a line break, 4 for padding.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = match at as u8 {
            b'\r' | b'\n' => 2,
            b'=' => 4,
            byte if bits(byte).is_some() => 1,
            _ => 0,
        };
        at += 1;
    }
    table
};

pub(super) fn is_letter(byte: u8) -> bool {
    CLASS[usize::from(byte)] == 1
}

/// How many bytes at the start can belong to base64.
pub(super) fn run(text: &[u8]) -> usize {
    text.iter().take_while(|byte| CLASS[usize::from(**byte)] != 0).count()
}

/// How many bytes go on as base64, behind whose padding there are only line breaks.
pub(super) fn follow(text: &[u8], ended: &mut bool) -> usize {
    let letters = match *ended {
        true => 0,
        false => text.iter().take_while(|byte| CLASS[usize::from(**byte)] & 3 != 0).count(),
    };
    let rest = text.get(letters..).unwrap_or_default();
    *ended |= rest.first() == Some(&b'=');
    let end =
        if *ended { rest.iter().take_while(|byte| CLASS[usize::from(**byte)] & 6 != 0).count() } else { 0 };
    letters + end
}

/// Appends the bytes that letters stand for, as far as they are whole. False: it is no base64.
pub(super) fn decode(text: &[u8], bytes: &mut Vec<u8>) -> bool {
    let (mut group, mut count, mut ended) = (0_u32, 0, false);
    for byte in text {
        match bits(*byte) {
            Some(_) if ended => return false,
            Some(bits) => {
                group = group << 6 | u32::from(bits);
                count += 1;
                if count == 4 {
                    bytes.extend_from_slice(group.to_be_bytes().get(1..).unwrap_or_default());
                    (group, count) = (0, 0);
                }
            }
            None => ended |= *byte == b'=',
        }
    }
    true
}
