//! What an owner shows to others: while the gateway runs, another process says who may see what, and each word works on
//! the next request.

use std::path::Path;

use consentry::names::{Kind, TenantId, UpstreamId};
use consentry::reason::Reason;
use consentry::store::{
    Audience, Options, Ownership as _, Resource, Right, Share, Shared, Shares as _, Sqlite,
};
use serde_json::{Value, json};

use super::kit::process::Process;
use super::kit::values::{chat, mark, record, upload};
use super::kit::{Ask, Caller, Setup, Tenant, house};

/// The store of the shared gateway, beside the gateway.
struct Beside {
    store: Sqlite,
    runtime: tokio::runtime::Runtime,
}

impl Beside {
    fn open(path: &Path) -> Self {
        let options = Options { cache: 0, readers: 1, exclusive: false, ..Options::serving(path) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { store: Sqlite::open(&options).unwrap(), runtime }
    }

    fn house() -> Self {
        Self::open(&house().gateway.setup.config().join("data/consentry.db"))
    }

    fn resource(kind: &str, id: &str) -> Resource {
        Resource { upstream: UpstreamId::new("sandbox"), kind: Kind::new(kind), id: id.to_owned() }
    }

    fn share(&self, kind: &str, id: &str, with: Option<&Tenant>, right: Right) {
        let share = Share {
            resource: Self::resource(kind, id),
            with: audience(with),
            right,
            until: None,
            recorded_by: "a test".to_owned(),
        };
        assert_eq!(self.runtime.block_on(self.store.share(share)).unwrap(), Shared::Recorded);
    }

    fn take_back(&self, kind: &str, id: &str, with: Option<&Tenant>) {
        let taken = self.runtime.block_on(self.store.unshare(Self::resource(kind, id), audience(with)));
        assert!(taken.unwrap());
    }
}

fn audience(with: Option<&Tenant>) -> Audience {
    with.map_or(Audience::Everyone, |tenant| Audience::Tenant(TenantId::new(&tenant.name)))
}

fn listed(caller: &Caller<'_>, path: &str) -> Vec<String> {
    let page = caller.get(path).ok().value();
    let ids = page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn job(caller: &Caller<'_>, file: &str) -> super::kit::Answer {
    caller.post("/v1/fine_tuning/jobs", &json!({"model": "gpt-4o-mini", "training_file": file}))
}

fn finished(caller: &Caller<'_>, job: &str) -> Value {
    for _ in 0..20 {
        let seen = caller.get(&format!("/v1/fine_tuning/jobs/{job}")).ok().value();
        if seen["status"] == "succeeded" {
            return seen;
        }
    }
    panic!("{job} never ends");
}

/// T2: private, then shared with one, then private again; each on the next request, in lists too.
#[test]
fn t2_a_share_shows_a_resource_to_whom_it_names_until_it_is_taken_back() {
    let beside = Beside::house();
    let (a, b, c) = (house().granted(), house().granted(), house().granted());
    let (alice, bob, carol) = (house().as_(a), house().as_(b), house().as_(c));
    let file = alice.ask(&upload("fine-tune", "train.jsonl", &record("shared").repeat(12))).id();
    let own = bob.ask(&upload("fine-tune", "own.jsonl", &record("own"))).id();
    let path = format!("/v1/files/{file}");
    let unknown = bob.get(&format!("/v1/files/file-{}", mark())).refused(Reason::ResourceUnknown);
    assert_eq!(bob.get(&path).comparable(), unknown.comparable());

    beside.share("file", &file, Some(b), Right::Read);
    let seen = bob.get(&path).ok();
    assert_eq!(seen.at("/id"), file);
    assert_eq!(seen.header("x-robots-tag"), Some("noindex, nofollow, noarchive, noai, noimageai"));
    assert!(bob.get(&format!("{path}/content")).ok().text().contains("shared"));
    assert_eq!(listed(&bob, "/v1/files"), [own.clone(), file.clone()]);
    assert_eq!(listed(&bob, &format!("/v1/files?after={own}")), [&*file]);
    assert_eq!(listed(&bob, "/v1/files?limit=1&order=asc"), [&*file]);
    // To read is not to use, nor to change; and what is not allowed is answered as what never was.
    let refused = job(&bob, &file).refused(Reason::ResourceUnknown);
    assert_eq!(refused.comparable(), job(&bob, &format!("file-{}", mark())).comparable());
    assert_eq!(bob.delete(&path).refused(Reason::ResourceUnknown).comparable(), unknown.comparable());
    // Nobody else sees it.
    assert_eq!(carol.get(&path).comparable(), unknown.comparable());
    assert!(listed(&carol, "/v1/files").is_empty());

    beside.take_back("file", &file, Some(b));
    assert_eq!(bob.get(&path).comparable(), unknown.comparable());
    assert_eq!(listed(&bob, "/v1/files"), [own]);
    assert_eq!(listed(&alice, "/v1/files"), [file]);
}

/// T2: what is public is seen by every tenant, and search engines may keep it; it ends with its owner's word.
#[test]
fn t2_what_is_public_is_seen_by_every_tenant_until_its_owner_deletes_it() {
    let beside = Beside::house();
    let (a, b) = (house().granted(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("fine-tune", "public.jsonl", &record("public"))).id();
    let path = format!("/v1/files/{file}");
    beside.share("file", &file, None, Right::Read);
    assert_eq!(bob.get(&path).ok().header("x-robots-tag"), None);
    assert!(listed(&bob, "/v1/files").contains(&file));
    alice.delete(&path).ok();
    bob.get(&path).refused(Reason::ResourceUnknown);
    assert!(!listed(&bob, "/v1/files").contains(&file));
}

/// Who may use a file trains on it with both grants, and what comes of it is the user's; a model is used at inference.
#[test]
fn s3_what_is_lent_for_use_stays_its_owners_and_what_is_made_of_it_is_the_makers() {
    let beside = Beside::house();
    let (a, b) = (house().granted(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("fine-tune", "train.jsonl", &record("lent").repeat(12))).id();
    beside.share("file", &file, Some(b), Right::Use);
    let made = job(&bob, &file).id();
    let model = finished(&bob, &made)["fine_tuned_model"].as_str().unwrap().to_owned();
    let ask = |model: &str| {
        let mut body = chat("hello");
        body["model"] = json!(model);
        body
    };
    bob.post("/v1/chat/completions", &ask(&model)).ok();
    alice.post("/v1/chat/completions", &ask(&model)).refused(Reason::ResourceUnknown);
    alice.get(&format!("/v1/fine_tuning/jobs/{made}")).refused(Reason::ResourceUnknown);
    // The other way round: a model that is lent answers, and can't be deleted.
    beside.share("model", &model, Some(a), Right::Use);
    alice.post("/v1/chat/completions", &ask(&model)).ok();
    alice.delete(&format!("/v1/models/{model}")).refused(Reason::ResourceUnknown);
    beside.take_back("model", &model, Some(a));
    alice.post("/v1/chat/completions", &ask(&model)).refused(Reason::ResourceUnknown);
    bob.post("/v1/chat/completions", &ask(&model)).ok();
}

/// W1: to train on what somebody lends needs the owner's grant too.
#[test]
fn w1_a_lent_file_is_trained_on_only_if_its_owner_granted_that_as_well() {
    let beside = Beside::house();
    let (a, b) = (house().nobody(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("user_data", "notes.jsonl", &record("lent"))).id();
    beside.share("file", &file, Some(b), Right::Use);
    job(&bob, &file).refused(Reason::ConsentMissing);
    assert!(house().sandbox.journal(&format!("\"training_file\":\"{file}\"")).is_empty());
}

/// What is first seen by somebody whom a job is shown to belongs to the job's owner all the same.
#[test]
fn s3_what_a_reader_sees_first_is_the_owners() {
    let beside = Beside::house();
    let (a, b) = (house().granted(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("fine-tune", "train.jsonl", &record("first").repeat(12))).id();
    let made = job(&alice, &file).id();
    beside.share("fine_tuning_job", &made, Some(b), Right::Read);
    let model = finished(&bob, &made)["fine_tuned_model"].as_str().unwrap().to_owned();
    let id = model.clone();
    let owner = beside.store.owner(&UpstreamId::new("sandbox"), &Kind::new("model"), &id);
    assert_eq!(beside.runtime.block_on(owner).unwrap().unwrap().tenant.as_str(), a.name);
    let mut body = chat("hello");
    body["model"] = json!(model);
    bob.post("/v1/chat/completions", &body).refused(Reason::ResourceUnknown);
    alice.post("/v1/chat/completions", &body).ok();
}

/// What is part of a job is shown with it, page by page: the cursors of its lists are parts as well. The models that its
/// checkpoints name are not.
#[test]
fn s3_the_parts_of_what_is_shared_are_shown_page_by_page() {
    let beside = Beside::house();
    let (a, b, c) = (house().granted(), house().granted(), house().granted());
    let (alice, bob, carol) = (house().as_(a), house().as_(b), house().as_(c));
    let file = alice.ask(&upload("fine-tune", "train.jsonl", &record("parts").repeat(12))).id();
    let made = job(&alice, &file).id();
    finished(&alice, &made);
    beside.share("fine_tuning_job", &made, Some(b), Right::Read);
    for part in ["events", "checkpoints"] {
        let target = format!("/v1/fine_tuning/jobs/{made}/{part}");
        let all = listed(&alice, &target);
        assert!(all.len() > 1, "{all:?}");
        let (mut walked, mut next) = (Vec::new(), format!("{target}?limit=1"));
        while walked.len() < all.len() {
            let page = listed(&bob, &next);
            assert_eq!(page.len(), 1, "{walked:?}");
            next = format!("{target}?limit=1&after={}", page[0]);
            walked.extend(page);
        }
        assert_eq!(walked, all);
        carol.get(&next).refused(Reason::ResourceUnknown);
    }
    let checkpoints = bob.get(&format!("/v1/fine_tuning/jobs/{made}/checkpoints")).ok();
    let mut body = chat("hello");
    body["model"] = json!(checkpoints.at("/data/0/fine_tuned_model_checkpoint"));
    bob.post("/v1/chat/completions", &body).refused(Reason::ResourceUnknown);
}

/// What is lent and gone upstream is answered as what never was, in the gateway's words.
#[test]
fn s3_what_is_lent_and_gone_upstream_is_unknown() {
    let beside = Beside::house();
    let (a, b) = (house().granted(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("fine-tune", "gone.jsonl", &record("gone"))).id();
    let path = format!("/v1/files/{file}");
    beside.share("file", &file, Some(b), Right::Read);
    bob.get(&path).ok();
    house().sandbox.ask(&Ask::new("DELETE", path.as_str())).ok();
    let unknown = bob.get(&format!("/v1/files/file-{}", mark())).refused(Reason::ResourceUnknown);
    assert_eq!(bob.get(&path).comparable(), unknown.comparable());
}

/// T2: that a model is public makes nothing public of what it answers.
#[test]
fn t2_what_a_public_model_answers_is_not_public() {
    let beside = Beside::house();
    let (a, b) = (house().granted(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("fine-tune", "train.jsonl", &record("public").repeat(12))).id();
    let made = job(&alice, &file).id();
    let model = finished(&alice, &made)["fine_tuned_model"].as_str().unwrap().to_owned();
    beside.share("model", &model, None, Right::Use);
    assert_eq!(bob.get(&format!("/v1/models/{model}")).ok().header("x-robots-tag"), None);
    let mut body = chat("hello");
    body["model"] = json!(model);
    assert!(bob.post("/v1/chat/completions", &body).ok().header("x-robots-tag").is_some());
}

/// The command: what it says, and what it refuses.
#[test]
fn shares_are_added_listed_and_removed_on_the_command_line() {
    let mut setup = Setup::new();
    setup.upstream("sandbox", 1, "ca.pem", "/");
    setup.tenant("acme", "");
    setup.tenant("globex", "");
    setup.write();
    let config = setup.config();
    let run = |arguments: &[&str]| {
        let all = [&["shares"], arguments, &["--config", config.to_str().unwrap()]].concat();
        let mut process = Process::start(&all, &[]);
        (process.wait().code().unwrap(), process.written())
    };
    let add = ["add", "file-1", "--kind", "file", "--with", "globex"];
    let (status, told) = run(&add);
    assert_eq!(status, 64, "{told}");
    assert!(told.contains("there is no store at"), "{told}");
    let state = config.join("data");
    std::fs::create_dir_all(&state).unwrap();
    let beside = Beside::open(&state.join("consentry.db"));
    let claim = consentry::store::Claim {
        resource: Beside::resource("file", "file-1"),
        tenant: TenantId::new("acme"),
        dataset: None,
        label: None,
        judged: consentry::store::JudgedFor::NOTHING,
        made: consentry::store::Making {
            origin: consentry::store::Origin::Created,
            operation: consentry::names::OperationId::new("createFile"),
            request: consentry::names::RequestId::fresh(),
            from: Vec::new(),
        },
    };
    beside.runtime.block_on(beside.store.claim(vec![claim])).unwrap();
    let (status, told) = run(&add);
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("`globex` may read the file of `acme`"), "{told}");
    let (status, told) = run(&["list", "--json"]);
    assert_eq!(status, 0, "{told}");
    let line: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&line["owner"], &line["with"], &line["right"]),
        (&json!("acme"), &json!("globex"), &json!("read"))
    );
    let faults = [
        (vec!["add", "file-1", "--kind", "fil", "--with", "globex"], 64, "did you mean `file`?"),
        (vec!["add", "file-1", "--kind", "file", "--with", "globx"], 64, "did you mean `globex`?"),
        (vec!["add", "file-1", "--kind", "file", "--with", "acme"], 1, "belongs to `acme` already"),
        (vec!["add", "file-2", "--kind", "file", "--public"], 1, "no file of this id is on record"),
        (vec!["add", "file-1", "--kind", "file"], 64, "--with"),
        (vec!["remove", "file-1", "--kind", "file", "--public"], 1, "no such share"),
        (vec!["remove", "file-1", "--kind", "file", "--with", "globex"], 0, "taken back"),
    ];
    for (arguments, expected, words) in faults {
        let (status, told) = run(&arguments);
        assert_eq!(status, expected, "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
    assert_eq!(run(&["list"]), (0, String::new()));
}
