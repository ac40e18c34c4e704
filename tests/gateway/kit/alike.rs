//! Another's id beside one that never was and one of another form, in each place where an id can stand.

use consentry::reason::Reason;
use serde_json::json;

use super::values::{FORM, form, mark};
use super::{Answer, Ask, Caller, house};

/// A call that names an id of a kind: method (`FORM` for a form), target and body, with `ID` where the id goes.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) kind: &'static str,
    method: &'static str,
    target: String,
    body: String,
}

impl Place {
    pub(crate) fn new(
        kind: &'static str,
        method: &'static str,
        target: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        Self { kind, method, target: target.into(), body: body.into() }
    }

    fn with(&self, id: &str) -> Ask {
        let target = self.target.replace("ID", id);
        match self.method {
            "FORM" => Ask::new("POST", target).typed(FORM, form(&[(&self.body, None, id.as_bytes())])),
            method if self.body.is_empty() => Ask::new(method, target),
            method => {
                let body = self.body.replace("\"ID\"", &json!(id).to_string());
                Ask::new(method, target).typed("application/json", body)
            }
        }
    }
}

/// In each place the three are refused alike, and the sandbox hears of none. Gives how many places there were.
///
/// Every request that goes up carries its id, so that what others do to the same resources meanwhile says nothing here.
pub(crate) fn alike(caller: &Caller<'_>, places: &[Place], ids: &[(&str, &String)]) -> usize {
    let mut sent: Vec<(String, &Place)> = Vec::new();
    for place in places {
        let id = ids.iter().find(|(kind, _)| *kind == place.kind).unwrap().1;
        let (start, _) = id.split_once(['_', '-']).unwrap();
        let unknown =
            caller.ask(&place.with(&format!("{start}_{}", mark()))).refused(Reason::ResourceUnknown);
        let foreign = caller.ask(&place.with(id));
        let malformed = caller.ask(&place.with(&format!("no.such.{}", mark())));
        assert_eq!(unknown.comparable(), foreign.comparable(), "{place:?} of {id}");
        assert_eq!(unknown.comparable(), malformed.comparable(), "{place:?} of another form");
        sent.extend([unknown, foreign, malformed].iter().map(|answer| (request(answer), place)));
    }
    let heard = caller.get("/v1/models").ok();
    let journal: Vec<String> = house().sandbox.journal("").iter().map(ToString::to_string).collect();
    let hears = |id: &str| journal.iter().any(|entry| entry.contains(id));
    assert!(hears(&request(&heard)), "what goes up is not seen");
    for (id, place) in &sent {
        assert!(!hears(id), "{place:?} went up");
    }
    places.len()
}

/// The id that the gateway gave a request.
fn request(answer: &Answer) -> String {
    answer.header("x-request-id").unwrap().to_owned()
}
