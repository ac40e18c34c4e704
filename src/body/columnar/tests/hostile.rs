//! Metadata that no writer writes: little of it, which would take much of a reader.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::{Way, bounded, fixture, pass, run, table};
use crate::body::container::ContainerLimits;
use crate::body::testkit::{blocked, nothing_of, token};
use crate::reason::Reason;

fn reason(body: &[u8], block: usize) -> Option<Reason> {
    run(&mut *bounded(ContainerLimits { block, ..ContainerLimits::default() }), [body]).reason()
}

/// A Parquet file that is a footer and nothing else.
fn parquet(footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1", footer, &length, b"PAR1"].concat()
}

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// An element of a schema: a column, or a group of so many.
fn element(name: &str, children: Option<usize>, out: &mut Vec<u8>) {
    if children.is_none() {
        // Field 1: byte arrays.
        out.extend_from_slice(&[0x15, 12]);
    }
    // Field 4: the name.
    out.push(if children.is_none() { 0x38 } else { 0x48 });
    varint(name.len(), out);
    out.extend_from_slice(name.as_bytes());
    if let Some(children) = children {
        out.push(0x15);
        varint(children * 2, out);
    }
    out.push(0);
}

#[test]
fn lists_in_lists_do_not_exhaust_the_stack() {
    assert_eq!(reason(&parquet(&[0x19; 1_500_000]), 64 << 20), Some(Reason::ContentMalformed));
}

#[test]
fn a_structure_has_few_fields() {
    // Truth values take a byte each.
    let footer = [&[0x11; 5000][..], &[0]].concat();
    assert_eq!(reason(&parquet(&footer), 64 << 20), Some(Reason::RecordTooLarge));
}

#[test]
fn a_long_name_over_many_columns_is_kept_once() {
    const COLUMNS: usize = 4000;
    // Version; a list of structures; no rows; no row groups.
    let mut footer = vec![0x15, 2, 0x19, 0xfc];
    varint(COLUMNS + 2, &mut footer);
    element("m", Some(1), &mut footer);
    element(&"x".repeat(32 * 1024), Some(COLUMNS), &mut footer);
    for _ in 0..COLUMNS {
        element("a", None, &mut footer);
    }
    footer.extend_from_slice(&[0x16, 0, 0x19, 0x0c, 0]);
    assert_eq!(reason(&parquet(&footer), 1 << 20), Some(Reason::RecordTooLarge));
}

/// A buffer of FlatBuffers, written from its beginning.
#[derive(Default)]
struct Flat(Vec<u8>);

impl Flat {
    /// A table with fields of so many bytes, numbered from zero; gives where each stands.
    fn table(&mut self, fields: &[(usize, &[u8])]) -> (usize, Vec<usize>) {
        let slots = fields.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
        let mut offsets = vec![0_u16; slots];
        let mut at = 4;
        for (number, bytes) in fields {
            offsets[*number] = at;
            at += bytes.len() as u16;
        }
        let about = self.0.len();
        self.0.extend_from_slice(&(4 + 2 * slots as u16).to_le_bytes());
        self.0.extend_from_slice(&at.to_le_bytes());
        offsets.iter().for_each(|offset| self.0.extend_from_slice(&offset.to_le_bytes()));
        let table = self.0.len();
        self.0.extend_from_slice(&((table - about) as i32).to_le_bytes());
        let places = fields
            .iter()
            .map(|(_, bytes)| {
                self.0.extend_from_slice(bytes);
                self.0.len() - bytes.len()
            })
            .collect();
        (table, places)
    }

    fn lead(&mut self, from: usize, to: usize) {
        self.0[from..from + 4].copy_from_slice(&u32::try_from(to - from).unwrap().to_le_bytes());
    }

    /// A vector of so many pointers, which all lead to one place: to be filled in.
    fn vector(&mut self, count: usize) -> usize {
        self.0.extend_from_slice(&(count as u32).to_le_bytes());
        self.0.resize(self.0.len() + 4 * count, 0);
        self.0.len() - 4 * count - 4
    }

    fn lead_all(&mut self, vector: usize, count: usize, to: usize) {
        for at in 0..count {
            self.lead(vector + 4 + 4 * at, to);
        }
    }

    fn text(&mut self, text: &[u8]) -> usize {
        self.0.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.0.extend_from_slice(text);
        self.0.push(0);
        self.0.len() - text.len() - 5
    }

    fn stream(mut self) -> Vec<u8> {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let length = (self.0.len() as u32).to_le_bytes();
        [&[0xff; 4][..], &length, &self.0, &[0xff; 4], &[0; 4]].concat()
    }
}

/// A schema of so many fields, which are all one, of a name that is so long, with so many pairs, which are all one.
fn schema(fields: usize, name: usize, pairs: usize) -> Vec<u8> {
    const POINTER: &[u8] = &[0; 4];
    let mut flat = Flat(vec![0; 4]);
    let (message, places) = flat.table(&[(0, &[4, 0]), (1, &[1]), (2, POINTER)]);
    flat.lead(0, message);
    let (schema, inner) = flat.table(&[(1, POINTER)]);
    flat.lead(places[2], schema);
    let all = flat.vector(fields);
    flat.lead(inner[0], all);
    // Of numbers.
    let (field, about) = flat.table(&[(0, POINTER), (2, &[2]), (6, POINTER)]);
    flat.lead_all(all, fields, field);
    let named = flat.text(&vec![b'n'; name]);
    flat.lead(about[0], named);
    let vector = flat.vector(pairs);
    flat.lead(about[2], vector);
    let (pair, texts) = flat.table(&[(0, POINTER), (1, POINTER)]);
    flat.lead_all(vector, pairs, pair);
    for at in texts {
        let text = flat.text(b"some text");
        flat.lead(at, text);
    }
    flat.stream()
}

#[test]
fn what_a_schema_leads_to_many_times_is_counted_each_time() {
    assert_eq!(reason(&schema(3, 3, 3), 1 << 20), None);
    assert_eq!(reason(&schema(1500, 3, 1500), 1 << 20), Some(Reason::RecordTooLarge));
    assert_eq!(reason(&schema(3000, 40_000, 1), 1 << 20), Some(Reason::RecordTooLarge));
}

/// Where the views of `small_view` begin in a table of pyarrow, the third of which is null.
fn views(body: &[u8]) -> usize {
    let view = |letter: u8| [&[1, 0, 0, 0, letter][..], &[0; 11]].concat();
    memchr::memmem::find(body, &[view(b'a'), view(b'b'), vec![0; 16]].concat()).unwrap()
}

#[test]
fn what_no_reader_of_views_shows_is_looked_at() {
    for name in ["all.arrow", "all.arrows"] {
        let clean = fixture(name);
        let at = views(&clean);
        let mut null = clean.clone();
        let value = blocked();
        null[at + 36..at + 48].copy_from_slice(value.as_bytes());
        assert_eq!(pass(&null).reason(), Some(Reason::ContentBlocked), "{name}");
        // Behind a text of one letter.
        let mut padding = clean.clone();
        let hidden = ["xy", "mail.com"].join("@");
        padding[at + 5..at + 16].copy_from_slice(hidden.as_bytes());
        let outcome = pass(&padding);
        assert_eq!(outcome.refusal, None);
        nothing_of(&hidden, &outcome.out);
        assert!(memchr::memmem::find(&outcome.out, hidden.as_bytes()).is_none(), "{name}");
    }
}

#[test]
fn bytes_that_are_no_text_are_looked_at_too() {
    let secret = token(8);
    for (encoding, codec) in [
        (None, Compression::UNCOMPRESSED),
        (Some(Encoding::PLAIN), Compression::SNAPPY),
        (Some(Encoding::DELTA_BYTE_ARRAY), Compression::UNCOMPRESSED),
    ] {
        let way = Way { compression: codec, encoding, version: WriterVersion::PARQUET_1_0 };
        let body = table(&way, &[vec!["clean".into(), format!("\0{secret}")]]);
        let outcome = pass(&body);
        assert_eq!(outcome.reason(), Some(Reason::ContentUninspectable));
        nothing_of(&secret, &outcome.out);
    }
}

#[test]
fn a_number_of_any_length_is_no_place_for_a_text() {
    let secret = token(8);
    let schema = Arc::new(parse_message_type("message m { required binary n (DECIMAL(20, 2)); }").unwrap());
    for (value, reason) in [
        (&b"\x00\x01\x02"[..], None),
        (b"1234", None),
        (secret.as_bytes(), Some(Reason::ContentUninspectable)),
        (&[&[0][..], secret.as_bytes(), &[0; 20]].concat(), Some(Reason::ContentUninspectable)),
    ] {
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .build();
        let mut writer = SerializedFileWriter::new(Vec::new(), schema.clone(), Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values = [ByteArray::from(value.to_vec())];
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        let outcome = pass(&writer.into_inner().unwrap());
        assert_eq!(outcome.reason(), reason, "{}", value.escape_ascii());
        nothing_of(&secret, &outcome.out);
    }
}
