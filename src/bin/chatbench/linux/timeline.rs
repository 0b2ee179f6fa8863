//! Latency over time: two people talk, and at second one something happens. How long does each
//! line take?
//!
//! Lines are due at even distances, as in `latency`, and each is timed from when it was due.

use super::{
    crowd::{PROBE, Role},
    figures::Figures,
    load::{Load, Settings, start},
    proc,
    server::Target,
    wire::{Peer, USUAL_SIZE},
};
use anyhow::{Context, Result};
use argh::{FromArgValue, FromArgs};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// When it happens, in seconds.
pub const MOMENT: f64 = 1.0;
/// When the measurement ends.
pub const END: f64 = 5.0;
/// How long lines are still read then, in seconds.
const GRACE: f64 = 0.2;
/// Who logs in at once.
const LOGINS: usize = 50;
/// How often the one who computes changes their password: each time a hash is compared, and one is
/// made, of some 20 ms.
const CHANGES: usize = 25;
const PASSWORD: &str = "correct-horse";
/// How long a puppet may take to be let in, and to be told the end.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the generator sleeps at most, if it has no core of its own: what it spins is taken from
/// the server.
const NAP: Duration = Duration::from_millis(1);

/// What happens at second one.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Fifty people log in: each password's hash takes 20 ms of a core, on purpose.
    Logins,
    /// One client changes its password 25 times: fifty hashes for one.
    Computes,
    /// One client reads nothing, from the beginning, and lines are long: at some time the kernel's
    /// buffers are full.
    Stuck,
}

/// Latency over time: at second one something happens. For each line, how long it takes.
#[derive(FromArgs, Clone, Copy)]
#[argh(subcommand, name = "timeline")]
pub struct Timeline {
    /// what happens: logins (fifty at once), computes (one client changes its password 25 times), or
    /// stuck (one client reads nothing, from the beginning)
    #[argh(option)]
    pub event: Event,
    /// let server and generator share all cores
    #[argh(switch)]
    pub shared: bool,
}

/// When each line was due, and how many milliseconds it took; infinite: it never came.
pub type Course = Vec<(f64, f64)>;

impl Load for Timeline {
    fn clients(&self) -> usize {
        10
    }

    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let course = self.course(target, settings)?;
        let after = || course.iter().filter(|(due, _)| *due >= MOMENT).map(|(_, took)| *took);
        let came = after().filter(|took| took.is_finite());
        Ok(Figures(vec![
            ("slowest_ms", came.clone().fold(0.0, f64::max)),
            ("lines_over_100_ms", came.filter(|took| *took > 100.0).count() as f64),
            ("lines_never_read", after().filter(|took| took.is_infinite()).count() as f64),
        ]))
    }
}

impl Timeline {
    /// One run on a fresh server; a server without accounts has none.
    pub fn course(self, target: &Target, settings: &Settings) -> Result<Course> {
        if target.peer != Peer::Chatd {
            return Ok(Course::new());
        }
        let mut settings = *settings;
        if let Some((first, last)) = settings.pin.take_if(|_| self.shared) {
            proc::pin_self(first..=last)?;
        }
        let mut roles = vec![Role::Watcher; self.clients()];
        roles[PROBE] = Role::Sender;
        // Between two lines, in seconds, and their bytes. A kernel takes 2 to 4
        // MB for one who reads nothing: at a megabyte a second it is full soon.
        let is_stuck = self.event == Event::Stuck;
        let (distance, size) = if is_stuck { (0.001, 1000) } else { (0.01, USUAL_SIZE) };
        if is_stuck {
            roles[5] = Role::Stuck;
        }
        let (server, mut crowd) = start(target, &settings, size, &roles)?;
        let address = server.address;
        let names = match self.event {
            Event::Logins => LOGINS,
            Event::Computes => 1,
            Event::Stuck => 0,
        };
        for name in 0..names {
            puppet(address, &format!("p{name}\n/register {PASSWORD}\n/quit\n"))?;
            while crowd.read_round(Duration::ZERO)? > 0 {}
        }
        let event = self.event;
        let mut course = Course::new();
        let begin = Instant::now();
        let now = || begin.elapsed().as_secs_f64();
        let mut has_happened = false;
        while now() < END + GRACE {
            while now() < END && course.len() as f64 * distance <= now() {
                course.push((course.len() as f64 * distance, f64::INFINITY));
                crowd.say(PROBE, 1)?;
            }
            if now() >= MOMENT && !is_stuck && !has_happened {
                has_happened = true;
                thread::spawn(move || happen(event, address)); // the generator goes on
            }
            let nap = if settings.pin.is_some() { Duration::ZERO } else { NAP };
            for client in crowd.wait(nap)? {
                crowd.read(client, &mut |id| {
                    let line = course.get_mut(id.seq - 1).filter(|_| client == 0);
                    line.into_iter().for_each(|(due, took)| *took = (now() - *due) * 1e3);
                })?;
            }
        }
        Ok(course.into_iter().step_by(if is_stuck { 10 } else { 1 }).collect())
    }
}

fn happen(event: Event, address: SocketAddr) {
    let all = match event {
        Event::Logins => (0..LOGINS).map(|name| format!("p{name}\n{PASSWORD}\n")).collect(),
        _ => vec![format!(
            "p0\n{PASSWORD}\n{}",
            format!("/password\n{PASSWORD}\n{PASSWORD}\n{PASSWORD}\n").repeat(CHANGES)
        )],
    };
    let connected = all.into_iter().map(|words| {
        let mut socket = TcpStream::connect(address)?;
        socket.write_all(words.as_bytes()).map(|()| socket)
    });
    let sockets: Vec<_> = connected.collect();
    // They stay until the server has been ended.
    let mut last = sockets.into_iter().flatten().last();
    last.iter_mut().for_each(|socket| drop(socket.read_to_end(&mut Vec::new())));
}

/// Somebody connects, says all of this, and reads to the end.
fn puppet(address: SocketAddr, words: &str) -> Result<()> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(words.as_bytes())?;
    let mut read = String::new();
    socket.read_to_string(&mut read).context("a puppet is not told the end")?;
    anyhow::ensure!(read.contains("is yours from now on"), "a puppet cannot register: {read}");
    Ok(())
}
