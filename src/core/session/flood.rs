//! A token bucket: how fast one client may talk.
//!
//! A client that floods is slowed, not punished: its thread stops reading for a while, TCP's window
//! fills, and the client's own `send` waits. Nobody else notices. It reads no clock: callers pass
//! the time.

use std::{str::FromStr, time::Duration};

/// `--flood BURST/PER_SECOND`: BURST lines at once, then PER_SECOND lines a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FloodLimit {
    /// Lines that may come at once.
    pub(crate) burst: f64,
    /// Lines a second after that.
    pub(crate) per_second: f64,
}

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

pub(crate) struct Flood {
    limit: FloodLimit,
    tokens: f64,
    filled_at: Duration,
    /// The client was told that they are slowed. They are told again only after the bucket was full
    /// once more.
    told: bool,
}

/// How long to wait before the next line is read.
#[derive(Debug, PartialEq)]
pub(crate) struct Delay {
    /// How long the client is not read.
    pub(crate) wait: Duration,
    /// The client was not told yet that they are slowed.
    pub(crate) first: bool,
}

impl Flood {
    /// A bucket that is full at time `now`. Times count from any fixed point.
    pub(crate) fn new(limit: FloodLimit, now: Duration) -> Self {
        Flood { limit, tokens: limit.burst, filled_at: now, told: false }
    }

    /// Takes a token for each of the lines read at `now`. An overdrawn bucket says how long to wait
    /// until it is at zero again.
    pub(crate) fn take(&mut self, lines: usize, now: Duration) -> Option<Delay> {
        let elapsed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = now;
        self.tokens = (self.tokens + elapsed * self.limit.per_second).min(self.limit.burst);
        if self.tokens >= self.limit.burst {
            self.told = false;
        }
        self.tokens -= lines as f64;
        // Slightly below zero is only the rounding of an earlier wait.
        (self.tokens < -1e-6).then(|| Delay {
            wait: Duration::from_secs_f64(-self.tokens / self.limit.per_second),
            first: !std::mem::replace(&mut self.told, true),
        })
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
            assert_eq!(flood.take(1, now), Some(Delay { wait: half, first }));
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
    fn the_option_says_what_is_wrong() {
        assert_eq!("off".parse(), Ok(FloodOption(None)));
        assert_eq!("3/2".parse(), Ok(FloodOption(Some(LIMIT))));
        for wrong in ["", "3", "0/1", "1/0", "-1/2", "a/b", "3/2/1", "1e9/1"] {
            assert!(wrong.parse::<FloodOption>().is_err(), "{wrong:?}");
        }
    }
}
