//! The messages that carry batches: read, and written anew.

use super::flat::{Left, Table, i64_at};
use super::schema::nothing_left;
use crate::body::container::Contents;
use crate::reason::Refusal;

/// Kinds of messages.
pub(super) const SCHEMA: u8 = 1;
pub(super) const DICTIONARY: u8 = 2;
pub(super) const BATCH: u8 = 3;

/// A message that carries a batch.
#[derive(Clone, Debug)]
pub(super) struct Message {
    version: i16,
    /// The dictionary whose values these are, and whether they are added to it.
    pub(super) dictionary: Option<(i64, bool)>,
    length: i64,
    nodes: Vec<(i64, i64)>,
    pub(super) buffers: Vec<(u64, u64)>,
    /// The number of the codec.
    pub(super) compression: Option<u8>,
    pub(super) views: Vec<u64>,
    pub(super) body: u64,
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the texts of the pairs stand.
    texts: Vec<(usize, usize)>,
}

impl Message {
    /// Reads what a message says of its batch.
    pub(super) fn read(message: &Table<'_>) -> Option<Self> {
        let header = message.table(2)?;
        let (batch, dictionary) = match message.u8(1)? {
            DICTIONARY => (header.table(1)?, Some((header.i64(0)?, header.u8(2)? != 0))),
            _ => (header, None),
        };
        let bytes = batch.buffer();
        let (at, count) = batch.vector(1, 16)?;
        let nodes: Option<Vec<_>> =
            (0..count).map(|i| i64_at(bytes, at + 16 * i).zip(i64_at(bytes, at + 16 * i + 8))).collect();
        let (at, count) = batch.vector(2, 16)?;
        let size = |at| i64_at(bytes, at).and_then(|value| u64::try_from(value).ok());
        let buffers: Option<Vec<_>> =
            (0..count).map(|i| size(at + 16 * i).zip(size(at + 16 * i + 8))).collect();
        let (at, count) = batch.vector(4, 8)?;
        let views: Option<Vec<u64>> = (0..count).map(|i| size(at + 8 * i)).collect();
        let compression = match batch.table(3) {
            None if batch.has(3) => return None,
            None => None,
            // Each buffer by itself is the one method that there is.
            Some(about) if about.u8(1)? == 0 => Some(about.u8(0)?),
            Some(_) => return None,
        };
        let (mut pairs, mut texts) = (Vec::new(), Vec::new());
        let mut left = Left::of(bytes);
        for pair in message.tables(4)? {
            let all = [pair.text(0), pair.text(1)];
            left.take(all.iter().flatten().map(|text| text.bytes.len()).sum())?;
            texts.extend(all.iter().flatten().map(|text| (text.at, text.bytes.len())));
            let [key, value] = all.map(|text| text.map_or_else(Vec::new, |text| text.bytes.to_vec()));
            pairs.push((key, value));
        }
        Some(Self {
            version: message.i16(0)?,
            dictionary,
            length: batch.i64(0)?,
            nodes: nodes?,
            buffers: buffers?,
            compression,
            views: views?,
            body: u64::try_from(message.i64(3)?).ok()?,
            pairs,
            texts,
        })
    }

    /// Rows of the batch.
    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.length).unwrap_or_default()
    }

    /// The length of a column.
    pub(super) fn node(&self, at: usize) -> Option<usize> {
        self.nodes.get(at).and_then(|(length, _)| usize::try_from(*length).ok())
    }

    pub(super) const fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Censors what is said beside the batch, in the message that it was read from. True: something changed.
    pub(super) fn censor(&mut self, contents: &mut dyn Contents, buffer: &[u8]) -> Result<bool, Refusal> {
        nothing_left(contents, buffer, self.texts.iter().copied())?;
        let mut changed = false;
        for (key, value) in &mut self.pairs {
            let name = String::from_utf8_lossy(key).into_owned();
            for (text, context) in [(&mut *key, None), (value, Some(&*name))] {
                if let Some(censored) = contents.text(context, text)? {
                    *text = censored;
                    changed = true;
                }
            }
        }
        Ok(changed)
    }

    /// The message, written anew, its length a multiple of eight.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Builder::default();
        let pairs: Vec<usize> = self
            .pairs
            .iter()
            .map(|(key, value)| {
                let (key, value) = (out.text(key), out.text(value));
                out.table(&[Some(Slot::Pointer(key)), Some(Slot::Pointer(value))])
            })
            .collect();
        let pairs = (!pairs.is_empty()).then(|| Slot::Pointer(out.pointers(&pairs)));
        let nodes = out.pairs(&self.nodes);
        let sizes = |(at, length): &(u64, u64)| (at.cast_signed(), length.cast_signed());
        let buffers = out.pairs(&self.buffers.iter().map(sizes).collect::<Vec<_>>());
        let views = (!self.views.is_empty()).then(|| Slot::Pointer(out.numbers(&self.views)));
        let compression = self
            .compression
            .map(|codec| Slot::Pointer(out.table(&[Some(Slot::Byte(codec)), Some(Slot::Byte(0))])));
        let batch = out.table(&[
            Some(Slot::Long(self.length)),
            Some(Slot::Pointer(nodes)),
            Some(Slot::Pointer(buffers)),
            compression,
            views,
        ]);
        let (kind, header) = match self.dictionary {
            None => (BATCH, batch),
            Some((id, added)) => {
                let slots = [Slot::Long(id), Slot::Pointer(batch), Slot::Byte(u8::from(added))];
                (DICTIONARY, out.table(&slots.map(Some)))
            }
        };
        let message = out.table(&[
            Some(Slot::Short(self.version)),
            Some(Slot::Byte(kind)),
            Some(Slot::Pointer(header)),
            Some(Slot::Long(self.body.cast_signed())),
            pairs,
        ]);
        out.finish(message)
    }
}

/// A field of a table that is written.
#[derive(Clone, Copy)]
enum Slot {
    Byte(u8),
    Short(i16),
    Long(i64),
    /// Something that was written before.
    Pointer(usize),
}

/// Writes a buffer from its end to its beginning, so that pointers lead forwards. Places are counted from the end.
#[derive(Default)]
struct Builder {
    /// Backwards.
    bytes: Vec<u8>,
}

impl Builder {
    /// Puts bytes before those that are there.
    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes.iter().rev());
    }

    /// Makes the beginning of what is put next, of a length, lie at a multiple of eight.
    fn align(&mut self, length: usize) {
        while !(self.bytes.len() + length).is_multiple_of(8) {
            self.bytes.push(0);
        }
    }

    fn pointer(&mut self, to: usize) {
        let offset = self.bytes.len() + 4 - to;
        self.put(&u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn count(&mut self, count: usize) -> usize {
        self.put(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes.len()
    }

    fn text(&mut self, text: &[u8]) -> usize {
        self.align(text.len() + 1);
        self.put(&[0]);
        self.put(text);
        // The count has its own alignment, of four.
        self.count(text.len())
    }

    fn pointers(&mut self, to: &[usize]) -> usize {
        self.align(4 * to.len());
        for to in to.iter().rev() {
            self.pointer(*to);
        }
        self.count(to.len())
    }

    fn pairs(&mut self, pairs: &[(i64, i64)]) -> usize {
        self.align(0);
        for (first, second) in pairs.iter().rev() {
            self.put(&second.to_le_bytes());
            self.put(&first.to_le_bytes());
        }
        self.count(pairs.len())
    }

    fn numbers(&mut self, numbers: &[u64]) -> usize {
        self.align(0);
        for number in numbers.iter().rev() {
            self.put(&number.to_le_bytes());
        }
        self.count(numbers.len())
    }

    /// A table whose fields each take eight bytes, behind four bytes that lead to the table of fields.
    fn table(&mut self, slots: &[Option<Slot>]) -> usize {
        self.align(0);
        for slot in slots.iter().rev() {
            match slot {
                None => self.put(&[0; 8]),
                Some(Slot::Byte(value)) => {
                    self.put(&[0; 7]);
                    self.put(&[*value]);
                }
                Some(Slot::Short(value)) => {
                    self.put(&[0; 6]);
                    self.put(&value.to_le_bytes());
                }
                Some(Slot::Long(value)) => self.put(&value.to_le_bytes()),
                Some(Slot::Pointer(to)) => {
                    self.put(&[0; 4]);
                    self.pointer(*to);
                }
            }
        }
        // Four bytes of padding, so that the fields lie at multiples of eight.
        self.put(&[0; 4]);
        let fields = 4 + 2 * slots.len();
        self.put(&i32::try_from(fields).unwrap_or(i32::MAX).to_le_bytes());
        let table = self.bytes.len();
        for (at, slot) in slots.iter().enumerate().rev() {
            let offset = if slot.is_some() { 8 + 8 * at } else { 0 };
            self.put(&u16::try_from(offset).unwrap_or_default().to_le_bytes());
        }
        self.put(&u16::try_from(8 + 8 * slots.len()).unwrap_or_default().to_le_bytes());
        self.put(&u16::try_from(fields).unwrap_or_default().to_le_bytes());
        table
    }

    fn finish(mut self, root: usize) -> Vec<u8> {
        self.align(4);
        self.pointer(root);
        self.bytes.reverse();
        self.bytes
    }
}
