//! The client side: the system's roots, and those that the operator adds.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;

use super::{pem, provider};
use crate::diagnostic::Diagnostic;

/// Whom to trust.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Roots {
    /// The system's roots (`SSL_CERT_FILE`, `SSL_CERT_DIR`, or where the system keeps them).
    System,
    /// The system's roots, and those in a PEM file.
    SystemAnd(PathBuf),
}

impl Roots {
    /// The system's roots, and those in a file if there is one.
    #[must_use]
    pub fn system_and(file: Option<&Path>) -> Self {
        file.map_or(Self::System, |path| Self::SystemAnd(path.to_owned()))
    }
}

/// A client configuration for TLS 1.3 and 1.2, without protocols for ALPN: the connector adds those it speaks.
///
/// # Errors
/// Names the file and what is wrong with it; or says that there is no root at all.
pub fn client(roots: &Roots) -> Result<ClientConfig, Diagnostic> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(system().iter().cloned());
    if let Roots::SystemAnd(path) = roots {
        for certificate in pem::certificates(path)? {
            store.add(certificate).map_err(|error| {
                Diagnostic::whole(
                    &path.display().to_string(),
                    format!("a certificate in it can't be a root: {error}"),
                )
            })?;
        }
    }
    if store.is_empty() {
        let message = "this system has no root certificates, so no server could be trusted";
        return Err(Diagnostic::whole("(system roots)", message)
            .help("install the package `ca-certificates`, set `SSL_CERT_FILE`, or name a `ca` file"));
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| Diagnostic::whole("(TLS client)", error.to_string()))?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

/// Read once: it takes milliseconds, and a process does not outlive its image's roots.
fn system() -> &'static [CertificateDer<'static>] {
    static SYSTEM: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a system root could not be read");
        }
        found.certs
    })
}
