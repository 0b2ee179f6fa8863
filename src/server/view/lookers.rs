//! Everybody who looks at the view, and what they want of thread `view`.

use super::looker::Looker;
use crate::{
    lock::{LockKind, Locked},
    server::{
        auth::tickets::{Tickets, Who},
        options::Options,
        status::Status,
    },
};
use parking_lot::Condvar;
use std::{
    collections::VecDeque,
    net::{Shutdown, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

/// The most who look at once: a projector, and a few who are curious. Each costs a thread and a
/// message for each slot.
pub(super) const LOOKERS_MAX: usize = 8;
/// The most whose ticket has not come yet. The first of them makes room for one more: a page sends its
/// ticket at once.
pub(super) const COMING_MAX: usize = 16;

/// Everybody who looks.
pub(super) struct Lookers {
    /// Whoever has no ticket may look, too.
    is_open: bool,
    pub(super) is_anonymous: bool,
    /// How the server was started, for the page.
    pub(super) options: Vec<String>,
    last_number: AtomicU64,
    state: Locked<State>,
    /// Wakes the thread before its time.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    all: Vec<Arc<Looker>>,
    /// Those whose ticket has not come yet, by number, the first one first.
    coming: VecDeque<(u64, TcpStream)>,
    /// Thread `view`. It may have ended.
    thread: Option<JoinHandle<()>>,
    is_running: bool,
    /// The server stops.
    is_closed: bool,
    /// A recording that somebody wants.
    wanted: Option<(u64, Arc<Looker>)>,
    /// A recording is being made, or wanted.
    is_recording: bool,
}

/// A close code, and a sentence.
pub(super) type Over = (u16, String);

/// Who looks, and the recording that somebody wants.
pub(super) type Next = (Vec<Arc<Looker>>, Option<(u64, Arc<Looker>)>);

impl Lookers {
    pub(super) fn new(options: &Options) -> Lookers {
        Lookers {
            is_open: options.view.is_open(),
            is_anonymous: options.anonymous,
            options: options.for_the_view(),
            last_number: AtomicU64::new(0),
            state: Locked::new(LockKind::Lookers, State::default()),
            changed: Condvar::new(),
        }
    }

    /// Somebody comes whose ticket has not. If there are too many, the first of them has to go.
    pub(super) fn expect(&self, number: u64, socket: TcpStream) {
        let mut state = self.state.lock();
        state.coming.push_back((number, socket));
        let most = if state.is_closed { 0 } else { COMING_MAX };
        while state.coming.len() > most {
            send_away(state.coming.pop_front());
        }
    }

    /// Their ticket has come, or none will.
    ///
    /// # Errors
    /// They had to go.
    pub(super) fn stop_expecting(&self, number: u64) -> Result<(), Over> {
        let mut state = self.state.lock();
        match state.coming.iter().position(|(other, _)| *other == number) {
            Some(at) => drop(state.coming.remove(at)),
            None if state.is_closed => return Err(stopping()),
            None => return Err((1013, "Too many came at once. Try again later.".to_owned())),
        }
        Ok(())
    }

    /// Who may look with this ticket.
    pub(super) fn check(&self, tickets: &Tickets, ticket: &str) -> Result<Who, Over> {
        if let Some(who) = tickets.take(ticket) {
            return Ok(who);
        }
        if self.is_open {
            return Ok(Who { name: "somebody".to_owned(), may: false });
        }
        let sentence = "The view needs an address that has not been used. Type /view in the chat for a new one.";
        Err((4001, sentence.to_owned()))
    }

    /// The number of the next looker's thread, and its status.
    pub(super) fn next_number(&self) -> (u64, Arc<Status>) {
        let number = self.last_number.fetch_add(1, Relaxed) + 1;
        (number, Status::new(&format!("v{number}")))
    }

    /// From now on this one looks. `start` starts the thread `view`, if it does not run.
    pub(super) fn enter(
        &self,
        looker: &Arc<Looker>,
        start: impl FnOnce() -> std::io::Result<JoinHandle<()>>,
    ) -> Result<(), Over> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(stopping());
        }
        let gives_way = match state.all.len() == LOOKERS_MAX {
            true => {
                let full =
                    || (1013, format!("{LOOKERS_MAX} others look already. Try again later."));
                let at = gives_way(&state.all, &looker.who).ok_or_else(full)?;
                Some(state.all.remove(at))
            }
            false => None,
        };
        state.all.push(Arc::clone(looker));
        if !std::mem::replace(&mut state.is_running, true) {
            match start() {
                Ok(thread) => state.thread = Some(thread),
                Err(error) => {
                    (state.is_running, state.all) = (false, Vec::new());
                    let why = format!("The machine cannot start one more thread: {error}.");
                    return Err((1013, why));
                }
            }
        }
        drop(state);
        if let Some(other) = gives_way {
            other.close(1013, "Your place is needed for somebody else. Try again later.");
        }
        Ok(())
    }

    /// This one looks no more.
    pub(super) fn leave(&self, looker: &Arc<Looker>) {
        self.state.lock().all.retain(|one| !Arc::ptr_eq(one, looker));
    }

    /// Wants a recording, for this looker.
    pub(super) fn record(&self, seconds: u64, looker: &Arc<Looker>) -> Result<(), String> {
        let mut state = self.state.lock();
        if state.is_recording {
            return Err("A recording is being made.".to_owned());
        }
        (state.is_recording, state.wanted) = (true, Some((seconds, Arc::clone(looker))));
        Ok(())
    }

    /// Waits for the next round. `None`: nobody looks, and the thread has to end.
    pub(super) fn next_round(&self, at_most: Duration) -> Option<Next> {
        let mut state = self.state.lock();
        if !state.is_closed && !at_most.is_zero() {
            state.wait_on(&self.changed, at_most);
        }
        let is_over = state.is_closed || state.all.is_empty();
        state.is_running = !is_over;
        if is_over && state.wanted.take().is_some() {
            state.is_recording = false; // whoever wanted it is gone
        }
        (!is_over).then(|| (state.all.clone(), state.wanted.take()))
    }

    /// A recording is over.
    pub(super) fn end_recording(&self) {
        self.state.lock().is_recording = false;
    }

    /// The server stops: everybody who looks is told, and thread `view` ends.
    pub(super) fn close(&self) {
        let (all, thread) = {
            let mut state = self.state.lock();
            state.is_closed = true;
            state.coming.drain(..).for_each(|one| send_away(Some(one)));
            (state.all.clone(), state.thread.take())
        };
        self.changed.notify_all();
        for looker in all {
            looker.close(1012, "The server stops.");
        }
        if let Some(thread) = thread {
            let _ = thread.join(); // a panic in it was logged
        }
    }
}

/// Who gives way to somebody new when all places are taken, so that nobody keeps the view for themselves:
/// the last of whoever looks in the most windows, and that is not an administrator. `None`: nobody, since
/// they have no more than the new one would have, who is no administrator.
fn gives_way(all: &[Arc<Looker>], new: &Who) -> Option<usize> {
    let windows = |who: &Who| all.iter().filter(|one| one.who.name == who.name).count();
    let others = all.iter().enumerate().filter(|(_, one)| !one.who.may);
    let (at, other) = others.max_by_key(|(at, one)| (windows(&one.who), *at))?;
    (new.may || windows(&other.who) > windows(new) + 1).then_some(at)
}

/// Their thread, which waits for their ticket, finds an end of file.
fn send_away(one: Option<(u64, TcpStream)>) {
    let _ = one.map(|(_, socket)| socket.shutdown(Shutdown::Read));
}

fn stopping() -> Over {
    (1012, "The server is stopping.".to_owned())
}
