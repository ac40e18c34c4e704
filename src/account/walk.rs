//! The walk through a list of an account, from its first page to its last, within bounds. A list that was not read to its end says
//! so: whoever decides on the strength of what a list does not show has to know.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::shelf::{Place, Shelf};
use super::{Account, Found, unexpected};
use crate::reason::{Reason, Refusal};

/// How much of a list is read. A page that shows nothing new ends it as well, so pages are bounded by things.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Things that it may show.
    pub things: usize,
    /// How long all of it may take.
    pub time: Duration,
}

/// A list that is being read.
pub struct Walk<'a> {
    account: &'a Account,
    shelf: &'a Shelf<'a>,
    bounds: Bounds,
    until: Instant,
    /// Where the next page begins; none behind the last.
    next: Option<Place>,
    seen: HashSet<String>,
    pages: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(account: &'a Account, shelf: &'a Shelf<'a>, bounds: Bounds) -> Self {
        let until = Instant::now() + bounds.time;
        let next = Some(Place::default());
        Self { account, shelf, bounds, until, next, seen: HashSet::new(), pages: 0 }
    }

    /// How many pages were read.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        self.pages
    }

    /// What the next page shows and no page before it did; lists move while they are read. None: the list is at its end.
    ///
    /// # Errors
    /// It can't be read to its end.
    pub async fn page(&mut self) -> Result<Option<Vec<Found>>, Refusal> {
        let Some(from) = self.next.take() else { return Ok(None) };
        let page = tokio::time::timeout_at(self.until, self.account.page(self.shelf, &from)).await;
        let page = page.unwrap_or_else(|_elapsed| {
            Err(Refusal::new(Reason::UpstreamTimeout).log("the list takes longer than `--within`"))
        })?;
        self.pages += 1;
        let mut new: HashSet<String> = page.ids.into_iter().filter(|id| !self.seen.contains(id)).collect();
        if page.next.is_some() && new.is_empty() {
            return Err(unexpected("the list goes on, and its next page shows nothing new"));
        }
        self.seen.extend(new.iter().cloned());
        if self.seen.len() > self.bounds.things {
            return Err(unexpected("the list shows more things than `--most`"));
        }
        self.next = page.next;
        let mut found = page.found;
        found.retain(|one| new.remove(&one.id));
        Ok(Some(found))
    }
}
