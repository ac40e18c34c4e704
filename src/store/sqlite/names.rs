//! Names are kept once in the table `name`; the writer remembers their numbers.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::super::StoreError;

/// Names that are remembered. Tenants choose the names of data sets, so there may be any number of them.
const REMEMBERED: usize = 4_096;

/// The numbers of names that are on the disk or in the writer's open transaction.
#[derive(Default)]
pub(super) struct Names(HashMap<Box<str>, i64>);

impl Names {
    /// The number of a name; a new name is written down.
    pub(super) fn number(&mut self, connection: &Connection, name: &str) -> Result<i64, StoreError> {
        if let Some(number) = self.0.get(name) {
            return Ok(*number);
        }
        let mut find = connection.prepare_cached("SELECT n FROM name WHERE text = ?1")?;
        let number = match find.query_row([name], |row| row.get(0)).optional()? {
            Some(number) => number,
            None => {
                connection.prepare_cached("INSERT INTO name (text) VALUES (?1)")?.execute([name])?;
                connection.last_insert_rowid()
            }
        };
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(name.into(), number);
        Ok(number)
    }

    /// The transaction was rolled back: what it wrote down is not there.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
