//! Every rule that is on, in twelve contexts: assignment, JSON, YAML, log line, prose, code, settings, header, table, command
//! line, Markdown, XML.
//!
//! The values come from the rules' own examples. A value that is found alone stands in each context under a name that
//! says nothing; one that isn't stands under the words its rule needs.

use std::collections::BTreeMap;

use consentry::censor::rules::{Rule, RuleSpec};
use consentry::censor::{Action, Context, Engine, Finding, Policy, RuleSet};

/// Contexts for values that need no word beside them.
const PLAIN: &[(&str, &str)] = &[
    ("assignment", "export X_VALUE={v}\n"),
    ("assignment", "x = \"{v}\";"),
    ("json", "{\"a\": 1, \"x\": \"{v}\", \"b\": [true]}"),
    ("json", "{\\\"x\\\":\\\"{v}\\\",\\\"b\\\":2}"),
    ("yaml", "items:\n  - x: {v}\n  - y: 2\n"),
    ("log", "2026-11-22T10:00:00.123Z INFO [worker-7] got {v}, going on"),
    ("log", "level=info x={v} took=12ms"),
    ("prose", "I pasted {v} into the chat by mistake, is that bad?"),
    ("prose", "It is ({v}). Thanks"),
    ("code", "fetch(url, { headers: { 'X-Thing': '{v}' } })"),
    ("code", "let x: &str = \"{v}\";"),
    ("code", "x := \"{v}\"\nreturn x, nil"),
    ("env", "PORT=8080\nX_VALUE={v}\nMODE=live\n"),
    ("header", "Accept: */*\r\nX-Thing: {v}\r\n\r\n"),
    ("csv", "7,{v},main account\n"),
    ("csv", "name;\"{v}\";2\n"),
    ("shell", "./deploy --x '{v}' --region eu-west-1"),
    ("markdown", "Use `{v}` here, or\n\n```\n{v}\n```\n"),
    ("xml", "<x>{v}</x>"),
];

/// Contexts for values under a word; `{w}` as written, `{n}` with `_`.
const NAMED: &[(&str, &str)] = &[
    ("assignment", "{n}={v}\n"),
    ("assignment", "{n} = \"{v}\""),
    ("json", "{\"id\": 7, \"{n}\": \"{v}\"}"),
    ("json", "{\\\"{n}\\\": \\\"{v}\\\"}"),
    ("yaml", "user:\n  {n}: {v}\n  x: 1\n"),
    ("yaml", "{n}: '{v}'\n"),
    ("log", "2026-11-22 10:00:00 DEBUG request {n}={v} status=200"),
    ("env", "PORT=8080\n{n}={v}\nMODE=live\n"),
    ("env", "export {n}='{v}'\n"),
    ("header", "curl -H 'X-{n}: {v}' https://api.acme.net/v1"),
    ("csv", "\"{n}\",\"{v}\"\n"),
    ("shell", "./deploy --{n} '{v}' --region eu-west-1"),
    ("code", "client = Client({n}='{v}', timeout=30)"),
    ("code", "let {n} = \"{v}\";"),
    ("code", "new Client({ {n}: '{v}' });"),
    ("prose", "Hello, the {w} is {v}. Can you check it?"),
    ("prose", "{w}: {v}\nThanks!"),
];

/// Around examples whose surroundings are the context.
const WRAPPED: &[(&str, &str)] = &[
    ("alone", "{e}"),
    ("log", "2026-11-22T10:00:00Z INFO ran {e} in 12 ms"),
    ("yaml", "script: |\n  {e}\nnext: 1\n"),
    ("prose", "Hi, what is wrong with this? {e} It worked yesterday."),
    ("markdown", "```sh\n{e}\n```\n"),
];

pub(crate) struct Outcome {
    /// Context → (bytes covered, bytes labelled).
    pub(crate) by_context: BTreeMap<&'static str, (usize, usize)>,
    /// Rule id → texts in which its value isn't wholly covered.
    pub(crate) misses: BTreeMap<String, Vec<String>>,
}

pub(crate) fn run(rules: &RuleSet, engine: &Engine) -> Outcome {
    let mut outcome = Outcome { by_context: BTreeMap::new(), misses: BTreeMap::new() };
    for rule in rules.iter().filter(|rule| rule.spec.action.0 != Action::Allow) {
        let Ok(alone) = Engine::compile(&rules.only(&rule.spec.id.value), &Policy::recommended()) else {
            continue;
        };
        for parts in &rule.spec.examples {
            let example = parts.value.concat();
            let Some((start, end)) = first(&alone, example.as_bytes(), None) else { continue };
            for (context, text, value) in texts(rule, &alone, &example, start, end) {
                measure(engine, rule, context, &text, &value, &mut outcome);
            }
        }
    }
    outcome
}

fn first(engine: &Engine, text: &[u8], field: Option<&str>) -> Option<(usize, usize)> {
    let mut found = Vec::new();
    engine.scan(text, Context { field }, &mut found);
    found.first().map(|finding: &Finding| (finding.start, finding.end))
}

fn texts(
    rule: &Rule,
    alone: &Engine,
    example: &str,
    start: usize,
    end: usize,
) -> Vec<(&'static str, String, String)> {
    let value = &example[start..end];
    let fill = |template: &str, word: &str| {
        let name = word.trim().trim_end_matches([':', '=']).replace([' ', '.'], "_");
        template.replace("{w}", word.trim()).replace("{n}", &name).replace("{v}", value)
    };
    let plain = first(alone, value.as_bytes(), None) == Some((0, value.len()));
    let multi = value.contains('\n');
    let list: Vec<(&'static str, String)> = if plain {
        let fits = |template: &&(&str, &str)| {
            !(multi
                && template.1.contains("{v}")
                && matches!(
                    template.0,
                    "yaml" | "assignment" | "log" | "env" | "header" | "csv" | "shell" | "code"
                ))
        };
        PLAIN.iter().filter(fits).map(|(context, template)| (*context, fill(template, ""))).collect()
    } else if let Some(word) = word(&rule.spec) {
        NAMED.iter().map(|(context, template)| (*context, fill(template, &word))).collect()
    } else {
        WRAPPED.iter().map(|(context, template)| (*context, template.replace("{e}", example))).collect()
    };
    list.into_iter().map(|(context, text)| (context, text, value.to_owned())).collect()
}

/// The word that a rule needs: a context word, or the name of its keyword.
fn word(spec: &RuleSpec) -> Option<String> {
    if let Some(context) = &spec.context {
        let plain = |word: &&String| word.is_ascii() && !word.ends_with(['"', '\'', '_', '-', '=']);
        return context.words.iter().find(plain).cloned();
    }
    let vendor = spec.groups.iter().any(|group| group == "secrets")
        && spec.pattern.as_ref().is_some_and(|pattern| pattern.value.contains("keys?|tokens?"));
    let keyword = spec.keywords.first().filter(|_| vendor)?;
    Some(format!("{} key", keyword.trim_end_matches(['_', '-', ' ', '.'])))
}

fn measure(
    engine: &Engine,
    rule: &Rule,
    context: &'static str,
    text: &str,
    value: &str,
    outcome: &mut Outcome,
) {
    let mut found = Vec::new();
    engine.scan(text.as_bytes(), Context::default(), &mut found);
    let Some(at) = text.find(value) else { return };
    let covered: usize = found
        .iter()
        .map(|finding| finding.end.min(at + value.len()).saturating_sub(finding.start.max(at)))
        .sum();
    let entry = outcome.by_context.entry(context).or_default();
    entry.0 += covered;
    entry.1 += value.len();
    if covered < value.len() {
        outcome.misses.entry(rule.spec.id.value.clone()).or_default().push(text.to_owned());
    }
}
