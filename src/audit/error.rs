//! What the audit trail can't do, by name.

use std::io;

use crate::reason::Reason;

/// What the audit trail can't do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// There is no room on the disk.
    #[error("the audit trail has no room left")]
    Full,
    /// The disk fails.
    #[error("the audit trail can't be written: {0}")]
    Failed(io::ErrorKind),
    /// Another process writes this trail.
    #[error("another process writes this audit trail")]
    Locked,
    /// The trail on the disk is not the one that was written.
    #[error("{0}")]
    Broken(#[from] Broken),
    /// The trail is closed.
    #[error("the audit trail is closed")]
    Closed,
}

impl AuditError {
    /// The reason that a refusal has because of this.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        Reason::AuditUnavailable
    }
}

impl From<io::Error> for AuditError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full
            }
            kind => Self::Failed(kind),
        }
    }
}

/// Where a trail stops being the one that was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail is broken: {file}{}: {what}", line.map_or_else(String::new, |n| format!(" line {n}")))]
pub struct Broken {
    /// The file within the folder.
    pub file: String,
    /// The line, from 1, where one can be named.
    pub line: Option<u64>,
    /// What is wrong.
    pub what: &'static str,
}

impl Broken {
    pub(super) fn whole(file: impl Into<String>, what: &'static str) -> Self {
        Self { file: file.into(), line: None, what }
    }

    pub(super) fn at(file: &str, line: u64, what: &'static str) -> Self {
        Self { file: file.to_owned(), line: Some(line), what }
    }
}
