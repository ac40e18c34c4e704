//! What happens to headers, as a profile says. Framing, credentials and hop-by-hop headers are the gateway's own:
//! it deals with them first and asks these rules about the others.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use http::{HeaderName, HeaderValue};

/// The compiled lists.
#[derive(Clone, Debug)]
pub struct HeaderRules {
    request: RequestRules,
    response: ResponseRules,
    /// What becomes of every name that stands in a list. Nothing is put in by a caller.
    named: HashMap<HeaderName, Fate, RandomState>,
    /// Whether names can be told by their beginning.
    beginnings: bool,
}

/// What happens to a header, in each direction.
#[derive(Clone, Copy, Debug)]
struct Fate {
    request: RequestHeader,
    response: Answered,
}

/// What happens to a header of an answer; a pinned value is told by its place.
#[derive(Clone, Copy, Debug)]
enum Answered {
    Pass,
    Drop,
    Pin(usize),
}

/// Names, and beginnings of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) exact: Vec<HeaderName>,
    pub(super) starts: Vec<Box<str>>,
}

impl Names {
    fn has(&self, name: &HeaderName) -> bool {
        self.exact.contains(name) || self.begins(name)
    }

    fn begins(&self, name: &HeaderName) -> bool {
        self.starts.iter().any(|start| name.as_str().starts_with(&**start))
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
    /// Rules whose lists are searched once for each name that stands in them, and not again.
    pub(super) fn new(request: RequestRules, response: ResponseRules) -> Self {
        let lists =
            [&request.pass, &request.drop, &request.salt, &request.refuse, &response.pass, &response.drop];
        let beginnings = lists.iter().any(|list| !list.starts.is_empty());
        let set = request.set.iter().map(|(name, _)| name);
        let pinned = response.pin.iter().map(|(name, _)| name);
        let all = lists.iter().flat_map(|list| &list.exact).chain(set).chain(pinned);
        let fate = |name: &HeaderName| Fate { request: request.fate(name), response: response.fate(name) };
        let named = all.map(|name| (name.clone(), fate(name))).collect();
        Self { request, response, named, beginnings }
    }

    fn fate(&self, name: &HeaderName) -> Fate {
        if let Some(fate) = self.named.get(name) {
            return *fate;
        }
        if self.beginnings {
            // No list has the whole name.
            let (request, response) = (&self.request, &self.response);
            return Fate {
                request: request.among(|list| list.begins(name), false),
                response: response.among(|list| list.begins(name)),
            };
        }
        Fate { request: self.request.other(), response: self.response.other() }
    }

    /// What happens to a header towards the upstream.
    #[must_use]
    pub fn request(&self, name: &HeaderName) -> RequestHeader {
        self.fate(name).request
    }

    /// What is put into every request, after the caller's headers were looked at.
    #[must_use]
    pub fn set(&self) -> &[(HeaderName, HeaderValue)] {
        &self.request.set
    }

    /// What happens to a header towards the caller.
    #[must_use]
    pub fn response(&self, name: &HeaderName) -> ResponseHeader<'_> {
        match self.fate(name).response {
            Answered::Pass => ResponseHeader::Pass,
            Answered::Drop => ResponseHeader::Drop,
            Answered::Pin(at) => {
                let pinned = self.response.pin.get(at);
                pinned.map_or(ResponseHeader::Drop, |(_, value)| ResponseHeader::Pin(value))
            }
        }
    }
}

impl RequestRules {
    fn fate(&self, name: &HeaderName) -> RequestHeader {
        self.among(|list| list.has(name), self.set.iter().any(|(set, _)| set == name))
    }

    /// By the lists that have it, and whether the gateway sets it itself.
    fn among(&self, has: impl Fn(&Names) -> bool, set: bool) -> RequestHeader {
        if has(&self.refuse) {
            RequestHeader::Refuse
        } else if set || has(&self.drop) {
            RequestHeader::Drop
        } else if has(&self.salt) {
            RequestHeader::Salt
        } else if has(&self.pass) {
            RequestHeader::Pass
        } else {
            self.other()
        }
    }

    /// A header that no list knows.
    const fn other(&self) -> RequestHeader {
        if self.others_pass { RequestHeader::Pass } else { RequestHeader::Drop }
    }
}

impl ResponseRules {
    fn fate(&self, name: &HeaderName) -> Answered {
        if let Some(at) = self.pin.iter().position(|(pinned, _)| pinned == name) {
            Answered::Pin(at)
        } else {
            self.among(|list| list.has(name))
        }
    }

    /// By the lists that have it.
    fn among(&self, has: impl Fn(&Names) -> bool) -> Answered {
        if has(&self.drop) {
            Answered::Drop
        } else if has(&self.pass) {
            Answered::Pass
        } else {
            self.other()
        }
    }

    /// A header that no list knows.
    const fn other(&self) -> Answered {
        if self.others_pass { Answered::Pass } else { Answered::Drop }
    }
}

#[cfg(test)]
mod tests;
