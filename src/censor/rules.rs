//! Rule files: what an operator writes, as closed types. `config/rules/README.md` explains the format by example.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::prepare::Prepared;
use crate::diagnostic::{self, Diagnostic};

/// Detectors, as parsed from rule files. Order has no meaning: the engine sorts by id.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// By id.
    rules: BTreeMap<String, Rule>,
}

/// A rule and where it was written.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The file's name, as given to [`RuleSet::parse`].
    pub file: String,
    /// Where its id stands.
    pub location: serde_saphyr::Location,
    /// What was written.
    pub spec: RuleSpec,
    /// What matches it, once an engine needed it; shared with every clone.
    pub(super) prepared: Arc<OnceLock<Result<Arc<Prepared>, Diagnostic>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    version: Spanned<u32>,
    rules: Vec<RuleSpec>,
}

/// One rule as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Unique name: gitleaks' for secrets, Presidio's for personal data.
    pub id: Spanned<String>,
    /// The label of replacements; default: the id in upper case with `_`.
    pub entity: Option<String>,
    /// One line for people.
    pub description: String,
    /// Selectors of a policy. `secrets` makes the rule a secret.
    pub groups: Vec<String>,
    /// 1 (least) to 10.
    pub severity: u8,
    /// What a policy that doesn't name the rule does.
    pub action: ActionSpec,
    /// Literals of at least three bytes; every match of the pattern begins with one.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// What must stand before the keyword or digit.
    pub before: Option<Spanned<String>>,
    /// From the keyword on; the group `value` is what gets replaced.
    pub pattern: Option<Spanned<String>>,
    /// Where the pattern is tried if not at keywords.
    pub anchor: Option<Anchor>,
    /// Fewest digits of a match, for `anchor: digits`; rejects without trying.
    pub min_digits: Option<u8>,
    /// A scanner written in Rust.
    pub scanner: Option<ScannerName>,
    /// Field names that make the whole value a finding.
    #[serde(default)]
    pub fields: Vec<String>,
    /// For values that are open at their end.
    pub swallow: Option<Swallow>,
    /// What must not stand before the match.
    #[serde(default = "Boundary::word")]
    pub left: Boundary,
    /// What must not stand after the value.
    #[serde(default)]
    pub right: Boundary,
    /// Longest match in bytes, lead included; computed when absent.
    pub max_length: Option<usize>,
    /// Least Shannon entropy of the value, bits a byte.
    pub min_entropy: Option<f32>,
    /// A name of [`validate`](super::validate).
    pub validator: Option<Spanned<String>>,
    /// What the validator decides.
    #[serde(default)]
    pub checksum: Checksum,
    /// Words before the value.
    pub context: Option<ContextSpec>,
    /// Regexes searched in the value: no finding.
    #[serde(default)]
    pub allow: Vec<Spanned<String>>,
    /// Words in the value: no finding.
    #[serde(default)]
    pub stop_words: Vec<String>,
    /// Where the facts come from.
    #[serde(default)]
    pub references: Vec<String>,
    /// Texts with a finding, in parts that are put together at run time.
    #[serde(default)]
    pub examples: Vec<Spanned<Vec<String>>>,
    /// Texts without.
    #[serde(default)]
    pub negative_examples: Vec<Spanned<Vec<String>>>,
    /// Values under a field's name with a finding.
    #[serde(default)]
    pub field_examples: Vec<FieldExample>,
    /// Values under a field's name without.
    #[serde(default)]
    pub negative_field_examples: Vec<FieldExample>,
}

/// A value under a field's name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldExample {
    /// The key.
    pub field: String,
    /// The value's parts.
    pub parts: Spanned<Vec<String>>,
}

/// Where a pattern is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// At the start of every run of ASCII digits.
    Digits,
}

/// The scanners written in Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScannerName {
    /// `local@domain.tld`.
    Email,
    /// Four octets with dots.
    Ipv4,
    /// RFC 4291 text forms, v4-mapped included.
    Ipv6,
    /// Country, check digits, account, in groups or not.
    Iban,
    /// `+` or `00`, country code, number.
    Phone,
    /// A number as dialled at home, for rules with context.
    PhoneNational,
    /// `postgres://user:password@host/db`, the whole of it.
    UriDatabase,
    /// `mongodb://user:password@host/db`, the whole of it.
    UriMongodb,
    /// `https://user:password@host/`, the whole of it.
    UriWeb,
    /// `api_key = value` and its kin, value by shape and entropy.
    AssignmentKey,
    /// `password = value` and its kin, value with symbols.
    AssignmentPassword,
}

/// What follows the opener of an open-ended value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swallow {
    /// A character class: the value goes on as long as bytes are in it.
    pub members: Spanned<String>,
    /// What ends the value and belongs to it.
    pub until: Option<Spanned<String>>,
    /// Most bytes of the value, opener included; at most 16384.
    pub max: usize,
}

/// A set of bytes that must not stand beside a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// Anything may stand there.
    #[default]
    None,
    /// `[0-9]`.
    Digit,
    /// `[A-Za-z0-9]`.
    Alnum,
    /// `[A-Za-z0-9_]`.
    Word,
    /// `[A-Za-z0-9_-]`.
    Token,
    /// `[A-Za-z0-9+/=_-]`.
    Base64,
    /// A digit or letter, or one of `.`, `,`, `-`, `/` with a digit behind it.
    Number,
}

impl Boundary {
    const fn word() -> Self {
        Self::Word
    }
}

/// What a validator decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// Must pass.
    #[default]
    Gate,
    /// Passing skips entropy, stop words and context; failing changes nothing.
    Boost,
}

/// Words that must or may stand before a value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextSpec {
    /// ASCII case folded; each starts at a word's start.
    pub words: Vec<String>,
    /// Bytes before the match, at most 192.
    #[serde(default = "ContextSpec::window")]
    pub window: usize,
    /// What their presence decides.
    #[serde(default)]
    pub mode: ContextMode,
}

impl ContextSpec {
    const fn window() -> usize {
        48
    }
}

/// What the presence of a context word decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextMode {
    /// No word, no finding.
    #[default]
    Required,
    /// A word skips entropy and a validator's gate.
    Boost,
}

/// An action as written: `redact`, `mask:4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ActionSpec(pub super::Action);

impl ActionSpec {
    /// The action.
    #[must_use]
    pub const fn action(self) -> super::Action {
        self.0
    }
}

impl RuleSpec {
    /// Is it in the group `secrets`, and so never restorable?
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.groups.iter().any(|group| group == "secrets")
    }

    /// Is it about a special category of personal data?
    #[must_use]
    pub fn is_special(&self) -> bool {
        self.groups.iter().any(|group| group == "special-category")
    }

    /// Is it about a person?
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.groups.iter().any(|group| group == "pii")
    }

    /// The label of its replacements.
    #[must_use]
    pub fn label(&self) -> String {
        self.entity.clone().unwrap_or_else(|| super::policy::label_of(&self.id.value))
    }
}

impl TryFrom<String> for ActionSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl RuleSet {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// Only if the program was built with a broken rule file; the tests load it.
    pub fn builtin() -> Result<Self, Diagnostic> {
        let mut set = Self::default();
        for (file, text) in BUILTIN {
            set.extend(Self::parse(file, text)?)?;
        }
        Ok(set)
    }

    /// The files of the rules that come with the program: name and text.
    pub fn builtin_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        BUILTIN.into_iter()
    }

    /// Reads one rule file.
    ///
    /// # Errors
    /// Says where the file is not what the format allows. Patterns are checked by [`Engine::compile`](super::Engine::compile).
    pub fn parse(file: &str, yaml: &str) -> Result<Self, Diagnostic> {
        let (set, errors) = Self::parse_all(file, yaml);
        errors.into_iter().next().map_or(Ok(set), Err)
    }

    /// Reads one rule file as far as it can be read: the rules that are whole, and everything that is wrong with the rest.
    #[must_use]
    pub fn parse_all(file: &str, yaml: &str) -> (Self, Vec<Diagnostic>) {
        let parsed: RuleFile = match diagnostic::from_yaml(file, yaml) {
            Ok(parsed) => parsed,
            Err(error) => return (Self::default(), vec![error]),
        };
        if parsed.version.value != 1 {
            let error = Diagnostic::at(file, parsed.version.referenced, "unknown version")
                .help("this program reads version 1")
                .with_source(yaml);
            return (Self::default(), vec![error]);
        }
        let (set, errors) = Self::of(file, parsed.rules);
        (set, errors.into_iter().map(|error| error.with_source(yaml)).collect())
    }

    /// Rules that were read from a file, and those of them whose ids stand there twice.
    #[must_use]
    pub fn of(file: &str, specs: Vec<RuleSpec>) -> (Self, Vec<Diagnostic>) {
        let mut set = Self::default();
        let mut errors = Vec::new();
        for spec in specs {
            let rule =
                Rule { file: file.to_owned(), location: spec.id.referenced, spec, prepared: Arc::default() };
            errors.extend(set.insert(rule).err());
        }
        (set, errors)
    }

    /// Prepares every rule, those that are off as well, and says everything that can't be matched as it is written or
    /// not within bounds. Ends where the automata of all take more than `most` bytes.
    #[must_use]
    pub fn verify(&self, most: usize) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        let mut bytes = 0;
        for rule in self.iter() {
            match rule.prepared() {
                Ok(prepared) => bytes += prepared.bytes(),
                Err(error) => errors.push(error),
            }
            if bytes > most {
                let id = &rule.spec.id.value;
                let message =
                    format!("rule `{id}`: with it the automata of all rules take more than {most} bytes");
                let help = "smaller counters: `{0,64}` rather than `{0,2000}`";
                errors.push(Diagnostic::at(&rule.file, rule.location, message).help(help));
                break;
            }
        }
        errors
    }

    /// Adds the rules of another set.
    ///
    /// # Errors
    /// An id that is in both.
    pub fn extend(&mut self, other: Self) -> Result<(), Diagnostic> {
        other.rules.into_values().try_for_each(|rule| self.insert(rule))
    }

    /// These rules, and those of `others` whose ids are not among them.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        for (id, rule) in others.rules {
            self.rules.entry(id).or_insert(rule);
        }
        self
    }

    fn insert(&mut self, rule: Rule) -> Result<(), Diagnostic> {
        let id = &rule.spec.id.value;
        if let Some(other) = self.rules.get(id) {
            let message =
                format!("rule `{id}` is already defined in {}:{}", other.file, other.location.line());
            return Err(Diagnostic::at(&rule.file, rule.location, message));
        }
        self.rules.insert(id.clone(), rule);
        Ok(())
    }

    /// One set for each rule.
    pub fn split(self) -> impl Iterator<Item = Self> {
        self.rules.into_iter().map(|entry| Self { rules: BTreeMap::from([entry]) })
    }

    /// Every rule, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The rule of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// The rule of that id alone; empty if there is none.
    #[must_use]
    pub fn only(&self, id: &str) -> Self {
        Self {
            rules: self
                .rules
                .get_key_value(id)
                .map(|(id, rule)| (id.clone(), rule.clone()))
                .into_iter()
                .collect(),
        }
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Is there no rule?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// The rule files of the program.
const BUILTIN: [(&str, &str); 13] = [
    ("config/rules/secrets.yaml", include_str!("../../config/rules/secrets.yaml")),
    ("config/rules/ai.yaml", include_str!("../../config/rules/ai.yaml")),
    ("config/rules/cloud.yaml", include_str!("../../config/rules/cloud.yaml")),
    ("config/rules/code.yaml", include_str!("../../config/rules/code.yaml")),
    ("config/rules/data.yaml", include_str!("../../config/rules/data.yaml")),
    ("config/rules/payment.yaml", include_str!("../../config/rules/payment.yaml")),
    ("config/rules/messaging.yaml", include_str!("../../config/rules/messaging.yaml")),
    ("config/rules/monitoring.yaml", include_str!("../../config/rules/monitoring.yaml")),
    ("config/rules/identity.yaml", include_str!("../../config/rules/identity.yaml")),
    ("config/rules/services.yaml", include_str!("../../config/rules/services.yaml")),
    ("config/rules/pii.yaml", include_str!("../../config/rules/pii.yaml")),
    ("config/rules/financial.yaml", include_str!("../../config/rules/financial.yaml")),
    ("config/rules/national.yaml", include_str!("../../config/rules/national.yaml")),
];
