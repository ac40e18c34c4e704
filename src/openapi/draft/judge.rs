//! What can't be judged from a specification is refused, with the reason.

use crate::openapi::document::Described;
use crate::openapi::words;

use super::answer::Answer;
use super::operation::{Body, Drafted, Fate};

/// Decides whether the operation is served.
pub(super) fn fate(described: &Described<'_>, answer: &Answer, to: &mut Drafted) {
    let refused = |reason, because| Fate::Refused { reason, because };
    let mut segments = described.path.split('/').filter(|segment| !segment.contains('{'));
    let method = described.method.as_str();
    let names = to.names();
    to.fate = if described.statuses.contains(&"101") {
        refused("upgrade_refused", "leaves HTTP")
    } else if answer.credential {
        refused(
            "bypass_refused",
            "the answer holds what looks like a credential, which would be of use without the gateway",
        )
    } else if segments.any(words::of_the_account) {
        refused("operation_refused", "speaks of the account, its people or its keys")
    } else if answer.unfiltered {
        refused("operation_refused", "lists what may be anybody's, in a form that can't be filtered")
    } else if !names && to.list.is_none() && matches!(method, "GET" | "HEAD") {
        refused("operation_refused", "answers without saying whose data it is")
    } else if !names && matches!(method, "PUT" | "PATCH" | "DELETE") {
        refused("operation_refused", "changes what may be anybody's")
    } else if !names && to.creates.is_empty() && to.list.is_none() {
        refused("operation_refused", "need not name anything, and makes nothing that the specification tells")
    } else if !names && matches!(to.request, Body::Word("file" | "text")) {
        refused("operation_refused", "takes a body whose parts are not described")
    } else {
        Fate::Served
    };
}
