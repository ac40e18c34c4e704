//! Is the end of a text the beginning of a literal?

use super::prefilter::{Literal, Run};

/// The proper beginnings of literals whose value begins with them.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// By byte in lower case.
    next: Vec<(u8, usize)>,
    /// What of the text before belongs to the value, too.
    run: Run,
}

impl Prefixes {
    /// The beginnings of these literals, as far as something must be held for them.
    pub(super) fn new<'a>(literals: impl Iterator<Item = &'a Literal>) -> Self {
        let mut tree = Self { nodes: vec![Node::default()] };
        for literal in literals {
            if let Some(run) = &literal.held {
                tree.add(literal.bytes(), run);
            }
        }
        tree
    }

    fn add(&mut self, bytes: impl Iterator<Item = u8>, run: &Run) {
        let mut at = 0;
        for byte in bytes {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = match node.next.iter().find(|(known, _)| *known == byte) {
                Some((_, next)) => *next,
                None => {
                    node.next.push((byte, fresh));
                    self.nodes.push(Node::default());
                    fresh
                }
            };
            if let Some(node) = self.nodes.get_mut(at) {
                node.run.set = node.run.set.with(&run.set);
                node.run.max = node.run.max.max(run.max);
            }
        }
    }

    /// If the whole rest is the beginning of a literal: what before it is held with it.
    pub(super) fn find(&self, rest: &[u8]) -> Option<&Run> {
        let mut node = self.nodes.first()?;
        for byte in rest {
            let byte = byte.to_ascii_lowercase();
            let (_, next) = node.next.iter().find(|(known, _)| *known == byte)?;
            node = self.nodes.get(*next)?;
        }
        (!rest.is_empty()).then_some(&node.run)
    }
}
