//! What logs may know of a client: a keyed hash, never the address.

use std::net::IpAddr;

use aws_lc_rs::{hkdf, hmac};

use super::{CryptoFailed, derive};
use crate::names::ClientTag;

/// Makes [`ClientTag`]s.
#[derive(Clone, Debug)]
pub struct Tagger(hmac::Key);

impl Tagger {
    /// The tagger of this installation.
    ///
    /// # Errors
    /// If the derivation fails.
    pub fn derive(master: &hkdf::Prk) -> Result<Self, CryptoFailed> {
        derive(master, "consentry/client-tag/v1").map(Self)
    }

    /// The tag of an address. An IPv4 address has the same tag when it is written as IPv6.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> ClientTag {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.tag(b"4", &v4.octets()),
            IpAddr::V6(v6) => self.tag(b"6", &v6.octets()),
        }
    }

    /// The tag of a user agent.
    #[must_use]
    pub fn user_agent(&self, value: &[u8]) -> ClientTag {
        self.tag(b"a", value)
    }

    fn tag(&self, kind: &[u8], value: &[u8]) -> ClientTag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(kind);
        context.update(value);
        let full = context.sign();
        let mut short = [0; 8];
        for (to, from) in short.iter_mut().zip(full.as_ref()) {
            *to = *from;
        }
        ClientTag::of_hash(short)
    }
}
