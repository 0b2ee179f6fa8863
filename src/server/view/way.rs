//! A line's way, for those who look: begins to follow the next line, and tells when it is through.

use crate::{
    server::trace::{STAGES, Trace, Way},
    thread_status::uptime_nanos,
};

/// At most this often: nanoseconds from one line to the next.
const EVERY: u64 = 500_000_000;
/// A line that is not through by then is told as far as it came.
const PATIENCE: u64 = 2_000_000_000;

/// How far one line has come.
#[derive(Clone, Debug)]
pub(super) struct WayLine {
    pub(super) number: u32,
    pub(super) talker: u32,
    /// Microseconds since it was read.
    micros: [Option<u64>; STAGES.len()],
}

impl WayLine {
    pub(super) fn to_json(&self) -> String {
        let micros = self.micros.map(|micros| micros.map_or("null".to_owned(), |n| n.to_string()));
        let WayLine { number, talker, .. } = self;
        format!("{{\"n\":{number},\"who\":{talker},\"us\":[{}]}}", micros.join(","))
    }
}

/// Which line is being followed.
#[derive(Default)]
pub(super) struct Follower {
    /// The last line that was told.
    told: u32,
    /// When the next one may begin.
    next_at: u64,
    is_waiting: bool,
}

impl Follower {
    /// Looks how far the line has come. Returns it once it is through.
    pub(super) fn look(&mut self, trace: &Trace) -> Option<Way> {
        let (now, way) = (uptime_nanos(), trace.way());
        if !self.is_waiting && now >= self.next_at {
            (self.is_waiting, self.next_at) = (true, now + EVERY);
            self.told = way.number;
            trace.want();
            return None;
        }
        let is_late = way.times[0] + PATIENCE < now;
        if !self.is_waiting || way.number == self.told || !(way.is_over() || is_late) {
            return None;
        }
        self.is_waiting = false;
        Some(way)
    }
}

impl From<&Way> for WayLine {
    fn from(way: &Way) -> WayLine {
        let micros = way.since_read().map(|nanos| nanos.map(|nanos| nanos / 1000));
        WayLine { number: way.number, talker: way.talker, micros }
    }
}
