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
    } else if to.uses.is_empty() && to.list.is_none() && matches!(method, "GET" | "HEAD") {
        refused("operation_refused", "answers without saying whose data it is")
    } else if to.uses.is_empty() && matches!(method, "PUT" | "PATCH" | "DELETE") {
        refused("operation_refused", "changes what may be anybody's")
    } else if to.uses.is_empty() && to.creates.is_empty() && !answer.body {
        refused("operation_refused", "does something that the specification does not tell")
    } else if matches!(to.request, Body::Word("file" | "text")) && to.uses.is_empty() {
        refused("operation_refused", "takes a body whose parts are not described")
    } else {
        Fate::Served
    };
}
