//! A certificate for trying things out: a CA that is made once in a folder, and a leaf for this machine.
//!
//! The CA may sign for nothing but the names it was made for (name constraints), so that whoever trusts it on a developer's
//! machine trusts it with `localhost` only.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};

use super::pem;
use crate::diagnostic::Diagnostic;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the CA is valid.
const CA_DAYS: u32 = 5 * 365;
/// How long a leaf is valid. Some clients refuse more than 398 days.
const LEAF_DAYS: u32 = 90;
/// A leaf that ends sooner than this is made anew, and so is a CA.
const RENEW_DAYS: u32 = 15;

/// Where the development certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevPaths {
    /// The CA's certificate: what clients have to trust.
    pub ca: PathBuf,
    /// The chain that the listener presents.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whether the CA was made now, so that clients have to be told.
    pub created: bool,
}

/// The development certificate of a folder: made if there is none, renewed if it is about to end, else used again. It is
/// for `localhost`, 127.0.0.1, ::1 and the names given (DNS names and addresses).
///
/// # Errors
/// Names the file that can't be read or written.
pub fn development(dir: &Path, names: &[String], now: Timestamp) -> Result<DevPaths, Diagnostic> {
    let dir_failed =
        |error: std::io::Error| failed(dir, &format!("can't be used for a development CA: {error}"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(dir_failed)?;
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(dir.join(".lock"))
        .map_err(dir_failed)?;
    // Two gateways that start at once must not each make half of a pair. The lock ends with the file's handle.
    lock.lock().map_err(dir_failed)?;

    let names = all_names(names);
    let ca_path = dir.join("ca.pem");
    let (ca_key, created) = match usable_ca(dir, &names, now) {
        Some(key) => (key, false),
        None => (make_ca(dir, &names, now)?, true),
    };
    let paths = DevPaths { ca: ca_path, chain: dir.join("server.pem"), key: dir.join("server.key"), created };
    if created || !usable_leaf(&paths, &names, now) {
        make_leaf(&paths, &names, &ca_key, now)?;
    }
    Ok(paths)
}

fn failed(path: &Path, message: &str) -> Diagnostic {
    Diagnostic::whole(&path.display().to_string(), message)
}

fn all_names(extra: &[String]) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"]
        .into_iter()
        .map(str::to_owned)
        .chain(extra.iter().cloned())
        .collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The file beside the certificates that tells what they were made for: one name in a line.
fn names_text(names: &[String]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

fn ends_late_enough(path: &Path, now: Timestamp) -> bool {
    let Ok(certificates) = pem::certificates(path) else {
        return false;
    };
    certificates.iter().all(|certificate| {
        pem::info(path, certificate).is_ok_and(|info| {
            let margin = jiff::SignedDuration::from_hours(24 * i64::from(RENEW_DAYS));
            info.not_before <= now && now.saturating_add(margin).is_ok_and(|soon| soon < info.not_after)
        })
    })
}

/// The CA's key, if the CA is whole, ends late enough and may sign for these names.
fn usable_ca(dir: &Path, names: &[String], now: Timestamp) -> Option<KeyPair> {
    let made_for = fs::read_to_string(dir.join("names")).ok()?;
    if !names.iter().all(|name| made_for.lines().any(|line| line == name)) {
        return None;
    }
    let key = KeyPair::from_pem(&fs::read_to_string(dir.join("ca.key")).ok()?).ok()?;
    ends_late_enough(&dir.join("ca.pem"), now).then_some(key)
}

/// Whether the leaf is whole, ends late enough and is for these names. A new CA removes the leaf of the one before.
fn usable_leaf(paths: &DevPaths, names: &[String], now: Timestamp) -> bool {
    if !ends_late_enough(&paths.chain, now) || super::server(&paths.chain, &paths.key, None, now).is_err() {
        return false;
    }
    leaf_names(&paths.chain).is_some_and(|of| names.iter().all(|name| of.contains(name)))
}

fn leaf_names(path: &Path) -> Option<Vec<String>> {
    use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
    let chain = pem::certificates(path).ok()?;
    let (_, leaf) = X509Certificate::from_der(chain.first()?).ok()?;
    let san = leaf.subject_alternative_name().ok()??;
    let address = |bytes: &[u8]| {
        let v4 = <[u8; 4]>::try_from(bytes).map(|octets| IpAddr::from(Ipv4Addr::from(octets)));
        v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|octets| IpAddr::from(Ipv6Addr::from(octets)))).ok()
    };
    let names = san.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
        _ => None,
    });
    Some(names.collect())
}

/// The CA's parameters follow from its key, the names and the time, so that the key alone is enough to sign again.
fn ca_params(key: &KeyPair, names: &[String], now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // The name differs from CA to CA: clients that hold an old one would else take it for this one.
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.public_key_raw());
    let short = data_encoding::HEXLOWER.encode(digest.as_ref().get(..4).unwrap_or_default());
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Consentry development CA {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let subtrees = names.iter().map(|name| match name.parse::<IpAddr>() {
        Ok(address) => GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            address,
            if address.is_ipv4() { 32 } else { 128 },
        )),
        Err(_) => GeneralSubtree::DnsName(name.clone()),
    });
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: subtrees.collect(), excluded_subtrees: Vec::new() });
    set_times(&mut params, now, CA_DAYS);
    params
}

fn set_times(params: &mut CertificateParams, now: Timestamp, days: u32) {
    let now = SystemTime::from(now);
    // A day back, for clients whose clocks are late.
    params.not_before = (now - DAY).into();
    params.not_after = (now + DAY * days).into();
}

fn make_ca(dir: &Path, names: &[String], now: Timestamp) -> Result<KeyPair, Diagnostic> {
    let refused = |error: rcgen::Error| failed(dir, &format!("no development CA could be made: {error}"));
    let key = KeyPair::generate().map_err(refused)?;
    let certificate = ca_params(&key, names, now).self_signed(&key).map_err(refused)?;
    // In this order, so that whatever is cut off half-way is seen as unusable the next time.
    remove(&dir.join("names"))?;
    remove(&dir.join("server.pem"))?;
    write(&dir.join("ca.key"), 0o600, key.serialize_pem().as_bytes())?;
    write(&dir.join("ca.pem"), 0o644, certificate.pem().as_bytes())?;
    write(&dir.join("names"), 0o644, names_text(names).as_bytes())?;
    Ok(key)
}

fn make_leaf(paths: &DevPaths, names: &[String], ca_key: &KeyPair, now: Timestamp) -> Result<(), Diagnostic> {
    let refused =
        |error: rcgen::Error| failed(&paths.chain, &format!("no certificate could be made: {error}"));
    let key = KeyPair::generate().map_err(refused)?;
    let mut params = CertificateParams::new(names).map_err(refused)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Consentry development");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_times(&mut params, now, LEAF_DAYS);
    let issuer = Issuer::new(ca_params(ca_key, names, now), ca_key);
    let leaf = params.signed_by(&key, &issuer).map_err(refused)?;
    write(&paths.key, 0o600, key.serialize_pem().as_bytes())?;
    write(&paths.chain, 0o644, leaf.pem().as_bytes())
}

fn remove(path: &Path) -> Result<(), Diagnostic> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed(path, &format!("can't be removed: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), Diagnostic> {
    let unwritable = |error: std::io::Error| failed(path, &format!("can't be written: {error}"));
    let new =
        path.with_extension(format!("{}.new", path.extension().and_then(|e| e.to_str()).unwrap_or("tmp")));
    remove(&new)?;
    let mut file: File =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&new).map_err(unwritable)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(unwritable)?;
    fs::rename(&new, path).map_err(unwritable)
}
