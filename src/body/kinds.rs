//! What bytes are, told by their first.

/// Signatures of formats that are no text, or that hold their text where no rule would find it.
pub(crate) const MAGIC: &[&[u8]] = &[
    b"%PDF-",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"RIFF",
    b"OggS",
    b"ID3",
    b"fLaC",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
    b"PAR1",
    b"PARE",
    b"ARROW1",
    b"\x28\xb5\x2f\xfd",
    b"\x7fELF",
    b"II*\0",
    b"MM\0*",
    b"OTTO",
    b"wOF",
    b"SQLite format 3",
    b"Obj\x01",
    b"\x93NUMPY",
    b"\x89HDF",
    b"\x1a\x45\xdf\xa3",
    b"8BPS",
    b"\0asm",
    b"#!AMR",
];

/// A format with a signature: an image, sound, a document, an archive.
pub(crate) fn is_medium(bytes: &[u8]) -> bool {
    let at = |from: usize, expected: &[u8]| bytes.get(from..from + expected.len()) == Some(expected);
    MAGIC.iter().any(|magic| at(0, magic))
        // ISO base media: MP4, HEIC, AVIF.
        || at(4, b"ftyp") && at(0, b"\0\0")
        // A bitmap, whose reserved bytes are zero.
        || at(0, b"BM") && at(6, b"\0\0\0\0")
        // Frames of MPEG audio and of AAC without a container: sync, layer, and a rate that there is. Little enough
        // that a short key could begin so.
        || bytes.len() >= 300 && matches!(bytes, [0xff, 0xf1..=0xf3 | 0xf9..=0xfb, rate, _, ..] if rate >> 4 != 0xf && rate >> 2 & 3 != 3)
}

/// Text in UTF-8, of which the last character may be cut.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    whole
        && bytes
            .iter()
            .all(|byte| *byte >= b' ' && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

const fn is_control(c: char) -> bool {
    (c < ' ' || c == '\x7f') && !matches!(c, '\t' | '\n' | '\r' | '\x0c' | '\x1b')
}

/// Whether bytes are text but for a few of them.
pub(crate) fn is_nearly_text(bytes: &[u8]) -> bool {
    let characters = bytes.iter().filter(|byte| byte.is_ascii() && !is_control(char::from(**byte))).count();
    characters >= bytes.len() - bytes.len() / 4
}

/// The texts in bytes that are none as a whole: all of what is nearly text, of other bytes what is too long to be chance.
pub(crate) fn texts_in(bytes: &[u8]) -> impl Iterator<Item = &str> {
    const LEAST: usize = 16;
    let least = if is_nearly_text(bytes) { 1 } else { LEAST };
    let parts = bytes.utf8_chunks().flat_map(|chunk| chunk.valid().split(is_control));
    parts.filter(move |part| part.len() >= least)
}

/// ASCII that is written in two or four bytes a character, in one.
pub(crate) fn narrowed(bytes: &[u8]) -> Option<Vec<u8>> {
    let half = |from: usize| bytes.iter().skip(from).step_by(2);
    let nothing = |from: usize| {
        let zeros = half(from).filter(|byte| **byte == 0).count();
        zeros >= 4 && zeros >= half(from).count() - half(from).count() / 4
    };
    let from = usize::from(!nothing(1));
    if bytes.len() < 8 || !nothing(1 - from) {
        return None;
    }
    let narrow: Vec<u8> = half(from).copied().collect();
    narrowed(&narrow).or(Some(narrow))
}

/// A vector of 32-bit floats as embeddings are: all of moderate size. By chance one float in seven looks so.
pub(crate) fn is_floats(bytes: &[u8]) -> bool {
    let floats =
        bytes.chunks_exact(4).map(|four| four.iter().rev().fold(0_u32, |n, byte| n << 8 | u32::from(*byte)));
    let mut plausible = floats
        .map(|bits| bits == 0 || matches!(f32::from_bits(bits).abs(), size if (1e-9..=64.0).contains(&size)));
    bytes.len() >= 128 && bytes.iter().any(|byte| *byte != 0) && plausible.all(|yes| yes)
}
