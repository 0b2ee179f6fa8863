//! A soak: everything that a chat is used for, and misused, at once and for a long time. Does
//! anything grow? Is any line lost?
//!
//! A crowd talks in the lobby, and every line is checked at every receiver, as in other loads; half
//! of it comes by TLS and as browsers. Beside it scenes are played by people who come and go.

mod person;
mod scenes;
mod trend;
mod watch;

use self::{
    scenes::{ACCOUNTS, BURST, PASSWORD, Place, SCENES, WRITE_DEADLINE},
    trend::Sample,
    watch::Watch,
};
use super::{
    attack::Database,
    crowd::{Crowd, Role},
    figures::Figures,
    latency::{RANGE, Timetable},
    load::roles,
    report,
    server::{Server, Target},
    socket::Other,
    wire::{LineId, Peer, Wire},
};
use anyhow::{Context as _, Result, anyhow, ensure};
use argh::FromArgs;
use chatd::socketserver::program::say;
use crossbeam_channel::Receiver;
use hdrhistogram::Histogram;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::{
    env,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread::{Builder, ScopedJoinHandle, scope},
    time::{Duration, Instant},
};

/// The crowd, and how many of it talk.
const CROWD: usize = 40;
const SENDERS: usize = 20;
/// Lines a second of all of it, and their bytes.
const LINES: f64 = 20.0;
const SIZE: usize = 200;
/// Lines that each says before: so there is a past to ask for.
const FIRST: usize = 15;
/// Visitors a second, who say one line and leave without reading.
const VISITS: f64 = 1.0;
/// The longest warm-up, in seconds.
const WARMUP_MAX: f64 = 300.0;
/// How long the server may take to notice that the last ones have gone.
const GOING: Duration = Duration::from_secs(15);

/// Everything at once, for long: does anything grow, is any line lost? Ctrl-C ends it early, and it
/// tells what it has.
#[derive(FromArgs)]
#[argh(subcommand, name = "soak")]
pub struct Soak {
    /// seconds that are measured (default: 600), after a tenth of that, or five minutes, as warm-up
    #[argh(option, default = "600.0")]
    time: f64,
    /// how much is done, as a multiple of the usual (default: 1)
    #[argh(option, default = "1.0")]
    rate: f64,
    /// where the plots go, and all samples (default: the folder soak in the one that has
    /// release/chatbench)
    #[argh(option)]
    plots: Option<PathBuf>,
}

impl Soak {
    /// Returns whether all is flat and no line was lost.
    pub fn run(&self, program: Option<&str>) -> Result<bool> {
        let this = env::current_exe()?;
        let chatd = program.map_or(this.with_file_name("chatd"), PathBuf::from);
        let beside = this.parent().context("no folder for plots")?.with_file_name("soak");
        let folder = self.plots.clone().unwrap_or(beside);
        fs::create_dir_all(&folder).with_context(|| format!("no folder {}", folder.display()))?;
        let database = Database::new()?;
        let file = database.file();
        make_accounts(&chatd, &file)?;
        let options = format!(
            "--source-limits on --flood {BURST}/8 --write-deadline {WRITE_DEADLINE} --db {}",
            file.display()
        );
        let server = Server::start(&Target::whole(&chatd, &options), None)?;
        let web = server.others.first().map(Other::address).context("it serves no browsers")?;
        let watch = Watch { pid: server.pid, web, file };
        let addresses = (server.address, server.others.clone());
        let wire = Wire { peer: Peer::Chatd, size: SIZE };
        let mut crowd = Crowd::connect(addresses, wire, &roles(CROWD, SENDERS, 0))?;
        crowd.senders().into_iter().try_for_each(|sender| crowd.say(sender, FIRST))?;
        crowd.settle(&mut |_, _| {})?;
        let before = watch.holdings()?;
        let mut course = Course::new(self, &crowd, &folder)?;
        let played = self.play(&mut crowd, &server, &watch, &mut course);
        let settled = played.and_then(|played| crowd.settle(&mut |_, _| {}).map(|()| played));
        if let Err(why) = &settled {
            say(&format!("**FAILED** {why:#}\n"));
        }
        let after = wait_for_leavers(&mut crowd, &watch, &before)?;
        let ends = watch.ends()?;
        drop(server);
        let is_sound = Command::new(&chatd).args(["check", "--db"]).arg(&watch.file).output()?;
        ensure!(is_sound.status.success(), "the file is not sound");
        let seconds = course.samples.last().map_or(0.0, |(at, _)| at.round());
        say(&format!("{}. {seconds} s after {} s of warm-up", report::machine()?, self.warmup()));
        say(&format!("Connections that ended: {ends}\n"));
        let (table, is_flat) = trend::table(&course.samples, [&before, &after])?;
        say(&table);
        trend::draw(&course.samples, &folder)?;
        if let Ok(played) = &settled {
            say(&format!("Nothing was lost. Scenes: {played}"));
        }
        Ok(is_flat && settled.is_ok())
    }

    fn warmup(&self) -> f64 {
        (self.time / 10.0).min(WARMUP_MAX)
    }

    /// The crowd talks, and scenes are played beside it, until the time is over or something is
    /// wrong. Returns how often each scene was played.
    fn play(
        &self,
        crowd: &mut Crowd,
        server: &Server,
        watch: &Watch,
        course: &mut Course,
    ) -> Result<String> {
        let (end, over) = crossbeam_channel::bounded(0);
        let (to, seen) = crossbeam_channel::unbounded();
        let (address, others) = (server.address, server.others.clone());
        let place = Place { address, others, number: AtomicUsize::new(1), over };
        scope(|scope| {
            let end = end; // dropped whatever happens, so that the threads end
            let watch = Builder::new()
                .name("watch".into())
                .spawn_scoped(scope, || watch.run(&place, &to).map(|()| String::new()))?;
            let mut threads = vec![watch];
            for scene in &SCENES {
                let play = || {
                    let times = scene.play_on(&place, self.rate)?;
                    Ok(format!("{} {times}", scene.name))
                };
                threads.push(Builder::new().name(scene.name.into()).spawn_scoped(scope, play)?);
            }
            let talked = course.talk(crowd, &seen, &threads);
            drop(end);
            let join = |thread: ScopedJoinHandle<'_, Result<String>>| {
                thread.join().unwrap_or_else(|_| Err(anyhow!("a thread has panicked")))
            };
            let played = threads.into_iter().map(join).collect::<Result<Vec<String>>>();
            talked?;
            Ok(played?[1..].join(", "))
        })
    }
}

fn make_accounts(chatd: &Path, file: &Path) -> Result<()> {
    let add = ACCOUNTS.map(|name| ["add", name]);
    for words in add.into_iter().chain([["promote", ACCOUNTS[0]]]) {
        let mut command = Command::new(chatd);
        command.arg("account").args(words).arg("--db").arg(file);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("no {}", chatd.display()))?;
        // Who is promoted needs none.
        let _ = child.stdin.take().map(|mut stdin| writeln!(stdin, "{PASSWORD}"));
        ensure!(child.wait()?.success(), "chatd account {words:?} failed");
    }
    Ok(())
}

/// Waits until the server holds no more than before, and returns what it does hold.
fn wait_for_leavers(crowd: &mut Crowd, watch: &Watch, before: &Figures) -> Result<Figures> {
    let begin = Instant::now();
    loop {
        let now = watch.holdings()?;
        if trend::is_left(before, &now) || begin.elapsed() > GOING {
            return Ok(now);
        }
        crowd.read_round(Duration::from_millis(100))?;
    }
}

/// What the crowd says and when, how long it takes, and what was seen of the server meanwhile.
struct Course {
    timetable: Timetable,
    /// Of each client, whether its deliveries are timed, as in `latency`.
    is_timed: Vec<bool>,
    begin: Instant,
    /// A signal came: it ends early, and tells what it has.
    is_interrupted: Arc<AtomicBool>,
    /// In seconds.
    warmup: f64,
    end: f64,
    /// Since the last sample, in nanoseconds: of lines, and of the generator itself.
    times: Histogram<u64>,
    late: Histogram<u64>,
    samples: Vec<Sample>,
    /// All of them, those of the warm-up too.
    file: File,
}

impl Course {
    fn new(soak: &Soak, crowd: &Crowd, folder: &Path) -> Result<Course> {
        let path = folder.join("samples.csv");
        let histogram = Histogram::new_with_bounds(RANGE.0, RANGE.1, 3)?;
        let is_timed = |one| crowd.role(one) == Role::Watcher && !crowd.is_encrypted(one);
        let distance = 1e9 / (LINES * soak.rate);
        let is_interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, is_interrupted.clone())?;
        }
        Ok(Course {
            timetable: Timetable { senders: crowd.senders(), distance },
            is_timed: (0..crowd.len()).map(is_timed).collect(),
            begin: Instant::now(),
            is_interrupted,
            warmup: soak.warmup(),
            end: soak.warmup() + soak.time,
            times: histogram.clone(),
            late: histogram,
            samples: Vec::new(),
            file: File::create(&path).with_context(|| format!("no file {}", path.display()))?,
        })
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// Lets the crowd talk until the time or one of the threads is over, or a signal comes.
    fn talk<T>(
        &mut self,
        crowd: &mut Crowd,
        seen: &Receiver<Figures>,
        threads: &[ScopedJoinHandle<'_, T>],
    ) -> Result<()> {
        let (mut next, mut visits) = (0, 0);
        while self.begin.elapsed().as_secs_f64() < self.end {
            let is_ended = threads.iter().any(ScopedJoinHandle::is_finished); // it will say why
            if is_ended || self.is_interrupted.load(Relaxed) {
                break;
            }
            while let Some(late) = self.now().checked_sub(self.timetable.due(next)) {
                self.late.saturating_record(late);
                crowd.say(self.timetable.sender(next), 1)?;
                next += 1;
            }
            if self.begin.elapsed().as_secs_f64() * VISITS > f64::from(visits) {
                crowd.visit()?;
                visits += 1;
            }
            seen.try_iter().try_for_each(|figures| self.note(figures))?;
            let wait = self.timetable.due(next).saturating_sub(self.now());
            for client in crowd.wait(Duration::from_nanos(wait))? {
                crowd.read(client, &mut |id| self.time(client, id))?;
            }
        }
        Ok(())
    }

    /// `client` has read a line.
    fn time(&mut self, client: usize, id: LineId) {
        if self.is_timed[client] && id.sender < CROWD && id.seq > FIRST {
            let due = self.timetable.due_of(LineId { seq: id.seq - FIRST, ..id });
            self.times.saturating_record(self.now().saturating_sub(due));
        }
    }

    /// One look at the server, and what was timed since the last one.
    fn note(&mut self, mut figures: Figures) -> Result<()> {
        let at = self.begin.elapsed().as_secs_f64();
        let ms = |times: &Histogram<u64>, part| times.value_at_quantile(part) as f64 / 1e6;
        figures.0.extend([
            ("p50_ms", ms(&self.times, 0.5)),
            ("p99_ms", ms(&self.times, 0.99)),
            ("late_p99_ms", ms(&self.late, 0.99)),
        ]);
        self.times.clear();
        self.late.clear();
        if self.file.metadata()?.len() == 0 {
            let keys: Vec<&str> = figures.0.iter().map(|(key, _)| *key).collect();
            writeln!(self.file, "second,{}", keys.join(","))?;
        }
        let values: Vec<String> = figures.0.iter().map(|it| format!("{:.4}", it.1)).collect();
        writeln!(self.file, "{at:.1},{}", values.join(","))?;
        if at >= self.warmup {
            self.samples.push((at - self.warmup, figures));
        }
        Ok(())
    }
}
