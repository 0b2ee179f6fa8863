//! Notices that one of the server's own threads hangs: it has something to do, and does not come
//! round its loop. Runs on thread `main`, which waits for a signal anyway.
//!
//! It reads what the threads note about themselves ([`Status`]) and takes no lock of theirs, so
//! nothing that hangs can make it hang too.

use super::{fanout::ClientEvent, status::Status};
use crate::thread_status::Turn;
use crossbeam_channel::Receiver;
use log::Level;
use std::{sync::Arc, time::Duration};

/// How often to look.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A turn takes a fraction of a millisecond. What takes this long will not end by itself, or is
/// a disk that does not answer.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// Watches threads.
#[derive(Clone)]
pub struct Watch {
    threads: Vec<Watched>,
    /// Only to count what waits for the fan-out.
    events: Receiver<ClientEvent>,
    stuck_after: Duration,
}

#[derive(Clone)]
struct Watched {
    status: Arc<Status>,
    /// The turn that took too long when it was last looked at. It is told at the second look: if
    /// the whole process was stopped for a while, the thread is only about to go on.
    seen: Option<Turn>,
    is_told: bool,
}

impl Watch {
    /// Watches the threads of these statuses.
    pub(crate) fn new(threads: &[Arc<Status>], events: Receiver<ClientEvent>) -> Watch {
        let watched = |status| Watched { status, seen: None, is_told: false };
        let threads = threads.iter().cloned().map(watched).collect();
        Watch { threads, events, stuck_after: STUCK_AFTER }
    }

    /// Returns what is to be logged: who hangs now, and who goes on again.
    pub fn look(&mut self) -> Vec<(Level, String)> {
        let (events, stuck_after) = (self.events.len(), self.stuck_after);
        self.threads.iter_mut().filter_map(|thread| thread.look(events, stuck_after)).collect()
    }

    /// Whether the thread of this name comes round its loop, or has nothing to do.
    pub fn is_turning(&self, name: &str) -> bool {
        let thread = self.threads.iter().find(|thread| thread.status.name() == name);
        let turn = thread.and_then(|thread| thread.status.busy(self.events.len()));
        turn.is_none_or(|turn| turn.took() < self.stuck_after)
    }

    /// The beginning of a sentence that says which thread keeps a stop from ending, and what that
    /// costs.
    pub(crate) fn hanging(&self) -> String {
        let events = self.events.len();
        let turn = |thread: &'_ Watched| thread.status.busy(events);
        let busy = self.threads.iter().filter_map(|thread| Some((thread, turn(thread)?)));
        let hangs = match busy.max_by_key(|(_, turn)| turn.took()) {
            None => "a client's thread hangs".to_owned(),
            Some((thread, turn)) => {
                let (name, seconds) = (thread.status.name(), turn.took().as_secs());
                format!("thread {name} hangs ({} for {seconds} s)", describe(&turn))
            }
        };
        format!("{hangs}, and chatd ends without it. Not delivered: {events} events")
    }
}

impl Watched {
    fn look(&mut self, events: usize, stuck_after: Duration) -> Option<(Level, String)> {
        let name = self.status.name();
        let stuck = self.status.busy(events).filter(|turn| turn.took() >= stuck_after);
        let seen = std::mem::replace(&mut self.seen, stuck);
        match (stuck, seen) {
            (Some(turn), Some(seen)) if turn.began == seen.began && !self.is_told => {
                self.is_told = true;
                let seconds = turn.took().as_secs();
                Some((
                    Level::Error,
                    format!(
                        "thread {name} does not go on: {} for {seconds} s. If it stays so, stop chatd: \
                         it ends within 5 s all the same",
                        describe(&turn)
                    ),
                ))
            }
            (Some(_), _) => None,
            (None, _) if self.is_told => {
                self.is_told = false;
                Some((Level::Info, format!("thread {name} goes on again")))
            }
            (None, _) => None,
        }
    }
}

/// `applying events of client c7`.
fn describe(turn: &Turn) -> String {
    let at = turn.client.map(|client| format!(", at client c{client},")).unwrap_or_default();
    format!("{}{at}", turn.doing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::{close_reason::CloseReason, event::Event},
        server::{
            client::{
                flusher::FlusherQueue,
                outbox::{SlowLimits, WriterHandle},
            },
            status::Activity,
        },
    };
    use crossbeam_channel::never;

    fn watch(status: &Arc<Status>) -> Watch {
        let watch = Watch::new(std::slice::from_ref(status), never());
        Watch { stuck_after: Duration::ZERO, ..watch }
    }

    #[test]
    fn a_thread_that_does_not_go_on_is_told_once_and_again_when_it_does() {
        let status = Status::new("fanout");
        let mut watch = watch(&status);
        status.turn(Activity::Applying);
        status.at_client(7);
        assert!(watch.look().is_empty(), "it may just go on after a stop of the whole process");
        status.set(Activity::Sending); // it does something, and yet it does not come round
        let told = watch.look();
        let says = "thread fanout does not go on: sending, at client c7, for ";
        assert!(told.len() == 1 && told[0].1.starts_with(says), "{told:?}");
        assert!(watch.look().is_empty(), "it is told once");
        assert!(!watch.is_turning("fanout"));
        assert!(
            watch.hanging().starts_with("thread fanout hangs (sending, at client c7, for 0 s)")
        );
        status.turn(Activity::WaitingForEvents);
        assert_eq!(watch.look(), [(Level::Info, "thread fanout goes on again".to_owned())]);
        assert!(watch.is_turning("fanout"));
        assert!(watch.hanging().starts_with("a client's thread hangs, and chatd ends"));
    }

    #[test]
    fn to_wait_for_others_is_not_to_hang() {
        for activity in [
            Activity::WaitingForEvents,
            Activity::WaitingForRecords,
            Activity::Accepting,
            Activity::WaitingForDescriptors,
            Activity::WaitingForSlowClients,
            Activity::Lingering,
            Activity::Ended,
        ] {
            let status = Status::new("idle");
            let mut watch = watch(&status);
            status.turn(activity);
            assert!((0..3).all(|_| watch.look().is_empty()), "{activity:?}");
            assert!(watch.hanging().starts_with("a client's"), "{activity:?}");
        }
    }

    #[test]
    fn to_wait_for_events_while_events_wait_is_to_hang() {
        let (fanout, historian) = (Status::new("fanout"), Status::new("historian"));
        let (send, events) = crossbeam_channel::unbounded();
        let watch = Watch::new(&[Arc::clone(&fanout), Arc::clone(&historian)], events);
        let mut watch = Watch { stuck_after: Duration::ZERO, ..watch };
        historian.set(Activity::WaitingForRecords);
        fanout.turn(Activity::WaitingForEvents);
        assert!((0..3).all(|_| watch.look().is_empty()), "there is nothing to do");
        send.send(event()).unwrap();
        let told = [watch.look(), watch.look(), watch.look()].concat();
        let says = "thread fanout does not go on: waiting for events for ";
        assert!(told.len() == 1 && told[0].1.starts_with(says), "{told:?}");
        fanout.turn(Activity::WaitingForTheDisk); // it takes no events then
        let told = [watch.look(), watch.look()].concat();
        assert_eq!(told, [(Level::Info, "thread fanout goes on again".to_owned())]);
    }

    fn event() -> ClientEvent {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let peer = listener.local_addr().unwrap();
        let limits = SlowLimits { high_water: 1 << 16, write_deadline: STUCK_AFTER };
        let (flusher, _) = FlusherQueue::new().unwrap();
        let event = Event::Depart(CloseReason::Closed);
        (WriterHandle::new(1, socket, peer.into(), limits, flusher), event)
    }

    #[test]
    fn a_thread_that_notes_no_turns_hangs_at_what_it_began_last() {
        let status = Status::new("historian");
        let mut watch = watch(&status);
        status.set(Activity::WritingHistory);
        watch.look();
        let told = watch.look();
        let says = "thread historian does not go on: writing history for ";
        assert!(told.len() == 1 && told[0].1.starts_with(says), "{told:?}");
    }
}
