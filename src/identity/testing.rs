//! Tokens for tests: somebody who signs, and the issuer entry that believes it.

use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use super::{ClaimEntry, IssuerEntry, JwksSource};
use crate::names::{KeyId, Purpose, TenantId};

/// Somebody who signs tokens.
pub(crate) struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    kid: &'static str,
    /// The public key as the certificate library has it.
    public: Vec<u8>,
}

impl Signer {
    pub(crate) fn new(algorithm: Algorithm, kid: &'static str) -> Self {
        let kind = match algorithm {
            Algorithm::ES256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Algorithm::ES384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Algorithm::EdDSA => &rcgen::PKCS_ED25519,
            _ => &rcgen::PKCS_RSA_SHA256,
        };
        let pair = rcgen::KeyPair::generate_for(kind).unwrap();
        let pem = pair.serialize_pem();
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem.as_bytes()),
            Algorithm::EdDSA => Ok(EncodingKey::from_ed_der(pair.serialized_der())),
            _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
        };
        Self { algorithm, key: key.unwrap(), kid, public: pair.public_key_raw().to_vec() }
    }

    pub(crate) fn jwk(&self) -> Jwk {
        let mut jwk = if self.algorithm == Algorithm::EdDSA {
            let x = data_encoding::BASE64URL_NOPAD.encode(&self.public);
            serde_json::from_value(json!({ "kty": "OKP", "crv": "Ed25519", "x": x })).unwrap()
        } else {
            Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()
        };
        jwk.common.key_id = Some(self.kid.to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk
    }

    pub(crate) fn header(&self) -> Header {
        Header { kid: Some(self.kid.to_owned()), ..Header::new(self.algorithm) }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    pub(crate) fn sign_with(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }
}

/// An issuer whose claim `org` tells the tenant.
pub(crate) fn issuer(jwks: JwksSource, algorithms: &[Algorithm]) -> IssuerEntry {
    let claim = |value: &str, tenant: &str| ClaimEntry {
        value: value.to_owned(),
        tenant: TenantId::new(tenant),
        id: KeyId::new("sso"),
        purposes: [Purpose::Inference, Purpose::Train].into(),
        operations: None,
    };
    IssuerEntry {
        issuer: "https://idp.example/".to_owned(),
        audiences: vec!["consentry".to_owned(), "gateway".to_owned()],
        algorithms: algorithms.to_vec(),
        jwks,
        leeway: Duration::from_secs(30),
        claim: "org".to_owned(),
        tenants: vec![claim("org-1", "acme"), claim("org-2", "globex")],
    }
}

/// Claims that the issuer's entry believes, for five minutes.
pub(crate) fn claims() -> Value {
    json!({ "iss": "https://idp.example/", "aud": "consentry", "org": "org-1", "sub": "somebody",
            "exp": get_current_timestamp() + 300 })
}
