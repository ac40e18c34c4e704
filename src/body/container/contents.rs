//! What becomes of the things in a container.

use std::sync::Arc;

use super::Containers;
use crate::body::file::{FileHint, FilePlans, FileTransform};
use crate::body::json::JsonPlan;
use crate::body::kinds::{is_medium, is_nearly_text, is_text, narrowed, texts_in};
use crate::body::text::Whole;
use crate::body::{Embedded, Job, Transform};
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

/// What becomes of the things in a container.
pub trait Contents: Send {
    /// What a member goes through.
    ///
    /// # Errors
    /// If it may not pass at all.
    fn member(&mut self, path: &str) -> Result<Box<dyn Transform>, Refusal>;

    /// What a text becomes: a name, a comment, a value of the column `field`. None: it stays.
    ///
    /// # Errors
    /// If it may not pass.
    fn text(&mut self, field: Option<&str>, text: &[u8]) -> Result<Option<Vec<u8>>, Refusal>;

    /// What bytes become that need not be text. None: they stay.
    ///
    /// # Errors
    /// If they may not pass.
    fn bytes(&mut self, field: Option<&str>, bytes: &[u8]) -> Result<Option<Vec<u8>>, Refusal>;

    /// Whether something is left in a text that can't be censored where it stands.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn holds(&mut self, text: &[u8]) -> Result<bool, Refusal> {
        Ok(self.text(None, text)?.is_some())
    }

    /// A part of a table begins, the `n`th from 0: for what tells places.
    fn part(&mut self, n: u64) {
        let _ = n;
    }

    /// Something can't be inspected.
    ///
    /// # Errors
    /// If it may not pass as it is.
    fn uninspectable(&self, what: &'static str) -> Result<(), Refusal>;

    /// Which way the container goes: it decides whose doing a refusal is.
    fn direction(&self) -> Direction;

    /// The refusal for a reason.
    fn refuse(&self, reason: Reason, detail: &'static str) -> Refusal {
        crate::body::job::refusal(self.direction(), reason).detail(detail)
    }
}

/// Censors everything as what it is.
pub(crate) struct Censoring {
    pub(crate) job: Job,
    pub(crate) document: Arc<JsonPlan>,
    pub(crate) lines: Arc<JsonPlan>,
    pub(crate) allow_uninspectable: bool,
    /// For what is nested.
    pub(crate) containers: Containers,
    pub(crate) whole: Whole,
}

impl Censoring {
    /// Whether one of the texts in bytes that are none holds something.
    fn found_in(&mut self, field: Option<&str>, bytes: &[u8]) -> Result<bool, Refusal> {
        for text in texts_in(bytes) {
            if self.text(field, text.as_bytes())?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Contents for Censoring {
    fn member(&mut self, path: &str) -> Result<Box<dyn Transform>, Refusal> {
        let hint = FileHint { name: Some(path.to_owned()), ..FileHint::default() };
        let plans = FilePlans {
            document: Arc::clone(&self.document),
            lines: Arc::clone(&self.lines),
            records: None,
            allow_uninspectable: self.allow_uninspectable,
            containers: Some(self.containers.clone()),
        };
        Ok(Box::new(FileTransform::new(self.job.clone(), hint, plans)))
    }

    fn text(&mut self, field: Option<&str>, text: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        if text.is_empty() || !self.whole.run(&self.job, text, field)? {
            return Ok(None);
        }
        let mut censored = Vec::new();
        self.whole.write(text, &mut censored);
        Ok(Some(censored))
    }

    fn bytes(&mut self, field: Option<&str>, bytes: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        if is_text(bytes) && std::str::from_utf8(bytes).is_ok() {
            return self.text(field, bytes);
        }
        if self.job.embedded == Embedded::Block {
            return Err(self.refuse(Reason::ContentUninspectable, "bytes that are no text, in a table"));
        }
        // A medium passes as it is; of anything else the texts are looked at, where nothing can be replaced.
        let medium = is_medium(bytes) && !is_nearly_text(bytes);
        if !medium
            && (self.found_in(field, bytes)? || self.found_in(field, &narrowed(bytes).unwrap_or_default())?)
        {
            return Err(self.refuse(Reason::ContentUninspectable, "a finding in bytes that are no text"));
        }
        Ok(None)
    }

    fn uninspectable(&self, what: &'static str) -> Result<(), Refusal> {
        if self.allow_uninspectable {
            return Ok(());
        }
        Err(self.refuse(Reason::ContentUninspectable, what))
    }

    fn direction(&self) -> Direction {
        self.job.direction
    }
}

#[cfg(test)]
mod tests;
