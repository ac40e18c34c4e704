//! Certificates: an authority that signs what a test asks for, and the two sides of a connection.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use consentry::tls::provider;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

const DAY: Duration = Duration::from_secs(86_400);

/// A root.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    certificate: rcgen::Certificate,
}

/// A signed leaf.
pub(crate) struct Leaf {
    pub(crate) certificate: String,
    pub(crate) private_key: String,
    der: CertificateDer<'static>,
    key_der: PrivateKeyDer<'static>,
}

/// From when until when a leaf is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Valid {
    Now,
    /// Until yesterday.
    Expired,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { params, key, certificate }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A leaf with these names: host names, addresses or URIs.
    pub(crate) fn leaf(&self, names: &[&str], valid: Valid) -> Leaf {
        let mut params = CertificateParams::default();
        let name = |name: &&str| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if name.contains("://") => SanType::URI((*name).try_into().unwrap()),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        };
        params.subject_alt_names = names.iter().map(name).collect();
        let end = match valid {
            Valid::Now => SystemTime::now() + DAY,
            Valid::Expired => SystemTime::now() - DAY,
        };
        params.not_before = (end - 10 * DAY).into();
        params.not_after = end.into();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Leaf {
            certificate: certificate.pem(),
            private_key: key.serialize_pem(),
            der: certificate.der().clone(),
            key_der: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    /// A client that trusts this authority only.
    pub(crate) fn client(&self, alpn: &str, identity: Option<&Leaf>) -> Arc<ClientConfig> {
        client(vec![self.certificate.der().clone()], alpn, identity)
    }
}

impl Leaf {
    /// A server that shows this leaf, and speaks HTTP/1.1.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], self.key_der.clone_key())
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

fn client(roots: Vec<CertificateDer<'static>>, alpn: &str, identity: Option<&Leaf>) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store);
    let mut config = match identity {
        Some(leaf) => {
            builder.with_client_auth_cert(vec![leaf.der.clone()], leaf.key_der.clone_key()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    Arc::new(config)
}

/// A client that trusts the certificates of a PEM file only.
pub(crate) fn trusting(path: &Path, alpn: &str) -> Arc<ClientConfig> {
    use rustls_pki_types::pem::PemObject;
    let roots = CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect();
    client(roots, alpn, None)
}
