//! `consentry scan`: the censor over files, folders and standard input. It says where something was found and what it is, never
//! the value itself.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::complain;
use crate::censor::{Engine, Policy, RuleSet};
use crate::pointer::Pointer;

mod containers;
mod fix;
mod inputs;
mod markup;
mod pieces;
mod records;
mod report;
mod table;
mod unpack;
mod work;

use inputs::Input;
use report::{Format, Report};
use work::Told;

/// Where to look, and how to say what was found.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files and folders; `-` or none: standard input. Of a folder, what `.gitignore` leaves and is text, an archive or a table.
    /// Files that end with `.gz` or `.zst` are unpacked; XML and HTML, by their names, are read as they show; of ZIP and tar
    /// archives each member is looked at, of Parquet and Arrow files each text.
    files: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How many threads look; default: as many as there are processors.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Each line is a JSON record, and the strings at this place are looked at (`/text`, `/messages/*/content`).
    /// Offsets are in the decoded string.
    #[arg(long, value_name = "POINTER")]
    jsonl: Option<Pointer>,
    /// Each input is CSV, or TSV if its name says so, and this column is looked at; may be given more than once. Offsets
    /// are in the decoded cell.
    #[arg(long, value_name = "NAME", conflicts_with = "jsonl")]
    column: Vec<String>,
    /// Writes a censored copy beside each file in which something was found: `notes.censored.txt`.
    #[arg(long)]
    fix: bool,
    /// Overwrites copies that are there.
    #[arg(long, requires = "fix")]
    force: bool,
    /// Looks at what `.gitignore` leaves out as well.
    #[arg(long)]
    no_ignore: bool,
    /// More rules: files in the format of `config/rules`, or folders of them. A rule replaces the built-in one of its id.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
}

/// What of an input is looked at.
#[derive(Debug)]
enum Mode {
    /// All of it.
    Text,
    /// The strings at a place of each line's record.
    Jsonl(Pointer),
    /// The cells of columns.
    Columns(Vec<String>),
}

/// Looks. Exit status: 0 nothing, 1 findings, 2 it could not look, 64 the rules are wrong.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let rules = match super::rules::all(&arguments.rules) {
        Ok(rules) => rules,
        Err(code) => return code,
    };
    let engine = match Engine::compile(&rules, &Policy::recommended()) {
        Ok(engine) => engine,
        Err(error) => {
            complain(error);
            return ExitCode::from(2);
        }
    };
    Scan { arguments, mode: mode(arguments), rules: &rules, engine: &Arc::new(engine) }.run()
}

fn mode(arguments: &Arguments) -> Mode {
    match (&arguments.jsonl, arguments.column.is_empty()) {
        (Some(pointer), _) => Mode::Jsonl(pointer.clone()),
        (None, false) => Mode::Columns(arguments.column.clone()),
        (None, true) => Mode::Text,
    }
}

struct Scan<'a> {
    arguments: &'a Arguments,
    mode: Mode,
    rules: &'a RuleSet,
    engine: &'a Arc<Engine>,
}

/// What became of the inputs.
#[derive(Default)]
struct Outcome {
    files: usize,
    binary: usize,
    failed: bool,
    /// Nobody reads what was found.
    unread: bool,
    /// The input that could not be read to its end, if it is the last one told of: what stands behind the flaw is not told.
    broken: Option<usize>,
    /// Inputs in which something was found.
    found: Vec<usize>,
}

impl Scan<'_> {
    fn run(&self) -> ExitCode {
        let (inputs, failed) = inputs::find(&self.arguments.files, self.arguments.no_ignore);
        let several = inputs.len() > 1 || self.arguments.files.iter().any(|path| path.is_dir());
        if self.arguments.fix && inputs.iter().any(|input| input.path.is_none()) {
            complain("standard input has no copy beside it: `--fix` is for files");
            return ExitCode::from(64);
        }
        let out = io::BufWriter::new(io::stdout().lock());
        let mut report = Report::new(out, self.arguments.format, (&**self.engine, self.rules), several);
        let mut outcome = Outcome::default();
        for message in failed {
            outcome.failed = true;
            report.failed(&message);
            complain(message);
        }
        let bar = progress(&inputs);
        self.look(&inputs, &bar, &mut report, &mut outcome);
        bar.finish_and_clear();
        let total = report.total();
        if !outcome.unread {
            outcome.unread = report.finish().is_err();
        }
        if self.arguments.fix {
            self.fix(&inputs, &mut outcome);
        }
        if several || outcome.binary > 0 || self.arguments.format == Format::Table {
            complain(summary(&outcome, total));
        }
        match (outcome.failed, total) {
            (true, _) => ExitCode::from(2),
            (false, 0) => ExitCode::SUCCESS,
            (false, _) => ExitCode::from(1),
        }
    }

    fn look(
        &self,
        inputs: &[Input],
        bar: &ProgressBar,
        report: &mut Report<'_, impl io::Write>,
        outcome: &mut Outcome,
    ) {
        let one = NonZeroUsize::MIN;
        let threads =
            self.arguments.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(one);
        let open = |input: &Input| input.open(|reader| Box::new(bar.wrap_read(reader)));
        let name = |index: usize| inputs.get(index).map_or("", |input| input.name.as_str());
        work::look(self.engine, inputs, &self.mode, threads, &open, |told| {
            match told {
                Told::Hits(index, _) | Told::Failed(index, _) if outcome.broken == Some(index) => {}
                Told::Hits(index, hits) => {
                    if !hits.is_empty() && outcome.found.last() != Some(&index) {
                        outcome.found.push(index);
                    }
                    // Whoever reads the findings went away: there is nobody to look for.
                    if hits.iter().any(|hit| report.hit(name(index), hit).is_err()) {
                        outcome.unread = true;
                        return false;
                    }
                    bar.set_message(format!("{} found", report.total()));
                }
                Told::Binary => outcome.binary += 1,
                Told::Done => outcome.files += 1,
                Told::Failed(index, error) => {
                    (outcome.failed, outcome.broken) = (true, Some(index));
                    let message = format!("{}: {error}", name(index));
                    report.failed(&message);
                    bar.suspend(|| complain(message));
                }
            }
            true
        });
    }

    /// Writes the copies, and looks at them.
    fn fix(&self, inputs: &[Input], outcome: &mut Outcome) {
        let fixer = match fix::Fixer::new(self.rules, &self.mode, self.arguments.force) {
            Ok(fixer) => fixer,
            Err(message) => {
                complain(message);
                outcome.failed = true;
                return;
            }
        };
        for input in outcome.found.iter().filter_map(|index| inputs.get(*index)) {
            match fixer.copy(input) {
                Ok(copy) => complain(format_args!("{}: written to {}", input.name, copy.display())),
                Err(message) => {
                    complain(format_args!("{}: {message}", input.name));
                    outcome.failed = true;
                }
            }
        }
    }
}

fn summary(outcome: &Outcome, total: u64) -> String {
    let binary = match outcome.binary {
        0 => String::new(),
        count => format!(", {count} binary passed over"),
    };
    format!("{} file(s) looked at{binary}, {total} finding(s) in {}", outcome.files, outcome.found.len())
}

/// A bar for a person, and only for work that takes a while.
fn progress(inputs: &[Input]) -> ProgressBar {
    const LONG: u64 = 32 << 20;
    let total: Option<u64> = inputs.iter().map(|input| input.size).sum();
    let target = match total {
        Some(size) if size < LONG => ProgressDrawTarget::hidden(),
        _ => ProgressDrawTarget::stderr(),
    };
    let bar = ProgressBar::with_draw_target(total, target);
    let style = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}
