//! The words in which records speak of consent: plain ones, those of W3C DPV, and the dictionaries of AI Preferences.

use super::Said;
use crate::names::Purpose;

const YES: &[&str] = &["y", "yes", "true", "1", "t", "?1"];
const NO: &[&str] = &["n", "no", "false", "0", "f", "none", "?0"];

/// What else says of consent that it was given, or that it was not.
const GIVEN: &[&str] = &["given", "granted", "consentgiven", "renewedconsentgiven"];
const WITHHELD: &[&str] = &[
    "withdrawn",
    "refused",
    "revoked",
    "denied",
    "declined",
    "rejected",
    "invalidated",
    "expired",
    "objected",
    "opt-out",
    "opt_out",
    "optout",
    "consentrefused",
    "consentwithdrawn",
    "consentrevoked",
    "consentinvalidated",
    "consentexpired",
];
const OPEN: &[&str] = &["consentunknown", "consentrequested", "consentrequestdeferred"];

/// Keys of a dictionary that speak of training, and others that its vocabularies have: they say nothing of it.
const TRAINING: &[&str] = &["train-ai", "train-genai", "ai-train", "train", "training", "consent"];
const OTHER: &[&str] = &["search", "bots", "ai-input", "ai-output", "ai-use"];

/// Vocabularies whose terms are read, as a prefix of them.
const DPV: &[&str] = &["dpv:", "https://w3id.org/dpv#", "https://w3id.org/dpv/owl#"];
const DPV_AI: &[&str] = &["ai:", "https://w3id.org/dpv/ai#", "https://w3id.org/dpv/ai/owl#"];

fn is_one(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Yes or no; none if it is neither.
pub(super) fn flag(said: Said<'_>) -> Option<bool> {
    match said {
        Said::Bool(yes) => Some(yes),
        Said::Text(text) | Said::Number(text) => plain(text.trim()),
        Said::Nothing | Said::Composite | Said::TooLong => None,
    }
}

fn plain(text: &str) -> Option<bool> {
    if is_one(YES, text) {
        Some(true)
    } else if is_one(NO, text) {
        Some(false)
    } else {
        None
    }
}

/// What a flag of consent says: yes, no, nothing; none if it can't be read.
pub(super) fn consent(said: Said<'_>) -> Option<Option<bool>> {
    if let Some(yes) = flag(said) {
        return Some(Some(yes));
    }
    let words = said.words()?;
    if words.contains('=') { dictionary(words) } else { state(words) }
}

/// A state, in plain words or those of DPV.
fn state(words: &str) -> Option<Option<bool>> {
    let words = without(DPV, words);
    if let Some(yes) = plain(words) {
        return Some(Some(yes));
    }
    if is_one(GIVEN, words) {
        Some(Some(true))
    } else if is_one(WITHHELD, words) {
        Some(Some(false))
    } else if is_one(OPEN, words) {
        Some(None)
    } else {
        None
    }
}

/// A dictionary. A header of which a part can't be read says nothing by it; a record that says something in words that nobody
/// reads has not been silent. So every part has to be known, and any no wins.
fn dictionary(words: &str) -> Option<Option<bool>> {
    let mut said = None;
    for member in words.split([',', ';']).map(str::trim).filter(|member| !member.is_empty()) {
        let (key, value) = member.split_once('=')?;
        let (key, value) = (key.trim(), value.trim().trim_matches('"').trim());
        if is_one(TRAINING, key) {
            match state(value)? {
                Some(false) => return Some(Some(false)),
                Some(true) => said = Some(true),
                None => {}
            }
        } else if !is_one(OTHER, key) {
            return None;
        }
    }
    Some(said)
}

/// Whether a member of a consent object is a no, whatever its name. Words of two letters may be a country's: they aren't.
pub(super) fn is_plain_no(said: Said<'_>) -> bool {
    match said {
        Said::Bool(yes) => !yes,
        Said::Text(text) => text.trim().len() > 2 && consent(said) == Some(Some(false)),
        Said::Nothing | Said::Number(_) | Said::Composite | Said::TooLong => false,
    }
}

/// A term without its vocabulary, if that is one of these.
fn without<'t>(vocabulary: &[&str], term: &'t str) -> &'t str {
    vocabulary.iter().find_map(|prefix| term.strip_prefix(prefix)).unwrap_or(term)
}

/// The uses that a term covers. Only the whole of it is one: `no training` and `not/train` name none.
pub(super) fn purposes_of(term: &str) -> &'static [Purpose] {
    match without(DPV_AI, term.trim()) {
        "ModelTraining" => &[Purpose::Train, Purpose::Evaluate],
        "ModelFineTuning" | "TrainingData" | "train" | "training" => &[Purpose::Train],
        "TestingData" | "ValidationData" | "evaluate" | "evaluation" => &[Purpose::Evaluate],
        "DataAnnotation" | "DataLabelling" | "annotate" | "annotation" => &[Purpose::Annotate],
        _ => &[],
    }
}
