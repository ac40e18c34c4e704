//! The stages of a request. Each can be made from the one before alone, so a way that skips a check does not compile:
//! `Received → Identified → Recognised → Read → Cleared` (in [`crate::upstream`]).

use std::sync::Arc;

use http::request::Parts;

use super::live::Live;
use super::plan::Plan;
use super::records::Judgings;
use super::touched::Touched;
use crate::catalog::{Catalog, Media, Operation, Params, Recognised as Match};
use crate::config::{Route, Snapshot, Tenant};
use crate::identity::{Caller, Credentials, Peer};
use crate::listener;
use crate::names::RequestId;
use crate::reason::{Reason, Refusal};

/// A request whose head can be read in one way only, on a route.
pub(super) struct Received {
    pub(super) id: RequestId,
    pub(super) touched: Touched,
    pub(super) live: Arc<Live>,
    pub(super) route: Arc<Route>,
    pub(super) parts: Parts,
    /// Where the route's own part of the path begins.
    stripped: usize,
}

/// A request of somebody we know.
pub(super) struct Identified {
    pub(super) received: Received,
    pub(super) caller: Caller,
    pub(super) tenant: Arc<Tenant>,
}

/// A request for an operation that the profile serves and the key is bound to.
pub(super) struct Recognised {
    pub(super) received: Received,
    pub(super) caller: Caller,
    pub(super) tenant: Arc<Tenant>,
    pub(super) plan: Arc<Plan>,
    pub(super) path: Params,
    pub(super) query: Params,
    /// The tenant granted that the upstream stores.
    pub(super) store_granted: bool,
    /// What becomes of the records of its files, where the tenant wants them judged.
    pub(super) judgings: Option<Judgings>,
}

impl Received {
    /// Looks at the head, and finds the route.
    pub(super) fn new(
        (id, touched): (RequestId, Touched),
        live: Arc<Live>,
        parts: Parts,
    ) -> Result<Self, (Refusal, Option<Arc<Route>>)> {
        let Some((route, stripped)) = find(live.snapshot(), &parts) else {
            return Err((Refusal::new(Reason::RouteUnknown), None));
        };
        let checks = listener::framing(&parts)
            .and_then(|()| super::head::loops(&parts.headers))
            .and_then(|()| super::head::overrides(&parts.headers, route.catalog.headers()));
        match checks {
            Ok(()) => Ok(Self { id, touched, live, route, parts, stripped }),
            Err(refusal) => Err((refusal, Some(route))),
        }
    }

    /// The head of a request that a configuration is tried with. Nobody sent it, and it goes nowhere.
    pub(super) fn of_canary(live: &Arc<Live>, route: &Arc<Route>, parts: Parts, touched: Touched) -> Self {
        let (id, stripped) = (RequestId::fresh(), route.prefix.len());
        Self { id, touched, live: Arc::clone(live), route: Arc::clone(route), parts, stripped }
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        self.live.snapshot()
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.route.catalog
    }

    /// The path as it came, without the route's prefix.
    pub(super) fn path(&self) -> &str {
        match &self.parts.uri.path()[self.stripped..] {
            "" => "/",
            path => path,
        }
    }

    /// Asks who is calling.
    pub(super) async fn identify(self, peer: &Peer) -> Result<Identified, Refusal> {
        let snapshot = self.live.snapshot();
        let credentials = Credentials::gather(&self.parts.headers, peer)?;
        let caller = snapshot.directory.identify(&credentials, jiff::Timestamp::now()).await?;
        let tenant = snapshot.tenants.get(&caller.tenant).cloned();
        let tenant = tenant
            .ok_or_else(|| Refusal::new(Reason::Internal).log("a credential's tenant is not configured"))?;
        Ok(Identified { received: self, caller, tenant })
    }
}

impl Identified {
    /// Asks what is asked. A refusal comes with the operation that was meant, if that is known.
    pub(super) fn recognise(self) -> Result<Recognised, (Refusal, Option<Arc<Operation>>)> {
        let (path, query, plan) = match self.asked() {
            Ok(asked) => asked,
            Err(refusal) => return Err((refusal, self.meant())),
        };
        let Self { received, caller, tenant } = self;
        let judgings = tenant.records.as_ref().map(|_| Judgings::default());
        Ok(Recognised { received, caller, tenant, plan, path, query, store_granted: false, judgings })
    }

    fn asked(&self) -> Result<(Params, Params, Arc<Plan>), Refusal> {
        let Received { parts, route, live, .. } = &self.received;
        let found = route.catalog.recognise_with(
            &parts.method,
            self.media(),
            self.received.path(),
            parts.uri.query(),
        );
        let Match { operation, path, query } = found?;
        may_call(&self.caller, &operation)?;
        let Some(plan) = live.plans().get(&route.name, &operation.id).cloned() else {
            return Err(Refusal::new(Reason::Internal).log("an operation has no plan"));
        };
        Ok((path, query, plan))
    }

    fn media(&self) -> Media {
        Media::named(super::inbound::media_type(&self.received.parts.headers).as_deref())
    }

    /// What a request that was refused asked for.
    fn meant(&self) -> Option<Arc<Operation>> {
        let Received { parts, route, .. } = &self.received;
        route.catalog.operation_of(&parts.method, self.media(), self.received.path()).cloned()
    }
}

impl Recognised {
    pub(super) fn operation(&self) -> &Operation {
        &self.plan.operation
    }
}

/// A key that is bound to one of the operation's purposes may call it. What the call needs beyond that depends on what it says.
pub(super) fn may_call(caller: &Caller, operation: &Operation) -> Result<(), Refusal> {
    caller.may_call(&operation.id)?;
    let purposes: Vec<_> = caller.purposes.iter().collect();
    if operation.serves(&purposes) {
        return Ok(());
    }
    caller.may(operation.purpose)
}

/// The route that serves the request's host and path, and how much of the path is its prefix.
fn find(snapshot: &Snapshot, parts: &Parts) -> Option<(Arc<Route>, usize)> {
    let host =
        parts.uri.host().or_else(|| {
            let host = parts.headers.get(http::header::HOST)?.to_str().ok()?;
            Some(host.rsplit_once(':').map_or(host, |(name, port)| {
                if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host }
            }))
        });
    let path = parts.uri.path();
    snapshot.routes.iter().find_map(|route| {
        let of_host =
            route.host.as_deref().is_none_or(|h| host.is_some_and(|host| host.eq_ignore_ascii_case(h)));
        let rest = path.strip_prefix(route.prefix.as_str())?;
        let of_path = rest.is_empty() || rest.starts_with('/');
        (of_host && of_path).then(|| (Arc::clone(route), route.prefix.len()))
    })
}
