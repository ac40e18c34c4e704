//! What a request asks for, in the profile's terms.

use std::sync::Arc;

use super::Operation;

/// A recognised request: the operation, and what stands in its path and query.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// The operation.
    pub operation: Arc<Operation>,
    /// The template's parameters.
    pub path: Params,
    /// The query's parameters, all of them, in their order. Those in [`Operation::deciding_query`] stand once.
    pub query: Params,
}

/// Parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    name: Arc<str>,
    raw: Box<str>,
    /// Only where it differs from the raw one.
    decoded: Option<Box<str>>,
}

impl Param {
    pub(super) fn new(name: Arc<str>, raw: &str, decoded: &str) -> Self {
        let differs = raw != decoded;
        Self { name, raw: Box::from(raw), decoded: differs.then(|| Box::from(decoded)) }
    }

    /// The (decoded) name.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The decoded value.
    #[must_use]
    pub fn value(&self) -> &str {
        self.decoded.as_deref().unwrap_or(&self.raw)
    }

    /// The value as it stood in the request.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }
}

impl Params {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(super) fn push(&mut self, param: Param) {
        self.0.push(param);
    }

    /// The first parameter of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| *param.name == *name)
    }

    /// The decoded value of the first parameter of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(Param::value)
    }

    /// All parameters, in the order of the template or of the query.
    pub fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Params {
    type Item = &'a Param;
    type IntoIter = std::slice::Iter<'a, Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
