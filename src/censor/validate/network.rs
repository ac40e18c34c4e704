//! Addresses of machines and places.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Last labels that look like a top-level domain and are file names, units or code.
const NOT_DOMAINS: &[&str] = &[
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "ico",
    "bmp",
    "css",
    "scss",
    "less",
    "html",
    "htm",
    "xml",
    "json",
    "yaml",
    "yml",
    "toml",
    "lock",
    "txt",
    "log",
    "csv",
    "pdf",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "tgz",
    "gz",
    "tar",
    "rar",
    "exe",
    "dll",
    "jar",
    "war",
    "class",
    "java",
    "cpp",
    "hpp",
    "tsx",
    "jsx",
    "mjs",
    "vue",
    "php",
    "rb",
    "swift",
    "kt",
    "service",
    "socket",
    "target",
    "timer",
    "mount",
    "slice",
    "scope",
    "device",
    "conf",
    "cfg",
    "ini",
    "bak",
    "tmp",
    "min",
    "map",
    "prototype",
    "length",
    "push",
    "get",
    "set",
    "value",
    "default",
    "self",
    "this",
    "mp3",
    "mp4",
    "wav",
    "avi",
    "mov",
];

/// An address of a mailbox: no empty label, a last label of letters that is no file extension, and not `git@`.
pub(super) fn email(text: &[u8]) -> bool {
    let Some(at) = text.iter().rposition(|byte| *byte == b'@') else { return false };
    let (local, domain) = (text.get(..at).unwrap_or(&[]), text.get(at + 1..).unwrap_or(&[]));
    let mut labels = domain.split(|byte| *byte == b'.');
    let last = labels.next_back().unwrap_or(&[]);
    let domain_holds = labels.clone().count() > 0
        && domain.len() <= 253
        && labels.all(|label| {
            !label.is_empty() && label.len() < 64 && label[0] != b'-' && label.last() != Some(&b'-')
        });
    let known_no = std::str::from_utf8(last)
        .is_ok_and(|last| NOT_DOMAINS.iter().any(|not| not.eq_ignore_ascii_case(last)));
    let last_holds = last.len() > 1 && last.iter().all(|byte| byte.is_ascii_alphabetic() || *byte > 127)
        || last.starts_with(b"xn--");
    let local_holds = !local.is_empty()
        && local.len() <= 64
        && !matches!(local.first(), Some(b'.'))
        && !local.ends_with(b".")
        && !local.windows(2).any(|pair| pair == b"..")
        && !local.eq_ignore_ascii_case(b"git");
    domain_holds && last_holds && !known_no && local_holds
}

/// Any address, v4 or v6, that names one machine for others.
pub(super) fn ip_public(text: &[u8]) -> bool {
    match address(text) {
        Some(IpAddr::V4(v4)) => public_v4(v4),
        Some(IpAddr::V6(v6)) => public_v6(v6, text),
        None => false,
    }
}

/// Any address but the unspecified one and loopback: private ranges too.
pub(super) fn ip_any(text: &[u8]) -> bool {
    address(text).is_some_and(|address| !address.is_loopback() && !address.is_unspecified())
}

/// The address in `text`; a prefix length, zone or brackets may stand around it.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix('[').map_or(text, |text| text.strip_suffix(']').unwrap_or(text));
    text.split(['/', '%']).next()?.parse().ok()
}

/// Not private, loopback, link-local, shared, multicast, broadcast or reserved; and no version number by its looks:
/// four small numbers, or `x.y.0.0`. Documentation ranges count as public: text with them means a client's address.
fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let reserved = a == 0 || a >= 224;
    let by_name = matches!([a, b, c, d], [8, 8, 8 | 4, 8 | 4] | [1, 1, 1, 1] | [1, 0, 0, 1] | [9, 9, 9, 9]);
    let like_a_version = (a < 10 && b < 20 && c < 20 && d < 20)
        || (a < 30 && b < 10 && c < 10 && d < 10)
        || (c == 0 && d == 0)
        || (b == 0 && c == 0);
    // Object identifiers of algorithms and of attributes in certificates.
    let object = matches!([a, b, c], [1, 3, 6 | 14 | 101 | 132] | [2, 5, 4 | 8 | 29]);
    !address.is_private()
        && !address.is_loopback()
        && !address.is_link_local()
        && !shared
        && !reserved
        && (by_name || !(like_a_version || object))
}

/// Global unicast, or any address written in full: people's notes hold made-up ones. Not `::`, loopback, link-local,
/// multicast, nor short forms outside 2000::/3 (code is full of `a::b`).
fn public_v6(address: Ipv6Addr, text: &[u8]) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return public_v4(v4);
    }
    let first = address.segments()[0];
    let in_full = memchr::memmem::find(text, b"::").is_none();
    let link_local = first & 0xFFC0 == 0xFE80;
    let global = first & 0xE000 == 0x2000;
    let groups = text.iter().filter(|byte| **byte == b':').count();
    !address.is_loopback()
        && !link_local
        && (in_full || (global && groups > 2 && text.iter().any(u8::is_ascii_digit)))
}

/// A hardware address: six octets, not all the same, not broadcast, not the unset one.
pub(super) fn mac(text: &[u8]) -> bool {
    let digits: Vec<u8> =
        text.iter().filter(|byte| byte.is_ascii_hexdigit()).map(u8::to_ascii_lowercase).collect();
    let separators = text.len() - digits.len();
    let colons = text.len() == 17
        && text.iter().skip(2).step_by(3).all(|byte| *byte == text[2])
        && matches!(text[2], b':' | b'-');
    let dots = text.len() == 14 && text[4] == b'.' && text[9] == b'.';
    digits.len() == 12
        && ((colons && separators == 5) || (dots && separators == 2))
        && digits.iter().any(|digit| *digit != digits[0])
}

/// The address of a house: words with capitals and a number among them, and no sentence. For text behind a label.
pub(super) fn postal_address(text: &[u8]) -> bool {
    let (mut names, mut plain) = (0_u32, 0_u32);
    for word in text.split(|byte| !byte.is_ascii_alphabetic() && *byte < 0x80).filter(|word| word.len() > 2) {
        if word.first().is_some_and(u8::is_ascii_lowercase) {
            plain += u32::from(word.len() > 3);
        } else {
            names += 1;
        }
    }
    let number = text.split(|byte| !byte.is_ascii_digit()).any(|digits| (1..=5).contains(&digits.len()));
    number && names > 0 && plain <= names && text.contains(&b' ')
}

/// A pair `latitude, longitude` in degrees with four decimals or more, in range and not the same number twice.
pub(super) fn coordinates(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    // Three numbers are a list.
    if text.matches([',', ';']).count() > 1 {
        return false;
    }
    let mut numbers = text
        .split(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '-'))
        .filter(|part| part.contains('.'))
        .filter_map(|part| part.parse::<f64>().ok());
    match (numbers.next(), numbers.next(), numbers.next()) {
        // Pairs of small numbers are everywhere; the sea off Ghana is rarely meant.
        (Some(latitude), Some(longitude), None) => {
            (1.0..=90.0).contains(&latitude.abs()) && (0.01..=180.0).contains(&longitude.abs())
        }
        (Some(single), None, None) => single.abs() <= 180.0,
        _ => false,
    }
}
