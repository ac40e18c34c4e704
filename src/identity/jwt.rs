//! Signed tokens (RFC 7519, with the advice of RFC 8725): the issuer is configured, its algorithms are pinned, the key
//! comes from its key set alone, and `exp`, `iss` and `aud` have to be there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, AlgorithmFamily, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::caller::{Caller, Via};
use super::credentials::Token;
use super::directory::{Undecided, caller, invalid};
use super::entry::{EntryError, IssuerEntry};
use super::jwks::{Jwks, Lookup};
use crate::reason::{Reason, Refusal};

/// The most clock skew that may be forgiven.
const MOST_LEEWAY: Duration = Duration::from_secs(60);

/// A compiled issuer.
pub(super) struct Issuer {
    /// Where its keys are.
    pub(super) jwks: Arc<Jwks>,
    /// One for each pinned algorithm.
    validations: Vec<(Algorithm, Validation)>,
    claim: Box<str>,
    tenants: HashMap<Box<str>, Caller>,
}

/// The one claim that is read before the signature is verified: it only chooses whose keys to verify with, and is checked
/// again after.
#[derive(Deserialize)]
struct Claimed {
    iss: Box<str>,
}

/// The issuer that an unverified token claims to be from.
pub(super) fn issuer(token: Token<'_>) -> Result<Box<str>, Refusal> {
    let payload = token.0.split('.').nth(1).and_then(|part| BASE64URL_NOPAD.decode(part.as_bytes()).ok());
    payload
        .and_then(|json| serde_json::from_slice::<Claimed>(&json).ok())
        .map(|claimed| claimed.iss)
        .ok_or_else(|| invalid("the token is malformed or names no issuer"))
}

impl Issuer {
    /// Checks that what the entry says can be enforced.
    pub(super) fn compile(entry: IssuerEntry) -> Result<Self, Vec<EntryError>> {
        let mut errors = Vec::new();
        let mut wrong = |what: String| errors.push(EntryError::Issuer { issuer: entry.issuer.clone(), what });
        if entry.issuer.is_empty() {
            wrong("its name is empty".to_owned());
        }
        if entry.audiences.is_empty() || entry.audiences.iter().any(String::is_empty) {
            wrong("it needs an audience, else a token made for another service would be believed".to_owned());
        }
        if entry.algorithms.is_empty() {
            wrong("it needs its signature algorithms".to_owned());
        }
        if entry.algorithms.iter().any(|algorithm| algorithm.family() == AlgorithmFamily::Hmac) {
            wrong("HMAC algorithms are refused: whoever can verify such a token can make one".to_owned());
        }
        if entry.leeway > MOST_LEEWAY {
            wrong("its leeway is longer than 60 s".to_owned());
        }
        if entry.claim.is_empty() || entry.tenants.is_empty() {
            wrong("it needs the claim that tells the tenant, and what its values mean".to_owned());
        }
        let mut tenants = HashMap::with_capacity(entry.tenants.len());
        let mut entry_errors = Vec::new();
        for mapping in &entry.tenants {
            match caller(
                &mapping.tenant,
                &mapping.id,
                &mapping.purposes,
                mapping.operations.as_ref(),
                Via::Jwt,
            ) {
                Ok(caller) => {
                    if tenants.insert(mapping.value.as_str().into(), caller).is_some() {
                        wrong(format!("the value `{}` of `{}` is mapped twice", mapping.value, entry.claim));
                    }
                }
                Err(error) => entry_errors.push(error),
            }
        }
        let jwks = match Jwks::new(entry.jwks.clone()) {
            Ok(jwks) => Some(Arc::new(jwks)),
            Err(what) => {
                wrong(what);
                None
            }
        };
        errors.append(&mut entry_errors);
        match jwks {
            Some(jwks) if errors.is_empty() => Ok(Self {
                jwks,
                validations: entry.algorithms.iter().map(|a| (*a, validation(*a, &entry))).collect(),
                claim: entry.claim.into(),
                tenants,
            }),
            Some(_) | None => Err(errors),
        }
    }

    /// Verifies a token with the keys at hand.
    pub(super) fn verify(&self, token: Token<'_>) -> Result<Caller, Undecided> {
        let header =
            decode_header(token.0).map_err(|_withheld| invalid("the token's header is malformed"))?;
        check_header(&header)?;
        let (_, validation) = self
            .validations
            .iter()
            .find(|(algorithm, _)| *algorithm == header.alg)
            .ok_or_else(|| invalid("the token's algorithm is not one of the issuer's"))?;
        let key = match self.jwks.find(header.kid.as_deref(), header.alg) {
            Lookup::Found(key) => key,
            Lookup::Absent => return Err(Undecided::Keys(Arc::clone(&self.jwks))),
            Lookup::Unfit => return Err(invalid("the issuer's key is not for the token's algorithm").into()),
        };
        let claims = match decode::<Map<String, Value>>(token.0, &key.key, validation) {
            Ok(token) => token.claims,
            Err(error) => return Err(refusal(error.kind()).into()),
        };
        let value = claims.get(&*self.claim).and_then(Value::as_str);
        let caller = value
            .and_then(|value| self.tenants.get(value))
            .ok_or_else(|| invalid("the token's claim maps to no tenant"))?;
        let expires = claims.get("exp").and_then(Value::as_f64).and_then(timestamp);
        Ok(Caller { expires, ..caller.clone() })
    }
}

fn validation(algorithm: Algorithm, entry: &IssuerEntry) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = entry.leeway.min(MOST_LEEWAY).as_secs();
    validation.validate_exp = true;
    validation.validate_nbf = true;
    validation.validate_aud = true;
    validation.set_audience(&entry.audiences);
    validation.set_issuer(&[&entry.issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation
}

/// What a token's header may not say: extensions that have to be understood, encryption, and being no access token at
/// all. Keys and addresses of keys in the header are never read.
fn check_header(header: &Header) -> Result<(), Refusal> {
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(invalid("the token's header asks for an extension"));
    }
    let typ = header.typ.as_deref().unwrap_or("JWT");
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    if !typ.eq_ignore_ascii_case("JWT") && !typ.eq_ignore_ascii_case("at+jwt") {
        return Err(invalid("the token is of another type than an access token"));
    }
    Ok(())
}

fn refusal(kind: &ErrorKind) -> Refusal {
    match kind {
        ErrorKind::ExpiredSignature => Reason::CredentialExpired.into(),
        ErrorKind::InvalidSignature => invalid("the token's signature is wrong"),
        ErrorKind::InvalidAudience => invalid("the token is for another audience"),
        ErrorKind::InvalidIssuer => invalid("the token is from another issuer"),
        ErrorKind::ImmatureSignature => invalid("the token is not valid yet"),
        ErrorKind::MissingRequiredClaim(_) => invalid("the token lacks exp, iss or aud"),
        ErrorKind::InvalidAlgorithm => invalid("the token's algorithm does not fit its key"),
        _ => invalid("the token is malformed"),
    }
}

/// Seconds since 1970 as the token has them (whole, or with a fraction).
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float to integer cast saturates, and the range is checked"
)]
fn timestamp(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_second(seconds as i64).ok()
}
