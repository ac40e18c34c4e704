//! Are tenants apart? Drives a running deployment with the keys of two tenants: every operation of a profile, in every
//! place where an id can stand. What is the other's has to be answered, byte for byte, as what never was.

mod client;
mod ends;
mod ids;
mod json;
mod looks;
mod making;
mod places;
mod report;
mod request;
mod samples;
mod stock;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderName, Method};
use secrecy::SecretString;

pub use client::Client;
pub use report::{Check, Outcome, Report, Row};
pub use samples::Samples;

use crate::catalog::{Catalog, Operation};
use crate::names::{Kind, OperationId};
use crate::reason::{Reason, Refusal};
use client::{Answer, Call, Varying, shown};
use request::Draft;
use stock::{Made, Stock};

/// A route of the deployment.
pub struct Walked {
    /// Its name.
    pub name: String,
    /// The path that it serves, without a slash at the end.
    pub prefix: String,
    /// The host that it serves, if it is for one.
    pub host: Option<String>,
    /// What it speaks.
    pub catalog: Arc<Catalog>,
    /// What the profile can't tell.
    pub samples: Samples,
}

/// The keys of two tenants that have nothing to do with each other.
pub struct Keys {
    /// Whose resources are tried.
    pub a: SecretString,
    /// Who tries.
    pub b: SecretString,
}

/// How to walk.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// How long what comes by itself is waited for.
    pub wait: Duration,
    /// Only the places of these operations; of all, if none is named.
    pub only: Vec<OperationId>,
}

/// No further call is made.
struct Stopped;

/// One of the two.
struct Tenant {
    name: &'static str,
    key: SecretString,
    stock: Stock,
}

/// The walk over one route.
struct Walk<'w> {
    client: &'w Client,
    route: &'w Walked,
    varying: Varying,
    terms: &'w Terms,
    report: &'w mut Report,
    /// Asked between calls: no further one is begun, but for those that take back what was made.
    stop: &'w Cell<bool>,
}

/// Walks a route, and writes down what it finds as it goes. What it makes it takes back, also when it is told to stop
/// half-way.
///
/// # Errors
/// If a tenant can't call at all.
pub async fn walk(
    client: &Client,
    route: &Walked,
    keys: &Keys,
    terms: &Terms,
    report: &mut Report,
    stop: &Cell<bool>,
) -> Result<(), String> {
    let tenant = |name, key: &SecretString| Tenant { name, key: key.clone(), stock: Stock::default() };
    let (mut a, mut b) = (tenant("A", &keys.a), tenant("B", &keys.b));
    let varying = varying(&route.catalog);
    let mut walk = Walk { client, route, varying, terms, report, stop };
    walk.reach(&a).await?;
    walk.reach(&b).await?;
    let stepped = walk.steps(&mut a, &mut b).await;
    walk.clean(&mut b).await;
    walk.clean(&mut a).await;
    let ended = match stepped {
        Ok(()) => walk.ended(&a, &b).await,
        stopped => stopped,
    };
    ended.map_err(|Stopped| format!("it was stopped; {}", walk.left()))
}

/// What differs by nature: the date, and the request's id.
fn varying(catalog: &Catalog) -> Varying {
    const TRACE: HeaderName = HeaderName::from_static("traceparent");
    const ID: &str = "the-id-of-a-request";
    let answer = catalog.error(&Refusal::new(Reason::ResourceUnknown), ID, None);
    let ids = answer.headers.iter().filter(|(_, value)| value.as_bytes() == ID.as_bytes());
    Varying { headers: vec![DATE, TRACE], ids: ids.map(|(name, _)| name.clone()).collect() }
}

impl Walk<'_> {
    /// A tenant's key opens the door.
    async fn reach(&mut self, tenant: &Tenant) -> Result<(), String> {
        let first = self.served().find(|o| o.method == Method::GET && !o.template.contains('{'));
        let target = first.map_or_else(|| "/".to_owned(), |operation| operation.template.to_string());
        let call = Call {
            method: Method::GET,
            target: format!("{}{target}", self.route.prefix),
            host: self.route.host.clone(),
            headers: Vec::new(),
            content_type: None,
            body: Bytes::new(),
        };
        match self.send(tenant, &call).await.status {
            0 => Err(format!(
                "route `{}`: the deployment gives tenant {} no answer",
                self.route.name, tenant.name
            )),
            401 => Err(format!(
                "route `{}`: the key of tenant {} is not known there",
                self.route.name, tenant.name
            )),
            _ => Ok(()),
        }
    }

    async fn steps(&mut self, a: &mut Tenant, b: &mut Tenant) -> Result<(), Stopped> {
        self.make(b).await?;
        let before = self.look(b).await?;
        self.make(a).await?;
        let own = self.look(a).await?;
        let after = self.look(b).await?;
        self.apart(&before, &after, a);
        self.own(&own, a);
        self.places(a, b).await?;
        self.refused(b).await?;
        let again = self.look(a).await?;
        self.unchanged(&own, &again);
        Ok(())
    }

    async fn send(&mut self, tenant: &Tenant, call: &Call) -> Answer {
        let answer = self.client.send(&tenant.key, call, &self.varying).await;
        self.report.answers += usize::from(answer.status != 0);
        answer
    }

    async fn ask(
        &mut self,
        tenant: &Tenant,
        operation: &Operation,
        draft: &Draft,
    ) -> Result<Answer, Stopped> {
        if self.stop.get() {
            return Err(Stopped);
        }
        let call = draft.call(operation, &self.route.prefix, self.route.host.as_deref());
        Ok(self.send(tenant, &call).await)
    }

    /// The operations that the profile serves.
    fn served(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.route.catalog.operations().iter().filter(|operation| operation.refused.is_none())
    }

    /// Whether the places of an operation are tried.
    fn is_tried(&self, operation: &OperationId) -> bool {
        self.terms.only.is_empty() || self.terms.only.contains(operation)
    }

    /// What an id that never was has to be answered.
    fn is_unknown(&self, answer: &Answer, kind: &Kind) -> bool {
        let unknown = self.route.catalog.error(&Refusal::new(Reason::ResourceUnknown), "", Some(kind));
        answer.status == unknown.status.as_u16() && answer.body == unknown.body
    }

    fn row(&mut self, of: (&OperationId, Check), place: &str, kind: &str, outcome: Outcome, detail: String) {
        self.report.rows.push(Row {
            route: self.route.name.clone(),
            operation: of.0.to_string(),
            check: of.1,
            place: place.to_owned(),
            kind: kind.to_owned(),
            outcome,
            detail,
        });
    }

    fn left(&self) -> String {
        match self.report.left.as_slice() {
            [] => "what it made was taken back".to_owned(),
            left => format!("left behind: {}", report::plain(&left.join("; "))),
        }
    }
}
