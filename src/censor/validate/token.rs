//! Structure and check sums inside tokens.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};

/// Longest JWT header read, in characters of Base64.
const LONGEST_HEADER: usize = 4096;

/// GitHub (`ghp_` and kin) and npm: the last six of 36 characters are CRC-32 of the first thirty, in base 62
/// (digits, upper, lower), padded with `0`.
pub(super) fn github_crc(text: &[u8]) -> bool {
    let Some(body) = text.iter().rposition(|byte| *byte == b'_').and_then(|at| text.get(at + 1..)) else {
        return false;
    };
    let Some((random, check)) = body.split_at_checked(30) else { return false };
    check.len() == 6 && check == base62(crc32fast::hash(random))
}

/// Six characters of base 62.
pub(super) fn base62(mut number: u32) -> [u8; 6] {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
    out
}

/// Cloudflare (`cfk_`, `cfut_`, `cfat_`): 40 characters and their CRC-32 as eight hexadecimal digits.
pub(super) fn cloudflare_crc(text: &[u8]) -> bool {
    let Some(body) = text.iter().position(|byte| *byte == b'_').and_then(|at| text.get(at + 1..)) else {
        return false;
    };
    body.split_at_checked(40).is_some_and(|(random, check)| hex_equals(check, crc32fast::hash(random)))
}

/// Grafana service accounts: `glsa_`, 32 characters, `_`, and the CRC-32 of all before that as hexadecimal digits of
/// its bytes, least significant first.
pub(super) fn grafana_crc(text: &[u8]) -> bool {
    let Some((head, check)) = text.split_at_checked(37) else { return false };
    check.strip_prefix(b"_").is_some_and(|check| hex_equals(check, crc32fast::hash(head).swap_bytes()))
}

/// Atlassian (`ATATT3`, `ATCTT3`, `ATBB`): the last eight characters are the CRC-32 of those before, in hexadecimal.
pub(super) fn atlassian_crc(text: &[u8]) -> bool {
    let Some((head, check)) = text.len().checked_sub(8).and_then(|at| text.split_at_checked(at)) else {
        return false;
    };
    let head = head.strip_suffix(b"=").unwrap_or(head);
    hex_equals(check, crc32fast::hash(head))
}

fn hex_equals(text: &[u8], number: u32) -> bool {
    text.len() == 8 && std::str::from_utf8(text).is_ok_and(|text| u32::from_str_radix(text, 16) == Ok(number))
}

/// JWT or JWE: the first part is Base64url of a JSON object with an `alg` (RFC 7515, 4.1.1). What follows may be cut.
pub(super) fn jwt(text: &[u8]) -> bool {
    let header = text.split(|byte| *byte == b'.').next().unwrap_or(&[]);
    object(header).is_some_and(|object| object.get("alg").is_some_and(serde_json::Value::is_string))
}

/// Base64 (any alphabet) of a JSON object: service-account blobs, docker configs, `ops_` tokens.
pub(super) fn base64_json(text: &[u8]) -> bool {
    let body =
        text.iter().position(|byte| *byte == b'_').map_or(text, |at| text.get(at + 1..).unwrap_or(&[]));
    // A token cut at its end still starts like an object.
    object(body).is_some()
        || decode(body.get(..body.len() / 4 * 4).unwrap_or(&[])).is_some_and(|json| json.starts_with(b"{\""))
}

fn object(text: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    if text.len() > LONGEST_HEADER {
        return None;
    }
    serde_json::from_slice(&decode(text)?).ok()
}

/// Base64 of either alphabet, padded or not.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |at| at + 1);
    let bare = text.get(..end)?;
    BASE64URL_NOPAD.decode(bare).or_else(|_other_alphabet| BASE64_NOPAD.decode(bare)).ok()
}

/// `Basic` credentials: Base64 of `user:password` in printable text.
pub(super) fn basic_credentials(text: &[u8]) -> bool {
    BASE64.decode(text).ok().or_else(|| decode(text)).is_some_and(|plain| {
        plain.contains(&b':')
            && plain.len() > 3
            && std::str::from_utf8(&plain).is_ok_and(|plain| !plain.contains(char::is_control))
    })
}

/// A PEM block: an opening and a closing line with the same label, and Base64 (or headers) between.
pub(super) fn pem(text: &[u8]) -> bool {
    let Some(label) = label_after(text, b"-----BEGIN ") else { return false };
    let Some(end) = find(text, b"-----END ") else { return false };
    label_after(text.get(end..).unwrap_or(&[]), b"-----END ") == Some(label)
}

fn label_after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let rest = text.get(find(text, mark)? + mark.len()..)?;
    rest.get(..find(rest, b"-----")?)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}

/// A PyPI macaroon: version 2, a location field, `pypi.org` or `test.pypi.org` (libmacaroons' binary format).
pub(super) fn macaroon(text: &[u8]) -> bool {
    let Some(body) = text.strip_prefix(b"pypi-") else { return false };
    // Any whole group of four decodes: the token may be cut.
    let whole = body.get(..body.len() / 4 * 4).unwrap_or(&[]);
    decode(whole).is_some_and(|bytes| {
        bytes.starts_with(&[2, 1]) && (find(&bytes, b"pypi.org").is_some_and(|at| at < 16))
    })
}
