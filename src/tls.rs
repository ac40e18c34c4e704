//! Everything about TLS that the listener, the upstream side and the key set fetcher share.
//!
//! There is one crypto provider, and every configuration is built from it by name: the process-wide default of the TLS
//! library is never relied upon, because a second provider anywhere in the tree would make it panic at first use.

mod client;
mod development;
mod pem;
mod server;

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;

pub use client::{Roots, client};
pub use development::{DevPaths, development};
pub use pem::CertificateInfo;
pub use server::{ClientAuth, HotServer, Server, ServerFiles, server};

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// The crypto provider of every TLS configuration: aws-lc, with the hybrid post-quantum key exchange first.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::clone(&PROVIDER)
}

/// Makes [`provider`] the process' default as well, for dependencies that ask for one. To be called first in `main`.
pub fn install() {
    // It fails if there is a default already, and then there is one.
    let _there_is_one = (*provider()).clone().install_default();
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
