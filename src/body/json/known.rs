//! What was found out about names of fields, so that the names that come again and again cost a comparison.

/// Longer names are asked about each time.
const LONGEST: usize = 30;
const SLOTS: usize = 64;

/// A small memory of names: a name has one place, which the next name for that place takes over. So what it
/// answers depends on the names before and not on how they were cut, and its size is fixed.
#[derive(Debug, Default)]
pub(super) struct Known(Option<Box<[Slot; SLOTS]>>);

#[derive(Clone, Copy, Debug)]
struct Slot {
    name: [u8; LONGEST],
    len: u8,
    said: u8,
}

/// Something that was found out about a name, and its contrary.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// Does it speak for numbers under it?
    Speaks,
    /// Does it say that numbers under it are times or made by chance?
    Machine,
    /// Is it a key without a finding, which nothing could be replaced by?
    Plain,
}

impl Question {
    const fn bits(self) -> (u8, u8) {
        match self {
            Self::Speaks => (1, 2),
            Self::Machine => (4, 8),
            Self::Plain => (16, 32),
        }
    }
}

impl Known {
    /// The answer to a question about a name, which is asked for if it isn't known.
    #[inline]
    pub(super) fn ask(&mut self, name: &[u8], question: Question, find: impl FnOnce() -> bool) -> bool {
        let (yes, no) = question.bits();
        let Some(slot) = self.slot(name) else { return find() };
        if slot.said & (yes | no) == 0 {
            slot.said |= if find() { yes } else { no };
        }
        slot.said & yes != 0
    }

    /// What is known of a name, if that is known.
    #[inline]
    pub(super) fn recall(&mut self, name: &[u8], question: Question) -> Option<bool> {
        let (yes, no) = question.bits();
        let said = self.slot(name)?.said;
        (said & (yes | no) != 0).then_some(said & yes != 0)
    }

    /// Keeps an answer in mind.
    pub(super) fn note(&mut self, name: &[u8], question: Question, answer: bool) {
        let (yes, no) = question.bits();
        if let Some(slot) = self.slot(name) {
            slot.said |= if answer { yes } else { no };
        }
    }

    #[inline]
    fn slot(&mut self, name: &[u8]) -> Option<&mut Slot> {
        let byte = |at: usize| name.get(at).copied().map_or(0, usize::from);
        let at = byte(0).wrapping_mul(7)
            ^ byte(name.len() / 2).wrapping_mul(31)
            ^ byte(name.len().saturating_sub(1));
        let empty = Slot { name: [0; LONGEST], len: 0, said: 0 };
        let slots = self.0.get_or_insert_with(|| Box::new([empty; SLOTS]));
        let slot = slots.get_mut((at ^ name.len()) % SLOTS)?;
        if slot.name.get(..usize::from(slot.len)) != Some(name) {
            slot.name.get_mut(..name.len())?.copy_from_slice(name);
            slot.len = u8::try_from(name.len()).ok()?;
            slot.said = 0;
        }
        Some(slot)
    }
}
