//! The sandbox's own certificate authority and TLS settings.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::SandboxError;

/// Names that the server's certificate is for.
const NAMES: [&str; 4] = ["localhost", "sandbox", "127.0.0.1", "::1"];

/// The server's settings and the authority to trust, from the folder's files; makes them first if
/// they are not all there.
pub(super) fn server_config(folder: &Path) -> Result<(Arc<ServerConfig>, PathBuf), SandboxError> {
    let [ca, certificate, key] = ["ca.crt", "server.crt", "server.key"].map(|name| folder.join(name));
    if ![&ca, &certificate, &key].into_iter().all(|path| path.is_file()) {
        fs::create_dir_all(folder)
            .map_err(|source| SandboxError::File { path: folder.to_owned(), source })?;
        make(&ca, &certificate, &key)?;
    }
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|problem| SandboxError::Tls(format!("{}: {problem}", certificate.display())))?;
    let private = PrivateKeyDer::from_pem_file(&key)
        .map_err(|problem| SandboxError::Tls(format!("{}: {problem}", key.display())))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|problem| SandboxError::Tls(problem.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((Arc::new(config), ca))
}

fn make(ca: &Path, certificate: &Path, key: &Path) -> Result<(), SandboxError> {
    let (authority, leaf, private) =
        certificates().map_err(|problem| SandboxError::Tls(problem.to_string()))?;
    write(ca, authority.as_bytes(), 0o644)?;
    write(certificate, leaf.as_bytes(), 0o644)?;
    write(key, private.as_bytes(), 0o600)
}

/// PEM of the authority's certificate, of the server's, and of the server's key. The authority's key
/// is forgotten at once: nothing else can ever be signed with it.
fn certificates() -> Result<(String, String, String), rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "sandbox authority, for tests only");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.not_before = rcgen::date_time_ymd(2024, 1, 1);
    authority.not_after = rcgen::date_time_ymd(2044, 1, 1);
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let mut leaf = CertificateParams::new(NAMES.map(str::to_owned))?;
    leaf.distinguished_name.push(DnType::CommonName, "sandbox");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    leaf.not_before = authority.not_before;
    leaf.not_after = authority.not_after;
    let leaf_key = KeyPair::generate()?;
    let leaf_certificate = leaf.signed_by(&leaf_key, &Issuer::from_params(&authority, &authority_key))?;
    Ok((authority_certificate.pem(), leaf_certificate.pem(), leaf_key.serialize_pem()))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SandboxError> {
    let mut open = fs::OpenOptions::new();
    open.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, mode);
    #[cfg(not(unix))]
    let _ = mode;
    open.open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| SandboxError::File { path: path.to_owned(), source })
}
