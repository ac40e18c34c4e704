//! Rules of others, in our format: `gitleaks.toml`.
//!
//! A rule of gitleaks is a regular expression that is searched anywhere, with keywords that have to stand somewhere near. A rule
//! here begins at a literal and is bounded. What can be carried over is; what can't is said, rule by rule.

mod draft;
mod go;
mod prefix;
mod print;
mod source;
mod write;

use std::ops::Range;

use super::RuleSet;
use crate::diagnostic::Diagnostic;
use draft::Draft;
use source::{Allow, File, Rule};

/// What became of a file.
#[derive(Debug)]
pub struct Imported {
    /// A rule file.
    pub yaml: String,
    /// How many rules it has.
    pub rules: usize,
    /// What could not be carried over, or not as it was.
    pub notes: Vec<Note>,
}

/// Something that could not be carried over, or not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The rule; none: the file as a whole.
    pub rule: Option<String>,
    /// Its line.
    pub line: usize,
    /// The rule is not there, rather than there with a difference.
    pub dropped: bool,
    /// Why.
    pub why: String,
}

/// Converts a `gitleaks.toml`.
///
/// # Errors
/// The text is not such a file.
pub fn gitleaks(file: &str, text: &str) -> Result<Imported, Diagnostic> {
    let parsed =
        toml::from_str::<File>(text).map_err(|error| wrong(file, text, error.span(), error.message()))?;
    let known: toml::Table =
        text.parse().map_err(|error: toml::de::Error| wrong(file, text, error.span(), error.message()))?;
    let mut import = Import { file, text, notes: Vec::new(), rules: Vec::new(), ids: Vec::new() };
    import.file_as_a_whole(&parsed, &known);
    for rule in &parsed.rules {
        import.rule(rule, &parsed);
    }
    let yaml = write::file(file, &import.rules);
    Ok(Imported { yaml, rules: import.rules.len(), notes: import.notes })
}

fn wrong(file: &str, text: &str, span: Option<Range<usize>>, message: &str) -> Diagnostic {
    let at = span.map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let mut error = Diagnostic::whole(file, message.lines().next().unwrap_or_default());
    (error.line, error.column) = (line as u64, column as u64);
    error.with_source(text)
}

/// A rule as it will be written.
#[derive(Debug)]
struct Written {
    id: String,
    /// Of the rule that it was one of several ways of.
    entity: Option<String>,
    description: String,
    groups: Vec<String>,
    draft: Draft,
    entropy: Option<f64>,
    context: Vec<String>,
    allow: Vec<String>,
    stop_words: Vec<String>,
    line: usize,
}

struct Import<'a> {
    file: &'a str,
    text: &'a str,
    notes: Vec<Note>,
    rules: Vec<Written>,
    ids: Vec<String>,
}

/// What a rule or an allow-list may have. Anything else is said.
const OF_FILE: &[&str] =
    &["title", "description", "minVersion", "extend", "allowlist", "allowlists", "rules"];

impl Import<'_> {
    fn note(&mut self, rule: Option<&str>, line: usize, dropped: bool, why: impl Into<String>) {
        self.notes.push(Note { rule: rule.map(str::to_owned), line, dropped, why: why.into() });
    }

    fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count() + 1
    }

    fn file_as_a_whole(&mut self, file: &File, known: &toml::Table) {
        for name in known.keys().filter(|name| !OF_FILE.contains(&name.as_str())) {
            self.note(None, 1, false, format!("`{name}` means nothing here"));
        }
        if let Some(extend) = &file.extend {
            let why = if extend.use_default {
                "`extend.useDefault`: the built-in rules take their place"
            } else {
                "`extend`: other files are not followed; import them by themselves"
            };
            self.note(None, 1, false, why);
            if !extend.disabled_rules.is_empty() {
                let names = extend.disabled_rules.join(", ");
                let why =
                    format!("`extend.disabledRules`: set the action `allow` for them in a policy: {names}");
                self.note(None, 1, false, why);
            }
        }
        for list in file.allowlists() {
            for why in list.lost() {
                self.note(None, 1, false, format!("the global allow-list's {why}"));
            }
        }
    }

    fn rule(&mut self, rule: &Rule, file: &File) {
        let line = self.line(rule.id.span().start);
        let id = self.id(rule, line);
        let Some(regex) = &rule.regex else {
            let why = if rule.path.is_some() {
                "a rule about paths: only contents are looked at here"
            } else {
                "it has no `regex`"
            };
            return self.note(Some(&id), line, true, why);
        };
        if self.ids.contains(&id) {
            return self.note(Some(&id), line, true, "a rule of this id stands before it");
        }
        self.ids.push(id.clone());
        let drafts = match draft::of(regex.get_ref(), rule.secret_group) {
            Ok(drafts) => drafts,
            Err(why) => {
                let line = self.line(regex.span().start);
                return self.note(Some(&id), line, true, why);
            }
        };
        self.differences(rule, &id, line);
        let lists: Vec<&Allow> =
            file.allowlists().filter(|list| list.is_for(&id)).chain(rule.allowlists()).collect();
        for list in rule.allowlists() {
            for why in list.lost() {
                self.note(Some(&id), line, false, format!("its allow-list's {why}"));
            }
        }
        let several = drafts.len() > 1;
        if several {
            self.note(
                Some(&id),
                line,
                false,
                format!("it became {} rules, one for each of its ways", drafts.len()),
            );
        }
        let context = context(rule);
        if !context.is_empty() {
            let why =
                "its keywords are no part of its `regex`: one has to stand within 192 bytes before the value";
            self.note(Some(&id), line, false, why);
        }
        for (number, draft) in (1..).zip(drafts) {
            let own = if number == 1 { id.clone() } else { format!("{id}-{number}") };
            let written = Written {
                entity: several.then(|| super::policy::label_of(&id)),
                id: own,
                description: description(rule, &id),
                groups: groups(rule),
                entropy: rule.entropy.filter(|bits| *bits > 0.0),
                context: context.clone(),
                allow: self.expressions(&lists, &id, line),
                stop_words: lists.iter().filter(|l| l.counts()).flat_map(|l| l.stopwords.clone()).collect(),
                line,
                draft,
            };
            self.take(written);
        }
    }

    /// A rule that holds is taken, with what its draft has to say.
    fn take(&mut self, written: Written) {
        let text = write::file(self.file, std::slice::from_ref(&written));
        let wrong = match RuleSet::parse(self.file, &text) {
            Ok(rules) => rules.verify(usize::MAX).into_iter().next(),
            Err(error) => Some(error),
        };
        match wrong {
            None => {
                for why in written.draft.changes.clone() {
                    self.note(Some(&written.id), written.line, false, why);
                }
                self.rules.push(written);
            }
            Some(error) => {
                let why = error.message.split_once("`: ").map_or(error.message.as_str(), |(_, why)| why);
                self.note(Some(&written.id), written.line, true, why);
            }
        }
    }

    /// A name that rules may have.
    fn id(&mut self, rule: &Rule, line: usize) -> String {
        let id = rule.id.get_ref();
        let plain: String =
            id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
        let plain = plain.trim_matches('-').to_owned();
        if plain != *id {
            self.note(Some(&plain), line, false, format!("its id was `{}`", id.escape_debug()));
        }
        plain
    }

    fn differences(&mut self, rule: &Rule, id: &str, line: usize) {
        if rule.path.is_some() {
            self.note(Some(id), line, false, "its `path` is not looked at: it applies to all texts");
        }
        if rule.required.is_some() {
            self.note(
                Some(id),
                line,
                false,
                "its `required` rules are not asked for: it finds more than it did",
            );
        }
        if rule.skip_report {
            self.note(Some(id), line, false, "`skipReport` is not kept: what it finds counts");
        }
    }

    /// The expressions of its allow-lists that are about the value.
    fn expressions(&mut self, lists: &[&Allow], id: &str, line: usize) -> Vec<String> {
        let mut kept = Vec::new();
        for text in
            lists.iter().filter(|list| list.counts() && list.is_about_the_value()).flat_map(|l| &l.regexes)
        {
            let text = go::translated(text);
            match regex::bytes::RegexBuilder::new(&text).unicode(false).build() {
                Ok(_) => kept.push(text),
                Err(_) => self.note(Some(id), line, false, "an expression of an allow-list can't be read"),
            }
        }
        kept
    }
}

/// Keywords that stand nowhere in the expression are words around the value.
fn context(rule: &Rule) -> Vec<String> {
    let Some(regex) = &rule.regex else { return Vec::new() };
    let text = regex.get_ref().to_lowercase().replace('\\', "");
    let inside = rule.keywords.iter().any(|word| text.contains(&word.to_lowercase()) || word.len() < 3);
    if inside { Vec::new() } else { rule.keywords.clone() }
}

fn description(rule: &Rule, id: &str) -> String {
    let text = rule.description.trim();
    if text.is_empty() { id.to_owned() } else { text.to_owned() }
}

fn groups(rule: &Rule) -> Vec<String> {
    let mut groups = vec!["secrets".to_owned(), "imported".to_owned()];
    for tag in &rule.tags {
        let plain: String = tag
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        if !plain.is_empty() && !groups.contains(&plain) {
            groups.push(plain);
        }
    }
    groups
}

#[cfg(test)]
mod tests;
