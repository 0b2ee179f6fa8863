//! Who has a place, and who may try for one of those that are kept for an administrator. No I/O and
//! no clock: times count from any fixed point.
//!
//! Whoever finds no place waits for one, for a few seconds at most, in the order in which they came.
//! So a class that was thrown out and comes back at once is let in as the places are left; and
//! somebody who stays connected does not lose the race for a place to scripts that come and go.
//!
//! A full server keeps a few places for an administrator. Who is one shows only when they have given
//! a password, so several may try at once; and who takes long gives way to who comes later. A script
//! that holds on to these places keeps nobody out.

use super::{address::ClientAddress, event::ClientId};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::VecDeque, time::Duration};

/// Places kept for an administrator beyond the ordinary ones, because a full server may need one: enough
/// that four scripts and a mistyped name leave some free.
pub const RESERVED: usize = 8;
/// Who has tried for this time gives way to whoever comes: a client that logs in by itself takes a
/// fraction of it.
const TURN: Duration = Duration::from_secs(2);
/// Who has tried for this time gives way to an address that has fewer clients there. (Before, their
/// thread is perhaps not ready to be hung up.)
const READY: Duration = Duration::from_millis(100);
/// Who finds a full server waits for this time before they try for an administrator's place, and
/// anew when somebody leaves: a class that is thrown out leaves one after the other. On a machine
/// with a load of 50 the first of 256 threads took more than 0.5 s for it.
const MOMENT: Duration = Duration::from_secs(1);
/// Who finds no place waits for this time: in it, every place for an administrator that a script
/// holds is given away once.
const PATIENCE: Duration = Duration::from_secs(3);

/// The place of a client that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One of the ordinary places.
    Ordinary,
    /// One of those for an administrator. Perhaps this client has to give way, and is hung up.
    Reserved(Option<ClientId>),
    /// There is none yet. Ask again soon, or give up.
    Wait,
    /// There is none, and this client has waited for long enough.
    None,
}

/// How far a client has come that tries for an administrator's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Trial {
    /// They have not said who they are.
    Silent,
    /// They have given an administrator's name, and are asked for the password.
    Named,
    /// They are an administrator.
    Admitted,
    /// They have come back, and have the next ordinary place that is left: usually that of their own
    /// old connection.
    CameBack,
    /// They had to give way.
    Leaving,
}

/// Every place.
#[derive(Serialize, Deserialize)]
pub(crate) struct Places {
    most: usize,
    ordinary: usize,
    reserved: Vec<Reserved>,
    /// When an ordinary place was last left.
    left_at: Duration,
    /// Who waits for a place, and since when; who came first, first.
    #[serde(skip)]
    waiting: VecDeque<(ClientId, Duration)>,
}

#[derive(Serialize, Deserialize)]
struct Reserved {
    client: ClientId,
    address: ClientAddress,
    since: Duration,
    trial: Trial,
}

impl Places {
    /// `most`: the ordinary ones.
    pub(crate) fn new(most: usize) -> Places {
        let (reserved, left_at, waiting) = (Vec::new(), Duration::ZERO, VecDeque::new());
        Places { most, ordinary: 0, reserved, left_at, waiting }
    }

    /// Takes up other places, of which these clients were handed over.
    #[cfg(target_os = "linux")] // nothing is handed over elsewhere
    pub(crate) fn go_on(&mut self, other: Places, clients: &[ClientId]) {
        self.reserved = other.reserved;
        self.reserved.retain(|one| clients.contains(&one.client));
        self.ordinary = clients.len() - self.reserved.len();
    }

    /// Whether whoever comes now can only try for an administrator's place.
    pub(crate) fn is_full(&self) -> bool {
        self.ordinary >= self.most
    }

    /// Whether this client tries for an administrator's place.
    pub(crate) fn is_reserved(&self, client: ClientId) -> bool {
        self.reserved.iter().any(|one| one.client == client)
    }

    fn is_being_left(&self, now: Duration) -> bool {
        now.saturating_sub(self.left_at) < MOMENT
    }

    /// Gives a place to a client that comes, or that waits.
    pub(crate) fn take(
        &mut self,
        client: ClientId,
        address: ClientAddress,
        now: Duration,
    ) -> Place {
        let turn = self.waiting.iter().position(|(other, _)| *other == client);
        let waited = turn.map_or(Duration::ZERO, |i| now.saturating_sub(self.waiting[i].1));
        let is_next = turn.unwrap_or(self.waiting.len()) == 0;
        let place = match self.find(address, now, is_next, waited) {
            Some(place) => place,
            None if waited < PATIENCE => Place::Wait,
            None => Place::None,
        };
        match (place, turn) {
            (Place::Wait, Some(_)) => return place,
            (Place::Wait, None) => self.waiting.push_back((client, now)),
            (_, Some(_)) => self.give_up(client),
            (_, None) => {}
        }
        match place {
            Place::Ordinary => self.ordinary += 1,
            Place::Reserved(_) => {
                self.reserved.push(Reserved { client, address, since: now, trial: Trial::Silent });
            }
            Place::Wait | Place::None => {}
        }
        place
    }

    /// A place for somebody who has `waited`, and whose turn it is if they are `next`.
    fn find(
        &mut self,
        address: ClientAddress,
        now: Duration,
        is_next: bool,
        waited: Duration,
    ) -> Option<Place> {
        if !self.is_full() {
            return is_next.then_some(Place::Ordinary);
        }
        if waited < MOMENT || self.is_being_left(now) {
            return None;
        }
        let taken = self.reserved.iter().filter(|one| one.trial != Trial::Leaving).count();
        if taken < RESERVED {
            return is_next.then_some(Place::Reserved(None));
        }
        // Those who wait are asked in their order, so somebody before them had no right to it.
        let gives_way = self.who_gives_way(address, now)?;
        self.reserved[gives_way].trial = Trial::Leaving;
        Some(Place::Reserved(Some(self.reserved[gives_way].client)))
    }

    /// The client does not wait any longer.
    pub(crate) fn give_up(&mut self, client: ClientId) {
        self.waiting.retain(|(other, _)| *other != client);
    }

    /// The client has gone.
    pub(crate) fn leave(&mut self, client: ClientId, now: Duration) {
        match self.reserved.iter().position(|one| one.client == client) {
            Some(i) => drop(self.reserved.remove(i)),
            None => {
                self.ordinary = self.ordinary.saturating_sub(1);
                self.left_at = now;
                self.move_up();
            }
        }
    }

    /// Gives an ordinary place to whoever has come back, if one is free.
    fn move_up(&mut self) {
        let back = self.reserved.iter().position(|one| one.trial == Trial::CameBack);
        if let Some(i) = back.filter(|_| !self.is_full()) {
            self.reserved.remove(i);
            self.ordinary += 1;
        }
    }

    /// Notes how far a client has come.
    pub(crate) fn note(&mut self, client: ClientId, trial: Trial) {
        if let Some(one) = self.reserved.iter_mut().find(|one| one.client == client) {
            one.trial = one.trial.max(trial);
        }
        self.move_up();
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

    /// They have come a moment ago, and ask again now.
    fn take(places: &mut Places, client: ClientId, from: ClientAddress, now: Duration) -> Place {
        assert_eq!(places.take(client, from, now.saturating_sub(MOMENT)), Place::Wait);
        let place = places.take(client, from, now);
        places.give_up(client);
        place
    }

    /// A full server at which scripts from address 1 hold every place for an administrator.
    fn full() -> Places {
        let mut places = Places::new(2);
        assert_eq!(places.take(1, address(9), ms(0)), Place::Ordinary);
        assert_eq!(places.take(2, address(9), ms(0)), Place::Ordinary);
        for i in 0..RESERVED as u64 {
            assert_eq!(take(&mut places, 10 + i, address(1), ms(1_000 + i)), Place::Reserved(None));
        }
        places
    }

    #[test]
    fn who_has_tried_for_two_seconds_gives_way() {
        let mut places = full();
        assert_eq!(take(&mut places, 30, address(1), ms(2_999)), Place::Wait);
        assert_eq!(take(&mut places, 31, address(1), ms(3_000)), Place::Reserved(Some(10)));
        assert_eq!(take(&mut places, 32, address(1), ms(3_000)), Place::Wait, "they are younger");
        places.leave(10, ms(3_000));
        assert_eq!(take(&mut places, 33, address(1), ms(3_001)), Place::Reserved(Some(11)));
    }

    #[test]
    fn who_has_given_a_name_gives_way_after_those_who_have_not_and_an_administrator_never() {
        let mut places = full();
        places.note(10, Trial::Named);
        places.note(11, Trial::Admitted);
        let mut comes = |i: u64| take(&mut places, 40 + i, address(1), ms(3_100));
        let gone: Vec<Place> = (0..8).map(&mut comes).collect();
        let displaced = [12, 13, 14, 15, 16, 17, 10].map(|client| Place::Reserved(Some(client)));
        assert_eq!(gone[..7], displaced);
        assert_eq!(gone[7], Place::Wait, "all others have just come, and 11 stays");
    }

    #[test]
    fn an_address_that_has_many_gives_way_at_once_to_one_that_has_none() {
        let mut places = full();
        assert_eq!(
            take(&mut places, 50, address(2), ms(1_060)),
            Place::Wait,
            "they have just come"
        );
        assert_eq!(take(&mut places, 51, address(2), ms(1_100)), Place::Reserved(Some(10)));
        assert_eq!(take(&mut places, 52, address(1), ms(1_200)), Place::Wait, "not the other way");
    }

    #[test]
    fn an_address_that_has_one_more_does_not_give_way_at_once() {
        let mut places = Places::new(0);
        for (i, host) in [1, 1, 1, 2, 2, 3, 3, 3].into_iter().enumerate() {
            assert_eq!(
                take(&mut places, i as u64, address(host), ms(1_000)),
                Place::Reserved(None)
            );
        }
        assert_eq!(take(&mut places, 50, address(2), ms(2_999)), Place::Wait);
        assert_eq!(take(&mut places, 51, address(2), ms(3_000)), Place::Reserved(Some(0)));
    }

    #[test]
    fn places_that_are_handed_over_are_those_of_the_clients_that_are() {
        let mut before = full();
        assert!(before.is_reserved(10) && !before.is_reserved(1));
        before.give_up(1);
        let mut places = Places::new(3);
        places.go_on(before, &[1, 2, 10]);
        assert!(places.is_reserved(10) && !places.is_reserved(11));
        assert_eq!(places.take(60, address(3), ms(9_000)), Place::Ordinary);
        assert!(places.is_full(), "1, 2 and 60; 10 has another place");
    }

    #[test]
    fn a_place_that_is_left_is_free() {
        let mut places = full();
        places.leave(1, ms(2_000));
        assert_eq!(places.take(60, address(1), ms(3_000)), Place::Ordinary);
        places.leave(12, ms(3_000));
        assert_eq!(take(&mut places, 61, address(1), ms(3_000)), Place::Reserved(None));
    }

    /// Each comes back through a place for an administrator, whichever connection is seen first.
    #[test]
    fn whoever_comes_back_has_the_place_of_their_old_connection() {
        let mut places = Places::new(2);
        (0..2).for_each(|i| assert_eq!(places.take(i, address(1), ms(0)), Place::Ordinary));
        for i in 0..3 * RESERVED as u64 {
            let now = ms(1_000 * (i + 1));
            assert_eq!(take(&mut places, i + 2, address(1), now), Place::Reserved(None));
            if i % 2 == 0 {
                places.note(i + 2, Trial::CameBack);
                places.leave(i, now);
            } else {
                places.leave(i, now);
                places.note(i + 2, Trial::CameBack);
            }
            assert!(places.is_full() && !places.is_reserved(i + 2), "{i}");
        }
        places.leave(24, ms(60_000));
        assert_eq!(places.take(90, address(2), ms(61_000)), Place::Ordinary);
    }

    /// They come back before those that they were before are gone.
    #[test]
    fn a_class_that_is_thrown_out_and_comes_back_at_once_gets_the_places_it_leaves() {
        let mut places = Places::new(40);
        (0..40).for_each(|i| assert_eq!(places.take(i, address(1), ms(0)), Place::Ordinary));
        (40..80).for_each(|i| assert_eq!(places.take(i, address(1), ms(50)), Place::Wait));
        for i in 0..40 {
            places.leave(i, ms(55));
            assert_eq!(places.take(100, address(2), ms(60)), Place::Wait, "whoever comes is last");
            let placed = (40..80).filter(|j| places.take(*j, address(1), ms(60)) != Place::Wait);
            assert_eq!(placed.collect::<Vec<_>>(), [40 + i], "in their order");
            places.give_up(100);
        }
    }

    #[test]
    fn while_places_are_being_left_nobody_tries_for_an_administrators() {
        let mut places = Places::new(2);
        (0..2).for_each(|i| assert_eq!(places.take(i, address(1), ms(0)), Place::Ordinary));
        (2..4).for_each(|i| assert_eq!(places.take(i, address(1), ms(900)), Place::Wait));
        places.leave(0, ms(1_050));
        assert_eq!(places.take(2, address(1), ms(1_060)), Place::Ordinary);
        assert_eq!(places.take(3, address(1), ms(2_049)), Place::Wait, "one may follow");
        assert_eq!(places.take(3, address(1), ms(2_050)), Place::Reserved(None));
    }

    #[test]
    fn whoever_stays_is_before_scripts_that_come_and_go_and_waits_for_three_seconds_at_most() {
        let mut places = full();
        assert_eq!(places.take(70, address(1), ms(1_100)), Place::Wait);
        places.leave(10, ms(1_200)); // a script goes, and another one is here at once
        assert_eq!(places.take(20, address(1), ms(2_100)), Place::Wait);
        assert_eq!(places.take(70, address(1), ms(2_100)), Place::Reserved(None));
        places.give_up(20);
        (11..18).chain([70]).for_each(|client| places.note(client, Trial::Admitted));
        assert_eq!(places.take(71, address(1), ms(3_000)), Place::Wait);
        assert_eq!(places.take(71, address(1), ms(5_999)), Place::Wait);
        assert_eq!(places.take(71, address(1), ms(6_000)), Place::None);
        assert_eq!(places.take(71, address(1), ms(6_001)), Place::Wait, "it has to come again");
    }
}
