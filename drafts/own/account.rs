//! What lies in an upstream account? An operator's look at it, with the account's own credential.
//!
//! Whose a thing is plays no part here, so nothing of this is within reach of a request: the room of the gateway does not
//! know this one, and a [`Desk`] is made by commands alone.

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use jiff::Timestamp;
use serde_json::Value;

use crate::catalog::{BodyShape, Catalog, IdClass, ListShape, Operation, Paging, Undo, fill};
use crate::config::Upstream;
use crate::names::{Kind, OperationId, RequestId, TenantId};
use crate::pointer::{Pointer, Step};
use crate::reason::{Reason, Refusal};
use crate::upstream::{AnswerBody, Cleared, Desk, Head, Upstreams};

/// Pages of one list that are read; an account with more is not read to its end, which is said.
const PAGES: usize = 100_000;

/// The longest page.
const LONGEST: usize = 64 << 20;

/// A resource as the account's list shows it.
pub struct Found {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// All that the list shows of it.
    pub shown: Value,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Found {
    /// When it was made, if the list says so: `created_at` or `created`, in seconds or as a time of RFC 3339.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        let said = ["created_at", "created"].iter().find_map(|name| self.shown.get(name))?;
        match said {
            Value::Number(seconds) => Timestamp::from_second(seconds.as_i64()?).ok(),
            Value::String(time) => time.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// An account and the profile that describes it.
pub struct Account<'a> {
    upstream: &'a Upstream,
    catalog: &'a Catalog,
    connections: Upstreams,
    desk: Desk,
}

impl<'a> Account<'a> {
    /// Looks at an account.
    #[must_use]
    pub fn new(upstream: &'a Upstream, catalog: &'a Catalog, desk: Desk) -> Self {
        Self { upstream, catalog, connections: Upstreams::new(), desk }
    }

    /// The lists that show all of a kind: those that need nothing else to be named.
    pub fn lists(&self) -> impl Iterator<Item = (&'a Operation, &'a ListShape)> + use<'a> {
        self.catalog.operations().iter().filter_map(|operation| {
            let list = operation.list.as_ref().filter(|list| !list.inherited)?;
            let whole = operation.refused.is_none() && !operation.template.contains('{');
            (whole && operation.method == Method::GET && operation.response == BodyShape::Json)
                .then_some((operation.as_ref(), list))
        })
    }

    /// Everything with an owner that a list shows, in its order.
    ///
    /// # Errors
    /// If the upstream does not give a page, or one that is no page of this list.
    pub async fn read(&self, operation: &Operation, list: &ListShape) -> Result<Vec<Found>, Refusal> {
        let rule = self.catalog.kind(&list.kind);
        let (mut found, mut after) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let query = match (&list.paging, &after) {
                (Paging::None, _) => None,
                (Paging::Cursor { max, .. }, None) => Some(format!("limit={max}")),
                (Paging::Cursor { max, .. }, Some(after)) => {
                    let after =
                        percent_encoding::utf8_percent_encode(after, percent_encoding::NON_ALPHANUMERIC);
                    Some(format!("limit={max}&after={after}"))
                }
            };
            let page = self.get(&operation.template, query.as_deref()).await?;
            let items = at(&page, &list.items).and_then(Value::as_array);
            let items = items.ok_or_else(|| unexpected("a list's answer has no items"))?;
            let mut last = None;
            for item in items {
                let id = match at(item, &list.id) {
                    Some(Value::String(id)) => id.clone(),
                    Some(Value::Number(id)) => id.to_string(),
                    _ => return Err(unexpected("a list's item has no id")),
                };
                last = Some(id.clone());
                if rule.classify(&id) == IdClass::Owned {
                    found.push(Found { kind: list.kind.clone(), id, shown: item.clone() });
                }
            }
            let more = list.paging != Paging::None && page.get("has_more") == Some(&Value::Bool(true));
            // A page that does not lead on would be read for ever.
            if !more || last.is_none() || last == after {
                return Ok(found);
            }
            after = last;
        }
        Err(unexpected("a list has no end"))
    }

    /// Takes back upstream what nobody has. True: it is gone.
    ///
    /// # Errors
    /// If the upstream can't be asked.
    pub async fn take_back(&self, undo: &Undo, id: &str, tenant: &TenantId) -> Result<bool, Refusal> {
        let path = fill(&undo.template, |name| (name == "id").then_some(id));
        let Some(path) = path else { return Ok(false) };
        let head = self.head(undo.method.clone(), &path, None)?;
        let cleared = Cleared::taking_back(head, tenant);
        let status = self.connections.dispatch(self.upstream, 1, cleared).await?.status();
        Ok(status.is_success() || status == StatusCode::NOT_FOUND)
    }

    /// An operation of the profile.
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&'a Operation> {
        self.catalog.operation(id).map(AsRef::as_ref)
    }

    async fn get(&self, path: &str, query: Option<&str>) -> Result<Value, Refusal> {
        let head = self.head(Method::GET, path, query)?;
        let answer = self.connections.dispatch(self.upstream, 1, Cleared::at_the_desk(head, &self.desk)).await?;
        if answer.status() != StatusCode::OK {
            let status = u64::from(answer.status().as_u16());
            let told = crate::reason::SafeText::numbered("the account's list was answered with status", status);
            return Err(Refusal::new(Reason::UpstreamUnexpected).log(told));
        }
        serde_json::from_slice(&whole(answer.into_body()).await?)
            .map_err(|_error| unexpected("a list's answer is not JSON"))
    }

    fn head(&self, method: Method, path: &str, query: Option<&str>) -> Result<Head, Refusal> {
        let untargeted = || Refusal::new(Reason::Internal).log("the upstream's target");
        let base = &self.upstream.base;
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let uri = Uri::builder()
            .scheme(base.scheme_str().unwrap_or("https"))
            .authority(base.authority().ok_or_else(untargeted)?.clone())
            .path_and_query(format!("{}{path}{query}", base.path().trim_end_matches('/')))
            .build()
            .map_err(|_error| untargeted())?;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Ok(id) = HeaderValue::from_str(RequestId::fresh().encode(&mut [0; 36])) {
            headers.insert("x-request-id", id);
        }
        for (name, value) in &self.upstream.headers {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(credential) = &self.upstream.credential {
            headers.insert(credential.header.clone(), credential.value.clone());
        }
        Ok(Head { method, uri, headers })
    }
}

/// A page, within bounds.
async fn whole(body: AnswerBody) -> Result<Vec<u8>, Refusal> {
    let mut body = std::pin::pin!(body);
    let mut all = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| http_body::Body::poll_frame(body.as_mut(), cx)).await {
        let frame = frame.map_err(|_error| Refusal::new(Reason::UpstreamBroke))?;
        if let Ok(data) = frame.into_data() {
            if all.len() + data.len() > LONGEST {
                return Err(unexpected("a page of a list is too long"));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all)
}

/// The value at a plain place.
fn at<'v>(value: &'v Value, pointer: &Pointer) -> Option<&'v Value> {
    pointer.steps().iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(&**key),
        Step::Any | Step::Deep => None,
    })
}

fn unexpected(what: &'static str) -> Refusal {
    Refusal::new(Reason::UpstreamUnexpected).log(what)
}
