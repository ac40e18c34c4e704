//! What no compiler checks: that the house stays as it was drawn. Everything here reads files; it takes a second.
//!
//! `UPDATE=1 cargo test --test tidy` writes the generated files anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on fails; clippy knows helpers of unit tests only"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

mod dependencies;
mod generated;
mod layers;
mod secrets;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository as text.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that is in the repository or would be added to it, relative to its root.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let mut files: Vec<String> = match listed {
        Ok(output) if output.status.success() => {
            output.stdout.split(|b| *b == 0).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
        }
        // A copy without its history.
        _ => {
            let mut found = Vec::new();
            walk(root(), &mut found);
            found
        }
    };
    files.retain(|file| !file.is_empty() && root().join(file).is_file());
    files.sort();
    files.dedup();
    files
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    let passed_over = ["target", ".git", "node_modules", "data", "__pycache__", "corpus", ".venv"];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !passed_over.contains(&name.as_str()) {
            walk(&path, found);
        } else if path.is_file() {
            found.push(path.strip_prefix(root()).unwrap().display().to_string());
        }
    }
}

/// The Rust files of the program.
fn sources() -> Vec<String> {
    let sources: Vec<String> =
        files().into_iter().filter(|file| file.starts_with("src/") && file.ends_with(".rs")).collect();
    assert!(sources.len() > 100, "only {} sources were found", sources.len());
    sources
}

/// Whether a source is there for tests only.
fn of_tests(file: &str) -> bool {
    let name = Path::new(file).file_name().unwrap().to_string_lossy();
    file.contains("/tests/") || ["tests.rs", "testkit.rs", "testing.rs"].contains(&&*name)
}

/// Fails with all complaints, if there are any.
fn none(what: &str, complaints: &[String]) {
    let mut all = String::new();
    for complaint in complaints {
        let _ = write!(all, "\n  {complaint}");
    }
    assert!(complaints.is_empty(), "{what}:{all}");
}

/// Lines of code in a file: no blank lines, no comments, no flat lists (`const WORDS: … = &[`), and none of the tests at its
/// end. Comments and lists are free.
fn lines_of_code(text: &str) -> usize {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    let mut list = false;
    let counts = |line: &&str| {
        let constant =
            line.split(": ").next().is_some_and(|head| head.contains("const ") || head.contains("static "));
        let counts = !list && !line.trim().is_empty() && !line.trim_start().starts_with("//");
        list = (list || (constant && !line.starts_with(' ') && line.ends_with('['))) && *line != "];";
        counts
    };
    text[..end].lines().filter(counts).count()
}

/// A file that has grown past this does more than one thing.
const LONGEST: usize = 400;

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    for file in sources() {
        let lines = lines_of_code(&read(&file));
        if lines > LONGEST && !of_tests(&file) {
            complaints.push(format!("{file} has {lines} lines of code; split it by what its parts do"));
        }
    }
    none(&format!("at most {LONGEST} lines of code a file"), &complaints);
}

#[test]
fn comments_lists_and_tests_are_not_counted() {
    let code = "//! What.\n\nuse x;\n/// Doc.\nfn f() {\n    // why\n}\n";
    let list = "pub(super) const WORDS: &[&str] = &[\n    \"a\",\n    \"b\",\n];\nfn g() {}\n";
    let tests = "\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n";
    assert_eq!(lines_of_code(&[code, list, tests].concat()), 5);
}

#[test]
fn every_file_says_what_it_is() {
    let silent = |file: &String| !of_tests(file) && !read(file).starts_with("//! ");
    let complaints: Vec<String> = sources().into_iter().filter(silent).collect();
    none("these begin without `//! `", &complaints);
}

#[test]
fn modules_lie_beside_their_folders() {
    let old = |file: &String| PathBuf::from(file).file_name().is_some_and(|name| name == "mod.rs");
    let complaints: Vec<String> =
        files().into_iter().filter(|file| file.ends_with(".rs")).filter(old).collect();
    none("`x.rs` beside `x/`, never `x/mod.rs`", &complaints);
}

#[test]
fn nothing_is_left_for_later_in_silence() {
    // Put together here, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"]].map(|word| word.concat());
    let ours = |file: &String| {
        [".rs", ".py", ".mjs", ".sh", ".yaml", ".toml", ".md", ".tpl"].iter().any(|end| file.ends_with(end))
    };
    let mut complaints = Vec::new();
    for file in files().into_iter().filter(ours) {
        let text = fs::read(root().join(&file)).unwrap();
        for (number, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                complaints.push(format!("{file}:{}", number + 1));
            }
        }
    }
    none("what is missing belongs into an issue, and into the documents as a limit", &complaints);
}

#[test]
fn unsafe_code_stands_in_one_file() {
    const VECTORS: &str = "src/censor/prefilter/wide.rs";
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("deny"));
    let lets_it_in = |file: &String| file != VECTORS && read(file).contains("unsafe_code");
    let complaints: Vec<String> = sources().into_iter().filter(lets_it_in).collect();
    none("unsafe code stands in the vectors of the prefilter and nowhere else", &complaints);
    let allowed = "#[allow(";
    let complaints: Vec<String> = sources().into_iter().filter(|file| read(file).contains(allowed)).collect();
    none("`#[expect(…, reason = …)]`, not `#[allow(…)]`", &complaints);
}
