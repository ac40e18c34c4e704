use proptest::prelude::*;

use super::{Fault, Kind, Splitter};

/// Pieces of a body, joined where they are of one kind and go on.
fn split<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<(Kind, String)>, Fault> {
    let mut splitter = Splitter::new("b", 200);
    let (mut data, mut all): (Vec<u8>, Vec<(Kind, String)>) = (Vec::new(), Vec::new());
    let mut feed = |data: &mut Vec<u8>, end| {
        let mut at = 0;
        while let Some((kind, range)) = splitter.next(data, &mut at, end)? {
            assert_eq!(at, range.end);
            let text = String::from_utf8_lossy(&data[range]).into_owned();
            match all.last_mut() {
                Some((last, before))
                    if *last == kind && matches!(kind, Kind::Data | Kind::Preamble | Kind::Epilogue) =>
                {
                    before.push_str(&text);
                }
                _ => all.push((kind, text)),
            }
        }
        data.drain(..at);
        Ok(())
    };
    for piece in pieces {
        data.extend_from_slice(piece);
        feed(&mut data, false)?;
        assert!(data.len() <= 300);
    }
    feed(&mut data, true)?;
    assert!(data.is_empty());
    Ok(all)
}

fn everywhere(body: &str) -> Result<Vec<(Kind, String)>, Fault> {
    let whole = split([body.as_bytes()]);
    for size in 1..20 {
        assert_eq!(split(body.as_bytes().chunks(size)), whole, "by {size}: {body:?}");
    }
    for at in 0..=body.len() {
        let (a, b) = body.as_bytes().split_at(at);
        assert_eq!(split([a, b]), whole, "at {at}: {body:?}");
    }
    if let Ok(pieces) = &whole {
        let joined: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(joined, body);
    }
    whole
}

#[test]
fn bodies_are_cut_byte_for_byte() {
    use Kind::{Close, Data, Delimiter, Epilogue, Header, Preamble};
    let kinds = |body: &str| everywhere(body).unwrap().into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds("--b\r\nA: 1\r\n\r\ndata\r\n--b--\r\n"), [Delimiter, Header, Data, Close, Epilogue]);
    assert_eq!(kinds("--b\r\nA: 1\r\n\r\ndata\r\n--b--"), [Delimiter, Header, Data, Close]);
    assert_eq!(kinds("--b \t\r\nA: 1\r\n\r\n\r\n--b-- \t"), [Delimiter, Header, Close, Epilogue]);
    assert_eq!(
        kinds("pre\r\n\r\n--b\r\nA: 1\r\n\r\n-\r\n--b\r\nB: 2\r\n\r\ny\r\n--b--\r\n\r\n--x")[..3],
        [Preamble, Delimiter, Header]
    );
}

#[test]
fn bodies_in_detail() {
    let pieces = everywhere("pre\r\nam\r\n--b\r\nA: 1\r\n\r\nx--b\r\n--c\r\n-\r\n\r\n\r\n--b\r\nB: 2\r\n\r\ny\r\n--b--  \r\nepi\r\n-b").unwrap();
    let pieces: Vec<(Kind, &str)> = pieces.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
    assert_eq!(
        pieces,
        [
            (Kind::Preamble, "pre\r\nam"),
            (Kind::Delimiter, "\r\n--b\r\n"),
            (Kind::Header, "A: 1\r\n\r\n"),
            (Kind::Data, "x--b\r\n--c\r\n-\r\n\r\n"),
            (Kind::Delimiter, "\r\n--b\r\n"),
            (Kind::Header, "B: 2\r\n\r\n"),
            (Kind::Data, "y"),
            (Kind::Close, "\r\n--b--"),
            (Kind::Epilogue, "  \r\nepi\r\n-b"),
        ]
    );
}

#[test]
fn what_two_readers_would_cut_in_two_ways_is_refused() {
    let part = |content: &str| format!("--b\r\nA: 1\r\n\r\n{content}\r\n--b--\r\n");
    for content in [
        "x\n--b\r\ny",
        "x\r--b\r\ny",
        "x\n--b--\r\ny",
        "\n--b",
        "x\r\n--bold\r\ny",
        "x\r\n--b-\r\n",
        "--b\r\n",
        "x\r\n--b\r",
        "--b--",
    ] {
        assert!(matches!(everywhere(&part(content)), Err(Fault::Ambiguous(_))), "{content:?}");
    }
    for body in [part("x") + "\r\n--b\r\nA: 2\r\n\r\ny\r\n--b--", part("x") + "y\n--b"] {
        assert!(matches!(everywhere(&body), Err(Fault::Ambiguous(_))), "{body:?}");
    }
    assert!(matches!(everywhere("\n--b\r\nA: 1\r\n\r\nx\r\n--b--"), Err(Fault::Ambiguous(_))));
}

#[test]
fn broken_bodies() {
    for body in [
        "",
        "x",
        "--b",
        "--b\r\n",
        "--b\r\nA: 1",
        "--b\r\nA: 1\r\n\r\n",
        "--b\r\nA: 1\r\n\r\ndata",
        "--b\r\nA: 1\r\n\r\ndata\r\n",
        "--b\r\nA: 1\r\n\r\ndata\r\n--b",
        "--b\r\nA: 1\r\n\r\ndata\r\n--b-",
    ] {
        assert_eq!(everywhere(body), Err(Fault::Truncated), "{body:?}");
    }
    for body in [
        "--b\r\n\r\ndata\r\n--b--",
        "--b\r\nA: 1\r\n\r\ndata\r\n--b--x",
        "--b\r\nA: 1\r\n\r\ndata\r\n--b--\n",
    ] {
        assert!(matches!(everywhere(body), Err(Fault::Malformed(_))), "{body:?}");
    }
    let long = format!("--b\r\nA: {}\r\n\r\nx\r\n--b--", "y".repeat(300));
    assert_eq!(split([long.as_bytes()]), Err(Fault::HeaderTooLong));
    assert_eq!(split(long.as_bytes().chunks(50)), Err(Fault::HeaderTooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_cut_makes_a_difference(
        words in prop::collection::vec(
            prop::sample::select(vec!["--b", "--b--", "\r\n", "\n", "\r", "-", "--", "b", "A: 1\r\n\r\n", "x", " ", "\r\n--b\r\nA: 1\r\n\r\n", "\r\n--b--"]),
            0..14,
        ),
        size in 1_usize..9,
        framed in any::<bool>(),
    ) {
        let body = if framed { format!("--b\r\nA: 1\r\n\r\n{}\r\n--b--", words.concat()) } else { words.concat() };
        let whole = split([body.as_bytes()]);
        prop_assert_eq!(&split(body.as_bytes().chunks(size)), &whole);
        if let Ok(pieces) = whole {
            prop_assert_eq!(pieces.iter().map(|(_, text)| text.as_str()).collect::<String>(), body);
        }
    }
}
