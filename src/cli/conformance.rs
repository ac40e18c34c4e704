//! `consentry conformance`: are two tenants of a running deployment apart?

use std::cell::Cell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::Uri;
use secrecy::SecretString;

use super::check::refuse;
use super::output::{complain, say};
use crate::config::{self, Mode, SecretRef};
use crate::conformance::{Client, Keys, Outcome, Report, Samples, Terms, Walked, walk};
use crate::names::OperationId;

/// Which deployment, and who.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The deployment's configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
    /// Where the deployment is: `https://gateway.example:8443`.
    #[arg(long)]
    url: Uri,
    /// Roots beside the system's (PEM).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The key of the tenant whose resources are tried: `env:NAME` or `file:PATH`.
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    key_a: SecretRef,
    /// The key of the tenant that tries.
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    key_b: SecretRef,
    /// Only routes that speak this profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Only the places of this operation, by its id in the profile; may be repeated.
    #[arg(long, value_name = "ID")]
    operation: Vec<String>,
    /// How long to wait for what comes into being by itself, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    wait: u64,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where the report goes; standard output if not said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A table for people.
    Text,
    /// One JSON document.
    Json,
    /// JUnit's XML, as pipelines read it.
    Junit,
}

fn secret(text: &str) -> Result<SecretRef, String> {
    match text.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(SecretRef::File(path.to_owned())),
        Some(("env", name)) if !name.is_empty() => Ok(SecretRef::Env(name.to_owned())),
        // The text is not repeated: it may be the key.
        _ => Err("a key is given by reference, `file:PATH` or `env:NAME`".to_owned()),
    }
}

/// Walks it. 0: all the same; 1: a difference; 2: it could not be walked, or nothing was shown.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let routes = match routes(arguments) {
        Ok(routes) => routes,
        Err(status) => return status,
    };
    match prepared(arguments).and_then(|(client, keys)| walked(arguments, &routes, &client, &keys)) {
        Ok(status) => status,
        Err(message) => {
            complain(message);
            ExitCode::from(2)
        }
    }
}

/// Walks the routes and writes the report, however far it came.
fn walked(
    arguments: &Arguments,
    routes: &[Walked],
    client: &Client,
    keys: &Keys,
) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let only = arguments.operation.iter().map(|id| OperationId::new(id)).collect();
    let terms = Terms { wait: Duration::from_secs(arguments.wait), only };
    let mut report = Report::default();
    let ended = runtime.block_on(over(client, routes, keys, &terms, &mut report));
    write(arguments, &report)?;
    ended?;
    if report.count(Outcome::Differs) > 0 {
        return Ok(ExitCode::from(1));
    }
    if !report.shows() {
        return Err("nothing was shown: no place of an id came out the same".to_owned());
    }
    Ok(ExitCode::SUCCESS)
}

fn write(arguments: &Arguments, report: &Report) -> Result<(), String> {
    let text = formatted(report, arguments.format)?;
    match &arguments.out {
        None => say(text),
        Some(path) => {
            std::fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
            say(report.summary());
        }
    }
    Ok(())
}

fn formatted(report: &Report, format: Format) -> Result<String, String> {
    match format {
        Format::Text => Ok(report.text()),
        Format::Json => report.json().map_err(|error| error.to_string()),
        Format::Junit => Ok(report.junit()),
    }
}

/// The routes of the configuration, each with its samples.
fn routes(arguments: &Arguments) -> Result<Vec<Walked>, ExitCode> {
    let snapshot = config::load(&arguments.config, Mode::Check, 0).map_err(|errors| refuse(&errors))?;
    let folder =
        if arguments.config.is_dir() { Some(arguments.config.as_path()) } else { arguments.config.parent() };
    let folder = folder.unwrap_or_else(|| std::path::Path::new("."));
    let mut routes = Vec::new();
    for route in &snapshot.routes {
        if arguments.profile.as_ref().is_some_and(|name| name != route.catalog.name()) {
            continue;
        }
        routes.push(Walked {
            name: route.name.to_string(),
            prefix: route.prefix.clone(),
            host: route.host.clone(),
            catalog: std::sync::Arc::clone(&route.catalog),
            samples: Samples::of(&route.catalog, folder).map_err(|errors| refuse(&errors))?,
        });
    }
    if routes.is_empty() {
        complain("no route of the configuration speaks this profile");
        return Err(ExitCode::from(2));
    }
    let serves = |id: &String| {
        let id = OperationId::new(id);
        routes.iter().any(|route| route.catalog.operation(&id).is_some())
    };
    if let Some(unknown) = arguments.operation.iter().find(|id| !serves(id)) {
        complain(format_args!("no profile has an operation `{unknown}`"));
        return Err(ExitCode::from(64));
    }
    Ok(routes)
}

fn prepared(arguments: &Arguments) -> Result<(Client, Keys), String> {
    let url = &arguments.url;
    if url.scheme_str() != Some("https") || url.authority().is_none() || !matches!(url.path(), "" | "/") {
        return Err("`--url` is `https://` with a host, and a port if it isn't 443".to_owned());
    }
    let here = PathBuf::from(".");
    let read = |name: &str, key: &SecretRef| -> Result<SecretString, String> {
        key.read(&here).map_err(|error| format!("`--key-{name}`: {error}"))
    };
    let keys = Keys { a: read("a", &arguments.key_a)?, b: read("b", &arguments.key_b)? };
    let client = Client::new(url.clone(), arguments.ca.as_deref()).map_err(|error| error.to_string())?;
    Ok((client, keys))
}

/// Walks them all. The first interrupt is waited for between calls, the second one isn't.
async fn over(
    client: &Client,
    routes: &[Walked],
    keys: &Keys,
    terms: &Terms,
    report: &mut Report,
) -> Result<(), String> {
    let stop = Cell::new(false);
    let all = async {
        let mut errors = Vec::new();
        // What one route gives no answer to takes nothing from the others.
        for route in routes.iter().take_while(|_| !stop.get()) {
            errors.extend(walk(client, route, keys, terms, report, &stop).await.err());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    };
    tokio::select! {
        walked = all => walked,
        () = interrupts(&stop) => {
            Err("it was stopped at once; what it made may be left behind".to_owned())
        }
    }
}

/// Comes back with the second interrupt.
async fn interrupts(stop: &Cell<bool>) {
    for again in [false, true] {
        // Without the signal it can't be stopped in order.
        if tokio::signal::ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
        if !again {
            stop.set(true);
            complain(
                "it stops after the call under way and takes back what it made; once more ends it at once",
            );
        }
    }
}
