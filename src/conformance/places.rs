//! Every operation, in every place where an id can stand: another's, one that never was, and one that can't be.

use std::sync::Arc;

use super::request::{At, Lack, Order};
use super::samples::Sample;
use super::{Answer, Check, Draft, Made, Outcome, Stopped, Tenant, Walk, ids};
use crate::catalog::{Operation, Place, Use};
use crate::names::Kind;
use crate::reason::Reason;

/// How many different resources of a kind are tried at each place.
const MOST: usize = 6;

/// A place of one operation.
struct Spot<'o> {
    at: At<'o>,
    kind: Kind,
    place: String,
    sample: Option<&'o Sample>,
    /// The place is one that the profile names.
    used: Option<&'o Use>,
}

/// What is put at a place.
struct Ids {
    /// A's, and what they were made as.
    theirs: Vec<String>,
    invented: Vec<String>,
    malformed: Option<String>,
}

impl Walk<'_> {
    /// B tries everything.
    pub(super) async fn places(&mut self, a: &Tenant, b: &mut Tenant) -> Result<(), Stopped> {
        let operations: Vec<Arc<Operation>> =
            self.served().filter(|o| self.is_tried(&o.id)).cloned().collect();
        let samples = &self.route.samples;
        for operation in &operations {
            let spots = spots(operation, samples.operation(&operation.id));
            if spots.is_empty() {
                let of = (&operation.id, Check::Place);
                self.row(of, "", "", Outcome::Untried, "the profile names no id in it".to_owned());
            }
            for spot in &spots {
                let (outcome, detail) = self.spot(operation, spot, a, b).await?;
                let of = (&operation.id, Check::Place);
                self.row(of, &spot.place, spot.kind.as_str(), outcome, detail);
            }
        }
        Ok(())
    }

    async fn spot(
        &mut self,
        operation: &Operation,
        spot: &Spot<'_>,
        a: &Tenant,
        b: &mut Tenant,
    ) -> Result<(Outcome, String), Stopped> {
        let ids = self.ids(&spot.kind, a);
        let lacking = || (Outcome::Untried, format!("A has no {} to try with", spot.kind));
        let Some(never) = ids.invented.first() else { return Ok(lacking()) };
        let first = match self.try_one(operation, spot, b, never).await? {
            Ok(answer) => answer,
            Err(lack) => return Ok((Outcome::Untried, format!("as B: {lack}"))),
        };
        let others = ids.theirs.iter().map(|id| ("A's", id));
        let others = others.chain(ids.invented.iter().skip(1).map(|id| ("another invented one", id)));
        let others = others.chain(ids.malformed.iter().map(|id| ("a malformed one", id)));
        for (whose, id) in others {
            let Ok(answer) = self.try_one(operation, spot, b, id).await? else { continue };
            if let Some(how) = answer.unlike(&first) {
                return Ok((Outcome::Differs, format!("{whose} is told from an invented one: {how}")));
            }
        }
        let came = self.control(operation, spot, &first);
        Ok(if ids.theirs.is_empty() && came.0 == Outcome::Same { lacking() } else { came })
    }

    /// All are answered alike. It has to be as unknown ids are; else nothing was shown.
    fn control(&self, operation: &Operation, spot: &Spot<'_>, answer: &Answer) -> (Outcome, String) {
        if self.is_unknown(answer, &spot.kind) {
            return (Outcome::Same, String::new());
        }
        match self.reason(answer) {
            // In the line of a file: the reason says which line it is.
            Some(Reason::ResourceUnknown) if spot.used.is_none() => (Outcome::Same, String::new()),
            Some(reason) => {
                let why = format!("refused whatever the id is: {} ({})", answer.status, reason.code());
                (Outcome::Untried, why)
            }
            None => {
                let id = &operation.id;
                (
                    Outcome::Differs,
                    format!("an invented id is answered by {id} with {}", super::shown(answer.status)),
                )
            }
        }
    }

    fn ids(&self, kind: &Kind, a: &Tenant) -> Ids {
        let rule = self.route.catalog.kind(kind);
        let mut tried: Vec<&Made> = Vec::new();
        for made in a.stock.of(kind) {
            let like = |other: &&Made| {
                other.by == made.by && other.made_as == made.made_as && other.label == made.label
            };
            if !tried.iter().any(like) && tried.len() < MOST {
                tried.push(made);
            }
        }
        let mut theirs: Vec<String> = tried.iter().map(|made| made.id.clone()).collect();
        // What is part of A's is A's, whether or not it was ever shown.
        theirs.extend(tried.iter().find_map(|made| ids::part(rule, &made.id)));
        let invented = ids::invented(rule, tried.first().map_or("", |made| made.id.as_str()));
        Ids { theirs, invented, malformed: ids::malformed(rule) }
    }

    async fn try_one(
        &mut self,
        operation: &Operation,
        spot: &Spot<'_>,
        b: &mut Tenant,
        id: &str,
    ) -> Result<Result<Answer, Lack>, Stopped> {
        let order = Order {
            catalog: &self.route.catalog,
            operation,
            sample: spot.sample,
            stock: &b.stock,
            put: Some((spot.at, id)),
            near: Vec::new(),
        };
        let draft = match order.draft() {
            Ok(draft) => draft,
            Err(lack) => return Ok(Err(lack)),
        };
        let answer = self.ask(b, operation, &draft).await?;
        if answer.is_ok() {
            // By a fault: B's call should have come to nothing.
            let called = spot.sample.and_then(|sample| sample.name.as_deref());
            self.take_up(b, operation, called, &draft, &answer);
        }
        Ok(Ok(answer))
    }

    /// What the profile refuses is refused, whatever stands in the path.
    pub(super) async fn refused(&mut self, b: &Tenant) -> Result<(), Stopped> {
        let operations = self.route.catalog.operations();
        let refused = operations.iter().filter(|o| o.refused.is_some() && self.is_tried(&o.id));
        let refused: Vec<Arc<Operation>> = refused.cloned().collect();
        for operation in refused {
            let mut answers = Vec::new();
            for word in ["conformance", "17"] {
                let names = super::request::parameters(&operation.template);
                let params = names.map(|name| (Arc::from(name), word.to_owned())).collect();
                let draft = Draft::bare(params);
                answers.push(self.ask(b, &operation, &draft).await?);
            }
            let of = (&operation.id, Check::Refused);
            let status = operation.refused.map(|reason| reason.status().as_u16());
            let (outcome, detail) = match answers.as_slice() {
                [one, two] if Some(one.status) == status => match two.unlike(one) {
                    None => (Outcome::Same, String::new()),
                    Some(how) => (Outcome::Differs, format!("one id is told from another: {how}")),
                },
                [one, ..] => (Outcome::Differs, format!("answered {}", super::shown(one.status))),
                [] => continue,
            };
            self.row(of, &operation.template, "", outcome, detail);
        }
        Ok(())
    }

    /// The gateway's reason, if an answer is one of its refusals.
    pub(super) fn reason(&self, answer: &Answer) -> Option<Reason> {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let says = |reason: &&Reason| {
            answer.status == reason.status().as_u16() && text.contains(&format!("\"{}\"", reason.code()))
        };
        Reason::ALL.iter().find(says).copied()
    }
}

/// The places of the profile, on the operation's first sample, and those of every sample.
fn spots<'o>(operation: &'o Operation, samples: &'o [Sample]) -> Vec<Spot<'o>> {
    let mut spots: Vec<Spot<'o>> = Vec::new();
    for used in &operation.uses {
        spots.push(Spot {
            at: At::Use(used),
            kind: used.kind.clone(),
            place: shown(&used.place),
            sample: samples.first(),
            used: Some(used),
        });
    }
    for sample in samples {
        for (nth, mark) in sample.marks().into_iter().enumerate() {
            let place = match &sample.name {
                Some(name) => format!("{} of sample `{name}`", mark.place),
                None => format!("{} of a sample", mark.place),
            };
            spots.push(Spot { at: At::Mark(nth), kind: mark.kind, place, sample: Some(sample), used: None });
        }
    }
    spots
}

fn shown(place: &Place) -> String {
    match place {
        Place::Path(name) => format!("path `{name}`"),
        Place::Query(name) => format!("query `{name}`"),
        Place::Header(name) => format!("header `{name}`"),
        Place::Form(name) => format!("form `{name}`"),
        Place::Json(at) => at.to_string(),
    }
}
