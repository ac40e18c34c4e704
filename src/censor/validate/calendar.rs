//! Dates inside numbers and beside words.

/// Years a living person may have been born in, for data read in this decade.
const BIRTH_YEARS: std::ops::RangeInclusive<u64> = 1900..=2035;

/// Is there such a day? `month` from 1, Gregorian leap years.
pub(super) fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=longest).contains(&day)
}

/// As [`is_date`] for a year of two digits, where the century is not told: valid in either.
pub(super) fn is_short_date(year: u64, month: u64, day: u64) -> bool {
    is_date(1900 + year, month, day) || is_date(2000 + year, month, day)
}

/// The first three letters (first two for months whose names differ so) of month names in the languages of the pack.
const MONTHS: &[(&str, u64)] = &[
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("sty", 1),
    ("oca", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("lut", 2),
    ("şub", 2),
    ("mar", 3),
    ("mär", 3),
    ("mae", 3),
    ("mac", 3),
    ("maa", 3),
    ("mrt", 3),
    ("apr", 4),
    ("abr", 4),
    ("avr", 4),
    ("kwi", 4),
    ("nis", 4),
    ("may", 5),
    ("mai", 5),
    ("mei", 5),
    ("maj", 5),
    ("mag", 5),
    ("mei", 5),
    ("jun", 6),
    ("jui", 6),
    ("giu", 6),
    ("cze", 6),
    ("haz", 6),
    ("jul", 7),
    ("lug", 7),
    ("lip", 7),
    ("tem", 7),
    ("aug", 8),
    ("ago", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ogo", 8),
    ("sie", 8),
    ("ağu", 8),
    ("agu", 8),
    ("ogs", 8),
    ("sep", 9),
    ("set", 9),
    ("wrz", 9),
    ("eyl", 9),
    ("oct", 10),
    ("okt", 10),
    ("out", 10),
    ("ott", 10),
    ("paź", 10),
    ("eki", 10),
    ("nov", 11),
    ("lis", 11),
    ("kas", 11),
    ("dec", 12),
    ("dez", 12),
    ("dic", 12),
    ("déc", 12),
    ("des", 12),
    ("dis", 12),
    ("gru", 12),
    ("ara", 12),
];

/// A date somebody may have been born on, in any usual order and with month names, or as eight digits.
pub(super) fn birth_date(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let lower = text.to_lowercase();
    let mut numbers = lower.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty());
    let (first, second, third) = (numbers.next(), numbers.next(), numbers.next());
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
    let named = lower
        .split(|letter: char| !letter.is_alphabetic())
        .find_map(|word| MONTHS.iter().find(|(start, _)| word.starts_with(start)).map(|(_, month)| *month));
    match (first, second, third, named) {
        (Some(whole), None, None, None) => whole.len() == 8 && compact_date(number(Some(whole))),
        (Some(_), Some(_), None, Some(month)) => {
            let (one, two) = (number(first), number(second));
            born(two, month, one) || born(one, month, two)
        }
        (Some(_), Some(_), Some(_), None) => any_order(number(first), number(second), number(third)),
        _ => false,
    }
}

fn compact_date(number: u64) -> bool {
    born(number / 10_000, number / 100 % 100, number % 100)
        || born(number % 10_000, number / 10_000 % 100, number / 1_000_000)
        || born(number % 10_000, number / 1_000_000, number / 10_000 % 100)
}

fn any_order(one: u64, two: u64, three: u64) -> bool {
    born(one, two, three) || born(three, two, one) || born(three, one, two)
}

/// Buddhist years (543 ahead) and two-digit years count too.
fn born(year: u64, month: u64, day: u64) -> bool {
    match year {
        0..=99 => is_short_date(year, month, day),
        2443..=2578 => is_date(year - 543, month, day),
        _ => BIRTH_YEARS.contains(&year) && is_date(year, month, day),
    }
}

/// An age in years: 1 to 120.
pub(super) fn age(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<u8>().ok())
        .is_some_and(|age| (1..=120).contains(&age))
}
