//! What happened in one slot of time, a tenth of a second, and how it is told: `{"t":412345,…}`.
//!
//! Slots can be added up, for somebody who looks and was too slow for some of them.

use super::way::WayLine;
use crate::{
    lock::LOCK_KINDS,
    thread_status::{
        Group,
        activity::{ACTIVITY_COUNT, Activity},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
    time::Duration,
};

/// How long a slot is.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// What the shares of a thread's activities add up to.
pub(super) const WHOLE: u64 = 255;

/// What one thread did in the slot.
#[derive(Clone, Debug)]
pub(super) struct ThreadSlot {
    /// At its end.
    pub(super) activity: Activity,
    /// Nanoseconds of each activity.
    pub(super) spent: [u64; ACTIVITY_COUNT],
    pub(super) lines_in: u64,
    pub(super) lines_out: u64,
    /// Bytes in its outbox at the end.
    pub(super) waiting: usize,
    pub(super) lock_waits: u32,
}

/// What happened to the locks of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct LockSlot {
    pub(super) waits: u64,
    pub(super) nanos: u64,
    /// Since the start.
    pub(super) longest: u64,
    /// Who waits at the end, for which thread, and for how many nanoseconds.
    pub(super) waiting: Vec<(u32, u32, u64)>,
}

/// Numbers of the whole server, since the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) clients: usize,
    pub(super) said: u64,
    pub(super) delivered: u64,
    pub(super) slow: u64,
    pub(super) refused: u64,
    /// Thousandths of a core.
    pub(super) cpu: u64,
    pub(super) view: u64,
    pub(super) lookers: usize,
}

/// A slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// When it ended: milliseconds since the start.
    pub(super) end: u64,
    /// How many slots it is.
    pub(super) count: u64,
    /// It has every thread.
    pub(super) is_all: bool,
    /// Threads that came, or have another name.
    pub(super) new: BTreeMap<u32, (String, Group)>,
    pub(super) gone: BTreeSet<u32>,
    /// Those that did not do the same all the time.
    pub(super) threads: BTreeMap<u32, ThreadSlot>,
    pub(super) queues: Vec<u64>,
    pub(super) locks: [LockSlot; LOCK_KINDS.len()],
    pub(super) sum: Option<Sum>,
    pub(super) way: Option<WayLine>,
    /// Clock, kind, sentence.
    pub(super) says: Vec<(String, &'static str, String)>,
    /// Name, `begun` or `ended`, sentence, seconds.
    pub(super) hazards: Vec<(&'static str, &'static str, String, u64)>,
    /// `begun` or `ended`, seconds.
    pub(super) recording: Option<(&'static str, u64)>,
    /// The class's question, if something of it is new.
    pub(super) quiz: Option<Arc<str>>,
}

/// Sentences that a slot keeps when slots are added up for somebody who is slow.
const SAYS_MAX: usize = 100;

impl Slot {
    /// Adds what came later.
    pub(super) fn add(&mut self, later: &Slot) {
        self.end = later.end;
        self.count += later.count;
        for id in &later.gone {
            self.threads.remove(id);
            if self.new.remove(id).is_none() || self.is_all {
                self.gone.insert(*id);
            }
        }
        self.new.extend(later.new.iter().map(|(id, new)| (*id, new.clone())));
        for (id, thread) in &later.threads {
            self.threads
                .entry(*id)
                .and_modify(|mine| mine.add(thread))
                .or_insert_with(|| thread.clone());
        }
        self.queues.clone_from(&later.queues);
        for (mine, later) in self.locks.iter_mut().zip(&later.locks) {
            mine.waits += later.waits;
            mine.nanos += later.nanos;
            (mine.longest, mine.waiting) = (later.longest, later.waiting.clone());
        }
        self.sum = later.sum.clone().or(self.sum.take());
        self.way = later.way.clone().or(self.way.take());
        let room = SAYS_MAX.saturating_sub(self.says.len());
        self.says.extend(later.says.iter().take(room).cloned());
        let room = SAYS_MAX.saturating_sub(self.hazards.len());
        self.hazards.extend(later.hazards.iter().take(room).cloned());
        self.recording = later.recording.or(self.recording);
        self.quiz = later.quiz.clone().or(self.quiz.take());
    }

    /// The message.
    pub(super) fn to_json(&self) -> String {
        let mut json = format!("{{\"t\":{},\"n\":{}", self.end, self.count);
        if self.is_all {
            json.push_str(",\"all\":true");
        }
        let new = self
            .new
            .iter()
            .map(|(id, (name, group))| format!("[{id},{},{}]", quoted(name), group_number(*group)));
        list(&mut json, "new", new);
        list(&mut json, "gone", self.gone.iter().map(u32::to_string));
        list(&mut json, "th", self.threads.iter().map(|(id, thread)| thread.to_json(*id)));
        list(&mut json, "q", self.queues.iter().map(u64::to_string));
        let locks = self.locks.iter().enumerate().filter(|(_, lock)| lock.has_something());
        list(&mut json, "l", locks.map(|(kind, lock)| lock.to_json(kind)));
        if let Some(sum) = &self.sum {
            let Sum { clients, said, delivered, slow, refused, cpu, view, lookers } = sum;
            let _ = write!(
                json,
                ",\"sum\":{{\"clients\":{clients},\"said\":{said},\"delivered\":{delivered},\
                 \"slow\":{slow},\"refused\":{refused},\"cpu\":{cpu},\"view\":{view},\
                 \"lookers\":{lookers}}}"
            );
        }
        if let Some(way) = &self.way {
            let _ = write!(json, ",\"way\":{}", way.to_json());
        }
        let says = self.says.iter().map(|(clock, kind, sentence)| {
            format!("[\"{clock}\",\"{kind}\",{}]", quoted(sentence))
        });
        list(&mut json, "say", says);
        let hazards = self.hazards.iter().map(|(name, what, sentence, seconds)| {
            format!("[{},\"{what}\",{},{seconds}]", quoted(name), quoted(sentence))
        });
        list(&mut json, "hz", hazards);
        if let Some((what, seconds)) = self.recording {
            let _ = write!(json, ",\"rec\":[\"{what}\",{seconds}]");
        }
        if let Some(quiz) = &self.quiz {
            let _ = write!(json, ",\"quiz\":{quiz}");
        }
        json.push('}');
        json
    }
}

impl ThreadSlot {
    fn add(&mut self, later: &ThreadSlot) {
        self.spent.iter_mut().zip(&later.spent).for_each(|(mine, later)| *mine += later);
        self.lines_in += later.lines_in;
        self.lines_out += later.lines_out;
        self.lock_waits += later.lock_waits;
        (self.activity, self.waiting) = (later.activity, later.waiting);
    }

    /// The share of each activity, the greatest first. They add up to [`WHOLE`].
    pub(super) fn shares(&self) -> Vec<(usize, u64)> {
        let all: u64 = self.spent.iter().sum();
        if all == 0 {
            return vec![(self.activity as usize, WHOLE)];
        }
        let share = |nanos: &u64| (u128::from(*nanos) * u128::from(WHOLE) / u128::from(all)) as u64;
        let mut shares: Vec<_> = self.spent.iter().map(share).enumerate().collect();
        shares.sort_by_key(|&(_, share)| std::cmp::Reverse(share));
        let left = WHOLE - shares.iter().map(|(_, share)| share).sum::<u64>();
        shares[0].1 += left; // what was rounded off
        shares.retain(|&(_, share)| share > 0);
        shares
    }

    fn to_json(&self, id: u32) -> String {
        let mut json = format!("[{id},{},[", self.activity as usize);
        for (i, (activity, share)) in self.shares().into_iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(json, "{comma}{activity},{share}");
        }
        let ThreadSlot { lines_in, lines_out, waiting, lock_waits, .. } = self;
        let _ = write!(json, "],{lines_in},{lines_out},{waiting},{lock_waits}]");
        json
    }
}

impl LockSlot {
    fn has_something(&self) -> bool {
        self.waits > 0 || !self.waiting.is_empty()
    }

    fn to_json(&self, kind: usize) -> String {
        let micros = |nanos: u64| nanos / 1000;
        let waiting = self
            .waiting
            .iter()
            .map(|(waiter, holder, nanos)| format!("[{waiter},{holder},{}]", micros(*nanos)));
        let waiting: Vec<String> = waiting.collect();
        let (nanos, longest) = (micros(self.nanos), micros(self.longest));
        format!("[{kind},{},{nanos},{longest},[{}]]", self.waits, waiting.join(","))
    }
}

fn group_number(group: Group) -> u8 {
    group as u8
}

/// A text as JSON has it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `,"name":[…]`, or nothing.
fn list(json: &mut String, name: &str, items: impl Iterator<Item = String>) {
    let start = json.len();
    for item in items {
        let before = if json.len() == start { format!(",\"{name}\":[") } else { ",".to_owned() };
        json.push_str(&before);
        json.push_str(&item);
    }
    if json.len() > start {
        json.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(nanos: &[(Activity, u64)]) -> ThreadSlot {
        let mut spent = [0; ACTIVITY_COUNT];
        nanos.iter().for_each(|&(activity, nanos)| spent[activity as usize] = nanos);
        let activity = nanos[0].0;
        ThreadSlot { activity, spent, lines_in: 1, lines_out: 2, waiting: 3, lock_waits: 0 }
    }

    #[test]
    fn shares_add_up_whatever_is_shared() {
        use Activity::*;
        for nanos in [
            vec![(Reading, 100_000_000)],
            vec![(Sending, 1), (Applying, 1), (Reading, 1)],
            vec![(Sending, 7), (Applying, 99_999_993), (Reading, 1), (Pausing, 12)],
            vec![(Reading, 0)],
            vec![(Reading, u64::MAX / 2), (Sending, u64::MAX / 2)],
        ] {
            let shares = thread(&nanos).shares();
            assert_eq!(shares.iter().map(|(_, share)| share).sum::<u64>(), WHOLE, "{shares:?}");
            assert!(shares.is_sorted_by(|a, b| a.1 >= b.1), "{shares:?}");
        }
    }

    #[test]
    fn slots_that_are_added_up_are_one_longer_slot() {
        let slot = |end, new: &[u32], gone: &[u32], threads: &[u32]| Slot {
            end,
            count: 1,
            new: new.iter().map(|id| (*id, (format!("c{id}"), Group::Client))).collect(),
            gone: gone.iter().copied().collect(),
            threads: threads.iter().map(|id| (*id, thread(&[(Activity::Reading, 50)]))).collect(),
            ..Slot::default()
        };
        let mut sum = slot(100, &[7], &[], &[1, 7]);
        sum.add(&slot(200, &[8], &[7, 5], &[1, 8]));
        assert_eq!((sum.end, sum.count), (200, 2));
        assert_eq!(sum.new.keys().collect::<Vec<_>>(), [&8], "it came and went");
        assert_eq!(sum.gone.iter().collect::<Vec<_>>(), [&5]);
        assert_eq!(sum.threads.keys().collect::<Vec<_>>(), [&1, &8]);
        assert_eq!(sum.threads[&1].spent[Activity::Reading as usize], 100);
    }

    #[test]
    fn a_slot_is_json() {
        let mut slot = Slot { end: 412_345, count: 1, is_all: true, ..Slot::default() };
        slot.new.insert(41, ("c12:bob\"".to_owned(), Group::Client));
        slot.threads.insert(41, thread(&[(Activity::Reading, 3), (Activity::Working, 1)]));
        slot.locks[1].waiting.push((41, 7, 1_400_000));
        slot.locks[2].waits = 1;
        slot.says.push(("12:34:51".to_owned(), "warn", "bob waits.".to_owned()));
        slot.sum = Some(Sum::default());
        slot.recording = Some(("begun", 10));
        let json: serde_json::Value = serde_json::from_str(&slot.to_json()).unwrap();
        assert_eq!(json["new"][0], serde_json::json!([41, "c12:bob\"", 1]));
        assert_eq!(json["th"][0], serde_json::json!([41, 4, [4, 192, 1, 63], 1, 2, 3, 0]));
        let locks = serde_json::json!([[1, 0, 0, 0, [[41, 7, 1400]]], [2, 1, 0, 0, []]]);
        assert_eq!(json["l"], locks, "of those that somebody waited for");
        assert_eq!((json["t"].as_u64(), json["rec"][1].as_u64()), (Some(412_345), Some(10)));
    }
}
