//! `chatbench connect`: many clients connect at once. How soon are they served, and what does each cost while it idles?
//!
//! A client is served when the line it says on entering has come to the first watcher, so it has been accepted, has
//! its name if names are asked, and is in the fan-out; the same holds for a server without names. The clients send all
//! at once what they have to say and do not wait for a greeting. What they read nobody looks at, but they do read it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::cli::crowd::{Crowd, Role};
use crate::cli::load::{Load, Settings};
use crate::cli::proc::{self, Memory};
use crate::cli::report::Figures;
use crate::cli::target::{Server, Target};
use crate::cli::wire::Wire;

/// Bytes of the line said on entering: short, because all read those of all.
const SIZE: usize = 24;
/// Connects between two looks at who has been served.
const STRIDE: usize = 16;
/// How long nobody may be served before the run has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The server is idle when nobody has read anything for so long.
const IDLE: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Debug)]
pub struct Connect {
    /// How many connect at once; the first watcher and the herald are there before.
    pub clients: usize,
}

impl Load for Connect {
    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let server = Server::start(target, settings.pin)?;
        let mut crowd =
            Crowd::found(server.address, Wire { peer: target.peer, size: SIZE }, Role::Heedless)?;
        let (memory, threads) = (Memory::of(server.pid)?, proc::threads(server.pid)?.len());
        let kernel = proc::kernel_memory(server.pid)?;
        let times = rush(&mut crowd, self.clients, settings.wait())?;
        while crowd.wait(IDLE)? > 0 {
            crowd.hear_all()?;
        }
        let each = |now: u64, before: u64| (now as f64 - before as f64) / self.clients as f64;
        let mut figures = Figures::default();
        figures.add("clients_per_s", self.clients as f64 / times.all.as_secs_f64());
        figures.add("slowest_ms", 1e3 * times.slowest.as_secs_f64());
        let idle = Memory::of(server.pid)?;
        figures.add("memory_kib_per_client", each(idle.resident, memory.resident) / 1024.0);
        figures.add("addresses_kib_per_client", each(idle.addresses, memory.addresses) / 1024.0);
        figures
            .add("kernel_kib_per_client", each(proc::kernel_memory(server.pid)?, kernel) / 1024.0);
        figures.add(
            "threads_per_client",
            each(proc::threads(server.pid)?.len() as u64, threads as u64),
        );
        Ok(figures)
    }
}

struct Times {
    /// From the first connect until the last was served.
    all: Duration,
    /// The longest that one client has waited.
    slowest: Duration,
}

/// `wait`: for so long at most at a time, once all are on their way.
fn rush(crowd: &mut Crowd, clients: usize, wait: Duration) -> Result<Times> {
    let begin = Instant::now();
    let first = crowd.len();
    let mut connected = Vec::with_capacity(clients);
    let (mut served, mut last, mut slowest) = (0, begin, Duration::ZERO);
    while served < clients {
        for _ in 0..STRIDE.min(clients - connected.len()) {
            connected.push(Instant::now());
            crowd.admit(Role::Heedless)?;
        }
        let all_are_on_their_way = connected.len() == clients;
        for client in crowd.arrivals(if all_are_on_their_way { wait } else { Duration::ZERO })? {
            // The herald's line may come a second time.
            let Some(place) = (client as usize).checked_sub(first) else { continue };
            last = Instant::now();
            slowest = slowest.max(last - connected[place]);
            served += 1;
        }
        if last.elapsed() > PATIENCE {
            bail!("{served} of {clients} clients were served, and then no one for {PATIENCE:?}");
        }
    }
    Ok(Times { all: last - begin, slowest })
}
