//! The program as a process: started, listened to, told to end.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use super::LONG;

/// A running program. It ends with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) pid: u32,
    lines: Arc<Lines>,
}

/// What it wrote, line by line, of both streams.
#[derive(Default)]
struct Lines {
    text: Mutex<(Vec<String>, usize)>,
    came: Condvar,
}

/// Ends the program when the tests' own process does, however that ends: `read` returns when the pipe is closed.
const TIED: &str = r#""$@" & child=$!; read -r _; kill -KILL $child; rm -rf "$TIED_FOLDER""#;

impl Process {
    /// The program with these arguments.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
        command.args(arguments);
        for (name, value) in environment {
            command.env(name, value);
        }
        Self::of(command)
    }

    /// The program, for as long as the tests run; the folder goes with it.
    pub(crate) fn tied(arguments: &[&str], environment: &[(&str, &Path)], folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", TIED, "sh", env!("CARGO_BIN_EXE_consentry")]).args(arguments);
        for (name, value) in environment {
            command.env(name, value);
        }
        command.env("TIED_FOLDER", folder).stdin(Stdio::piped());
        Self::of(command)
    }

    /// Any command.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::new(Lines::default());
        lines.follow(child.stdout.take().unwrap());
        lines.follow(child.stderr.take().unwrap());
        Self { pid: child.id(), child, lines }
    }

    /// The first line that holds a text.
    pub(crate) fn line(&self, with: &str) -> String {
        let end = Instant::now() + LONG;
        let mut text = self.lines.text.lock().unwrap();
        loop {
            if let Some(line) = text.0.iter().find(|line| line.contains(with)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && text.1 > 0, "no line with {with:?} in:\n{}", text.0.join("\n"));
            text = self.lines.came.wait_timeout(text, left).unwrap().0;
        }
    }

    /// Everything it wrote so far.
    pub(crate) fn written(&self) -> String {
        self.lines.text.lock().unwrap().0.join("\n")
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and for the last of what it wrote.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + LONG;
        while self.runs() {
            assert!(Instant::now() < end, "it does not end:\n{}", self.written());
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        let status = self.child.wait().unwrap();
        let mut text = self.lines.text.lock().unwrap();
        while text.1 > 0 {
            text = self.lines.came.wait(text).unwrap();
        }
        status
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// A figure of `/proc/PID/status`, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Lines {
    fn follow(self: &Arc<Self>, stream: impl std::io::Read + Send + 'static) {
        let lines = Arc::clone(self);
        lines.text.lock().unwrap().1 += 1;
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                let Ok(line) = line else { break };
                lines.text.lock().unwrap().0.push(String::from_utf8_lossy(&line).into_owned());
                lines.came.notify_all();
            }
            lines.text.lock().unwrap().1 -= 1;
            lines.came.notify_all();
        });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.runs() {
            // What is tied ends by its pipe: killing the shell would leave the program behind.
            if self.child.stdin.take().is_none() {
                let _ = self.child.kill();
            }
            let _ = self.child.wait();
        }
    }
}
