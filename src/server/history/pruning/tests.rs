//! What is forgotten, by a clock that the test sets: ten minutes and weeks pass at once.

use super::*;
use crate::{
    core::{
        record::{Author, Change, Record, Sanction, SanctionKind, Target},
        returning::{Profile, TokenChange, TokenHash},
    },
    server::clock::{AGREEMENT, tests::Machine},
};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
const TEN_YEARS: SignedDuration = SignedDuration::from_hours(24 * 3_650);

/// A historian's part of it, with a limit of 30 days and a store in memory.
struct Server {
    machine: Machine,
    store: Store,
    pruning: Pruning,
    last: i64,
}

impl Server {
    /// Starts on a file where something was said this number of days ago, for each number.
    fn on_file(days: &[i64]) -> Server {
        let machine = Machine::new("2026-11-27T20:00:00Z");
        let store = Store::in_memory().unwrap();
        let config = StoreConfig { history_days: Some(30), ..StoreConfig::default() };
        let pruning = Pruning::new(&config, Clock::new(machine.clone()));
        let mut server = Server { machine, store, pruning, last: 0 };
        for days in days {
            let age = SignedDuration::from_hours(24 * days);
            server.is_said_at(server.machine.wall() - age);
        }
        server.starts();
        server
    }

    /// Again, on the same file.
    fn starts(&mut self) {
        let config = StoreConfig { history_days: Some(30), ..StoreConfig::default() };
        self.pruning = Pruning::new(&config, Clock::new(self.machine.clone()));
        self.pruning.look_at(&self.store).unwrap();
    }

    fn is_said_at(&mut self, at: Timestamp) {
        self.last += 1;
        let author = Author { name: "alice".to_owned(), account: None };
        let (id, room) = (LineId(self.last), "lobby".to_owned());
        let text = format!("<alice> {}\n", self.last);
        self.does(at, Change::RoomMessage { id, room, author, text });
    }

    fn does(&mut self, at: Timestamp, change: Change) {
        self.store.append(&[Record { at, change }]).unwrap();
    }

    fn is_said(&mut self) {
        let now = self.pruning.clock.now();
        self.is_said_at(now);
    }

    /// What the historian does once a second, when nobody wants anything.
    fn looks_around(&mut self) {
        while self.pruning.forget_some(&mut self.store).unwrap() {}
    }

    /// Time passes, and the historian looks around.
    fn runs_for(&mut self, time: Duration) {
        self.machine.passes(time);
        self.looks_around();
    }

    /// Lines that are left.
    fn counts(&self) -> usize {
        self.store.count_older(Timestamp::MAX).unwrap().of
    }

    fn is_asking(&self) -> bool {
        self.pruning.permission == Permission::Asked
    }
}

#[test]
fn nothing_is_forgotten_until_the_clocks_have_agreed_for_ten_minutes() {
    let mut server = Server::on_file(&[90, 60, 31, 29, 1]);
    let second = Duration::from_secs(1);
    for time in [second, second, AGREEMENT - 3 * second] {
        server.runs_for(time);
        assert_eq!(server.counts(), 5);
    }
    server.runs_for(second);
    assert_eq!(server.counts(), 2);
    assert!(!server.is_asking());
}

#[test]
fn many_lines_go_in_small_pieces_and_the_young_ones_stay() {
    let mut server = Server::on_file(&[vec![90; 950], vec![2; 250]].concat());
    server.machine.passes(AGREEMENT);
    assert!(server.pruning.forget_some(&mut server.store).unwrap());
    assert_eq!(server.counts(), 1_200 - PRUNE_CHUNK);
    assert_eq!(server.pruning.round.deleted, PRUNE_CHUNK, "as the log will say");
    server.looks_around();
    assert_eq!(server.counts(), 250);
}

#[test]
fn a_jump_of_ten_years_for_three_seconds_costs_no_line() {
    for jump in [TEN_YEARS, -TEN_YEARS, SignedDuration::from_hours(23), TEN_YEARS * 3] {
        for uptime in [Duration::ZERO, AGREEMENT, 5 * DAY] {
            let mut server = Server::on_file(&[20, 1]);
            server.runs_for(uptime);
            server.is_said();
            let before = server.counts();
            server.machine.is_set_by(jump);
            for _ in 0..3 {
                server.runs_for(Duration::from_secs(1));
                server.is_said();
            }
            server.machine.is_set_by(-jump);
            server.runs_for(Duration::from_secs(1));
            assert_eq!(server.counts(), before + 3, "{jump} after {uptime:?}");
            server.runs_for(AGREEMENT);
            assert_eq!(server.counts(), before + 3, "{jump} after {uptime:?}");
            assert!(!server.is_asking());
        }
    }
}

#[test]
fn a_jump_that_stays_is_adopted_and_a_person_is_asked_before_all_is_forgotten() {
    let mut server = Server::on_file(&[20, 1]);
    server.runs_for(AGREEMENT);
    server.machine.is_set_by(TEN_YEARS);
    server.looks_around();
    for _ in 0..30 {
        server.runs_for(AGREEMENT);
        server.is_said();
    }
    server.runs_for(40 * DAY);
    assert_eq!(server.counts(), 32, "whatever is said: the old lines have another clock's times");
    assert!(server.is_asking());
}

#[test]
fn a_server_that_starts_with_a_wrong_clock_forgets_nothing() {
    for days in [400, 3_650, 40_000] {
        let mut server = Server::on_file(&[days + 20, days, days]);
        server.runs_for(AGREEMENT);
        assert!(server.is_asking());
        for _ in 0..30 {
            server.is_said();
            server.runs_for(HOUR);
        }
        assert_eq!(server.counts(), 33, "{days} days");
        // The clock is set right, and held.
        server.machine.is_set_by(SignedDuration::from_hours(-24 * days));
        server.looks_around();
        server.runs_for(AGREEMENT);
        assert_eq!(server.counts(), 33, "{days} days");
    }
}

#[test]
fn after_a_long_holiday_it_is_forgotten_when_somebody_talks_again() {
    let mut server = Server::on_file(&[80, 45]);
    server.runs_for(AGREEMENT);
    assert!(server.is_asking());
    server.runs_for(HOUR);
    assert_eq!(server.counts(), 2);
    server.is_said();
    server.runs_for(Duration::from_secs(1));
    assert_eq!(server.counts(), 1);
}

#[test]
fn who_has_pruned_by_hand_is_asked_no_more() {
    let mut server = Server::on_file(&[3_700, 3_650]);
    server.runs_for(AGREEMENT);
    assert!(server.is_asking());
    server.is_said();
    let before = server.machine.wall() - SignedDuration::from_hours(24 * 30);
    server.store.prune(LineId(0), before, 99).unwrap();
    server.runs_for(HOUR);
    assert!(!server.is_asking());
    server.runs_for(31 * DAY);
    assert_eq!(server.counts(), 0, "and what is said since is forgotten in its time");
}

#[test]
fn a_server_that_runs_for_weeks_forgets_by_the_hour_also_in_a_quiet_room() {
    let mut server = Server::on_file(&[]);
    for _ in 0..40 {
        server.is_said();
        server.runs_for(DAY);
    }
    assert_eq!(server.counts(), 30);
    server.runs_for(30 * DAY);
    assert_eq!(server.counts(), 0);
    server.is_said();
    server.runs_for(30 * DAY - HOUR / 4);
    assert_eq!(server.counts(), 1);
    server.runs_for(HOUR / 2);
    assert_eq!(server.counts(), 1, "the round is an hour after the one before");
    server.runs_for(HOUR);
    assert_eq!(server.counts(), 0);
}

#[test]
fn no_line_goes_for_the_time_of_another_one() {
    // One was said when the clock was in 1970, and some when it was in 2036.
    let mut server = Server::on_file(&[1, 20_000, 1]);
    server.runs_for(AGREEMENT);
    assert_eq!(server.counts(), 2);
    let mut server = Server::on_file(&[vec![-3_650; 250], vec![90; 5], vec![1; 3]].concat());
    server.runs_for(AGREEMENT);
    assert_eq!(server.counts(), 253, "and those behind them are not kept for it");
}

#[test]
fn sanctions_that_have_ended_are_deleted_no_sooner() {
    let mut server = Server::on_file(&[1]);
    let now = server.machine.wall();
    for (name, hours) in
        [("ended", Some(-1)), ("short", Some(1)), ("long", Some(100)), ("ever", None)]
    {
        let until = hours.map(|hours| now + SignedDuration::from_hours(hours));
        let (kind, target) = (SanctionKind::Ban, Target::Name(name.to_owned()));
        server.does(
            now,
            Change::Sanctioned(Sanction { kind, target, until, by: "b".into(), why: None }),
        );
    }
    let left = |server: &Server| server.store.snapshot(0, 0).unwrap().sanctions.len();
    assert_eq!(left(&server), 4, "another sanction deletes none");
    server.machine.is_set_by(TEN_YEARS);
    server.runs_for(Duration::from_secs(3));
    server.machine.is_set_by(-TEN_YEARS);
    server.runs_for(AGREEMENT - Duration::from_secs(1));
    assert_eq!(left(&server), 4);
    server.runs_for(Duration::from_secs(1));
    assert_eq!(left(&server), 4, "the agreement began when the historian looked");
    server.runs_for(AGREEMENT);
    assert_eq!(left(&server), 3);
    server.runs_for(2 * HOUR);
    assert_eq!(left(&server), 2);
    // Without a limit for what is said, too.
    server.pruning.days = None;
    server.runs_for(5 * DAY);
    assert_eq!((left(&server), server.counts()), (1, 1));
}

/// Who may come back after a crash was here within the last minute, as far as the file knows; also
/// when somebody sets the clock.
#[test]
fn it_is_noted_every_minute_who_is_here_with_a_token() {
    let mut server = Server::on_file(&[]);
    let given = |n| {
        let profile = Profile { name: "alice".to_owned(), ..Profile::default() };
        Change::Token(TokenChange::Given(TokenHash([n; 32]), Box::new(profile)))
    };
    let start = server.pruning.clock.now();
    server.does(start - SignedDuration::from_secs(1), given(1)); // to a server before this one
    server.does(start, given(2));
    server.does(start, given(3));
    server.does(start, Change::Token(TokenChange::Left(TokenHash([3; 32]))));
    let ages = |server: &Server| -> Vec<(u8, i64)> {
        let now = server.pruning.clock.now();
        let returning = server.store.snapshot(1, 0).unwrap().returning;
        returning.iter().map(|it| (it.token.0[0], now.duration_since(it.seen).as_secs())).collect()
    };
    server.looks_around();
    server.runs_for(Duration::from_secs(59));
    assert_eq!(ages(&server), [(1, 60), (2, 59), (3, 59)]);
    server.runs_for(Duration::from_secs(1));
    assert_eq!(ages(&server), [(1, 61), (3, 60), (2, 0)]);
    server.machine.is_set_by(SignedDuration::from_hours(5));
    server.runs_for(PRESENCE_EVERY);
    assert_eq!(ages(&server), [(2, 0)]);
    server.machine.is_set_by(-SignedDuration::from_hours(5));
    server.runs_for(PRESENCE_EVERY);
    assert_eq!(ages(&server), [(2, 0)]);
}
