//! The one shared account: everything that anybody with its key made.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{Value, json};

use super::Options;
use super::anthropic;
use super::assistants::Shown;
use super::batches::Batch;
use super::containers::Container;
use super::content::Budget;
use super::conversations::Conversation;
use super::evals::Eval;
use super::files::File;
use super::journal::Journal;
use super::models::Trained;
use super::responses::Stored;
use super::stored_chats::StoredChat;
use super::table::Table;
use super::threads::Thread;
use super::training::Job;
use super::uploads::Upload;
use super::vector_stores::VectorStore;

/// How much all that is kept may take together, in bytes.
const MOST_KEPT: usize = 512 * 1024 * 1024;
/// How many prompts are remembered for the shared prompt cache.
const MOST_PROMPTS: usize = 100_000;

/// The sandbox.
pub(super) struct App {
    pub(super) options: Options,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) budget: Budget,
    served: AtomicU64,
    state: Mutex<State>,
}

/// What the account holds.
#[derive(Default)]
pub(super) struct State {
    pub(super) files: Table<File>,
    pub(super) uploads: Table<Upload>,
    pub(super) jobs: Table<Job>,
    pub(super) models: Table<Trained>,
    pub(super) batches: Table<Batch>,
    pub(super) stores: Table<VectorStore>,
    pub(super) chats: Table<StoredChat>,
    pub(super) responses: Table<Stored>,
    pub(super) assistants: Table<Shown>,
    pub(super) threads: Table<Thread>,
    pub(super) conversations: Table<Conversation>,
    pub(super) containers: Table<Container>,
    pub(super) evals: Table<Eval>,
    pub(super) anthropic: anthropic::Held,
    pub(super) images: Table<Bytes>,
    /// Jobs that are not at their end.
    pub(super) live_jobs: BTreeSet<String>,
    /// Batches that are not at their end.
    pub(super) live_batches: BTreeSet<String>,
    prompts: HashSet<u64>,
}

impl App {
    pub(super) fn new(options: Options) -> Arc<Self> {
        let journal = options.journal.then(|| Arc::new(Journal::new(options.journal_text)));
        let (budget, state) = (Budget::new(MOST_KEPT), Mutex::default());
        Arc::new(Self { options, journal, budget, served: AtomicU64::new(0), state })
    }

    /// The account, with every job and batch brought to where it is by now.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.options.step_by_poll {
            let (now, step) = (Instant::now(), self.options.step());
            for id in state.live_jobs.clone() {
                let due = state.jobs.get(&id).map_or(0, |job| job.due(now, step));
                super::training::advance(self, &mut state, &id, due);
            }
            for id in state.live_batches.clone() {
                let due = state.batches.get(&id).map_or(0, |batch| batch.due(now, step));
                super::batches::advance(self, &mut state, &id, due);
            }
        }
        state
    }

    /// Begins anew: nobody has made anything, and nothing was said.
    pub(super) fn forget(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// How many requests were served before this one.
    pub(super) fn count(&self) -> u64 {
        self.served.fetch_add(1, Ordering::Relaxed)
    }
}

impl State {
    /// Whether this prompt was sent before, by whomever; remembers it.
    pub(super) fn prompt_is_cached(&mut self, hash: u64) -> bool {
        if self.prompts.len() >= MOST_PROMPTS {
            self.prompts.clear();
        }
        !self.prompts.insert(hash)
    }

    /// How many objects of each kind there are, and which, for the control side.
    pub(super) fn inventory(&self) -> Value {
        fn ids<T>(table: &Table<T>) -> Vec<&str> {
            table.iter().map(|(id, _)| id).collect()
        }
        json!({
            "files": ids(&self.files), "uploads": ids(&self.uploads), "jobs": ids(&self.jobs),
            "models": ids(&self.models), "batches": ids(&self.batches), "vector_stores": ids(&self.stores),
            "chat_completions": ids(&self.chats), "responses": ids(&self.responses),
            "assistants": ids(&self.assistants), "threads": ids(&self.threads),
            "conversations": ids(&self.conversations), "containers": ids(&self.containers),
            "evals": ids(&self.evals), "anthropic": self.anthropic.ids(),
        })
    }
}

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
