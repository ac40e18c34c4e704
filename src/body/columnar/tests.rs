//! Tables that other programs wrote: the `parquet` crate here, pyarrow in `fixtures` (see `make.py`).

mod hostile;

use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use crate::body::Transform;
use crate::body::container::{ContainerLimits, Containers};
use crate::body::file::{FileHint, FilePlans, FileTransform};
use crate::body::json::JsonPlan;
use crate::body::testkit::{Outcome, blocked, nothing_of, request, run, spools, token};
use crate::reason::Reason;

fn bounded(limits: ContainerLimits) -> Box<dyn Transform> {
    let plans = FilePlans {
        document: Arc::new(JsonPlan::empty()),
        lines: Arc::new(JsonPlan::empty()),
        records: None,
        allow_uninspectable: false,
        containers: Some(Containers::new(spools(), limits)),
    };
    Box::new(FileTransform::new(request(), FileHint::default(), plans))
}

fn pass(body: &[u8]) -> Outcome {
    run(&mut *bounded(ContainerLimits::default()), body.chunks(5000))
}

fn passes(outcome: &Outcome) -> &[u8] {
    assert_eq!(outcome.refusal, None);
    &outcome.out
}

const SCHEMA: &str = "message m {
    required binary text (UTF8);
    optional binary birth_name (UTF8);
    required int64 n;
    optional group tags (LIST) { repeated group list { optional binary element (UTF8); } }
    required binary raw;
}";

struct Way {
    compression: Compression,
    encoding: Option<Encoding>,
    version: WriterVersion,
}

fn bytes(texts: &[String]) -> Vec<ByteArray> {
    texts.iter().map(|text| ByteArray::from(text.as_str())).collect()
}

/// A table of row groups, each of so many rows.
fn table(way: &Way, groups: &[Vec<String>]) -> Vec<u8> {
    let mut properties = WriterProperties::builder()
        .set_compression(way.compression)
        .set_writer_version(way.version)
        .set_data_page_row_count_limit(3)
        .set_write_batch_size(2)
        .set_dictionary_enabled(way.encoding.is_none())
        .set_bloom_filter_enabled(true);
    if let Some(encoding) = way.encoding {
        for column in ["text", "birth_name", "raw"] {
            properties = properties.set_column_encoding(column.into(), encoding);
        }
    }
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
    for texts in groups {
        let mut group = writer.next_row_group().unwrap();
        let count = texts.len();
        let mut column = 0;
        while let Some(mut writer) = group.next_column().unwrap() {
            let values = bytes(texts);
            match column {
                0 | 4 => drop(writer.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap()),
                1 => {
                    // Every other one is null.
                    let levels: Vec<i16> = (0..count).map(|at| i16::from(at % 2 == 0)).collect();
                    let values: Vec<ByteArray> = values.into_iter().step_by(2).collect();
                    writer.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
                }
                2 => {
                    let numbers: Vec<i64> = (0..count as i64).collect();
                    writer.typed::<Int64Type>().write_batch(&numbers, None, None).unwrap();
                }
                _ => {
                    // Each row has its text twice.
                    let values: Vec<ByteArray> =
                        values.into_iter().flat_map(|value| [value.clone(), value]).collect();
                    let repeated: Vec<i16> = (0..2 * count).map(|at| (at % 2) as i16).collect();
                    let defined = vec![3_i16; 2 * count];
                    writer
                        .typed::<ByteArrayType>()
                        .write_batch(&values, Some(&defined), Some(&repeated))
                        .unwrap();
                }
            }
            writer.close().unwrap();
            column += 1;
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

/// The rows as text, group by group.
fn rows(body: &[u8]) -> Vec<Vec<String>> {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(body)).unwrap();
    (0..reader.num_row_groups())
        .map(|at| {
            let group = reader.get_row_group(at).unwrap();
            group.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
        })
        .collect()
}

fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
    ];
    let encodings = [
        None,
        Some(Encoding::PLAIN),
        Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        Some(Encoding::DELTA_BYTE_ARRAY),
    ];
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for compression in codecs {
            for encoding in encodings {
                ways.push(Way { compression, encoding, version });
            }
        }
    }
    ways
}

fn texts(secret: &str) -> Vec<Vec<String>> {
    let plain = |n: usize| format!("row {n} of no interest, as the one before");
    let dirty = |n: usize| format!("say {secret} in row {n}");
    vec![
        (0..7).map(plain).collect(),
        (0..7).map(|n| if n == 4 { dirty(n) } else { plain(n) }).collect(),
        (0..5).map(plain).collect(),
    ]
}

#[test]
fn every_codec_and_encoding_of_parquet() {
    let secret = token(1);
    for way in ways() {
        let groups = texts(&secret);
        let body = table(&way, &groups);
        let outcome = pass(&body);
        let out = passes(&outcome);
        nothing_of(&secret, out);
        let expected = rows(&body);
        let hidden: Vec<Vec<String>> = expected
            .iter()
            .map(|group| group.iter().map(|row| masked(&row.replace(&secret, "[TEST_TOKEN]"))).collect())
            .collect();
        let came: Vec<Vec<String>> =
            rows(out).iter().map(|group| group.iter().map(|row| masked(row)).collect()).collect();
        assert_eq!(came, hidden, "{:?} {:?}", way.compression, way.encoding);
        let again = pass(out);
        assert!(passes(&again) == out, "to censor twice changes nothing more");
        let (before, after) = (meta(&body), meta(out));
        assert_eq!(before, after, "row groups, codecs and values stay");
    }
}

/// A row without the column that a rule masks whatever stands in it, and without that whose bytes are shown as numbers.
fn masked(row: &str) -> String {
    let cut = |row: &str, from: &str, to: &str| {
        let at = row.find(from).unwrap();
        let end = row[at..].find(to).unwrap() + at;
        format!("{}{}", &row[..at], &row[end..])
    };
    cut(&cut(row, "birth_name: ", ", n:"), "raw: ", "}")
}

fn meta(body: &[u8]) -> Vec<String> {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(body)).unwrap();
    let groups = reader.metadata().row_groups();
    groups
        .iter()
        .flat_map(|group| {
            group.columns().iter().map(|column| {
                format!(
                    "{} {:?} {} {}",
                    group.num_rows(),
                    column.compression(),
                    column.num_values(),
                    column.column_path()
                )
            })
        })
        .collect()
}

#[test]
fn clean_tables_stay_byte_for_byte() {
    for way in ways() {
        let groups: Vec<Vec<String>> = vec![(0..9).map(|n| format!("row {n}")).collect()];
        let mut body = table(&way, &groups);
        // The column that a rule takes by its name gets another one.
        body = replaced(&body, b"birth_name", b"place_name");
        assert!(passes(&pass(&body)) == body, "{:?} {:?}", way.compression, way.encoding);
    }
    let clean = fixture("clean.arrow");
    assert!(passes(&pass(&clean)) == clean);
    for name in ["all.arrow", "all.arrows", "plain.parquet", "delta.parquet"] {
        // What is planted in it is not a finding.
        let body = fixture(name);
        assert!(passes(&pass(&body)) == body, "{name}");
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/body/columnar/fixtures");
    std::fs::read(format!("{folder}/{name}")).unwrap()
}

const PLACE: &[u8] = b"NIX_NIX_NIX_NIX_";

fn replaced(body: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = body.to_vec();
    let places: Vec<usize> = memchr::memmem::find_iter(body, old).collect();
    assert!(!places.is_empty());
    for at in places {
        out[at..at + new.len()].copy_from_slice(new);
    }
    out
}

#[test]
fn tables_of_pyarrow_lose_what_is_planted() {
    let secret = token(2);
    for name in ["all.arrow", "all.arrows", "plain.parquet", "delta.parquet"] {
        let body = replaced(&fixture(name), PLACE, secret.as_bytes());
        let outcome = pass(&body);
        let out = passes(&outcome);
        nothing_of(&secret, out);
        let count = |text: &[u8], of: &[u8]| memchr::memmem::find_iter(of, text).count();
        assert!(count(b"[TEST_TOKEN]", out) >= 3, "{name}");
        assert!(passes(&pass(out)) == out, "{name}: to censor twice changes nothing more");
    }
}

#[test]
fn packed_tables_of_pyarrow_are_read() {
    for name in [
        "lz4.arrow",
        "zstd.arrow",
        "snappy.parquet",
        "gzip.parquet",
        "brotli.parquet",
        "lz4.parquet",
        "zstd.parquet",
    ] {
        let body = fixture(name);
        let outcome = pass(&body);
        let out = passes(&outcome);
        assert!(out != body, "{name}: the column is masked");
        assert!(passes(&pass(out)) == out, "{name}: to censor twice changes nothing more");
        if name.ends_with(".parquet") {
            let rows = rows(out).concat();
            assert_eq!(rows.len(), 200);
            assert!(rows.iter().all(|row| !row.contains("QWERTZ")), "{name}");
            assert!(rows[8].contains("row 8 says nothing of note"), "{name}");
        }
    }
}

#[test]
fn a_value_that_blocks_ends_the_table() {
    for (name, value) in [("plain.parquet", blocked()), ("all.arrow", blocked())] {
        let planted = format!("{value:_<16}");
        let outcome = pass(&replaced(&fixture(name), PLACE, planted.as_bytes()));
        assert_eq!(outcome.reason(), Some(Reason::ContentBlocked), "{name}");
        nothing_of(&value, &outcome.out);
    }
}

#[test]
fn a_table_that_is_cut_off_is_refused_by_name() {
    let secret = token(3);
    for name in ["all.arrow", "all.arrows", "plain.parquet", "zstd.parquet"] {
        let mut body = fixture(name);
        if memchr::memmem::find(&body, PLACE).is_some() {
            body = replaced(&body, PLACE, secret.as_bytes());
        }
        for at in (8..body.len()).step_by(83) {
            let outcome = pass(&body[..at]);
            assert!(outcome.refusal.is_some(), "{name} cut at {at}");
            nothing_of(&secret, &outcome.out);
        }
    }
}

#[test]
fn what_a_table_may_hold_is_bounded() {
    let default = ContainerLimits::default();
    for name in ["all.arrow", "plain.parquet", "zstd.parquet", "lz4.arrow"] {
        let body = fixture(name);
        for (limits, reason) in [
            (ContainerLimits { block: 64, ..default }, Reason::RecordTooLarge),
            (ContainerLimits { decoded: 20, ..default }, Reason::CodingBomb),
        ] {
            let outcome = run(&mut *bounded(limits), [&*body]);
            assert_eq!(outcome.reason(), Some(reason), "{name}");
        }
    }
}

#[test]
fn memory_does_not_grow_with_a_table() {
    let way = Way {
        compression: Compression::ZSTD(Default::default()),
        encoding: Some(Encoding::PLAIN),
        version: WriterVersion::PARQUET_2_0,
    };
    let long = |n: usize| format!("{n} {}", "a text of some length that says nothing at all ".repeat(40));
    let groups: Vec<Vec<String>> = (0..6).map(|_| (0..100).map(long).collect()).collect();
    let body = table(&way, &groups);
    let outcome = run(&mut *bounded(ContainerLimits::default()), body.chunks(64 * 1024));
    assert_eq!(outcome.refusal, None);
    assert!(outcome.held < 1 << 20, "held {} bytes", outcome.held);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_flipped_byte_lets_a_value_out(which in 0_usize..4, at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let secret = token(5);
        let name = ["all.arrow", "all.arrows", "plain.parquet", "delta.parquet"][which];
        let mut body = replaced(&fixture(name), PLACE, secret.as_bytes());
        let at = at.index(body.len());
        let near = body.get(at.saturating_sub(40)..(at + 41).min(body.len())).unwrap();
        // The value itself stays as it is, and so does what makes its bytes text.
        if memchr::memmem::find(near, secret.as_bytes()).is_none() {
            body[at] = to;
        }
        let outcome = pass(&body);
        prop_assert!(outcome.reason() != Some(Reason::Internal), "{} at {}: {:?}", name, at, outcome.refusal);
        prop_assert!(memchr::memmem::find(&outcome.out, secret.as_bytes()).is_none(), "{} at {}", name, at);
    }
}
