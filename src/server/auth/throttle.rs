//! How long a client has to wait before their next password is compared: longer with each wrong
//! one. Any client's thread asks; the lock is held for a few instructions.
//!
//! Guessing is slowed down three times: for one account, from any address; from one address, for any
//! account; and, once many were wrong from an address, by a turn for each guess from there, so that
//! many at once gain nothing. Nobody can be locked out of their account from elsewhere. Each address
//! waits for an account's delay on its own, so further guesses do not restart another address's
//! wait. At an address from which the owner has logged in or registered, only what was wrong for this account from
//! there counts: neither guesses from elsewhere nor those at others' accounts delay the owner.
//!
//! An attempt counts as wrong from the moment at which it is compared, and no longer if it was right:
//! otherwise two that are compared at once would both be the first.

use super::firsts::{ALL_SAVED_AFTER, Firsts};
use crate::{
    core::{address::ClientAddress, event::ClientId, recent::Recent, record::AccountId},
    lock::{LockKind, Locked},
};
use std::{
    collections::VecDeque,
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
/// the owner out; and still no more than one guess in this time at one name from one address: 10,800
/// a day.
const DELAY_MAX: Duration = Duration::from_secs(8);
/// The turns of an address from which many were wrong: 4 a second, at all names together. More
/// clients than wait for one longest delay wait longer than that.
const TURN: Duration = Duration::from_millis(250);
/// Turns are given this far ahead. Whoever gets none asks again then; a login may take longer.
const TURNS_MAX: Duration = Duration::from_secs(20);
/// Wrong passwords are forgotten after this time without another one.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);
/// The most addresses of one owner that are remembered: home, the classroom, and some more.
const HOMES_MAX: usize = 8;

/// Whose password is tried. A name with an account and one without look alike from outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tried {
    /// An account's, under whatever name its owner goes.
    Account(AccountId),
    /// That of a name without an account, by its key.
    Name(String),
    /// None: the instructor's pairing code.
    Code,
}

impl Tried {
    pub(crate) fn of(name: &str, account: Option<AccountId>) -> Tried {
        account.map_or_else(|| Tried::Name(name.to_owned()), Tried::Account)
    }
}

/// What is known of failed logins.
pub(crate) struct Throttle {
    tally: Locked<Tally>,
    /// Times are counted from here.
    start: Instant,
}

struct Tally {
    /// Wrong passwords by account or name.
    accounts: Recent<Tried, u32>,
    addresses: Recent<ClientAddress, Guesses>,
    /// What an address has tried at an account.
    trials: Recent<(Tried, ClientAddress), Trials>,
    /// First passwords, at an account from one of its owner's addresses; or from all others together,
    /// so that many addresses gain nothing.
    firsts: Recent<(Tried, Option<ClientAddress>), Firsts>,
    /// Where an account's owner has logged in from.
    homes: Recent<Tried, VecDeque<ClientAddress>>,
}

/// Wrong passwords from one address.
#[derive(Default)]
struct Guesses {
    wrong: u32,
    /// Turns are given up to this time.
    turns: Duration,
}

/// Passwords for one account from one address.
#[derive(Default)]
struct Trials {
    wrong: u32,
    /// Since when it waits to try the next one, and for which turn: since it first tried, or since
    /// it last did.
    wait: Option<Wait>,
}

/// An address waits to try an account.
#[derive(Clone, Copy)]
struct Wait {
    since: Duration,
    turn: Option<Duration>,
}

impl Default for Throttle {
    fn default() -> Throttle {
        let tally = Tally {
            accounts: Recent::new(Some(FORGOTTEN_AFTER)),
            addresses: Recent::new(Some(FORGOTTEN_AFTER)),
            trials: Recent::new(Some(FORGOTTEN_AFTER)),
            firsts: Recent::new(Some(ALL_SAVED_AFTER)),
            homes: Recent::new(None),
        };
        Throttle { tally: Locked::new(LockKind::Throttle, tally), start: Instant::now() }
    }
}

impl Throttle {
    fn time(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    /// How long an attempt to log in has to wait, from `now`. If it need not, it counts as wrong
    /// until [`Throttle::succeeded`].
    pub(crate) fn begin(&self, address: ClientAddress, tried: &Tried, now: Instant) -> Duration {
        self.begin_first(address, tried, None, now)
    }

    /// The same for the first password of a connection. It may be compared out of turn.
    pub(crate) fn begin_first(
        &self,
        address: ClientAddress,
        tried: &Tried,
        first: Option<ClientId>,
        now: Instant,
    ) -> Duration {
        let now = self.time(now);
        let Tally { accounts, addresses, trials, firsts, homes } = &mut *self.tally.lock();
        let is_home = homes.get(tried, now).is_some_and(|homes| homes.contains(&address));
        let wrong = accounts.get(tried, now).copied().unwrap_or(0);
        let guesses = addresses.entry(address, now);
        let trials = trials.entry((tried.clone(), address), now);
        let (for_account, from_address) = match is_home {
            true => (cost(trials.wrong, FREE_FOR_ACCOUNT), Duration::ZERO),
            false => (cost(wrong, FREE_FOR_ACCOUNT), cost(guesses.wrong, FREE_FROM_ADDRESS)),
        };
        let delay = for_account.max(from_address);
        let mut is_out_of_turn = false;
        if !delay.is_zero() {
            // Each address waits on its own: further guesses must not restart everybody else's wait.
            let wait = trials.wait.get_or_insert(Wait { since: now, turn: None });
            if !from_address.is_zero() && wait.turn.is_none() {
                let Some(turn) = guesses.take_turn(now) else { return TURNS_MAX };
                wait.turn = Some(turn);
            }
            let until = (wait.since + delay).max(wait.turn.unwrap_or_default());
            let firsts = firsts.entry((tried.clone(), is_home.then_some(address)), now);
            if until > now {
                let has_turn = is_home || from_address.is_zero() || guesses.is_turn_free(now);
                let first = first.filter(|_| has_turn);
                match first.and_then(|client| firsts.ask(client, now)) {
                    Some(Duration::ZERO) => is_out_of_turn = true,
                    Some(wait) => return wait.min(until - now),
                    None => return until - now,
                }
            } else {
                firsts.note_turn(now);
            }
        }
        guesses.wrong = guesses.wrong.saturating_add(1);
        trials.wrong = trials.wrong.saturating_add(1);
        match is_out_of_turn {
            true if !from_address.is_zero() => guesses.turns = guesses.turns.max(now),
            true => {}
            false => trials.wait = Some(Wait { since: now, turn: None }),
        }
        *accounts.entry(tried.clone(), now) += 1;
        Duration::ZERO
    }

    /// Notes a right password: the account's owner comes from this address. Wrong passwords stay
    /// counted: otherwise a guesser could reset the count by logging in to an account of their own.
    pub(crate) fn succeeded(&self, address: ClientAddress, tried: &Tried, now: Instant) {
        let now = self.time(now);
        let Tally { accounts, addresses, trials, homes, .. } = &mut *self.tally.lock();
        if let Some(trials) = trials.get(&(tried.clone(), address), now) {
            trials.wrong = trials.wrong.saturating_sub(1);
        }
        if let Some(wrong) = accounts.get(tried, now) {
            *wrong = wrong.saturating_sub(1);
        }
        if let Some(guesses) = addresses.get(&address, now) {
            guesses.wrong = guesses.wrong.saturating_sub(1);
        }
        note_home(homes.entry(tried.clone(), now), address);
    }

    /// The account's owner comes from this address: they have just made the account.
    pub(crate) fn note_owner(&self, address: ClientAddress, tried: &Tried, now: Instant) {
        let now = self.time(now);
        note_home(self.tally.lock().homes.entry(tried.clone(), now), address);
    }
}

fn note_home(homes: &mut VecDeque<ClientAddress>, address: ClientAddress) {
    homes.retain(|home| *home != address);
    homes.push_back(address);
    if homes.len() > HOMES_MAX {
        homes.pop_front();
    }
}

impl Guesses {
    /// Whether nobody has a turn now, nor has had one just before.
    fn is_turn_free(&self, now: Duration) -> bool {
        self.turns + TURN <= now
    }

    /// The next free turn; `None`: none is free for a long time.
    fn take_turn(&mut self, now: Duration) -> Option<Duration> {
        let turn = (self.turns + TURN).max(now);
        (turn <= now + TURNS_MAX).then(|| {
            self.turns = turn;
            turn
        })
    }
}

/// The delay that wrong passwords cost. The first `free` of them cost nothing.
fn cost(wrong: u32, free: u32) -> Duration {
    match wrong.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => (DELAY_FIRST * 2_u32.pow(over.min(10))).min(DELAY_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: u32) -> ClientAddress {
        ClientAddress::of(std::net::Ipv4Addr::from_bits(0x0a00_0000 + host).into())
    }

    fn named(name: &str) -> Tried {
        Tried::of(name, None)
    }

    /// The delays, in seconds, of this number of wrong passwords, each tried as soon as it may be.
    fn delays(
        throttle: &Throttle,
        host: u32,
        name: &str,
        now: &mut Instant,
        count: usize,
    ) -> Vec<u64> {
        let wrong = |_| {
            let delay = throttle.begin(address(host), &named(name), *now);
            if !delay.is_zero() {
                *now += delay;
                let again = throttle.begin(address(host), &named(name), *now);
                assert_eq!(again, Duration::ZERO, "who has waited need not wait again");
            }
            delay.as_secs()
        };
        (0..count).map(wrong).collect()
    }

    #[test]
    fn each_wrong_password_doubles_the_delay_up_to_a_bound() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        assert_eq!(delays(&throttle, 1, "a", &mut now, 9), [0, 0, 0, 1, 2, 4, 8, 8, 8]);
        assert_eq!(delays(&throttle, 2, "a", &mut now, 1), [8], "from wherever");
        assert_eq!(delays(&throttle, 2, "b", &mut now, 1), [0], "another account");
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_down() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let all: Vec<u64> =
            (0..24).flat_map(|i| delays(&throttle, 1, &format!("n{i}"), &mut now, 1)).collect();
        assert_eq!(all[..20], [0; 20]);
        assert_eq!(all[20..], [1, 2, 4, 8]);
        assert_eq!(delays(&throttle, 2, "z", &mut now, 1), [0]);
    }

    /// Two hundred names on two hundred connections, each tried again as soon as that may be.
    #[test]
    fn many_accounts_at_once_are_no_more_guesses_from_one_address() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let mut next: Vec<Duration> = vec![Duration::ZERO; 200];
        let mut guesses = 0;
        let end = Duration::from_mins(2);
        while let Some((i, at)) = next.iter().copied().enumerate().min_by_key(|&(_, at)| at)
            && at < end
        {
            let wait = throttle.begin(address(1), &named(&format!("n{i}")), start + at);
            guesses += usize::from(wait.is_zero());
            next[i] = at + wait.max(Duration::from_millis(20));
        }
        println!("{guesses} guesses in {end:?}");
        assert!(guesses <= FREE_FROM_ADDRESS as usize + 4 * 120 + 1, "{guesses}");
        assert_eq!(throttle.begin(address(2), &named("else"), start + end), Duration::ZERO);
    }

    /// The same, and each guess is the first of its connection. Many wait as they are told; a few ask all
    /// the time, whether a turn is free.
    #[test]
    fn first_passwords_are_no_more_guesses_from_one_address_either() {
        for (connections, patience) in [(200, TURNS_MAX), (20, Duration::from_millis(100))] {
            let (throttle, start) = (Throttle::default(), Instant::now());
            let mut next: Vec<Duration> = vec![Duration::ZERO; connections];
            let mut guesses = 0;
            let end = Duration::from_mins(2);
            while let Some((i, at)) = next.iter().copied().enumerate().min_by_key(|&(_, at)| at)
                && at < end
            {
                let (tried, first) = (named(&format!("n{}", i % 20)), Some(i as ClientId));
                let wait = throttle.begin_first(address(1), &tried, first, start + at);
                guesses += usize::from(wait.is_zero());
                next[i] = at + wait.min(patience).max(Duration::from_millis(20));
            }
            println!("{guesses} guesses in {end:?}");
            assert!(guesses <= FREE_FROM_ADDRESS as usize + 4 * 120 + 1, "{guesses}");
        }
    }

    /// Guessers at one name who connect anew each time, and the owner, at an address where the owner
    /// has been.
    #[test]
    fn the_owner_does_not_wait_behind_those_who_guess_from_the_same_address() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        throttle.succeeded(address(1), &named("a"), start);
        let (mut client, mut came) = (100, Duration::ZERO);
        let mut clients: Vec<ClientId> = (0..5).collect();
        let mut longest = Duration::ZERO;
        for now in (0..60_000).step_by(100).map(Duration::from_millis) {
            for (i, one) in clients.iter_mut().enumerate() {
                let first = Some(*one);
                if throttle.begin_first(address(1), &named("a"), first, start + now).is_zero() {
                    (*one, client) = (client, client + 1);
                    if i == 4 {
                        throttle.succeeded(address(1), &named("a"), start + now);
                        longest = longest.max(now - came);
                        came = now;
                    }
                }
            }
        }
        assert!(longest < Duration::from_secs(3), "{longest:?}");
        assert!(!came.is_zero());
    }

    #[test]
    fn two_that_are_compared_at_once_are_two_guesses() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        delays(&throttle, 1, "a", &mut now, 8);
        now += DELAY_MAX;
        assert_eq!(throttle.begin(address(1), &named("a"), now), Duration::ZERO);
        assert_eq!(throttle.begin(address(1), &named("a"), now), DELAY_MAX, "in the other turn");
    }

    #[test]
    fn an_account_is_one_under_whatever_name_and_a_class_with_right_passwords_waits_for_nothing() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for (i, nick) in ["zed", "ann", "bob", "eve", "kim"].into_iter().enumerate() {
            let wait = throttle.begin(address(1), &Tried::of(nick, Some(AccountId(7))), now);
            assert_eq!(wait.is_zero(), i < 3, "{nick}: {wait:?}");
        }
        for i in 0..512 {
            let pupil = Tried::of("any", Some(AccountId(100 + i)));
            assert_eq!(throttle.begin(address(2), &pupil, now), Duration::ZERO, "{i}");
            throttle.succeeded(address(2), &pupil, now);
        }
    }

    #[test]
    fn a_quarter_of_an_hour_without_a_wrong_one_and_all_is_forgotten() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        delays(&throttle, 1, "a", &mut now, 10);
        now += FORGOTTEN_AFTER;
        assert_eq!(delays(&throttle, 1, "a", &mut now, 4), [0, 0, 0, 1]);
    }

    #[test]
    fn who_has_just_registered_is_known_there_and_has_no_wrong_passwords_less() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        delays(&throttle, 1, "other", &mut now, 2);
        throttle.note_owner(address(1), &named("a"), now);
        delays(&throttle, 2, "a", &mut now, 10);
        assert_eq!(throttle.begin(address(1), &named("a"), now), Duration::ZERO);
        assert_eq!(delays(&throttle, 1, "other", &mut now, 2), [0, 1]);
    }

    #[test]
    fn strangers_do_not_slow_the_owner_where_it_has_been() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let owner =
            |throttle: &Throttle, host, now| throttle.begin(address(host), &named("a"), now);
        throttle.succeeded(address(1), &named("a"), now);
        delays(&throttle, 2, "a", &mut now, 10);
        assert_eq!(owner(&throttle, 1, now), Duration::ZERO);
        assert_eq!(owner(&throttle, 3, now), DELAY_MAX, "but this long at most");
        now += 10 * FORGOTTEN_AFTER;
        delays(&throttle, 2, "a", &mut now, 10);
        assert_eq!(owner(&throttle, 1, now), Duration::ZERO, "a home stays one");
    }

    /// One script behind the class's router guesses at everybody's name.
    #[test]
    fn a_guesser_behind_the_same_router_does_not_slow_those_who_have_logged_in_from_there() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let names = ["ann", "bob", "cid", "dan", "eve", "zoe"];
        for owner in names {
            assert_eq!(throttle.begin(address(1), &named(owner), now), Duration::ZERO);
            throttle.succeeded(address(1), &named(owner), now);
        }
        (0..60).for_each(|i| drop(delays(&throttle, 1, &format!("n{i}"), &mut now, 1)));
        for _ in 0..10 {
            throttle.begin(address(1), &named("zoe"), now);
        }
        for owner in &names[..5] {
            for again in 0..3 {
                let wait = throttle.begin(address(1), &named(owner), now);
                assert_eq!(wait, Duration::ZERO, "{owner}, {again}");
                throttle.succeeded(address(1), &named(owner), now);
            }
        }
        let mut guesses = 0;
        for _ in 0..60 {
            now += Duration::from_secs(1);
            guesses += usize::from(throttle.begin(address(1), &named("zoe"), now).is_zero());
        }
        assert!(guesses <= 60 / 8 + 4, "no more guesses at one name: {guesses}");
        assert_eq!(throttle.begin(address(1), &named("new"), now), DELAY_MAX, "who has not yet");
    }

    #[test]
    fn who_goes_on_guessing_does_not_make_the_owner_begin_anew() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let wait = |host, now| throttle.begin(address(host), &named("a"), now);
        delays(&throttle, 1, "a", &mut now, 10);
        assert_eq!(wait(2, now), DELAY_MAX);
        now += DELAY_MAX; // the guesser has waited, too, and is a little earlier
        assert_eq!(wait(1, now), Duration::ZERO);
        assert_eq!(wait(2, now), Duration::ZERO);
        assert_eq!(wait(1, now), DELAY_MAX, "on however many connections");
    }

    #[test]
    fn who_goes_on_guessing_behind_one_router_does_not_keep_the_others_out() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        (0..40).for_each(|i| drop(delays(&throttle, 1, &format!("n{i}"), &mut now, 1)));
        assert_eq!(throttle.begin(address(1), &named("mine"), now), DELAY_MAX);
        for i in 0..16 {
            now += DELAY_MAX / 16;
            throttle.begin(address(1), &named(&format!("m{i}")), now);
        }
        assert_eq!(throttle.begin(address(1), &named("mine"), now), Duration::ZERO);
    }

    #[test]
    fn an_account_of_ones_own_is_no_way_to_begin_anew() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        delays(&throttle, 1, "a", &mut now, 10);
        throttle.begin(address(1), &named("mine"), now);
        throttle.succeeded(address(1), &named("mine"), now);
        assert_eq!(delays(&throttle, 1, "a", &mut now, 1), [8]);
    }
}
