//! What a request presents: headers and the handshake's certificate, not yet looked up.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use super::key::ApiKey;
use super::peer::{Certificate, Peer};
use crate::reason::{Reason, Refusal};

/// The headers that carry a tenant's credential. None of them goes upstream.
pub static CREDENTIAL_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("proxy-authorization"),
];

/// The longest credential in bytes. A key has 53; the largest tokens of identity providers stay below.
const LONGEST: usize = 8 * 1024;

/// What a request presents. Nothing in it is believed yet.
#[derive(Debug)]
pub struct Credentials<'a> {
    /// Different texts only.
    pub(super) secrets: Secrets<'a>,
    pub(super) certificate: &'a Certificate,
}

/// Well-formed secrets, by kind. Two different ones of one kind are refused before, because they can't be one identity.
#[derive(Debug, Default)]
pub(super) struct Secrets<'a> {
    pub(super) key: Option<ApiKey<'a>>,
    pub(super) token: Option<Token<'a>>,
}

/// A JWT, unverified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a>(pub(super) &'a str);

impl std::fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl<'a> Credentials<'a> {
    /// Gathers every credential of a request: `Authorization: Bearer` or `Token`, `x-api-key`, `api-key`, and the
    /// client certificate.
    ///
    /// # Errors
    /// [`Reason::CredentialMissing`] if there is none; [`Reason::CredentialConflict`] if a header is repeated or two
    /// headers differ; [`Reason::CredentialInvalid`] if any of them can't be a credential.
    pub fn gather(headers: &'a HeaderMap, peer: &'a Peer) -> Result<Self, Refusal> {
        let mut secrets = Secrets::default();
        let [authorization, x_api_key, api_key, _] = &CREDENTIAL_HEADERS;
        if let Some(value) = single(headers, authorization)? {
            secrets.add(bearer(value)?)?;
        }
        for name in [x_api_key, api_key] {
            if let Some(value) = single(headers, name)? {
                secrets.add(value)?;
            }
        }
        if secrets.is_empty() && !peer.presented() {
            return Err(Reason::CredentialMissing.into());
        }
        Ok(Self { secrets, certificate: &peer.0 })
    }
}

impl<'a> Secrets<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.key.is_none() && self.token.is_none()
    }

    fn add(&mut self, text: &'a str) -> Result<(), Refusal> {
        if ApiKey::claimed(text) {
            let key = ApiKey::parse(text)
                .map_err(|_withheld| Refusal::new(Reason::CredentialInvalid).log("malformed API key"))?;
            return put(&mut self.key, key);
        }
        if text.starts_with("ey") && text.bytes().filter(|b| *b == b'.').count() == 2 {
            return put(&mut self.token, Token(text));
        }
        Err(Refusal::new(Reason::CredentialInvalid).log("neither an API key nor a JWT"))
    }
}

fn put<T: PartialEq>(place: &mut Option<T>, value: T) -> Result<(), Refusal> {
    match place {
        Some(there) if *there != value => Err(Reason::CredentialConflict.into()),
        Some(_) => Ok(()),
        None => {
            *place = Some(value);
            Ok(())
        }
    }
}

/// The header's one value. A repeated credential header is refused even if the values are equal: which one counts is
/// what two readers would disagree about.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::new(Reason::CredentialConflict).log("a credential header is repeated"));
    }
    let text = value.to_str().ok().filter(|text| !text.is_empty() && text.len() <= LONGEST);
    text.map(Some).ok_or_else(|| Refusal::new(Reason::CredentialInvalid).log("empty, too long or not ASCII"))
}

/// The secret of `Bearer secret` or `Token secret` (the scheme in any case, RFC 9110 11.1).
fn bearer(value: &str) -> Result<&str, Refusal> {
    value
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token"))
        .map(|(_, secret)| secret.trim_matches(' '))
        .filter(|secret| !secret.is_empty() && !secret.contains([' ', ',']))
        .ok_or_else(|| {
            Refusal::new(Reason::CredentialInvalid)
                .log("the authorization scheme is neither Bearer nor Token")
        })
}
