use std::sync::LazyLock;

use super::Catalog;

mod answers;
mod anthropic;
mod apis;
mod doccano;
mod enforced;
mod faults;
mod kinds;
mod label_studio;
mod openai;
mod paths;
mod queries;
mod templates;

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
