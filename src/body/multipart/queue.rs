//! What has to go out in order behind a file that waits.

use std::collections::VecDeque;

use crate::body::spool::{Spool, Spooled, Spools};
use crate::body::{Facts, Transform};
use crate::reason::Refusal;

use super::{FileDecision, PartHeader};

/// Something that waits.
pub(super) enum Item {
    /// A file that has to be decided.
    File { header: Box<PartHeader>, content: Spooled },
    /// A file whose end was reached, with output left.
    Ending(Box<dyn Transform>),
    /// Bytes that may go out as they are.
    Ready(Spool),
}

/// Files that wait, and all that came after the first of them.
#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    released: bool,
    /// The item that is going out.
    current: Option<Going>,
    scratch: Vec<u8>,
}

enum Going {
    File(Box<dyn Transform>, Spooled),
    /// A file whose end was reached, with output left.
    Ending(Box<dyn Transform>),
    Ready(Spooled),
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.current.is_none()
    }

    /// Everything that waits can be decided, and has to go out before anything else.
    pub(super) const fn is_released(&self) -> bool {
        self.released
    }

    pub(super) fn release(&mut self) {
        self.released = !self.is_empty();
    }

    pub(super) fn push(&mut self, item: Item, spools: &Spools) {
        self.items.push_back(item);
        self.items.push_back(Item::Ready(spools.open()));
    }

    /// Gives out bytes, behind what waits.
    pub(super) fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self.items.back_mut() {
            Some(Item::Ready(spool)) => spool.push(bytes),
            _ => {
                out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Gives out what a transform makes of bytes, behind what waits.
    pub(super) fn through(
        &mut self,
        transform: &mut (impl Transform + ?Sized),
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        self.with(out, |to| {
            transform.push(bytes, to)?;
            while transform.drain(to)? {}
            Ok(())
        })
    }

    /// As [`through`](Self::through), at the end of the transform's input.
    pub(super) fn end(
        &mut self,
        transform: &mut (impl Transform + ?Sized),
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        self.with(out, |to| {
            transform.finish(to)?;
            while transform.drain(to)? {}
            Ok(())
        })
    }

    fn with(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if self.items.is_empty() {
            return write(out);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        write(&mut scratch)?;
        self.put(&scratch, out)?;
        self.scratch = scratch;
        Ok(())
    }

    /// Gives out some of what waits.
    pub(super) fn step(
        &mut self,
        facts: &Facts,
        decide: &mut FileDecision,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        match self.current.take() {
            None => {
                self.current = match self.items.pop_front() {
                    None => {
                        self.released = false;
                        None
                    }
                    Some(Item::Ending(transform)) => Some(Going::Ending(transform)),
                    Some(Item::Ready(spool)) => Some(Going::Ready(spool.into_reader())),
                    Some(Item::File { header, content }) => {
                        Some(Going::File(decide(facts, &header)?.into_transform(), content))
                    }
                };
            }
            Some(Going::Ready(mut content)) => {
                if content.read(out)? {
                    self.current = Some(Going::Ready(content));
                }
            }
            Some(Going::File(mut transform, mut content)) => {
                let more = transform.drain(out)?;
                self.scratch.clear();
                self.current = Some(if more {
                    Going::File(transform, content)
                } else if content.read(&mut self.scratch)? {
                    transform.push(&self.scratch, out)?;
                    Going::File(transform, content)
                } else {
                    transform.finish(out)?;
                    Going::Ending(transform)
                });
            }
            Some(Going::Ending(mut transform)) => {
                if transform.drain(out)? {
                    self.current = Some(Going::Ending(transform));
                }
            }
        }
        Ok(())
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        let waiting = self.items.iter().map(|item| match item {
            Item::File { content, .. } => content.held(),
            Item::Ending(transform) => transform.held(),
            Item::Ready(spool) => spool.held(),
        });
        let going = match &self.current {
            None => 0,
            Some(Going::File(transform, content)) => transform.held() + content.held(),
            Some(Going::Ending(transform)) => transform.held(),
            Some(Going::Ready(content)) => content.held(),
        };
        waiting.sum::<usize>() + going
    }
}
