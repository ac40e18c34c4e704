//! What an entry can say. Every field is a configured name, a word of a closed set, a number or a keyed hash.

use std::cell::RefCell;
use std::io::Write;

use http::StatusCode;
use jiff::Timestamp;

use super::chain::{HASH, hex, number};
use super::keyed::Keyed;
use crate::names::{
    ClientTag, Direction, Entity, KeyId, Kind, OperationId, Purpose, RequestId, RouteName, TenantId,
};
use crate::reason::Reason;

/// Items of one list that an entry names; what is beyond is counted.
const LISTED: usize = 256;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It passed unchanged.
    Forward,
    /// It passed, and something in it was replaced.
    Censored,
    /// The policy or the caller's own fault stopped it.
    Denied,
    /// The gateway or the upstream failed.
    Error,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 4] = [Self::Forward, Self::Censored, Self::Denied, Self::Error];

    /// Metric label and audit word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Censored => "censored",
            Self::Denied => "denied",
            Self::Error => "error",
        }
    }
}

/// The entry of one request.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The request.
    pub request: RequestId,
    /// What became of it.
    pub decision: Decision,
    /// Why it did not pass.
    pub reason: Option<Reason>,
    /// Whose it was, if that was found out.
    pub tenant: Option<TenantId>,
    /// With which key.
    pub key: Option<KeyId>,
    /// From which address.
    pub peer: Option<ClientTag>,
    /// By which route.
    pub route: Option<RouteName>,
    /// What it asked for.
    pub operation: Option<OperationId>,
    /// What for.
    pub purpose: Option<Purpose>,
    /// The configuration that decided.
    pub generation: u64,
    /// The status that the caller got; none if the caller was gone.
    pub status: Option<StatusCode>,
    /// What would have become of it, were its censor not running dry. Then what was found was left as it was.
    pub dry_run: Option<Decision>,
    /// Values that were found.
    pub found: Vec<Found>,
    /// Records of the bodies.
    pub records: Records,
    /// How the records of a data set were judged.
    pub judged: Option<JudgedRecords>,
    /// Bytes of the request's body, as the caller sent them.
    pub bytes_in: u64,
    /// Bytes of the answer's body, as the caller got them.
    pub bytes_out: u64,
    /// Resources that it touched.
    pub resources: Vec<Named>,
}

/// How many values of a kind were treated in which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What they are.
    pub entity: Entity,
    /// Which way they went.
    pub direction: Direction,
    /// What was done, or would have been in a dry run: `redact`, `mask`, `hash`, `pseudonym`, `fpe`, `block`.
    pub action: &'static str,
    /// How many.
    pub count: u64,
}

/// Counts of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Passed unchanged.
    pub passed: u64,
    /// Passed with something replaced.
    pub censored: u64,
    /// Left out.
    pub dropped: u64,
    /// Passed without whoever they are about.
    pub anonymised: u64,
}

/// How the records of a data set were judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRecords {
    /// Passed without whoever they are about.
    pub anonymised: u64,
    /// Left out.
    pub dropped: u64,
    /// Files that passed without being read record by record.
    pub unread: u64,
    /// SHA-256 over the lines of the report: whoever has the file can show which records were meant.
    pub hash: [u8; HASH],
    /// What was found.
    pub findings: Vec<JudgedFinding>,
}

/// How many records had a finding, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedFinding {
    /// What was found: a word of a closed set.
    pub finding: &'static str,
    /// What became of them: `pass`, `anonymise`, `drop`.
    pub action: &'static str,
    /// How many.
    pub count: u64,
}

/// A resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its kind.
    pub kind: Kind,
    /// Its keyed id.
    pub id: Keyed,
    /// Its part in the request.
    pub role: Role,
}

/// The part of a resource in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The request named it.
    Used,
    /// The request brought it into being, or showed it first.
    Created,
    /// The request ended it.
    Ended,
    /// It could not be recorded and was taken back.
    Undone,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Created => "created",
            Self::Ended => "ended",
            Self::Undone => "undone",
        }
    }
}

impl Entry {
    /// An entry that says no more than this.
    #[must_use]
    pub const fn new(request: RequestId, decision: Decision) -> Self {
        Self {
            request,
            decision,
            reason: None,
            tenant: None,
            key: None,
            peer: None,
            route: None,
            operation: None,
            purpose: None,
            generation: 0,
            status: None,
            dry_run: None,
            found: Vec::new(),
            records: Records { passed: 0, censored: 0, dropped: 0, anonymised: 0 },
            judged: None,
            bytes_in: 0,
            bytes_out: 0,
            resources: Vec::new(),
        }
    }

    /// Writes the members of the line.
    pub(super) fn members(&self, now: Timestamp, out: &mut Vec<u8>) {
        begin("decision", now, out);
        let mut id = [0; 36];
        pair("request", self.request.encode(&mut id), out);
        pair("decision", self.decision.as_str(), out);
        pair_if("dry_run", self.dry_run.map(Decision::as_str), out);
        pair_if("reason", self.reason.map(Reason::code), out);
        pair_if("tenant", self.tenant.as_ref().map(TenantId::as_str), out);
        pair_if("key", self.key.as_ref().map(KeyId::as_str), out);
        if let Some(peer) = self.peer {
            out.extend_from_slice(b",\"peer\":\"");
            hex(peer.as_bytes(), out);
            out.push(b'"');
        }
        pair_if("route", self.route.as_ref().map(RouteName::as_str), out);
        pair_if("operation", self.operation.as_ref().map(OperationId::as_str), out);
        pair_if("purpose", self.purpose.map(Purpose::as_str), out);
        count("generation", self.generation, out);
        count("status", self.status.map_or(0, |status| u64::from(status.as_u16())), out);
        count("bytes_in", self.bytes_in, out);
        count("bytes_out", self.bytes_out, out);
        let Records { passed, censored, dropped, anonymised } = self.records;
        if self.records != Records::default() {
            let _ok = write!(
                out,
                ",\"records\":{{\"passed\":{passed},\"censored\":{censored},\"dropped\":{dropped},\"anonymised\":{anonymised}}}"
            );
        }
        if let Some(judged) = &self.judged {
            out.extend_from_slice(b",\"judged\":{\"report\":\"");
            hex(&judged.hash, out);
            out.push(b'"');
            if judged.unread > 0 {
                count("unread", judged.unread, out);
            }
            list("findings", &judged.findings, out, |found, out| {
                out.extend_from_slice(b"{\"finding\":");
                text(found.finding, out);
                pair("action", found.action, out);
                count("count", found.count, out);
                out.push(b'}');
            });
            out.push(b'}');
        }
        list("found", &self.found, out, |found, out| {
            out.extend_from_slice(b"{\"entity\":");
            text(found.entity.as_str(), out);
            pair("direction", found.direction.as_str(), out);
            pair("action", found.action, out);
            count("count", found.count, out);
            out.push(b'}');
        });
        list("resources", &self.resources, out, |named, out| {
            out.extend_from_slice(b"{\"kind\":");
            text(named.kind.as_str(), out);
            out.extend_from_slice(b",\"id\":\"");
            named.id.hex(out);
            out.push(b'"');
            pair("role", named.role.as_str(), out);
            out.push(b'}');
        });
    }
}

/// Something that happened to the gateway or the trail itself.
#[derive(Clone, Debug)]
pub enum Mark {
    /// The gateway began to write.
    Opened {
        /// Its version.
        version: &'static str,
    },
    /// The gateway stopped in order.
    Closed,
    /// A configuration came into force.
    Loaded {
        /// Its number.
        generation: u64,
        /// A hash over its files.
        fingerprint: [u8; 32],
    },
    /// A configuration was refused, and the old one stays.
    LoadRefused,
    /// Something was recorded in the consent ledger.
    Consent {
        /// Whose data it is about.
        tenant: TenantId,
        /// What it does: `granted`, `withdrawn`, `refused`, `revoked`.
        change: &'static str,
        /// What for.
        purposes: Vec<Purpose>,
        /// Its number in the ledger.
        entry: u64,
        /// Its link of the ledger's chain: so the trail says what the ledger held.
        link: [u8; HASH],
    },
    /// The command line or the admin interface changed what is allowed.
    Changed {
        /// Whose.
        tenant: TenantId,
        /// What: a literal such as `consent_withdrawn`.
        what: &'static str,
        /// For which purpose.
        purpose: Option<Purpose>,
        /// About what.
        about: Option<Keyed>,
    },
    /// The operator changed by a command what is whose.
    ByHand {
        /// The deed's number: one that is told twice, since the gateway was killed, has the same.
        deed: u64,
        /// When it was done.
        at: Timestamp,
        /// What: a literal such as `adopted`.
        what: &'static str,
        /// For whom.
        tenant: TenantId,
        /// With which resource.
        resource: Option<(Kind, Keyed)>,
        /// The call that it came of, or the run of the command.
        request: RequestId,
    },
}

/// What the trail says of itself.
pub(super) enum Internal {
    /// A segment begins.
    Segment { number: u64, before: [u8; HASH] },
    /// The end of the trail was unreadable after a crash, and was put aside.
    Torn { bytes: u64 },
    /// Entries could not be written for a while, and so many requests were refused because of it.
    Gap { since: Timestamp, refused: u64 },
}

impl Mark {
    pub(super) fn members(&self, now: Timestamp, out: &mut Vec<u8>) {
        match self {
            Self::Opened { version } => {
                begin("opened", now, out);
                pair("version", version, out);
            }
            Self::Closed => begin("closed", now, out),
            Self::Loaded { generation, fingerprint } => {
                begin("loaded", now, out);
                count("generation", *generation, out);
                out.extend_from_slice(b",\"fingerprint\":\"");
                hex(fingerprint, out);
                out.push(b'"');
            }
            Self::LoadRefused => begin("load_refused", now, out),
            Self::Consent { tenant, change, purposes, entry, link } => {
                begin("consent", now, out);
                pair("tenant", tenant.as_str(), out);
                pair("change", change, out);
                list("purposes", purposes, out, |purpose, out| text(purpose.as_str(), out));
                count("entry", *entry, out);
                out.extend_from_slice(b",\"link\":\"");
                hex(link, out);
                out.push(b'"');
            }
            Self::Changed { tenant, what, purpose, about } => {
                begin("changed", now, out);
                pair("tenant", tenant.as_str(), out);
                pair("what", what, out);
                pair_if("purpose", purpose.map(Purpose::as_str), out);
                if let Some(about) = about {
                    out.extend_from_slice(b",\"about\":\"");
                    about.hex(out);
                    out.push(b'"');
                }
            }
            Self::ByHand { deed, at, what, tenant, resource, request } => {
                begin("by_hand", now, out);
                count("deed", *deed, out);
                let _ok = write!(out, ",\"done\":\"{at}\"");
                pair("what", what, out);
                pair("tenant", tenant.as_str(), out);
                if let Some((kind, id)) = resource {
                    pair("kind", kind.as_str(), out);
                    out.extend_from_slice(b",\"id\":\"");
                    id.hex(out);
                    out.push(b'"');
                }
                let mut text = [0; 36];
                pair("request", request.encode(&mut text), out);
            }
        }
    }
}

impl Internal {
    pub(super) fn members(&self, now: Timestamp, out: &mut Vec<u8>) {
        match self {
            Self::Segment { number, before } => {
                begin("segment", now, out);
                count("segment", *number, out);
                out.extend_from_slice(b",\"before\":\"");
                hex(before, out);
                out.push(b'"');
            }
            Self::Torn { bytes } => {
                begin("torn", now, out);
                count("bytes", *bytes, out);
            }
            Self::Gap { since, refused } => {
                begin("gap", now, out);
                let _ok = write!(out, ",\"since\":\"{since}\"");
                count("refused", *refused, out);
            }
        }
    }
}

fn begin(kind: &str, now: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"time\":\"");
    time(now, out);
    out.push(b'"');
    pair("type", kind, out);
}

/// A point in time as RFC 3339 has it, to the microsecond. What stands before the fraction is the same for a second.
pub(super) fn time(now: Timestamp, out: &mut Vec<u8>) {
    thread_local! {
        static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    let (second, nanos) = (now.as_second(), now.subsec_nanosecond());
    SECOND.with_borrow_mut(|(known, text)| {
        if *known != second {
            *text = format!("{now:.0}");
            text.truncate(text.len().saturating_sub(1));
            *known = second;
        }
        out.extend_from_slice(text.as_bytes());
    });
    let micros = u32::try_from(nanos / 1000).unwrap_or_default();
    let digit = |place: u32| b'0' + u8::try_from(micros / place % 10).unwrap_or_default();
    out.extend_from_slice(&[
        b'.',
        digit(100_000),
        digit(10_000),
        digit(1000),
        digit(100),
        digit(10),
        digit(1),
        b'Z',
    ]);
}

fn pair(name: &str, value: &str, out: &mut Vec<u8>) {
    member(name, out);
    text(value, out);
}

fn pair_if(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        pair(name, value, out);
    }
}

fn count(name: &str, value: u64, out: &mut Vec<u8>) {
    member(name, out);
    number(value, out);
}

fn member(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn list<T>(name: &str, items: &[T], out: &mut Vec<u8>, mut each: impl FnMut(&T, &mut Vec<u8>)) {
    if items.is_empty() {
        return;
    }
    member(name, out);
    out.push(b'[');
    for (n, item) in items.iter().take(LISTED).enumerate() {
        if n > 0 {
            out.push(b',');
        }
        each(item, out);
    }
    out.push(b']');
    if items.len() > LISTED {
        let _ok = write!(out, ",\"{name}_more\":{}", items.len() - LISTED);
    }
}

/// A JSON string.
fn text(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if value.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.extend_from_slice(value.as_bytes());
    } else {
        for c in value.chars() {
            match c {
                '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
                c if c < ' ' => drop(write!(out, "\\u{:04x}", u32::from(c))),
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}
