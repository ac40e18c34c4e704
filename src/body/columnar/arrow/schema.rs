//! The schema of an Arrow stream: which buffers hold text, and its own texts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::{Values, context};
use super::flat::{Left, Table, Text, leftovers, replace};
use crate::body::container::Contents;
use crate::reason::{Reason, Refusal};

/// Fields in fields.
const DEPTH: usize = 64;

/// A column, with those inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name, for rules with context.
    pub(super) name: Box<str>,
    pub(super) shape: Shape,
    pub(super) children: Vec<Self>,
}

impl Column {
    /// Whether its buffers are those of another one.
    fn is_like(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.children.len() == other.children.len()
            && self.children.iter().zip(&other.children).all(|(a, b)| a.is_like(b))
    }
}

/// The buffers of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many, none of which holds text.
    Other(usize),
    /// Validity, places of 32 or 64 bits, bytes.
    Bytes { values: Values, large: bool },
    /// Validity, views, and as many buffers as the batch says.
    Views(Values),
    /// Validity, values of so many bytes.
    Fixed(usize),
}

/// What a stream's schema says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Schema {
    pub(super) columns: Vec<Column>,
    /// The values of dictionaries, by id.
    pub(super) dictionaries: BTreeMap<i64, Column>,
}

/// Why a schema can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Malformed,
    TooDeep,
    TooMany,
    Unknown,
}

impl Fault {
    fn refusal(self, contents: &dyn Contents) -> Refusal {
        let reason = match self {
            Self::Malformed => Reason::ContentMalformed,
            Self::TooDeep => Reason::ContentTooDeep,
            Self::TooMany => Reason::RecordTooLarge,
            Self::Unknown => Reason::ContentUninspectable,
        };
        contents.refuse(reason, "the schema of the table")
    }
}

impl Schema {
    /// Reads the schema in a table of FlatBuffers.
    pub(super) fn read(contents: &dyn Contents, table: &Table<'_>, version: i16) -> Result<Self, Refusal> {
        let mut schema = Self::default();
        let mut left = Left::of(table.buffer());
        schema.fields(table, version, &mut left).map_err(|fault| fault.refusal(contents))?;
        Ok(schema)
    }

    fn fields(&mut self, table: &Table<'_>, version: i16, left: &mut Left) -> Result<(), Fault> {
        // Numbers of the other byte order.
        if table.i16(0) != Some(0) {
            return Err(Fault::Unknown);
        }
        let fields = table.tables(1).ok_or(Fault::Malformed)?;
        for field in fields {
            let column = self.column(&field, &mut Vec::new(), version, left)?;
            self.columns.push(column);
        }
        Ok(())
    }

    fn column<'a>(
        &mut self,
        field: &Table<'a>,
        path: &mut Vec<&'a str>,
        version: i16,
        left: &mut Left,
    ) -> Result<Column, Fault> {
        if path.len() > DEPTH {
            return Err(Fault::TooDeep);
        }
        let name = field.text(0).map_or(&[][..], |text| text.bytes);
        left.take(name.len()).ok_or(Fault::TooMany)?;
        path.push(std::str::from_utf8(name).map_err(|_utf8| Fault::Malformed)?);
        let shape = shape(field, version)?;
        let mut children = Vec::new();
        for child in field.tables(5).ok_or(Fault::Malformed)? {
            children.push(self.column(&child, path, version, left)?);
        }
        let column = Column { name: context(path).into(), shape, children };
        path.pop();
        let Some(dictionary) = field.table(4) else {
            return if field.has(4) { Err(Fault::Malformed) } else { Ok(column) };
        };
        // In a batch stand the places in the dictionary; the values stand in a batch of their own.
        let name = column.name.clone();
        match self.dictionaries.entry(dictionary.i64(0).ok_or(Fault::Malformed)?) {
            Entry::Vacant(place) => drop(place.insert(column)),
            // Columns may share it, if they mean the same values.
            Entry::Occupied(known) if known.get().is_like(&column) => {}
            Entry::Occupied(_) => return Err(Fault::Malformed),
        }
        Ok(Column { name, shape: Shape::Other(2), children: Vec::new() })
    }
}

fn shape(field: &Table<'_>, version: i16) -> Result<Shape, Fault> {
    const V5: i16 = 4;
    let kind = field.u8(2).ok_or(Fault::Malformed)?;
    let about = field.table(3);
    let children = field.vector(5, 4).ok_or(Fault::Malformed)?.1;
    let expected = match kind {
        12 | 16 | 17 | 21 | 25 | 26 => Some(1),
        22 => Some(2),
        13 | 14 => None,
        _ => Some(0),
    };
    if expected.is_some_and(|expected| expected != children) {
        return Err(Fault::Malformed);
    }
    Ok(match kind {
        // Nothing, runs.
        1 | 22 => Shape::Other(0),
        // Structures, lists of a fixed length.
        13 | 16 => Shape::Other(1),
        // Numbers, truth values, times; lists and maps.
        2 | 3 | 6..=12 | 17 | 18 | 21 => Shape::Other(2),
        // Lists by view.
        25 | 26 => Shape::Other(3),
        4 => Shape::Bytes { values: Values::Bytes, large: false },
        5 => Shape::Bytes { values: Values::Text, large: false },
        19 => Shape::Bytes { values: Values::Bytes, large: true },
        20 => Shape::Bytes { values: Values::Text, large: true },
        23 => Shape::Views(Values::Bytes),
        24 => Shape::Views(Values::Text),
        // Unions: of one length, or with places.
        14 if version >= V5 => match about.ok_or(Fault::Malformed)?.i16(0) {
            Some(0) => Shape::Other(1),
            Some(1) => Shape::Other(2),
            _ => return Err(Fault::Malformed),
        },
        15 => {
            let width = about.ok_or(Fault::Malformed)?.i32(0).and_then(|width| usize::try_from(width).ok());
            Shape::Fixed(width.ok_or(Fault::Malformed)?)
        }
        _ => return Err(Fault::Unknown),
    })
}

/// All texts of a schema: names, what was said beside them, time zones.
fn texts<'a>(schema: &Table<'a>, left: &mut Left) -> Result<Vec<Found<'a>>, Fault> {
    const TIMESTAMP: u8 = 10;
    let mut all = Vec::new();
    pairs(schema, 2, &mut all, left)?;
    let mut open = schema.tables(1).ok_or(Fault::Malformed)?;
    while let Some(field) = open.pop() {
        let name = if field.has(0) { Some(field.text(0).ok_or(Fault::Malformed)?) } else { None };
        let timed = field.u8(2).ok_or(Fault::Malformed)? == TIMESTAMP;
        let zone = field.table(3).filter(|_| timed).and_then(|about| about.text(1));
        for text in [name, zone] {
            left.take(text.map_or(0, |text| text.bytes.len())).ok_or(Fault::TooMany)?;
            all.extend(text.map(|text| (None, text)));
        }
        pairs(&field, 6, &mut all, left)?;
        open.extend(field.tables(5).ok_or(Fault::Malformed)?);
    }
    Ok(all)
}

/// A text, and the key that it stands under.
type Found<'a> = (Option<Text<'a>>, Text<'a>);

/// The pairs of a key and a value in a field.
fn pairs<'a>(
    table: &Table<'a>,
    field: usize,
    all: &mut Vec<Found<'a>>,
    left: &mut Left,
) -> Result<(), Fault> {
    for pair in table.tables(field).ok_or(Fault::Malformed)? {
        let (key, value) = (pair.text(0), pair.text(1));
        let bytes = [key, value].iter().flatten().map(|text| text.bytes.len()).sum();
        left.take(bytes).ok_or(Fault::TooMany)?;
        all.extend(key.map(|key| (None, key)));
        all.extend(value.map(|value| (key, value)));
    }
    Ok(())
}

/// Sees that nothing stands in a buffer of metadata where no reader looks.
pub(super) fn nothing_left(
    contents: &mut dyn Contents,
    buffer: &[u8],
    known: impl Iterator<Item = (usize, usize)>,
) -> Result<(), Refusal> {
    for text in leftovers(buffer, known) {
        if contents.holds(&text)? {
            return Err(
                contents.refuse(Reason::ContentMalformed, "metadata of the table that nothing leads to")
            );
        }
    }
    Ok(())
}

/// Censors the texts of the schema in a buffer, and those beside the pairs in another field of the buffer's root. None:
/// they stay.
pub(super) fn censored(
    contents: &mut dyn Contents,
    buffer: &[u8],
    schema: &Table<'_>,
    beside: usize,
) -> Result<Option<Vec<u8>>, Refusal> {
    let mut left = Left::of(buffer);
    let all = texts(schema, &mut left).and_then(|mut all| {
        let root = Table::root(buffer).ok_or(Fault::Malformed)?;
        pairs(&root, beside, &mut all, &mut left)?;
        Ok(all)
    });
    let all = all.map_err(|fault| fault.refusal(contents))?;
    nothing_left(contents, buffer, all.iter().map(|(_, text)| (text.at, text.bytes.len())))?;
    let mut changed: Option<Vec<u8>> = None;
    for (key, text) in all {
        let key = key.and_then(|key| std::str::from_utf8(key.bytes).ok());
        if let Some(new) = contents.text(key, text.bytes)? {
            let buffer = changed.get_or_insert_with(|| buffer.to_vec());
            replace(buffer, text.pointer, text.at, text.bytes.len(), &new);
        }
    }
    if let Some(buffer) = &mut changed {
        buffer.resize(buffer.len().next_multiple_of(8), 0);
    }
    Ok(changed)
}
