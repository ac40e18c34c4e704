//! One thread writes. What has queued up while a commit was under way shares the next one; each piece of work is
//! answered after the commit, and fails alone: it runs within a savepoint of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::super::StoreError;
use super::super::cache::{Cache, Key};
use super::super::types::{Owned, Resource};
use super::names::Names;
use super::state::Health;

/// Pieces of work in one commit.
const GROUP: usize = 256;

/// What a piece of work sees.
pub(super) struct Tx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) names: &'a mut Names,
    /// What the cache is told after the commit.
    pub(super) effects: &'a mut Vec<Effect>,
}

/// A row changed.
pub(super) struct Effect {
    pub(super) resource: Resource,
    /// The new owner, if the cache shall know it at once.
    pub(super) owned: Option<Owned>,
}

impl Tx<'_> {
    /// The number of a name.
    pub(super) fn name(&mut self, name: &str) -> Result<i64, StoreError> {
        self.names.number(self.connection, name)
    }
}

/// A piece of work.
pub(super) trait Work: Send {
    /// Does it, and keeps its result. An error means that nothing of it shall stay.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;

    /// Answers whoever waits: the result if the commit is on the disk, the error otherwise.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Typed<T, F> {
    work: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send> Work for Typed<T, F> {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let work = self.work.take().ok_or(StoreError::Closed)?;
        self.result = Some(work(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        // Whoever waited may have gone; the work is done all the same.
        drop(reply.send(outcome.and_then(|()| result.ok_or(StoreError::Closed))));
    }
}

/// Wraps a closure as work, and gives the place where its answer comes.
pub(super) fn work<T, F>(run: F) -> (Box<dyn Work>, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Typed { work: Some(run), result: None, reply }), answer)
}

/// What the writer counts.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) commits: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) faults: AtomicU64,
    pub(super) commit_nanos: AtomicU64,
}

/// The writer's thread.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) queue: mpsc::Receiver<Box<dyn Work>>,
    pub(super) cache: Arc<Cache>,
    pub(super) health: Arc<Health>,
    pub(super) counts: Arc<Counts>,
}

impl Writer {
    /// Works until every sender is gone.
    pub(super) fn run(mut self) {
        let mut names = Names::default();
        let mut group = Vec::with_capacity(GROUP);
        while self.queue.blocking_recv_many(&mut group, GROUP) > 0 {
            let started = Instant::now();
            self.commit(&mut group, &mut names);
            let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.counts.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        }
        // Best effort: the log is replayed at the next open anyway.
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %StoreError::from(error), "the store's log was not folded into its file at close");
        }
    }

    fn commit(&mut self, group: &mut Vec<Box<dyn Work>>, names: &mut Names) {
        let mut effects = Vec::new();
        let mut outcomes = Vec::with_capacity(group.len());
        let whole = self.transaction(group, names, &mut effects, &mut outcomes);
        if whole.is_err() {
            names.clear();
            if !self.connection.is_autocommit() {
                // If even this fails, the next BEGIN does, and everybody is told so.
                drop(self.connection.execute_batch("ROLLBACK"));
            }
        } else {
            for Effect { resource: Resource { upstream, kind, id }, owned } in &effects {
                self.cache.change(Key { upstream, kind, id }, owned.as_ref());
            }
        }
        self.counts.commits.fetch_add(1, Ordering::Relaxed);
        let fault = outcomes.iter().filter_map(|o| o.as_ref().err()).find(|e| e.is_fault());
        self.health.set(whole.as_ref().err().or(fault));
        let missing = group.len() - outcomes.len();
        outcomes.extend(std::iter::repeat_n(Ok(()), missing));
        for (work, outcome) in group.drain(..).zip(outcomes) {
            let outcome = outcome.and_then(|()| whole.clone());
            self.counts.writes.fetch_add(1, Ordering::Relaxed);
            if outcome.as_ref().is_err_and(StoreError::is_fault) {
                self.counts.faults.fetch_add(1, Ordering::Relaxed);
            }
            work.answer(outcome);
        }
    }

    fn transaction(
        &self,
        group: &mut [Box<dyn Work>],
        names: &mut Names,
        effects: &mut Vec<Effect>,
        outcomes: &mut Vec<Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let connection = &self.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for work in group {
            connection.prepare_cached("SAVEPOINT work")?.execute([])?;
            let before = effects.len();
            let outcome = work.run(&mut Tx { connection, names, effects });
            if let Err(error) = &outcome {
                effects.truncate(before);
                names.clear();
                if connection.is_autocommit() {
                    // SQLite gave up the whole transaction by itself.
                    return Err(error.clone());
                }
                connection.prepare_cached("ROLLBACK TO work")?.execute([])?;
            }
            connection.prepare_cached("RELEASE work")?.execute([])?;
            outcomes.push(outcome);
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}
