//! What becomes of a finding.

use std::fmt;
use std::str::FromStr;

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Nothing: the value passes. A rule whose action this is isn't run.
    Allow,
    /// The entity's label in brackets: `[EMAIL_ADDRESS]`.
    Redact,
    /// Stars, and the last characters in clear.
    Mask {
        /// How many characters stay. For secrets at most four and never more than a quarter of the value.
        keep: u8,
    },
    /// The label and a keyed hash: the same value has the same hash for the same tenant; no way back.
    Hash,
    /// The label and a keyed short name, restored in the same exchange's answer. Secrets are redacted instead.
    Pseudonym,
    /// Another value of the same format, by format-preserving encryption; restored in the same exchange's answer. What
    /// can't be encrypted so is redacted instead, secrets among it.
    Fpe,
    /// The body doesn't pass at all.
    Block,
}

impl Action {
    /// How many characters `mask` without a number keeps.
    pub const KEEP: u8 = 4;

    /// How little of a value whoever is behind the gateway learns: nothing of the body, nothing of the value, that it is the
    /// same as another, the same for a while, its shape, its end (the fewer characters the stricter), all of it.
    #[must_use]
    pub const fn strictness(self) -> Strictness {
        Strictness(match self {
            Self::Block => (6, 0),
            Self::Redact => (5, 0),
            Self::Hash => (4, 0),
            Self::Pseudonym => (3, 0),
            Self::Fpe => (2, 0),
            Self::Mask { keep } => (1, u8::MAX - keep),
            Self::Allow => (0, 0),
        })
    }

    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Redact => "redact",
            Self::Mask { .. } => "mask",
            Self::Hash => "hash",
            Self::Pseudonym => "pseudonym",
            Self::Fpe => "fpe",
            Self::Block => "block",
        }
    }
}

/// How strict an action is; what compares as greater is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strictness((u8, u8));

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mask { keep } if *keep != Self::KEEP => write!(f, "mask:{keep}"),
            other => f.write_str(other.as_str()),
        }
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "allow" => Self::Allow,
            "redact" => Self::Redact,
            "mask" => Self::Mask { keep: Self::KEEP },
            "hash" => Self::Hash,
            "pseudonym" => Self::Pseudonym,
            "fpe" => Self::Fpe,
            "block" => Self::Block,
            other => match other.strip_prefix("mask:").and_then(|n| n.parse().ok()) {
                Some(keep) => Self::Mask { keep },
                None => {
                    return Err(format!(
                        "unknown action `{other}`, expected one of allow, redact, mask, mask:N, hash, pseudonym, fpe, block"
                    ));
                }
            },
        })
    }
}
