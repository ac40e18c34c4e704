//! Event streams in the shapes of the APIs, and in none.

use std::sync::{Arc, LazyLock};

use consentry::body::sse::{SsePlan, SseTransform};
use consentry::body::{Job, Transform};
use consentry::catalog::{Catalog, Channel};
use consentry::names::{Direction, OperationId};
use serde_json::Value;

use super::input::Input;
use super::passed::{Outcome, Treatment, shown};
use super::tree::{is_json, texts};
use super::values::{self, ENGINES};

/// Chat completions, responses, messages, no shape at all, bare text.
static PLANS: LazyLock<Vec<Arc<SsePlan>>> = LazyLock::new(|| {
    let catalog = Catalog::builtin("openai").unwrap();
    let of = |id: &str| catalog.operation(&OperationId::new(id)).unwrap().channels.clone();
    let channel = |event: Option<&str>, text: &str, keys: &[&str]| Channel {
        event: event.map(Arc::from),
        text: text.parse().unwrap(),
        keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
        whole: false,
    };
    let block = |text| channel(Some("content_block_delta"), text, &["/index"]);
    let messages = ["/delta/text", "/delta/partial_json", "/delta/thinking"].map(block).to_vec();
    let all = [
        of("createChatCompletion"),
        of("createResponse"),
        messages,
        Vec::new(),
        vec![channel(None, "", &[])],
    ];
    all.iter().map(|channels| Arc::new(SsePlan::compile(channels, &[], &[]).unwrap())).collect()
});

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = input.body();
    let api = usize::from(input.one_of(5));
    let engine = &ENGINES[if input.beyond(5) % 4 == 3 { 4 } else { 0 }];
    let restores = input.beyond(5) % 2 == 1;
    let job = || if restores { values::answer(engine) } else { values::job(engine, Direction::Response) };
    let make = |job: Job| -> Box<dyn Transform> { Box::new(SseTransform::new(job, Arc::clone(&PLANS[api]))) };
    // What is held goes out in events of its own, so an output that broke off need not be how the whole begins.
    let finds = input.beyond(5) % 4 != 3;
    let treatment = Treatment { in_order: false, finds, ..Treatment::new(&job, &make) };
    let whole = treatment.check(&input, &body);
    if whole.refusal.is_some() {
        return;
    }
    let (before, after) = (read(&body), read(&whole.out));
    if finds {
        let decoded = after.iter().flat_map(|(_, data)| texts(data.as_bytes()));
        decoded.chain(spoken(&after)).for_each(|text| values::absent(input.template, text.as_bytes()));
    }
    let json = |events: &[(String, String)]| events.iter().all(|(_, data)| is_json(data.as_bytes()));
    if json(&before) {
        assert!(json(&after), "it is no JSON any more: {}", shown(&whole.out));
    }
    if api == 0 && !restores {
        one_text(&before, &after, &whole, &job());
    }
}

/// The events of a stream as a simple reader has them: name and data.
fn read(stream: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(stream).replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let events = text.split("\n\n").filter_map(|event| {
        let field = |name: &str| {
            let values = event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            values.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>()
        };
        let data = field("data");
        (!data.is_empty()).then(|| (field("event").concat(), data.join("\n")))
    });
    events.collect()
}

/// The texts below a `delta` of events that follow each other and differ in nothing else, put together.
fn spoken(events: &[(String, String)]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut last = None;
    for (name, data) in events {
        let event = serde_json::from_str::<Value>(data).ok();
        let said = event.and_then(|mut event| {
            let text = take_delta(&mut event)?;
            Some((text, (name.clone(), event.to_string())))
        });
        match said {
            Some((text, rest)) => {
                match all.last_mut() {
                    Some(before) if last.as_ref() == Some(&rest) => before.push_str(&text),
                    _ => all.push(text),
                }
                last = Some(rest);
            }
            None => last = None,
        }
    }
    all
}

/// Takes the one text that stands below a `delta` out of an event. None: there is none, or more than one.
fn take_delta(event: &mut Value) -> Option<String> {
    fn texts<'v>(value: &'v mut Value, below: bool, found: &mut Vec<&'v mut String>) {
        match value {
            Value::String(text) if below => found.push(text),
            Value::Array(items) => items.iter_mut().for_each(|item| texts(item, below, found)),
            Value::Object(members) => {
                members.iter_mut().for_each(|(key, value)| texts(value, below || key == "delta", found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    texts(event, false, &mut found);
    let [text] = &mut found[..] else { return None };
    Some(std::mem::take(*text))
}

/// In a stream of chat completions of the simplest shape, what each choice says is censored as the one text that it is.
fn one_text(before: &[(String, String)], after: &[(String, String)], whole: &Outcome, job: &Job) {
    let Some(said) = chat(before) else { return };
    let now = chat(after).unwrap_or_else(|| panic!("another shape: {}", shown(&whole.out)));
    for (index, text) in &said {
        // A text that is JSON by itself is read as that.
        if text.trim_start().starts_with(['{', '[', '"']) {
            continue;
        }
        let Some(expected) = values::censored(job, text.as_bytes(), &mut Vec::new()) else { continue };
        let found = now.iter().find(|(other, _)| other == index).map_or("", |(_, text)| text);
        assert_eq!(found, String::from_utf8_lossy(&expected), "of choice {index}");
    }
}

/// What each choice says, if every event is a piece of a choice and nothing else.
fn chat(events: &[(String, String)]) -> Option<Vec<(u64, String)>> {
    let mut said: Vec<(u64, String)> = Vec::new();
    for (name, data) in events {
        let event: Value = serde_json::from_str(data).ok()?;
        let object = event.as_object().filter(|object| object.len() == 1 && name.is_empty())?;
        let [choice] = &object.get("choices")?.as_array()?[..] else { return None };
        let choice = choice.as_object().filter(|choice| choice.len() == 2)?;
        let delta = choice.get("delta")?.as_object().filter(|delta| delta.len() == 1)?;
        let index = choice.get("index")?.as_u64()?;
        let text = delta.get("content")?.as_str()?;
        // A member that stands twice is seen once by this reader.
        if data.matches(':').count() != 4 + text.matches(':').count() {
            return None;
        }
        match said.iter_mut().find(|(other, _)| *other == index) {
            Some((_, before)) => before.push_str(text),
            None => said.push((index, text.to_owned())),
        }
    }
    Some(said)
}
