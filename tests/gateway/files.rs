//! Archives and tables in binary formats, over the wire: uploaded in one form, in parts, and downloaded. Other crates write them
//! and read what arrives; pyarrow does where it is there.

use std::io::{Cursor, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use consentry::reason::Reason;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use serde_json::json;

use super::kit::upstream::{answer, plain};
use super::kit::values::{FORM, form, letters, token, upload};
use super::kit::{Arrived, Ask, Step, cache, house};

/// What takes a token's place.
const HIDDEN: &str = "[GITHUB_PAT]";

/// A file, and what its texts are when it is read.
struct Kind {
    name: &'static str,
    make: fn(&str) -> Vec<u8>,
    texts: fn(&[u8]) -> String,
}

const KINDS: &[Kind] = &[
    Kind { name: "set.parquet", make: parquet, texts: rows },
    Kind { name: "set.zip", make: zip, texts: unzip },
    Kind { name: "set.tar", make: tar, texts: untar },
    Kind { name: "set.tar.gz", make: |text| gzip(&tar(text)), texts: |file| untar(&gunzip(file)) },
    Kind {
        name: "set.jsonl.gz",
        make: |text| gzip(&lines(text)),
        texts: |file| String::from_utf8(gunzip(file)).unwrap(),
    },
    Kind { name: "set.arrow", make: arrow, texts: |file| String::from_utf8_lossy(file).into_owned() },
];

fn lines(text: &str) -> Vec<u8> {
    format!("{{\"text\":\"one\"}}\n{{\"text\":\"{text}\"}}\n").into_bytes()
}

fn parquet(text: &str) -> Vec<u8> {
    let schema = "message m { required binary note (UTF8); }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for group in [["one", "two"], ["three", text]] {
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let values = group.map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn rows(file: &[u8]) -> String {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(file)).unwrap();
    assert_eq!(reader.num_row_groups(), 2);
    reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
}

fn zip(text: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in
        [("a/one.txt", "one".to_owned()), ("a/set.jsonl", String::from_utf8(lines(text)).unwrap())]
    {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn unzip(file: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let mut text = String::new();
    for at in 0..archive.len() {
        archive.by_index(at).unwrap().read_to_string(&mut text).unwrap();
    }
    text
}

fn tar(text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in [("a/one.txt", b"one".to_vec()), ("a/set.jsonl", lines(text))] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn untar(file: &[u8]) -> String {
    let mut text = String::new();
    for entry in tar::Archive::new(file).entries().unwrap() {
        entry.unwrap().read_to_string(&mut text).unwrap();
    }
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[expect(clippy::disallowed_types, reason = "a test's own small files")]
fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

/// A table of pyarrow's, in which a text of sixteen bytes stands for what is planted.
fn arrow(text: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/body/columnar/fixtures/forty.arrow");
    let file = std::fs::read(path).unwrap();
    let place = "NIX_".repeat(10);
    let at = memchr::memmem::find(&file, place.as_bytes()).unwrap();
    let planted = format!("{text:_<40}");
    [&file[..at], planted.as_bytes(), &file[at + 40..]].concat()
}

/// The file in a form that arrived.
pub(crate) fn file_of(arrived: &Arrived) -> Vec<u8> {
    let body = &arrived.body;
    let named = memchr::memmem::find(body, b"filename=").unwrap();
    let from = named + memchr::memmem::find(&body[named..], b"\r\n\r\n").unwrap() + 4;
    let boundary = &body[..memchr::memmem::find(body, b"\r\n").unwrap()];
    let end = [b"\r\n", boundary].concat();
    let to = from + memchr::memmem::find(&body[from..], &end).unwrap();
    body[from..to].to_vec()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec()
}

fn hidden(kind: &Kind, secret: &str, file: &[u8]) {
    let texts = (kind.texts)(file);
    assert!(texts.contains(HIDDEN), "{}: {texts}", kind.name);
    assert!(!texts.contains(&secret[6..]), "{}", kind.name);
    assert!(memchr::memmem::find(file, &secret.as_bytes()[6..]).is_none(), "{}", kind.name);
}

#[test]
fn archives_and_tables_are_censored_on_their_way_up() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for (n, kind) in KINDS.iter().enumerate() {
        let secret = token(70 + n as u64);
        let file = (kind.make)(&secret);
        let first = form(&[("file", Some(kind.name), &file), ("purpose", None, b"user_data")]);
        let first = Ask::new("POST", "/v1/files").typed(FORM, first);
        caller.ask(&upload("user_data", kind.name, &file)).ok();
        caller.ask(&first).ok();
        caller.ask_h2(&first).ok();
        let arrived = lane.upstream.arrived();
        let files: Vec<Vec<u8>> = arrived[arrived.len() - 3..].iter().map(file_of).collect();
        hidden(kind, &secret, &files[0]);
        assert!(files[0] == files[1] && files[1] == files[2], "{}", kind.name);
        // Nothing to find: nothing changes.
        let clean = (kind.make)("nothing");
        caller.ask(&upload("user_data", kind.name, &clean)).ok();
        let came = file_of(&lane.upstream.arrived().pop().unwrap());
        assert_eq!(sha256(&came), sha256(&clean), "{}", kind.name);
    }
}

#[test]
fn archives_and_tables_in_parts_are_read_as_the_file_that_they_are() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    for (n, kind) in KINDS.iter().enumerate() {
        let secret = token(80 + n as u64);
        let file = (kind.make)(&secret);
        let open = json!({"purpose": "user_data", "filename": kind.name, "bytes": file.len(), "mime_type": "application/octet-stream"});
        let id = caller.post("/v1/uploads", &open).id();
        let parts: Vec<String> = file
            .chunks(file.len() / 3 + 1)
            .map(|part| {
                let part = form(&[("data", Some("d"), part)]);
                caller.ask(&Ask::new("POST", format!("/v1/uploads/{id}/parts")).typed(FORM, part)).id()
            })
            .collect();
        caller.post(&format!("/v1/uploads/{id}/complete"), &json!({"part_ids": parts})).ok();
        let arrived = lane.upstream.arrived();
        let part = arrived.iter().rev().find(|up| up.target().ends_with("/parts")).unwrap();
        hidden(kind, &secret, &file_of(part));
    }
}

#[test]
fn archives_and_tables_are_censored_on_their_way_down() {
    for (n, kind) in KINDS.iter().enumerate() {
        let secret = token(90 + n as u64);
        let (dirty, clean) = ((kind.make)(&secret), (kind.make)("nothing"));
        let leaked = dirty.clone();
        let untouched = clean.clone();
        let second = AtomicBool::new(false);
        let lane = house().lane(move |up| match up.target() {
            target if !target.ends_with("/content") => plain(up),
            _ if second.swap(true, Ordering::Relaxed) => file_down(&leaked),
            _ => file_down(&untouched),
        });
        let caller = lane.as_(house().granted());
        let id = caller.ask(&upload("user_data", "x.txt", b"x")).id();
        let back = caller.get(&format!("/v1/files/{id}/content")).ok();
        assert_eq!(sha256(&back.body), sha256(&clean), "{}", kind.name);
        let back = caller.get(&format!("/v1/files/{id}/content")).ok();
        hidden(kind, &secret, &back.body);
    }
}

fn file_down(file: &[u8]) -> Vec<Step> {
    vec![Step::Send(answer(200, &[("content-type", "application/octet-stream")], file))]
}

#[test]
fn what_can_not_be_inspected_is_refused_by_name() {
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let ask = |name: &str, file: &[u8]| caller.ask(&upload("user_data", name, file));
    let image = {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("a.png", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
        writer.finish().unwrap().into_inner()
    };
    ask("a.zip", &image).refused(Reason::ContentUninspectable);
    let table = parquet("x");
    ask("a.parquet", &table[..table.len() - 9]).refused(Reason::ContentTruncated);
    let encrypted = [b"PARE", &table[4..table.len() - 4], b"PARE"].concat();
    ask("a.parquet", &encrypted).refused(Reason::ContentUninspectable);
    ask("a.tar", &tar("x")[..1024]).refused(Reason::ContentTruncated);
    let bomb = gzip(&vec![b'x'; 16 << 20]);
    ask("a.txt.gz", &bomb).refused(Reason::CodingBomb);
    let nested = (0..6).fold(b"x".to_vec(), |inner, _| gzip(&inner));
    ask("a.gz", &nested).refused(Reason::ContentTooDeep);
    // What trains has to be records.
    caller.ask(&upload("fine-tune", "a.parquet", &table)).refused(Reason::ContentUninspectable);
    assert!(lane.upstream.arrived().iter().all(|up| !up.complete));
}

/// A long table costs what a short one costs.
#[test]
fn a_long_table_does_not_take_memory() {
    use super::kit::own::Own;
    let running = Own::new().start(plain);
    let long = |n: usize| letters(n as u64, 2000);
    let schema = Arc::new(
        parquet::schema::parser::parse_message_type("message m { required binary note (UTF8); }").unwrap(),
    );
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::UNCOMPRESSED)
        .set_write_batch_size(16)
        .set_data_page_size_limit(64 << 10)
        .set_dictionary_enabled(false)
        .build();
    let properties = Arc::new(properties);
    let table = |groups: usize| {
        let (schema, properties) = (Arc::clone(&schema), Arc::clone(&properties));
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
        for group in 0..groups {
            let mut rows = writer.next_row_group().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            let mut values: Vec<ByteArray> =
                (0..1250).map(|n| ByteArray::from(format!("a{} b", long(n)).as_str())).collect();
            if group == 0 || group + 1 == groups {
                values.insert(0, ByteArray::from(token(99).as_str()));
            }
            column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
            rows.close().unwrap();
        }
        writer.into_inner().unwrap()
    };
    let caller = running.acme();
    let send = |file: &[u8]| {
        let mut conn = caller.gateway.open();
        conn.patient();
        conn.write(&caller.signed(&upload("user_data", "long.parquet", file)).bytes());
        conn.answer().ok();
        running.gateway.process.memory("VmHWM")
    };
    // What short ones took is there: buffers, and what the rules' automata learnt of such texts, on each thread.
    let small = table(2);
    let short = (0..6).map(|_| send(&small)).max().unwrap();
    let file = table(12);
    let grown = send(&file).saturating_sub(short);
    assert!(grown < 8 * 1024, "{grown} KiB more for {} bytes", file.len());
    // The upstream keeps the first of what arrives.
    let came = running.upstream.arrived().pop().unwrap();
    assert!(came.complete && came.length > 25 << 20, "{}", came.length);
    assert!(memchr::memmem::find(&came.body, &token(99).as_bytes()[6..]).is_none());
    assert!(memchr::memmem::find(&came.body, HIDDEN.as_bytes()).is_some());
}

/// pyarrow writes tables in every codec, and reads what arrived. Where it is not installed, this is passed over by name.
#[test]
fn pyarrow_reads_what_arrives() {
    let Some(python) = python() else {
        println_skip("pyarrow_reads_what_arrives: there is no Python with pyarrow");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/lib/tables.py");
    let secret = token(101);
    let tables = |verb: &str| {
        let output = Command::new(&python)
            .args([script, verb, folder.path().to_str().unwrap()])
            .env("PLANTED", &secret)
            .env("HIDDEN", HIDDEN)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "tables.py {verb}: {said}");
    };
    tables("write");
    let lane = house().lane(plain);
    let caller = lane.as_(house().granted());
    let mut count = 0;
    for entry in std::fs::read_dir(folder.path().join("in")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        caller.ask(&upload("user_data", &name, &std::fs::read(&path).unwrap())).ok();
        let came = file_of(&lane.upstream.arrived().pop().unwrap());
        std::fs::write(folder.path().join("out").join(&name), came).unwrap();
        count += 1;
    }
    assert!(count > 20, "{count} tables");
    tables("read");
}

fn python() -> Option<PathBuf> {
    let named = std::env::var_os("CONSENTRY_PYARROW").map(PathBuf::from);
    let installed = cache().map(|cache| cache.join("venv/bin/python"));
    named.into_iter().chain(installed).chain([PathBuf::from("python3")]).find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import pyarrow.parquet"]).stderr(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

fn println_skip(what: &str) {
    let _ = writeln!(std::io::stderr(), "skip: {what}");
}
