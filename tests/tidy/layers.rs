//! Which room may use which. The table stands in ARCHITECTURE.md, and is compared with what the code imports.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{none, read, sources};

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The room that a source belongs to: `src/body/json.rs` is in `body`.
fn room(file: &str) -> String {
    let path = file.strip_prefix("src/").unwrap();
    path.split('/').next().unwrap().trim_end_matches(".rs").to_owned()
}

/// The text without its comments. Strings may hold `//`; that only hides imports on such lines, and none stand there.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let one = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let many = Regex::new(r"\bcrate::\{([^}]*)\}").unwrap();
    let mut rooms: BTreeSet<String> = one.captures_iter(text).map(|found| found[1].to_owned()).collect();
    for found in many.captures_iter(text) {
        let items =
            found[1].split(',').map(|item| item.trim().split("::").next().unwrap_or_default().to_owned());
        rooms.extend(items.filter(|item| !item.is_empty()));
    }
    rooms
}

/// What the code imports.
fn drawn() -> Arrows {
    let mut arrows = Arrows::new();
    for file in sources().iter().filter(|file| *file != "src/lib.rs" && *file != "src/main.rs") {
        let here = room(file);
        let mut others = named(&code(&read(file)));
        others.remove(&here);
        arrows.entry(here).or_default().extend(others);
    }
    arrows
}

/// What ARCHITECTURE.md says: the rows `| room | question | uses |` of its first table.
fn written() -> Arrows {
    let text = read("ARCHITECTURE.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| Room |")).skip(2);
    let mut arrows = Arrows::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [room, _, uses] = cells[..] else { panic!("a row of ARCHITECTURE.md has other columns: {row}") };
        let uses = uses.split(',').map(|name| name.trim().trim_matches('`').to_owned());
        arrows.insert(room.trim_matches('`').to_owned(), uses.filter(|name| !name.is_empty()).collect());
    }
    arrows
}

#[test]
fn rooms_use_what_the_architecture_says_and_nothing_else() {
    let (written, drawn) = (written(), drawn());
    let mut complaints = Vec::new();
    let rooms: BTreeSet<&String> = written.keys().chain(drawn.keys()).collect();
    for name in rooms {
        match (written.get(name), drawn.get(name)) {
            (Some(allowed), Some(used)) => {
                let more = used
                    .difference(allowed)
                    .map(|other| format!("`{name}` uses `{other}`, which it may not"));
                let less =
                    allowed.difference(used).map(|other| format!("`{name}` may use `{other}` and does not"));
                complaints.extend(more.chain(less));
            }
            (None, _) => complaints.push(format!("`{name}` is not in ARCHITECTURE.md")),
            (_, None) => complaints.push(format!("`{name}` is in ARCHITECTURE.md only")),
        }
    }
    none("the table of rooms in ARCHITECTURE.md", &complaints);
}

#[test]
fn arrows_go_one_way() {
    let mut left = drawn();
    // Takes away, again and again, the rooms that use none of those that are left.
    loop {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, uses)| uses.iter().all(|u| !left.contains_key(u)))
            .map(|(n, _)| n.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|name, _| !free.contains(name));
    }
    let circle: Vec<String> = left.iter().map(|(name, uses)| format!("{name} → {uses:?}")).collect();
    none("these rooms use each other in a circle", &circle);
}

#[test]
fn the_censor_and_the_sandbox_stand_alone() {
    let drawn = drawn();
    assert_eq!(
        drawn["censor"],
        BTreeSet::from(["diagnostic".to_owned()]),
        "the censor is usable as a library alone"
    );
    assert!(drawn["sandbox"].is_empty(), "the sandbox knows nothing of the gateway: {:?}", drawn["sandbox"]);
}

/// The operator's look into an account is made by commands, and goes through one room.
#[test]
fn the_desk_is_out_of_reach_of_requests() {
    let word = Regex::new(r"\bDesk\b").unwrap();
    let named = |file: &&String| word.is_match(&code(&read(file)));
    let sources = sources();
    let rooms: BTreeSet<String> = sources.iter().filter(named).map(|file| room(file)).collect();
    assert_eq!(rooms, BTreeSet::from(["account", "cli", "upstream"].map(str::to_owned)));
    let makes = |file: &&String| code(&read(file)).contains("of_the_operator(");
    let makers: BTreeSet<&str> = sources.iter().filter(makes).map(String::as_str).collect();
    assert_eq!(makers, BTreeSet::from(["src/cli/adopt.rs", "src/cli/orphans.rs", "src/upstream/door.rs"]));
}

#[test]
fn imports_are_found_in_every_form() {
    let text = code(
        "use crate::names::Kind; // crate::nothing\nuse crate::{audit, store::Owned};\nlet x = crate::tls::provider();",
    );
    let wanted = ["audit", "names", "store", "tls"].map(str::to_owned);
    assert_eq!(named(&text), BTreeSet::from(wanted));
}
