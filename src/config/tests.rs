//! A tenant's own rules: whose they are, and which are refused.

use std::fs;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Mode, Snapshot, load};
use crate::diagnostic::Diagnostic;
use crate::names::TenantId;

mod notice;
mod promised;
mod region;
mod versions;

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
    let request = tenant.policies.general.request.rules().any(|info| &*info.id == rule);
    let response = tenant.policies.general.response.rules().any(|info| &*info.id == rule);
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
        let mut rules = snapshot.tenants[&TenantId::new(name)].policies.general.request.rules();
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
    let engine = |name: &str| Arc::as_ptr(&snapshot.tenants[&TenantId::new(name)].policies.general.request);
    assert_eq!(engine("one"), engine("two"));
    assert_eq!(engine("five"), engine("six"));
    let mut apart = [engine("one"), engine("three"), engine("four"), engine("five")]
        .map(|engine| engine as usize)
        .to_vec();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), 4);
    let answers = Arc::as_ptr(&snapshot.tenants[&TenantId::new("three")].policies.general.response);
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
    let inline = "censor:\n  rules:\n    - {id: one, description: d, groups: [x], severity: 5, action: redact, fields: [f], pattern: 'x*'}\n    - {id: two, description: d, groups: [x], severity: 50, action: redact, fields: [f]}\n";
    let tenants = [tenant("one", inline), tenant("two", "opaque: [nothing]\n")];
    let errors = wrong(&files(&tenants, &[]));
    let told: Vec<String> =
        errors.iter().map(|e| format!("{}:{}:{} {}", e.file, e.line, e.column, e.message)).collect();
    let wanted = [
        "tenants/one.yaml:4:97 rule `one`: a match could be of any length",
        "tenants/one.yaml:5:12 rule `two`: `severity` is a number from 1 to 10",
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

fn engines<'s>(snapshot: &'s Snapshot, tenant: &str, operation: &str) -> &'s super::Engines {
    snapshot.tenants[&TenantId::new(tenant)].engines(&crate::names::OperationId::new(operation))
}

fn action(engine: &crate::censor::Engine, rule: &str) -> Option<crate::censor::Action> {
    engine.rules().find(|info| &*info.id == rule).map(|info| info.action)
}

/// An operation's actions stand behind those for everything: of the same name the operation's counts, and a wide name of
/// the operation's undoes no narrow one of the rest.
#[test]
fn an_operations_actions_go_before_the_general_ones() {
    use crate::censor::Action;
    let said = "censor:
  request: {EMAIL_ADDRESS: pseudonym, secrets: block, \"*\": redact}
  response: {EMAIL_ADDRESS: allow}
  operations:
    createEmbedding: {request: {EMAIL_ADDRESS: hash, \"*\": allow}, response: {EMAIL_ADDRESS: block}}
    createModeration: {request: {CREDIT_CARD: fpe}}
";
    let snapshot = read(&files(&[tenant("one", said)], &[])).unwrap();
    let chat = engines(&snapshot, "one", "createChatCompletion");
    assert_eq!(action(&chat.request, "EMAIL_ADDRESS"), Some(Action::Pseudonym));
    assert_eq!(action(&chat.request, "github-pat"), Some(Action::Block));
    assert_eq!(action(&chat.request, "CREDIT_CARD"), Some(Action::Redact));
    assert_eq!(action(&chat.response, "EMAIL_ADDRESS"), None);
    let embedding = engines(&snapshot, "one", "createEmbedding");
    assert_eq!(action(&embedding.request, "EMAIL_ADDRESS"), Some(Action::Hash));
    assert_eq!(action(&embedding.request, "github-pat"), Some(Action::Block));
    assert_eq!(action(&embedding.request, "CREDIT_CARD"), None);
    assert_eq!(action(&embedding.response, "EMAIL_ADDRESS"), Some(Action::Block));
    let moderation = engines(&snapshot, "one", "createModeration");
    assert_eq!(action(&moderation.request, "EMAIL_ADDRESS"), Some(Action::Pseudonym));
    assert_eq!(action(&moderation.request, "CREDIT_CARD"), Some(Action::Fpe));
    assert_eq!(action(&moderation.request, "github-pat"), Some(Action::Block));
}

/// What decides the same is one engine, however it is written and wherever it stands.
#[test]
fn policies_that_decide_the_same_share_an_engine() {
    let operation =
        |name: &str, said: &str| format!("censor: {{operations: {{{name}: {{request: {said}}}}}}}\n");
    let tenants = [
        tenant("one", "censor: {request: {EMAIL_ADDRESS: block}}\n"),
        tenant("two", &operation("createEmbedding", "{EMAIL_ADDRESS: block}")),
        tenant("three", &operation("createModeration", "{EMAIL_ADDRESS: block, github-pat: redact}")),
        tenant("four", ""),
    ];
    let snapshot = read(&files(&tenants, &[])).unwrap();
    let request = |name: &str, operation: &str| Arc::as_ptr(&engines(&snapshot, name, operation).request);
    let block = request("one", "createChatCompletion");
    assert_eq!(block, request("two", "createEmbedding"));
    let plain = request("four", "createEmbedding");
    for name in ["two", "three"] {
        assert_eq!(plain, request(name, "createChatCompletion"), "{name}");
    }
    assert_ne!(block, plain);
    // What `github-pat` does by itself is written down as well: nothing is decided otherwise.
    let own = action(&engines(&snapshot, "four", "createModeration").request, "github-pat");
    assert_eq!(own, Some(crate::censor::Action::Redact));
    assert_eq!(block, request("three", "createModeration"));
}

#[test]
fn what_is_said_of_operations_is_checked() {
    let said = |censor: &str| {
        wrong(&files(&[tenant("one", &format!("censor:\n  operations:\n    {censor}\n"))], &[]))
    };
    let errors = said("createEmbeding: {request: {secrets: block}}");
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].message.contains("unknown operation `createEmbeding`"), "{}", errors[0]);
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `createEmbedding`?"));
    let errors = said("createEmbedding: {request: {EMAIL_ADRESS: block}}");
    assert!(errors[0].message.contains("`EMAIL_ADRESS` is no rule"), "{}", errors[0]);
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `EMAIL_ADDRESS`?"));
    assert!(errors[0].line > 3 && errors[0].column > 30, "{}", errors[0]);
    assert!(said("createEmbedding: {}")[0].message.contains("nothing is said"));
    assert!(said("createEmbedding: {requests: {}}")[0].message.contains("requests"));
}

/// A configuration whose route may allow dry runs.
fn with_dry_run(allowed: &str, said: &str) -> Result<Snapshot, Vec<Diagnostic>> {
    let main = MAIN.replace("api: openai}", &format!("api: openai{allowed}}}"));
    let tenants = [tenant("one", said)];
    let mut all = files(&tenants, &[]);
    all.push(("consentry.yaml", main));
    read(&all)
}

/// Two files, two people, a sentence and an end: nobody turns it on by mistake.
#[test]
fn a_dry_run_has_to_be_asked_for_twice_and_ends() {
    let now = jiff::Timestamp::now();
    let day = jiff::SignedDuration::from_hours(24);
    let until = |days: i32| now.checked_add(day * days).unwrap();
    let said = |more: &str, until: jiff::Timestamp| {
        format!("censor: {{dry_run: {{routes: [openai], until: {until}{more}}}}}\n")
    };
    let sentence = ", accepted: secrets_and_personal_data_pass";
    let allowed = ", allow_dry_run: true";
    let snapshot = with_dry_run(allowed, &said(sentence, until(7))).unwrap();
    let (one, route) = (&snapshot.tenants[&TenantId::new("one")], crate::names::RouteName::new("openai"));
    assert!(one.runs_dry(&route, now) && one.runs_dry(&route, until(6)));
    assert!(!one.runs_dry(&route, until(7)) && !one.runs_dry(&crate::names::RouteName::new("other"), now));
    assert_eq!(snapshot.dry_runs().count(), 1);
    let over = with_dry_run(allowed, &said(sentence, until(-1))).unwrap();
    assert!(!over.tenants[&TenantId::new("one")].runs_dry(&route, now));
    let refused = |allowed: &str, said: &str| match with_dry_run(allowed, said) {
        Ok(_) => panic!("it loads: {said}"),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<String>(),
    };
    assert!(refused("", &said(sentence, until(7))).contains("does not allow dry runs"));
    assert!(refused(", allow_dry_run: false", &said(sentence, until(7))).contains("does not allow dry runs"));
    assert!(refused(allowed, &said("", until(7))).contains("accepted"));
    assert!(refused(allowed, &said(", accepted: yes", until(7))).contains("secrets_and_personal_data_pass"));
    assert!(refused(allowed, &said(sentence, until(40))).contains("within 31 days"));
    assert!(refused(allowed, "censor: {dry_run: true}\n").contains("dry_run"));
    let wrong = said(sentence, until(7)).replace("[openai]", "[opnai]");
    assert!(refused(allowed, &wrong).contains("did you mean `openai`?"));
    assert!(
        refused(allowed, &said(sentence, until(7)).replace("[openai]", "[]")).contains("names the routes")
    );
}

/// What can't be enforced of records is refused with its place: a no never passes, and what nobody looks for is not found.
#[test]
fn records_are_judged_as_a_file_says_or_not_at_all() {
    let tenant = |records: &str| [("tenants/acme.yaml", format!("tenant: acme\n{records}"))];
    let snapshot = read(&tenant("records: {}\n")).unwrap_or_else(|errors| panic!("{errors:?}"));
    let acme = &snapshot.tenants[&TenantId::new("acme")];
    assert!(acme.records.is_some() && acme.policies.general.anonymous.is_some());
    let snapshot = read(&tenant("")).unwrap_or_else(|errors| panic!("{errors:?}"));
    let acme = &snapshot.tenants[&TenantId::new("acme")];
    assert!(acme.records.is_none() && acme.policies.general.anonymous.is_none());
    for (records, told) in [
        ("records: {when: {said_no: pass}}\n", "a record can't pass when it says no itself"),
        ("records: {when: {two_subjects: pass}}\n", "a record can't pass when it names two subjects"),
        ("records: {fields: {age: [age]}}\n", "a JSON pointer is empty or starts with `/`"),
        ("records: {remove: [\"\"]}\n", "names no place in a record"),
        ("records: {fields: {subject: [/**/id]}}\n", "names no place in a record"),
        (
            "records: {when: {special_category: drop}}\ncensor: {request: {RELIGION: allow}}\n",
            "nobody looks for RELIGION",
        ),
    ] {
        let errors = wrong(&tenant(records));
        assert!(errors[0].message.contains(told), "{records}: {errors:?}");
        assert_eq!(errors[0].file, "tenants/acme.yaml");
    }
}
