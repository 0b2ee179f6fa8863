//! Thread `view`: looks, ten times a second, and tells everybody who looks.

use super::{
    chrome_trace::write,
    hello::hello,
    looker::Looker,
    lookers::Lookers,
    queues,
    recording::{Counters, Recording},
    sampler::{Sampler, Seen},
    slot::{Slot, Sum, TICK},
    warnings::{Warnings, Watched, Whole},
    way::{Follower, WayLine},
};
use crate::{
    core::hazard::HAZARDS,
    cpu_time::{process_nanos, thread_nanos},
    server::{
        client::handler::ChatHandler,
        logger,
        status::{Activity, Status},
        threads::Threads,
        zone::local_zone,
    },
    thread_status::Group,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    time::Instant,
};

/// The totals are told in each tenth slot.
const SUM_EVERY: u64 = 10;

/// What the thread knows from round to round.
pub(super) struct Round {
    status: Arc<Status>,
    sampler: Sampler,
    follower: Follower,
    warnings: Warnings,
    /// Of each hazard, how often it had begun in the last round, and whether it was being shown.
    hazards: Option<[(u32, bool); HAZARDS.len()]>,
    recording: Option<Recording>,
    /// The seconds of a recording of which nobody was told yet.
    begun: Option<u64>,
    /// The class's question, as it was told last.
    quiz: Option<Arc<str>>,
    zone: TimeZone,
    count: u64,
    last_sum: Option<Sum>,
    /// When the processor times were read, and what they were: the process, the view.
    cpu: (Instant, u64, u64),
}

impl Round {
    pub(super) fn new(is_anonymous: bool) -> Round {
        Round {
            status: Status::new("view"),
            sampler: Sampler::new(is_anonymous),
            follower: Follower::default(),
            warnings: Warnings::default(),
            hazards: None,
            recording: None,
            begun: None,
            quiz: None,
            zone: local_zone().0,
            count: 0,
            last_sum: None,
            cpu: (Instant::now(), process_nanos(), thread_nanos()),
        }
    }

    /// The thread runs this while somebody looks. (It keeps no handle of the chat while it waits: the
    /// last one ends the server's threads.)
    pub(super) fn run(looking: &Lookers, chat: &Weak<ChatHandler>, threads: &Threads) {
        let mut round = Round::new(looking.is_anonymous);
        round.status.attach();
        let _listed = threads.enter(&round.status);
        let mut next = Instant::now();
        loop {
            round.status.set(Activity::WaitingForTick);
            let at_most = next.saturating_duration_since(Instant::now());
            let Some((lookers, wanted)) = looking.next_round(at_most) else { break };
            let Some(chat) = chat.upgrade() else { break };
            round.status.set(Activity::Working);
            if let Some((seconds, looker)) = wanted {
                round.begin_recording(&chat, seconds, looker);
            }
            if Instant::now() < next {
                continue;
            }
            next = (next + TICK).max(Instant::now());
            let slot = round.look(looking, &chat, &lookers);
            round.tell(looking, &chat, &slot, &lookers);
        }
        round.end(looking, chat);
    }

    /// What has happened since the last round.
    pub(super) fn look(
        &mut self,
        looking: &Lookers,
        chat: &ChatHandler,
        lookers: &[Arc<Looker>],
    ) -> Slot {
        let (mut slot, seen) = self.sampler.look(chat.threads.all());
        slot.queues = queues::measure(chat, &seen).to_vec();
        let way = self.follower.look(&chat.totals.trace);
        slot.way = way.as_ref().map(WayLine::from);
        slot.says = self.warn(chat, &slot, &seen);
        self.look_at_hazards(chat, &mut slot);
        slot.quiz = self.look_at_board(chat);
        if self.count.is_multiple_of(SUM_EVERY) {
            slot.sum = Some(self.sum(chat, &seen, lookers));
            self.last_sum.clone_from(&slot.sum);
        }
        self.count += 1;
        slot.recording = self.begun.take().map(|seconds| ("begun", seconds));
        if let Some(recording) = &mut self.recording {
            let (events, batch) = (slot.queues[0], slot.queues[1]);
            let counters = Counters {
                at: crate::thread_status::uptime_nanos(),
                events,
                batch,
                outboxes: seen.outboxes,
            };
            recording.note(&slot, way, counters);
            let is_wanted = lookers.iter().any(|one| Arc::ptr_eq(one, &recording.looker));
            if recording.is_over() || !is_wanted {
                self.end_recording(looking, chat, is_wanted);
                slot.recording = Some(("ended", 0));
            }
        }
        slot
    }

    fn tell(
        &mut self,
        looking: &Lookers,
        chat: &ChatHandler,
        slot: &Slot,
        lookers: &[Arc<Looker>],
    ) {
        let json = slot.to_json();
        let mut all = None;
        for looker in lookers {
            if looker.takes_all() {
                let all = all.get_or_insert_with(|| {
                    let mut all = self.sampler.all();
                    (all.queues, all.sum) = (slot.queues.clone(), self.last_sum.clone());
                    all.quiz = self.quiz.clone();
                    all.to_json()
                });
                let hello = hello(chat, looker, looking, self.recording.is_some());
                looker.begin(&hello, all);
            } else {
                looker.offer(slot, &json);
            }
            looker.cut_if_stuck();
        }
    }

    fn warn(
        &mut self,
        chat: &ChatHandler,
        slot: &Slot,
        seen: &Seen,
    ) -> Vec<(String, &'static str, String)> {
        let whole = Whole {
            seen,
            limits: chat.limits,
            events: (slot.queues[0], chat.events.queue.capacity().unwrap_or(0) as u64),
            is_outage: chat.totals.is_outage.load(Relaxed),
            log_lost: logger::lost(),
        };
        let sampler = &self.sampler;
        let threads = sampler.threads().filter(|(status, ..)| status.group != Group::Looker);
        let watched = threads.map(|(status, name, transition)| {
            let activity = transition.activity();
            let waits_for = status.waits_for(transition);
            Watched {
                id: status.id,
                name,
                activity,
                since: crate::thread_status::uptime_nanos().saturating_sub(transition.nanos()),
                waiting: status.waiting(),
                waits_for: waits_for.map(|(kind, holder)| (kind, sampler.name_of(holder))),
            }
        });
        let sayings = self.warnings.look(&whole, watched);
        let clock =
            || Timestamp::now().to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string();
        sayings.into_iter().map(|one| (clock(), one.kind, one.sentence)).collect()
    }

    /// Tells which hazards have begun and ended since the last round. In the first one, those that are
    /// being shown begin.
    fn look_at_hazards(&mut self, chat: &ChatHandler, slot: &mut Slot) {
        let Some(hazards) = &chat.hazards else { return };
        let counts = hazards.counts();
        for (place, hazard) in HAZARDS.iter().enumerate() {
            let (count, is_shown) = counts[place];
            let before = self.hazards.map(|before| before[place]);
            let (before, was_shown) = before.unwrap_or((count - u32::from(is_shown), false));
            let has_begun = count > before;
            let ended = || {
                let says = format!("The demonstration is over: {}.", hazard.label);
                (hazard.name, "ended", says, 0)
            };
            if was_shown && (has_begun || !is_shown) {
                slot.hazards.push(ended());
            }
            if has_begun {
                let says = format!("A demonstration: {}.", hazard.label);
                slot.hazards.push((hazard.name, "begun", says, hazard.seconds));
            }
            if has_begun && !is_shown {
                slot.hazards.push(ended());
            }
        }
        self.hazards = Some(counts);
    }

    /// The class's question, if it is another one than in the last round, or has another answer.
    fn look_at_board(&mut self, chat: &ChatHandler) -> Option<Arc<str>> {
        let shown = chat.totals.board.shown()?;
        let is_new = self.quiz.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &shown));
        self.quiz = Some(Arc::clone(&shown));
        is_new.then_some(shown)
    }

    fn sum(&mut self, chat: &ChatHandler, seen: &Seen, lookers: &[Arc<Looker>]) -> Sum {
        let (now, process) = (Instant::now(), process_nanos());
        let view = thread_nanos() + lookers.iter().map(|looker| looker.cpu()).sum::<u64>();
        let (before, process_before, view_before) = self.cpu;
        let elapsed = now.duration_since(before);
        // In the first round there is no time yet of which these could be shares.
        let is_long_enough = elapsed >= TICK;
        if is_long_enough {
            self.cpu = (now, process, view);
        }
        let thousandths = |now: u64, before: u64| match is_long_enough {
            true => now.saturating_sub(before) * 1000 / elapsed.as_nanos() as u64,
            false => 0,
        };
        let totals = &chat.totals;
        Sum {
            clients: seen.clients,
            said: totals.said.load(Relaxed),
            delivered: totals.delivered.load(Relaxed),
            slow: totals.too_slow.load(Relaxed),
            refused: totals.refused(),
            cpu: thousandths(process, process_before),
            view: thousandths(view, view_before),
            lookers: lookers.len(),
        }
    }

    fn begin_recording(&mut self, chat: &ChatHandler, seconds: u64, looker: Arc<Looker>) {
        log::info!("{} records what the threads do for {seconds} s", looker.who.name);
        self.recording = Some(Recording::begin(looker, seconds, &chat.threads));
        self.begun = Some(seconds);
    }

    /// Ends the recording, and gives it to whoever wanted it, if they still look.
    fn end_recording(&mut self, looking: &Lookers, chat: &ChatHandler, is_wanted: bool) {
        let Some(recording) = self.recording.take() else { return };
        let looker = Arc::clone(&recording.looker);
        let is_anonymous = looking.is_anonymous;
        let recorded = recording.end(&chat.threads, |status, name| {
            match is_anonymous && status.group == Group::Client {
                true => name.split(':').next().unwrap_or_default().to_owned(),
                false => name,
            }
        });
        let time = Timestamp::now().to_zoned(self.zone.clone()).strftime("%Y%m%d-%H%M").to_string();
        looking.end_recording(); // whoever has the file may want the next one
        if is_wanted {
            looker.hand_over(&format!("chatd-trace-{time}.json"), write(&recorded));
        }
    }

    /// Nobody looks any more.
    fn end(self, looking: &Lookers, chat: &Weak<ChatHandler>) {
        let Some(chat) = chat.upgrade() else { return };
        if let Some(recording) = self.recording {
            recording.end(&chat.threads, |_, name| name); // gives the rings back
            looking.end_recording();
        }
    }
}
