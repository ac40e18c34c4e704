//! A privacy policy: settings under one name, and what each of its promises is kept by. The five that come with the program
//! are files like any other.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::files::Text;
use super::schema::{KeptBy, PolicyFile, PolicyOptions};
use crate::diagnostic::{Diagnostic, from_yaml};

/// The policies that come with the program: file and text.
const BUILTIN: [(&str, &str); 5] = [
    ("config/policies/otso.yaml", include_str!("../../config/policies/otso.yaml")),
    ("config/policies/platform.yaml", include_str!("../../config/policies/platform.yaml")),
    ("config/policies/pystorm.yaml", include_str!("../../config/policies/pystorm.yaml")),
    ("config/policies/sectorflow.yaml", include_str!("../../config/policies/sectorflow.yaml")),
    ("config/policies/wosom.yaml", include_str!("../../config/policies/wosom.yaml")),
];

/// A policy, read and checked in itself.
#[derive(Debug)]
pub struct Policy {
    /// The name that tenants write.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    /// Which version of the policy's text it stands for.
    pub version: String,
    /// What it sets.
    pub options: PolicyOptions,
    /// The same as it is written, for people.
    pub written: Value,
    /// What it promises.
    pub promises: Vec<Promise>,
    /// Where it was read.
    pub(super) file: Text,
}

/// A promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its row.
    pub id: String,
    /// What is promised.
    pub words: String,
    /// What keeps it.
    pub kept_by: Vec<KeptBy>,
    /// Tests that fail if it is broken.
    pub shown_by: Vec<String>,
}

/// How far a promise is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    Whole,
    /// A part of it.
    Partly,
    /// Nothing of it.
    NotYet,
}

impl Kept {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "kept",
            Self::Partly => "partly",
            Self::NotYet => "not yet",
        }
    }
}

impl Promise {
    /// How far it is kept.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let missing = self.kept_by.iter().filter(|kept| matches!(kept, KeptBy::NotYet(_))).count();
        match missing {
            0 => Kept::Whole,
            missing if missing == self.kept_by.len() => Kept::NotYet,
            _ => Kept::Partly,
        }
    }
}

impl Policy {
    /// Those that come with the program, by name.
    ///
    /// # Errors
    /// Only if the program was built with a broken file; the tests load them.
    pub fn builtin() -> Result<Vec<Self>, Vec<Diagnostic>> {
        let texts = BUILTIN.map(|(name, text)| Text { name: name.to_owned(), text: text.to_owned() });
        read(texts)
    }

    /// Those that come with the program, and those of a configuration's folder, which win by their names.
    ///
    /// # Errors
    /// With everything that is wrong in them.
    pub fn all(config: &Path) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let base = if config.is_dir() { config } else { config.parent().unwrap_or(config) };
        known(super::files::all(&base.join("policies"))?)
    }

    /// Reads one.
    ///
    /// # Errors
    /// With everything that is wrong in it.
    pub(super) fn parse(file: Text) -> Result<Self, Vec<Diagnostic>> {
        let raw: PolicyFile = from_yaml(&file.name, &file.text).map_err(|error| vec![error])?;
        let written: Value = from_yaml(&file.name, &file.text).map_err(|error| vec![error])?;
        let written = written.get("options").cloned().unwrap_or_else(|| serde_json::json!({}));
        let errors = faults(&file, &raw, &written);
        if !errors.is_empty() {
            return Err(errors);
        }
        let promises = raw.promises.into_iter().map(|spanned| {
            let entry = spanned.value;
            Promise { id: entry.id, words: entry.promise, kept_by: entry.kept_by, shown_by: entry.shown_by }
        });
        Ok(Self {
            name: raw.policy.value,
            title: raw.title,
            version: raw.version,
            options: raw.options,
            written,
            promises: promises.collect(),
            file,
        })
    }

    /// The promises that a setting keeps, by its JSON pointer: those that name it, what it is a part of, or a part of it.
    pub fn promised_by<'a>(&'a self, pointer: &'a str) -> impl Iterator<Item = &'a Promise> {
        let within = |at: &str, whole: &str| {
            at.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let names = move |kept: &KeptBy| match kept {
            KeptBy::Option(at) => within(pointer, at) || within(at, pointer),
            _ => false,
        };
        self.promises.iter().filter(move |promise| promise.kept_by.iter().any(names))
    }

    /// The promises that it keeps by a setting, as `POLICY/ROW`; by the policy's name alone, if no row names what it sets. Nothing,
    /// if it does not set it.
    #[must_use]
    pub fn rows(&self, pointer: &str) -> Vec<String> {
        if self.written.pointer(pointer).is_none() {
            return Vec::new();
        }
        let rows: Vec<String> =
            self.promised_by(pointer).map(|promise| format!("{}/{}", self.name, promise.id)).collect();
        if rows.is_empty() { vec![self.name.clone()] } else { rows }
    }

    /// What it sets, as JSON pointers and values, in the order of writing. An empty list is a value; an object is none.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        leaves(&self.written, String::new(), &mut found);
        found
    }
}

fn leaves(value: &Value, at: String, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(member, format!("{at}/{name}"), found);
            }
        }
        other => found.push((at, other.clone())),
    }
}

/// What is wrong in a policy by itself.
fn faults(file: &Text, raw: &PolicyFile, written: &Value) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let plain = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if !plain(&raw.policy.value) {
        let message = "a policy's name has 1 to 64 letters, digits, `-` and `_`";
        errors.push(Diagnostic::at(&file.name, raw.policy.referenced, message));
    }
    let mut ids = BTreeSet::new();
    for spanned in &raw.promises {
        let promise = &spanned.value;
        let mut fault =
            |message: String| errors.push(Diagnostic::at(&file.name, spanned.referenced, message));
        if !plain(&promise.id) || !ids.insert(promise.id.as_str()) {
            fault(format!("the promise `{}` has no plain id of its own", promise.id));
        }
        if promise.kept_by.is_empty() {
            fault(format!("nothing is said of what keeps {}; `not_yet` is an answer", promise.id));
        }
        for kept in &promise.kept_by {
            if let KeptBy::Option(at) = kept
                && (at.is_empty() || written.pointer(at).is_none())
            {
                fault(format!("{} is said to be kept by `{at}`, which this policy does not set", promise.id));
            }
        }
        if promise.kept_by.iter().any(|kept| !matches!(kept, KeptBy::NotYet(_)))
            && promise.shown_by.is_empty()
        {
            fault(format!("no test is named that shows {}", promise.id));
        }
        for test in promise.shown_by.iter().filter(|test| !test.contains("::")) {
            fault(format!("`{test}` names no test; write `path::name`"));
        }
    }
    errors.into_iter().map(|error| error.with_source(&file.text)).collect()
}

fn read(texts: impl IntoIterator<Item = Text>) -> Result<Vec<Policy>, Vec<Diagnostic>> {
    let mut policies: Vec<Policy> = Vec::new();
    let mut errors = Vec::new();
    for text in texts {
        match Policy::parse(text) {
            Ok(policy) if policies.iter().any(|known| known.name == policy.name) => {
                errors.push(Diagnostic::whole(
                    &policy.file.name,
                    format!("two files describe the policy `{}`", policy.name),
                ));
            }
            Ok(policy) => policies.push(policy),
            Err(wrong) => errors.extend(wrong),
        }
    }
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    if errors.is_empty() { Ok(policies) } else { Err(errors) }
}

/// Those that come with the program and those of a folder's files, which win by their names.
pub(super) fn known(texts: Vec<Text>) -> Result<Vec<Policy>, Vec<Diagnostic>> {
    let mut own = read(texts)?;
    let builtin = Policy::builtin()?;
    let missing: Vec<Policy> =
        builtin.into_iter().filter(|policy| own.iter().all(|mine| mine.name != policy.name)).collect();
    own.extend(missing);
    own.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(own)
}

/// Policies as tenants have them.
pub type Promised = Vec<Arc<Policy>>;
