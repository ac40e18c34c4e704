//! What a container that has to be there as a whole waits in, and what tells whether a member changed.

use aws_lc_rs::digest::{Context, SHA256};

use super::{Containers, Seekable};
use crate::body::spool::Spool;
use crate::body::{DRAIN_STEP, Transform};
use crate::reason::Refusal;

/// A way through a container that is there as a whole.
pub(crate) trait Walk: Send {
    /// Does some work and appends what came of it. False: that was all.
    fn step(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal>;

    /// Bytes in memory.
    fn held(&self) -> usize;
}

type Begin = Box<dyn FnOnce(Seekable) -> Result<Box<dyn Walk>, Refusal> + Send>;

/// Waits in the spool until a container is there as a whole.
pub(crate) struct Waiting {
    spool: Option<Spool>,
    begin: Option<Begin>,
    walk: Option<Box<dyn Walk>>,
}

impl Waiting {
    pub(crate) fn new(
        containers: &Containers,
        begin: impl FnOnce(Seekable) -> Result<Box<dyn Walk>, Refusal> + Send + 'static,
    ) -> Self {
        Self { spool: Some(containers.spools.open()), begin: Some(Box::new(begin)), walk: None }
    }

    /// A container that is there already.
    pub(crate) fn there(walk: Box<dyn Walk>) -> Self {
        Self { spool: None, begin: None, walk: Some(walk) }
    }
}

impl Transform for Waiting {
    fn push(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result<(), Refusal> {
        self.spool.as_mut().map_or(Ok(()), |spool| spool.push(input))
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), Refusal> {
        if let (Some(mut spool), Some(begin)) = (self.spool.take(), self.begin.take()) {
            spool.seal()?;
            self.walk = Some(begin(Seekable::spool(spool))?);
        }
        Ok(())
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let Some(walk) = &mut self.walk else { return Ok(false) };
        let before = out.len();
        // Little work at a time: others wait for the thread.
        for _ in 0..4 {
            if !walk.step(out)? {
                self.walk = None;
                return Ok(false);
            }
            if out.len() - before >= DRAIN_STEP {
                break;
            }
        }
        Ok(true)
    }

    fn held(&self) -> usize {
        self.spool.as_ref().map_or(0, Spool::held) + self.walk.as_ref().map_or(0, |walk| walk.held())
    }
}

/// A transform that knows whether it changed anything.
pub(crate) struct Through {
    inner: Box<dyn Transform>,
    before: Context,
    after: Context,
    /// Of what went in.
    pub(crate) came: Sum,
    /// Of what came out.
    pub(crate) gone: Sum,
}

/// Length and check value of bytes.
#[derive(Clone, Default)]
pub(crate) struct Sum {
    pub(crate) length: u64,
    check: crc32fast::Hasher,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.check.update(bytes);
    }

    /// The CRC-32 of what came so far.
    pub(crate) fn crc(&self) -> u32 {
        self.check.clone().finalize()
    }
}

impl Through {
    pub(crate) fn new(inner: Box<dyn Transform>) -> Self {
        Self {
            inner,
            before: Context::new(&SHA256),
            after: Context::new(&SHA256),
            came: Sum::default(),
            gone: Sum::default(),
        }
    }

    /// Whether what came out so far is something else than what went in.
    pub(crate) fn changed(&self) -> bool {
        self.before.clone().finish().as_ref() != self.after.clone().finish().as_ref()
    }

    fn went(&mut self, out: &[u8]) {
        self.after.update(out);
        self.gone.add(out);
    }
}

impl Transform for Through {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.before.update(input);
        self.came.add(input);
        let from = out.len();
        self.inner.push(input, out)?;
        self.went(out.get(from..).unwrap_or_default());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let from = out.len();
        self.inner.finish(out)?;
        self.went(out.get(from..).unwrap_or_default());
        Ok(())
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let from = out.len();
        let more = self.inner.drain(out)?;
        self.went(out.get(from..).unwrap_or_default());
        Ok(more)
    }

    fn held(&self) -> usize {
        self.inner.held()
    }
}
