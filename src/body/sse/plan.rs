//! The channels of an operation, compiled together with its watches and edits.

use std::sync::Arc;

use crate::body::json::{JsonPlan, PlanError, Watch};
use crate::catalog::{Channel, Edit};
use crate::pointer::{NotAPointer, Pointer, Step};

use super::loose;

/// What to know about the event streams of an operation.
#[derive(Debug)]
pub struct SsePlan {
    pub(crate) json: Arc<JsonPlan>,
    pub(crate) shapes: Vec<Shape>,
    /// The located watch that finds `/type`.
    pub(crate) kind: usize,
}

/// A channel of the profile.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) event: Option<Arc<str>>,
    pub(crate) whole: bool,
    /// The text is the data itself, which is no JSON.
    pub(crate) bare: bool,
    /// Located watches: the text, the keys, what ends the channel.
    pub(crate) text: usize,
    pub(crate) keys: Vec<Key>,
    pub(crate) finish: Option<Finish>,
}

#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) watch: usize,
    /// How many levels of its way it shares with the text's.
    pub(crate) shared: usize,
    /// It is the index of the item that both are in, which is where the item stands if it says nothing.
    pub(crate) index: bool,
}

/// A member beside the text's first wildcard that says why the text ended.
#[derive(Debug)]
pub(crate) struct Finish {
    pub(crate) watch: usize,
    /// Levels to the item that it belongs to.
    pub(crate) level: usize,
}

impl SsePlan {
    /// Compiles channels. The indexes of watches are those that the facts carry.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn compile(channels: &[Channel], watches: &[Watch], edits: &[Edit]) -> Result<Self, PlanError> {
        let place = |text: &str| text.parse().map_err(|_never: NotAPointer| PlanError::TooLarge);
        let mut located: Vec<Pointer> = vec![place("/type")?];
        let kind = watches.len();
        let mut locate = |pointer: &Pointer| {
            let at = located.iter().position(|other| other == pointer).unwrap_or_else(|| {
                located.push(pointer.clone());
                located.len() - 1
            });
            watches.len() + at
        };
        let mut shapes = Vec::new();
        for channel in channels {
            let steps = channel.text.steps();
            let item = steps.iter().position(|step| *step == Step::Any).map(|at| at + 1);
            let finish = item.and_then(|level| {
                let mut text: String = prefix(&channel.text, level);
                text.push_str("/finish_reason");
                Some(Finish { watch: locate(&Pointer::try_from(text).ok()?), level })
            });
            let keys = channel
                .keys
                .iter()
                .map(|key| {
                    let shared = shared(steps, key.steps());
                    let index =
                        matches!(key.steps().get(shared..), Some([Step::Key(last)]) if **last == *"index");
                    Key { watch: locate(key), shared, index }
                })
                .collect();
            shapes.push(Shape {
                event: channel.event.clone(),
                whole: channel.whole,
                bare: steps.is_empty(),
                text: locate(&channel.text),
                keys,
                finish,
            });
        }
        for text in loose::PLACES {
            locate(&place(text)?);
        }
        let json = Arc::new(JsonPlan::compile_located(watches, &located, edits)?);
        Ok(Self { json, shapes, kind })
    }
}

/// How many steps two pointers begin with in common, as far as each stands for one level.
fn shared(a: &[Step], b: &[Step]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b && **a != Step::Deep).count()
}

fn prefix(pointer: &Pointer, steps: usize) -> String {
    pointer.to_string().split('/').take(steps + 1).collect::<Vec<_>>().join("/")
}
