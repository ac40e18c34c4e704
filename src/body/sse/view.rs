//! Ways to look at one event: as lines, and as places in its data.

use std::borrow::Cow;
use std::ops::Range;

use super::channel::Identity;
use super::event::{Field, Line};
use super::loose;
use super::plan::{Shape, SsePlan};
use super::template::{Model, Template};
use crate::body::FactValue;
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
        event.brings = pieces.iter().any(|piece| !event.is_whole(&piece.identity));
        (event, pieces)
    }

    fn shape(&self, shape: usize) -> Option<&'a Shape> {
        self.plan.shapes.get(shape)
    }

    /// The way to a hit.
    pub(super) fn way(&self, hit: usize) -> &'a [Level] {
        self.hits.get(hit).map_or(&[], |hit| &hit.way)
    }

    /// The texts of channels first, then those that no channel names.
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for named in [true, false] {
            for (at, hit) in self.hits.iter().enumerate() {
                let known =
                    pieces.iter().any(|piece| self.hits.get(piece.hit).is_some_and(|h| h.span == hit.span));
                if known || !matches!(hit.value, FactValue::Text(_)) {
                    continue;
                }
                let identity = if named { self.named(hit) } else { self.loose(hit) };
                pieces.extend(identity.map(|identity| Piece { identity, hit: at }));
            }
        }
        pieces
    }

    fn named(&self, hit: &Hit) -> Option<Identity> {
        let fits = |shape: &Shape| shape.text == hit.watch && self.kinds.iter().any(|kind| shape.fits(*kind));
        let shape = self.plan.shapes.iter().position(fits)?;
        Some(Identity::Named { shape, keys: self.keys(shape, hit) })
    }

    fn loose(&self, hit: &Hit) -> Option<Identity> {
        let role = loose::role(self.kinds, &hit.way).filter(|_| !hit.opaque)?;
        let kind = self.kinds[0].or(self.kinds[1]);
        Some(Identity::Loose(Box::new(loose::identity(self, kind, hit, role))))
    }

    fn keys(&self, shape: usize, text: &Hit) -> Vec<Option<String>> {
        let keys = self.shape(shape).map_or(&[] as &[_], |shape| &shape.keys);
        let value = |key: &super::plan::Key| {
            let beside = |hit: &&Hit| {
                hit.watch == key.watch && hit.way.get(..key.shared) == text.way.get(..key.shared)
            };
            let said = self.hits.iter().find(beside).and_then(|hit| loose::canonical(&hit.value));
            said.or_else(|| match key.shared.checked_sub(1).and_then(|at| text.way.get(at)) {
                Some(Level::Index(position)) if key.index => Some(position.to_string()),
                _ => None,
            })
        };
        keys.iter().map(value).collect()
    }

    /// Whether the text is there as a whole in its event.
    pub(super) fn is_whole(&self, identity: &Identity) -> bool {
        match identity {
            Identity::Named { shape, .. } => self.shape(*shape).is_some_and(|shape| shape.whole),
            Identity::Loose(loose) => loose.word,
            Identity::Bare(_) => false,
        }
    }

    /// Whether this event ends a channel: by a reason to finish beside its place, or by a type that says so.
    pub(super) fn ends(&self, identity: &Identity) -> bool {
        match identity {
            Identity::Named { shape, keys } => self.shape(*shape).is_some_and(|shape| {
                let all = || {
                    shape.keys.iter().zip(keys).all(|(key, value)| self.agrees(key.watch, value, |_| true))
                };
                self.finishes(shape, keys) || self.ends_by_type() && all()
            }),
            Identity::Loose(text) => {
                loose::finishes(self, text) || self.ends_by_type() && loose::agrees(self, text)
            }
            Identity::Bare(_) => false,
        }
    }

    fn finishes(&self, shape: &Shape, keys: &[Option<String>]) -> bool {
        let Some(finish) = &shape.finish else { return false };
        self.hits.iter().any(|hit| {
            let item = hit.way.get(..finish.level);
            let same = |(key, value): (&super::plan::Key, &Option<String>)| {
                // Keys inside the item tell apart what ends together.
                key.shared > finish.level
                    || self.agrees(key.watch, value, |way| way.get(..finish.level) == item)
            };
            hit.watch == finish.watch
                // Some servers say "" until the end.
                && hit.value.as_text().is_some_and(|reason| !reason.is_empty())
                && shape.keys.iter().zip(keys).all(same)
        })
    }

    fn ends_by_type(&self) -> bool {
        let last_word = |kind: &str| kind.rsplit(['.', '_']).next().is_some_and(|word| ENDS.contains(&word));
        !self.brings && self.kinds.iter().flatten().any(|kind| last_word(kind))
    }

    /// Whether the event says nothing else about a key.
    fn agrees(&self, watch: usize, value: &Option<String>, at: impl Fn(&[Level]) -> bool) -> bool {
        let mut said = self.hits.iter().filter(|hit| hit.watch == watch && at(&hit.way)).peekable();
        said.peek().is_none() || said.any(|hit| loose::canonical(&hit.value) == *value)
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
