//! A text that is written otherwise than it reads (`%40`, `&#64;`): the censor sees it decoded, and what was written
//! waits until the censor says what becomes of it. What stays, stays as it was written; what changes is written anew.

use std::collections::VecDeque;

use crate::body::json::{Emit, Source};
use crate::body::utf8::Utf8;
use crate::body::{Job, text::Whole};
use crate::reason::{Reason, Refusal};

/// How a text is written at some place: told by the format to itself.
pub(crate) type Style = u8;

/// Writes what stays and what changes.
pub(crate) trait Spelling {
    /// Bytes that stay as they were written.
    fn keep(&mut self, style: Style, raw: &[u8], out: &mut Vec<u8>);

    /// A text that takes the place of another.
    fn replace(&mut self, style: Style, text: &[u8], out: &mut Vec<u8>);

    /// Bytes that are none of the text and stay whatever becomes of it.
    fn between(&mut self, raw: &[u8], out: &mut Vec<u8>);
}

/// Takes down a text as it is decoded.
pub(crate) trait Decoded {
    /// Bytes that read as they are written.
    fn plain(&mut self, raw: &[u8], style: Style);

    /// Bytes that read as others, together.
    fn escape(&mut self, raw: &[u8], text: &[u8], style: Style);
}

/// A stretch of what was written, and what it reads as.
#[derive(Clone, Copy, Debug)]
enum Unit {
    /// It reads as it is written.
    Plain { raw: usize, style: Style },
    /// So many bytes read as so many others, together.
    Escape { raw: usize, text: usize, style: Style },
    /// Markup between texts; it stays.
    Between { raw: usize },
    /// Something that is read and was not written.
    Unwritten { text: usize },
}

/// What was written and is not decided yet.
#[derive(Default)]
pub(crate) struct Units {
    raw: Vec<u8>,
    /// Before this it is decided.
    at: usize,
    units: VecDeque<Unit>,
    /// Bytes of the first unit's text that are decided.
    into: usize,
    /// Some of them were replaced, so the unit goes as a whole.
    torn: bool,
}

impl Decoded for Units {
    fn plain(&mut self, raw: &[u8], style: Style) {
        self.raw.extend_from_slice(raw);
        match self.units.back_mut() {
            Some(Unit::Plain { raw: before, style: same }) if *same == style => *before += raw.len(),
            _ if raw.is_empty() => {}
            _ => self.units.push_back(Unit::Plain { raw: raw.len(), style }),
        }
    }

    fn escape(&mut self, raw: &[u8], text: &[u8], style: Style) {
        self.raw.extend_from_slice(raw);
        self.units.push_back(Unit::Escape { raw: raw.len(), text: text.len(), style });
    }
}

impl Units {
    /// Markup, in whose place so many bytes are read.
    pub(crate) fn between(&mut self, raw: &[u8], text: usize) {
        self.raw.extend_from_slice(raw);
        match self.units.back_mut() {
            Some(Unit::Between { raw: before }) => *before += raw.len(),
            _ => self.units.push_back(Unit::Between { raw: raw.len() }),
        }
        if text > 0 {
            self.units.push_back(Unit::Unwritten { text });
        }
    }

    /// Where a stretch of the text is written, with what stands between.
    pub(crate) fn place(&self, text: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let (mut raw, mut read) = (0, 0);
        let mut found = 0..0;
        for unit in &self.units {
            let (written, reads, plain) = match *unit {
                Unit::Plain { raw, .. } => (raw, raw, true),
                Unit::Escape { raw, text, .. } => (raw, text, false),
                Unit::Between { raw } => (raw, 0, false),
                Unit::Unwritten { text } => (0, text, false),
            };
            if (read..read + reads).contains(&text.start) {
                found.start = raw + if plain { text.start - read } else { 0 };
            }
            if (read + 1..=read + reads).contains(&text.end) {
                found.end = raw + if plain { text.end - read } else { written };
            }
            raw += written;
            read += reads;
        }
        found
    }

    /// Bytes that wait.
    pub(crate) const fn held(&self) -> usize {
        self.raw.len() - self.at
    }

    /// Writes with a spelling.
    pub(crate) const fn writing<'a, S: Spelling>(
        &'a mut self,
        spelling: &'a mut S,
        out: &'a mut Vec<u8>,
    ) -> Writing<'a, S> {
        Writing { units: self, spelling, out }
    }

    /// Writes all of it, with the changes that were found in its text.
    pub(crate) fn write<S: Spelling>(
        &mut self,
        whole: &Whole,
        length: usize,
        spelling: &mut S,
        out: &mut Vec<u8>,
    ) {
        let mut writing = self.writing(spelling, out);
        let mut at = 0;
        for (change, with) in whole.changes() {
            writing.keep(change.start - at);
            writing.replace(change.end - change.start, with);
            at = change.end;
        }
        writing.keep(length.saturating_sub(at));
        self.trim();
    }

    fn next_raw(&mut self, len: usize) -> std::ops::Range<usize> {
        let from = self.at;
        self.at = (from + len).min(self.raw.len());
        from..self.at
    }

    fn trim(&mut self) {
        self.raw.drain(..self.at);
        self.at = 0;
    }
}

/// Says of what was written what is said of its text.
pub(crate) struct Writing<'a, S> {
    units: &'a mut Units,
    spelling: &'a mut S,
    out: &'a mut Vec<u8>,
}

impl<S: Spelling> Writing<'_, S> {
    /// Goes on by so many bytes of the text, which stay or don't.
    fn go(&mut self, mut len: usize, stay: bool) {
        loop {
            self.pass_markup();
            if len == 0 {
                return;
            }
            let Some(unit) = self.units.units.front_mut() else { return };
            match *unit {
                Unit::Between { .. } => {}
                Unit::Plain { raw, style } => {
                    let here = raw.min(len);
                    len -= here;
                    *unit = Unit::Plain { raw: raw - here, style };
                    if here == raw {
                        self.units.units.pop_front();
                    }
                    self.raw(here, style, stay);
                }
                Unit::Escape { text, .. } | Unit::Unwritten { text } if self.units.into + len < text => {
                    self.units.into += len;
                    self.units.torn |= !stay;
                    return;
                }
                Unit::Escape { raw, text, style } => {
                    len -= text - self.units.into;
                    self.raw(raw, style, stay && !self.units.torn);
                    self.next();
                }
                Unit::Unwritten { text } => {
                    len -= text - self.units.into;
                    self.next();
                }
            }
        }
    }

    fn next(&mut self) {
        self.units.units.pop_front();
        self.units.into = 0;
        self.units.torn = false;
    }

    fn raw(&mut self, len: usize, style: Style, stay: bool) {
        let range = self.units.next_raw(len);
        if stay && let Some(raw) = self.units.raw.get(range) {
            self.spelling.keep(style, raw, self.out);
        }
    }

    fn pass_markup(&mut self) {
        while let Some(Unit::Between { raw }) = self.units.units.front().copied() {
            self.units.units.pop_front();
            let range = self.units.next_raw(raw);
            self.spelling.between(self.units.raw.get(range).unwrap_or_default(), self.out);
        }
    }

    fn style(&self) -> Style {
        let styles = self.units.units.iter().find_map(|unit| match unit {
            Unit::Plain { style, .. } | Unit::Escape { style, .. } => Some(*style),
            Unit::Between { .. } | Unit::Unwritten { .. } => None,
        });
        styles.unwrap_or_default()
    }
}

impl<S: Spelling> Emit for Writing<'_, S> {
    fn keep(&mut self, len: usize) {
        self.go(len, true);
    }

    fn replace(&mut self, len: usize, with: &[u8]) {
        self.pass_markup();
        if !with.is_empty() {
            let style = self.style();
            self.spelling.replace(style, with, self.out);
        }
        self.go(len, false);
    }
}

/// A text on its way through the censor.
pub(crate) struct Mapped {
    source: Source,
    utf8: Utf8,
    units: Units,
    /// What was decoded and not yet shown to the source.
    text: Vec<u8>,
    /// All of the text is kept until its end, and the source is not asked.
    gathers: bool,
}

/// So much is decoded before the source is asked.
const ENOUGH: usize = 64 * 1024;

impl Decoded for Mapped {
    fn plain(&mut self, raw: &[u8], style: Style) {
        self.units.plain(raw, style);
        self.text.extend_from_slice(raw);
    }

    fn escape(&mut self, raw: &[u8], text: &[u8], style: Style) {
        self.units.escape(raw, text, style);
        self.text.extend_from_slice(text);
    }
}

impl Mapped {
    /// A text under a name. It may be JSON by itself, or bytes written as text.
    pub(crate) fn new(job: &Job, field: Option<&str>) -> Self {
        Self::of(Source::new(job, field, 0))
    }

    /// A text that is nothing but text.
    pub(crate) fn plain_text(job: &Job, field: Option<&str>) -> Self {
        Self::of(Source::new(job, field, usize::MAX))
    }

    fn of(source: Source) -> Self {
        Self { source, utf8: Utf8::default(), units: Units::default(), text: Vec::new(), gathers: false }
    }

    /// Keeps all of the text until it is asked for.
    pub(crate) const fn gather(&mut self) {
        self.gathers = true;
    }

    /// Bytes that were kept, as they are written.
    pub(crate) const fn gathered(&self) -> usize {
        self.units.raw.len()
    }

    /// The text that was kept, how it is written, and in how many bytes.
    pub(crate) fn into_gathered(self) -> (Vec<u8>, Units, usize) {
        let length = self.units.raw.len();
        (self.text, self.units, length)
    }

    /// Markup, in whose place something else is read.
    pub(crate) fn between(&mut self, raw: &[u8], text: &[u8]) {
        self.units.between(raw, text.len());
        self.text.extend_from_slice(text);
    }

    /// Whether it is time to [`flow`](Self::flow).
    pub(crate) const fn is_enough(&self) -> bool {
        self.text.len() >= ENOUGH && !self.gathers
    }

    /// Shows the source what was decoded, and writes what is decided.
    pub(crate) fn flow<S: Spelling>(
        &mut self,
        job: &Job,
        spelling: &mut S,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        if self.gathers {
            return Ok(());
        }
        let good = self.utf8.push(&self.text);
        let text = self.text.get(..good).unwrap_or_default();
        let nul = memchr::memchr(0, text);
        let text = text.get(..nul.unwrap_or(good)).unwrap_or_default();
        let mut writing = self.units.writing(spelling, out);
        self.source.push(job, text, &mut writing)?;
        writing.keep(0);
        self.units.trim();
        if nul.is_some() {
            return Err(job.refuse(Reason::ContentUninspectable).detail("a NUL byte in a text"));
        }
        if good < self.text.len() {
            return Err(job.refuse(Reason::ContentNotUtf8));
        }
        self.text.clear();
        if self.units.held() > job.limits.record {
            return Err(job.refuse(Reason::RecordTooLarge));
        }
        Ok(())
    }

    /// The text ends.
    pub(crate) fn finish<S: Spelling>(
        &mut self,
        job: &Job,
        spelling: &mut S,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        self.flow(job, spelling, out)?;
        if !self.utf8.is_whole() {
            return Err(job.refuse(Reason::ContentNotUtf8).detail("a text ends inside a character"));
        }
        if self.gathers {
            return Ok(());
        }
        let mut writing = self.units.writing(spelling, out);
        self.source.finish(job, &mut writing)?;
        writing.keep(0);
        self.units.trim();
        Ok(())
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        self.units.held() + self.text.len() + self.source.held()
    }
}
