//! Looks at every thread ten times a second, and makes the slots of what they have noted. It takes no
//! lock but those of the table of threads, so it goes on while any other lock is held.

use super::slot::{Slot, ThreadSlot};
use crate::{
    lock::{LOCK_KINDS, LockWaits},
    thread_status::{
        Group, Sample, Status, Transition,
        activity::{ACTIVITY_COUNT, ActivityKind},
        uptime_nanos,
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// A thread, as it was seen last.
struct Known {
    status: Arc<Status>,
    name: String,
    sample: Sample,
    transition: Transition,
    /// The round in which it was seen.
    round: u64,
}

/// What a round has seen of all threads together.
#[derive(Default)]
pub(super) struct Seen {
    /// How many do what.
    pub(super) doing: [u64; ACTIVITY_COUNT],
    pub(super) clients: usize,
    /// Clients for which bytes wait, and the sum of these.
    pub(super) slow: u64,
    pub(super) outboxes: u64,
    /// The thread whose client has most bytes waiting, and how many.
    pub(super) fullest: (u32, u64),
}

/// Looks, and remembers what it saw.
pub(super) struct Sampler {
    is_anonymous: bool,
    known: BTreeMap<u32, Known>,
    locks: [[u64; 3]; LOCK_KINDS.len()],
    /// When the last slot ended.
    last: u64,
    round: u64,
}

impl Sampler {
    pub(super) fn new(is_anonymous: bool) -> Sampler {
        let locks = LOCK_KINDS.map(|(kind, _)| LockWaits::of(kind).totals());
        Sampler { is_anonymous, known: BTreeMap::new(), locks, last: uptime_nanos(), round: 0 }
    }

    /// What has happened since the last round, and what is so now.
    pub(super) fn look(&mut self, threads: Vec<Arc<Status>>) -> (Slot, Seen) {
        let now = uptime_nanos();
        let mut slot = Slot { end: now / 1_000_000, count: 1, ..Slot::default() };
        let mut seen = Seen::default();
        self.round += 1;
        for status in threads {
            self.look_at(status, &mut slot, &mut seen);
        }
        let round = self.round;
        slot.gone
            .extend(self.known.iter().filter(|(_, known)| known.round < round).map(|(id, _)| *id));
        self.known.retain(|_, known| known.round == round);
        for (i, (kind, _)) in LOCK_KINDS.into_iter().enumerate() {
            let [waits, nanos, longest] = LockWaits::of(kind).totals();
            let before = std::mem::replace(&mut self.locks[i], [waits, nanos, longest]);
            let lock = &mut slot.locks[i];
            (lock.waits, lock.nanos) = (waits - before[0], nanos.saturating_sub(before[1]));
            lock.longest = longest;
        }
        self.last = now;
        (slot, seen)
    }

    fn look_at(&mut self, status: Arc<Status>, slot: &mut Slot, seen: &mut Seen) {
        let (id, transition) = (status.id, status.began());
        let waiting = status.waiting() as u64;
        seen.doing[transition.activity() as usize] += 1;
        seen.clients += usize::from(status.group == Group::Client);
        seen.slow += u64::from(waiting > 0);
        seen.outboxes += waiting;
        seen.fullest = seen.fullest.max_by_bytes((id, waiting));
        if let Some(known) = self.known.get_mut(&id) {
            known.round = self.round;
            let is_locked = transition.activity().kind() == ActivityKind::Locked;
            let is_same = known.transition == transition && known.is_same(&status);
            if is_same && !is_locked {
                return; // it went on with what it did
            }
        }
        let sample = status.sample();
        if let Some((kind, holder)) = sample.waits_for {
            slot.locks[kind as usize].waiting.push((id, holder, sample.since));
        }
        let name = self.shown_name(&status);
        let known = self.known.get(&id);
        if known.is_none_or(|known| known.name != name) {
            slot.new.insert(id, (name.clone(), status.group));
        }
        slot.threads.insert(id, difference(known.map(|known| (&known.sample, self.last)), &sample));
        let round = self.round;
        self.known.insert(id, Known { status, name, sample, transition, round });
    }

    /// Under --anonymous a name is an address, which is told to nobody.
    fn shown_name(&self, status: &Status) -> String {
        let name = status.name();
        match status.group == Group::Client && self.is_anonymous {
            true => name.split(':').next().unwrap_or_default().to_owned(),
            false => name,
        }
    }

    /// Everything that there is, as the first slot of somebody who begins to look.
    pub(super) fn all(&self) -> Slot {
        let mut slot =
            Slot { end: self.last / 1_000_000, count: 1, is_all: true, ..Slot::default() };
        for (id, known) in &self.known {
            slot.new.insert(*id, (known.name.clone(), known.status.group));
            let mut spent = [0; ACTIVITY_COUNT];
            spent[known.transition.activity() as usize] = 1;
            let waiting = known.status.waiting();
            let activity = known.transition.activity();
            let thread =
                ThreadSlot { activity, spent, lines_in: 0, lines_out: 0, waiting, lock_waits: 0 };
            slot.threads.insert(*id, thread);
        }
        slot
    }

    /// What a thread is called.
    pub(super) fn name_of(&self, id: u32) -> Option<&str> {
        self.known.get(&id).map(|known| &*known.name)
    }

    /// Every thread, as it was seen last.
    pub(super) fn threads(&self) -> impl Iterator<Item = (&Arc<Status>, &str, Transition)> {
        self.known.values().map(|known| (&known.status, &*known.name, known.transition))
    }
}

impl Known {
    /// Its numbers have not changed.
    fn is_same(&self, status: &Status) -> bool {
        let Sample { lines_in, lines_out, waiting, .. } = self.sample;
        (status.lines_in(), status.lines_out(), status.waiting()) == (lines_in, lines_out, waiting)
    }
}

trait MaxByBytes {
    fn max_by_bytes(self, other: Self) -> Self;
}

impl MaxByBytes for (u32, u64) {
    fn max_by_bytes(self, other: Self) -> Self {
        if other.1 > self.1 { other } else { self }
    }
}

/// What a thread did between two samples. If it did the same in all slots between the first one and
/// the `start` of this slot, nothing was noted of it there.
fn difference(before: Option<(&Sample, u64)>, sample: &Sample) -> ThreadSlot {
    let Sample { activity, spent, lines_in, lines_out, waiting, lock_waits, .. } = *sample;
    let mut slot = ThreadSlot { activity, spent, lines_in, lines_out, waiting, lock_waits };
    let Some((before, start)) = before else { return slot };
    let mut earlier = before.spent;
    earlier[before.activity as usize] += start.saturating_sub(before.at);
    let spent = slot.spent.iter_mut().zip(earlier);
    spent.for_each(|(now, before)| *now = now.saturating_sub(before));
    slot.lines_in -= before.lines_in;
    slot.lines_out -= before.lines_out;
    slot.lock_waits -= before.lock_waits;
    slot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{server::view::slot::WHOLE, thread_status::activity::Activity};
    use std::time::{Duration, Instant};

    fn wait(time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_slot_has_what_changed_and_its_shares_add_up() {
        let (fanout, alice) = (Status::new("fanout"), Status::new("c7:192.0.2.7"));
        let threads = || vec![Arc::clone(&fanout), Arc::clone(&alice)];
        let mut sampler = Sampler::new(true);
        fanout.set(Activity::WaitingForEvents);
        alice.set(Activity::Reading);
        alice.count_in(10);
        alice.count_out(20);
        let (first, seen) = sampler.look(threads());
        assert_eq!(first.new[&alice.id].0, "c7", "there is no address in it");
        assert_eq!((first.threads.len(), seen.clients, seen.slow), (2, 1, 0));
        // Nothing happens for three slots, and then something at the end of one.
        let mut began = Instant::now();
        for _ in 0..3 {
            wait(Duration::from_millis(3));
            began = Instant::now();
            let (slot, _) = sampler.look(threads());
            assert!(slot.threads.is_empty() && slot.new.is_empty(), "{slot:?}");
        }
        wait(Duration::from_millis(3));
        alice.set(Activity::Pausing);
        wait(Duration::from_millis(3));
        alice.set_waiting(40);
        alice.count_in(1);
        alice.count_out(2);
        let (slot, seen) = sampler.look(threads());
        let alices = &slot.threads[&alice.id];
        let shares: u64 = alices.shares().iter().map(|(_, share)| share).sum();
        assert_eq!((slot.threads.len(), alices.waiting, shares), (1, 40, WHOLE));
        assert_eq!((alices.lines_in, alices.lines_out), (1, 2), "and not those of before");
        let (reading, pausing) =
            (alices.spent[Activity::Reading as usize], alices.spent[Activity::Pausing as usize]);
        let slots_length = began.elapsed().as_nanos() as u64;
        let of_this_slot = 3_000_000..slots_length;
        assert!(of_this_slot.contains(&reading) && of_this_slot.contains(&pausing), "{alices:?}");
        assert!(reading + pausing <= slots_length, "{alices:?} in {slots_length} ns");
        assert_eq!((seen.fullest, seen.slow), ((alice.id, 40), 1));
        let (slot, _) = sampler.look(vec![Arc::clone(&fanout)]);
        assert_eq!(slot.gone.iter().collect::<Vec<_>>(), [&alice.id]);
    }
}
