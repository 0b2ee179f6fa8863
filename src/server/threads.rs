//! The table of all threads, for `/threads` and the view.
//!
//! It is apart from the registry, so that whoever looks sees the threads that wait for the registry,
//! too. Each place has a lock of its own, which is held for a copy; nobody holds the table.

use crate::{
    lock::{LockKind, Locked},
    thread_status::{Group, Status, activity::Activity},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Places for threads that serve no client: the server's own, those of whoever looks at the view,
/// and those of demonstrations.
const OTHERS_MAX: usize = 64;

/// Threads that ended during a recording and are kept for it: more than a class makes.
const DEPARTED_MAX: usize = 4096;

/// Every thread that has a status.
pub(crate) struct Threads {
    places: Vec<Locked<Option<Arc<Status>>>>,
    /// The numbers of the places that nobody has, the lowest last.
    free: Locked<Vec<usize>>,
    /// Whether threads that end are kept.
    keeps: AtomicBool,
    departed: Locked<Vec<Arc<Status>>>,
}

/// A thread's place in the table. It is given back when this is dropped.
pub(crate) struct Listed<'a> {
    threads: &'a Threads,
    place: Option<usize>,
}

impl Threads {
    /// A table for the threads of this number of clients. `own` run as long as the server.
    pub(crate) fn new<'a>(
        clients: usize,
        own: impl IntoIterator<Item = &'a Arc<Status>>,
    ) -> Threads {
        let most = clients.saturating_add(OTHERS_MAX);
        let place = || Locked::new(LockKind::ThreadTable, None);
        let threads = Threads {
            places: std::iter::repeat_with(place).take(most).collect(),
            free: Locked::new(LockKind::ThreadTable, (0..most).rev().collect()),
            keeps: AtomicBool::new(false),
            departed: Locked::new(LockKind::ThreadTable, Vec::new()),
        };
        own.into_iter().for_each(|status| std::mem::forget(threads.enter(status)));
        threads
    }

    /// Lists a thread. If there is no place, it runs all the same, and is not shown.
    pub(crate) fn enter(&self, status: &Arc<Status>) -> Listed<'_> {
        let place = self.free.lock().pop();
        if let Some(place) = place {
            *self.places[place].lock() = Some(Arc::clone(status));
        }
        Listed { threads: self, place }
    }

    /// Every thread: the server's own first, and in each group in the order in which they came.
    pub(crate) fn all(&self) -> Vec<Arc<Status>> {
        let mut all: Vec<_> =
            self.places.iter().filter_map(|place| place.lock().clone()).enumerate().collect();
        // The server's own are listed once, in the order of their places; the places of others are
        // given again.
        all.sort_by_key(|(place, status)| match status.group {
            Group::Server => (status.group, *place as u32),
            group => (group, status.id),
        });
        all.into_iter().map(|(_, status)| status).collect()
    }
}

impl Threads {
    /// From now on threads that end are kept, until `take_departed`.
    pub(crate) fn keep_departed(&self) {
        self.keeps.store(true, Relaxed);
    }

    /// The threads that have ended since `keep_departed`.
    pub(crate) fn take_departed(&self) -> Vec<Arc<Status>> {
        self.keeps.store(false, Relaxed);
        std::mem::take(&mut self.departed.lock())
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let status = self.threads.places[place].lock().take();
        status.iter().for_each(|status| status.set(Activity::Ended)); // it drops this itself
        self.threads.free.lock().push(place);
        if self.threads.keeps.load(Relaxed) {
            let mut departed = self.threads.departed.lock();
            if departed.len() < DEPARTED_MAX {
                departed.extend(status);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_thread_in_its_order_as_long_as_it_lives() {
        let threads = Threads::new(2, [&Status::new("fanout"), &Status::new("historian")]);
        let names = || threads.all().iter().map(|status| status.name()).collect::<Vec<_>>();
        let [bob, alice] = ["c1:bob", "c2:alice"].map(Status::new);
        let listed = threads.enter(&alice);
        let _listed = threads.enter(&bob);
        assert_eq!(names(), ["fanout", "historian", "c1:bob", "c2:alice"]);
        threads.keep_departed();
        drop(listed);
        assert_eq!(threads.take_departed().len(), 1);
        assert_eq!(names(), ["fanout", "historian", "c1:bob"]);
    }

    #[test]
    fn a_full_table_turns_nobody_away() {
        let threads = Threads::new(0, []);
        let status = Status::new("c1");
        let listed: Vec<_> = (0..OTHERS_MAX + 3).map(|_| threads.enter(&status)).collect();
        assert_eq!(threads.all().len(), OTHERS_MAX);
        drop(listed);
        assert!(threads.all().is_empty() && threads.free.lock().len() == OTHERS_MAX);
    }
}
