//! What is asked? An API profile, method, path, headers and fields become an [`Operation`] and the resources
//! that it uses, creates, lists and ends. A profile is data (`config/apis/*.yaml`).

mod compile;
mod errors;
mod fill;
mod headers;
mod kind;
mod matcher;
mod operation;
mod path;
mod problem;
mod profile;
mod query;
mod recognised;
mod template;

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;

pub use errors::ErrorAnswer;
pub use fill::fill;
pub use headers::{HeaderRules, RequestHeader, ResponseHeader};
pub use kind::{IdClass, KindRule, RegistryIds};
pub use operation::*;
pub use problem::problem;
pub use profile::Profile;
pub use recognised::{Param, Params, Recognised};

use crate::diagnostic::Diagnostic;
use crate::names::{Kind, OperationId};
use crate::reason::{ConfiguredName, Reason, Refusal, SafeText};
use matcher::Matcher;

/// Name, file and text of a profile.
macro_rules! profile {
    ($name:literal) => {
        (
            $name,
            concat!("config/apis/", $name, ".yaml"),
            include_str!(concat!("../config/apis/", $name, ".yaml")),
        )
    };
}

/// The profiles that come with the gateway, by name.
const BUILTIN: [(&str, &str, &str); 7] = [
    profile!("openai"),
    profile!("anthropic"),
    profile!("label-studio"),
    profile!("doccano"),
    profile!("mlflow"),
    profile!("vllm"),
    profile!("tgi"),
];

/// A compiled API profile. It never changes.
#[derive(Debug)]
pub struct Catalog {
    name: Arc<str>,
    operations: Vec<Arc<Operation>>,
    /// The parameters of each operation's template, in order.
    params: Vec<Vec<ParamRule>>,
    by_id: HashMap<OperationId, usize>,
    matcher: Matcher,
    kinds: HashMap<Kind, KindRule>,
    unknown_kind: KindRule,
    errors: errors::ErrorShape,
    headers: HeaderRules,
    sized_requests: bool,
}

/// What is known of a path parameter.
#[derive(Clone, Debug)]
struct ParamRule {
    name: Arc<str>,
    numeric: bool,
}

impl Catalog {
    /// Reads and compiles a profile; `file` is its name in errors.
    ///
    /// # Errors
    /// Everything that is wrong in it, with file, line and column.
    pub fn parse(file: &str, yaml: &str) -> Result<Self, Vec<Diagnostic>> {
        let profile = profile::read(file, yaml)?;
        compile::compile(file, yaml, &profile)
    }

    /// A profile that comes with the gateway.
    ///
    /// # Errors
    /// An unknown name, with those that are known.
    pub fn builtin(name: &str) -> Result<Self, Vec<Diagnostic>> {
        match BUILTIN.iter().find(|(known, _, _)| *known == name) {
            Some((_, file, yaml)) => Self::parse(file, yaml),
            None => {
                let names: Vec<&str> = Self::builtin_names().collect();
                let error =
                    Diagnostic::whole(name, format!("no profile named `{name}` comes with the gateway"));
                Err(vec![error.help(format!("known are: {}", names.join(", ")))])
            }
        }
    }

    /// The names of the profiles that come with the gateway.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _, _)| *name)
    }

    /// The profile's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every operation, served or refused, in the order of the profile.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// An operation by its id (or one of its further ids).
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&Arc<Operation>> {
        self.operations.get(*self.by_id.get(id)?)
    }

    /// Every kind of resource.
    pub fn kinds(&self) -> impl Iterator<Item = &KindRule> {
        self.kinds.values()
    }

    /// The rule of a kind. For a kind that the profile does not describe, every id is malformed.
    #[must_use]
    pub fn kind(&self, kind: &Kind) -> &KindRule {
        self.kinds.get(kind).unwrap_or(&self.unknown_kind)
    }

    /// Whether every request has to have a length.
    #[must_use]
    pub const fn sized_requests(&self) -> bool {
        self.sized_requests
    }

    /// What happens to headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderRules {
        &self.headers
    }

    /// What a request asks for. The path and the query are taken raw, as they stand in the request line
    /// (the route's prefix removed).
    ///
    /// # Errors
    /// `path_not_canonical`, `query_ambiguous`, `field_not_allowed` (a parameter that a closed query does not list),
    /// `operation_unknown`, or the reason for which the profile refuses the operation, with its name as detail.
    pub fn recognise(
        &self,
        method: &Method,
        raw_path: &str,
        raw_query: Option<&str>,
    ) -> Result<Recognised, Refusal> {
        self.recognise_with(method, Media::Json, raw_path, raw_query)
    }

    /// The operation that a method and a path are of, served or not, whatever else speaks against the request.
    #[must_use]
    pub fn operation_of(&self, method: &Method, media: Media, raw_path: &str) -> Option<&Arc<Operation>> {
        let (index, _) = self.matcher.find((method, media), raw_path).ok()?;
        self.operations.get(index)
    }

    /// As [`Catalog::recognise`], for a request whose body says what it is: an API may give one path several meanings by that.
    ///
    /// # Errors
    /// As [`Catalog::recognise`].
    pub fn recognise_with(
        &self,
        method: &Method,
        media: Media,
        raw_path: &str,
        raw_query: Option<&str>,
    ) -> Result<Recognised, Refusal> {
        let (index, captures) = self.matcher.find((method, media), raw_path)?;
        let unknown = || Refusal::new(Reason::OperationUnknown);
        let operation = self.operations.get(index).ok_or_else(unknown)?;
        if let Some(reason) = operation.refused {
            let name = ConfiguredName::assertion(operation.id.as_str());
            return Err(Refusal::new(reason).detail(SafeText::named("operation", &name)));
        }
        let rules = self.params.get(index).map(Vec::as_slice).unwrap_or_default();
        let mut path = Params::with_capacity(rules.len());
        for (rule, raw) in rules.iter().zip(captures.iter()) {
            let value = path::decode(raw)?;
            if rule.numeric && kind::leading_zero(&value) {
                return path::refuse("a number in it has a leading zero");
            }
            path.push(Param::new(Arc::clone(&rule.name), raw, &value));
        }
        let query = match raw_query {
            None | Some("") => Params::default(),
            Some(raw) => query::read(raw, operation)?,
        };
        Ok(Recognised { operation: Arc::clone(operation), path, query })
    }

    /// What a line of a batch file asks for: judged as the request that it will become.
    ///
    /// # Errors
    /// As [`Catalog::recognise`], and `field_not_allowed` for an operation that the lines may not ask for.
    pub fn recognise_line(&self, lines: &Lines, method: &str, url: &str) -> Result<Recognised, Refusal> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_invalid| Refusal::new(Reason::OperationUnknown))?;
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (url, None),
        };
        let recognised = self.recognise(&method, path, query)?;
        if lines.operations.contains(&recognised.operation.id) {
            return Ok(recognised);
        }
        let name = ConfiguredName::assertion(recognised.operation.id.as_str());
        Err(Refusal::new(Reason::FieldNotAllowed).detail(SafeText::named("a line asks for operation", &name)))
    }

    /// A refusal as the answer that the API itself would give, so that its clients raise their own exceptions.
    /// `not_found` is the kind of the resource that is unknown: the answer is then the same, to the byte, for every
    /// id of the kind, whatever the refusal's detail says.
    #[must_use]
    pub fn error(&self, refusal: &Refusal, request_id: &str, not_found: Option<&Kind>) -> ErrorAnswer {
        let rule = not_found.and_then(|kind| self.kinds.get(kind));
        self.errors.answer(refusal, request_id, rule.map(|rule| &rule.not_found))
    }

    /// Whether the upstream's own words for a status would tell of the account.
    #[must_use]
    pub fn tells_of_account(&self, status: http::StatusCode) -> bool {
        self.errors.own_words.contains(&status.as_u16())
    }

    /// A refusal as the event that ends a stream, with the empty line behind it.
    #[must_use]
    pub fn error_event(&self, refusal: &Refusal, request_id: &str) -> String {
        self.errors.event(refusal, request_id)
    }
}

#[cfg(test)]
mod tests;
