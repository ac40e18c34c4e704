//! Texts with findings, parts of findings, near misses and overlaps. Values are put together here, so that no
//! scanner of repositories takes them for real ones.

/// A text and the name of the field it stands in.
pub(crate) struct Case {
    pub(crate) field: Option<&'static str>,
    pub(crate) text: String,
}

const B: &str = "kQ3zT9vX2mLw7RbN4cYhJ8pDfS6gUeAi1oKxZtVq";

pub(crate) fn anthropic() -> String {
    format!("sk-{}-api03-{}", "ant", &B[..24])
}

pub(crate) fn openai() -> String {
    format!("sk-{}-{}", "proj", &B[..20])
}

pub(crate) fn github() -> String {
    format!("gh{}_{}", "p", &B[..12])
}

pub(crate) fn pem() -> String {
    format!("-----BEGIN RSA {0}-----\n{1}\n{1}==\n-----END RSA {0}-----", ["PRIVATE", " KEY"].concat(), B)
}

pub(crate) fn jwt() -> String {
    format!("ey{0}hbGciOiJIUzI1NiJ9.ey{0}{1}.{2}", "J", &B[..20], &B[..30])
}

pub(crate) fn aws() -> String {
    format!("AWS_SECRET_ACCESS_KEY = \"{}\"", &B[..20])
}

pub(crate) fn telegram() -> String {
    format!("123456789:A{}{}", "A", &B[..10])
}

/// The corpus.
pub(crate) fn cases() -> Vec<Case> {
    let [anthropic, openai, github, pem, jwt, aws, telegram] =
        [anthropic(), openai(), github(), pem(), jwt(), aws(), telegram()];
    let card = ["4111 1111", "1111 1111"].join(" ");
    let ssn = ["123", "45", "6789"].join("-");
    let texts = [
        "Nothing to see here, only a task-force that asks for tokens.".to_owned(),
        String::new(),
        "s".to_owned(),
        format!("key {anthropic} and {openai}, bye"),
        anthropic.clone(),
        format!("{anthropic}{openai}"),
        format!("{github}{github}{anthropic}"),
        format!("{github}x {github} x{github}"),
        format!("ask-ant-api03-{B}"),
        format!("{aws}; aws_secret_key: {}", "A".repeat(20)),
        format!("{aws} example {}", aws.to_lowercase()),
        "aws_secret_access_key=".to_owned(),
        format!("postgres://app:p@ss{}@db.internal/x and https://u:@h http://a:bc@d", &B[..8]),
        format!("https://api.telegram.org/bot{telegram}/getMe 99{telegram} 1:AA{B}"),
        format!("{pem} tail {pem}"),
        format!("{pem}{pem}x"),
        pem[..100].to_owned(),
        format!("-----BEGIN PRIVATE KEY{B}"),
        pem.replace('\n', "\\n"),
        format!("-----BEGIN {0}-----{1}", ["PRIVATE", " KEY"].concat(), "A".repeat(900)),
        format!("Bearer {jwt}, then {jwt}{}", ".x".repeat(120)),
        format!("eyJ eyJeyJ eyJabcde.eyj {}", &jwt[..20]),
        format!("{jwt} mail@host.org"),
        format!("card {card}, {}-12 {}1", card.replace(' ', "-"), card.replace(' ', "")),
        format!("4111 1111 1111 1112 {card}{card}"),
        format!("ssn {ssn}. {ssn}-1 1{ssn} {ssn}"),
        "account 12345678, nothing 12345678, subaccount 123456 Acct No 1234567 1234567890123".to_owned(),
        "plate ABC 1234 and XABC 123, ABC1234 konto ZZZ999, AB 123".to_owned(),
        "write to bob.smith+x@mail.example.co.uk. or @bob, a@b, a.@b.com x@y.z 'q@w.er'".to_owned(),
        format!("bob@x.com{github} alice@{} z@host", "a".repeat(70)),
        format!("{}@long.example.org", "l".repeat(90)),
        "10.1.2.3 v1.2.3.4 1.2.3.4.5 256.1.1.1 8.8.8.8, 1.2.3 (9.9.9.9)".to_owned(),
        "::1 2001:db8::8:800:200c:417a a::b std::vector 10:22:31 fe80::1%eth0 ::ffff:10.0.0.1 aa:bb:cc:dd:ee:ff".to_owned(),
        "WORD=äöüßäöü WORD=x WORD=\u{1f600}\u{1f600}\u{1f600} end".to_owned(),
        format!("before STOP!1 after {github}"),
        format!("{pem} STOP!x STOP!2"),
        format!("-----BEGIN {0}-----abc STOP!3 {B}", ["PRIVATE", " KEY"].concat()),
        format!("account {ssn} {github}{card}{ssn}@mail.org"),
        "EMAIL_ADDRESS_ABCDEFGH [EMAIL_ADDRESS] US_SSN_22222222 x@[EMAIL_ADDRESS]".to_owned(),
        format!("api_key: \"{}\" X-Api-Key: {} client_secret={}\nmonkey = {B}", &B[..32], &B[..24], &B[4..30]),
        "password = \"h#nt3r2!x\" DB_PASSWORD=kT9!vX2m {\\\"password\\\": \\\"s3cr3t-Xy\\\"} the admin password is W0rk!ngX9.".to_owned(),
        "--password hunter22x pwd: ${PWD} passing = 12345abc tokens: 5 token_type = bearer_abc123 password=os.getenv('X1')".to_owned(),
        "token = text-embedding-3-small-2024; secretKey => 'abc' password: <your password> pass=changeme1 secret".to_owned(),
        format!("日本語{github}日本語 bob@例え.jp é@x.com {}", "é".repeat(200)),
    ];
    let mut cases: Vec<Case> = texts.into_iter().map(|text| Case { field: None, text }).collect();
    let fields = [
        ("password", "hunter2".to_owned()),
        ("DB-Password", "${DB_PASSWORD}".to_owned()),
        ("userPassword", "two words".to_owned()),
        ("password", "x".repeat(40)),
        ("password", github),
        ("authorization", format!("Bearer {jwt}")),
        ("authorization", "Basic ".to_owned() + &B.repeat(300)),
        ("authorization", String::new()),
        ("compassword", "hunter2".to_owned()),
        ("account", "12345678".to_owned()),
        ("acctNo", "no 12345678".to_owned()),
    ];
    cases.extend(fields.into_iter().map(|(field, text)| Case { field: Some(field), text }));
    cases
}
