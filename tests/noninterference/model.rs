//! The right answer, by a model that is as small as it can be: a list of what each tenant has, in the order of its making.

use std::collections::BTreeMap;

use serde_json::Value;

use super::calls::{Does, KINDS, Kind};
use super::program::{Name, Page, Step, Whose};
use super::world::Answer;

/// What a tenant has, oldest first, and what it had.
#[derive(Default)]
pub(crate) struct Mine {
    live: BTreeMap<Kind, Vec<String>>,
    ended: BTreeMap<Kind, Vec<String>>,
    /// Files whose lines were judged as a batch's.
    batches: Vec<String>,
}

/// What an id is to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    /// The caller's.
    Own,
    /// Not there any more: no call may succeed with it.
    Ended,
    /// Nothing: foreign, or never there.
    Nothing,
    /// A model comes and goes with the job that made it, so nothing is said of one that was the caller's.
    Unsure,
}

/// What the answer has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Ok,
    Unknown,
    Refused,
    /// Whatever the API says. It may not depend on others all the same.
    Any,
    /// This page: its ids, and whether more follow.
    Page(Vec<String>, bool),
}

impl Mine {
    pub(crate) fn live(&self, kind: Kind) -> &[String] {
        self.live.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Everything of a kind that the tenant has or had.
    pub(crate) fn ever(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.live(kind).iter().chain(self.ended.get(&kind).into_iter().flatten())
    }

    /// The id that a name stands for, if there is one.
    pub(crate) fn find(&self, name: Name, kind: Kind) -> Option<(String, Is)> {
        let pick = |from: &[String]| (!from.is_empty()).then(|| name.which.get(from).clone());
        match name.whose {
            Whose::Own => {
                let is = if kind == Kind::Model { Is::Unsure } else { Is::Own };
                Some((pick(self.live(kind))?, is))
            }
            Whose::Ended => {
                let is = if kind == Kind::Model { Is::Unsure } else { Is::Ended };
                Some((pick(self.ended.get(&kind)?)?, is))
            }
            // What looks like no fine-tuned model is a base model's name.
            Whose::OtherKind if kind == Kind::Model => None,
            Whose::OtherKind => {
                let others: Vec<String> = KINDS
                    .iter()
                    .filter(|other| **other != kind && **other != Kind::Model)
                    .flat_map(|other| self.live(*other).iter().cloned())
                    .collect();
                Some((pick(&others)?, Is::Nothing))
            }
            Whose::Foreign | Whose::Invented => None,
        }
    }

    /// The right answer to a call with these ids.
    pub(crate) fn right(&self, step: &Step, ids: &[(String, Is)], cursor: Option<&(String, Is)>) -> Right {
        let all = || ids.iter().chain(cursor);
        if all().any(|(_, is)| *is == Is::Nothing) {
            return Right::Unknown;
        }
        if all().any(|(_, is)| *is == Is::Unsure) {
            return Right::Any;
        }
        if all().any(|(_, is)| *is == Is::Ended) {
            return Right::Refused;
        }
        match step.verb.does {
            Does::Makes(Kind::Batch) if !self.batches.contains(&ids[0].0) => Right::Unknown,
            Does::Makes(_) | Does::Ends(_) | Does::Reads => Right::Ok,
            Does::Tries => Right::Any,
            Does::Lists(kind) => self.page(kind, step.page, cursor.map(|(id, _)| id.as_str())),
        }
    }

    fn page(&self, kind: Kind, page: Page, cursor: Option<&str>) -> Right {
        let most = if kind == Kind::File { 10_000 } else { 100 };
        let usual = if kind == Kind::File { 10_000 } else { 20 };
        let limit = page.limit.map_or(usual, usize::from);
        if limit == 0 || limit > most {
            return Right::Any;
        }
        let mut all = self.live(kind).to_vec();
        if !ascending(kind, page).unwrap_or(kind == Kind::Chat) {
            all.reverse();
        }
        let at = cursor.and_then(|cursor| all.iter().position(|id| id == cursor));
        let (from, to, more) = match (at, before(kind, page)) {
            (Some(at), true) => (at.saturating_sub(limit), at, at > limit),
            (Some(at), false) => (at + 1, all.len().min(at + 1 + limit), all.len() > at + 1 + limit),
            (None, _) => (0, all.len().min(limit), all.len() > limit),
        };
        Right::Page(all[from..to].to_vec(), more)
    }

    /// Takes note of what an answer says of new things and of ends.
    pub(crate) fn learn(&mut self, step: &Step, ids: &[(String, Is)], answer: &Answer) {
        if answer.status != 200 {
            return;
        }
        if let Does::Ends(kind) = step.verb.does {
            let ended = &ids[0].0;
            self.live.entry(kind).or_default().retain(|id| id != ended);
            self.ended.entry(kind).or_default().push(ended.clone());
        }
        let Ok(said) = serde_json::from_slice::<Value>(&answer.body) else { return };
        let text = |at: &str| said.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let mut new = Vec::new();
        if let Does::Makes(kind) = step.verb.does {
            new.push((kind, text("/id")));
        }
        match said["object"].as_str().unwrap_or_default() {
            "fine_tuning.job" => {
                new.push((Kind::Model, text("/fine_tuned_model")));
                new.push((Kind::File, text("/result_files/0")));
            }
            "batch" => {
                new.extend([(Kind::File, text("/output_file_id")), (Kind::File, text("/error_file_id"))]);
            }
            "upload" => new.push((Kind::File, text("/file/id"))),
            "upload.part" => new.push((Kind::Part, text("/id"))),
            _ => {}
        }
        for (kind, id) in new {
            let Some(id) = id.filter(|id| !self.ever(kind).any(|known| known == id)) else { continue };
            if step.verb.body.starts_with("batch|") {
                self.batches.push(id.clone());
            }
            self.live.entry(kind).or_default().push(id);
        }
    }
}

/// Only some lists go backwards.
pub(crate) fn before(kind: Kind, page: Page) -> bool {
    kind == Kind::Store && page.cursor.is_some_and(|(before, _)| before)
}

/// Only some lists let the caller choose.
pub(crate) fn ascending(kind: Kind, page: Page) -> Option<bool> {
    page.order.filter(|_| matches!(kind, Kind::File | Kind::Store | Kind::Chat))
}

impl Right {
    /// What is wrong with an answer, if anything is.
    pub(crate) fn wrong(&self, answer: &Answer) -> Option<String> {
        let fits = match self {
            Self::Ok | Self::Page(..) => answer.status == 200,
            Self::Unknown => answer.status == 404,
            Self::Refused => (400..500).contains(&answer.status),
            Self::Any => answer.status < 500,
        };
        if !fits {
            return Some(format!("the model says {self:?}"));
        }
        let Self::Page(ids, more) = self else { return None };
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let found: Vec<&str> =
            said["data"].as_array().into_iter().flatten().filter_map(|item| item["id"].as_str()).collect();
        let mut right = found == *ids && said["has_more"] == *more;
        for (name, end) in [("first_id", ids.first()), ("last_id", ids.last())] {
            right &= said.get(name).is_none_or(|told| told.as_str() == end.map(String::as_str));
        }
        (!right).then(|| format!("the model says {ids:?}, and more: {more}"))
    }
}
