//! The files that an operator writes: rules, profiles, configurations, and rules of others that are imported.

use consentry::catalog::Catalog;
use consentry::censor::{Context, Engine, Policy, RuleSet, import};
use consentry::config::{self, Mode};
use consentry::diagnostic::Diagnostic;

use super::input::Input;

/// So much text is a file here: what compiles patterns takes its time.
const LONGEST: usize = 8 * 1024;

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let Ok(text) = std::str::from_utf8(input.template) else { return };
    if text.len() > LONGEST {
        return;
    }
    match input.one_of(4) {
        0 => rules(text),
        1 => profile(text),
        2 => imported(text),
        _ => configuration(text),
    }
}

/// An error names a place that is there, and can be shown.
fn right(errors: &[Diagnostic], text: &str) {
    // To YAML a CR by itself ends a line.
    let lines = text.split(['\n', '\r']).count() as u64;
    for error in errors {
        assert!(error.line <= lines, "line {} of {lines}: {error}", error.line);
        assert!(!error.message.is_empty() && !error.to_string().is_empty());
    }
}

/// Rules that load compile or say why not, and what compiles finds the same however a text is cut.
fn rules(text: &str) {
    let (rules, errors) = RuleSet::parse_all("rules.yaml", text);
    right(&errors, text);
    if !errors.is_empty() || rules.len() > 8 {
        return;
    }
    let wrong = rules.verify(16 << 20);
    right(&wrong, text);
    let compiled = Engine::compile(&rules, &Policy::recommended());
    let Ok(engine) = compiled else { return };
    let mut found = Vec::new();
    engine.scan(text.as_bytes(), Context::default(), &mut found);
    assert!(found.iter().all(|finding| finding.start < finding.end && finding.end <= text.len()));
}

fn profile(text: &str) {
    match Catalog::parse("profile.yaml", text) {
        Ok(catalog) => {
            for operation in catalog.operations() {
                assert!(catalog.operation(&operation.id).is_some());
                let _found = catalog.recognise(&operation.method, &operation.template, None);
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            right(&errors, text);
        }
    }
}

/// What was imported is a rule file.
fn imported(text: &str) {
    match import::gitleaks("gitleaks.toml", text) {
        Ok(imported) => {
            let (rules, errors) = RuleSet::parse_all("imported.yaml", &imported.yaml);
            assert!(errors.is_empty(), "{errors:?}\n{}", imported.yaml);
            assert_eq!(rules.len(), imported.rules);
        }
        Err(error) => right(&[error], text),
    }
}

fn configuration(text: &str) {
    // Without tenants, for whom rules would be compiled.
    let folder = std::env::temp_dir().join(format!("consentry-fuzz-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("consentry.yaml"), text).unwrap();
    match config::load(&folder, Mode::Check, 1) {
        Ok(snapshot) => assert!(!snapshot.routes.is_empty() || snapshot.tenants.is_empty()),
        Err(errors) => {
            assert!(!errors.is_empty());
            right(&errors, text);
        }
    }
}
