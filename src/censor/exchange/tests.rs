use std::sync::Arc;

use super::super::tests::{Outcome, exchange, pieces, whole};
use super::super::{Context, Policy, RuleSet};
use super::*;

fn rules(ids: &[&str]) -> RuleSet {
    let all = RuleSet::builtin().unwrap();
    ids.iter().fold(RuleSet::default(), |rules, id| rules.or(all.only(id)))
}

fn engine(ids: &[&str], policy: &Policy) -> Arc<Engine> {
    Arc::new(Engine::compile(&rules(ids), policy).unwrap())
}

fn mails() -> Arc<Engine> {
    engine(&["EMAIL_ADDRESS"], &Policy::recommended().with("*", Action::Pseudonym))
}

fn mail(name: &str) -> String {
    [name, "mail-desk.com"].join("@")
}

fn up(engine: &Engine, exchange: &Exchange, text: &str) -> String {
    whole(engine, exchange, None, text.as_bytes()).text()
}

fn down(engine: &Arc<Engine>, exchange: &Exchange, parts: &[&str]) -> Outcome {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    pieces(engine, exchange, None, Side::CensorAndRestore, &parts)
}

fn title(text: &str) -> String {
    let mut first = true;
    let mut turn = |c: char| {
        let upper = std::mem::replace(&mut first, !c.is_ascii_alphabetic());
        if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    text.chars().map(&mut turn).collect()
}

/// However a model writes the name, and wherever its tokens end.
#[test]
fn a_name_comes_back_in_every_case_at_every_pair_of_cuts() {
    let (engine, exchange) = (mails(), exchange());
    let jane = mail("jane.roe");
    let name = up(&engine, &exchange, &jane);
    for name in [name.clone(), name.to_lowercase(), title(&name)] {
        let text = format!("to {name}, now");
        for one in 0..=text.len() {
            for two in one..=text.len() {
                let came = down(&engine, &exchange, &[&text[..one], &text[one..two], &text[two..]]);
                assert_eq!(came.text(), format!("to {jane}, now"), "{text} cut at {one} and {two}");
            }
        }
    }
}

/// Names beside each other, in plurals, and at the very end.
#[test]
fn a_name_comes_back_whatever_stands_beside_it() {
    let (engine, exchange) = (mails(), exchange());
    let (jane, john) = (mail("jane.roe"), mail("john.doe"));
    let (one, two) = (up(&engine, &exchange, &jane), up(&engine, &exchange, &john));
    assert_ne!(one, two);
    for (text, wanted) in [
        (format!("{one}{two}"), format!("{jane}{john}")),
        (format!("**{one}**, `{two}`"), format!("**{jane}**, `{john}`")),
        (format!("the {one}s"), format!("the {jane}s")),
        (format!("{one}_{two}"), format!("{jane}_{john}")),
        (format!("{one}A234567"), format!("{jane}A234567")),
    ] {
        assert_eq!(down(&engine, &exchange, &[&text]).text(), wanted, "{text}");
    }
    // A part of a name, or one with a character changed, is nobody's.
    let changed = if one.ends_with('A') { "B" } else { "A" };
    let other = format!("{}{changed}", &one[..one.len() - 1]);
    for text in [&one[..one.len() - 1], &one[1..], other.as_str()] {
        assert_eq!(down(&engine, &exchange, &[text]).text(), text);
    }
}

/// A caller writes what looks like a name: it goes up as it is and comes back as it is.
#[test]
fn what_looks_like_a_name_is_not_restored() {
    let (engine, mine) = (mails(), exchange());
    let secret = mail("jane.roe");
    let known = up(&engine, &exchange(), &secret);
    let text = format!("who is {known} or EMAIL_ADDRESS_AAAAAAAA?");
    assert_eq!(up(&engine, &mine, &text), text);
    up(&engine, &mine, &mail("john.doe"));
    assert_eq!(down(&engine, &mine, &[&text]).text(), text);
}

/// What an answer's policy hides from the caller stays hidden, also from one that says the name later.
#[test]
fn what_is_named_on_the_way_back_stays_a_name() {
    let (engine, mine) = (mails(), exchange());
    up(&engine, &mine, &mail("john.doe"));
    let hidden = mail("jane.roe");
    let name = down(&engine, &mine, &[&hidden]).text();
    assert!(name.starts_with("EMAIL_ADDRESS_"), "{name}");
    assert_eq!(down(&engine, &mine, &[&name]).text(), name);
    // The same value, the same name.
    assert_eq!(down(&engine, &mine, &[&hidden]).text(), name);
}

/// The answer's policy lets mail addresses pass: the names of the request are restored all the same.
#[test]
fn names_come_back_whatever_the_answers_policy_is() {
    let (rules, asking) = (rules(&["EMAIL_ADDRESS"]), mails());
    let given = Policy::recommended().with("*", Action::Pseudonym).decide(&rules).unwrap().pseudonyms(&rules);
    for action in [Action::Allow, Action::Redact, Action::Hash, Action::Block] {
        let decisions = Policy::recommended().with("*", action).decide(&rules).unwrap();
        let answering = Arc::new(Engine::of(&rules, &decisions, &given).unwrap());
        let exchange = exchange();
        let jane = mail("jane.roe");
        let name = up(&asking, &exchange, &jane);
        assert_eq!(
            down(&answering, &exchange, &["to ", &name, "!"]).text(),
            format!("to {jane}!"),
            "{action}"
        );
    }
}

/// Two values never share a name, even if the beginnings of their hashes do.
#[test]
fn names_that_would_collide_get_longer() {
    let (engine, mine) = (mails(), exchange());
    let (jane, john) = (mail("jane.roe"), mail("john.doe"));
    let short = up(&engine, &exchange(), &jane);
    let value = Value { value: john.as_bytes().into(), restorable: true };
    mine.state().values.insert(short.clone().into_boxed_str(), value);
    let long = up(&engine, &mine, &jane);
    assert!(long.starts_with(&short) && long.len() == short.len() + 1, "{long}");
    let text = format!("{short} {long}");
    assert_eq!(down(&engine, &mine, &[&text]).text(), format!("{john} {jane}"));
    for cut in 0..text.len() {
        assert_eq!(down(&engine, &mine, &[&text[..cut], &text[cut..]]).text(), format!("{john} {jane}"));
    }
}

fn cards() -> Arc<Engine> {
    engine(&["CREDIT_CARD", "IBAN_CODE", "openai-api-key"], &Policy::recommended().with("*", Action::Fpe))
}

const CARD: &str = "4111 1111 1111 1111";

#[test]
fn a_card_becomes_another_card_and_comes_back() {
    let (engine, mine) = (cards(), exchange());
    let text = up(&engine, &mine, &format!("card {CARD}."));
    let other = &text[5..text.len() - 1];
    assert!(text != format!("card {CARD}.") && other.starts_with("4111 11"), "{text}");
    for written in [other.to_owned(), other.replace(' ', "-"), other.replace(' ', "")] {
        let said = format!("pay {written} now");
        let wanted = if written.contains(' ') {
            CARD.into()
        } else {
            CARD.replace(' ', if written.contains('-') { "-" } else { "" })
        };
        for cut in 0..said.len() {
            let came = down(&engine, &mine, &[&said[..cut], &said[cut..]]);
            assert_eq!(came.text(), format!("pay {wanted} now"), "cut at {cut}");
        }
    }
    // Another card in the answer is nobody's original.
    let strange = down(&engine, &mine, &["5555 5555 5555 4444"]).text();
    assert!(strange.starts_with("5555 55") && strange != "5555 5555 5555 4444");
    assert_ne!(down(&engine, &mine, &[&strange]).text(), "5555 5555 5555 4444");
}

/// Unlike every other replacement, this one looks like a finding again: a second pass changes it once more. In an exchange
/// no text is censored twice.
#[test]
fn an_encrypted_value_is_a_finding_again() {
    let engine = cards();
    let once = up(&engine, &exchange(), CARD);
    let twice = up(&engine, &exchange(), &once);
    assert_ne!(once, twice);
    assert_eq!(once, up(&engine, &exchange(), CARD));
}

#[test]
fn secrets_are_never_encrypted() {
    let (engine, mine) = (cards(), exchange());
    let info = engine.rules().find(|rule| rule.secret).unwrap();
    assert_eq!(info.action, Action::Redact);
    let mut found = Vec::new();
    engine.scan(CARD.as_bytes(), Context::default(), &mut found);
    assert_eq!(mine.tally().total(), 0);
    assert_eq!(engine.rule(found[0].rule).action, Action::Fpe);
}

/// A dry run counts what would have been done, and leaves every byte as it is.
#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let jane = mail("jane.roe");
    let text = format!("{jane}, card {CARD}, {jane}");
    let actions = [Action::Redact, Action::Hash, Action::Pseudonym, Action::Fpe, Action::Mask { keep: 4 }];
    for action in actions {
        let engine = engine(&["EMAIL_ADDRESS", "CREDIT_CARD"], &Policy::recommended().with("*", action));
        let wet = exchange();
        up(&engine, &wet, &text);
        for cut in 0..text.len() {
            let dry = Exchange::dry(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"a tenant's key")));
            for side in [Side::Censor, Side::CensorAndRestore] {
                let came =
                    pieces(&engine, &dry, None, side, &[&text.as_bytes()[..cut], &text.as_bytes()[cut..]]);
                assert_eq!((came.text(), came.blocked), (text.clone(), false), "{action} cut at {cut}");
            }
            let tally = dry.tally();
            assert_eq!((tally.total(), tally.would_block), (2 * wet.tally().total(), false));
            let actions =
                |tally: &Tally| tally.counts.iter().map(|c| (c.rule.clone(), c.action)).collect::<Vec<_>>();
            assert_eq!(actions(&tally), actions(&wet.tally()), "{action}");
        }
    }
    let engine = engine(&["EMAIL_ADDRESS"], &Policy::recommended().with("*", Action::Block));
    let dry = Exchange::dry(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"a tenant's key")));
    let came = pieces(&engine, &dry, None, Side::Censor, &[text.as_bytes()]);
    assert_eq!((came.text(), came.blocked), (text, false));
    assert_eq!((came.tally.total(), came.tally.would_block), (2, true));
}
