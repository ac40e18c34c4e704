//! Reads the files of a configuration: `consentry.yaml` and the folders beside it.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

/// A configuration file is text for people; a larger one is a mistake, or not ours.
const LARGEST: u64 = 4 << 20;

/// One file's text.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// As the operator will read it in an error: relative to the working folder if possible.
    pub(super) name: String,
    pub(super) text: String,
}

/// All files of a configuration.
#[derive(Debug)]
pub(super) struct Files {
    /// The folder that relative paths start from.
    pub(super) base: PathBuf,
    pub(super) main: Text,
    pub(super) tenants: Vec<Text>,
    pub(super) apis: Vec<Text>,
    pub(super) rules: Vec<Text>,
    pub(super) policies: Vec<Text>,
}

/// Reads them all, or says what is missing.
pub(super) fn read(path: &Path) -> Result<Files, Vec<Diagnostic>> {
    let main = if path.is_dir() { path.join("consentry.yaml") } else { path.to_owned() };
    let base = main.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut errors = Vec::new();
    let text = match one(&main) {
        Ok(text) => text,
        Err(error) => return Err(vec![error]),
    };
    let mut folder = |name: &str| match all(&base.join(name)) {
        Ok(texts) => texts,
        Err(error) => {
            errors.extend(error);
            Vec::new()
        }
    };
    let (tenants, apis, rules, policies) =
        (folder("tenants"), folder("apis"), folder("rules"), folder("policies"));
    if errors.is_empty() {
        Ok(Files { base, main: text, tenants, apis, rules, policies })
    } else {
        Err(errors)
    }
}

/// Reads one file.
pub(super) fn one(path: &Path) -> Result<Text, Diagnostic> {
    let name = path.display().to_string();
    let size =
        std::fs::metadata(path).map_err(|e| Diagnostic::whole(&name, format!("can't be read: {e}")))?.len();
    if size > LARGEST {
        return Err(Diagnostic::whole(
            &name,
            format!("has {size} bytes; a configuration file has at most {LARGEST}"),
        ));
    }
    let text =
        std::fs::read_to_string(path).map_err(|e| Diagnostic::whole(&name, format!("can't be read: {e}")))?;
    Ok(Text { name, text })
}

/// Every `*.yaml` and `*.yml` of a folder, by name. A folder that is not there is empty. Kubernetes' own `..data`
/// links are passed over.
pub(super) fn all(folder: &Path) -> Result<Vec<Text>, Vec<Diagnostic>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"))
        .filter(|path| path.file_name().is_some_and(|n| !n.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort();
    let (texts, errors): (Vec<_>, Vec<_>) = paths.iter().map(|p| one(p)).partition(Result::is_ok);
    let errors: Vec<_> = errors.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok(texts.into_iter().filter_map(Result::ok).collect()) } else { Err(errors) }
}
