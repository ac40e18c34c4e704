use super::*;

fn gather(pairs: &[(&str, &str)]) -> Result<(), Reason> {
    Credentials::gather(&headers(pairs), &Peer::ANONYMOUS).map(|_| ()).map_err(|refusal| refusal.reason)
}

#[test]
fn every_place_of_a_credential_is_read() {
    let key = ApiKey::generate().unwrap();
    let key = key.expose_secret();
    for (name, value) in [
        ("authorization", format!("Bearer {key}")),
        ("authorization", format!("bearer  {key}")),
        ("Authorization", format!("Token {key}")),
        ("x-api-key", key.to_owned()),
        ("api-key", key.to_owned()),
    ] {
        assert_eq!(gather(&[(name, &value)]), Ok(()), "{name}: {value}");
    }
    let bearer = format!("Bearer {key}");
    assert_eq!(gather(&[("authorization", &bearer), ("x-api-key", key), ("api-key", key)]), Ok(()));
}

#[test]
fn what_is_no_credential_is_refused_even_beside_a_good_one() {
    let key = ApiKey::generate().unwrap();
    let key = key.expose_secret();
    let long = "x".repeat(9000);
    let mistyped = format!("{}0{}", &key[..10], &key[11..]);
    let mistyped = if mistyped == key { format!("{}1{}", &key[..10], &key[11..]) } else { mistyped };
    for (name, value) in [
        ("authorization", "Basic dXNlcjpwYXNz"),
        ("authorization", "Bearer"),
        ("authorization", "Bearer "),
        ("authorization", key),
        ("x-api-key", ""),
        ("x-api-key", "sk-1234"),
        ("x-api-key", &long),
        ("x-api-key", "ey.only"),
        ("x-api-key", &mistyped),
    ] {
        assert_eq!(gather(&[(name, value)]), Err(Reason::CredentialInvalid), "{name}: {value}");
        assert_eq!(
            gather(&[("api-key", key), (name, value)]),
            Err(Reason::CredentialInvalid),
            "{name}: {value}"
        );
    }
    let two = format!("Bearer {key}, Bearer {key}");
    assert_eq!(gather(&[("authorization", &two)]), Err(Reason::CredentialInvalid));
    let mut opaque = HeaderMap::new();
    opaque.insert("x-api-key", HeaderValue::from_bytes(b"csk_\xff").unwrap());
    let refused = Credentials::gather(&opaque, &Peer::ANONYMOUS).map(|_| ());
    assert_eq!(reason(refused), Reason::CredentialInvalid);
}

#[test]
fn nothing_and_two_things_are_refused() {
    let (one, two) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let (one, two) = (one.expose_secret(), two.expose_secret());
    assert_eq!(gather(&[]), Err(Reason::CredentialMissing));
    assert_eq!(gather(&[("cookie", "a=b")]), Err(Reason::CredentialMissing));
    assert_eq!(gather(&[("x-api-key", one), ("x-api-key", two)]), Err(Reason::CredentialConflict));
    assert_eq!(gather(&[("x-api-key", one), ("x-api-key", one)]), Err(Reason::CredentialConflict));
    assert_eq!(gather(&[("x-api-key", one), ("api-key", two)]), Err(Reason::CredentialConflict));
    let bearer = format!("Bearer {two}");
    assert_eq!(gather(&[("authorization", &bearer), ("api-key", one)]), Err(Reason::CredentialConflict));
}

#[test]
fn nothing_of_a_credential_is_shown() {
    let key = ApiKey::generate().unwrap();
    let headers =
        headers(&[("x-api-key", key.expose_secret()), ("authorization", "Bearer eyJ0.secretpart.x")]);
    let credentials = Credentials::gather(&headers, &Peer::ANONYMOUS).unwrap();
    let shown = format!("{credentials:?}");
    assert!(!shown.contains("secretpart") && !shown.contains(&key.expose_secret()[4..]), "{shown}");
}
