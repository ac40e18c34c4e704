//! Runs a program with everybody in it and then with each tenant alone, and compares what each could see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::calls::{Ask, Does, Kind};
use super::model::{Is, Mine, ascending, before};
use super::planted::Planted;
use super::program::{Name, Program, Step, TENANTS, Whose};
use super::world::{Answer, Tenant, World};

/// What a tenant saw.
#[derive(Default)]
struct Seen {
    mine: Mine,
    /// Each answer as text, by the number of the step, with ids in the order in which they came and without times.
    answers: Vec<(usize, String)>,
    /// Ids as they were, and what stands for them.
    ids: BTreeMap<String, String>,
}

static IDS: LazyLock<Regex> = LazyLock::new(|| {
    let dashed = "(?:file|ftjob|ftevent|chatcmpl|cmpl)-";
    let lined = "(?:ftckpt|vs|vsfb|batch_req|batch|req|resp|msg|item|upload|part)_";
    Regex::new(&format!("(?:{dashed}|{lined})[A-Za-z0-9]{{20,}}|sandbox-org:[a-z0-9-]*:[A-Za-z0-9]{{8}}"))
        .unwrap()
});
/// The second half of a token that the account splits over two events on purpose: it is drawn anew for each job.
static SPLIT: LazyLock<Regex> = LazyLock::new(|| Regex::new("[A-Za-z0-9]+ while cloning").unwrap());
/// Seconds since 1970.
static TIMES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[12][0-9]{9}\b").unwrap());

/// What is wrong with the gateway, if the program shows that anything is.
pub(crate) fn check(world: &World, program: &Program, planted: Planted) -> Result<(), String> {
    let together = run(world, program, None, planted)?;
    for (n, one) in together.iter().enumerate() {
        for other in &together[n + 1..] {
            let known: BTreeSet<&String> = other.ids.keys().collect();
            if let Some(both) = one.ids.keys().find(|id| known.contains(id)) {
                return Err(format!("two tenants saw {both}"));
            }
        }
    }
    for (tenant, seen) in together.iter().enumerate() {
        if seen.answers.is_empty() {
            continue;
        }
        let alone = run(world, program, Some(tenant), planted)?;
        for ((number, with), (_, without)) in seen.answers.iter().zip(&alone[tenant].answers) {
            if with != without {
                return Err(format!(
                    "step {number} tells tenant {tenant} of others. With them:\n{with}\nalone:\n{without}"
                ));
            }
        }
    }
    Ok(())
}

fn run(
    world: &World,
    program: &Program,
    only: Option<usize>,
    planted: Planted,
) -> Result<[Seen; TENANTS], String> {
    world.empty_account();
    let tenants: [Tenant; TENANTS] = match only {
        None => world.fresh(),
        Some(_) => [world.fresh::<1>()[0]; TENANTS],
    };
    let mut all: [Seen; TENANTS] = std::array::from_fn(|_| Seen::default());
    let mut fault = planted.begin();
    for (number, step) in program.0.iter().enumerate() {
        if only.is_some_and(|only| only != step.tenant) {
            continue;
        }
        let (ask, ids, cursor) = prepare(&all, number, step);
        for _ in 0..looks(step) {
            let right = all[step.tenant].mine.right(step, &ids, cursor.as_ref());
            let sent = fault.answer(step, &ask, || world.ask(tenants[step.tenant], &ask));
            let seen = &mut all[step.tenant];
            if let Some(wrong) = right.wrong(&sent) {
                let alone = if only.is_some() { ", alone" } else { "" };
                return Err(format!("step {number}{alone}: {wrong}; it was\n{}", text(&sent)));
            }
            seen.mine.learn(step, &ids, &sent);
            let told = seen.told(&sent);
            seen.answers.push((number, told));
        }
    }
    Ok(all)
}

/// How often a step looks: each look takes a job or a batch one state further, and what comes of them (models, files)
/// would hardly ever be there otherwise.
fn looks(step: &Step) -> usize {
    let polls = ["/v1/fine_tuning/jobs/{1}", "/v1/batches/{1}"].contains(&step.verb.target);
    if polls && step.verb.method == "GET" { 1 + 2 * usize::from(step.text) } else { 1 }
}

type Found = (String, Is);

/// The request of a step: its names have become ids.
fn prepare(all: &[Seen; TENANTS], number: usize, step: &Step) -> (Ask, Vec<Found>, Option<Found>) {
    let ids: Vec<Found> = step
        .verb
        .ids
        .iter()
        .zip(step.names)
        .enumerate()
        .map(|(place, (kind, name))| find(all, step.tenant, name, *kind, number * 4 + place))
        .collect();
    let (mut query, mut cursor) = (Vec::new(), None);
    if let Does::Lists(kind) = step.verb.does {
        query.extend(step.page.limit.map(|limit| format!("limit={limit}")));
        query.extend(
            ascending(kind, step.page).map(|up| format!("order={}", if up { "asc" } else { "desc" })),
        );
        if let Some((_, name)) = step.page.cursor {
            let found = find(all, step.tenant, name, kind, number * 4 + 2);
            let direction = if before(kind, step.page) { "before" } else { "after" };
            query.push(format!("{direction}={}", found.0));
            cursor = Some(found);
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let words = ["good morning", "how are you", "what is new", "good night"];
    let texts: Vec<String> = ids.iter().map(|(id, _)| id.clone()).collect();
    (step.verb.ask(&texts, words[usize::from(step.text)], &query), ids, cursor)
}

fn find(all: &[Seen; TENANTS], tenant: usize, name: Name, kind: Kind, seed: usize) -> Found {
    if let Some(found) = all[tenant].mine.find(name, kind) {
        return found;
    }
    if name.whose == Whose::Foreign {
        let theirs: Vec<&String> = all
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != tenant)
            .flat_map(|(_, seen)| seen.mine.ever(kind))
            .collect();
        if !theirs.is_empty() {
            return ((*name.which.get(&theirs)).clone(), Is::Nothing);
        }
    }
    (invented(kind, seed), Is::Nothing)
}

/// An id that nobody has.
fn invented(kind: Kind, seed: usize) -> String {
    let prefix = match kind {
        Kind::File => "file-",
        Kind::Job => "ftjob-",
        Kind::Model => "ft:gpt-4o-mini:sandbox-org::",
        Kind::Batch => "batch_",
        Kind::Store => "vs_",
        Kind::Group => "vsfb_",
        Kind::Chat => "chatcmpl-",
        Kind::Response => "resp_",
        Kind::Upload => "upload_",
        Kind::Part => "part_",
    };
    format!("{prefix}{seed:08}{}", if kind == Kind::Model { "" } else { "inventedinvented" })
}

/// An answer as text.
fn text(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.status);
    for (name, value) in &answer.headers {
        // They differ between any two answers.
        if name != "date" && name != "x-request-id" {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    text.push_str(&String::from_utf8_lossy(&answer.body));
    text
}

impl Seen {
    /// An answer as text in which only what a tenant could go by is left.
    fn told(&mut self, answer: &Answer) -> String {
        let text = text(answer);
        let named = IDS.replace_all(&text, |found: &regex::Captures<'_>| {
            let id = &found[0];
            if let Some(known) = self.ids.get(id) {
                return known.clone();
            }
            let stands = format!("<id {}>", self.ids.len());
            self.ids.insert(id.to_owned(), stands.clone());
            stands
        });
        let told = TIMES.replace_all(&named, "<time>");
        SPLIT.replace_all(&told, "<rest> while cloning").into_owned()
    }
}
