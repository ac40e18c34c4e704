//! The compiled form of one operation of an API profile. Everything that the way of a request needs to know
//! about an operation stands here; the rooms behind read it and decide nothing about APIs themselves.

use std::sync::Arc;

use http::{HeaderName, Method};

use crate::names::{Access, Kind, OperationId, Purpose, Via};
use crate::pointer::{Pointer, Step};
use crate::reason::Reason;

/// One operation of an API profile.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The specification's `operationId`.
    pub id: OperationId,
    /// Further `operationId`s that the specification gives to the same method and path (`?beta=true`).
    pub also: Vec<OperationId>,
    /// The method it answers to.
    pub method: Method,
    /// The path template as the profile writes it: `/v1/files/{file_id}`.
    pub template: Arc<str>,
    /// The purpose that every call of it serves (`inference` unless the profile says more).
    pub purpose: Purpose,
    /// Further purposes that it may serve as well: a key that is bound to one of them, or to `purpose`, may call it.
    /// (Whoever may only train has to see its files too.) What a call needs beyond that stands in `training`.
    pub or_purposes: Vec<Purpose>,
    /// The query parameters that it takes beside those that decide.
    pub query: Vec<Arc<str>>,
    /// Query parameters that the upstream is given with these values, or not at all, whatever the caller says.
    pub fixed: Vec<(Arc<str>, Option<Arc<str>>)>,
    /// The query parameters that name a resource, page a list or fulfil a condition: each stands at most once.
    pub deciding_query: Vec<Arc<str>>,
    /// What the request's body is.
    pub request: BodyShape,
    /// What a successful answer's body is.
    pub response: BodyShape,
    /// Resources that the request names.
    pub uses: Vec<Use>,
    /// Resources that a successful answer brings into being: claimed for the caller before it learns of them.
    pub creates: Vec<Creation>,
    /// Resources that come into being by the account's own doing and are first seen in this answer
    /// (output files, fine-tuned models, checkpoints): claimed for the owner of the resource asked for.
    pub yields: Vec<Creation>,
    /// Ids in the answer that have to be the caller's: else it is not passed on.
    pub shows: Vec<Shown>,
    /// Places, as indices into `uses`, of which at least one has to be filled. None: any may be empty.
    pub one_of: Vec<usize>,
    /// The upstream's own filter that makes a list the caller's.
    pub only: Option<Only>,
    /// The resource that a successful call ends, as an index into `uses`. What is shared by nature is nobody's to end.
    pub ends: Option<usize>,
    /// The answer lists resources of a kind.
    pub list: Option<ListShape>,
    /// When the call is a use that has to be granted (training, evaluation, sharing, storing), and of what.
    pub training: Vec<TrainingUse>,
    /// Where the request says that the upstream may keep the exchange, and what it does if nothing is said.
    pub store: Option<StoreField>,
    /// Where the request asks for an event stream.
    pub stream: Option<Place>,
    /// When the file that it takes holds one JSON record a line, whatever its name and type say.
    pub records: Option<Condition>,
    /// The lines of the file that it takes are requests of other operations (batches).
    pub lines: Option<Lines>,
    /// What is rewritten in the request, whatever the tenant's policy is.
    pub request_edits: Vec<Edit>,
    /// What is rewritten in the answer.
    pub response_edits: Vec<Edit>,
    /// Fields and values that the profile refuses.
    pub refuses: Vec<Refuses>,
    /// When the call puts records of data sets to use that nobody reads one by one.
    pub unjudged: Vec<Unjudged>,
    /// Where text stands in an event stream.
    pub channels: Vec<Channel>,
    /// The operation is known and refused by name.
    pub refused: Option<Reason>,
    /// The class of body limit that applies.
    pub limit: LimitClass,
    /// The answer may carry cookies through.
    pub cookies: bool,
    /// The gateway plays this part itself: an upload that is put together from parts.
    pub assembly: Option<Assembly>,
}

/// What a body is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyShape {
    /// No body at all.
    None,
    /// One JSON document (RFC 8259).
    Json,
    /// JSON lines: one document a line.
    Jsonl,
    /// `multipart/form-data` (RFC 7578), field by field.
    Multipart(Vec<FormField>),
    /// `application/x-www-form-urlencoded`, field by field.
    Urlencoded(Vec<FormField>),
    /// JSON, or an event stream when the request asked for one.
    JsonOrEvents,
    /// An event stream (`text/event-stream`).
    Events,
    /// Text, of whatever type; XML and HTML are read as such.
    Text,
    /// Whatever the file is: decided by its content type and its first bytes, JSONL, JSON, CSV, XML, HTML or text, or an
    /// event stream where the operation has channels.
    File,
    /// Bytes that can't be inspected (images, sound): they pass only where policy names this operation.
    Opaque,
    /// An answer that is one id, as plain text.
    Id,
}

/// What a request's body says it is, as far as operations of one method and path are told apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `multipart/form-data`.
    Multipart,
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// Anything else, or nothing.
    Other,
}

impl Media {
    /// That of a media type, in lower case and without parameters.
    #[must_use]
    pub fn named(media_type: Option<&str>) -> Self {
        match media_type {
            Some("application/json") => Self::Json,
            Some("multipart/form-data") => Self::Multipart,
            Some("application/x-www-form-urlencoded") => Self::Urlencoded,
            Some(_) | None => Self::Other,
        }
    }
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormField {
    /// The field's name; a name that ends in `[]` also stands for the indexed forms.
    pub name: Arc<str>,
    /// What the field's value is.
    pub content: FieldContent,
    /// The form is refused without it.
    pub required: bool,
}

/// What a form field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldContent {
    /// A short text, censored as text.
    Text,
    /// A short text that decides: it must stand once, and is given to the facts. It is censored unless it is an id.
    Deciding,
    /// A file of records or text; its kind is decided by the facts (`purpose`), type and first bytes.
    File,
    /// Bytes that can't be inspected.
    Opaque,
}

/// Where a value can stand in a request or an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A path parameter of the template.
    Path(Arc<str>),
    /// A query parameter (decoded name).
    Query(Arc<str>),
    /// A header.
    Header(HeaderName),
    /// A place in the JSON body; for `jsonl` bodies and batch files, in every line.
    Json(Pointer),
    /// A form field.
    Form(Arc<str>),
}

impl Place {
    /// What the place is called in a lineage: the parameter, the header, the field; of a JSON place the last key.
    #[must_use]
    pub fn via(&self) -> Via {
        match self {
            Self::Path(name) | Self::Query(name) | Self::Form(name) => Via::new(name),
            Self::Header(name) => Via::new(name.as_str()),
            Self::Json(pointer) => via(pointer),
        }
    }
}

/// What a place in a JSON document is called: its last key, or the one before where that is only the `id` of it.
pub(super) fn via(pointer: &Pointer) -> Via {
    let name = match pointer.steps() {
        [.., Step::Key(key), Step::Key(id)] if **id == *"id" => Some(key),
        steps => steps.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key),
            Step::Any | Step::Deep => None,
        }),
    };
    Via::new(name.map_or("", |name| name))
}

/// A place where the request names a resource. A string, or a number, that stands there is an id; null is nothing.
/// An object or an array names nothing, and is right only where [`Operation::holds_object`] or [`Operation::holds_list`]
/// says so.
#[derive(Clone, Debug)]
pub struct Use {
    /// The kind.
    pub kind: Kind,
    /// Where the id stands.
    pub place: Place,
    /// The place has to be filled.
    pub required: bool,
    /// The resource has to carry one of these labels ([`Creation::label`]); any, or none, if empty. One that does not
    /// is answered as an unknown one.
    pub labels: Vec<Arc<str>>,
    /// What the request does with it.
    pub access: Access,
    /// What the place is called in a lineage.
    pub via: Via,
}

/// A place in an answer where a new resource's id stands.
#[derive(Clone, Debug)]
pub struct Creation {
    /// The kind.
    pub kind: Kind,
    /// Where the id stands in the answer's JSON.
    pub at: Pointer,
    /// Only when the request has this value (`store: true`).
    pub when: Option<Condition>,
    /// Each element of the pointer's last `*` has one, or the answer itself: else the answer is not passed on.
    pub required: bool,
    /// The resource that it lives in, by index into `uses`: with that it is shared.
    pub lives_in: Option<usize>,
    /// How the resource can be taken back if it can't be recorded.
    pub undo: Option<Undo>,
    /// What is recorded with it, to be asked for by later uses: a file that was judged as a batch stays one.
    pub label: Option<Label>,
    /// What the place is called in a lineage.
    pub via: Via,
}

/// A place in an answer where the id of a resource of the caller's stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The kind.
    pub kind: Kind,
    /// Where the id stands in the answer's JSON.
    pub at: Pointer,
    /// Each element of the pointer's last `*` has one, or the answer itself.
    pub required: bool,
}

/// The upstream's own filter of a list by ids, which the gateway fills with the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// The kind of the items.
    pub kind: Kind,
    /// The query parameter.
    pub query: Arc<str>,
    /// What it is given when the caller has none.
    pub none: Arc<str>,
    /// The most ids that it is given.
    pub at_most: u32,
}

impl Only {
    /// The parameter stands once for each id: its name ends in `[]`. Else its value has commas.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.query.ends_with("[]")
    }
}

/// Where a new resource's label comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// A value of the request.
    Value(Place),
    /// The label of a resource that the request names, by index into `uses`.
    Same(usize),
}

/// The call that takes a resource back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The operation, for the audit trail.
    pub operation: OperationId,
    /// Its method: `DELETE`, or `POST` where an API can only cancel.
    pub method: Method,
    /// Its path template. `{id}` is the new resource's id; other parameters are those of the creating request's path.
    pub template: Arc<str>,
}

/// A condition on a value of the request. An object or an array at the place fulfils it unless it names the values that do,
/// and so does what stands for the list of a place that ends in `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Where the value stands.
    pub place: Place,
    /// The values that fulfil it, as text (`true`, `fine-tune`). Empty: any value but null and false.
    pub values: Vec<Arc<str>>,
    /// The values that do not fulfil it, where every other one does. Empty: `values` says it.
    pub except: Vec<Arc<str>>,
    /// Whether an absent value, or null, fulfils it.
    pub absent: bool,
}

/// When a call is a use that has to be granted.
#[derive(Clone, Debug)]
pub struct TrainingUse {
    /// The purpose that has to be granted.
    pub purpose: Purpose,
    /// Only when the condition holds; always without one.
    pub when: Option<Condition>,
    /// The resources (by index into `uses`) whose data sets have to be granted too.
    pub of: Vec<usize>,
}

/// Where the request says that the upstream may keep the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreField {
    /// Where the flag stands.
    pub at: Pointer,
    /// What the upstream does when the flag is absent or null.
    pub default: bool,
}

/// Lines of a file that are requests of other operations: each is judged as if it were sent by itself.
#[derive(Clone, Debug)]
pub struct Lines {
    /// Only when the request has this value (`purpose: batch`).
    pub when: Option<Condition>,
    /// Where a line's method stands.
    pub method: Pointer,
    /// Where a line's path stands.
    pub url: Pointer,
    /// Where a line's body stands.
    pub body: Pointer,
    /// The operations that a line may ask for.
    pub operations: Vec<OperationId>,
}

/// A list of resources and how it is paged.
#[derive(Clone, Debug)]
pub struct ListShape {
    /// The kind of each item.
    pub kind: Kind,
    /// Where the items stand: `/data`.
    pub items: Pointer,
    /// Where an item's id stands, from the item: `/id`.
    pub id: Pointer,
    /// How it is paged.
    pub paging: Paging,
    /// Items belong to the resource in the path and are not filtered (events of a job). Their ids stand in `yields`
    /// where they can be used again, as cursors or by name.
    pub inherited: bool,
    /// Where there are no items, the answer does not have their member.
    pub omits_empty: bool,
    /// The template of the operation that shows one item. A list that is paged by numbers has one.
    pub one: Option<Arc<str>>,
}

/// How a list is paged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    /// All at once.
    None,
    /// By item ids before and behind a page, `limit`, `order`; answers `has_more`, and `first_id`, `last_id` if `ends`.
    Cursor {
        /// The query parameter that names the item behind which a page begins: `after`, `after_id`.
        after: Arc<str>,
        /// The one that names the item before which it ends: `before`, `before_id`.
        before: Arc<str>,
        /// The answer has `first_id` and `last_id`.
        ends: bool,
        /// The oldest items come first, unless `order` says otherwise.
        oldest_first: bool,
        /// The page size if the caller names none.
        default: u32,
        /// The largest page that the API gives.
        max: u32,
    },
    /// By numbers, with a count of all. The gateway makes the list itself, of the caller's items, each asked for by itself.
    Numbers(Numbers),
}

/// How a list is paged by numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The query parameter that says where a page begins.
    pub begins: Begins,
    /// The query parameter that says how many items a page has.
    pub size: Arc<str>,
    /// The member that counts the items of all pages.
    pub total: Arc<str>,
    /// The oldest items come first.
    pub oldest_first: bool,
    /// The page size if the caller names none.
    pub default: u32,
    /// The largest page.
    pub max: u32,
}

/// The query parameter that says where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begins {
    /// Which page, from 1.
    Page(Arc<str>),
    /// How many items come before.
    Offset(Arc<str>),
}

/// A rewrite at a place of a JSON document; in a form, `/user` is the field `user`.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Where.
    pub at: Pointer,
    /// What.
    pub action: EditAction,
}

/// What is rewritten.
#[derive(Clone, Debug, PartialEq)]
pub enum EditAction {
    /// The member is removed.
    Remove,
    /// The value becomes this one, if the member is there.
    Replace(serde_json::Value),
    /// The value becomes this one; a missing member is added (plain keys only).
    Set(serde_json::Value),
    /// A string is replaced by a keyed hash of itself, so that equal strings of two tenants differ upstream.
    Salt,
    /// A URL of the upstream becomes one of the gateway.
    Rebase,
}

/// Records of data sets that a call puts to use, and nobody reads one by one: they stand in a JSON body, or the server fetches
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// Only when the request says so; always without it.
    pub when: Option<Condition>,
}

/// A field or a value that the profile refuses.
#[derive(Clone, Debug)]
pub struct Refuses {
    /// When.
    pub when: Condition,
    /// With which reason.
    pub reason: Reason,
}

/// A text that goes on from event to event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The event `type` (or SSE `event:` name) it stands in; any, if none.
    pub event: Option<Arc<str>>,
    /// Where the piece of text stands.
    pub text: Pointer,
    /// Scalars that tell one channel of this shape from another (`/choices/*/index`): places in the same event.
    /// As far as such a place goes the same way as `text`, its wildcards stand for the same element.
    pub keys: Vec<Pointer>,
    /// The event that carries the text as a whole again (`response.output_text.done`): censored whole.
    pub whole: bool,
}

/// Which body limit applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitClass {
    /// API calls: kept until they are decided.
    Call,
    /// Files: streamed.
    Upload,
}

/// A part that the gateway plays itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assembly {
    /// An upload is opened.
    Create,
    /// A part arrives.
    Part,
    /// The parts are put together, in the order that the caller names.
    Complete,
    /// The upload is given up.
    Cancel,
}

impl BodyShape {
    /// The fields of a form, of either kind.
    #[must_use]
    pub fn fields(&self) -> &[FormField] {
        match self {
            Self::Multipart(fields) | Self::Urlencoded(fields) => fields,
            Self::None
            | Self::Json
            | Self::Jsonl
            | Self::JsonOrEvents
            | Self::Events
            | Self::Text
            | Self::File
            | Self::Opaque
            | Self::Id => &[],
        }
    }

    /// What a request with such a body says it is.
    #[must_use]
    pub const fn media(&self) -> Media {
        match self {
            Self::Json => Media::Json,
            Self::Multipart(_) => Media::Multipart,
            Self::Urlencoded(_) => Media::Urlencoded,
            Self::None
            | Self::Jsonl
            | Self::JsonOrEvents
            | Self::Events
            | Self::Text
            | Self::File
            | Self::Opaque
            | Self::Id => Media::Other,
        }
    }
}

impl Operation {
    /// Whether a key that is bound to these purposes may call it at all.
    #[must_use]
    pub fn serves(&self, purposes: &[Purpose]) -> bool {
        purposes.contains(&self.purpose) || self.or_purposes.iter().any(|purpose| purposes.contains(purpose))
    }

    /// The conditions on the request.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let training = self.training.iter().filter_map(|training| training.when.as_ref());
        let created = self.creates.iter().filter_map(|created| created.when.as_ref());
        let lines = self.lines.iter().filter_map(|lines| lines.when.as_ref());
        training
            .chain(created)
            .chain(lines)
            .chain(&self.records)
            .chain(self.refuses.iter().map(|refused| &refused.when))
            .chain(self.unjudged.iter().filter_map(|records| records.when.as_ref()))
    }

    /// The places of the request that decide: what they hold has to be known, and each has to have one reading
    /// (a member that is repeated, or a field that stands twice, is refused).
    pub fn deciding(&self) -> impl Iterator<Item = &Place> {
        let uses = self.uses.iter().map(|used| &used.place);
        let labels = self.creates.iter().filter_map(|created| match &created.label {
            Some(Label::Value(place)) => Some(place),
            _ => None,
        });
        uses.chain(self.conditions().map(|condition| &condition.place)).chain(labels).chain(&self.stream)
    }

    /// Whether an object may stand where an id does: some place that decides is a member of it. `container` is an id, or
    /// `{"file_ids": [...]}`.
    #[must_use]
    pub fn holds_object(&self, at: &Pointer) -> bool {
        self.deciding_json().any(|other| matches!(below(other, at), Some([Step::Key(_), ..])))
    }

    /// Whether a list may stand where an id does: its elements are places of ids themselves. `vector_store_ids` is one, or many.
    #[must_use]
    pub fn holds_list(&self, at: &Pointer) -> bool {
        self.uses.iter().any(|used| match &used.place {
            Place::Json(other) => matches!(below(other, at), Some([Step::Any, ..])),
            Place::Path(_) | Place::Query(_) | Place::Header(_) | Place::Form(_) => false,
        })
    }

    /// The places of the request's JSON that decide or are rewritten: where no member may be repeated.
    pub fn deciding_json(&self) -> impl Iterator<Item = &Pointer> {
        let places = self.deciding().filter_map(|place| match place {
            Place::Json(pointer) => Some(pointer),
            _ => None,
        });
        places
            .chain(self.store.iter().map(|store| &store.at))
            .chain(self.request_edits.iter().map(|edit| &edit.at))
    }
}

/// The way from one place to another below it.
fn below<'p>(other: &'p Pointer, at: &Pointer) -> Option<&'p [Step]> {
    other.steps().strip_prefix(at.steps())
}
