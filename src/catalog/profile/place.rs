//! Bodies, and places in them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Text;
use crate::names::Access;

/// What a body is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::catalog) enum RawBody {
    /// No body.
    #[default]
    None,
    /// One JSON document.
    Json,
    /// JSON lines.
    Jsonl,
    /// `multipart/form-data`, field by field.
    Multipart(Vec<RawField>),
    /// `application/x-www-form-urlencoded`, field by field.
    Urlencoded(Vec<RawField>),
    /// JSON, or an event stream.
    JsonOrEvents,
    /// An event stream.
    Events,
    /// Text, XML and HTML among it.
    Text,
    /// Whatever the file is.
    File,
    /// Bytes that can't be inspected: pass only where a tenant's policy names the operation.
    Opaque,
    /// An answer that is one id, as plain text: the place of it is the whole answer, ``.
    Id,
}

/// A form field.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawField {
    /// Its name; `name[]` stands for the indexed forms as well.
    #[schemars(with = "String")]
    pub(in crate::catalog) name: Text,
    /// What it holds.
    pub(in crate::catalog) content: RawContent,
    /// The form is refused without it.
    #[serde(default)]
    pub(in crate::catalog) required: bool,
}

/// What a form field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog) enum RawContent {
    /// A text that is censored.
    Text,
    /// A text that decides: it stands once.
    Deciding,
    /// Records or text.
    File,
    /// Bytes that can't be inspected.
    Opaque,
}

/// One place: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawPlace {
    /// A path parameter.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) path: Option<Text>,
    /// A query parameter.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) query: Option<Text>,
    /// A header.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) header: Option<Text>,
    /// A JSON pointer; `*` is any one key or index, `**` any number of levels.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) json: Option<Text>,
    /// A form field.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) form: Option<Text>,
}

/// Places where a resource is named: at least one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawUse {
    /// The kind.
    #[schemars(with = "String")]
    pub(in crate::catalog) kind: Text,
    /// A path parameter.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) path: Option<Text>,
    /// A query parameter.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) query: Option<Text>,
    /// A header.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) header: Option<Text>,
    /// A form field.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) form: Option<Text>,
    /// JSON pointers.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) json: Vec<Text>,
    /// The places have to be filled. A path parameter always is.
    #[serde(default)]
    pub(in crate::catalog) required: bool,
    /// The resource has to carry one of these labels.
    #[serde(default)]
    pub(in crate::catalog) labels: Vec<String>,
    /// What the request does with it, where that can't be told from the method and the place: a `GET` reads; what a
    /// `DELETE` names, or another method in its path, is changed; all else is used.
    pub(in crate::catalog) access: Option<Access>,
}

/// A condition on a value of the request: one place and what has to stand there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawCondition {
    /// A path parameter.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) path: Option<Text>,
    /// A query parameter.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) query: Option<Text>,
    /// A header.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) header: Option<Text>,
    /// A JSON pointer.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) json: Option<Text>,
    /// A form field.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) form: Option<Text>,
    /// The values that fulfil it, as text. None: any value but null and false.
    #[serde(default)]
    pub(in crate::catalog) is: Vec<String>,
    /// The values that do not fulfil it, as text: every other one does. Instead of `is`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) is_not: Vec<Text>,
    /// An absent value fulfils it too.
    #[serde(default)]
    pub(in crate::catalog) absent: bool,
}
