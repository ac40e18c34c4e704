//! From what the operator wrote to what decides. Every error of every file is collected; a snapshot is made only if
//! there is none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_saphyr::Spanned;

use super::files::{Files, Text};
use super::schema;
use super::secret::SecretRef;
use super::snapshot::{
    Bounds, Certificate, DataListener, Limits, Listeners, MasterKey, Route, Snapshot, State, Upstream,
};
use super::units::{Size, Span};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, from_yaml, nearest};
use crate::names::{RouteName, UpstreamId};

mod analysers;
mod consent;
mod dry_run;
mod policies;
mod promised;
mod records;
mod rules;
mod tenants;
mod upstreams;

/// How a configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To serve: what is missing on the embedded default (state folder, master key) is made.
    Serve,
    /// To look: nothing is made.
    Check,
}

/// What is gathered on the way.
pub(super) struct Compiler<'a> {
    pub(super) base: &'a Path,
    pub(super) errors: Vec<Diagnostic>,
    /// Files that other files named.
    pub(super) more: Vec<Text>,
}

impl Compiler<'_> {
    /// Notes an error at a place of a file.
    pub(super) fn error<T>(
        &mut self,
        file: &Text,
        at: &Spanned<T>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let diagnostic = Diagnostic::at(&file.name, at.referenced, message).with_source(&file.text);
        self.errors.push(diagnostic);
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    /// A name that has to be one of those known.
    pub(super) fn unknown<'n, T>(
        &mut self,
        file: &Text,
        at: &Spanned<T>,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str> + Clone,
    ) {
        let near = nearest(name, known.clone()).map(|n| format!("did you mean `{n}`?"));
        let all = || format!("known: {}", known.into_iter().collect::<Vec<_>>().join(", "));
        self.error(file, at, format!("unknown {what} `{name}`")).help = Some(near.unwrap_or_else(all));
    }

    /// A path of the configuration, relative to its folder.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }
}

/// Compiles all files.
pub(super) fn compile(files: &Files, mode: Mode, generation: u64) -> Result<Snapshot, Vec<Diagnostic>> {
    let mut c = Compiler { base: &files.base, errors: Vec::new(), more: Vec::new() };
    let catalogs = catalogs(&mut c, &files.apis);
    let main: schema::Main = match from_yaml(&files.main.name, &files.main.text) {
        Ok(main) => main,
        Err(error) => {
            c.errors.push(error);
            // The tenants' files are read all the same: all errors at once.
            tenants::parse(&mut c, &files.tenants);
            return Err(c.errors);
        }
    };
    let state = state(&c, &main.state);
    let master = master(&mut c, &files.main, main.master_key.as_ref(), &state, mode);
    let upstreams = upstreams::compile(&mut c, &files.main, &main.upstreams);
    let routes = routes(&mut c, &files.main, &main.routes, &upstreams, &catalogs);
    let analysers = analysers::compile(&mut c, &files.main, &main.analysers);
    let policies = promised::compile(&mut c, &files.policies);
    let listeners = listeners(&mut c, &files.main, &main.listeners, &state);
    let issuers = &main.issuers;
    let main_routes: BTreeMap<&str, bool> =
        main.routes.iter().map(|route| (route.value.name.as_str(), route.value.allow_dry_run)).collect();
    let compiled = master.as_ref().map(|master| {
        let (main, spool) = (&files.main, state.spool_bytes);
        let (catalogs, routes, analysers) = (&catalogs, &main_routes, &analysers);
        let policies = &policies;
        let context =
            tenants::Context { main, issuers, catalogs, routes, analysers, policies, master, spool };
        tenants::compile(&mut c, &context, &files.tenants, &files.rules)
    });
    match (compiled.flatten(), master, listeners) {
        (Some((tenants, directory)), Some(master), Some(listeners)) if c.errors.is_empty() => Ok(Snapshot {
            generation,
            fingerprint: fingerprint(files, &c.more),
            listeners,
            state,
            limits: limits(&main.limits),
            tenants,
            directory,
            analysers,
            upstreams,
            routes,
            master,
        }),
        _ => Err(c.errors),
    }
}

/// The profiles: those that are built in, and those of the folder, which win.
fn catalogs(c: &mut Compiler<'_>, files: &[Text]) -> BTreeMap<String, Arc<Catalog>> {
    let mut catalogs = BTreeMap::new();
    for name in Catalog::builtin_names() {
        match Catalog::builtin(name) {
            Ok(catalog) => drop(catalogs.insert(name.to_owned(), Arc::new(catalog))),
            Err(errors) => c.errors.extend(errors),
        }
    }
    for file in files {
        match Catalog::parse(&file.name, &file.text) {
            Ok(catalog) => drop(catalogs.insert(catalog.name().to_owned(), Arc::new(catalog))),
            Err(errors) => c.errors.extend(errors),
        }
    }
    catalogs
}

fn state(c: &Compiler<'_>, raw: &schema::State) -> State {
    let folder = c.path(raw.directory.as_deref().unwrap_or("data"));
    State {
        store: folder.join("consentry.db"),
        audit: folder.join("audit"),
        audit_window: raw.audit_window.map_or(Duration::from_millis(100), |s| s.0),
        spool: folder.join("spool"),
        spool_bytes: raw.spool.map_or(4 << 30, |s| s.0),
        folder,
    }
}

fn master(
    c: &mut Compiler<'_>,
    file: &Text,
    secret: Option<&SecretRef>,
    state: &State,
    mode: Mode,
) -> Option<MasterKey> {
    let made = match secret {
        Some(secret) => secret.read(c.base).and_then(|text| MasterKey::from_text(&text)),
        None => MasterKey::embedded(&state.folder.join("master.key"), mode == Mode::Serve),
    };
    match made {
        Ok(key) => Some(key),
        Err(message) => {
            c.errors.push(Diagnostic::whole(&file.name, format!("master_key: {message}")));
            None
        }
    }
}

fn routes(
    c: &mut Compiler<'_>,
    file: &Text,
    raw: &[Spanned<schema::Route>],
    upstreams: &BTreeMap<UpstreamId, Arc<Upstream>>,
    catalogs: &BTreeMap<String, Arc<Catalog>>,
) -> Vec<Arc<Route>> {
    if raw.is_empty() {
        c.errors.push(Diagnostic::whole(&file.name, "routes: at least one is needed"));
    }
    let mut routes: Vec<Arc<Route>> = Vec::new();
    for spanned in raw {
        let route = &spanned.value;
        let upstream = upstreams.get(&UpstreamId::new(&route.upstream.value));
        if upstream.is_none() {
            let known: Vec<&str> = upstreams.keys().map(UpstreamId::as_str).collect();
            c.unknown(file, &route.upstream, "upstream", &route.upstream.value, known);
        }
        let catalog = catalogs.get(&route.api.value);
        if catalog.is_none() {
            let known: Vec<&str> = catalogs.keys().map(String::as_str).collect();
            c.unknown(file, &route.api, "API profile", &route.api.value, known);
        }
        let prefix = match &route.path {
            None => String::new(),
            Some(path) if path.value.starts_with('/') && !path.value.contains(['%', '?', '#', ' ']) => {
                path.value.trim_end_matches('/').to_owned()
            }
            Some(path) => {
                c.error(file, path, "a route's path starts with `/` and is written without escapes or query");
                continue;
            }
        };
        let host = route.host.as_ref().map(|h| h.to_ascii_lowercase());
        if routes.iter().any(|r| r.name.as_str() == route.name) {
            c.error(file, spanned, format!("two routes are named `{}`", route.name));
        }
        if routes.iter().any(|r| r.prefix == prefix && r.host == host) {
            c.error(file, spanned, "two routes serve the same host and path");
        }
        if let (Some(upstream), Some(catalog)) = (upstream, catalog) {
            routes.push(Arc::new(Route {
                name: RouteName::new(&route.name),
                host,
                prefix,
                upstream: Arc::clone(upstream),
                catalog: Arc::clone(catalog),
            }));
        }
    }
    routes.sort_by_key(|r| (r.host.is_none(), std::cmp::Reverse(r.prefix.len())));
    routes
}

fn listeners(c: &mut Compiler<'_>, file: &Text, raw: &schema::Listeners, state: &State) -> Option<Listeners> {
    let data = &raw.data;
    let (certificate, client_ca) = match &data.tls {
        schema::Tls::Files(files) => (
            Certificate::Files { chain: c.path(&files.certificate), key: c.path(&files.private_key) },
            files.client_ca.as_deref(),
        ),
        schema::Tls::Development(dev) => (
            Certificate::Development { folder: state.folder.join("tls"), names: dev.names.clone() },
            dev.client_ca.as_deref(),
        ),
    };
    let public_url = match &data.public_url {
        None => None,
        Some(url) => match url.value.parse::<http::Uri>() {
            Ok(uri) if uri.scheme_str() == Some("https") && uri.path() == "/" => Some(uri),
            _ => {
                c.error(file, url, "public_url is an origin such as `https://gateway.example:8443`");
                return None;
            }
        },
    };
    Some(Listeners {
        data: DataListener {
            address: data.address,
            certificate,
            client_ca: client_ca.map(|path| c.path(path)),
            bounds: bounds(&data.bounds),
            public_url,
        },
        metrics: raw.metrics.address,
    })
}

fn bounds(raw: &schema::Bounds) -> Bounds {
    let time = |given: Option<Span>, default: u64| given.map_or(Duration::from_secs(default), |s| s.0);
    Bounds {
        handshake: time(raw.handshake, 10),
        header: time(raw.header, 10),
        idle: time(raw.idle, 75),
        request_body: time(raw.request_body, 600),
        response_body: time(raw.response_body, 1800),
        drain: time(raw.drain, 25),
        pre_drain: time(raw.pre_drain, 0),
        connections: raw.connections.unwrap_or(10_000),
        header_bytes: raw.header_bytes.map_or(32 << 10, |s| u32::try_from(s.0).unwrap_or(u32::MAX)),
        streams: raw.streams.unwrap_or(200),
        resets: raw.resets.unwrap_or(20),
        requests: raw.requests.unwrap_or(4096),
    }
}

fn limits(raw: &schema::Limits) -> Limits {
    let size = |given: Option<Size>, default: u64| given.map_or(default, |s| s.0);
    let small =
        |given: Option<Size>, default: u64| usize::try_from(size(given, default)).unwrap_or(usize::MAX);
    Limits {
        call_bytes: size(raw.call_body, 32 << 20),
        upload_bytes: size(raw.upload_body, 8 << 30),
        response_bytes: size(raw.response_body, 8 << 30),
        record_bytes: small(raw.record, 16 << 20),
        memory_bytes: small(raw.memory, 256 << 10),
        depth: raw.depth.unwrap_or(64),
        ratio: raw.ratio.unwrap_or(100),
        members: raw.members.unwrap_or(100_000),
        nesting: raw.nesting.unwrap_or(4),
        block_bytes: small(raw.block, 64 << 20),
    }
}

/// One number for all files, so that replicas can be compared.
fn fingerprint(files: &Files, more: &[Text]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let all = [&files.tenants, &files.apis, &files.rules, &files.policies];
    for text in std::iter::once(&files.main).chain(all.into_iter().flatten()).chain(more) {
        context.update(&(text.text.len() as u64).to_be_bytes());
        context.update(text.text.as_bytes());
    }
    data_encoding::HEXLOWER.encode(&context.finish().as_ref()[..8])
}

/// The master key and the places of the state alone.
pub(super) fn master_key(files: &Files, mode: Mode) -> Result<(MasterKey, State), Vec<Diagnostic>> {
    let mut c = Compiler { base: &files.base, errors: Vec::new(), more: Vec::new() };
    let main: schema::Main = from_yaml(&files.main.name, &files.main.text).map_err(|error| vec![error])?;
    let state = state(&c, &main.state);
    let master = master(&mut c, &files.main, main.master_key.as_ref(), &state, mode).ok_or(c.errors)?;
    Ok((master, state))
}
