use proptest::prelude::*;

use super::{Charset, OtherCharsets, Transcoder, rewritten};
use crate::body::testkit::{everywhere, pieces, request, run};
use crate::body::{Job, Transform};
use crate::reason::Reason;

fn allowed() -> Job {
    Job { other_charsets: OtherCharsets::Transcode, ..request() }
}

fn utf16(text: &str, little: bool, marked: bool) -> Vec<u8> {
    let units = marked.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

const TEXT: &str = "Grüße, 😀 \u{feff} and \"more\"\r\n";

#[test]
fn what_a_content_type_declares() {
    let named = |name| Some(Charset::named(name));
    for (content_type, expected, changed) in [
        ("text/plain", None, None),
        ("text/plain; charset=utf-8", named("utf-8"), None),
        ("text/plain; charset=US-ASCII", Some(Charset::Utf8), None),
        ("text/xml;charset=\"UTF-16\"", named("utf-16le"), Some("text/xml;charset=\"utf-8\"")),
        (
            "text/html; a=\"b;charset=utf-8\"; Charset=latin1 ;x=y",
            named("latin1"),
            Some("text/html; a=\"b;charset=utf-8\"; Charset=utf-8;x=y"),
        ),
        ("text/plain; charset=klingon", Some(Charset::Unknown), Some("text/plain; charset=utf-8")),
        ("text/plain; charset=x-user-defined", Some(Charset::Unknown), Some("text/plain; charset=utf-8")),
        ("text/plain; charset", None, None),
    ] {
        assert_eq!(Charset::of(content_type), expected, "{content_type}");
        assert_eq!(rewritten(content_type).as_deref(), changed, "{content_type}");
    }
    assert!(matches!(Charset::named("iso-8859-1"), Charset::Other(_)));
}

#[test]
fn other_encodings_are_written_in_utf8_by_policy_alone() {
    let latin = "caf\u{e9} 100 \u{20ac}";
    let windows: Vec<u8> = b"caf\xe9 100 \x80".to_vec();
    for (declared, bytes, text) in [
        (None, utf16(TEXT, true, true), TEXT),
        (None, utf16(TEXT, false, true), TEXT),
        (Some("utf-16le"), utf16(TEXT, true, false), TEXT),
        (Some("utf-16"), utf16(TEXT, true, true), TEXT),
        (Some("utf-16be"), utf16(TEXT, false, true), TEXT),
        (Some("windows-1252"), windows.clone(), latin),
        (Some("ISO-8859-1"), windows, latin),
        (Some("shift_jis"), b"\x93\xfa\x96\x7b".to_vec(), "日本"),
    ] {
        let declared = declared.map(Charset::named);
        let yes = everywhere(&|| Box::new(Transcoder::new(allowed(), declared)), &bytes);
        assert_eq!((yes.reason(), yes.text()), (None, text), "{declared:?}");
        let no = everywhere(&|| Box::new(Transcoder::new(request(), declared)), &bytes);
        assert_eq!(no.reason(), Some(Reason::ContentNotUtf8), "{declared:?}");
        let detail = no.refusal.unwrap().detail.unwrap().as_str().to_owned();
        assert!(detail.starts_with("the text is declared as "), "{detail}");
    }
}

#[test]
fn utf8_passes_with_its_mark_and_ascii_under_any_name() {
    for text in ["", "a", "\u{feff}Grüße", "plain text"] {
        for declared in [None, Some(Charset::Utf8)] {
            let outcome = everywhere(&|| Box::new(Transcoder::new(request(), declared)), text.as_bytes());
            assert_eq!(outcome.text(), text);
        }
    }
    let latin = Some(Charset::named("latin1"));
    let outcome = everywhere(&|| Box::new(Transcoder::new(request(), latin)), b"plain text");
    assert_eq!((outcome.reason(), outcome.text()), (None, "plain text"));
}

#[test]
fn what_does_not_hold_to_its_encoding_is_refused() {
    for (declared, bytes, reason) in [
        (None, [utf16("a", true, true), vec![0x00, 0xd8, 0x20, 0]].concat(), Reason::ContentMalformed),
        (None, [utf16("a", true, true), vec![0x20]].concat(), Reason::ContentMalformed),
        (Some("euc-kr"), b"ab\xff".to_vec(), Reason::ContentMalformed),
        (Some("iso-2022-cn"), b"plain".to_vec(), Reason::ContentNotUtf8),
        (Some("utf-7"), b"plain".to_vec(), Reason::ContentNotUtf8),
    ] {
        let declared = declared.map(Charset::named);
        let outcome = everywhere(&|| Box::new(Transcoder::new(allowed(), declared)), &bytes);
        assert_eq!(outcome.reason(), Some(reason), "{declared:?}");
    }
}

proptest! {
    #[test]
    fn every_cut_of_any_text(
        text in any::<String>(),
        little in any::<bool>(),
        sizes in prop::collection::vec(1_usize..9, 1..8),
    ) {
        let text = text.trim_start_matches('\u{feff}');
        let bytes = utf16(text, little, true);
        let mut transform: Box<dyn Transform> = Box::new(Transcoder::new(allowed(), None));
        let outcome = run(&mut *transform, pieces(&bytes, &sizes));
        prop_assert_eq!(outcome.reason(), None);
        prop_assert_eq!(outcome.text(), text);
    }
}
