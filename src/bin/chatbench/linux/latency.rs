//! An open loop: how long does a line take to its readers?
//!
//! Lines are due at fixed times, whether the server keeps up or not, and each delivery is timed
//! from the moment its line was *due*. So a stall of the server counts for all lines that were due
//! meanwhile, not only for the one that met it (the other way is called coordinated omission).
//!
//! The senders take turns at even distances. Deliveries are timed at the watchers. The generator
//! does not sleep in between: the time it takes to wake up would count as the server's.

use super::{
    crowd::{Crowd, Role},
    figures::Figures,
    load::{Load, Meter, Settings, roles, start},
    server::{Server, Target},
    wire::{LineId, USUAL_SIZE},
};
use anyhow::{Result, ensure};
use argh::FromArgs;
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// The histogram's range, 1 µs to a minute in nanoseconds; it keeps three digits.
pub const RANGE: (u64, u64) = (1_000, 60_000_000_000);
/// How long lines are not timed after the server's costs were read, which makes the generator late.
const CALM: Duration = Duration::from_millis(50);

/// An open loop: how long a line takes to its readers, from when it was due.
#[derive(FromArgs, Clone, Copy)]
#[argh(subcommand, name = "latency")]
pub struct Latency {
    /// clients in all (default: 100)
    #[argh(option, default = "100")]
    pub clients: usize,
    /// how many of them send (default: 10)
    #[argh(option, default = "10")]
    pub senders: usize,
    /// deliveries per second (default: 50000)
    #[argh(option, default = "50_000.0")]
    pub rate: f64,
    /// how many of the others read nothing (default: 0); each run is then made once more without
    #[argh(option, default = "0")]
    pub stuck: usize,
}

impl Load for Latency {
    fn clients(&self) -> usize {
        self.clients
    }

    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let mut figures = self.run_beside(target, settings, |_| Ok(()))?;
        if self.stuck > 0 {
            let alone = Latency { stuck: 0, ..*self };
            let without = alone.run_beside(target, settings, |_| Ok(()))?;
            let ratio = figures.get("p99_ms") / without.get("p99_ms");
            figures.0.push(("p99_ratio_to_none_stuck", ratio));
        }
        Ok(figures)
    }
}

impl Latency {
    /// One run, while `beside` does something to the same server, until what it returns is dropped.
    pub fn run_beside<T>(
        &self,
        target: &Target,
        settings: &Settings,
        beside: impl FnOnce(&Server) -> Result<T>,
    ) -> Result<Figures> {
        ensure!(self.senders > 0, "nobody sends");
        let roles = roles(self.clients, self.senders, self.stuck);
        let (server, mut crowd) = start(target, settings, USUAL_SIZE, &roles)?;
        let _beside = beside(&server)?;
        // The stuck count as receivers: with and without them, as many lines are sent.
        let lines_per_second = self.rate / (crowd.len() - 1) as f64;
        let mut meter = Meter::new(server.pid)?;
        let mut talk = OpenLoop {
            is_timed: (0..crowd.len())
                .map(|one| crowd.role(one) == Role::Watcher && !crowd.is_encrypted(one))
                .collect(),
            timetable: Timetable { senders: crowd.senders(), distance: 1e9 / lines_per_second },
            begin: Instant::now(),
            next: 0,
            timed_from: 0,
            times: Histogram::new_with_bounds(RANGE.0, RANGE.1, 3)?,
            latest: 0,
            delivered: 0,
        };
        talk.run(&mut crowd, settings.warmup())?;
        meter.start()?;
        talk.forget_warmup();
        talk.run(&mut crowd, settings.warmup() + settings.time)?;
        let elapsed = meter.elapsed();
        // First the last lines: to read the costs takes milliseconds.
        crowd.settle(&mut |client, id| talk.note(client, id))?;
        let mut figures = meter.stop(talk.delivered, elapsed)?;
        let quantile = |quantile| talk.times.value_at_quantile(quantile);
        let times = [
            ("p50_ms", quantile(0.5)),
            ("p90_ms", quantile(0.9)),
            ("p99_ms", quantile(0.99)),
            ("p99_9_ms", quantile(0.999)),
            ("max_ms", talk.times.max()),
            ("generator_late_ms", talk.latest),
        ];
        figures.0.extend(times.map(|(key, nanoseconds)| (key, nanoseconds as f64 / 1e6)));
        Ok(figures)
    }
}

/// Which line is due when: line `k` is due `k` distances after the begin, and senders take turns.
pub struct Timetable {
    /// In ascending order.
    pub senders: Vec<usize>,
    /// Nanoseconds between two lines.
    pub distance: f64,
}

impl Timetable {
    pub fn sender(&self, line: usize) -> usize {
        self.senders[line % self.senders.len()]
    }

    /// In nanoseconds after the begin.
    pub fn due(&self, line: usize) -> u64 {
        (line as f64 * self.distance) as u64
    }

    /// The same for a line as its reader knows it: a sender's lines are counted from 1.
    pub fn due_of(&self, id: LineId) -> u64 {
        let turn = self.senders.partition_point(|sender| *sender < id.sender);
        self.due((id.seq - 1) * self.senders.len() + turn)
    }
}

/// A load that is under way. All times are nanoseconds after `begin`.
struct OpenLoop {
    /// Of each client, whether its deliveries are timed. A sender's cannot be: it may have to wait
    /// for a watcher. One's that speaks TLS are not: to decrypt them takes the generator time.
    is_timed: Vec<bool>,
    timetable: Timetable,
    begin: Instant,
    /// The next line to be sent, counted over all senders.
    next: usize,
    /// Lines due before this are not timed.
    timed_from: u64,
    times: Histogram<u64>,
    /// How much later than due the generator has sent a line, at most.
    latest: u64,
    /// Timed or not.
    delivered: u64,
}

impl OpenLoop {
    fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    fn run(&mut self, crowd: &mut Crowd, until: Duration) -> Result<()> {
        while u128::from(self.now()) < until.as_nanos() {
            self.send_due_lines(crowd)?;
            for client in crowd.wait(Duration::ZERO)? {
                crowd.read(client, &mut |id| self.note(client, id))?;
                self.send_due_lines(crowd)?;
            }
        }
        Ok(())
    }

    fn send_due_lines(&mut self, crowd: &mut Crowd) -> Result<()> {
        while let Some(late) = self.now().checked_sub(self.timetable.due(self.next)) {
            if self.timetable.due(self.next) >= self.timed_from {
                self.latest = self.latest.max(late);
            }
            crowd.say(self.timetable.sender(self.next), 1)?;
            self.next += 1;
        }
        Ok(())
    }

    /// `client` has read a line.
    fn note(&mut self, client: usize, id: LineId) {
        self.delivered += 1;
        let due = self.timetable.due_of(id);
        if self.is_timed[client] && due >= self.timed_from {
            self.times.saturating_record(self.now() - due);
        }
    }

    fn forget_warmup(&mut self) {
        self.timed_from = self.now() + CALM.as_nanos() as u64;
        self.times.clear();
        (self.latest, self.delivered) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_knows_when_a_line_was_due() {
        let table = Timetable { senders: vec![3, 5, 9], distance: 1e6 };
        for line in 0..100 {
            let id = LineId { sender: table.sender(line), seq: 1 + line / 3 };
            assert_eq!(
                (table.due(line), table.due_of(id)),
                (line as u64 * 1_000_000, table.due(line))
            );
        }
        let thirds = Timetable { senders: vec![1], distance: 1e9 / 3.0 };
        assert_eq!(thirds.due(3_000_000), 1_000_000_000_000_000, "distances add up exactly");
    }
}
