//! What was made is taken back, and is then as if it had never been.

use std::sync::Arc;

use http::Method;

use super::request::{At, Order, filled};
use super::{Answer, Call, Check, Made, Outcome, Stopped, Tenant, Walk, ids};
use crate::catalog::{Operation, Use};
use crate::names::Kind;

impl Walk<'_> {
    /// Takes back what a tenant made, the newest first. What stays is told.
    pub(super) async fn clean(&mut self, tenant: &mut Tenant) {
        let made: Vec<Made> = tenant.stock.all().iter().rev().filter(|made| !made.ended).cloned().collect();
        let mut left: Vec<(Kind, String, Vec<String>)> = Vec::new();
        for one in made {
            let why = match self.ending(tenant, &one) {
                Err(why) => Some(why),
                Ok(call) => self.end(tenant, &one, &call).await,
            };
            let Some(why) = why else { continue };
            match left.iter_mut().find(|(kind, known, _)| *kind == one.kind && *known == why) {
                Some((_, _, ids)) => ids.push(one.id),
                None => left.push((one.kind, why, vec![one.id])),
            }
        }
        let told = |(kind, why, ids): &(Kind, String, Vec<String>)| {
            format!("{kind} {} of {}: {why}", ids.join(", "), tenant.name)
        };
        self.report.left.extend(left.iter().map(told));
    }

    /// Takes one back; says why it is there still.
    async fn end(&mut self, tenant: &mut Tenant, one: &Made, call: &Call) -> Option<String> {
        let answer = self.send(tenant, call).await;
        match answer.status {
            // It was gone, or is nobody's any more.
            404 => {}
            _ if !answer.is_ok() => return Some(format!("answered {}", self.word(&answer))),
            _ if call.method != Method::DELETE => return Some("stopped, not deleted".to_owned()),
            _ => {}
        }
        if call.method == Method::DELETE {
            tenant.stock.end(&one.kind, &one.id);
        }
        None
    }

    /// The call that ends a resource: the operation that ends its kind, or what the profile names to take it back.
    fn ending(&self, tenant: &Tenant, made: &Made) -> Result<Call, String> {
        let ends = |operation: &&Arc<Operation>| {
            let used = operation.ends.and_then(|index| operation.uses.get(index));
            used.is_some_and(|used| used.kind == made.kind)
        };
        let host = self.route.host.as_deref();
        let ender = self.served().find(ends);
        if let Some((operation, used)) = ender.and_then(|o| Some((o, o.uses.get(o.ends?)?))) {
            let order = Order {
                catalog: &self.route.catalog,
                operation,
                sample: None,
                stock: &tenant.stock,
                put: Some((At::Use(used), &made.id)),
                near: vec![made],
            };
            let draft = order.draft().map_err(|lack| format!("not taken back, {lack}"))?;
            return Ok(draft.call(operation, &self.route.prefix, host));
        }
        let Some(undo) = &made.undo else { return Err("nothing takes it back".to_owned()) };
        let value = |name: &str| match name {
            "id" => made.id.as_str(),
            _ => made.params.iter().find(|(known, _)| **known == *name).map_or("", |(_, value)| value),
        };
        Ok(Call {
            method: undo.method.clone(),
            target: format!("{}{}", self.route.prefix, filled(&undo.template, value)),
            host: host.map(str::to_owned),
            headers: Vec::new(),
            content_type: None,
            body: bytes::Bytes::new(),
        })
    }

    /// What was ended is answered as what never was: to whoever had it, and to the other.
    pub(super) async fn ended(&mut self, a: &Tenant, b: &Tenant) -> Result<(), Stopped> {
        let ended: Vec<Made> = a.stock.all().iter().filter(|made| made.ended).cloned().collect();
        let mut seen = Vec::new();
        for made in ended {
            let rule = self.route.catalog.kind(&made.kind);
            if seen.contains(&made.kind) {
                continue;
            }
            seen.push(made.kind.clone());
            let Some(never) = ids::invented(rule, &made.id).into_iter().next() else { continue };
            let operations = self.served().filter(|o| self.is_tried(&o.id));
            let operations: Vec<Arc<Operation>> = operations.cloned().collect();
            for operation in operations.iter().filter(|o| o.method == Method::GET && o.uses.len() == 1) {
                let Some(used) = operation.uses.iter().find(|used| used.kind == made.kind) else { continue };
                let asked = [(a, &never), (a, &made.id), (b, &made.id)];
                let (outcome, detail) = self.gone(operation, used, asked).await?;
                let kind = made.kind.as_str().to_owned();
                self.row((&operation.id, Check::Ended), &operation.template, &kind, outcome, detail);
            }
        }
        Ok(())
    }

    /// The first is answered as what never was, and the others alike.
    async fn gone(
        &mut self,
        operation: &Operation,
        used: &Use,
        asked: [(&Tenant, &String); 3],
    ) -> Result<(Outcome, String), Stopped> {
        let mut first: Option<Answer> = None;
        for (tenant, id) in asked {
            let order = Order {
                catalog: &self.route.catalog,
                operation,
                sample: None,
                stock: &tenant.stock,
                put: Some((At::Use(used), id)),
                near: Vec::new(),
            };
            let draft = match order.draft() {
                Ok(draft) => draft,
                Err(lack) => return Ok((Outcome::Untried, format!("tenant {}: {lack}", tenant.name))),
            };
            let answer = self.ask(tenant, operation, &draft).await?;
            match &first {
                None => first = Some(answer),
                Some(first) => {
                    if let Some(how) = answer.unlike(first) {
                        let told = format!("what was ended is told from an invented one: {how}");
                        return Ok((Outcome::Differs, told));
                    }
                }
            }
        }
        Ok(match first {
            Some(first) if !self.is_unknown(&first, &used.kind) => {
                (Outcome::Untried, format!("an invented one is answered {}", self.word(&first)))
            }
            _ => (Outcome::Same, String::new()),
        })
    }
}
