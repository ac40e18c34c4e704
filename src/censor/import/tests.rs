//! A file of rules in gitleaks' form, written for these tests, with all that such files have.

use super::{Imported, Note, gitleaks, go};
use crate::censor::rules::Boundary;
use crate::censor::{Action, Context, Engine, Policy, RuleSet};

fn import(text: &str) -> Imported {
    gitleaks("a.toml", text).unwrap()
}

fn rules(imported: &Imported) -> RuleSet {
    let rules = RuleSet::parse("b.yaml", &imported.yaml).unwrap_or_else(|e| panic!("{e}\n{}", imported.yaml));
    assert_eq!(rules.verify(usize::MAX), [], "{}", imported.yaml);
    assert_eq!(rules.len(), imported.rules);
    rules
}

/// A file with one rule of this expression.
fn one(regex: &str, more: &str) -> Imported {
    import(&format!("[[rules]]\nid = 'acme-key'\ndescription = 'Acme'\nregex = '''{regex}'''\n{more}"))
}

fn found(rules: &RuleSet, text: &str) -> Vec<String> {
    let engine = Engine::compile(rules, &Policy::recommended().with("*", Action::Redact)).unwrap();
    let mut found = Vec::new();
    engine.scan(text.as_bytes(), Context::default(), &mut found);
    found.iter().map(|f| text[f.start..f.end].to_owned()).collect()
}

/// What gitleaks would say: the group of the first match of the expression.
fn secret(regex: &str, text: &str) -> Vec<String> {
    let regex = regex::bytes::RegexBuilder::new(regex).unicode(false).build().unwrap();
    let captures = regex.captures_iter(text.as_bytes());
    captures
        .map(|all| {
            let group = all.iter().skip(1).flatten().find(|group| !group.is_empty());
            String::from_utf8(group.unwrap_or_else(|| all.get(0).unwrap()).as_bytes().to_vec()).unwrap()
        })
        .collect()
}

fn why(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.why.as_str()).collect()
}

/// An expression, texts in which it and the rule find the same, and how many notes there are.
const ALIKE: &[(&str, &[&str], usize)] = &[
    (
        r"\bACK-[a-z0-9]{12}\b",
        &["x ACK-abc123abc123 y", "xACK-abc123abc123", "ACK-abc123abc1234", "ack-abc123abc123"],
        0,
    ),
    (
        r#"(?i)[\w.-]{0,50}?(?:acme)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}([a-z0-9]{16})(?:[\x60'"\s;]|\\[nr]|$)"#,
        &[
            "my_ACME_token = \"0a1b2c3d4e5f6a7b\"",
            "acme: 0a1b2c3d4e5f6a7b8",
            "acme",
            "Acme=>'0A1B2C3D4E5F6A7B';",
        ],
        0,
    ),
    (
        r"\b((?:ACT[A-Z0-9]|ACMA|ACMB)[A-Z2-7]{8})\b",
        &["ACMAABCDEFGH", "id ACT9ABCDEFGH.", "ACMCABCDEFGH", "ACMBABCDEFG"],
        0,
    ),
    (
        r#"(?:^|[\\'"\x60\s>=:(,)])([a-zA-Z0-9_~.]{3}\dK~[a-zA-Z0-9_~.-]{10,14})(?:$|[\\'"\x60\s<),])"#,
        &["a=abc1K~0123456789ab", "'abc1K~0123456789'", "abc1K~012", "zabc1K~0123456789"],
        0,
    ),
    (r"[0-9]{6}\|[a-z]{5}", &["123456|abcde", "12345|abcde", "no"], 0),
    (r"acme_(?:v1|v2)_[^\s\[\]&&]{4,9}", &["acme_v1_abcd", "acme_v3_abcd", "acme_v2_ab[d"], 0),
    (r"(ACM[a-f]{4})-tail", &["ACMabcd-tail", "ACMabcd-tai"], 0),
    (r"acme\<([a-z]{4})\>", &["acme<abcd>", "acme abcd"], 0),
];

#[test]
fn rules_find_what_the_expressions_find() {
    for (regex, texts, notes) in ALIKE {
        let imported = one(regex, "");
        assert_eq!(imported.notes.len(), *notes, "{regex}: {:?}", imported.notes);
        let rules = rules(&imported);
        for text in *texts {
            // `\<` is a plain sign there.
            let wanted =
                secret(&regex.replace(r"\<", "<").replace(r"\>", ">").replace(r"\s\[\]&&", r"\s\[\]&"), text);
            assert_eq!(found(&rules, text), wanted, "{regex} in {text}\n{}", imported.yaml);
        }
    }
}

#[test]
fn all_that_can_be_carried_over_is() {
    let more = r#"
entropy = 3
keywords = ["acme"]
tags = ["Key", "acme corp"]
[[rules.allowlists]]
regexes = ['''.+SAMPLE$''']
stopwords = ["it's"]
"#;
    let text = "[allowlist]\nregexes = ['''^x+$''']\nstopwords = ['dummy']\n\n[[allowlists]]\ntargetRules = ['other']\nstopwords = ['no']\n\n";
    let rule = format!(
        "[[rules]]\nid = 'acme-key'\ndescription = \"Acme's key\"\nregex = '''acme_([A-Za-z0-9]{{8,20}})'''\n{more}"
    );
    let imported = import(&format!("{text}{rule}"));
    assert_eq!(imported.notes, []);
    let rules = rules(&imported);
    let spec = &rules.get("acme-key").unwrap().spec;
    assert_eq!((spec.description.as_str(), spec.min_entropy), ("Acme's key", Some(3.0)));
    assert_eq!(spec.groups, ["secrets", "imported", "key", "acme-corp"]);
    assert_eq!(spec.keywords, ["acme_"]);
    assert_eq!(spec.stop_words, ["dummy", "it's"]);
    let allow: Vec<&str> = spec.allow.iter().map(|text| text.value.as_str()).collect();
    assert_eq!(allow, ["^x+$", ".+SAMPLE$"]);
    assert_eq!((spec.left, spec.right), (Boundary::None, Boundary::None));
    assert_eq!(spec.references, ["gitleaks rule, a.toml:10"]);
    assert_eq!(found(&rules, "acme_q7Wz9Kd2Lm acme_aaaaaaaa acme_q7Wz9Kd2SAMPLE"), ["q7Wz9Kd2Lm"]);
}

#[test]
fn the_written_pattern_reads_well() {
    let imported = one(r#"(?i)\b(acme-[a-z0-9"]{2,}[^"\n])'tail(?:[\s]|$)"#, "");
    let line =
        |name: &str| imported.yaml.lines().find(|line| line.trim_start().starts_with(name)).unwrap().trim();
    let wanted = r#"pattern: '(?P<value>(?i:acme)-["0-9A-Za-z]{2,514}[^\n"])''(?i:tail)'"#;
    assert_eq!(line("pattern:"), wanted);
    assert_eq!(
        (line("left:"), line("right:"), line("keywords:")),
        ("left: word", "right: alnum", "keywords: ['acme-']")
    );
}

#[test]
fn what_is_not_as_it_was_is_said() {
    let noted = |regex: &str, more: &str, word: &str| {
        let imported = one(regex, more);
        rules(&imported);
        let told = why(&imported.notes);
        assert!(told.iter().any(|why| why.contains(word)), "{regex} {more}: {told:?}");
        assert!(
            imported.notes.iter().all(|note| !note.dropped && note.rule.is_some()),
            "{:?}",
            imported.notes
        );
        assert_eq!(imported.rules, 1);
    };
    noted("acme_[a-z]+", "", "without end are cut at 512");
    noted("^acme_[a-z]{4}", "", "`^` is not kept");
    noted("acme_[a-z]{4}$", "", "`$` is not kept");
    noted("acme_(?:([a-z]{4})x)?y", "", "the whole match is replaced");
    noted("acme_[0-9a]{0,4}([a-z]{8})", "", "may take the value's beginning");
    noted("acme_[a-z]{4}", "path = 'x'", "`path` is not looked at");
    noted("acme_[a-z]{4}", "skipReport = true", "`skipReport`");
    noted("acme_[a-z]{4}", "[[rules.required]]\nid = 'x'", "`required`");
    noted("acme_[a-z]{4}", "keywords = ['vault']", "within 192 bytes");
    noted("acme_[a-z]{4}", "[rules.allowlist]\npaths = ['a', 'b']", "2 path(s)");
    noted("acme_[a-z]{4}", "[rules.allowlist]\ncommits = ['a']", "1 commit(s)");
    noted("acme_[a-z]{4}", "[rules.allowlist]\nregexTarget = 'line'\nregexes = ['a']", "about the line");
    noted(
        "acme_[a-z]{4}",
        "[[rules.allowlists]]\ncondition = 'AND'\nregexes = ['a']\npaths = ['b']",
        "`AND`",
    );
    noted("acme_[a-z]{4}", "[[rules.allowlists]]\nregexes = ['(']", "can't be read");
}

#[test]
fn what_cannot_be_carried_over_is_said() {
    let dropped = |regex: &str, more: &str, word: &str| {
        let imported = one(regex, more);
        assert_eq!((imported.rules, imported.notes.len()), (0, 1), "{regex}: {:?}", imported.notes);
        let note = &imported.notes[0];
        assert!(
            note.dropped && note.why.contains(word) && note.rule.as_deref() == Some("acme-key"),
            "{note:?}"
        );
        assert!(note.line == 2 || note.line == 4, "{note:?}");
        rules(&imported);
    };
    dropped("acme_(?=x)[a-z]{4}", "", "look-around");
    dropped(r"(acme)_\1", "", "can't be read");
    dropped(r"acme_x\b_[a-z]{4}", "", "a look-around");
    dropped("[a-z0-9]{32}", "", "by which it could be found");
    dropped("ab[a-z0-9]{32}", "", "by which it could be found");
    dropped("acme_[a-z]{4}", "secretGroup = 2", "`secretGroup` is 2");
    dropped("acme_[a-z]{5000}", "", "more than 4096");
    dropped("acme_(?:[ab]{0,300}a[ab]{200}){2}", "", "automaton would take more than 2 MiB");
    let only_path = import("[[rules]]\nid = 'acme-key'\npath = 'x'\n");
    assert_eq!(why(&only_path.notes), ["a rule about paths: only contents are looked at here"]);
}

#[test]
fn ways_with_values_of_their_own_become_rules_of_their_own() {
    let imported = one(r"acme=([a-z]{4})|\b(ACM[A-Z]{5})\b", "");
    let rules = rules(&imported);
    let entities: Vec<(String, String)> =
        rules.iter().map(|rule| (rule.spec.id.value.clone(), rule.spec.label())).collect();
    let wanted =
        [("acme-key", "ACME_KEY"), ("acme-key-2", "ACME_KEY")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(entities, wanted);
    assert_eq!(found(&rules, "acme=abcd ACMXXXXX"), ["abcd", "ACMXXXXX"]);
}

#[test]
fn the_file_as_a_whole_has_notes_too() {
    let imported = import(
        "tittle = 'x'\n[extend]\nuseDefault = true\ndisabledRules = ['a']\n[allowlist]\npaths = ['x']\n",
    );
    let told = why(&imported.notes);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(imported.notes.iter().all(|note| note.rule.is_none() && !note.dropped));
    let twice = "[[rules]]\nid = 'Acme Key'\nregex = 'acme'\n[[rules]]\nid = 'Acme Key'\nregex = 'acmf'\n";
    let imported = import(twice);
    assert_eq!((imported.rules, imported.notes.len()), (1, 3), "{:?}", imported.notes);
}

#[test]
fn what_is_no_such_file_is_refused_with_its_place() {
    let error = gitleaks("a.toml", "title = 'x'\n[[rules]]\nid = \n").unwrap_err();
    assert_eq!((error.line, error.source.as_deref()), (3, Some("id = ")), "{error}");
    let error = gitleaks("a.toml", "[[rules]]\nid = 3\n").unwrap_err();
    assert_eq!((error.line, error.column), (2, 6), "{error}");
}

#[test]
fn gos_expressions_are_read_as_go_reads_them() {
    let pairs = [
        (r"a\<b\\<", r"a<b\\<"),
        (r"[[]a", r"[\[]a"),
        (r"[^]a[]", r"[^\]a\[]"),
        (r"[[:alnum:][]", r"[[:alnum:]\[]"),
        (r"[a&&b]&&", r"[a\&\&b]&&"),
        (r"[+--]", r"[+\--]"),
    ];
    for (go, ours) in pairs {
        assert_eq!(go::translated(go), ours);
    }
}
