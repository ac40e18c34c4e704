//! Ids of kinds whose form is not known, spelt by the kind's own pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::catalog::{IdClass, KindRule};

/// Longer ids are none.
const LONGEST: usize = 512;

/// The group that an id's tenant stands in.
const TENANT: &str = "tenant";

/// The simplest id that a kind takes, of a tenant of this name if ids name theirs and such a name can stand there.
pub(super) fn by(rule: &KindRule, tenant: &str) -> Option<String> {
    let patterns = rule.tenant_pattern().into_iter().chain(rule.patterns());
    patterns.filter_map(|pattern| regex_syntax::parse(pattern).ok()).find_map(|hir| {
        let mut ids = [Some(tenant), None].into_iter().filter_map(|tenant| {
            let mut id = String::new();
            spell(&hir, tenant, &mut id).map(|()| id)
        });
        ids.find(|id| matches!(rule.classify(id), IdClass::Owned | IdClass::OfTenant))
    })
}

fn spell(hir: &Hir, tenant: Option<&str>, id: &mut String) -> Option<()> {
    if id.len() > LONGEST {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => id.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => id.push(member(class)?),
        HirKind::Capture(group) => match tenant {
            Some(tenant) if group.name.as_deref() == Some(TENANT) => id.push_str(tenant),
            _ => spell(&group.sub, tenant, id)?,
        },
        HirKind::Repetition(repeated) => {
            let least = repeated.min.max(u32::from(names_tenant(&repeated.sub)));
            for _ in 0..least {
                spell(&repeated.sub, tenant, id)?;
            }
        }
        HirKind::Concat(parts) => {
            for part in parts {
                spell(part, tenant, id)?;
            }
        }
        HirKind::Alternation(ways) => {
            let way = ways.iter().find(|way| names_tenant(way)).or_else(|| ways.first())?;
            spell(way, tenant, id)?;
        }
    }
    Some(())
}

fn names_tenant(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(group) => group.name.as_deref() == Some(TENANT) || names_tenant(&group.sub),
        HirKind::Repetition(repeated) => names_tenant(&repeated.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(names_tenant),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
    }
}

/// A letter or a digit, if the class has one.
fn member(class: &Class) -> Option<char> {
    let has = |letter: char| match class {
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&letter)),
        Class::Bytes(class) => {
            class.iter().any(|range| (char::from(range.start())..=char::from(range.end())).contains(&letter))
        }
    };
    let first = match class {
        Class::Unicode(class) => class.iter().next().map(|range| range.start()),
        Class::Bytes(class) => class.iter().next().map(|range| char::from(range.start())),
    };
    ('a'..='z').chain('A'..='Z').chain('0'..='9').find(|letter| has(*letter)).or(first)
}

#[cfg(test)]
mod tests;
