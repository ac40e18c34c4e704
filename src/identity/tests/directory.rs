use rustls_pki_types::CertificateDer;

use super::*;
use crate::identity::{CertificateEntry, EntryError, Via};
use crate::names::OperationId;
use crate::tls::testing::Authority;

const NOW: &str = "2026-06-01T00:00:00Z";

fn with_keys(keys: Vec<KeyEntry>) -> Directory {
    directory(Entries { keys, ..Entries::default() })
}

#[tokio::test]
async fn a_key_is_its_tenants() {
    let ((one, entry_one), (two, entry_two)) = (key_of("acme", "ci"), key_of("globex", "ci"));
    let directory = with_keys(vec![entry_one, entry_two]);
    for (key, tenant) in [(&one, "acme"), (&two, "globex")] {
        let value = format!("Bearer {}", key.expose_secret());
        let caller =
            identify(&directory, &[("authorization", &value)], &Peer::ANONYMOUS, at(NOW)).await.unwrap();
        assert_eq!((caller.tenant.as_str(), caller.key.as_str(), caller.via), (tenant, "ci", Via::Key));
        caller.may(Purpose::Train).unwrap();
        let refused = caller.may(Purpose::Share).unwrap_err();
        assert_eq!(refused.reason, Reason::PurposeNotAllowed);
        assert_eq!(refused.detail.unwrap().as_str(), "share");
    }
    let stranger = ApiKey::generate().unwrap();
    let refused =
        identify(&directory, &[("x-api-key", stranger.expose_secret())], &Peer::ANONYMOUS, at(NOW)).await;
    assert_eq!(reason(refused), Reason::CredentialInvalid);
    let nobody = Directory::empty(hasher());
    let refused = identify(&nobody, &[("x-api-key", one.expose_secret())], &Peer::ANONYMOUS, at(NOW)).await;
    assert_eq!(reason(refused), Reason::CredentialInvalid);
}

#[tokio::test]
async fn keys_are_rotated_with_an_overlap() {
    let ((old, mut old_entry), (new, mut new_entry)) = (key_of("acme", "2025"), key_of("acme", "2026"));
    old_entry.expires = Some(at("2026-07-01T00:00:00Z"));
    new_entry.not_before = Some(at("2026-06-01T00:00:00Z"));
    let directory = with_keys(vec![old_entry, new_entry]);
    for (now, of_old, of_new) in [
        ("2026-05-31T23:59:59Z", None, Some(Reason::CredentialInvalid)),
        ("2026-06-01T00:00:00Z", None, None),
        ("2026-06-30T23:59:59Z", None, None),
        ("2026-07-01T00:00:00Z", Some(Reason::CredentialExpired), None),
    ] {
        for (key, expected) in [(&old, of_old), (&new, of_new)] {
            let answer =
                identify(&directory, &[("api-key", key.expose_secret())], &Peer::ANONYMOUS, at(now)).await;
            assert_eq!(answer.err().map(|refusal| refusal.reason), expected, "{now}");
        }
    }
}

#[tokio::test]
async fn a_key_can_be_bound_to_operations() {
    let (key, mut entry) = key_of("acme", "reader");
    entry.operations = Some([OperationId::new("listFiles")].into());
    let directory = with_keys(vec![entry]);
    let caller =
        identify(&directory, &[("x-api-key", key.expose_secret())], &Peer::ANONYMOUS, at(NOW)).await.unwrap();
    caller.may_call(&OperationId::new("listFiles")).unwrap();
    assert_eq!(
        caller.may_call(&OperationId::new("deleteFile")).unwrap_err().reason,
        Reason::PurposeNotAllowed
    );
}

fn certificate_of(tenant: &str, id: &str, name: &str) -> CertificateEntry {
    CertificateEntry {
        tenant: TenantId::new(tenant),
        id: KeyId::new(id),
        name: name.parse().unwrap(),
        purposes: [Purpose::Inference].into(),
        operations: None,
    }
}

fn peer_named(authority: &Authority, sans: &[&str]) -> Peer {
    let leaf = authority.leaf("peer", |params| {
        let san = |name: &&str| match name.contains("://") {
            true => rcgen::SanType::URI((*name).try_into().unwrap()),
            false => rcgen::SanType::DnsName((*name).try_into().unwrap()),
        };
        params.subject_alt_names = sans.iter().map(san).collect();
    });
    Peer::from_chain(Some(&[CertificateDer::from(leaf.der.to_vec())]))
}

#[tokio::test]
async fn a_certificate_is_its_tenants_by_exact_name() {
    let authority = Authority::new();
    let certificates = vec![
        certificate_of("acme", "trainer", "spiffe://td/ns/acme/sa/trainer"),
        certificate_of("acme", "web", "web.acme.example"),
        certificate_of("globex", "web", "web.globex.example"),
    ];
    let directory = directory(Entries { certificates, ..Entries::default() });
    let now = Timestamp::now();
    let ask = async |sans: &[&str]| {
        identify(&directory, &[], &peer_named(&authority, sans), now).await.map_err(|refusal| refusal.reason)
    };
    let caller = ask(&["spiffe://td/ns/acme/sa/trainer"]).await.unwrap();
    assert_eq!(
        (caller.tenant.as_str(), caller.key.as_str(), caller.via),
        ("acme", "trainer", Via::Certificate)
    );
    assert!(caller.expires.is_some());
    assert_eq!(ask(&["web.acme.example", "other.example"]).await.unwrap().key.as_str(), "web");
    for stranger in
        ["spiffe://td/ns/acme/sa/trainer2", "spiffe://td/ns/acme", "acme.example", "*.acme.example"]
    {
        assert_eq!(ask(&[stranger]).await, Err(Reason::CredentialInvalid), "{stranger}");
    }
    assert_eq!(ask(&["web.acme.example", "web.globex.example"]).await, Err(Reason::CredentialConflict));
    assert_eq!(
        ask(&["web.acme.example", "spiffe://td/ns/acme/sa/trainer"]).await,
        Err(Reason::CredentialConflict)
    );
    assert_eq!(reason(identify(&directory, &[], &Peer::ANONYMOUS, now).await), Reason::CredentialMissing);
    // A resumed session after the certificate's end.
    let later = now.checked_add(jiff::SignedDuration::from_hours(48)).unwrap();
    // One that can't be an identity.
    assert_eq!(ask(&["spiffe://td/ns/acme/sa/trainer", "https://x/"]).await, Err(Reason::CredentialInvalid));
    let peer = peer_named(&authority, &["web.acme.example"]);
    assert_eq!(reason(identify(&directory, &[], &peer, later).await), Reason::CredentialExpired);
}

#[tokio::test]
async fn a_key_and_a_certificate_are_one_identity_or_none() {
    let authority = Authority::new();
    let ((same, same_entry), (other, other_entry)) = (key_of("acme", "web"), key_of("acme", "ci"));
    let (foreign, foreign_entry) = key_of("globex", "web");
    let directory = directory(Entries {
        keys: vec![same_entry, other_entry, foreign_entry],
        certificates: vec![certificate_of("acme", "web", "web.acme.example")],
        ..Entries::default()
    });
    let (peer, unknown) =
        (peer_named(&authority, &["web.acme.example"]), peer_named(&authority, &["x.example"]));
    let ask = async |key: &SecretString, peer: &Peer| {
        identify(&directory, &[("x-api-key", key.expose_secret())], peer, Timestamp::now()).await
    };
    let caller = ask(&same, &peer).await.unwrap();
    assert_eq!(caller.purposes.iter().collect::<Vec<_>>(), [Purpose::Inference], "what both allow");
    assert_eq!(reason(ask(&other, &peer).await), Reason::CredentialConflict);
    assert_eq!(reason(ask(&foreign, &peer).await), Reason::CredentialConflict);
    assert_eq!(reason(ask(&same, &unknown).await), Reason::CredentialInvalid);
    ask(&same, &Peer::ANONYMOUS).await.unwrap();
}

#[tokio::test]
async fn certificates_count_for_nothing_where_no_entry_names_one() {
    let authority = Authority::new();
    let (key, entry) = key_of("acme", "ci");
    let directory = with_keys(vec![entry]);
    let unusable = peer_named(&authority, &["spiffe://td/a", "https://x/"]);
    identify(&directory, &[("x-api-key", key.expose_secret())], &unusable, at(NOW)).await.unwrap();
    assert_eq!(reason(identify(&directory, &[], &unusable, at(NOW)).await), Reason::CredentialMissing);
    let peer = peer_named(&authority, &["mesh.example"]);
    identify(&directory, &[("x-api-key", key.expose_secret())], &peer, at(NOW)).await.unwrap();
    assert_eq!(reason(identify(&directory, &[], &peer, at(NOW)).await), Reason::CredentialMissing);
}

#[test]
fn contradictions_are_all_told_at_once() {
    let ((_, one), (_, mut same_id), (_, mut never)) =
        (key_of("acme", "a"), key_of("acme", "a"), key_of("acme", "c"));
    let (_, mut idle) = key_of("acme", "d");
    let shared = KeyEntry { tenant: TenantId::new("globex"), ..one.clone() };
    same_id.purposes = some_purposes();
    never.not_before = Some(at("2026-01-02T00:00:00Z"));
    never.expires = Some(at("2026-01-01T00:00:00Z"));
    idle.purposes = BTreeSet::new();
    let certificates =
        vec![certificate_of("acme", "x", "x.example"), certificate_of("globex", "y", "x.example")];
    let entries =
        Entries { keys: vec![one, same_id, shared, never, idle], certificates, ..Entries::default() };
    let errors = Directory::compile(hasher(), entries).err().unwrap();
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert!(matches!(errors[0], EntryError::DuplicateId { .. }), "{texts:?}");
    assert!(matches!(errors[1], EntryError::SharedKey { .. }), "{texts:?}");
    assert!(matches!(errors[2], EntryError::NeverValid { .. }), "{texts:?}");
    assert!(matches!(errors[3], EntryError::NoPurpose { .. }), "{texts:?}");
    assert!(matches!(errors[4], EntryError::SharedName { .. }), "{texts:?}");
    assert_eq!(errors.len(), 5);
}
