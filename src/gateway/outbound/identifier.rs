//! An answer that is one id, as text.

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_ENCODING;

use super::super::trail::Trail;
use super::Call;
use crate::body::pump::Pump;
use crate::body::{FactValue, Facts, Outgoing, Pass};
use crate::catalog::IdClass;
use crate::names::Direction;
use crate::reason::{Reason, Refusal};
use crate::upstream::AnswerBody;

/// The longest answer that is an id.
const MAX_ID: usize = 512;

/// An answer that is one id is the caller's before the caller learns it. It is one of the kind's ids, or nothing.
pub(super) async fn answer(
    call: &Call,
    parts: http::response::Parts,
    body: AnswerBody,
    trail: &mut Trail,
) -> Result<Response<Outgoing>, Refusal> {
    let unexpected = || Refusal::new(Reason::UpstreamUnexpected).log("an answer that is no id");
    let bounds = call.bounds();
    let coding = parts.headers.get_all(CONTENT_ENCODING).iter();
    let decoder = super::super::coded(coding, &bounds, call.request.received.snapshot())?;
    let bytes = Pump::new(body, decoder, Pass, bounds).at_most(MAX_ID).await?;
    let id = std::str::from_utf8(&bytes).map_err(|_error| unexpected())?.trim();
    let operation = call.request.operation();
    let kind = operation.creates.iter().chain(&operation.yields).map(|one| &one.kind).next();
    let rule = kind.map(|kind| call.request.received.catalog().kind(kind));
    if rule.is_none_or(|rule| rule.classify(id) != IdClass::Owned) {
        return Err(unexpected());
    }
    let mut facts = Facts::default();
    facts.add(0, FactValue::Text(Box::from(id)));
    call.claiming().record(&facts).await?;
    trail.measure(Direction::Response, bytes.len() as u64);
    let mut response = Response::new(Outgoing::Full(Some(Bytes::from(id.to_owned()))));
    *response.status_mut() = parts.status;
    *response.headers_mut() = call.headers(&parts.headers)?;
    trail.allowed(parts.status).await?;
    Ok(response)
}
