//! JSON lines: one document a line. Each line is checked, censored and judged by itself, and is given out only when
//! all of it may pass; lines without findings stay byte for byte.

use std::ops::Range;
use std::sync::Arc;

use memchr::memchr;

use crate::body::json::{BOM, JsonPlan, Stop, Walker, decode};
use crate::body::records::{Anonymous, Record, RecordJudge, RecordVerdict, Records};
use crate::body::sink::Sink;
use crate::body::utf8::Utf8;
use crate::body::{Job, Transform};
use crate::censor::Tally;
use crate::reason::{Reason, Refusal, SafeText};

/// Memory that a long record took is given back above this.
const KEPT_CAPACITY: usize = 256 * 1024;

/// Censors JSON lines. Lines end with LF or CRLF; empty ones are kept; the last needs no end. A byte order mark at
/// the start is kept.
pub struct JsonlTransform {
    walker: Walker,
    judge: Option<Judge>,
    utf8: Utf8,
    /// Bytes of a byte order mark seen so far; none once that is settled.
    bom: Option<usize>,
    /// The number of the current line.
    line: u64,
    /// The current line began in an input before.
    open: bool,
    /// What was made of it so far.
    record: Vec<u8>,
    /// Bytes of the current line so far.
    length: usize,
}

/// Who judges the lines, and makes them anonymous.
struct Judge {
    judge: Box<dyn RecordJudge>,
    /// Walks over a line once more, to leave out whoever it is about.
    anonymous: Walker,
    /// The current line as it came, if it began in an input before.
    raw: Vec<u8>,
    /// A line without its subject, and its text without escapes.
    out: Vec<u8>,
    decoded: Vec<u8>,
    /// What was found before the current line, and whether something of a special category was found in it.
    before: Tally,
    special: bool,
}

impl Judge {
    fn new(judge: Box<dyn RecordJudge>, anonymous: Anonymous) -> Self {
        let Anonymous { job, plan } = anonymous;
        Self {
            judge,
            anonymous: Walker::new(job, plan),
            raw: Vec::new(),
            out: Vec::new(),
            decoded: Vec::new(),
            before: Tally::default(),
            special: false,
        }
    }

    /// A line begins. What was found before, in another file or in what is around this one, is not found in it.
    fn begin(&mut self, walker: &Walker) {
        walker.job().exchange.refresh(&mut self.before);
    }

    /// Judges a line that was read.
    fn judge(&mut self, number: u64, walker: &Walker) -> Result<RecordVerdict, Refusal> {
        self.special = walker.job().exchange.special() > self.before.special;
        self.judge.judge(&Record { number, facts: walker.facts(), special: self.special })
    }

    /// Makes a line anonymous. What it becomes is in `out`.
    fn anonymise(&mut self, number: u64, walker: &Walker, raw: &[u8]) -> Result<RecordVerdict, Stop> {
        self.out.clear();
        self.anonymous.reset();
        let mut sink = Sink::new(raw, &mut self.out);
        self.anonymous.feed(&mut sink, 0..raw.len())?;
        self.anonymous.end(&mut sink, raw.len())?;
        sink.flush(raw.len());
        let record = Record { number, facts: walker.facts(), special: self.special };
        let named = names(&*self.judge, &record, &self.out, &mut self.decoded);
        let verdict = self.judge.anonymised(&record, named)?;
        // What is told of a line is what became of it, and not what would have become of it otherwise.
        walker.job().exchange.recount(&self.before, &self.anonymous.job().exchange);
        Ok(verdict)
    }

    /// Gives back memory that a long line took.
    fn shrink(&mut self) {
        for kept in [&mut self.raw, &mut self.out, &mut self.decoded] {
            kept.clear();
            kept.shrink_to(KEPT_CAPACITY);
        }
    }
}

/// Escapes in escapes that are read; a text with more of them is taken to hide something.
const LAYERS: usize = 8;

/// Whether a text names the subject of a record, under any layer of escapes: JSON may stand in strings of JSON.
fn names(judge: &dyn RecordJudge, record: &Record<'_>, text: &[u8], decoded: &mut Vec<u8>) -> bool {
    if judge.names(record, text) {
        return true;
    }
    decoded.clear();
    decoded.extend_from_slice(text);
    for _ in 0..LAYERS {
        if memchr(b'\\', decoded).is_none() {
            return false;
        }
        let before = std::mem::take(decoded);
        decode(&before, decoded);
        if judge.names(record, decoded) {
            return true;
        }
        // A backslash that begins no escape stands for itself.
        if *decoded == before {
            return false;
        }
    }
    memchr(b'\\', decoded).is_some()
}

impl JsonlTransform {
    /// Lines that are judged one by one.
    #[must_use]
    pub fn judged(job: Job, records: Records) -> Self {
        let Records { plan, anonymous, judge } = records;
        Self::of(job, plan, Some(Judge::new(judge, anonymous)))
    }

    fn of(job: Job, plan: Arc<JsonPlan>, judge: Option<Judge>) -> Self {
        Self {
            walker: Walker::new(job, plan),
            judge,
            utf8: Utf8::default(),
            bom: Some(0),
            line: 1,
            open: false,
            record: Vec::new(),
            length: 0,
        }
    }

    /// Lines that all pass.
    #[must_use]
    pub fn censoring(job: Job, plan: Arc<JsonPlan>) -> Self {
        Self::of(job, plan, None)
    }

    fn skip_bom(&mut self, input: &[u8]) -> usize {
        let Some(seen) = self.bom else { return 0 };
        let expected = BOM.get(seen..).unwrap_or_default();
        let here = expected.len().min(input.len());
        if expected.get(..here) != input.get(..here) {
            self.bom = None;
            return 0;
        }
        self.bom = if here == expected.len() { None } else { Some(seen + here) };
        here
    }

    fn refuse(&self, reason: Reason) -> Refusal {
        self.walker.job().refuse(reason).detail(self.place())
    }

    fn place(&self) -> SafeText {
        SafeText::numbered("line", self.line)
    }

    fn at_line(&self, mut refusal: Refusal) -> Refusal {
        refusal.detail = Some(match refusal.detail.take() {
            None => self.place(),
            Some(detail) => self.place().and(&detail),
        });
        refusal
    }

    fn stop(&self, stop: Stop) -> Refusal {
        self.at_line(stop.refusal(self.walker.job()))
    }

    /// Reads more of the current line, as far as it may go: what is wrong before is told first, whatever the cuts are.
    fn read(&mut self, sink: &mut Sink<'_>, at: Range<usize>) -> Result<(), Refusal> {
        if let Some(judge) = self.judge.as_mut().filter(|_| self.length == 0) {
            judge.begin(&self.walker);
        }
        let room = self.walker.job().limits.record - self.length;
        let fits = at.len().min(room);
        self.length += fits;
        self.walker.feed(sink, at.start..at.start + fits).map_err(|stop| self.stop(stop))?;
        if fits < at.len() { Err(self.refuse(Reason::RecordTooLarge)) } else { Ok(()) }
    }

    /// A line whose end is in the input at hand: `at` without its LF.
    fn line(&mut self, sink: &mut Sink<'_>, at: Range<usize>) -> Result<(), Refusal> {
        let verdict =
            if self.open { self.rest_of_line(sink, at.clone()) } else { self.whole_line(sink, at.clone()) };
        if verdict? == RecordVerdict::Drop {
            sink.skip(at.end + 1);
        }
        self.line += 1;
        Ok(())
    }

    fn whole_line(&mut self, sink: &mut Sink<'_>, at: Range<usize>) -> Result<RecordVerdict, Refusal> {
        let mark = sink.mark(at.start);
        let mut verdict = self.read(sink, at.clone()).and_then(|()| self.judge(sink, at.end, false));
        if verdict != Ok(RecordVerdict::Keep) {
            sink.rewind(mark, at.end);
        }
        if verdict == Ok(RecordVerdict::Anonymise) {
            let raw = sink.input().get(at).unwrap_or_default();
            verdict = self.anonymise(raw, sink.out());
        }
        self.next_line();
        verdict
    }

    fn rest_of_line(&mut self, sink: &mut Sink<'_>, at: Range<usize>) -> Result<RecordVerdict, Refusal> {
        let mut record = std::mem::take(&mut self.record);
        let mut inner = Sink::starting_at(sink.input(), at.start, &mut record);
        self.read(&mut inner, at.clone())?;
        let mut verdict = self.judge(&mut inner, at.end, false)?;
        inner.flush(at.end);
        sink.flush(at.start);
        match verdict {
            RecordVerdict::Keep => sink.put(&record),
            RecordVerdict::Drop => {}
            RecordVerdict::Anonymise => {
                let raw = self.raw(sink.input().get(at.clone()).unwrap_or_default());
                verdict = self.anonymise(&raw, sink.out())?;
            }
        }
        sink.skip(at.end);
        record.clear();
        if record.capacity() <= KEPT_CAPACITY {
            self.record = record;
        }
        self.next_line();
        Ok(verdict)
    }

    /// The line is complete: its document has to be, and the judge is asked.
    fn judge(&mut self, sink: &mut Sink<'_>, at: usize, last: bool) -> Result<RecordVerdict, Refusal> {
        if self.walker.is_blank() {
            return Ok(RecordVerdict::Keep);
        }
        self.walker.end(sink, at).map_err(|stop| {
            let mut refusal = self.stop(stop);
            if !last && refusal.reason == self.walker.job().refuse(Reason::ContentTruncated).reason {
                refusal.reason = self.walker.job().refuse(Reason::ContentMalformed).reason;
            }
            refusal
        })?;
        let verdict = match &mut self.judge {
            None => Ok(RecordVerdict::Keep),
            Some(judge) => judge.judge(self.line, &self.walker),
        };
        let verdict = verdict.map_err(|refusal| self.at_line(refusal))?;
        if verdict == RecordVerdict::Keep {
            self.walker.job().meter.count_record();
        }
        Ok(verdict)
    }

    /// The current line, of which this is the end.
    fn raw(&mut self, end: &[u8]) -> Vec<u8> {
        let mut raw = self.judge.as_mut().map(|judge| std::mem::take(&mut judge.raw)).unwrap_or_default();
        raw.extend_from_slice(end);
        raw
    }

    /// Gives out the current line without whoever it is about, if it may pass then.
    fn anonymise(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<RecordVerdict, Refusal> {
        let Some(judge) = &mut self.judge else { return Ok(RecordVerdict::Drop) };
        match judge.anonymise(self.line, &self.walker, raw) {
            Ok(RecordVerdict::Keep) => {
                out.extend_from_slice(&judge.out);
                Ok(RecordVerdict::Keep)
            }
            Ok(RecordVerdict::Anonymise | RecordVerdict::Drop) => Ok(RecordVerdict::Drop),
            Err(stop) => Err(self.stop(stop)),
        }
    }

    fn next_line(&mut self) {
        self.walker.reset();
        self.open = false;
        self.length = 0;
        if let Some(judge) = &mut self.judge {
            judge.shrink();
        }
    }

    /// The beginning of a line, or its middle, without its end.
    fn part(&mut self, sink: &mut Sink<'_>, at: Range<usize>) -> Result<(), Refusal> {
        sink.flush(at.start);
        sink.skip(at.end);
        self.open = true;
        let mut record = std::mem::take(&mut self.record);
        let mut inner = Sink::starting_at(sink.input(), at.start, &mut record);
        self.read(&mut inner, at.clone())?;
        inner.flush(at.end);
        self.record = record;
        if let Some(judge) = &mut self.judge {
            judge.raw.extend_from_slice(sink.input().get(at).unwrap_or_default());
        }
        Ok(())
    }

    fn lines(&mut self, sink: &mut Sink<'_>) -> Result<(), Refusal> {
        let text = sink.input();
        let mut at = self.skip_bom(text);
        while let Some(length) = memchr(b'\n', text.get(at..).unwrap_or_default()) {
            self.line(sink, at..at + length)?;
            at += length + 1;
        }
        if at < text.len() { self.part(sink, at..text.len()) } else { Ok(()) }
    }
}

impl Transform for JsonlTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let good = self.utf8.push(input);
        let text = input.get(..good).unwrap_or_default();
        let mut sink = Sink::new(text, out);
        self.lines(&mut sink)?;
        sink.flush(good);
        if good < input.len() { Err(self.refuse(Reason::ContentNotUtf8)) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.utf8.is_whole() {
            return Err(self.refuse(Reason::ContentNotUtf8));
        }
        if self.bom.is_some_and(|seen| seen > 0) {
            return Err(self.refuse(Reason::ContentTruncated));
        }
        if self.open {
            let mut record = std::mem::take(&mut self.record);
            match self.judge(&mut Sink::new(&[], &mut record), 0, true)? {
                RecordVerdict::Keep => out.append(&mut record),
                RecordVerdict::Drop => {}
                RecordVerdict::Anonymise => {
                    let raw = self.raw(&[]);
                    self.anonymise(&raw, out)?;
                }
            }
            self.next_line();
        }
        self.judge.as_mut().map_or(Ok(()), |judge| judge.judge.end())
    }

    fn held(&self) -> usize {
        let judge = self.judge.as_ref();
        let raw = judge.map_or(0, |judge| judge.raw.len() + judge.out.len() + judge.anonymous.held());
        self.record.len() + self.walker.held() + raw
    }
}

#[cfg(test)]
mod tests;
