//! The first password of a connection, at a name that others guess at from the same address: it is
//! compared out of turn, so that somebody who knows the password does not stand in line behind those
//! who guess. One after the other, those who came first first.
//!
//! What is compared out of turn is taken from what the address saves while nobody guesses there. So
//! in any time it has no more guesses than it has in turn, and [`SAVED_MAX`] besides. (There is no
//! way without more guesses: whoever is told within three seconds that they are right tells a
//! guesser, by saying nothing for three seconds, that they are wrong.)

use crate::core::event::ClientId;
use std::{collections::VecDeque, time::Duration};

/// The most guesses that are saved for one name at one address.
const SAVED_MAX: f64 = 240.0;
/// How long one more takes: as long as one in turn.
pub(super) const SAVED_EVERY: Duration = Duration::from_secs(8);
/// All are saved again after this time.
pub(super) const ALL_SAVED_AFTER: Duration = Duration::from_secs(240 * SAVED_EVERY.as_secs());
/// Between two of them: eight who try for an administrator's place are through in less than 3 s.
const APART: Duration = Duration::from_millis(300);
/// How often those who wait have to ask. Whoever does not is forgotten after ten times this time.
const ASKS_EVERY: Duration = Duration::from_millis(100);
/// The most that wait. Any more wait for their turn in the ordinary way.
const WAITING_MAX: usize = 64;

/// The first passwords for one name from one address.
#[derive(Default)]
pub(super) struct Firsts {
    /// Those that were compared, less those that were saved since.
    used: f64,
    at: Duration,
    /// When the next one is compared, at the earliest.
    next: Duration,
    /// Who waits, and when they last asked.
    waiting: VecDeque<(ClientId, Duration)>,
}

impl Firsts {
    fn used(&mut self, now: Duration) -> &mut f64 {
        let elapsed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.used = (self.used - elapsed / SAVED_EVERY.as_secs_f64()).max(0.0);
        &mut self.used
    }

    /// One was compared in turn: nothing is saved meanwhile.
    pub(super) fn note_turn(&mut self, now: Duration) {
        let used = self.used(now);
        *used = (*used + 1.0).min(SAVED_MAX);
    }

    /// How long this client has to wait; zero: it is compared now. `None`: nothing is saved.
    pub(super) fn ask(&mut self, client: ClientId, now: Duration) -> Option<Duration> {
        let is_waiting = |asked: Duration| now.saturating_sub(asked) < 10 * ASKS_EVERY;
        self.waiting.retain(|(_, asked)| is_waiting(*asked));
        if *self.used(now) + 1.0 > SAVED_MAX {
            return None;
        }
        match self.waiting.iter().position(|(other, _)| *other == client) {
            Some(i) => self.waiting[i].1 = now,
            None if self.waiting.len() < WAITING_MAX => self.waiting.push_back((client, now)),
            None => return None,
        }
        let is_next = self.waiting.front().is_some_and(|(other, _)| *other == client);
        if !is_next || self.next > now {
            return Some(ASKS_EVERY);
        }
        self.waiting.pop_front();
        self.next = now + APART;
        *self.used(now) += 1.0;
        Some(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Connections that come again as soon as they have got their answer: how many are compared in
    /// this time, and the longest wait of one.
    fn play(firsts: &mut Firsts, connections: u64, start: Duration, end: Duration) -> (u32, u64) {
        let mut came: Vec<(ClientId, u64)> = (0..connections).map(|i| (i, 0)).collect();
        let (mut compared, mut longest) = (0, 0);
        for now in (start.as_millis() as u64..end.as_millis() as u64).step_by(100) {
            for (client, since) in &mut came {
                *since = (*since).max(start.as_millis() as u64);
                if firsts.ask(*client, ms(now)) == Some(Duration::ZERO) {
                    longest = longest.max(now - *since);
                    (*client, *since) = (*client + connections, now);
                    compared += 1;
                }
            }
        }
        (compared, longest)
    }

    #[test]
    fn each_waits_for_those_who_came_before() {
        let (compared, longest) = play(&mut Firsts::default(), 8, ms(0), ms(30_000));
        assert_eq!(compared, 100);
        assert!(longest < 3_000, "{longest} ms");
    }

    #[test]
    fn in_a_day_there_are_not_many_more_than_in_turn() {
        let day = ms(24 * 3_600_000);
        let (compared, _) = play(&mut Firsts::default(), 5, ms(0), day);
        assert!(compared <= 24 * 3_600 / 8 + 240, "{compared}");
    }

    #[test]
    fn guesses_in_turn_are_not_saved_besides() {
        let mut firsts = Firsts::default();
        (0..240).for_each(|i| firsts.note_turn(i * SAVED_EVERY));
        let (compared, _) = play(&mut firsts, 5, 240 * SAVED_EVERY, 250 * SAVED_EVERY);
        assert!(compared <= 240 + 10, "{compared}");
        assert_eq!(firsts.ask(1_000_000, 250 * SAVED_EVERY), None, "in turn");
        let later = 250 * SAVED_EVERY + ALL_SAVED_AFTER;
        assert_eq!(play(&mut firsts, 5, later, later + ms(3_000)).0, 10);
    }

    #[test]
    fn who_hangs_up_is_waited_for_a_second_at_most() {
        let mut firsts = Firsts::default();
        assert_eq!(firsts.ask(1, ms(0)), Some(Duration::ZERO));
        assert_eq!(firsts.ask(2, ms(10)), Some(ASKS_EVERY));
        for now in (20..1_010).step_by(90) {
            assert_eq!(firsts.ask(3, ms(now)), Some(ASKS_EVERY), "{now}");
        }
        assert_eq!(firsts.ask(3, ms(1_010)), Some(Duration::ZERO));
    }

    #[test]
    fn no_more_wait_than_there_are_places() {
        let mut firsts = Firsts::default();
        assert_eq!(firsts.ask(0, ms(0)), Some(Duration::ZERO));
        for client in 1..=WAITING_MAX as ClientId {
            assert_eq!(firsts.ask(client, ms(0)), Some(ASKS_EVERY));
        }
        assert_eq!(firsts.ask(1_000, ms(0)), None);
    }
}
