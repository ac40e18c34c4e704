//! `consentry completions SHELL`.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

/// Which shell.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Prints them.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    clap_complete::generate(
        arguments.shell,
        &mut super::command(),
        "consentry",
        &mut std::io::stdout().lock(),
    );
    ExitCode::SUCCESS
}
