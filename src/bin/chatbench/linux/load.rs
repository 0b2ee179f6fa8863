//! What all loads have in common: how they are run, which clients there are, and what the server's
//! costs were meanwhile.

use super::{
    crowd::{Crowd, Role},
    figures::Figures,
    proc::{self, Holdings, Usage},
    server::{Server, Target},
    wire::Wire,
};
use anyhow::Result;
use std::time::{Duration, Instant};

/// How long one wait for the server is, at most, while generator and server share the cores.
const WAIT: Duration = Duration::from_millis(100);

#[derive(Clone, Copy)]
pub struct Settings {
    pub runs: usize,
    /// The server's core and the generator's; `None`: they share all cores.
    pub pin: Option<(usize, usize)>,
    pub time: Duration,
    /// When it began.
    pub start: Usage,
}

impl Settings {
    /// `time` in seconds.
    pub fn of(runs: usize, time: f64) -> Result<Settings> {
        let pin = proc::two_cores();
        if pin.is_none() {
            eprintln!("chatbench: there is one core only; server and generator share it");
        }
        let time = Duration::try_from_secs_f64(time)?;
        Ok(Settings { runs, pin, time, start: Usage::now()? })
    }

    /// Load before the load that is measured.
    pub fn warmup(&self) -> Duration {
        self.time / 4
    }

    /// How long to wait if no client can read. A generator with a core of its own does not sleep:
    /// to wake it would be a part of each send, but only while the server is the slower of the two,
    /// so one server would have two costs.
    pub fn wait(&self) -> Duration {
        if self.pin.is_some() { Duration::ZERO } else { WAIT }
    }
}

pub trait Load {
    /// Servers that cannot take as many are left out.
    fn clients(&self) -> usize;

    /// One run on a fresh server. An error is a failed run: a lost line, a client hung up.
    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures>;
}

/// The roles of `clients` clients. Senders and stuck clients are spread among the others, so that
/// it makes no difference whom a server serves first. Client 0 always watches; if all others are to
/// send, there is one client more.
pub fn roles(clients: usize, senders: usize, stuck: usize) -> Vec<Role> {
    let others = (clients.max(2) - 1).max(senders + stuck);
    let mut roles = vec![Role::Watcher; others + 1];
    for sender in 0..senders {
        roles[1 + sender * others / senders] = Role::Sender;
    }
    let free: Vec<usize> = (1..=others).filter(|at| roles[*at] == Role::Watcher).collect();
    for one in 0..stuck {
        roles[free[one * free.len() / stuck]] = Role::Stuck;
    }
    roles
}

pub fn start(
    target: &Target,
    settings: &Settings,
    size: usize,
    roles: &[Role],
) -> Result<(Server, Crowd)> {
    let server = Server::start(target, settings.pin)?;
    let crowd = Crowd::connect(
        (server.address, server.others.clone()),
        Wire { peer: target.peer, size },
        roles,
    )?;
    Ok((server, crowd))
}

/// Measures the server's costs from one moment to another.
pub struct Meter {
    pid: u32,
    switches: (u64, Instant),
    begin: Instant,
    server: Duration,
    generator: Duration,
}

impl Meter {
    /// Before the warm-up: counting switches takes long, so they count from here on.
    pub fn new(pid: u32) -> Result<Meter> {
        let switches = (proc::switches(pid)?, Instant::now());
        let none = Duration::ZERO;
        Ok(Meter { pid, switches, begin: switches.1, server: none, generator: none })
    }

    /// After the warm-up.
    pub fn start(&mut self) -> Result<()> {
        (self.server, self.generator) = (proc::cpu(self.pid)?, proc::own_cpu()?);
        self.begin = Instant::now();
        Ok(())
    }

    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// What `deliveries` have cost since the start, if they took `elapsed`.
    pub fn stop(&self, deliveries: u64, elapsed: Duration) -> Result<Figures> {
        let (deliveries, elapsed) = (deliveries as f64, elapsed.as_secs_f64());
        let cpu = (proc::cpu(self.pid)? - self.server).as_secs_f64();
        let generator = (proc::own_cpu()? - self.generator).as_secs_f64();
        let (before, since) = self.switches;
        let seconds = since.elapsed().as_secs_f64();
        let switches = proc::switches(self.pid)?.saturating_sub(before) as f64 / seconds;
        Ok(Figures(vec![
            ("deliveries_per_s", deliveries / elapsed),
            ("cpu_us_per_delivery", 1e6 * cpu / deliveries),
            ("switches_per_delivery", switches * elapsed / deliveries),
            ("server_busy", cpu / elapsed),
            ("generator_busy", generator / elapsed),
            ("peak_memory_kib", Holdings::of(self.pid)?.peak_kib),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_and_stuck_clients_are_spread_and_one_client_always_watches() {
        use Role::{Sender as S, Stuck, Watcher as W};
        assert_eq!(roles(9, 2, 3), [W, S, Stuck, W, Stuck, S, W, Stuck, W]);
        assert_eq!(roles(3, 3, 0), [W, S, S, S]);
    }
}
