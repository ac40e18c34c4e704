//! Log lines to standard error.
//!
//! A request never waits for who reads the log: lines go through a bounded queue to a thread, and what does not fit is
//! counted and dropped. Only this program's own lines are written below warnings: libraries log headers and frames
//! at their lower levels, and those hold what callers sent.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry, fmt};

/// Lines that may wait.
const QUEUE: usize = 8_192;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Text,
}

/// The log could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// Something else writes the log already.
    #[error("a log is being written already")]
    Taken(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The thread could not be started.
    #[error("the log's thread can't be started: {0}")]
    Thread(io::ErrorKind),
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// The log. What waits is written when this is dropped.
#[derive(Debug)]
pub struct Logs {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Logs {
    /// The counter of lines that were dropped, for the metrics.
    #[must_use]
    pub fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }

    /// Waits, for a second at most, until what was logged before is written.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.queue.send(Message::Flush(done)).is_ok() {
            // A reader that does not read must not keep the gateway from ending.
            let _waited = wait.recv_timeout(Duration::from_secs(1));
        }
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Begins the log of this process.
///
/// # Errors
/// It was begun before, or its thread can't be started.
pub fn init(format: Format, level: LevelFilter) -> Result<Logs, LogsError> {
    let (queue, lines) = sync_channel(QUEUE);
    let spawned =
        std::thread::Builder::new().name("log-write".to_owned()).spawn(move || write(&lines, io::stderr()));
    spawned.map_err(|error| LogsError::Thread(error.kind()))?;
    let dropped = Arc::new(AtomicU64::new(0));
    let writer = Lines { queue: queue.clone(), dropped: Arc::clone(&dropped) };
    let colours = format == Format::Text && io::stderr().is_terminal();
    tracing::subscriber::set_global_default(subscriber(format, level, colours, writer))?;
    Ok(Logs { queue, dropped })
}

/// Builds what formats and filters.
fn subscriber<W>(
    format: Format,
    level: LevelFilter,
    colours: bool,
    writer: W,
) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let foreign = level.min(LevelFilter::WARN);
    let filter = FilterFn::new(move |meta| {
        let rest = meta.target().strip_prefix(env!("CARGO_PKG_NAME"));
        let own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        *meta.level() <= if own { level } else { foreign }
    });
    let filter = filter.with_max_level_hint(level);
    Registry::default().with(layer(format, colours, writer).with_filter(filter))
}

fn layer<S, W>(format: Format, colours: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(colours);
    match format {
        Format::Json => {
            layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
        Format::Text => layer.boxed(),
    }
}

fn write(queue: &Receiver<Message>, mut out: impl Write) {
    for message in queue {
        // Nobody reads the log any more: there is nowhere to say so.
        match message {
            Message::Line(line) => drop(out.write_all(&line)),
            Message::Flush(done) => {
                drop(out.flush());
                let _told = done.try_send(());
            }
        }
    }
}

/// Hands whole lines to the thread.
#[derive(Clone)]
struct Lines {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // The formatter gives a line in one piece.
        match self.queue.try_send(Message::Line(line.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }

    fn make_writer_for(&'a self, _: &Metadata<'_>) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests;
