//! The way of one line, with the time at each stage. While somebody looks at the view, one line
//! twice a second is followed from its client's thread to the last send.
//!
//! Only one line is followed at a time. The threads that it passes store the time; they take no lock
//! and wait for nobody. For every other line this costs one look at a flag.

use crate::thread_status::{Status, uptime_nanos};
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Where a line passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passes {
    /// The client's thread has read it.
    Read,
    /// It was put into the events channel.
    Sent,
    /// The fan-out has taken it out.
    Taken,
    Applied,
    /// The batch's records were handed to the historian.
    HandedOver,
    /// The historian has written them.
    Written,
    /// What each client reads is being put together.
    LaidOut,
    FirstSend,
    LastSend,
}

/// The stages in their order, in words.
pub(crate) const STAGES: [&str; Passes::LastSend as usize + 1] = [
    "read",
    "sent to the channel",
    "taken by the fan-out",
    "applied",
    "handed to the historian",
    "written",
    "laid out",
    "first send",
    "last send",
];

/// The line that is being followed.
#[derive(Default)]
pub(crate) struct Trace {
    /// The next line is to be followed.
    is_wanted: AtomicBool,
    /// The number of the line; another one is none.
    number: AtomicU32,
    /// The number of the thread that read it.
    talker: AtomicU32,
    /// Nanoseconds since the start; 0: not there yet, or not on its way.
    times: [AtomicU64; STAGES.len()],
}

/// How far a line has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) number: u32,
    pub(crate) talker: u32,
    /// Nanoseconds since the start, for each stage; 0: not there.
    pub(crate) times: [u64; STAGES.len()],
}

impl Trace {
    /// The next line that is said is followed. Called by the view alone.
    pub(crate) fn want(&self) {
        self.is_wanted.store(true, Release);
    }

    /// A client's thread has read talk, and puts it into the channel. Returns the number of these
    /// lines, if they are followed.
    pub(crate) fn begin(&self, talker: &Status) -> Option<u32> {
        if !self.is_wanted.load(Relaxed) || !self.is_wanted.swap(false, Acquire) {
            return None;
        }
        // The last line that was followed may still be on its way: what it stores is not stored.
        let number = self.number.load(Relaxed) + 1;
        self.number.store(number, Relaxed);
        self.times.iter().for_each(|time| time.store(0, Relaxed));
        self.talker.store(talker.id, Relaxed);
        // When it began to work on what it had read.
        self.times[Passes::Read as usize].store(talker.began().nanos(), Release);
        self.pass(Some(number), Passes::Sent);
        Some(number)
    }

    /// These lines are there now, if it is they who are followed.
    pub(crate) fn pass(&self, lines: Option<u32>, stage: Passes) {
        if lines.is_some_and(|number| number == self.number.load(Relaxed)) {
            self.times[stage as usize].store(uptime_nanos(), Release);
        }
    }

    /// How far the last line has come that was followed.
    pub(crate) fn way(&self) -> Way {
        let times = std::array::from_fn(|stage| self.times[stage].load(Acquire));
        let (number, talker) = (self.number.load(Relaxed), self.talker.load(Relaxed));
        Way { number, talker, times }
    }
}

impl Way {
    /// Everybody has been sent the line.
    pub(crate) fn is_over(&self) -> bool {
        self.times[Passes::LastSend as usize] > 0
    }

    /// Nanoseconds from the beginning to each stage.
    pub(crate) fn since_read(&self) -> [Option<u64>; STAGES.len()] {
        let [read, ..] = self.times;
        self.times.map(|time| (time >= read && time > 0).then(|| time - read))
    }
}

/// Which of the batches have the line.
#[derive(Default)]
pub(crate) struct TracedBatches {
    /// The one that gathers.
    pub(crate) gathering: Option<u32>,
    /// The one that waits to be written.
    pub(crate) sealed: Option<u32>,
}

impl TracedBatches {
    /// The batch that gathers is sealed.
    pub(crate) fn seal(&mut self) {
        self.sealed = self.gathering.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_followed_and_no_other_one() {
        let (trace, status) = (Trace::default(), Status::new("c7:alice"));
        assert_eq!(trace.begin(&status), None, "nobody looks");
        trace.want();
        let line = trace.begin(&status);
        assert!(line.is_some() && trace.begin(&status).is_none());
        trace.pass(None, Passes::Taken);
        let way = trace.way();
        assert_eq!((way.talker, way.is_over()), (status.id, false));
        assert_eq!(way.since_read().map(|time| time.is_some())[..3], [true, true, false]);
        trace.want();
        let next = trace.begin(&status);
        trace.pass(line, Passes::LastSend); // late: it is not followed any more
        assert!(!trace.way().is_over());
        trace.pass(next, Passes::LastSend);
        assert!(trace.way().is_over());
    }
}
