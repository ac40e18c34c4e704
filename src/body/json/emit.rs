//! What becomes of a text, told in lengths of that text.

use super::escape;

/// Takes down what becomes of a text, from its beginning on.
pub(crate) trait Emit {
    /// The next `len` bytes stay.
    fn keep(&mut self, len: usize);

    /// In the place of the next `len` bytes stands another text.
    fn replace(&mut self, len: usize, with: &[u8]);
}

/// Takes down what becomes of the raw contents of a string.
pub(super) trait EmitRaw {
    /// They stay.
    fn keep(&mut self, raw: &[u8]);

    /// In the place of `len` bytes of them stands a text, which is still to be escaped.
    fn replace(&mut self, len: usize, text: &[u8]);
}

impl EmitRaw for Vec<u8> {
    fn keep(&mut self, raw: &[u8]) {
        self.extend_from_slice(raw);
    }

    fn replace(&mut self, _len: usize, text: &[u8]) {
        escape::encode(text, self);
    }
}

/// The contents of a string inside a text.
pub(super) struct Inside<'a> {
    pub(super) out: &'a mut dyn Emit,
    pub(super) scratch: &'a mut Vec<u8>,
}

impl EmitRaw for Inside<'_> {
    fn keep(&mut self, raw: &[u8]) {
        if !raw.is_empty() {
            self.out.keep(raw.len());
        }
    }

    fn replace(&mut self, len: usize, text: &[u8]) {
        self.scratch.clear();
        escape::encode(text, self.scratch);
        self.out.replace(len, self.scratch);
    }
}
