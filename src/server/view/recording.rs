//! A recording: every transition of every thread for some seconds.
//!
//! While it is made, each thread writes its transitions into a ring of its own, which it takes from
//! the heap with the first one. At the end the rings are collected, given back, and told in a file
//! (`chrome_trace.rs`).

use super::{looker::Looker, slot::Slot};
use crate::{
    server::{threads::Threads, trace::Way},
    thread_status::{Status, Transition, activity::Activity, set_recording, uptime_nanos},
};
use std::{collections::BTreeMap, sync::Arc};

/// The longest recording. Of a busy thread a ring has some seconds anyway.
pub(super) const SECONDS_MAX: u64 = 60;
/// Marks and followed lines that are kept.
const MARKS_MAX: usize = 1000;

/// A recording that is being made.
pub(super) struct Recording {
    pub(super) looker: Arc<Looker>,
    /// When it began and when it ends: nanoseconds since the start.
    began: u64,
    ends: u64,
    begun: BTreeMap<u32, Begun>,
    counters: Vec<Counters>,
    ways: Vec<Way>,
    marks: Vec<(u64, String)>,
}

/// A thread of a recording.
struct Begun {
    status: Arc<Status>,
    name: String,
    /// What it was doing when the recording began; `None`: it was not there.
    first: Option<Transition>,
}

/// Numbers of the whole server at one moment.
pub(super) struct Counters {
    pub(super) at: u64,
    pub(super) events: u64,
    pub(super) batch: u64,
    pub(super) outboxes: u64,
}

/// What one thread did, from the first transition to the end.
pub(super) struct Timeline {
    pub(super) id: u32,
    pub(super) name: String,
    /// When it began to do what. Each lasts until the next one.
    pub(super) steps: Vec<(u64, Activity)>,
    /// Transitions that were overwritten: it begins later than the recording.
    pub(super) lost: u64,
}

/// A recording that is over.
pub(super) struct Recorded {
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) timelines: Vec<Timeline>,
    pub(super) counters: Vec<Counters>,
    pub(super) ways: Vec<Way>,
    pub(super) marks: Vec<(u64, String)>,
}

impl Recording {
    /// Begins. `threads`: those that are here, with their names.
    pub(super) fn begin(looker: Arc<Looker>, seconds: u64, threads: &Threads) -> Recording {
        let began = uptime_nanos();
        threads.keep_departed();
        set_recording(true);
        let mut begun = BTreeMap::new();
        for status in threads.all() {
            let (name, first) = (status.name(), Some(status.began()));
            begun.insert(status.id, Begun { status, name, first });
        }
        Recording {
            looker,
            began,
            ends: began + seconds * 1_000_000_000,
            begun,
            counters: Vec::new(),
            ways: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Takes what a round has seen.
    pub(super) fn note(&mut self, slot: &Slot, way: Option<Way>, counters: Counters) {
        self.counters.push(counters);
        if self.ways.len() < MARKS_MAX {
            self.ways.extend(way);
        }
        for (_, what, sentence, _) in &slot.hazards {
            self.mark(format!("{sentence} ({what})"));
        }
        for (_, kind, sentence) in &slot.says {
            if *kind == "warn" {
                self.mark(sentence.clone());
            }
        }
    }

    fn mark(&mut self, text: String) {
        if self.marks.len() < MARKS_MAX {
            self.marks.push((uptime_nanos(), text));
        }
    }

    pub(super) fn is_over(&self) -> bool {
        uptime_nanos() >= self.ends
    }

    /// Ends it, and collects what the threads have noted. `shown`: how a thread is called.
    pub(super) fn end(
        mut self,
        threads: &Threads,
        shown: impl Fn(&Status, String) -> String,
    ) -> Recorded {
        set_recording(false);
        let ended = uptime_nanos();
        for status in threads.all().into_iter().chain(threads.take_departed()) {
            let name = status.name();
            let entry = self.begun.entry(status.id);
            entry.or_insert(Begun { status, name: String::new(), first: None }).name = name;
        }
        let (began, begun) = (self.began, std::mem::take(&mut self.begun));
        let timelines = begun.into_iter().map(|(id, one)| {
            let name = shown(&one.status, one.name);
            timeline(id, name, one.first, &one.status, (began, ended))
        });
        Recorded {
            began,
            ended,
            timelines: timelines.collect(),
            counters: self.counters,
            ways: self.ways,
            marks: self.marks,
        }
    }
}

fn timeline(
    id: u32,
    name: String,
    first: Option<Transition>,
    status: &Status,
    (began, ended): (u64, u64),
) -> Timeline {
    let ring = status.take_ring().unwrap_or_default();
    let lost = ring.lost;
    let first = first.filter(|_| lost == 0);
    let seen = first.map_or(0, Transition::nanos);
    let beginning = first.map(|first| (first.nanos().max(began), first.activity()));
    let later = ring.into_transitions().into_iter();
    let later = later.map(|one| (one.nanos(), one.activity()));
    let later = later.filter(|&(at, _)| at > seen && at >= began && at < ended);
    let mut steps: Vec<(u64, Activity)> = beginning.into_iter().chain(later).collect();
    steps.sort_by_key(|&(at, _)| at); // they are, but for one that came while it began
    Timeline { id, name, steps, lost }
}

impl Recorded {
    /// How long each step of a timeline lasted: when it began, when it ended, and what it was.
    pub(super) fn steps<'a>(
        &self,
        timeline: &'a Timeline,
    ) -> impl Iterator<Item = (u64, u64, Activity)> + use<'a> {
        let ended = self.ended;
        let ends = timeline.steps.iter().skip(1).map(|&(at, _)| at).chain([ended]);
        timeline.steps.iter().zip(ends).map(|(&(at, activity), end)| (at, end, activity))
    }
}
