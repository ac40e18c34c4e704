//! `consentry rules`.

use super::{Ended, Place};

const SOUND: &str = "\
version: 1
rules:
  - id: acme-badge
    description: Acme's badge
    groups: [pii]
    severity: 5
    action: redact
    keywords: [badge-]
    pattern: 'badge-(?P<value>[0-9]{16})'
    right: digit
    validator: luhn
    references: ['https://example.org/badges']
    examples: [['badge-4111', '111111111111']]
    negative_examples: [['badge-', '4111']]
";

#[test]
fn sound_rules_are_told_in_one_line() {
    let place = Place::new();
    place.write("rules/a.yaml", SOUND);
    place.write("rules/b.yml", SOUND.replace("acme-badge", "other-badge"));
    place.write("rules/notes.txt", "not a rule");
    for arguments in [&["rules", "check", "rules"][..], &["rules", "check", "rules/a.yaml", "rules/b.yml"]] {
        let Ended { code, out, err } = place.run(arguments);
        assert_eq!((code, err.as_str()), (0, ""));
        assert_eq!(out, "ok: 2 rule(s) in 2 file(s), 2 example(s), 2 negative one(s)\n");
    }
}

/// The pack that comes with the program: examples, bounds, keywords, validators, and a source for every rule.
#[test]
fn the_built_in_rules_hold() {
    let place = Place::new();
    let Ended { code, out, err } = place.run(&["rules", "check"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("ok: "), "{out}");
}

#[test]
fn every_fault_has_file_line_column_rule_and_caret() {
    let place = Place::new();
    place.write(
        "a.yaml",
        SOUND.replace("'4111']]", "'4111111111111111']]").replace("[0-9]{16}", "[0-9]{16}|[a-z]*"),
    );
    place.write("b.yaml", SOUND.replace("references: ['https://example.org/badges']", "references: []"));
    place.write("c.yaml", SOUND.replace("id: acme-badge", "id: other").replace("validator:", "validatr:"));
    let Ended { code, out, err } = place.run(&["rules", "check", "a.yaml", "b.yaml", "c.yaml"]);
    assert_eq!((code, out.as_str()), (64, ""), "{err}");
    let wanted = "\
consentry: a.yaml:9:14: rule `acme-badge`: a match could be of any length: bound every repetition, as in `{0,64}`
  |
  |     pattern: 'badge-(?P<value>[0-9]{16}|[a-z]*)'
  |              ^
consentry: b.yaml:3:9: rule `acme-badge` is already defined in a.yaml:3
  |
  |   - id: acme-badge
  |         ^
consentry: c.yaml:11:5: unknown field `validatr`, expected one of ";
    assert!(err.starts_with(wanted), "{err}");
    assert!(err.contains("  = help: did you mean `validator`?\n"), "{err}");
    assert!(err.ends_with("consentry: 3 faults in the rules\n"), "{err}");
}

#[test]
fn a_file_that_is_not_there_is_no_fault_of_a_rule() {
    let place = Place::new();
    place.write("empty/notes.txt", "");
    for path in ["nowhere.yaml", "empty"] {
        let ended = place.run(&["rules", "check", path]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.starts_with(&format!("consentry: {path}: ")), "{ended:?}");
    }
}

#[test]
fn rules_are_listed_by_kind() {
    let place = Place::new();
    place.write("a.yaml", SOUND);
    let all = place.run(&["rules", "list", "--rules", "a.yaml"]);
    assert_eq!(all.code, 0, "{}", all.err);
    let lines: Vec<&str> = all.out.lines().collect();
    assert!(lines[0].starts_with("ID ") && lines[0].ends_with("  DESCRIPTION"), "{}", lines[0]);
    assert!(lines.len() > 400, "{}", lines.len());
    let badge = lines.iter().find(|line| line.starts_with("acme-badge ")).unwrap();
    let columns: Vec<&str> = badge.split_whitespace().collect();
    assert_eq!(columns, ["acme-badge", "ACME_BADGE", "redact", "5", "Acme's", "badge"]);
    let count = |kind: &str| {
        place.run(&["rules", "list", "--kind", kind, "--rules", "a.yaml"]).out.lines().count() - 1
    };
    let (secret, personal) = (count("secret"), count("personal"));
    assert!(secret > 220 && personal > 60 && secret + personal == lines.len() - 1, "{secret} {personal}");
}

#[test]
fn the_list_is_json_a_line_each() {
    let place = Place::new();
    place.write("a.yaml", SOUND);
    let ended = place.run(&["rules", "list", "--format", "json", "--kind", "personal", "--rules", "a.yaml"]);
    let badge = ended.out.lines().find(|line| line.contains("\"acme-badge\"")).unwrap();
    let wanted = r#"{"id":"acme-badge","entity":"ACME_BADGE","kind":"personal","description":"Acme's badge","groups":["pii"],"severity":5,"action":"redact","file":"a.yaml","line":3}"#;
    assert_eq!(badge, wanted);
}

#[test]
fn a_rule_is_explained() {
    let place = Place::new();
    place.write("a.yaml", SOUND);
    let ended = place.run(&["rules", "explain", "acme-badge", "--rules", "a.yaml"]);
    let wanted = "\
acme-badge
  Acme's badge
  from        a.yaml:3
  entity      ACME_BADGE
  groups      pii
  severity    5
  action      redact
  keywords    `badge-`
  pattern     badge-(?P<value>[0-9]{16})
  beside      no word before, no digit behind
  length      at most 22 bytes
  validator   luhn: has to accept the value
  reference   https://example.org/badges
  found       badge-4111111111111111
  not found   badge-4111
";
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, wanted, ""));
}

#[test]
fn a_rule_says_what_it_makes_of_a_text_and_never_shows_it() {
    let place = Place::new();
    place.write("a.yaml", SOUND);
    let number = ["4111", "1111", "1111", "1111"].concat();
    let text = format!("first badge-{number}\nsecond badge-{}2 xbadge-1\n", &number[..15]);
    let arguments = ["rules", "explain", "acme-badge", "--rules", "a.yaml", "--text", "-"];
    let ended = place.run_with(&arguments, text.as_bytes());
    assert_eq!(ended.code, 0, "{}", ended.err);
    let (rule, told) = ended.out.split_once("\n\n").unwrap();
    assert!(rule.starts_with("acme-badge\n"));
    let wanted = "\
in the text: 1 found, 2 place(s) refused
  line 1, bytes 12-28 ************1111: found: but `CREDIT_CARD` (severity 7) names the region, bytes 12-28
  line 2, bytes 42-58 ************1112: validator: `luhn` does not accept it
  line 2, bytes 60-60: boundary: the byte before the match is one of `left`
";
    assert_eq!(told, wanted);
    assert!(!told.contains(&number[..8]), "{told}");
    let nothing = place.run_with(&arguments, b"nothing");
    assert!(
        nothing.out.ends_with(
            "1 place(s) refused\n  line 1, bytes 0-0: prefilter: none of the keywords stands in the text\n"
        ),
        "{}",
        nothing.out
    );
}

#[test]
fn a_region_that_another_rule_names_is_told() {
    let place = Place::new();
    place.write("a.yaml", SOUND);
    let louder = SOUND.replace("acme-badge", "louder").replace("severity: 5", "severity: 9");
    place.write("b.yaml", louder);
    let number = ["badge-4111", "111111111111"].concat();
    let arguments =
        ["rules", "explain", "acme-badge", "--rules", "a.yaml", "--rules", "b.yaml", "--text", "-"];
    let ended = place.run_with(&arguments, number.as_bytes());
    assert!(
        ended.out.contains(": found: but `louder` (severity 9) names the region, bytes 6-22"),
        "{}",
        ended.out
    );
}

#[test]
fn an_unknown_rule_has_a_neighbour() {
    let ended = Place::new().run(&["rules", "explain", "openai-api-kee"]);
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (64, "consentry: there is no rule `openai-api-kee`; did you mean `openai-api-key`?\n")
    );
}

const GITLEAKS: &str = r"
title = 'ours'

[[rules]]
id = 'acme-key'
description = 'Acme key'
regex = '''\b(acme_[a-z0-9]{12})\b'''
entropy = 2
keywords = ['acme_']

[[rules]]
id = 'acme-file'
path = 'acme\.txt'

[[rules]]
id = 'acme-long'
regex = '''acml_[a-z0-9]+'''
";

#[test]
fn a_gitleaks_file_becomes_rules_that_find() {
    let place = Place::new();
    place.write("ours.toml", GITLEAKS);
    let ended = place.run(&["rules", "import", "ours.toml", "--out", "ours.yaml"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{}", ended.err);
    let wanted = "\
ours.toml:12: rule `acme-file`: not carried over: a rule about paths: only contents are looked at here
ours.toml:16: rule `acme-long`: repetitions without end are cut at 512 for the value and 48 around it: what is longer is not found
consentry: 2 rule(s) written, 1 not carried over, 1 difference(s)
";
    assert_eq!(ended.err, wanted);
    let wanted = "\
# Imported from ours.toml.
version: 1
rules:
  - id: 'acme-key'
    description: 'Acme key'
    groups: ['secrets', 'imported']
    severity: 7
    action: redact
    keywords: ['acme_']
    pattern: 'acme_[0-9a-z]{12}'
    left: word
    right: word
    min_entropy: 2.0
    references: ['gitleaks rule, ours.toml:5']
  - id: 'acme-long'
";
    assert!(place.read("ours.yaml").starts_with(wanted), "{}", place.read("ours.yaml"));
    let text = ["my acme_", "0a1b2c3d4e5f"].concat();
    let scanned = place.run_with(&["scan", "--rules", "ours.yaml", "--format", "json"], text.as_bytes());
    assert_eq!(scanned.code, 1, "{scanned:?}");
    assert_eq!(
        scanned.out,
        "{\"line\":1,\"start\":3,\"end\":20,\"rule\":\"acme-key\",\"entity\":\"ACME_KEY\",\"action\":\"redact\"}\n"
    );
    // The check asks for what an import can't give.
    let checked = place.run(&["rules", "check", "ours.yaml"]);
    assert!(
        checked.code == 64 && checked.err.contains("rule `acme-key`: there is no example"),
        "{checked:?}"
    );
}

#[test]
fn the_report_of_an_import_is_json_on_demand() {
    let place = Place::new();
    place.write("ours.toml", GITLEAKS);
    let ended = place.run(&["rules", "import", "ours.toml", "--report", "json"]);
    assert!(ended.out.starts_with("# Imported from ours.toml.\nversion: 1\n"), "{}", ended.out);
    let first = r#"{"file":"ours.toml","line":12,"rule":"acme-file","carried":false,"why":"a rule about paths: only contents are looked at here"}"#;
    assert_eq!(ended.err.lines().next(), Some(first));
    assert_eq!(ended.err.lines().count(), 2, "{}", ended.err);
}

#[test]
fn an_import_overwrites_nothing_and_refuses_what_it_cannot_read() {
    let place = Place::new();
    place.write("ours.toml", GITLEAKS);
    place.write("there.yaml", "mine");
    let ended = place.run(&["rules", "import", "ours.toml", "--out", "there.yaml"]);
    assert_eq!((ended.code, place.read("there.yaml").as_str()), (2, "mine"), "{}", ended.err);
    place.write("bad.toml", "[[rules]]\nid = 7\n");
    let ended = place.run(&["rules", "import", "bad.toml"]);
    assert_eq!(ended.code, 64);
    assert!(
        ended.err.starts_with("consentry: bad.toml:2:6: invalid type")
            && ended.err.contains("  | id = 7\n  |      ^"),
        "{}",
        ended.err
    );
    assert_eq!(place.run(&["rules", "import", "none.toml"]).code, 2);
}
