//! Paths of members.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::body::container::Contents;
use crate::reason::{Reason, Refusal};

/// A path may lead into the folder that the archive is unpacked into, and nowhere else.
pub(super) fn checked<'a>(
    contents: &dyn Contents,
    path: &'a [u8],
    longest: usize,
) -> Result<&'a str, Refusal> {
    if path.len() > longest {
        return Err(contents.refuse(Reason::RecordTooLarge, "the path of a member"));
    }
    let Ok(path) = std::str::from_utf8(path) else {
        return Err(contents.refuse(Reason::ContentNotUtf8, "the path of a member"));
    };
    if path.is_empty() || path.chars().any(char::is_control) {
        return Err(contents.refuse(Reason::ContentMalformed, "the path of a member"));
    }
    if leads_out(path) {
        return Err(
            contents.refuse(Reason::ContentMalformed, "the path of a member leads out of the archive")
        );
    }
    Ok(path)
}

/// Windows takes either slash, and a drive before them.
pub(super) fn leads_out(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    drive || path.starts_with(['/', '\\']) || path.split(['/', '\\']).any(|step| step == "..")
}

/// Whether a link that stands at `path` leads to something in the archive.
pub(super) fn stays_inside(path: &str, target: &str) -> bool {
    if target.starts_with(['/', '\\']) || target.contains('\0') {
        return false;
    }
    let mut depth = path.trim_end_matches('/').matches('/').count();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

/// The paths so far, so that two that become alike by censoring stay two. Their hashes do: that two of them are the
/// same by chance gives a number to a name that would not need it.
/// By the path's hash: the number that its next namesake gets.
#[derive(Default)]
pub(super) struct Names(HashMap<u64, u64>);

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

impl Names {
    /// Takes a path down. False: it was there.
    pub(super) fn add(&mut self, path: &str) -> bool {
        match self.0.entry(hash(path)) {
            Entry::Vacant(place) => {
                place.insert(2);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// The path, or one like it that was not there.
    pub(super) fn distinct(&mut self, path: String) -> String {
        if self.add(&path) {
            return path;
        }
        let folder = path.ends_with('/');
        let whole = path.trim_end_matches('/');
        let name_at = whole.rfind('/').map_or(0, |at| at + 1);
        let ending_at = whole.get(name_at..).and_then(|name| name.rfind('.')).filter(|at| *at > 0);
        let (stem, ending) = whole.split_at(ending_at.map_or(whole.len(), |at| name_at + at));
        let slash = if folder { "/" } else { "" };
        let mut number = self.0.get(&hash(&path)).copied().unwrap_or(2);
        loop {
            let other = format!("{stem}-{number}{ending}{slash}");
            number = number.saturating_add(1);
            if self.add(&other) {
                self.0.insert(hash(&path), number);
                return other;
            }
        }
    }

    pub(super) fn held(&self) -> usize {
        self.0.len() * size_of::<(u64, u64)>()
    }
}
