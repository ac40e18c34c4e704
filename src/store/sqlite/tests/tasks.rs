//! The queue of what is to be done.

use super::*;
use crate::store::{About, Aim, Cause, Progress, Task, Tasks as _, Told, Try};

fn undo() -> Task {
    Task {
        tenant: TenantId::new("acme"),
        cause: Cause::Unrecorded,
        aim: Aim::Undo,
        about: About::Call {
            upstream: upstream(),
            method: http::Method::DELETE,
            path: "/v1/files/file-9".into(),
            of: None,
        },
        request: RequestId::fresh(),
    }
}

fn delete(id: &str) -> Task {
    Task { cause: Cause::Storage, aim: Aim::Delete, about: About::Resource(resource("file", id)), ..undo() }
}

fn later(now: Timestamp, progress: Progress) -> Try {
    let again = now + jiff::SignedDuration::from_secs(30);
    Try { progress, sent: true, told: Told::StillThere, again, in_vain: true }
}

#[tokio::test]
async fn a_task_waits_until_it_is_done_and_stays_on_record() {
    let folder = TempDir::new().unwrap();
    let undo = undo();
    let intent = Intent {
        tenant: TenantId::new("acme"),
        upstream: upstream(),
        operation: OperationId::new("createFile"),
        request: undo.request,
        dataset: None,
        label: None,
        said: None,
        from: Vec::new(),
    };
    let now = {
        let store = store(&folder);
        let intent = store.begin(intent).await.unwrap();
        store.queue(vec![undo.clone()], Some(intent)).await.unwrap();
        assert!(store.open().await.unwrap().is_empty());
        Timestamp::now()
    };
    let store = store(&folder);
    let due = store.due(now, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((&due[0].task, due[0].attempts, due[0].sent, due[0].told), (&undo, 0, false, None));
    let id = due[0].id;
    store.tried(id, later(now, Progress::Open)).await.unwrap();
    assert!(store.due(now, 10).await.unwrap().is_empty());
    let again = &store.due(later(now, Progress::Open).again, 10).await.unwrap()[0];
    assert_eq!((again.attempts, again.sent, again.told), (1, true, Some(Told::StillThere)));
    let tally = store.tally().await.unwrap();
    assert_eq!((tally.undos, tally.open, tally.done), (1, 1, 0));
    assert!(tally.oldest.unwrap() <= now);
    store.done(id, Told::Undone).await.unwrap();
    // What is done is not undone by a late word.
    store.tried(id, later(now, Progress::Failed)).await.unwrap();
    let tally = store.tally().await.unwrap();
    assert_eq!((tally.undos, tally.open, tally.failed, tally.done, tally.oldest), (0, 0, 0, 1, None));
    assert!(store.tasks(None, false).await.unwrap().is_empty());
    let past = store.tasks(Some(&TenantId::new("acme")), true).await.unwrap();
    assert_eq!((past[0].progress, past[0].told), (Progress::Done, Some(Told::Undone)));
    assert!(store.tasks(Some(&TenantId::new("zeta")), true).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_thing_is_queued_once_until_it_is_done() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let first = store.queue(vec![delete("a"), delete("b"), delete("a")], None).await.unwrap();
    assert_eq!(first.len(), 2);
    assert!(store.queue(vec![delete("a")], None).await.unwrap().is_empty());
    let watch = Task { aim: Aim::Watch, ..delete("a") };
    assert_eq!(store.queue(vec![watch], None).await.unwrap().len(), 1);
    store.done(first[0], Told::Gone).await.unwrap();
    assert_eq!(store.queue(vec![delete("a")], None).await.unwrap().len(), 1);
    // Undos are calls, and each of them counts.
    assert_eq!(store.queue(vec![undo(), undo()], None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_task_can_be_hastened_and_tried_anew() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let id = store.queue(vec![delete("a")], None).await.unwrap()[0];
    let now = Timestamp::now();
    store.tried(id, later(now, Progress::Failed)).await.unwrap();
    assert_eq!(store.tally().await.unwrap().failed, 1);
    assert!(store.due(now, 10).await.unwrap().is_empty());
    assert!(!store.hasten(resource("file", "b")).await.unwrap());
    assert!(store.hasten(resource("file", "a")).await.unwrap());
    assert_eq!(store.due(Timestamp::now(), 10).await.unwrap()[0].attempts, 1);
    store.tried(id, later(now, Progress::Failed)).await.unwrap();
    assert!(store.retry(id).await.unwrap());
    let due = store.due(Timestamp::now(), 10).await.unwrap();
    assert_eq!((due[0].attempts, due[0].progress), (0, Progress::Open));
    store.done(id, Told::Gone).await.unwrap();
    assert!(!store.retry(id).await.unwrap());
}
