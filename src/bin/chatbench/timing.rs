//! The open loop's arithmetic: when each line is due, and how long after that it has been read.
//!
//! No sockets; the only clock is the one that `Stopwatch` reads. Times are nanoseconds after the begin of the load.

use std::time::Instant;

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::cli::report::Figures;
use crate::cli::wire::LineId;

/// The histogram's range: from 1 µs to one minute, to three digits.
const FINEST: u64 = 1_000;
const LONGEST: u64 = 60_000_000_000;
/// How long lines are not timed after the server's costs have been read, because that makes the generator late.
const CALM: u64 = 50_000_000;

/// Which line is due when. Line `k` of all is due `k` distances after the begin, and the senders take turns.
#[derive(Debug)]
pub struct Timetable {
    pub senders: Vec<u32>,
    /// Of each client that sends, its turn.
    turns: Vec<u64>,
    /// Nanoseconds from one line to the next.
    distance: f64,
}

impl Timetable {
    pub fn new(senders: &[u32], lines_per_second: f64) -> Timetable {
        let mut turns = vec![0; senders.last().map_or(0, |last| *last as usize + 1)];
        senders.iter().zip(0..).for_each(|(sender, turn)| turns[*sender as usize] = turn);
        Timetable { senders: senders.to_vec(), turns, distance: 1e9 / lines_per_second }
    }

    pub fn sender(&self, line: u64) -> u32 {
        self.senders[(line % self.senders.len() as u64) as usize]
    }

    /// Nanoseconds after the begin at which line `line` of all is due.
    pub fn due(&self, line: u64) -> u64 {
        (line as f64 * self.distance) as u64
    }

    /// The same for a line as its reader knows it: a sender's lines are counted from 1.
    pub fn due_of(&self, id: LineId) -> u64 {
        self.due(u64::from(id.seq - 1) * self.senders.len() as u64 + self.turns[id.sender as usize])
    }
}

/// Times deliveries, each from the moment its line was due.
pub struct Stopwatch {
    timetable: Timetable,
    begin: Instant,
    /// Lines due before this are not timed.
    timed_from: u64,
    times: Histogram<u64>,
    /// How much later than due the generator itself has said a line, at most.
    latest: u64,
    /// Deliveries, timed or not.
    pub delivered: u64,
}

impl Stopwatch {
    pub fn start(timetable: Timetable) -> Result<Stopwatch> {
        let times = Histogram::new_with_bounds(FINEST, LONGEST, 3)?;
        Ok(Stopwatch {
            timetable,
            begin: Instant::now(),
            timed_from: 0,
            times,
            latest: 0,
            delivered: 0,
        })
    }

    pub fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// What has been measured so far was the warm-up.
    pub fn forget(&mut self) {
        self.timed_from = self.now() + CALM;
        self.times.clear();
        (self.latest, self.delivered) = (0, 0);
    }

    /// If line `line` of all is due: who is to say it.
    pub fn is_due(&mut self, line: u64) -> Option<u32> {
        let late = self.now().checked_sub(self.timetable.due(line))?;
        if self.timetable.due(line) >= self.timed_from {
            self.latest = self.latest.max(late);
        }
        Some(self.timetable.sender(line))
    }

    /// A line has been read now.
    pub fn read(&mut self, id: LineId, is_timed: bool) {
        self.delivered += 1;
        let due = self.timetable.due_of(id);
        if is_timed && due >= self.timed_from {
            self.times.saturating_record(self.now() - due);
        }
    }

    pub fn report(&self, figures: &mut Figures) {
        for (key, quantile) in
            [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p99_9_ms", 0.999)]
        {
            figures.add(key, self.times.value_at_quantile(quantile) as f64 / 1e6);
        }
        figures.add("max_ms", self.times.max() as f64 / 1e6);
        figures.add("generator_late_ms", self.latest as f64 / 1e6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_take_turns_at_even_distances() {
        let table = Timetable::new(&[3, 5, 9], 1000.0);
        assert_eq!((0..4).map(|line| table.sender(line)).collect::<Vec<_>>(), [3, 5, 9, 3]);
        assert_eq!(
            (0..3).map(|line| table.due(line)).collect::<Vec<_>>(),
            [0, 1_000_000, 2_000_000]
        );
    }

    #[test]
    fn a_reader_knows_when_a_line_was_due() {
        let table = Timetable::new(&[3, 5, 9], 1000.0);
        let mut said = [0; 10];
        for line in 0..100 {
            let sender = table.sender(line);
            said[sender as usize] += 1;
            assert_eq!(
                table.due_of(LineId { sender, seq: said[sender as usize] }),
                table.due(line)
            );
        }
    }

    #[test]
    fn distances_do_not_add_up_an_error() {
        let table = Timetable::new(&[1], 3.0);
        assert_eq!(table.due(3_000_000), 1_000_000_000_000_000);
    }

    /// A server that stands still for one second of ten: a closed loop would count one slow line of many. With a line
    /// due every 10 ms, a tenth of all have met the stall, so p90 is short, and p95 is half of it.
    #[test]
    fn a_stall_is_counted_for_all_lines_due_meanwhile() {
        let table = Timetable::new(&[1], 100.0);
        let mut times: Histogram<u64> = Histogram::new_with_bounds(FINEST, LONGEST, 3).unwrap();
        let (stall, end_of_stall) = (4_000_000_000, 5_000_000_000);
        for line in 0..1000 {
            let due = table.due(line);
            let read =
                if (stall..end_of_stall).contains(&due) { end_of_stall } else { due + 100_000 };
            times.record(read - due).unwrap();
        }
        let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1e6;
        assert!((ms(0.5) - 0.1).abs() < 0.001, "{}", ms(0.5));
        assert!((ms(0.95) - 500.0).abs() < 10.0, "{}", ms(0.95));
        assert!((times.max() as f64 / 1e6 - 1000.0).abs() < 1.0);
    }
}
