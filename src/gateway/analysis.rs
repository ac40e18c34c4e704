//! A second opinion: texts of bodies that are held are shown to the tenant's analyser, after everything else was decided
//! and before anything goes on. What it can't be shown is refused, unless the tenant's file names the operation.

use std::collections::HashSet;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use bytes::Bytes;
use tokio::time::Instant;

use super::inbound::{Said, Waiting};
use super::seen::Seen;
use super::shared::Shared;
use super::stages::Recognised;
use super::way;
use crate::analyser::{Client, Outcome, Span};
use crate::body::json::texts;
use crate::body::pump::Held;
use crate::body::{FactValue, Facts, Job};
use crate::catalog::BodyShape;
use crate::censor::RuleInfo;
use crate::config::Analysis;
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

/// What stands between two texts that are asked about at once.
const BETWEEN: &str = "\n\n";

/// Who is asked about an operation's bodies; nobody, if the tenant's file says so.
fn analysis(request: &Recognised) -> Option<&Analysis> {
    let analysis = request.tenant.analysis.as_ref()?;
    (!analysis.unanalysed.contains(&request.operation().id)).then_some(analysis)
}

fn wanted(request: &Recognised, direction: Direction) -> Option<(&Analysis, &[RuleInfo])> {
    let analysis = analysis(request)?;
    let wanted = match direction {
        Direction::Request => &analysis.request,
        Direction::Response => &analysis.response,
    };
    (!wanted.is_empty()).then_some((analysis, wanted))
}

fn unseen(direction: Direction, what: &'static str) -> Refusal {
    crate::body::refusal(direction, Reason::ContentUninspectable).detail(what)
}

const UNSEEN: &str = "the analyser can't be asked about such a body, and the tenant's `unanalysed` list does not name this operation";

/// Refuses requests whose bodies come in a form that the analyser can't be asked about.
pub(super) fn admits(request: &Recognised) -> Result<(), Refusal> {
    let operation = request.operation();
    if operation.assembly.is_some() && analysis(request).is_some() {
        return Err(unseen(Direction::Request, UNSEEN));
    }
    match (&operation.request, wanted(request, Direction::Request)) {
        (_, None) | (BodyShape::Json | BodyShape::None, Some(_)) => Ok(()),
        (_, Some(_)) => Err(unseen(Direction::Request, UNSEEN)),
    }
}

/// Refuses requests for an answer that comes as a stream, before the upstream hears of them.
pub(super) fn admits_stream(request: &Recognised, seen: &Seen<'_>) -> Result<(), Refusal> {
    if seen.asks_to_stream() && wanted(request, Direction::Response).is_some() {
        return Err(unseen(
            Direction::Request,
            "the analyser can't be asked about a stream, and the tenant's `unanalysed` list does not name this operation",
        ));
    }
    Ok(())
}

/// Refuses answers that the analyser can't be asked about.
pub(super) fn admits_answer(request: &Recognised, is_json: bool) -> Result<(), Refusal> {
    if !is_json && wanted(request, Direction::Response).is_some() {
        return Err(unseen(Direction::Response, UNSEEN));
    }
    Ok(())
}

/// Whether the answer's body is shown to an analyser, so that it has to be held.
pub(super) fn sees_answer(request: &Recognised) -> bool {
    wanted(request, Direction::Response).is_some()
}

/// Shows a request's body.
pub(super) async fn request(
    shared: &Shared,
    request: &Recognised,
    job: &Job,
    waiting: Waiting,
    said: &Said,
) -> Result<Waiting, Refusal> {
    match waiting {
        Waiting::Held(held) => {
            let named = way::seen(request, said).named()?;
            let ids = named.iter().map(|named| &*named.id).collect();
            held_body(shared, request, job, held, &ids).await.map(Waiting::Held)
        }
        // Such a body was refused before, or is none of the analyser's.
        Waiting::Nothing | Waiting::Flowing(_) => Ok(waiting),
    }
}

/// Shows a JSON body that was censored already. Ids and models, which were looked up, stay as they are.
pub(super) async fn held_body(
    shared: &Shared,
    request: &Recognised,
    job: &Job,
    held: Held,
    ids: &HashSet<&str>,
) -> Result<Held, Refusal> {
    let Some((analysis, wanted)) = wanted(request, job.direction) else { return Ok(held) };
    let client = request.received.live.analyser(&analysis.analyser);
    let client = client.ok_or_else(|| Refusal::new(Reason::Internal).log("an analyser without a client"))?;
    let body = whole(held, client.settings().body, job.direction)?;
    let mut all = Vec::new();
    texts::texts(&body, &mut |text| {
        if !text.trim().is_empty() && !ids.contains(text) {
            all.push(text.to_owned());
        }
        Ok(None)
    })?;
    let found = ask(shared, client, &all, wanted, job.direction).await?;
    let (mut at, restored) = (0, Restored::of(job, client.settings().body)?);
    let new = texts::texts(&body, &mut |text| {
        if text.trim().is_empty() || ids.contains(text) {
            return Ok(None);
        }
        let regions = found.get(at).map(Vec::as_slice).unwrap_or_default();
        at += 1;
        treat(job, text, regions, wanted, &restored)
    })?;
    Ok(Held::Memory(new.map_or(body, Bytes::from)))
}

/// The ids of an answer, which were recorded.
pub(super) fn ids_of(facts: &Facts) -> HashSet<&str> {
    facts.iter().filter_map(|fact| text_of(&fact.value)).collect()
}

fn text_of(value: &FactValue) -> Option<&str> {
    match value {
        FactValue::Text(text) => Some(text),
        FactValue::Number(_)
        | FactValue::Bool(_)
        | FactValue::Null
        | FactValue::Composite
        | FactValue::List
        | FactValue::TooLong => None,
    }
}

/// All of a body, if it is not too long to be asked about.
fn whole(held: Held, most: usize, direction: Direction) -> Result<Bytes, Refusal> {
    if held.len() > most as u64 {
        return Err(unseen(direction, "the body is longer than the analyser is asked about"));
    }
    match held {
        Held::Memory(bytes) => Ok(bytes),
        Held::Spool(spool) => {
            let (mut reader, mut out) = (spool.into_reader(), Vec::new());
            while reader.read(&mut out)? {}
            Ok(Bytes::from(out))
        }
    }
}

/// Asks about all texts, as many at once as a question takes; gives what was found in each.
async fn ask(
    shared: &Shared,
    client: &Client,
    all: &[String],
    wanted: &[RuleInfo],
    direction: Direction,
) -> Result<Vec<Vec<Span>>, Refusal> {
    let settings = client.settings();
    let entities: Vec<&str> = wanted.iter().map(|rule| &*rule.entity).collect();
    let until = Instant::now() + settings.timeout;
    let mut found = Vec::with_capacity(all.len());
    let mut rest = all;
    while let Some(first) = rest.first() {
        if first.len() > settings.question {
            return Err(unseen(direction, "a text is longer than the analyser is asked about at once"));
        }
        let (mut question, mut places) = (String::new(), Vec::new());
        for text in rest {
            let more = if places.is_empty() { 0 } else { BETWEEN.len() };
            if question.len() + more + text.len() > settings.question && !places.is_empty() {
                break;
            }
            if !places.is_empty() {
                question.push_str(BETWEEN);
            }
            places.push(question.len()..question.len() + text.len());
            question.push_str(text);
        }
        let answer = client.ask(&question, &entities, until).await;
        let outcome = answer.as_ref().err().copied().unwrap_or(Outcome::Ok);
        shared.metrics.analysed(&settings.name, outcome.as_str());
        let spans = answer.map_err(Outcome::refusal)?;
        found.extend(split(&regions(&spans, wanted), &places));
        rest = rest.get(places.len()..).unwrap_or_default();
    }
    Ok(found)
}

/// What of the regions lies in each text, counted from its beginning. Neither regions nor places overlap, so this takes as
/// long as there are of both, whatever the analyser said.
fn split(regions: &[Span], places: &[Range<usize>]) -> Vec<Vec<Span>> {
    let mut parts = vec![Vec::new(); places.len()];
    for region in regions {
        let first = places.partition_point(|place| place.end <= region.start);
        let reached = places.iter().zip(&mut parts).skip(first);
        for (place, part) in reached.take_while(|(place, _)| place.start < region.end) {
            let (start, end) = (region.start.max(place.start), region.end.min(place.end));
            part.push(Span { start: start - place.start, end: end - place.start, ..*region });
        }
    }
    parts
}

/// What an answer got back of its own request: it is the tenant's, and no finding.
struct Restored(Option<AhoCorasick>);

impl Restored {
    fn of(job: &Job, most: usize) -> Result<Self, Refusal> {
        let values = match job.direction {
            Direction::Request => Vec::new(),
            Direction::Response => job.exchange.restorable(),
        };
        if values.is_empty() {
            return Ok(Self(None));
        }
        if values.iter().map(Vec::len).sum::<usize>() > most {
            return Err(unseen(job.direction, "more was restored than the analyser is asked about"));
        }
        let unfit = |_error| Refusal::new(Reason::Internal).log("values that can't be looked for");
        AhoCorasick::new(values).map(|values| Self(Some(values))).map_err(unfit)
    }

    /// Where such values stand in a text: in order, and none over another.
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let Some(values) = &self.0 else { return Vec::new() };
        let mut ranges: Vec<_> = values.find_overlapping_iter(text).map(|found| found.range()).collect();
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        ranges.dedup_by(|next, range| {
            let over = next.start < range.end;
            if over {
                range.end = range.end.max(next.end);
            }
            over
        });
        ranges
    }
}

/// Spans that overlap are one region; what is treated most strictly names it, then the longest.
fn regions(spans: &[Span], wanted: &[RuleInfo]) -> Vec<Span> {
    let rank = |span: &Span| {
        let strictness = wanted.get(span.entity).map(|rule| rule.action.strictness());
        (strictness, span.end - span.start)
    };
    let mut regions: Vec<(Span, Span)> = Vec::new();
    for span in spans {
        match regions.last_mut() {
            Some((region, winner)) if span.start < region.end => {
                region.end = region.end.max(span.end);
                if rank(span) > rank(winner) {
                    *winner = *span;
                }
            }
            _ => regions.push((*span, *span)),
        }
    }
    regions.into_iter().map(|(region, winner)| Span { entity: winner.entity, ..region }).collect()
}

/// What of a region was not restored.
fn open(region: &Span, text: &str, restored: &[Range<usize>]) -> Vec<Span> {
    let (mut at, mut open) = (region.start, Vec::new());
    let first = restored.partition_point(|range| range.end <= region.start);
    for range in restored.iter().skip(first).take_while(|range| range.start < region.end) {
        if at < range.start {
            open.push(Span { start: at, end: range.start, ..*region });
        }
        at = at.max(range.end);
    }
    if at < region.end {
        open.push(Span { start: at, ..*region });
    }
    let is_text = |span: &Span| text.get(span.start..span.end).is_some_and(|part| !part.trim().is_empty());
    open.into_iter().filter(is_text).collect()
}

fn treat(
    job: &Job,
    text: &str,
    regions: &[Span],
    wanted: &[RuleInfo],
    restored: &Restored,
) -> Result<Option<String>, Refusal> {
    if regions.is_empty() {
        return Ok(None);
    }
    let (mut out, mut copied) = (Vec::new(), 0);
    let restored = restored.ranges(text);
    for span in regions.iter().flat_map(|region| open(region, text, &restored)) {
        let Some(rule) = wanted.get(span.entity) else { continue };
        let original = text.as_bytes().get(span.start..span.end).unwrap_or_default();
        if job.exchange.is_dry() {
            job.exchange.note_of(rule, original);
            continue;
        }
        out.extend_from_slice(text.as_bytes().get(copied..span.start).unwrap_or_default());
        let treated = job.exchange.replace_of(rule, original, job.side, &mut out);
        treated.map_err(|()| job.refuse(Reason::ContentBlocked).detail("found by the analyser"))?;
        copied = span.end;
    }
    if copied == 0 {
        return Ok(None);
    }
    out.extend_from_slice(text.as_bytes().get(copied..).unwrap_or_default());
    let unfit = |_error| Refusal::new(Reason::Internal).log("a replacement that is no text");
    String::from_utf8(out).map(Some).map_err(unfit)
}

#[cfg(test)]
mod tests;
