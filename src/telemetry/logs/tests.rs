use std::sync::{Mutex, PoisonError};

use super::*;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn log(format: Format, level: LevelFilter, run: impl FnOnce()) -> Vec<String> {
    let sink = Sink::default();
    tracing::subscriber::with_default(subscriber(format, level, false, sink.clone()), run);
    sink.lines()
}

#[test]
fn a_line_is_json_with_the_requests_ids() {
    let lines = log(Format::Json, LevelFilter::INFO, || {
        let span = tracing::info_span!(target: "consentry::gateway", "request", request_id = "0190", trace_id = "4bf9");
        span.in_scope(|| tracing::warn!(target: "consentry::gateway", reason = "overloaded", "refused"));
        tracing::debug!(target: "consentry::gateway", "below the level");
    });
    assert_eq!(lines.len(), 1);
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "refused");
    assert_eq!(line["reason"], "overloaded");
    assert_eq!(line["span"]["request_id"], "0190");
    assert_eq!(line["span"]["trace_id"], "4bf9");
}

#[test]
fn libraries_are_never_heard_below_warnings() {
    let lines = log(Format::Text, LevelFilter::TRACE, || {
        tracing::trace!(target: "h2::codec", "frame with a header");
        tracing::debug!(target: "rustls::conn", "ticket");
        tracing::info!(target: "hyper::proto", "parsed");
        tracing::info!(target: "consentry_evil_twin", "not this program");
        tracing::warn!(target: "hyper::proto", "heard");
        tracing::trace!(target: "consentry::body", "ours");
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("heard") && lines[1].contains("ours"));
    let lines = log(Format::Text, LevelFilter::ERROR, || tracing::warn!(target: "hyper::proto", "heard"));
    assert!(lines.is_empty());
}

#[test]
fn a_reader_that_does_not_read_costs_lines_and_no_time() {
    let (queue, waiting) = sync_channel(4);
    let dropped = Arc::new(AtomicU64::new(0));
    let lines = Lines { queue: queue.clone(), dropped: Arc::clone(&dropped) };
    tracing::subscriber::with_default(subscriber(Format::Text, LevelFilter::INFO, false, lines), || {
        for n in 0..10 {
            tracing::info!(target: "consentry", n, "line");
        }
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 6);
    let sink = Sink::default();
    let out = sink.clone();
    let writer = std::thread::spawn(move || write(&waiting, out));
    let logs = Logs { queue, dropped };
    logs.flush();
    assert_eq!(sink.lines().len(), 4);
    drop(logs);
    writer.join().unwrap();
}
