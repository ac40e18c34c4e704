use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyUsagePurpose, SanType};
use rustls_pki_types::CertificateDer;

use super::*;
use crate::identity::peer::Certificate;
use crate::identity::{NotAName, SubjectName};
use crate::tls::testing::Authority;

fn peer(set: impl FnOnce(&mut CertificateParams)) -> Peer {
    let leaf = Authority::new().leaf("peer", set);
    Peer::from_chain(Some(&[CertificateDer::from(leaf.der.to_vec())]))
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

fn refused(peer: &Peer) -> bool {
    matches!(peer.0, Certificate::Unusable(_))
}

#[test]
fn only_alternative_names_count() {
    let named = peer(|params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, "admin.example");
        params.subject_alt_names =
            vec![dns("a.example"), dns("*.example"), dns("B.example"), uri("https://x/")];
    });
    assert_eq!(named.names(), ["a.example".parse::<SubjectName>().unwrap()]);
    assert!(named.presented() && !Peer::ANONYMOUS.presented());
    let bare = peer(|params| params.distinguished_name.push(rcgen::DnType::CommonName, "admin.example"));
    assert!(bare.names().is_empty());
}

#[test]
fn a_spiffe_id_stands_alone_among_uris() {
    let one = peer(|params| params.subject_alt_names = vec![uri("spiffe://td/a"), dns("a.example")]);
    assert_eq!(one.names().len(), 2);
    for names in [
        vec![uri("spiffe://td/a"), uri("spiffe://td/b")],
        vec![uri("spiffe://td/a"), uri("spiffe://td/a")],
        vec![uri("https://x/"), uri("spiffe://td/a")],
        vec![uri("spiffe://TD/a")],
        vec![uri("SPIFFE://td/a")],
        vec![uri("spiffe:td/a")],
        vec![uri("spiffe://td/a?b")],
    ] {
        let shown = format!("{names:?}");
        assert!(refused(&peer(|params| params.subject_alt_names = names)), "{shown}");
    }
}

#[test]
fn what_may_sign_certificates_is_no_leaf() {
    assert!(refused(&peer(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))));
    assert!(refused(&peer(|params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign])));
    assert!(!refused(&peer(|params| {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    })));
    assert!(refused(&Peer::from_chain(Some(&[CertificateDer::from(vec![0x30, 3, 1, 2, 3])]))));
    assert_eq!(Peer::from_chain(None), Peer::ANONYMOUS);
    assert_eq!(Peer::from_chain(Some(&[])), Peer::ANONYMOUS);
}

#[test]
fn names_are_exact_or_refused() {
    for good in ["spiffe://td/a", "spiffe://t.d-1_x/A/b.c/d-e_f", "a", "a.example", "x-1.a_b.example"] {
        assert_eq!(good.parse::<SubjectName>().unwrap().to_string(), good);
    }
    for bad in [
        "spiffe://td",
        "spiffe://td/",
        "spiffe:///a",
        "spiffe://td/a/",
        "spiffe://td/a//b",
        "spiffe://td/./a",
        "spiffe://td/a/..",
        "spiffe://td:8443/a",
        "spiffe://u@td/a",
        "spiffe://td/a#b",
        "spiffe://td/%61",
        "https://td/a",
        "Spiffe://td/a",
    ] {
        assert_eq!(bad.parse::<SubjectName>(), Err(NotAName::Spiffe), "{bad}");
    }
    let long = format!("spiffe://td/{}", "a".repeat(2048));
    assert_eq!(long.parse::<SubjectName>(), Err(NotAName::Spiffe));
    for bad in ["", ".", "a.", ".a", "A.example", "*.example", "-a", "a-.b", "a b", &"a.".repeat(200)] {
        assert_eq!(bad.parse::<SubjectName>(), Err(NotAName::Dns), "{bad}");
    }
}
