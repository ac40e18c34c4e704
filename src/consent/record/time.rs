//! Dates, ages and spans in records.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

/// Years from which one is of age.
pub(super) const ADULT: i16 = 18;

/// The oldest that a subject may be said to be.
const OLDEST: f64 = 150.0;

/// The time of a judgement. Somebody is of age when it is their birthday everywhere on earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Today {
    now: Timestamp,
    date: Date,
}

impl Today {
    /// Now.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let last = now.checked_sub(12.hours()).unwrap_or(now);
        Self { now, date: last.to_zoned(TimeZone::UTC).date() }
    }

    pub(super) const fn now(self) -> Timestamp {
        self.now
    }

    /// Whether somebody born then is not of age yet. Nor is who is not born yet.
    pub(super) fn is_minor(self, born: Date) -> bool {
        born.checked_add(Span::new().years(ADULT)).map_or(true, |of_age| of_age > self.date)
    }

    /// Whether a span that began then has not ended.
    pub(super) fn is_within(self, given: Timestamp, span: &str) -> bool {
        let Ok(span) = span.parse::<Span>() else { return false };
        let end = given.to_zoned(TimeZone::UTC).checked_add(span);
        end.is_ok_and(|end| end.timestamp() > self.now)
    }
}

/// Whether a text is a span of time (ISO 8601).
pub(super) fn is_span(text: &str) -> bool {
    text.starts_with('P') && text.parse::<Span>().is_ok()
}

/// A point in time: a timestamp, or a date, whose first moment is meant.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let date: Date = day(text)?;
    DateTime::from_parts(date, jiff::civil::Time::midnight())
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|at| at.timestamp())
}

/// A birth date. Of a year or a month alone, the last day is taken: the youngest that somebody can be.
pub(super) fn born(text: &str) -> Option<Date> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split('-');
    let born = match (parts.next()?, parts.next(), parts.next()) {
        (year, None, None) if year.len() == 4 && digits(year) => {
            Date::new(year.parse().ok()?, 12, 31).ok()?
        }
        (year, Some(month), None) if year.len() == 4 && month.len() == 2 && digits(year) && digits(month) => {
            Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?.last_of_month()
        }
        _ => match day(text) {
            Some(date) => date,
            // A timestamp's date is that of its own offset.
            None => day(text.get(..10)?).filter(|_| text.parse::<Timestamp>().is_ok())?,
        },
    };
    (born.year() > 1850).then_some(born)
}

/// A date as ISO 8601 writes it, and nothing else.
fn day(text: &str) -> Option<Date> {
    if text.len() == 10 { text.parse().ok() } else { None }
}

/// An age in years.
pub(super) fn age(text: &str) -> Option<f64> {
    let age: f64 = text.parse().ok()?;
    (age.is_finite() && (0.0..=OLDEST).contains(&age)).then_some(age)
}
