//! What happens to headers, as a profile says. Framing, credentials and hop-by-hop headers are the gateway's own:
//! it deals with them first and asks these rules about the others.

use http::{HeaderName, HeaderValue};

/// The compiled lists.
#[derive(Clone, Debug)]
pub struct HeaderRules {
    pub(super) request: RequestRules,
    pub(super) response: ResponseRules,
}

/// Names, and beginnings of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) exact: Vec<HeaderName>,
    pub(super) starts: Vec<Box<str>>,
}

impl Names {
    fn has(&self, name: &HeaderName) -> bool {
        self.exact.contains(name) || self.starts.iter().any(|start| name.as_str().starts_with(&**start))
    }
}

#[derive(Clone, Debug)]
pub(super) struct RequestRules {
    pub(super) pass: Names,
    pub(super) drop: Names,
    pub(super) salt: Names,
    pub(super) refuse: Names,
    pub(super) set: Vec<(HeaderName, HeaderValue)>,
    pub(super) others_pass: bool,
}

#[derive(Clone, Debug)]
pub(super) struct ResponseRules {
    pub(super) pass: Names,
    pub(super) drop: Names,
    pub(super) pin: Vec<(HeaderName, HeaderValue)>,
    pub(super) others_pass: bool,
}

/// What happens to a header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestHeader {
    /// It passes.
    Pass,
    /// It is removed.
    Drop,
    /// A keyed hash of it passes, so that equal values of two tenants differ upstream.
    Salt,
    /// The request is refused: `header_ambiguous`.
    Refuse,
}

/// What happens to a header of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseHeader<'r> {
    /// It passes.
    Pass,
    /// It is removed.
    Drop,
    /// The caller gets this value.
    Pin(&'r HeaderValue),
}

impl HeaderRules {
    /// What happens to a header towards the upstream.
    #[must_use]
    pub fn request(&self, name: &HeaderName) -> RequestHeader {
        let rules = &self.request;
        if rules.refuse.has(name) {
            RequestHeader::Refuse
        } else if rules.drop.has(name) || rules.set.iter().any(|(set, _)| set == name) {
            RequestHeader::Drop
        } else if rules.salt.has(name) {
            RequestHeader::Salt
        } else if rules.others_pass || rules.pass.has(name) {
            RequestHeader::Pass
        } else {
            RequestHeader::Drop
        }
    }

    /// What is put into every request, after the caller's headers were looked at.
    #[must_use]
    pub fn set(&self) -> &[(HeaderName, HeaderValue)] {
        &self.request.set
    }

    /// What happens to a header towards the caller.
    #[must_use]
    pub fn response(&self, name: &HeaderName) -> ResponseHeader<'_> {
        let rules = &self.response;
        if let Some((_, value)) = rules.pin.iter().find(|(pinned, _)| pinned == name) {
            ResponseHeader::Pin(value)
        } else if rules.drop.has(name) {
            ResponseHeader::Drop
        } else if rules.others_pass || rules.pass.has(name) {
            ResponseHeader::Pass
        } else {
            ResponseHeader::Drop
        }
    }
}
