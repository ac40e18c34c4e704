//! A few threads look things up, each over a connection of its own that can't write.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use super::super::StoreError;
use super::state::Health;

/// A look-up.
pub(super) type Look = Box<dyn FnOnce(&Connection) + Send>;

/// Wraps a closure as a look-up, and gives the place where its answer comes.
pub(super) fn look<T, F>(run: F, health: Arc<Health>) -> (Look, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let look = move |connection: &Connection| {
        let outcome = run(connection);
        if let Err(fault) = &outcome {
            health.saw(fault);
        }
        drop(reply.send(outcome));
    };
    (Box::new(look), answer)
}

/// Opens a connection that reads.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL file has to be able to make its shared memory.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(super::BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection
        .execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4096; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// Looks up until every sender is gone.
pub(super) fn run(connection: &Connection, queue: &Mutex<mpsc::Receiver<Look>>) {
    loop {
        // The lock is held while waiting: the other threads wait for it instead of for the queue.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match next {
            Some(look) => look(connection),
            None => return,
        }
    }
}
