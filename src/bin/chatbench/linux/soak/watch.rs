//! Looks at the server about once a second, on a thread of its own: what it holds, what it costs, and what
//! it tells of itself at `/metrics`.

use super::scenes::Place;
use crate::linux::{
    figures::Figures,
    proc::{self, Holdings},
};
use anyhow::{Context as _, Result};
use crossbeam_channel::Sender;
use procfs::{Current as _, LoadAverage};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

/// Between two looks: no part of the time between two scenes, so that it meets them at any moment.
const EVERY: Duration = Duration::from_millis(830);
/// How long the page may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Watch {
    pub pid: u32,
    /// Where `/metrics` is.
    pub web: SocketAddr,
    /// The database.
    pub file: PathBuf,
}

impl Watch {
    /// Sends what it sees, until all is over.
    pub fn run(&self, place: &Place, seen: &Sender<Figures>) -> Result<()> {
        let (mut then, mut cpu) = (Instant::now(), proc::cpu(self.pid)?);
        while place.goes_on_until(then + EVERY) {
            let (now, total) = (Instant::now(), proc::cpu(self.pid)?);
            let busy = (total - cpu).as_secs_f64() / (now - then).as_secs_f64();
            (then, cpu) = (now, total);
            let (metrics, holdings) = (self.metrics()?, Holdings::of(self.pid)?);
            let load = f64::from(LoadAverage::current()?.one);
            seen.send(Figures(vec![
                ("resident_kib", holdings.resident_kib),
                ("threads", holdings.threads),
                ("descriptors", holdings.descriptors),
                ("places", value(&metrics, "chatd_clients")?),
                ("server_busy", busy),
                ("lines", value(&metrics, "chatd_lines_total")?),
                ("file_kib", fs::metadata(&self.file)?.len() as f64 / 1024.0),
                ("load", load),
            ]))?;
        }
        Ok(())
    }

    /// What must be free again when people have left.
    pub fn holdings(&self) -> Result<Figures> {
        let holdings = Holdings::of(self.pid)?;
        Ok(Figures(vec![
            ("threads", holdings.threads),
            ("descriptors", holdings.descriptors),
            ("places", value(&self.metrics()?, "chatd_clients")?),
        ]))
    }

    fn metrics(&self) -> Result<String> {
        let mut stream = TcpStream::connect(self.web)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let host = self.web;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page).context("the page /metrics did not come")?;
        Ok(page)
    }

    /// Why connections have ended, and how many each: `812 quit, 97 lost`.
    pub fn ends(&self) -> Result<String> {
        let page = self.metrics()?;
        let ends = page.lines().filter_map(|line| {
            let (reason, count) =
                line.strip_prefix("chatd_closed_total{reason=\"")?.split_once("\"} ")?;
            (count != "0").then(|| format!("{count} {reason}"))
        });
        Ok(ends.collect::<Vec<_>>().join(", "))
    }
}

/// The number of a metric.
fn value(page: &str, metric: &str) -> Result<f64> {
    let found = page.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    let found = found.with_context(|| format!("/metrics has no {metric}"))?;
    Ok(found.trim().parse()?)
}
