//! The elements that are open, and the name that the text in them stands under.

use super::names;

/// Open elements.
#[derive(Default)]
pub(super) struct Tree {
    frames: Vec<Frame>,
    /// There was a root.
    pub(super) rooted: bool,
    /// The text of an element that names the next one, as far as it has come.
    key: Option<Vec<u8>>,
    /// The name that such an element gave.
    named: Option<Box<str>>,
}

struct Frame {
    name: Box<[u8]>,
    field: Option<Box<str>>,
}

/// Longer names say nothing.
const LONGEST: usize = 128;

impl Tree {
    pub(super) const fn depth(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn held(&self) -> usize {
        self.frames.iter().map(|frame| frame.name.len() + frame.field.as_ref().map_or(0, |f| f.len())).sum()
    }

    /// The document is one of HTML, or a drawing.
    pub(super) fn is_page(&self) -> bool {
        let root = self.frames.first().map(|root| names::local(&root.name));
        root.is_some_and(|root| root == b"html" || root == b"svg")
    }

    /// The name that text stands under here.
    pub(super) fn field(&self) -> Option<&str> {
        self.frames.last()?.field.as_deref()
    }

    /// What an element's text stands under: what its attributes call it, what the element before it said, or its own name.
    pub(super) fn names_for(&mut self, element: &[u8], attribute: Option<String>) -> Vec<Box<str>> {
        let before = self.named.take().filter(|_| names::is_generic(element));
        let own = std::str::from_utf8(names::local(element)).ok().filter(|own| own.len() <= LONGEST);
        let given = attribute.map(String::into_boxed_str);
        given.into_iter().chain(before).chain(own.map(Box::from)).collect()
    }

    /// An element begins whose text stands under this name, or under that of what it stands in.
    pub(super) fn open(&mut self, element: &[u8], field: Option<Box<str>>) {
        let inherits = names::is_inline(element) || names::is_generic(element);
        let field = field.or_else(|| self.field().filter(|_| inherits).map(Box::from));
        self.key = names::is_key(element).then(Vec::new);
        self.frames.push(Frame { name: element.into(), field });
        self.rooted = true;
    }

    /// An element ends. False: it is another one that is open.
    pub(super) fn close(&mut self, element: &[u8]) -> bool {
        let same = self.frames.pop().is_some_and(|frame| *frame.name == *element);
        let key = self.key.take().and_then(|text| String::from_utf8(text).ok());
        self.named = key.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(Box::from);
        same
    }

    /// Text of the innermost element.
    pub(super) fn text(&mut self, text: &[u8]) {
        if let Some(key) = &mut self.key {
            key.extend_from_slice(text);
            if key.len() > LONGEST {
                self.key = None;
            }
        }
    }
}
