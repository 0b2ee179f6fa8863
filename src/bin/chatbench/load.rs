//! What all kinds of load have in common: for how long, on which cores, which clients, and the server's costs meanwhile.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cli::crowd::Role;
use crate::cli::proc::{self, Memory, Switches};
use crate::cli::report::Figures;
use crate::cli::target::{Server, Target};

/// How long one wait for the server is at most, to look at the clock again.
const WAIT: Duration = Duration::from_millis(100);
/// With a core of its own the generator does not sleep. To wake it would be a part of each send, a microsecond on the
/// server's account, but only while the server is the slower of the two: a server that is a little faster never finds it
/// asleep. So one and the same server would have two costs, and fall into the one or the other.
const AWAKE: Duration = Duration::ZERO;

/// How every run is done, whatever the load.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The server's core and the generator's.
    pub pin: Option<(usize, usize)>,
    /// Load that is not measured, before the load that is.
    pub warmup: Duration,
    pub time: Duration,
    /// Make a run again if others have used the machine meanwhile.
    pub undisturbed: bool,
}

impl Settings {
    /// How long to wait at most if nobody has anything to read.
    pub fn wait(&self) -> Duration {
        if self.pin.is_some() { AWAKE } else { WAIT }
    }
}

/// A kind of load with all its numbers: it can be put on any server, again and again.
pub trait Load {
    /// One run against a fresh server. An error is a run that failed: a lost line, a client hung up.
    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures>;
}

/// Who does what: `clients` in all, of which `senders` send and `stuck` read nothing. Senders and the stuck are spread
/// among the others, so that it makes no difference whom a server serves first. Client 0 always watches; if everybody
/// else is to send, it is one client more.
pub fn roles(clients: usize, senders: usize, stuck: usize) -> Vec<Role> {
    let others = if senders + stuck >= clients { senders + stuck } else { clients - 1 };
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

/// The clients that send, in their order.
pub fn senders(roles: &[Role]) -> Vec<u32> {
    (0..roles.len() as u32).filter(|client| roles[*client as usize] == Role::Sender).collect()
}

/// The costs from one moment on.
pub struct Meter {
    begin: Instant,
    server: Duration,
    generator: Duration,
    machine: Duration,
    switches: Switches,
}

impl Meter {
    /// From now on. `switches`: counted before the warm-up, because counting them takes long. They are then of the time
    /// from there on.
    pub fn start(server: &Server, switches: Switches) -> Result<Meter> {
        let (machine, generator, server) =
            (proc::machine_cpu()?, proc::own_cpu()?, proc::cpu(server.pid)?);
        Ok(Meter { server, generator, machine, switches, begin: Instant::now() })
    }

    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// What `deliveries` have cost since the start, if they took `elapsed`.
    pub fn stop(&self, server: &Server, deliveries: u64, elapsed: Duration) -> Result<Figures> {
        let elapsed = elapsed.as_secs_f64();
        let cpu = (proc::cpu(server.pid)? - self.server).as_secs_f64();
        let generator = (proc::own_cpu()? - self.generator).as_secs_f64();
        let machine = (proc::machine_cpu()? - self.machine).as_secs_f64();
        let (voluntary, involuntary) = Switches::of(server.pid)?.per_second_since(&self.switches);
        let memory = Memory::of(server.pid)?;
        let mut figures = Figures::default();
        figures.add("deliveries_per_s", deliveries as f64 / elapsed);
        figures.add("cpu_us_per_delivery", 1e6 * cpu / deliveries as f64);
        figures.add("server_busy", cpu / elapsed);
        // With a core of its own it never sleeps, and this is 1.
        figures.add("generator_busy", generator / elapsed);
        // Cores that others have used meanwhile: if it is not near 0, measure again when they have finished.
        figures.add("others_busy", (machine - cpu - generator).max(0.0) / elapsed);
        figures.add("voluntary_switches_per_s", voluntary);
        figures.add("involuntary_switches_per_s", involuntary);
        figures.add("peak_memory_kib", memory.peak as f64 / 1024.0);
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(roles: &[Role], role: Role) -> usize {
        roles.iter().filter(|one| **one == role).count()
    }

    #[test]
    fn roles_are_as_many_as_asked_and_spread() {
        let roles = roles(100, 10, 8);
        assert_eq!(
            (count(&roles, Role::Sender), count(&roles, Role::Stuck), roles.len()),
            (10, 8, 100)
        );
        assert_eq!(roles[0], Role::Watcher);
        let gaps: Vec<u32> = senders(&roles).windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| (9..=10).contains(gap)), "{gaps:?}");
    }

    #[test]
    fn if_all_send_one_more_watches() {
        let roles = roles(100, 100, 0);
        assert_eq!((count(&roles, Role::Sender), roles.len()), (100, 101));
        assert_eq!(roles[0], Role::Watcher);
    }
}
