//! How long a client has to wait before their next password is compared: longer with each wrong
//! one. Any client's thread asks; the lock is held for a few instructions.
//!
//! Guessing is slowed down twice: for one account, from any address; and from one address, for any
//! account. Nobody can be locked out of their account from elsewhere. Each address waits for an
//! account's delay on its own, so further guesses do not restart another address's wait. An address
//! from which the owner has logged in does not wait for it at all.

use crate::{core::address::ClientAddress, lock::Locked};
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::{Duration, Instant},
};

/// The number of wrong passwords for one account that cost nothing: people mistype.
const FREE_FOR_ACCOUNT: u32 = 3;
/// The same from one address: a whole class may share one address, behind one router.
const FREE_FROM_ADDRESS: u32 = 20;
/// The first delay; it doubles with each wrong password.
const DELAY_FIRST: Duration = Duration::from_secs(1);
/// The longest delay: well below the time that a client has for a login, so that no guesser locks
/// the owner out; and still no more than two guesses in this time at one name from one address (the
/// two that have a turn, see `Hasher`): 21,600 a day.
const DELAY_MAX: Duration = Duration::from_secs(8);
/// Wrong passwords are forgotten after this time without another one.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);
/// The most accounts that are remembered, and the most addresses: 10,000 of them are a few MB (if
/// every name that was tried is as long as a line: 20 MB). The
/// older half makes room.
const REMEMBERED_MAX: usize = 10_000;
/// The most addresses of one owner that are remembered: home, the classroom, and some more.
const HOMES_MAX: usize = 8;

/// What is known of failed logins.
pub(crate) struct Throttle {
    tally: Locked<Tally>,
}

struct Tally {
    /// Wrong passwords by name, whether the name has an account or not: both look alike from
    /// outside.
    names: Recent<String, u32>,
    addresses: Recent<ClientAddress, u32>,
    /// Since when an address waits to try a name: since it first tried, or since it was last wrong.
    waits: Recent<(String, ClientAddress), Option<Instant>>,
    /// Where a name's owner has logged in from.
    homes: Recent<String, VecDeque<ClientAddress>>,
}

impl Default for Throttle {
    fn default() -> Throttle {
        let tally = Tally {
            names: Recent::new(Some(FORGOTTEN_AFTER)),
            addresses: Recent::new(Some(FORGOTTEN_AFTER)),
            waits: Recent::new(Some(FORGOTTEN_AFTER)),
            homes: Recent::new(None),
        };
        Throttle { tally: Locked::new("the throttle", tally) }
    }
}

impl Throttle {
    /// How long an attempt to log in has to wait, from `now`.
    pub(crate) fn delay(&self, address: ClientAddress, name: &str, now: Instant) -> Duration {
        let Tally { names, addresses, waits, homes } = &mut *self.tally.lock();
        let name = name.to_owned();
        let is_home = homes.get(&name, now).is_some_and(|homes| homes.contains(&address));
        let for_name =
            if is_home { Duration::ZERO } else { names.cost(&name, FREE_FOR_ACCOUNT, now) };
        let cost = for_name.max(addresses.cost(&address, FREE_FROM_ADDRESS, now));
        if cost.is_zero() {
            return cost;
        }
        // Each address waits on its own: further guesses must not restart everybody else's wait.
        let since = *waits.entry((name, address), now).get_or_insert(now);
        cost.saturating_sub(now.saturating_duration_since(since))
    }

    /// Counts a wrong password.
    pub(crate) fn failed(&self, address: ClientAddress, name: &str, now: Instant) {
        let Tally { names, addresses, waits, .. } = &mut *self.tally.lock();
        *waits.entry((name.to_owned(), address), now) = Some(now);
        for wrong in [names.entry(name.to_owned(), now), addresses.entry(address, now)] {
            *wrong = wrong.saturating_add(1);
        }
    }

    /// Notes a right password: the account's owner comes from this address. Wrong passwords stay
    /// counted: otherwise a guesser could reset the count by logging in to an account of their own.
    pub(crate) fn succeeded(&self, address: ClientAddress, name: &str, now: Instant) {
        let mut tally = self.tally.lock();
        let homes = tally.homes.entry(name.to_owned(), now);
        homes.retain(|home| *home != address);
        homes.push_back(address);
        if homes.len() > HOMES_MAX {
            homes.pop_front();
        }
    }
}

/// A table that remembers what is recent.
struct Recent<K, V> {
    entries: HashMap<K, (Instant, V)>,
    /// An entry that nobody asked for in this time is forgotten.
    forgotten_after: Option<Duration>,
}

impl<K: Hash + Eq> Recent<K, u32> {
    /// The delay that the wrong passwords of an entry cost. The first `free` of them cost nothing.
    fn cost(&mut self, key: &K, free: u32, now: Instant) -> Duration {
        match self.get(key, now).and_then(|wrong| wrong.checked_sub(free)) {
            None => Duration::ZERO,
            Some(over) => (DELAY_FIRST * 2_u32.pow(over.min(10))).min(DELAY_MAX),
        }
    }
}

impl<K: Hash + Eq, V: Default> Recent<K, V> {
    fn new(forgotten_after: Option<Duration>) -> Self {
        Recent { entries: HashMap::new(), forgotten_after }
    }

    /// How long ago an entry was last used; `MAX` if there is none.
    fn age(&self, key: &K, now: Instant) -> Duration {
        self.entries
            .get(key)
            .map_or(Duration::MAX, |(last, _)| now.saturating_duration_since(*last))
    }

    fn is_forgotten(&self, age: Duration) -> bool {
        self.forgotten_after.is_some_and(|after| age >= after)
    }

    fn get(&mut self, key: &K, now: Instant) -> Option<&mut V> {
        let is_forgotten = self.is_forgotten(self.age(key, now));
        self.entries.get_mut(key).filter(|_| !is_forgotten).map(|(_, value)| value)
    }

    /// An entry, or a new one. It is recent from now on.
    fn entry(&mut self, key: K, now: Instant) -> &mut V {
        if self.is_forgotten(self.age(&key, now)) {
            self.entries.remove(&key);
        }
        if self.entries.len() >= REMEMBERED_MAX && !self.entries.contains_key(&key) {
            self.make_room();
        }
        let (last, value) = self.entries.entry(key).or_insert_with(|| (now, V::default()));
        *last = now;
        value
    }

    /// Forgets the older half. That happens once in thousands of entries, so the cost for each is
    /// negligible.
    fn make_room(&mut self) {
        let mut times: Vec<Instant> = self.entries.values().map(|(last, _)| *last).collect();
        let (_, middle, _) = times.select_nth_unstable(REMEMBERED_MAX / 2);
        let middle = *middle;
        self.entries.retain(|_, (last, _)| *last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: u32) -> ClientAddress {
        ClientAddress::of(std::net::Ipv4Addr::from_bits(0x0a00_0000 + host).into())
    }

    /// The delays, in seconds, of this number of wrong passwords, each tried as soon as it may be.
    fn delays(
        attempts: &Throttle,
        host: u32,
        name: &str,
        now: &mut Instant,
        count: usize,
    ) -> Vec<u64> {
        let wrong = |_| {
            let delay = attempts.delay(address(host), name, *now);
            *now += delay;
            assert_eq!(
                attempts.delay(address(host), name, *now),
                Duration::ZERO,
                "who has waited need not wait again"
            );
            attempts.failed(address(host), name, *now);
            delay.as_secs()
        };
        (0..count).map(wrong).collect()
    }

    #[test]
    fn each_wrong_password_doubles_the_delay_up_to_a_bound() {
        let (attempts, mut now) = (Throttle::default(), Instant::now());
        assert_eq!(delays(&attempts, 1, "a", &mut now, 9), [0, 0, 0, 1, 2, 4, 8, 8, 8]);
        assert_eq!(delays(&attempts, 2, "a", &mut now, 1), [8], "from wherever");
        assert_eq!(delays(&attempts, 2, "b", &mut now, 1), [0], "another account");
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_down() {
        let (attempts, mut now) = (Throttle::default(), Instant::now());
        let all: Vec<u64> =
            (0..24).flat_map(|i| delays(&attempts, 1, &format!("n{i}"), &mut now, 1)).collect();
        assert_eq!(all[..20], [0; 20]);
        assert_eq!(all[20..], [1, 2, 4, 8]);
        assert_eq!(delays(&attempts, 2, "z", &mut now, 1), [0]);
    }

    #[test]
    fn a_quarter_of_an_hour_without_a_wrong_one_and_all_is_forgotten() {
        let (attempts, mut now) = (Throttle::default(), Instant::now());
        delays(&attempts, 1, "a", &mut now, 10);
        now += FORGOTTEN_AFTER;
        assert_eq!(delays(&attempts, 1, "a", &mut now, 4), [0, 0, 0, 1]);
    }

    #[test]
    fn strangers_do_not_slow_the_owner_where_it_has_been() {
        let (attempts, mut now) = (Throttle::default(), Instant::now());
        attempts.succeeded(address(1), "a", now);
        delays(&attempts, 2, "a", &mut now, 10);
        assert_eq!(attempts.delay(address(1), "a", now), Duration::ZERO);
        assert_eq!(attempts.delay(address(3), "a", now), DELAY_MAX, "but this long at most");
        now += 10 * FORGOTTEN_AFTER;
        delays(&attempts, 2, "a", &mut now, 10);
        assert_eq!(attempts.delay(address(1), "a", now), Duration::ZERO, "a home stays one");
    }

    #[test]
    fn who_goes_on_guessing_does_not_make_the_owner_begin_anew() {
        let (attempts, mut now) = (Throttle::default(), Instant::now());
        delays(&attempts, 1, "a", &mut now, 10);
        assert_eq!(attempts.delay(address(2), "a", now), DELAY_MAX);
        now += DELAY_MAX; // the guesser has waited, too, and is a little earlier
        assert_eq!(attempts.delay(address(1), "a", now), Duration::ZERO);
        attempts.failed(address(1), "a", now);
        assert_eq!(attempts.delay(address(2), "a", now), Duration::ZERO);
        assert_eq!(attempts.delay(address(1), "a", now), DELAY_MAX, "on however many connections");
    }

    #[test]
    fn who_goes_on_guessing_behind_one_router_does_not_keep_the_others_out() {
        let (attempts, mut now) = (Throttle::default(), Instant::now());
        (0..40).for_each(|i| drop(delays(&attempts, 1, &format!("n{i}"), &mut now, 1)));
        assert_eq!(attempts.delay(address(1), "mine", now), DELAY_MAX);
        for i in 0..16 {
            now += DELAY_MAX / 16;
            attempts.failed(address(1), &format!("m{i}"), now);
        }
        assert_eq!(attempts.delay(address(1), "mine", now), Duration::ZERO);
    }

    #[test]
    fn an_account_of_ones_own_is_no_way_to_begin_anew() {
        let (attempts, mut now) = (Throttle::default(), Instant::now());
        delays(&attempts, 1, "a", &mut now, 10);
        attempts.succeeded(address(1), "mine", now);
        assert_eq!(delays(&attempts, 1, "a", &mut now, 1), [8]);
    }

    #[test]
    fn the_tables_are_bounded_and_the_oldest_go() {
        let (attempts, start) = (Throttle::default(), Instant::now());
        for i in 0..3 * REMEMBERED_MAX as u32 {
            let now = start + Duration::from_millis(u64::from(i) / 100);
            attempts.failed(address(i), &i.to_string(), now);
            attempts.succeeded(address(i), &i.to_string(), now);
        }
        let tally = attempts.tally.lock();
        let lengths = [
            tally.names.entries.len(),
            tally.addresses.entries.len(),
            tally.homes.entries.len(),
            tally.waits.entries.len(),
        ];
        assert!(
            lengths.iter().all(|length| (REMEMBERED_MAX / 3..=REMEMBERED_MAX).contains(length)),
            "{lengths:?}"
        );
        assert!(tally.names.entries.contains_key(&(3 * REMEMBERED_MAX - 1).to_string()));
        assert!(!tally.names.entries.contains_key("0"));
    }
}
