//! PEM files: what is in them, and what an operator is told if it is not what it should be.

use std::path::Path;

use jiff::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::diagnostic::Diagnostic;

/// A PEM file of more bytes is not read.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What metrics and operators want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// The subject, as RFC 4514 writes it.
    pub subject: String,
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid after.
    pub not_after: Timestamp,
}

fn failed(path: &Path, message: impl Into<String>) -> Diagnostic {
    Diagnostic::whole(&path.display().to_string(), message)
}

fn read(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let size =
        std::fs::metadata(path).map_err(|error| failed(path, format!("can't be read: {error}")))?.len();
    if size > MOST_BYTES {
        return Err(failed(path, "is larger than 4 MiB, so it is no PEM file"));
    }
    std::fs::read(path).map_err(|error| failed(path, format!("can't be read: {error}")))
}

/// The certificates of a file, in its order.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Diagnostic> {
    let bytes = read(path)?;
    let certificates = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(path, format!("is not well-formed PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(failed(path, "holds no certificate (`-----BEGIN CERTIFICATE-----`)"));
    }
    Ok(certificates)
}

/// The first private key of a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Diagnostic> {
    let bytes = zeroize::Zeroizing::new(read(path)?);
    if memchr::memmem::find(&bytes, b"ENCRYPTED PRIVATE KEY").is_some() {
        return Err(failed(path, "the private key is encrypted: there is nobody to ask for its pass phrase"));
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        rustls_pki_types::pem::Error::NoItemsFound => {
            failed(path, "holds no private key (`-----BEGIN PRIVATE KEY-----`)")
        }
        other => failed(path, format!("is not well-formed PEM: {other}")),
    })
}

/// Reads a certificate's subject and times.
pub(super) fn info(path: &Path, certificate: &[u8]) -> Result<CertificateInfo, Diagnostic> {
    let malformed = || failed(path, "a certificate in it is malformed");
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_withheld| malformed())?;
    let time = |seconds: i64| Timestamp::from_second(seconds).map_err(|_withheld| malformed());
    Ok(CertificateInfo {
        subject: parsed.subject().to_string(),
        not_before: time(parsed.validity().not_before.timestamp())?,
        not_after: time(parsed.validity().not_after.timestamp())?,
    })
}

/// Refuses a certificate that is not valid now.
pub(super) fn check_time(path: &Path, info: &CertificateInfo, now: Timestamp) -> Result<(), Diagnostic> {
    if now > info.not_after {
        return Err(failed(
            path,
            format!("the certificate `{}` expired on {}", info.subject, info.not_after),
        ));
    }
    if now < info.not_before {
        let message = format!("the certificate `{}` is not valid before {}", info.subject, info.not_before);
        return Err(failed(path, message).help("is the clock of this machine right?"));
    }
    Ok(())
}
