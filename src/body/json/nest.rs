//! Where in the document the reader stands: the open containers, the keys that lead to the next value, and the
//! state of the plan for it.

use super::plan::{DEAD, JsonPlan, ROOT, StateId};

/// One level of a concrete way through a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Key(Box<[u8]>),
    Index(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) object: bool,
    /// The plan's state for this container.
    pub(crate) state: StateId,
    /// The plan's state for the value that comes next (in an object).
    child: StateId,
    /// Items so far (in an array).
    index: u32,
    /// This container's own current key starts here in `keys`.
    keys_from: usize,
    /// The key that names values here: a range of `keys`.
    context: (usize, usize),
    /// The deciding keys seen in this container start here in `seen`.
    seen_from: usize,
    /// A member or an item has been given out.
    pub(crate) kept: bool,
    /// Members may be removed or added here, so each waits for its value.
    pub(crate) tracked: bool,
}

/// What a key is to the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRole {
    /// Nothing.
    Plain,
    /// It leads on by name.
    Decides,
    /// It leads on by name, and stood in this object before, or could be taken for one that does.
    Repeated,
}

#[derive(Debug, Default)]
pub(crate) struct Nest {
    frames: Vec<Frame>,
    keys: Vec<u8>,
    seen: Vec<usize>,
    /// How often the name of what comes next may have changed.
    turns: u64,
}

impl Nest {
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.keys.clear();
        self.seen.clear();
    }

    pub(crate) const fn depth(&self) -> usize {
        self.frames.len()
    }

    pub(crate) fn top(&self) -> Option<&Frame> {
        self.frames.last()
    }

    pub(crate) fn top_mut(&mut self) -> Option<&mut Frame> {
        self.frames.last_mut()
    }

    /// In which item of the outermost array the reader stands.
    pub(crate) fn item(&self) -> Option<u32> {
        self.frames.iter().find(|frame| !frame.object).map(|frame| frame.index.saturating_sub(1))
    }

    /// The name of what comes next: the nearest key.
    pub(crate) fn field(&self) -> Option<&str> {
        let (from, to) = self.frames.last()?.context;
        if from == to {
            return None;
        }
        std::str::from_utf8(self.keys.get(from..to)?).ok()
    }

    /// A number that stays as long as the name of what comes next does.
    pub(crate) const fn turn(&self) -> u64 {
        self.turns
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        self.keys.len() + self.frames.len() * size_of::<Frame>() + self.seen.len() * size_of::<usize>()
    }

    /// The plan's state for the value that begins now, which is counted as an item of its array.
    #[inline]
    pub(crate) fn next_value(&mut self, plan: &JsonPlan) -> StateId {
        let Some(frame) = self.frames.last_mut() else { return ROOT };
        if frame.object {
            return frame.child;
        }
        let index = frame.index;
        frame.index = index.saturating_add(1);
        if frame.state == DEAD { DEAD } else { plan.state(frame.state).at_index(index) }
    }

    pub(crate) fn open(&mut self, object: bool, state: StateId, tracked: bool) {
        let context = self.frames.last().map_or((0, 0), |parent| parent.context);
        self.frames.push(Frame {
            object,
            state,
            child: DEAD,
            index: 0,
            keys_from: self.keys.len(),
            context,
            seen_from: self.seen.len(),
            kept: false,
            tracked,
        });
    }

    pub(crate) fn close(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        self.turns += 1;
        self.keys.truncate(frame.keys_from);
        self.seen.truncate(frame.seen_from);
        Some(frame)
    }

    /// Begins a new key in the object on top. Its decoded text is to be appended to what is returned.
    pub(crate) fn begin_key(&mut self) -> &mut Vec<u8> {
        self.turns += 1;
        if let Some(frame) = self.frames.last() {
            self.keys.truncate(frame.keys_from);
        }
        &mut self.keys
    }

    /// The key is complete. If `strict`, one that decides in another case counts as repeated: some readers fold it (Go's
    /// `encoding/json`), and would take the last of the two.
    pub(crate) fn end_key(&mut self, plan: &JsonPlan, strict: bool) -> KeyRole {
        let Some(frame) = self.frames.last_mut() else { return KeyRole::Plain };
        frame.context = (frame.keys_from, self.keys.len());
        if frame.state == DEAD {
            return KeyRole::Plain;
        }
        let key = self.keys.get(frame.keys_from..).unwrap_or_default();
        let state = plan.state(frame.state);
        let (child, named) = state.after(key);
        frame.child = child;
        let Some(named) = named else {
            return if strict && state.folds(key) { KeyRole::Repeated } else { KeyRole::Plain };
        };
        if self.seen.get(frame.seen_from..).unwrap_or_default().contains(&named) {
            return KeyRole::Repeated;
        }
        self.seen.push(named);
        KeyRole::Decides
    }

    /// The key that was begun last, decoded.
    pub(crate) fn key(&self) -> &[u8] {
        let from = self.frames.last().map_or(0, |frame| frame.keys_from);
        self.keys.get(from..).unwrap_or_default()
    }

    /// Whether a deciding key has been seen in the object of a frame.
    pub(crate) fn has_seen(&self, frame: &Frame, named: usize) -> bool {
        self.seen.get(frame.seen_from..).unwrap_or_default().contains(&named)
    }

    /// The way from the root to the value that comes next.
    pub(crate) fn way(&self) -> Vec<Level> {
        self.frames
            .iter()
            .map(|frame| {
                if frame.object {
                    let (from, to) = frame.context;
                    Level::Key(self.keys.get(from..to).unwrap_or_default().into())
                } else {
                    Level::Index(frame.index.saturating_sub(1))
                }
            })
            .collect()
    }
}
