//! The moment at which a thread began to do something.

use super::activity::{ACTIVITIES, Activity};

/// Since when a thread does what: nanoseconds since the start, shifted left by 8, and the activity.
/// The nanoseconds have 56 bits and begin anew after 2.3 years, so only differences count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition(u64);

impl Transition {
    pub(super) fn from_bits(bits: u64) -> Transition {
        Transition(bits)
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn new(nanos: u64, activity: Activity) -> Transition {
        Transition(nanos << 8 | activity as u64)
    }

    pub(crate) fn activity(self) -> Activity {
        ACTIVITIES[self.index()].0
    }

    pub(super) fn index(self) -> usize {
        (self.0 & 0xff) as usize
    }

    /// When it was, in nanoseconds since the start.
    pub(crate) fn nanos(self) -> u64 {
        self.0 >> 8
    }

    /// Nanoseconds from here until `later`.
    pub(crate) fn until(self, later: Transition) -> u64 {
        (later.0 & !0xff).wrapping_sub(self.0 & !0xff) >> 8
    }
}
