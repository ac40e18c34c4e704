//! What lies in an upstream account? The operator's look at it, with the account's own credential.
//!
//! Whose a thing is plays no part here, so nothing of this is within reach of a request: `gateway` does not know this room, and
//! the [`Desk`] that it takes is made by commands alone (`tests/tidy` looks for the word). What stands upstream and on no record is compared with the calls whose
//! outcome was lost ([`orphans`]).

pub mod orphans;
mod shelf;
mod shown;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;

pub use shelf::Shelf;
pub use shown::Found;
pub use walk::{Bounds, Walk};

use self::shelf::{Page, Place};
use crate::audit::Keyer;
use crate::catalog::{self, Catalog, IdClass, KindRule, Operation};
use crate::config::{Snapshot, Upstream};
use crate::names::{Kind, OperationId, RequestId, TenantId, UpstreamId};
use crate::reason::{Reason, Refusal, SafeText};
use crate::store::Doom;
use crate::upstream::{AnswerBody, Cleared, Desk, Head, Upstreams, own, target};

/// The longest answer that is read.
const LONGEST: usize = 32 << 20;

/// How often a call is made again that the account had no time for.
const TRIES: u32 = 6;

/// The longest pause that an account is given.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// An account, and the profiles that describe it.
pub struct Account {
    upstream: Arc<Upstream>,
    catalogs: Vec<Arc<Catalog>>,
    connections: Upstreams,
    desk: Desk,
    /// Hashes what things are said to be for, as the gateway does.
    keyer: Keyer,
}

impl Account {
    /// An account that some route leads to.
    #[must_use]
    pub fn of(snapshot: &Snapshot, id: &UpstreamId, desk: Desk) -> Option<Self> {
        let routes = snapshot.routes.iter().filter(|route| route.upstream.id == *id);
        let mut catalogs: Vec<Arc<Catalog>> = Vec::new();
        for route in routes {
            if !catalogs.iter().any(|known| known.name() == route.catalog.name()) {
                catalogs.push(Arc::clone(&route.catalog));
            }
        }
        let upstream = Arc::clone(snapshot.upstreams.get(id)?);
        let known = !catalogs.is_empty();
        let keyer = Keyer::new(snapshot.master.hmac("audit ids v1", None));
        known.then(|| Self { upstream, catalogs, connections: Upstreams::new(), desk, keyer })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &UpstreamId {
        &self.upstream.id
    }

    /// How long a call may take to be sent and answered.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.upstream.head
    }

    /// The profiles.
    pub fn catalogs(&self) -> impl Iterator<Item = &Catalog> {
        self.catalogs.iter().map(AsRef::as_ref)
    }

    /// An operation of a profile.
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.catalogs().find_map(|catalog| catalog.operation(id)).map(AsRef::as_ref)
    }

    /// The rule of a kind.
    #[must_use]
    pub fn rule(&self, kind: &Kind) -> Option<&KindRule> {
        self.catalogs().flat_map(Catalog::kinds).find(|rule| rule.kind() == kind)
    }

    /// The lists that show all of a kind: those that need nothing else to be named. One for each kind.
    #[must_use]
    pub fn shelves(&self) -> Vec<Shelf<'_>> {
        let mut shelves: Vec<Shelf<'_>> = Vec::new();
        for shelf in self.catalogs().flat_map(Shelf::all) {
            if !shelves.iter().any(|known| known.kind() == shelf.kind()) {
                shelves.push(shelf);
            }
        }
        shelves
    }

    /// Begins to read a list.
    #[must_use]
    pub fn walk<'a>(&'a self, shelf: &'a Shelf<'a>, bounds: Bounds) -> Walk<'a> {
        Walk::new(self, shelf, bounds)
    }

    /// A page of a list.
    async fn page(&self, shelf: &Shelf<'_>, from: &Place) -> Result<Page, Refusal> {
        let query = shelf.query(from);
        match self.get(shelf.template(), query.as_deref()).await? {
            Some(answer) => shelf.read(&answer, from),
            // Behind the last page of a list that does not say which one is its last.
            None if from.may_be_missing() => Ok(Page::default()),
            None => Err(unexpected("the account has no such page of the list")),
        }
    }

    /// Whether things of a kind come into being by the account's own doing: then no call can be said to have made one.
    #[must_use]
    pub fn brings_forth(&self, kind: &Kind) -> bool {
        let operations = self.catalogs().flat_map(Catalog::operations);
        operations.flat_map(|one| &one.yields).any(|yielded| yielded.kind == *kind)
    }

    /// Leaves of what a list shows of things only what a call is compared with.
    pub fn forget_the_rest(&self, kind: &Kind, found: &mut [Found]) {
        let makes = |one: &&Arc<Operation>| one.creates.iter().any(|made| made.kind == *kind);
        let operations = self.catalogs().flat_map(Catalog::operations).filter(makes);
        let mut names: Vec<&str> = Vec::new();
        for operation in operations {
            names.extend(operation.uses.iter().map(|used| used.via.as_str()));
        }
        let labels = self.labels(kind);
        let labels: Vec<crate::names::Via> = labels.map(catalog::Place::via).collect();
        names.extend(labels.iter().map(crate::names::Via::as_str));
        found.iter_mut().for_each(|one| one.keep(&names));
    }

    /// Where calls say what a thing of a kind is for.
    fn labels(&self, kind: &Kind) -> impl Iterator<Item = &catalog::Place> {
        let creations = self.catalogs().flat_map(Catalog::operations).flat_map(|one| &one.creates);
        let labels = creations.filter(move |one| one.kind == *kind).filter_map(|one| one.label.as_ref());
        labels.filter_map(|label| match label {
            catalog::Label::Value(place) => Some(place),
            catalog::Label::Same(_) => None,
        })
    }

    /// Whether some use asks for this word.
    fn is_asked_for(&self, word: &str) -> bool {
        let operations = self.catalogs().flat_map(Catalog::operations);
        operations.flat_map(|one| &one.uses).flat_map(|used| &used.labels).any(|label| **label == *word)
    }

    /// Whether an id of a kind is one that has an owner.
    #[must_use]
    pub fn has_owner(&self, kind: &Kind, id: &str) -> bool {
        self.rule(kind).is_some_and(|rule| rule.classify(id) == IdClass::Owned)
    }

    /// What a thing is said to be for, in the words that are on record: those that some use asks for.
    #[must_use]
    pub fn label(&self, found: &Found) -> Option<crate::names::Label> {
        let place = self.labels(&found.kind).next()?;
        let shown = found.text(place.via().as_str())?;
        self.is_asked_for(&shown).then(|| crate::names::Label::new(&shown))
    }

    /// Takes back upstream what a queued undo names. True: it is gone.
    ///
    /// # Errors
    /// If the upstream can't be asked.
    pub async fn undo(&self, doom: &Doom) -> Result<bool, Refusal> {
        let head = self.head(doom.method.clone(), &doom.path, None)?;
        let status = self.answered(|| Cleared::taking_back(head.clone(), &doom.tenant)).await?.0;
        Ok(status.is_success() || status == StatusCode::NOT_FOUND)
    }

    /// What the account answers; none, if there is no such thing.
    ///
    /// # Errors
    /// If it answers with anything but JSON, or not at all.
    async fn get(&self, path: &str, query: Option<&str>) -> Result<Option<Value>, Refusal> {
        let head = self.head(Method::GET, path, query)?;
        let (status, body) = self.answered(|| Cleared::at_the_desk(head.clone(), &self.desk)).await?;
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            other => {
                let told = SafeText::numbered("the account answers with status", u64::from(other.as_u16()));
                return Err(Refusal::new(Reason::UpstreamUnexpected).log(told));
            }
        }
        // Sending and head have the same bound in the pool; without one of its own a body could drip for ever.
        let whole = tokio::time::timeout(self.upstream.head, whole(body)).await;
        let whole = whole.unwrap_or_else(|_elapsed| Err(Refusal::new(Reason::UpstreamTimeout)))?;
        let answer = serde_json::from_slice(&whole);
        answer.map(Some).map_err(|_error| unexpected("the account's answer is not JSON"))
    }

    /// Asks, and asks again where the account had no time.
    async fn answered(&self, ask: impl Fn() -> Cleared) -> Result<(StatusCode, AnswerBody), Refusal> {
        let mut pause = Duration::from_secs(1);
        for tried in 1.. {
            let answer = self.connections.dispatch(&self.upstream, 1, ask()).await?;
            let busy = matches!(
                answer.status(),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY
            );
            if !busy || tried >= TRIES {
                return Ok((answer.status(), answer.into_body()));
            }
            let said = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            let said = said.and_then(|value| value.parse().ok()).map(Duration::from_secs);
            tokio::time::sleep(said.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause = pause.saturating_mul(2);
        }
        Err(Refusal::new(Reason::UpstreamLimited))
    }

    fn head(&self, method: Method, path: &str, query: Option<&str>) -> Result<Head, Refusal> {
        let uri = target(&self.upstream, path, query, None)?;
        Ok(Head { method, uri, headers: own(HeaderMap::new(), &self.upstream, RequestId::fresh()) })
    }

    /// The queued call that takes a resource back.
    #[must_use]
    pub fn doom(
        &self,
        undo: &crate::catalog::Undo,
        id: &str,
        tenant: &TenantId,
        request: RequestId,
    ) -> Option<Doom> {
        let path = crate::catalog::fill(&undo.template, |name| (name == "id").then_some(id))?;
        let (upstream, method) = (self.upstream.id.clone(), undo.method.clone());
        Some(Doom { tenant: tenant.clone(), upstream, method, path, request })
    }
}

/// A body, within bounds.
async fn whole(body: AnswerBody) -> Result<Vec<u8>, Refusal> {
    let mut body = std::pin::pin!(body);
    let mut all = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| http_body::Body::poll_frame(body.as_mut(), cx)).await {
        let frame = frame.map_err(|_error| Refusal::new(Reason::UpstreamBroke))?;
        if let Ok(data) = frame.into_data() {
            if all.len() + data.len() > LONGEST {
                return Err(unexpected("an answer of the account is longer than 32 MiB"));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all)
}

fn unexpected(what: &'static str) -> Refusal {
    Refusal::new(Reason::UpstreamUnexpected).log(what)
}
