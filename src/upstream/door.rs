//! What a request must have to leave.

use http::{HeaderMap, Method, Request, Uri};

use super::pool::UpstreamBody;
use crate::body::{Censored, Outgoing};
use crate::consent::Permit;
use crate::isolation::TenantScope;
use crate::lifecycle::Order;
use crate::names::TenantId;

/// Method, target and headers as the upstream shall see them.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The whole target, the upstream's scheme and authority included.
    pub uri: Uri,
    /// The headers, the account's credential included.
    pub headers: HeaderMap,
}

/// Says that the operator looks at an account, and no caller of the gateway. Commands make it, and nothing else:
/// `tests/tidy` looks for the word.
#[derive(Debug)]
pub struct Desk(());

impl Desk {
    /// The operator asked for it.
    #[must_use]
    pub const fn of_the_operator() -> Self {
        Self(())
    }
}

/// A request that passed every check. Each proof is made by one checking function; to leave one out does not compile.
#[derive(Debug)]
pub struct Cleared {
    tenant: TenantId,
    request: Request<UpstreamBody>,
}

impl Cleared {
    /// Puts the proofs together. They are spent by it.
    #[must_use]
    pub fn new(head: Head, scope: &TenantScope, permit: &Permit, body: Censored) -> Self {
        let mut request = Request::new(body.into_inner());
        *request.method_mut() = head.method;
        *request.uri_mut() = head.uri;
        *request.headers_mut() = head.headers;
        // An opt-out accompanies everything that was not granted a training use (draft-ietf-aipref-attach).
        if !permit.training() {
            request.headers_mut().insert("content-usage", http::HeaderValue::from_static("train-ai=n"));
        }
        Self { tenant: scope.tenant().clone(), request }
    }

    /// A call that the gateway makes by itself: it takes back, cancels, deletes, or asks whether that worked. What it is about
    /// is the order's; it carries nothing of anybody's.
    #[must_use]
    pub fn taking_back(order: &Order, uri: Uri, headers: HeaderMap) -> Self {
        Self::bare(Head { method: order.method().clone(), uri, headers }, order.tenant().clone())
    }

    fn bare(head: Head, tenant: TenantId) -> Self {
        let mut request = Request::new(Outgoing::Empty);
        *request.method_mut() = head.method;
        *request.uri_mut() = head.uri;
        *request.headers_mut() = head.headers;
        Self { tenant, request }
    }

    /// The operator's own look at what lies in the account. Nothing goes up with it, and no tenant is shown what comes back.
    #[must_use]
    pub fn at_the_desk(head: Head, _operator: &Desk) -> Self {
        Self::bare(head, TenantId::new("operator"))
    }

    /// Whose request it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub(super) fn into_request(self) -> Request<UpstreamBody> {
        self.request
    }
}
