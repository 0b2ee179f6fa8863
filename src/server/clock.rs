//! The time of events: the wall clock, unless it has just jumped. Any thread may ask.
//!
//! A wall clock can be set to anything: by a time server that is wrong, on a machine without a
//! battery, by a slip of the hand. For a moment it may say that ten years have passed, and then
//! every ban would be over and every line too old. So the wall clock is compared with the time for
//! which the machine has been on, which nobody sets. The two should pass equally fast:
//!
//! - If the wall clock is set by up to `BELIEVED_STEP`, its time is taken at once. A person does
//!   that, or a time server.
//! - If it is set by more, events go on in the time before, until the new time has held for
//!   [`AGREEMENT`]. The log says so, and when the new time is taken.
//! - If the time before cannot be right, because the file has something that was said later
//!   (`history::clock_check`), the new one is taken at once.
//!
//! A machine that was suspended was on (on Linux: elsewhere that is not counted), and a summer time
//! changes the zone, not the clock.

use crate::lock::{LockKind, Locked};
use jiff::{SignedDuration, Timestamp, Unit};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The most by which the wall clock may be set at once, in either direction, and be believed: a day.
/// More than a person does who takes a zone for a time, and less than any age for forgetting.
const BELIEVED_STEP: SignedDuration = SignedDuration::from_hours(24);
/// How long the clocks have to agree before anything is deleted for its age, and before a jump is
/// believed: long enough for a time server to notice that it was wrong.
pub const AGREEMENT: Duration = Duration::from_mins(10);
/// How far the clocks may be apart and still agree: a time server that sets a clock right moves it by
/// less.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// And by which part of the time that has passed: what a bad crystal makes, ten times over.
const DRIFT: i32 = 1_000;
/// No clock that is right says a time before this program was written: 2026-01-01. A machine without
/// a battery begins long before it, and then any other time is better.
const EARLIEST: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Both clocks, read at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// What the machine says the time is.
    pub wall: Timestamp,
    /// How long the machine has been on, or this program has run; nobody sets it.
    pub uptime: Duration,
}

/// Where the time comes from: the machine, or a test.
pub trait TimeSource: Send + Sync {
    /// Reads both clocks.
    fn read(&self) -> Clocks;
}

/// The clock of a server. Its copies are one clock.
#[derive(Clone)]
pub struct Clock(Arc<Shared>);

struct Shared {
    source: Box<dyn TimeSource>,
    /// Held for a few instructions.
    state: Locked<State>,
}

/// Whether the time can be relied on.
#[derive(Clone, Copy, Debug)]
pub struct Agreement {
    /// The time of events.
    pub now: Timestamp,
    /// See [`Clocks::uptime`].
    pub uptime: Duration,
    /// How often the wall clock was set since the start.
    pub jumps: u64,
    /// Nobody has set the wall clock for [`AGREEMENT`].
    pub is_long: bool,
}

impl Clock {
    /// A clock that reads this source.
    pub fn new(source: impl TimeSource + 'static) -> Clock {
        let state = State::new(source.read());
        Clock(Arc::new(Shared {
            source: Box::new(source),
            state: Locked::new(LockKind::Clock, state),
        }))
    }

    /// The machine's.
    pub fn system() -> Clock {
        Clock::new(System::new())
    }

    /// The time of an event that happens now.
    pub fn now(&self) -> Timestamp {
        self.look().now
    }

    /// It was this time once. A clock that says an earlier one is behind; when it is set to a later
    /// one, that is believed at once.
    pub(crate) fn cannot_be_before(&self, time: Timestamp) {
        let mut state = self.0.state.lock();
        state.earliest = state.earliest.max(time);
    }

    /// The same, and whether it can be relied on. A jump is noticed when somebody looks: the
    /// historian does so every second.
    pub fn look(&self) -> Agreement {
        let Shared { source, state } = &*self.0;
        let mut clocks = source.read();
        let mut state = state.lock();
        if state.is_moved(clocks) {
            clocks = source.read(); // perhaps the thread was stopped between the two clocks
        }
        let (found, step) = state.observe(clocks);
        drop(state);
        match step {
            Some(step @ Step::Set(_)) => log::info!("{step}"),
            Some(step) => log::warn!("{step}"),
            None => {}
        }
        found
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// What the wall clock says. Its last moment, if it is set beyond what a calendar has.
pub(crate) fn wall_clock() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MAX)
}

/// The machine's clocks.
struct System {
    #[cfg(not(target_os = "linux"))]
    start: std::time::Instant,
}

impl System {
    fn new() -> System {
        System {
            #[cfg(not(target_os = "linux"))]
            start: std::time::Instant::now(),
        }
    }

    /// It counts the time for which the machine was suspended.
    #[cfg(target_os = "linux")]
    fn uptime(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    #[cfg(not(target_os = "linux"))]
    fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}

impl TimeSource for System {
    fn read(&self) -> Clocks {
        Clocks { uptime: self.uptime(), wall: wall_clock() }
    }
}

/// What a look at the clocks has brought.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The wall clock was set by so much, and is believed.
    Set(SignedDuration),
    /// It jumped from the one time to the other, and is not believed yet.
    Jumped(Timestamp, Timestamp),
    /// It is back where it was, but for a step that is believed.
    Back(Timestamp),
    /// It jumped long ago, and is believed from now on: at which time it is which time.
    Adopted(Timestamp, Timestamp),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let minutes = AGREEMENT.as_secs() / 60;
        match self {
            Step::Set(by) => {
                let way = if by.is_negative() { "back" } else { "forward" };
                let by = by.abs().round(Unit::Second).unwrap_or(*by);
                write!(f, "the clock was set {way} by {by:#}")
            }
            Step::Jumped(from, to) => write!(
                f,
                "the clock jumped from {} to {}. chatd goes on with the time before, and takes the new one when it has held for {minutes} minutes",
                time(from),
                time(to)
            ),
            Step::Back(to) => write!(f, "the clock is back: it is {}", time(to)),
            Step::Adopted(from, to) => write!(
                f,
                "the clock has held for {minutes} minutes: it is {} from now on, and not {}",
                time(to),
                time(from)
            ),
        }
    }
}

/// What is known of the clocks.
struct State {
    /// By how much the time of events is ahead of the uptime.
    believed: SignedDuration,
    /// By how much the wall clock was, when it was last set.
    seen: SignedDuration,
    /// The uptime at that moment.
    since: Duration,
    jumps: u64,
    /// No clock that is right says an earlier time.
    earliest: Timestamp,
}

impl State {
    fn new(clocks: Clocks) -> State {
        let ahead = ahead(clocks);
        State { believed: ahead, seen: ahead, since: clocks.uptime, jumps: 0, earliest: EARLIEST }
    }

    /// Whether the wall clock was set since the last look.
    fn is_moved(&self, clocks: Clocks) -> bool {
        let passed = signed(clocks.uptime.saturating_sub(self.since));
        (ahead(clocks) - self.seen).abs() > SLACK + passed / DRIFT
    }

    fn is_doubted(&self, ahead: SignedDuration) -> bool {
        (ahead - self.believed).abs() > BELIEVED_STEP + SLACK
    }

    fn observe(&mut self, clocks: Clocks) -> (Agreement, Option<Step>) {
        let Clocks { wall, uptime } = clocks;
        let (ahead, was_doubted) = (ahead(clocks), self.is_doubted(self.seen));
        let before = time_of(uptime, self.believed);
        let mut step = None;
        if before < self.earliest && wall >= self.earliest {
            self.believed = ahead;
        }
        if self.is_moved(clocks) {
            let set_by = ahead - self.seen;
            (self.seen, self.since) = (ahead, uptime);
            self.jumps += 1;
            step = Some(match self.is_doubted(ahead) {
                true => Step::Jumped(before, wall),
                false if was_doubted => Step::Back(wall),
                false => Step::Set(set_by),
            });
        }
        let is_long = uptime.saturating_sub(self.since) >= AGREEMENT;
        if !self.is_doubted(ahead) {
            self.believed = ahead;
        } else if is_long {
            self.believed = ahead;
            step = Some(Step::Adopted(before, wall));
        }
        let now = time_of(uptime, self.believed);
        (Agreement { now, uptime, jumps: self.jumps, is_long }, step)
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// By how much the wall clock is ahead of the uptime.
fn ahead(Clocks { wall, uptime }: Clocks) -> SignedDuration {
    wall.as_duration().saturating_sub(signed(uptime))
}

fn time_of(uptime: Duration, ahead: SignedDuration) -> Timestamp {
    let since_1970 = signed(uptime).saturating_add(ahead);
    Timestamp::from_duration(since_1970).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
