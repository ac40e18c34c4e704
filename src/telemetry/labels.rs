//! The closed sets that are label values.

use http::{Method, StatusCode};

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The label's value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    )*};
}

labels! {
    /// A listener.
    Listener {
        /// Callers.
        Data = "data",
        /// Prometheus and probes.
        Metrics = "metrics",
    }

    /// Where a connection is.
    ConnectionState {
        /// The TLS handshake is under way.
        Handshaking = "handshaking",
        /// Requests can come.
        Open = "open",
    }

    /// What the gateway itself spends time on.
    Stage {
        /// From the request's head to the decision that it may go on.
        Decide = "decide",
        /// Reading and censoring the request's body.
        Request = "request",
        /// Waiting for the store and the audit trail.
        Record = "record",
        /// Reading and censoring the answer.
        Response = "response",
    }

    /// How a question of consent ended.
    ConsentOutcome {
        /// The use is granted.
        Permit = "permit",
        /// The use is refused.
        Deny = "deny",
        /// The request went on without the use (`store` set to false, the opt-out added).
        Strip = "strip",
        /// Nothing is on record, which is a no.
        Unknown = "unknown",
    }

    /// How isolation was about to be broken. Each is a reason to look.
    Violation {
        /// A request named another tenant's resource.
        CrossTenantId = "cross_tenant_id",
        /// An answer held another tenant's resource outside of a list.
        ForeignInAnswer = "foreign_in_answer",
        /// The upstream gave a tenant an id that is another's.
        ConflictingClaim = "conflicting_claim",
        /// A request carried the identities of two tenants.
        IdentityConflict = "identity_conflict",
        /// An answer held a credential that would bypass the gateway.
        BypassCredential = "bypass_credential",
    }

    /// How a TLS handshake ended.
    Handshake {
        /// Well.
        Ok = "ok",
        /// It took too long.
        Timeout = "timeout",
        /// No protocol, cipher or certificate that both like.
        Failed = "failed",
        /// The connection ended before its end.
        Closed = "closed",
        /// There were too many connections.
        Shed = "shed",
    }

    /// The version of TLS.
    TlsVersion {
        /// 1.2.
        V12 = "1.2",
        /// 1.3.
        V13 = "1.3",
        /// The handshake did not come so far.
        None = "none",
    }
}

/// Methods that are label values; others are `_other`.
pub(super) const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "_other"];

/// The index of a method in [`METHODS`].
pub(super) fn method_index(method: &Method) -> usize {
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

/// Classes of statuses; `none` if the caller got no answer.
pub(super) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The index of a status in [`CLASSES`].
pub(super) fn class_index(status: Option<StatusCode>) -> usize {
    status.map_or(0, |status| usize::from(status.as_u16() / 100).min(CLASSES.len() - 1))
}
