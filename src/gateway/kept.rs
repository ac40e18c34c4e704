//! Which promise of a tenant's privacy policies does a refusal keep?

use crate::config::Tenant;
use crate::reason::{ConfiguredName, Reason, Refusal, SafeText};

/// The rows, as `POLICY/ROW`: those that name the setting which decided, of policies that set it.
pub(super) fn promises(tenant: &Tenant, refusal: &Refusal) -> Vec<String> {
    let settings: &[&str] = match (refusal.setting, refusal.reason) {
        (Some(setting), _) => &[setting],
        (None, Reason::ContentUninspectable | Reason::UpstreamUninspectable) => &["/opaque", "/censor"],
        (None, Reason::RecordRefused) => &["/records/when"],
        (None, Reason::RecordsUnreadable) => &["/records/other_files"],
        (None, _) => return Vec::new(),
    };
    let mut promises: Vec<String> = settings.iter().flat_map(|at| tenant.promises(at)).collect();
    promises.sort();
    promises.dedup();
    promises
}

/// The refusal, and which promises it keeps: names of the configuration's own files.
pub(super) fn told(refusal: Refusal, promises: &[String]) -> Refusal {
    if promises.is_empty() {
        return refusal;
    }
    let rows = promises.join(", ");
    let kept = SafeText::named("as promised by", &ConfiguredName::assertion(&rows));
    let detail = match &refusal.detail {
        Some(detail) => detail.clone().and(&kept),
        None => kept,
    };
    refusal.detail(detail)
}
