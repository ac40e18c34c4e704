//! What becomes of a file.

use crate::body::{Pass, Transform};

/// What becomes of a file.
pub enum FileTreatment {
    /// It goes through this.
    Transform(Box<dyn Transform>),
    /// It passes as it is: policy names this case.
    Pass,
}

impl FileTreatment {
    pub(super) fn into_transform(self) -> Box<dyn Transform> {
        match self {
            Self::Transform(transform) => transform,
            Self::Pass => Box::new(Pass),
        }
    }
}
