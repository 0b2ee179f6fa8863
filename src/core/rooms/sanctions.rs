//! Bans and mutes, by name or by address: who may not enter, and who may not speak.

use crate::core::{
    address::ClientAddress,
    name::{Name, NameRule},
    notice::Refusal,
    record::{Change, Sanction, SanctionKind, Target},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The most sanctions. Each client that enters is looked up among them, and `/bans` lists all.
const SANCTIONS_MAX: usize = 1_000;

/// Every sanction, by what it forbids and by its target. In these targets, names stand by their
/// keys.
pub(crate) struct Sanctions {
    names: NameRule,
    rows: BTreeMap<(SanctionKind, Target), Sanction>,
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
                Change::SanctionLifted(kind, target) => drop(self.lift(*kind, target)),
                _ => {}
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The sanction in force against this name or this address, if there is one.
    pub(crate) fn in_force(
        &self,
        kind: SanctionKind,
        name: &Name,
        address: Option<ClientAddress>,
        now: Timestamp,
    ) -> Option<&Sanction> {
        let by = |target| self.rows.get(&(kind, target)).filter(|sanction| lasts(sanction, now));
        by(Target::Name(name.key().to_owned()))
            .or_else(|| address.and_then(|address| by(Target::Address(address.to_string()))))
    }

    /// Whether `target` means this name or this address.
    pub(crate) fn is_meant(&self, target: &Target, name: &Name, address: ClientAddress) -> bool {
        match self.key_of(target) {
            Target::Name(key) => key == name.key(),
            Target::Address(banned) => banned == address.to_string(),
        }
    }

    /// Puts a sanction in force, in place of another one of its kind for the same target.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn impose(&mut self, sanction: Sanction, now: Timestamp) -> Result<(), Refusal> {
        self.rows.retain(|_, sanction| lasts(sanction, now));
        let key = (sanction.kind, self.key_of(&sanction.target));
        if self.rows.len() >= SANCTIONS_MAX && !self.rows.contains_key(&key) {
            return Err(
                format!("There are {SANCTIONS_MAX} bans and mutes, which is the most.").into()
            );
        }
        self.insert(sanction);
        Ok(())
    }

    /// Lifts a sanction, and returns it; `None`: there was none.
    pub(crate) fn lift(&mut self, kind: SanctionKind, target: &Target) -> Option<Sanction> {
        self.rows.remove(&(kind, self.key_of(target)))
    }

    /// All that are in force: bans first, sorted by target.
    pub(crate) fn list(&self, now: Timestamp) -> impl Iterator<Item = &Sanction> {
        self.rows.values().filter(move |sanction| lasts(sanction, now))
    }

    fn insert(&mut self, sanction: Sanction) {
        self.rows.insert((sanction.kind, self.key_of(&sanction.target)), sanction);
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

fn lasts(sanction: &Sanction, now: Timestamp) -> bool {
    sanction.until.is_none_or(|until| until > now)
}
