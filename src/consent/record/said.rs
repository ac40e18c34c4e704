//! What a record says of itself, in whatever words.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::time::{self, Today};
use super::words;
use crate::names::Purpose;

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// What stands at a place of a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $($(#[doc = $doc])* $name,)* }

        impl Field {
            /// Every field.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

fields! {
    /// Who it is about.
    Subject,
    /// What its subject said of its use: yes or no.
    Consent,
    /// A member of an object that stands where consent may: a plain no in it is one, whatever it is called.
    InConsent,
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
    pub(super) fn words(self) -> Option<&'a str> {
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
    /// The earliest and the latest time at which it was given.
    given: Option<(Timestamp, Timestamp)>,
    valid_for: Vec<&'a str>,
    /// The earliest of its ends.
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
            Field::InConsent => {
                self.no |= words::is_plain_no(said);
                Some(())
            }
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
            Field::Minor => words::flag(said).map(|yes| self.minor |= yes),
            Field::Special => {
                self.special |= words::flag(said).unwrap_or(true);
                Some(())
            }
            Field::GivenAt => said.words().and_then(time::moment).map(|at| {
                let (first, last) = self.given.unwrap_or((at, at));
                self.given = Some((first.min(at), last.max(at)));
            }),
            Field::ValidUntil => said.words().and_then(time::moment).map(|at| {
                self.valid_until = Some(self.valid_until.map_or(at, |other| other.min(at)));
            }),
            Field::ValidFor => said.words().filter(|text| time::is_span(text)).map(|text| {
                self.valid_for.push(text);
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
        match words::consent(said) {
            Some(Some(true)) => self.yes = true,
            Some(Some(false)) => self.no = true,
            Some(None) => {}
            // Somebody said something, and nobody can tell that it was a yes: silence it was not.
            None => {
                self.no = true;
                return None;
            }
        }
        Some(())
    }

    fn note_purpose(&mut self, said: Said<'a>) -> Option<()> {
        let named = said.words()?;
        let purposes = self.purposes.get_or_insert_default();
        purposes.extend(named.split([',', '|']).flat_map(words::purposes_of).copied());
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
        let to_come = self.given.is_some_and(|(_, last)| last > today.now());
        // A time that nothing says the beginning of has run out.
        let within = |span: &&str| self.given.is_some_and(|(first, _)| today.is_within(first, span));
        ended || to_come || !self.valid_for.iter().all(within)
    }

    /// Whether it names purposes, and not all of these.
    pub(super) fn is_for_others_than(&self, uses: &BTreeSet<Purpose>) -> bool {
        self.purposes.as_ref().is_some_and(|named| !uses.is_subset(named))
    }
}
