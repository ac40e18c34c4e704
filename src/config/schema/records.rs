//! What a tenant wants of the records of its data sets.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// The records of data sets that go towards training or annotation are judged one by one.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Where a record says whose it is and what may be done with it: JSON pointers; of a table, the names of columns.
    #[serde(default)]
    pub fields: RecordFields,
    /// What becomes of records, by what was found.
    #[serde(default)]
    pub when: RecordActions,
    /// Jurisdictions in which silence is consent: `US`, with all that lies in it (none).
    #[serde(default)]
    pub opt_out: Vec<String>,
    /// Places in those in which it is not: `US-IL` (none).
    #[serde(default)]
    pub opt_in: Vec<String>,
    /// What is taken out of every record, for upstreams that refuse keys that they don't know: JSON pointers (none).
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub remove: Vec<Spanned<String>>,
    /// What becomes of files that are not read record by record (`refuse`).
    #[serde(default)]
    pub other_files: OtherFiles,
    /// A record's own yes is not enough: the ledger has to know of a grant of its subject (`false`).
    #[serde(default)]
    pub ledger_only: bool,
}

/// What becomes of files that are not read record by record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherFiles {
    /// They are refused.
    #[default]
    Refuse,
    /// They pass, as far as the censor lets them.
    Pass,
}

/// Where a record says something: each a list of JSON pointers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFields {
    /// Who it is about.
    #[schemars(with = "Option<Vec<String>>")]
    pub subject: Option<Vec<Spanned<String>>>,
    /// What its subject said: yes or no, a state of W3C DPV, or `train-ai=y`.
    #[schemars(with = "Option<Vec<String>>")]
    pub consent: Option<Vec<Spanned<String>>>,
    /// What for.
    #[schemars(with = "Option<Vec<String>>")]
    pub purposes: Option<Vec<Spanned<String>>>,
    /// When it was said.
    #[schemars(with = "Option<Vec<String>>")]
    pub given_at: Option<Vec<Spanned<String>>>,
    /// For how long (ISO 8601).
    #[schemars(with = "Option<Vec<String>>")]
    pub valid_for: Option<Vec<Spanned<String>>>,
    /// Until when.
    #[schemars(with = "Option<Vec<String>>")]
    pub valid_until: Option<Vec<Spanned<String>>>,
    /// Where the subject lives.
    #[schemars(with = "Option<Vec<String>>")]
    pub jurisdiction: Option<Vec<Spanned<String>>>,
    /// When the subject was born.
    #[schemars(with = "Option<Vec<String>>")]
    pub birth_date: Option<Vec<Spanned<String>>>,
    /// How old the subject is.
    #[schemars(with = "Option<Vec<String>>")]
    pub age: Option<Vec<Spanned<String>>>,
    /// Whether the subject is under age.
    #[schemars(with = "Option<Vec<String>>")]
    pub minor: Option<Vec<Spanned<String>>>,
    /// Whether there is something of a special category, or which.
    #[schemars(with = "Option<Vec<String>>")]
    pub special_category: Option<Vec<Spanned<String>>>,
    /// Other things that name the subject or the record.
    #[schemars(with = "Option<Vec<String>>")]
    pub identifiers: Option<Vec<Spanned<String>>>,
}

/// What becomes of records, by what was found. Of several, the strictest counts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordActions {
    /// Its subject's consent was withdrawn, refused or revoked in the ledger, or has run out there (`drop`; can't pass).
    #[schemars(with = "Option<RecordAction>")]
    pub withdrawn: Option<Spanned<RecordAction>>,
    /// It says no itself (`drop`; can't pass).
    #[schemars(with = "Option<RecordAction>")]
    pub said_no: Option<Spanned<RecordAction>>,
    /// It says yes and no (`drop`; can't pass).
    #[schemars(with = "Option<RecordAction>")]
    pub flags_contradict: Option<Spanned<RecordAction>>,
    /// Its subject is under 18 (`drop`).
    #[schemars(with = "Option<RecordAction>")]
    pub minor: Option<Spanned<RecordAction>>,
    /// It names two subjects (`drop`; can't pass).
    #[schemars(with = "Option<RecordAction>")]
    pub two_subjects: Option<Spanned<RecordAction>>,
    /// It names no subject (`drop`).
    #[schemars(with = "Option<RecordAction>")]
    pub no_subject: Option<Spanned<RecordAction>>,
    /// A date, an age or a flag of it can't be read (`drop`).
    #[schemars(with = "Option<RecordAction>")]
    pub unreadable: Option<Spanned<RecordAction>>,
    /// Its consent has run out (`drop`).
    #[schemars(with = "Option<RecordAction>")]
    pub lapsed: Option<Spanned<RecordAction>>,
    /// Its consent is for other purposes (`drop`).
    #[schemars(with = "Option<RecordAction>")]
    pub other_purpose: Option<Spanned<RecordAction>>,
    /// Nobody consented to its use (`drop`).
    #[schemars(with = "Option<RecordAction>")]
    pub unknown: Option<Spanned<RecordAction>>,
    /// It holds a special category of personal data (`pass`: the censor takes it out).
    #[schemars(with = "Option<RecordAction>")]
    pub special_category: Option<Spanned<RecordAction>>,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordAction {
    /// It passes, but for what the censor finds.
    Pass,
    /// It stays; personal data and whatever names its subject go.
    Anonymise,
    /// It is left out.
    Drop,
    /// The whole file is refused.
    Refuse,
}
