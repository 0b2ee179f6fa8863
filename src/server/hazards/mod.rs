//! What `/demo` shows: the classic troubles of a server with threads, made on purpose. Each runs on
//! a thread of its own, `demo:freeze`, and ends by itself.
//!
//! It harms no student's connection. The clients that freeze, flood or panic are puppets
//! (`puppet.rs`), which talk in a room of their own. The places that are free for people stay so.
//! What slows everybody down (a slow disk, slow motion, a lock that is held) costs time, and nobody
//! is hung up for it. Without `--demo` there is none of this.

mod acts;
mod puppet;
mod stage;

use super::{
    fanout::FanOut,
    history::historian::Historian,
    options::Options,
    registry::Registry,
    status::{Activity, Status},
    threads::Threads,
};
use crate::core::{
    commands::demo,
    hazard::{Announcement, DemoRequest, HAZARDS, Hazard},
    notice::notice,
    session::SessionConfig,
};
use crate::origin::Origin;
use crate::server::cues::Cue;
use anyhow::Context as _;
use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;
use stage::{Role, Stage, Stop};
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, atomic::AtomicU16},
    thread::{Builder, JoinHandle},
    time::Duration,
};

/// Places that stay free for people, whatever is shown.
const FREE_FOR_PEOPLE: usize = 32;

/// A hazard that is being shown.
struct Running {
    hazard: &'static Hazard,
    /// Dropped to end it early.
    stop: Option<Sender<()>>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    running: Vec<Running>,
    /// How often each has begun.
    begun: [u32; HAZARDS.len()],
    /// The server stops, and shows nothing any more.
    is_closed: bool,
}

/// The hazards of a server with `--demo`.
pub(crate) struct Hazards {
    stage: Stage,
    /// How the sessions of puppets differ from others.
    limited: Arc<SessionConfig>,
    unlimited: Arc<SessionConfig>,
    recorded: Arc<SessionConfig>,
    /// A plain mutex, held for a few instructions.
    state: Mutex<State>,
    tell: Sender<Cue>,
}

impl Hazards {
    /// The hazards of a server with these options; `None` without `--demo`.
    pub(crate) fn new(
        options: &Options,
        listener: Option<SocketAddr>,
        (registry, threads): (&Arc<Registry>, &Arc<Threads>),
        fanout: &FanOut,
        historian: &Historian,
    ) -> anyhow::Result<Option<Arc<Hazards>>> {
        if !options.demo {
            return Ok(None);
        }
        let listener =
            listener.context("--demo needs a port for its puppets: --listen ADDR:PORT")?;
        let stage = Stage {
            listener: reachable(listener),
            is_anonymous: options.anonymous,
            has_file: options.database().is_some(),
            threads_max: options.threads_max,
            registry: Arc::clone(registry),
            threads: Arc::clone(threads),
            events: fanout.events.clone(),
            fanout: Arc::clone(&fanout.cues.brake),
            historian: Arc::clone(&historian.brake),
            puppets: Mutex::default(),
            next: AtomicU16::new(1),
        };
        let usual = options.session_config()?;
        let limited = SessionConfig { is_forgotten: true, motd: Vec::new(), ..usual };
        let unlimited = SessionConfig { flood: None, ..limited.clone() };
        let recorded = SessionConfig { is_forgotten: false, ..unlimited.clone() };
        let [limited, unlimited, recorded] = [limited, unlimited, recorded].map(Arc::new);
        let (state, tell) = (Mutex::default(), fanout.cues.tell.clone());
        Ok(Some(Arc::new(Hazards { stage, limited, unlimited, recorded, state, tell })))
    }

    /// Whether it is a puppet that comes from there.
    pub(crate) fn is_puppet(&self, peer: Origin) -> bool {
        self.stage.puppets.lock().contains_key(&peer)
    }

    /// The session of the client that comes from there, if that is a puppet.
    pub(crate) fn session(&self, peer: Origin) -> Option<Arc<SessionConfig>> {
        let role = *self.stage.puppets.lock().get(&peer)?;
        let config = match role {
            Role::Limited => &self.limited,
            Role::Unlimited | Role::Frozen => &self.unlimited,
            Role::Recorded => &self.recorded,
        };
        Some(Arc::clone(config))
    }

    /// Does what `by` wants, who is an administrator. Returns lines for them.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub(crate) fn obey(self: &Arc<Self>, request: DemoRequest, by: &str) -> Result<String, String> {
        match request {
            DemoRequest::List => return Ok(demo::list(&self.shown())),
            DemoRequest::Ask(hazard) => {
                let says = format!("{by} asks: {}", hazard.asks());
                let audit = format!("asked what happens: {}", hazard.name);
                self.announce(Announcement {
                    hazard: None,
                    by: Some(by.to_owned()),
                    audit,
                    says,
                    is_shown: None,
                });
            }
            DemoRequest::Begin(hazard, with) => self.begin(hazard, with, by)?,
            DemoRequest::Stop(hazard) => {
                if !self.stop(hazard, by) {
                    return Ok(notice("Nothing is being shown."));
                }
            }
        }
        Ok(String::new())
    }

    /// Begins to show it. `with`: milliseconds.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub(crate) fn begin(
        self: &Arc<Self>,
        hazard: &'static Hazard,
        with: Option<u64>,
        by: &str,
    ) -> Result<(), String> {
        let with = self.check(hazard, with)?;
        let people = self.people();
        let mut state = self.state.lock();
        if state.is_closed {
            return Err("The server is stopping.".to_owned());
        }
        if state.running.iter().any(|one| one.hazard == hazard) {
            return Err("That is being shown now. /demo stop ends it.".to_owned());
        }
        // The puppets of the others may not have come yet.
        let puppets: usize = state.running.iter().map(|one| one.hazard.clients).sum();
        let (needs, most) = (hazard.clients, self.stage.threads_max);
        let free = most.saturating_sub(people + puppets);
        if needs > 0 && free < needs + FREE_FOR_PEOPLE {
            return Err(format!(
                "That takes {needs} places, and {FREE_FOR_PEOPLE} have to stay free for people: {free} are free."
            ));
        }
        let (stop, stopped) = bounded(0);
        let says = format!("A demonstration: {} ({by}).", hazard.describe(with));
        let (this, by) = (Arc::clone(self), Some(by.to_owned()));
        let run = move || this.run(hazard, Duration::from_millis(with), &Stop(stopped));
        let name = format!("demo:{}", hazard.name);
        let thread = Builder::new()
            .name(name)
            .spawn(run)
            .map_err(|error| format!("The machine cannot start one more thread: {error}."))?;
        state.running.push(Running { hazard, stop: Some(stop), thread });
        let place = HAZARDS.iter().position(|one| one == hazard);
        place.iter().for_each(|&place| state.begun[place] += 1);
        drop(state);
        let audit = format!("showed {}", hazard.name);
        self.announce(Announcement { hazard: Some(hazard), by, audit, says, is_shown: Some(true) });
        Ok(())
    }

    /// Whether it can be shown; with how many milliseconds.
    fn check(&self, hazard: &Hazard, with: Option<u64>) -> Result<u64, String> {
        let most = hazard.choices.iter().copied().max().unwrap_or(0);
        let with = with.unwrap_or(hazard.choices.first().copied().unwrap_or(0));
        if with > most || (with == 0) != (most == 0) {
            return Err(match most {
                0 => format!("/demo {} takes no number.", hazard.name),
                _ => format!("/demo {}: 1 to {most} ms.", hazard.name),
            });
        }
        if hazard.name == "disk" && !self.stage.has_file {
            return Err("There is no disk to be slow: --db none.".to_owned());
        }
        if hazard.name == "logins" && self.stage.is_anonymous {
            return Err("Nobody has a password here: --anonymous.".to_owned());
        }
        Ok(with)
    }

    /// Clients that are no puppets. Not by the registry, which may be held just now: then many a puppet
    /// waits for it, on its way in or out.
    fn people(&self) -> usize {
        self.stage.threads.all().iter().filter(|thread| thread.is_person()).count()
    }

    /// Ends it, or all of them. Returns whether there was one.
    pub(crate) fn stop(&self, hazard: Option<&'static Hazard>, by: &str) -> bool {
        let mut state = self.state.lock();
        let meant = |one: &&mut Running| hazard.is_none_or(|hazard| hazard == one.hazard);
        let ended = state.running.iter_mut().filter(meant);
        let was_shown =
            ended.map(|one| one.stop.take().is_some()).fold(false, |any, one| any | one);
        drop(state);
        if was_shown {
            let what = hazard.map_or("the demonstrations", |hazard| hazard.name);
            let (by, audit) = (Some(by.to_owned()), format!("stopped {what}"));
            let says = String::new(); // the end of each is told
            self.announce(Announcement { hazard, by, audit, says, is_shown: None });
        }
        was_shown
    }

    /// The server stops: ends all of them, and waits for their threads.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        let running = std::mem::take(&mut state.running);
        drop(state);
        let threads = running.into_iter().map(|one| one.thread); // the others are dropped: they end
        for thread in threads.collect::<Vec<_>>() {
            let _ = thread.join(); // a panic in it has harmed nobody else
        }
    }

    /// The names of those that are being shown.
    pub(crate) fn shown(&self) -> Vec<&'static str> {
        self.state.lock().running.iter().map(|one| one.hazard.name).collect()
    }

    /// How often each has begun, and whether it is being shown: one may be over before anybody looks.
    pub(crate) fn counts(&self) -> [(u32, bool); HAZARDS.len()] {
        let state = self.state.lock();
        let is_shown = |hazard: &Hazard| state.running.iter().any(|one| one.hazard == hazard);
        std::array::from_fn(|place| (state.begun[place], is_shown(&HAZARDS[place])))
    }

    /// The thread of one hazard runs this.
    fn run(&self, hazard: &'static Hazard, with: Duration, stop: &Stop) {
        let status = Status::new(&format!("demo:{}", hazard.name));
        status.attach();
        let _listed = self.stage.threads.enter(&status);
        status.set(Activity::WaitingForTick); // what it does besides is little
        let act = acts::act_of(hazard.name);
        let shown =
            act.map_or(Err("nobody knows it".to_owned()), |act| act(&self.stage, stop, with));
        let says = match shown {
            _ if stop.within(Duration::ZERO) => {
                format!("The demonstration is stopped: {}.", hazard.label)
            }
            Ok(outcome) => format!("End of the demonstration: {outcome}. {}", hazard.answer()),
            Err(why) => format!("The demonstration cannot be shown ({}): {why}.", hazard.label),
        };
        status.set(Activity::Ended);
        self.state.lock().running.retain(|one| one.hazard != hazard);
        let (by, audit) = (None, String::new());
        self.announce(Announcement {
            hazard: Some(hazard),
            by,
            audit,
            says,
            is_shown: Some(false),
        });
    }

    /// Never waits: the fan-out may be what is being held up.
    fn announce(&self, announcement: Announcement) {
        let _ = self.tell.try_send(Cue::Announcement(announcement));
    }
}

/// Where a listener can be reached from this machine.
fn reachable(mut listener: SocketAddr) -> SocketAddr {
    if listener.ip().is_unspecified() {
        listener.set_ip(match listener.is_ipv4() {
            true => Ipv4Addr::LOCALHOST.into(),
            false => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listener
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_loopback() {
        for (listener, reached) in [
            ("0.0.0.0:5000", "127.0.0.1:5000"),
            ("[::]:5000", "[::1]:5000"),
            ("192.0.2.7:1", "192.0.2.7:1"),
        ] {
            assert_eq!(reachable(listener.parse().unwrap()), reached.parse().unwrap());
        }
    }

    #[test]
    fn every_hazard_has_a_function() {
        assert!(HAZARDS.iter().all(|hazard| acts::act_of(hazard.name).is_some()));
    }
}
