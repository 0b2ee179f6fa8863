//! A token bucket: how fast one client may talk.
//!
//! A client that floods is slowed, not punished: its thread stops reading for a while, TCP's window
//! fills, and the client's own `send` waits. Nobody else notices. It reads no clock: callers pass
//! the time.

use crate::core::driver::Bucket;
use serde::{Deserialize, Serialize};
use std::{str::FromStr, time::Duration};

/// `--flood BURST/PER_SECOND`: BURST lines at once, then PER_SECOND lines a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FloodLimit {
    /// Lines that may come at once.
    pub(crate) burst: f64,
    /// Lines a second after that.
    pub(crate) per_second: f64,
}

/// A pause may be over a little earlier than was asked for: its driver has another clock.
const SLACK: Duration = Duration::from_millis(50);
/// A connection is young for this time. What it takes over from others is its own after it.
pub(crate) const YOUNG: Duration = Duration::from_mins(1);

/// The limit, or `None` for `off`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FloodOption(pub Option<FloodLimit>);

impl FromStr for FloodOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(FloodOption(None));
        }
        let wrong = || {
            format!(
                "\"{text}\" is not BURST/PER_SECOND (like 32/8: two numbers from 1 to 1000000) or off"
            )
        };
        let (burst, per_second) = text.split_once('/').ok_or_else(wrong)?;
        let number = |s: &str| {
            s.parse::<u32>()
                .ok()
                .filter(|n| (1..=1_000_000).contains(n))
                .map(f64::from)
                .ok_or_else(wrong)
        };
        Ok(FloodOption(Some(FloodLimit { burst: number(burst)?, per_second: number(per_second)? })))
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Flood {
    limit: FloodLimit,
    tokens: f64,
    filled_at: Duration,
    /// The client was told that they are slowed. They are told again only after the bucket was full
    /// once more.
    told: bool,
    /// Until this time the bucket is not filled by itself: what is overdrawn has to be asked for,
    /// and is shared with the other clients from the same source (see `sources`).
    shared_until: Option<Duration>,
    /// What was last asked for, and is in the bucket already. It will have come at `comes_at`, and
    /// the client is not read before.
    asked_for: f64,
    comes_at: Duration,
}

/// How long to wait before the next line is read.
#[derive(Debug, PartialEq)]
pub(crate) struct Delay {
    /// How long the client is not read.
    pub(crate) wait: Duration,
    /// These lines have to be asked for, and `wait` is how long they take to come.
    pub(crate) shared: Option<f64>,
    /// The client was not told yet that they are slowed.
    pub(crate) first: bool,
}

impl Flood {
    /// A bucket that is full at time `now`. Times count from any fixed point.
    pub(crate) fn new(limit: FloodLimit, now: Duration) -> Self {
        let (tokens, filled_at, told) = (limit.burst, now, false);
        Flood { limit, tokens, filled_at, told, shared_until: None, asked_for: 0.0, comes_at: now }
    }

    /// Goes on with the bucket of a connection that has ended.
    pub(crate) fn go_on(limit: FloodLimit, bucket: Bucket, now: Duration) -> Self {
        let Bucket { tokens, asked_for, wait } = bucket;
        let (shared_until, comes_at) = (Some(now + YOUNG), now + wait);
        Flood { limit, tokens, filled_at: now, told: false, shared_until, asked_for, comes_at }
    }

    /// The client has closed their side, and what they sent is still being read. Returns the bucket,
    /// for the next connection. What is left to read has to be asked for, line by line.
    pub(crate) fn half_close(&mut self, now: Duration) -> Bucket {
        let left = self.bucket(now);
        self.tokens = left.asked_for;
        self.shared_until = Some(Duration::MAX);
        Bucket { asked_for: 0.0, ..left }
    }

    /// Takes a token for each of the lines read at `now`. An overdrawn bucket says how long to wait
    /// until it is at zero again.
    pub(crate) fn take(&mut self, lines: usize, now: Duration) -> Option<Delay> {
        self.fill(now);
        self.tokens -= lines as f64;
        // Slightly below zero is only the rounding of an earlier wait.
        if self.tokens >= -1e-6 {
            return None;
        }
        let lacks = -self.tokens;
        let first = !std::mem::replace(&mut self.told, true);
        Some(match self.shared_until {
            Some(_) => Delay { wait: Duration::ZERO, shared: Some(lacks), first },
            None => {
                let wait = Duration::from_secs_f64(lacks / self.limit.per_second);
                Delay { wait, shared: None, first }
            }
        })
    }

    /// Takes tokens for an answer. The next line waits for them, and if the client leaves, whoever
    /// comes from there next does. So what is owed is a burst at most.
    pub(crate) fn owe(&mut self, lines: usize) {
        let most = (self.tokens + self.limit.burst).max(0.0);
        self.tokens -= most.min(lines as f64);
    }

    /// What was asked for comes after `wait`.
    pub(crate) fn comes_after(&mut self, lines: f64, wait: Duration, now: Duration) {
        self.tokens += lines;
        (self.asked_for, self.comes_at) = (lines, now + wait);
    }

    /// What the next connection goes on with.
    pub(crate) fn bucket(&mut self, now: Duration) -> Bucket {
        self.fill(now);
        let has_come = now + SLACK >= self.comes_at;
        let asked_for = if has_come { 0.0 } else { self.asked_for };
        Bucket { tokens: self.tokens - asked_for, asked_for, wait: Duration::ZERO }
    }

    fn fill(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = now;
        if let Some(until) = self.shared_until {
            if now >= until {
                self.shared_until = None;
            }
            return;
        }
        self.tokens = (self.tokens + elapsed * self.limit.per_second).min(self.limit.burst);
        if self.tokens >= self.limit.burst {
            self.told = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: FloodLimit = FloodLimit { burst: 3.0, per_second: 2.0 };

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut now = Duration::from_secs(100);
        let mut flood = Flood::new(LIMIT, now);
        for _ in 0..3 {
            assert_eq!(flood.take(1, now), None);
        }
        let half = Duration::from_millis(500);
        for first in [true, false, false] {
            assert_eq!(flood.take(1, now), Some(Delay { wait: half, shared: None, first }));
            now += half;
        }
    }

    #[test]
    fn a_rested_client_has_its_burst_again_and_is_told_again() {
        let mut flood = Flood::new(LIMIT, Duration::ZERO);
        for _ in 0..4 {
            flood.take(1, Duration::ZERO);
        }
        let later = Duration::from_secs(10);
        for _ in 0..3 {
            assert_eq!(flood.take(1, later), None);
        }
        assert!(flood.take(1, later).unwrap().first);
    }

    #[test]
    fn what_was_asked_for_and_has_not_come_is_handed_over_once() {
        let empty = Bucket { tokens: 0.0, asked_for: 0.0, wait: Duration::ZERO };
        let mut flood = Flood::go_on(LIMIT, empty, Duration::ZERO);
        assert_eq!(flood.take(2, Duration::ZERO).and_then(|delay| delay.shared), Some(2.0));
        flood.comes_after(2.0, Duration::from_secs(5), Duration::ZERO);
        let now = Duration::from_secs(1);
        let (side, all) = (flood.half_close(now), flood.bucket(now));
        assert_eq!((side.asked_for, all.asked_for), (0.0, 2.0), "else it is taken back twice");
        assert_eq!((side.tokens, all.tokens), (-2.0, 0.0));
    }

    #[test]
    fn a_burst_at_most_is_owed_for_answers_and_they_take_no_debt_away() {
        let mut flood = Flood::new(LIMIT, Duration::ZERO);
        let waits =
            |flood: &mut Flood| flood.take(1, Duration::ZERO).map(|delay| delay.wait.as_millis());
        flood.owe(1);
        assert_eq!(waits(&mut flood), None);
        flood.owe(1000);
        assert_eq!(waits(&mut flood), Some(2000), "three, and this one");
        flood.owe(1000);
        assert_eq!(waits(&mut flood), Some(2500));
    }

    #[test]
    fn the_option_says_what_is_wrong() {
        assert_eq!("off".parse(), Ok(FloodOption(None)));
        assert_eq!("3/2".parse(), Ok(FloodOption(Some(LIMIT))));
        for wrong in ["", "3", "0/1", "1/0", "-1/2", "a/b", "3/2/1", "1e9/1"] {
            assert!(wrong.parse::<FloodOption>().is_err(), "{wrong:?}");
        }
    }
}
