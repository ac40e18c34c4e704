use proptest::prelude::*;

use super::{CsvTransform, Separator};
use crate::body::Transform;
use crate::body::testkit::{blocked, cuts, everywhere, nothing_of, pieces, request, run, token};
use crate::body::{Job, Limits};
use crate::reason::Reason;

fn table(job: &Job, separator: Separator) -> impl Fn() -> Box<dyn Transform> + use<> {
    let job = job.clone();
    move || Box::new(CsvTransform::new(job.clone(), separator))
}

fn censored(separator: Separator, body: &str) -> String {
    everywhere(&table(&request(), separator), body.as_bytes()).text().to_owned()
}

#[test]
fn clean_tables_stay() {
    for body in [
        "",
        "\n",
        "a",
        "a,b\n1,2\n",
        "a,b\r\n\"1\",\"x \"\"y\"\" z\"\r\n,\r\n\r\n",
        "\u{feff}a;b\n\"é\n;\";2",
        "a\tb\n\"unclosed\n1,2",
        "\"a\"b,c\"d\"\n5\" pipe,\"x\" y\n",
        ",,,\n,,,",
        "\r\n\r",
    ] {
        assert_eq!(censored(Separator::Unknown, body), body);
        assert_eq!(censored(Separator::Tab, body), body);
    }
}

#[test]
fn a_column_gives_its_fields_their_meaning() {
    let body = "id;birth_name;\"account\";note\n1;Erika Mustermann;\"12345\";12345\n2;\"M\"\"ax\";;Erika\n";
    let out = censored(Separator::Unknown, body);
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split(';').collect()).collect();
    assert_eq!(lines[0].join(";"), "id;birth_name;\"account\";note");
    assert!(lines[1][1].contains("****") && !lines[1][1].contains("Erika"), "{out}");
    assert!(lines[1][2].starts_with("\"TEST_ACCOUNT_") && lines[1][2].ends_with('"'), "{out}");
    assert_eq!(lines[1][3], "12345");
    assert!(lines[2][1].starts_with("\"****") && lines[2][1].ends_with('"'), "{out}");
    assert_eq!(lines[2][2..], ["", "Erika"]);
}

#[test]
fn a_lone_carriage_return_is_not_put_in_quotes() {
    let secret = token(1);
    let body = format!("a,b\nE\rrika {secret},x\n");
    assert_eq!(censored(Separator::Unknown, &body), "a,b\nE\rrika [TEST_TOKEN],x\n");
}

#[test]
fn findings_in_fields_are_replaced_and_the_table_stays_one() {
    let (a, b) = (token(1), token(2));
    let body =
        format!("{a},x\r\n\"say \"\"{b}\"\", {a}\",{b}\r\n\"{a}\n{b}\",\"{{\"\"k\"\":\"\"{a}\"\"}}\"\r\n{a}");
    assert_eq!(
        censored(Separator::Unknown, &body),
        "[TEST_TOKEN],x\r\n\"say \"\"[TEST_TOKEN]\"\", [TEST_TOKEN]\",[TEST_TOKEN]\r\n\"[TEST_TOKEN]\n[TEST_TOKEN]\",\"{\"\"k\"\":\"\"[TEST_TOKEN]\"\"}\"\r\n[TEST_TOKEN]"
    );
    // A quote inside a value that the quotes of the table double.
    let body = format!("a\tb\n\"tok_\"\"{}\"\t{a}\n", &a[4..]);
    assert!(censored(Separator::Tab, &body).ends_with("\t[TEST_TOKEN]\n"));
}

#[test]
fn tables_are_bounded_and_checked() {
    let mut job = request();
    job.limits = std::sync::Arc::new(Limits { record: 2000, ..Limits::default() });
    for start in ["", "a,b\n"] {
        let body = format!("{start}\"{}", "x,y\n".repeat(2000));
        for size in [1, 100, body.len()] {
            let outcome = run(&mut *table(&job, Separator::Unknown)(), body.as_bytes().chunks(size));
            assert_eq!(outcome.reason(), Some(Reason::RecordTooLarge));
        }
    }
    let body = "a,b\n1,2\n".repeat(10_000);
    let outcome = run(&mut *table(&job, Separator::Unknown)(), body.as_bytes().chunks(700));
    assert!(outcome.text() == body && outcome.held < 100);
    for (bytes, reason) in [
        (&b"a,\0"[..], Reason::ContentUninspectable),
        (b"a,\xff", Reason::ContentNotUtf8),
        (b"a,\xc3", Reason::ContentNotUtf8),
    ] {
        assert_eq!(everywhere(&table(&request(), Separator::Unknown), bytes).reason(), Some(reason));
    }
    let body = format!("a,b\n1,\"x {}\"\n", blocked());
    for pieces in cuts(body.as_bytes()) {
        let outcome = run(&mut *table(&request(), Separator::Unknown)(), pieces);
        assert_eq!(outcome.reason(), Some(Reason::ContentBlocked));
        nothing_of(&blocked(), &outcome.out);
    }
}

/// A field that came in one piece was as long as it liked, and a first line as well.
#[test]
fn a_field_has_the_same_bound_at_every_cut() {
    let mut job = request();
    job.limits = std::sync::Arc::new(Limits { record: 64, ..Limits::default() });
    for (start, end, most) in
        [("a,b\n1,", "\n2,3\n", 64), ("a,b\n\"", "\"\n", 62), ("a,", "\n1,2\n", 62), ("\"", "\",b\n", 60)]
    {
        for (length, reason) in [(most, None), (most + 1, Some(Reason::RecordTooLarge))] {
            let body = format!("{start}{}{end}", "x".repeat(length));
            let outcome = everywhere(&table(&job, Separator::Unknown), body.as_bytes());
            assert_eq!(outcome.reason(), reason, "{length} of {start:?}");
        }
    }
    // A NUL behind it was told first where it came in the same piece.
    let body = format!("a,b\n1,{}\0\n", "x".repeat(65));
    assert_eq!(
        everywhere(&table(&job, Separator::Unknown), body.as_bytes()).reason(),
        Some(Reason::RecordTooLarge)
    );
    // Line ends inside of quotes, after which the first line is looked at again.
    let body = format!("\"{}\",b\n{}\n", "x\n".repeat(12), "1,2\n".repeat(40));
    assert_eq!(everywhere(&table(&job, Separator::Unknown), body.as_bytes()).text(), body);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn tables_by_chance(
        parts in prop::collection::vec(prop_oneof![
            Just(",".to_owned()), Just(";".to_owned()), Just("\t".to_owned()), Just("\n".to_owned()), Just("\r\n".to_owned()),
            Just("\"".to_owned()), Just("\"\"".to_owned()), "[a-zé ]{0,6}", (0_u64..4).prop_map(|n| format!(" {} ", token(n))),
        ], 0..40),
        sizes in prop::collection::vec(1_usize..12, 1..6),
    ) {
        let body = parts.concat();
        let make = table(&request(), Separator::Unknown);
        let whole = run(&mut *make(), [body.as_bytes()]);
        prop_assert_eq!(whole.reason(), None);
        let cut = run(&mut *make(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(cut.text(), whole.text());
        for n in 0..4 {
            nothing_of(&token(n), &whole.out);
        }
        if !body.contains("tok_") {
            prop_assert_eq!(whole.text(), &body);
        }
        let again = run(&mut *make(), [&*whole.out]);
        prop_assert_eq!(again.text(), whole.text());
    }
}
