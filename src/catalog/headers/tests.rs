//! The table says what the lists say.

use super::*;

fn names(texts: &[&'static str]) -> Names {
    let mut names = Names::default();
    for text in texts {
        match text.strip_suffix('*') {
            Some(start) => names.starts.push(start.into()),
            None => names.exact.push(HeaderName::from_static(text)),
        }
    }
    names
}

#[test]
fn a_table_and_its_lists_agree() {
    let pair = |name| (HeaderName::from_static(name), HeaderValue::from_static("set"));
    for beginnings in [true, false] {
        for others_pass in [true, false] {
            let with = |texts: &[&'static str]| {
                let texts: Vec<_> =
                    texts.iter().filter(|t| beginnings || !t.ends_with('*')).copied().collect();
                names(&texts)
            };
            let request = RequestRules {
                pass: with(&["accept", "x-a-pass", "x-both"]),
                drop: with(&["x-drop", "x-a-*", "x-both"]),
                salt: with(&["x-salt", "x-a-salt", "x-s-*"]),
                refuse: with(&["x-refuse", "x-a-refuse", "x-r-*"]),
                set: vec![pair("x-set"), pair("accept")],
                others_pass,
            };
            let response = ResponseRules {
                pass: with(&["x-both", "x-p-*", "server"]),
                drop: with(&["x-drop", "x-both", "x-r-*"]),
                pin: vec![pair("x-first"), pair("x-drop")],
                others_pass,
            };
            let rules = HeaderRules::new(request.clone(), response.clone());
            for name in [
                "accept",
                "x-a-pass",
                "x-both",
                "x-drop",
                "x-salt",
                "x-a-salt",
                "x-refuse",
                "x-a-refuse",
                "x-set",
                "server",
                "x-first",
                "x-a-other",
                "x-s-other",
                "x-r-other",
                "x-p-other",
                "date",
                "x-unknown",
            ] {
                let name = HeaderName::from_static(name);
                assert_eq!(rules.request(&name), request.fate(&name), "{name}");
                let answered = match response.fate(&name) {
                    Answered::Pass => ResponseHeader::Pass,
                    Answered::Drop => ResponseHeader::Drop,
                    Answered::Pin(at) => ResponseHeader::Pin(&response.pin[at].1),
                };
                assert_eq!(rules.response(&name), answered, "{name}");
            }
            assert_eq!(rules.request(&HeaderName::from_static("x-a-refuse")), RequestHeader::Refuse);
            let dropped = if beginnings || !others_pass { RequestHeader::Drop } else { RequestHeader::Pass };
            assert_eq!(rules.request(&HeaderName::from_static("x-a-other")), dropped);
            assert_eq!(rules.request(&HeaderName::from_static("accept")), RequestHeader::Drop);
            let pinned = ResponseHeader::Pin(&response.pin[1].1);
            assert_eq!(rules.response(&HeaderName::from_static("x-drop")), pinned);
        }
    }
}
