//! Corners of archives that no reader shows.

use super::{gzip, make, passes, record, tar};
use crate::body::testkit::{nothing_of, run, token};
use crate::reason::Reason;

#[test]
fn every_name_in_a_gzip_file_is_looked_at() {
    let secret = token(11);
    let long = "n".repeat(200_000);
    // All of it comes at once.
    let names = [&*long, &*long, &*long, &*secret];
    let body: Vec<u8> = names.iter().flat_map(|name| gzip(&record("x"), Some(name))).collect();
    let outcome = run(&mut *make("a.jsonl.gz"), [&body[..]]);
    nothing_of(&secret, &outcome.out);
    let few: Vec<u8> = ["a", "b"].iter().flat_map(|name| gzip(&record("x"), Some(name))).collect();
    assert!(passes(&run(&mut *make("a.jsonl.gz"), [&few[..]])) == few);
}

#[test]
fn a_number_in_a_tar_header_is_a_number() {
    let body = tar(&vec![("a.txt".to_owned(), b"text".to_vec())]);
    let with = |at: usize, what: &[u8]| {
        let mut body = body.clone();
        body[at..at + what.len()].copy_from_slice(what);
        body[148..156].fill(b' ');
        let sum: u32 = body[..512].iter().map(|byte| u32::from(*byte)).sum();
        body[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        run(&mut *make("a.tar"), [&body[..]]).reason()
    };
    assert_eq!(with(136, b"00000000017\0"), None);
    // GNU's binary form, before 1970 too.
    assert_eq!(with(136, &[0xff; 12]), None);
    assert_eq!(with(108, &[0x80, 0, 0, 0, 1, 2, 3, 4]), None);
    // Owner and group, one after the other, have room for a key.
    assert_eq!(with(108, b"sixteen letters!"), Some(Reason::ContentMalformed));
    assert_eq!(with(136, b"99-88-7766 \0"), Some(Reason::ContentMalformed));
}

#[test]
fn a_header_that_readers_without_records_believe_leads_nowhere_else() {
    let with = |header_path: &[u8], link: Option<&[u8]>| {
        let mut builder = tar::Builder::new(Vec::new());
        let mut first = tar::Header::new_ustar();
        first.set_size(4);
        builder.append_data(&mut first, "first.txt", &b"text"[..]).unwrap();
        let records: [(&str, &[u8]); 2] = [("path", b"inside.txt"), ("linkpath", b"other.txt")];
        builder.append_pax_extensions(records.into_iter().take(1 + usize::from(link.is_some()))).unwrap();
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..header_path.len()].copy_from_slice(header_path);
        if let Some(link) = link {
            header.set_entry_type(tar::EntryType::Symlink);
            header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        }
        header.set_size(0);
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
        run(&mut *make("a.tar"), [&*builder.into_inner().unwrap()]).reason()
    };
    assert_eq!(with(b"inside.txt", None), None);
    assert_eq!(with(b"inside.txt", Some(b"other.txt")), None);
    assert_eq!(with(b"../outside.txt", None), Some(Reason::ContentMalformed));
    assert_eq!(with(b"/etc/outside", None), Some(Reason::ContentMalformed));
    assert_eq!(with(b"inside.txt", Some(b"../outside.txt")), Some(Reason::ContentMalformed));
}

/// A ZIP archive of one stored member, with an extra field in both of its headers.
fn with_extra(id: u16, data: &[u8]) -> Vec<u8> {
    let (name, content) = (&b"a.txt"[..], &b"text"[..]);
    let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let extra = [&id.to_le_bytes()[..], &short(data.len()), data].concat();
    // Version, flags, method, time and date; then the sum, the sizes, and the lengths of name and extra field.
    let fixed = [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &crc32fast::hash(content).to_le_bytes()].concat();
    let sizes =
        [&long(content.len())[..], &long(content.len()), &short(name.len()), &short(extra.len())].concat();
    let member = [&b"PK\x03\x04"[..], &fixed, &sizes, name, &extra, content].concat();
    let central = [&b"PK\x01\x02\x14\x00"[..], &fixed, &sizes, &[0; 14], name, &extra].concat();
    let counts =
        [&[0; 4][..], &short(1), &short(1), &long(central.len()), &long(member.len()), &[0; 2]].concat();
    [&member[..], &central, b"PK\x05\x06", &counts].concat()
}

/// Fields for times and alignment have numbers in them, and room for what is none.
#[test]
fn every_extra_field_of_a_zip_member_is_looked_at() {
    let refused = |id: u16, data: &[u8]| run(&mut *make("a.zip"), [&with_extra(id, data)[..]]).reason();
    for id in [0x000a, 0x5455, 0x7875, 0xcafe, 0xd935, 0x9999] {
        assert_eq!(refused(id, &[3, 0x2c, 0x4e, 0x70, 0x65]), None, "{id:04x}");
        assert_eq!(refused(id, token(11).as_bytes()), Some(Reason::ContentUninspectable), "{id:04x}");
    }
}
