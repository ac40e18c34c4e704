//! Strings of a document. One that lies in the input at hand is scanned where it lies; one that was cut goes on as
//! [`Live`]. Ids and other short values that are not for the censor, or that an edit rewrites, are held until they
//! are complete.

use std::ops::Range;

use aws_lc_rs::hmac;

use super::escape::{self, Walk};
use super::live::Live;
use super::plan::{Action, DEAD, StateId};
use super::token::Token;
use super::walk::{Shape, Stop, Walker};
use crate::body::FactValue;
use crate::body::sink::Sink;
use crate::body::text::Whole;
use crate::reason::Reason;

/// What becomes of a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is a key: it leads the plan on, and waits with what stands before it for its value.
    Key,
    /// It is a key that waits for its own end only.
    LooseKey,
    /// It is a key of what is left out.
    DroppedKey,
    /// It is censored.
    #[default]
    Plain,
    /// It is kept as it is, once it is known to be short.
    Opaque,
    /// It is swapped for a URL of the gateway, or censored.
    Rebase,
    /// It is hashed.
    Salt,
    /// It is left out.
    Drop,
    /// It is kept, and told of with its place.
    Located,
}

impl Mode {
    /// Held until it is complete.
    const fn is_held(self) -> bool {
        matches!(self, Self::Opaque | Self::Rebase | Self::Salt | Self::LooseKey)
    }

    const fn is_key(self) -> bool {
        matches!(self, Self::Key | Self::LooseKey | Self::DroppedKey)
    }
}

/// The string that the walk is in.
#[derive(Default)]
pub(super) struct StringInProgress {
    active: bool,
    pub(super) mode: Mode,
    state: StateId,
    /// Where its opening quote stands in the input at hand; none if it began before.
    quote: Option<usize>,
    /// Its contents in the input at hand, and whether there are escapes in them.
    run: Option<(Range<usize>, bool)>,
    /// Contents of inputs before, of a key or a held string.
    pub(super) raw: Vec<u8>,
    /// Bytes of contents in inputs before.
    length: usize,
    /// Where the contents of a key begin in the saved lead.
    pub(super) saved_at: usize,
    live: Option<Live>,
    /// The decoded text as far as it is noted (of a string that isn't held).
    noted: Vec<u8>,
}

impl StringInProgress {
    pub(super) fn held(&self) -> usize {
        self.raw.len() + self.noted.len() + self.live.as_ref().map_or(0, Live::held)
    }

    fn begin(&mut self, mode: Mode, state: StateId, quote: usize) {
        self.active = true;
        self.mode = mode;
        self.state = state;
        self.quote = Some(quote);
        self.run = None;
        self.raw.clear();
        self.length = 0;
        self.noted.clear();
    }
}

impl Walker {
    pub(super) fn begin_key(&mut self, token: Token) {
        let mode = match self.nest.top() {
            _ if self.dropping.is_some() => Mode::DroppedKey,
            Some(frame) if frame.tracked => Mode::Key,
            _ => Mode::LooseKey,
        };
        self.string.begin(mode, DEAD, token.start);
    }

    pub(super) fn begin_string(&mut self, sink: &mut Sink<'_>, token: Token) -> Result<(), Stop> {
        let id = self.begin_value(sink, token.start, Shape::Text)?;
        let mode = if self.dropping.is_some() {
            Mode::Drop
        } else if id == DEAD {
            Mode::Plain
        } else {
            let state = self.plan.state(id);
            match state.edit.and_then(|edit| self.plan.action(edit)) {
                Some(Action::Salt) => Mode::Salt,
                Some(Action::Rebase) => Mode::Rebase,
                _ if state.located => Mode::Located,
                _ if state.opaque => Mode::Opaque,
                _ => Mode::Plain,
            }
        };
        self.string.begin(mode, id, token.start);
        Ok(())
    }

    /// Contents of a string.
    pub(super) fn run(&mut self, sink: &mut Sink<'_>, token: Token, escapes: bool) -> Result<(), Stop> {
        if self.string.quote.is_some() {
            self.string.run = Some((token.start..token.end, escapes));
            return Ok(());
        }
        let contents = sink.input().get(token.start..token.end).unwrap_or_default();
        self.skip_contents(sink, token.end);
        self.more(sink, contents)
    }

    /// An escape that was cut between inputs.
    pub(super) fn unit(&mut self, sink: &mut Sink<'_>, token: Token) -> Result<(), Stop> {
        let (unit, len) = self.unit_text();
        self.skip_contents(sink, token.end);
        self.more(sink, unit.get(..len).unwrap_or_default())
    }

    /// The input ends inside a string, perhaps.
    pub(super) fn suspend_string(&mut self, sink: &mut Sink<'_>, end: usize) -> Result<(), Stop> {
        if !self.string.active {
            return Ok(());
        }
        if let Some(quote) = self.string.quote.take() {
            match self.string.mode {
                Mode::Plain => {
                    sink.flush(quote + 1);
                    self.string.live = Some(Live::new(&self.job, self.nest.field(), 0));
                }
                mode if mode.is_held() => sink.flush(quote + 1),
                _ => {
                    let from = self.lead.from.unwrap_or(quote);
                    self.string.saved_at = self.lead.saved.len() + quote + 1 - from;
                }
            }
            if let Some((run, _)) = self.string.run.take() {
                let contents = sink.input().get(run).unwrap_or_default();
                self.skip_contents(sink, end);
                self.more(sink, contents)?;
            }
        }
        self.skip_contents(sink, end);
        Ok(())
    }

    /// Contents that go out in another way than as clean input.
    fn skip_contents(&self, sink: &mut Sink<'_>, end: usize) {
        if self.string.mode == Mode::Plain || self.string.mode.is_held() {
            sink.skip(end);
        }
    }

    /// Takes contents of a string that doesn't lie in one input.
    fn more(&mut self, sink: &mut Sink<'_>, contents: &[u8]) -> Result<(), Stop> {
        let string = &mut self.string;
        string.length += contents.len();
        match string.mode {
            mode if mode.is_key() && string.length > self.job.limits.key => return Err(self.key_too_long()),
            Mode::Key | Mode::LooseKey | Mode::DroppedKey | Mode::Located => {
                string.raw.extend_from_slice(contents);
            }
            Mode::Plain => {
                if let Some(live) = &mut string.live {
                    live.push(&self.job, contents, sink.out())?;
                }
                self.note_more(contents);
            }
            Mode::Drop => self.note_more(contents),
            Mode::Opaque | Mode::Rebase | Mode::Salt => {
                string.raw.extend_from_slice(contents);
                if string.length > self.job.limits.fact {
                    return self.hold_no_longer(sink);
                }
            }
        }
        Ok(())
    }

    fn note_more(&mut self, contents: &[u8]) {
        if self.string.state != DEAD && self.string.length <= self.job.limits.fact {
            escape::decode(contents, &mut self.string.noted);
        }
    }

    /// A held string turns out to be long, so it is no id and no URL: it is censored like any other.
    fn hold_no_longer(&mut self, sink: &mut Sink<'_>) -> Result<(), Stop> {
        self.refuse_unsalted()?;
        let mut live = Live::new(&self.job, self.nest.field(), 0);
        live.push(&self.job, &self.string.raw, sink.out())?;
        self.string.live = Some(live);
        self.string.raw = Vec::new();
        self.string.mode = Mode::Plain;
        Ok(())
    }

    fn refuse_unsalted(&self) -> Result<(), Stop> {
        if self.string.mode != Mode::Salt {
            return Ok(());
        }
        Err(self
            .job
            .refuse(Reason::RecordTooLarge)
            .detail("a value to be hashed is longer than the limit")
            .into())
    }

    /// The closing quote.
    pub(super) fn end_text(&mut self, sink: &mut Sink<'_>, token: Token) -> Result<(), Stop> {
        self.string.active = false;
        let quote = self.string.quote.take();
        let run = self.string.run.take();
        let escapes = run.as_ref().is_some_and(|(_, escapes)| *escapes);
        if self.string.mode.is_key() {
            return self.end_key(sink, quote, token);
        }
        if let Some(quote) = quote {
            self.whole_string(sink, quote + 1..token.start, escapes)?;
        } else {
            self.cut_string(sink, token)?;
        }
        self.end_value(sink, token.end);
        Ok(())
    }

    /// A value whose contents lie in the input at hand.
    fn whole_string(&mut self, sink: &mut Sink<'_>, at: Range<usize>, escapes: bool) -> Result<(), Stop> {
        let contents = sink.input().get(at.clone()).unwrap_or_default();
        let too_long = contents.len() > self.job.limits.fact;
        let decoded = std::mem::take(&mut self.tokens.decoded);
        let text = if escapes { decoded.as_slice() } else { contents };
        if self.string.mode.is_held() && too_long {
            self.refuse_unsalted()?;
            self.string.mode = Mode::Plain;
        }
        self.note_string(sink, text, too_long, at.start - 1..at.end + 1)?;
        match self.string.mode {
            Mode::Plain => {
                if self.whole.run(&self.job, text, self.nest.field())? {
                    change_contents(&self.whole, sink, at.start, contents, escapes);
                }
            }
            Mode::Rebase | Mode::Salt => {
                if let Some(other) = self.rewritten(text)? {
                    sink.flush(at.start);
                    escape::encode(&other, sink.out());
                    sink.skip(at.end);
                } else if self.whole.run(&self.job, text, self.nest.field())? {
                    change_contents(&self.whole, sink, at.start, contents, escapes);
                }
            }
            Mode::Key | Mode::LooseKey | Mode::DroppedKey | Mode::Opaque | Mode::Drop | Mode::Located => {}
        }
        self.tokens.decoded = decoded;
        Ok(())
    }

    /// The end of a value that began in an input before.
    fn cut_string(&mut self, sink: &mut Sink<'_>, token: Token) -> Result<(), Stop> {
        self.skip_contents(sink, token.start);
        let too_long = self.string.length > self.job.limits.fact;
        let place = token.start..token.end;
        if let Some(mut live) = self.string.live.take() {
            live.finish(&self.job, sink.out())?;
        } else if self.string.mode.is_held() {
            let raw = std::mem::take(&mut self.string.raw);
            let mut text = Vec::new();
            escape::decode(&raw, &mut text);
            self.note_string(sink, &text, false, place)?;
            match self.rewritten(&text)? {
                Some(other) => escape::encode(&other, sink.out()),
                None if self.string.mode == Mode::Opaque => sink.put(&raw),
                None => {
                    self.whole.run(&self.job, &text, self.nest.field())?;
                    let mut inner = Sink::new(&raw, sink.out());
                    change_contents(&self.whole, &mut inner, 0, &raw, true);
                    inner.flush(raw.len());
                }
            }
            return Ok(());
        }
        let noted = std::mem::take(&mut self.string.noted);
        self.note_string(sink, &noted, too_long, place)?;
        self.string.noted = noted;
        Ok(())
    }

    fn note_string(
        &mut self,
        sink: &Sink<'_>,
        text: &[u8],
        too_long: bool,
        place: Range<usize>,
    ) -> Result<(), Stop> {
        let id = self.string.state;
        if id == DEAD || self.plan.state(id).watches.is_empty() {
            return Ok(());
        }
        let located = self.string.mode == Mode::Located;
        let value = if too_long && !located {
            FactValue::TooLong
        } else {
            FactValue::Text(String::from_utf8_lossy(text).into_owned().into_boxed_str())
        };
        self.note(id, &value)?;
        if located {
            self.locate(id, &value, &(sink.position(place.start)..sink.position(place.end)))?;
        }
        Ok(())
    }

    /// What an edit makes of a text.
    fn rewritten(&mut self, text: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        match self.string.mode {
            Mode::Salt => self.salted(text).map(Some),
            Mode::Rebase => {
                let Some(rebase) = &self.job.rewrite.rebase else { return Ok(None) };
                let Some(url) = std::str::from_utf8(text).ok().and_then(|url| rebase.apply(url)) else {
                    return Ok(None);
                };
                let mut censored = Vec::new();
                self.whole.run(&self.job, url.as_bytes(), self.nest.field())?;
                self.whole.write(url.as_bytes(), &mut censored);
                Ok(Some(censored))
            }
            _ => Ok(None),
        }
    }

    /// The keyed hash of a text, in hex.
    pub(super) fn salted(&self, text: &[u8]) -> Result<Vec<u8>, Stop> {
        let Some(key) = &self.job.rewrite.salt else {
            return Err(self
                .job
                .refuse(Reason::Internal)
                .log("an edit needs a salt and there is none")
                .into());
        };
        let tag = hmac::sign(key, text);
        let short = tag.as_ref().get(..16).unwrap_or_default();
        Ok(data_encoding::HEXLOWER.encode(short).into_bytes())
    }
}

/// Applies changes to contents that stand at `base` in the sink's input.
fn change_contents(whole: &Whole, sink: &mut Sink<'_>, base: usize, contents: &[u8], escapes: bool) {
    if !escapes {
        for (change, with) in whole.changes() {
            sink.flush(base + change.start);
            escape::encode(with, sink.out());
            sink.skip(base + change.end);
        }
        return;
    }
    let (mut walk, mut at) = (Walk::default(), 0);
    for (change, with) in whole.changes() {
        walk.advance(contents, change.start - at);
        sink.flush(base + walk.raw);
        escape::encode(with, sink.out());
        walk.advance(contents, change.end - change.start);
        at = change.end;
        let rest = match contents.get(walk.raw..).map(escape::read) {
            Some(escape::Escape::Whole(unit, _)) if walk.inside() => unit,
            _ => 0,
        };
        sink.skip(base + walk.raw + rest);
    }
}
