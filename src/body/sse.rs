//! Event streams (`text/event-stream`): every event is censored as it passes; texts that go on from event to event
//! are censored as one text each, and only as much of them is held back as a value could still begin in.
//!
//! The order of events, their ids and types and everything that is not text stay. Text that an event brings but that
//! is held comes with the channel's next event, or, before whatever ends the channel, in an event of its own.

mod channel;
mod event;
mod loose;
mod numbers;
mod plan;
mod template;
mod texts;
mod view;
mod write;

use std::ops::Range;
use std::sync::Arc;

use crate::body::json::{BOM, Hit, Level, Stop, Walker};
use crate::body::sink::Sink;
use crate::body::text::Whole;
use crate::body::utf8::Utf8;
use crate::body::{FactValue, Facts, Job, Transform};
use crate::reason::{Reason, Refusal};

use channel::{Identity, Text};
use event::{Cut, Splitter, lines};
pub use plan::SsePlan;
use template::{Model, data_lines, written};
use texts::Texts;
use view::{Event, Frame, Piece, fill};
use write::write;

/// An error as an event, for streams that end before their end. SDKs of event-stream APIs raise it.
#[must_use]
pub fn error_event(json: &str) -> Vec<u8> {
    let mut event = b"event: error\n".to_vec();
    data_lines(json.as_bytes(), b"data: ", b"\n", &mut event);
    event.push(b'\n');
    event
}

/// Censors an event stream.
pub struct SseTransform {
    job: Job,
    plan: Arc<SsePlan>,
    walker: Walker,
    whole: Whole,
    facts: Facts,
    utf8: Utf8,
    splitter: Splitter,
    bom: Option<usize>,
    texts: Texts,
    numbers: numbers::Numbers,
}

impl SseTransform {
    /// A stream under a plan.
    #[must_use]
    pub fn new(job: Job, plan: Arc<SsePlan>) -> Self {
        Self {
            walker: Walker::new(job.clone(), Arc::clone(&plan.json)),
            job,
            plan,
            whole: Whole::default(),
            facts: Facts::default(),
            utf8: Utf8::default(),
            splitter: Splitter::default(),
            bom: Some(0),
            texts: Texts::default(),
            numbers: numbers::Numbers::default(),
        }
    }

    /// What stood at the watched places of the events since the last call. To be asked after every
    /// [`Transform::push`], before its output is sent: an id has to be recorded before it is learnt.
    pub fn take_facts(&mut self) -> Facts {
        std::mem::take(&mut self.facts)
    }

    fn skip_bom(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let Some(seen) = self.bom else { return 0 };
        let expected = BOM.get(seen..).unwrap_or_default();
        let here = expected.len().min(input.len());
        if expected.get(..here) != input.get(..here) {
            self.bom = None;
            return 0;
        }
        self.bom = if here == expected.len() { None } else { Some(seen + here) };
        out.extend_from_slice(expected.get(..here).unwrap_or_default());
        here
    }

    fn events(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        while let Some(cut) = self.splitter.next() {
            match cut {
                Cut::Rest => out.push(b'\n'),
                Cut::Event(event) => {
                    self.check_size(event.len())?;
                    let from = out.len();
                    self.event(&event, false, out)?;
                    self.numbers.apply(out, from);
                }
            }
        }
        self.check_size(self.splitter.held())
    }

    fn check_size(&self, size: usize) -> Result<(), Refusal> {
        if size > self.job.limits.event {
            return Err(self.job.refuse(Reason::RecordTooLarge).detail("an event is longer than the limit"));
        }
        Ok(())
    }

    /// One event. `last`: the stream ends with it.
    fn event(&mut self, event: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let lines = lines(event);
        let frame = Frame::of(event, &lines);
        let Some(data) = frame.data() else {
            if last {
                self.end_all(out)?;
            }
            return write(&mut self.whole, &self.job, &frame, None, out);
        };
        self.job.meter.count_event();
        let changed = if data.trim_ascii() == b"[DONE]" {
            self.end_all(out)?;
            None
        } else {
            let (before, data) = self.data(&frame, &data, last)?;
            out.extend_from_slice(&before);
            data
        };
        write(&mut self.whole, &self.job, &frame, changed.as_deref(), out)
    }

    /// The data of one event: events to go before it, and what it becomes.
    fn data(
        &mut self,
        frame: &Frame<'_>,
        data: &[u8],
        last: bool,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), Refusal> {
        let bare = self.plan.shapes.iter().position(|shape| shape.bare && shape.fits(frame.name));
        if let Some(shape) = bare {
            return self.bare(frame, &Identity::Named { shape, keys: Vec::new() }, data, last);
        }
        let mut walked = Vec::with_capacity(data.len());
        match self.walk(data, &mut walked) {
            Ok(hits) => self.json(frame, data, &walked, &hits, last),
            Err(Stop::Refusal(refusal)) => Err(refusal),
            // It is no JSON: who reads it puts it together with the next.
            Err(Stop::Fault(_)) => self.bare(frame, &Identity::Bare(frame.name.map(Box::from)), data, last),
        }
    }

    fn walk(&mut self, data: &[u8], walked: &mut Vec<u8>) -> Result<Vec<Hit>, Stop> {
        self.walker.reset();
        let mut sink = Sink::new(data, walked);
        self.walker.feed(&mut sink, 0..data.len())?;
        self.walker.end(&mut sink, data.len())?;
        sink.flush(data.len());
        if self.facts.len() + self.walker.facts().len() > self.job.limits.facts {
            return Err(self.job.refuse(Reason::RecordTooLarge).detail("too many values that decide").into());
        }
        self.facts.append(self.walker.take_facts());
        Ok(self.walker.take_hits())
    }

    fn whole_text(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        self.whole.write(text, &mut out);
        out
    }

    /// Data that is a channel's text as it stands.
    fn bare(
        &mut self,
        frame: &Frame<'_>,
        identity: &Identity,
        data: &[u8],
        last: bool,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), Refusal> {
        let text = self.texts.of(&self.job, identity)?;
        let mut released = text.push(&self.job, data)?;
        text.template = (text.waiting() > 0).then(|| frame.template(None));
        let mut before = Vec::new();
        if last {
            for text in self.texts.take(|open| open.same(identity)) {
                released.extend(self.texts.end(&self.job, text)?);
            }
            self.end_all(&mut before)?;
        }
        Ok((before, (released != data).then_some(released)))
    }

    fn json(
        &mut self,
        frame: &Frame<'_>,
        data: &[u8],
        walked: &[u8],
        hits: &[Hit],
        last: bool,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), Refusal> {
        let plan = Arc::clone(&self.plan);
        let (event, pieces) = Event::of(&plan, hits, frame.name);
        let mut before = Vec::new();
        self.end_others(&event, &pieces, last, &mut before)?;
        let mut fills: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        let mut touched = Vec::new();
        for (at, hit) in hits.iter().enumerate() {
            let FactValue::Text(text) = &hit.value else { continue };
            if hits.iter().take(at).any(|other| other.span == hit.span) {
                continue;
            }
            let piece = pieces.iter().find(|piece| hits.get(piece.hit).is_some_and(|h| h.span == hit.span));
            let new = match piece {
                Some(Piece { identity: Identity::Loose(word), .. }) if word.word => {
                    match self.other_text(hit, text.as_bytes())? {
                        Some(new) => Some(new),
                        None => {
                            let word = Identity::Loose(word.clone());
                            let new = self.texts.word(&self.job, &word, text.as_bytes())?;
                            (new != text.as_bytes()).then_some(new)
                        }
                    }
                }
                Some(piece) => self.piece(&event, piece, text.as_bytes(), last, &mut touched)?,
                None if hit.opaque => None,
                None => self.other_text(hit, text.as_bytes())?,
            };
            if let Some(new) = new {
                fills.push((hit.span.clone(), new));
            }
        }
        let filled = fill(walked, fills);
        let changed = (walked != data).then_some(walked);
        self.keep_templates(frame, &event, &pieces, touched, (changed, &filled));
        Ok((before, (filled != data).then_some(filled)))
    }

    /// The text of a channel in this event: what it becomes, if it changes.
    fn piece(
        &mut self,
        event: &Event<'_>,
        piece: &Piece,
        text: &[u8],
        last: bool,
        touched: &mut Vec<(usize, Identity)>,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let whole = event.is_whole(&piece.identity);
        let channel = self.texts.of(&self.job, &piece.identity)?;
        let mut released = channel.push(&self.job, text)?;
        if last || whole || event.ends(&piece.identity) {
            for mut text in self.texts.take(|open| open.same(&piece.identity)) {
                // What says a text as a whole is never gone on with.
                released.extend(if whole {
                    text.finish(&self.job)?
                } else {
                    self.texts.end(&self.job, text)?
                });
            }
        } else {
            touched.push((piece.hit, piece.identity.clone()));
        }
        Ok((released != text).then_some(released))
    }

    /// A string at a place that tells something about the event, and is a text like any other besides.
    fn other_text(&mut self, hit: &Hit, text: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let field = match hit.way.last() {
            Some(Level::Key(key)) => std::str::from_utf8(key).ok(),
            _ => None,
        };
        let changed = self.whole.run(&self.job, text, field)?;
        Ok(changed.then(|| self.whole_text(text)))
    }

    /// Remembers what an event of a channel looks like, where text was held back.
    fn keep_templates(
        &mut self,
        frame: &Frame<'_>,
        event: &Event<'_>,
        pieces: &[Piece],
        touched: Vec<(usize, Identity)>,
        (changed, data): (Option<&[u8]>, &[u8]),
    ) {
        let document = changed.and_then(|changed| std::str::from_utf8(changed).ok());
        let way = |hit: usize| {
            let place = event.hits.get(hit).map_or(0, |hit| hit.span.start);
            let written = document.and_then(|document| written(document, place, event.way(hit)));
            written.unwrap_or_else(|| event.way(hit).to_vec())
        };
        for (hit, identity) in touched {
            let Some(text) = self.texts.open(&identity) else { continue };
            if text.waiting() == 0 {
                text.template = None;
                continue;
            }
            let texts = pieces.iter().filter(|piece| !event.is_whole(&piece.identity));
            let texts = texts.map(|piece| way(piece.hit)).collect();
            let model = Model { data: data.to_vec(), way: way(hit), texts };
            text.template = Some(frame.template(Some(model)));
        }
    }

    /// Ends the channels that this event ends and that it brings no text of.
    fn end_others(
        &mut self,
        event: &Event<'_>,
        pieces: &[Piece],
        last: bool,
        before: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let here = |text: &Identity| pieces.iter().any(|piece| piece.identity.same(text));
        let ended = self.texts.take(|text| (last || event.ends(text)) && !here(text));
        ended.into_iter().try_for_each(|text| self.end(text, before))
    }

    fn end_all(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.texts.take(|_| true).into_iter().try_for_each(|text| self.end(text, out))
    }

    fn end(&mut self, mut text: Text, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let template = text.template.take();
        let rest = self.texts.end(&self.job, text)?;
        if rest.is_empty() {
            return Ok(());
        }
        let filled = match (&template, std::str::from_utf8(&rest)) {
            (Some(template), Ok(rest)) => {
                let named = !self.whole.run(&self.job, &template.name, None)?;
                template.fill(rest, named)
            }
            _ => None,
        };
        let internal =
            || self.job.refuse(Reason::Internal).log("text was held and no event can be made for it");
        out.extend_from_slice(&filled.ok_or_else(internal)?);
        Ok(())
    }
}

impl Transform for SseTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let good = self.utf8.push(input);
        let text = input.get(..good).unwrap_or_default();
        let from = self.skip_bom(text, out);
        self.splitter.push(text.get(from..).unwrap_or_default());
        self.events(out)?;
        if good < input.len() { Err(self.job.refuse(Reason::ContentNotUtf8)) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.utf8.is_whole() {
            return Err(self.job.refuse(Reason::ContentNotUtf8));
        }
        let rest = self.splitter.rest();
        let from = out.len();
        if rest.is_empty() {
            self.end_all(out)?;
        } else {
            self.event(&rest, true, out)?;
        }
        self.numbers.apply(out, from);
        Ok(())
    }

    fn held(&self) -> usize {
        self.splitter.held() + self.texts.held()
    }
}

#[cfg(test)]
mod tests;
