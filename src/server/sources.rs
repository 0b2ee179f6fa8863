//! Who has used up what, and who has which place, for all threads: `Sources` and `Places`, each
//! behind a lock. It is taken when a client comes, goes, or has to wait; never for a line of a
//! client that is not limited.

#[cfg(target_os = "linux")] // nothing is handed over elsewhere
mod handover;

#[cfg(target_os = "linux")]
pub(super) use handover::SavedSources;

use super::{
    logger, net,
    options::Options,
    proxies::Proxies,
    status::Totals,
    turned_away::{Reason, TurnedAway},
};
use crate::{
    core::{
        address::ClientAddress,
        driver::{Bucket, LoginResult},
        event::{Answer, ClientId},
        places::{Place, Places, Trial},
        record::AccountId,
        sentences,
        session::{
            Peer, Session,
            sources::{Ended, LeftTo, Source, Sources},
        },
    },
    lock::{LockKind, Locked},
    origin::Origin,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt::Display,
    io,
    net::TcpStream,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// What every source has used up.
pub struct SourceTable {
    sources: Locked<Sources>,
    places: Locked<Places>,
    /// Whose word is taken for where a connection comes from.
    pub proxies: Proxies,
    /// The ordinary places.
    most: usize,
    is_on: bool,
    start: Instant,
}

/// What becomes of a connection that comes.
#[derive(Debug)]
pub enum Admission {
    /// It has a place. This client has to give way, and is hung up.
    Place {
        /// Its number.
        gives_way: Option<ClientId>,
    },
    /// Not yet. Ask again soon.
    Wait {
        /// What it is told then.
        request: String,
        /// What it is told if it cannot wait.
        refusal: TurnedAway,
        /// It waits for its turn among those from its address, and not for a place.
        takes_turns: bool,
    },
    /// No.
    Refused(TurnedAway),
}

/// One client, as it is counted.
#[derive(Clone, Serialize, Deserialize)]
pub struct Usage {
    source: Source,
    address: ClientAddress,
    /// `Some`: they try for an administrator's place.
    tries: Option<ClientId>,
    number: ClientId,
    /// They have given a wrong password.
    has_guessed: bool,
    gone: Gone,
    /// What it goes on with.
    #[serde(skip)]
    bucket: Option<Bucket>,
    #[serde(skip, default = "Instant::now")]
    began: Instant,
    /// Its coming and going are counted in the log, in place of a line each.
    is_crowded: bool,
}

/// Whether a client had closed the connection before it was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Gone {
    /// They had not, or it makes no difference.
    No,
    /// They may have: an answer will show it.
    Perhaps,
    /// The answer found nobody.
    Yes,
    /// They have closed their side since.
    Half,
}

impl SourceTable {
    /// Nobody was here yet.
    pub fn new(options: &Options) -> SourceTable {
        let (flood, is_on) = (options.flood.0, options.source_limits.is_on());
        let sources = Sources::new(options.per_source(), flood, is_on);
        let sources = Locked::new(LockKind::Sources, sources);
        let places = Locked::new(LockKind::Places, Places::new(options.threads_max));
        let (most, is_on) = (options.threads_max, is_on && flood.is_some());
        SourceTable {
            sources,
            places,
            proxies: options.proxies(),
            most,
            is_on,
            start: Instant::now(),
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Gives a place to a connection that comes, and counts it. `takes_turns`: it waits already, for
    /// its turn among those from its address.
    pub fn admit(&self, client: ClientId, origin: Origin, takes_turns: bool) -> Admission {
        let (address, is_full) = (ClientAddress::from(origin), self.places.lock().is_full());
        let now = self.now();
        let admitted = {
            let mut sources = self.sources.lock();
            match takes_turns {
                // A script that comes and goes keeps no administrator out behind the same router.
                _ if is_full => sources.admit_to_trial(address),
                true => sources.admit_waiting(address, now),
                false => sources.admit(address, now),
            }
        };
        if let Err(denied) = admitted {
            self.give_up(client);
            let refusal = TurnedAway::new(Reason::Address, denied.refusal());
            return match denied.may_wait() {
                true => {
                    let request = denied.request();
                    Admission::Wait { request, refusal, takes_turns: true }
                }
                false => Admission::Refused(refusal),
            };
        }
        let place = self.places.lock().take(client, address, now);
        match place {
            Place::Ordinary => return Admission::Place { gives_way: None },
            Place::Reserved(gives_way) => return Admission::Place { gives_way },
            Place::Wait | Place::None => self.release(address),
        }
        let refusal = TurnedAway::new(Reason::Full, sentences::all_places_taken(self.most));
        match place {
            Place::Wait => {
                let request = sentences::please_wait_for_a_place(self.most);
                Admission::Wait { request, refusal, takes_turns: false }
            }
            _ => Admission::Refused(refusal),
        }
    }

    /// `Some`: this client tries for an administrator's place. The number is that of the others.
    pub fn reserve_of(&self, client: ClientId) -> Option<usize> {
        self.places.lock().is_reserved(client).then_some(self.most)
    }

    /// The client does not wait for a place any longer.
    pub fn give_up(&self, client: ClientId) {
        self.places.lock().give_up(client);
    }

    /// Counts one connection fewer.
    fn release(&self, address: ClientAddress) {
        self.sources.lock().release(address);
    }

    /// Counts and logs a refused connection. Returns whether it has to wait for its end of file.
    pub fn refuse(&self, peer: Origin, why: &TurnedAway, totals: &Totals) -> bool {
        totals.refused[why.reason as usize].fetch_add(1, Relaxed);
        let address = ClientAddress::from(peer);
        let has_to_wait = self.sources.lock().refuse(address, self.now());
        let line = format_args!("refused {peer}: {}", why.sentence);
        logger::counted("refused", 0, ("refusals of", &address), line);
        has_to_wait
    }

    /// A connection has ended without its session: before it began, or in a panic. What was left of
    /// its bucket then, nobody knows: nothing.
    pub fn end_without_session(&self, origin: Origin, has_begun: bool) {
        let empty = Bucket { tokens: 0.0, asked_for: 0.0, wait: Duration::ZERO };
        let (address, bucket) = (ClientAddress::from(origin), has_begun.then_some(empty));
        let (age, was_named, left_to) = (Duration::ZERO, false, LeftTo::Next);
        let ended = Ended { bucket, address, age, was_named, left_to };
        self.sources.lock().end(Source::Address(address), ended, self.now());
    }

    /// The client has gone.
    pub fn leave(&self, client: ClientId, origin: Origin) {
        let now = self.now();
        self.places.lock().leave(client, now);
        self.release(origin.into());
    }

    /// A connection begins, and is logged. `reserve_of`: see [`Peer`].
    pub fn begin(
        &self,
        number: ClientId,
        peer: Origin,
        socket: &TcpStream,
        reserve_of: Option<usize>,
    ) -> Usage {
        let address = ClientAddress::from(peer);
        let (source, now) = (Source::Address(address), self.now());
        let (bucket, (is_crowded, is_doubted)) = {
            let mut sources = self.sources.lock();
            // Who tries for an administrator's place can say nothing, so they are greeted at once.
            let goes_on = reserve_of.is_none().then(|| sources.begin(source, now));
            (goes_on.flatten(), sources.crowding(address, now))
        };
        let gone = match bucket {
            _ if !self.is_on || reserve_of.is_some() => Gone::Half, // it makes no difference
            None if is_doubted || net::has_peer_ended(socket) => Gone::Perhaps,
            _ => Gone::No,
        };
        let tries = reserve_of.map(|_| number);
        let (began, has_guessed) = (Instant::now(), false);
        Usage { source, address, tries, number, has_guessed, gone, bucket, began, is_crowded }
    }
}

impl Usage {
    /// A client that was handed over has been here for this time.
    pub(super) fn set_age(&mut self, age: Duration) {
        self.began = Instant::now().checked_sub(age).unwrap_or(self.began);
    }

    /// Who its session talks with.
    pub fn peer<'a>(
        &self,
        connection: &'a str,
        origin: Origin,
        reserve_of: Option<usize>,
    ) -> Peer<'a> {
        let (bucket, may_be_gone) = (self.bucket, self.gone == Gone::Perhaps);
        Peer { connection, origin, reserve_of, bucket, may_be_gone }
    }

    /// The connection ends, as far as its client can still say something.
    pub fn end(&mut self, table: &SourceTable, session: &mut Session<'_>) {
        let age = self.began.elapsed();
        let was_named = !session.is_naming();
        let said_nothing = self.tries.is_some() && matches!(self.source, Source::Address(_));
        let bucket = session.pace.bucket(age).filter(|_| !said_nothing);
        let left_to = match self.gone {
            Gone::Yes => LeftTo::Gone,
            Gone::Half => LeftTo::NextAlready,
            Gone::No | Gone::Perhaps => LeftTo::Next,
        };
        let ended = Ended { bucket, address: self.address, age, was_named, left_to };
        self.is_crowded = table.sources.lock().end(self.source, ended, table.now());
    }

    /// Logs that the client is there.
    #[inline(never)] // text of an address needs much stack: see `Session::hear`
    pub fn log_begin(&self, peer: Origin) {
        let line = format_args!("c{} connected from {peer}", self.number);
        self.log("connected", "connections from", line);
    }

    /// Logs why the client has left.
    pub fn log_end(&self, name: &str, reason: impl Display) {
        self.log("left", "departures from", format_args!("{name} left: {reason}"));
    }

    fn log(&self, event: &str, kind: &str, line: std::fmt::Arguments<'_>) {
        let (client, address) = (self.number, &self.address);
        match self.is_crowded {
            true => logger::counted(event, client, (kind, address), line),
            false => log::info!(event, client, address:%; "{line}"),
        }
    }

    /// Notes what the rooms answer to a client that tries for an administrator's place. `resumes`:
    /// it gave a token.
    pub fn note_answer(&self, table: &SourceTable, answer: &Answer, resumes: bool) {
        let trial = match answer {
            Answer::NeedsPassword(_) => Trial::Named,
            Answer::Named(..) if resumes => Trial::CameBack,
            Answer::Named(..) => Trial::Admitted,
            _ => return,
        };
        self.tries.iter().for_each(|&client| table.places.lock().note(client, trial));
    }

    /// The client gave the pairing code: they are an instructor, and keep the place.
    pub fn note_instructor(&self, table: &SourceTable) {
        self.tries.iter().for_each(|&client| table.places.lock().note(client, Trial::Admitted));
    }

    /// Whose first password comes, if none was wrong yet.
    pub fn first_password(&self) -> Option<ClientId> {
        (!self.has_guessed).then_some(self.number)
    }

    /// Notes what came of comparing a password.
    pub fn note_password(&mut self, result: LoginResult) {
        self.has_guessed |= result == LoginResult::Wrong;
    }

    /// Whether it has to be found out if the client is gone.
    pub fn may_be_gone(&self) -> bool {
        self.gone == Gone::Perhaps
    }

    /// Whether it makes a difference that the client closes their side.
    pub fn watches_for_end(&self) -> bool {
        self.gone == Gone::No
    }

    /// The client has closed their side. They may still read, and what they sent is still heard;
    /// but whoever connects from there now goes on with their bucket.
    pub fn half_close(&mut self, table: &SourceTable, session: &mut Session<'_>) {
        self.gone = Gone::Half;
        if let Some(left) = session.pace.half_close(self.began.elapsed()) {
            table.sources.lock().leave(self.source, left, table.now());
        }
    }

    /// A pause is over.
    ///
    /// # Errors
    /// The connection is broken, as `paused` says, and its client is not heard any longer. If they
    /// had closed it before it was served, and not too many others have, they are.
    pub fn end_pause(
        &mut self,
        table: &SourceTable,
        session: &mut Session<'_>,
        paused: io::Result<()>,
    ) -> io::Result<()> {
        if self.gone != Gone::Perhaps {
            return paused;
        }
        self.gone = Gone::No;
        if paused.is_err()
            && let Some(bucket) = table.sources.lock().serve_gone(self.address, table.now())
        {
            self.gone = Gone::Yes;
            session.pace.go_on(bucket, self.began.elapsed());
            return Ok(());
        }
        paused
    }

    /// See [`Driver::ask_for_lines`](crate::core::driver::Driver::ask_for_lines).
    pub fn ask_for_lines(&self, table: &SourceTable, lines: f64) -> Duration {
        table.sources.lock().ask_for(self.source, lines, table.now())
    }

    /// See [`Driver::refuse_name`](crate::core::driver::Driver::refuse_name).
    pub fn refuse_name(&self, table: &SourceTable) -> Duration {
        table.sources.lock().refuse_name(self.address, table.now())
    }

    /// See [`Driver::prove`](crate::core::driver::Driver::prove).
    pub fn prove(
        &mut self,
        table: &SourceTable,
        account: AccountId,
        left: Bucket,
    ) -> Option<Bucket> {
        let before = std::mem::replace(&mut self.source, Source::Account(account));
        table.sources.lock().prove(before, account, left, table.now())
    }
}
