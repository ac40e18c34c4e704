//! The compiled configuration. It never changes: a reload makes a new one, and a request keeps the one it began with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::catalog::Catalog;
use crate::censor::{Engine, RuleInfo};
use crate::consent::record::{Field, RecordPolicy};
use crate::consent::{Grant, Rules, SubjectKeyer};
use crate::identity::Directory;
pub use crate::listener::Bounds;
use crate::names::{OperationId, RouteName, TenantId, UpstreamId};
use crate::pointer::Pointer;

pub use super::master::MasterKey;
pub use super::policy::{Kept, Policy, Promise, Promised};

/// Everything that decides, compiled.
pub struct Snapshot {
    /// Counts reloads.
    pub generation: u64,
    /// A hash over all files, for operators to compare replicas.
    pub fingerprint: String,
    /// Where the gateway listens.
    pub listeners: Listeners,
    /// Where state lies.
    pub state: State,
    /// What bounds the gateway.
    pub limits: Limits,
    /// The tenants.
    pub tenants: BTreeMap<TenantId, Arc<Tenant>>,
    /// Who presents what.
    pub directory: Directory,
    /// The analysers, by name.
    pub analysers: BTreeMap<String, crate::analyser::Settings>,
    /// The upstream accounts.
    pub upstreams: BTreeMap<UpstreamId, Arc<Upstream>>,
    /// The routes, longest prefix first.
    pub routes: Vec<Arc<Route>>,
    /// The key from which all others are derived (HKDF), by label.
    pub master: MasterKey,
}

impl Snapshot {
    /// Where what the censor finds is reported only, and until when: tenant, route, end. Some may be over.
    pub fn dry_runs(&self) -> impl Iterator<Item = (&TenantId, &RouteName, jiff::Timestamp)> {
        let dry = self.tenants.values().filter_map(|tenant| Some((&tenant.id, tenant.dry_run.as_ref()?)));
        dry.flat_map(|(tenant, dry)| dry.routes.iter().map(move |route| (tenant, route, dry.until)))
    }

    /// Settings in which a later configuration differs, and which are read at the start only.
    #[must_use]
    pub fn needs_restart(&self, later: &Self) -> Vec<&'static str> {
        let (data, new) = (&self.listeners.data, &later.listeners.data);
        let changed = [
            ("listeners.data.address", data.address != new.address),
            ("listeners.data.tls", data.certificate != new.certificate || data.client_ca != new.client_ca),
            ("listeners.data.bounds.requests", data.bounds.requests != new.bounds.requests),
            ("listeners.metrics", self.listeners.metrics != later.listeners.metrics),
            ("state", self.state != later.state),
            ("limits.memory", self.limits.memory_bytes != later.limits.memory_bytes),
            ("master_key", !self.master.is(&later.master)),
        ];
        changed.into_iter().filter_map(|(setting, differs)| differs.then_some(setting)).collect()
    }
}

/// The listeners.
pub struct Listeners {
    /// The data listener: TLS, always.
    pub data: DataListener,
    /// Metrics and probes: plain HTTP on its own address.
    pub metrics: SocketAddr,
}

/// The data listener.
pub struct DataListener {
    /// Address and port.
    pub address: SocketAddr,
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// Roots for client certificates; none: client certificates are not asked for.
    pub client_ca: Option<PathBuf>,
    /// Handshake, header, idle, body and drain times, and counts.
    pub bounds: Bounds,
    /// The gateway's own origin as callers see it (`https://gw.example:8443`), for links in answers; by default
    /// the request's own authority.
    pub public_url: Option<http::Uri>,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// PEM files.
    Files {
        /// The chain.
        chain: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// A development CA made once.
    Development {
        /// The folder it lies in.
        folder: PathBuf,
        /// Names and addresses of the certificate beside the loopback's.
        names: Vec<String>,
    },
}

/// Where state lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The folder that holds all of it.
    pub folder: PathBuf,
    /// The SQLite file.
    pub store: PathBuf,
    /// The folder of the audit trail.
    pub audit: PathBuf,
    /// How long an allowed inference may wait to be written.
    pub audit_window: Duration,
    /// The folder of the spool.
    pub spool: PathBuf,
    /// Bytes that the spool may hold at once.
    pub spool_bytes: u64,
}

/// What bounds bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a call's body (JSON).
    pub call_bytes: u64,
    /// Bytes of an upload.
    pub upload_bytes: u64,
    /// Bytes of an answer.
    pub response_bytes: u64,
    /// Bytes of one record (a line, an event, a field that decides).
    pub record_bytes: usize,
    /// Bytes kept in memory before the spool is used.
    pub memory_bytes: usize,
    /// Depth of JSON.
    pub depth: usize,
    /// Decoded bytes for each coded one, once past the first MiB.
    pub ratio: u32,
    /// Members of an archive, with those of archives in it.
    pub members: u64,
    /// Archives and packed files inside each other.
    pub nesting: usize,
    /// Bytes of a part of a table, or of an archive's directory.
    pub block_bytes: usize,
}

/// A tenant.
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// The grants of its file.
    pub grants: Arc<[Grant]>,
    /// Its rules of consent.
    pub consent: Rules,
    /// Makes the hashes that its data subjects are known by.
    pub subjects: SubjectKeyer,
    /// `store: true` without a grant is turned off rather than refused.
    pub store_turned_off: bool,
    /// Third parties' upstreams get nothing, whatever was granted.
    pub third_parties_refused: bool,
    /// The privacy policies that hold for it.
    pub promised: Promised,
    /// What must not pass.
    pub policies: Policies,
    /// What becomes of the records of its data sets, if they are judged.
    pub records: Option<Records>,
    /// Who is asked for a second opinion.
    pub analysis: Option<Analysis>,
    /// What is found is reported only, for a while.
    pub dry_run: Option<DryRun>,
    /// Operations whose uninspectable bodies may pass, by operation id.
    pub opaque: Vec<OperationId>,
    /// Operations in whose documents no embedded media may stand, by operation id.
    pub refuse_media: Vec<OperationId>,
    /// Text in another encoding than UTF-8 is written in UTF-8; otherwise it is refused.
    pub transcode: bool,
    /// Requests at once.
    pub concurrency: usize,
    /// Bytes that may wait in the spool at once.
    pub spool_bytes: u64,
    /// The secret that keys its pseudonyms, hashes and salts.
    pub secret: Arc<aws_lc_rs::hmac::Key>,
}

impl Tenant {
    /// What must not pass in the bodies of an operation.
    #[must_use]
    pub fn engines(&self, operation: &OperationId) -> &Engines {
        self.policies.operations.get(operation).unwrap_or(&self.policies.general)
    }

    /// Is what the censor finds on this route reported only, at this time? Nothing but the censor asks.
    #[must_use]
    pub fn runs_dry(&self, route: &RouteName, now: jiff::Timestamp) -> bool {
        self.dry_run.as_ref().is_some_and(|dry| now < dry.until && dry.routes.contains(route))
    }
}

/// What must not pass in a tenant's bodies.
pub struct Policies {
    /// In those of operations that nothing special is said of.
    pub general: Engines,
    /// In those of single operations.
    pub operations: BTreeMap<OperationId, Engines>,
}

/// What must not pass, by direction. Shared between all whose policies decide the same.
#[derive(Clone)]
pub struct Engines {
    /// Towards the upstream.
    pub request: Arc<Engine>,
    /// Towards the tenant.
    pub response: Arc<Engine>,
    /// Towards the upstream, with nothing personal left; of tenants whose records are judged.
    pub anonymous: Option<Arc<Engine>>,
}

/// What a tenant wants of the records of its data sets.
#[derive(Clone, Debug)]
pub struct Records {
    /// What becomes of them.
    pub policy: Arc<RecordPolicy>,
    /// Where they say what.
    pub fields: Vec<(Field, Pointer)>,
    /// What is taken out of every one.
    pub remove: Vec<Pointer>,
}

/// What a tenant wants of an analyser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// The analyser, by name.
    pub analyser: String,
    /// What is looked for towards the upstream.
    pub request: Vec<RuleInfo>,
    /// What is looked for towards the tenant.
    pub response: Vec<RuleInfo>,
    /// Operations whose bodies it isn't asked about.
    pub unanalysed: Vec<OperationId>,
}

/// What the censor finds is reported and passes: on these routes, until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// The routes.
    pub routes: Vec<RouteName>,
    /// When it ends by itself.
    pub until: jiff::Timestamp,
}

/// An upstream account.
pub struct Upstream {
    /// Its name.
    pub id: UpstreamId,
    /// Scheme, authority and path prefix. `http` for loopback addresses only.
    pub base: http::Uri,
    /// The account's own credential.
    pub credential: Option<Credential>,
    /// Headers that are set on every request (organisation, project).
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Roots beside the system's.
    pub ca: Option<PathBuf>,
    /// It is somebody else: purpose `share` is needed.
    pub third_party: bool,
    /// Tenants share its connections.
    pub shared_connections: bool,
    /// Time to connect.
    pub connect: Duration,
    /// Time to the answer's head.
    pub head: Duration,
    /// How long an idle connection is kept.
    pub idle: Duration,
}

/// The account's credential.
pub struct Credential {
    /// The header that carries it.
    pub header: HeaderName,
    /// The whole value, marked sensitive.
    pub value: HeaderValue,
}

/// A route.
pub struct Route {
    /// Its name: the metric label.
    pub name: RouteName,
    /// The host it serves; any, if none.
    pub host: Option<String>,
    /// The path prefix it serves, without a trailing slash; removed before the catalog looks.
    pub prefix: String,
    /// Where it goes.
    pub upstream: Arc<Upstream>,
    /// What it speaks.
    pub catalog: Arc<Catalog>,
}
