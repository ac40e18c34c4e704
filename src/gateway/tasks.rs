//! Does what is to be done upstream: takes back, cancels, deletes, and asks whether it worked. The queue is the store's, so
//! that a crash does not forget it; each step can be made twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Response};
use jiff::Timestamp;

use super::head;
use super::live::Live;
use super::shared::Shared;
use crate::body::Pass;
use crate::body::pump::{Bounds, Pump};
use crate::catalog::Life;
use crate::config::Route;
use crate::lifecycle::{Answer, Order, Step, Verdict, judge, untried};
use crate::listener::Shutdown;
use crate::names::{Direction, RequestId};
use crate::store::{About, Task, TaskOnRecord, Told};
use crate::upstream::{AnswerBody, Cleared};

/// How often the queue is looked at.
const ROUND: Duration = Duration::from_secs(1);

/// How often it is counted.
const COUNT: Duration = Duration::from_secs(5);

/// How many tasks are tried in a round.
const AT_ONCE: u32 = 16;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Works on the queue for ever.
pub(super) async fn run(shared: Arc<Shared>, shutdown: Shutdown) {
    left_open(&shared).await;
    let mut counted: Option<Instant> = None;
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        let worked = round(&shared).await;
        if worked || counted.is_none_or(|at| at.elapsed() > COUNT) {
            counted = Some(Instant::now());
            if let Ok(tally) = shared.store.tally().await {
                shared.metrics.tasks(&tally, Timestamp::now());
            }
        }
    }
}

/// Creating calls of an earlier process whose outcome is not known. What they made is nobody's, so nobody sees it.
async fn left_open(shared: &Shared) {
    match shared.store.open().await {
        Ok(open) if open.is_empty() => {}
        Ok(open) => {
            for left in &open {
                tracing::warn!(
                    request = %left.intent.request,
                    tenant = %left.intent.tenant,
                    operation = %left.intent.operation,
                    "a creating call had no answer before the process ended: what it made, if anything, is nobody's"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "the open intents can't be read"),
    }
}

/// Tries what is due. Whether there was anything.
async fn round(shared: &Shared) -> bool {
    let Ok(due) = shared.store.due(Timestamp::now(), AT_ONCE).await else { return false };
    let any = !due.is_empty();
    for task in due {
        let live = shared.live.load_full();
        if let About::Call { of: Some(of), .. } = &task.task.about {
            match shared.store.owner(&of.upstream, &of.kind, &of.id).await {
                // It came to be somebody's since it was queued.
                Ok(Some(owned)) if !owned.ended => {
                    drop(shared.store.done(task.id, Told::Owned).await);
                    continue;
                }
                Ok(_) => {}
                Err(_) => return any,
            }
        }
        let outcome = match attempt(shared, &live, &task).await {
            Verdict::Done(told) => shared.store.done(task.id, told).await,
            Verdict::Later(was) => shared.store.tried(task.id, was).await,
            // It was stopped, or is looked at again.
            Verdict::Stop => Ok(()),
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "the queue of tasks can't be written");
            return any;
        }
    }
    any
}

/// Tries one task.
async fn attempt(shared: &Shared, live: &Live, task: &TaskOnRecord) -> Verdict {
    let Some((route, life)) = place(live, &task.task) else {
        return Verdict::Later(untried(task, Told::NoUpstream, Timestamp::now()));
    };
    let order = match Order::next(task, life) {
        Ok(order) => order,
        Err(told) => return Verdict::Later(untried(task, told, Timestamp::now())),
    };
    let answer = ask(shared, live, route, life, &order).await;
    let verdict = judge(task, order.step(), answer, Timestamp::now());
    if verdict != Verdict::Stop {
        return verdict;
    }
    match Order::cancel(&task.task, life) {
        Ok(order) => {
            let answer = ask(shared, live, route, life, &order).await;
            judge(task, order.step(), answer, Timestamp::now())
        }
        Err(told) => Verdict::Later(untried(task, told, Timestamp::now())),
    }
}

/// Takes back at once what can't even be queued, as far as the upstream lets us.
pub(super) async fn undo(shared: &Shared, live: &Live, task: &Task) {
    if let (Some((route, _)), Ok(order)) = (place(live, task), Order::undo(task)) {
        ask(shared, live, route, None, &order).await;
    }
}

/// Where a task goes, and what the profile says of its kind.
fn place<'l>(live: &'l Live, task: &Task) -> Option<(&'l Route, Option<&'l Life>)> {
    let mut routes =
        live.snapshot().routes.iter().filter(|route| route.upstream.id == *task.about.upstream());
    match &task.about {
        About::Call { .. } => routes.next().map(|route| (&**route, None)),
        About::Resource(resource) => {
            let mut last = None;
            for route in routes {
                let life = route.catalog.lives().get(&resource.kind);
                last = Some((&**route, life));
                if life.is_some() {
                    break;
                }
            }
            last
        }
    }
}

/// Makes a call, and says what came back.
async fn ask(shared: &Shared, live: &Live, route: &Route, life: Option<&Life>, order: &Order) -> Answer {
    let snapshot = live.snapshot();
    let Ok(uri) = head::target(&route.upstream, order.path(), None, None) else { return Answer::No };
    let headers = head::own(HeaderMap::new(), &route.upstream, RequestId::fresh());
    let cleared = Cleared::taking_back(order, uri, headers);
    let Ok(response) = shared.upstreams.dispatch(&route.upstream, snapshot.generation, cleared).await else {
        return Answer::Nothing;
    };
    let answer = Answer::of(response.status());
    let over = life.and_then(|life| life.over.as_ref());
    let (Answer::Yes { .. }, Step::Look, Some(over)) = (answer, order.step(), over) else { return answer };
    // What can't be read says nothing.
    let Some(shown) = read(live, response).await else { return Answer::Nothing };
    let state = over.at.find(&shown);
    let is = |state: &&serde_json::Value| over.is.iter().any(|word| state.as_str() == Some(word));
    Answer::Yes { over: state.first().is_some_and(is) }
}

/// A small JSON answer, whole.
async fn read(live: &Live, response: Response<AnswerBody>) -> Option<serde_json::Value> {
    let snapshot = live.snapshot();
    let (head, body) = response.into_parts();
    let bounds = Bounds::within(Direction::Response, snapshot.limits.response_bytes, PATIENCE);
    let decoder = super::coded(head.headers.get_all(CONTENT_ENCODING).iter(), &bounds, snapshot).ok()?;
    let mut pump = Pump::new(body, decoder, Pass, bounds);
    let bytes = pump.at_most(snapshot.limits.record_bytes).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}
