//! The names that every room speaks: identifiers that come from the configuration or from a
//! specification, never from a caller. They are cheap to clone and safe to log.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table by configured names. No caller puts anything in, so its hash need not withstand one.
pub type NameMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a configured name.
            #[must_use]
            pub fn new(name: &str) -> Self {
                Self(Arc::from(name))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name!(
    /// A configured tenant. There is no default tenant, so there is no `Default`.
    TenantId
);
name!(
    /// A configured API key's id (never the key).
    KeyId
);
name!(
    /// A configured upstream account. Resource ids are unique within one.
    UpstreamId
);
name!(
    /// A configured route.
    RouteName
);
name!(
    /// An operation of an API profile, by the specification's `operationId`.
    OperationId
);
name!(
    /// A kind of resource of an API profile: `file`, `model`, `fine_tuning_job`.
    Kind
);
name!(
    /// What a resource was made for, where that decides what it may be used for later (a file's purpose).
    Label
);
name!(
    /// The place by which one resource names another, by the profile: `training_file`, `output_file_id`.
    Via
);
name!(
    /// A data set's name, as the tenant gives it at upload.
    DatasetName
);

name!(
    /// A kind of value that the censor finds (`email`, `aws_access_key`), by the name in a rule's file.
    Entity
);

/// What a request does with a resource that it names. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It looks at it.
    Read,
    /// It names it for something else: the model that answers, the file that is trained on.
    Use,
    /// It changes it, ends it, or adds to it.
    Change,
}

/// What data may be used for. The words follow W3C DPV where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Answering a request (`dpv:RequestedServiceProvision`).
    Inference,
    /// Training or fine-tuning a model (`ai:ModelTraining`, `ai:ModelFineTuning`).
    Train,
    /// Measuring a model on the data (`ai:TestingData`).
    Evaluate,
    /// People look at the data (`ai:DataAnnotation`).
    Annotate,
    /// Passing to a third party.
    Share,
    /// Keeping it upstream beyond the request.
    Store,
    /// Aggregates only.
    Statistics,
}

impl Purpose {
    /// Every purpose, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Inference,
        Self::Train,
        Self::Evaluate,
        Self::Annotate,
        Self::Share,
        Self::Store,
        Self::Statistics,
    ];

    /// The purpose of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word)
    }

    /// The word used in configuration, metrics and audit.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inference => "inference",
            Self::Train => "train",
            Self::Evaluate => "evaluate",
            Self::Annotate => "annotate",
            Self::Share => "share",
            Self::Store => "store",
            Self::Statistics => "statistics",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the tenant to the upstream.
    Request,
    /// From the upstream to the tenant.
    Response,
}

impl Direction {
    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// Stands for a client's address or user agent in logs and audit: 64 bits of a keyed hash. Equal clients have equal tags, so
/// that an operator can follow one; without the master key, nobody can say which.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientTag([u8; 8]);

impl ClientTag {
    /// Takes the beginning of a keyed hash.
    #[must_use]
    pub const fn of_hash(beginning: [u8; 8]) -> Self {
        Self(beginning)
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for ClientTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ClientTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientTag({self})")
    }
}

/// Stands for a data subject in the consent ledger and wherever consent is looked up: half of a keyed hash of what the tenant
/// calls it. The key is the tenant's own, so that two tenants' records of one person are not to be brought together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectHash([u8; 16]);

impl SubjectHash {
    /// Takes the beginning of a keyed hash.
    #[must_use]
    pub const fn of_hash(beginning: [u8; 16]) -> Self {
        Self(beginning)
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The hash that [`Self`] was written as, in 32 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for SubjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SubjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectHash({self})")
    }
}

/// The random part of an id.
type Random = [u8; 10];

thread_local! {
    /// Random bytes for ids to come: to ask the system for each would cost a call for every request.
    static RANDOM: RefCell<Vec<Random>> = const { RefCell::new(Vec::new()) };
}

fn random() -> Option<Random> {
    RANDOM.with_borrow_mut(|kept| {
        if kept.is_empty() {
            let mut bytes = [0; 64 * size_of::<Random>()];
            aws_lc_rs::rand::fill(&mut bytes).ok()?;
            kept.extend_from_slice(bytes.as_chunks().0);
        }
        kept.pop()
    })
}

/// Identifies one request in answers, logs and audit (UUID v7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(uuid::Uuid);

impl RequestId {
    /// A new id, ordered by time to the millisecond.
    #[must_use]
    pub fn fresh() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = now.ok().and_then(|now| u64::try_from(now.as_millis()).ok());
        let made = millis
            .zip(random())
            .map(|(millis, random)| uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid());
        Self(made.unwrap_or_else(uuid::Uuid::now_v7))
    }

    /// The sixteen bytes, as the store keeps them.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The text in hexadecimal with hyphens, without allocation.
    #[must_use]
    pub fn encode(self, buffer: &mut [u8; 36]) -> &str {
        self.0.hyphenated().encode_lower(buffer)
    }

    /// The id that [`Self::to_bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
