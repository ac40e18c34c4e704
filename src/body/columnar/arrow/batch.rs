//! The buffers of a batch that hold text.

use std::collections::BTreeMap;

use super::super::codec::Codec;
use super::super::{Values, censored};
use super::flat::{i32_at, i64_at};
use super::message::Message;
use super::schema::{Column, Shape};
use crate::body::container::{Containers, Contents, Seekable};
use crate::body::spool::Spool;
use crate::reason::{Reason, Refusal};

/// Bytes between two buffers, at most.
const PADDING: u64 = 4096;
/// Bytes of a view, and of a text that stands in it.
const VIEW: usize = 16;
const INLINE: usize = 12;

/// A column of a batch whose values are looked at.
#[derive(Debug)]
pub(super) struct Place {
    name: Box<str>,
    shape: Shape,
    /// How many values it has.
    length: usize,
    /// The first of its buffers.
    buffer: usize,
    /// Where the number of its buffers of views stands, and that number.
    views: (usize, usize),
}

/// Where the columns of a batch have their buffers. None: the batch has others.
pub(super) fn places(columns: &[Column], message: &Message) -> Option<Vec<Place>> {
    let mut cursor = Cursor { message, node: 0, buffer: 0, view: 0, places: Vec::new() };
    for column in columns {
        cursor.column(column)?;
    }
    let whole = cursor.node == message.nodes()
        && cursor.buffer == message.buffers.len()
        && cursor.view == message.views.len();
    whole.then_some(cursor.places)
}

struct Cursor<'a> {
    message: &'a Message,
    node: usize,
    buffer: usize,
    view: usize,
    places: Vec<Place>,
}

impl Cursor<'_> {
    fn column(&mut self, column: &Column) -> Option<()> {
        let length = self.message.node(self.node)?;
        let buffer = self.buffer;
        let mut views = (self.view, 0);
        self.node += 1;
        self.buffer += match column.shape {
            Shape::Other(buffers) => buffers,
            Shape::Bytes { .. } => 3,
            Shape::Fixed(_) => 2,
            Shape::Views(_) => {
                views.1 = usize::try_from(*self.message.views.get(self.view)?).ok()?;
                self.view += 1;
                views.1.checked_add(2)?
            }
        };
        if !matches!(column.shape, Shape::Other(_)) {
            let (name, shape) = (column.name.clone(), column.shape);
            self.places.push(Place { name, shape, length, buffer, views });
        }
        column.children.iter().try_for_each(|child| self.column(child))
    }
}

/// What the work on a batch needs.
pub(super) struct Batch<'a> {
    pub(super) file: &'a mut Seekable,
    pub(super) contents: &'a mut dyn Contents,
    pub(super) containers: &'a Containers,
    pub(super) message: &'a mut Message,
    /// Where its body begins.
    pub(super) body_at: u64,
}

/// Buffers that were written anew, and where in the product they stand.
#[derive(Default)]
pub(super) struct Replaced {
    pub(super) buffers: BTreeMap<usize, (u64, u64)>,
    /// Buffers that were not there, behind those of these numbers.
    pub(super) added: BTreeMap<usize, (u64, u64)>,
}

impl Replaced {
    pub(super) fn is_empty(&self) -> bool {
        self.buffers.is_empty() && self.added.is_empty()
    }
}

impl Batch<'_> {
    fn malformed(&self) -> Refusal {
        self.contents.refuse(Reason::ContentMalformed, "a batch of the table")
    }

    /// The buffers lie in the body, none over another, with nothing but zeros between.
    pub(super) fn check(&mut self) -> Result<(), Refusal> {
        let mut buffers: Vec<_> =
            self.message.buffers.iter().filter(|(_, length)| *length > 0).copied().collect();
        buffers.sort_unstable();
        let mut end = 0;
        for (at, length) in buffers.into_iter().chain([(self.message.body, 0)]) {
            let gap = at
                .checked_sub(end)
                .filter(|gap| *gap <= PADDING && at <= self.message.body)
                .ok_or_else(|| self.malformed())?;
            let mut bytes = Vec::new();
            self.file.read(self.body_at + end, usize::try_from(gap).unwrap_or_default(), &mut bytes)?;
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(self.malformed());
            }
            end = at
                .checked_add(length)
                .filter(|end| *end <= self.message.body)
                .ok_or_else(|| self.malformed())?;
        }
        Ok(())
    }

    fn codec(&self) -> Result<Codec, Refusal> {
        match self.message.compression {
            None => Ok(Codec::Plain),
            Some(0) => Ok(Codec::Lz4Frame),
            Some(1) => Ok(Codec::Zstd),
            Some(_) => Err(self
                .contents
                .refuse(Reason::ContentUninspectable, "a batch whose compression is unknown")),
        }
    }

    /// A buffer, unpacked.
    fn buffer(&mut self, number: usize) -> Result<Vec<u8>, Refusal> {
        let (at, length) = *self.message.buffers.get(number).ok_or_else(|| self.malformed())?;
        let most = self.containers.limits.block;
        let length = usize::try_from(length).ok().filter(|length| *length <= most);
        let large = self.contents.refuse(Reason::RecordTooLarge, "a column of a batch of the table");
        let Some(length) = length else { return Err(large) };
        let mut bytes = Vec::new();
        self.file.read(self.body_at + at, length, &mut bytes)?;
        if self.message.compression.is_some() && length > 0 {
            let size = i64_at(&bytes, 0).ok_or_else(|| self.malformed())?;
            let packed = bytes.get(8..).unwrap_or_default();
            bytes = match usize::try_from(size) {
                _ if size == -1 => packed.to_vec(),
                Ok(size) if size <= most => self.codec()?.unpack(&*self.contents, packed, size)?,
                Ok(_) => return Err(large),
                Err(_) => return Err(self.malformed()),
            };
        }
        if !self.containers.count_decoded(bytes.len() as u64) {
            return Err(self.contents.refuse(Reason::CodingBomb, "the batches of the table"));
        }
        Ok(bytes)
    }

    /// Puts a buffer into the product.
    fn write(&self, bytes: &[u8], product: &mut Spool) -> Result<(u64, u64), Refusal> {
        let at = product.len();
        if self.message.compression.is_some() && !bytes.is_empty() {
            product.push(&(bytes.len() as i64).to_le_bytes())?;
            product.push(&self.codec()?.pack(bytes)?)?;
        } else {
            product.push(bytes)?;
        }
        Ok((at, product.len() - at))
    }

    /// Censors the values of a place.
    pub(super) fn censor(
        &mut self,
        place: &Place,
        replaced: &mut Replaced,
        product: &mut Spool,
    ) -> Result<(), Refusal> {
        match place.shape {
            Shape::Other(_) => Ok(()),
            Shape::Fixed(width) => self.fixed(place, width),
            Shape::Bytes { values, large } => {
                let Some((offsets, data)) = self.bytes(place, values, large)? else { return Ok(()) };
                for (number, bytes) in [(place.buffer + 1, offsets), (place.buffer + 2, data)] {
                    replaced.buffers.insert(number, self.write(&bytes, product)?);
                }
                Ok(())
            }
            Shape::Views(values) => {
                let Some((views, data)) = self.views(place, values)? else { return Ok(()) };
                replaced.buffers.insert(place.buffer + 1, self.write(&views, product)?);
                let written = self.write(&data, product)?;
                let (at, count) = place.views;
                for number in 0..count {
                    let written = if number == 0 { written } else { (written.0, 0) };
                    replaced.buffers.insert(place.buffer + 2 + number, written);
                }
                if count == 0 {
                    replaced.added.insert(place.buffer + 1, written);
                    if let Some(count) = self.message.views.get_mut(at) {
                        *count = 1;
                    }
                }
                Ok(())
            }
        }
    }

    fn fixed(&mut self, place: &Place, width: usize) -> Result<(), Refusal> {
        let data = self.buffer(place.buffer + 1)?;
        // What is left over is no value, but it is there.
        for value in data.chunks(width.max(1)) {
            censored(self.contents, Values::Fixed, &place.name, value)?;
        }
        Ok(())
    }

    /// Places and bytes of a column, if they change.
    #[expect(clippy::type_complexity, reason = "two buffers, or none")]
    fn bytes(
        &mut self,
        place: &Place,
        values: Values,
        large: bool,
    ) -> Result<Option<(Vec<u8>, Vec<u8>)>, Refusal> {
        let raw = self.buffer(place.buffer + 1)?;
        let data = self.buffer(place.buffer + 2)?;
        let width = if large { 8 } else { 4 };
        let offset = |at: usize| {
            let value = if large { i64_at(&raw, at * 8)? } else { i64::from(i32_at(&raw, at * 4)?) };
            usize::try_from(value).ok().filter(|value| *value <= data.len())
        };
        if place.length == 0 && raw.is_empty() {
            return self.unreferenced(&data, &mut Vec::new()).map(|found| found.then(Default::default));
        }
        let count = place.length.checked_add(1).filter(|count| count.saturating_mul(width) <= raw.len());
        let first = offset(0);
        let (Some(count), Some(first)) = (count, first) else { return Err(self.malformed()) };
        if raw.get(count * width..).unwrap_or_default().iter().any(|byte| *byte != 0) {
            return Err(self.malformed());
        }
        let mut from = first;
        let mut new: Option<(Vec<u8>, Vec<u8>)> = None;
        let put = |value: usize, offsets: &mut Vec<u8>| {
            if large {
                offsets.extend_from_slice(&(value as u64).to_le_bytes());
                return true;
            }
            offsets.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
            i32::try_from(value).is_ok()
        };
        let begin = |upto: usize, end: usize| {
            let mut offsets = Vec::new();
            for at in 0..=upto {
                put(offset(at).unwrap_or(first) - first, &mut offsets);
            }
            (offsets, data.get(first..end).unwrap_or_default().to_vec())
        };
        for at in 0..place.length {
            let to = offset(at + 1).filter(|to| *to >= from);
            let Some(to) = to else { return Err(self.malformed()) };
            let value = data.get(from..to).unwrap_or_default();
            let censored = censored(self.contents, values, &place.name, value)?;
            if censored.is_some() && new.is_none() {
                new = Some(begin(at, from));
            }
            if let Some((offsets, bytes)) = &mut new {
                bytes.extend_from_slice(censored.as_deref().unwrap_or(value));
                if !put(bytes.len(), offsets) {
                    return Err(self
                        .contents
                        .refuse(Reason::RecordTooLarge, "a column of a batch of the table"));
                }
            }
            from = to;
        }
        // What no value has is of no use to a reader, but it is there.
        let found = self.unreferenced(&data, &mut vec![(first, from)])?;
        if found && new.is_none() {
            new = Some(begin(place.length, from));
        }
        Ok(new)
    }

    /// Whether something stands where no value is.
    fn unreferenced(&mut self, data: &[u8], used: &mut Vec<(usize, usize)>) -> Result<bool, Refusal> {
        used.sort_unstable();
        used.push((data.len(), data.len()));
        let (mut found, mut end) = (false, 0);
        for (from, to) in used {
            let unused = data.get(end..*from).unwrap_or_default();
            if unused.iter().any(|byte| *byte != 0) {
                found |= self.contents.text(None, unused)?.is_some();
            }
            end = end.max(*to);
        }
        Ok(found)
    }

    /// Views and bytes of a column, if they change.
    #[expect(clippy::type_complexity, reason = "two buffers, or none")]
    fn views(&mut self, place: &Place, values: Values) -> Result<Option<(Vec<u8>, Vec<u8>)>, Refusal> {
        let validity = self.buffer(place.buffer)?;
        let raw = self.buffer(place.buffer + 1)?;
        let count = place.views.1;
        let mut data = Vec::new();
        let mut total = 0_usize;
        for number in 0..count {
            let bytes = self.buffer(place.buffer + 2 + number)?;
            total += bytes.len();
            if total > self.containers.limits.block {
                return Err(self.contents.refuse(Reason::RecordTooLarge, "a column of a batch of the table"));
            }
            data.push(bytes);
        }
        if raw.len() < place.length.saturating_mul(VIEW) {
            return Err(self.malformed());
        }
        let mut used: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
        let mut texts: Vec<Option<Vec<u8>>> = Vec::new();
        let mut changed = false;
        let views = raw.chunks_exact(VIEW).take(place.length);
        for (at, view) in views.clone().enumerate() {
            let is_null =
                !validity.is_empty() && validity.get(at / 8).is_none_or(|byte| byte >> (at % 8) & 1 == 0);
            let mut text = None;
            // What a reader passes over is of no use, but it is there.
            changed |= self.unreferenced(unread(view, is_null), &mut Vec::new())?;
            if !is_null {
                let (value, range) = viewed(view, &data).ok_or_else(|| self.malformed())?;
                if let Some((buffer, from, to)) = range
                    && let Some(used) = used.get_mut(buffer)
                {
                    used.push((from, to));
                }
                text = censored(self.contents, values, &place.name, value)?;
            }
            changed |= text.is_some();
            texts.push(text);
        }
        for (bytes, used) in data.iter().zip(&mut used) {
            changed |= self.unreferenced(bytes, used)?;
        }
        let behind = raw.get(place.length.saturating_mul(VIEW)..).unwrap_or_default();
        changed |= self.unreferenced(behind, &mut Vec::new())?;
        if !changed {
            return Ok(None);
        }
        let (mut new_views, mut new_data) = (Vec::new(), Vec::new());
        for (at, (view, text)) in views.zip(&texts).enumerate() {
            let is_null =
                !validity.is_empty() && validity.get(at / 8).is_none_or(|byte| byte >> (at % 8) & 1 == 0);
            let old = if is_null { &[][..] } else { viewed(view, &data).map_or(&[][..], |(value, _)| value) };
            let value = text.as_deref().unwrap_or(old);
            if !put_view(value, &mut new_views, &mut new_data) {
                return Err(self.contents.refuse(Reason::RecordTooLarge, "a column of a batch of the table"));
            }
        }
        Ok(Some((new_views, new_data)))
    }
}

/// The bytes of a view that belong to no value.
fn unread(view: &[u8], is_null: bool) -> &[u8] {
    let length = i32_at(view, 0).and_then(|length| usize::try_from(length).ok());
    match length.filter(|_| !is_null) {
        Some(length) => view.get(4 + length.min(INLINE)..).unwrap_or_default(),
        None => view,
    }
}

/// The value of a view, and where it stands if that is not the view itself.
#[expect(clippy::type_complexity, reason = "a value, and perhaps its place")]
fn viewed<'a>(view: &'a [u8], data: &'a [Vec<u8>]) -> Option<(&'a [u8], Option<(usize, usize, usize)>)> {
    let length = usize::try_from(i32_at(view, 0)?).ok()?;
    if length <= INLINE {
        return Some((view.get(4..4 + length)?, None));
    }
    let buffer = usize::try_from(i32_at(view, 8)?).ok()?;
    let from = usize::try_from(i32_at(view, 12)?).ok()?;
    let to = from.checked_add(length)?;
    Some((data.get(buffer)?.get(from..to)?, Some((buffer, from, to))))
}

/// False: it has no room.
fn put_view(value: &[u8], views: &mut Vec<u8>, data: &mut Vec<u8>) -> bool {
    let (Ok(length), Ok(at)) = (i32::try_from(value.len()), i32::try_from(data.len())) else { return false };
    views.extend_from_slice(&length.to_le_bytes());
    if value.len() <= INLINE {
        views.extend_from_slice(value);
        views.resize(views.len().next_multiple_of(VIEW), 0);
        return true;
    }
    views.extend_from_slice(value.get(..4).unwrap_or_default());
    views.extend_from_slice(&0_i32.to_le_bytes());
    views.extend_from_slice(&at.to_le_bytes());
    data.extend_from_slice(value);
    true
}
