//! What one source has used up, and what it is promised.

use super::{
    denied::{Denied, TooMany},
    meter::Meter,
};
use crate::core::{
    driver::Bucket,
    session::flood::{FloodLimit, YOUNG},
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, mem::take, time::Duration};

/// The most connections of one source that may end within a minute of their start, in a minute; and
/// for each that was open at the same time, as many again as [`RETURNS`]. A person's client that
/// tries twice a second stays below it.
const SHORT_MAX: f64 = 128.0;
/// A class whose Wi-Fi breaks comes back, and may have to do so again.
const RETURNS: f64 = 4.0;
/// A connection is refused if it would have to wait longer than this before it is greeted. It also
/// bounds the number of those that wait.
const WAIT_MAX: Duration = Duration::from_secs(4);
/// Comings and goings are promised this far ahead at most: a script that has a name and goes, again
/// and again, does not shut the others out of its address for longer.
pub(super) const OWED_MAX: Duration = Duration::from_secs(5);
/// A source that nothing happened at for this time is forgotten.
pub(super) const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);
/// The most buckets that are kept for one source: more than a full server has clients by default.
const LEFT_MAX: usize = 1024;

/// What one source has used up.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Use {
    /// Buckets that nobody has gone on with, the oldest first, and when they were left.
    pub(super) left: VecDeque<(Duration, f64)>,
    /// The shared refill is promised up to this time.
    pub(super) promised: Duration,
    /// Lines of it that nobody has asked for.
    pub(super) spared: f64,
    /// The most connections that were open at once, and when that was last so.
    pub(super) most: (usize, Duration),
    /// The bucket of those who were gone before they were served: the lines that they have taken.
    pub(super) gone: Meter,
    pub(super) begun: Meter,
    pub(super) short: Meter,
    /// When the next of those who wait is let in, at the earliest.
    pub(super) next: Duration,
    pub(super) names: Meter,
    pub(super) refused: Meter,
}

impl Use {
    pub(super) fn short_max(&self) -> f64 {
        SHORT_MAX + RETURNS * self.most.0 as f64
    }

    /// How many connections ended young in the last minute.
    pub(super) fn short(&mut self, now: Duration) -> f64 {
        let per_second = self.short_max() / YOUNG.as_secs_f64();
        self.short.level(per_second, now)
    }

    /// Notes how many connections are open, when one ends that was not made only to end.
    pub(super) fn note_open(&mut self, open: usize, now: Duration) {
        let (most, at) = self.most;
        if open >= most || now.saturating_sub(at) > FORGOTTEN_AFTER {
            self.most = (open, now);
        }
    }

    /// Fills the buckets that were left with what nobody has asked for, the oldest first; and
    /// forgets those that are full, or old. What a second brings may be spared.
    pub(super) fn pour(&mut self, limit: FloodLimit, now: Duration) {
        let idle = now.saturating_sub(self.promised);
        self.promised = self.promised.max(now);
        let mut lines = take(&mut self.spared) + idle.as_secs_f64() * limit.per_second;
        while let Some((at, tokens)) = self.left.front_mut() {
            let lacks = limit.burst - *tokens;
            if lacks > lines && now.saturating_sub(*at) < YOUNG {
                *tokens += lines;
                return;
            }
            lines = (lines - lacks).max(0.0);
            self.left.pop_front();
        }
        self.spared = lines.min(limit.per_second).min(limit.burst);
    }

    /// Whether somebody who comes now would soon have a line to say.
    pub(super) fn check_lines(&self, now: Duration) -> Result<(), Denied> {
        let wait = self.promised.saturating_sub(now);
        match self.left.back() {
            Some((_, tokens)) if wait > WAIT_MAX && *tokens < 1.0 => {
                Err(Denied::for_now(TooMany::Lines, (wait - WAIT_MAX).as_secs_f64()))
            }
            _ => Ok(()),
        }
    }

    /// Promises lines of the shared refill. Returns how long they take to come.
    pub(super) fn promise(&mut self, lines: f64, limit: FloodLimit, now: Duration) -> Duration {
        self.pour(limit, now);
        let spared = self.spared.min(lines);
        self.spared -= spared;
        self.promised += Duration::from_secs_f64((lines - spared) / limit.per_second);
        self.promised.saturating_sub(now)
    }

    /// The same, but no further ahead than [`OWED_MAX`]. Returns the lines that are promised.
    pub(super) fn promise_soon(&mut self, lines: f64, limit: FloodLimit, now: Duration) -> f64 {
        let latest = self.promised.max(now + OWED_MAX);
        self.promise(lines, limit, now);
        let beyond = self.promised.saturating_sub(latest);
        self.promised -= beyond;
        lines - beyond.as_secs_f64() * limit.per_second
    }

    /// Takes back what somebody was promised who does not wait for it any longer.
    pub(super) fn take_back(&mut self, lines: f64, limit: FloodLimit, now: Duration) {
        let wait = Duration::from_secs_f64(lines / limit.per_second);
        self.promised = self.promised.saturating_sub(wait).max(now);
    }

    /// Keeps a bucket for the next connection.
    pub(super) fn leave(&mut self, left: Bucket, limit: FloodLimit, now: Duration) {
        self.take_back(left.asked_for, limit, now);
        self.pour(limit, now);
        if left.tokens < limit.burst {
            self.left.push_back((now, left.tokens));
        }
        if self.left.len() > LEFT_MAX {
            self.left.pop_front();
        }
    }
}
