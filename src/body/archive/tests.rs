//! Archives that other crates wrote, and archives that lie.

mod corners;
mod declared;

use std::io::{Cursor, Read, Write};

use crate::body::Transform;
use crate::body::container::{ContainerLimits, Containers};
use crate::body::file::{FileHint, FilePlans, FileTransform};
use crate::body::json::JsonPlan;
use crate::body::testkit::{Outcome, nothing_of, pieces, request, response, run, spools, token};
use crate::reason::Reason;
use proptest::prelude::*;

fn plans(limits: ContainerLimits, allow_uninspectable: bool) -> FilePlans {
    FilePlans {
        document: JsonPlan::empty().into(),
        lines: JsonPlan::empty().into(),
        records: None,
        allow_uninspectable,
        containers: Some(Containers::new(spools(), limits)),
    }
}

fn make(name: &str) -> Box<dyn Transform> {
    bounded(name, ContainerLimits::default())
}

fn bounded(name: &str, limits: ContainerLimits) -> Box<dyn Transform> {
    let hint = FileHint { name: Some(name.into()), ..FileHint::default() };
    Box::new(FileTransform::new(request(), hint, plans(limits, false)))
}

fn opaque(name: &str) -> Box<dyn Transform> {
    let hint = FileHint { name: Some(name.into()), ..FileHint::default() };
    Box::new(FileTransform::new(request(), hint, plans(ContainerLimits::default(), true)))
}

/// Cut in many ways, it always comes out the same.
fn cut(name: &str, body: &[u8]) -> Outcome {
    let whole = run(&mut *make(name), [body]);
    let mut ways: Vec<Vec<&[u8]>> = [1, 7, 100, 511, 512, 513, 4095, 4096, 4097]
        .iter()
        .map(|size| body.chunks(*size).collect())
        .collect();
    for at in (0..body.len()).step_by(body.len() / 16 + 1) {
        let (a, b) = body.split_at(at);
        ways.push(vec![a, b]);
    }
    for way in ways {
        let outcome = run(&mut *make(name), way);
        assert_eq!(outcome.reason(), whole.reason());
        assert!(whole.refusal.is_some() || outcome.out == whole.out, "a cut changes what comes out");
    }
    whole
}

fn passes(outcome: &Outcome) -> &[u8] {
    assert_eq!(outcome.refusal, None);
    &outcome.out
}

fn record(text: &str) -> Vec<u8> {
    format!("{{\"text\":\"{text}\"}}\n").into_bytes()
}

type Files = Vec<(String, Vec<u8>)>;

fn files(secret: &str) -> Files {
    vec![
        ("a/train.jsonl".into(), [record("clean"), record(secret), record("x")].concat()),
        ("a/clean.csv".into(), b"id,note\n1,\"well, yes\"\n".to_vec()),
        (format!("b/{secret}.txt"), b"nothing".to_vec()),
        ("c.json".into(), format!("{{\n \"k\": [\"{secret}\"]\n}}").into_bytes()),
        ("empty.txt".into(), Vec::new()),
        (format!("long/{}/d.txt", "deep/".repeat(30)), format!("say {secret}").into_bytes()),
    ]
}

/// What the files are to become.
fn hidden(files: &Files, secret: &str) -> Files {
    let hide = |text: &str| text.replace(secret, "[TEST_TOKEN]");
    files
        .iter()
        .map(|(name, text)| (hide(name), hide(std::str::from_utf8(text).unwrap()).into_bytes()))
        .collect()
}

fn tar(files: &Files) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn untar(bytes: &[u8]) -> Files {
    let mut archive = tar::Archive::new(bytes);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), text)
    };
    archive.entries().unwrap().map(read).collect()
}

fn zip(files: &Files, method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(text).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn unzip(bytes: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut text = Vec::new();
            file.read_to_end(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

fn gzip(bytes: &[u8], name: Option<&str>) -> Vec<u8> {
    let mut builder = flate2::GzBuilder::new();
    if let Some(name) = name {
        builder = builder.filename(name);
    }
    let mut encoder = builder.write(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut decoder =
        crate::body::coding::Decoder::new("gzip", crate::names::Direction::Request, Default::default())
            .unwrap()
            .unwrap();
    run(&mut decoder, [bytes]).out
}

#[test]
fn members_of_a_tar_are_censored_as_what_they_are() {
    let secret = token(1);
    let files = files(&secret);
    let body = tar(&files);
    let outcome = cut("a.tar", &body);
    assert_eq!(untar(passes(&outcome)), hidden(&files, &secret));
    nothing_of(&secret, &outcome.out);
    let again = cut("a.tar", &outcome.out);
    assert_eq!(passes(&again), outcome.out, "to censor twice changes nothing more");
}

#[test]
fn members_of_a_zip_are_censored_as_what_they_are() {
    let secret = token(2);
    let files = files(&secret);
    for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
        let body = zip(&files, method);
        let outcome = run(&mut *make("a.zip"), body.chunks(1000));
        assert_eq!(unzip(passes(&outcome)), hidden(&files, &secret));
        nothing_of(&secret, &outcome.out);
        let again = run(&mut *make("a.zip"), [&*outcome.out]);
        assert_eq!(passes(&again), outcome.out, "to censor twice changes nothing more");
    }
}

#[test]
fn what_is_packed_is_unpacked_and_packed_again() {
    let secret = token(3);
    let files = files(&secret);
    let outcome = cut("a.tar.gz", &gzip(&tar(&files), None));
    assert_eq!(untar(&gunzip(passes(&outcome))), hidden(&files, &secret));
    let lines = [record("x"), record(&secret)].concat();
    let outcome = cut("a.jsonl.gz", &gzip(&lines, None));
    assert_eq!(gunzip(passes(&outcome)), [record("x"), record("[TEST_TOKEN]")].concat());
    // A name in the header is a text too.
    let outcome = cut("a.gz", &gzip(b"clean", Some(&secret)));
    nothing_of(&secret, passes(&outcome));
    assert_eq!(gunzip(&outcome.out), b"clean");
}

#[test]
fn clean_archives_stay_byte_for_byte() {
    let files = files("nothing");
    let with_comment = {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.set_comment("a comment").unwrap();
        writer.add_directory("a/", zip::write::SimpleFileOptions::default()).unwrap();
        writer.start_file("a/x.txt", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"text").unwrap();
        writer.finish().unwrap().into_inner()
    };
    let streamed = {
        let mut writer = zip::ZipWriter::new_stream(Vec::new());
        writer.start_file("a/x.txt", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"text of a member whose length comes behind it").unwrap();
        writer.finish().unwrap().into_inner()
    };
    for (name, body) in [
        ("a.tar", tar(&files)),
        ("a.zip", zip(&files, zip::CompressionMethod::Deflated)),
        ("a.zip", zip(&files, zip::CompressionMethod::Stored)),
        ("a.zip", zip(&Vec::new(), zip::CompressionMethod::Stored)),
        ("a.zip", with_comment),
        ("a.zip", streamed),
        ("a.tar.gz", gzip(&tar(&files), Some("a.tar"))),
        ("a.csv.gz", gzip(b"a,b\n1,2\n", None)),
        ("a.tgz", gzip(&gzip(b"twice", None), None)),
    ] {
        let outcome = cut(name, &body);
        assert!(passes(&outcome) == body, "{name} changed");
    }
}

#[test]
fn an_answer_gets_archives_as_well() {
    let secret = token(4);
    let hint = FileHint { content_type: Some("application/zip".into()), ..FileHint::default() };
    let body = zip(&files(&secret), zip::CompressionMethod::Deflated);
    let mut transform = FileTransform::new(response(), hint, plans(ContainerLimits::default(), false));
    let outcome = run(&mut transform, body.chunks(333));
    assert_eq!(unzip(passes(&outcome)), hidden(&files(&secret), &secret));
}

#[test]
fn a_member_that_can_not_be_inspected_is_refused_or_named() {
    let secret = token(5);
    let image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let files = vec![("a.png".to_owned(), image.clone()), ("b.txt".to_owned(), secret.into_bytes())];
    for (name, body) in [("a.tar", tar(&files)), ("a.zip", zip(&files, zip::CompressionMethod::Stored))] {
        assert_eq!(run(&mut *make(name), [&*body]).reason(), Some(Reason::ContentUninspectable));
        let outcome = run(&mut *opaque(name), [&*body]);
        let out = if name == "a.tar" { untar(passes(&outcome)) } else { unzip(passes(&outcome)) };
        assert_eq!(out[0].1, image);
        assert_eq!(out[1].1, b"[TEST_TOKEN]");
    }
}

#[test]
fn names_that_become_alike_stay_apart() {
    let files =
        vec![(format!("{}.txt", token(1)), b"a".to_vec()), (format!("{}.txt", token(2)), b"b".to_vec())];
    let expected: Files =
        vec![("[TEST_TOKEN].txt".into(), b"a".to_vec()), ("[TEST_TOKEN]-2.txt".into(), b"b".to_vec())];
    assert_eq!(untar(passes(&cut("a.tar", &tar(&files)))), expected);
    let zipped = cut("a.zip", &zip(&files, zip::CompressionMethod::Deflated));
    assert_eq!(unzip(passes(&zipped)), expected);
}

#[test]
fn paths_that_lead_out_are_refused() {
    for name in ["../x.txt", "a/../../x", "/etc/x", "c:\\x", "\\\\host\\x"] {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(0);
        header.set_cksum();
        let body = [header.as_bytes().as_slice(), &[0; 1024]].concat();
        assert_eq!(run(&mut *make("a.tar"), [&*body]).reason(), Some(Reason::ContentMalformed), "{name}");
        let placeholder = "n".repeat(name.len());
        let zipped = zip(&vec![(placeholder.clone(), b"x".to_vec())], zip::CompressionMethod::Stored);
        let zipped = replace(&zipped, placeholder.as_bytes(), name.as_bytes());
        assert_eq!(run(&mut *make("a.zip"), [&*zipped]).reason(), Some(Reason::ContentMalformed), "{name}");
    }
    for (target, kind, stays) in [
        ("../../x", tar::EntryType::Symlink, false),
        ("/etc/passwd", tar::EntryType::Symlink, false),
        ("../x", tar::EntryType::Link, false),
        ("../b/x", tar::EntryType::Symlink, true),
    ] {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder.append_link(&mut header, "a/link", target).unwrap();
        let body = builder.into_inner().unwrap();
        let outcome = run(&mut *make("a.tar"), [&*body]);
        assert_eq!(outcome.reason(), (!stays).then_some(Reason::ContentMalformed), "{target}");
        assert!(!stays || outcome.out == body);
    }
}

fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut out = bytes.to_vec();
    let places: Vec<usize> = memchr::memmem::find_iter(bytes, old).collect();
    assert!(!places.is_empty());
    for at in places {
        out[at..at + new.len()].copy_from_slice(new);
    }
    out
}

#[test]
fn zips_that_readers_disagree_about_are_refused() {
    let plain = zip(
        &vec![("aa.txt".into(), b"first".to_vec()), ("bb.txt".into(), b"other".to_vec())],
        zip::CompressionMethod::Stored,
    );
    let central = memchr::memmem::find(&plain, b"PK\x01\x02").unwrap();
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = plain.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let second = central + 46 + 6;
    let duplicate = replace(&plain, b"bb.txt", b"aa.txt");
    let with_gap = [&plain[..central], b"hidden", &plain[central..]].concat();
    for (what, body, reason) in [
        ("two of one name", duplicate, Reason::FieldAmbiguous),
        ("a local name of its own", changed(30, b"zz"), Reason::FieldAmbiguous),
        ("entries over each other", changed(second + 42, &[0; 4]), Reason::FieldAmbiguous),
        ("bytes between", with_gap, Reason::ContentMalformed),
        ("encrypted", changed(central + 8, &[1, 0]), Reason::ContentUninspectable),
        ("an unknown compression", changed(central + 10, &[14, 0]), Reason::ContentUninspectable),
        ("a size that lies", changed(central + 24, &[9]), Reason::FieldAmbiguous),
        ("a bomb", changed(central + 24, &[0, 0, 0, 0x7f]), Reason::CodingBomb),
        ("a check value that lies", changed(central + 16, &[9]), Reason::FieldAmbiguous),
        ("cut", plain[..plain.len() - 1].to_vec(), Reason::ContentTruncated),
        ("something behind", [&plain[..], b"x"].concat(), Reason::ContentTruncated),
    ] {
        let outcome = run(&mut *make("a.zip"), [&*body]);
        assert_eq!(outcome.reason(), Some(reason), "{what}");
    }
}

#[test]
fn tars_that_lie_are_refused() {
    let secret = token(6);
    let files = vec![("a.txt".to_owned(), format!("say {secret} ").repeat(200).into_bytes())];
    let plain = tar(&files);
    for at in (61..plain.len() - 1024).step_by(61) {
        let outcome = run(&mut *make("a.tar"), [&plain[..at]]);
        assert!(outcome.refusal.is_some(), "cut at {at}");
        nothing_of(&secret, &outcome.out);
    }
    let mut wrong = plain.clone();
    wrong[130] = b'7';
    // Without its check value it is no tar.
    assert_eq!(run(&mut *make("a.tar"), [&*wrong]).reason(), Some(Reason::ContentUninspectable));
    let behind = [&plain[..], b"hidden".as_slice(), &[0; 506]].concat();
    assert_eq!(run(&mut *make("a.tar"), [&*behind]).reason(), Some(Reason::ContentMalformed));
    let mut header = tar::Header::new_gnu();
    header.set_path("dev").unwrap();
    header.set_entry_type(tar::EntryType::Char);
    header.set_size(0);
    header.set_cksum();
    let device = [header.as_bytes().as_slice(), &[0; 1024]].concat();
    assert_eq!(run(&mut *make("a.tar"), [&*device]).reason(), Some(Reason::ContentUninspectable));
}

#[test]
fn what_an_archive_may_hold_is_bounded() {
    let many: Files = (0..20).map(|n| (format!("{n}.txt"), b"x".repeat(1000))).collect();
    let default = ContainerLimits::default();
    let few = ContainerLimits { members: 10, ..default };
    let small = ContainerLimits { decoded: 10_000, ..default };
    for (name, body) in [("a.tar", tar(&many)), ("a.zip", zip(&many, zip::CompressionMethod::Deflated))] {
        assert_eq!(run(&mut *bounded(name, few), [&*body]).reason(), Some(Reason::RecordTooLarge));
        assert_eq!(run(&mut *bounded(name, small), [&*body]).reason(), Some(Reason::CodingBomb));
    }
    let mut nested = b"text".to_vec();
    for _ in 0..4 {
        nested = gzip(&nested, None);
    }
    assert_eq!(run(&mut *make("a"), [&*nested]).refusal, None);
    nested = gzip(&nested, None);
    assert_eq!(run(&mut *make("a"), [&*nested]).reason(), Some(Reason::ContentTooDeep));
    let bomb = gzip(&vec![b' '; 8 << 20], None);
    assert_eq!(run(&mut *make("a.txt.gz"), [&*bomb]).reason(), Some(Reason::CodingBomb));
}

#[test]
fn memory_does_not_grow_with_an_archive() {
    let text = "a line of text that says nothing\n".repeat(60_000).into_bytes();
    let files = vec![("a.txt".to_owned(), text.clone()), ("b.txt".to_owned(), text)];
    for (name, body) in [("a.tar", tar(&files)), ("a.zip", zip(&files, zip::CompressionMethod::Stored))] {
        let outcome = run(&mut *make(name), body.chunks(64 * 1024));
        assert!(passes(&outcome) == body);
        assert!(outcome.held < 1 << 20, "{name} held {} bytes", outcome.held);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_archive_in_any_pieces(
        texts in prop::collection::vec(("[a-z]{1,8}", "[a-z \\n]{0,300}", any::<bool>()), 1..6),
        sizes in prop::collection::vec(1_usize..2000, 1..6),
        packed in any::<bool>(),
    ) {
        let secret = token(9);
        let files: Files = texts
            .iter()
            .enumerate()
            .map(|(at, (name, text, dirty))| {
                let text = if *dirty { format!("{text} {secret} {text}") } else { text.clone() };
                (format!("{at}/{name}.txt"), text.into_bytes())
            })
            .collect();
        let clean = texts.iter().all(|(_, _, dirty)| !dirty);
        let body = tar(&files);
        let (name, body) = if packed { ("a.tar.gz", gzip(&body, None)) } else { ("a.tar", body) };
        let outcome = run(&mut *make(name), pieces(&body, &sizes));
        prop_assert_eq!(&outcome.refusal, &None);
        prop_assert!(!clean || outcome.out == body);
        let plain = if packed { gunzip(&outcome.out) } else { outcome.out };
        prop_assert_eq!(untar(&plain), hidden(&files, &secret));
        let body = zip(&files, zip::CompressionMethod::Deflated);
        let outcome = run(&mut *make("a.zip"), pieces(&body, &sizes));
        prop_assert_eq!(&outcome.refusal, &None);
        prop_assert!(!clean || outcome.out == body);
        prop_assert_eq!(unzip(&outcome.out), hidden(&files, &secret));
    }

    #[test]
    fn no_flipped_byte_lets_a_value_out(at in 0_usize..4000, to in any::<u8>()) {
        let secret = token(8);
        let files = vec![("a.txt".to_owned(), format!("say {secret} and more").into_bytes())];
        for (name, mut body) in
            [("a.tar", tar(&files)), ("a.zip", zip(&files, zip::CompressionMethod::Stored))]
        {
            // The value itself stays as it is.
            let found = memchr::memmem::find(&body, secret.as_bytes()).unwrap();
            let at = at % body.len();
            if (found.saturating_sub(1)..=found + secret.len()).contains(&at) {
                continue;
            }
            body[at] = to;
            let outcome = run(&mut *make(name), [&*body]);
            prop_assert!(outcome.reason() != Some(Reason::Internal), "{} at {}: {:?}", name, at, outcome.refusal);
            prop_assert!(memchr::memmem::find(&outcome.out, secret.as_bytes()).is_none());
        }
    }
}
