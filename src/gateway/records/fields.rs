//! What stands where in a record.

use crate::body::{FactValue, Facts};
use crate::consent::record::{Field, Names, Record, Said};
use crate::pointer::Pointer;

/// What stands at each watch.
pub(super) struct Fields(Vec<Watched>);

struct Watched {
    field: Field,
    /// The watches below it of what is read by name, and those of whatever else stands in an object there.
    below: Vec<usize>,
    members: Option<usize>,
}

impl Fields {
    pub(super) fn new(places: &[(Field, Pointer)]) -> Self {
        let watched = |(field, at): &(Field, Pointer)| {
            let below = |(other, deeper): &(Field, Pointer)| {
                let is_below =
                    deeper.steps().len() > at.steps().len() && deeper.steps().starts_with(at.steps());
                is_below && *other != Field::InConsent
            };
            let members = |(other, deeper): &(Field, Pointer)| {
                *other == Field::InConsent
                    && deeper.steps().split_last().is_some_and(|(_, at_it)| at_it == at.steps())
            };
            let indices = || places.iter().enumerate();
            Watched {
                field: *field,
                below: indices().filter(|(_, place)| below(place)).map(|(watch, _)| watch).collect(),
                members: places.iter().position(members),
            }
        };
        Self(places.iter().map(watched).collect())
    }

    /// What a record says of itself.
    pub(super) fn read<'f>(&self, facts: &'f Facts) -> Record<'f> {
        let mut record = Record::default();
        for fact in facts {
            let Some(watched) = self.0.get(fact.watch) else { continue };
            // What an object says is read in it; if nothing of it can be, it was read as something that can't be.
            if watched.field == Field::Consent
                && fact.value == FactValue::Composite
                && watched.is_read_inside(facts)
            {
                continue;
            }
            record.note(watched.field, said(&fact.value));
        }
        record
    }

    /// What names its subject.
    pub(super) fn names(&self, facts: &Facts) -> Names {
        let mut names = Names::default();
        for fact in facts {
            if let Some(watched) = self.0.get(fact.watch) {
                names.note(watched.field, said(&fact.value));
            }
        }
        names
    }
}

impl Watched {
    /// Whether an object here, of which these are the facts, is empty or has something in it that is read.
    fn is_read_inside(&self, facts: &Facts) -> bool {
        let said = |watch: usize| facts.at(watch).any(|value| *value != FactValue::Null);
        !self.below.is_empty()
            && (self.below.iter().any(|watch| said(*watch)) || !self.members.is_some_and(said))
    }
}

fn said(value: &FactValue) -> Said<'_> {
    match value {
        FactValue::Text(text) => Said::Text(text),
        FactValue::Number(text) => Said::Number(text),
        FactValue::Bool(value) => Said::Bool(*value),
        FactValue::Null => Said::Nothing,
        FactValue::Composite | FactValue::List => Said::Composite,
        FactValue::TooLong => Said::TooLong,
    }
}
