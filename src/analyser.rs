//! What does another reader say of these texts? A client of an analyser that speaks Presidio's HTTP API
//! (`POST /analyze`), with every bound that an answer from outside needs. Whatever goes wrong is one refusal: nothing passes
//! that it was to see and did not.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::diagnostic::Diagnostic;
use crate::reason::{Reason, Refusal, SafeText};
use crate::tls;

/// An answer has at most so many bytes for each byte that was asked about, and `ANSWER_LEAST` more.
const ANSWER_RATIO: usize = 64;
const ANSWER_LEAST: usize = 64 * 1024;

/// An analyser and its bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Its name in logs and metrics.
    pub name: String,
    /// Where it processes them.
    pub region: Option<String>,
    /// Where texts are posted: the URL of `/analyze`.
    pub url: Uri,
    /// Roots beside the system's.
    pub ca: Option<PathBuf>,
    /// What it is told of who asks; marked sensitive.
    pub credential: Option<(HeaderName, HeaderValue)>,
    /// The language of the texts.
    pub language: String,
    /// Findings below are not wanted.
    pub score: Option<f64>,
    /// For all that is asked about one body.
    pub timeout: Duration,
    /// Questions at once.
    pub concurrency: usize,
    /// Questions a second.
    pub rate: u32,
    /// Bytes of one question.
    pub question: usize,
    /// Bytes of the texts of one body.
    pub body: usize,
}

/// A part of a text that the analyser found something in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which of the entities that were asked for.
    pub entity: usize,
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
}

/// How a question ended: the metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Ok,
    /// Not in time, its own or ours: the budget was used up.
    Late,
    /// The connection failed, or the status was another than 200.
    Failed,
    /// The answer was none.
    Nonsense,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Late, Self::Failed, Self::Nonsense];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Nonsense => "nonsense",
        }
    }

    /// The refusal that it means for a body.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        Refusal::new(Reason::AnalyserUnavailable).log(SafeText::from(match self {
            Self::Ok => "the analyser answered",
            Self::Late => "the analyser did not answer in time, or its budget is used up",
            Self::Failed => "the analyser could not be reached, or refused",
            Self::Nonsense => {
                "the analyser's answer is none: too long, no list, or places that are not in the text"
            }
        }))
    }
}

/// Asks one analyser.
pub struct Client {
    settings: Settings,
    line: Line,
    places: Semaphore,
    /// When the next question may be put.
    next: Mutex<Instant>,
}

/// Plain HTTP is for loopback addresses only; that was checked when the configuration was read.
enum Line {
    Plain(Http<HttpConnector, Full<Bytes>>),
    Tls(Http<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

#[derive(Serialize)]
struct Question<'a> {
    text: &'a str,
    language: &'a str,
    entities: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    score_threshold: Option<f64>,
}

/// What else an answer says of a finding (its score, why) decides nothing here: the threshold was part of the question.
#[derive(Deserialize)]
struct Found {
    entity_type: String,
    start: usize,
    end: usize,
}

impl Client {
    /// A client with connections of its own.
    ///
    /// # Errors
    /// If the roots can't be loaded.
    pub fn new(settings: Settings) -> Result<Self, Diagnostic> {
        let mut builder = Http::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        let line = if settings.url.scheme_str() == Some("http") {
            Line::Plain(builder.build(HttpConnector::new()))
        } else {
            let config = tls::client(&tls::Roots::system_and(settings.ca.as_deref()))?;
            let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
            Line::Tls(builder.build(connector.https_only().enable_http1().build()))
        };
        let places = Semaphore::new(settings.concurrency);
        Ok(Self { settings, line, places, next: Mutex::new(Instant::now()) })
    }

    /// Its bounds.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the analyser finds in a text: ordered by place, perhaps overlapping.
    ///
    /// # Errors
    /// With how it failed.
    pub async fn ask(&self, text: &str, entities: &[&str], until: Instant) -> Result<Vec<Span>, Outcome> {
        let asked = async {
            let turn = self.turn(until).ok_or(Outcome::Late)?;
            tokio::time::sleep_until(turn).await;
            let _place = self.places.acquire().await.map_err(|_closed| Outcome::Failed)?;
            self.post(text, entities).await
        };
        let answer = tokio::time::timeout_at(until, asked).await.map_err(|_elapsed| Outcome::Late)??;
        read(&answer, text, entities).ok_or(Outcome::Nonsense)
    }

    /// When the next question is due, so that there are no more in a second than allowed. None if that is too late; then
    /// it takes nobody's turn.
    fn turn(&self, until: Instant) -> Option<Instant> {
        let gap = Duration::from_secs(1) / self.settings.rate.max(1);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(Instant::now());
        if turn <= until {
            *next = turn + gap;
        }
        (turn <= until).then_some(turn)
    }

    async fn post(&self, text: &str, entities: &[&str]) -> Result<Vec<u8>, Outcome> {
        let Settings { language, score, url, credential, .. } = &self.settings;
        let question = Question { text, language, entities, score_threshold: *score };
        let question = serde_json::to_vec(&question).map_err(|_error| Outcome::Failed)?;
        let mut request = Request::new(Full::new(Bytes::from(question)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = url.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json.clone());
        request.headers_mut().insert(ACCEPT, json);
        if let Some((name, value)) = credential {
            request.headers_mut().insert(name, value.clone());
        }
        let answer = match &self.line {
            Line::Plain(http) => http.request(request),
            Line::Tls(http) => http.request(request),
        };
        let answer = answer.await.map_err(|_error| Outcome::Failed)?;
        // Redirects are not followed: the text is for nobody else.
        if answer.status() != StatusCode::OK {
            return Err(Outcome::Failed);
        }
        let most = text.len().saturating_mul(ANSWER_RATIO).saturating_add(ANSWER_LEAST);
        let (mut body, mut bytes) = (answer.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_error| Outcome::Failed)?.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(Outcome::Nonsense);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

/// Reads an answer. Its places are counted in code points of the text (Python's `str`); one that is not in the text makes
/// the whole answer none. Entities that were not asked for are left out.
fn read(answer: &[u8], text: &str, entities: &[&str]) -> Option<Vec<Span>> {
    let found: Vec<Found> = serde_json::from_slice(answer).ok()?;
    let mut ends: Vec<usize> = found.iter().flat_map(|f| [f.start, f.end]).collect();
    ends.sort_unstable();
    ends.dedup();
    // The byte of each code point that is a place, in one walk over the text.
    let mut bytes = Vec::with_capacity(ends.len());
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]).enumerate();
    for end in &ends {
        bytes.push(places.find(|(point, _)| point == end)?.1);
    }
    let byte = |point: usize| ends.binary_search(&point).ok().and_then(|at| bytes.get(at)).copied();
    let mut spans = Vec::with_capacity(found.len());
    for one in &found {
        let (start, end) = (byte(one.start)?, byte(one.end)?);
        if start >= end {
            return None;
        }
        if let Some(entity) = entities.iter().position(|known| *known == one.entity_type) {
            spans.push(Span { entity, start, end });
        }
    }
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    Some(spans)
}

#[cfg(test)]
mod tests;
