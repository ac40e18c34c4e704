//! Where something stands in a document as it is written: the same reading as that of the censor, which changes nothing.

use std::ops::Range;

use super::reference;
use super::spelling::VALUE;
use super::tag::{Attribute, Tag};
use super::{Dialect, MarkupTransform};
use crate::body::mapped::{Mapped, Units};
use crate::body::{Job, Transform};
use crate::censor::{Action, Context, Finding, RuleIndex};
use crate::reason::Refusal;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it stands in the document, with the markup in it.
    pub at: Range<usize>,
    /// By which rule.
    pub rule: RuleIndex,
    /// What would become of it.
    pub action: Action,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Finds {
    found: Vec<Found>,
    scratch: Vec<Finding>,
    /// Bytes of the document in texts before.
    base: usize,
}

/// Finds everything in a document, in its order.
///
/// # Errors
/// As the censor would refuse it.
pub fn find(job: Job, dialect: Dialect, document: &[u8]) -> Result<Vec<Found>, Refusal> {
    let mut transform = MarkupTransform::new(job, dialect);
    transform.flow.gather();
    transform.finds = Some(Box::default());
    let mut nothing = Vec::new();
    for piece in document.chunks(64 * 1024) {
        transform.push(piece, &mut nothing)?;
    }
    transform.finish(&mut nothing)?;
    let mut found = transform.finds.take().map(|finds| finds.found).unwrap_or_default();
    found.sort_by_key(|found| (found.at.start, found.at.end));
    Ok(found)
}

impl MarkupTransform {
    /// Looks through a text that is written as the units say, at a place of the flow's bytes. False: there is nothing to
    /// look for here, but to censor.
    fn seek(&mut self, text: &[u8], units: Option<&Units>, at: usize, field: Option<&str>) -> bool {
        let Some(finds) = &mut self.finds else { return false };
        let base = finds.base + at;
        self.job.engine.scan(text, Context { field }, &mut finds.scratch);
        for finding in &finds.scratch {
            let range = finding.start..finding.end;
            let range = units.map_or(range.clone(), |units| units.place(range));
            let at = base + range.start..base + range.end;
            finds.found.push(Found { at, rule: finding.rule, action: finding.action });
        }
        true
    }

    /// Looks through a text of a construct that comes next: it reads as it is written.
    pub(super) fn seek_plain(&mut self, text: &[u8], at: usize) -> bool {
        self.finds.is_some() && self.seek(text, None, self.flow.gathered() + at, None)
    }

    /// Looks through a value of a tag that comes next.
    pub(super) fn seek_value(&mut self, tag: &Tag, of: &Attribute, text: &[u8], field: &str) -> bool {
        let (Some(_), Some(range)) = (&self.finds, &of.value) else { return false };
        let mut units = Units::default();
        // It was read before.
        let _ = reference::decode(tag.text(range), (self.dialect, true), true, VALUE, &mut units);
        self.seek(text, Some(&units), self.flow.gathered() + range.start, Some(field))
    }

    /// The text is complete: it is written out, or looked through.
    pub(super) fn end_flow(&mut self, next: Mapped, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.flow.finish(&self.job, &mut self.writer, out)?;
        let done = std::mem::replace(&mut self.flow, next);
        if self.finds.is_some() {
            self.flow.gather();
            let field = self.field.clone().filter(|field| **field != *super::element::SCRIPT);
            let (text, units, length) = done.into_gathered();
            self.seek(&text, Some(&units), 0, field.as_deref());
            if let Some(finds) = &mut self.finds {
                finds.base += length;
            }
        }
        Ok(())
    }
}
