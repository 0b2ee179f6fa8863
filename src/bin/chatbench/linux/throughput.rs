//! A closed loop: how much can the server deliver, and what does each delivery cost it?
//!
//! Each sender has `window` lines outstanding, and sends the next when one is done. A line is done
//! when one other client has read it: the one that entered just after the sender. So each sender
//! waits for another client, and a server gains nothing by serving somebody first. (When all 100
//! clients send, waiting for the one before would halve the baseline's cost.) To wait for the
//! slowest client instead would leave the server idle at the end of each round.

use super::{
    crowd::{Crowd, PROBE},
    figures::Figures,
    load::{Load, Meter, Settings, roles, start},
    proc,
    server::Target,
    wire::{self, Peer},
};
use anyhow::Result;
use argh::FromArgs;
use std::time::{Duration, Instant};

/// A closed loop: how much is delivered, and what each delivery costs.
#[derive(FromArgs, Clone, Copy)]
#[argh(subcommand, name = "throughput")]
pub struct Throughput {
    /// clients in all (default: 100)
    #[argh(option, default = "100")]
    clients: usize,
    /// how many of them send (default: 10)
    #[argh(option, default = "10")]
    senders: usize,
    /// lines each sender has outstanding (default: 32)
    #[argh(option, default = "32")]
    window: usize,
    /// bytes of a line, its LF included (default: 64)
    #[argh(option, default = "wire::USUAL_SIZE", from_str_fn(wire::line_size))]
    size: usize,
    /// let server and generator share all cores
    #[argh(switch)]
    shared: bool,
    /// only two clients talk, in a room of their own: one sends, the other reads
    #[argh(switch)]
    apart: bool,
}

impl Load for Throughput {
    fn clients(&self) -> usize {
        self.clients
    }

    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        // A server without rooms has no figures.
        if self.apart && target.peer != Peer::Chatd {
            return Ok(Figures(Vec::new()));
        }
        let mut settings = *settings;
        if let Some((first, last)) = settings.pin.take_if(|_| self.shared) {
            proc::pin_self(first..=last)?;
        }
        let roles = roles(self.clients, self.senders, 0);
        let (server, mut crowd) = start(target, &settings, self.size, &roles)?;
        if self.apart {
            crowd.talk_apart()?;
        }
        let mut meter = Meter::new(server.pid)?;
        for sender in crowd.senders() {
            crowd.say(sender, self.window)?;
        }
        self.talk(&mut crowd, settings.warmup(), settings.wait())?;
        meter.start()?;
        let delivered = self.talk(&mut crowd, settings.time, settings.wait())?;
        let figures = meter.stop(delivered, meter.elapsed())?;
        crowd.settle(&mut |_, _| {})?;
        Ok(figures)
    }
}

impl Throughput {
    /// Returns how many lines were delivered.
    fn talk(&self, crowd: &mut Crowd, time: Duration, wait: Duration) -> Result<u64> {
        let (begin, clients, mut delivered) = (Instant::now(), crowd.len(), 0);
        while begin.elapsed() < time {
            for client in crowd.wait(wait)? {
                let before = (client + clients - 1) % clients;
                let (speaker, mut done) = (if self.apart { PROBE } else { before }, 0);
                crowd.read(client, &mut |id| {
                    delivered += 1;
                    done += usize::from(id.sender == speaker);
                })?;
                if done > 0 {
                    crowd.say(speaker, done)?;
                }
            }
        }
        Ok(delivered)
    }
}
