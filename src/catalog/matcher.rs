//! Which operation is asked for? A trie over path segments, compiled once. A request walks it without going back, so
//! that the cost is that of the path's length and each request has one reading:
//! a literal goes before a parameter, a parameter with more literal text around it before one with less,
//! and `{name:rest}` takes what nothing else does.

use std::sync::Arc;

use http::Method;

use super::operation::Media;
use super::path;
use super::template::{MAX_PARAMS, Segment, Span};
use crate::reason::{Reason, Refusal};

/// The compiled templates. Operations are named by their index.
#[derive(Debug)]
pub(super) struct Matcher {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by text.
    literals: Vec<(Box<str>, usize)>,
    /// The most specific first.
    params: Vec<Edge>,
    /// Leads to the node whose `ends` are those of `:rest`.
    rest: Option<usize>,
    ends: Vec<End>,
}

/// An operation that ends at a node.
#[derive(Debug)]
struct End {
    method: Method,
    media: Media,
    operation: usize,
}

#[derive(Debug)]
struct Edge {
    prefix: Box<str>,
    suffix: Box<str>,
    slash: bool,
    to: usize,
}

impl Edge {
    fn takes(&self, segment: &str) -> bool {
        let around = self.prefix.len() + self.suffix.len();
        // Comparing with nothing is not free: a `memcmp` of no bytes behind a dangling pointer costs 100 ns where
        // it is made of masked loads.
        segment.len() > around
            && (around == 0 || segment.starts_with(&*self.prefix) && segment.ends_with(&*self.suffix))
    }

    /// Can one segment be taken by both, and is neither the more specific one?
    fn crosses(&self, other: &Self) -> bool {
        let starts = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
        let ends = |a: &str, b: &str| a.ends_with(b) || b.ends_with(a);
        let within = |a: &Self, b: &Self| a.prefix.starts_with(&*b.prefix) && a.suffix.ends_with(&*b.suffix);
        starts(&self.prefix, &other.prefix)
            && ends(&self.suffix, &other.suffix)
            && !within(self, other)
            && !within(other, self)
    }
}

/// The parts of a path that parameters took, in the order of the template.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Captures<'p> {
    parts: [&'p str; MAX_PARAMS],
    len: usize,
}

impl<'p> Captures<'p> {
    fn push(&mut self, part: &'p str) {
        if let Some(slot) = self.parts.get_mut(self.len) {
            *slot = part;
            self.len += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'p str> + use<'p, '_> {
        self.parts.iter().take(self.len).copied()
    }
}

/// Why a template can't join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// This operation answers to the same requests.
    Same(usize),
    /// At the same place another template has a parameter of another form.
    Form,
    /// A segment could be taken by this template's parameter or by another's, and none is the more specific.
    Crossed,
}

impl Matcher {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// Adds an operation.
    pub(super) fn insert(
        &mut self,
        (method, media): (&Method, Media),
        template: &[Segment],
        operation: usize,
    ) -> Result<(), Clash> {
        let mut at = 0;
        for segment in template {
            at = self.step(at, segment)?;
        }
        let ends = &mut self.nodes[at].ends;
        if let Some(other) = ends.iter().find(|end| end.method == *method && one(end.media, media)) {
            return Err(Clash::Same(other.operation));
        }
        ends.push(End { method: method.clone(), media, operation });
        Ok(())
    }

    fn step(&mut self, at: usize, segment: &Segment) -> Result<usize, Clash> {
        let next = self.nodes.len();
        let node = &mut self.nodes[at];
        let to = match segment {
            Segment::Literal(text) => match node.literals.binary_search_by(|(known, _)| known.cmp(text)) {
                Ok(index) => node.literals[index].1,
                Err(index) => {
                    node.literals.insert(index, (text.clone(), next));
                    next
                }
            },
            Segment::Param { span: Span::Rest, .. } => *node.rest.get_or_insert(next),
            Segment::Param { prefix, suffix, span, .. } => {
                let new = Edge {
                    prefix: prefix.clone(),
                    suffix: suffix.clone(),
                    slash: *span == Span::Slash,
                    to: next,
                };
                match node.params.iter().find(|e| e.prefix == new.prefix && e.suffix == new.suffix) {
                    Some(known) if known.slash != new.slash => return Err(Clash::Form),
                    Some(known) => known.to,
                    None if node.params.iter().any(|known| known.crosses(&new)) => {
                        return Err(Clash::Crossed);
                    }
                    None => {
                        node.params.push(new);
                        node.params.sort_by_key(|e| std::cmp::Reverse(e.prefix.len() + e.suffix.len()));
                        next
                    }
                }
            }
        };
        if to == next {
            self.nodes.push(Node::default());
        }
        Ok(to)
    }

    /// Finds the operation that a raw path asks for. Where several have its method, the body says which is meant.
    ///
    /// # Errors
    /// `path_not_canonical` and `operation_unknown`.
    pub(super) fn find<'p>(
        &self,
        asked: (&Method, Media),
        raw: &'p str,
    ) -> Result<(usize, Captures<'p>), Refusal> {
        let scanned = path::scan(raw)?;
        let mut captures = Captures::default();
        let mut rest: Option<(usize, usize, usize)> = None;
        let mut at = Some(0);
        let mut start = 1;
        for segment in raw.get(1..).unwrap_or_default().split('/') {
            let Some(node) = at.and_then(|index| self.nodes.get(index)) else { break };
            if let Some(to) = node.rest
                && !segment.is_empty()
            {
                rest = Some((to, start, captures.len));
            }
            at = node.next(segment, &mut captures)?;
            start += segment.len() + 1;
        }
        if let Some(operation) = at.and_then(|index| self.end(index, asked)) {
            return Ok((operation, captures));
        }
        if let Some((to, start, len)) = rest
            && let Some(operation) = self.end(to, asked)
        {
            if raw.ends_with('/') {
                return path::refuse("it ends in a slash");
            }
            captures.len = len;
            captures.push(raw.get(start..).unwrap_or_default());
            return Ok((operation, captures));
        }
        if scanned.encoded_slash {
            return path::refuse("it holds an encoded slash");
        }
        if raw.len() > 1 && raw.ends_with('/') {
            return path::refuse("it ends in a slash");
        }
        Err(Refusal::new(Reason::OperationUnknown))
    }

    fn end(&self, node: usize, (method, media): (&Method, Media)) -> Option<usize> {
        let ends = &self.nodes.get(node)?.ends;
        let mut fits = ends.iter().filter(|end| end.method == *method);
        let first = fits.next()?;
        let meant = std::iter::once(first).chain(fits).find(|end| end.media == media);
        Some(meant.unwrap_or(first).operation)
    }
}

impl Node {
    fn next<'p>(&self, segment: &'p str, captures: &mut Captures<'p>) -> Result<Option<usize>, Refusal> {
        if let Ok(index) = self.literals.binary_search_by(|(known, _)| (**known).cmp(segment)) {
            return Ok(self.literals.get(index).map(|(_, to)| *to));
        }
        let Some(edge) = self.params.iter().find(|edge| edge.takes(segment)) else { return Ok(None) };
        if segment.contains('%') {
            self.one_reading(edge, segment)?;
        }
        let end = segment.len() - edge.suffix.len();
        captures.push(segment.get(edge.prefix.len()..end).unwrap_or_default());
        Ok(Some(edge.to))
    }

    /// A reader that decodes first must take the same edge.
    fn one_reading(&self, edge: &Edge, segment: &str) -> Result<(), Refusal> {
        let decoded = path::decode(segment)?;
        if !edge.slash && decoded.contains('/') {
            return path::refuse("it holds an encoded slash");
        }
        if self.literals.iter().any(|(known, _)| **known == *decoded) {
            return path::refuse("it reads as another operation when it is decoded first");
        }
        let first = self.params.iter().find(|other| other.takes(&decoded));
        if first.map(|first| first.to) != Some(edge.to) {
            return path::refuse("it reads as another operation when it is decoded first");
        }
        Ok(())
    }
}

/// Whether a body can't tell which of two operations is meant: only JSON and forms say what they are.
fn one(one: Media, other: Media) -> bool {
    one == other || one == Media::Other || other == Media::Other
}

/// A path that a template matches: for the proof at load that every operation can be reached.
pub(super) fn sample(template: &[Segment]) -> String {
    let mut path = String::new();
    for segment in template {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Param { prefix, suffix, .. } => {
                path.push_str(prefix);
                path.push('7');
                path.push_str(suffix);
            }
        }
    }
    path
}

/// The names of a template's parameters, in order.
pub(super) fn names(template: &[Segment]) -> impl Iterator<Item = &Arc<str>> {
    template.iter().filter_map(|segment| match segment {
        Segment::Param { name, .. } => Some(name),
        Segment::Literal(_) => None,
    })
}
