//! One tag, byte by byte: its name, its attributes, where their values stand.

use std::ops::Range;

use super::Dialect;
use super::reference::{is_name_byte, is_name_start};

/// A tag as far as it has come.
#[derive(Debug)]
pub(super) struct Tag {
    /// From its `<` on.
    pub(super) raw: Vec<u8>,
    pub(super) close: bool,
    pub(super) name: Range<usize>,
    pub(super) attributes: Vec<Attribute>,
    /// It ends with `/>`.
    pub(super) empty: bool,
    at: At,
}

#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) name: Range<usize>,
    pub(super) value: Option<Range<usize>>,
    /// The value stands in quotes.
    pub(super) quoted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Name,
    /// Behind white space.
    Before,
    AttributeName,
    AfterName,
    BeforeValue,
    Quoted(u8),
    Bare,
    AfterQuoted,
    Slash,
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

impl Tag {
    /// A tag that begins so: `<` or `</`.
    pub(super) fn new(raw: &[u8]) -> Self {
        let close = raw.len() > 1;
        let name = raw.len()..raw.len();
        Self { raw: raw.to_vec(), close, name, attributes: Vec::new(), empty: false, at: At::Name }
    }

    pub(super) fn name(&self) -> &[u8] {
        self.raw.get(self.name.clone()).unwrap_or_default()
    }

    pub(super) fn text(&self, at: &Range<usize>) -> &[u8] {
        self.raw.get(at.clone()).unwrap_or_default()
    }

    /// Takes more of it: how many bytes are its own, and whether it is complete.
    pub(super) fn push(&mut self, input: &[u8], dialect: Dialect) -> Result<(usize, bool), &'static str> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if let At::Quoted(quote) = self.at {
                let rest = input.get(at..).unwrap_or_default();
                let len = memchr::memchr(quote, rest).unwrap_or(rest.len());
                let value = rest.get(..len).unwrap_or_default();
                if dialect == Dialect::Xml && memchr::memchr(b'<', value).is_some() {
                    return Err("a `<` in an attribute's value");
                }
                self.raw.extend_from_slice(value);
                self.end_value();
                at += len;
                if len < rest.len() {
                    self.raw.push(quote);
                    self.at = At::AfterQuoted;
                    at += 1;
                }
                continue;
            }
            at += 1;
            if byte == b'>' && self.ends(dialect)? {
                self.raw.push(byte);
                return Ok((at, true));
            }
            match dialect {
                Dialect::Xml => self.xml(byte)?,
                Dialect::Html => self.html(byte),
            }
        }
        Ok((at, false))
    }

    /// Whether a `>` here ends the tag.
    fn ends(&mut self, dialect: Dialect) -> Result<bool, &'static str> {
        self.empty = self.at == At::Slash;
        match (dialect, self.at) {
            (Dialect::Xml, At::AttributeName | At::AfterName | At::BeforeValue) => {
                Err("an attribute without a value")
            }
            (_, At::Quoted(_)) => Ok(false),
            _ => Ok(true),
        }
    }

    fn end_value(&mut self) {
        let end = self.raw.len();
        if let Some(Attribute { value: Some(value), .. }) = self.attributes.last_mut() {
            value.end = end;
        }
    }

    /// One more byte of a name, which stands at the end by now.
    fn grow_name(&mut self) {
        let end = self.raw.len();
        if let Some(attribute) = self.attributes.last_mut() {
            attribute.name.end = end;
        }
    }

    fn begin_attribute(&mut self, byte: u8) {
        let at = self.raw.len();
        self.raw.push(byte);
        self.attributes.push(Attribute { name: at..at + 1, value: None, quoted: false });
        self.at = At::AttributeName;
    }

    fn begin_value(&mut self, quoted: bool) {
        let at = self.raw.len();
        if let Some(attribute) = self.attributes.last_mut() {
            attribute.value = Some(at..at);
            attribute.quoted = quoted;
        }
    }

    fn xml(&mut self, byte: u8) -> Result<(), &'static str> {
        let space = is_space(byte) && byte != 0x0c;
        match self.at {
            At::Name if is_name_byte(byte) => {
                self.raw.push(byte);
                self.name.end = self.raw.len();
                return Ok(());
            }
            At::AttributeName if is_name_byte(byte) => {
                self.raw.push(byte);
                self.grow_name();
                return Ok(());
            }
            At::Before if is_name_start(byte) && !self.close => {
                self.begin_attribute(byte);
                return Ok(());
            }
            At::Name | At::AfterQuoted if space => self.at = At::Before,
            At::Name | At::AfterQuoted | At::Before if byte == b'/' && !self.close => self.at = At::Slash,
            At::AttributeName | At::AfterName if byte == b'=' => self.at = At::BeforeValue,
            At::AttributeName if space => self.at = At::AfterName,
            At::Before | At::AfterName | At::BeforeValue if space => {}
            At::BeforeValue if matches!(byte, b'"' | b'\'') => {
                self.raw.push(byte);
                self.begin_value(true);
                self.at = At::Quoted(byte);
                return Ok(());
            }
            _ => return Err("a tag"),
        }
        self.raw.push(byte);
        Ok(())
    }

    fn html(&mut self, byte: u8) {
        match (self.at, byte) {
            (At::Name, byte) if !is_space(byte) && byte != b'/' => {
                self.raw.push(byte);
                self.name.end = self.raw.len();
                return;
            }
            (At::AttributeName, byte) if !is_space(byte) && !matches!(byte, b'/' | b'=') => {
                self.raw.push(byte);
                self.grow_name();
                return;
            }
            (At::BeforeValue, b'"' | b'\'') => {
                self.raw.push(byte);
                self.begin_value(true);
                self.at = At::Quoted(byte);
                return;
            }
            (At::BeforeValue, byte) if !is_space(byte) => {
                self.begin_value(false);
                self.raw.push(byte);
                self.end_value();
                self.at = At::Bare;
                return;
            }
            (At::Bare, byte) if !is_space(byte) => {
                self.raw.push(byte);
                self.end_value();
                return;
            }
            (At::AttributeName | At::AfterName, b'=') => self.at = At::BeforeValue,
            (At::BeforeValue, _) => {}
            (At::AfterName | At::AttributeName, byte) if is_space(byte) => self.at = At::AfterName,
            (_, byte) if is_space(byte) => self.at = At::Before,
            (_, b'/') => self.at = At::Slash,
            (At::Before | At::AfterName | At::AfterQuoted | At::Slash, byte) => {
                return self.begin_attribute(byte);
            }
            (At::Name | At::AttributeName | At::Bare | At::Quoted(_), _) => {}
        }
        self.raw.push(byte);
    }
}
