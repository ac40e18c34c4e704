//! `consentry conformance` over the real gateway before the sandbox: nothing is found where nothing is wrong, and each fault
//! that is planted is.

mod fake;
mod honest;
mod profiles;
mod rows;
mod wire;

use std::path::Path;
use std::sync::OnceLock;

use super::kit::gateway::GRANTED;
use super::kit::process::Process;
use super::kit::sandbox::Sandbox;
use super::kit::{Gateway, Setup, Tenant};

/// The sandbox that all of them share: one account, as in life.
fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(Sandbox::start)
}

/// A gateway with two tenants before the sandbox, not started yet.
struct Rig {
    setup: Setup,
    a: Tenant,
    b: Tenant,
}

/// What the command said.
struct Said {
    status: i32,
    text: String,
}

impl Rig {
    fn new() -> Self {
        let mut setup = Setup::new();
        let sandbox = sandbox();
        setup.upstream("sandbox", sandbox.address.port(), sandbox.ca.to_str().unwrap(), "/");
        let store = "  grants:
    - {purpose: store, scope: tenant, evidence: a test}
    - {purpose: evaluate, scope: tenant, evidence: a test}
    - {purpose: evaluate, scope: {dataset: \"*\"}, evidence: a test}
";
        let opaque =
            "opaque: [createImageEdit, createImageVariation, createTranscription, createTranslation]\n";
        let rights = format!("{}{opaque}", GRANTED.replace("  grants:\n", store));
        let purposes = "[inference, train, evaluate, store]";
        let (a, b) =
            (setup.tenant_for("acme", purposes, &rights), setup.tenant_for("globex", purposes, &rights));
        setup.file("a.key", &a.key);
        setup.file("b.key", &b.key);
        Self { setup, a, b }
    }

    fn start(self) -> Gateway {
        self.setup.start()
    }
}

/// Runs the command against a port.
fn conformance(gateway: &Gateway, port: u16, more: &[&str]) -> Said {
    Said::of(&mut started(&gateway.setup.config(), port, more))
}

/// Starts the command, with the configuration of a folder, against a port.
fn started(config: &Path, port: u16, more: &[&str]) -> Process {
    let path = |name: &str| config.join(name).display().to_string();
    let (a, b) = (format!("file:{}", path("a.key")), format!("file:{}", path("b.key")));
    let (url, folder, ca) =
        (format!("https://localhost:{port}"), config.display().to_string(), path("ca.pem"));
    let mut arguments =
        vec!["conformance", "--config", &folder, "--url", &url, "--ca", &ca, "--key-a", &a, "--key-b", &b];
    arguments.extend_from_slice(more);
    let nothing = [("SSL_CERT_FILE", Path::new("/dev/null")), ("SSL_CERT_DIR", Path::new("/nonexistent"))];
    Process::start(&arguments, &nothing)
}

impl Said {
    /// What it says in the end.
    fn of(process: &mut Process) -> Self {
        let status = process.wait().code().unwrap();
        Self { status, text: process.written() }
    }

    /// The rows of an outcome: check, operation, and the rest.
    fn rows(&self, outcome: &str) -> Vec<Vec<String>> {
        let lines = self.text.lines().filter(|line| line.split_whitespace().next() == Some(outcome));
        lines
            .map(|line| {
                line.split("  ").map(|cell| cell.trim().to_owned()).filter(|c| !c.is_empty()).collect()
            })
            .collect()
    }

    /// The fault was found, by this check at this operation.
    fn found(&self, check: &str, operation: &str) {
        assert_eq!(self.status, 1, "{}", self.text);
        let rows = self.rows("DIFFERS");
        let there = rows.iter().any(|row| row[1] == check && row[2] == operation);
        assert!(there, "no {check} at {operation}: {rows:#?}");
    }
}

/// The whole walk, and nothing differs. What is not tried is told by name, and is what can't be tried here.
#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let gateway = Rig::new().start();
    let said = conformance(&gateway, gateway.data.port(), &[]);
    assert_eq!(said.status, 0, "{}", said.text);
    let untried = said.rows("untried");
    // The sandbox makes no sound that can be named, and has no voices but its own. A prompt's variables come with the
    // id of a stored prompt, which is refused by itself.
    let known = ["chat_audio", "voice", "the profile names no id in it", "/prompt/variables/*/file_id"];
    let others: Vec<_> =
        untried.iter().filter(|row| !known.iter().any(|kind| row.contains(&(*kind).to_owned()))).collect();
    assert!(others.is_empty(), "{others:#?}");
    let same = said.rows("same");
    assert!(same.len() > 500, "{}", same.len());
    for check in ["place", "apart", "own", "unchanged", "ended", "refused"] {
        assert!(same.iter().any(|row| row[1] == check), "{check}");
    }
}

/// The report as pipelines read it.
#[test]
fn a_report_in_every_format() {
    let gateway = Rig::new().start();
    let said = |format: &str, out: &str| {
        let path = gateway.setup.config().join(out);
        let path = path.to_str().unwrap();
        let more = ["--operation", "retrieveFile", "--wait", "3", "--format", format, "--out", path];
        let said = conformance(&gateway, gateway.data.port(), &more);
        assert_eq!(said.status, 0, "{}", said.text);
        assert!(said.text.contains("0 DIFFER"), "{}", said.text);
        std::fs::read_to_string(path).unwrap()
    };
    let value: serde_json::Value = serde_json::from_str(&said("json", "report.json")).unwrap();
    assert_eq!(value["differs"], 0);
    let rows = value["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| {
        row["operation"] == "retrieveFile" && row["check"] == "place" && row["outcome"] == "same"
    }));
    let text = said("junit", "report.xml");
    assert!(text.starts_with("<?xml") && text.contains(" failures=\"0\""), "{text}");
}

/// What can't be walked is neither good nor bad.
#[test]
fn a_walk_that_can_not_begin() {
    let gateway = Rig::new().start();
    gateway.setup.file("b.key", "cns_not-a-key-of-anybody");
    let said = conformance(&gateway, gateway.data.port(), &[]);
    assert_eq!(said.status, 2, "{}", said.text);
    assert!(said.text.contains("the key of tenant B is not known there"), "{}", said.text);
    let said = conformance(&gateway, gateway.data.port(), &["--operation", "retrieveFiles"]);
    assert_eq!(said.status, 64, "{}", said.text);
    assert!(said.text.contains("no profile has an operation `retrieveFiles`"), "{}", said.text);
}
