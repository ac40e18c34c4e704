//! The calls that the gateway makes by itself. None carries anything of anybody's.

use http::Method;

use crate::catalog::{Call, Life};
use crate::names::{TenantId, UpstreamId};
use crate::store::{About, Aim, Task, TaskOnRecord, Told};

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It changes something: it takes back, cancels, deletes.
    Act,
    /// It asks how things stand.
    Look,
}

/// Proof that a call comes from a task on record, or from one that could not even be recorded, and from the profile's own
/// operation for it. There is no body, and no text of a caller's but the id.
#[derive(Debug)]
pub struct Order {
    tenant: TenantId,
    upstream: UpstreamId,
    step: Step,
    method: Method,
    path: String,
}

impl Order {
    /// The next call of a task; `life` is that of its kind of resource.
    ///
    /// # Errors
    /// If there is none.
    pub fn next(on_record: &TaskOnRecord, life: Option<&Life>) -> Result<Self, Told> {
        let task = &on_record.task;
        match task.aim {
            Aim::Undo => Self::undo(task),
            Aim::Cancel | Aim::Watch => {
                Self::make(task, Step::Look, life.and_then(|life| life.show.as_ref()))
            }
            Aim::Delete if on_record.sent => {
                Self::make(task, Step::Look, life.and_then(|life| life.show.as_ref()))
            }
            Aim::Delete => Self::make(task, Step::Act, life.and_then(|life| life.delete.as_ref())),
        }
    }

    /// The call that stops a job which was seen to run.
    ///
    /// # Errors
    /// If there is none.
    pub fn cancel(task: &Task, life: Option<&Life>) -> Result<Self, Told> {
        Self::make(task, Step::Act, life.and_then(|life| life.cancel.as_ref()))
    }

    /// The call that takes back what is not on record.
    ///
    /// # Errors
    /// If the task is about something else.
    pub fn undo(task: &Task) -> Result<Self, Told> {
        let About::Call { upstream, method, path, .. } = &task.about else { return Err(Told::NoOperation) };
        Ok(Self {
            tenant: task.tenant.clone(),
            upstream: upstream.clone(),
            step: Step::Act,
            method: method.clone(),
            path: path.clone(),
        })
    }

    fn make(task: &Task, step: Step, call: Option<&Call>) -> Result<Self, Told> {
        let (About::Resource(resource), Some(call)) = (&task.about, call) else {
            return Err(Told::NoOperation);
        };
        Ok(Self {
            tenant: task.tenant.clone(),
            upstream: resource.upstream.clone(),
            step,
            method: call.method.clone(),
            path: call.path(&resource.id).ok_or(Told::NoOperation)?,
        })
    }

    /// Whose resource it is about.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Where it goes.
    #[must_use]
    pub const fn upstream(&self) -> &UpstreamId {
        &self.upstream
    }

    /// What it is for.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// Its method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Its path, below the account's base.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}
