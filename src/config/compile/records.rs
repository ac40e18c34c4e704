//! What a tenant wants of the records of its data sets.

use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::schema::{self, OtherFiles, RecordAction as Named};
use super::super::snapshot::Records;
use super::Compiler;
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

/// Compiles it.
pub(super) fn of(c: &mut Compiler<'_>, file: &Text, raw: &schema::Records) -> Records {
    let mut policy = RecordPolicy::strict();
    actions(c, file, &raw.when, &mut policy);
    policy.opt_out = places(&raw.opt_out);
    policy.opt_in = places(&raw.opt_in);
    policy.other_files_pass = raw.other_files == OtherFiles::Pass;
    let mut fields = Vec::new();
    for (field, defaults) in DEFAULTS {
        match written(&raw.fields, *field) {
            Some(written) => {
                let read = written.iter().filter_map(|at| pointer(c, file, at));
                fields.extend(read.collect::<Vec<_>>().into_iter().map(|at| (*field, at)));
            }
            None => fields.extend(defaults.iter().filter_map(|at| at.parse().ok()).map(|at| (*field, at))),
        }
    }
    let remove = raw.remove.iter().filter_map(|at| pointer(c, file, at)).collect();
    Records { policy: policy.into(), fields, remove }
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

fn actions(c: &mut Compiler<'_>, file: &Text, raw: &schema::RecordActions, policy: &mut RecordPolicy) {
    for (finding, given) in [
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
    ] {
        let Some(given) = given else { continue };
        let action = match given.value {
            Named::Pass => RecordAction::Pass,
            Named::Anonymise => RecordAction::Anonymise,
            Named::Drop => RecordAction::Drop,
            Named::Refuse => RecordAction::Refuse,
        };
        if action == RecordAction::Pass && !finding.may_pass() {
            c.error(file, given, format!("a record can't pass when {}", finding.title())).help =
                Some("`anonymise`, `drop` or `refuse`".to_owned());
        }
        policy.set(finding, action);
    }
}
