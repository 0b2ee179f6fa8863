//! What a thread can be doing, in words, and which of five kinds that is.

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is explained by its words in ACTIVITIES")]
pub enum Activity {
    Starting,
    Working,
    Accepting,
    WaitingForDescriptors,
    Reading,
    Asking,
    WaitingForChannel,
    WaitingForRegistry,
    WaitingForOutbox,
    WaitingForLock,
    Answering,
    Pausing,
    Leaving,
    WaitingForEvents,
    WaitingForTheDisk,
    Applying,
    Sending,
    WaitingForSlowClients,
    Lingering,
    WaitingForBrowsers,
    WaitingForLines,
    WaitingForSignal,
    WaitingToHash,
    Hashing,
    WaitingForRecords,
    WritingHistory,
    AnsweringQuery,
    TidyingUp,
    WaitingForTick,
    Holding,
    Ended,
}

/// The kinds of activities. A picture needs few colours; the words say it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ActivityKind {
    /// It uses the processor, or the disk for itself.
    Works,
    /// It waits until somebody wants something of it.
    Idle,
    /// It waits for another thread or for the disk, or holds itself back.
    Waits,
    /// It waits for a lock that another thread holds.
    Locked,
    /// It waits until its own client reads.
    Sends,
}

use Activity::*;
use ActivityKind::*;

impl ActivityKind {
    /// Every kind in its order, in words.
    pub(crate) const WORDS: [&'static str; 5] = [
        "works",
        "waits for work",
        "waits for a thread or the disk, or holds a lock",
        "waits for a lock",
        "writes to a slow socket",
    ];
}

/// Every [`Activity`] in its order, its kind, and its words; at most 24 letters, for the table.
pub(crate) const ACTIVITIES: [(Activity, ActivityKind, &str); ACTIVITY_COUNT] = [
    (Starting, Idle, "starting"),
    (Working, Works, "working"),
    (Accepting, Idle, "accepting"),
    (WaitingForDescriptors, Waits, "waiting for descriptors"),
    (Reading, Idle, "reading"),
    (Asking, Waits, "waiting for an answer"),
    (WaitingForChannel, Waits, "waiting for the channel"),
    (WaitingForRegistry, Locked, "waiting for the registry"),
    (WaitingForOutbox, Locked, "waiting for an outbox"),
    (WaitingForLock, Locked, "waiting for a lock"),
    (Answering, Sends, "sending its answer"),
    (Pausing, Waits, "pausing"),
    (Leaving, Sends, "leaving"),
    (WaitingForEvents, Idle, "waiting for events"),
    (WaitingForTheDisk, Waits, "waiting for the disk"),
    (Applying, Works, "applying events"),
    (Sending, Works, "sending"),
    (WaitingForSlowClients, Idle, "waiting for slow clients"),
    (Lingering, Idle, "waiting for the refused"),
    (WaitingForBrowsers, Idle, "waiting for browsers"),
    (WaitingForLines, Idle, "waiting for lines"),
    (WaitingForSignal, Idle, "waiting for a signal"),
    (WaitingToHash, Waits, "waiting to hash"),
    (Hashing, Works, "hashing a password"),
    (WaitingForRecords, Idle, "waiting for records"),
    (WritingHistory, Works, "writing history"),
    (AnsweringQuery, Works, "answering a query"),
    (TidyingUp, Works, "tidying up"),
    (WaitingForTick, Idle, "waiting for its time"),
    (Holding, Waits, "holding a lock"),
    (Ended, Idle, "ended"),
];

/// The number of activities.
pub(crate) const ACTIVITY_COUNT: usize = Ended as usize + 1;

impl Activity {
    pub(crate) fn kind(self) -> ActivityKind {
        ACTIVITIES[self as usize].1
    }

    pub(crate) fn words(self) -> &'static str {
        ACTIVITIES[self as usize].2
    }

    /// Whether one of the server's own threads may do this for any time, because it waits for
    /// others.
    pub(super) fn is_wait(self) -> bool {
        self.kind() == Idle || matches!(self, WaitingForDescriptors | WaitingForTheDisk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_activity_has_its_words() {
        for (i, (activity, _, words)) in ACTIVITIES.into_iter().enumerate() {
            assert_eq!(activity as usize, i, "{words} stands in the place of another");
            assert!(words.len() <= 24, "{words}");
        }
    }
}
