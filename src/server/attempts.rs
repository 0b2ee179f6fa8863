//! How long somebody has to wait before the next password is looked at: longer with each wrong one. Any client's thread
//! asks; the lock is held for a few instructions.
//!
//! Guessing is slowed down twice: for one account, from wherever, and from one address, for whatever accounts. Nobody can
//! be locked out by it: a delay has an end, and an account's delay does not count where its owner has logged in from.

use crate::{core::record::AccountId, lock::Locked};
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::{Duration, Instant},
};

/// Wrong passwords for one account that cost nothing: people mistype.
const FREE_FOR_ACCOUNT: u32 = 3;
/// And from one address: a class behind one router has one address, and mistypes.
const FREE_FROM_SOURCE: u32 = 20;
/// The first delay; it doubles with each wrong password.
const DELAY_FIRST: Duration = Duration::from_secs(1);
/// The longest delay: guessing a thousand passwords takes a night, and waiting for one's own turn not long.
pub const DELAY_MAX: Duration = Duration::from_secs(30);
/// Without a wrong password for so long, all is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);
/// Accounts and addresses that are remembered, each: 10,000 of them are a few MB. The oldest make room.
const REMEMBERED_MAX: usize = 10_000;
/// Addresses of one owner that are remembered: home, the classroom, and some more.
const HOMES_MAX: usize = 8;

/// What is known of failed logins.
pub struct Attempts {
    tally: Locked<Tally>,
}

struct Tally {
    accounts: Recent<AccountId, u32>,
    sources: Recent<String, u32>,
    /// Where an account's owner has logged in from.
    homes: Recent<AccountId, VecDeque<String>>,
}

impl Default for Attempts {
    fn default() -> Attempts {
        let tally = Tally {
            accounts: Recent::new(Some(FORGOTTEN_AFTER)),
            sources: Recent::new(Some(FORGOTTEN_AFTER)),
            homes: Recent::new(None),
        };
        Attempts { tally: Locked::new("the attempts", tally) }
    }
}

impl Attempts {
    /// How long to wait before this attempt to log in is looked at. It counts as a wrong one from now on, until
    /// [`Attempts::succeeded`] says otherwise: so many at once are no way around the delay.
    pub fn delay(&self, source: &str, account: AccountId, now: Instant) -> Duration {
        let mut tally = self.tally.lock();
        let is_home = tally.homes.get(&account, now).is_some_and(|homes| homes.iter().any(|home| home == source));
        let for_account = count(&mut tally.accounts, account, FREE_FOR_ACCOUNT, now);
        let from_source = count(&mut tally.sources, source.to_owned(), FREE_FROM_SOURCE, now);
        if is_home { from_source } else { from_source.max(for_account) }
    }

    /// The password was wrong. It is counted already; the next delay counts from now.
    pub fn failed(&self, source: &str, account: AccountId, now: Instant) {
        let mut tally = self.tally.lock();
        tally.accounts.entry(account, now);
        tally.sources.entry(source.to_owned(), now);
    }

    /// The password was right: the attempt was no wrong one, and from this address it is the account's owner who comes.
    /// What was wrong before stays counted: who guesses could otherwise begin anew by logging in to an account of its own.
    pub fn succeeded(&self, source: &str, account: AccountId, now: Instant) {
        let Tally { accounts, sources, homes } = &mut *self.tally.lock();
        for wrong in [accounts.get(&account, now), sources.get(&source.to_owned(), now)] {
            wrong.into_iter().for_each(|wrong| *wrong = wrong.saturating_sub(1));
        }
        let homes = homes.entry(account, now);
        homes.retain(|home| home != source);
        homes.push_back(source.to_owned());
        if homes.len() > HOMES_MAX {
            homes.pop_front();
        }
    }
}

/// Counts one more, and says how long it has to wait. Who has waited since the last one has done so already.
fn count<K: Hash + Eq>(tally: &mut Recent<K, u32>, key: K, free: u32, now: Instant) -> Duration {
    let since_last = tally.age(&key, now);
    let wrong = tally.entry(key, now);
    let before = std::mem::replace(wrong, wrong.saturating_add(1));
    match before.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => (DELAY_FIRST * 2_u32.pow(over.min(10))).min(DELAY_MAX).saturating_sub(since_last),
    }
}

/// A table that remembers what is recent.
struct Recent<K, V> {
    entries: HashMap<K, (Instant, V)>,
    /// What nobody asked for in so long is forgotten.
    forgotten_after: Option<Duration>,
}

impl<K: Hash + Eq, V: Default> Recent<K, V> {
    fn new(forgotten_after: Option<Duration>) -> Self {
        Recent { entries: HashMap::new(), forgotten_after }
    }

    /// How long ago it was last an entry; for ever, if it was none.
    fn age(&self, key: &K, now: Instant) -> Duration {
        self.entries.get(key).map_or(Duration::MAX, |(last, _)| now.saturating_duration_since(*last))
    }

    fn is_forgotten(&self, age: Duration) -> bool {
        self.forgotten_after.is_some_and(|after| age >= after)
    }

    /// What is remembered of it.
    fn get(&mut self, key: &K, now: Instant) -> Option<&mut V> {
        let is_forgotten = self.is_forgotten(self.age(key, now));
        self.entries.get_mut(key).filter(|_| !is_forgotten).map(|(_, value)| value)
    }

    /// What is remembered of it, or a new one; from now on it is recent.
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

    /// Forgets the older half: that is done once for thousands of entries, and costs each of them next to nothing.
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

    /// The delays, in seconds, of so many wrong passwords, each tried as soon as the last one was found wrong.
    fn delays(attempts: &Attempts, source: &str, account: AccountId, now: &mut Instant, count: usize) -> Vec<u64> {
        let wrong = |_| {
            let delay = attempts.delay(source, account, *now);
            *now += delay;
            attempts.failed(source, account, *now);
            delay.as_secs()
        };
        (0..count).map(wrong).collect()
    }

    #[test]
    fn each_wrong_password_doubles_the_delay_up_to_a_bound() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        let expected = [0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30];
        assert_eq!(delays(&attempts, "a", 1, &mut now, 11), expected);
        assert_eq!(delays(&attempts, "b", 1, &mut now, 1), [30], "from wherever");
        assert_eq!(delays(&attempts, "b", 2, &mut now, 1), [0], "another account");
        assert!(delays(&attempts, "b", 1, &mut now, 10_000).iter().all(|seconds| *seconds <= 30));
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_down() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        let all: Vec<u64> = (0..24).flat_map(|account| delays(&attempts, "a", account, &mut now, 1)).collect();
        assert_eq!(all[..20], [0; 20]);
        assert_eq!(all[20..], [1, 2, 4, 8]);
        assert_eq!(delays(&attempts, "b", 99, &mut now, 1), [0]);
    }

    #[test]
    fn many_at_once_are_no_way_around() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let seconds: Vec<u64> = (0..8).map(|_| attempts.delay("a", 1, now).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 1, 2, 4, 8, 16]);
    }

    #[test]
    fn who_has_waited_need_not_wait_again() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        delays(&attempts, "a", 1, &mut now, 8);
        now += Duration::from_secs(25);
        assert_eq!(attempts.delay("a", 1, now), Duration::from_secs(5));
    }

    #[test]
    fn a_quarter_of_an_hour_without_a_wrong_one_and_all_is_forgotten() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        delays(&attempts, "a", 1, &mut now, 10);
        now += FORGOTTEN_AFTER;
        assert_eq!(delays(&attempts, "a", 1, &mut now, 4), [0, 0, 0, 1]);
    }

    #[test]
    fn strangers_do_not_slow_the_owner_where_it_has_been() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        attempts.delay("home", 1, now);
        attempts.succeeded("home", 1, now);
        delays(&attempts, "elsewhere", 1, &mut now, 10);
        assert_eq!(attempts.delay("home", 1, now), Duration::ZERO);
        assert_eq!(attempts.delay("new", 1, now), DELAY_MAX, "but so long at most");
        now += 10 * FORGOTTEN_AFTER;
        delays(&attempts, "elsewhere", 1, &mut now, 10);
        assert_eq!(attempts.delay("home", 1, now), Duration::ZERO, "a home stays one");
    }

    #[test]
    fn an_account_of_ones_own_is_no_way_to_begin_anew() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        delays(&attempts, "a", 1, &mut now, 10);
        attempts.delay("a", 2, now);
        attempts.succeeded("a", 2, now);
        assert_eq!(delays(&attempts, "a", 1, &mut now, 1), [30]);
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(attempts.delay("classroom", 1, now), Duration::ZERO);
            attempts.succeeded("classroom", 1, now);
        }
    }

    #[test]
    fn the_tables_are_bounded_and_the_oldest_go() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for i in 0..3 * REMEMBERED_MAX as i64 {
            let now = start + Duration::from_millis(i as u64 / 100);
            attempts.delay(&i.to_string(), i, now);
            attempts.succeeded(&i.to_string(), i, now);
        }
        let tally = attempts.tally.lock();
        let lengths = [tally.accounts.entries.len(), tally.sources.entries.len(), tally.homes.entries.len()];
        assert!(lengths.iter().all(|length| (REMEMBERED_MAX / 3..=REMEMBERED_MAX).contains(length)), "{lengths:?}");
        assert!(tally.accounts.entries.contains_key(&(3 * REMEMBERED_MAX as i64 - 1)));
        assert!(!tally.accounts.entries.contains_key(&0));
    }
}
