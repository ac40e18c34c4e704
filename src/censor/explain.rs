//! Why does a rule find something at a place, or not? The engine's own decision, and which stage said no.

use super::bytes::free_before;
use super::confirm::{Decision, End, View, value_end};
use super::engine::Compiled;
use super::filter::Objection;
use super::matcher::{FieldValue, Matcher, PatternMatcher};
use super::pattern::Automaton;
use super::policy::CompileError;
use super::rules::{Rule, RuleSpec};
use super::scanner::Shape;
use super::{Action, Engine, Policy, RuleSet};

/// The stages that a value goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The look for keywords, digits and the like.
    Prefilter,
    /// What stands beside the match.
    Boundary,
    /// The pattern or the scanner.
    Pattern,
    /// Check digits and the like.
    Validator,
    /// How random it is.
    Entropy,
    /// Words before it.
    Context,
    /// Words in it.
    StopWord,
    /// The rule's allow-list.
    Allow,
    /// It is part of a replacement.
    Replaced,
}

impl Stage {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prefilter => "prefilter",
            Self::Boundary => "boundary",
            Self::Pattern => "pattern",
            Self::Validator => "validator",
            Self::Entropy => "entropy",
            Self::Context => "context",
            Self::StopWord => "stop-word",
            Self::Allow => "allow-list",
            Self::Replaced => "replacement",
        }
    }
}

/// What became of a place of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the value stands, or as much of it as was seen.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
    /// The value as it may be shown: stars, and a few characters at most. Empty if there is none.
    pub masked: String,
    /// None: it is found. Else the stage that said no, and why.
    pub refused: Option<(Stage, String)>,
}

/// Every place of a text that a rule looks at, and what came of it. The text itself is in none of it.
///
/// # Errors
/// The rule can't be matched as it is written. An unknown rule explains nothing.
pub fn explain(
    rules: &RuleSet,
    id: &str,
    text: &[u8],
    field: Option<&str>,
) -> Result<Vec<Place>, CompileError> {
    let Some(rule) = rules.get(id) else { return Ok(Vec::new()) };
    let engine = Engine::compile(&rules.only(id), &Policy::recommended().with(id, Action::Redact))?;
    let view = View { text, complete: true, field, labels: &engine.labels, exchange: None };
    let look = Look { engine: &engine, view, spec: &rule.spec };
    let mut places = Vec::new();
    for target in field.into_iter().flat_map(|name| engine.fields.matching(name)) {
        places.push(look.field(target));
    }
    let mut anchors = Vec::new();
    engine.prefilter.hits(text, 0, |at, hit| {
        engine.targets(&view, at, hit, None, |target| anchors.push((at, target)));
    });
    anchors.dedup();
    places.extend(anchors.into_iter().map(|(at, target)| look.place(target, at)));
    if places.is_empty() {
        let why = unseen(rule, text, field);
        places.push(Place {
            start: 0,
            end: 0,
            masked: String::new(),
            refused: Some((Stage::Prefilter, why)),
        });
    }
    Ok(places)
}

struct Look<'a> {
    engine: &'a Engine,
    view: View<'a>,
    spec: &'a RuleSpec,
}

type Refused = ((usize, usize), Stage, String);

impl Look<'_> {
    fn show(&self, (start, end): (usize, usize), refused: Option<(Stage, String)>) -> Place {
        let value = self.view.text.get(start..end).unwrap_or_default();
        let masked = if value.is_empty() {
            String::new()
        } else {
            super::exchange::masked(self.spec.is_secret(), value)
        };
        Place { start, end, masked, refused }
    }

    fn place(&self, target: u16, at: usize) -> Place {
        match self.engine.decide(&self.view, target, at) {
            Decision::Found { start, end, .. } => self.show((start, end), None),
            Decision::Open { start, .. } => self.show((start, self.view.text.len()), None),
            Decision::No | Decision::Undecided { .. } => {
                let replaced = ((at, at), Stage::Replaced, "a replacement stands there".to_owned());
                let rule = self.engine.rules.get(usize::from(target));
                let (range, stage, why) = rule.and_then(|rule| self.diagnose(rule, at)).unwrap_or(replaced);
                self.show(range, Some((stage, why)))
            }
        }
    }

    /// Goes the engine's way once more, to the stage that said no.
    fn diagnose(&self, rule: &Compiled, at: usize) -> Option<Refused> {
        let prepared = &rule.prepared;
        let (start, value, end) = match &prepared.matcher {
            Matcher::FieldOnly => return None,
            Matcher::Scanner(scanner) => match scanner.look(&self.view, at) {
                Shape::Value { start, value, end } => (start, value, end),
                _ => return Some(((at, at), Stage::Pattern, "the scanner sees no value there".to_owned())),
            },
            Matcher::Pattern(pattern) => match self.pattern(rule, pattern, at) {
                Ok(extent) => extent,
                Err(refused) => return Some(refused),
            },
        };
        let bytes = self.view.text.get(value..end)?;
        let objection = prepared.filter.objection(&self.view, start, bytes)?;
        let (stage, why) = self.words(objection);
        Some(((value, end), stage, why))
    }

    fn pattern(
        &self,
        rule: &Compiled,
        pattern: &PatternMatcher,
        at: usize,
    ) -> Result<(usize, usize, usize), Refused> {
        let (text, prepared) = (self.view.text, &rule.prepared);
        let no = |at: usize, stage: Stage, why: &str| Err(((at, at), stage, why.to_owned()));
        let start = match &pattern.before {
            Some(before) => match before.walk_back(text, at) {
                Some(start) => start,
                None => {
                    return no(at, Stage::Pattern, "what stands before the keyword does not match `before`");
                }
            },
            None => at,
        };
        if !free_before(prepared.left, &self.view, start) {
            return no(start, Stage::Boundary, "the byte before the match is one of `left`");
        }
        let value = match &pattern.lead {
            None => at,
            Some(lead) => match last(lead, text, at) {
                Some(value) => value,
                None => return no(at, Stage::Pattern, &reach(lead, text, at, "what leads to the value")),
            },
        };
        let from = if pattern.lead.is_some() { value } else { start };
        match value_end(&self.view, prepared, pattern, value) {
            End::At(end) => Ok((start, from, end)),
            _ => match last(&pattern.value, text, value) {
                Some(end) if pattern.trail.is_some() => Err((
                    (from, end),
                    Stage::Pattern,
                    "what has to stand behind the value does not".to_owned(),
                )),
                Some(end) => Err((
                    (from, end),
                    Stage::Boundary,
                    "the byte behind the value is one of `right`".to_owned(),
                )),
                None => no(value, Stage::Pattern, &reach(&pattern.value, text, value, "the value")),
            },
        }
    }

    /// The whole value of a field.
    fn field(&self, target: u16) -> Place {
        let whole = (0, self.view.text.len());
        if let Decision::Found { .. } = self.engine.decide_field(&self.view, target) {
            return self.show(whole, None);
        }
        let prepared = self.engine.rules.get(usize::from(target)).map(|rule| &rule.prepared);
        let matches = match prepared.and_then(|prepared| prepared.field.as_ref()) {
            Some(FieldValue::Whole(automaton)) => last(automaton, self.view.text, 0) == Some(whole.1),
            _ => true,
        };
        let objection =
            prepared.and_then(|prepared| prepared.filter.objection(&self.view, 0, self.view.text));
        let refused = match objection {
            _ if !matches => (Stage::Pattern, "the whole value of the field does not match".to_owned()),
            Some(objection) => self.words(objection),
            None => (Stage::Replaced, "the field is empty, or a replacement stands there".to_owned()),
        };
        self.show(whole, Some(refused))
    }

    fn words(&self, objection: Objection) -> (Stage, String) {
        let spec = self.spec;
        match objection {
            Objection::Validator => {
                let name = spec.validator.as_ref().map_or("", |name| name.value.as_str());
                (Stage::Validator, format!("`{name}` does not accept it"))
            }
            Objection::Entropy(bits) => {
                let least = spec.min_entropy.unwrap_or_default();
                (Stage::Entropy, format!("{bits:.2} bits a byte, and {least:.2} are needed"))
            }
            Objection::Context => {
                let window = spec.context.as_ref().map_or(0, |context| context.window);
                (Stage::Context, format!("none of the context words stands in the {window} bytes before it"))
            }
            Objection::StopWord => (Stage::StopWord, "it holds one of the stop words".to_owned()),
            Objection::Allow(number) => {
                let text = spec.allow.get(number).map_or("", |text| text.value.as_str());
                (Stage::Allow, format!("`{text}` matches it"))
            }
        }
    }
}

/// The longest match from a place on.
fn last(automaton: &Automaton, text: &[u8], at: usize) -> Option<usize> {
    let mut end = None;
    automaton.walk(text, at, true, |e| end = Some(e));
    end
}

/// How far a match got.
fn reach(automaton: &Automaton, text: &[u8], at: usize, what: &str) -> String {
    let mut state = automaton.start();
    let rest = text.get(at..).unwrap_or_default();
    let got = rest.iter().take_while(|byte| automaton.step(&mut state, **byte).is_some()).count();
    if got == rest.len() {
        format!("{what} is not whole where the text ends")
    } else {
        format!("{what} does not match beyond its byte {got}")
    }
}

/// Why nothing was looked at.
fn unseen(rule: &Rule, text: &[u8], field: Option<&str>) -> String {
    let spec = &rule.spec;
    let stands = |word: &&String| {
        !word.is_empty() && text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    match (&spec.keywords[..], spec.keywords.iter().find(stands)) {
        (_, Some(word)) => {
            format!("`{word}` stands in the text, but its case or what stands beside it does not fit")
        }
        ([_, ..], None) => "none of the keywords stands in the text".to_owned(),
        _ if spec.anchor.is_none() && spec.scanner.is_none() => match field {
            Some(_) => "the field's name is none of the rule's".to_owned(),
            None => "the rule looks at fields by their names only, and no field's name was given".to_owned(),
        },
        _ => match spec.min_digits {
            Some(least) => format!("no number of {least} digits or more that could begin a match"),
            None => "nothing stands in the text that the rule is anchored at".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
