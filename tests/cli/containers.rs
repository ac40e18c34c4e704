//! `consentry scan` of archives and of tables in binary formats.

use std::io::{Cursor, Read as _, Write as _};

use super::scan::{gzip, place, scan, token};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        builder.append_data(&mut header, name, *text).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A table of pyarrow's, with the token where a place is kept for it.
fn table(name: &str) -> Vec<u8> {
    let path = format!("{}/src/body/columnar/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut file = std::fs::read(path).unwrap();
    let kept = "NIX_".repeat(4);
    while let Some(at) = memchr::memmem::find(&file, kept.as_bytes()) {
        file[at..at + 16].copy_from_slice(token().as_bytes());
    }
    file
}

/// The token as references of XML.
fn spelt() -> String {
    token().bytes().map(|byte| format!("&#{byte};")).collect()
}

#[test]
fn members_and_values_are_told_by_their_places() {
    let place = place();
    let dirty = format!("one\nkey {}\n", token());
    let spelt = format!("<p>\nkey {}</p>", spelt());
    let inner = zip(&[("deep.txt", dirty.as_bytes())]);
    let files: [(&str, &[u8]); 4] = [
        ("x/one.txt", b"one"),
        ("x/two.txt", dirty.as_bytes()),
        ("x/page.html", spelt.as_bytes()),
        ("i.zip", &inner),
    ];
    place.write("d/a.zip", zip(&files));
    place.write("d/b.tar.gz", gzip(&tar(&[("p.bin", &[0; 600]), ("q.txt", dirty.as_bytes())])));
    place.write("d/c.parquet", table("plain.parquet"));
    place.write("d/d.arrow", table("all.arrow"));
    let ended = scan(&place, &["--format", "json", "d"], "");
    assert_eq!((ended.code, ended.err.lines().count()), (1, 1), "{}", ended.err);
    let wanted = r#"{"line":2,"start":8,"end":24,"rule":"acme-token","entity":"ACME_TOKEN","action":"redact","member":"x/two.txt","file":"d/a.zip"}"#;
    assert!(ended.out.contains(wanted), "{}", ended.out);
    for part in [
        r#""member":"i.zip/deep.txt""#,
        r#""member":"x/page.html","file":"d/a.zip""#,
        r#""member":"q.txt","file":"d/b.tar.gz""#,
        r#""column":"text","file":"d/c.parquet""#,
        r#""column":"tags","file":"d/c.parquet""#,
        r#""column":"note","file":"d/d.arrow""#,
    ] {
        assert!(ended.out.contains(part), "{part} is not in\n{}", ended.out);
    }
    assert!(!ended.out.contains(&token()[8..]));
    let text = scan(&place, &["d/a.zip"], "");
    assert!(text.out.contains("2: x/two.txt acme-token"), "{}", text.out);
    assert_eq!(scan(&place, &["--column", "text", "d/c.parquet"], "").code, 2);
}

#[test]
fn copies_of_archives_and_tables_have_nothing_left() {
    let place = place();
    let dirty = format!("key {}\n", token());
    let clean: &[u8] = b"\x89PNG\r\n\x1a\n\0\0";
    place.write("a.zip", zip(&[("one.png", clean), ("two.txt", dirty.as_bytes())]));
    let spelt = format!("<a b='c'>key {}</a>", spelt());
    place.write(
        "b.tar",
        tar(&[("one.png", clean), ("two.txt", dirty.as_bytes()), ("c.xml", spelt.as_bytes())]),
    );
    place.write("c.tar.gz", gzip(&tar(&[("two.txt", dirty.as_bytes())])));
    place.write("d.parquet", table("delta.parquet"));
    place.write("e.arrow", table("all.arrow"));
    let names = ["a.zip", "b.tar", "c.tar.gz", "d.parquet", "e.arrow"];
    let ended = scan(&place, &[&["--fix"], &names[..]].concat(), "");
    assert_eq!(ended.code, 1, "{}", ended.err);
    let copies =
        ["a.censored.zip", "b.censored.tar", "c.censored.tar.gz", "d.censored.parquet", "e.censored.arrow"];
    for copy in copies {
        let again = scan(&place, &[copy], "");
        assert_eq!(again.code, 0, "{copy}: {}{}", again.out, again.err);
    }
    let tar = std::fs::read(place.path("b.censored.tar")).unwrap();
    assert!(memchr::memmem::find(&tar, b"<a b='c'>key [ACME_TOKEN]</a>").is_some());
    let zipped = std::fs::read(place.path("a.censored.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(zipped)).unwrap();
    let mut bytes = Vec::new();
    archive.by_name("one.png").unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, clean);
    let mut text = String::new();
    archive.by_name("two.txt").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "key [ACME_TOKEN]\n");
}

#[test]
fn what_can_not_be_read_is_told() {
    let place = place();
    let whole = zip(&[("a.txt", b"text")]);
    place.write("cut.zip", &whole[..whole.len() - 4]);
    let mut locked = whole;
    let central = memchr::memmem::find(&locked, b"PK\x01\x02").unwrap();
    locked[central + 8] = 1;
    place.write("locked.zip", locked);
    let ended = scan(&place, &["cut.zip", "locked.zip"], "");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("cut.zip: content_truncated"), "{}", ended.err);
    assert!(ended.err.contains("locked.zip: content_uninspectable: an encrypted member"), "{}", ended.err);
}
