//! What a thread is told and made to do besides its work: announcements and warnings; and a brake that
//! holds it up while something is shown to a class (`hazards`).

use super::parking::RestChannel;
use crate::{core::hazard::Announcement, lock::assert_no_lock_held};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// What may wait for the fan-out: a begin and an end of each demonstration, questions, and a warning.
/// What does not fit is not told.
const CUES_MAX: usize = 64;
/// How often a thread that is held up looks whether it still has to be.
const LOOK_UP: Duration = Duration::from_millis(20);

/// What holds a thread up. Whoever is not held up pays one relaxed load.
#[derive(Debug, Default)]
pub(crate) struct Brake {
    /// For how many milliseconds, each time; 0: not at all.
    millis: AtomicU64,
}

impl Brake {
    /// From now on each [`Brake::wait`] takes this time.
    pub(crate) fn set(&self, each: Duration) {
        self.millis.store(each.as_millis() as u64, Relaxed);
    }

    /// Holds the calling thread up, if that is wanted, until it is not any more.
    pub(crate) fn wait(&self) {
        if self.millis.load(Relaxed) > 0 {
            self.wait_on();
        }
    }

    #[cold]
    fn wait_on(&self) {
        assert_no_lock_held("a brake");
        let began = Instant::now();
        loop {
            let each = Duration::from_millis(self.millis.load(Relaxed));
            let left = each.saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(LOOK_UP));
        }
    }
}

/// Something that the fan-out is told, and no client has done.
pub(crate) enum Cue {
    /// Of a demonstration.
    Announcement(Announcement),
    /// What is wrong with the server itself, or that nothing is any longer.
    Warning(Option<String>),
}

/// What the fan-out is told and made to do.
pub(crate) struct Cues {
    /// Holds it up between its steps.
    pub(crate) brake: Arc<Brake>,
    /// They do not come through the events channel, which may be full because of a demonstration.
    pub(crate) told: Receiver<Cue>,
    /// To send them.
    pub(crate) tell: Sender<Cue>,
    /// Another server is to have the chat: it leaves that, in JSON, and its epoch.
    pub(crate) rest: RestChannel<(String, u64)>,
}

impl Default for Cues {
    fn default() -> Cues {
        let (tell, told) = bounded(CUES_MAX);
        Cues { brake: Arc::default(), told, tell, rest: RestChannel::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::scope;

    #[test]
    fn it_holds_up_for_its_time_and_not_once_it_is_let_go() {
        let (brake, began) = (Brake::default(), Instant::now());
        brake.wait();
        brake.set(Duration::from_millis(50));
        brake.wait();
        assert!(began.elapsed() >= Duration::from_millis(50));
        brake.set(Duration::from_hours(1));
        scope(|scope| {
            let held = scope.spawn(|| brake.wait());
            brake.set(Duration::ZERO);
            held.join().unwrap();
        });
    }
}
