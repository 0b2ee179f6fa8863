//! Forgetting: what is older than `--history-days` is deleted, a piece at a time. Runs on thread
//! `historian`.
//!
//! What is deleted for its age is gone, so the time has to be right. After a start, and when somebody
//! has set the clock, nothing is deleted until nobody has set it for ten minutes ([`AGREEMENT`]), and
//! the newest line from before is not too old itself: if it is, then perhaps the server was off for
//! long, but perhaps the clock is wrong, and then everything would be lost. A person has to decide
//! that, with `chatd history prune`. (What is too old is told by nobody, whether it is deleted or
//! not: see `RoomsConfig::told_from`.)

use super::{handle::StoreConfig, shrinking::Shrinking};
use crate::{
    core::record::LineId,
    server::clock::{Agreement, Clock},
    store::{PRUNE_CHUNK, Store, StoreError},
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long after a round, in which all is deleted that is too old, the next one begins. The log has
/// one line for each.
const ROUND_EVERY: Duration = Duration::from_hours(1);
/// A round ends behind this number of lines that are not too old. Behind them there are more only if
/// the clock was wrong when these were said.
const YOUNG_MAX: usize = 10_000;
/// How often it is noted who is here with a token: after a crash they may come back for ten minutes,
/// or for this time less.
const PRESENCE_EVERY: Duration = Duration::from_mins(1);
/// The longest that a server is off, in a school: if the newest line is older than this at the start,
/// the clock is doubted, whatever is said then.
const OFF_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);

/// What is forgotten, and when.
pub(super) struct Pruning {
    pub(super) clock: Clock,
    /// `--history-days`; `None`: nothing that was said is ever forgotten.
    days: Option<u32>,
    started: Timestamp,
    /// The uptime at which it is noted next who is here.
    next_presence: Duration,
    /// For the command that a person is told.
    file: String,
    /// Since which setting of the clock the rest is known; `None`: it is not.
    jumps: Option<u64>,
    /// When the newest line was said that the file had then.
    newest: Option<Timestamp>,
    permission: Permission,
    /// The uptime at which the next round begins.
    next_round: Duration,
    /// How far this round has come.
    round: Round,
    /// The bound on the size.
    shrinking: Shrinking,
}

/// Whether anything may be deleted for its age.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Permission {
    NotYet,
    /// A person is asked to look.
    Asked,
    Given,
}

struct Round {
    /// The last line that was looked at.
    at: LineId,
    deleted: usize,
    /// Lines that were not too old.
    young: usize,
}

impl Default for Round {
    fn default() -> Round {
        Round { at: LineId::MIN, deleted: 0, young: 0 }
    }
}

impl Pruning {
    pub(super) fn new(config: &StoreConfig, clock: Clock) -> Pruning {
        Pruning {
            started: clock.now(),
            next_presence: Duration::ZERO,
            clock,
            days: config.history_days,
            file: config.file.as_deref().map(|file| file.display().to_string()).unwrap_or_default(),
            jumps: None,
            newest: None,
            permission: Permission::NotYet,
            next_round: Duration::ZERO,
            round: Round::default(),
            shrinking: Shrinking::new(config.history_max),
        }
    }

    /// Deletes one piece of what is too much, or gives one piece of free space back. Returns whether
    /// there may be more.
    pub(super) fn shrink(&mut self, store: &mut Store) -> Result<bool, StoreError> {
        self.shrinking.go_on(store, self.clock.look().uptime)
    }

    /// Whether lines were deleted for the size, and that is to be told now.
    pub(super) fn has_shrunk(&mut self) -> bool {
        self.shrinking.take_news()
    }

    /// Before anybody says anything.
    pub(super) fn prepare_to_shrink(&self, store: &Store) {
        self.shrinking.prepare(store);
    }

    /// Notes what there was before the clock was set, or the server started.
    pub(super) fn look_at(&mut self, store: &Store) -> Result<Agreement, StoreError> {
        let found = self.clock.look();
        if self.jumps != Some(found.jumps) {
            self.end_round(found.uptime);
            (self.newest, self.next_round) = (store.newest()?, Duration::ZERO);
            (self.jumps, self.permission) = (Some(found.jumps), Permission::NotYet);
        }
        Ok(found)
    }

    /// Deletes one piece of what is too old. Returns whether there may be more.
    pub(super) fn forget_some(&mut self, store: &mut Store) -> Result<bool, StoreError> {
        let found = self.look_at(store)?;
        if found.uptime >= self.next_presence {
            self.note_presence(store, found)?;
        }
        if !found.is_long || found.uptime < self.next_round || !self.may_forget(store, found)? {
            return Ok(false);
        }
        let limit = self.days.and_then(|days| found.now.checked_sub(length(days)).ok());
        let piece = match limit {
            Some(before) => store.prune(self.round.at, before, PRUNE_CHUNK)?,
            None => None,
        };
        if let Some(piece) = piece {
            self.round.at = piece.last;
            self.round.deleted += piece.deleted;
            self.round.young += PRUNE_CHUNK.saturating_sub(piece.deleted);
        }
        let goes_on = piece.is_some() && self.round.young < YOUNG_MAX;
        if !goes_on {
            store.prune_sanctions(found.now)?;
            self.end_round(found.uptime);
        }
        Ok(goes_on)
    }

    /// Notes who is here with a token, and forgets the tokens that are not good any more.
    pub(super) fn note_presence(
        &mut self,
        store: &mut Store,
        found: Agreement,
    ) -> Result<(), StoreError> {
        store.note_presence(self.started, found.now)?;
        self.next_presence = found.uptime + PRESENCE_EVERY;
        Ok(())
    }

    fn may_forget(&mut self, store: &Store, found: Agreement) -> Result<bool, StoreError> {
        if self.permission == Permission::Given {
            return Ok(true);
        }
        let limit = self.days.map_or(OFF_MAX, length);
        let is_given = match self.newest.map(|newest| found.now.duration_since(newest)) {
            None => true,
            Some(age) if age <= limit => true,
            // The server was off. Somebody talks again, and nobody has set the clock.
            Some(age) if age <= OFF_MAX && found.jumps == 0 => {
                store.newest()?.is_some_and(|newest| found.now.duration_since(newest) <= limit)
            }
            Some(_) => false,
        };
        // Or nothing is too old, perhaps because somebody has deleted it by hand.
        let is_young = |oldest| found.now.duration_since(oldest) <= limit;
        let is_given = is_given || store.oldest()?.is_none_or(is_young);
        if is_given {
            self.permission = Permission::Given;
        } else if let (Permission::NotYet, Some(days), Some(newest)) =
            (self.permission, self.days, self.newest)
        {
            self.permission = Permission::Asked;
            let [newest, now] = [newest, found.now].map(|at| at.strftime("%Y-%m-%d %H:%M UTC"));
            log::warn!(
                "all that was said would be forgotten: the newest line is of {newest}, and the clock says {now}. So nothing is, for now. If the clock is right: chatd history prune --days {days} --db {}",
                self.file
            );
        }
        Ok(is_given)
    }

    /// Ends the round, if one has begun, and says what it has deleted.
    pub(super) fn end_round(&mut self, uptime: Duration) {
        let Round { deleted, .. } = std::mem::take(&mut self.round);
        self.next_round = uptime + ROUND_EVERY;
        if let (1.., Some(days)) = (deleted, self.days) {
            log::info!("forgotten: {deleted} lines that were said more than {days} days ago");
        }
    }
}

fn length(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

#[cfg(test)]
mod tests;
