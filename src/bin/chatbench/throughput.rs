//! `chatbench throughput`: a closed loop. How much can the server deliver, and what does each delivery cost it?
//!
//! Each sender has `window` lines outstanding and says the next when one of them is done. A line is done when one
//! receiver has read it, as a person goes on when a neighbour has heard; not when the slowest has, because then the
//! server would idle at the end of each round. Which receiver, see `Done`.

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cli::crowd::Crowd;
use crate::cli::load::{Load, Meter, Settings, roles, senders};
use crate::cli::proc::Switches;
use crate::cli::report::Figures;
use crate::cli::target::{Server, Target};
use crate::cli::wire::Wire;

/// Whose reading a line makes done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The client that entered next after the sender: for each sender another one, spread over all, so that a server
    /// gains nothing by serving somebody first.
    Neighbour,
    /// The first watcher, for all senders. A server that serves in the order of entering gets all windows refilled
    /// while it still serves the others, so its next batch is as long as can be: the least cost there is.
    First,
}

impl FromStr for Done {
    type Err = String;

    fn from_str(name: &str) -> Result<Done, String> {
        match name {
            "neighbour" => Ok(Done::Neighbour),
            "first" => Ok(Done::First),
            _ => Err("a line is done at its sender's neighbour or at the first watcher: neighbour or first".into()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    pub clients: usize,
    pub senders: usize,
    /// Lines a sender has outstanding.
    pub window: u32,
    /// Bytes of a line as it is sent.
    pub size: usize,
    pub done: Done,
}

impl Load for Throughput {
    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let server = Server::start(target, settings.pin)?;
        let roles = roles(self.clients, self.senders, 0);
        let mut crowd =
            Crowd::gather(server.address, Wire { peer: target.peer, size: self.size }, &roles)?;
        self.talk(&server, &mut crowd, &senders(&roles), settings)
    }
}

impl Throughput {
    /// The measurement alone, with clients that are in already; afterwards nothing is outstanding.
    pub fn talk(
        &self,
        server: &Server,
        crowd: &mut Crowd,
        senders: &[u32],
        settings: &Settings,
    ) -> Result<Figures> {
        let done_at = done_at(self.done, crowd.len());
        let mut talk =
            ClosedLoop { crowd, wait: settings.wait(), done_at, done: Vec::new(), delivered: 0 };
        let switches = Switches::of(server.pid)?;
        for sender in senders {
            talk.crowd.say(*sender, self.window)?;
        }
        talk.run(settings.warmup)?;
        talk.delivered = 0;
        let meter = Meter::start(server, switches)?;
        talk.run(settings.time)?;
        let figures = meter.stop(server, talk.delivered, meter.elapsed())?;
        talk.crowd.settle(&mut |_, _| {})?;
        Ok(figures)
    }
}

/// Of each client, the one whose reading makes its lines done.
fn done_at(done: Done, clients: usize) -> Vec<u32> {
    let reader = |sender| if done == Done::First { 0 } else { (sender + 1) % clients };
    (0..clients).map(|sender| reader(sender) as u32).collect()
}

struct ClosedLoop<'a> {
    crowd: &'a mut Crowd,
    /// At most for so long, if nobody has anything to read.
    wait: Duration,
    done_at: Vec<u32>,
    /// Senders whose lines have just been done, and how many.
    done: Vec<(u32, u32)>,
    delivered: u64,
}

impl ClosedLoop<'_> {
    fn run(&mut self, time: Duration) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < time {
            for at in 0..self.crowd.wait(self.wait)? {
                self.hear(self.crowd.ready(at))?;
            }
        }
        Ok(())
    }

    /// Reads at one client, and lets say as many new lines as have been done by that.
    fn hear(&mut self, client: u32) -> Result<()> {
        let ClosedLoop { crowd, done_at, done, delivered, .. } = self;
        crowd.hear(client, &mut |id| {
            *delivered += 1;
            if done_at[id.sender as usize] == client {
                count_one(done, id.sender);
            }
        })?;
        done.drain(..).try_for_each(|(sender, lines)| crowd.say(sender, lines))
    }
}

/// Lines of one sender come in a row, mostly.
fn count_one(done: &mut Vec<(u32, u32)>, sender: u32) {
    match done.last_mut() {
        Some((last, lines)) if *last == sender => *lines += 1,
        _ => done.push((sender, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_done_at_somebody_else() {
        for done in [Done::Neighbour, Done::First] {
            let readers = done_at(done, 11);
            assert!(
                (1..11).all(|sender| readers[sender] != sender as u32 && readers[sender] < 11),
                "{done:?}"
            );
        }
    }

    #[test]
    fn lines_that_are_done_are_counted_for_their_sender() {
        let mut done = Vec::new();
        [3, 3, 3, 7, 3].into_iter().for_each(|sender| count_one(&mut done, sender));
        assert_eq!(done, [(3, 3), (7, 1), (3, 1)]);
    }
}
