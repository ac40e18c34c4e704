//! The documents tell the truth: every example configuration loads, every command parses, every link leads somewhere,
//! every test and type that is named is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on fails; clippy knows helpers of unit tests only"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::error::ErrorKind;
use regex::Regex;
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents: those of the root, of `docs/`, and the guides beside what they explain.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [".", "docs", "config/apis", "config/rules", "charts/consentry", "benches"] {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        let paths = entries.map(|entry| entry.unwrap().path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    found.sort();
    assert!(found.len() > 8, "only {found:?}");
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string().replace("./", "")
}

fn none(what: &str, complaints: &[String]) {
    let mut all = String::new();
    for complaint in complaints {
        let _ = write!(all, "\n  {complaint}");
    }
    assert!(complaints.is_empty(), "{what}:{all}");
}

/// A fenced block of a document.
struct Block {
    line: usize,
    language: String,
    text: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let fence = line.trim_start().strip_prefix("```");
        match (open, fence) {
            (None, Some(language)) => {
                let language = language.trim().to_owned();
                blocks.push(Block { line: number + 1, language, text: String::new() });
                open = Some(indent);
            }
            (Some(_), Some(_)) => open = None,
            (Some(indent), None) => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line.get(indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

// --- Commands ------------------------------------------------------------------------------------------------

/// The arguments of a line of shell that calls the program; none for all other lines.
fn arguments(line: &str) -> Option<Vec<String>> {
    let line = line.trim().trim_start_matches("$ ");
    let line = ["cargo run --release -- ", "cargo run --release --locked -- ", "target/release/consentry "]
        .iter()
        .find_map(|start| line.strip_prefix(start))
        .or_else(|| line.split_once("/usr/bin/consentry ").map(|(_, rest)| rest))
        .or_else(|| line.strip_prefix("consentry "))?;
    let end =
        line.find(" | ").or_else(|| line.find(" > ")).or_else(|| line.find(" # ")).unwrap_or(line.len());
    let words = line[..end].split_whitespace().filter(|word| *word != "&" && *word != "…");
    Some(words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect())
}

/// Whether the program takes these arguments.
fn parses(arguments: &[String]) -> Result<(), String> {
    let all = std::iter::once("consentry").chain(arguments.iter().map(String::as_str));
    match consentry::cli::command().try_get_matches_from(all) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Ok(()),
        Err(error) => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}

#[test]
fn every_command_of_the_documents_parses() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for block in
            blocks(&text).iter().filter(|b| ["sh", "bash", "console", "shell"].contains(&&*b.language))
        {
            let joined = block.text.replace("\\\n", " ");
            for arguments in joined.lines().filter_map(arguments) {
                seen += 1;
                if let Err(error) = parses(&arguments) {
                    complaints.push(format!("{}:{} {arguments:?}: {error}", shown(&path), block.line));
                }
            }
        }
    }
    none("commands that the program does not take", &complaints);
    assert!(seen > 10, "only {seen} commands were found");
}

#[test]
fn every_command_that_is_named_in_a_sentence_exists() {
    let named = Regex::new(r"`consentry ([a-z][a-z -]*[a-z])[^`]*`").unwrap();
    let mut complaints = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for found in named.captures_iter(&text) {
            let mut command = &consentry::cli::command();
            for word in found[1].split(' ').take_while(|word| !word.starts_with('-')) {
                match command.find_subcommand(word) {
                    Some(inner) => command = Box::leak(Box::new(inner.clone())),
                    None if command.has_subcommands() => {
                        complaints.push(format!("{}: {}", shown(&path), &found[0]));
                        break;
                    }
                    None => break,
                }
            }
        }
    }
    none("commands that there are not", &complaints);
}

#[test]
fn the_reference_names_every_command_and_option() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let mut complaints = Vec::new();
    for command in consentry::cli::command().get_subcommands().filter(|c| !c.is_hide_set()) {
        let inner: Vec<_> = command.get_subcommands().collect();
        let leaves: Vec<(String, &clap::Command)> = if inner.is_empty() {
            vec![(command.get_name().to_owned(), command)]
        } else {
            inner.iter().map(|i| (format!("{} {}", command.get_name(), i.get_name()), *i)).collect()
        };
        for (name, leaf) in leaves {
            let Some(row) = text.lines().find(|line| line.starts_with(&format!("| `consentry {name}")))
            else {
                complaints.push(format!("no row `consentry {name}`"));
                continue;
            };
            for option in leaf.get_arguments().filter(|a| !a.is_hide_set()).filter_map(|a| a.get_long()) {
                if !["help", "version"].contains(&option) && !row.contains(&format!("--{option}")) {
                    complaints.push(format!("`consentry {name}` has --{option}"));
                }
            }
        }
    }
    none("the command reference of README.md", &complaints);
}

// --- Configurations ------------------------------------------------------------------------------------------

/// A set with one public key: that of RFC 7517, appendix A.1.
const KEY_SET: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": "1",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// What a document's `issuers` are for.
const BEARER: &str = "tenant: bearer\ntokens: [{id: notebooks, issuer: corporate, claim: acme}]\n";

/// A configuration in a folder of its own.
struct Configuration(TempDir);

impl Configuration {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("tenants")).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Makes what a text refers to: files of secrets, certificates. The variables are returned.
    fn provide(&self, text: &str) -> Vec<String> {
        let file =
            Regex::new(r#"(?:\bfile:|(?:certificate|private_key|client_ca|ca): *)"?([A-Za-z0-9_./-]+)"#)
                .unwrap();
        let certificates =
            consentry::tls::development(&self.0.path().join("made"), &[], jiff::Timestamp::now()).unwrap();
        for found in file.captures_iter(text) {
            let path = self.0.path().join(&found[1]);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match path.extension().and_then(|e| e.to_str()) {
                Some("pem" | "crt") => drop(fs::copy(&certificates.ca, &path).unwrap()),
                Some("json") => fs::write(&path, KEY_SET).unwrap(),
                _ => fs::write(&path, "0123456789abcdef0123456789abcdef").unwrap(),
            }
        }
        let variable = Regex::new(r"\benv:([A-Z0-9_]+)").unwrap();
        variable.captures_iter(text).map(|found| found[1].to_owned()).collect()
    }

    fn check(&self, variables: &[String]) -> Result<String, String> {
        check(self.0.path(), variables)
    }
}

/// Runs `consentry check`.
fn check(config: &Path, variables: &[String]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    command.arg("check").arg("--config").arg(config).current_dir(root());
    for variable in variables {
        command.env(variable, "a-secret-of-the-tests-of-the-documents");
    }
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A YAML text by its keys of the first level. Comments before a key belong to it.
fn sections(text: &str) -> BTreeMap<String, String> {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut key = String::new();
    for line in text.lines() {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            line.split(':').next().unwrap_or_default().clone_into(&mut key);
        }
        let section = sections.entry(key.clone()).or_default();
        section.push_str(line);
        section.push('\n');
    }
    sections
}

#[test]
fn the_example_loads() {
    let told = check(Path::new("config"), &["OPENAI_API_KEY".to_owned()]).unwrap();
    assert!(told.starts_with("ok: 1 route(s), "), "{told}");
}

#[test]
fn the_example_does_not_load_without_its_secret() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    let output = command
        .args(["check", "--config", "config"])
        .env_remove("OPENAI_API_KEY")
        .current_dir(root())
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(64));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("config/consentry.yaml:") && told.contains("OPENAI_API_KEY"), "{told}");
}

/// What the blocks of the documents are put into.
const MAIN: &str = "\
listeners:
  data: {address: 127.0.0.1:8443, tls: {development: {}}}
  metrics: {address: 127.0.0.1:9901}
upstreams:
  openai: {url: https://api.openai.com}
routes:
  - {name: openai, path: /, upstream: openai, api: openai}
";

/// What a tenant's file names in the main one: by what it says, the key there, and its value.
const NAMED: &[(&str, &str, &str)] = &[
    (
        "issuer: corporate",
        "issuers",
        "  corporate: {issuer: \"https://id.example\", audiences: [a], algorithms: [ES256], jwks: \"file:keys.json\"}",
    ),
    (
        "routes: [trial]",
        "routes",
        "  - {name: trial, path: /, upstream: openai, api: openai, allow_dry_run: true}",
    ),
    ("name: presidio", "analysers", "  presidio: {url: \"http://127.0.0.1:5002\"}"),
];

#[test]
fn every_configuration_in_the_documents_loads() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    let named = [
        "README.md",
        "docs/configuration.md",
        "docs/operations.md",
        "docs/audit.md",
        "docs/rules.md",
        "docs/policies.md",
    ];
    for name in named {
        let text = fs::read_to_string(root().join(name)).unwrap();
        for block in blocks(&text).iter().filter(|b| b.language == "yaml" && !b.text.starts_with("version:"))
        {
            seen += 1;
            let configuration = Configuration::new();
            let of_tenant = block.text.lines().any(|line| line.starts_with("tenant:"));
            let mut main = sections(MAIN);
            if block.text.starts_with("policy:") {
                std::fs::create_dir(configuration.0.path().join("policies")).unwrap();
                configuration.write("policies/one.yaml", &block.text);
            } else if of_tenant {
                configuration.write("tenants/one.yaml", &block.text);
                for (named, key, section) in NAMED {
                    if block.text.contains(named) {
                        main.insert((*key).to_owned(), format!("{key}:\n{section}\n"));
                    }
                }
            } else {
                main.extend(sections(&block.text));
                if main.contains_key("issuers") {
                    configuration.write("tenants/bearer.yaml", BEARER);
                }
            }
            let main: String = main.into_values().collect();
            configuration.write("consentry.yaml", &main);
            let variables = configuration.provide(&(main + &block.text));
            if let Err(error) = configuration.check(&variables) {
                complaints.push(format!("{name}:{}: {error}", block.line));
            }
        }
    }
    none("configurations that do not load", &complaints);
    assert!(seen > 5, "only {seen} blocks were found");
}

#[test]
fn every_rule_file_in_the_documents_holds() {
    let text = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let mut seen = 0;
    for block in blocks(&text).iter().filter(|b| b.language == "yaml" && b.text.starts_with("version:")) {
        let configuration = Configuration::new();
        configuration.write("one.yaml", &block.text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
        let output =
            command.args(["rules", "check", "one.yaml"]).current_dir(configuration.0.path()).output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "docs/rules.md:{}: {told}", block.line);
        seen += 1;
    }
    assert!(seen > 0, "no rule file was found");
}

#[test]
fn every_field_of_a_rule_is_documented() {
    let text = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let unknown =
        consentry::censor::RuleSet::parse("a.yaml", "version: 1\nrules: [{nothing: 1}]\n").unwrap_err();
    let (_, fields) = unknown.message.split_once("expected one of ").unwrap();
    let fields: Vec<&str> = fields.split(", ").map(|name| name.trim_matches('`')).collect();
    assert!(fields.len() > 20, "{fields:?}");
    let missing = fields.iter().filter(|name| !text.contains(&format!("`{name}`")));
    none("docs/rules.md does not name", &missing.map(|name| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn every_setting_is_documented() {
    let text = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let mut complaints = Vec::new();
    for (file, schema) in consentry::config::schemas() {
        let schema = schema.to_value();
        let mut properties: Vec<String> = Vec::new();
        collect(&schema, &mut properties);
        properties.sort();
        properties.dedup();
        let missing = properties.iter().filter(|name| !text.contains(&format!("`{name}`")));
        complaints.extend(missing.map(|name| format!("`{name}` of {file}")));
    }
    none("docs/configuration.md does not name", &complaints);
}

/// The names of all properties of a schema.
fn collect(schema: &serde_json::Value, names: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(members) => {
            if let Some(serde_json::Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| collect(value, names));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

// --- Links and names -----------------------------------------------------------------------------------------

/// `[text](target)` outside of code.
fn links(text: &str) -> Vec<(String, String)> {
    let link = Regex::new(r"\[([^\]]+)\]\(([^)\s]+)\)").unwrap();
    let mut inside = false;
    let mut links = Vec::new();
    for line in text.lines() {
        inside ^= line.trim_start().starts_with("```");
        if !inside {
            links.extend(link.captures_iter(line).map(|found| (found[1].to_owned(), found[2].to_owned())));
        }
    }
    links
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut complaints = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for (_, target) in links(&text) {
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, fragment) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            if !file.exists() {
                complaints.push(format!("{}: {target} is not there", shown(&path)));
            } else if !fragment.is_empty() {
                let there = fs::read_to_string(&file).unwrap_or_default();
                let headings = there.lines().filter(|line| line.starts_with('#'));
                if !headings.map(anchor).any(|heading| heading == fragment) {
                    complaints.push(format!("{}: {target} has no such heading", shown(&path)));
                }
            }
        }
    }
    none("links", &complaints);
}

/// A link such as [`name`](src/file.rs) says that the file has it: THREATS.md names its tests in this way.
#[test]
fn what_is_named_with_its_file_stands_there() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for (name, target) in links(&text)
            .into_iter()
            .filter(|(_, target)| target.contains("src/") || target.contains("tests/"))
        {
            let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else { continue };
            let file = path.parent().unwrap().join(&target);
            // Folders, and names that are the file's own, are links like any other.
            if file.is_dir() || target.ends_with(name) || name.contains('/') {
                continue;
            }
            seen += 1;
            let word = name.trim_end_matches("()").rsplit("::").next().unwrap_or(name);
            let there = fs::read_to_string(&file).unwrap_or_default();
            let whole = Regex::new(&format!(r"\b{}\b", regex::escape(word))).unwrap();
            if !whole.is_match(&there) {
                complaints.push(format!("{}: `{name}` is not in {target}", shown(&path)));
            }
        }
    }
    none("names", &complaints);
    assert!(seen > 50, "only {seen} names were found");
}

// --- The guide to profiles -----------------------------------------------------------------------------------

/// The guide's files are written, and its commands run, in the order in which they stand there.
#[test]
fn every_step_of_the_guide_to_profiles_works() {
    let text = fs::read_to_string(root().join("docs/profiles.md")).unwrap();
    let folder = TempDir::new().unwrap();
    let (mut files, mut commands) = (0, Vec::new());
    for block in blocks(&text) {
        if let Some(name) = block.text.lines().next().and_then(|line| line.strip_prefix("# file: ")) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &block.text).unwrap();
            files += 1;
        }
        for arguments in block.text.lines().filter(|_| block.language == "sh").filter_map(arguments) {
            let output = Command::new(env!("CARGO_BIN_EXE_consentry"))
                .args(&arguments)
                .current_dir(folder.path())
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "docs/profiles.md:{} {arguments:?}: {told}", block.line);
            commands.push((arguments.join(" "), told, String::from_utf8(output.stdout).unwrap()));
        }
    }
    assert_eq!((files, commands.len()), (4, 3), "{commands:?}");
    assert!(commands[0].1.contains("7 operation(s) served, 1 refused; "), "{}", commands[0].1);
    assert!(commands[1].2.starts_with("ok: 1 route(s), 1 tenant(s), 8 operation(s)"), "{}", commands[1].2);
    // What the guide says of the draft, and that it loads in the place of what was decided.
    let draft = fs::read_to_string(folder.path().join("draft.yaml")).unwrap();
    for said in
        ["\"/quotes/*/note_id\"", "undo: deleteNotebook", "purpose: train", "json: /notify_url", "listUsers"]
    {
        assert!(draft.contains(said), "{said} is not in\n{draft}");
    }
    fs::write(folder.path().join("config/apis/notes.yaml"), &draft).unwrap();
    let told = check(&folder.path().join("config"), &[]).unwrap();
    assert!(told.starts_with("ok: 1 route(s), 1 tenant(s), 8 operation(s)"), "{told}");
}
