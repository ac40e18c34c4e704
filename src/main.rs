//! The `consentry` program: reads its arguments and hands over to [`consentry::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    consentry::cli::main()
}
