//! The server side: TLS 1.3 and 1.2, HTTP/2 and HTTP/1.1, client certificates where they are asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use jiff::Timestamp;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};

use super::pem::{self, CertificateInfo};
use super::provider;
use crate::diagnostic::Diagnostic;

/// How client certificates are asked for.
#[derive(Clone, Copy, Debug)]
pub struct ClientAuth<'a> {
    /// PEM file of the roots that they have to chain to.
    pub ca: &'a Path,
    /// Whether a caller without one is turned away in the handshake.
    pub required: bool,
}

/// A loaded server side.
#[derive(Clone, Debug)]
pub struct Server {
    /// What connections are accepted with.
    pub config: Arc<ServerConfig>,
    /// The chain, leaf first.
    pub certificates: Vec<CertificateInfo>,
}

/// Loads a certificate chain, its key and the roots for client certificates.
///
/// # Errors
/// Names the file and what is wrong with it: unreadable, not PEM, key and certificate don't belong together, not valid
/// now (with the date).
pub fn server(
    chain: &Path,
    key: &Path,
    clients: Option<ClientAuth<'_>>,
    now: Timestamp,
) -> Result<Server, Diagnostic> {
    let at = |path: &Path, message: String| Diagnostic::whole(&path.display().to_string(), message);
    let certificates = pem::certificates(chain)?;
    let mut infos = Vec::with_capacity(certificates.len());
    for certificate in &certificates {
        let info = pem::info(chain, certificate)?;
        pem::check_time(chain, &info, now)?;
        infos.push(info);
    }
    let private =
        provider().key_provider.load_private_key(pem::private_key(key)?).map_err(|_unsupported| {
            at(
                key,
                "the private key is of a kind that is not supported (RSA, P-256, P-384, P-521, Ed25519)"
                    .into(),
            )
        })?;
    let certified = CertifiedKey::new(certificates, private);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let message =
                format!("the private key does not belong to the first certificate of {}", chain.display());
            return Err(at(key, message));
        }
        Err(error) => return Err(at(chain, format!("the first certificate can't be used: {error}"))),
    }
    let failed = |error: rustls::Error| at(chain, format!("the TLS library refuses it: {error}"));
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(failed)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots_in(clients.ca, now)?), provider());
            let verifier = if clients.required { verifier } else { verifier.allow_unauthenticated() };
            let verifier = verifier.build().map_err(|error| at(clients.ca, error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let resolver = SingleCertAndKey::from(certified);
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A ticket carries the client certificate of the first handshake. Its key lives and dies with this configuration,
    // so a reload ends what was believed before it.
    config.ticketer = Ticketer::new().map_err(failed)?;
    // One is enough for a client that comes again, and each costs a seal and a record.
    config.send_tls13_tickets = 1;
    Ok(Server { config: Arc::new(config), certificates: infos })
}

/// Where a server side comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFiles {
    /// The chain, leaf first.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The roots for client certificates; none: they are not asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether a caller without a client certificate is turned away in the handshake.
    pub client_required: bool,
}

impl ServerFiles {
    /// Loads them.
    ///
    /// # Errors
    /// As [`server`].
    pub fn load(&self, now: Timestamp) -> Result<Server, Diagnostic> {
        let clients = self.client_ca.as_deref().map(|ca| ClientAuth { ca, required: self.client_required });
        server(&self.chain, &self.key, clients, now)
    }

    /// A hash over what the files hold; none if one can't be read.
    fn fingerprint(&self) -> Option<digest::Digest> {
        let mut context = digest::Context::new(&digest::SHA256);
        for path in [Some(&self.chain), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten() {
            let bytes = zeroize::Zeroizing::new(std::fs::read(path).ok()?);
            context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(&bytes);
        }
        Some(context.finish())
    }
}

/// The roots of a file. One that is out of time is refused: it would verify nobody.
fn roots_in(path: &Path, now: Timestamp) -> Result<RootCertStore, Diagnostic> {
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(path)? {
        pem::check_time(path, &pem::info(path, &certificate)?, now)?;
        roots.add(certificate).map_err(|error| {
            Diagnostic::whole(
                &path.display().to_string(),
                format!("a certificate in it can't be a root: {error}"),
            )
        })?;
    }
    Ok(roots)
}

/// A server side that can be replaced while connections come in. A connection keeps the one it began with.
#[derive(Debug)]
pub struct HotServer(ArcSwap<Server>);

impl HotServer {
    /// Begins with this one.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self(ArcSwap::from_pointee(server))
    }

    /// Connections from here on get the new one.
    pub fn replace(&self, server: Server) {
        self.0.store(Arc::new(server));
    }

    /// The one that counts now.
    #[must_use]
    pub fn current(&self) -> Arc<Server> {
        self.0.load_full()
    }

    /// Looks at the files for ever, and takes what is new and whole; what is not whole is told and left. Whoever rotates
    /// certificates (cert-manager, a Kubernetes secret's symlink, NFS) need not tell the gateway, and no file system has
    /// to have notifications.
    pub async fn follow(
        &self,
        files: &ServerFiles,
        every: Duration,
        mut told: impl FnMut(Result<&Server, &Diagnostic>),
    ) {
        let look = |files: &ServerFiles| files.fingerprint().map(|digest| digest.as_ref().to_vec());
        let mut taken = look(files);
        let mut refused = taken.clone();
        loop {
            tokio::time::sleep(every).await;
            let now = look(files);
            if now == taken || now == refused {
                continue;
            }
            match files.load(Timestamp::now()) {
                Ok(server) => {
                    told(Ok(&server));
                    self.replace(server);
                    taken.clone_from(&now);
                }
                Err(error) => told(Err(&error)),
            }
            refused = now;
        }
    }
}
