//! What has stood upstream for as long as its tenant lets it is ended, with what was made of it: through faults of the upstream and a
//! gateway that is killed in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::gateway::GRANTED;
use super::kit::own::{Own, Running};
use super::kit::process::Process;
use super::kit::shop::{PROFILE, Shop};
use super::kit::upstream::json as reply;
use super::kit::values::{record, upload};
use super::kit::{Gate, Setup, Step, eventually};

fn own(more: &str) -> Own {
    let mut own = Own::with("");
    own.profile("shop", PROFILE);
    own.setup.routes = own.setup.routes.replace("api: openai", "api: shop");
    own.acme = own.setup.tenant("acme", &format!("{GRANTED}{more}"));
    own
}

/// `consentry tasks list`.
fn tasks(setup: &Setup) -> Vec<Value> {
    let config = setup.config();
    let arguments = ["tasks", "list", "--past", "--json", "--config", config.to_str().unwrap()];
    let mut process = Process::start(&arguments, &[("SSL_CERT_FILE", "/dev/null".as_ref())]);
    assert!(process.wait().success(), "{}", process.written());
    process.written().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn what_is_over_is_gone_with_what_was_made_of_it_through_faults_and_a_kill() {
    let shop = Shop::default();
    // Deletions that the upstream still refuses: the last of them after the gateway was killed.
    let (account, refused) = (shop.clone(), Arc::new(AtomicU64::new(0)));
    let faults = Arc::clone(&refused);
    let running = own("retention: {file: 6s}\n").start(move |up| {
        if up.line.starts_with("DELETE") && faults.fetch_add(1, Ordering::Relaxed) < 3 {
            return reply(500, &json!({"error": {"message": "no"}}));
        }
        account.answer(up)
    });
    let theirs = running.globex().ask(&upload("fine-tune", "globex", &record("x"))).id();
    let file = running.acme().ask(&upload("fine-tune", "acme", &record("x"))).id();
    let made = running.acme().post("/v1/vector_stores", &json!({"name": "acme", "train_on": file})).id();
    let other = running.acme().post("/v1/vector_stores", &json!({"name": "acme"})).id();
    running.acme().get(&format!("/v1/files/{file}")).ok();
    let over = [format!("/v1/files/{file}"), format!("/v1/vector_stores/{made}")];
    eventually(|| running.acme().get(&over[0]).status != 200);
    for path in &over {
        running.acme().get(path).refused(Reason::ResourceUnknown);
    }
    eventually(|| refused.load(Ordering::Relaxed) >= 1);
    assert!(shop.has(&file) || shop.has(&made), "the first deletion was refused");
    let open = tasks(&running.gateway.setup);
    assert!(open.iter().any(|task| task["cause"] == "retention" && task["state"] == "open"), "{open:?}");

    let running = running.killed_and_started_again();
    eventually(|| !shop.has(&file) && !shop.has(&made));
    for path in &over {
        running.acme().get(path).refused(Reason::ResourceUnknown);
    }
    assert!(refused.load(Ordering::Relaxed) >= 5, "three were refused, and two were taken");
    running.acme().get(&format!("/v1/vector_stores/{other}")).ok();
    running.globex().get(&format!("/v1/files/{theirs}")).ok();
    let done = || tasks(&running.gateway.setup);
    eventually(|| done().iter().all(|task| task["state"] == "done" && task["told"] == "gone"));
    let mut ids: Vec<Value> = done().iter().map(|task| task["id"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    assert_eq!(ids, [json!(file), json!(made)]);
    eventually(|| running.gateway.metric("consentry_tasks", &[("state", "done")]) >= 2.0);
    let expired = || running.gateway.recorded("\"what\":\"expired\"");
    eventually(|| expired().len() == 2);
    assert!(expired().iter().all(|entry| entry["type"] == "by_itself" && entry["tenant"] == "acme"));
}

/// What is being made of a file when its time is over is waited for, and goes with it.
#[test]
fn what_is_being_made_of_it_at_its_end_goes_too() {
    let (shop, made, go) = (Shop::default(), Gate::default(), Gate::default());
    let (account, tells, waits) = (shop.clone(), made.clone(), go.clone());
    let running = own("retention: {file: 1s}\n").start(move |up| {
        let steps = account.answer(up);
        if !up.line.starts_with("POST /v1/vector_stores") {
            return steps;
        }
        [vec![Step::Tell(tells.clone()), Step::Wait(waits.clone())], steps].concat()
    });
    let file = running.acme().ask(&upload("fine-tune", "acme", &record("x"))).id();
    std::thread::scope(|scope| {
        let maker = scope
            .spawn(|| running.acme().post("/v1/vector_stores", &json!({"name": "acme", "train_on": file})));
        made.wait();
        // Two rounds go by.
        std::thread::park_timeout(Duration::from_secs(12));
        assert!(shop.has(&file), "something is being made of it");
        go.open();
        maker.join().unwrap().ok();
    });
    eventually(|| shop.things().is_empty());
    running
        .acme()
        .post("/v1/vector_stores", &json!({"name": "acme", "train_on": file}))
        .refused(Reason::ResourceUnknown);
}

/// What can't be kept does not load.
#[test]
fn a_retention_that_can_not_be_kept_does_not_load() {
    for (more, said) in [
        ("retention: {job: 1d}\n", "a job can't be deleted by its id"),
        ("retention: {fiel: 1d}\n", "no profile has the kind `fiel`"),
        ("retention: {file: 0s}\n", "what is kept for no time could not be made"),
    ] {
        let own = own(more);
        own.setup.write();
        let config = own.setup.config();
        let mut process = Process::start(&["check", "--config", config.to_str().unwrap()], &[]);
        assert!(!process.wait().success());
        assert!(process.written().contains(said), "{}", process.written());
    }
}
