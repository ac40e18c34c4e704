//! What every format needs to know about the body that it works on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;

use super::charset::OtherCharsets;
use crate::censor::{Engine, Exchange, RuleIndex, Side};
use crate::names::Direction;
use crate::reason::{ConfiguredName, Reason, Refusal, SafeText};

/// The bounds of one body. Each is what memory may hold, not what may pass, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Objects and arrays inside each other.
    pub depth: usize,
    /// Bytes of one JSON key.
    pub key: usize,
    /// Bytes of one JSON number.
    pub number: usize,
    /// Bytes of one deciding value (an id, a model's name, a purpose); longer ones become `FactValue::TooLong`.
    pub fact: usize,
    /// Deciding values of one body (or of one record).
    pub facts: usize,
    /// Bytes of one record of JSON lines.
    pub record: usize,
    /// Bytes of one event of an event stream.
    pub event: usize,
    /// Text channels of an event stream at once.
    pub channels: usize,
    /// Bytes of the header section of one part of a form.
    pub part_header: usize,
    /// Parts of a form.
    pub parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 128,
            key: 64 * 1024,
            number: 1024,
            fact: 4096,
            facts: 16 * 1024,
            record: 16 * 1024 * 1024,
            event: 8 * 1024 * 1024,
            channels: 256,
            part_header: 16 * 1024,
            parts: 1024,
        }
    }
}

/// What edits of the catalog need to know about the tenant and the gateway.
#[derive(Clone, Default)]
pub struct Rewrite {
    /// The tenant's key for [`EditAction::Salt`](crate::catalog::EditAction::Salt).
    pub salt: Option<Arc<hmac::Key>>,
    /// The prefixes for [`EditAction::Rebase`](crate::catalog::EditAction::Rebase).
    pub rebase: Option<Arc<Rebase>>,
}

/// A swap of URL prefixes: `https://api.example/v1` becomes `https://gateway.example/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebase {
    /// The prefix to take away: scheme, authority, perhaps a path; no `/` at its end.
    pub from: String,
    /// The prefix to put in its place; no `/` at its end.
    pub to: String,
}

impl Rebase {
    /// The URL under the other prefix, if it stands under the first. Scheme and authority are compared without
    /// regard to case (RFC 3986, 6.2.2.1), the path with. Servers behind TLS often don't know of it and write `http`.
    #[must_use]
    pub fn apply(&self, url: &str) -> Option<String> {
        let path_at = self.from.find("://").map_or(0, |at| at + 3);
        let path_at = self.from[path_at..].find('/').map_or(self.from.len(), |at| path_at + at);
        let (origin, path) = self.from.split_at(path_at);
        let plain = || strip_ignoring_case(url, &format!("http{}", origin.strip_prefix("https")?));
        let rest = strip_ignoring_case(url, origin).or_else(plain)?.strip_prefix(path)?;
        if rest.is_empty() || rest.starts_with(['/', '?', '#']) {
            Some(format!("{}{rest}", self.to))
        } else {
            None
        }
    }
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) { text.get(prefix.len()..) } else { None }
}

/// What was counted on the way. Shared by all that work on one body.
#[derive(Debug, Default)]
pub struct Meter {
    bytes: AtomicU64,
    records: AtomicU64,
    events: AtomicU64,
}

impl Meter {
    /// Records of JSON lines that passed.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Events of an event stream that passed.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Bytes of the body that arrived so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// So many bytes of the body have arrived by now.
    pub fn arrived(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn count_record(&self) {
        self.records.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_event(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }
}

/// What becomes of bytes that are no text, written as text inside a document: an image as base64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Embedded {
    /// They pass as they are.
    #[default]
    Pass,
    /// The body doesn't pass.
    Block,
}

/// What becomes of lines of records (JSON lines) that nobody judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinesOfRecords {
    /// They pass, censored.
    #[default]
    Censored,
    /// The body doesn't pass: what it stands in was let by because it is read for no records.
    Refused,
}

/// Who censors a body, for whom, which way, within which bounds. Cheap to clone.
#[derive(Clone)]
pub struct Job {
    /// Finds.
    pub engine: Arc<Engine>,
    /// Replaces, and knows the pseudonyms of the exchange.
    pub exchange: Exchange,
    /// Whether pseudonyms are restored.
    pub side: Side,
    /// Which way the body goes: it decides whose doing a refusal is.
    pub direction: Direction,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// What becomes of images and the like inside documents.
    pub embedded: Embedded,
    /// What becomes of text in another encoding than UTF-8.
    pub other_charsets: OtherCharsets,
    /// What becomes of lines of records where no judge is asked.
    pub lines: LinesOfRecords,
    /// What edits need.
    pub rewrite: Rewrite,
    /// The counts.
    pub meter: Arc<Meter>,
}

/// Shared: most jobs get other limits at once.
static DEFAULT: LazyLock<Arc<Limits>> = LazyLock::new(Arc::default);

impl Job {
    /// A job with the default limits and nothing to rewrite. Requests are censored; responses are censored and
    /// their pseudonyms restored.
    #[must_use]
    pub fn new(engine: Arc<Engine>, exchange: Exchange, direction: Direction) -> Self {
        let side = match direction {
            Direction::Request => Side::Censor,
            Direction::Response => Side::CensorAndRestore,
        };
        Self {
            engine,
            exchange,
            side,
            direction,
            limits: Arc::clone(&DEFAULT),
            embedded: Embedded::default(),
            other_charsets: OtherCharsets::default(),
            lines: LinesOfRecords::default(),
            rewrite: Rewrite::default(),
            meter: Arc::default(),
        }
    }

    /// The refusal for a reason, seen from this body's direction: what would be the caller's doing in a request
    /// is the upstream's in an answer.
    #[must_use]
    pub fn refuse(&self, reason: Reason) -> Refusal {
        refusal(self.direction, reason)
    }

    /// The keyed hash of a text, in hex.
    pub(crate) fn salted(&self, text: &[u8]) -> Result<Vec<u8>, Refusal> {
        let Some(key) = &self.rewrite.salt else {
            return Err(self.refuse(Reason::Internal).log("an edit needs a salt and there is none"));
        };
        let tag = hmac::sign(key, text);
        let short = tag.as_ref().get(..16).unwrap_or_default();
        Ok(data_encoding::HEXLOWER.encode(short).into_bytes())
    }

    /// The refusal for a value that policy blocks.
    pub(crate) fn blocked(&self, rule: RuleIndex) -> Refusal {
        let id = &self.engine.rule(rule).id;
        self.refuse(Reason::ContentBlocked).detail(SafeText::named("rule", &ConfiguredName::assertion(id)))
    }
}

/// As [`Job::refuse`], for what has no job.
pub(crate) fn refusal(direction: Direction, reason: Reason) -> Refusal {
    let seen = match (direction, reason) {
        (Direction::Request, reason) => reason,
        (Direction::Response, Reason::ContentBlocked) => Reason::UpstreamContentBlocked,
        (Direction::Response, Reason::ContentTruncated) => Reason::UpstreamBroke,
        (Direction::Response, Reason::ContentMalformed | Reason::FieldAmbiguous | Reason::FieldMissing) => {
            Reason::UpstreamUnexpected
        }
        (
            Direction::Response,
            Reason::ContentNotUtf8
            | Reason::ContentTooDeep
            | Reason::ContentUninspectable
            | Reason::RecordTooLarge
            | Reason::BodyTooLarge,
        ) => Reason::UpstreamUninspectable,
        (Direction::Response, Reason::CodingUnknown | Reason::CodingBroken | Reason::CodingBomb) => {
            Reason::UpstreamCoding
        }
        (Direction::Response, reason) => reason,
    };
    Refusal::new(seen)
}
