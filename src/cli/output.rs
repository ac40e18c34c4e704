//! What people read. A reader that went away (`consentry … | head`) is no error.

use std::fmt::Display;
use std::io::Write;

/// A line on standard output.
pub(super) fn say(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A line on standard error.
pub(super) fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "consentry: {text}");
}
