//! What came from what, as people and programs read it: a tree, JSON, a picture.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::names::Via;
use crate::store::{Edge, Lineage, Node, Resource, State, StoreError, Towards};

/// The longest lineage that is read, in steps of each way.
const STEPS: u32 = 10_000;

/// A resource, what it came from and what came of it.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The resource.
    pub of: Node,
    /// What it came from, nearest first.
    pub from: Vec<Edge>,
    /// What came of it, nearest first.
    pub into: Vec<Edge>,
}

impl Graph {
    /// Reads the lineage of a resource; none if it is not on record.
    ///
    /// # Errors
    /// If the store can't tell.
    pub async fn read(registry: &dyn Lineage, of: Resource) -> Result<Option<Self>, StoreError> {
        let Some(node) = registry.node(of.clone()).await? else { return Ok(None) };
        let from = registry.lineage(of.clone(), Towards::Parents, STEPS).await?;
        let into = registry.lineage(of, Towards::Children, STEPS).await?;
        Ok(Some(Self { of: node, from, into }))
    }

    /// Whether there is more than was read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let most = usize::try_from(STEPS).unwrap_or(usize::MAX);
        self.from.len() >= most || self.into.len() >= most
    }

    /// A tree of text: what it came from, then what came of it. A resource to which two ways lead is opened once.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", shown(&self.of));
        for (title, edges, towards) in
            [("came from", &self.from, Towards::Parents), ("what came of it", &self.into, Towards::Children)]
        {
            if edges.is_empty() {
                continue;
            }
            let _ = writeln!(out, "{title}");
            let mut steps: HashMap<&Resource, Vec<(&Node, &Edge)>> = HashMap::new();
            for edge in edges {
                let (near, far) = ends(edge, towards);
                steps.entry(&near.resource).or_default().push((far, edge));
            }
            let mut opened = HashSet::from([&self.of.resource]);
            // What is still to be written, the next one last: a long chain needs no deep stack.
            let mut left: Vec<(usize, &Node, &Edge)> = Vec::new();
            let more = |left: &mut Vec<_>, of: &Resource, depth| {
                let next = steps.get(of).into_iter().flatten().rev();
                left.extend(next.map(|(far, edge)| (depth, *far, *edge)));
            };
            more(&mut left, &self.of.resource, 1);
            while let Some((depth, node, edge)) = left.pop() {
                let via = edge.via.as_ref().map(|via| format!(", {via}")).unwrap_or_default();
                let first = opened.insert(&node.resource);
                let again = if first { "" } else { " (see above)" };
                let _ = writeln!(out, "{}{}{via}{again}", "  ".repeat(depth), shown(node));
                if first {
                    more(&mut left, &node.resource, depth + 1);
                }
            }
        }
        if self.is_cut() {
            out.push_str("there is more: ask for what stands at its end\n");
        }
        out
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let edges = |edges: &[Edge]| edges.iter().map(edge).collect::<Vec<_>>();
        json!({
            "resource": node(&self.of),
            "from": edges(&self.from),
            "into": edges(&self.into),
            "complete": !self.is_cut(),
        })
    }

    /// As a picture for Graphviz: arrows lead from what was there to what came of it.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
        let mut drawn = HashSet::new();
        let all = || self.from.iter().chain(&self.into);
        for node in std::iter::once(&self.of).chain(all().flat_map(|edge| [&edge.parent, &edge.child])) {
            if drawn.insert(&node.resource) {
                let bold = if node.resource == self.of.resource { ", penwidth=2" } else { "" };
                let gone = if node.ended { ", style=dashed" } else { "" };
                let label = format!("{}\n{}\n{}", node.resource.kind, node.resource.id, node.tenant);
                let _ = writeln!(
                    out,
                    "  {} [label={}{bold}{gone}];",
                    quoted(&name(&node.resource)),
                    quoted(&label)
                );
            }
        }
        for edge in all() {
            let (parent, child) = (name(&edge.parent.resource), name(&edge.child.resource));
            let via = edge.via.as_ref().map_or(edge.relation.as_str(), Via::as_str);
            let _ = writeln!(out, "  {} -> {} [label={}];", quoted(&parent), quoted(&child), quoted(via));
        }
        out.push_str("}\n");
        out
    }
}

/// The end of an edge that is nearer to where the walk began, and the other.
const fn ends(edge: &Edge, towards: Towards) -> (&Node, &Node) {
    match towards {
        Towards::Parents => (&edge.child, &edge.parent),
        Towards::Children => (&edge.parent, &edge.child),
    }
}

fn shown(node: &Node) -> String {
    let Resource { kind, id, .. } = &node.resource;
    let over = if node.ended { ", ended" } else { state(node.state) };
    format!("{kind} {} ({}{over})", id.escape_debug(), node.tenant)
}

const fn state(state: State) -> &'static str {
    match state {
        State::Active => "",
        State::Finished => ", finished",
        State::Quarantined => ", quarantined",
    }
}

fn node(node: &Node) -> Value {
    json!({
        "upstream": node.resource.upstream.as_str(),
        "kind": node.resource.kind.as_str(),
        "id": node.resource.id,
        "tenant": node.tenant.as_str(),
        "state": node.state.as_str(),
        "ended": node.ended,
    })
}

fn edge(edge: &Edge) -> Value {
    json!({
        "parent": node(&edge.parent),
        "child": node(&edge.child),
        "relation": edge.relation.as_str(),
        "via": edge.via.as_ref().map(Via::as_str),
        "depth": edge.depth,
    })
}

fn name(resource: &Resource) -> String {
    format!("{}/{}", resource.kind, resource.id)
}

/// A string of the DOT language.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests;
