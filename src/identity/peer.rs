//! What the TLS handshake tells about the caller.
//!
//! The TLS library has checked that the certificate chains to a configured root, is in time and is meant for clients.
//! Whom it names is checked here: subject alternative names only (the common name is never read), and a SPIFFE id as
//! the X.509-SVID standard has it: one URI, no more.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The longest SPIFFE id, in bytes (SPIFFE-ID, section 2.3).
const SPIFFE_BYTES: usize = 2048;
/// The longest trust domain, in bytes (SPIFFE-ID, section 2.3).
const TRUST_DOMAIN_BYTES: usize = 255;

/// A name that a certificate may carry and an entry may map to a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SubjectName {
    /// A SPIFFE id: `spiffe://trust-domain/path`.
    Spiffe(Box<str>),
    /// A DNS name in lower case, without wildcard.
    Dns(Box<str>),
}

/// A text that is not a [`SubjectName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// A SPIFFE id that breaks the standard.
    #[error(
        "a SPIFFE id is `spiffe://`, a trust domain in lower case, and a path of non-empty segments of letters, digits, \
         `.`, `-` and `_`, without port, query or fragment"
    )]
    Spiffe,
    /// Neither a SPIFFE id nor a DNS name.
    #[error("a certificate's name is a SPIFFE id or a DNS name in lower case without wildcard")]
    Dns,
}

impl FromStr for SubjectName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        if text.contains("://") {
            return if is_spiffe(text) { Ok(Self::Spiffe(text.into())) } else { Err(NotAName::Spiffe) };
        }
        if is_dns(text) { Ok(Self::Dns(text.into())) } else { Err(NotAName::Dns) }
    }
}

impl TryFrom<String> for SubjectName {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<SubjectName> for String {
    fn from(name: SubjectName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spiffe(text) | Self::Dns(text) => f.write_str(text),
        }
    }
}

/// SPIFFE-ID, sections 2.1 to 2.3.
fn is_spiffe(text: &str) -> bool {
    let Some((domain, path)) = text.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let domain_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    let path_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    text.len() <= SPIFFE_BYTES
        && (1..=TRUST_DOMAIN_BYTES).contains(&domain.len())
        && domain.bytes().all(domain_byte)
        && path.split('/').all(|segment| {
            !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(path_byte)
        })
}

/// RFC 1123 labels in lower case (and `_`, which Kubernetes and others use), no final dot.
fn is_dns(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
        })
}

/// What the handshake told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer(pub(super) Certificate);

/// The client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Certificate {
    /// None was presented.
    None,
    /// One that names somebody.
    Names {
        /// Every name that an entry could map.
        names: Vec<SubjectName>,
        /// A resumed session carries the certificate of its first handshake, so its end is asked again.
        not_after: Timestamp,
    },
    /// One that can't be an identity, and why.
    Unusable(&'static str),
}

impl Peer {
    /// A caller without a client certificate.
    pub const ANONYMOUS: Self = Self(Certificate::None);

    /// Reads the leaf of a chain that the TLS library has verified.
    #[must_use]
    pub fn from_chain(chain: Option<&[CertificateDer<'_>]>) -> Self {
        let Some(leaf) = chain.and_then(<[_]>::first) else {
            return Self::ANONYMOUS;
        };
        Self(match read_leaf(leaf) {
            Ok((names, not_after)) => Certificate::Names { names, not_after },
            Err(why) => Certificate::Unusable(why),
        })
    }

    /// Whether a client certificate was presented.
    #[must_use]
    pub const fn presented(&self) -> bool {
        !matches!(self.0, Certificate::None)
    }

    /// The names that the certificate carries and that an entry could map.
    #[must_use]
    pub fn names(&self) -> &[SubjectName] {
        match &self.0 {
            Certificate::Names { names, .. } => names,
            Certificate::None | Certificate::Unusable(_) => &[],
        }
    }
}

fn read_leaf(der: &[u8]) -> Result<(Vec<SubjectName>, Timestamp), &'static str> {
    const MALFORMED: &str = "the client certificate is malformed";
    let (_, leaf) = X509Certificate::from_der(der).map_err(|_withheld| MALFORMED)?;
    if leaf
        .basic_constraints()
        .map_err(|_withheld| MALFORMED)?
        .is_some_and(|constraints| constraints.value.ca)
    {
        return Err("the client certificate is a CA's own");
    }
    if leaf.key_usage().map_err(|_withheld| MALFORMED)?.is_some_and(|usage| usage.value.key_cert_sign()) {
        return Err("the client certificate may sign certificates");
    }
    let not_after =
        Timestamp::from_second(leaf.validity().not_after.timestamp()).map_err(|_withheld| MALFORMED)?;
    let mut names = Vec::new();
    let mut uris = 0_usize;
    let mut spiffe = false;
    if let Some(san) = leaf.subject_alternative_name().map_err(|_withheld| MALFORMED)? {
        for name in &san.value.general_names {
            match name {
                GeneralName::URI(uri) => {
                    uris += 1;
                    if uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe:")) {
                        spiffe = true;
                        names.push(
                            uri.parse()
                                .map_err(|_withheld| "the client certificate's SPIFFE id is malformed")?,
                        );
                    }
                }
                GeneralName::DNSName(dns) => {
                    // A wildcard or a name in another spelling maps to nobody: entries are exact.
                    names
                        .extend(dns.parse::<SubjectName>().ok().filter(|n| matches!(n, SubjectName::Dns(_))));
                }
                GeneralName::Invalid(..) => return Err(MALFORMED),
                _ => {}
            }
        }
    }
    if spiffe && uris != 1 {
        return Err("the client certificate has a SPIFFE id beside other URIs");
    }
    Ok((names, not_after))
}
