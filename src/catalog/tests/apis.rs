//! The profiles that come with the gateway, beside what their APIs publish.

use std::collections::BTreeSet;

use super::super::{Catalog, Place};
use crate::names::OperationId;

/// A profile, the operations that its API publishes (method, path and name), and the path parameters that name no resource.
const APIS: [(&str, &str, &[&str]); 3] = [
    ("vllm", include_str!("vllm-operations.txt"), &[]),
    ("mlflow", include_str!("mlflow-operations.txt"), &["deleteLoggedModelTag tag_key"]),
    ("tgi", include_str!("tgi-operations.txt"), &[]),
];

/// A path without the names of its parameters, and without the slash at its end that may stand there or not.
fn plain(path: &str) -> String {
    let mut parts = path.trim_end_matches('/').split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| path + "{}" + part.split_once('}').map_or("", |(_, rest)| rest))
}

#[test]
fn every_operation_that_an_api_publishes_is_named_at_its_place() {
    for (name, published, _) in APIS {
        let profile = super::loaded(Catalog::builtin(name));
        let mut known = BTreeSet::new();
        for line in published.lines().filter(|line| !line.starts_with('#')) {
            let [method, path, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let operation = profile.operation(&OperationId::new(id));
            let operation = operation.unwrap_or_else(|| panic!("{name}: no operation {id}"));
            assert_eq!(operation.method.as_str(), method, "{name} {id}");
            assert_eq!(plain(&operation.template), plain(path), "{name} {id}");
            known.insert(id);
        }
        assert!(known.len() > 9, "{name}: {}", known.len());
    }
}

/// What stands in a path is looked up, or said not to name anything.
#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    for (name, _, plain) in APIS {
        let profile = super::loaded(Catalog::builtin(name));
        let mut bare = BTreeSet::new();
        for operation in profile.operations().iter().filter(|operation| operation.refused.is_none()) {
            for param in operation.template.split('{').skip(1) {
                let param = param.split(['}', ':']).next().unwrap_or_default();
                let named = |place: &Place| matches!(place, Place::Path(path) if **path == *param);
                if !operation.uses.iter().any(|used| named(&used.place)) {
                    bare.insert(format!("{} {param}", operation.id));
                }
            }
        }
        assert_eq!(bare.iter().map(String::as_str).collect::<Vec<_>>(), plain, "{name}");
    }
}
