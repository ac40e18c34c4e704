//! From a profile's file to a [`Catalog`]: names resolved, pointers and patterns parsed, every operation proven to be
//! reachable. All errors are reported, not the first.

mod answers;
mod checks;
mod fields;
mod kinds;
mod operation;
mod places;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::Method;
use serde_saphyr::Location;

use super::matcher::{self, Clash, Matcher};
use super::profile::{Part, Profile, RefusedAs, Text};
use super::template::{self, Segment, Span};
use super::{Catalog, KindRule, Media, Operation, Over, ParamRule, Place, life};
use crate::diagnostic::{Diagnostic, nearest};
use crate::names::{Kind, OperationId};
use crate::pointer::Pointer;
use crate::reason::Reason;

/// What the parts of the compilation share: the file, what is known so far, and the errors.
struct Compiler<'f> {
    file: &'f str,
    text: &'f str,
    profile: &'f Profile,
    kinds: BTreeMap<Kind, KindRule>,
    over: BTreeMap<Kind, Over>,
    parts: BTreeMap<&'f str, (&'f Part, Location)>,
    /// Parts that an operation includes.
    included: Vec<&'f str>,
    errors: Vec<Diagnostic>,
}

/// An operation that is compiled, with what the matcher needs and where it stands in the file.
struct Entry {
    operation: Operation,
    segments: Vec<Segment>,
    at: Location,
}

impl Compiler<'_> {
    fn error(&mut self, at: Location, message: impl Into<String>) -> &mut Diagnostic {
        self.errors.push(Diagnostic::at(self.file, at, message).with_source(self.text));
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    /// A name that stands for nothing, with what is allowed.
    fn unknown<'n>(&mut self, what: &str, name: &Text, known: impl Iterator<Item = &'n str> + Clone) {
        let help = match nearest(&name.value, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are: {}", known.collect::<Vec<_>>().join(", ")),
        };
        self.error(name.referenced, format!("unknown {what} `{}`", name.value)).help = Some(help);
    }

    fn pointer(&mut self, text: &Text) -> Option<Pointer> {
        match text.value.parse() {
            Ok(pointer) => Some(pointer),
            Err(error) => {
                self.error(text.referenced, format!("`{}` is no place in a JSON document", text.value))
                    .help = Some(format!("{error}"));
                None
            }
        }
    }

    fn pointers(&mut self, texts: &[Text]) -> Vec<Pointer> {
        texts.iter().filter_map(|text| self.pointer(text)).collect()
    }

    fn kind(&mut self, name: &Text) -> Option<Kind> {
        let kind = Kind::new(&name.value);
        if self.kinds.contains_key(&kind) {
            return Some(kind);
        }
        let known: Vec<String> = self.kinds.keys().map(ToString::to_string).collect();
        self.unknown("kind", name, known.iter().map(String::as_str));
        None
    }

    /// `GET /v1/files/{file_id}`.
    fn matches(&mut self, text: &Text) -> Option<(Method, Arc<str>, Vec<Segment>)> {
        let Some((method, path)) = text.value.split_once(' ') else {
            self.error(text.referenced, "expected a method and a path: `GET /v1/files/{file_id}`");
            return None;
        };
        const METHODS: [Method; 6] =
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD];
        let Some(known) = METHODS.iter().find(|known| known.as_str() == method) else {
            let name = Text::new(method.to_owned(), text.referenced, text.defined);
            self.unknown("method", &name, METHODS.iter().map(Method::as_str));
            return None;
        };
        match template::parse(path) {
            Ok(segments) => Some((known.clone(), Arc::from(path), segments)),
            Err(message) => {
                self.error(text.referenced, message);
                None
            }
        }
    }
}

/// Compiles a profile.
///
/// # Errors
/// Everything that is wrong in it.
pub(super) fn compile(file: &str, text: &str, profile: &Profile) -> Result<Catalog, Vec<Diagnostic>> {
    let mut compiler = Compiler {
        file,
        text,
        profile,
        kinds: BTreeMap::new(),
        over: BTreeMap::new(),
        parts: profile.parts.0.iter().map(|(n, p)| (n.value.as_str(), (p, n.referenced))).collect(),
        included: Vec::new(),
        errors: Vec::new(),
    };
    compiler.compile_kinds();
    let headers = compiler.compile_headers();
    let errors = compiler.compile_errors();
    let mut entries = Vec::new();
    for (name, raw) in &profile.operations.0 {
        entries.extend(compiler.compile_operation(name, raw));
    }
    compiler.compile_refused(&mut entries);
    compiler.check_names(&entries);
    compiler.check_parts();
    if compiler.errors.is_empty() {
        compiler.check_owners(&entries);
    }
    compiler.check_jobs(&entries);
    compiler.find_items(&mut entries);
    let matcher = compiler.compile_matcher(&entries);
    compiler.errors.sort_by_key(|error| (error.line, error.column));
    match (headers, errors) {
        (Some(headers), Some(errors)) if compiler.errors.is_empty() => {
            let params = entries.iter().map(|entry| param_rules(entry, &compiler.kinds)).collect();
            let operations: Vec<_> = entries.into_iter().map(|entry| Arc::new(entry.operation)).collect();
            let by_id = by_id(&operations);
            let lives = life::of(&operations, &compiler.over, compiler.kinds.keys().cloned());
            Ok(Catalog {
                name: Arc::from(profile.profile.as_str()),
                operations,
                params,
                by_id,
                matcher,
                kinds: compiler.kinds.into_iter().collect(),
                unknown_kind: KindRule::unknown(),
                lives,
                errors,
                headers,
                sized_requests: profile.sized_requests,
            })
        }
        _ => Err(compiler.errors),
    }
}

fn by_id(operations: &[Arc<Operation>]) -> HashMap<OperationId, usize> {
    let ids = operations.iter().enumerate();
    ids.flat_map(|(i, op)| std::iter::once(&op.id).chain(&op.also).map(move |id| (id.clone(), i))).collect()
}

/// What tells a request for it from those for others of its path.
const fn answers_to(operation: &Operation) -> (&Method, Media) {
    (&operation.method, operation.request.media())
}

/// A template with a slash at its end, where it had none, and the other way round.
fn other_end(segments: &[Segment]) -> Vec<Segment> {
    let mut other = segments.to_vec();
    let slash = Segment::Literal(Box::default());
    if other.last() == Some(&slash) && other.len() > 1 {
        other.pop();
    } else if !matches!(other.last(), Some(Segment::Param { span: Span::Rest, .. })) {
        other.push(slash);
    }
    other
}

fn param_rules(entry: &Entry, kinds: &BTreeMap<Kind, KindRule>) -> Vec<ParamRule> {
    let numeric = |name: &Arc<str>| {
        let uses = entry.operation.uses.iter().filter(|u| u.place == Place::Path(Arc::clone(name)));
        uses.filter_map(|u| kinds.get(&u.kind)).any(KindRule::numeric)
    };
    matcher::names(&entry.segments)
        .map(|name| ParamRule { name: Arc::clone(name), numeric: numeric(name) })
        .collect()
}

impl Compiler<'_> {
    fn compile_refused(&mut self, entries: &mut Vec<Entry>) {
        for group in &self.profile.refused {
            let reason = match group.reason {
                RefusedAs::Operation => Reason::OperationRefused,
                RefusedAs::Bypass => Reason::BypassRefused,
                RefusedAs::Upgrade => Reason::UpgradeRefused,
            };
            for (name, matches) in &group.operations.0 {
                let Some((method, path, segments)) = self.matches(matches) else { continue };
                let id = OperationId::new(&name.value);
                let operation = Operation { refused: Some(reason), ..operation::bare(id, method, path) };
                entries.push(Entry { operation, segments, at: name.referenced });
            }
        }
    }

    fn check_names(&mut self, entries: &[Entry]) {
        let mut seen: BTreeMap<&str, Location> = BTreeMap::new();
        for entry in entries {
            for id in std::iter::once(&entry.operation.id).chain(&entry.operation.also) {
                if let Some(first) = seen.insert(id.as_str(), entry.at) {
                    let line = first.line();
                    self.error(
                        entry.at,
                        format!("operation `{id}` is described twice, first in line {line}"),
                    );
                }
            }
        }
    }

    fn check_parts(&mut self) {
        let unused: Vec<_> = self
            .parts
            .iter()
            .filter(|(name, _)| !self.included.contains(name))
            .map(|(n, p)| (*n, p.1))
            .collect();
        for (name, at) in unused {
            self.error(at, format!("part `{name}` is included nowhere"));
        }
    }

    /// A kind whose ids have owners, but that nothing creates: nobody could ever own one.
    fn check_owners(&mut self, entries: &[Entry]) {
        for (name, raw) in &self.profile.kinds.0 {
            let created = entries
                .iter()
                .flat_map(|e| e.operation.creates.iter().chain(&e.operation.yields))
                .any(|creation| *creation.kind.as_str() == *name.value);
            if !created && !raw.adopted && (raw.numeric || !raw.owned.is_empty()) {
                self.error(
                    name.referenced,
                    format!("nobody can own a `{}`: no operation creates one", name.value),
                )
                .help = Some(
                    "name it in an operation's `creates` or `yields`, or say `adopted: true`".to_owned(),
                );
            }
        }
    }

    /// A kind of jobs that no operation shows: nobody could ask whether one is over.
    fn check_jobs(&mut self, entries: &[Entry]) {
        let shown = |kind: &Kind| {
            entries.iter().any(|entry| {
                let op = &entry.operation;
                op.refused.is_none()
                    && op.method == Method::GET
                    && op.uses.iter().any(|used| used.kind == *kind)
            })
        };
        let unseen: Vec<Kind> = self.over.keys().filter(|kind| !shown(kind)).cloned().collect();
        for (name, _) in &self.profile.kinds.0 {
            if unseen.contains(&Kind::new(&name.value)) {
                self.error(
                    name.referenced,
                    format!("no operation shows a `{}`, so `over` can't be asked", name.value),
                );
            }
        }
    }

    /// Builds the trie and proves that each operation is reached by a path of its own template.
    fn compile_matcher(&mut self, entries: &[Entry]) -> Matcher {
        let mut matcher = Matcher::new();
        for (index, entry) in entries.iter().enumerate() {
            let (id, at) = (&entry.operation.id, entry.at);
            match matcher.insert(answers_to(&entry.operation), &entry.segments, index) {
                Ok(()) => {}
                Err(Clash::Same(other)) => {
                    let (other, line) = (&entries[other].operation.id, entries[other].at.line());
                    self.error(at, format!("`{id}` matches the same requests as `{other}` in line {line}"));
                }
                Err(Clash::Form) => {
                    self.error(
                        at,
                        format!(
                            "`{id}` and another operation have parameters of different forms at one place"
                        ),
                    )
                    .help = Some("give both `:slash` or neither".to_owned());
                }
                Err(Clash::Crossed) => {
                    self.error(at, format!("a segment could be taken by `{id}` or by another operation"))
                        .help =
                        Some("one of the two needs more literal text around its parameter".to_owned());
                }
            }
        }
        if self.profile.optional_slash {
            for (index, entry) in entries.iter().enumerate() {
                // What has a template of its own keeps it.
                let _taken = matcher.insert(answers_to(&entry.operation), &other_end(&entry.segments), index);
            }
        }
        if self.errors.is_empty() {
            for (index, entry) in entries.iter().enumerate() {
                let path = matcher::sample(&entry.segments);
                let found = matcher.find(answers_to(&entry.operation), &path);
                let answers = found.ok().map(|(found, _)| found);
                if answers != Some(index) {
                    let id = &entry.operation.id;
                    let other = answers.map_or("nothing", |other| entries[other].operation.id.as_str());
                    self.error(entry.at, format!("`{id}` can't be reached: `{other}` answers in its place"));
                }
            }
        }
        matcher
    }
}
