use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::{Catalog, Place};

mod answers;
mod anthropic;
mod argilla;
mod azure_openai;
mod doccano;
mod enforced;
mod faults;
mod fireworks;
mod kinds;
mod label_studio;
mod openai;
mod paths;
mod queries;
mod templates;
mod together;

/// The profile that comes with the gateway.
fn openai() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| loaded(Catalog::builtin("openai")));
    &CATALOG
}

fn loaded(result: Result<Catalog, Vec<crate::diagnostic::Diagnostic>>) -> Catalog {
    match result {
        Ok(catalog) => catalog,
        Err(errors) => panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// A path without the names of its parameters.
fn unnamed(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| path + "{}" + part.split_once('}').map_or("", |(_, rest)| rest))
}

/// The path parameters of served operations that nobody looks up, each behind its operation.
fn unchecked(catalog: &Catalog) -> BTreeSet<String> {
    let mut bare = BTreeSet::new();
    for operation in catalog.operations().iter().filter(|operation| operation.refused.is_none()) {
        for name in operation.template.split('{').skip(1) {
            let name = name.split(['}', ':']).next().unwrap_or_default();
            let used = |place: &Place| matches!(place, Place::Path(path) if **path == *name);
            if !operation.uses.iter().any(|one| used(&one.place)) {
                bare.insert(format!("{} {name}", operation.id));
            }
        }
    }
    bare
}

/// What every small profile of these tests begins with.
const HEAD: &str = "profile: test
headers:
  request: {others: drop}
  response: {others: drop}
errors:
  content_type: application/json
  body: {error: {message: $message}}
  event: {error: {message: $message}}
  types: {default: api_error}
  request_id: x-request-id
";

/// A profile of a few operations, with one kind of each sort.
fn small(operations: &str) -> Catalog {
    let kinds = "kinds:
  thing: {owned: ['[a-zA-Z0-9:%/. _-]+'], adopted: true, not_found: {message: no}}
  number: {numeric: true, adopted: true, not_found: {message: no}}
";
    loaded(Catalog::parse("small.yaml", &format!("{HEAD}{kinds}operations:\n{operations}")))
}
