//! What a profile can't tell: bodies that an API takes. A small file of data for each profile
//! (`config/conformance/NAME.yaml`); an id of the caller's own stands in it as `$(kind)` or `$(kind:name)`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, from_yaml, nearest};
use crate::names::{Kind, OperationId};
use crate::pointer::Pointer;

/// The samples that come with the profiles.
const BUILTIN: [(&str, &str, &str); 1] =
    [("openai", "config/conformance/openai.yaml", include_str!("../../config/conformance/openai.yaml"))];

/// The samples of one profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    #[serde(default)]
    profile: String,
    /// Requests, by operation.
    #[serde(default)]
    operations: BTreeMap<String, Vec<Sample>>,
    /// Kinds that come into being by themselves some time after the call, by the operation that shows them.
    #[serde(default)]
    waits: BTreeMap<String, Vec<Kind>>,
    /// What changes in an answer by itself, by operation.
    #[serde(default)]
    varies: BTreeMap<String, Vec<Pointer>>,
}

/// One request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    /// What is made with it is known by this name.
    #[serde(default, rename = "as")]
    pub(super) name: Option<String>,
    /// It is sent as it is to make something. False: only with the ids of others.
    #[serde(default = "yes")]
    pub(super) make: bool,
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) json: Option<Value>,
    /// The texts of a form.
    #[serde(default)]
    pub(super) form: BTreeMap<String, String>,
    /// The files of a form.
    #[serde(default)]
    pub(super) files: BTreeMap<String, File>,
}

/// A file of a form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
    #[serde(default = "octets", rename = "type")]
    pub(super) media: String,
    pub(super) text: String,
}

const fn yes() -> bool {
    true
}

fn octets() -> String {
    "application/octet-stream".to_owned()
}

impl Samples {
    /// The samples for a profile: the operator's file (`FOLDER/conformance/NAME.yaml`), or those that come with it.
    ///
    /// # Errors
    /// What is wrong in the file.
    pub fn of(catalog: &Catalog, folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        let path = folder.join("conformance").join(format!("{}.yaml", catalog.name()));
        let shown = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(catalog, &shown, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                match BUILTIN.iter().find(|(name, _, _)| *name == catalog.name()) {
                    Some((_, file, text)) => Self::parse(catalog, file, text),
                    None => Ok(Self::default()),
                }
            }
            Err(error) => Err(vec![Diagnostic::whole(&shown, format!("it can't be read: {error}"))]),
        }
    }

    /// Reads a file of samples and checks its names against the profile's.
    ///
    /// # Errors
    /// What is wrong in it.
    pub fn parse(catalog: &Catalog, file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let samples: Self = from_yaml(file, text).map_err(|error| vec![error])?;
        let mut errors = Vec::new();
        let mut error = |message: String| errors.push(Diagnostic::whole(file, message));
        if samples.profile != catalog.name() {
            error(format!("it is for profile `{}`, not for `{}`", samples.profile, catalog.name()));
        }
        let named = samples.operations.keys().chain(samples.waits.keys()).chain(samples.varies.keys());
        for name in named {
            if catalog.operation(&OperationId::new(name)).is_none_or(|found| found.refused.is_some()) {
                let served = catalog.operations().iter().filter(|o| o.refused.is_none());
                let near = nearest(name, served.map(|o| o.id.as_str()));
                let help = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                error(format!("the profile serves no operation `{name}`{help}"));
            }
        }
        let waited = samples.waits.values().flatten().cloned();
        let marked = samples.operations.values().flatten().flat_map(Sample::marks).map(|mark| mark.kind);
        for kind in waited.chain(marked) {
            if !catalog.kinds().any(|rule| *rule.kind() == kind) {
                error(format!("the profile has no kind `{kind}`"));
            }
        }
        if errors.is_empty() { Ok(samples) } else { Err(errors) }
    }

    /// The samples of an operation.
    pub(super) fn operation(&self, id: &OperationId) -> &[Sample] {
        self.operations.get(id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// What an operation's answer shows some time later.
    pub(super) fn waits(&self, id: &OperationId) -> &[Kind] {
        self.waits.get(id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// What changes by itself in an operation's answer.
    pub(super) fn varies(&self, id: &OperationId) -> &[Pointer] {
        self.varies.get(id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Where an id stands in a sample: `$(file:batch)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) kind: Kind,
    /// What it was made as, if that matters.
    pub(super) made_as: Option<String>,
    /// For people: `/messages/0/content/0/file/file_id`, `the form's field`.
    pub(super) place: String,
}

impl Sample {
    /// Every id that stands in it, in order.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        let _unfilled = self.filled(&mut |mark| {
            marks.push(mark.clone());
            Some(String::new())
        });
        marks
    }

    /// The sample with an id for each mark. None: one has no id.
    pub(super) fn filled(&self, id: &mut dyn FnMut(&Mark) -> Option<String>) -> Result<Self, Mark> {
        let mut sample = self.clone();
        if let Some(json) = &mut sample.json {
            fill_json(json, "", id)?;
        }
        for (name, value) in &mut sample.query {
            *value = fill(value, &format!("query `{name}`"), id)?;
        }
        for (name, value) in &mut sample.form {
            *value = fill(value, &format!("form `{name}`"), id)?;
        }
        for (name, file) in &mut sample.files {
            file.text = fill(&file.text, &format!("in the file `{name}`"), id)?;
        }
        Ok(sample)
    }
}

fn fill_json(here: &mut Value, at: &str, id: &mut dyn FnMut(&Mark) -> Option<String>) -> Result<(), Mark> {
    match here {
        Value::String(text) => *text = fill(text, at, id)?,
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill_json(item, &format!("{at}/{index}"), id)?;
            }
        }
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                let key = key.replace('~', "~0").replace('/', "~1");
                fill_json(value, &format!("{at}/{key}"), id)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn fill(text: &str, place: &str, id: &mut dyn FnMut(&Mark) -> Option<String>) -> Result<String, Mark> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("$(") {
        let Some((name, after)) = after.split_once(')') else { break };
        let (kind, made_as) = match name.split_once(':') {
            Some((kind, made_as)) => (kind, Some(made_as.to_owned())),
            None => (name, None),
        };
        let mark = Mark { kind: Kind::new(kind), made_as, place: place.to_owned() };
        out.push_str(before);
        out.push_str(&id(&mark).ok_or(mark)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests;
