//! `consentry scan`: the censor over files and standard input. It says where something was found and what it is, never the
//! value itself.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::complain;
use crate::censor::{Engine, Policy, RuleSet};
use crate::pointer::Pointer;

mod pieces;
mod work;

use pieces::Pieces;
use work::Hit;

/// Where to look, and how to say what was found.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files; `-` or none: standard input.
    files: Vec<PathBuf>,
    /// How findings are printed, one a line.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How many threads look.
    #[arg(long, default_value_t = NonZeroUsize::MIN)]
    threads: NonZeroUsize,
    /// Each line is a JSON record, and the strings at this place are looked at (`/text`, `/messages/*/content`).
    /// Offsets are in the decoded string.
    #[arg(long, value_name = "POINTER")]
    jsonl: Option<Pointer>,
    /// More rules, in the format of `config/rules`.
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// `FILE:LINE: RULE (ENTITY) bytes START-END, ACTION`
    Text,
    /// `{"line":n,"start":b,"end":b,"rule":"…","entity":"…","action":"…"}`
    Json,
}

/// Looks. Exit status: 0 nothing, 1 findings, 2 it could not look.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match scan(arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(message) => {
            complain(message);
            ExitCode::from(2)
        }
    }
}

fn engine(arguments: &Arguments) -> Result<Engine, String> {
    let mut rules = RuleSet::builtin().map_err(|e| e.to_string())?;
    for path in &arguments.rules {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        let more = RuleSet::parse(&name, &text).map_err(|e| e.to_string())?;
        rules.extend(more).map_err(|e| e.to_string())?;
    }
    Engine::compile(&rules, &Policy::recommended()).map_err(|e| e.to_string())
}

fn scan(arguments: &Arguments) -> Result<u64, String> {
    let engine = engine(arguments)?;
    let stdin = [PathBuf::from("-")];
    let files = if arguments.files.is_empty() { &stdin[..] } else { &arguments.files };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut found = 0;
    for path in files {
        let name = if *path == *"-" { "(standard input)".to_owned() } else { path.display().to_string() };
        let failed = |error: &dyn std::fmt::Display| format!("{name}: {error}");
        let (reader, size): (Box<dyn Read + Send>, Option<u64>) = if *path == *"-" {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).map_err(|e| failed(&e))?;
            let size = file.metadata().map_err(|e| failed(&e))?.len();
            (Box::new(file), Some(size))
        };
        let bar = progress(size);
        let shown = (files.len() > 1).then_some(name.as_str());
        let mut written: Result<(), String> = Ok(());
        let pieces = Pieces::new(reader, arguments.jsonl.is_some());
        let looked =
            work::look(&engine, pieces, arguments.jsonl.as_ref(), arguments.threads, |done, hits| {
                bar.inc(done);
                for hit in hits {
                    found += 1;
                    if written.is_ok() {
                        written =
                            print(&mut out, arguments.format, shown, &engine, hit).map_err(|e| e.to_string());
                    }
                }
                if found > 0 {
                    bar.set_message(format!("{found} found"));
                }
            });
        bar.finish_and_clear();
        looked.map_err(|e| failed(&e))?;
        // Whoever reads the findings went away: there is nobody to look for.
        if written.is_err() {
            return Ok(found);
        }
    }
    let _ = out.flush();
    Ok(found)
}

/// A bar for a person, and only for work that takes a while.
fn progress(size: Option<u64>) -> ProgressBar {
    const LONG: u64 = 32 << 20;
    let target = match size {
        Some(size) if size < LONG => ProgressDrawTarget::hidden(),
        _ => ProgressDrawTarget::stderr(),
    };
    let bar = match size {
        Some(size) => ProgressBar::with_draw_target(Some(size), target),
        None => ProgressBar::with_draw_target(None, target),
    };
    let style = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn print(
    out: &mut impl Write,
    format: Format,
    file: Option<&str>,
    engine: &Engine,
    hit: &Hit,
) -> io::Result<()> {
    let rule = engine.rule(hit.rule);
    let (line, start, end) = (hit.line, hit.start, hit.end);
    match format {
        Format::Text => {
            let file = file.map(|f| format!("{f}:")).unwrap_or_default();
            let at = hit.pointer.as_ref().map(|p| format!(" {p}")).unwrap_or_default();
            writeln!(
                out,
                "{file}{line}:{at} {} ({}) bytes {start}-{end}, {}",
                rule.id, rule.entity, rule.action
            )
        }
        Format::Json => {
            let mut value = serde_json::json!({
                "line": line,
                "start": start,
                "end": end,
                "rule": rule.id,
                "entity": rule.entity,
                "action": rule.action.as_str(),
            });
            if let Some(pointer) = &hit.pointer {
                value["pointer"] = pointer.as_str().into();
            }
            if let Some(file) = file {
                value["file"] = file.into();
            }
            writeln!(out, "{value}")
        }
    }
}
