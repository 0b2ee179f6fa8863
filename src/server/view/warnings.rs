//! What somebody who looks should be told in words. Each is said when it begins to be so, and again
//! when it is over.

use super::sampler::Seen;
use crate::{
    lock::LOCK_KINDS,
    server::client::outbox::SlowLimits,
    thread_status::activity::{Activity, ActivityKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// A lock is held for microseconds: who waits this long waits for somebody who should not hold it.
const LOCK_WAIT: u64 = 10_000_000;
/// A send that does not wait takes microseconds; a client that reads takes an answer at once.
const SEND: u64 = 1_000_000_000;
/// A batch is written in a millisecond or two, on a disk that is not busy.
const WRITE: u64 = 100_000_000;
/// When this number wait to hash, the next one waits for some 30 ms and more.
const TO_HASH: u64 = 3;
/// The most warnings at once. When a class of 500 has the same trouble, a few say it.
const AT_ONCE: usize = 12;

/// What a warning is about. Of each there is one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Events,
    Outage,
    Hashing,
    Log,
    /// The outbox of a thread's client.
    Outbox(u32),
    /// A thread that waits for a lock.
    Lock(u32),
    /// A thread that sends, or writes.
    Slow(u32),
}

/// What a thread is seen doing that may be worth a warning.
pub(super) struct Watched<'a> {
    pub(super) id: u32,
    pub(super) name: &'a str,
    pub(super) activity: Activity,
    /// Nanoseconds for which it has done that.
    pub(super) since: u64,
    pub(super) waiting: usize,
    /// The kind of the lock for which it waits, and the name of the thread that has it.
    pub(super) waits_for: Option<(u8, Option<&'a str>)>,
}

/// What has been said and is not over.
#[derive(Default)]
pub(super) struct Warnings {
    said: BTreeMap<About, String>,
}

/// A warning, or its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Saying {
    /// `warn` or `end`.
    pub(super) kind: &'static str,
    pub(super) sentence: String,
}

/// What the warnings about the whole server depend on.
pub(super) struct Whole<'a> {
    pub(super) seen: &'a Seen,
    pub(super) limits: SlowLimits,
    /// Events waiting, and the most of them.
    pub(super) events: (u64, u64),
    pub(super) is_outage: bool,
    /// Log lines that were dropped and not reported yet.
    pub(super) log_lost: u64,
}

impl Warnings {
    /// What is to be said now.
    pub(super) fn look<'a>(
        &mut self,
        whole: &Whole<'_>,
        threads: impl Iterator<Item = Watched<'a>>,
    ) -> Vec<Saying> {
        let mut now: BTreeMap<About, (String, String)> = BTreeMap::new();
        whole.warn(&mut now);
        for thread in threads {
            if now.len() < AT_ONCE
                && let Some((about, begins, ends)) = thread.warning(whole.limits)
            {
                now.insert(about, (begins, ends));
            }
        }
        let mut sayings = Vec::new();
        let over: BTreeSet<About> =
            self.said.keys().filter(|about| !now.contains_key(about)).copied().collect();
        for about in over {
            let sentence = self.said.remove(&about).unwrap_or_default();
            sayings.push(Saying { kind: "end", sentence });
        }
        for (about, (begins, ends)) in now {
            if self.said.insert(about, ends).is_none() {
                sayings.push(Saying { kind: "warn", sentence: begins });
            }
        }
        sayings
    }
}

impl Whole<'_> {
    fn warn(&self, now: &mut BTreeMap<About, (String, String)>) {
        let mut warn = |about, begins: String, ends: &str| {
            now.insert(about, (begins, ends.to_owned()));
        };
        let (waiting, most) = self.events;
        if waiting * 2 > most {
            let begins = format!(
                "{waiting} of {most} events wait for the fan-out. When all places are taken, whoever talks waits."
            );
            warn(About::Events, begins, "Fewer than half of the events' places are taken again.");
        }
        if self.is_outage {
            let begins = "The history is not written. The chat goes on.".to_owned();
            warn(About::Outage, begins, "The history is written again.");
        }
        let to_hash = self.seen.doing[Activity::WaitingToHash as usize];
        if to_hash > TO_HASH {
            let begins =
                format!("{to_hash} threads wait to hash a password. Two are hashed at a time.");
            warn(About::Hashing, begins, "Nobody waits long to hash a password any more.");
        }
        if self.log_lost > 0 {
            let begins = format!("{} log lines were dropped: the log is too slow.", self.log_lost);
            warn(About::Log, begins, "No log lines are dropped any more.");
        }
    }
}

impl Watched<'_> {
    /// What it is about, what is said, and what is said when it is over.
    fn warning(&self, limits: SlowLimits) -> Option<(About, String, String)> {
        let (id, name) = (self.id, who(self.name));
        if let Some((kind, holder)) = self.waits_for
            && self.since > LOCK_WAIT
        {
            let lock = LOCK_KINDS[kind as usize].1;
            let holder = holder.map_or("another thread", who);
            let begins = format!("{name} waits for {lock}, which {holder} holds.");
            let ends = format!("{name} waits for {lock} no longer.");
            return Some((About::Lock(id), begins, ends));
        }
        if self.waiting * 2 > limits.high_water {
            let (waiting, most) = (self.waiting / 1024, limits.high_water / 1024);
            let seconds = limits.write_deadline.as_secs();
            let begins = format!(
                "{name} reads too slowly: {waiting} KiB wait. At {most} KiB, or if {name} reads nothing for {seconds} s, {name} is hung up."
            );
            let ends = format!("Nothing much waits for {name} any more.");
            return Some((About::Outbox(id), begins, ends));
        }
        let is_sending =
            self.activity == Activity::Sending || self.activity.kind() == ActivityKind::Sends;
        if is_sending && self.since > SEND {
            let words = self.activity.words();
            let begins = format!("{name} has been {words} for more than a second.");
            return Some((About::Slow(id), begins, format!("{name} is no longer {words}.")));
        }
        if self.activity == Activity::WritingHistory && self.since > WRITE {
            let millis = self.since / 1_000_000;
            let begins =
                format!("The disk is slow: one batch has been written for {millis} ms already.");
            return Some((About::Slow(id), begins, "The batch is written.".to_owned()));
        }
        None
    }
}

/// Who a thread serves: `bob` of `c12:bob`.
fn who(name: &str) -> &str {
    name.strip_prefix('c').and_then(|rest| rest.split_once(':')).map_or(name, |(_, who)| who)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn look(warnings: &mut Warnings, threads: Vec<Watched<'_>>) -> Vec<String> {
        look_at(warnings, threads, 0)
    }

    /// With this number of events waiting, of 1024.
    fn look_at(warnings: &mut Warnings, threads: Vec<Watched<'_>>, events: u64) -> Vec<String> {
        let whole = Whole {
            seen: &Seen::default(),
            limits: SlowLimits { high_water: 65_536, write_deadline: Duration::from_secs(10) },
            events: (events, 1024),
            is_outage: false,
            log_lost: 0,
        };
        let sayings = warnings.look(&whole, threads.into_iter());
        sayings.into_iter().map(|one| format!("{} {}", one.kind, one.sentence)).collect()
    }

    fn watched(activity: Activity, since: u64) -> Watched<'static> {
        Watched { id: 7, name: "c12:bob", activity, since, waiting: 0, waits_for: None }
    }

    #[test]
    fn each_is_said_once_when_it_begins_and_once_when_it_is_over() {
        let mut warnings = Warnings::default();
        let waits = |since| Watched {
            waits_for: Some((0, Some("demo:registry"))),
            ..watched(Activity::WaitingForRegistry, since)
        };
        assert!(look(&mut warnings, vec![waits(9_000_000)]).is_empty());
        let said = look(&mut warnings, vec![waits(11_000_000)]);
        assert_eq!(said, ["warn bob waits for the registry, which demo:registry holds."]);
        assert!(look(&mut warnings, vec![waits(111_000_000)]).is_empty());
        let said = look(&mut warnings, vec![watched(Activity::Reading, 0)]);
        assert_eq!(said, ["end bob waits for the registry no longer."]);
    }

    #[test]
    fn a_reader_that_is_slow_is_said_with_what_will_happen() {
        let slow = Watched { waiting: 40_000, ..watched(Activity::Reading, 0) };
        let said = look(&mut Warnings::default(), vec![slow]);
        let says = "warn bob reads too slowly: 39 KiB wait. At 64 KiB, or if bob reads nothing for 10 s, bob is hung up.";
        assert_eq!(said, [says]);
    }

    #[test]
    fn what_takes_long_is_said_and_what_may_take_long_is_not() {
        let (half, whole) = (500_000_000, 1_500_000_000);
        for (activity, since, events, says) in [
            (Activity::Reading, whole, 512, None),
            (Activity::Reading, whole, 513, Some("warn 513 of 1024 events wait for the fan-out")),
            (Activity::Sending, half, 0, None),
            (Activity::Sending, whole, 0, Some("warn bob has been ")),
            (Activity::WritingHistory, half / 10, 0, None),
            (Activity::WritingHistory, half, 0, Some("warn The disk is slow: ")),
        ] {
            let said = look_at(&mut Warnings::default(), vec![watched(activity, since)], events);
            assert_eq!(said.len(), usize::from(says.is_some()), "{said:?}");
            assert!(says.is_none_or(|says| said[0].starts_with(says)), "{said:?}");
        }
    }

    #[test]
    fn when_five_hundred_have_the_same_trouble_a_few_say_it() {
        let waits = |id| Watched {
            id,
            waits_for: Some((0, None)),
            ..watched(Activity::WaitingForRegistry, 1_000_000_000)
        };
        let said = look(&mut Warnings::default(), (0..500).map(waits).collect());
        assert_eq!(said.len(), AT_ONCE);
    }
}
