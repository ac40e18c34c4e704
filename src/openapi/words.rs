//! What names say: which ones name a resource, and of what kind. A guess, and told as one.

/// Words that end the name of an id.
const IDS: [&str; 8] = ["id", "ids", "uuid", "uuids", "guid", "pk", "pks", "gid"];

/// Names of kinds that are too common to be taken for one where they stand alone.
const COMMON: &[&str] = &[
    "annotation",
    "answer",
    "audio",
    "comment",
    "content",
    "description",
    "event",
    "field",
    "format",
    "image",
    "input",
    "item",
    "key",
    "label",
    "language",
    "message",
    "metric",
    "name",
    "note",
    "output",
    "part",
    "prompt",
    "question",
    "record",
    "result",
    "role",
    "state",
    "status",
    "step",
    "suggestion",
    "tag",
    "text",
    "title",
    "type",
    "url",
    "value",
    "version",
    "video",
];

/// Parts of a path that speak of the account, its people or its keys.
const OF_THE_ACCOUNT: &[&str] = &[
    "account",
    "accounts",
    "admin",
    "admin_api_keys",
    "api_key",
    "api_keys",
    "apikeys",
    "audit",
    "audit_log",
    "audit_logs",
    "auth",
    "billing",
    "certificates",
    "costs",
    "credentials",
    "current_user",
    "groups",
    "invite",
    "invites",
    "invitations",
    "invoices",
    "keys",
    "login",
    "logout",
    "me",
    "member",
    "members",
    "memberships",
    "oauth",
    "oauth2",
    "org",
    "organisation",
    "organisations",
    "organization",
    "organizations",
    "orgs",
    "password",
    "passwords",
    "permissions",
    "quota",
    "quotas",
    "rate_limits",
    "roles",
    "secret",
    "secrets",
    "service_accounts",
    "settings",
    "sso",
    "team",
    "teams",
    "token",
    "user",
    "users",
    "whoami",
];

/// Members of an answer that would be of use without the gateway.
const CREDENTIALS: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "client_secret",
    "password",
    "private_key",
    "refresh_token",
    "secret",
    "secret_key",
    "signed_url",
    "token",
    "upload_url",
];

/// The words of a name: `trainingFileId`, `training_file_id` and `training-file-id` have the same.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let starts = c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if starts || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The name in lower case with `_` between its words.
pub(super) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// The singular of an English plural. What is none stays.
pub(super) fn singular(word: &str) -> String {
    let stem = |ending: &str| word.strip_suffix(ending);
    if let Some(stem) = stem("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes", "tches"] {
        if word.ends_with(ending) {
            return word.strip_suffix("es").unwrap_or(word).to_owned();
        }
    }
    for unchanged in ["ss", "us", "is", "news", "series", "data"] {
        if word.ends_with(unchanged) {
            return word.to_owned();
        }
    }
    stem("s").filter(|stem| stem.len() > 1).unwrap_or(word).to_owned()
}

/// The name of a kind after that of a collection: `fine-tunes` are of `fine_tune`.
pub(super) fn kind_of(collection: &str) -> String {
    let mut words = words(collection);
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    words.join("_")
}

/// Whether a collection's name is a plural.
pub(super) fn plural(word: &str) -> bool {
    kind_of(word) != snake(word) || word.ends_with("data")
}

/// What a name says of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It is the id of something of this kind.
    IdOf(String),
    /// It is an id, and where it stands says of what.
    Id,
    /// It is called as a kind is: `model`, `training_file`.
    Called(String),
    /// Nothing.
    Nothing,
}

/// What the name of a field or parameter says. `known` are the kinds of the specification.
pub(super) fn says(name: &str, known: &[String]) -> Says {
    let words = words(name);
    let ending = words.last().map(String::as_str).unwrap_or_default();
    if IDS.contains(&ending) {
        let rest = words.get(..words.len() - 1).unwrap_or_default();
        return if rest.is_empty() { Says::Id } else { Says::IdOf(of_known(&rest.join("_"), known)) };
    }
    // `vectorstoreid` and the like: only after a kind that is known.
    let whole = words.join("_");
    if let Some(kind) = known.iter().find(|kind| whole == format!("{}id", kind.replace('_', ""))) {
        return Says::IdOf(kind.clone());
    }
    let kind = kind_of(name);
    let called = known.iter().find(|known| {
        **known == kind && !COMMON.contains(&kind.as_str())
            || kind.ends_with(&format!("_{known}")) && !COMMON.contains(&known.as_str())
    });
    called.map_or(Says::Nothing, |kind| Says::Called(kind.clone()))
}

/// The known kind that a name ends in (`input_file` is a `file`), or the name.
fn of_known(name: &str, known: &[String]) -> String {
    let kind = kind_of(name);
    let ends = known.iter().filter(|known| kind == **known || kind.ends_with(&format!("_{known}")));
    ends.max_by_key(|known| known.len()).cloned().unwrap_or(kind)
}

/// Whether a part of a path speaks of the account and not of a tenant's data.
pub(super) fn of_the_account(segment: &str) -> bool {
    OF_THE_ACCOUNT.contains(&snake(segment).as_str())
}

/// Whether a member of an answer would be of use without the gateway.
pub(super) fn credential(name: &str) -> bool {
    CREDENTIALS.contains(&snake(name).as_str())
}

/// Whether a path or name speaks of training.
pub(super) fn trains(text: &str) -> bool {
    let words = words(text);
    let pairs = |first: &str, second: &str| {
        words.windows(2).any(|pair| matches!(pair, [a, b] if a == first && b.starts_with(second)))
    };
    words
        .iter()
        .any(|word| ["train", "training", "finetune", "finetunes", "finetuning"].contains(&word.as_str()))
        || pairs("fine", "tun")
}

/// Whether a name holds the address of something that the upstream would fetch or call.
pub(super) fn address(name: &str) -> bool {
    let words = words(name);
    words
        .last()
        .is_some_and(|word| ["url", "uri", "webhook", "callback", "endpoint"].contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Says, kind_of, plural, says, singular, trains, words};

    #[test]
    fn names_are_read_word_by_word() {
        assert_eq!(words("trainingFileId"), ["training", "file", "id"]);
        assert_eq!(words("X-Vector-Store_ID"), ["x", "vector", "store", "id"]);
        for (many, one) in [
            ("files", "file"),
            ("batches", "batch"),
            ("entries", "entry"),
            ("status", "status"),
            ("boxes", "box"),
            ("classes", "class"),
            ("responses", "response"),
        ] {
            assert_eq!(singular(many), one);
        }
        assert_eq!(kind_of("fine-tunes"), "fine_tune");
        assert!(plural("vector_stores") && !plural("cancel"));
    }

    #[test]
    fn a_name_says_whether_it_is_an_id_and_of_what() {
        let known = ["file".to_owned(), "vector_store".to_owned(), "model".to_owned(), "message".to_owned()];
        let kind = |name: &str| says(name, &known);
        assert_eq!(kind("input_file_id"), Says::IdOf("file".to_owned()));
        assert_eq!(kind("vectorStoreIds"), Says::IdOf("vector_store".to_owned()));
        assert_eq!(kind("runUuid"), Says::IdOf("run".to_owned()));
        assert_eq!(kind("id"), Says::Id);
        assert_eq!(kind("training_file"), Says::Called("file".to_owned()));
        assert_eq!(kind("model"), Says::Called("model".to_owned()));
        // Too common to be an id, and no ids at all.
        for name in ["message", "error_message", "valid", "grid", "profile", "models_seen"] {
            assert_eq!(kind(name), Says::Nothing, "{name}");
        }
    }

    #[test]
    fn training_is_told_by_its_words() {
        assert!(trains("/fine_tuning/jobs") && trains("createFineTuningJob") && trains("/ml/{id}/train"));
        assert!(!trains("/constraints") && !trains("/fine/print"));
    }
}
