//! Names, what stands between, values: what is found and what is left alone.

use super::*;

/// Looks at every literal of the kind and returns the first value.
fn find(text: &str, kind: Kind) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let mut places: Vec<usize> =
        literals(kind).iter().flat_map(|word| lower.match_indices(word).map(|(at, _)| at)).collect();
    places.sort_unstable();
    places.into_iter().find_map(|at| match look(text.as_bytes(), true, at, kind) {
        Look::Value { start, end } => text.get(start..end),
        _ => None,
    })
}

/// A made-up secret, put together here.
fn secret() -> String {
    ["hV7", "kQ2", "pL9x", "Zt4m", "W8sB", "n3Yc", "J6fR"].concat()
}

#[test]
fn passwords_are_found_however_they_are_written() {
    let password = ["hV7#", "kQ2!", "pL9x"].concat();
    for template in [
        "password = \"{}\"",
        "DB_PASSWORD={}",
        "db.password: '{}'",
        "{\"username\": \"svc\", \"password\": \"{}\"}",
        r#"{\"password\": \"{}\"}"#,
        "<password>{}</password>",
        "the admin password is {}",
        "password for the admin account is {}",
        "mysql --password {} -h db",
        "  - name: DB_PASSWORD\n    value: \"{}\"",
        "let password: &str = \"{}\";",
        "setPassword(\"{}\")",
        "**Password:** `{}`",
        "pwd => '{}'",
        "Passwort: {}",
        "密码：{}",
        "kata laluan: {}",
        "Server=db;User Id=sa;Password={};Encrypt=true",
        "password: |\n  {}\n",
        "password:={}",
        "pw: {}",
        "DB_PASSWORD ||= '{}'",
        "ADMIN_PASSWORD;{};2026",
        "rotate the redis password ({}) today",
        "variable \"db_password\" {\n  default = \"{}\"\n}",
        "variable \"db_password\" {\n  type = string\n  default = \"{}\"\n}",
        "パスワードは {} です",
        "keytool -genkey -storepass '{}'",
        "ENV MYSQL_ROOT_PASSWORD {}",
    ] {
        let text = template.replace("{}", &password);
        assert_eq!(find(&text, Kind::Password), Some(password.as_str()), "{text}");
    }
}

#[test]
fn keys_are_found_however_they_are_written() {
    let key = secret();
    for template in [
        "api_key: \"{}\"",
        "X-Api-Key: {}",
        "client_secret={}",
        "apiKey = '{}'",
        "?access_token={}&x=1",
        "https://api.acme.net/?key={}&x=1",
        "const apiKey string = \"{}\"",
        "os.environ[\"API_KEY\"] = \"{}\"",
        "$env:API_KEY = \"{}\"",
        "my api key is {}",
        "<add key=\"ApiKey\" value=\"{}\" />",
        "SecretStr: token = SecretStr(\"{}\")",
        "apiToken,{},",
        "API_TOKEN ?= {}",
        "api.key={}",
    ] {
        let text = template.replace("{}", &key);
        assert_eq!(find(&text, Kind::Key), Some(key.as_str()), "{text}");
    }
}

#[test]
fn what_is_no_secret_is_left_alone() {
    for text in [
        "password: ${DB_PASSWORD}",
        "password = getpass(\"Password: \")",
        "\"password\": \"string\"",
        "password = os.environ[\"DB_PASSWORD\"]",
        "password: required",
        "password_hash = compute(password)",
        "if password == confirm_password:",
        "API_KEY=<YOUR_API_KEY> sha256:65370b994618783fb25151e9730b78cf",
        "token = self.tokenizer.next_token()",
        "max_tokens: 4096",
        "next_page_token: CAUQAA1b2c3d4e5f",
        "primary_key = \"user_account_identifier\"",
        "public_key: ssh-ed25519",
        "private_key::generate(rng)",
        "secret: /run/secrets/db_password",
        "secretName: my-app-secret",
        "api_key: \"sk-xxxxxxxxxxxxxxxxxxxx\"",
        "token: \"{{ vault_token }}\"",
        "keyboard: qwerty12345678901234",
        "authors = [\"Dana Evans\"]",
        "api_version: v1.22.3-rc1",
        "the token is used to sign in",
        "password must be at least 8 characters",
        "arn:aws:secretsmanager:eu-1:1:secret:prod-Db1",
        "password: op://vault/item/password",
        "PASSWORD_TYPES = [\"MYSQL_NATIVE_PASSWORD\", \"POSTGRES_SCRAM_SHA_256\"]",
    ] {
        assert_eq!(find(text, Kind::Password), None, "{text}");
        assert_eq!(find(text, Kind::Key), None, "{text}");
    }
}

#[test]
fn a_text_that_goes_on_is_waited_for() {
    let text = ["api_key: \"", &secret(), "\" and more"].concat();
    let whole = look(text.as_bytes(), true, 4, Kind::Key);
    assert!(matches!(whole, Look::Value { .. }));
    for cut in 0..=text.len() {
        match look(&text.as_bytes()[..cut], false, 4, Kind::Key) {
            Look::More { from } => assert!(from <= cut),
            // What is said before all is known must be what is said of the whole.
            decided => assert_eq!(decided, whole, "cut at {cut}"),
        }
    }
}

#[test]
fn what_is_ahead_is_bounded() {
    let text = ["password: \"", &"aB3$".repeat(4096)].concat();
    assert_ne!(look(text.as_bytes(), false, 0, Kind::Password), Look::More { from: 0 });
    let blanks = ["password", &" ".repeat(4096)].concat();
    assert_eq!(look(blanks.as_bytes(), false, 0, Kind::Password), Look::No);
}

#[test]
fn two_words_with_a_dot_are_a_password_where_no_code_is() {
    let password = ["Sun", "set.Ti", "ger61"].concat();
    for template in [
        "DB_PASSWORD={}",
        "password: \"{}\"",
        "my password is {} now",
        "Server=db;Password={};",
        "Password: {}",
    ] {
        let text = template.replace("{}", &password);
        assert_eq!(find(&text, Kind::Password), Some(password.as_str()), "{text}");
    }
    for text in [
        "password = Config.Value1",
        "user.password = form.field2;",
        "t.pass(\"tests/ui/pass/*.rs\")",
        "purge|pass|fail|ok",
    ] {
        assert_eq!(find(text, Kind::Password), None, "{text}");
    }
}

#[test]
fn stars_belong_to_a_password_unless_they_are_bold() {
    let password = ["d4V%", "Yk@%X_#Ii8*"].concat();
    for text in [
        format!("<dbPass>{password}</dbPass>"),
        format!("**Password:** {password}"),
        format!("password={password}"),
    ] {
        assert_eq!(find(&text, Kind::Password), Some(password.as_str()), "{text}");
    }
    let bold = ["hV7#", "kQ2!", "pL9x"].concat();
    assert_eq!(find(&format!("password: **{bold}**"), Kind::Password), Some(bold.as_str()));
}

#[test]
fn a_list_knows_its_own_words_in_any_case() {
    use super::words::{
        KEY_OTHERS, KEY_QUALIFIERS, NEUTRAL, NOT_SECRETS, PASSWORDS, SECRETS, TOKEN_OTHERS, Words,
    };
    let lists: [&Words; 7] =
        [&KEY_OTHERS, &KEY_QUALIFIERS, &NEUTRAL, &NOT_SECRETS, &PASSWORDS, &SECRETS, &TOKEN_OTHERS];
    for list in lists {
        for word in list.list() {
            assert!(list.has(word.as_bytes()), "{word}");
            assert!(list.has(word.to_ascii_uppercase().as_bytes()), "{word}");
            assert!(!list.has(format!("{word}~").as_bytes()), "{word}");
        }
        assert!(!list.has(b"") && !list.has(&[b'a'; 33]));
    }
}
