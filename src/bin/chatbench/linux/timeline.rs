//! Latency over time: two people talk, and at second one something happens. How long does each
//! line take?
//!
//! Lines are due at even distances, as in `latency`, and each is timed from when it was due.

use super::{
    crowd::{Crowd, PROBE, Role},
    figures::Figures,
    load::{Load, Settings, start},
    proc,
    server::Target,
    slow_disk::SlowDisk,
    wire::{Peer, USUAL_SIZE},
};
use anyhow::{Context, Result, ensure};
use argh::{FromArgValue, FromArgs};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// When it happens, in seconds.
pub const MOMENT: f64 = 1.0;
/// When the measurement ends.
pub const END: f64 = 5.0;
/// How long lines are still read then, in seconds; and from a slow disk.
const GRACE: (f64, f64) = (0.2, 1.0);
/// Who logs in at once.
const LOGINS: usize = 50;
/// How often the one who computes changes their password: each time a hash is compared, and one is
/// made, of some 20 ms.
const CHANGES: usize = 25;
const PASSWORD: &str = "correct-horse";
/// Who talks while the disk is slow.
const TALKERS: usize = 5;
/// What needs no disk, and how its answer begins. It is asked for every 20 ms.
const QUESTION: (&str, &str, f64) = ("/help me\n", "*** /me ", 0.02);
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
    /// The history is on a disk that becomes slow. Somebody asks for help all the time, which needs
    /// no disk.
    Disk,
}

/// Latency over time: at second one something happens. For each line, how long it takes.
#[derive(FromArgs, Clone, Copy)]
#[argh(subcommand, name = "timeline")]
pub struct Timeline {
    /// what happens: logins (fifty at once), computes (one client changes its password 25 times),
    /// stuck (one client reads nothing, from the beginning), or disk (the disk with the history
    /// becomes slow: each sync takes 100 ms)
    #[argh(option)]
    pub event: Event,
    /// let server and generator share all cores
    #[argh(switch)]
    pub shared: bool,
}

/// When each line was due, and how many milliseconds it took; infinite: it never came.
pub type Course = Vec<(f64, f64)>;

/// Those of the lines, and of the answers to whom asks for help, if somebody does.
pub type Courses = [Course; 2];

impl Load for Timeline {
    fn clients(&self) -> usize {
        10
    }

    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let [lines, answers] = self.courses(target, settings)?;
        let after = || lines.iter().filter(|(due, _)| *due >= MOMENT).map(|(_, took)| *took);
        let came = after().filter(|took| took.is_finite());
        let mut figures = vec![
            ("slowest_ms", came.clone().fold(0.0, f64::max)),
            ("lines_over_100_ms", came.filter(|took| *took > 100.0).count() as f64),
            ("lines_never_read", after().filter(|took| took.is_infinite()).count() as f64),
        ];
        let slowest = answers.iter().map(|(_, took)| *took).reduce(f64::max);
        figures.extend(slowest.map(|slowest| ("slowest_answer_ms", slowest)));
        Ok(Figures(figures))
    }
}

impl Timeline {
    /// One run on a fresh server; a server without accounts has none.
    pub fn courses(self, target: &Target, settings: &Settings) -> Result<Courses> {
        if target.peer != Peer::Chatd {
            return Ok(Courses::default());
        }
        let disk = (self.event == Event::Disk).then(SlowDisk::new).transpose()?;
        let on_disk = disk.as_ref().map(|disk| disk.target(target));
        self.play(on_disk.as_ref().unwrap_or(target), *settings, disk.as_ref())
    }

    fn play(
        self,
        target: &Target,
        mut settings: Settings,
        disk: Option<&SlowDisk>,
    ) -> Result<Courses> {
        if let Some((first, last)) = settings.pin.take_if(|_| self.shared) {
            proc::pin_self(first..=last)?;
        }
        let mut roles = vec![Role::Watcher; self.clients()];
        // In turns. Lines of one client may be read together, and then they are one transaction.
        let talkers = if disk.is_some() { TALKERS } else { 1 };
        roles[PROBE..][..talkers].fill(Role::Sender);
        // Between two lines, in seconds, and their bytes. A kernel takes 2 to 4
        // MB for one who reads nothing: at a megabyte a second it is full soon.
        let is_stuck = self.event == Event::Stuck;
        let (distance, size) = if is_stuck { (0.001, 1000) } else { (0.01, USUAL_SIZE) };
        if is_stuck {
            roles[5] = Role::Stuck;
        }
        let (server, mut crowd) = start(target, &settings, size, &roles)?;
        let address = server.address;
        self.register(address, &mut crowd)?;
        let mut course = Course::new();
        let asker = disk.map(|_| ask(address)).transpose()?;
        let begin = Instant::now();
        let now = || begin.elapsed().as_secs_f64();
        let mut has_happened = false;
        let grace = if disk.is_some() { GRACE.1 } else { GRACE.0 };
        while now() < END + grace {
            while now() < END && course.len() as f64 * distance <= now() {
                crowd.say(PROBE + course.len() % talkers, 1)?;
                course.push((course.len() as f64 * distance, f64::INFINITY));
            }
            if now() >= MOMENT && !is_stuck && !has_happened {
                has_happened = true;
                happen(self.event, address, disk)?;
            }
            // Who asks is on the generator's core, too.
            let is_alone = settings.pin.is_some() && asker.is_none();
            let nap = if is_alone { Duration::ZERO } else { NAP };
            for client in crowd.wait(nap)? {
                crowd.read(client, &mut |id| {
                    let number = (id.seq - 1) * talkers + id.sender - PROBE;
                    let line = course.get_mut(number).filter(|_| client == 0);
                    line.into_iter().for_each(|(due, took)| *took = (now() - *due) * 1e3);
                })?;
            }
        }
        let lines = course.into_iter().step_by(if is_stuck { 10 } else { 1 }).collect();
        drop(server); // and who still waits for an answer reads the end
        let answers = asker.map(|asker| asker.join().expect("it does not panic"));
        Ok([lines, answers.unwrap_or_default()])
    }

    /// Those who have accounts.
    fn register(self, address: SocketAddr, crowd: &mut Crowd) -> Result<()> {
        let names = match self.event {
            Event::Logins => LOGINS,
            Event::Computes => 1,
            Event::Stuck | Event::Disk => 0,
        };
        for name in 0..names {
            puppet(address, &format!("p{name}\n/register {PASSWORD}\n/quit\n"))?;
            while crowd.read_round(Duration::ZERO)? > 0 {}
        }
        Ok(())
    }
}

/// Somebody enters, and from then on asks for help at even distances, whether an answer has come or
/// not.
fn ask(address: SocketAddr) -> Result<JoinHandle<Course>> {
    let (question, answer, distance) = QUESTION;
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(b"asker\n")?;
    let mut lines = BufReader::new(socket.try_clone()?).lines();
    let mut hears =
        move |start: &str| lines.by_ref().map_while(Result::ok).any(|line| line.starts_with(start));
    ensure!(hears("*** You are in lobby"), "the asker is not let in");
    let begin = Instant::now();
    let all = (END / distance) as usize;
    let due = move |number: usize| number as f64 * distance;
    thread::spawn(move || {
        for number in 0..all {
            thread::sleep(Duration::from_secs_f64(due(number)).saturating_sub(begin.elapsed()));
            let _ = socket.write_all(question.as_bytes()); // the server may have ended
        }
    });
    Ok(thread::spawn(move || {
        let mut course: Course = (0..all).map(|number| (due(number), f64::INFINITY)).collect();
        for (due, took) in &mut course {
            if !hears(answer) {
                break;
            }
            *took = (begin.elapsed().as_secs_f64() - *due) * 1e3;
        }
        course
    }))
}

/// The generator goes on meanwhile.
fn happen(event: Event, address: SocketAddr, disk: Option<&SlowDisk>) -> Result<()> {
    if let Some(disk) = disk {
        return disk.becomes_slow();
    }
    thread::spawn(move || compute(event, address));
    Ok(())
}

fn compute(event: Event, address: SocketAddr) {
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
