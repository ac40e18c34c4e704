//! Bans, licences and sources of the dependencies that are built here, by the lists of `deny.toml`. cargo-deny says more
//! (`make deny`: advisories, other targets), but has to be installed; this does not.

use std::collections::BTreeMap;
use std::process::Command;

use super::{none, read, root};

/// One package of the tree.
struct Package {
    name: String,
    /// As cargo prints it: name, version, and the source if it is not the registry.
    shown: String,
    licence: String,
}

/// Every package that the program, its build scripts and its tests are made of.
fn tree() -> Vec<Package> {
    tree_of("normal,build,dev")
}

/// Every package that the edges of these kinds lead to.
fn tree_of(edges: &str) -> Vec<Package> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--locked", "--offline", "--edges", edges, "--prefix", "none"]);
    let output = command.args(["--format", "{p}|{l}"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let mut packages = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line = line.trim_end_matches(" (*)");
        let Some((shown, licence)) = line.split_once('|') else { continue };
        let name = shown.split(' ').next().unwrap_or_default().to_owned();
        let package = Package { name, shown: shown.to_owned(), licence: licence.to_owned() };
        packages.insert(package.shown.clone(), package);
    }
    assert!(packages.len() > 100, "cargo tree shows {} packages", packages.len());
    packages.into_values().filter(|package| package.name != "consentry").collect()
}

fn lists() -> toml::Table {
    read("deny.toml").parse().unwrap()
}

#[test]
fn nothing_banned_is_built() {
    let lists = lists();
    let bans = lists["bans"]["deny"].as_array().unwrap();
    let mut complaints = Vec::new();
    // What may come with another package (`wrappers`) may do so in tests only.
    let shipped: Vec<String> = tree_of("normal,build").into_iter().map(|package| package.shown).collect();
    for package in tree() {
        let banned = bans.iter().filter(|ban| ban["name"].as_str() == Some(&package.name));
        for ban in banned.filter(|ban| ban.get("wrappers").is_none() || shipped.contains(&package.shown)) {
            complaints.push(format!("{}: {}", package.shown, ban["reason"].as_str().unwrap()));
        }
    }
    none("deny.toml bans", &complaints);
}

#[test]
fn every_licence_is_allowed() {
    let lists = lists();
    let allowed: Vec<&str> =
        lists["licenses"]["allow"].as_array().unwrap().iter().filter_map(|l| l.as_str()).collect();
    let refused = |package: &Package| !permitted(&package.licence, &allowed);
    let complaints: Vec<String> =
        tree().into_iter().filter(refused).map(|p| format!("{}: {}", p.shown, p.licence)).collect();
    none("deny.toml does not allow these licences", &complaints);
}

#[test]
fn everything_comes_from_the_registry() {
    // cargo shows a source only where it is not the registry; procedural macros are marked in the same way.
    let elsewhere = |package: &Package| package.shown.replace(" (proc-macro)", "").contains(" (");
    let complaints: Vec<String> = tree().into_iter().filter(elsewhere).map(|p| p.shown).collect();
    none("not from crates.io", &complaints);
}

/// Whether an SPDX expression can be fulfilled with these licences. `/` is the old way to write `OR`.
fn permitted(expression: &str, allowed: &[&str]) -> bool {
    // An exception belongs to its licence: together they are one word.
    let glued =
        expression.replace(" WITH ", "+WITH+").replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words = glued.split_whitespace().map(|word| word.replace("+WITH+", " WITH ")).collect();
    let mut expression = Expression { words, at: 0, allowed };
    expression.either() == Some(true) && expression.at == expression.words.len()
}

/// An expression and how far it was read. `None` where it is not one.
struct Expression<'a> {
    words: Vec<String>,
    at: usize,
    allowed: &'a [&'a str],
}

impl Expression<'_> {
    fn next_is(&mut self, word: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is);
        is
    }

    fn either(&mut self) -> Option<bool> {
        let mut holds = self.both()?;
        while self.next_is("OR") {
            holds |= self.both()?;
        }
        Some(holds)
    }

    fn both(&mut self) -> Option<bool> {
        let mut holds = self.one()?;
        while self.next_is("AND") {
            holds &= self.one()?;
        }
        Some(holds)
    }

    fn one(&mut self) -> Option<bool> {
        if self.next_is("(") {
            let holds = self.either()?;
            return self.next_is(")").then_some(holds);
        }
        let licence = self.words.get(self.at)?;
        self.at += 1;
        Some(self.allowed.contains(&licence.as_str()))
    }
}

/// W7: whatever is shipped and was written by others is listed with its licence.
#[test]
fn w7_the_parts_of_others_are_credited() {
    let mut text = String::from(
        "# Parts of others\n\nWritten from `Cargo.lock`: every crate that the program and its build scripts are made of, with the licence that its authors \
         give. `NOTICE` names what those crates bundle.\n\n| Crate | Version | Licence |\n|---|---|---|\n",
    );
    for package in tree_of("normal,build") {
        let version = package.shown.split(' ').nth(1).unwrap_or_default().trim_start_matches('v');
        text.push_str(&format!(
            "| [{0}](https://crates.io/crates/{0}) | {version} | {1} |\n",
            package.name, package.licence
        ));
    }
    super::generated::current("docs/third-party.md", &text);
}

#[test]
fn expressions_are_read_as_spdx_says() {
    let allowed = ["MIT", "ISC", "Apache-2.0"];
    for good in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/GPL-3.0",
        "ISC AND (GPL-3.0 OR MIT)",
        "(MIT OR A) AND (ISC OR (B AND C))",
    ] {
        assert!(permitted(good, &allowed), "{good}");
    }
    let exception = "Apache-2.0 WITH LLVM-exception";
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "GPL-3.0 OR MIT AND B",
        exception,
        "MIT)",
        "(MIT",
        "MIT OR",
        "MIT ISC",
    ] {
        assert!(!permitted(bad, &allowed), "{bad}");
    }
}
