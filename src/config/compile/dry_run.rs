//! A dry run of the censor. Two people have to ask for it, each in a file of their own, and it ends by itself.

use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::schema;
use super::super::snapshot::DryRun;
use super::Compiler;
use super::tenants::Context;
use crate::names::RouteName;

/// How far ahead its end may lie.
const LONGEST: jiff::SignedDuration = jiff::SignedDuration::from_hours(31 * 24);

/// What a tenant's file asks for, if all of it may be had.
pub(super) fn of(
    c: &mut Compiler<'_>,
    context: &Context<'_>,
    file: &Text,
    raw: &Spanned<schema::DryRun>,
) -> Option<DryRun> {
    let asked = &raw.value;
    let schema::DryRunAccepted::SecretsAndPersonalDataPass = asked.accepted;
    let before = c.errors.len();
    if asked.routes.is_empty() {
        c.error(file, raw, "a dry run names the routes that it holds on");
    }
    for name in &asked.routes {
        match context.routes.get(name.value.as_str()) {
            Some(true) => {}
            Some(false) => {
                let message = format!("the route `{}` does not allow dry runs", name.value);
                c.error(file, name, message).help =
                    Some("`allow_dry_run: true` at the route in consentry.yaml".to_owned());
            }
            None => {
                c.unknown(file, name, "route", &name.value, context.routes.keys().copied());
            }
        }
    }
    let until = asked.until.value;
    if until.duration_since(jiff::Timestamp::now()) > LONGEST {
        c.error(file, &asked.until, "a dry run ends within 31 days");
    }
    let routes = asked.routes.iter().map(|name| RouteName::new(&name.value)).collect();
    (c.errors.len() == before).then_some(DryRun { routes, until })
}
