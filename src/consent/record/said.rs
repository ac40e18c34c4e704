//! What a record says of itself, in whatever words.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::signals::{Preference, preference_of};
use super::time::{self, Today};
use crate::names::Purpose;

/// What stands at a place of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Who it is about.
    Subject,
    /// What its subject said of its use: yes or no.
    Consent,
    /// What for.
    Purpose,
    /// When.
    GivenAt,
    /// For how long (ISO 8601).
    ValidFor,
    /// Until when.
    ValidUntil,
    /// Where the subject lives.
    Jurisdiction,
    /// When the subject was born.
    BirthDate,
    /// How old the subject is.
    Age,
    /// Whether the subject is under age.
    Minor,
    /// Whether there is something of a special category, or which.
    Special,
    /// Something else that names the subject or the record.
    Identifier,
}

/// A value, as its reader would understand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// `null`.
    Nothing,
    /// A string.
    Text(&'a str),
    /// A number, as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// An object or an array.
    Composite,
    /// Too long to be any of what is looked for.
    TooLong,
}

impl<'a> Said<'a> {
    /// The words, if there are any. Tables have nothing but text, so a number may stand in quotes.
    fn words(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Nothing | Self::Bool(_) | Self::Composite | Self::TooLong => None,
        }
    }

    fn is_nothing(self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Number(_) | Self::Bool(_) | Self::Composite | Self::TooLong => false,
        }
    }
}

/// What was read of one record.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    pub(super) subject: Option<&'a str>,
    pub(super) two_subjects: bool,
    pub(super) yes: bool,
    pub(super) no: bool,
    pub(super) unreadable: bool,
    pub(super) minor: bool,
    pub(super) special: bool,
    /// The purposes that it names: whether there is a list, and which of ours are in it.
    purposes: Option<BTreeSet<Purpose>>,
    jurisdiction: Option<&'a str>,
    /// It names several places, or one that is no text.
    unclear_place: bool,
    /// The latest of its birth dates.
    born: Option<Date>,
    /// The smallest of its ages.
    age: Option<f64>,
    given: Option<Timestamp>,
    valid_for: Option<&'a str>,
    valid_until: Option<Timestamp>,
}

impl<'a> Record<'a> {
    /// Who it is about.
    #[must_use]
    pub const fn subject(&self) -> Option<&'a str> {
        self.subject
    }

    /// The censor found something of a special category in it.
    pub const fn holds_special(&mut self) {
        self.special = true;
    }

    /// Takes note of what stands at a place.
    pub fn note(&mut self, field: Field, said: Said<'a>) {
        // A list says what it says by what stands in it.
        let list = said == Said::Composite && matches!(field, Field::Purpose);
        if list {
            self.purposes.get_or_insert_default();
        }
        if said.is_nothing() || list || field == Field::Identifier {
            return;
        }
        let read = match field {
            Field::Subject => self.note_subject(said),
            Field::Consent => self.note_consent(said),
            Field::Purpose => self.note_purpose(said),
            Field::Jurisdiction => {
                self.note_place(said);
                Some(())
            }
            Field::BirthDate => said.words().and_then(time::born).map(|born| {
                self.born = Some(self.born.map_or(born, |other| other.max(born)));
            }),
            Field::Age => said.words().and_then(time::age).map(|age| {
                self.age = Some(self.age.map_or(age, |other| other.min(age)));
            }),
            Field::Minor => flag(said).map(|yes| self.minor |= yes),
            Field::Special => {
                self.special |= flag(said).unwrap_or(true);
                Some(())
            }
            Field::GivenAt => said.words().and_then(time::moment).map(|at| self.given = Some(at)),
            Field::ValidUntil => said.words().and_then(time::moment).map(|at| self.valid_until = Some(at)),
            Field::ValidFor => said.words().filter(|text| time::is_span(text)).map(|text| {
                self.valid_for = Some(text);
            }),
            Field::Identifier => Some(()),
        };
        self.unreadable |= read.is_none();
    }

    fn note_subject(&mut self, said: Said<'a>) -> Option<()> {
        let words = said.words()?;
        self.two_subjects |= self.subject.is_some_and(|other| other != words);
        self.subject = self.subject.or(Some(words));
        Some(())
    }

    fn note_consent(&mut self, said: Said<'a>) -> Option<()> {
        match consent(said)? {
            Some(true) => self.yes = true,
            Some(false) => self.no = true,
            None => {}
        }
        Some(())
    }

    fn note_purpose(&mut self, said: Said<'a>) -> Option<()> {
        let words = said.words()?;
        let purposes = self.purposes.get_or_insert_default();
        purposes.extend(words.split([',', ' ', '|']).flat_map(purposes_of).copied());
        Some(())
    }

    fn note_place(&mut self, said: Said<'a>) {
        match said {
            Said::Text(place) => {
                let place = place.trim();
                self.unclear_place |=
                    self.jurisdiction.is_some_and(|other| !other.eq_ignore_ascii_case(place));
                self.jurisdiction = Some(place);
            }
            _ => self.unclear_place = true,
        }
    }

    /// Where its subject lives, if that is clear.
    pub(super) fn jurisdiction(&self) -> Option<&'a str> {
        self.jurisdiction.filter(|_| !self.unclear_place)
    }

    pub(super) fn is_under_age(&self, today: Today) -> bool {
        self.age.is_some_and(|age| age < f64::from(time::ADULT))
            || self.born.is_some_and(|born| today.is_minor(born))
    }

    pub(super) fn has_lapsed(&self, today: Today) -> bool {
        let ended = self.valid_until.is_some_and(|until| until <= today.now());
        // A time that nothing says the beginning of has run out.
        ended
            || self
                .valid_for
                .is_some_and(|span| !self.given.is_some_and(|given| today.is_within(given, span)))
    }

    /// Whether it names purposes, and not all of these.
    pub(super) fn is_for_others_than(&self, uses: &BTreeSet<Purpose>) -> bool {
        self.purposes.as_ref().is_some_and(|named| !uses.is_subset(named))
    }
}

/// Yes or no; none if it is neither.
fn flag(said: Said<'_>) -> Option<bool> {
    match said {
        Said::Bool(yes) => Some(yes),
        Said::Text(text) | Said::Number(text) => {
            let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
            if is(&["y", "yes", "true", "1", "t"]) {
                Some(true)
            } else if is(&["n", "no", "false", "0", "f", "none"]) {
                Some(false)
            } else {
                None
            }
        }
        Said::Nothing | Said::Composite | Said::TooLong => None,
    }
}

/// What a flag of consent says: yes, no, nothing; none if it can't be read. The words are yes and no, the states of W3C
/// DPV, and `train-ai` of the IETF's vocabulary.
fn consent(said: Said<'_>) -> Option<Option<bool>> {
    if let Some(yes) = flag(said) {
        return Some(Some(yes));
    }
    let words = said.words()?;
    if words.contains('=') {
        return Some(match preference_of(words) {
            Preference::Allowed => Some(true),
            Preference::Disallowed => Some(false),
            Preference::Unknown => None,
        });
    }
    match last_part(words) {
        "ConsentGiven" | "RenewedConsentGiven" => Some(Some(true)),
        "ConsentRefused" | "ConsentWithdrawn" | "ConsentRevoked" | "ConsentInvalidated"
        | "ConsentExpired" => Some(Some(false)),
        "ConsentUnknown" | "ConsentRequested" | "ConsentRequestDeferred" => Some(None),
        _ => None,
    }
}

/// A term without its vocabulary: `ai:ModelTraining`, `https://w3id.org/dpv/ai#ModelTraining`.
fn last_part(term: &str) -> &str {
    term.rsplit([':', '#', '/']).next().unwrap_or(term)
}

/// The uses that a term covers.
fn purposes_of(term: &str) -> &'static [Purpose] {
    match last_part(term) {
        "ModelTraining" => &[Purpose::Train, Purpose::Evaluate],
        "ModelFineTuning" | "TrainingData" | "train" | "training" => &[Purpose::Train],
        "TestingData" | "ValidationData" | "evaluate" | "evaluation" => &[Purpose::Evaluate],
        "DataAnnotation" | "DataLabelling" | "annotate" | "annotation" => &[Purpose::Annotate],
        _ => &[],
    }
}
