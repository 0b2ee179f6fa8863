//! Who has a place, and who may try for one of those that are kept for an administrator. No I/O and
//! no clock: times count from any fixed point.
//!
//! A full server keeps a few places for an administrator. Who is one shows only when they have given
//! a password, so several may try at once; and who takes long gives way to who comes later. A script
//! that holds on to these places keeps nobody out.

use super::{address::ClientAddress, event::ClientId};
use std::{cmp::Reverse, time::Duration};

/// Places kept for an administrator beyond the last one, because a full server may need one: enough
/// that four scripts and a mistyped name leave some free.
pub const RESERVED: usize = 8;
/// Who has tried for this time gives way to whoever comes: a client that logs in by itself takes a
/// fraction of it.
const TURN: Duration = Duration::from_secs(2);
/// Who has tried for this time gives way to an address that has fewer clients there. (Before, their
/// thread is perhaps not ready to be hung up.)
const READY: Duration = Duration::from_millis(100);

/// The place of a client that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One of the ordinary places.
    Ordinary,
    /// One of those for an administrator. Perhaps this client has to give way, and is hung up.
    Reserved(Option<ClientId>),
    /// There is none.
    None,
}

/// How far a client has come that tries for an administrator's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trial {
    /// They have not said who they are.
    Silent,
    /// They have given an administrator's name, and are asked for the password.
    Named,
    /// They are an administrator.
    Admitted,
    /// They had to give way.
    Leaving,
}

/// Every place.
pub(crate) struct Places {
    most: usize,
    ordinary: usize,
    reserved: Vec<Reserved>,
}

struct Reserved {
    client: ClientId,
    address: ClientAddress,
    since: Duration,
    trial: Trial,
}

impl Places {
    /// `most`: the ordinary ones.
    pub(crate) fn new(most: usize) -> Places {
        Places { most, ordinary: 0, reserved: Vec::new() }
    }

    /// Whether whoever comes now can only try for an administrator's place.
    pub(crate) fn is_full(&self) -> bool {
        self.ordinary >= self.most
    }

    /// Gives a place to a client that comes.
    pub(crate) fn take(
        &mut self,
        client: ClientId,
        address: ClientAddress,
        now: Duration,
    ) -> Place {
        if !self.is_full() {
            self.ordinary += 1;
            return Place::Ordinary;
        }
        let taken = self.reserved.iter().filter(|one| one.trial != Trial::Leaving).count();
        let gives_way = match taken < RESERVED {
            true => None,
            false => match self.who_gives_way(address, now) {
                Some(i) => {
                    self.reserved[i].trial = Trial::Leaving;
                    Some(self.reserved[i].client)
                }
                None => return Place::None,
            },
        };
        self.reserved.push(Reserved { client, address, since: now, trial: Trial::Silent });
        Place::Reserved(gives_way)
    }

    /// The client has gone.
    pub(crate) fn leave(&mut self, client: ClientId) {
        match self.reserved.iter().position(|one| one.client == client) {
            Some(i) => drop(self.reserved.remove(i)),
            None => self.ordinary = self.ordinary.saturating_sub(1),
        }
    }

    /// Notes how far a client has come.
    pub(crate) fn note(&mut self, client: ClientId, trial: Trial) {
        if let Some(one) = self.reserved.iter_mut().find(|one| one.client == client) {
            one.trial = one.trial.max(trial);
        }
    }

    /// Who has said nothing, first; then who is not alone at their address; then who has tried for
    /// longest.
    fn who_gives_way(&self, address: ClientAddress, now: Duration) -> Option<usize> {
        let trying = |one: &&Reserved| one.trial < Trial::Admitted;
        let count = |address| {
            self.reserved.iter().filter(trying).filter(|one| one.address == address).count()
        };
        let own = count(address);
        let may_stay = |one: &Reserved| {
            let age = now.saturating_sub(one.since);
            age < TURN && (age < READY || count(one.address) <= own + 1)
        };
        let others = self.reserved.iter().enumerate();
        others
            .filter(|(_, one)| trying(one) && !may_stay(one))
            .min_by_key(|(_, one)| (one.trial, Reverse(count(one.address)), one.since))
            .map(|(i, _)| i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn address(host: u8) -> ClientAddress {
        format!("192.0.2.{host}").parse().unwrap()
    }

    /// A full server at which scripts from address 1 hold every place for an administrator.
    fn full() -> Places {
        let mut places = Places::new(2);
        assert_eq!(places.take(1, address(9), ms(0)), Place::Ordinary);
        assert_eq!(places.take(2, address(9), ms(0)), Place::Ordinary);
        for i in 0..RESERVED as u64 {
            assert_eq!(places.take(10 + i, address(1), ms(i)), Place::Reserved(None));
        }
        places
    }

    #[test]
    fn who_has_tried_for_two_seconds_gives_way() {
        let mut places = full();
        assert_eq!(places.take(30, address(1), ms(1_999)), Place::None);
        assert_eq!(places.take(31, address(1), ms(2_000)), Place::Reserved(Some(10)));
        assert_eq!(places.take(32, address(1), ms(2_000)), Place::None, "the others are younger");
        places.leave(10);
        assert_eq!(places.take(33, address(1), ms(2_001)), Place::Reserved(Some(11)));
    }

    #[test]
    fn who_has_given_a_name_gives_way_after_those_who_have_not_and_an_administrator_never() {
        let mut places = full();
        places.note(10, Trial::Named);
        places.note(11, Trial::Admitted);
        let gone: Vec<Place> = (0..8).map(|i| places.take(40 + i, address(1), ms(2_100))).collect();
        let displaced = [12, 13, 14, 15, 16, 17, 10].map(|client| Place::Reserved(Some(client)));
        assert_eq!(gone[..7], displaced);
        assert_eq!(gone[7], Place::None, "all others have just come, and 11 stays");
    }

    #[test]
    fn an_address_that_has_many_gives_way_at_once_to_one_that_has_none() {
        let mut places = full();
        assert_eq!(places.take(50, address(2), ms(60)), Place::None, "they have just come");
        assert_eq!(places.take(51, address(2), ms(200)), Place::Reserved(Some(10)));
        assert_eq!(places.take(52, address(1), ms(200)), Place::None, "not the other way round");
    }

    #[test]
    fn a_place_that_is_left_is_free() {
        let mut places = full();
        places.leave(1);
        assert_eq!(places.take(60, address(1), ms(3_000)), Place::Ordinary);
        places.leave(12);
        assert_eq!(places.take(61, address(1), ms(3_000)), Place::Reserved(None));
    }
}
