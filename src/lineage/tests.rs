use super::*;
use crate::names::{Kind, TenantId, UpstreamId};
use crate::store::Relation;

fn at(kind: &str, id: &str) -> Node {
    let resource = Resource { upstream: UpstreamId::new("u"), kind: Kind::new(kind), id: id.to_owned() };
    Node { resource, tenant: TenantId::new("acme"), ended: false, state: State::Active }
}

fn step(child: &Node, parent: &Node, via: &str, depth: u32) -> Edge {
    let (child, parent) = (child.clone(), parent.clone());
    Edge { child, parent, relation: Relation::Derived, via: Some(Via::new(via)), depth }
}

/// A circle, a resource that two ways lead to, and ids that a format could take for its own.
#[test]
fn a_lineage_is_a_tree_json_and_a_picture() {
    let (file, job, model) =
        (at("file", "f\"1\\"), at("job", "j"), Node { ended: true, ..at("model", "m\n2") });
    let into = vec![
        step(&job, &file, "training_file", 1),
        step(&model, &file, "grader", 1),
        step(&model, &job, "fine_tuned_model", 2),
        step(&file, &model, "model", 2),
    ];
    let graph = Graph { of: file, from: Vec::new(), into };
    let wanted = "file f\\\"1\\\\ (acme)\nwhat came of it\n  job j (acme), training_file\n    \
        model m\\n2 (acme, ended), fine_tuned_model\n      file f\\\"1\\\\ (acme), model (see above)\n  \
        model m\\n2 (acme, ended), grader (see above)\n";
    assert_eq!(graph.text(), wanted);
    let json = graph.json();
    assert_eq!(json["into"].as_array().unwrap().len(), 4);
    assert_eq!((&json["into"][2]["via"], &json["complete"]), (&json!("fine_tuned_model"), &json!(true)));
    let dot = graph.dot();
    assert!(dot.contains("\"file/f\\\"1\\\\\" -> \"job/j\" [label=\"training_file\"];"), "{dot}");
    // Three resources and four arrows, each on a line of its own, whatever their ids hold.
    assert_eq!(dot.lines().count(), 3 + 3 + 4 + 1, "{dot}");
}
