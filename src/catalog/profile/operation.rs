//! The entries of `operations:` and `parts:`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Entries, RawBody, RawCondition, RawPlace, RawUse, Text};
use crate::names::Purpose;

/// A piece that operations include: its lists are put before the operation's own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct Part {
    /// Resources that the request names.
    #[serde(default)]
    pub(in crate::catalog) uses: Vec<RawUse>,
    /// Resources that a successful answer brings into being.
    #[serde(default)]
    pub(in crate::catalog) creates: Vec<RawCreation>,
    /// Resources that came into being by the account's own doing, and are first seen in the answer.
    #[serde(default)]
    pub(in crate::catalog) yields: Vec<RawCreation>,
    /// Ids in the answer that have to be the caller's.
    #[serde(default)]
    pub(in crate::catalog) shows: Vec<RawShown>,
    /// Uses that have to be granted.
    #[serde(default)]
    pub(in crate::catalog) needs: Vec<RawNeed>,
    /// Fields and values that are refused.
    #[serde(default)]
    pub(in crate::catalog) refuses: Vec<RawRefuses>,
    /// Records of data sets that the call puts to use, and nobody reads one by one.
    #[serde(default)]
    pub(in crate::catalog) unjudged: Vec<RawUnjudged>,
    /// Rewrites in the request.
    #[serde(default)]
    pub(in crate::catalog) request_edits: Vec<RawEdit>,
    /// Rewrites in the answer.
    #[serde(default)]
    pub(in crate::catalog) response_edits: Vec<RawEdit>,
    /// Texts that go on from event to event.
    #[serde(default)]
    pub(in crate::catalog) channels: Vec<RawChannel>,
}

/// One operation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawOperation {
    /// Method and path template: `GET /v1/files/{file_id}`. `{name:slash}` takes an encoded slash, `{name:rest}` (at the
    /// end) any number of segments; a literal may stand before and behind the braces: `/{id}:cancel`.
    #[serde(rename = "match")]
    #[schemars(with = "String")]
    pub(in crate::catalog) matches: Text,
    /// Further `operationId`s of the same method and path.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) also: Vec<Text>,
    /// What a reader should know.
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    pub(in crate::catalog) about: String,
    /// The purpose that every call serves.
    #[serde(default = "inference")]
    pub(in crate::catalog) purpose: Purpose,
    /// Further purposes: a key bound to one of them may call it as well.
    #[serde(default)]
    pub(in crate::catalog) or_purposes: Vec<Purpose>,
    /// Parts whose lists come before the operation's own.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) include: Vec<Text>,
    /// The request's body.
    #[serde(default)]
    pub(in crate::catalog) request: RawBody,
    /// The answer's body.
    #[serde(default = "json")]
    pub(in crate::catalog) response: RawBody,
    /// The query parameters that it takes, beside those that decide. Others are refused.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) query: Vec<Text>,
    /// Query parameters that the upstream is given with these values, and those that it is not given (null), whatever the
    /// caller says.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    pub(in crate::catalog) fixed: Entries<Option<String>>,
    /// Path parameters that name no resource.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) plain: Vec<Text>,
    /// Resources that the request names.
    #[serde(default)]
    pub(in crate::catalog) uses: Vec<RawUse>,
    /// Resources that a successful answer brings into being.
    #[serde(default)]
    pub(in crate::catalog) creates: Vec<RawCreation>,
    /// Resources that came into being by the account's own doing, and are first seen in the answer.
    #[serde(default)]
    pub(in crate::catalog) yields: Vec<RawCreation>,
    /// Ids in the answer that have to be the caller's.
    #[serde(default)]
    pub(in crate::catalog) shows: Vec<RawShown>,
    /// Places of `uses` of which at least one has to be filled.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) one_of: Vec<Text>,
    /// The upstream's own filter of a list, which is given the caller's ids.
    pub(in crate::catalog) only: Option<RawOnly>,
    /// The path parameter whose resource a successful call ends.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) ends: Option<Text>,
    /// The answer lists resources.
    pub(in crate::catalog) list: Option<RawList>,
    /// Uses that have to be granted.
    #[serde(default)]
    pub(in crate::catalog) needs: Vec<RawNeed>,
    /// Where the request says whether the upstream may keep the exchange.
    pub(in crate::catalog) store: Option<RawStore>,
    /// Where the request asks for an event stream.
    pub(in crate::catalog) stream: Option<RawPlace>,
    /// When the file holds one JSON record a line, whatever its name and type say.
    pub(in crate::catalog) records: Option<RawCondition>,
    /// The file's lines are requests.
    pub(in crate::catalog) lines: Option<RawLines>,
    /// Rewrites in the request.
    #[serde(default)]
    pub(in crate::catalog) request_edits: Vec<RawEdit>,
    /// Rewrites in the answer.
    #[serde(default)]
    pub(in crate::catalog) response_edits: Vec<RawEdit>,
    /// Fields and values that are refused.
    #[serde(default)]
    pub(in crate::catalog) refuses: Vec<RawRefuses>,
    /// Records of data sets that the call puts to use, and nobody reads one by one.
    #[serde(default)]
    pub(in crate::catalog) unjudged: Vec<RawUnjudged>,
    /// Texts that go on from event to event.
    #[serde(default)]
    pub(in crate::catalog) channels: Vec<RawChannel>,
    /// The body limit that applies.
    #[serde(default)]
    pub(in crate::catalog) limit: RawLimit,
    /// Cookies pass in both directions.
    #[serde(default)]
    pub(in crate::catalog) cookies: bool,
    /// The part that the gateway plays itself.
    pub(in crate::catalog) assembly: Option<RawAssembly>,
}

const fn inference() -> Purpose {
    Purpose::Inference
}

const fn json() -> RawBody {
    RawBody::Json
}

/// Places in the answer where ids of new resources stand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawCreation {
    /// The kind.
    #[schemars(with = "String")]
    pub(in crate::catalog) kind: Text,
    /// JSON pointers into the answer or, in streams, into an event.
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) at: Vec<Text>,
    /// The answer has them: each element of the last `*`, or the answer itself, or it is not passed on.
    #[serde(default)]
    pub(in crate::catalog) required: bool,
    /// The place of `uses` whose resource it lives in: with that it is shared.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) lives_in: Option<Text>,
    /// Only when the request says so.
    pub(in crate::catalog) when: Option<RawCondition>,
    /// A value of the request that is recorded with the resource, for `labels` of later uses.
    pub(in crate::catalog) label: Option<RawPlace>,
    /// The place of `uses` whose resource has the label that the new one gets.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) label_of: Option<Text>,
    /// The operation that takes the resource back: its only path parameter of this kind gets the new id.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) undo: Option<Text>,
}

/// Ids in an answer that have to be the caller's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawShown {
    /// The kind.
    #[schemars(with = "String")]
    pub(in crate::catalog) kind: Text,
    /// JSON pointers into the answer.
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) at: Vec<Text>,
    /// The answer has them: each element of the last `*`, or the answer itself, or it is not passed on.
    #[serde(default)]
    pub(in crate::catalog) required: bool,
}

/// The upstream's own filter of a list by ids: the gateway fills it with the caller's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawOnly {
    /// The kind of the list's items.
    #[schemars(with = "String")]
    pub(in crate::catalog) kind: Text,
    /// The query parameter that takes ids with commas between them; one that ends in `[]` stands once for each id.
    #[schemars(with = "String")]
    pub(in crate::catalog) query: Text,
    /// What it is given when the caller has none: an id that nothing has.
    pub(in crate::catalog) none: String,
    /// The most ids that it is given. Who has more has to name some.
    pub(in crate::catalog) at_most: u32,
}

/// A use that has to be granted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawNeed {
    /// The purpose.
    pub(in crate::catalog) purpose: Purpose,
    /// Only when the request says so.
    pub(in crate::catalog) when: Option<RawCondition>,
    /// The places of `uses` (parameter, field or pointer) whose data sets have to be granted too.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) of: Vec<Text>,
}

/// Something that is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawRefuses {
    /// When.
    pub(in crate::catalog) when: RawCondition,
    /// With which reason.
    #[serde(default)]
    pub(in crate::catalog) reason: RefusedField,
    /// Why, for readers of the file.
    #[expect(dead_code, reason = "for readers of the file")]
    pub(in crate::catalog) because: String,
}

/// Records of data sets that nobody reads one by one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawUnjudged {
    /// Only when the request says so.
    pub(in crate::catalog) when: Option<RawCondition>,
    /// Which, for readers of the file.
    #[expect(dead_code, reason = "for readers of the file")]
    pub(in crate::catalog) because: String,
}

/// The reasons for which a field can be refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog) enum RefusedField {
    /// The field or value is not allowed.
    #[default]
    FieldNotAllowed,
    /// The answer would hold a credential that bypasses the gateway.
    BypassRefused,
}

/// The shape of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawList {
    /// The kind of its items.
    #[schemars(with = "String")]
    pub(in crate::catalog) kind: Text,
    /// Where the items stand.
    #[schemars(with = "String")]
    pub(in crate::catalog) items: Text,
    /// Where an item's id stands, from the item.
    #[schemars(with = "String")]
    pub(in crate::catalog) id: Text,
    /// Items belong to the resource in the path and are not filtered.
    #[serde(default)]
    pub(in crate::catalog) inherited: bool,
    /// The API leaves the items out of its answer where there are none.
    #[serde(default)]
    pub(in crate::catalog) omits_empty: bool,
    /// How it is paged; all at once, if neither this nor `pages` is there.
    pub(in crate::catalog) cursor: Option<RawCursor>,
    /// How it is paged by numbers.
    pub(in crate::catalog) pages: Option<RawPages>,
}

/// Paging by numbers. The gateway makes such a list itself, of the caller's items, each asked for by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawPages {
    /// The query parameter that says which page, from 1. Instead of `offset`.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) number: Option<Text>,
    /// The query parameter that says how many items come before.
    #[schemars(with = "Option<String>")]
    pub(in crate::catalog) offset: Option<Text>,
    /// The query parameter that says how many items a page has.
    pub(in crate::catalog) size: String,
    /// The member of the answer that counts the items of all pages.
    pub(in crate::catalog) total: String,
    /// The oldest items come first.
    #[serde(default)]
    pub(in crate::catalog) oldest_first: bool,
    /// Items of a page if the caller names no number.
    pub(in crate::catalog) default: u32,
    /// The most items of a page: so many calls it costs at most.
    pub(in crate::catalog) max: u32,
}

/// Paging by item ids. The parameters that carry them are uses of the list's kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawCursor {
    /// The query parameters that carry an item's id, with `after` or `before` in their names: behind it, or in front of it.
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) by: Vec<Text>,
    /// The answer has `first_id` and `last_id`.
    #[serde(default)]
    pub(in crate::catalog) ends: bool,
    /// The oldest items come first, unless the caller's `order` says otherwise.
    #[serde(default)]
    pub(in crate::catalog) oldest_first: bool,
    /// Items of a page if the caller names no number.
    pub(in crate::catalog) default: u32,
    /// The most items of a page.
    pub(in crate::catalog) max: u32,
}

/// Where the request says whether the upstream may keep the exchange.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawStore {
    /// A JSON pointer of plain keys.
    #[schemars(with = "String")]
    pub(in crate::catalog) at: Text,
    /// What the upstream does when nothing is said.
    pub(in crate::catalog) default: bool,
}

/// Lines that are requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawLines {
    /// Only when the request says so.
    pub(in crate::catalog) when: Option<RawCondition>,
    /// Where a line's method stands.
    #[schemars(with = "String")]
    pub(in crate::catalog) method: Text,
    /// Where a line's path stands.
    #[schemars(with = "String")]
    pub(in crate::catalog) url: Text,
    /// Where a line's body stands.
    #[schemars(with = "String")]
    pub(in crate::catalog) body: Text,
    /// The operations that a line may ask for.
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) operations: Vec<Text>,
}

/// A rewrite.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawEdit {
    /// JSON pointers.
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) at: Vec<Text>,
    /// What is done.
    #[serde(rename = "do")]
    pub(in crate::catalog) action: RawAction,
}

/// What a rewrite does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog) enum RawAction {
    /// The member goes.
    Remove,
    /// A keyed hash takes a string's place.
    Salt,
    /// A URL of the upstream becomes one of the gateway.
    Rebase,
    /// The value takes the place of one that is there.
    Replace(serde_json::Value),
    /// The value takes the member's place, or is added.
    Set(serde_json::Value),
}

/// A text that goes on from event to event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog) struct RawChannel {
    /// The event's type; any, if absent.
    pub(in crate::catalog) event: Option<String>,
    /// Where the text stands.
    #[schemars(with = "String")]
    pub(in crate::catalog) text: Text,
    /// What tells one such text from another.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(in crate::catalog) keys: Vec<Text>,
    /// The text stands here as a whole.
    #[serde(default)]
    pub(in crate::catalog) whole: bool,
}

/// The body limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog) enum RawLimit {
    /// Calls.
    #[default]
    Call,
    /// Files.
    Upload,
}

/// The parts of an assembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog) enum RawAssembly {
    /// Opens it.
    Create,
    /// Adds a part.
    Part,
    /// Puts the parts together.
    Complete,
    /// Gives it up.
    Cancel,
}
