//! The file: its operations, with references followed. What stands in other files is not read.

use serde_json::{Map, Value};
use serde_saphyr::DuplicateKeyPolicy;

use crate::diagnostic::Diagnostic;

/// Nodes of a YAML file that are read at most.
const MAX_NODES: usize = 8_000_000;

/// How deep a file may nest.
const MAX_DEPTH: usize = 96;

/// References that lead to one another.
const MAX_HOPS: usize = 32;

/// Methods that a profile can serve, as the specification spells them.
const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

/// An OpenAPI file.
#[derive(Debug)]
pub struct Document {
    root: Value,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
    /// In a cookie.
    Cookie,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct Parameter<'d> {
    pub(super) name: &'d str,
    pub(super) stands: Stands,
    pub(super) required: bool,
    pub(super) schema: Option<&'d Value>,
}

/// A body in one media type.
#[derive(Clone, Debug)]
pub(super) struct Media<'d> {
    /// In lower case, without parameters.
    pub(super) name: String,
    pub(super) schema: Option<&'d Value>,
}

/// An operation as the file describes it.
#[derive(Clone, Debug)]
pub(super) struct Described<'d> {
    /// `operationId`, if there is one.
    pub(super) id: Option<&'d str>,
    /// In capitals.
    pub(super) method: String,
    /// With the server's prefix.
    pub(super) path: String,
    pub(super) parameters: Vec<Parameter<'d>>,
    pub(super) request: Vec<Media<'d>>,
    /// The bodies of successful answers.
    pub(super) response: Vec<Media<'d>>,
    /// Statuses of its answers.
    pub(super) statuses: Vec<&'d str>,
    /// The bodies of errors.
    pub(super) errors: Vec<Media<'d>>,
}

impl Document {
    /// Reads a file: JSON, if it starts as JSON does, or YAML.
    ///
    /// # Errors
    /// It is neither, or no OpenAPI 3.
    pub fn parse(file: &str, text: &str) -> Result<Self, Diagnostic> {
        let root: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| {
                let mut found = Diagnostic::whole(file, format!("not JSON: {error}"));
                found.line = u64::try_from(error.line()).unwrap_or(0);
                found.column = u64::try_from(error.column()).unwrap_or(0);
                found
            })?
        } else {
            let limits = serde_saphyr::budget! {
                max_nodes: MAX_NODES,
                max_events: 2 * MAX_NODES,
                max_depth: MAX_DEPTH,
            };
            let options = serde_saphyr::options! {
                budget: limits,
                duplicate_keys: DuplicateKeyPolicy::LastWins,
            };
            serde_saphyr::from_str_with_options(text, options).map_err(|error| {
                let message = error.without_snippet().to_string();
                let message = format!("not YAML: {}", message.lines().next().unwrap_or_default());
                match error.location() {
                    Some(at) => Diagnostic::at(file, at, message),
                    None => Diagnostic::whole(file, message),
                }
            })?
        };
        let version = root.get("openapi").map(|version| match version {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        match version {
            Some(version) if version.starts_with("3.") => {}
            Some(other) => {
                return Err(Diagnostic::whole(file, format!("OpenAPI {other} is not read; 3.0 and 3.1 are")));
            }
            None => {
                return Err(Diagnostic::whole(file, "no OpenAPI file: it has no member `openapi`")
                    .help("files of Swagger 2.0 are to be converted first"));
            }
        }
        if root.get("paths").and_then(Value::as_object).is_none_or(Map::is_empty) {
            return Err(Diagnostic::whole(file, "the file describes no paths"));
        }
        Ok(Self { root })
    }

    /// A text of `info`.
    pub(super) fn info(&self, name: &str) -> &str {
        self.root.get("info").and_then(|info| info.get(name)).and_then(Value::as_str).unwrap_or_default()
    }

    /// The path of the first server's URL, without a slash at its end. None, if it has variables.
    pub(super) fn prefix(&self) -> Option<String> {
        let url = self.root.get("servers").and_then(|servers| servers.get(0)).and_then(|s| s.get("url"));
        let url = url.and_then(Value::as_str).unwrap_or_default();
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default(),
            None => url.to_owned(),
        };
        let path = path.trim_end_matches('/');
        if path.contains('{') {
            return None;
        }
        Some(if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
    }

    /// Where references lead. Nothing, if that is in another file or nowhere.
    pub(super) fn resolve<'d>(&'d self, value: &'d Value) -> Option<&'d Value> {
        let mut value = value;
        for _ in 0..MAX_HOPS {
            match value.get("$ref").and_then(Value::as_str) {
                None => return Some(value),
                Some(to) => value = self.root.pointer(&unescaped(to.strip_prefix('#')?))?,
            }
        }
        None
    }

    /// The operations, in the order of the file.
    pub(super) fn operations(&self) -> Vec<Described<'_>> {
        let prefix = self.prefix().unwrap_or_default();
        let mut operations = Vec::new();
        let paths = self.root.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let Some(item) = self.resolve(item) else { continue };
            // What stands behind `?` or `#` tells operations of one path apart for readers only.
            let path = path.split(['?', '#']).next().unwrap_or_default();
            for method in METHODS {
                if let Some(operation) = item.get(method).filter(|operation| operation.is_object()) {
                    operations.push(self.described(item, operation, method, format!("{prefix}{path}")));
                }
            }
        }
        operations
    }

    fn described<'d>(
        &'d self,
        item: &'d Value,
        operation: &'d Value,
        method: &str,
        path: String,
    ) -> Described<'d> {
        let mut parameters: Vec<Parameter<'d>> = Vec::new();
        for list in [item, operation].map(|holder| holder.get("parameters").and_then(Value::as_array)) {
            for parameter in list.into_iter().flatten().filter_map(|value| self.parameter(value)) {
                // The operation's own goes before that of its path.
                parameters.retain(|p| p.name != parameter.name || p.stands != parameter.stands);
                parameters.push(parameter);
            }
        }
        let request = operation.get("requestBody").and_then(|body| self.resolve(body));
        let mut response = Vec::new();
        let mut errors = Vec::new();
        let mut statuses = Vec::new();
        for (status, answer) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
            statuses.push(status.as_str());
            let Some(answer) = self.resolve(answer) else { continue };
            let to = if status.starts_with('2') { &mut response } else { &mut errors };
            to.extend(media(answer));
        }
        Described {
            id: operation.get("operationId").and_then(Value::as_str),
            method: method.to_uppercase(),
            path,
            parameters,
            request: request.map(media).unwrap_or_default(),
            response,
            statuses,
            errors,
        }
    }

    fn parameter<'d>(&'d self, value: &'d Value) -> Option<Parameter<'d>> {
        let value = self.resolve(value)?;
        let stands = match value.get("in").and_then(Value::as_str)? {
            "path" => Stands::Path,
            "query" => Stands::Query,
            "header" => Stands::Header,
            _ => Stands::Cookie,
        };
        let of_content = || media(value).into_iter().next().and_then(|media| media.schema);
        let schema = value.get("schema").or_else(of_content);
        let required = value.get("required").and_then(Value::as_bool).unwrap_or(false);
        Some(Parameter { name: value.get("name").and_then(Value::as_str)?, stands, required, schema })
    }
}

/// The bodies that a request or an answer may have.
fn media(holder: &Value) -> Vec<Media<'_>> {
    let content = holder.get("content").and_then(Value::as_object);
    let named = content.into_iter().flatten().map(|(name, media)| Media {
        name: name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
        schema: media.get("schema"),
    });
    named.collect()
}

/// References are fragments of URLs: `%7B` is a brace.
fn unescaped(fragment: &str) -> String {
    percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned()
}
