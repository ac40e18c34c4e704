//! What is said of a mistake of ours: where it is, and nothing of what it was about. The standard library's own words quote
//! the text that was being cut, which may be a body's.

use std::io::Write as _;
use std::panic::PanicHookInfo;

/// From here on a panic is told by its place alone.
pub(super) fn tell_places_only() {
    std::panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let (file, line) = panic.location().map_or(("?", 0), |at| (at.file(), at.line()));
    if tracing::dispatcher::has_been_set() {
        tracing::error!(file, line, "panicked");
    } else {
        drop(writeln!(std::io::stderr(), "consentry: a mistake of ours, at {file}:{line}"));
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    #[ignore = "run by a_panic_says_nothing_of_what_it_was_about, in a process of its own"]
    fn panics_over_a_text() {
        super::tell_places_only();
        let text = format!("a customer's {} words", "\u{e9}");
        drop(text[..text.find('\u{e9}').unwrap() + 1].to_owned());
    }

    #[test]
    fn a_panic_says_nothing_of_what_it_was_about() {
        let test = "cli::panics::tests::panics_over_a_text";
        let mut child = Command::new(std::env::current_exe().unwrap());
        let said = child.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.contains("src/cli/panics.rs:"), "{said}");
        assert!(!said.contains("customer"), "{said}");
    }
}
