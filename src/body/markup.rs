//! XML and HTML as a stream: text between tags, values of attributes, comments and instructions are censored as they
//! read, not as they are written; what doesn't change leaves byte for byte.
//!
//! The text of a document is one text. Tags of inline elements stand for nothing in it, tags of others for a line end or
//! a tab, so that a value is found although a part of it is bold, and a word in the cell before counts. A finding over
//! tags is replaced where it begins; the tags stay. XML that is not well-formed is refused, and so are declarations of
//! entities. HTML has no errors: all of it is read as browsers do.

mod construct;
mod doctype;
mod element;
mod find;
mod names;
mod reference;
mod spelling;
mod tag;
mod tree;

use std::collections::{HashMap, HashSet};

use memchr::{memchr, memchr2, memchr3};

use crate::body::charset::Charset;
use crate::body::json::BOM;
use crate::body::mapped::{Decoded, Mapped};
use crate::body::text::Whole;
use crate::body::utf8::Utf8;
use crate::body::{Job, Transform};
use crate::reason::{Reason, Refusal};
use doctype::Doctype;
use find::Finds;
pub use find::{Found, find};
use reference::{LONGEST, Reference};
use spelling::{CDATA, RAW, TEXT, Writer};
use tag::Tag;
use tree::Tree;

/// The encoding that the beginning of an XML document declares, if it is not in UTF-16.
pub(crate) fn declared(first: &[u8]) -> Option<Charset> {
    let declaration = first.strip_prefix(BOM).unwrap_or(first);
    let end = memchr(b'>', declaration.get(..512.min(declaration.len()))?)?;
    let declaration = declaration.get(..end).filter(|text| text.starts_with(b"<?xml "))?;
    let name = declaration.get(construct::encoding(declaration)?)?;
    std::str::from_utf8(name).ok().map(Charset::named)
}

/// Which language it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// XML 1.0: what is not well-formed is refused.
    Xml,
    /// HTML: everything has a meaning.
    Html,
}

/// Censors a document of markup.
pub struct MarkupTransform {
    job: Job,
    dialect: Dialect,
    utf8: Utf8,
    at: At,
    /// The construct at hand, as far as it has come.
    buf: Vec<u8>,
    tag: Option<Tag>,
    /// The element whose contents are no markup.
    raw: Option<RawText>,
    /// Depth in elements of another language than HTML.
    foreign: usize,
    tree: Tree,
    flow: Mapped,
    /// The name that the text of the flow stands under.
    field: Option<Box<str>>,
    writer: Writer,
    whole: Whole,
    /// Names of elements and attributes that hold nothing.
    clean: HashSet<Box<[u8]>>,
    /// Whether a text's name matters to the engine.
    known: HashMap<Box<str>, bool>,
    /// Something other than a byte order mark was seen.
    begun: bool,
    /// There was a document type.
    typed: bool,
    /// How many `]` stand at the end of the text.
    brackets: u8,
    /// The document was written in another encoding, and says so.
    transcoded: bool,
    /// The first bytes, until they are no byte order mark any more.
    lead: Option<Vec<u8>>,
    /// Nothing is changed: what would be is told.
    finds: Option<Box<Finds>>,
}

/// Where the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Text,
    /// Behind an `&`.
    Reference,
    /// Behind a `<`.
    Less,
    Tag,
    Comment,
    Instruction,
    /// What a browser takes for a comment.
    Bogus,
    Doctype(Doctype),
    Cdata,
    /// In an element whose contents are no markup.
    Raw,
}

/// An element whose contents are no markup.
struct RawText {
    name: Box<[u8]>,
    references: bool,
}

impl MarkupTransform {
    /// A document.
    #[must_use]
    pub fn new(job: Job, dialect: Dialect) -> Self {
        let flow = Mapped::plain_text(&job, None);
        Self {
            job,
            dialect,
            utf8: Utf8::default(),
            at: At::Text,
            buf: Vec::new(),
            tag: None,
            raw: None,
            foreign: 0,
            tree: Tree::default(),
            flow,
            field: None,
            writer: Writer::new(dialect),
            whole: Whole::default(),
            clean: HashSet::new(),
            known: HashMap::new(),
            begun: false,
            typed: false,
            brackets: 0,
            transcoded: false,
            lead: Some(Vec::new()),
            finds: None,
        }
    }

    /// The document was written in another encoding: its declaration says UTF-8 from now on.
    #[must_use]
    pub const fn transcoded(mut self, yes: bool) -> Self {
        self.transcoded = yes;
        self
    }

    fn malformed(&self, what: &'static str) -> Refusal {
        self.job.refuse(Reason::ContentMalformed).detail(what)
    }

    /// The first byte that no document of the language has.
    fn flaw(&self, text: &[u8]) -> Option<usize> {
        if !self.is_xml() {
            return memchr(0, text);
        }
        let control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        // Without an early exit, so that the compiler makes vector code of it.
        let any = text.iter().fold(false, |found, byte| found | control(byte));
        if any { text.iter().position(control) } else { None }
    }

    fn is_xml(&self) -> bool {
        self.dialect == Dialect::Xml
    }

    fn run(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut rest = text;
        while !rest.is_empty() {
            let taken = match self.at {
                At::Text => self.text(rest)?,
                At::Reference => self.reference(rest)?,
                At::Less => self.less(rest)?,
                At::Tag => self.in_tag(rest, out)?,
                At::Comment | At::Instruction | At::Bogus => self.construct(rest)?,
                At::Doctype(doctype) => self.doctype(doctype, rest)?,
                At::Cdata => self.cdata(rest),
                At::Raw => self.raw_text(rest),
            };
            rest = rest.get(taken..).unwrap_or_default();
            if self.flow.is_enough() {
                self.flow.flow(&self.job, &mut self.writer, out)?;
            }
        }
        Ok(())
    }

    /// The first bytes: a byte order mark stays, and is none of the text.
    fn beginning(&mut self, first: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if first.len() < BOM.len() && BOM.starts_with(&first) {
            self.lead = Some(first);
            return Ok(());
        }
        let marked = first.starts_with(BOM);
        if marked {
            self.flow.between(BOM, b"");
        }
        self.run(first.get(if marked { BOM.len() } else { 0 }..).unwrap_or_default(), out)
    }

    fn text(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        let found = match self.dialect {
            Dialect::Xml => memchr3(b'<', b'&', b'>', rest),
            Dialect::Html => memchr2(b'<', b'&', rest),
        };
        let (plain, behind) = rest.split_at(found.unwrap_or(rest.len()));
        if !plain.is_empty() {
            self.plain(plain)?;
        }
        let Some(byte) = behind.first() else { return Ok(plain.len()) };
        match byte {
            b'>' if self.brackets >= 2 => return Err(self.malformed("`]]>` in a text")),
            b'>' => self.plain(b">")?,
            byte => {
                self.buf.clear();
                self.buf.push(*byte);
                self.at = if *byte == b'<' { At::Less } else { At::Reference };
            }
        }
        Ok(plain.len() + 1)
    }

    /// Text that reads as it is written.
    fn plain(&mut self, text: &[u8]) -> Result<(), Refusal> {
        if self.is_xml() {
            self.inside(text)?;
            let tail = text.iter().rev().take(2).take_while(|byte| **byte == b']').count();
            let before = if tail == text.len() { self.brackets } else { 0 };
            self.brackets = before.saturating_add(u8::try_from(tail).unwrap_or(2));
            self.tree.text(text);
        }
        self.flow.plain(text, TEXT);
        Ok(())
    }

    /// Text stands in an element, or is white space.
    fn inside(&mut self, text: &[u8]) -> Result<(), Refusal> {
        self.begun |= !text.is_empty();
        let blank = text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        if self.tree.depth() == 0 && !blank {
            return Err(self.malformed("a text outside of the root element"));
        }
        Ok(())
    }

    fn reference(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        let before = self.buf.len();
        let room = (LONGEST + 1).saturating_sub(before).min(rest.len());
        self.buf.extend_from_slice(rest.get(..room).unwrap_or_default());
        match reference::read(&self.buf, false, self.dialect, false) {
            Reference::Cut if self.buf.len() > LONGEST => {
                Err(self.job.refuse(Reason::RecordTooLarge).detail("a character reference"))
            }
            Reference::Cut => Ok(room),
            found => {
                let len = self.referred(found)?;
                // What follows was of a name, so it is plain.
                if let Some(more) = self.buf.get(len..before).filter(|more| !more.is_empty()) {
                    let more = more.to_vec();
                    self.plain(&more)?;
                }
                self.buf.clear();
                Ok(len.saturating_sub(before))
            }
        }
    }

    /// Takes what stands at the beginning of the construct at hand; how many bytes that was.
    fn referred(&mut self, found: Reference) -> Result<usize, Refusal> {
        self.at = if self.raw.is_some() { At::Raw } else { At::Text };
        let (len, c) = match found {
            Reference::Is(len, c) => (len, Some(c)),
            Reference::No(len) => (len, None),
            // A document type elsewhere may declare it.
            Reference::Unknown(len) if self.typed => (len, None),
            Reference::Unknown(_) => return Err(self.malformed("a reference to an unknown entity")),
            Reference::Cut | Reference::Wrong => return Err(self.malformed("a reference")),
        };
        let raw = self.buf.get(..len).unwrap_or_default().to_vec();
        if self.is_xml() {
            self.inside(b"&")?;
            self.brackets = 0;
        }
        match c {
            Some(c) => {
                let text = c.encode_utf8(&mut [0; 4]).as_bytes().to_vec();
                self.tree.text(&text);
                self.flow.escape(&raw, &text, TEXT);
            }
            None => self.flow.plain(&raw, TEXT),
        }
        Ok(len)
    }

    fn cdata(&mut self, rest: &[u8]) -> usize {
        let text = |markup: &mut Self, text: &[u8]| {
            markup.flow.plain(text, CDATA);
            markup.tree.text(text);
        };
        if self.buf.is_empty() {
            let len = memchr(b']', rest).unwrap_or(rest.len());
            text(self, rest.get(..len).unwrap_or_default());
            if len < rest.len() {
                self.buf.push(b']');
                return len + 1;
            }
            return len;
        }
        match (self.buf.len(), rest.first()) {
            (1, Some(b']')) => self.buf.push(b']'),
            (2, Some(b'>')) => {
                self.flow.between(b"]]>", b"");
                self.buf.clear();
                self.at = At::Text;
            }
            (2, Some(b']')) => text(self, b"]"),
            _ => {
                let held = std::mem::take(&mut self.buf);
                text(self, &held);
                return 0;
            }
        }
        1
    }

    /// Contents that are no markup, up to the tag that ends them.
    fn raw_text(&mut self, rest: &[u8]) -> usize {
        let Some(raw) = &self.raw else {
            self.at = At::Text;
            return 0;
        };
        let style = if raw.references { TEXT } else { RAW };
        if self.buf.is_empty() {
            let found = if raw.references { memchr2(b'<', b'&', rest) } else { memchr(b'<', rest) };
            let len = found.unwrap_or(rest.len());
            self.flow.plain(rest.get(..len).unwrap_or_default(), style);
            let Some(byte) = rest.get(len) else { return len };
            self.buf.push(*byte);
            if *byte == b'&' {
                self.at = At::Reference;
            }
            return len + 1;
        }
        let wanted = 2 + raw.name.len();
        let byte = rest.first().copied().unwrap_or_default();
        let fits = match self.buf.len() {
            1 => byte == b'/',
            len if len < wanted => {
                raw.name.get(len - 2).is_some_and(|letter| letter.eq_ignore_ascii_case(&byte))
            }
            _ => matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b'/' | b'>'),
        };
        if !fits {
            let held = std::mem::take(&mut self.buf);
            self.flow.plain(&held, style);
            return 0;
        }
        if self.buf.len() < wanted {
            self.buf.push(byte);
            return 1;
        }
        // The end tag: its name has been read.
        let held = std::mem::take(&mut self.buf);
        let (head, name) = held.split_at(2);
        let mut tag = Tag::new(head);
        // A name has nothing that a tag of HTML could not have.
        let _ = tag.push(name, self.dialect);
        self.tag = Some(tag);
        self.raw = None;
        self.at = At::Tag;
        0
    }
}

impl Transform for MarkupTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let good = self.utf8.push(input);
        let text = input.get(..good).unwrap_or_default();
        let flaw = self.flaw(text);
        let text = text.get(..flaw.unwrap_or(good)).unwrap_or_default();
        let result = match self.lead.take() {
            Some(lead) => self.beginning([&*lead, text].concat(), out),
            None => self.run(text, out),
        };
        // What came before a flaw is looked at first.
        self.flow.flow(&self.job, &mut self.writer, out)?;
        result?;
        match flaw.and_then(|at| input.get(at)) {
            Some(0) => {
                return Err(self.job.refuse(Reason::ContentUninspectable).detail("a NUL byte in a text"));
            }
            Some(_) => return Err(self.malformed("a control character")),
            None => {}
        }
        if good < input.len() { Err(self.job.refuse(Reason::ContentNotUtf8)) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.utf8.is_whole() {
            return Err(self.job.refuse(Reason::ContentNotUtf8).detail("the text ends inside a character"));
        }
        self.end(out)?;
        let nothing = Mapped::plain_text(&self.job, None);
        self.end_flow(nothing, out)
    }

    fn held(&self) -> usize {
        let tag = self.tag.as_ref().map_or(0, |tag| tag.raw.len());
        self.flow.held() + self.buf.len() + tag + self.tree.held()
    }
}

#[cfg(test)]
mod tests;
