//! What a tenant is bound to, whatever was granted: its region, and what becomes of what asks to be stored.

use super::stages::Recognised;
use crate::reason::{Reason, Refusal};

/// What is a tenant's leaves the region that it is bound to for no upstream.
pub(super) fn in_region(request: &Recognised) -> Result<(), Refusal> {
    let there = request.received.route.upstream.region.as_ref();
    match &request.tenant.region {
        Some(region) if there != Some(region) => {
            Err(Refusal::new(Reason::RegionNotAllowed).set_by("/regions"))
        }
        _ => Ok(()),
    }
}

/// What would be stored was not granted, and is not turned off either.
pub(super) fn not_stored() -> Refusal {
    let refusal = Refusal::new(Reason::ConsentMissing).detail("purpose `store`, scope tenant");
    refusal.set_by("/consent/store_without_grant")
}
