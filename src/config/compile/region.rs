//! Where a tenant's data may be stored and processed.

use super::super::files::Text;
use super::super::schema::{self, Regions};
use super::Compiler;
use super::promised::Floors;
use super::tenants::Context;

/// The region that a tenant is bound to, if it is. Every place that its data goes to has to be there.
pub(super) fn of(
    c: &mut Compiler<'_>,
    context: &Context<'_>,
    (file, raw): (&Text, &schema::Tenant),
    floors: &Floors,
) -> Option<String> {
    let own = raw.regions.as_ref();
    let regions = floors.strictest(c, file, "/regions", |options| options.regions, own);
    let Some(region) = &raw.region else {
        if regions == Some(Regions::One) {
            needed(c, (file, raw), floors);
        }
        return None;
    };
    if !context.regions.contains(region.value.as_str()) {
        c.unknown(file, region, "region of an upstream", &region.value, context.regions.iter().copied());
    }
    if let Some(analyser) = &raw.censor.analyser {
        let name = &analyser.value.name;
        let settings = context.analysers.get(&name.value);
        if let Some(there) = settings.filter(|settings| settings.region.as_ref() != Some(&region.value)) {
            let message = format!("the analyser `{}` is not in the region `{}`", there.name, region.value);
            c.error(file, name, message).help =
                Some("its `region` stands in consentry.yaml, under `analysers`".to_owned());
        }
    }
    Some(region.value.clone())
}

/// Nothing says which region.
fn needed(c: &mut Compiler<'_>, (file, raw): (&Text, &schema::Tenant), floors: &Floors) {
    let rows: Vec<String> = floors.policies.iter().flat_map(|policy| policy.rows("/regions")).collect();
    let by = if rows.is_empty() { String::new() } else { format!(", as promised by {}", rows.join(", ")) };
    let message = format!("the tenant is bound to one region{by}, and `region` does not say to which");
    match (&raw.regions, &raw.policy) {
        (Some(own), _) => drop(c.error(file, own, message)),
        (None, Some(named)) => drop(c.error(file, named, message)),
        (None, None) => {}
    }
}
