//! What is left when the gateway dies between an upstream's answer and its record, or the answer is lost: nobody sees it, and
//! `consentry orphans` finds it and mends it.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::process::Process;
use super::kit::shop::{PROFILE, Shop, Thing};
use super::kit::upstream::json as reply;
use super::kit::values::{record, upload};
use super::kit::{Ask, Caller, Conn, Setup, Step};

/// An answer of the upstream does not take longer; a call is settled after it and the clock's tolerance.
const HEAD: &str = ", head_timeout: 2s";

pub(crate) fn own() -> Own {
    let mut own = Own::with(HEAD);
    own.profile("shop", PROFILE);
    own.setup.routes = own.setup.routes.replace("api: openai", "api: shop");
    own
}

/// `consentry orphans` with these arguments: status, lines, and what it wrote beside.
pub(crate) fn orphans(setup: &Setup, arguments: &[&str]) -> (i32, Vec<Value>, String) {
    let config = setup.config();
    let all =
        [&["orphans", "--json", "--skew", "1", "--config", config.to_str().unwrap()], arguments].concat();
    let mut process = Process::start(&all, &[("SSL_CERT_FILE", "/dev/null".as_ref())]);
    let status = process.wait().code().unwrap();
    let written = process.written();
    (status, written.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(), written)
}

pub(crate) fn of_type<'a>(lines: &'a [Value], what: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == *what).collect()
}

pub(crate) fn path(thing: &Thing) -> String {
    format!("/v1/{}/{}", thing.of, thing.id)
}

fn listed(caller: &Caller<'_>, of: &str) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("/v1/{of}?limit=100{after}")).ok().value();
        let items = page["data"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match items.last().filter(|_| page["has_more"] == true) {
            Some(last) => after = format!("&after={}", last["id"].as_str().unwrap()),
            None => return ids,
        }
    }
}

/// The upstream makes the thing and the answer does not come; the gateway runs on.
#[test]
fn a_thing_whose_answer_was_lost_is_found_and_given_to_its_maker() {
    let shop = Shop::default();
    let (account, cut) = (shop.clone(), Arc::new(Mutex::new(false)));
    let cuts = Arc::clone(&cut);
    let running = own().start(move |up| {
        let steps = account.answer(up);
        if up.line.starts_with("POST") && *cuts.lock().unwrap() { vec![Step::Cut] } else { steps }
    });
    let before = running.acme().ask(&upload("user_data", "acme-0", &record("x"))).id();
    let outside = shop.make("files", "nobody", &json!({"purpose": "user_data", "created_at": 1_700_000_000}));
    assert_eq!(orphans(&running.gateway.setup, &[]).0, 0, "what no call made is no fault");
    *cut.lock().unwrap() = true;
    for purpose in ["fine-tune", "user_data"] {
        let lost = running.acme().ask(&upload(purpose, "acme-1", &record("x")));
        assert_eq!(lost.at("/error/code"), "upstream_broke");
    }
    *cut.lock().unwrap() = false;
    let after = running.globex().ask(&upload("fine-tune", "globex-1", &record("x"))).id();
    let orphans_of_acme = || shop.things().into_iter().filter(|thing| thing.name == "acme-1");
    for thing in orphans_of_acme() {
        running.acme().get(&path(&thing)).refused(Reason::ResourceUnknown);
    }

    let (status, lines, _) = orphans(&running.gateway.setup, &[]);
    assert_eq!(status, 1);
    let seen: Vec<_> = of_type(&lines, "resource")
        .iter()
        .map(|line| (line["id"].as_str().unwrap(), line["state"].as_str().unwrap(), line["tenants"].clone()))
        .collect();
    let mut wanted: Vec<(String, &str, Value)> =
        orphans_of_acme().map(|thing| (thing.id, "certain", json!(["acme"]))).collect();
    wanted.insert(0, (outside.clone(), "nobodys", json!([])));
    let mut seen: Vec<_> =
        seen.into_iter().map(|(id, state, tenants)| (id.to_owned(), state, tenants)).collect();
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    wanted.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(seen, wanted);
    assert_eq!(of_type(&lines, "call").len(), 2);

    let (_, lines, written) = orphans(&running.gateway.setup, &["--mend"]);
    let states: Vec<_> = of_type(&lines, "call").iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, ["closed", "closed"], "{written}");
    for thing in orphans_of_acme() {
        running.acme().get(&path(&thing)).ok();
        running.globex().get(&path(&thing)).refused(Reason::ResourceUnknown);
    }
    assert_eq!(listed(&running.acme(), "files").len(), 3);
    assert_eq!(listed(&running.globex(), "files"), [after]);
    running.acme().get(&format!("/v1/files/{before}")).ok();
    // It is what it was said to be for: the one may be trained on, the other may not.
    for thing in orphans_of_acme() {
        let answer = running.acme().post("/v1/vector_stores", &json!({"name": "acme", "train_on": thing.id}));
        assert_eq!(answer.status == 200, thing.shown["purpose"] == "fine-tune", "{thing:?} {answer}");
    }
    assert!(shop.things().iter().any(|thing| thing.id == outside), "what nobody made here is left alone");
    assert_eq!(orphans(&running.gateway.setup, &[]).0, 0);
}

/// Two calls of a tenant said the same, and the first is told last: what came of the second fits both, what came of the first
/// fits the first alone.
#[test]
fn a_call_is_not_put_down_to_what_came_of_another() {
    let shop = Shop::default();
    let account = shop.clone();
    let running = own().start(move |up| {
        let steps = account.answer(up);
        if up.line.starts_with("POST") { vec![Step::Cut] } else { steps }
    });
    running.acme().ask(&upload("user_data", "acme-1", &record("x")));
    // The upstream tells whole seconds, and its clock may be one off.
    std::thread::park_timeout(Duration::from_millis(2_050));
    running.acme().ask(&upload("user_data", "acme-2", &record("x")));
    let (status, lines, written) = orphans(&running.gateway.setup, &["--mend"]);
    let states = |what: &str| -> Vec<_> {
        of_type(&lines, what).iter().map(|line| line["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states("resource"), ["claimed", "claimed"], "{written}");
    assert_eq!(states("call"), ["closed", "closed"], "{written}");
    assert_eq!(status, 0, "{written}");
    assert!(shop.things().iter().all(|thing| sees(&running, thing)));
}

/// Two callers said the same at the same time: it is nobody's to guess whose it is.
#[test]
fn what_may_be_one_of_two_callers_is_taken_back() {
    let shop = Shop::default();
    let account = shop.clone();
    let running = own().start(move |up| {
        let steps = account.answer(up);
        if up.line.starts_with("POST") { vec![Step::Cut] } else { steps }
    });
    let file = upload("user_data", "twin", &record("x"));
    running.acme().ask(&file);
    running.globex().ask(&file);
    let (_, lines, _) = orphans(&running.gateway.setup, &[]);
    let things = of_type(&lines, "resource");
    assert!(things.iter().all(|line| line["state"] == "contested"), "{lines:?}");
    assert_eq!(things[0]["tenants"], json!(["acme", "globex"]));
    let (_, lines, _) = orphans(&running.gateway.setup, &["--mend"]);
    assert!(of_type(&lines, "resource").iter().all(|line| line["state"] == "deleted"), "{lines:?}");
    assert!(shop.things().is_empty());
    // The calls are closed when nothing can come of them any more.
    std::thread::park_timeout(Duration::from_millis(3_200));
    let (status, lines, _) = orphans(&running.gateway.setup, &["--mend"]);
    assert_eq!(status, 0, "{lines:?}");
    assert!(of_type(&lines, "call").iter().all(|line| line["state"] == "closed"), "{lines:?}");
    assert!(orphans(&running.gateway.setup, &[]).1.is_empty());
}

/// An account that can't be read is said, and nothing is closed on the strength of it.
#[test]
fn a_list_that_can_not_be_read_closes_nothing() {
    let running = own().start(|up| match up.line.split(' ').next().unwrap() {
        "POST" => vec![Step::Cut],
        _ if up.target().starts_with("/v1/files") => reply(500, &json!({"error": {"message": "no"}})),
        _ => Shop::default().answer(up),
    });
    running.acme().ask(&upload("user_data", "x", &record("x")));
    running.acme().post("/v1/tickets", &json!({}));
    std::thread::park_timeout(Duration::from_millis(3_200));
    let (status, lines, written) = orphans(&running.gateway.setup, &["--mend"]);
    assert_eq!(status, 1);
    assert!(written.contains("listFiles can't be read") && written.contains("status 500"), "{written}");
    let states: Vec<_> = of_type(&lines, "call").iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, ["list_unread", "not_listed"], "{lines:?}");
    let (_, lines, _) = orphans(&running.gateway.setup, &["--mend", "--close-unlisted"]);
    let states: Vec<_> = of_type(&lines, "call").iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, ["list_unread", "closed"], "{lines:?}");
    for bad in [&["--upstream", "onyl"][..], &["--close-unlisted"], &["--mend=kill"], &["--skew", "-1"]] {
        let (status, _, written) = orphans(&running.gateway.setup, bad);
        assert_eq!(status, 64, "{written}");
    }
    assert!(orphans(&running.gateway.setup, &["--upstream", "onyl"]).2.contains("did you mean `only`?"));
}

/// Kills a process the moment it is told to.
struct Trap(Child);

impl Trap {
    fn set(pid: u32) -> Self {
        let script = format!("read -r _; kill -KILL {pid}");
        Self(Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap())
    }

    fn spring(&mut self) {
        let _ = self.0.stdin.take().unwrap().write_all(b"\n");
    }
}

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// When a trap is sprung: at the n-th creation from now, so many microseconds after the upstream made it.
struct Plan {
    left: u64,
    after: Duration,
    trap: Trap,
}

const KILLS: u64 = 36;

/// The gateway is killed at instants that a seed decides, between the upstream's answer and its record, before and behind. What
/// that leaves nobody else sees; and all of it is found and mended.
#[test]
#[expect(
    clippy::too_many_lines,
    clippy::print_stdout,
    reason = "one story from the kills to the mending; it says its seed"
)]
fn a_gateway_that_is_killed_leaves_nothing_that_another_sees_and_all_is_mended() {
    let seed = std::env::var("CONSENTRY_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
    println!("CONSENTRY_SEED={seed}");
    let mut dice = Dice(seed);
    let shop = Shop::default();
    let plan: Arc<Mutex<Option<Plan>>> = Arc::default();
    let (account, planned) = (shop.clone(), Arc::clone(&plan));
    let mut running = own().start(move |up| {
        let steps = account.answer(up);
        if up.line.starts_with("POST") {
            let mut planned = planned.lock().unwrap();
            if planned.as_mut().is_some_and(|plan| {
                plan.left = plan.left.saturating_sub(1);
                plan.left == 0
            }) {
                let mut plan = planned.take().unwrap();
                std::thread::spawn(move || {
                    std::thread::park_timeout(plan.after);
                    plan.trap.spring();
                    plan.trap.0.wait()
                });
            }
        }
        steps
    });
    let told: Mutex<Vec<(String, String)>> = Mutex::default();
    let mut known = 0;
    for round in 0..KILLS {
        let (after, makers) = (Duration::from_micros(dice.below(6_000)), [2, 1, 3][(round % 3) as usize]);
        let trap = Trap::set(running.gateway.process.pid);
        let left = 1 + dice.below(9);
        *plan.lock().unwrap() = Some(Plan { left, after, trap });
        make_until_it_dies(&running, &told, (makers, dice.below(3)));
        running = running.killed_already_and_started_again();
        let things = shop.things();
        for thing in &things[known..] {
            let other = if thing.name.starts_with("acme") { running.globex() } else { running.acme() };
            other.get(&path(thing)).refused(Reason::ResourceUnknown);
        }
        println!(
            "round {round}: killed {after:?} after creation {left} of {makers} callers, {} made",
            things.len() - known
        );
        known = things.len();
    }
    let told = told.into_inner().unwrap();
    let (acknowledged, made) = (told.len(), shop.things().len());
    let nobody_sees = |running: &Running| {
        for (caller, name) in [(running.acme(), "acme"), (running.globex(), "globex")] {
            for of in ["files", "vector_stores", "assistants"] {
                let things = shop.things();
                let whose = |id: &String| things.iter().find(|thing| thing.id == *id).unwrap().name.clone();
                for id in listed(&caller, of) {
                    assert!(whose(&id).starts_with(name), "{name} sees {} (seed {seed})", whose(&id));
                }
            }
        }
    };
    nobody_sees(&running);

    // Whatever is upstream and nobody's to see is told of.
    let (status, lines, written) = orphans(&running.gateway.setup, &[]);
    let unowned: Vec<Thing> = shop.things().into_iter().filter(|thing| !sees(&running, thing)).collect();
    assert!(unowned.len() >= 5, "only {} of {KILLS} kills left something (seed {seed})", unowned.len());
    assert_eq!(status, 1);
    for thing in &unowned {
        let line = of_type(&lines, "resource").into_iter().find(|line| line["id"] == *thing.id);
        let line = line.unwrap_or_else(|| panic!("{thing:?} is not told of (seed {seed}):\n{written}"));
        assert!(line["state"] == "certain" || line["state"] == "contested", "{line} (seed {seed})");
    }
    assert_eq!(of_type(&lines, "resource").len(), unowned.len(), "{written}");

    // While nobody serves; and the second time, when no call can be settling, all are closed.
    let Running { gateway, upstream, acme, globex } = running;
    let setup = gateway.stop();
    orphans(&setup, &["--mend"]);
    std::thread::park_timeout(Duration::from_millis(3_200));
    let (status, lines, written) = orphans(&setup, &["--mend"]);
    assert_eq!(status, 0, "seed {seed}: {written}");
    assert!(of_type(&lines, "resource").is_empty(), "seed {seed}: {written}");
    assert!(orphans(&setup, &[]).1.is_empty(), "seed {seed}");
    let running = Running { gateway: setup.start(), upstream, acme, globex };
    let (mut given, mut gone) = (0, 0);
    for thing in &unowned {
        match shop.things().iter().any(|left| left.id == thing.id) {
            true => given += 1,
            false => gone += 1,
        }
    }
    println!(
        "{made} made, {acknowledged} told of, {} left behind: {given} given to their makers, {gone} taken back",
        unowned.len()
    );
    for thing in shop.things() {
        assert!(sees(&running, &thing), "{thing:?} is nobody's (seed {seed})");
    }
    nobody_sees(&running);
    // What was told of is there.
    for (maker, id) in &told {
        let thing = shop.things().into_iter().find(|thing| thing.id == *id);
        let thing = thing.unwrap_or_else(|| panic!("{id} of {maker} is gone (seed {seed})"));
        assert!(thing.name.starts_with(maker) && sees(&running, &thing), "{thing:?} (seed {seed})");
    }
}

/// Whether its maker sees a thing.
fn sees(running: &Running, thing: &Thing) -> bool {
    let maker = if thing.name.starts_with("acme") { running.acme() } else { running.globex() };
    maker.get(&path(thing)).status == 200
}

/// Callers that make one thing after the other until the gateway no longer answers. What they are told of is noted.
fn make_until_it_dies(running: &Running, told: &Mutex<Vec<(String, String)>>, (makers, whose): (u64, u64)) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for maker in 0..makers {
            let caller = if (maker + whose) % 2 == 0 { running.acme() } else { running.globex() };
            scope.spawn(move || {
                for turn in 0..200 {
                    let name = format!("{}-{}", caller.tenant.name, NEXT.fetch_add(1, Ordering::Relaxed));
                    let ask = match (turn + maker) % 4 {
                        0 => upload("user_data", &name, &record("x")),
                        1 => upload("fine-tune", &name, &record("x")),
                        2 => Ask::json("/v1/vector_stores", &json!({"name": name})),
                        _ => Ask::json("/v1/assistants", &json!({"name": name, "model": "gpt-4o-mini"})),
                    };
                    let Some(answer) = try_ask(&caller, &ask) else { return };
                    if answer.status == 200 && answer.whole {
                        told.lock().unwrap().push((caller.tenant.name.clone(), answer.id()));
                    }
                }
                panic!("it was not killed");
            });
        }
    });
}

fn try_ask(caller: &Caller<'_>, ask: &Ask) -> Option<super::kit::Answer> {
    let gateway = caller.gateway;
    let mut conn = Conn::try_open(gateway.data, Arc::clone(&gateway.http1)).ok()?;
    conn.try_write(&caller.signed(ask).bytes()).ok()?;
    conn.try_answer(false)
}
