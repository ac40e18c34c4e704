//! Why something did not pass. A refusal has exactly one [`Reason`] from a closed set; it names
//! the HTTP status, the metric label and the audit code, so that the three can't disagree.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

/// Whose doing a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The caller sent something that no policy would let pass.
    Client,
    /// The upstream did not answer, or not as its profile says.
    Upstream,
    /// The request was understood, and the policy says no.
    Policy,
    /// The gateway could not do its work.
    Us,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $blame:ident, $title:literal;)*) => {
        /// The closed set of reasons for a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* #[doc = $title] $name,)* }

        impl Reason {
            /// Every reason: for metrics that start at zero and for the documents.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Metric label, audit code and the `code` of an error body.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The status of the answer.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// Whose doing it is.
            #[must_use]
            pub const fn blame(self) -> Blame {
                match self { $(Self::$name => Blame::$blame,)* }
            }

            /// One sentence for the client.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

reasons! {
    // Who is calling?
    CredentialMissing = "credential_missing", UNAUTHORIZED, Client, "No credential was presented.";
    CredentialInvalid = "credential_invalid", UNAUTHORIZED, Client, "The credential is not valid.";
    CredentialExpired = "credential_expired", UNAUTHORIZED, Client, "The credential has expired.";
    CredentialConflict = "credential_conflict", UNAUTHORIZED, Client, "The request carries two different identities.";
    IdentityUnavailable = "identity_unavailable", SERVICE_UNAVAILABLE, Us, "The keys that the credential is verified with can't be had.";
    // What is asked?
    RouteUnknown = "route_unknown", NOT_FOUND, Client, "No route serves this host and path.";
    OperationUnknown = "operation_unknown", NOT_FOUND, Policy, "No operation of the API profile matches this method and path.";
    OperationRefused = "operation_refused", FORBIDDEN, Policy, "The API profile refuses this operation.";
    PathNotCanonical = "path_not_canonical", BAD_REQUEST, Client, "The path can be read in more than one way.";
    QueryAmbiguous = "query_ambiguous", BAD_REQUEST, Client, "A query parameter that decides is repeated or malformed.";
    FieldAmbiguous = "field_ambiguous", BAD_REQUEST, Client, "A field that decides is repeated.";
    FieldMissing = "field_missing", BAD_REQUEST, Client, "A field that decides is missing.";
    FieldNotAllowed = "field_not_allowed", FORBIDDEN, Policy, "The API profile refuses this field or value.";
    RequestMalformed = "request_malformed", BAD_REQUEST, Client, "The request line or a header is malformed.";
    HeaderAmbiguous = "header_ambiguous", BAD_REQUEST, Client, "A header changes the meaning of the request for some readers only.";
    FramingConflict = "framing_conflict", BAD_REQUEST, Client, "The framing headers contradict each other.";
    UpgradeRefused = "upgrade_refused", FORBIDDEN, Policy, "Protocol upgrades are not allowed here.";
    BodyTypeMismatch = "body_type_mismatch", UNSUPPORTED_MEDIA_TYPE, Client, "The operation takes another body type.";
    // Is it theirs?
    ResourceUnknown = "resource_unknown", NOT_FOUND, Policy, "No such resource.";
    BypassRefused = "bypass_refused", FORBIDDEN, Policy, "The answer would hold a credential that bypasses the gateway.";
    // May it be used so?
    PurposeNotAllowed = "purpose_not_allowed", FORBIDDEN, Policy, "The key is not bound to this purpose.";
    ConsentMissing = "consent_missing", FORBIDDEN, Policy, "No grant on record allows this use.";
    ConsentExpired = "consent_expired", FORBIDDEN, Policy, "The grant for this use is no longer valid.";
    RegionNotAllowed = "region_not_allowed", FORBIDDEN, Policy, "The upstream is not in the region that the tenant is bound to.";
    RecordRefused = "record_refused", UNPROCESSABLE_ENTITY, Policy, "A record of the data set may not be used so, and the policy refuses the file for it.";
    RecordsUnreadable = "records_unreadable", UNSUPPORTED_MEDIA_TYPE, Policy, "The data set can't be read record by record, and no policy lets such a file pass.";
    // What must not pass?
    ContentBlocked = "content_blocked", UNPROCESSABLE_ENTITY, Policy, "The body holds a value that the policy blocks.";
    ContentMalformed = "content_malformed", BAD_REQUEST, Client, "The body is not well-formed.";
    ContentNotUtf8 = "content_not_utf8", BAD_REQUEST, Client, "The body is not valid UTF-8.";
    ContentTruncated = "content_truncated", BAD_REQUEST, Client, "The body ends before its end.";
    ContentTooDeep = "content_too_deep", BAD_REQUEST, Client, "The body is nested deeper than the limit.";
    ContentUninspectable = "content_uninspectable", UNSUPPORTED_MEDIA_TYPE, Policy, "The body can't be inspected, and no policy lets this case pass.";
    CodingUnknown = "coding_unknown", UNSUPPORTED_MEDIA_TYPE, Client, "The content coding is unknown.";
    CodingBroken = "coding_broken", BAD_REQUEST, Client, "The content coding does not decode.";
    CodingBomb = "coding_bomb", PAYLOAD_TOO_LARGE, Client, "The body decodes to more than the limit or ratio allows.";
    AnalyserUnavailable = "analyser_unavailable", SERVICE_UNAVAILABLE, Us, "The analyser that has to see the body gave no answer that can be used.";
    // Limits
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, Client, "The body is larger than the limit.";
    HeaderTooLarge = "header_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, Client, "The header section is larger than the limit.";
    RecordTooLarge = "record_too_large", PAYLOAD_TOO_LARGE, Client, "A record of the body is larger than the limit.";
    SpoolFull = "spool_full", SERVICE_UNAVAILABLE, Us, "There is no room to hold the body until it can be decided.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, Client, "The request body did not arrive in time.";
    ClientGone = "client_gone", BAD_REQUEST, Client, "The caller went away before the end.";
    TenantOverLimit = "tenant_over_limit", TOO_MANY_REQUESTS, Policy, "The tenant has reached its limit of concurrent requests, or of bytes that wait to be decided.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, Us, "The gateway is at its limit.";
    Draining = "draining", SERVICE_UNAVAILABLE, Us, "The gateway is shutting down.";
    // Upstream
    UpstreamUnreachable = "upstream_unreachable", BAD_GATEWAY, Upstream, "The upstream can't be reached.";
    UpstreamTls = "upstream_tls", BAD_GATEWAY, Upstream, "The upstream's certificate is not trusted.";
    UpstreamTimeout = "upstream_timeout", GATEWAY_TIMEOUT, Upstream, "The upstream did not answer in time.";
    UpstreamBroke = "upstream_broke", BAD_GATEWAY, Upstream, "The upstream broke off its answer.";
    UpstreamUnexpected = "upstream_unexpected", BAD_GATEWAY, Upstream, "The upstream answered in a shape that the API profile does not expect.";
    UpstreamUninspectable = "upstream_uninspectable", BAD_GATEWAY, Policy, "The upstream's answer can't be inspected, and no policy lets this case pass.";
    UpstreamContentBlocked = "upstream_content_blocked", BAD_GATEWAY, Policy, "The upstream's answer holds a value that the policy blocks.";
    UpstreamCoding = "upstream_coding", BAD_GATEWAY, Upstream, "The upstream's content coding is unknown, broken or a bomb.";
    UpstreamLimited = "upstream_limited", TOO_MANY_REQUESTS, Upstream, "The upstream takes no more requests for now.";
    UpstreamDenied = "upstream_denied", FORBIDDEN, Upstream, "The upstream does not allow this to the account.";
    UpstreamRedirect = "upstream_redirect", BAD_GATEWAY, Upstream, "The upstream redirects to a place that is not its own.";
    // Us
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, Us, "The store can't record or answer.";
    AuditUnavailable = "audit_unavailable", SERVICE_UNAVAILABLE, Us, "The audit trail can't record the decision.";
    Internal = "internal", INTERNAL_SERVER_ERROR, Us, "The gateway failed.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Text that may reach a client, a log, a metric or the audit trail. It can be made from literals,
/// numbers and configured names only: never from a body, a header or a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeText(Cow<'static, str>);

impl SafeText {
    /// A literal followed by a number: `line 17`.
    #[must_use]
    pub fn numbered(what: &'static str, number: u64) -> Self {
        Self(Cow::Owned(format!("{what} {number}")))
    }

    /// A literal followed by a name that comes from the configuration or a profile.
    #[must_use]
    pub fn named(what: &'static str, name: &ConfiguredName<'_>) -> Self {
        Self(Cow::Owned(format!("{what} {}", name.0)))
    }

    /// This text and another after it.
    #[must_use]
    pub fn and(self, more: &Self) -> Self {
        Self(Cow::Owned(format!("{}, {}", self.0, more.0)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for SafeText {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that stands in the configuration or in an API profile. To make one from a caller's
/// bytes is a mistake that a reviewer can grep for.
#[derive(Clone, Copy, Debug)]
pub struct ConfiguredName<'a>(&'a str);

impl<'a> ConfiguredName<'a> {
    /// States that the text comes from the configuration.
    #[must_use]
    pub const fn assertion(name: &'a str) -> Self {
        Self(name)
    }
}

/// A refusal: one reason, what the client is told beyond the reason's own sentence, and what only
/// the log is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The one reason.
    pub reason: Reason,
    /// Where and what, for the client.
    pub detail: Option<SafeText>,
    /// More, for the operator's log only.
    pub log: Option<SafeText>,
    /// The setting of a tenant's that decided, as a JSON pointer, where the reason doesn't tell.
    pub setting: Option<&'static str>,
    /// When to come back, for refusals that pass by themselves.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with nothing to add to its reason.
    #[must_use]
    pub const fn new(reason: Reason) -> Self {
        Self { reason, detail: None, log: None, setting: None, retry_after: None }
    }

    /// Adds what the client may know.
    #[must_use]
    pub fn detail(mut self, text: impl Into<SafeText>) -> Self {
        self.detail = Some(text.into());
        self
    }

    /// Adds the setting of the tenant's that decided.
    #[must_use]
    pub const fn set_by(mut self, setting: &'static str) -> Self {
        self.setting = Some(setting);
        self
    }

    /// Adds what the operator may know.
    #[must_use]
    pub fn log(mut self, text: impl Into<SafeText>) -> Self {
        self.log = Some(text.into());
        self
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(log) = &self.log {
            write!(f, " ({log})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
