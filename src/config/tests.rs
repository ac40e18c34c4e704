//! A tenant's own rules: whose they are, and which are refused.

use std::fs;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Mode, Snapshot, load};
use crate::diagnostic::Diagnostic;
use crate::names::TenantId;

const MAIN: &str = "\
listeners:
  data: {address: 127.0.0.1:8443, tls: {development: {}}}
  metrics: {address: 127.0.0.1:9901}
master_key: file:key
upstreams:
  openai: {url: https://api.openai.com}
routes:
  - {name: openai, path: /, upstream: openai, api: openai}
";

/// A rule as an item of a list.
fn rule(id: &str, pattern: &str) -> String {
    format!(
        "- id: {id}\n  description: d\n  groups: [pii]\n  severity: 5\n  action: redact\n  keywords: [badge-]\n  pattern: '{pattern}'\n"
    )
}

fn file(rules: &[String]) -> String {
    format!("version: 1\nrules:\n{}", rules.concat())
}

/// A configuration of these files.
fn read(files: &[(&str, String)]) -> Result<Snapshot, Vec<Diagnostic>> {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("consentry.yaml", MAIN);
    write("key", "a master key of these tests, long enough");
    files.iter().for_each(|(name, text)| write(name, text));
    let name = |error: Diagnostic| {
        let file = error.file.replace(&format!("{}/", folder.path().display()), "");
        Diagnostic { file, ..error }
    };
    load(folder.path(), Mode::Check, 1).map_err(|errors| errors.into_iter().map(name).collect())
}

fn wrong(files: &[(&str, String)]) -> Vec<Diagnostic> {
    let Err(errors) = read(files) else { panic!("it loads: {files:?}") };
    errors
}

fn has(snapshot: &Snapshot, tenant: &str, rule: &str) -> bool {
    let tenant = &snapshot.tenants[&TenantId::new(tenant)];
    let request = tenant.request.rules().any(|info| &*info.id == rule);
    let response = tenant.response.rules().any(|info| &*info.id == rule);
    assert_eq!(request, response);
    request
}

fn tenant(name: &str, censor: &str) -> (String, String) {
    (format!("tenants/{name}.yaml"), format!("tenant: {name}\n{censor}"))
}

fn files<'a>(tenants: &'a [(String, String)], more: &[(&'a str, String)]) -> Vec<(&'a str, String)> {
    tenants.iter().map(|(name, text)| (name.as_str(), text.clone())).chain(more.iter().cloned()).collect()
}

#[test]
fn a_tenants_rules_apply_to_nobody_else() {
    let inline =
        rule("inline", "badge-[0-9]{4}").lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    let tenants = [
        tenant("one", "censor: {rules: own/one.yaml}\n"),
        tenant("two", "censor: {rules: own/folder}\n"),
        tenant("three", ""),
        tenant("four", &format!("censor:\n  rules:\n{inline}")),
    ];
    let more = [
        ("own/one.yaml", file(&[rule("of-one", "badge-[0-9]{4}")])),
        ("own/folder/a.yaml", file(&[rule("of-two", "badge-[0-9]{4}")])),
        ("own/folder/b.yaml", file(&[rule("more-of-two", "badge-[a-z]{4}")])),
        ("rules/all.yaml", file(&[rule("of-all", "badge-[0-9]{5}")])),
    ];
    let snapshot = read(&files(&tenants, &more)).unwrap();
    let owned = [("of-one", "one"), ("of-two", "two"), ("more-of-two", "two"), ("inline", "four")];
    for (id, owner) in owned {
        for name in ["one", "two", "three", "four"] {
            assert_eq!(has(&snapshot, name, id), name == owner, "{id} in {name}");
        }
    }
    for name in ["one", "two", "three", "four"] {
        assert!(has(&snapshot, name, "of-all") && has(&snapshot, name, "openai-api-key"), "{name}");
    }
}

#[test]
fn a_tenants_rule_replaces_the_one_of_its_id() {
    let mine = rule("openai-api-key", "badge-[0-9]{4}").replace("severity: 5", "severity: 2");
    let tenants = [tenant("one", "censor: {rules: own.yaml}\n"), tenant("two", "")];
    let snapshot = read(&files(&tenants, &[("own.yaml", file(&[mine]))])).unwrap();
    let severity = |name: &str| {
        let mut rules = snapshot.tenants[&TenantId::new(name)].request.rules();
        rules.find(|info| &*info.id == "openai-api-key").unwrap().severity
    };
    assert_eq!(severity("one"), 2);
    assert!(severity("two") > 2);
}

#[test]
fn the_same_rules_and_policy_share_an_engine() {
    let tenants = [
        tenant("one", "censor: {rules: a.yaml}\n"),
        tenant("two", "censor: {rules: copy.yaml}\n"),
        tenant("three", "censor: {rules: a.yaml, request: {of-a: block}}\n"),
        tenant("four", "censor: {rules: b.yaml}\n"),
        tenant("five", ""),
        tenant("six", ""),
    ];
    let a = file(&[rule("of-a", "badge-[0-9]{4}")]);
    let more = [("a.yaml", a.clone()), ("copy.yaml", a), ("b.yaml", file(&[rule("of-b", "badge-[0-9]{4}")]))];
    let snapshot = read(&files(&tenants, &more)).unwrap();
    let engine = |name: &str| Arc::as_ptr(&snapshot.tenants[&TenantId::new(name)].request);
    assert_eq!(engine("one"), engine("two"));
    assert_eq!(engine("five"), engine("six"));
    let mut apart = [engine("one"), engine("three"), engine("four"), engine("five")]
        .map(|engine| engine as usize)
        .to_vec();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), 4);
    let answers = Arc::as_ptr(&snapshot.tenants[&TenantId::new("three")].response);
    assert_eq!(answers, engine("one"));
}

#[test]
fn the_fingerprint_knows_a_tenants_rules() {
    let tenants = [tenant("one", "censor: {rules: a.yaml}\n")];
    let of = |pattern: &str| {
        read(&files(&tenants, &[("a.yaml", file(&[rule("of-a", pattern)]))])).unwrap().fingerprint
    };
    assert_eq!(of("badge-[0-9]{4}"), of("badge-[0-9]{4}"));
    assert_ne!(of("badge-[0-9]{4}"), of("badge-[0-9]{5}"));
}

/// What is said of a tenant's rule with this pattern.
fn refused(pattern: &str) -> String {
    let tenants = [tenant("one", "censor: {rules: a.yaml}\n")];
    let errors = wrong(&files(&tenants, &[("a.yaml", file(&[rule("of-a", pattern)]))]));
    let [error] = errors.as_slice() else { panic!("{pattern}: {errors:#?}") };
    assert_eq!((error.file.as_str(), error.line, error.column), ("a.yaml", 9, 12), "{error}");
    assert!(error.message.starts_with("rule `of-a`: "), "{error}");
    assert_eq!(error.source.as_deref(), Some(format!("  pattern: '{pattern}'").as_str()));
    error.message.clone()
}

#[test]
fn a_rule_that_could_run_without_bound_is_refused() {
    let bounds = [
        ("badge-[0-9]+", "of any length"),
        ("badge-.*x", "of any length"),
        ("badge-[0-9]{5000}", "5006 bytes long, more than 4096"),
        ("badge-(?:(?:[a-z]{60}){60}){60}", "216006 bytes long"),
        ("badge-(?:(?:(?:a{1000}){1000}){1000}){1000}", "bytes long"),
        // The automaton would have to remember where each of the last 300 letters stood.
        ("badge-[ab]{0,900}a[ab]{300}", "automaton would take more than 2 MiB"),
        ("badge-(?:[a-z]{0,60}x){0,60}", "automaton would take more than 2 MiB"),
        ("badge-[0-9]{4}(?=x)", "look-around"),
        ("badge-(", "unclosed group"),
    ];
    for (pattern, words) in bounds {
        let said = refused(pattern);
        assert!(said.contains(words), "{pattern}: {said}");
    }
}

#[test]
fn many_large_automata_are_refused_together() {
    let rules: Vec<String> =
        (0..45).map(|n| rule(&format!("rule-{n}"), &format!("badge-{n}[ab]{{0,20}}a[ab]{{10}}c"))).collect();
    let tenants = [tenant("one", "censor: {rules: a.yaml}\n")];
    let errors = wrong(&files(&tenants, &[("a.yaml", file(&rules))]));
    let last = errors.last().unwrap();
    assert!(last.message.contains("the automata of all rules take more than"), "{last}");
}

#[test]
fn every_wrong_rule_is_told_and_the_rest_of_the_file_too() {
    let inline = "censor:\n  rules:\n    - {id: a, description: d, groups: [x], severity: 5, action: redact, fields: [f], pattern: 'x*'}\n    - {id: b, description: d, groups: [x], severity: 50, action: redact, fields: [f]}\n";
    let tenants = [tenant("one", inline), tenant("two", "opaque: [nothing]\n")];
    let errors = wrong(&files(&tenants, &[]));
    let told: Vec<String> =
        errors.iter().map(|e| format!("{}:{}:{} {}", e.file, e.line, e.column, e.message)).collect();
    let wanted = [
        "tenants/one.yaml:4:95 rule `a`: a match could be of any length",
        "tenants/one.yaml:5:12 rule `b`: `severity` is a number from 1 to 10",
        "tenants/two.yaml:2:10 unknown operation `nothing`",
    ];
    assert_eq!(told.len(), 3, "{told:#?}");
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.starts_with(wanted), "{told}");
    }
}

#[test]
fn a_path_of_rules_stays_inside() {
    for (path, words) in [
        ("/etc/passwd", "stays inside of it"),
        ("../rules.yaml", "stays inside of it"),
        ("own/../../x", "stays inside of it"),
        ("''", "stays inside of it"),
        ("nowhere.yaml", "can't be read"),
        ("empty", "no rule files"),
    ] {
        let tenants = [tenant("one", &format!("censor:\n  rules: {path}\n"))];
        let errors = wrong(&files(&tenants, &[("empty/a.txt", String::new())]));
        let [error] = errors.as_slice() else { panic!("{path}: {errors:#?}") };
        assert_eq!((error.file.as_str(), error.line, error.column), ("tenants/one.yaml", 3, 10), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    let tenants = [tenant("one", "censor: {rules: {a: b}}\n")];
    let errors = wrong(&files(&tenants, &[]));
    assert!(errors[0].message.contains("a path or a list of rules"), "{errors:?}");
}
