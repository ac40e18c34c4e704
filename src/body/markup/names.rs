//! Names of elements and attributes that say something about the texts in them.

/// Elements inside of a line of text: what stands before and behind their tags is read as one word.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "del", "dfn", "em", "emphasis", "font", "i",
    "ins", "kbd", "mark", "nobr", "q", "r", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "t", "tspan", "tt", "u", "var", "wbr",
];

/// Elements whose contents are no markup.
const RAW: &[&str] = &["script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"];

/// Elements whose contents are text with references, and no tags.
const TEXT_ONLY: &[&str] = &["title", "textarea"];

/// Attributes that hold a value, and those that name it.
const VALUES: &[&str] = &["value", "content", "default", "val", "string"];
const NAMES: &[&str] = &["name", "key", "property", "field", "itemprop", "var"];

/// Elements whose text is a value of what they stand in, or of the name before them.
const GENERIC: &[&str] =
    &["string", "value", "val", "integer", "int", "real", "data", "date", "item", "entry", "v", "li", "text"];

/// Elements whose text names the value in the next one.
const KEYS: &[&str] = &["key", "name"];

/// A name without the prefix of its name space.
pub(super) fn local(name: &[u8]) -> &[u8] {
    memchr::memrchr(b':', name).and_then(|at| name.get(at + 1..)).unwrap_or(name)
}

fn is_one_of(names: &[&str], name: &[u8]) -> bool {
    names.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

pub(super) fn is_inline(name: &[u8]) -> bool {
    is_one_of(INLINE, local(name))
}

pub(super) fn is_cell(name: &[u8]) -> bool {
    is_one_of(&["td", "th"], name)
}

/// The element's contents are no markup; true: references are read in them.
pub(super) fn raw_text(name: &[u8]) -> Option<bool> {
    if is_one_of(TEXT_ONLY, name) {
        return Some(true);
    }
    is_one_of(RAW, name).then_some(false)
}

/// A script may be a document.
pub(super) fn is_script(name: &[u8]) -> bool {
    is_one_of(&["script"], name)
}

/// Elements of another language inside of HTML.
pub(super) fn is_foreign(name: &[u8]) -> bool {
    is_one_of(&["svg", "math"], name)
}

pub(super) fn is_value_attribute(name: &[u8]) -> bool {
    is_one_of(VALUES, local(name))
}

pub(super) fn is_naming_attribute(name: &[u8]) -> bool {
    is_one_of(NAMES, local(name))
}

pub(super) fn is_generic(name: &[u8]) -> bool {
    is_one_of(GENERIC, local(name))
}

pub(super) fn is_key(name: &[u8]) -> bool {
    is_one_of(KEYS, local(name))
}
