//! Documents of markup: what they say is looked at, wherever and however it is written.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::pieces::Piece;
use super::unpack::Packed;
use super::work::{self, Hit};
use crate::body::Job;
use crate::body::markup::{Dialect, Found, find};
use crate::censor::{Engine, Exchange};
use crate::names::Direction;

/// A document longer than this is none.
pub(super) const LONGEST: u64 = 256 << 20;

/// What a file's name says, without what packs it.
pub(super) fn dialect(path: &Path) -> Option<Dialect> {
    let inner = if Packed::by_name(path).is_some() { path.with_extension("") } else { path.to_owned() };
    match inner.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "xml" | "svg" | "xhtml" | "rss" | "atom" | "xsd" | "xsl" | "xslt" | "wsdl" | "plist" | "kml"
        | "gpx" => Some(Dialect::Xml),
        "html" | "htm" => Some(Dialect::Html),
        _ => None,
    }
}

/// All of a document.
pub(super) fn read(reader: Box<dyn Read + Send>) -> io::Result<Vec<u8>> {
    let mut document = Vec::new();
    reader.take(LONGEST + 1).read_to_end(&mut document)?;
    if document.len() as u64 > LONGEST {
        let message = format!("a document longer than {LONGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(document)
}

/// What is found in a document. XML that is not well-formed is read as HTML is, and what is no text at all as bytes.
pub(super) fn hits(
    engine: &Arc<Engine>,
    document: Vec<u8>,
    dialect: Dialect,
    member: Option<&Arc<str>>,
) -> Vec<Hit> {
    // Nothing is replaced, so the key is for nothing.
    let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"nothing"));
    let job = Job::new(Arc::clone(engine), Exchange::new(key), Direction::Request);
    let found = [dialect, Dialect::Html].into_iter().find_map(|d| find(job.clone(), d, &document).ok());
    match found {
        Some(found) => told(&document, &found, member),
        None => {
            let own = 0..document.len();
            work::text(engine, &Piece { bytes: document, own, offset: 0, line: 1 }, member)
        }
    }
}

fn told(document: &[u8], found: &[Found], member: Option<&Arc<str>>) -> Vec<Hit> {
    let (mut line, mut counted) = (1, 0);
    let hits = found.iter().map(|found| {
        let between = document.get(counted..found.at.start).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', between).count() as u64;
        counted = found.at.start.max(counted);
        Hit {
            line,
            start: found.at.start as u64,
            end: found.at.end as u64,
            rule: found.rule,
            action: found.action,
            pointer: None,
            column: None,
            member: member.cloned(),
        }
    });
    hits.collect()
}
