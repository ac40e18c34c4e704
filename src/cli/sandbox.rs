//! `consentry sandbox`: the API that `demo` and the tests use as an upstream.

use std::process::ExitCode;

use clap::Args;
use tokio::sync::oneshot;

use super::output::{complain, say};
use crate::sandbox::{self, Options};

/// What the sandbox is told.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    options: Options,
}

/// Serves until it is interrupted. The first line of output is the address.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("no runtime: {error}"));
            return ExitCode::from(2);
        }
    };
    let outcome = runtime.block_on(async {
        let (ready, bound) = oneshot::channel::<sandbox::Bound>();
        let told = async {
            if let Ok(bound) = bound.await {
                say(format_args!("{} {}", bound.address, bound.ca.display()));
            }
        };
        let stop = async {
            let _ = tokio::signal::ctrl_c().await;
        };
        let (outcome, ()) = tokio::join!(sandbox::run(arguments.options.clone(), ready, stop), told);
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::from(2)
        }
    }
}
