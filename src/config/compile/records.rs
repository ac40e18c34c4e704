//! What a tenant wants of the records of its data sets.

use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::policy::Policy;
use super::super::schema::{self, OtherFiles, RecordAction as Named};
use super::super::snapshot::Records;
use super::Compiler;
use super::promised::{self, Floors};
use crate::consent::record::{Field, Finding, RecordAction, RecordPolicy};
use crate::pointer::{Pointer, Step};

/// Where records say what, unless a tenant's file says otherwise.
const DEFAULTS: &[(Field, &[&str])] = &[
    (
        Field::Subject,
        &[
            "/metadata/consent/pii_principal_id",
            "/metadata/subject_id",
            "/subject_id",
            "/consent/pii_principal_id",
        ],
    ),
    (
        Field::Consent,
        &[
            "/metadata/consent",
            "/metadata/consent/status",
            "/metadata/consent/train",
            "/metadata/consent/train-ai",
            "/metadata/consent/training",
            "/metadata/content_usage",
            "/metadata/training_consent",
            "/metadata/train-ai",
            "/training_consent",
            "/train-ai",
            "/content_usage",
            "/consent_train_ai",
            "/consent",
            "/consent/status",
            "/consent/train",
            "/consent/train-ai",
            "/consent/training",
        ],
    ),
    (
        Field::Purpose,
        &[
            "/metadata/consent/purposes",
            "/metadata/consent/purposes/*",
            "/consent/purposes",
            "/consent/purposes/*",
        ],
    ),
    (Field::GivenAt, &["/metadata/consent/event_time", "/consent/event_time"]),
    (Field::ValidFor, &["/metadata/consent/validity_duration", "/consent/validity_duration"]),
    (Field::ValidUntil, &["/metadata/consent/valid_until", "/consent/valid_until"]),
    (
        Field::Jurisdiction,
        &[
            "/metadata/consent/jurisdiction",
            "/metadata/jurisdiction",
            "/jurisdiction",
            "/consent/jurisdiction",
        ],
    ),
    (Field::BirthDate, &["/metadata/birth_date", "/birth_date"]),
    (Field::Age, &["/metadata/age", "/age"]),
    (Field::Minor, &["/metadata/minor", "/minor"]),
    (Field::Special, &["/metadata/special_category", "/special_category"]),
    (
        Field::Identifier,
        &[
            "/metadata/consent/record_id",
            "/consent/record_id",
            "/metadata/record_id",
            "/metadata/source_id",
            "/record_id",
            "/source_id",
        ],
    ),
];

/// Whether a tenant's records are judged, and how: by the strictest of what its file and its policies say.
pub(super) fn of(
    c: &mut Compiler<'_>,
    file: &Text,
    own: Option<&Spanned<schema::Records>>,
    floors: &Floors,
) -> Option<Records> {
    let promised: Vec<_> = floors.records().collect();
    let mut policy = own.map(|own| policy_of(&own.value.when, own.value.other_files));
    for (of, least) in &promised {
        let least = policy_of(&least.when, least.other_files);
        if let Some(own) = own {
            loosened(c, file, own, of, &least);
        }
        policy = Some(policy.map_or_else(|| least.clone(), |policy| stricter(policy, &least)));
    }
    let mut policy = policy?;
    let none = schema::Records::default();
    let raw = own.map_or(&none, |own| &own.value);
    cannot_pass(c, file, &raw.when);
    policy.opt_out = places(&raw.opt_out);
    policy.opt_in = places(&raw.opt_in);
    let fields = fields(c, file, &raw.fields, !promised.is_empty());
    let remove = raw.remove.iter().filter_map(|at| pointer(c, file, at)).collect();
    Some(Records { policy: policy.into(), fields, remove })
}

/// What a tenant's file says more loosely than one of its policies.
fn loosened(
    c: &mut Compiler<'_>,
    file: &Text,
    own: &Spanned<schema::Records>,
    policy: &Policy,
    least: &RecordPolicy,
) {
    for (finding, given) in given(&own.value.when) {
        if let Some(given) = given.as_ref().filter(|given| action(given.value) < least.action(finding)) {
            promised::loosens(c, file, given, policy, &format!("/records/when/{}", finding.as_str()));
        }
    }
    if own.value.other_files == OtherFiles::Pass && !least.other_files_pass {
        promised::loosens(c, file, own, policy, "/records/other_files");
    }
}

/// The stricter of two, finding by finding.
fn stricter(mut one: RecordPolicy, other: &RecordPolicy) -> RecordPolicy {
    for finding in Finding::ALL {
        one.set(*finding, one.action(*finding).max(other.action(*finding)));
    }
    one.other_files_pass &= other.other_files_pass;
    one
}

/// Where records say what. Beside a policy, a tenant's places are more places: what stands in the usual ones is read all the same.
fn fields(
    c: &mut Compiler<'_>,
    file: &Text,
    raw: &schema::RecordFields,
    more: bool,
) -> Vec<(Field, Pointer)> {
    let mut fields = Vec::new();
    for (field, defaults) in DEFAULTS {
        let own = written(raw, *field);
        let read: Vec<Pointer> = own.into_iter().flatten().filter_map(|at| pointer(c, file, at)).collect();
        let usual = defaults.iter().filter(|_| own.is_none() || more).filter_map(|at| at.parse().ok());
        let usual: Vec<Pointer> = usual.filter(|at| !read.contains(at)).collect();
        fields.extend(read.into_iter().chain(usual).map(|at| (*field, at)));
    }
    fields
}

fn written(raw: &schema::RecordFields, field: Field) -> Option<&Vec<Spanned<String>>> {
    match field {
        Field::Subject => raw.subject.as_ref(),
        Field::Consent => raw.consent.as_ref(),
        // Follows from those of consent.
        Field::InConsent => None,
        Field::Purpose => raw.purposes.as_ref(),
        Field::GivenAt => raw.given_at.as_ref(),
        Field::ValidFor => raw.valid_for.as_ref(),
        Field::ValidUntil => raw.valid_until.as_ref(),
        Field::Jurisdiction => raw.jurisdiction.as_ref(),
        Field::BirthDate => raw.birth_date.as_ref(),
        Field::Age => raw.age.as_ref(),
        Field::Minor => raw.minor.as_ref(),
        Field::Special => raw.special_category.as_ref(),
        Field::Identifier => raw.identifiers.as_ref(),
    }
}

/// A place in a record. The record itself is none.
fn pointer(c: &mut Compiler<'_>, file: &Text, at: &Spanned<String>) -> Option<Pointer> {
    match at.value.parse::<Pointer>() {
        Ok(place) if place.steps().is_empty() || place.steps().contains(&Step::Deep) => {
            c.error(file, at, "names no place in a record: at least one key, and no `**`");
            None
        }
        Ok(place) => Some(place),
        Err(error) => {
            c.error(file, at, error.to_string());
            None
        }
    }
}

fn places(raw: &[String]) -> Vec<Box<str>> {
    raw.iter().map(|place| place.trim().into()).collect()
}

/// What is said of each finding.
const fn given(raw: &schema::RecordActions) -> [(Finding, &Option<Spanned<Named>>); 10] {
    [
        (Finding::SaidNo, &raw.said_no),
        (Finding::FlagsContradict, &raw.flags_contradict),
        (Finding::Minor, &raw.minor),
        (Finding::TwoSubjects, &raw.two_subjects),
        (Finding::NoSubject, &raw.no_subject),
        (Finding::Unreadable, &raw.unreadable),
        (Finding::Lapsed, &raw.lapsed),
        (Finding::OtherPurpose, &raw.other_purpose),
        (Finding::Unknown, &raw.unknown),
        (Finding::SpecialCategory, &raw.special_category),
    ]
}

const fn action(named: Named) -> RecordAction {
    match named {
        Named::Pass => RecordAction::Pass,
        Named::Anonymise => RecordAction::Anonymise,
        Named::Drop => RecordAction::Drop,
        Named::Refuse => RecordAction::Refuse,
    }
}

fn policy_of(when: &schema::RecordActions, other_files: OtherFiles) -> RecordPolicy {
    let mut policy = RecordPolicy::strict();
    for (finding, given) in given(when) {
        if let Some(given) = given {
            policy.set(finding, action(given.value));
        }
    }
    policy.other_files_pass = other_files == OtherFiles::Pass;
    policy
}

/// Records that say no can't pass.
pub(super) fn cannot_pass(c: &mut Compiler<'_>, file: &Text, raw: &schema::RecordActions) {
    for (finding, given) in given(raw) {
        let Some(given) = given.as_ref().filter(|given| given.value == Named::Pass) else { continue };
        if !finding.may_pass() {
            c.error(file, given, format!("a record can't pass when {}", finding.title())).help =
                Some("`anonymise`, `drop` or `refuse`".to_owned());
        }
    }
}
