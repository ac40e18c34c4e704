//! A gateway that one test has for itself, with one scripted upstream and two tenants.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::gateway::GRANTED;
use super::process::Process;
use super::tls::{Leaf, Valid};
use super::upstream::{Arrived, Step, Upstream};
use super::{Caller, Gateway, Setup, Tenant};

/// What headers and errors of a test's API are.
const HEAD: &str = "headers:
  request: {pass: [accept, content-type], others: drop}
  response: {pass: [content-type], others: drop}
errors:
  content_type: application/json
  body: {error: {message: $message, type: $type, param: $param, code: $code}}
  event: {error: {message: $message}}
  types: {default: api_error}
  request_id: x-request-id
  no_retry: {x-should-retry: 'false'}
";

/// Everything before the start.
pub(crate) struct Own {
    pub(crate) setup: Setup,
    pub(crate) acme: Tenant,
    pub(crate) globex: Tenant,
    listener: TcpListener,
    leaf: Leaf,
}

/// Everything, running.
pub(crate) struct Running {
    pub(crate) gateway: Gateway,
    pub(crate) upstream: Upstream,
    pub(crate) acme: Tenant,
    pub(crate) globex: Tenant,
}

impl Own {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With more said of the upstream.
    pub(crate) fn with(more: &str) -> Self {
        Self::of("openai", more)
    }

    /// Before an upstream that speaks another API.
    pub(crate) fn speaking(api: &str) -> Self {
        Self::of(api, "")
    }

    fn of(api: &str, more: &str) -> Self {
        let mut setup = Setup::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        setup.upstream_of(api, ("only", port, "ca.pem"), "/", more);
        let (acme, globex) = (setup.tenant("acme", GRANTED), setup.tenant("globex", GRANTED));
        let leaf = setup.authority.leaf(&["localhost"], Valid::Now);
        Self { setup, acme, globex, listener, leaf }
    }

    /// A profile of this name, with the headers and errors that are the tests' own.
    pub(crate) fn profile(&self, name: &str, rest: &str) {
        std::fs::create_dir_all(self.setup.config().join("apis")).unwrap();
        self.setup.file(&format!("apis/{name}.yaml"), &format!("profile: {name}\n{HEAD}{rest}"));
    }

    pub(crate) fn start(self, script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static) -> Running {
        let process = self.setup.process();
        self.on(process, script)
    }

    /// With a process that was started otherwise.
    pub(crate) fn on(
        self,
        process: Process,
        script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
    ) -> Running {
        let upstream = Upstream::start(self.listener, self.leaf.server(), script);
        let gateway = Gateway::of(self.setup, process);
        Running { gateway, upstream, acme: self.acme, globex: self.globex }
    }

    /// The process with small disks under folders of its state: a namespace of its own needs no privilege where user
    /// namespaces are allowed; where they are not, the test fails and says so.
    pub(crate) fn process_on_disks(&self, disks: &[(&str, &str)]) -> Process {
        self.setup.write();
        let mut script = String::new();
        for (folder, size) in disks {
            let folder = self.setup.config().join(folder);
            let folder = folder.display();
            script
                .push_str(&format!("mkdir -p {folder} && mount -t tmpfs -o size={size} tmpfs {folder} && "));
        }
        let config = self.setup.config();
        let program = env!("CARGO_BIN_EXE_consentry");
        script.push_str(&format!("exec {program} serve --config {}", config.display()));
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script]);
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/nonexistent");
        Process::of(command)
    }
}

impl Running {
    pub(crate) fn acme(&self) -> Caller<'_> {
        self.gateway.as_(&self.acme)
    }

    pub(crate) fn globex(&self) -> Caller<'_> {
        self.gateway.as_(&self.globex)
    }

    /// A path as the process sees it.
    pub(crate) fn within(&self, path: &str) -> PathBuf {
        let inside = self.gateway.setup.config().join(path);
        Path::new("/proc")
            .join(self.gateway.process.pid.to_string())
            .join("root")
            .join(inside.strip_prefix("/").unwrap())
    }

    /// Ends it at once, and starts it again on what it left.
    pub(crate) fn killed_and_started_again(self) -> Self {
        self.gateway.process.signal("KILL");
        self.killed_already_and_started_again()
    }

    /// Waits for the end of what somebody killed, and starts it again on what it left.
    pub(crate) fn killed_already_and_started_again(self) -> Self {
        let Self { gateway, upstream, acme, globex } = self;
        let Gateway { setup, mut process, .. } = gateway;
        assert!(!process.wait().success());
        let process = setup.process();
        Self { gateway: Gateway::of(setup, process), upstream, acme, globex }
    }
}
