//! One server with so many clients, measured four times over: to gather thousands takes longer than to measure.
//!
//! 1. *paced*: 10 talk, together so many lines that 50,000 a second are delivered, whatever the server can do. Below
//!    its limit, as a class is: what does a line cost, and when is it there?
//! 2. *one core*: 10 talk, each as soon as its neighbour has read its last line. The server has one core.
//! 3. *all cores*: the same; the system puts server and generator where it likes, and the generator sleeps when there is
//!    nothing to read: awake, it would keep one of the cores to itself.
//! 4. *two talk*: one says a line, the other reads it, in a room of their own; all others are connected and silent.

use anyhow::Result;

use crate::cli::crowd::Crowd;
use crate::cli::latency::Latency;
use crate::cli::load::{Load, Settings, roles, senders};
use crate::cli::proc;
use crate::cli::report::Figures;
use crate::cli::target::{Server, Target};
use crate::cli::throughput::{Done, Throughput};
use crate::cli::wire::{Peer, Wire};

/// How many talk; of no more clients than that, one listens.
pub const SENDERS: usize = 10;
/// Deliveries per second of the paced load.
pub const RATE: f64 = 50_000.0;
/// Bytes of a line, its LF included.
pub const SIZE: usize = 64;

/// So many clients.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub clients: usize,
}

impl Load for Sizes {
    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let server = Server::start(target, settings.pin)?;
        let talkers = SENDERS.min(self.clients - 1);
        let roles = roles(self.clients, talkers, 0);
        let mut crowd =
            Crowd::gather(server.address, Wire { peer: target.peer, size: SIZE }, &roles)?;
        let mut figures = Figures::default();

        let paced =
            Latency { clients: self.clients, senders: talkers, size: SIZE, rate: RATE, stuck: 0 };
        let paced = paced.talk(&server, &mut crowd, &roles, settings)?;
        figures.take("paced_cpu_us", &paced, "cpu_us_per_delivery");
        figures.take("paced_p50_ms", &paced, "p50_ms");
        figures.take("paced_p99_ms", &paced, "p99_ms");
        figures.take("others_busy", &paced, "others_busy");

        let (senders, done) = (senders(&roles), Done::Neighbour);
        let closed =
            Throughput { clients: self.clients, senders: talkers, window: 1, size: SIZE, done };
        let one_core = closed.talk(&server, &mut crowd, &senders, settings)?;
        figures.take("one_core_cpu_us", &one_core, "cpu_us_per_delivery");
        figures.take("one_core_deliveries_per_s", &one_core, "deliveries_per_s");
        if let Some(cores) = settings.pin {
            proc::unpin(server.pid, cores)?;
            let shared = Settings { pin: None, ..*settings };
            let all_cores = closed.talk(&server, &mut crowd, &senders, &shared)?;
            figures.take("all_cores_cpu_us", &all_cores, "cpu_us_per_delivery");
            figures.take("all_cores_deliveries_per_s", &all_cores, "deliveries_per_s");
            proc::pin_process(server.pid, cores.0)?;
            proc::pin_self(cores.1)?;
        }
        if target.peer == Peer::Chatd {
            two_talk(&server, &mut crowd, settings, &mut figures)?;
        }
        Ok(figures)
    }
}

/// Everything that is delivered is one line to one reader, so a delivery is a message.
fn two_talk(
    server: &Server,
    crowd: &mut Crowd,
    settings: &Settings,
    out: &mut Figures,
) -> Result<()> {
    let (talker, listener) = crowd.withdraw()?;
    let load =
        Throughput { clients: crowd.len(), senders: 1, window: 1, size: SIZE, done: Done::First };
    debug_assert_eq!(listener, 0, "the first watcher, who makes a line done");
    let two = load.talk(server, crowd, &[talker], settings)?;
    let per_second = |key| two.get(key).unwrap_or(0.0);
    let switches =
        per_second("voluntary_switches_per_s") + per_second("involuntary_switches_per_s");
    out.take("two_talk_cpu_us", &two, "cpu_us_per_delivery");
    out.add("two_talk_switches", switches / per_second("deliveries_per_s"));
    Ok(())
}
