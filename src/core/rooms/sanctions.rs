//! Bans and mutes, by name or by address: who may not enter, and who may not speak.
//!
//! A sanction of a name holds for the account of that name, under whatever name its owner is here,
//! and for whoever has the name ([`Rooms`](super::Rooms) knows who that is).

use crate::core::{
    address::ClientAddress,
    name::NameRule,
    notice::Refusal,
    pairs,
    record::{Change, Sanction, SanctionKind, Target},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most sanctions in force. Each client that enters is looked up among them, and `/bans` lists
/// all.
const SANCTIONS_MAX: usize = 1_000;
/// The most with those that have ended. These are not in force, and not forgotten at once: the clock
/// may be wrong for a moment.
const REMEMBERED_MAX: usize = 2 * SANCTIONS_MAX;

/// Every sanction, by what it forbids and by its target. In these targets, names stand by their
/// keys.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sanctions {
    names: NameRule,
    /// With the same target and kind, the last is in force. There is more than one if look-alikes
    /// are in the file, each in its spelling: from a run without `--unicode-names`.
    #[serde(with = "pairs")]
    rows: BTreeMap<(SanctionKind, Target), Vec<Sanction>>,
}

impl Sanctions {
    pub(super) fn new(names: NameRule) -> Sanctions {
        Sanctions { names, rows: BTreeMap::new() }
    }

    /// Replaces all sanctions by those in the file and by the changes that are not written yet.
    pub(super) fn replace<'a>(
        &mut self,
        sanctions: Vec<Sanction>,
        pending: impl Iterator<Item = &'a Change>,
    ) {
        self.rows.clear();
        for sanction in sanctions {
            self.insert(sanction);
        }
        for change in pending {
            match change {
                Change::Sanctioned(sanction) => self.insert(sanction.clone()),
                Change::SanctionLifted(kind, target) => self.remove(*kind, target),
                _ => {}
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether anybody is muted, perhaps.
    pub(super) fn has_mutes(&self) -> bool {
        // They stand behind the bans.
        self.rows.last_key_value().is_some_and(|((kind, _), _)| *kind == SanctionKind::Mute)
    }

    /// The sanction in force against one of these names (by their keys), or against this address.
    pub(crate) fn in_force<'a>(
        &self,
        kind: SanctionKind,
        mut names: impl Iterator<Item = &'a str>,
        address: Option<ClientAddress>,
        now: Timestamp,
    ) -> Option<&Sanction> {
        let by = |target| {
            let sanctions = self.rows.get(&(kind, target));
            sanctions.and_then(|rows| rows.last()).filter(|sanction| lasts(sanction, now))
        };
        names
            .find_map(|key| by(Target::Name(key.to_owned())))
            .or_else(|| address.and_then(|address| by(Target::Address(address.to_string()))))
    }

    /// Whether `target` means this name (by its key) or this address.
    pub(crate) fn means(&self, target: &Target, name: &str, address: ClientAddress) -> bool {
        match self.key_of(target) {
            Target::Name(key) => key == name,
            Target::Address(banned) => banned == address.to_string(),
        }
    }

    /// Puts a sanction in force, in place of another one of its kind for the same target. Returns
    /// what it replaces that has another spelling: the file keeps that apart.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn impose(
        &mut self,
        sanction: Sanction,
        now: Timestamp,
    ) -> Result<Vec<Target>, Refusal> {
        let key = (sanction.kind, self.key_of(&sanction.target));
        let is_new = !self.rows.get(&key).is_some_and(|rows| has_lasting(rows, now));
        if is_new && self.list(now).count() >= SANCTIONS_MAX {
            return Err(
                format!("There are {SANCTIONS_MAX} bans and mutes, which is the most.").into()
            );
        }
        if self.rows.len() >= REMEMBERED_MAX {
            let ended = self.rows.iter().filter(|(_, rows)| !has_lasting(rows, now));
            let end = |rows: &[Sanction]| rows.last().map(|sanction| sanction.until);
            let first = ended.min_by_key(|(_, rows)| end(rows)).map(|(key, _)| key.clone());
            first.iter().for_each(|key| drop(self.rows.remove(key)));
        }
        let replaced = self.lift(sanction.kind, &sanction.target);
        let is_other = |target: &Target| *target != sanction.target;
        let others =
            replaced.into_iter().map(|replaced| replaced.target).filter(is_other).collect();
        self.insert(sanction);
        Ok(others)
    }

    /// Lifts a sanction, and returns it in every spelling that the file has; nothing: there was
    /// none.
    pub(crate) fn lift(&mut self, kind: SanctionKind, target: &Target) -> Vec<Sanction> {
        self.rows.remove(&(kind, self.key_of(target))).unwrap_or_default()
    }

    /// All that are in force: bans first, sorted by target.
    pub(crate) fn list(&self, now: Timestamp) -> impl Iterator<Item = &Sanction> {
        let in_force = self.rows.values().filter_map(|rows| rows.last());
        in_force.filter(move |sanction| lasts(sanction, now))
    }

    /// Adds a row. The one that lasts longest comes last.
    fn insert(&mut self, sanction: Sanction) {
        let key = (sanction.kind, self.key_of(&sanction.target));
        let rows = self.rows.entry(key).or_default();
        rows.retain(|other| other.target != sanction.target);
        rows.push(sanction);
        rows.sort_by_key(|sanction| sanction.until.unwrap_or(Timestamp::MAX));
    }

    fn remove(&mut self, kind: SanctionKind, target: &Target) {
        let key = (kind, self.key_of(target));
        if let Some(rows) = self.rows.get_mut(&key) {
            rows.retain(|sanction| sanction.target != *target);
            if rows.is_empty() {
                self.rows.remove(&key);
            }
        }
    }

    /// A target as it is looked up.
    fn key_of(&self, target: &Target) -> Target {
        match target {
            Target::Name(name) => {
                let key = self.names.check(name, "name").map(|name| name.key().to_owned());
                Target::Name(key.unwrap_or_else(|_| name.clone()))
            }
            Target::Address(address) => Target::Address(address.clone()),
        }
    }
}

/// The one that lasts longest is the last.
fn has_lasting(rows: &[Sanction], now: Timestamp) -> bool {
    rows.last().is_some_and(|sanction| lasts(sanction, now))
}

fn lasts(sanction: &Sanction, now: Timestamp) -> bool {
    sanction.until.is_none_or(|until| until > now)
}
