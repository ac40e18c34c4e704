//! One JSON document.

use std::sync::{Arc, LazyLock};

use consentry::body::json::{JsonPlan, JsonTransform, Watch};
use consentry::body::{Job, Transform};
use consentry::names::Direction;
use consentry::reason::Reason;

use super::input::Input;
use super::passed::{Treatment, shown};
use super::tree::{is_json, skeleton, texts};
use super::values::{self, ENGINES};

/// No plan; and one with places that decide.
static PLANS: LazyLock<[Arc<JsonPlan>; 2]> = LazyLock::new(|| {
    let watches = ["/model", "/messages/*/content", "/**/id"].map(|at| Watch::new(at.parse().unwrap()));
    [Arc::new(JsonPlan::empty()), Arc::new(JsonPlan::compile(&watches, &[]).unwrap())]
});

/// Reasons for which a valid document may be refused.
pub(super) const REFUSES: &[Reason] = &[
    Reason::ContentBlocked,
    Reason::ContentTooDeep,
    Reason::RecordTooLarge,
    Reason::FieldAmbiguous,
    Reason::UpstreamContentBlocked,
    Reason::UpstreamUninspectable,
];

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = input.body();
    let (engine, planned) = match input.one_of(4) {
        0 | 1 => (&ENGINES[0], usize::from(input.one_of(4))),
        2 => (&ENGINES[3], 0),
        _ => (&ENGINES[7], 1),
    };
    let answers = input.beyond(4) % 2 == 1;
    let job = || if answers { values::answer(engine) } else { values::job(engine, Direction::Request) };
    let make =
        |job: Job| -> Box<dyn Transform> { Box::new(JsonTransform::new(job, Arc::clone(&PLANS[planned]))) };
    let treatment = Treatment { finds: input.one_of(4) < 2, ..Treatment::new(&job, &make) };
    let whole = treatment.check(&input, &body);
    let valid = is_json(&body);
    match &whole.refusal {
        Some(refusal) => {
            assert!(!valid || REFUSES.contains(&refusal.reason), "valid, and refused: {refusal:?}");
            return;
        }
        None => assert!(valid, "what is no JSON passed: {}", shown(&body)),
    }
    if whole.is_clean() {
        assert!(
            whole.out == body,
            "nothing was found, and it changed:\n{}\n{}",
            shown(&body),
            shown(&whole.out)
        );
    }
    assert!(is_json(&whole.out), "it is no JSON any more: {}", shown(&whole.out));
    assert_eq!(skeleton(&body), skeleton(&whole.out));
    for text in texts(&whole.out) {
        if treatment.finds {
            values::absent(input.template, text.as_bytes());
        }
    }
    if !answers && input.one_of(4) < 2 {
        treatment.twice(&whole);
    }
}
