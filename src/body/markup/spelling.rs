//! How a text that changed is written, by where it stands, so that what was valid stays valid.

use super::Dialect;
use super::reference::is_xml_char;
use crate::body::mapped::{Spelling, Style};

/// Between tags.
pub(super) const TEXT: Style = 0;
/// In a `CDATA` section.
pub(super) const CDATA: Style = 1;
/// In a script or a style sheet.
pub(super) const RAW: Style = 2;
/// In an attribute's value.
pub(super) const VALUE: Style = 3;
/// In a comment.
pub(super) const COMMENT: Style = 4;
/// In a processing instruction.
pub(super) const INSTRUCTION: Style = 5;
/// In a document type, or in a name.
pub(super) const NAME: Style = 6;

/// Writes markup.
pub(super) struct Writer {
    dialect: Dialect,
    /// How many `]` stand at the end of the text that was written: a `>` behind two of them would be a `]]>`.
    brackets: u8,
}

impl Writer {
    pub(super) const fn new(dialect: Dialect) -> Self {
        Self { dialect, brackets: 0 }
    }

    fn note(&mut self, written: &[u8]) {
        let tail = written.iter().rev().take(2).take_while(|byte| **byte == b']').count();
        let before = if tail == written.len() { self.brackets } else { 0 };
        self.brackets = u8::try_from(tail).unwrap_or(2).saturating_add(before).min(2);
    }

    /// A `>` that would end a section, or be an error.
    fn greater(&self, style: Style, out: &mut Vec<u8>) {
        out.extend_from_slice(if style == CDATA { b"]]><![CDATA[>" } else { b"&gt;" });
    }
}

impl Spelling for Writer {
    fn keep(&mut self, style: Style, raw: &[u8], out: &mut Vec<u8>) {
        if self.dialect == Dialect::Xml && self.brackets > 0 && matches!(style, TEXT | CDATA) {
            let more = raw.iter().take_while(|byte| **byte == b']').count();
            if usize::from(self.brackets) + more >= 2 && raw.get(more) == Some(&b'>') {
                out.extend_from_slice(raw.get(..more).unwrap_or_default());
                self.greater(style, out);
                let rest = raw.get(more + 1..).unwrap_or_default();
                out.extend_from_slice(rest);
                self.brackets = 0;
                return self.note(rest);
            }
        }
        out.extend_from_slice(raw);
        self.note(raw);
    }

    fn replace(&mut self, style: Style, text: &[u8], out: &mut Vec<u8>) {
        let lossy = String::from_utf8_lossy(text);
        for c in lossy.chars() {
            let c = if self.dialect == Dialect::Xml && !is_xml_char(c) { '\u{fffd}' } else { c };
            let from = out.len();
            match (style, c) {
                (CDATA, '>') if self.brackets == 2 => self.greater(style, out),
                (TEXT | VALUE | RAW, '<') => out.extend_from_slice(b"&lt;"),
                (TEXT | VALUE, '>') => out.extend_from_slice(b"&gt;"),
                (TEXT | VALUE, '&') => out.extend_from_slice(b"&amp;"),
                (VALUE, '"' | '\'' | '`' | '=' | '\t' | '\n' | '\r' | ' ' | '\u{c}') | (TEXT, '\r')
                    if !(c == ' ' && self.dialect == Dialect::Xml) =>
                {
                    out.extend_from_slice(format!("&#{};", u32::from(c)).as_bytes());
                }
                (COMMENT, '-' | '>') | (INSTRUCTION, '?' | '>') => out.push(b'_'),
                (NAME, c) if !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '*')) => {
                    out.push(b'_');
                }
                (_, c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            let written = out.get(from..).unwrap_or_default().to_vec();
            self.note(&written);
        }
    }

    fn between(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(raw);
        self.brackets = 0;
    }
}
