//! What a tenant sees: every operation that only reads, for everything that it has.

use std::sync::Arc;

use http::Method;

use super::request::{At, Order};
use super::{Answer, Check, Draft, Made, Outcome, Stopped, Tenant, Walk, json};
use crate::catalog::{Operation, Place};
use crate::names::Kind;

/// What was looked at, or nothing in particular.
type Of = Option<(Kind, String)>;

/// One look.
pub(super) struct Look {
    operation: Arc<Operation>,
    of: Of,
    target: String,
    answer: Answer,
}

impl Walk<'_> {
    /// Looks at everything.
    pub(super) async fn look(&mut self, tenant: &Tenant) -> Result<Vec<Look>, Stopped> {
        let mut drafts: Vec<(Arc<Operation>, Of, Draft)> = Vec::new();
        for operation in self.served().filter(|o| o.method == Method::GET && !o.template.contains('{')) {
            let order = Order {
                catalog: &self.route.catalog,
                operation,
                sample: None,
                stock: &tenant.stock,
                put: None,
                near: Vec::new(),
            };
            drafts.extend(order.draft().ok().map(|draft| (Arc::clone(operation), None, draft)));
        }
        for made in tenant.stock.all().iter().filter(|made| !made.ended) {
            let of = || Some((made.kind.clone(), made.id.clone()));
            let looks = self.looks_at(tenant, made).into_iter();
            drafts.extend(looks.filter(|(o, _)| o.method == Method::GET).map(|(o, draft)| (o, of(), draft)));
        }
        let mut looks = Vec::new();
        for (operation, of, draft) in drafts {
            let answer = self.ask(tenant, &operation, &draft).await?;
            let target = draft.call(&operation, "", None).target;
            looks.push(Look { answer: self.steady(&operation, answer), operation, of, target });
        }
        Ok(looks)
    }

    /// The calls whose last parameter is this resource, the others being what it has to do with.
    pub(super) fn looks_at(&self, tenant: &Tenant, made: &Made) -> Vec<(Arc<Operation>, Draft)> {
        let mut looks = Vec::new();
        for operation in self.served() {
            let last = super::request::parameters(&operation.template).last().map(Arc::from).map(Place::Path);
            let used = operation
                .uses
                .iter()
                .find(|used| Some(&used.place) == last.as_ref() && used.kind == made.kind);
            let Some(used) = used else { continue };
            let order = Order {
                catalog: &self.route.catalog,
                operation,
                sample: None,
                stock: &tenant.stock,
                put: Some((At::Use(used), &made.id)),
                near: vec![made],
            };
            let Ok(draft) = order.draft() else { continue };
            let others = draft.named.iter().filter(|(kind, id)| !(*kind == made.kind && *id == made.id));
            let known = |kind: &Kind, id: &str| tenant.stock.of(kind).find(|other| other.id == *id);
            if others.into_iter().all(|(kind, id)| known(kind, id).is_some_and(|other| other.related(made))) {
                looks.push((Arc::clone(operation), draft));
            }
        }
        looks
    }

    /// The answer without what changes by itself.
    fn steady(&self, operation: &Operation, mut answer: Answer) -> Answer {
        let varies = self.route.samples.varies(&operation.id);
        if let Some(mut document) = answer.json().filter(|_| !varies.is_empty()) {
            varies.iter().for_each(|at| json::clear(&mut document, at));
            answer.body = bytes::Bytes::from(document.to_string());
            answer.headers.retain(|(name, _)| name != "content-length");
        }
        answer
    }

    /// What B sees is the same before and after A made something, and holds nothing of A's.
    pub(super) fn apart(&mut self, before: &[Look], after: &[Look], a: &Tenant) {
        for look in after {
            let Some(first) = before.iter().find(|other| other.target == look.target) else { continue };
            let held = a.stock.all().iter().find(|made| look.holds(made));
            let (outcome, detail) = match (held, look.answer.unlike(&first.answer)) {
                (Some(made), _) => (Outcome::Differs, format!("B is shown a {} of A's", made.kind)),
                (None, Some(how)) => (Outcome::Differs, format!("since A made something: {how}")),
                (None, None) => self.alike(&look.answer),
            };
            self.row(
                (&look.operation.id, Check::Apart),
                &look.operation.template,
                look.kind(),
                outcome,
                detail,
            );
        }
    }

    /// Two looks have one answer. If it shows nothing, nothing was seen.
    fn alike(&self, answer: &Answer) -> (Outcome, String) {
        if answer.is_ok() {
            return (Outcome::Same, String::new());
        }
        (Outcome::Untried, format!("answered {} both times", self.word(answer)))
    }

    /// A sees its own.
    pub(super) fn own(&mut self, looks: &[Look], a: &Tenant) {
        for look in looks {
            let missing = look.missing(a);
            let (outcome, detail) = match &look.of {
                Some((kind, _)) if self.is_unknown(&look.answer, kind) => {
                    (Outcome::Differs, "A is answered as if its own had never been".to_owned())
                }
                _ if look.answer.status == 0 => (Outcome::Differs, "no whole answer".to_owned()),
                _ if !look.answer.is_ok() => {
                    (Outcome::Untried, format!("its owner is answered {}", self.word(&look.answer)))
                }
                _ => match missing {
                    Some(made) => {
                        (Outcome::Differs, format!("a {} of A's own is not in its list", made.kind))
                    }
                    None => (Outcome::Same, String::new()),
                },
            };
            self.row(
                (&look.operation.id, Check::Own),
                &look.operation.template,
                look.kind(),
                outcome,
                detail,
            );
        }
    }

    /// What is A's is as it was.
    pub(super) fn unchanged(&mut self, before: &[Look], after: &[Look]) {
        for first in before {
            let again = after.iter().find(|look| look.target == first.target);
            let how =
                again.map_or_else(|| Some("it is gone".to_owned()), |look| look.answer.unlike(&first.answer));
            let (outcome, detail) = match how {
                Some(how) => (Outcome::Differs, format!("after B's calls: {how}")),
                None => self.alike(&first.answer),
            };
            self.row(
                (&first.operation.id, Check::Unchanged),
                &first.operation.template,
                first.kind(),
                outcome,
                detail,
            );
        }
    }
}

impl Look {
    fn kind(&self) -> &str {
        let listed = self.operation.list.as_ref().map(|list| list.kind.as_str());
        self.of.as_ref().map(|(kind, _)| kind.as_str()).or(listed).unwrap_or_default()
    }

    /// The ids of the list that it is, if it is one.
    fn listed(&self) -> Option<Vec<String>> {
        let list = self.operation.list.as_ref()?;
        let document = self.answer.json()?;
        Some(
            json::all(&document, &list.items.join(&list_item(&list.id)))
                .into_iter()
                .filter_map(json::text)
                .collect(),
        )
    }

    /// Whether a resource of somebody else is in it.
    fn holds(&self, made: &Made) -> bool {
        let list = self.operation.list.as_ref().filter(|list| list.kind == made.kind);
        let listed = list.and_then(|_| self.listed()).is_some_and(|ids| ids.contains(&made.id));
        // A short id may stand anywhere by chance.
        listed || made.id.len() >= 10 && memchr::memmem::find(&self.answer.body, made.id.as_bytes()).is_some()
    }

    /// What A made and its own list doesn't hold.
    fn missing<'t>(&self, a: &'t Tenant) -> Option<&'t Made> {
        let list = self.operation.list.as_ref().filter(|list| !list.inherited)?;
        let listed = self.listed()?;
        let made: Vec<&Made> = a.stock.of(&list.kind).filter(|made| made.undo.is_some()).collect();
        // A page may end before the last: one of them is enough.
        if made.iter().any(|made| listed.contains(&made.id)) { None } else { made.first().copied() }
    }
}

/// `*` and the place of the id in an item.
fn list_item(id: &crate::pointer::Pointer) -> crate::pointer::Pointer {
    let any: crate::pointer::Pointer = "/*".parse().unwrap_or_default();
    any.join(id)
}
