//! Where a format writes. Clean input is copied in the longest runs possible: a format only says where it leaves
//! the input and where it takes it up again.

/// An input that goes over into an output, with changes.
pub(crate) struct Sink<'a> {
    input: &'a [u8],
    /// Input from here on goes out as it is, up to where the next change stands.
    clean_from: usize,
    out: &'a mut Vec<u8>,
}

/// A place to come back to: see [`Sink::rewind`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    input: usize,
    length: usize,
}

impl<'a> Sink<'a> {
    pub(crate) const fn new(input: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Self { input, clean_from: 0, out }
    }

    pub(crate) const fn starting_at(input: &'a [u8], clean_from: usize, out: &'a mut Vec<u8>) -> Self {
        Self { input, clean_from, out }
    }

    pub(crate) const fn input(&self) -> &'a [u8] {
        self.input
    }

    /// Gives out the clean input up to `at`.
    pub(crate) fn flush(&mut self, at: usize) {
        if let Some(run) = self.input.get(self.clean_from..at)
            && !run.is_empty()
        {
            self.out.extend_from_slice(run);
        }
        self.clean_from = self.clean_from.max(at);
    }

    /// Leaves out the input up to `at`.
    pub(crate) fn skip(&mut self, at: usize) {
        self.clean_from = self.clean_from.max(at);
    }

    /// Gives out other bytes. The input before them has been flushed or skipped.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// The output, for what writes into it. The input before has been flushed or skipped.
    pub(crate) const fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// How long the output is once the clean input up to `at` is given out.
    pub(crate) const fn position(&self, at: usize) -> usize {
        self.out.len() + at.saturating_sub(self.clean_from)
    }

    /// Remembers the state at the input's place `at`, before which everything stays.
    pub(crate) const fn mark(&self, at: usize) -> Mark {
        Mark { input: at, length: self.position(at) }
    }

    /// Takes back everything since the mark; the input from the mark up to `at` is left out.
    pub(crate) fn rewind(&mut self, mark: Mark, at: usize) {
        if self.out.len() > mark.length {
            self.out.truncate(mark.length);
        } else {
            self.flush(mark.input);
        }
        self.skip(at);
    }
}
