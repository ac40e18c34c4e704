//! Is it theirs? Two tenants of one account, over sockets: what is another's is answered, to the byte, as if it had
//! never been.

mod calls;

use consentry::reason::Reason;
use consentry::store::{Doomed as _, Options, Sqlite};
use serde_json::{Value, json};

use calls::CALLS;

use super::kit::upstream::{answer, json as reply, plain};
use super::kit::values::{FORM, chat, form, mark, record, upload};
use super::kit::{Answer, Ask, Caller, Step, Tenant, house};

/// Asks again until a job or batch has come to its end; each look takes it a step further.
fn finished(caller: &Caller<'_>, path: &str) -> Answer {
    for _ in 0..20 {
        let seen = caller.get(path).ok();
        if ["succeeded", "completed"].contains(&seen.at("/status").as_str()) {
            return seen;
        }
    }
    panic!("{path} never ends");
}

/// One of everything that a tenant can have.
struct Made {
    file: String,
    job: String,
    model: String,
    checkpoint: String,
    batch: String,
    store: String,
    group: String,
    upload: String,
    part: String,
    response: String,
    completion: String,
    result: String,
}

fn make(caller: &Caller<'_>) -> Made {
    let records = record("hello").repeat(12);
    let file = caller.ask(&upload("fine-tune", "train.jsonl", &records)).id();
    let job =
        caller.post("/v1/fine_tuning/jobs", &json!({"model": "gpt-4o-mini", "training_file": file})).id();
    let done = finished(caller, &format!("/v1/fine_tuning/jobs/{job}"));
    let checkpoints = caller.get(&format!("/v1/fine_tuning/jobs/{job}/checkpoints")).ok();
    let line = json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": chat("in a batch")});
    let lines = caller.ask(&upload("batch", "batch.jsonl", format!("{line}\n").as_bytes())).id();
    let order =
        json!({"input_file_id": lines, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let batch = caller.post("/v1/batches", &order).id();
    let ended = finished(caller, &format!("/v1/batches/{batch}"));
    let store = caller.post("/v1/vector_stores", &json!({"name": "n", "file_ids": [file]})).id();
    let group =
        caller.post(&format!("/v1/vector_stores/{store}/file_batches"), &json!({"file_ids": [file]})).id();
    let open = json!({"purpose": "user_data", "filename": "x.txt", "bytes": 10, "mime_type": "text/plain"});
    let upload = caller.post("/v1/uploads", &open).id();
    let data = Ask::new("POST", format!("/v1/uploads/{upload}/parts"));
    let part = caller.ask(&data.typed(FORM, form(&[("data", Some("d"), b"0123456789")]))).id();
    Made {
        model: done.at("/fine_tuned_model"),
        checkpoint: checkpoints.at("/data/0/fine_tuned_model_checkpoint"),
        response: caller
            .post("/v1/responses", &json!({"model": "gpt-4o-mini", "input": "x", "store": true}))
            .id(),
        completion: {
            let mut body = chat("kept");
            body["store"] = json!(true);
            caller.post("/v1/chat/completions", &body).id()
        },
        result: ended.at("/output_file_id"),
        ..Made {
            file,
            job,
            batch,
            store,
            group,
            upload,
            part,
            model: String::new(),
            checkpoint: String::new(),
            response: String::new(),
            completion: String::new(),
            result: String::new(),
        }
    }
}

/// S3: what is another's, what was, what never was and what can't be an id get the same answer, to the byte, over both
/// protocols; the upstream hears of none of them.
#[test]
fn s3_foreign_unknown_ended_and_malformed_ids_are_answered_alike() {
    let (a, b) = (house().keeping(), house().keeping());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let made = make(&alice);
    let own = bob.ask(&upload("fine-tune", "own.jsonl", &record("own"))).id();
    let gone = bob.ask(&upload("fine-tune", "gone.jsonl", &record("gone"))).id();
    bob.delete(&format!("/v1/files/{gone}")).ok();
    let theirs: [(&str, Vec<&str>); 8] = [
        ("file", vec![&made.file, &made.result, &gone]),
        ("job", vec![&made.job]),
        ("model", vec![&made.model, &made.checkpoint]),
        ("batch", vec![&made.batch]),
        ("store", vec![&made.store]),
        ("upload", vec![&made.upload]),
        ("response", vec![&made.response]),
        ("completion", vec![&made.completion]),
    ];
    let mut compared = 0;
    for (kind, ids) in theirs {
        for call in CALLS.iter().filter(|call| call.0 == kind) {
            let never = mark();
            let unknown =
                if kind == "model" { format!("ft:gpt-4o-mini:acme::{never}") } else { never.clone() };
            let first = bob.ask(&call.ask(&unknown, &own)).refused(Reason::ResourceUnknown);
            assert!(!first.text().contains(&never), "{first}");
            assert!(house().sandbox.journal(&never).is_empty(), "{call} went up");
            let long = "x".repeat(300);
            for id in ids.iter().copied().chain(if kind == "model" {
                vec!["ft:"]
            } else {
                vec!["a b", "é", &long]
            }) {
                let other = bob.ask(&call.ask(id, &own));
                assert_eq!(first.comparable(), other.comparable(), "{call} of {id}");
                let h2 = (bob.ask_h2(&call.ask(&unknown, &own)), bob.ask_h2(&call.ask(id, &own)));
                assert_eq!(h2.0.comparable(), h2.1.comparable(), "{call} of {id} over HTTP/2");
                compared += 1;
            }
        }
    }
    assert!(compared > 150, "only {compared}");
    still_there(&alice, &made);
    let violations = alice.gateway.metric("consentry_isolation_violations_total", &[("tenant", &b.name)]);
    assert!(violations > 50.0, "{violations}");
}

/// What the other tenant tried to end or change is as it was.
fn still_there(caller: &Caller<'_>, made: &Made) {
    for path in [
        format!("/v1/files/{}", made.file),
        format!("/v1/files/{}", made.result),
        format!("/v1/fine_tuning/jobs/{}", made.job),
        format!("/v1/models/{}", made.model),
        format!("/v1/batches/{}", made.batch),
        format!("/v1/vector_stores/{}", made.store),
        format!("/v1/vector_stores/{}/file_batches/{}", made.store, made.group),
        format!("/v1/responses/{}", made.response),
        format!("/v1/chat/completions/{}", made.completion),
    ] {
        caller.get(&path).ok();
    }
    assert_eq!(caller.get(&format!("/v1/vector_stores/{}", made.store)).at("/name"), "n");
    let complete = format!("/v1/uploads/{}/complete", made.upload);
    caller.post(&complete, &json!({"part_ids": [made.part]})).ok();
}

/// W3, S2: a model belongs to the tenant whose job made it, in lists, in calls, as a base for more training.
#[test]
fn w3_s2_a_fine_tuned_model_is_its_owners() {
    let (a, b) = (house().granted(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("fine-tune", "train.jsonl", &record("hello").repeat(12))).id();
    let job =
        alice.post("/v1/fine_tuning/jobs", &json!({"model": "gpt-4o-mini", "training_file": file})).id();
    let model = finished(&alice, &format!("/v1/fine_tuning/jobs/{job}")).at("/fine_tuned_model");
    assert!(model.starts_with("ft:"), "{model}");
    let asks = json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
    alice.post("/v1/chat/completions", &asks).ok();
    bob.post("/v1/chat/completions", &asks).refused(Reason::ResourceUnknown);
    assert!(alice.get("/v1/models").ok().text().contains(&model));
    let bobs = bob.get("/v1/models").ok().text();
    assert!(!bobs.contains("ft:") && bobs.contains("gpt-4o-mini"), "{bobs}");
    // Spelled otherwise it is no base model either.
    for spelled in
        [model.to_uppercase(), model.replacen("ft", "Ft", 1), format!("openai/{model}"), format!("{model} ")]
    {
        let asks = json!({"model": spelled, "messages": [{"role": "user", "content": "x"}]});
        bob.post("/v1/chat/completions", &asks).refused(Reason::ResourceUnknown);
    }
}

/// Ids in batch lines and in forms are looked at as those in requests.
#[test]
fn s3_ids_in_batch_lines_and_forms_are_checked() {
    let (alice, bob) = (house().as_(house().granted()), house().as_(house().keeping()));
    let file = alice.ask(&upload("user_data", "x.jsonl", &record("x"))).id();
    let line = |body: Value| {
        json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body}).to_string()
            + "\n"
    };
    let named = |id: &str| {
        line(
            json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": id}}]}]}),
        )
    };
    let own = bob.ask(&upload("user_data", "x.jsonl", &record("x"))).id();
    let clean = line(chat("nothing special")).repeat(50);
    bob.ask(&upload("batch", "b.jsonl", format!("{clean}{}", named(&own)).as_bytes())).ok();
    let never =
        bob.ask(&upload("batch", "b.jsonl", format!("{clean}{}", named("file-never-was")).as_bytes()));
    let foreign = bob.ask(&upload("batch", "b.jsonl", format!("{clean}{}", named(&file)).as_bytes()));
    never.clone().refused(Reason::ResourceUnknown);
    assert_eq!(never.comparable(), foreign.comparable());
    let model = line(json!({"model": "ft:gpt-4o-mini:acme::never", "messages": []}));
    bob.ask(&upload("batch", "b.jsonl", model.as_bytes())).refused(Reason::ResourceUnknown);
    // A form's field.
    let spoken = form(&[("model", None, b"ft:gpt-4o-mini:acme::never"), ("file", Some("a.wav"), b"RIFF")]);
    let ask = Ask::new("POST", "/v1/audio/transcriptions").typed(FORM, spoken);
    bob.ask(&ask).refused(Reason::ResourceUnknown);
    let seen = house().sandbox.journal("file-never-was");
    assert!(seen.is_empty(), "{seen:?}");
}

/// A line that names what is another's takes its file with it, wherever it stands and however short the file is: nothing of
/// the line goes up, and what went up before it never becomes a whole request.
#[test]
fn s3_no_byte_of_a_batch_line_with_a_foreign_id_goes_up() {
    let lane =
        house().lane(|_| reply(200, &json!({"id": "file-made", "object": "file", "purpose": "batch"})));
    let caller = lane.as_(house().granted());
    let line = |id: &str| {
        let content = json!([{"type": "file", "file": {"file_id": id}}]);
        let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}]});
        json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body}).to_string()
            + "\n"
    };
    let clean =
        json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": chat("clean")});
    for (before, after) in
        [(0, 0), (1, 0), (0, 1), (3, 3), (50, 0), (50, 50), (0, 300), (1000, 0), (3000, 3000)]
    {
        let clean = |many| format!("{clean}\n").repeat(many);
        let file = [clean(before), line("file-foreign"), clean(after)].concat();
        let purpose_first = upload("batch", "b.jsonl", file.as_bytes());
        let fields = form(&[("file", Some("b.jsonl"), file.as_bytes()), ("purpose", None, b"batch")]);
        let file_first = Ask::new("POST", "/v1/files").typed(FORM, fields);
        for ask in [purpose_first, file_first] {
            caller.ask(&ask).refused(Reason::ResourceUnknown);
            caller.ask_h2(&ask).refused(Reason::ResourceUnknown);
        }
        for up in lane.upstream.arrived() {
            assert!(!up.complete && !up.text().contains("file-foreign"), "{before} and {after}: {up:?}");
        }
    }
}

/// What can't be inspected passes for a tenant whose file names the operation, as it is, and for nobody else.
#[test]
fn sound_passes_unchanged_where_the_tenant_names_the_operation() {
    let lane = house().lane(|_| reply(200, &json!({"text": "hello"})));
    let sound: Vec<u8> = b"RIFF".iter().copied().chain((0..=255).cycle().take(70_000)).collect();
    let fields = form(&[("model", None, b"whisper-1"), ("file", Some("a.wav"), &sound)]);
    let ask = Ask::new("POST", "/v1/audio/transcriptions").typed(FORM, fields.as_slice());
    lane.as_(house().granted()).ask(&ask).refused(Reason::ContentUninspectable);
    assert!(lane.upstream.arrived().is_empty());
    lane.as_(house().keeping()).ask(&ask).ok();
    assert_eq!(lane.upstream.one().body, fields);
}

/// Lists hold the tenant's own, paged as if the account were the tenant's alone.
#[test]
fn lists_hold_the_tenants_own_and_are_paged_so() {
    let (alice, bob) = (house().as_(house().granted()), house().as_(house().granted()));
    let one = |caller: &Caller<'_>| caller.ask(&upload("user_data", "x.jsonl", &record("x"))).id();
    assert_eq!(bob.get("/v1/files").ok().value()["data"], json!([]));
    let mut own = Vec::new();
    for _ in 0..5 {
        own.push(one(&alice));
        one(&bob);
        one(&bob);
    }
    own.reverse();
    let all = alice.get("/v1/files").ok().value();
    let ids = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&all), own);
    assert_eq!((&all["first_id"], &all["last_id"]), (&json!(own[0]), &json!(own[4])));
    assert_eq!(all["has_more"], false);
    let mut paged = Vec::new();
    let mut target = "/v1/files?limit=2".to_owned();
    loop {
        let page = alice.get(&target).ok().value();
        let here = ids(&page);
        assert!(!here.is_empty() && here.len() <= 2, "{page}");
        assert_eq!((&page["first_id"], &page["last_id"]), (&json!(here[0]), &json!(here[here.len() - 1])));
        target = format!("/v1/files?limit=2&after={}", here[here.len() - 1]);
        paged.extend(here);
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(paged, own);
    let ascending = alice.get("/v1/files?order=asc&limit=3").ok().value();
    assert_eq!(ids(&ascending), own.iter().rev().take(3).cloned().collect::<Vec<_>>());
    assert_eq!(ascending["has_more"], true);
}

/// A page that ends before a cursor holds the tenant's nearest, however many of another's stand between.
#[test]
fn a_page_before_a_cursor_is_filled_from_in_front_of_it() {
    let (alice, bob) = (house().as_(house().granted()), house().as_(house().granted()));
    let one = |caller: &Caller<'_>| caller.post("/v1/vector_stores", &json!({"name": "n"})).id();
    let mut own = Vec::new();
    for _ in 0..5 {
        own.push(one(&alice));
        one(&bob);
        one(&bob);
    }
    for (query, wanted, more) in [
        (format!("before={}&limit=2", own[1]), [&own[3], &own[2]], true),
        (format!("before={}&limit=2", own[2]), [&own[4], &own[3]], false),
        (format!("before={}&limit=2&order=asc", own[3]), [&own[1], &own[2]], true),
        (format!("before={}&limit=2&order=asc", own[2]), [&own[0], &own[1]], false),
    ] {
        let page = alice.get(&format!("/v1/vector_stores?{query}")).ok().value();
        let ids: Vec<&str> =
            page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, wanted, "{query}");
        assert_eq!(
            (&page["has_more"], &page["first_id"], &page["last_id"]),
            (&json!(more), &json!(wanted[0]), &json!(wanted[1]))
        );
    }
}

/// What tells of the shared account does not come through, and the caller's own does not go up.
#[test]
fn the_shared_account_does_not_show_in_headers() {
    let lane = house().lane(|_| {
        let headers = [
            ("content-type", "application/json"),
            ("openai-organization", "org-shared"),
            ("openai-project", "proj_shared"),
            ("openai-processing-ms", "7"),
            ("x-ratelimit-remaining-requests", "9"),
            ("set-cookie", "session=shared"),
            ("cf-ray", "abc"),
            ("server", "shared"),
            ("alt-svc", "h3=\":443\""),
            ("strict-transport-security", "max-age=1"),
            ("access-control-allow-origin", "*"),
            ("consentry-store", "on"),
            ("x-request-id", "req_shared"),
            ("x-made-up", "yes"),
        ];
        vec![Step::Send(answer(200, &headers, r#"{"id":"chatcmpl-1","choices":[]}"#))]
    });
    let tenant = house().granted();
    let caller = lane.as_(tenant);
    let asked = Ask::json("/v1/chat/completions", &chat("x"))
        .header("openai-organization", "org-chosen")
        .header("openai-project", "proj_chosen")
        .header("cookie", "a=b")
        .header("user-agent", "Device/1.0")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-stainless-os", "Linux")
        .header("x-request-id", "chosen")
        .header("consentry-dataset", "default")
        .header("x-made-up", "yes")
        .header("idempotency-key", "mine");
    let back = caller.ask(&asked).ok();
    let mut names: Vec<&str> = back.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "date", "x-request-id", "x-robots-tag"], "{back}");
    assert_ne!(back.header("x-request-id"), Some("req_shared"));
    let up = lane.upstream.one();
    let mut names: Vec<&str> = up.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let wanted = [
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "content-usage",
        "host",
        "idempotency-key",
        "traceparent",
        "user-agent",
        "via",
        "x-request-id",
    ];
    assert_eq!(names, wanted, "{up:?}");
    assert_eq!(up.header("authorization"), Some("Bearer sandbox-account-key"));
    assert_eq!(up.header("user-agent"), Some("consentry"));
    assert_eq!(up.header("x-request-id"), back.header("x-request-id"));
    assert_ne!(up.header("idempotency-key"), Some("mine"));
    // Another tenant's equal key becomes another one, the same tenant's the same.
    lane.as_(house().granted()).ask(&asked).ok();
    caller.ask(&asked).ok();
    let keys: Vec<String> =
        lane.upstream.arrived().iter().map(|up| up.header("idempotency-key").unwrap().to_owned()).collect();
    assert!(keys[0] != keys[1] && keys[0] == keys[2], "{keys:?}");
}

/// A redirection leads back to the gateway, or nowhere; it is never followed.
#[test]
fn redirections_lead_to_the_gateway_or_nowhere() {
    let redirect = |location: &'static str| {
        let lane = house().lane(move |up| {
            let location = location.replace("UPSTREAM", &format!("https://{}", up.header("host").unwrap()));
            vec![Step::Send(answer(302, &[("location", &location), ("set-cookie", "a=b")], "elsewhere"))]
        });
        let back = lane.as_(house().granted()).post("/v1/moderations", &json!({"input": "x"}));
        assert_eq!(lane.upstream.arrived().len(), 1, "it was followed");
        (format!("https://localhost{}", lane.prefix()), back)
    };
    for (location, rest) in [("UPSTREAM/v1/files/a?b=c", "/v1/files/a?b=c"), ("/v1/models", "/v1/models")] {
        let (gateway, back) = redirect(location);
        assert_eq!(
            (back.status, back.header("location")),
            (302, Some(format!("{gateway}{rest}").as_str())),
            "{back}"
        );
        assert!(back.header("set-cookie").is_none() && back.body.is_empty());
    }
    for location in [
        "https://elsewhere.test/v1/models",
        "//elsewhere.test/x",
        "UPSTREAM.elsewhere.test/x",
        "UPSTREAM@elsewhere.test/",
        "http:/x",
        "javascript:x",
    ] {
        let (_, back) = redirect(location);
        back.refused(Reason::UpstreamRedirect);
    }
}

/// Tenants have connections of their own.
#[test]
fn tenants_share_no_connection() {
    let lane = house().lane(plain);
    let (a, b) = (house().granted(), house().granted());
    let turns: [&Tenant; 6] = [a, b, a, b, b, a];
    for tenant in turns {
        lane.as_(tenant).post("/v1/chat/completions", &chat(&tenant.name)).ok();
    }
    let arrived = lane.upstream.arrived();
    for (one, tenant) in arrived.iter().zip(turns) {
        assert!(one.text().contains(&format!("\"{}\"", tenant.name)), "{one:?}");
        let same = |other: &&super::kit::Arrived| other.connection == one.connection;
        assert!(arrived.iter().filter(same).all(|other| other.text() == one.text()), "{arrived:?}");
    }
    assert_eq!(lane.upstream.connections(), 2);
}

/// An upstream that gives a second tenant an id which is the first one's: it stays the first one's, and nobody deletes it.
#[test]
fn an_id_that_an_upstream_gives_twice_stays_its_first_owners() {
    let lane = house().lane(|up| match up.line.starts_with("POST") {
        true => reply(200, &json!({"id": "file-same", "object": "file", "purpose": "user_data"})),
        false => reply(200, &json!({"id": "file-same", "object": "file", "deleted": true})),
    });
    let (alice, bob) = (lane.as_(house().granted()), lane.as_(house().granted()));
    let ask = upload("user_data", "x.jsonl", &record("x"));
    assert_eq!(alice.ask(&ask).id(), "file-same");
    bob.ask(&ask).refused(Reason::UpstreamUnexpected);
    bob.get("/v1/files/file-same").refused(Reason::ResourceUnknown);
    alice.get("/v1/files/file-same").ok();
    // Nothing waits to be deleted.
    let file = alice.gateway.setup.config().join("data/consentry.db");
    let looking = Options { exclusive: false, ..Options::serving(file) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Sqlite::open(&looking).unwrap();
    let due = runtime.block_on(store.due(jiff::Timestamp::MAX, 1000)).unwrap();
    assert!(due.iter().all(|undo| !undo.doom.path.contains("file-same")), "{} undos", due.len());
    assert!(lane.upstream.arrived().iter().all(|up| !up.line.starts_with("DELETE")));
}

/// The upstream says that an id is gone which is on record: the answer is that of any id that is not there.
#[test]
fn an_id_that_is_gone_upstream_is_answered_like_one_that_never_was() {
    let lane = house().lane(|up| match up.line.starts_with("POST") {
        true => reply(200, &json!({"id": "file-gone", "object": "file", "purpose": "user_data"})),
        false => reply(404, &json!({"error": {"message": "No such File object: file-gone", "code": "x"}})),
    });
    let caller = lane.as_(house().granted());
    caller.ask(&upload("user_data", "x.jsonl", &record("x"))).ok();
    let gone = caller.get("/v1/files/file-gone");
    let never = caller.get("/v1/files/file-never");
    assert_eq!(gone.comparable(), never.comparable());
    gone.refused(Reason::ResourceUnknown);
    assert_eq!(lane.upstream.arrived().len(), 2);
}

/// A list whose order is the oldest first, unless the caller says otherwise, ends with the tenant's newest.
#[test]
fn a_list_that_begins_with_the_oldest_goes_on_behind_many_of_others() {
    let (a, b) = (house().keeping(), house().keeping());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let mut kept = chat("kept");
    kept["store"] = json!(true);
    let first = bob.post("/v1/chat/completions", &kept).id();
    for _ in 0..110 {
        alice.post("/v1/chat/completions", &kept).ok();
    }
    let last = bob.post("/v1/chat/completions", &kept).id();
    let page = bob.get(&format!("/v1/chat/completions?limit=1&after={first}")).ok();
    assert_eq!((page.at("/data/0/id"), page.value()["has_more"].clone()), (last, json!(false)));
}

/// A checkpoint that no list has shown yet can be trained on by whoever owns its model.
#[test]
fn a_checkpoint_that_was_never_listed_is_trained_on() {
    let tenant = house().granted();
    let caller = house().as_(tenant);
    let file = caller.ask(&upload("fine-tune", "train.jsonl", &record("again").repeat(12))).id();
    let order = |model: &str| json!({"model": model, "training_file": file});
    let job = caller.post("/v1/fine_tuning/jobs", &order("gpt-4o-mini")).id();
    let path = format!("/v1/fine_tuning/jobs/{job}");
    finished(&caller, &path);
    let shown = house().sandbox.ask(&Ask::get(format!("{path}/checkpoints"))).ok();
    let again =
        caller.post("/v1/fine_tuning/jobs", &order(&shown.at("/data/0/fine_tuned_model_checkpoint"))).ok();
    caller.get(&format!("/v1/fine_tuning/jobs/{}", again.id())).ok();
}
