//! What stands behind a `<`: which construct it is, and those that are no tags.

use super::doctype::{Doctype, Fault};
use super::reference::{self, is_name_start};
use super::spelling::{COMMENT, INSTRUCTION, NAME, TEXT, Writer};
use super::tag::Tag;
use super::{At, Dialect, MarkupTransform};
use crate::body::charset::Charset;
use crate::body::mapped::{Decoded, Style, Units};
use crate::reason::{Reason, Refusal};

/// What begins with some bytes behind a `<`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    Unsure,
    /// It is a `<` and nothing more.
    Nothing,
    /// A tag, whose name's first byte is the last one.
    Tag,
    Comment,
    Cdata,
    Doctype,
    Instruction,
    /// A comment by error; its last byte is not read yet.
    Bogus,
    Wrong,
}

fn begins(text: &[u8], dialect: Dialect) -> Begins {
    let xml = dialect == Dialect::Xml;
    let is_name = |byte: u8| if xml { is_name_start(byte) } else { byte.is_ascii_alphabetic() };
    match text {
        [_] | [_, b'/'] => Begins::Unsure,
        [_, b'/', byte, ..] if is_name(*byte) => Begins::Tag,
        [_, b'!', ..] => declaration(text, xml),
        [_, b'?', ..] if xml => Begins::Instruction,
        [_, b'?', ..] => Begins::Bogus,
        [_, b'/', ..] if !xml => Begins::Bogus,
        [_, byte, ..] if is_name(*byte) => Begins::Tag,
        _ if xml => Begins::Wrong,
        _ => Begins::Nothing,
    }
}

fn declaration(text: &[u8], xml: bool) -> Begins {
    let upper = if xml { text.to_vec() } else { text.to_ascii_uppercase() };
    for (whole, what) in [
        (b"<!--".as_slice(), Begins::Comment),
        (b"<![CDATA[", Begins::Cdata),
        (b"<!DOCTYPE", Begins::Doctype),
    ] {
        if what == Begins::Cdata && !xml {
            continue;
        }
        if *upper == *whole {
            return what;
        }
        if whole.starts_with(&upper) {
            return Begins::Unsure;
        }
    }
    if xml { Begins::Wrong } else { Begins::Bogus }
}

impl MarkupTransform {
    pub(super) fn less(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        for (at, byte) in rest.iter().enumerate() {
            self.buf.push(*byte);
            let found = begins(&self.buf, self.dialect);
            let last = self.buf.len() - 1;
            match found {
                Begins::Unsure => continue,
                Begins::Wrong => return Err(self.malformed("a `<` that begins nothing")),
                Begins::Nothing => {
                    self.buf.truncate(last);
                    let held = std::mem::take(&mut self.buf);
                    self.at = At::Text;
                    self.flow.plain(&held, TEXT);
                    return Ok(at);
                }
                Begins::Tag => {
                    self.tag = Some(Tag::new(self.buf.get(..last).unwrap_or_default()));
                    self.buf.clear();
                    self.at = At::Tag;
                    self.begun = true;
                    return Ok(at);
                }
                Begins::Comment => self.at = At::Comment,
                Begins::Instruction => self.at = At::Instruction,
                Begins::Bogus => {
                    // A `<?` is part of it, and so is what can't end it.
                    self.at = At::Bogus;
                    if self.buf.len() > 2 {
                        self.buf.truncate(last);
                        return Ok(at);
                    }
                }
                Begins::Cdata => {
                    self.inside(b"[")?;
                    self.flow.between(&self.buf, b"");
                    self.buf.clear();
                    self.at = At::Cdata;
                    self.brackets = 0;
                }
                Begins::Doctype if self.is_xml() && (self.typed || self.tree.rooted) => {
                    return Err(self.malformed("a document type behind the beginning"));
                }
                Begins::Doctype => self.at = At::Doctype(Doctype::default()),
            }
            return Ok(at + 1);
        }
        Ok(rest.len())
    }

    fn grow(&mut self, more: &[u8]) -> Result<(), Refusal> {
        self.buf.extend_from_slice(more);
        if self.buf.len() > self.job.limits.record {
            return Err(self.job.refuse(Reason::RecordTooLarge).detail("a comment or an instruction"));
        }
        Ok(())
    }

    /// More of a comment or an instruction.
    pub(super) fn construct(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        let Some(at) = memchr::memchr(b'>', rest) else {
            self.grow(rest)?;
            return Ok(rest.len());
        };
        self.grow(rest.get(..=at).unwrap_or_default())?;
        let len = self.buf.len();
        let tail = match (self.at, self.dialect) {
            (At::Comment, Dialect::Xml) => (len >= 7 && self.buf.ends_with(b"-->")).then_some(3),
            (At::Comment, Dialect::Html) => html_comment_end(&self.buf),
            (At::Instruction, _) => (len >= 4 && self.buf.ends_with(b"?>")).then_some(2),
            _ => Some(1),
        };
        if let Some(tail) = tail {
            let head = if self.at == At::Comment { 4 } else { 2 };
            let style = if self.at == At::Instruction { INSTRUCTION } else { COMMENT };
            self.check_construct(head.min(len)..len.saturating_sub(tail))?;
            self.constructed(head, tail, style)?;
        }
        Ok(at + 1)
    }

    fn check_construct(&mut self, contents: std::ops::Range<usize>) -> Result<(), Refusal> {
        if !self.is_xml() {
            return Ok(());
        }
        let text = self.buf.get(contents).unwrap_or_default();
        if self.at == At::Comment && (memchr::memmem::find(text, b"--").is_some() || text.ends_with(b"-")) {
            return Err(self.malformed("`--` in a comment"));
        }
        if self.at == At::Instruction {
            let len = text.iter().take_while(|byte| reference::is_name_byte(**byte)).count();
            let target = text.get(..len).unwrap_or_default();
            if target.eq_ignore_ascii_case(b"xml") && (self.begun || target != b"xml") {
                return Err(self.malformed("a declaration that is not at the beginning"));
            }
            if !target.first().is_some_and(|byte| is_name_start(*byte)) {
                return Err(self.malformed("an instruction without a name"));
            }
            if target == b"xml" {
                self.declared()?;
            }
        }
        self.begun = true;
        Ok(())
    }

    /// An XML declaration: the encoding that it names is the one that the document is in.
    fn declared(&mut self) -> Result<(), Refusal> {
        let Some(range) = encoding(&self.buf) else { return Ok(()) };
        let name = self.buf.get(range.clone()).unwrap_or_default();
        let charset = Charset::named(std::str::from_utf8(name).unwrap_or_default());
        if charset == Charset::Utf8 {
            return Ok(());
        }
        if !self.transcoded {
            return Err(charset.refusal(&self.job));
        }
        self.buf.splice(range, *b"UTF-8");
        Ok(())
    }

    /// A construct is complete: between its first bytes and its last stands a text of its own.
    fn constructed(&mut self, head: usize, tail: usize, style: Style) -> Result<(), Refusal> {
        let raw = std::mem::take(&mut self.buf);
        let end = raw.len().saturating_sub(tail).max(head.min(raw.len()));
        let contents = raw.get(head..end).unwrap_or_default();
        if self.seek_plain(contents, head) {
            self.flow.between(&raw, b"");
        } else if self.whole.plain(&self.job, contents, None)? {
            let mut changed = raw.get(..head).unwrap_or_default().to_vec();
            let mut units = Units::default();
            units.plain(contents, style);
            units.write(&self.whole, contents.len(), &mut Writer::new(self.dialect), &mut changed);
            changed.extend_from_slice(raw.get(end..).unwrap_or_default());
            self.flow.between(&changed, b"");
        } else {
            self.flow.between(&raw, b"");
        }
        self.brackets = 0;
        self.at = At::Text;
        Ok(())
    }

    pub(super) fn doctype(&mut self, mut doctype: Doctype, rest: &[u8]) -> Result<usize, Refusal> {
        if !self.is_xml() {
            self.at = At::Bogus;
            return Ok(0);
        }
        for (at, byte) in rest.iter().enumerate() {
            self.buf.push(*byte);
            if self.buf.len() > self.job.limits.key {
                return Err(self.job.refuse(Reason::RecordTooLarge).detail("a document type"));
            }
            match doctype.step(&self.buf) {
                Ok(false) => {}
                Ok(true) => {
                    self.typed = true;
                    self.begun = true;
                    self.constructed(b"<!DOCTYPE".len(), 1, NAME)?;
                    return Ok(at + 1);
                }
                Err(Fault::Entity) => {
                    let refusal = self.job.refuse(Reason::ContentUninspectable);
                    return Err(refusal.detail("the document type declares entities"));
                }
                Err(Fault::Malformed) => return Err(self.malformed("a document type")),
            }
        }
        self.at = At::Doctype(doctype);
        Ok(rest.len())
    }

    /// The document ends.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.is_xml() {
            let empty = !self.begun && self.at == At::Text;
            return match self.at {
                At::Text if self.tree.depth() == 0 && (self.tree.rooted || empty) => Ok(()),
                At::Text if self.tree.depth() == 0 => Err(self.malformed("no root element")),
                _ => Err(self.job.refuse(Reason::ContentTruncated)),
            };
        }
        if self.at == At::Reference {
            let found = reference::read(&self.buf, true, self.dialect, false);
            let len = self.referred(found)?;
            let more = self.buf.get(len..).unwrap_or_default().to_vec();
            self.buf.clear();
            return self.plain(&more);
        }
        // Browsers leave out what has no end; here it is a text.
        let held = std::mem::take(&mut self.buf);
        let tag = self.tag.take().map(|tag| tag.raw).unwrap_or_default();
        let raw_text = self.raw.as_ref().is_some_and(|raw| !raw.references);
        for rest in [held, tag].iter().filter(|rest| !rest.is_empty()) {
            if raw_text {
                self.flow.plain(rest, TEXT);
            } else {
                let read = reference::decode(rest, (self.dialect, true), false, TEXT, &mut self.flow);
                let long =
                    |_reference| self.job.refuse(Reason::RecordTooLarge).detail("a character reference");
                read.map_err(long)?;
            }
        }
        self.flow.flow(&self.job, &mut self.writer, out)
    }

    /// Whether a name of an element or an attribute holds nothing that must not pass.
    pub(super) fn is_clean(&mut self, name: &[u8]) -> Result<bool, Refusal> {
        const KEPT: usize = 4096;
        if self.clean.contains(name) {
            return Ok(true);
        }
        let found = self.whole.plain(&self.job, name, None)?;
        if !found && name.len() <= 64 && self.clean.len() < KEPT {
            self.clean.insert(name.into());
        }
        Ok(!found)
    }

    /// Whether what stands under a name is judged by that name.
    pub(super) fn matters(&mut self, name: &str) -> bool {
        const KEPT: usize = 4096;
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let matters = self.job.engine.minds_field(name);
        if self.known.len() < KEPT {
            self.known.insert(name.into(), matters);
        }
        matters
    }
}

/// HTML, 13.2.5.43 and on: `<!-->` and `<!--->` are comments, and `--!>` ends one.
fn html_comment_end(raw: &[u8]) -> Option<usize> {
    match raw {
        b"<!-->" => Some(1),
        b"<!--->" => Some(2),
        _ if raw.len() >= 7 && raw.ends_with(b"-->") => Some(3),
        _ if raw.len() >= 8 && raw.ends_with(b"--!>") => Some(4),
        _ => None,
    }
}

/// Where the encoding stands in an XML declaration.
pub(super) fn encoding(declaration: &[u8]) -> Option<std::ops::Range<usize>> {
    let at = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let rest = declaration.get(at..)?;
    let quote = rest.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    if !rest.get(..quote)?.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'=') {
        return None;
    }
    let start = at + quote + 1;
    let len = memchr::memchr(*rest.get(quote)?, declaration.get(start..)?)?;
    Some(start..start + len)
}
