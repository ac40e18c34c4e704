//! The root secret. Key hashes, pseudonyms, salts and log hashes are derived from it, each under its own label
//! (HKDF-SHA-256, RFC 5869), so that none of them tells of another.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::{hkdf, hmac, rand};
use secrecy::{ExposeSecret, SecretString};

/// The root secret.
pub struct MasterKey(hkdf::Prk);

impl MasterKey {
    /// From a secret's text: base64 or hex of at least 32 bytes, or a text of at least 32 characters.
    ///
    /// # Errors
    /// If it is too short.
    pub fn from_text(text: &SecretString) -> Result<Self, String> {
        let text = text.expose_secret().trim();
        let decoded = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .or_else(|_| data_encoding::BASE64.decode(text.as_bytes()))
            .unwrap_or_else(|_| text.as_bytes().to_vec());
        if decoded.len() < 32 {
            return Err("the master key needs at least 32 bytes".to_owned());
        }
        Ok(Self::from_bytes(&decoded))
    }

    /// From random bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(hkdf::Salt::new(hkdf::HKDF_SHA256, b"consentry master key v1").extract(bytes))
    }

    /// The embedded default: a file that is made once. Without it, and not to be made, a key that nothing will match.
    ///
    /// # Errors
    /// If the file can't be read or made.
    pub fn embedded(path: &Path, make: bool) -> Result<Self, String> {
        match std::fs::read_to_string(path) {
            Ok(text) => return Self::from_text(&SecretString::from(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("`{}` can't be read: {error}", path.display())),
        }
        let mut bytes = [0_u8; 32];
        rand::fill(&mut bytes).map_err(|_unspecified| "no random numbers".to_owned())?;
        if make {
            let write = || -> std::io::Result<()> {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(data_encoding::HEXLOWER.encode(&bytes).as_bytes())?;
                file.sync_all()
            };
            write().map_err(|error| format!("`{}` can't be made: {error}", path.display()))?;
        }
        Ok(Self::from_bytes(&bytes))
    }

    /// The pseudo-random key, for rooms that derive their own.
    #[must_use]
    pub const fn prk(&self) -> &hkdf::Prk {
        &self.0
    }

    /// 32 bytes for one use, and for one tenant if the use has one.
    #[must_use]
    pub fn derive(&self, label: &str, tenant: Option<&str>) -> [u8; 32] {
        let mut out = [0_u8; 32];
        let info = [label.as_bytes(), b"\0", tenant.unwrap_or_default().as_bytes()];
        // HKDF fails for outputs over 255 blocks only; this one has one.
        let filled = self.0.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut out));
        debug_assert!(filled.is_ok());
        out
    }

    /// The key that the head of the audit trail is sealed with.
    #[must_use]
    pub fn audit_seal(&self) -> hmac::Key {
        self.hmac("audit seal v1", None)
    }

    /// Whether it is the same secret.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let tag = |key: &Self| key.derive("same key v1", None);
        aws_lc_rs::constant_time::verify_slices_are_equal(&tag(self), &tag(other)).is_ok()
    }

    /// A key for HMAC-SHA-256, for one use.
    #[must_use]
    pub fn hmac(&self, label: &str, tenant: Option<&str>) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.derive(label, tenant))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
