use super::Names;
use crate::consent::record::{Field, Said};

fn names(all: &[(Field, Said<'_>)]) -> Names {
    let mut names = Names::default();
    all.iter().for_each(|(field, said)| names.note(*field, *said));
    names
}

#[test]
fn a_name_is_found_however_it_is_written() {
    for (name, text) in [
        ("p-17", "of p-17."),
        ("Ann.Berger", "ask ANN.BERGER about it"),
        ("Jos\u{e9}", "says jose\u{301} now"),
        ("Jose\u{301}", "says JOS\u{c9} now"),
        ("Ann Berger", "Ann\n  Berger was there"),
        ("Ann Berger", "ann\u{a0}ber\u{ad}ger"),
        ("p-7f3a", "\u{ff30}-7\u{ff46}3a"),
        ("p-7f3a", "id=p-7\u{200b}f3a;"),
        ("\u{130}nci", "inci"),
    ] {
        assert!(names(&[(Field::Subject, Said::Text(name))]).stand_in(text.as_bytes()), "{name} in {text}");
    }
    for (name, text) in
        [("p-17", "p-171"), ("p-17", "xp-17"), ("p1", "p1"), ("", "anything"), ("ann", "Hannah")]
    {
        assert!(!names(&[(Field::Subject, Said::Text(name))]).stand_in(text.as_bytes()), "{name} in {text}");
    }
}

#[test]
fn every_subject_and_identifier_is_looked_for() {
    let all = names(&[
        (Field::Subject, Said::Text("p-one")),
        (Field::Subject, Said::Text("p-two")),
        (Field::Identifier, Said::Text("rec-9")),
        (Field::Jurisdiction, Said::Text("Germany")),
    ]);
    for text in ["p-one", "p-two", "rec-9"] {
        assert!(all.stand_in(text.as_bytes()), "{text}");
    }
    assert!(!all.stand_in(b"Germany"));
}

#[test]
fn a_number_is_found_by_its_value() {
    for said in [Said::Number("12345"), Said::Text("12345"), Said::Number("1.2345e4")] {
        let names = names(&[(Field::Subject, said)]);
        for text in ["n: 12345", "{\"a\":12345.0}", "1.2345E4", "it is 12,345.", "12_345", "0012345"] {
            assert!(names.stand_in(text.as_bytes()), "{said:?} in {text}");
        }
        for text in ["123456", "nan", "inf", "12.345"] {
            assert!(!names.stand_in(text.as_bytes()), "{said:?} in {text}");
        }
    }
}

#[test]
fn what_cannot_be_looked_for_is_taken_to_be_there() {
    for said in [Said::Composite, Said::TooLong] {
        assert!(names(&[(Field::Subject, said)]).stand_in(b""));
        assert!(names(&[(Field::Identifier, said)]).stand_in(b""));
    }
    assert!(!names(&[(Field::Subject, Said::Nothing)]).stand_in(b"null"));
}
