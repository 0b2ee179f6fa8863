//! `chatbench churn`: visitors come, say one line and go at once, without reading. What do they leave behind?
//!
//! Watchers must read each visitor's line, once. When the last visitor has gone, the server must have as many threads
//! and descriptors as before the first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cli::crowd::{Crowd, Role};
use crate::cli::load::{Load, Settings};
use crate::cli::proc;
use crate::cli::report::Figures;
use crate::cli::target::{Server, Target};
use crate::cli::wire::Wire;

/// How long the server may take to notice that the last visitors have gone.
const GOING: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
pub struct Churn {
    /// Visitors per second.
    pub rate: f64,
    pub watchers: usize,
    /// Bytes of a line as it is sent.
    pub size: usize,
}

impl Load for Churn {
    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let server = Server::start(target, settings.pin)?;
        let wire = Wire { peer: target.peer, size: self.size };
        let mut crowd = Crowd::gather(server.address, wire, &vec![Role::Watcher; self.watchers])?;
        let before = Held::by(&server)?;
        let (cpu, begin) = (proc::cpu(server.pid)?, Instant::now());
        let visits = self.receive_visitors(&mut crowd, settings.time)?;
        let elapsed = begin.elapsed();
        let settled = crowd.settle(&mut |_, _| {});
        let lost = crowd.unheard_visits();
        settled.with_context(|| format!("{lost} of {visits} visitors' lines came to nobody"))?;
        let cpu = proc::cpu(server.pid)? - cpu;
        let left = before.left(&server)?;
        let mut figures = Figures::default();
        figures.add("visitors", visits as f64);
        figures.add("visitors_per_s", visits as f64 / elapsed.as_secs_f64());
        figures.add("lost_lines", lost as f64);
        figures.add("left_threads", left.threads as f64);
        figures.add("left_descriptors", left.descriptors as f64);
        figures.add("cpu_us_per_visitor", 1e6 * cpu.as_secs_f64() / visits as f64);
        Ok(figures)
    }
}

impl Churn {
    /// Visitors at even distances, for so long; the watchers read meanwhile. Returns how many came.
    fn receive_visitors(&self, crowd: &mut Crowd, time: Duration) -> Result<u64> {
        let begin = Instant::now();
        let mut visits = 0;
        while begin.elapsed() < time {
            let due = Duration::from_secs_f64(visits as f64 / self.rate);
            if begin.elapsed() >= due {
                crowd.visit()?;
                visits += 1;
            } else if crowd.wait(due.saturating_sub(begin.elapsed()))? > 0 {
                crowd.hear_all()?;
            }
        }
        Ok(visits)
    }
}

/// What a server holds of the system.
#[derive(Clone, Copy, Debug)]
struct Held {
    threads: usize,
    descriptors: usize,
}

impl Held {
    fn by(server: &Server) -> Result<Held> {
        Ok(Held {
            threads: proc::threads(server.pid)?.len(),
            descriptors: proc::descriptors(server.pid)?,
        })
    }

    /// What the server holds more than before, once it holds no more or had its time.
    fn left(self, server: &Server) -> Result<Held> {
        let begin = Instant::now();
        loop {
            let now = Held::by(server)?;
            let threads = now.threads.saturating_sub(self.threads);
            let descriptors = now.descriptors.saturating_sub(self.descriptors);
            if threads + descriptors == 0 || begin.elapsed() > GOING {
                return Ok(Held { threads, descriptors });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
