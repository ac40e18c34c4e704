//! From one rule as written to what matches it. Everything that can be wrong with a rule is found here, with its
//! place in the file. What comes out doesn't depend on a policy, so engines share it.

use std::sync::Arc;

use aho_corasick::AhoCorasick;
use regex::bytes::{RegexSet, RegexSetBuilder};
use regex_syntax::hir::Hir;
use serde_saphyr::Spanned;

use super::bytes::{ByteSet, free_before_byte};
use super::filter::{Context, Filter, is_separator};
use super::mark::is_label;
use super::matcher::{FieldValue, MAX_SWALLOW, MAX_WINDOW, Matcher, PatternMatcher, SwallowMatcher};
use super::pattern::{self, Automaton, MAX_BEFORE, MAX_PATTERN};
use super::prefilter::{Beside, LITERAL_MAX, LITERAL_MIN, Literal, Run};
use super::rules::{Boundary, ContextMode, Rule};
use super::scanner::{self, Trigger, Wiring};
use super::validate;
use crate::diagnostic::{Diagnostic, nearest};

/// A rule, ready to be put into an engine.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) matcher: Matcher,
    pub(super) field: Option<FieldValue>,
    pub(super) filter: Filter,
    pub(super) left: Boundary,
    pub(super) right: Boundary,
    /// Where the matcher is asked.
    pub(super) triggers: Vec<Trigger>,
    /// What can stand before an anchor and belong to the value.
    pub(super) runs: Vec<Run>,
    /// Longest match in bytes.
    pub(super) longest: usize,
}

impl Prepared {
    /// Bytes of its automata.
    pub(super) fn bytes(&self) -> usize {
        let field = match &self.field {
            Some(FieldValue::Whole(automaton)) if matches!(self.matcher, Matcher::Scanner(_)) => {
                automaton.bytes()
            }
            _ => 0,
        };
        let Matcher::Pattern(pattern) = &self.matcher else { return field };
        let until = pattern.swallow.as_ref().and_then(|swallow| swallow.until.as_ref());
        let others = [pattern.before.as_ref(), pattern.lead.as_ref(), pattern.trail.as_ref(), until];
        pattern.value.bytes() + others.into_iter().flatten().map(Automaton::bytes).sum::<usize>()
    }
}

impl Rule {
    /// What matches the rule, made once and kept.
    pub(super) fn prepared(&self) -> Result<Arc<Prepared>, Diagnostic> {
        self.prepared.get_or_init(|| Preparation { rule: self }.run().map(Arc::new)).clone()
    }
}

struct Preparation<'a> {
    rule: &'a Rule,
}

impl Preparation<'_> {
    fn error(&self, message: impl AsRef<str>) -> Diagnostic {
        self.error_at(self.rule.location, message)
    }

    fn error_at(&self, location: serde_saphyr::Location, message: impl AsRef<str>) -> Diagnostic {
        let message = format!("rule `{}`: {}", self.rule.spec.id.value, message.as_ref());
        Diagnostic::at(&self.rule.file, location, message)
    }

    /// Runs a check on a spanned text; an error of it stands at that text.
    fn checked<T>(
        &self,
        text: &Spanned<String>,
        check: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Diagnostic> {
        check(&text.value).map_err(|message| self.error_at(text.referenced, message))
    }

    fn run(&self) -> Result<Prepared, Diagnostic> {
        self.check_names()?;
        let spec = &self.rule.spec;
        let mut prepared = self.matcher()?;
        prepared.filter = self.filter()?;
        if !spec.fields.is_empty() {
            prepared.field = Some(match (&prepared.matcher, &spec.pattern) {
                (Matcher::Pattern(pattern), _) => FieldValue::Whole(Arc::clone(&pattern.value)),
                (_, Some(text)) => {
                    let parts = self.checked(text, pattern::parse_parts)?;
                    let whole = self.checked(text, |_| Automaton::forward(&parts.value))?;
                    FieldValue::Whole(Arc::new(whole))
                }
                (_, None) => FieldValue::Any,
            });
        }
        Ok(prepared)
    }

    fn empty(&self, matcher: Matcher) -> Prepared {
        Prepared {
            matcher,
            field: None,
            filter: Filter::default(),
            left: self.rule.spec.left,
            right: self.rule.spec.right,
            triggers: Vec::new(),
            runs: Vec::new(),
            longest: 0,
        }
    }

    fn matcher(&self) -> Result<Prepared, Diagnostic> {
        let spec = &self.rule.spec;
        let ways = [!spec.keywords.is_empty(), spec.anchor.is_some(), spec.scanner.is_some()];
        match (ways.iter().filter(|way| **way).count(), &spec.pattern) {
            (0, _) if !spec.fields.is_empty() => Ok(self.empty(Matcher::FieldOnly)),
            (1, _) if let Some(name) = spec.scanner => {
                let Wiring { scanner, triggers, runs, longest } = scanner::wiring(name);
                Ok(Prepared { triggers, runs, longest, ..self.empty(Matcher::Scanner(scanner)) })
            }
            (1, Some(pattern)) => self.pattern(pattern),
            (1, None) => Err(self.error("`keywords` and `anchor` need a `pattern`")),
            (0, _) => Err(self.error("one of `keywords`, `anchor`, `scanner` or `fields` is needed")),
            _ => Err(self.error("only one of `keywords`, `anchor` and `scanner` can be there")),
        }
    }

    fn pattern(&self, text: &Spanned<String>) -> Result<Prepared, Diagnostic> {
        let spec = &self.rule.spec;
        let parts = self.checked(text, pattern::parse_parts)?;
        let longest = parts.longest;
        if spec.max_length.is_some_and(|max| max < longest) {
            let message =
                format!("`max_length` is shorter than the pattern's longest match, {longest} bytes");
            return Err(self.error(message));
        }
        let build = |hir: &Hir| self.checked(text, |_| Automaton::forward(hir));
        let (before, run) = spec.before.as_ref().map(|before| self.before(before)).transpose()?.unzip();
        let held = run.filter(|_| parts.lead.is_none());
        let matcher = PatternMatcher {
            before,
            lead: parts.lead.as_ref().map(build).transpose()?,
            value: Arc::new(build(&parts.value)?),
            trail: parts.trail.as_ref().map(build).transpose()?,
            swallow: spec.swallow.as_ref().map(|_| self.swallow()).transpose()?,
        };
        let triggers = match spec.anchor {
            Some(_) => vec![Trigger::Digits { least: spec.min_digits.unwrap_or(1), looks: None }],
            None => self.keywords(&matcher, held.unwrap_or_default())?,
        };
        let runs = held.into_iter().collect();
        Ok(Prepared { triggers, runs, longest, ..self.empty(Matcher::Pattern(Box::new(matcher))) })
    }

    fn keywords(&self, matcher: &PatternMatcher, run: Run) -> Result<Vec<Trigger>, Diagnostic> {
        let mut triggers = Vec::new();
        for keyword in &self.rule.spec.keywords {
            let bytes = keyword.as_bytes();
            if bytes.len() < LITERAL_MIN {
                return Err(self.error(format!("keyword `{keyword}` is shorter than {LITERAL_MIN} bytes")));
            }
            if !matcher.can_begin_with(bytes) {
                return Err(
                    self.error(format!("no match of the pattern begins with the keyword `{keyword}`"))
                );
            }
            let swapped = |at: usize| -> Vec<u8> {
                let swap = |(index, byte): (usize, &u8)| if index == at { byte ^ 0x20 } else { *byte };
                bytes.iter().enumerate().map(swap).collect()
            };
            let folds = |at: usize| {
                bytes.get(at).is_some_and(u8::is_ascii_alphabetic) && matcher.can_begin_with(&swapped(at))
            };
            let next = ByteSet::of(|byte| matcher.can_begin_with(&[bytes, &[byte]].concat()));
            let known = bytes.get(..bytes.len().min(LITERAL_MAX)).unwrap_or(bytes);
            let left = self.rule.spec.left;
            let before = if matcher.before.is_some() {
                ByteSet::all()
            } else {
                ByteSet::of(|b| free_before_byte(left, b))
            };
            let beside = Beside { before, behind: next };
            let literal = Literal::new(known, folds, beside, matcher.value_within(known).then_some(run));
            if !triggers.iter().any(|other| matches!(other, Trigger::Literal(other) if *other == literal)) {
                triggers.push(Trigger::Literal(literal));
            }
        }
        Ok(triggers)
    }

    /// What stands before the anchor.
    fn before(&self, text: &Spanned<String>) -> Result<(Automaton, Run), Diagnostic> {
        let hir = self.checked(text, pattern::parse)?;
        let Some(longest) = hir.properties().maximum_len().filter(|n| *n <= MAX_BEFORE) else {
            let message = format!("`before` could be longer than {MAX_BEFORE} bytes");
            return Err(self.error_at(text.referenced, message));
        };
        let run = Run { set: pattern::alphabet(&hir), max: longest };
        self.checked(text, |_| Automaton::backward(&hir)).map(|automaton| (automaton, run))
    }

    fn swallow(&self) -> Result<SwallowMatcher, Diagnostic> {
        let Some(spec) = &self.rule.spec.swallow else { return Err(self.error("no `swallow`")) };
        if spec.max > MAX_SWALLOW {
            return Err(self.error(format!("`swallow.max` is at most {MAX_SWALLOW}")));
        }
        let until = |text: &Spanned<String>| {
            let hir = self.checked(text, pattern::parse)?;
            if hir.properties().minimum_len().is_none_or(|n| n == 0) {
                return Err(self.error_at(text.referenced, "`until` could be empty"));
            }
            self.checked(text, |_| Automaton::searching(&hir))
        };
        Ok(SwallowMatcher {
            members: self.checked(&spec.members, pattern::parse_class)?,
            until: spec.until.as_ref().map(until).transpose()?,
            max: spec.max,
        })
    }

    fn check_names(&self) -> Result<(), Diagnostic> {
        let spec = &self.rule.spec;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if spec.id.value.is_empty() || !spec.id.value.chars().all(plain) {
            return Err(self.error("an id has letters, digits, `-` and `_` only"));
        }
        if spec.entity.as_ref().is_some_and(|entity| !is_label(entity)) {
            return Err(self.error("an entity has 3 to 40 upper-case letters, digits and `_`"));
        }
        if !is_label(&spec.label()) {
            return Err(
                self.error("an id that is the label as well has 3 to 40 characters; or give it an `entity`")
            );
        }
        if !(1..=10).contains(&spec.severity) {
            return Err(self.error("`severity` is a number from 1 to 10"));
        }
        if spec.swallow.is_some() && (spec.keywords.is_empty() && spec.anchor.is_none()) {
            return Err(self.error("`swallow` needs `keywords`"));
        }
        Ok(())
    }

    fn filter(&self) -> Result<Filter, Diagnostic> {
        let spec = &self.rule.spec;
        let validator = match &spec.validator {
            None => None,
            Some(name) => Some((self.checked(name, known_validator)?, spec.checksum)),
        };
        let stop_words = if spec.stop_words.is_empty() { None } else { Some(self.folded(&spec.stop_words)?) };
        let allow = if spec.allow.is_empty() { None } else { Some(self.allow()?) };
        Ok(Filter { min_entropy: spec.min_entropy, validator, context: self.context()?, allow, stop_words })
    }

    fn folded<W: AsRef<[u8]>>(&self, words: &[W]) -> Result<AhoCorasick, Diagnostic> {
        let folded = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
        folded.map_err(|error| self.error(error.to_string()))
    }

    fn context(&self) -> Result<Option<Context>, Diagnostic> {
        let Some(context) = &self.rule.spec.context else { return Ok(None) };
        if context.words.is_empty() || context.words.iter().any(String::is_empty) {
            return Err(self.error("`context.words` needs words"));
        }
        if context.window > MAX_WINDOW {
            return Err(self.error(format!("`context.window` is at most {MAX_WINDOW}")));
        }
        Ok(Some(Context {
            words: self.folded(&context.words)?,
            names: self.folded(&bare(&context.words))?,
            window: context.window,
            mode: context.mode,
        }))
    }

    fn allow(&self) -> Result<RegexSet, Diagnostic> {
        for text in &self.rule.spec.allow {
            self.checked(text, |text| {
                let regex = regex::bytes::RegexBuilder::new(text).unicode(false).build();
                regex.map(drop).map_err(|e| e.to_string())
            })?;
        }
        let texts = self.rule.spec.allow.iter().map(|text| &text.value);
        let set = RegexSetBuilder::new(texts).unicode(false).size_limit(MAX_PATTERN << 10).build();
        set.map_err(|error| self.error(error.to_string()))
    }
}

/// Words without what separates their parts, as field names are compared.
pub(super) fn bare(words: &[String]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.bytes().filter(|byte| !is_separator(*byte)).collect()).collect()
}

fn known_validator(name: &str) -> Result<validate::Validator, String> {
    validate::by_name(name).ok_or_else(|| {
        let near =
            nearest(name, validate::names()).map(|n| format!(", did you mean `{n}`?")).unwrap_or_default();
        format!("unknown validator `{name}`{near}")
    })
}

impl Rule {
    /// Most bytes of a match, if the rule can be matched; 0 if it only looks at fields.
    #[must_use]
    pub fn longest(&self) -> Option<usize> {
        self.prepared().ok().map(|prepared| prepared.longest)
    }

    /// The context words without which there is no finding, and how far they may stand.
    pub(super) fn required_words(&self) -> Option<(&[String], usize)> {
        let spec = &self.spec;
        let context = spec.context.as_ref().filter(|context| context.mode == ContextMode::Required)?;
        // A valid checksum can stand for the word.
        let proven = spec.validator.is_some() && spec.checksum == super::rules::Checksum::Boost;
        (!proven).then_some((context.words.as_slice(), context.window))
    }
}
