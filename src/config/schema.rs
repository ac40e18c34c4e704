//! The files as operators write them. Every type is closed: an unknown key is an error with its place.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::secret::SecretRef;
use super::units::{Size, Span};
use crate::names::Purpose;

mod analyser;
mod censor;
mod consent;
mod names;
mod policy;
mod records;

pub use analyser::{Analyser, TenantAnalyser};
pub use censor::{ActionName, Censor, DryRun, DryRunAccepted, OperationCensor, OwnRules};
pub use consent::{Consent, Grant, GrantScope, OlderGrants, StoreWithoutGrant, ThirdParties};
pub use names::Names;
pub use policy::{KeptBy, PolicyCensor, PolicyConsent, PolicyFile, PolicyOptions, PromiseEntry};
pub use records::{OtherFiles, RecordAction, RecordActions, RecordFields, Records};

/// `consentry.yaml`: what the platform engineer sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Main {
    /// Where the gateway listens.
    pub listeners: Listeners,
    /// Where state lies.
    #[serde(default)]
    pub state: State,
    /// The root secret, 32 bytes or more (base64, hex or text). Made once in the state folder if none is named.
    pub master_key: Option<SecretRef>,
    /// The upstream accounts, by name.
    #[schemars(with = "BTreeMap<String, Upstream>")]
    pub upstreams: BTreeMap<String, Spanned<Upstream>>,
    /// What is served, and where it goes.
    #[schemars(with = "Vec<Route>")]
    pub routes: Vec<Spanned<Route>>,
    /// Analysers that tenants may have texts shown to, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Analyser>")]
    pub analysers: BTreeMap<String, Spanned<Analyser>>,
    /// Issuers of JSON Web Tokens, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Issuer>")]
    pub issuers: BTreeMap<String, Spanned<Issuer>>,
    /// What bounds bodies.
    #[serde(default)]
    pub limits: Limits,
}

/// Where the gateway listens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listeners {
    /// The data listener: TLS, always.
    pub data: Data,
    /// Metrics and probes, plain HTTP.
    pub metrics: Metrics,
}

/// The data listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Address and port.
    pub address: SocketAddr,
    /// The certificate.
    pub tls: Tls,
    /// The gateway's own origin as callers see it, for links in answers. Default: the request's own authority.
    #[schemars(with = "Option<String>")]
    pub public_url: Option<Spanned<String>>,
    /// Times and counts.
    #[serde(default)]
    pub bounds: Bounds,
}

/// The data listener's certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Tls {
    /// PEM files.
    Files(TlsFiles),
    /// A development CA made once in the state folder, and a certificate for these names beside `localhost`.
    Development(DevelopmentTls),
}

/// PEM files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub certificate: String,
    /// The private key.
    pub private_key: String,
    /// Roots for client certificates. Without it no client certificate is asked for.
    pub client_ca: Option<String>,
}

/// A development certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DevelopmentTls {
    /// More host names or addresses for the certificate.
    #[serde(default)]
    pub names: Vec<String>,
    /// Roots for client certificates.
    pub client_ca: Option<String>,
}

/// The metrics listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port.
    pub address: SocketAddr,
}

/// Times and counts of the data listener. What is left out has the value of the reference.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// From accept to the end of the handshake (10s).
    pub handshake: Option<Span>,
    /// From the first byte of a header section to its last (10s).
    pub header: Option<Span>,
    /// Between requests (75s).
    pub idle: Option<Span>,
    /// For the whole of a request's body (10m).
    pub request_body: Option<Span>,
    /// For the whole of an answer's body (30m).
    pub response_body: Option<Span>,
    /// From SIGTERM to the end (25s).
    pub drain: Option<Span>,
    /// From SIGTERM until the listener stops accepting (0ms).
    pub pre_drain: Option<Span>,
    /// Connections at once (10000).
    pub connections: Option<usize>,
    /// Bytes of a header section (32KiB).
    pub header_bytes: Option<Size>,
    /// HTTP/2 streams at once in a connection (200).
    pub streams: Option<u32>,
    /// HTTP/2 streams that a peer may reset before they were accepted (20).
    pub resets: Option<usize>,
    /// Requests at once, until their answers' last bytes (4096).
    pub requests: Option<usize>,
}

/// Where state lies.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The folder, relative to the configuration's (`data`).
    pub directory: Option<String>,
    /// How long an allowed inference may wait to be written to the audit trail (100ms).
    pub audit_window: Option<Span>,
    /// Bytes that the spool may hold at once (4GiB).
    pub spool: Option<Size>,
}

/// An upstream account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Scheme, authority and path prefix. `http` for loopback addresses only.
    #[schemars(with = "String")]
    pub url: Spanned<String>,
    /// The account's own credential.
    pub credential: Option<Credential>,
    /// Headers set on every request.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, SecretRef>")]
    pub headers: BTreeMap<String, Spanned<SecretRef>>,
    /// PEM file with roots beside the system's.
    #[schemars(with = "Option<String>")]
    pub ca: Option<Spanned<String>>,
    /// It belongs to somebody else: its use needs the purpose `share` (false).
    #[serde(default)]
    pub third_party: bool,
    /// Tenants share its connections (false).
    #[serde(default)]
    pub shared_connections: bool,
    /// Time to connect (5s).
    pub connect_timeout: Option<Span>,
    /// Time to the answer's head (10m).
    pub head_timeout: Option<Span>,
    /// How long an idle connection is kept (4s).
    pub idle_timeout: Option<Span>,
}

/// The account's credential.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer(SecretRef),
    /// A header of this name.
    Header(HeaderCredential),
}

/// A credential in a header of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderCredential {
    /// The header's name: `x-api-key`, `api-key`.
    pub name: String,
    /// Its value.
    pub value: SecretRef,
}

/// A route.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its name: the metric label.
    pub name: String,
    /// The host it serves; any, if left out.
    pub host: Option<String>,
    /// The path prefix, removed before the profile looks (`/`).
    #[schemars(with = "Option<String>")]
    pub path: Option<Spanned<String>>,
    /// Where it goes.
    #[schemars(with = "String")]
    pub upstream: Spanned<String>,
    /// The API profile that it speaks.
    #[schemars(with = "String")]
    pub api: Spanned<String>,
    /// Tenants may ask for a dry run of the censor on it (false).
    #[serde(default)]
    pub allow_dry_run: bool,
}

/// An issuer of JSON Web Tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claims that are taken.
    pub audiences: Vec<String>,
    /// The algorithms that are taken: `RS256`, `ES256`, `EdDSA`, ….
    #[schemars(with = "Vec<String>")]
    pub algorithms: Vec<Spanned<String>>,
    /// The key set: `file:…` or an `https` URL.
    #[schemars(with = "String")]
    pub jwks: Spanned<String>,
    /// The claim that names the tenant (`sub`).
    pub tenant_claim: Option<String>,
}

/// What bounds bodies. What is left out has the value of the reference.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a call's body (32MiB).
    pub call_body: Option<Size>,
    /// Bytes of an upload (8GiB).
    pub upload_body: Option<Size>,
    /// Bytes of an answer (8GiB).
    pub response_body: Option<Size>,
    /// Bytes of one record: a line, an event, a field that decides (16MiB).
    pub record: Option<Size>,
    /// Bytes of a body kept in memory before the spool is used (256KiB).
    pub memory: Option<Size>,
    /// Depth of JSON (64).
    pub depth: Option<usize>,
    /// Decoded bytes for each coded one (100).
    pub ratio: Option<u32>,
    /// Members of an archive, with those of archives in it (100000).
    pub members: Option<u64>,
    /// Archives and packed files inside each other; a tar.gz is two (4).
    pub nesting: Option<usize>,
    /// Bytes of one page of a Parquet column, of one buffer of an Arrow batch, of an archive's directory (64MiB).
    pub block: Option<Size>,
}

/// `tenants/*.yaml`: what a tenant's admin sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The tenant's name: letters, digits, `-`, `_` and `.`, at most 64.
    #[schemars(with = "String")]
    pub tenant: Spanned<String>,
    /// The privacy policies that hold for it, one name or a list. What it sets itself may be stricter, never looser.
    #[schemars(schema_with = "Names::schema")]
    pub policy: Option<Spanned<Names>>,
    /// Its API keys.
    #[serde(default)]
    #[schemars(with = "Vec<Key>")]
    pub keys: Vec<Spanned<Key>>,
    /// Its client certificates.
    #[serde(default)]
    #[schemars(with = "Vec<ClientCertificate>")]
    pub certificates: Vec<Spanned<ClientCertificate>>,
    /// Its tokens.
    #[serde(default)]
    #[schemars(with = "Vec<Token>")]
    pub tokens: Vec<Spanned<Token>>,
    /// What its data may be used for.
    #[serde(default)]
    pub consent: Consent,
    /// What must not pass.
    #[serde(default)]
    pub censor: Censor,
    /// The records of its data sets are judged one by one. Without it, they are not.
    #[schemars(with = "Option<Records>")]
    pub records: Option<Spanned<Records>>,
    /// Operations whose bodies may pass although they can't be inspected (images, sound), by operation id.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub opaque: Vec<Spanned<String>>,
    /// Operations in whose documents nothing may stand that can't be inspected (images and sound as base64), by
    /// operation id. Elsewhere such values pass as they are.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub refuse_media: Vec<Spanned<String>>,
    /// What becomes of texts and files in another encoding than UTF-8 (`refuse`).
    #[serde(default)]
    pub other_charsets: OtherCharsets,
    /// What upstreams get that are third parties (`grant`).
    #[schemars(with = "Option<ThirdParties>")]
    pub third_parties: Option<Spanned<ThirdParties>>,
    /// Its limits.
    #[serde(default)]
    pub limits: TenantLimits,
}

/// What becomes of text in another encoding than UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherCharsets {
    /// It is refused.
    #[default]
    Refuse,
    /// It is written in UTF-8, and the content type says so. UTF-16 is known by its byte order mark, others by the
    /// `charset` of the content type or by an XML declaration.
    Transcode,
}

/// An API key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its name in logs and audit.
    pub id: String,
    /// Its keyed hash, as `consentry keys new` prints it.
    #[schemars(with = "String")]
    pub hash: Spanned<String>,
    /// What it may be used for (`inference`).
    pub purposes: Option<Vec<Purpose>>,
    /// Not before (RFC 3339).
    #[schemars(with = "Option<String>")]
    pub from: Option<jiff::Timestamp>,
    /// Not after (RFC 3339).
    #[schemars(with = "Option<String>")]
    pub expires: Option<jiff::Timestamp>,
}

/// A client certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// Its name in logs and audit.
    pub id: String,
    /// The subject alternative name, whole: a `spiffe://` id or a DNS name.
    #[schemars(with = "String")]
    pub san: Spanned<String>,
    /// What it may be used for (`inference`).
    pub purposes: Option<Vec<Purpose>>,
}

/// A token's claim that means this tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name in logs and audit.
    pub id: String,
    /// The issuer, by its name in `consentry.yaml`.
    #[schemars(with = "String")]
    pub issuer: Spanned<String>,
    /// The value of the issuer's tenant claim.
    pub claim: String,
    /// What it may be used for (`inference`).
    pub purposes: Option<Vec<Purpose>>,
}

/// A tenant's limits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantLimits {
    /// Requests at once (256).
    pub concurrency: Option<usize>,
    /// Bytes that may wait in the spool at once (half of what all may have, `state.spool`).
    #[schemars(with = "Option<Size>")]
    pub spool: Option<Spanned<Size>>,
}
