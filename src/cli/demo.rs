//! `consentry demo`: the real gateway over TLS, on embedded state, in front of the sandbox API, with a tour that shows each
//! decision: what was sent, what went upstream, what came back, and why. Afterwards it stays up to be tried.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::output::{complain, say};
use super::serve::{self, Failure};
use crate::config::{self, Mode};
use crate::identity::{ApiKey, KeyHasher};

mod client;
mod setup;
mod tour;

/// How to show it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// End after the tour, with status 1 if anything was not as promised.
    #[arg(long)]
    once: bool,
    /// Where the state of the demo lies; it is made anew each time.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The port of the gateway; 0 takes a free one.
    #[arg(long, default_value_t = 8443, value_name = "PORT")]
    port: u16,
}

/// Shows it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let directory =
        arguments.directory.clone().unwrap_or_else(|| std::env::temp_dir().join("consentry-demo"));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("no runtime: {error}"));
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(show(arguments, &directory)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(Failure::Configuration(errors)) => super::check::refuse(&errors),
        Err(Failure::Start(message)) => {
            complain(message);
            ExitCode::from(2)
        }
    }
}

/// The sandbox as a program of its own. It ends with the demo.
struct Sandbox {
    child: Child,
    address: String,
    ca: PathBuf,
}

impl Sandbox {
    fn start(directory: &Path) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Start(format!("the sandbox: {error}"));
        let program = std::env::current_exe().map_err(|e| failed(&e))?;
        let mut child = std::process::Command::new(program)
            .args(["sandbox", "--journal", "--step-ms", "100", "--tls-dir"])
            .arg(directory.join("sandbox"))
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .map_err(|e| failed(&e))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|e| failed(&e))?;
        }
        let Some((address, ca)) = line.trim().split_once(' ') else {
            let _ = child.kill();
            return Err(failed(&"it did not say where it listens"));
        };
        Ok(Self { child, address: address.to_owned(), ca: PathBuf::from(ca) })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn show(arguments: &Arguments, directory: &Path) -> Result<bool, Failure> {
    let failed = |what: &str, error: &dyn std::fmt::Display| Failure::Start(format!("{what}: {error}"));
    if directory.exists() {
        std::fs::remove_dir_all(directory).map_err(|e| failed(&directory.display().to_string(), &e))?;
    }
    std::fs::create_dir_all(directory).map_err(|e| failed(&directory.display().to_string(), &e))?;
    let sandbox = Sandbox::start(directory)?;
    let keys = setup::write(directory, &sandbox, arguments)?;
    let config = directory.join("config");
    let snapshot = config::load(&config, Mode::Serve, 1).map_err(Failure::Configuration)?;
    let seal = snapshot.master.audit_seal();
    let running = serve::start(config, snapshot, None).await?;
    let port = running.data.port();
    let ca = running.ca.clone().unwrap_or_default();
    say(format_args!(
        "consentry demo\n\n  gateway   https://localhost:{port}   (CA: {})\n  metrics   http://{}/metrics\n  sandbox   https://{}   (one account, shared by the tenants)\n  state     {}\n",
        ca.display(),
        running.observed,
        sandbox.address,
        directory.display(),
    ));
    let places = tour::Places {
        gateway: format!("https://localhost:{port}"),
        metrics: format!("http://{}", running.observed),
        sandbox: format!("https://localhost:{}", sandbox.address.rsplit(':').next().unwrap_or_default()),
        ca: ca.clone(),
        sandbox_ca: sandbox.ca.clone(),
        audit: directory.join("config/data/audit"),
        seal,
    };
    let kept = tour::walk(&places, &keys).await.map_err(|e| failed("the tour", &e))?;
    if arguments.once {
        running.stop().await;
        return Ok(kept);
    }
    say(invitation(&places.gateway, &ca, &keys));
    running.until_stopped(serve::Signals::listen()?).await?;
    Ok(kept)
}

/// The keys of the demo's tenants.
pub(super) struct Keys {
    /// Granted training on its data set `support`.
    pub(super) acme: SecretString,
    /// Granted nothing.
    pub(super) globex: SecretString,
}

/// A new key and its hash.
fn key(master: &config::MasterKey) -> Result<(SecretString, String), Failure> {
    let made = || -> Option<(SecretString, String)> {
        let hasher = KeyHasher::derive(master.prk()).ok()?;
        let key = ApiKey::generate().ok()?;
        let hash = hasher.hash(ApiKey::parse(key.expose_secret()).ok()?).to_string();
        Some((key, hash))
    };
    made().ok_or_else(|| Failure::Start("a key can't be made".to_owned()))
}

fn invitation(gateway: &str, ca: &Path, keys: &Keys) -> String {
    let ca = ca.display();
    let (acme, globex) = (keys.acme.expose_secret(), keys.globex.expose_secret());
    format!(
        "\nIt stays up. Try it (Ctrl-C ends it):\n\n\
         export CA={ca}\n\
         export ACME={acme}\n\
         export GLOBEX={globex}\n\n\
         # a chat; the e-mail address goes up as a pseudonym and comes back as itself\n\
         curl --cacert $CA {gateway}/v1/chat/completions -H \"Authorization: Bearer $ACME\" -H 'Content-Type: application/json' \\\n  \
         -d '{{\"model\":\"gpt-4o-mini\",\"messages\":[{{\"role\":\"user\",\"content\":\"write to jane.doe@example.com\"}}]}}'\n\n\
         # each tenant's own files\n\
         curl --cacert $CA {gateway}/v1/files -H \"Authorization: Bearer $ACME\"\n\
         curl --cacert $CA {gateway}/v1/files -H \"Authorization: Bearer $GLOBEX\"\n\n\
         # a fine-tuning file of a tenant that granted no training\n\
         curl --cacert $CA {gateway}/v1/files -H \"Authorization: Bearer $GLOBEX\" -F purpose=fine-tune -F file=@data.jsonl\n"
    )
}
