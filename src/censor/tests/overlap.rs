//! Which findings there are, and who names a region.

use proptest::prelude::*;

use super::corpus::*;
use super::resolve::{Member, Resolver};
use super::*;

#[test]
fn each_kind_of_rule_finds() {
    assert_eq!(censored(&format!("key {} ok", anthropic())), "key [ANTHROPIC_API_KEY] ok");
    assert_eq!(
        censored(&format!("{}.", aws())),
        "AWS_SECRET_ACCESS_KEY = \"kQ3zT9vX2mLw7RbN4cYh\"."
            .replace("kQ3zT9vX2mLw7RbN4cYh", "[AWS_SECRET_ACCESS_KEY]")
    );
    assert_eq!(censored("postgres://app:s3cr3t@db/x"), "postgres://app:[DB_PASSWORD]@db/x");
    assert_eq!(censored(&format!("bot{}/x", telegram())), "bot[TELEGRAM_TOKEN]/x");
    assert_eq!(censored(&format!("a {} b", pem())), "a [PRIVATE_KEY] b");
    assert_eq!(censored(&format!("a {} b", jwt())), "a [JWT] b");
    assert_eq!(censored("card 4111 1111 1111 1111."), "card ***************1111.");
    assert_eq!(censored("account 12345678, other 12345678"), "account [ACCOUNT], other [ACCOUNT]");
    assert_eq!(censored("plate ABC 1234"), "plate [PLATE]");
    assert_eq!(censored("ping 8.8.8.8 or 2001:db8::1."), "ping [IP_ADDRESS] or [IP_ADDRESS].");
    assert_eq!(censored("WORD=ab cd"), "WORD=[ANY_WORD] cd");
}

#[test]
fn a_placeholder_in_a_field_stays() {
    let engine = engine();
    let of = |field, text: &str| whole(&engine, &exchange(), Some(field), text.as_bytes()).text();
    assert_eq!(of("password", "hunter2"), "[PASSWORD]");
    assert_eq!(of("db_password", "${DB}"), "${DB}");
    assert_eq!(of("password", "two words"), "two words");
    assert_eq!(of("authorization", "two words"), "[AUTHORIZATION]");
}

/// Two rules whose values lie over each other: the long one is the more severe.
fn two(long: Action, short: Action, secret: bool) -> Arc<Engine> {
    let group = if secret { "secrets" } else { "pii" };
    let text = format!(
        "version: 1\nrules:\n\
         - {{id: long, description: d, groups: [pii], severity: 9, action: redact, keywords: [badge], pattern: 'badge [a-z]{{4}} [0-9]{{4}}'}}\n\
         - {{id: short, description: d, groups: [{group}], severity: 2, action: redact, keywords: [code], pattern: 'code [0-9]{{4}}'}}\n"
    );
    let rules = RuleSet::parse("two.yaml", &text).unwrap();
    let policy = Policy::recommended().with("long", long).with("short", short);
    Arc::new(Engine::compile(&rules, &policy).unwrap())
}

/// What lies over a value lets nothing of it out.
#[test]
fn where_findings_overlap_the_strictest_action_holds() {
    let of = |long, short, secret| {
        let engine = two(long, short, secret);
        let text = b"my badge code 1234 is here";
        let outcome = whole(&engine, &exchange(), None, text);
        let cut = pieces(&engine, &exchange(), None, Side::Censor, &text.chunks(1).collect::<Vec<_>>());
        assert_eq!(outcome, cut);
        if outcome.blocked { "blocked".to_owned() } else { outcome.text() }
    };
    let (mask, wide) = (Action::Mask { keep: 4 }, Action::Mask { keep: 12 });
    // The more severe names it where the name is all that is left.
    assert_eq!(of(mask, Action::Redact, false), "my [LONG] is here");
    assert_eq!(of(Action::Redact, mask, false), "my [LONG] is here");
    assert_eq!(of(Action::Hash, Action::Redact, false), "my [LONG] is here");
    assert_eq!(of(Action::Redact, Action::Block, false), "blocked");
    // Else whose the action is.
    assert!(of(mask, Action::Hash, false).starts_with("my SHORT_"));
    assert!(of(mask, Action::Pseudonym, false).starts_with("my SHORT_"));
    assert!(of(Action::Pseudonym, mask, false).starts_with("my LONG_"));
    // Fewer characters are stricter, and a secret under it is shown no further than a secret is.
    assert_eq!(of(wide, mask, false), "my ***********1234 is here");
    assert_eq!(of(Action::Mask { keep: 7 }, wide, false), of(wide, Action::Mask { keep: 7 }, false));
    assert_eq!(of(wide, wide, true), "my ************234 is here");
    assert_eq!(of(Action::Pseudonym, mask, true), "my [LONG] is here");
}

/// What a body's records are judged by is seen where something more severe lies over it.
#[test]
fn a_special_category_is_counted_whoever_names_the_region() {
    let text = "version: 1\nrules:\n\
         - {id: long, description: d, groups: [pii], severity: 9, action: redact, keywords: [badge], pattern: 'badge [a-z]{4} [0-9]{4}'}\n\
         - {id: short, description: d, groups: [special-category], severity: 2, action: redact, keywords: [code], pattern: 'code [0-9]{4}'}\n";
    let engine = Arc::new(
        Engine::compile(&RuleSet::parse("two.yaml", text).unwrap(), &Policy::recommended()).unwrap(),
    );
    let outcome = whole(&engine, &exchange(), None, b"my badge code 1234 is here");
    assert_eq!((outcome.text().as_str(), outcome.tally.special), ("my [LONG] is here", 1));
}

/// A finding of the resolver's own tests: starts lie near each other and, now and then, past where a region is cut.
fn member() -> impl Strategy<Value = Member> {
    let actions = [
        Action::Redact,
        Action::Hash,
        Action::Pseudonym,
        Action::Fpe,
        Action::Mask { keep: 2 },
        Action::Mask { keep: 12 },
        Action::Block,
    ];
    let start = prop_oneof![0_usize..40, (0_usize..40).prop_map(|at| at * 300)];
    let len = prop_oneof![1_usize..30, (1_usize..30).prop_map(|len| len * 300)];
    let action = prop::sample::select(actions.to_vec());
    (start, len, 0_u16..9, 1_u8..11, action, 0_u8..10).prop_map(
        |(start, len, rule, severity, action, kind)| {
            // What is open-ended is taken out as a whole, or stops the body.
            let sealed = kind == 0 && matches!(action, Action::Redact | Action::Block);
            let (rule, severity, action) = match kind {
                1 => (RuleIndex::RESTORED, 0, Action::Allow),
                _ => (RuleIndex(rule), severity, action),
            };
            // A name that is restored is short.
            let len = if rule == RuleIndex::RESTORED { len.min(60) } else { len };
            let nature = Nature { secret: kind == 2, special: kind == 3 };
            Member { start, end: start + len, rule, severity, action, nature, sealed, open: false }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// No byte of a finding is treated less strictly than the finding asks for, and none is left out.
    #[test]
    fn a_region_is_as_strict_as_every_finding_in_it(members in prop::collection::vec(member(), 1..9)) {
        let mut resolver = Resolver::default();
        members.iter().for_each(|member| resolver.add(*member));
        let regions: Vec<_> = std::iter::from_fn(|| resolver.next(usize::MAX)).collect();
        for pair in regions.windows(2) {
            prop_assert!(pair[0].end <= pair[1].start, "{regions:?}");
        }
        for member in &members {
            let over: Vec<_> =
                regions.iter().filter(|r| r.start < member.end && member.start < r.end).collect();
            let covered: usize = over.iter().map(|r| r.end.min(member.end) - r.start.max(member.start)).sum();
            prop_assert_eq!(covered, member.end - member.start, "{:?} in {:?}", member, regions);
            for region in over {
                if region.rule == RuleIndex::RESTORED {
                    let whole = |m: &Member| {
                        m.rule == region.rule && (m.start, m.end) == (region.start, region.end)
                    };
                    let apart = |m: &&Member| m.start < region.end && region.start < m.end;
                    let names = members.iter().filter(apart).all(|m| m.rule == region.rule);
                    prop_assert!(names || members.iter().any(whole), "{:?}", regions);
                    continue;
                }
                prop_assert!(region.action.strictness() >= member.action.strictness(), "{member:?} in {region:?}");
            }
        }
    }
}
