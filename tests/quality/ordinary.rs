//! Ordinary code and prose without secrets: what is found in it is a false alarm, or a name that is truly there.
//!
//! The texts are the sources that cargo keeps of this project's own dependencies, and Debian's documentation: both
//! are public, and one of them is on every machine that builds this.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use consentry::censor::{Context, Engine};

/// Bytes that are read at most.
const ENOUGH: usize = 6_000_000;
/// Longest file that is read.
const LONGEST: u64 = 150_000;

pub(crate) struct Alarms {
    pub(crate) bytes: usize,
    /// Rule → how often, and one example with its file.
    pub(crate) secrets: BTreeMap<String, (usize, String)>,
    pub(crate) personal: BTreeMap<String, (usize, String)>,
}

pub(crate) fn run(engine: &Engine) -> Alarms {
    let mut alarms = Alarms { bytes: 0, secrets: BTreeMap::new(), personal: BTreeMap::new() };
    let mut files = Vec::new();
    for root in roots() {
        collect(&root, &mut files);
    }
    // Some of each crate, in an order that doesn't depend on the machine's directory order.
    files.sort();
    let step = files.len() / 1200 + 1;
    for file in files.iter().step_by(step) {
        if alarms.bytes >= ENOUGH {
            break;
        }
        if let Ok(text) = std::fs::read_to_string(file) {
            look(engine, file, &text, &mut alarms);
        }
    }
    alarms
}

fn roots() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let registry = home.map(|home| home.join("registry/src"));
    registry.into_iter().chain([PathBuf::from("/usr/share/doc")]).filter(|root| root.is_dir()).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() && entry.metadata().is_ok_and(|meta| meta.len() < LONGEST) {
            files.push(entry.path());
        }
    }
}

fn look(engine: &Engine, file: &Path, text: &str, alarms: &mut Alarms) {
    let mut found = Vec::new();
    engine.scan(text.as_bytes(), Context::default(), &mut found);
    alarms.bytes += text.len();
    for finding in &found {
        let rule = engine.rule(finding.rule);
        let list = if rule.secret { &mut alarms.secrets } else { &mut alarms.personal };
        let low = finding.start.saturating_sub(40);
        let part = text.as_bytes().get(low..finding.end.min(finding.start + 60)).unwrap_or_default();
        let example = format!("{}: {:?}", file.display(), String::from_utf8_lossy(part));
        list.entry(rule.id.to_string()).or_insert((0, example)).0 += 1;
    }
}
