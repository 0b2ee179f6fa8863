//! What a source (an address, or an account) has used up: the limits that outlive a connection. A
//! connection costs nothing, so a limit that begins anew with each of them is none.
//!
//! - **Lines.** A connection that ends leaves its bucket (`flood`), and the next one from the same
//!   source goes on with it. So a source has as many bursts as it had connections open at once: a
//!   class behind one router has one for each pupil, and a script that reconnects has one for each
//!   of its threads. What a young client with such a bucket lacks comes from one refill that the
//!   source's clients share.
//! - **Connections.** Those that end within a minute are counted. Too many, and the next ones have to
//!   wait before they are let in, one after the other. A script that does not wait keeps nobody out.
//! - **Names.** Those refused are counted. Too many, and the next ones have to wait.
//!
//! Whoever has proved to own an account is counted by that account, and not by the address. It does
//! no I/O and reads no clock: times count from any fixed point. The threads share it behind a lock.

mod denied;
mod meter;
mod used;

pub(crate) use denied::{Denied, TooMany};

use super::flood::{FloodLimit, YOUNG};
use crate::core::{address::ClientAddress, driver::Bucket, recent::Recent, record::AccountId};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, time::Duration};
use used::{FORGOTTEN_AFTER, Use};

/// What others read when somebody comes and goes, in lines.
const COMING_AND_GOING: f64 = 2.0;
/// The most lines that a log-in takes, which nobody reads.
const LOG_IN_LINES: f64 = 8.0;
/// Connections that were open for this time, or had a name, were not made only to end.
const STAYED: Duration = Duration::from_millis(200);
/// Refused names that cost nothing: a class that comes types many wrong ones.
const NAMES_FREE: f64 = 100.0;
/// Names a second that are forgotten, and that may be tried after that.
const NAMES_PER_SECOND: f64 = 1.0 / 3.0;
/// The longest that a refused name waits: nobody has longer to give one, unless `--login-deadline`
/// says so.
const NAMES_WAIT_MAX: Duration = Duration::from_secs(30);
/// Short connections after which a source's comings and goings are counted in the log.
const CROWDED: f64 = 20.0;
/// Connections in a second after which it is found out of each new client if they are gone already.
const DOUBTED: f64 = 6.0;
/// Refusals in a minute after which a source's next ones have to wait for their end of file.
const REFUSED_FREE: f64 = 8.0;

/// Whose use is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Source {
    /// Whoever comes from there.
    Address(ClientAddress),
    /// Its owner, who has given the password.
    Account(AccountId),
}

/// A connection that ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// What is left of its bucket, if there is a limit on lines.
    pub(crate) bucket: Option<Bucket>,
    pub(crate) address: ClientAddress,
    /// For how long it was open.
    pub(crate) age: Duration,
    /// It had a name, so others read of its coming and going.
    pub(crate) was_named: bool,
    /// Who goes on with its bucket.
    pub(crate) left_to: LeftTo,
}

/// Who goes on with the bucket of a connection that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftTo {
    /// The next connection.
    Next,
    /// The same, since the client closed their side ([`Sources::leave`]).
    NextAlready,
    /// All those who are gone: it is theirs ([`Sources::serve_gone`]).
    Gone,
}

/// What every source has used up.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sources {
    per_source: usize,
    flood: Option<FloodLimit>,
    is_on: bool,
    /// How many connections each address has open.
    #[serde(skip)]
    open: HashMap<ClientAddress, usize>,
    uses: Recent<Source, Use>,
}

impl Sources {
    /// Nobody was here yet. `per_source`: connections that one address may have open. `flood`: how
    /// fast one client may talk. `is_on`: whether anything but `per_source` is limited.
    pub(crate) fn new(per_source: usize, flood: Option<FloodLimit>, is_on: bool) -> Sources {
        let uses = Recent::new(Some(FORGOTTEN_AFTER));
        Sources { per_source, flood, is_on, open: HashMap::new(), uses }
    }

    /// Counts one more connection from this address.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn admit(&mut self, address: ClientAddress, now: Duration) -> Result<(), Denied> {
        if self.is_on {
            let used = self.uses.entry(Source::Address(address), now);
            let most = used.short_max();
            let above = used.short(now) + 1.0 - most;
            if above > 0.0 {
                let wait = above * YOUNG.as_secs_f64() / most;
                return Err(Denied::for_now(TooMany::Ended(most), wait));
            }
            used.check_lines(now)?;
        }
        self.admit_to_trial(address)
    }

    /// The same for one that waits because of [`Denied::for_now`]. They are to be asked for in their
    /// order. As many are let in as connections may end.
    pub(crate) fn admit_waiting(
        &mut self,
        address: ClientAddress,
        now: Duration,
    ) -> Result<(), Denied> {
        let used = self.uses.entry(Source::Address(address), now);
        let most = used.short_max();
        if used.next > now {
            return Err(Denied::for_now(TooMany::Ended(most), (used.next - now).as_secs_f64()));
        }
        used.check_lines(now)?;
        self.admit_to_trial(address)?;
        let used = self.uses.entry(Source::Address(address), now);
        used.next = now + YOUNG.div_f64(most);
        Ok(())
    }

    /// The same at a full server, however many have come and gone. They can only try for an
    /// administrator's place, and `Places` sees to it that they do not keep it.
    pub(crate) fn admit_to_trial(&mut self, address: ClientAddress) -> Result<(), Denied> {
        let open = self.open.entry(address).or_default();
        // The machine itself is exempt: there are the tests, and whoever looks after the server.
        if *open >= self.per_source && !address.is_loopback() {
            return Err(Denied { why: TooMany::Open(*open), wait: None });
        }
        *open += 1;
        Ok(())
    }

    /// Takes up what another table knew, from which these connections were handed over.
    #[cfg(target_os = "linux")] // nothing is handed over elsewhere
    pub(crate) fn go_on(&mut self, other: Sources, open: impl Iterator<Item = ClientAddress>) {
        self.uses = other.uses;
        open.for_each(|address| *self.open.entry(address).or_default() += 1);
    }

    /// Counts one connection fewer.
    pub(crate) fn release(&mut self, address: ClientAddress) {
        let Some(open) = self.open.get_mut(&address) else { return };
        *open -= 1;
        if *open == 0 {
            self.open.remove(&address);
        }
    }

    /// A connection begins. `Some`: it goes on with the bucket of one that has ended.
    pub(crate) fn begin(&mut self, source: Source, now: Duration) -> Option<Bucket> {
        let limit = self.flood.filter(|_| self.is_on)?;
        let used = self.uses.get(&source, now)?;
        used.pour(limit, now);
        let (_, tokens) = used.left.pop_back()?;
        let lacks = (1.0 - tokens).max(0.0);
        if lacks == 0.0 {
            return Some(Bucket { tokens, asked_for: 0.0, wait: Duration::ZERO });
        }
        // It is greeted when it may say a line. Many may have been let in at once, before the first
        // of them is here: those who come later do not wait for all of them. They are greeted before
        // their line has come, and ask for it when they say it.
        let asked_for = used.promise_soon(lacks, limit, now);
        let (tokens, wait) = (tokens + asked_for, used.promised.saturating_sub(now));
        Some(Bucket { tokens, asked_for, wait })
    }

    /// A connection that began with a full bucket is broken: its client had closed it before it was
    /// served. It was open together with others only because it had to wait for its turn, so all
    /// of these go on with one bucket. `None`: nothing is left in it.
    pub(crate) fn serve_gone(&mut self, address: ClientAddress, now: Duration) -> Option<Bucket> {
        let limit = self.flood?;
        let gone = &mut self.uses.entry(Source::Address(address), now).gone;
        let tokens = limit.burst - gone.level(limit.per_second, now);
        gone.level += tokens.max(0.0);
        let bucket = Bucket { tokens, asked_for: 0.0, wait: Duration::ZERO };
        (tokens >= 1.0).then_some(bucket)
    }

    /// A client has closed their side. Their bucket is left to whoever comes next.
    pub(crate) fn leave(&mut self, source: Source, left: Bucket, now: Duration) {
        if let Some(limit) = self.flood {
            self.uses.entry(source, now).leave(left, limit, now);
        }
    }

    /// A connection ends. Returns whether many do at its source: then they are counted in the log.
    pub(crate) fn end(&mut self, source: Source, ended: Ended, now: Duration) -> bool {
        if !self.is_on {
            return false;
        }
        let is_young = ended.age < YOUNG;
        if (ended.age >= STAYED || ended.was_named)
            && ended.left_to != LeftTo::Gone
            && let Some(open) = self.open.get(&ended.address)
        {
            self.uses.entry(Source::Address(ended.address), now).note_open(*open, now);
        }
        let used = self.uses.entry(source, now);
        if let (Some(limit), Some(mut left)) = (self.flood, ended.bucket) {
            let spent = if ended.was_named && is_young { COMING_AND_GOING } else { 0.0 };
            left.tokens -= spent;
            match ended.left_to {
                LeftTo::Next => used.leave(left, limit, now),
                LeftTo::Gone => used.gone.level -= left.tokens,
                LeftTo::NextAlready => {
                    used.take_back(left.asked_for, limit, now);
                    used.promise_soon(spent, limit, now);
                }
            }
        }
        let (short, most) = (used.short(now), used.short_max());
        if is_young && matches!(source, Source::Address(_)) {
            // Many may end at once: nobody has to wait much longer for that.
            used.short.level = (short + 1.0).min(most + CROWDED);
        }
        short >= CROWDED
    }

    /// The client, who was counted as `before`, has proved to own `account`. Returns
    /// the bucket with which they go on, if there is one.
    pub(crate) fn prove(
        &mut self,
        before: Source,
        account: AccountId,
        left: Bucket,
        now: Duration,
    ) -> Option<Bucket> {
        let limit = self.flood.filter(|_| self.is_on)?;
        let is_full = left.tokens >= limit.burst - LOG_IN_LINES;
        if !is_full || matches!(before, Source::Account(_)) {
            self.uses.entry(before, now).leave(left, limit, now);
        }
        self.begin(Source::Account(account), now)
    }

    /// A client whose bucket is not filled by itself asks for lines. Returns how long to wait.
    pub(crate) fn ask_for(&mut self, source: Source, lines: f64, now: Duration) -> Duration {
        match self.flood {
            Some(limit) => self.uses.entry(source, now).promise(lines, limit, now),
            None => Duration::ZERO,
        }
    }

    /// Counts a name that was refused. Returns how long its client has to wait.
    pub(crate) fn refuse_name(&mut self, address: ClientAddress, now: Duration) -> Duration {
        if !self.is_on {
            return Duration::ZERO;
        }
        let names = &mut self.uses.entry(Source::Address(address), now).names;
        let most = NAMES_FREE + NAMES_WAIT_MAX.as_secs_f64() * NAMES_PER_SECOND;
        names.level = (names.level(NAMES_PER_SECOND, now) + 1.0).min(most);
        Duration::from_secs_f64((names.level - NAMES_FREE).max(0.0) / NAMES_PER_SECOND)
    }

    /// Whether comings and goings at this address are counted in the log; and whether it is to be
    /// found out of the client that comes if they are gone already.
    pub(crate) fn crowding(&mut self, address: ClientAddress, now: Duration) -> (bool, bool) {
        let used = self.uses.entry(Source::Address(address), now);
        used.begun.level = used.begun.level(DOUBTED, now) + 1.0;
        (used.short(now) >= CROWDED, used.begun.level >= DOUBTED)
    }

    /// Counts a connection that is refused. Returns whether it has to wait for its end of file, so
    /// that a script which then connects again does so less often.
    pub(crate) fn refuse(&mut self, address: ClientAddress, now: Duration) -> bool {
        if !self.is_on {
            return false;
        }
        let refused = &mut self.uses.entry(Source::Address(address), now).refused;
        refused.level = (refused.level(REFUSED_FREE / 60.0, now) + 1.0).min(2.0 * REFUSED_FREE);
        refused.level > REFUSED_FREE
    }
}

#[cfg(test)]
mod tests;
