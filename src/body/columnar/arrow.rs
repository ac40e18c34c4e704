//! Arrow IPC, as a file and as a stream, batch by batch. Columns of text are read from the batches that they stand in;
//! a batch in which something was found is written anew, with its other buffers as they were.

mod batch;
mod flat;
mod message;
mod schema;

use crate::body::DRAIN_STEP;
use crate::body::container::{Containers, Contents, Seekable, Walk};
use crate::reason::{Reason, Refusal};

use batch::{Batch, Place, Replaced};
use flat::{Table, i32_at, i64_at};
use message::{BATCH, DICTIONARY, Message, SCHEMA};
use schema::Schema;

pub(crate) const MAGIC: &[u8] = b"ARROW1";
/// The magic and its padding.
const HEAD: u64 = 8;
/// The length of the footer and the magic behind it.
const TAIL: u64 = 10;
/// What a message begins with.
const CONTINUATION: &[u8] = &[0xff; 4];
/// The alignment of buffers that are written.
const ALIGN: u64 = 64;
/// A place of a footer's list: where, how long the message is, how long its body.
const BLOCK: usize = 24;

/// Whether bytes begin as a stream does.
pub(crate) fn is_stream(first: &[u8]) -> bool {
    let length = i32_at(first, 4).and_then(|length| usize::try_from(length).ok());
    first.starts_with(CONTINUATION) && length.is_some_and(|length| length > 0 && length.is_multiple_of(8))
}

/// The message of a schema, its texts censored.
pub(super) enum SchemaMessage {
    /// It is none.
    Unknown,
    Clean,
    Changed(Vec<u8>),
}

/// Censors the schema in a message.
pub(super) fn schema_message(contents: &mut dyn Contents, bytes: &[u8]) -> Result<SchemaMessage, Refusal> {
    let inside = bytes.strip_prefix(CONTINUATION).unwrap_or(bytes).get(4..).unwrap_or_default();
    let root = Table::root(inside).filter(|root| root.u8(1) == Some(SCHEMA));
    let Some(table) = root.and_then(|root| root.table(2)) else { return Ok(SchemaMessage::Unknown) };
    let Some(changed) = schema::censored(contents, inside, &table, 4)? else {
        return Ok(SchemaMessage::Clean);
    };
    let length = u32::try_from(changed.len()).unwrap_or(u32::MAX).to_le_bytes();
    Ok(SchemaMessage::Changed([CONTINUATION, &length, &changed].concat()))
}

/// A batch as it stood, and as it was written.
struct Block {
    old: [u64; 3],
    new: [u64; 3],
    dictionary: bool,
}

/// A way through an Arrow file or stream.
pub(crate) struct ArrowWalk {
    file: Seekable,
    contents: Box<dyn Contents>,
    containers: Containers,
    /// Where the footer begins, if it is a file.
    footer_at: Option<u64>,
    schema: Option<Schema>,
    blocks: Vec<Block>,
    rows: u64,
    read: u64,
    written: u64,
    /// What is written is no more what was read.
    moved: bool,
    state: State,
}

enum State {
    Next,
    Copying { until: u64 },
    Batch(Box<Going>),
    Body(Box<Body>),
    Footer,
    Done,
}

/// A batch that is looked at.
struct Going {
    message: Message,
    /// Where message and body begin, and where the body ends.
    at: u64,
    body_at: u64,
    end: u64,
    /// What is still to be looked at, the next one last.
    places: Vec<Place>,
    replaced: Replaced,
    product: crate::body::spool::Spool,
    changed: bool,
}

/// A body that is written.
struct Body {
    product: Seekable,
    /// What is still to be written, the next one last.
    pieces: Vec<Piece>,
    end: u64,
}

struct Piece {
    /// Of the product, or of the file.
    new: bool,
    at: u64,
    length: u64,
    padding: usize,
}

impl ArrowWalk {
    /// A file if it begins as one, or else a stream.
    pub(crate) fn new(
        mut file: Seekable,
        contents: Box<dyn Contents>,
        containers: Containers,
    ) -> Result<Self, Refusal> {
        let mut head = Vec::new();
        file.read(0, usize::try_from(file.len().min(HEAD)).unwrap_or_default(), &mut head)?;
        let mut footer_at = None;
        if head.starts_with(MAGIC) {
            let truncated = || contents.refuse(Reason::ContentTruncated, "the end of the table");
            let tail_at = file.len().checked_sub(TAIL).filter(|at| *at >= HEAD).ok_or_else(truncated)?;
            let mut tail = Vec::new();
            file.read(tail_at, 10, &mut tail)?;
            let length = i32_at(&tail, 0).and_then(|length| u64::try_from(length).ok());
            let ends = tail.get(4..) == Some(MAGIC) && head.get(6..) == Some(&[0, 0]);
            let at = length.and_then(|length| tail_at.checked_sub(length)).filter(|at| ends && *at >= HEAD);
            footer_at = Some(at.ok_or_else(truncated)?);
        }
        let state = match footer_at {
            Some(_) => State::Copying { until: HEAD },
            None => State::Next,
        };
        Ok(Self {
            file,
            contents,
            containers,
            footer_at,
            schema: None,
            blocks: Vec::new(),
            rows: 0,
            read: 0,
            written: 0,
            moved: false,
            state,
        })
    }

    fn malformed(&self, detail: &'static str) -> Refusal {
        self.contents.refuse(Reason::ContentMalformed, detail)
    }

    /// The next message.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<State, Refusal> {
        let end = self.footer_at.unwrap_or(self.file.len());
        let at = self.read;
        if self.footer_at == Some(at) {
            return Ok(State::Footer);
        }
        let truncated = self.contents.refuse(Reason::ContentTruncated, "a message of the table");
        if end - at < 8 {
            return Err(truncated);
        }
        let mut prefix = Vec::new();
        self.file.read(at, 8, &mut prefix)?;
        let length = i32_at(&prefix, 4).and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|_| prefix.starts_with(CONTINUATION)) else {
            return Err(self.contents.refuse(Reason::ContentUninspectable, "a message in an unknown form"));
        };
        if length == 0 {
            // The end of the stream, behind which a file has its footer.
            self.copy(at + 8, out)?;
            return match (self.footer_at, self.read == end) {
                (Some(_), true) => Ok(State::Footer),
                (None, true) => Ok(State::Done),
                _ => Err(self.malformed("bytes behind the end of the table")),
            };
        }
        if length > self.containers.limits.block {
            return Err(self.contents.refuse(Reason::RecordTooLarge, "a message of the table"));
        }
        let body_at = at + 8 + length as u64;
        if body_at > end || !length.is_multiple_of(8) {
            return Err(truncated);
        }
        let mut bytes = Vec::new();
        self.file.read(at + 8, length, &mut bytes)?;
        let malformed = self.malformed("a message of the table");
        let Some(root) = Table::root(&bytes) else { return Err(malformed) };
        match (root.u8(1), self.schema.is_some()) {
            (Some(SCHEMA), false) => {
                let Some(table) = root.table(2).filter(|_| root.i64(3) == Some(0)) else {
                    return Err(malformed);
                };
                let version = root.i16(0).unwrap_or_default();
                self.schema = Some(Schema::read(&*self.contents, &table, version)?);
                match schema::censored(&mut *self.contents, &bytes, &table, 4)? {
                    None => Ok(State::Copying { until: body_at }),
                    Some(changed) => {
                        self.message(&changed, out);
                        self.read = body_at;
                        self.moved = true;
                        Ok(State::Next)
                    }
                }
            }
            (Some(BATCH | DICTIONARY), true) => {
                let Some(mut message) = Message::read(&root) else { return Err(malformed) };
                let changed = message.censor(&mut *self.contents, &bytes)?;
                self.begin(message, changed, (at, body_at, end), truncated)
            }
            (Some(SCHEMA | BATCH | DICTIONARY), _) => Err(malformed),
            _ => Err(self.contents.refuse(Reason::ContentUninspectable, "a message that holds no table")),
        }
    }

    fn message(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(CONTINUATION);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(bytes);
        self.written += 8 + bytes.len() as u64;
    }

    /// A batch begins.
    fn begin(
        &mut self,
        message: Message,
        changed: bool,
        (at, body_at, file_end): (u64, u64, u64),
        truncated: Refusal,
    ) -> Result<State, Refusal> {
        let end = body_at.checked_add(message.body).filter(|end| *end <= file_end).ok_or(truncated)?;
        let schema = self.schema.as_ref();
        let columns = match message.dictionary {
            None => schema.map(|schema| schema.columns.as_slice()),
            Some((id, _)) => schema.and_then(|schema| schema.dictionaries.get(&id)).map(std::slice::from_ref),
        };
        let places = columns.and_then(|columns| batch::places(columns, &message));
        let Some(mut places) = places else {
            return Err(self.malformed("a batch that is not as the schema says"));
        };
        places.reverse();

        self.contents.part(self.rows);
        if message.dictionary.is_none() {
            self.rows = self.rows.saturating_add(message.rows());
        }
        let mut going = Going {
            message,
            at,
            body_at,
            end,
            places,
            replaced: Replaced::default(),
            product: self.containers.spools.open(),
            changed,
        };
        going.batch(&mut self.file, &mut *self.contents, &self.containers).check()?;
        Ok(State::Batch(Box::new(going)))
    }

    /// One column of a batch.
    fn look(&mut self, mut going: Going, out: &mut Vec<u8>) -> Result<State, Refusal> {
        if let Some(place) = going.places.pop() {
            let mut product = std::mem::replace(&mut going.product, self.containers.spools.open());
            let mut replaced = std::mem::take(&mut going.replaced);
            let mut batch = going.batch(&mut self.file, &mut *self.contents, &self.containers);
            batch.censor(&place, &mut replaced, &mut product)?;
            (going.product, going.replaced) = (product, replaced);
            return Ok(State::Batch(Box::new(going)));
        }
        let dictionary = going.message.dictionary.is_some();
        let old = [going.at, going.body_at - going.at, going.message.body];
        if going.replaced.is_empty() && !going.changed {
            let new = [self.written, old[1], old[2]];
            self.blocks.push(Block { old, new, dictionary });
            return Ok(State::Copying { until: going.end });
        }
        let pieces = lay_out(&mut going);
        let bytes = going.message.write();
        let new = [self.written, 8 + bytes.len() as u64, going.message.body];
        self.blocks.push(Block { old, new, dictionary });
        self.message(&bytes, out);
        self.written += going.message.body;
        self.read = going.end;
        self.moved = true;
        going.product.seal()?;
        let body = Body { product: Seekable::spool(going.product), pieces, end: going.end };
        Ok(State::Body(Box::new(body)))
    }

    /// Some of a body.
    fn body(&mut self, mut body: Body, out: &mut Vec<u8>) -> Result<State, Refusal> {
        let Some(piece) = body.pieces.last_mut() else {
            self.read = body.end;
            return Ok(State::Next);
        };
        let count = usize::try_from(piece.length).unwrap_or(usize::MAX).min(DRAIN_STEP);
        let source = if piece.new { &mut body.product } else { &mut self.file };
        source.read(piece.at, count, out)?;
        piece.at += count as u64;
        piece.length -= count as u64;
        if piece.length == 0 {
            out.resize(out.len() + piece.padding, 0);
            body.pieces.pop();
        }
        Ok(State::Body(Box::new(body)))
    }

    /// Copies the file up to a place.
    fn copy(&mut self, until: u64, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let count = until.saturating_sub(self.read);
        self.file.read(self.read, usize::try_from(count).unwrap_or(usize::MAX), out)?;
        self.read = until;
        self.written += count;
        Ok(())
    }

    /// The footer says where the batches are, and the schema once more.
    fn footer(&mut self, at: u64, out: &mut Vec<u8>) -> Result<State, Refusal> {
        let length = usize::try_from(self.file.len() - TAIL - at).unwrap_or(usize::MAX);
        if length > self.containers.limits.block {
            return Err(self.contents.refuse(Reason::RecordTooLarge, "the footer of the table"));
        }
        let malformed = self.malformed("the footer of the table");
        let mut bytes = Vec::new();
        self.file.read(at, length, &mut bytes)?;
        let table = Table::root(&bytes).and_then(|root| Some((root, root.table(1)?)));
        let Some((root, table)) = table else { return Err(malformed) };
        let version = root.i16(0).unwrap_or_default();
        let again = Schema::read(&*self.contents, &table, version)?;
        if self.schema.as_ref() != Some(&again) {
            return Err(self.contents.refuse(Reason::FieldAmbiguous, "the table's two schemas differ"));
        }
        let changed = schema::censored(&mut *self.contents, &bytes, &table, 4)?;
        let mut places = Vec::new();
        for (field, dictionary) in [(2, true), (3, false)] {
            let Some((first, count)) = root.vector(field, BLOCK) else { return Err(malformed) };
            for number in 0..count {
                let at = first + number * BLOCK;
                let said = said(&bytes, at);
                // They stand in the order in which they were read.
                let found =
                    self.blocks.binary_search_by_key(&said.map(|said| said[0]), |block| Some(block.old[0]));
                let block = found.ok().and_then(|found| self.blocks.get(found));
                let same = |block: &&Block| block.dictionary == dictionary && Some(block.old) == said;
                let Some(block) = block.filter(same) else { return Err(malformed) };
                places.push((at, block.new));
            }
        }
        if changed.is_none() && !self.moved {
            return Ok(State::Copying { until: self.file.len() });
        }
        let mut bytes = changed.unwrap_or(bytes);
        for (at, [offset, length, body]) in places {
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            let new =
                [&offset.to_le_bytes()[..], &length.to_le_bytes(), &[0; 4], &body.to_le_bytes()].concat();
            if let Some(place) = bytes.get_mut(at..at + BLOCK) {
                place.copy_from_slice(&new);
            }
        }
        out.extend_from_slice(&bytes);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(MAGIC);
        Ok(State::Done)
    }
}

/// What a footer says of a batch.
fn said(bytes: &[u8], at: usize) -> Option<[u64; 3]> {
    let number = |value: i64| u64::try_from(value).ok();
    Some([
        number(i64_at(bytes, at)?)?,
        number(i64::from(i32_at(bytes, at + 8)?))?,
        number(i64_at(bytes, at + 16)?)?,
    ])
}

impl Going {
    fn batch<'a>(
        &'a mut self,
        file: &'a mut Seekable,
        contents: &'a mut dyn Contents,
        containers: &'a Containers,
    ) -> Batch<'a> {
        Batch { file, contents, containers, message: &mut self.message, body_at: self.body_at }
    }
}

/// Where the buffers of a batch stand from now on; the last piece comes first.
fn lay_out(going: &mut Going) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut buffers = Vec::new();
    let mut end = 0_u64;
    let mut put = |new, at, length: u64| {
        let padded = length.next_multiple_of(ALIGN);
        let padding = usize::try_from(padded - length).unwrap_or_default();
        pieces.push(Piece { new, at, length, padding });
        buffers.push((end, length));
        end += padded;
    };
    for (number, (at, length)) in going.message.buffers.iter().enumerate() {
        match going.replaced.buffers.get(&number) {
            Some((at, length)) => put(true, *at, *length),
            None => put(false, going.body_at + at, *length),
        }
        if let Some((at, length)) = going.replaced.added.get(&number) {
            put(true, *at, *length);
        }
    }
    going.message.buffers = buffers;
    going.message.body = end;
    pieces.reverse();
    pieces
}

impl Walk for ArrowWalk {
    fn step(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.state = match std::mem::replace(&mut self.state, State::Done) {
            State::Next => self.next(out)?,
            State::Copying { until } => {
                let step = until.min(self.read.saturating_add(DRAIN_STEP as u64));
                self.copy(step, out)?;
                match step {
                    step if step < until => State::Copying { until },
                    step if step == self.file.len() && self.footer_at.is_some() => State::Done,
                    _ => State::Next,
                }
            }
            State::Batch(going) => self.look(*going, out)?,
            State::Body(body) => self.body(*body, out)?,
            State::Footer => match self.footer_at {
                Some(at) => self.footer(at, out)?,
                None => State::Done,
            },
            State::Done => return Ok(false),
        };
        Ok(true)
    }

    fn held(&self) -> usize {
        let state = match &self.state {
            State::Batch(going) => going.product.held(),
            State::Body(body) => body.product.held(),
            State::Next | State::Copying { .. } | State::Footer | State::Done => 0,
        };
        self.file.held() + self.blocks.len() * size_of::<Block>() + state
    }
}
