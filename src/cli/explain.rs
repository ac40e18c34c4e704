//! `consentry explain`: what would become of a request, and which facts decide it. Nothing is sent.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};

use super::check::refuse;
use super::output::say;
use super::registry::{self, Fault, known_tenant, open};
use crate::body::spool::{SpoolBudget, Spools};
use crate::config::{self, Mode, Snapshot};
use crate::consent::{About, Fact, Source};
use crate::gateway::Live;
use crate::gateway::rehearsal::{Explained, Rehearsal, Whose};
use crate::names::DatasetName;

/// A request, as the tenant would send it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The method: `GET`, `POST`, …
    method: Method,
    /// The path, and the query if there is one.
    target: Uri,
    /// Who would send it.
    #[arg(long)]
    tenant: String,
    /// A header: `Content-Type: application/json`, `Consentry-Dataset: support`, …
    #[arg(short = 'H', long = "header", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// A file with the body; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("a header is `Name: value`")?;
    let name =
        name.trim().parse().map_err(|_invalid| "the header's name has other characters than a name's")?;
    let value = value.trim().parse().map_err(|_invalid| "the header's value has control characters")?;
    Ok((name, value))
}

/// Carries it out.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let snapshot = match config::load(&arguments.config, Mode::Check, 0) {
        Ok(snapshot) => snapshot,
        Err(errors) => return refuse(&errors),
    };
    registry::ended(explain(arguments, snapshot))
}

async fn explain(arguments: &Arguments, snapshot: Snapshot) -> Result<ExitCode, Fault> {
    let tenant = known_tenant(&arguments.tenant, &snapshot)?;
    let store = open(&snapshot.state.store)?;
    let budget = SpoolBudget::new(snapshot.state.spool_bytes);
    let spools = Spools::new(budget, snapshot.limits.memory_bytes, std::env::temp_dir());
    let live = Live::new(snapshot).map_err(|error| Fault::Said(error.to_string()))?;
    let rehearsal = Rehearsal::for_tenant(Arc::new(live), spools, &tenant)
        .map_err(|refusal| Fault::Said(refusal.reason.code().to_owned()))?;
    let (parts, body) = arguments.request()?;
    let body = Full::new(body).map_err(|never: Infallible| match never {});
    let explained = rehearsal.explain(&store, parts, body).await;
    say(if arguments.json { as_json(&explained) } else { as_text(&explained) });
    Ok(ExitCode::from(u8::from(explained.refusal.is_some())))
}

impl Arguments {
    fn request(&self) -> Result<(Parts, Bytes), Fault> {
        let body = match &self.body {
            None => Vec::new(),
            Some(path) if path.as_os_str() == "-" => std::io::read_to_string(std::io::stdin())
                .map(String::into_bytes)
                .map_err(|error| Fault::Said(format!("standard input: {error}")))?,
            Some(path) => {
                std::fs::read(path).map_err(|error| Fault::Said(format!("{}: {error}", path.display())))?
            }
        };
        let mut request = Request::builder().method(self.method.clone()).uri(self.target.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let built = request.body(()).map_err(|error| Fault::Said(format!("the request: {error}")))?;
        let (mut parts, ()) = built.into_parts();
        parts.headers.entry("host").or_insert(HeaderValue::from_static("gateway.invalid"));
        if !body.is_empty() {
            parts.headers.entry("content-length").or_insert(HeaderValue::from(body.len()));
        }
        Ok((parts, Bytes::from(body)))
    }
}

fn about(fact: &Fact) -> String {
    match &fact.about {
        About::Usage => "the request's Content-Usage".to_owned(),
        About::Reservation => "the request's TDM-Reservation".to_owned(),
        About::GlobalPrivacyControl => "the request's Sec-GPC".to_owned(),
        About::Tenant => "the tenant".to_owned(),
        About::AllDatasets => "every data set".to_owned(),
        About::Dataset(name) => format!("the data set `{}`", name.as_str().escape_debug()),
        About::Subject => "a data subject".to_owned(),
    }
}

fn source(fact: &Fact) -> String {
    match fact.source {
        Source::Nothing => "nothing on record".to_owned(),
        Source::Request => "the request".to_owned(),
        Source::File(n) => format!("the tenant's file, grant {n}"),
        Source::Ledger(n) => format!("the ledger, entry {n}"),
    }
}

fn outcome(explained: &Explained) -> String {
    match &explained.refusal {
        None => "it would pass".to_owned(),
        Some(refusal) => match &refusal.detail {
            Some(detail) => format!("it would be refused: {} ({detail})", refusal.reason.code()),
            None => format!("it would be refused: {}", refusal.reason.code()),
        },
    }
}

fn as_text(explained: &Explained) -> String {
    let mut lines = Vec::new();
    if let Some((route, upstream)) = &explained.route {
        lines.push(format!("route {route}, upstream {upstream}"));
    }
    if let Some(operation) = &explained.operation {
        lines.push(format!("operation {operation}"));
    }
    for (kind, id, whose) in &explained.resources {
        let whose = match whose {
            Whose::Theirs => "the tenant's".to_owned(),
            Whose::Lent(owner) => format!("lent by `{owner}`"),
            Whose::NotTheirs => "not the tenant's".to_owned(),
        };
        lines.push(format!("names {kind} {}: {whose}", id.escape_debug()));
    }
    if !explained.in_records.is_empty() {
        lines.push(format!("its records name {} more, looked up as they pass", explained.in_records.len()));
    }
    if explained.purposes.is_empty() {
        lines.push("uses nothing beyond answering the call".to_owned());
    }
    for (tenant, facts) in &explained.facts {
        for fact in facts {
            lines.push(format!(
                "{} of `{tenant}`: {}: {} ({})",
                fact.purpose,
                about(fact),
                fact.verdict.as_str(),
                source(fact)
            ));
        }
    }
    lines.push(outcome(explained));
    lines.join("\n")
}

fn as_json(explained: &Explained) -> String {
    let resources: Vec<_> = explained
        .resources
        .iter()
        .map(|(kind, id, whose)| {
            let (word, owner) = match whose {
                Whose::Theirs => ("tenant", None),
                Whose::Lent(owner) => ("lent", Some(owner.as_str())),
                Whose::NotTheirs => ("not_theirs", None),
            };
            serde_json::json!({"kind": kind.as_str(), "id": id, "whose": word, "owner": owner})
        })
        .collect();
    let facts = explained.facts.iter().flat_map(|(tenant, facts)| {
        facts.iter().map(move |fact| {
            serde_json::json!({
                "tenant": tenant.as_str(),
                "purpose": fact.purpose.as_str(),
                "about": about(fact),
                "says": fact.verdict.as_str(),
                "source": source(fact),
            })
        })
    });
    serde_json::json!({
        "route": explained.route.as_ref().map(|(route, _)| route.as_str()),
        "upstream": explained.route.as_ref().map(|(_, upstream)| upstream.as_str()),
        "operation": explained.operation.as_ref().map(crate::names::OperationId::as_str),
        "resources": resources,
        "in_records": explained.in_records.len(),
        "purposes": explained.purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>(),
        "datasets": explained.datasets.iter().map(DatasetName::as_str).collect::<Vec<_>>(),
        "facts": facts.collect::<Vec<_>>(),
        "passes": explained.refusal.is_none(),
        "reason": explained.refusal.as_ref().map(|refusal| refusal.reason.code()),
        "detail": explained.refusal.as_ref().and_then(|refusal| refusal.detail.as_ref()).map(ToString::to_string),
    })
    .to_string()
}
