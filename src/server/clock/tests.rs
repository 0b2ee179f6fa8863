//! The clock of a server, with clocks that the test sets.

use super::*;
use parking_lot::Mutex;

/// Both clocks of a machine of the test's own. Its copies are one machine.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Mutex<Clocks>>);

impl Machine {
    /// It was switched on an hour ago.
    pub(crate) fn new(wall: &str) -> Machine {
        let (wall, uptime) = (wall.parse().unwrap(), Duration::from_hours(1));
        Machine(Arc::new(Mutex::new(Clocks { wall, uptime })))
    }

    /// Time passes, on both clocks.
    pub(crate) fn passes(&self, time: Duration) {
        let mut clocks = self.0.lock();
        clocks.wall += time;
        clocks.uptime += time;
    }

    /// Somebody sets the wall clock, forward or backward.
    pub(crate) fn is_set_by(&self, by: SignedDuration) {
        self.0.lock().wall += by;
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.0.lock().wall
    }
}

impl TimeSource for Machine {
    fn read(&self) -> Clocks {
        *self.0.lock()
    }
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);
const START: &str = "2026-11-27T20:00:00Z";

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A clock and its machine; the clock is looked at, as the historian does.
fn clock() -> (Machine, Clock) {
    let machine = Machine::new(START);
    (machine.clone(), Clock::new(machine))
}

#[test]
fn a_step_of_up_to_a_day_is_believed_at_once() {
    for step in
        [1, 60, 3600, 86_399, 86_400, 86_401, -1, -3600, -86_401].map(SignedDuration::from_secs)
    {
        let (machine, clock) = clock();
        machine.passes(SECOND);
        machine.is_set_by(step);
        assert_eq!(clock.now(), machine.wall(), "{step}");
        machine.passes(SECOND);
        assert_eq!(clock.now(), machine.wall(), "{step}");
    }
}

#[test]
fn a_jump_is_not_believed_until_it_has_held() {
    let jumps = [86_406, 2 * 86_400, 3_650 * 86_400, -86_406, -20_000 * 86_400];
    for jump in jumps.map(SignedDuration::from_secs) {
        let (machine, clock) = clock();
        let start = clock.now();
        machine.is_set_by(jump);
        for second in 0..AGREEMENT.as_secs() as u32 {
            assert_eq!(clock.now(), start + second * SECOND, "{jump} after {second} s");
            machine.passes(SECOND);
        }
        assert_eq!(clock.now(), machine.wall(), "{jump}");
        assert_eq!(clock.now(), start + jump + AGREEMENT);
        machine.passes(AGREEMENT);
        assert_eq!(clock.now(), machine.wall(), "{jump}");
    }
}

#[test]
fn a_jump_that_goes_as_it_came_leaves_nothing_behind() {
    for jump in [87_600, -87_600].map(hours) {
        let (machine, clock) = clock();
        let start = clock.now();
        machine.is_set_by(jump);
        assert_eq!(clock.now(), start);
        machine.passes(3 * SECOND);
        assert_eq!(clock.now(), start + 3 * SECOND);
        machine.is_set_by(-jump);
        machine.passes(SECOND);
        assert_eq!((clock.now(), machine.wall()), (start + 4 * SECOND, start + 4 * SECOND));
        // It has to hold anew: the ten minutes are not made of pieces.
        for _ in 0..9 {
            machine.is_set_by(jump);
            machine.passes(AGREEMENT / 2);
            assert!(clock.now() < start + 12 * AGREEMENT);
            machine.is_set_by(-jump);
            assert_eq!(clock.now(), machine.wall());
        }
    }
}

/// The file has something that was said later: then any later time is better.
#[test]
fn a_clock_that_is_behind_what_was_said_is_believed_when_it_is_set_right() {
    for (said, set_by, is_believed) in
        [(48, 49, true), (48, 72, true), (48, 47, false), (-1, 49, false)]
    {
        let (machine, clock) = clock();
        clock.cannot_be_before(machine.wall() + hours(said));
        let start = clock.now();
        assert_eq!(start, machine.wall(), "what the machine says is all there is");
        machine.is_set_by(hours(set_by));
        let expected = if is_believed { machine.wall() } else { start };
        assert_eq!(clock.now(), expected, "{said} {set_by}");
        machine.passes(SECOND);
        assert_eq!(clock.now(), expected + SECOND, "{said} {set_by}");
        // From then on the next jump is doubted as ever, unless the time is still one that cannot be.
        machine.is_set_by(hours(10 * 8760));
        let is_doubted = clock.now() == expected + SECOND;
        assert_eq!(is_doubted, is_believed || said < 0, "{said} {set_by}");
    }
}

#[test]
fn another_jump_begins_anew() {
    let (machine, clock) = clock();
    let start = clock.now();
    machine.is_set_by(hours(24 * 365));
    clock.now();
    machine.passes(AGREEMENT - SECOND);
    machine.is_set_by(hours(24 * 365));
    assert_eq!(clock.now(), start + AGREEMENT - SECOND);
    machine.passes(AGREEMENT - SECOND);
    assert_eq!(clock.now(), start + 2 * AGREEMENT - 2 * SECOND);
    machine.passes(SECOND);
    assert_eq!(clock.now(), machine.wall());
}

#[test]
fn the_clocks_agree_for_long_when_nobody_has_set_one() {
    let (machine, clock) = clock();
    assert!(!clock.look().is_long, "after the start");
    machine.passes(AGREEMENT - SECOND);
    assert!(!clock.look().is_long);
    machine.passes(SECOND);
    assert!(clock.look().is_long);
    let jumps = clock.look().jumps;
    for (step, agrees) in [(4, true), (-4, true), (7, false), (-3600, false), (999_999, false)] {
        machine.is_set_by(SignedDuration::from_secs(step));
        let found = clock.look();
        assert_eq!((found.is_long, found.jumps > jumps), (agrees, !agrees), "{step} s");
        if !agrees {
            machine.is_set_by(SignedDuration::from_secs(-step));
            clock.look();
            machine.passes(AGREEMENT);
            assert!(clock.look().is_long);
        }
    }
    // A night in suspension, and a crystal that is wrong by a second in three hours.
    machine.passes(Duration::from_hours(8));
    machine.is_set_by(SignedDuration::from_secs(3));
    assert!(clock.look().is_long);
}

#[test]
fn a_machine_that_begins_in_1970_is_set_right_at_once() {
    let machine = Machine::new("1970-01-01T00:00:05Z");
    let clock = Clock::new(machine.clone());
    machine.passes(SECOND);
    machine.is_set_by(hours(24 * 365 * 57));
    assert_eq!(clock.now(), machine.wall());
    machine.is_set_by(hours(-24 * 365 * 57));
    assert!(clock.now() > machine.wall(), "and back it is a jump");
}

#[test]
fn no_clock_is_beyond_what_a_calendar_has() {
    let (machine, clock) = clock();
    machine.0.lock().wall = Timestamp::MAX;
    clock.now();
    machine.0.lock().uptime += AGREEMENT;
    assert!(clock.now() <= Timestamp::MAX);
    machine.0.lock().uptime += AGREEMENT;
    assert!(clock.now() <= Timestamp::MAX);
    machine.0.lock().wall = Timestamp::MIN;
    clock.now();
}

#[test]
fn what_the_log_says_names_both_times() {
    let machine = Machine::new(START);
    let mut state = State::new(machine.read());
    let mut looks = || state.observe(machine.read()).1.map(|step| step.to_string());
    assert_eq!(looks(), None);
    machine.is_set_by(hours(-1));
    assert_eq!(looks().as_deref(), Some("the clock was set back by 1h"));
    machine.is_set_by(hours(24 * 3_650));
    let told = "the clock jumped from 2026-11-27 19:00:00 UTC to 2036-11-24 19:00:00 UTC. chatd goes on with the time before, and takes the new one when it has held for 10 minutes";
    assert_eq!(looks().as_deref(), Some(told));
    machine.passes(3 * SECOND);
    assert_eq!(looks(), None, "once");
    machine.is_set_by(hours(-24 * 3_650));
    assert_eq!(looks().as_deref(), Some("the clock is back: it is 2026-11-27 19:00:03 UTC"));
    machine.is_set_by(hours(24 * 3_650));
    looks();
    machine.passes(AGREEMENT);
    let told = "the clock has held for 10 minutes: it is 2036-11-24 19:10:03 UTC from now on, and not 2026-11-27 19:10:03 UTC";
    assert_eq!(looks().as_deref(), Some(told));
    assert_eq!(looks(), None);
}
