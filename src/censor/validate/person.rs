//! Names of persons: given names that are common somewhere, for places where any two words with capitals may stand.

use std::sync::LazyLock;

/// Given names, one a line, in lower case without accents, in the order of their bytes. Without those that are words as
/// well.
static GIVEN: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("names.txt").lines().collect());

/// Two words or more, and the first is a common given name.
pub(super) fn person_name(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let Some((first, rest)) = text.split_once(' ') else { return false };
    let folded: String = first.chars().flat_map(char::to_lowercase).map(plain).collect();
    rest.len() > 1 && GIVEN.binary_search(&folded.as_str()).is_ok()
}

/// The letter without its accent.
const fn plain(letter: char) -> char {
    match letter {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ā' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'é' | 'è' | 'ê' | 'ë' | 'ę' | 'ě' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' => 's',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ý' => 'y',
        'ž' | 'ź' | 'ż' => 'z',
        other => other,
    }
}
