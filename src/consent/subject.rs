//! Data subjects: how they are known, and what each of them says of a use.

use aws_lc_rs::hmac;

use super::{Law, Preference, Rules, Verdict};
use crate::names::{Purpose, SubjectHash};
use crate::store::Stance;

/// Makes the hashes that subjects are known by. The key is a tenant's own.
#[derive(Clone)]
pub struct SubjectKeyer(hmac::Key);

impl SubjectKeyer {
    /// Takes the key that was derived for this use.
    #[must_use]
    pub const fn new(key: hmac::Key) -> Self {
        Self(key)
    }

    /// The hash of what the tenant calls a subject. White space around it is no part of it; all else is, capitals too.
    #[must_use]
    pub fn hash(&self, subject: &[u8]) -> SubjectHash {
        let tag = hmac::sign(&self.0, subject.trim_ascii());
        let mut half = [0; 16];
        half.copy_from_slice(tag.as_ref().first_chunk::<16>().unwrap_or(&[0; 16]));
        SubjectHash::of_hash(half)
    }
}

impl std::fmt::Debug for SubjectKeyer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKeyer")
    }
}

/// What is known of a subject's will.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What the ledger says.
    pub stance: Stance,
    /// What the record says that names the subject. It can only restrict what the ledger allows.
    pub says: Preference,
    /// Where the subject lives, if the record says so.
    pub jurisdiction: Option<&'a str>,
}

/// Whether a subject allows a use. The ledger's word goes before the record's: a record can't grant what the ledger denies, and its own no
/// wins over the ledger's yes. Where neither says anything, the law of the subject's place decides; it speaks of training only, so for
/// any other use unknown is no.
#[must_use]
pub fn allowed(subject: &Subject<'_>, purpose: Purpose, rules: &Rules) -> Verdict {
    match (subject.stance, subject.says) {
        (Stance::Withdrawn, _) | (_, Preference::Disallowed) => Verdict::Withdrawn,
        (Stance::Expired, _) => Verdict::Expired,
        (Stance::Lapsed, _) => Verdict::Lapsed,
        (Stance::Granted, _) | (Stance::Unknown, Preference::Allowed) => Verdict::Yes,
        (Stance::Unknown, Preference::Unknown) => {
            let opted = super::trains(purpose) && rules.law(subject.jurisdiction) == Law::OptOut;
            if opted { Verdict::Yes } else { Verdict::Never }
        }
    }
}
