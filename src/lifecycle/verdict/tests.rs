use http::StatusCode;
use jiff::Timestamp;

use super::*;
use crate::names::{Kind, RequestId, TenantId, UpstreamId};
use crate::store::{About, Cause, Resource, Task, TaskId};

fn task(aim: Aim, sent: bool, attempts: u32) -> TaskOnRecord {
    let resource = Resource { upstream: UpstreamId::new("u"), kind: Kind::new("file"), id: "f".into() };
    TaskOnRecord {
        id: "7".parse::<TaskId>().unwrap(),
        task: Task {
            tenant: TenantId::new("acme"),
            cause: Cause::Storage,
            aim,
            about: About::Resource(resource),
            request: RequestId::fresh(),
        },
        progress: Progress::Open,
        sent,
        attempts,
        told: None,
        queued: Timestamp::UNIX_EPOCH,
        due: Timestamp::UNIX_EPOCH,
        ended: None,
    }
}

fn said(aim: Aim, sent: bool, step: Step, answer: Answer) -> (Told, bool, i64) {
    match judge(&task(aim, sent, 0), step, answer, Timestamp::UNIX_EPOCH) {
        Verdict::Later(was) => (was.told, was.sent, was.again.as_second()),
        other => panic!("{other:?}"),
    }
}

const YES: Answer = Answer::Yes { over: false };

/// A deletion is done when the upstream says that nothing is there, and not when it says that it was deleted.
#[test]
fn a_deletion_is_believed_when_it_is_seen() {
    assert_eq!(said(Aim::Delete, false, Step::Act, YES), (Told::Sent, true, 0));
    assert_eq!(said(Aim::Delete, true, Step::Look, YES), (Told::StillThere, false, 10));
    for (sent, step) in [(false, Step::Act), (true, Step::Look)] {
        let verdict = judge(&task(Aim::Delete, sent, 0), step, Answer::Unknown, Timestamp::UNIX_EPOCH);
        assert_eq!(verdict, Verdict::Done(Told::Gone));
    }
    // What is not known is asked again: a fault is no deletion.
    assert_eq!(said(Aim::Delete, true, Step::Look, Answer::Nothing), (Told::Unreachable, true, 10));
    assert_eq!(said(Aim::Delete, true, Step::Look, Answer::No), (Told::Denied, true, 10));
}

#[test]
fn a_job_is_stopped_once_and_looked_at_until_it_is_over() {
    let judged = |sent, step, answer| judge(&task(Aim::Cancel, sent, 0), step, answer, Timestamp::UNIX_EPOCH);
    assert_eq!(judged(false, Step::Look, YES), Verdict::Stop);
    assert_eq!(said(Aim::Cancel, false, Step::Act, YES), (Told::Sent, true, 0));
    assert_eq!(said(Aim::Cancel, true, Step::Look, YES), (Told::StillRunning, false, 10));
    assert_eq!(judged(true, Step::Look, Answer::Yes { over: true }), Verdict::Done(Told::Over));
    assert_eq!(judged(false, Step::Look, Answer::Yes { over: true }), Verdict::Done(Told::Over));
    assert_eq!(said(Aim::Watch, false, Step::Look, YES), (Told::StillRunning, false, 5));
}

#[test]
fn pauses_grow_and_a_person_is_told() {
    let at = |attempts| match judge(
        &task(Aim::Delete, false, attempts),
        Step::Act,
        Answer::Nothing,
        Timestamp::UNIX_EPOCH,
    ) {
        Verdict::Later(was) => (was.again.as_second(), was.progress, was.in_vain),
        other => panic!("{other:?}"),
    };
    assert_eq!(at(0), (10, Progress::Open, true));
    assert_eq!(at(3), (80, Progress::Open, true));
    assert_eq!(at(11), (3600, Progress::Failed, true));
    assert_eq!(at(u32::MAX - 1), (3600, Progress::Failed, true));
}

#[test]
fn a_status_says_what_it_says() {
    let of = |status| Answer::of(StatusCode::from_u16(status).unwrap());
    assert_eq!([of(200), of(204)], [YES, YES]);
    assert_eq!([of(404), of(410)], [Answer::Unknown, Answer::Unknown]);
    assert_eq!([of(500), of(503), of(429)], [Answer::Nothing; 3]);
    assert_eq!([of(401), of(403), of(409), of(301)], [Answer::No; 4]);
}
