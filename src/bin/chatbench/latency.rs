//! `chatbench latency` and `chatbench slow`: an open loop. How long does a line take to its readers?
//!
//! Lines are due at fixed times, whether the server keeps up or not, and the time of each delivery is taken from the
//! moment its line was *due*. So a stall of the server is counted for all the lines that should have been said
//! meanwhile, and not only for the one that met it; the other way is known as coordinated omission.
//!
//! The senders take turns, one line at a time, at even distances. Deliveries are timed at the watchers (senders are
//! checked, but they can not be timed before a watcher has read the same). The generator does not sleep between: its
//! own waking up would be counted as the server's slowness.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cli::crowd::{Crowd, Role};
use crate::cli::load::{Load, Meter, Settings, roles, senders};
use crate::cli::proc::Switches;
use crate::cli::report::Figures;
use crate::cli::target::{Server, Target};
use crate::cli::timing::{Stopwatch, Timetable};
use crate::cli::wire::Wire;

#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub clients: usize,
    pub senders: usize,
    /// Bytes of a line as it is sent.
    pub size: usize,
    /// Deliveries per second, all clients together.
    pub rate: f64,
    /// How many of the clients read nothing.
    pub stuck: usize,
}

impl Load for Latency {
    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let server = Server::start(target, settings.pin)?;
        let roles = roles(self.clients, self.senders, self.stuck);
        let mut crowd =
            Crowd::gather(server.address, Wire { peer: target.peer, size: self.size }, &roles)?;
        self.talk(&server, &mut crowd, &roles, settings)
    }
}

impl Latency {
    /// The measurement alone, with clients that are in already and have said nothing so far.
    pub fn talk(
        &self,
        server: &Server,
        crowd: &mut Crowd,
        roles: &[Role],
        settings: &Settings,
    ) -> Result<Figures> {
        let senders = senders(roles);
        ensure!(!senders.is_empty(), "nobody sends");
        // The stuck count as receivers: with and without them, as many lines are said.
        let timetable = Timetable::new(&senders, self.rate / (roles.len() - 1) as f64);
        let switches = Switches::of(server.pid)?;
        let mut talk = OpenLoop { crowd, roles, next: 0, stopwatch: Stopwatch::start(timetable)? };
        talk.run(settings.warmup)?;
        let meter = Meter::start(server, switches)?;
        talk.stopwatch.forget();
        talk.run(settings.warmup + settings.time)?;
        let elapsed = meter.elapsed();
        // Only then the costs: to read them takes milliseconds, and nobody would read the last lines meanwhile.
        talk.settle()?;
        let mut figures = meter.stop(server, talk.stopwatch.delivered, elapsed)?;
        talk.stopwatch.report(&mut figures);
        if self.stuck > 0 {
            figures.add("stuck_hung_up", talk.crowd.hung_up() as f64);
        }
        Ok(figures)
    }
}

struct OpenLoop<'a> {
    crowd: &'a mut Crowd,
    roles: &'a [Role],
    /// The next line to be said, counted over all senders.
    next: u64,
    stopwatch: Stopwatch,
}

impl OpenLoop<'_> {
    /// Goes on until so long after the begin.
    fn run(&mut self, until: Duration) -> Result<()> {
        while u128::from(self.stopwatch.now()) < until.as_nanos() {
            self.say_what_is_due()?;
            for at in 0..self.crowd.wait(Duration::ZERO)? {
                self.hear(self.crowd.ready(at))?;
                self.say_what_is_due()?;
            }
        }
        Ok(())
    }

    fn say_what_is_due(&mut self) -> Result<()> {
        while let Some(sender) = self.stopwatch.is_due(self.next) {
            self.crowd.say(sender, 1)?;
            self.next += 1;
        }
        Ok(())
    }

    fn hear(&mut self, client: u32) -> Result<()> {
        let is_timed = self.roles[client as usize] == Role::Watcher;
        self.crowd.hear(client, &mut |id| self.stopwatch.read(id, is_timed))
    }

    /// Nothing more is said; the last lines are read and timed too.
    fn settle(&mut self) -> Result<()> {
        let (roles, stopwatch) = (self.roles, &mut self.stopwatch);
        self.crowd
            .settle(&mut |client, id| stopwatch.read(id, roles[client as usize] == Role::Watcher))
    }
}
