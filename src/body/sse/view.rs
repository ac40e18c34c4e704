//! Ways to look at one event: as lines, and as places in its data.

use std::borrow::Cow;
use std::ops::Range;

use super::channel::Identity;
use super::event::{Field, Line};
use super::plan::{Shape, SsePlan};
use super::template::{Model, Template};
use crate::body::json::{Hit, Level, encode};

/// Last words of event types that end what they are about: `response.output_text.done`, `content_block_stop`.
const ENDS: &[&str] = &[
    "done",
    "stop",
    "completed",
    "complete",
    "failed",
    "incomplete",
    "cancelled",
    "canceled",
    "error",
    "end",
];

/// An event as lines.
pub(super) struct Frame<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) lines: &'a [Line],
    /// Its name: the value of its last `event` line.
    pub(super) name: Option<&'a str>,
}

impl<'a> Frame<'a> {
    pub(super) fn of(bytes: &'a [u8], lines: &'a [Line]) -> Self {
        let name = lines.iter().rfind(|line| line.field == Field::Event);
        let name = name.and_then(|line| std::str::from_utf8(bytes.get(line.value.clone())?).ok());
        Self { bytes, lines, name }
    }

    /// The values of its `data` lines, joined.
    pub(super) fn data(&self) -> Option<Cow<'a, [u8]>> {
        let mut data: Option<Cow<'a, [u8]>> = None;
        for line in self.lines.iter().filter(|line| line.field == Field::Data) {
            let value = self.bytes.get(line.value.clone()).unwrap_or_default();
            match &mut data {
                None => data = Some(Cow::Borrowed(value)),
                Some(data) => {
                    data.to_mut().push(b'\n');
                    data.to_mut().extend_from_slice(value);
                }
            }
        }
        data
    }

    /// What stands before a line's value.
    pub(super) fn prefix(&self, line: &Line) -> &'a [u8] {
        match self.bytes.get(line.text.start..line.value.start).unwrap_or_default() {
            // A line that is nothing but `data`.
            b"data" => b"data: ",
            prefix => prefix,
        }
    }

    /// A line's end; LF if the stream ended before it.
    pub(super) fn end(&self, line: &Line) -> &'a [u8] {
        match self.bytes.get(line.end.clone()) {
            Some(end) if !end.is_empty() => end,
            _ => b"\n",
        }
    }

    /// An event like this one, to be filled with text.
    pub(super) fn template(&self, data: Option<Model>) -> Template {
        let line_of = |field| self.lines.iter().find(|line| line.field == field);
        let name = match line_of(Field::Event) {
            Some(line) => [self.bytes.get(line.text.clone()).unwrap_or_default(), self.end(line)].concat(),
            None => Vec::new(),
        };
        let (prefix, end) = match line_of(Field::Data) {
            Some(line) => (self.prefix(line), self.end(line)),
            None => (b"data: ".as_slice(), b"\n".as_slice()),
        };
        Template { name, prefix: prefix.to_vec(), end: end.to_vec(), data }
    }
}

/// The text of one channel in one event.
pub(super) struct Piece {
    pub(super) shape: usize,
    pub(super) identity: Identity,
    /// Its place, as an index of the event's hits.
    pub(super) hit: usize,
}

/// An event as places in its data.
pub(super) struct Event<'a> {
    pub(super) plan: &'a SsePlan,
    pub(super) hits: &'a [Hit],
    kinds: [Option<&'a str>; 2],
    /// It brings text of a channel, so it ends nothing by its type.
    brings: bool,
}

impl<'a> Event<'a> {
    pub(super) fn of(plan: &'a SsePlan, hits: &'a [Hit], name: Option<&'a str>) -> (Self, Vec<Piece>) {
        let kind = hits.iter().find(|hit| hit.watch == plan.kind).and_then(|hit| hit.value.as_text());
        let mut event = Self { plan, hits, kinds: [kind, name], brings: false };
        let pieces = event.pieces();
        event.brings = pieces.iter().any(|piece| event.shape(piece.shape).is_some_and(|shape| !shape.whole));
        (event, pieces)
    }

    pub(super) fn shape(&self, shape: usize) -> Option<&'a Shape> {
        self.plan.shapes.get(shape)
    }

    /// The way to a hit.
    pub(super) fn way(&self, hit: usize) -> &'a [Level] {
        self.hits.get(hit).map_or(&[], |hit| &hit.way)
    }

    fn pieces(&self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for (at, hit) in self.hits.iter().enumerate() {
            let known =
                pieces.iter().any(|piece| self.hits.get(piece.hit).is_some_and(|h| h.span == hit.span));
            if known || !matches!(hit.value, crate::body::FactValue::Text(_)) {
                continue;
            }
            let fits =
                |shape: &Shape| shape.text == hit.watch && self.kinds.iter().any(|kind| shape.fits(*kind));
            if let Some(shape) = self.plan.shapes.iter().position(fits) {
                let identity = Identity { shape, keys: self.keys(shape, hit) };
                pieces.push(Piece { shape, identity, hit: at });
            }
        }
        pieces
    }

    fn keys(&self, shape: usize, text: &Hit) -> Vec<Option<String>> {
        let keys = self.shape(shape).map_or(&[] as &[_], |shape| &shape.keys);
        let value = |key: &super::plan::Key| {
            let beside = |hit: &&Hit| {
                hit.watch == key.watch && hit.way.get(..key.shared) == text.way.get(..key.shared)
            };
            self.hits.iter().find(beside).and_then(|hit| hit.value.as_text()).map(str::to_owned)
        };
        keys.iter().map(value).collect()
    }

    /// Whether this event ends a channel: by a reason to finish beside its place, or by a type that says so.
    pub(super) fn ends(&self, identity: &Identity) -> bool {
        let Some(shape) = self.shape(identity.shape) else { return false };
        self.finishes(shape, identity) || self.ends_by_type(shape, identity)
    }

    fn finishes(&self, shape: &Shape, identity: &Identity) -> bool {
        let Some(finish) = &shape.finish else { return false };
        self.hits.iter().any(|hit| {
            let item = hit.way.get(..finish.level);
            let same = |(key, value): (&super::plan::Key, &Option<String>)| {
                // Keys inside the item tell apart what ends together.
                key.shared > finish.level
                    || self.agrees(key.watch, value, |way| way.get(..finish.level) == item)
            };
            hit.watch == finish.watch
                && hit.value.as_text().is_some()
                && shape.keys.iter().zip(&identity.keys).all(same)
        })
    }

    fn ends_by_type(&self, shape: &Shape, identity: &Identity) -> bool {
        let last_word = |kind: &str| kind.rsplit(['.', '_']).next().is_some_and(|word| ENDS.contains(&word));
        !self.brings
            && self.kinds.iter().flatten().any(|kind| last_word(kind))
            && shape
                .keys
                .iter()
                .zip(&identity.keys)
                .all(|(key, value)| self.agrees(key.watch, value, |_| true))
    }

    /// Whether the event says nothing else about a key.
    fn agrees(&self, watch: usize, value: &Option<String>, at: impl Fn(&[Level]) -> bool) -> bool {
        let mut said = self.hits.iter().filter(|hit| hit.watch == watch && at(&hit.way)).peekable();
        said.peek().is_none() || said.any(|hit| hit.value.as_text() == value.as_deref())
    }
}

impl Shape {
    /// Whether an event of this type or name can carry the channel.
    pub(super) fn fits(&self, kind: Option<&str>) -> bool {
        self.event.is_none() || self.event.as_deref() == kind
    }
}

/// Puts texts into the places that were left for them.
pub(super) fn fill(data: &[u8], mut fills: Vec<(Range<usize>, Vec<u8>)>) -> Vec<u8> {
    fills.sort_by_key(|(span, _)| span.start);
    let mut filled = Vec::with_capacity(data.len());
    let mut at = 0;
    for (span, text) in fills {
        filled.extend_from_slice(data.get(at..span.start).unwrap_or_default());
        filled.push(b'"');
        encode(&text, &mut filled);
        filled.push(b'"');
        at = span.end;
    }
    filled.extend_from_slice(data.get(at..).unwrap_or_default());
    filled
}
