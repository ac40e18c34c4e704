use std::sync::Arc;

use super::{Censoring, Contents};
use crate::body::container::{ContainerLimits, Containers};
use crate::body::json::JsonPlan;
use crate::body::testkit::{blocked, request, spools, token};
use crate::body::text::Whole;
use crate::body::{Embedded, Job};
use crate::reason::Reason;

fn contents(job: Job) -> Censoring {
    Censoring {
        job,
        document: Arc::new(JsonPlan::empty()),
        lines: Arc::new(JsonPlan::empty()),
        allow_uninspectable: false,
        containers: Containers::new(spools(), ContainerLimits::default()),
        whole: Whole::default(),
    }
}

fn wide(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn a_text_in_bytes_that_are_no_text_does_not_pass() {
    let mut contents = contents(request());
    let secret = token(3);
    let noise: Vec<u8> = (0..400_u32).map(|n| (n * 167 + n / 3) as u8 | 0x80).collect();
    for bytes in [
        [&[0][..], secret.as_bytes()].concat(),
        [&[0xff][..], secret.as_bytes(), &[0xfe]].concat(),
        [secret.as_bytes(), &[0, 0, 1]].concat(),
        [&noise, secret.as_bytes(), &noise].concat(),
        // A signature alone makes no medium of a text.
        [b"RIFF \0", secret.as_bytes(), b" and more of a text that goes on"].concat(),
        wide(&secret, false),
        wide(&format!("say {secret}"), true),
        secret.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
    ] {
        let refusal = contents.bytes(Some("raw"), &bytes).err();
        let reason = refusal.map(|refusal| refusal.reason);
        assert_eq!(reason, Some(Reason::ContentUninspectable), "{}", bytes.escape_ascii());
    }
    let blocks = [&[0][..], blocked().as_bytes()].concat();
    assert_eq!(contents.bytes(None, &blocks).err().map(|r| r.reason), Some(Reason::ContentBlocked));
    // Under a name that takes every value.
    assert!(contents.bytes(Some("birth_name"), b"\0Maiden").is_err());
}

#[test]
fn bytes_without_a_finding_pass_or_are_refused_by_policy() {
    let image = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), token(4).as_bytes(), &[0x91; 200]].concat();
    let noise: Vec<u8> = (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435) >> 7) as u8).collect();
    for bytes in [&b"\0clean\xff"[..], &image, &noise, &wide("clean", false), &[0; 64]] {
        assert_eq!(contents(request()).bytes(Some("raw"), bytes).unwrap(), None, "{}", bytes.escape_ascii());
        let mut strict = contents(Job { embedded: Embedded::Block, ..request() });
        assert_eq!(
            strict.bytes(Some("raw"), bytes).err().map(|r| r.reason),
            Some(Reason::ContentUninspectable)
        );
    }
}
