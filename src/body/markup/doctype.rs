//! A document type declaration, as far as its end has to be found and its dangers seen. Declarations of entities are
//! refused: what such a document says is not what is written in it, and a few of them grow to gigabytes.

/// A declaration on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doctype {
    /// Inside the brackets.
    subset: bool,
    /// A declaration inside of it.
    declaration: bool,
    within: Within,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    Quotes(u8),
    Comment,
    Instruction,
}

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Entity,
    Malformed,
}

impl Doctype {
    /// Takes the last byte of `raw`, which is the declaration from its `<` on. True: that was its end.
    pub(super) fn step(&mut self, raw: &[u8]) -> Result<bool, Fault> {
        let byte = raw.last().copied().unwrap_or_default();
        match self.within {
            Within::Quotes(quote) if byte == quote => self.within = Within::Nothing,
            Within::Comment if raw.ends_with(b"-->") => self.within = Within::Nothing,
            Within::Instruction if raw.ends_with(b"?>") => self.within = Within::Nothing,
            Within::Quotes(_) | Within::Comment | Within::Instruction => {}
            Within::Nothing => return self.outside(raw, byte),
        }
        Ok(false)
    }

    fn outside(&mut self, raw: &[u8], byte: u8) -> Result<bool, Fault> {
        match byte {
            b'"' | b'\'' if self.declaration || !self.subset => self.within = Within::Quotes(byte),
            b'%' if self.subset => return Err(Fault::Entity),
            b'[' if !self.subset => self.subset = true,
            b'[' => return Err(Fault::Malformed),
            b']' if self.subset && !self.declaration => self.subset = false,
            b'>' if self.declaration => self.declaration = false,
            b'>' if !self.subset => return Ok(true),
            b'!' if self.subset && raw.ends_with(b"<!") => self.declaration = true,
            b'?' if self.subset && raw.ends_with(b"<?") => self.within = Within::Instruction,
            b'-' if raw.ends_with(b"<!--") => {
                self.declaration = false;
                self.within = Within::Comment;
            }
            b'Y' if self.declaration && raw.ends_with(b"<!ENTITY") => return Err(Fault::Entity),
            b'<' | b' ' | b'\t' | b'\n' | b'\r' | b'!' => {}
            _ if self.declaration || !self.subset => {}
            _ => return Err(Fault::Malformed),
        }
        Ok(false)
    }
}
