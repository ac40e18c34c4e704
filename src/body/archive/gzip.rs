//! A gzip file (RFC 1952) around another file.

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::body::coding::{CodingLimits, Decoder};
use crate::body::container::{Containers, Contents, Through};
use crate::body::spool::{Spool, Spooled};
use crate::body::{Chain, Transform};
use crate::reason::{Reason, Refusal};

/// Censors what a gzip file holds. The file waits in the spool until it is known whether it changes.
pub(crate) struct GzipTransform {
    contents: Box<dyn Contents>,
    containers: Containers,
    chain: Chain<Decoder, Through>,
    original: Spool,
    product: Spool,
    encoder: GzEncoder<Vec<u8>>,
    /// What came of the content, before it is packed.
    plain: Vec<u8>,
    /// A header held something.
    renamed: bool,
    state: State,
}

enum State {
    Reading,
    Ending,
    Giving(Spooled),
    Done,
}

impl GzipTransform {
    /// `inner` censors the content.
    pub(crate) fn new(
        contents: Box<dyn Contents>,
        containers: Containers,
        inner: Box<dyn Transform>,
    ) -> Self {
        let limits = CodingLimits { size: containers.left(), ratio: containers.limits.ratio };
        let decoder = Decoder::gzip(contents.direction(), limits);
        Self {
            chain: Chain::new(decoder, Through::new(inner)),
            original: containers.spools.open(),
            product: containers.spools.open(),
            encoder: GzEncoder::new(Vec::new(), Compression::default()),
            plain: Vec::new(),
            renamed: false,
            state: State::Reading,
            contents,
            containers,
        }
    }

    /// Packs what came.
    fn pack(&mut self) -> Result<(), Refusal> {
        let texts = self.chain.first().gzip_texts();
        // Names and comments end with NUL, an extra field is of bytes.
        for text in texts.split(|byte| *byte == 0 || *byte == b'\n') {
            self.renamed |= self.contents.text(None, text)?.is_some();
        }
        let bytes = self.plain.len() as u64;
        if !self.containers.count_decoded(bytes) {
            return Err(self.contents.refuse(Reason::CodingBomb, "all that the archive holds"));
        }
        write(&mut self.encoder, &self.plain)?;
        self.plain.clear();
        let packed = self.encoder.get_mut();
        self.product.push(packed)?;
        packed.clear();
        Ok(())
    }

    /// All of it is known: what goes out.
    fn decide(&mut self) -> Result<Spooled, Refusal> {
        let failed = |_io| Refusal::new(Reason::Internal).log("packing");
        self.encoder.try_finish().map_err(failed)?;
        let empty = self.containers.spools.open();
        if !self.renamed && !self.chain.second().changed() {
            self.product = empty;
            let original = std::mem::replace(&mut self.original, self.containers.spools.open());
            return Ok(original.into_reader());
        }
        self.original = empty;
        let packed = self.encoder.get_mut();
        self.product.push(packed)?;
        packed.clear();
        let product = std::mem::replace(&mut self.product, self.containers.spools.open());
        Ok(product.into_reader())
    }
}

/// Writes into an encoder, whose output is in memory.
pub(super) fn write(encoder: &mut impl std::io::Write, bytes: &[u8]) -> Result<(), Refusal> {
    encoder.write_all(bytes).map_err(|_io| Refusal::new(Reason::Internal).log("packing"))
}

impl Transform for GzipTransform {
    fn push(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result<(), Refusal> {
        self.original.push(input)?;
        self.chain.push(input, &mut self.plain)?;
        self.pack()
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), Refusal> {
        self.chain.finish(&mut self.plain)?;
        self.state = State::Ending;
        self.pack()
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        match &mut self.state {
            State::Reading => {
                let more = self.chain.drain(&mut self.plain)?;
                self.pack()?;
                Ok(more)
            }
            State::Ending => {
                let more = self.chain.drain(&mut self.plain)?;
                self.pack()?;
                if !more {
                    self.state = State::Giving(self.decide()?);
                }
                Ok(true)
            }
            State::Giving(spooled) => {
                let more = spooled.read(out)?;
                if !more {
                    self.state = State::Done;
                }
                Ok(more)
            }
            State::Done => Ok(false),
        }
    }

    fn held(&self) -> usize {
        let spools = self.original.held() + self.product.held();
        self.chain.held() + self.plain.len() + spools
    }
}
