//! A gateway: its configuration, its process, what it counts and records.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use consentry::config::MasterKey;
use consentry::identity::{ApiKey, KeyHasher};
use consentry::reason::Reason;
use rustls::ClientConfig;
use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;

use super::process::Process;
use super::tls::{Authority, Valid};
use super::{Caller, LONG};

/// Training was granted, for the tenant and for every data set; mail addresses become pseudonyms on their way up.
pub(crate) const GRANTED: &str = "\
consent:
  grants:
    - {purpose: train, scope: tenant, evidence: a test}
    - {purpose: train, scope: {dataset: \"*\"}, evidence: a test}
censor:
  request: {EMAIL_ADDRESS: pseudonym}
";
/// What the keys of most tenants are for.
pub(crate) const PURPOSES: &str = "[inference, train, evaluate]";
/// Nothing was.
pub(crate) const NOTHING: &str = "";

/// A tenant.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    pub(crate) key: String,
}

/// A configuration in the making.
pub(crate) struct Setup {
    folder: TempDir,
    /// Signs the gateway's certificate, those of upstreams, and those of callers.
    pub(crate) authority: Authority,
    /// What stands behind `data: {address: …, `.
    pub(crate) data: String,
    pub(crate) upstreams: String,
    pub(crate) routes: String,
    /// More of the main file.
    pub(crate) more: String,
    hasher: KeyHasher,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        fs::create_dir_all(config.join("tenants")).unwrap();
        let authority = Authority::new();
        let leaf = authority.leaf(&["localhost", "127.0.0.1"], Valid::Now);
        let master = MasterKey::embedded(&config.join("master.key"), true).unwrap();
        let setup = Self {
            folder,
            authority,
            data: "tls: {files: {certificate: leaf.pem, private_key: leaf.key, client_ca: ca.pem}}".into(),
            upstreams: String::new(),
            routes: String::new(),
            more: String::new(),
            hasher: KeyHasher::derive(master.prk()).unwrap(),
        };
        setup.file("ca.pem", &setup.authority.pem());
        setup.file("leaf.pem", &leaf.certificate);
        setup.file("leaf.key", &leaf.private_key);
        setup.file("account.key", ACCOUNT);
        setup
    }

    /// The folder of the configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        fs::write(self.config().join(name), text).unwrap();
    }

    /// An upstream at a port of this machine, and the route to it.
    pub(crate) fn upstream(&mut self, name: &str, port: u16, ca: &str, path: &str) {
        self.upstream_with(name, port, ca, path, "");
    }

    pub(crate) fn upstream_with(&mut self, name: &str, port: u16, ca: &str, path: &str, more: &str) {
        self.upstream_of("openai", (name, port, ca), path, more);
    }

    /// One that speaks another API.
    pub(crate) fn upstream_of(
        &mut self,
        api: &str,
        (name, port, ca): (&str, u16, &str),
        path: &str,
        more: &str,
    ) {
        writeln!(
            self.upstreams,
            "  {name}: {{url: \"https://localhost:{port}\", ca: \"{ca}\", credential: {{bearer: \"file:account.key\"}}{more}}}"
        )
        .unwrap();
        writeln!(self.routes, "  - {{name: {name}, path: {path}, upstream: {name}, api: {api}}}").unwrap();
    }

    /// A tenant with a key for inference, training and evaluation.
    pub(crate) fn tenant(&self, name: &str, rights: &str) -> Tenant {
        self.tenant_for(name, PURPOSES, rights)
    }

    pub(crate) fn tenant_for(&self, name: &str, purposes: &str, rights: &str) -> Tenant {
        let (key, hash) = self.key();
        let text = format!(
            "tenant: {name}\nkeys:\n  - {{id: main, hash: \"{hash}\", purposes: {purposes}}}\n{rights}"
        );
        self.file(&format!("tenants/{name}.yaml"), &text);
        Tenant { name: name.to_owned(), key }
    }

    /// A new key, and its hash.
    pub(crate) fn key(&self) -> (String, String) {
        let key = ApiKey::generate().unwrap();
        let hash = self.hasher.hash(ApiKey::parse(key.expose_secret()).unwrap());
        (key.expose_secret().to_owned(), hash.to_string())
    }

    /// Writes the main file.
    pub(crate) fn write(&self) {
        let text = format!(
            "listeners:\n  data: {{address: \"127.0.0.1:0\", {}}}\n  metrics: {{address: \"127.0.0.1:0\"}}\n\
             master_key: \"file:master.key\"\nupstreams:\n{}routes:\n{}{}",
            self.data, self.upstreams, self.routes, self.more
        );
        self.file("consentry.yaml", &text);
    }

    /// Starts it.
    pub(crate) fn start(self) -> Gateway {
        let process = self.process();
        Gateway::of(self, process)
    }

    /// Starts it for as long as the tests run.
    pub(crate) fn start_tied(self) -> Gateway {
        self.write();
        let config = self.config();
        let arguments = ["serve", "--config", config.to_str().unwrap()];
        let process = Process::tied(&arguments, &self.environment(), self.folder.path());
        Gateway::of(self, process)
    }

    /// The process alone: it may not come to serve.
    pub(crate) fn process(&self) -> Process {
        self.write();
        let config = self.config();
        Process::start(&["serve", "--config", config.to_str().unwrap()], &self.environment())
    }

    /// The tests trust no roots of the system.
    fn environment(&self) -> Vec<(&'static str, &'static Path)> {
        vec![("SSL_CERT_FILE", Path::new("/dev/null")), ("SSL_CERT_DIR", Path::new("/nonexistent"))]
    }

    /// `consentry check`, and whether it was content.
    pub(crate) fn check(&self) -> (i32, String) {
        self.write();
        let config = self.config();
        let mut process =
            Process::start(&["check", "--config", config.to_str().unwrap()], &self.environment());
        let status = process.wait();
        (status.code().unwrap(), process.written())
    }
}

/// The account's credential.
pub(crate) const ACCOUNT: &str = "sandbox-account-key";

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) setup: Setup,
    pub(crate) process: Process,
    pub(crate) data: SocketAddr,
    pub(crate) observed: SocketAddr,
    pub(crate) http1: Arc<ClientConfig>,
    pub(crate) http2: Arc<ClientConfig>,
}

impl Gateway {
    pub(crate) fn of(setup: Setup, process: Process) -> Self {
        let line: Value = serde_json::from_str(&process.line("\"serving\"")).unwrap();
        let address = |name: &str| line[name].as_str().unwrap().parse().unwrap();
        Self {
            data: address("data"),
            observed: address("metrics"),
            http1: setup.authority.client("http/1.1", None),
            http2: setup.authority.client("h2", None),
            setup,
            process,
        }
    }

    pub(crate) fn as_<'a>(&'a self, tenant: &'a Tenant) -> Caller<'a> {
        Caller { gateway: self, tenant, prefix: "" }
    }

    /// Ends it in order, and gives the folder back.
    pub(crate) fn stop(mut self) -> Setup {
        self.process.signal("TERM");
        assert!(self.process.wait().success(), "{}", self.process.written());
        self.setup
    }

    /// What the plain listener answers: status and body.
    pub(crate) fn observe(&self, path: &str) -> (u16, String) {
        let mut tcp = TcpStream::connect(self.observed).unwrap();
        tcp.set_read_timeout(Some(LONG)).unwrap();
        tcp.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// The sum of a metric over the series that have all these labels.
    pub(crate) fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let (status, text) = self.observe("/metrics");
        assert_eq!(status, 200);
        let wanted: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let fits = |series: &str| {
            let (metric, labels) = series.split_once('{').unwrap_or((series, ""));
            metric == name && wanted.iter().all(|label| labels.contains(label.as_str()))
        };
        let lines =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        lines.filter(|(series, _)| fits(series)).map(|(_, value)| value.parse::<f64>().unwrap()).sum()
    }

    /// How often a tenant was refused for a reason.
    pub(crate) fn blocked(&self, tenant: &str, reason: Reason) -> f64 {
        self.metric("consentry_blocked_total", &[("tenant", tenant), ("reason", reason.code())])
    }

    /// The lines of the audit trail that hold a text.
    pub(crate) fn recorded(&self, text: &str) -> Vec<Value> {
        recorded(&self.setup.config().join("data/audit"), text)
    }
}

/// The lines of an audit trail that hold a text.
pub(crate) fn recorded(folder: &Path, text: &str) -> Vec<Value> {
    let mut segments: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    segments.sort();
    let mut found = Vec::new();
    for segment in segments {
        let lines = fs::read_to_string(segment).unwrap();
        found.extend(
            lines
                .lines()
                .filter(|line| line.contains(text))
                .filter_map(|line| serde_json::from_str(line).ok()),
        );
    }
    found
}

/// `consentry audit verify`.
pub(crate) fn verified(folder: &Path) -> (bool, String) {
    let mut process = Process::start(&["audit", "verify", folder.to_str().unwrap()], &[]);
    (process.wait().success(), process.written())
}
