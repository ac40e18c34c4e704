//! Which findings there are, and who names a region.

use super::corpus::*;
use super::*;

#[test]
fn each_kind_of_rule_finds() {
    assert_eq!(censored(&format!("key {} ok", anthropic())), "key [ANTHROPIC_API_KEY] ok");
    assert_eq!(
        censored(&format!("{}.", aws())),
        "AWS_SECRET_ACCESS_KEY = \"kQ3zT9vX2mLw7RbN4cYh\"."
            .replace("kQ3zT9vX2mLw7RbN4cYh", "[AWS_SECRET_ACCESS_KEY]")
    );
    assert_eq!(censored("postgres://app:s3cr3t@db/x"), "postgres://app:[DB_PASSWORD]@db/x");
    assert_eq!(censored(&format!("bot{}/x", telegram())), "bot[TELEGRAM_TOKEN]/x");
    assert_eq!(censored(&format!("a {} b", pem())), "a [PRIVATE_KEY] b");
    assert_eq!(censored(&format!("a {} b", jwt())), "a [JWT] b");
    assert_eq!(censored("card 4111 1111 1111 1111."), "card ***************1111.");
    assert_eq!(censored("account 12345678, other 12345678"), "account [ACCOUNT], other [ACCOUNT]");
    assert_eq!(censored("plate ABC 1234"), "plate [PLATE]");
    assert_eq!(censored("ping 8.8.8.8 or 2001:db8::1."), "ping [IP_ADDRESS] or [IP_ADDRESS].");
    assert_eq!(censored("WORD=ab cd"), "WORD=[ANY_WORD] cd");
}

#[test]
fn a_placeholder_in_a_field_stays() {
    let engine = engine();
    let of = |field, text: &str| whole(&engine, &exchange(), Some(field), text.as_bytes()).text();
    assert_eq!(of("password", "hunter2"), "[PASSWORD]");
    assert_eq!(of("db_password", "${DB}"), "${DB}");
    assert_eq!(of("password", "two words"), "two words");
    assert_eq!(of("authorization", "two words"), "[AUTHORIZATION]");
}
