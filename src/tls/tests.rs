use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::testing::{Authority, mode};
use super::{ClientAuth, DevPaths, HotServer, Roots, ServerFiles, client, development, server};

fn now() -> Timestamp {
    Timestamp::now()
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

#[test]
fn a_chain_and_its_key_load_with_their_dates() {
    let authority = Authority::new();
    let leaf = authority.server();
    let clients = ClientAuth { ca: &authority.root(), required: false };
    let loaded = server(&leaf.chain, &leaf.key, Some(clients), now()).unwrap();
    assert_eq!(loaded.config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    let left = loaded.certificates[0].not_after.duration_since(now());
    assert!(left > SignedDuration::from_hours(23) && left < SignedDuration::from_hours(25), "{left}");
}

#[test]
fn an_expired_certificate_is_refused_with_its_date() {
    let authority = Authority::new();
    let leaf = authority.leaf("old", |params| {
        params.not_before = (SystemTime::now() - Duration::from_secs(200_000)).into();
        params.not_after = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).into();
    });
    let error = server(&leaf.chain, &leaf.key, None, now()).unwrap_err();
    assert!(error.message.contains("expired on 2023-11-14T22:13:20Z"), "{error}");
    assert!(error.file.ends_with("old.pem"), "{error}");
}

#[test]
fn a_certificate_of_tomorrow_is_refused() {
    let authority = Authority::new();
    let leaf = authority.leaf("early", |params| {
        params.not_before = (SystemTime::now() + Duration::from_secs(3600)).into();
    });
    let error = server(&leaf.chain, &leaf.key, None, now()).unwrap_err();
    assert!(error.message.contains("is not valid before"), "{error}");
    assert!(error.help.is_some());
}

#[test]
fn a_key_of_another_certificate_is_refused_by_name() {
    let authority = Authority::new();
    let (one, other) = (authority.server(), authority.leaf("other", |_| {}));
    let error = server(&one.chain, &other.key, None, now()).unwrap_err();
    assert!(error.message.contains("does not belong"), "{error}");
    assert!(error.file.ends_with("other.key") && error.message.contains("server.pem"), "{error}");
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let authority = Authority::new();
    let leaf = authority.server();
    let message = |chain: &Path, key: &Path| server(chain, key, None, now()).unwrap_err();
    let missing = authority.dir.path().join("missing.pem");
    assert!(message(&missing, &leaf.key).message.contains("can't be read"));
    assert!(message(&leaf.key, &leaf.key).message.contains("holds no certificate"));
    assert!(message(&leaf.chain, &leaf.chain).message.contains("holds no private key"));
    let locked = authority.dir.path().join("locked.key");
    let label = ["ENCRYPTED", "PRIVATE KEY"].join(" ");
    std::fs::write(&locked, format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")).unwrap();
    assert!(message(&leaf.chain, &locked).message.contains("encrypted"));
    let clients = ClientAuth { ca: &leaf.key, required: true };
    let error = server(&leaf.chain, &leaf.key, Some(clients), now()).unwrap_err();
    assert!(error.file.ends_with("server.key") && error.message.contains("holds no certificate"), "{error}");
}

#[test]
fn a_reload_changes_what_the_next_connection_gets() {
    let authority = Authority::new();
    let leaf = authority.server();
    let load = || server(&leaf.chain, &leaf.key, None, now()).unwrap();
    let hot = HotServer::new(load());
    let before = hot.current();
    hot.replace(load());
    assert!(!std::sync::Arc::ptr_eq(&before.config, &hot.current().config));
}

#[tokio::test]
async fn new_files_are_taken_when_they_are_whole() {
    let authority = Authority::new();
    let (old, new) = (authority.server(), authority.leaf("new", |_| {}));
    let files = ServerFiles {
        chain: old.chain.clone(),
        key: old.key.clone(),
        client_ca: Some(authority.root()),
        client_required: false,
    };
    let hot = HotServer::new(files.load(now()).unwrap());
    let before = hot.current();
    let told = std::cell::RefCell::new(Vec::new());
    let note = |result: Result<&super::Server, &crate::diagnostic::Diagnostic>| {
        told.borrow_mut().push(result.map(|_| ()).map_err(|error| error.message.clone()));
    };
    let rotate = async {
        let pause = || tokio::time::sleep(Duration::from_millis(120));
        pause().await;
        assert!(told.borrow().is_empty(), "nothing has changed");
        std::fs::copy(&new.chain, &old.chain).unwrap();
        pause().await;
        assert!(std::sync::Arc::ptr_eq(&before, &hot.current()), "the key is still the old one's");
        assert!(told.borrow()[0].as_ref().unwrap_err().contains("does not belong"), "{told:?}");
        std::fs::copy(&new.key, &old.key).unwrap();
        pause().await;
        assert_eq!((told.borrow().len(), told.borrow()[1].is_ok()), (2, true), "{told:?}");
        assert!(!std::sync::Arc::ptr_eq(&before, &hot.current()));
    };
    tokio::select! { () = hot.follow(&files, Duration::from_millis(20), note) => {}, () = rotate => {} }
}

#[test]
fn a_client_trusts_an_added_root_and_names_a_bad_one() {
    let authority = Authority::new();
    client(&Roots::system_and(Some(&authority.root()))).unwrap();
    let error = client(&Roots::SystemAnd(authority.server().key)).unwrap_err();
    assert!(error.file.ends_with("server.key"), "{error}");
}

fn subject_and_bytes(paths: &DevPaths) -> (Vec<u8>, Vec<u8>) {
    (std::fs::read(&paths.ca).unwrap(), std::fs::read(&paths.chain).unwrap())
}

#[test]
fn the_development_ca_is_made_once_and_its_keys_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("deep/er");
    let first = development(&at, &[], now()).unwrap();
    assert!(first.created);
    server(&first.chain, &first.key, None, now()).unwrap();
    assert_eq!([mode(&first.key), mode(&at.join("ca.key")), mode(&first.ca)], [0o600, 0o600, 0o644]);
    let second = development(&at, &[], now()).unwrap();
    assert!(!second.created);
    assert_eq!(subject_and_bytes(&first), subject_and_bytes(&second));
}

#[test]
fn the_development_leaf_is_renewed_and_the_ca_stays() {
    let dir = tempfile::tempdir().unwrap();
    let first = development(dir.path(), &[], now()).unwrap();
    let (ca, leaf) = subject_and_bytes(&first);
    let later = now().checked_add(days(80)).unwrap();
    let second = development(dir.path(), &[], later).unwrap();
    let (ca_later, leaf_later) = subject_and_bytes(&second);
    assert!(!second.created && ca == ca_later && leaf != leaf_later);
    server(&second.chain, &second.key, None, later).unwrap();
    // Past the CA's own end, both are new.
    let much_later = now().checked_add(days(5 * 365)).unwrap();
    let third = development(dir.path(), &[], much_later).unwrap();
    assert!(third.created && subject_and_bytes(&third).0 != ca);
    server(&third.chain, &third.key, None, much_later).unwrap();
}

#[test]
fn new_names_get_a_new_ca_and_damage_is_repaired() {
    let dir = tempfile::tempdir().unwrap();
    development(dir.path(), &[], now()).unwrap();
    let named = ["gateway.test".to_owned(), "10.1.2.3".to_owned()];
    assert!(development(dir.path(), &named, now()).unwrap().created);
    assert!(!development(dir.path(), &[], now()).unwrap().created, "fewer names are covered");
    let paths = development(dir.path(), &named, now()).unwrap();
    assert!(!paths.created);
    std::fs::write(&paths.key, "cut off").unwrap();
    let repaired = development(dir.path(), &named, now()).unwrap();
    assert!(!repaired.created);
    server(&repaired.chain, &repaired.key, None, now()).unwrap();
    std::fs::write(dir.path().join("ca.key"), "cut off").unwrap();
    assert!(development(dir.path(), &named, now()).unwrap().created);
}

#[test]
fn the_development_leaf_verifies_against_its_ca_for_its_names_only() {
    use rustls::client::danger::ServerCertVerifier as _;
    let dir = tempfile::tempdir().unwrap();
    let paths = development(dir.path(), &["gateway.test".to_owned()], now()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in super::pem::certificates(&paths.ca).unwrap() {
        roots.add(certificate).unwrap();
    }
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), super::provider())
            .build()
            .unwrap();
    let chain = super::pem::certificates(&paths.chain).unwrap();
    let verify = |name: &'static str| {
        let at = rustls_pki_types::UnixTime::now();
        verifier.verify_server_cert(&chain[0], &[], &name.try_into().unwrap(), &[], at)
    };
    for name in ["localhost", "127.0.0.1", "::1", "gateway.test"] {
        verify(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    verify("example.com").unwrap_err();
}
