//! Tags: their attributes are censored, their elements open and close, and text behind them stands elsewhere.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::reference;
use super::spelling::{NAME, VALUE, Writer};
use super::tag::{Attribute, Tag};
use super::{At, Dialect, MarkupTransform, RawText, names};
use crate::body::mapped::{Decoded, Mapped, Units};
use crate::reason::{Reason, Refusal};

/// Takes down a text alone.
struct Text(Vec<u8>);

impl Decoded for Text {
    fn plain(&mut self, raw: &[u8], _style: u8) {
        self.0.extend_from_slice(raw);
    }

    fn escape(&mut self, _raw: &[u8], text: &[u8], _style: u8) {
        self.0.extend_from_slice(text);
    }
}

impl MarkupTransform {
    pub(super) fn in_tag(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Result<usize, Refusal> {
        let Some(tag) = &mut self.tag else {
            self.at = At::Text;
            return Ok(0);
        };
        let pushed = tag.push(rest, self.dialect);
        let (length, count) = (tag.raw.len(), tag.attributes.len());
        let (taken, complete) = pushed.map_err(|what| self.malformed(what))?;
        if length > self.job.limits.record || count > self.job.limits.facts {
            return Err(self.job.refuse(Reason::RecordTooLarge).detail("a tag"));
        }
        if complete && let Some(tag) = self.tag.take() {
            self.brackets = 0;
            self.at = At::Text;
            self.complete(&tag, out)?;
        }
        Ok(taken)
    }

    fn complete(&mut self, tag: &Tag, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let raw = self.censored(tag)?;
        let separator = self.separator(tag.name());
        match self.dialect {
            Dialect::Xml => self.element(tag, &raw, separator, out),
            Dialect::Html => self.html_element(tag, &raw, separator, out),
        }
    }

    /// What a tag is in the text around it.
    fn separator(&self, name: &[u8]) -> &'static [u8] {
        match name {
            name if self.is_inline(name) => b"",
            name if names::is_cell(name) => b"\t",
            _ => b"\n",
        }
    }

    /// Names of one letter mean what they mean in HTML only there.
    fn is_inline(&self, name: &[u8]) -> bool {
        let prefixed = names::local(name).len() < name.len();
        let plain = self.dialect == Dialect::Html || prefixed || self.tree.is_page() || name.len() > 1;
        plain && names::is_inline(name)
    }

    /// A value as it reads.
    fn value<'t>(&self, tag: &'t Tag, at: &Range<usize>) -> Result<Cow<'t, [u8]>, Refusal> {
        let raw = tag.text(at);
        if memchr::memchr(b'&', raw).is_none() {
            return Ok(Cow::Borrowed(raw));
        }
        let mut text = Text(Vec::new());
        match reference::decode(raw, (self.dialect, self.typed), true, VALUE, &mut text) {
            Ok(()) => Ok(Cow::Owned(text.0)),
            Err(_) => Err(self.malformed("a reference in an attribute's value")),
        }
    }

    /// What the attributes of a tag call its value.
    fn named(&self, tag: &Tag) -> Option<String> {
        let naming = |a: &&Attribute| names::is_naming_attribute(tag.text(&a.name));
        let attribute = tag.attributes.iter().find(naming)?;
        let text = self.value(tag, attribute.value.as_ref()?).ok()?;
        String::from_utf8(text.into_owned()).ok().filter(|name| name.len() <= 128)
    }

    /// A tag with findings in it replaced.
    fn censored<'t>(&mut self, tag: &'t Tag) -> Result<Cow<'t, [u8]>, Refusal> {
        let mut changes: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        self.changed_name(tag, &tag.name, &mut changes)?;
        let mut seen = HashSet::new();
        for attribute in &tag.attributes {
            let name = tag.text(&attribute.name);
            if self.dialect == Dialect::Xml && !seen.insert(name) {
                return Err(self.malformed("an attribute stands twice"));
            }
            self.changed_name(tag, &attribute.name, &mut changes)?;
            let Some(range) = &attribute.value else { continue };
            let text = self.value(tag, range)?;
            let called = if names::is_value_attribute(name) { self.named(tag) } else { None };
            let own = String::from_utf8_lossy(names::local(name));
            let field = called.as_deref().unwrap_or(&own);
            if self.seek_value(tag, attribute, &text, field) {
                continue;
            }
            if self.whole.run(&self.job, &text, Some(field).filter(|field| !field.is_empty()))? {
                let mut units = Units::default();
                let raw = tag.text(range);
                // It was read before.
                let _ = reference::decode(raw, (self.dialect, true), true, VALUE, &mut units);
                let mut changed = Vec::new();
                units.write(&self.whole, text.len(), &mut Writer::new(self.dialect), &mut changed);
                changes.push((range.clone(), changed));
            }
        }
        if changes.is_empty() {
            return Ok(Cow::Borrowed(&tag.raw));
        }
        let mut raw = Vec::with_capacity(tag.raw.len());
        let mut at = 0;
        for (range, text) in changes {
            raw.extend_from_slice(tag.text(&(at..range.start)));
            raw.extend_from_slice(&text);
            at = range.end;
        }
        raw.extend_from_slice(tag.raw.get(at..).unwrap_or_default());
        Ok(Cow::Owned(raw))
    }

    /// A name holds nothing that must not pass; where names mean nothing it is changed.
    fn changed_name(
        &mut self,
        tag: &Tag,
        range: &Range<usize>,
        changes: &mut Vec<(Range<usize>, Vec<u8>)>,
    ) -> Result<(), Refusal> {
        let name = tag.text(range);
        if self.seek_plain(name, range.start) || self.is_clean(name)? {
            return Ok(());
        }
        if self.dialect == Dialect::Xml {
            let refusal = self.job.refuse(Reason::ContentBlocked);
            return Err(refusal.detail("the name of an element or an attribute"));
        }
        let mut units = Units::default();
        units.plain(name, NAME);
        let mut changed = Vec::new();
        units.write(&self.whole, name.len(), &mut Writer::new(self.dialect), &mut changed);
        changes.push((range.clone(), changed));
        Ok(())
    }

    /// The text goes on elsewhere, under another name.
    fn stand_under(&mut self, field: Option<&str>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.field.is_none() && field.is_none() {
            return Ok(());
        }
        let next = match field {
            Some(_) => Mapped::new(&self.job, field),
            None => Mapped::plain_text(&self.job, None),
        };
        self.end_flow(next, out)?;
        self.field = field.map(Box::from);
        Ok(())
    }

    fn element(&mut self, tag: &Tag, raw: &[u8], separator: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let name = tag.name();
        let inline = self.is_inline(name);
        self.flow.between(raw, separator);
        if tag.close {
            if !self.tree.close(name) {
                return Err(self.malformed("an end tag of another element than the open one"));
            }
        } else {
            if self.tree.depth() == 0 && self.tree.rooted {
                return Err(self.malformed("a second root element"));
            }
            if self.tree.depth() >= self.job.limits.depth {
                return Err(self.job.refuse(Reason::ContentTooDeep));
            }
            let called = self.named(tag);
            let candidates = self.tree.names_for(name, called);
            let field = candidates.into_iter().find(|name| !inline && self.matters(name));
            self.tree.open(name, field);
            if tag.empty {
                self.tree.close(name);
            }
        }
        if inline {
            return Ok(());
        }
        let field = self.tree.field().map(str::to_owned);
        self.stand_under(field.as_deref(), out)
    }

    fn html_element(
        &mut self,
        tag: &Tag,
        raw: &[u8],
        separator: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let name = tag.name();
        let in_script = self.field.as_deref() == Some(SCRIPT);
        if in_script {
            // A script is a text by itself.
            let next = Mapped::plain_text(&self.job, None);
            self.end_flow(next, out)?;
            self.field = None;
        }
        self.flow.between(raw, separator);
        if names::is_foreign(name) && !tag.empty {
            self.foreign = if tag.close { self.foreign.saturating_sub(1) } else { self.foreign + 1 };
        }
        if tag.close || self.foreign > 0 {
            return Ok(());
        }
        if let Some(references) = names::raw_text(name) {
            self.raw = Some(RawText { name: name.into(), references });
            self.buf.clear();
            self.at = At::Raw;
            if names::is_script(name) {
                let next = Mapped::new(&self.job, None);
                self.end_flow(next, out)?;
                self.field = Some(SCRIPT.into());
            }
        }
        Ok(())
    }
}

/// Marks the flow of a script; no text stands under it.
pub(super) const SCRIPT: &str = "<script>";
