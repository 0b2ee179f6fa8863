//! A recording as a file that Perfetto and `chrome://tracing` open: JSON in Chrome's trace format.
//!
//! `X` is what a thread did, and for how long; what it does while it waits for work is left out, for
//! a gap says it better. `C` are numbers over time, `s`, `t` and `f` the way of a line from thread to
//! thread, `i` what happened besides, and `M` names.

use super::{
    recording::{Recorded, Timeline},
    slot::quoted,
};
use crate::{
    server::trace::{Passes, Way},
    thread_status::activity::{Activity, ActivityKind},
};
use std::fmt::Write as _;

/// The most events of threads in a file: some 20 MB. (Viewers read more, but not every viewer.)
const EVENTS_MAX: usize = 200_000;

/// The file.
pub(super) fn write(recorded: &Recorded) -> Vec<u8> {
    let most = EVENTS_MAX / recorded.timelines.len().max(1);
    let mut out = Writer { json: "{\"traceEvents\":[".to_owned(), began: recorded.began };
    out.event("M", 0, None, "\"name\":\"process_name\",\"args\":{\"name\":\"chatd\"}");
    let (mut later, mut left_out) = (0, 0);
    for (place, timeline) in recorded.timelines.iter().enumerate() {
        let name = quoted(&timeline.name);
        let id = timeline.id;
        out.event("M", id, None, &format!("\"name\":\"thread_name\",\"args\":{{\"name\":{name}}}"));
        let sort = format!("\"name\":\"thread_sort_index\",\"args\":{{\"sort_index\":{place}}}");
        out.event("M", id, None, &sort);
        later += usize::from(timeline.lost > 0);
        left_out += out.timeline(recorded, timeline, most);
    }
    for counters in &recorded.counters {
        for (name, value) in [
            ("events waiting", counters.events),
            ("bytes to show", counters.batch),
            ("bytes in all outboxes", counters.outboxes),
        ] {
            let fields = format!("\"name\":\"{name}\",\"args\":{{\"value\":{value}}}");
            out.event("C", 0, Some(counters.at), &fields);
        }
    }
    recorded.ways.iter().for_each(|way| out.way(recorded, way));
    for (at, text) in &recorded.marks {
        out.event("i", 0, Some(*at), &format!("\"s\":\"g\",\"name\":{}", quoted(text)));
    }
    let seconds = (recorded.ended - recorded.began) as f64 / 1e9;
    let _ = write!(
        out.json,
        "],\"displayTimeUnit\":\"ns\",\"otherData\":{{\"program\":\"chatd {}\",\"seconds\":\"{seconds:.3}\",\
         \"threads that begin later, because they did more than is kept\":\"{later}\",\
         \"events left out, because there were more than {EVENTS_MAX}\":\"{left_out}\"}}}}",
        env!("CARGO_PKG_VERSION")
    );
    out.json.into_bytes()
}

struct Writer {
    json: String,
    began: u64,
}

impl Writer {
    /// Microseconds since the beginning, exactly.
    fn micros(&self, at: u64) -> String {
        exact(at.saturating_sub(self.began))
    }

    fn event(&mut self, phase: &str, thread: u32, at: Option<u64>, fields: &str) {
        let comma = if self.json.ends_with('[') { "" } else { ",\n" };
        let _ = write!(self.json, "{comma}{{\"ph\":\"{phase}\",\"pid\":1,\"tid\":{thread},");
        if let Some(at) = at {
            let at = self.micros(at);
            let _ = write!(self.json, "\"ts\":{at},");
        }
        self.json.push_str(fields);
        self.json.push('}');
    }

    /// The last `most` steps of a thread. Returns how many were left out.
    fn timeline(&mut self, recorded: &Recorded, timeline: &Timeline, most: usize) -> usize {
        let is_shown = |activity: Activity| activity.kind() != ActivityKind::Idle;
        let count = recorded.steps(timeline).filter(|step| is_shown(step.2)).count();
        let left_out = count.saturating_sub(most);
        let shown = recorded.steps(timeline).filter(|step| is_shown(step.2));
        for (at, end, activity) in shown.skip(left_out) {
            let kind = ActivityKind::WORDS[activity.kind() as usize];
            let (dur, words) = (exact(end - at), activity.words());
            let fields = format!("\"dur\":{dur},\"cat\":\"{kind}\",\"name\":\"{words}\"");
            self.event("X", timeline.id, Some(at), &fields);
        }
        left_out
    }

    /// The way of a line: from its talker's thread to the fan-out, to the historian, and back.
    fn way(&mut self, recorded: &Recorded, way: &Way) {
        let thread = |name: &str| {
            recorded.timelines.iter().find(|one| one.name == name).map_or(0, |one| one.id)
        };
        let (fanout, historian) = (thread("fanout"), thread("historian"));
        let at = |stage: Passes| way.times[stage as usize];
        let (handed, written) = (at(Passes::HandedOver), at(Passes::Written));
        let is_written = handed > 0 && written > handed;
        let steps = [
            ("s", way.talker, at(Passes::Read)),
            ("t", fanout, at(Passes::Taken)),
            ("t", historian, if is_written { handed.midpoint(written) } else { 0 }),
            ("f", fanout, at(Passes::LastSend)),
        ];
        let is_whole = way.is_over() && at(Passes::Taken) > 0;
        if !is_whole || at(Passes::Read) < recorded.began {
            return;
        }
        for (phase, thread, at) in steps.into_iter().filter(|&(_, _, at)| at > 0) {
            let binds = if phase == "f" { ",\"bp\":\"e\"" } else { "" };
            let fields =
                format!("\"id\":{},\"cat\":\"a line\",\"name\":\"a line\"{binds}", way.number);
            self.event(phase, thread, Some(at), &fields);
        }
    }
}

/// Nanoseconds as microseconds, exactly.
fn exact(nanos: u64) -> String {
    format!("{}.{:03}", nanos / 1000, nanos % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_did_more_than_is_kept_are_counted() {
        let timeline = |lost| Timeline { id: 1, name: String::new(), steps: Vec::new(), lost };
        let recorded = Recorded {
            began: 0,
            ended: 1,
            timelines: [0, 7, 1].map(timeline).into(),
            counters: Vec::new(),
            ways: Vec::new(),
            marks: Vec::new(),
        };
        let json: serde_json::Value = serde_json::from_slice(&write(&recorded)).unwrap();
        let later = "threads that begin later, because they did more than is kept";
        assert_eq!(json["otherData"][later], "2");
    }
}
