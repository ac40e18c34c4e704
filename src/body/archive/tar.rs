//! tar as a stream. A member's censored content waits in the spool until its length is known, which stands before it;
//! everything else goes straight through.

mod header;
mod member;
mod pax;

use crate::body::container::{Containers, Contents};
use crate::body::spool::{Spool, Spooled};
use crate::body::{DRAIN_STEP, Transform};
use crate::reason::{Reason, Refusal};

pub(crate) use header::is_header;
use header::{BLOCK, Header, Kind};
use member::{Announced, Member};

/// Bytes of the records before a member.
const RECORDS: u64 = 1 << 20;

/// Censors a tar archive.
pub(crate) struct TarTransform {
    contents: Box<dyn Contents>,
    containers: Containers,
    /// Input that was not looked at yet.
    pending: Vec<u8>,
    at: usize,
    ended: bool,
    /// What stands before the next member.
    announced: Announced,
    /// For all that follow.
    names: super::names::Names,
    members: u64,
    state: State,
}

enum State {
    Header,
    /// Records before a member.
    Records {
        header: Header,
        left: u64,
        text: Vec<u8>,
    },
    Content(Box<Content>),
    /// What came of a member goes out.
    Giving {
        spooled: Spooled,
        padding: usize,
    },
    /// A block of zeros was seen.
    End,
}

/// A member's content on its way.
struct Content {
    member: Member,
    left: u64,
    inner: Box<dyn Transform>,
    finished: bool,
    product: Spool,
    out: Vec<u8>,
}

impl TarTransform {
    pub(crate) fn new(contents: Box<dyn Contents>, containers: Containers) -> Self {
        Self {
            contents,
            containers,
            pending: Vec::new(),
            at: 0,
            ended: false,
            announced: Announced::default(),
            names: super::names::Names::default(),
            members: 0,
            state: State::Header,
        }
    }

    fn refuse(&self, reason: Reason, detail: &'static str) -> Refusal {
        self.contents.refuse(reason, detail)
    }

    fn malformed(&self, detail: &'static str) -> Refusal {
        self.refuse(Reason::ContentMalformed, detail)
    }

    /// The next bytes of the input, if there are so many.
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let bytes = self.pending.get(self.at..self.at + count)?;
        self.at += count;
        Some(bytes)
    }

    /// As many bytes as there are, at most so many.
    fn some(&mut self, most: u64) -> &[u8] {
        let left = self.pending.len() - self.at;
        let count = left.min(usize::try_from(most).unwrap_or(usize::MAX)).min(DRAIN_STEP);
        self.take(count).unwrap_or_default()
    }

    /// Does some work. False: there is none without more input.
    fn step(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        match std::mem::replace(&mut self.state, State::Header) {
            State::Header => self.header(out),
            State::Records { header, left, text } => self.records(header, left, text, out),
            State::Content(content) => self.content(*content, out),
            State::Giving { mut spooled, padding } => {
                if spooled.read(out)? {
                    self.state = State::Giving { spooled, padding };
                } else {
                    out.resize(out.len() + padding, 0);
                }
                Ok(true)
            }
            State::End => {
                self.state = State::End;
                let rest = self.some(u64::MAX);
                if rest.iter().any(|byte| *byte != 0) {
                    return Err(self.malformed("bytes behind the end of the archive"));
                }
                out.extend_from_slice(rest);
                Ok(!rest.is_empty())
            }
        }
    }

    fn header(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let Some(block) = self.take(BLOCK) else { return Ok(false) };
        let mut header = Header(Box::new([0; BLOCK]));
        header.0.iter_mut().zip(block).for_each(|(slot, byte)| *slot = *byte);
        if header.0.iter().all(|byte| *byte == 0) {
            if !self.announced.is_empty() {
                return Err(self.malformed("records before no member"));
            }
            out.extend_from_slice(header.0.as_slice());
            self.state = State::End;
            return Ok(true);
        }
        if !header.is_whole() {
            return Err(self.malformed("a header of the archive"));
        }
        if !header.is_tidy() {
            return Err(self.malformed("bytes in a header that belong to no field"));
        }
        let size = header.size().ok_or_else(|| self.malformed("the size of a member"))?;
        match header.kind() {
            Kind::Pax | Kind::Global | Kind::LongName | Kind::LongLink => {
                if size > RECORDS || self.announced.len() as u64 > RECORDS {
                    return Err(self.refuse(Reason::RecordTooLarge, "the records before a member"));
                }
                self.state = State::Records { header, left: size, text: Vec::new() };
                Ok(true)
            }
            Kind::Other => {
                Err(self.refuse(Reason::ContentUninspectable, "a member that is no file, folder or link"))
            }
            Kind::File | Kind::HardLink | Kind::SymbolicLink | Kind::Folder => self.begin(header, size, out),
        }
    }

    /// Records, and the zeros behind them.
    fn records(
        &mut self,
        header: Header,
        left: u64,
        mut text: Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Refusal> {
        let some = self.some(left);
        text.extend_from_slice(some);
        let left = left - some.len() as u64;
        let padding = padding(text.len() as u64);
        if left > 0 || self.pending.len() - self.at < padding {
            let more = left > 0 && self.at < self.pending.len();
            self.state = State::Records { header, left, text };
            return Ok(more);
        }
        self.zeros(padding)?;
        let contents = &mut *self.contents;
        match header.kind() {
            Kind::Global => member::global(contents, &header, &text, out)?,
            _ => self.announced.add(contents, &header, text)?,
        }
        Ok(true)
    }

    fn zeros(&mut self, count: usize) -> Result<(), Refusal> {
        if self.take(count).unwrap_or_default().iter().any(|byte| *byte != 0) {
            return Err(self.malformed("bytes in the archive that belong to no member"));
        }
        Ok(())
    }

    fn begin(&mut self, header: Header, size: u64, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.members += 1;
        if !self.containers.count_member() {
            return Err(self.refuse(Reason::RecordTooLarge, "the archive has too many members"));
        }
        let announced = std::mem::take(&mut self.announced);
        let longest = self.containers.limits.path;
        let member = Member::read(&mut *self.contents, header, announced, longest, &mut self.names)?;
        let size = member.size().unwrap_or(size);
        if !member.is_file() {
            if size > 0 {
                return Err(self.malformed("a link or folder with a content"));
            }
            member.write(0, out);
            return Ok(true);
        }
        if size > self.containers.left() {
            return Err(self.refuse(Reason::CodingBomb, "all that the archive holds"));
        }
        let inner = self.contents.member(member.path())?;
        let product = self.containers.spools.open();
        let content = Content { member, left: size, inner, finished: false, product, out: Vec::new() };
        self.state = State::Content(Box::new(Content { left: size, ..content }));
        Ok(true)
    }

    fn content(&mut self, mut content: Content, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let more = content.inner.drain(&mut content.out)?;
        let mut idle = false;
        if !more && content.finished {
            return self.give(content, out);
        }
        if !more && content.left > 0 {
            let left = content.left;
            let some = self.some(left);
            idle = some.is_empty();
            if !idle {
                content.inner.push(some, &mut content.out)?;
            }
            let count = some.len() as u64;
            content.left -= count;
            if !self.containers.count_decoded(count) {
                return Err(self.refuse(Reason::CodingBomb, "all that the archive holds"));
            }
        } else if !more {
            content.inner.finish(&mut content.out)?;
            content.finished = true;
        }
        content.product.push(&content.out)?;
        content.out.clear();
        self.state = State::Content(Box::new(content));
        Ok(!idle)
    }

    /// All of a member is known.
    fn give(&mut self, mut content: Content, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let read = content.member.read_size();
        let behind = padding(read);
        if self.pending.len() - self.at < behind {
            self.state = State::Content(Box::new(content));
            return Ok(false);
        }
        self.zeros(behind)?;
        content.product.push(&content.out)?;
        let length = content.product.len();
        content.member.write(length, out);
        self.state = State::Giving { spooled: content.product.into_reader(), padding: padding(length) };
        Ok(true)
    }
}

/// Zeros up to the end of a block.
fn padding(length: u64) -> usize {
    let used = usize::try_from(length % BLOCK as u64).unwrap_or_default();
    (BLOCK - used) % BLOCK
}

impl Transform for TarTransform {
    fn push(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result<(), Refusal> {
        self.pending.drain(..self.at);
        self.at = 0;
        self.pending.extend_from_slice(input);
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), Refusal> {
        self.ended = true;
        Ok(())
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let until = out.len() + DRAIN_STEP;
        // Little work at a time: others wait for the thread.
        for _ in 0..64 {
            if !self.step(out)? {
                if !self.ended {
                    return Ok(false);
                }
                let whole = matches!(self.state, State::End) && self.members_end();
                return if whole {
                    Ok(false)
                } else {
                    Err(self.refuse(Reason::ContentTruncated, "the archive ends before its end"))
                };
            }
            if out.len() >= until {
                break;
            }
        }
        Ok(true)
    }

    fn held(&self) -> usize {
        let state = match &self.state {
            State::Header | State::End => 0,
            State::Records { text, .. } => text.len(),
            State::Content(content) => content.inner.held() + content.product.held() + content.out.len(),
            State::Giving { spooled, .. } => spooled.held(),
        };
        self.pending.len() - self.at + state + self.names.held() + self.announced.len()
    }
}

impl TarTransform {
    /// Whether nothing is left over.
    const fn members_end(&self) -> bool {
        self.at == self.pending.len()
    }
}
