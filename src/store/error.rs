//! What the store can't do, by name.

use crate::reason::Reason;

/// What the store can't do. None of the variants holds a row's content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file's structure is damaged. The gateway does not start with it, and stops answering from it.
    #[error("the store's file is corrupt ({0}); restore it from a backup, or move it away to begin anew")]
    Corrupt(&'static str),
    /// There is no room: the disk, the quota or the configured size is used up.
    #[error("the store has no room left")]
    Full,
    /// Another process serves from this file.
    #[error("another process holds the store")]
    Locked,
    /// The schema is an older one, and a gateway serves from the file that knows no other.
    #[error(
        "a gateway of an earlier version serves from this store, and does not know the schema of this program: restart it with this version first"
    )]
    Served,
    /// The file was written by a newer version.
    #[error("the store has schema {found}, this program knows {known}: it was written by a newer version")]
    Newer {
        /// The file's schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The file is a database of something else.
    #[error("the file is a database of another program")]
    Foreign,
    /// The file or its folder can't be opened, or can't be kept to its owner.
    #[error("the store's file can't be opened for its owner alone: {0}")]
    Access(std::io::ErrorKind),
    /// A claimed id belongs, or belonged, to another tenant.
    #[error("an id is claimed that belongs to another tenant")]
    Conflict,
    /// A claim names a parent that is not on record.
    #[error("a claim names a parent that is not on record")]
    ParentUnknown,
    /// Two things of one name: an upload or a part that exists.
    #[error("the name is taken")]
    Taken,
    /// The medium failed; the number is SQLite's extended result code.
    #[error("the store failed with SQLite code {0}")]
    Failed(i32),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// The reason that a refusal has because of this.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            // The upstream gave one tenant an id that is another's.
            Self::Conflict => Reason::UpstreamUnexpected,
            Self::Corrupt(_)
            | Self::Full
            | Self::Locked
            | Self::Served
            | Self::Newer { .. }
            | Self::Foreign
            | Self::Access(_)
            | Self::ParentUnknown
            | Self::Taken
            | Self::Failed(_)
            | Self::Closed => Reason::StoreUnavailable,
        }
    }

    /// Whether the store itself is at fault, and not what it was asked for.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        !matches!(self, Self::Conflict | Self::ParentUnknown | Self::Taken)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase};
        let rusqlite::Error::SqliteFailure(failure, _) = &error else {
            // A column of another type than the schema says, or a missing table: not our schema.
            return Self::Corrupt("a row is not of the schema");
        };
        match failure.code {
            DatabaseCorrupt => Self::Corrupt("SQLite reports a damaged page"),
            NotADatabase => Self::Corrupt("not a database"),
            DiskFull => Self::Full,
            DatabaseBusy | DatabaseLocked => Self::Locked,
            _ => Self::Failed(failure.extended_code),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Access(kind),
        }
    }
}
