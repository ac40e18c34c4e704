//! Archives under content types that say something else: multipart bodies that hold them, encodings.

use super::{files, hidden, passes, plans, tar, untar, unzip, zip};
use crate::body::charset::OtherCharsets;
use crate::body::container::ContainerLimits;
use crate::body::file::{FileHint, FileTransform};
use crate::body::testkit::{request, run, token};
use crate::body::{Job, Transform};

const BOUNDARY: &str = "boundary-of-a-test";

fn typed(content_type: &str, job: Job) -> Box<dyn Transform> {
    let hint = FileHint { content_type: Some(content_type.into()), ..FileHint::default() };
    Box::new(FileTransform::new(job, hint, plans(ContainerLimits::default(), false)))
}

fn multipart(parts: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\nX-Part: y\r\n\r\n").as_bytes());
        body.extend_from_slice(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The content of each part.
fn parts(body: &[u8]) -> Vec<Vec<u8>> {
    let begin = format!("--{BOUNDARY}\r\nX-Part: y\r\n\r\n");
    let begins: Vec<usize> = memchr::memmem::find_iter(body, begin.as_bytes()).collect();
    let ends = begins.iter().skip(1).copied().chain([body.len() - BOUNDARY.len() - 6]);
    begins.iter().zip(ends).map(|(at, end)| body[at + begin.len()..end - 2].to_vec()).collect()
}

#[test]
fn archives_are_opened_in_multipart_bodies() {
    let secret = token(7);
    let (all, text) = (files(&secret), format!("say {secret}"));
    let zipped = zip(&all, zip::CompressionMethod::Deflated);
    let body = multipart(&[text.as_bytes(), &zipped, &tar(&all), text.as_bytes()]);
    let make = || typed(&format!("multipart/mixed; boundary={BOUNDARY}"), request());
    let whole = run(&mut *make(), [&body[..]]);
    let out = parts(passes(&whole));
    let expected = hidden(&all, &secret);
    assert_eq!((out.len(), out[0].as_slice(), out[3].as_slice()), (4, &b"say [TEST_TOKEN]"[..], &out[0][..]));
    assert_eq!((unzip(&out[1]), untar(&out[2])), (expected.clone(), expected));
    for size in [1, 7, 511, 4097] {
        let outcome = run(&mut *make(), body.chunks(size));
        assert!(outcome.refusal.is_none() && outcome.out == whole.out, "a cut changes what comes out");
    }
    let clean = multipart(&[&zip(&files("clean"), zip::CompressionMethod::Stored), b"text"]);
    assert_eq!(passes(&run(&mut *make(), [&clean[..]])), clean);
}

#[test]
fn an_encoding_that_is_declared_hides_no_archive() {
    let secret = token(8);
    let all = files(&secret);
    for other_charsets in [OtherCharsets::Refuse, OtherCharsets::Transcode] {
        let job = Job { other_charsets, ..request() };
        let archive = zip(&all, zip::CompressionMethod::Deflated);
        let outcome = run(&mut *typed("application/zip; charset=utf-16le", job.clone()), [&archive[..]]);
        assert_eq!(unzip(passes(&outcome)), hidden(&all, &secret));
        let archive = tar(&all);
        let outcome = run(&mut *typed("text/plain; charset=latin1", job), [&archive[..]]);
        assert_eq!(untar(passes(&outcome)), hidden(&all, &secret));
    }
}
