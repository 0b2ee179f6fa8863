//! Visitors connect, send one line and leave at once without reading. What do they leave behind?
//!
//! Watchers must read each visitor's line, once. When the last visitor has gone, the server must
//! hold no more threads and descriptors than before the first.

use super::{
    crowd::Role,
    figures::Figures,
    load::{Load, Settings, start},
    proc::{self, Holdings},
    server::Target,
    wire::USUAL_SIZE,
};
use anyhow::Result;
use argh::FromArgs;
use std::time::{Duration, Instant};

/// How long the server may take to notice that the last visitors have gone.
const GOING: Duration = Duration::from_secs(5);

/// Visitors connect, send one line and leave: what they leave behind.
#[derive(FromArgs, Clone, Copy)]
#[argh(subcommand, name = "churn")]
pub struct Churn {
    /// visitors per second (default: 500)
    #[argh(option, default = "500.0")]
    rate: f64,
    /// clients that read all of it (default: 20)
    #[argh(option, default = "20")]
    watchers: usize,
}

impl Load for Churn {
    fn clients(&self) -> usize {
        self.watchers
    }

    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let roles = vec![Role::Watcher; self.watchers.max(2)];
        let (server, mut crowd) = start(target, settings, USUAL_SIZE, &roles)?;
        let before = Holdings::of(server.pid)?;
        let (cpu, begin) = (proc::cpu(server.pid)?, Instant::now());
        let mut visits = 0;
        while begin.elapsed() < settings.time {
            let due = Duration::from_secs_f64(f64::from(visits) / self.rate);
            if begin.elapsed() >= due {
                crowd.visit()?;
                visits += 1;
            } else {
                crowd.read_round(due.saturating_sub(begin.elapsed()))?;
            }
        }
        crowd.settle(&mut |_, _| {})?;
        let cpu = proc::cpu(server.pid)? - cpu;

        let begin = Instant::now();
        let (threads, descriptors) = loop {
            let now = Holdings::of(server.pid)?;
            let left = (now.threads - before.threads, now.descriptors - before.descriptors);
            if left.0.max(left.1) <= 0.0 || begin.elapsed() > GOING {
                break left;
            }
            crowd.read_round(Duration::from_millis(10))?;
        };
        Ok(Figures(vec![
            ("left_threads", threads.max(0.0)),
            ("left_descriptors", descriptors.max(0.0)),
            ("cpu_us_per_visitor", 1e6 * cpu.as_secs_f64() / f64::from(visits)),
        ]))
    }
}
