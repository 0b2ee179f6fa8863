//! How fast one client is read: their bucket of lines, and the pause that they are in.

use super::{
    config::Greeting,
    flood::{Delay, Flood, FloodLimit},
};
use crate::core::{
    driver::{Bucket, Driver},
    record::AccountId,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long to wait for a sign that nobody reads the greeting. On a slower network than this, they
/// are taken for somebody who still reads.
pub(super) const PROBE: Duration = Duration::from_millis(100);

/// The bytes of an answer that cost as much as a line: some hundred past lines, which take the server
/// 0.2 ms to find and 0.1 ms to send. Else fifty clients who ask for the history all the time, each
/// within their limit, keep a core busy.
const ANSWER_OF_A_LINE: usize = 8 * 1024;

/// How fast a client is read. Times count from the beginning of the session.
#[derive(Serialize, Deserialize)]
pub struct Pace {
    limit: Option<FloodLimit>,
    flood: Option<Flood>,
    /// How long to read nothing from this client.
    pause: Option<Duration>,
    /// With what the client is greeted after that pause.
    pub(super) greets_after: Option<Box<Greeting>>,
}

impl Pace {
    /// The pace of a client that comes. With a `bucket`, they go on with it.
    pub(super) fn new(limit: Option<FloodLimit>, bucket: Option<Bucket>, now: Duration) -> Pace {
        let mut pace = Pace {
            limit,
            flood: limit.map(|limit| Flood::new(limit, now)),
            pause: None,
            greets_after: None,
        };
        if let Some(bucket) = bucket {
            pace.go_on(bucket, now);
        }
        pace
    }

    /// Takes this number of lines. `Some`: the client has to wait before the next one is read.
    pub(super) fn take(&mut self, lines: usize, now: Duration) -> Option<Delay> {
        self.flood.as_mut().and_then(|flood| flood.take(lines, now))
    }

    /// The client was sent an answer of this number of bytes. A long one costs as much as lines do,
    /// for which the next line waits.
    pub(crate) fn pay_for_answer(&mut self, bytes: usize) {
        self.flood.iter_mut().for_each(|flood| flood.owe(bytes / ANSWER_OF_A_LINE));
    }

    /// Lets the client wait. Returns what they are told, if they were not yet.
    #[inline(never)] // see `Session::hear`
    pub(super) fn slow_down(
        &mut self,
        delay: Delay,
        now: Duration,
        driver: &mut dyn Driver,
    ) -> Option<String> {
        let (flood, FloodLimit { burst, per_second }) = (self.flood.as_mut()?, self.limit?);
        let (wait, sentence) = match delay.shared {
            None => (
                delay.wait,
                format!(
                    "More than {burst} lines at once: yours are read at {per_second} a second for a while."
                ),
            ),
            Some(lines) => {
                let wait = driver.ask_for_lines(lines);
                flood.comes_after(lines, wait, now);
                let sentence = format!(
                    "Connections that came and went said much here: yours and theirs are read at {per_second} lines a second for a while."
                );
                (wait, sentence)
            }
        };
        self.pause_for(wait);
        delay.first.then_some(sentence)
    }

    /// Takes no line for this time, or for as long as was asked before.
    pub(crate) fn pause_for(&mut self, wait: Duration) {
        self.pause = self.pause.max(Some(wait)).filter(|wait| !wait.is_zero());
    }

    pub(super) fn take_pause(&mut self) -> Option<Duration> {
        self.pause.take()
    }

    /// Whether the client was greeted. The time before that is not theirs.
    pub fn is_greeted(&self) -> bool {
        self.greets_after.is_none()
    }

    pub(super) fn is_pausing(&self) -> bool {
        self.pause.is_some()
    }

    // --- Buckets that go from one connection to the next: see `sources` ---

    /// The client goes on with this bucket.
    pub(crate) fn go_on(&mut self, bucket: Bucket, now: Duration) {
        self.flood = self.limit.map(|limit| Flood::go_on(limit, bucket, now));
        self.pause_for(bucket.wait);
    }

    /// What is left of the client's bucket, for the next connection from the same source.
    pub(crate) fn bucket(&mut self, now: Duration) -> Option<Bucket> {
        self.flood.as_mut().map(|flood| flood.bucket(now))
    }

    /// The client has closed their side, and what they sent is still being read. Returns their
    /// bucket, for the next connection from the same source: these lines are no longer a burst.
    pub(crate) fn half_close(&mut self, now: Duration) -> Option<Bucket> {
        self.flood.as_mut().map(|flood| flood.half_close(now))
    }

    /// The client has proved to own `account`, and is counted there from now on.
    pub(super) fn prove(&mut self, account: AccountId, now: Duration, driver: &mut dyn Driver) {
        let (Some(flood), Some(limit)) = (&mut self.flood, self.limit) else { return };
        match driver.prove(account, flood.bucket(now)) {
            Some(bucket) => self.go_on(bucket, now),
            None => *flood = Flood::new(limit, now),
        }
    }
}
