//! Scripts and classes, played against the limits of one address in a time that the tests make up.

mod counts;

use super::*;
use crate::core::session::flood::Flood;

const LIMIT: FloodLimit = FloodLimit { burst: 32.0, per_second: 8.0 };

fn address_of(text: &str) -> ClientAddress {
    text.parse().unwrap()
}

fn school() -> Source {
    Source::Address(address_of("192.0.2.7"))
}

fn sources() -> Sources {
    Sources::new(1_000, Some(LIMIT), true)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One connection, as a session counts it.
struct Connection {
    source: Source,
    began: Duration,
    flood: Flood,
    was_named: bool,
    is_silent: bool,
}

impl Connection {
    /// Connects at `now`. Returns also when it is greeted.
    fn begin(sources: &mut Sources, source: Source, now: Duration) -> (Connection, Duration) {
        let bucket = sources.begin(source, now);
        let wait = bucket.map_or(Duration::ZERO, |bucket| bucket.wait);
        let flood = match bucket {
            Some(bucket) => Flood::go_on(LIMIT, bucket, Duration::ZERO),
            None => Flood::new(LIMIT, Duration::ZERO),
        };
        (Connection { source, began: now, flood, was_named: false, is_silent: false }, now + wait)
    }

    /// Sends a line. Returns when the next one is read.
    fn says(&mut self, sources: &mut Sources, now: Duration) -> Duration {
        let own = now - self.began;
        let Some(delay) = self.flood.take(1, own) else { return now };
        match delay.shared {
            None => now + delay.wait,
            Some(lines) => {
                let wait = sources.ask_for(self.source, lines, now);
                self.flood.comes_after(lines, wait, own);
                now + wait
            }
        }
    }

    fn end(mut self, sources: &mut Sources, now: Duration) -> bool {
        let age = now - self.began;
        let bucket = Some(self.flood.bucket(age));
        let address = address_of("192.0.2.7");
        let ended =
            Ended { bucket, address, age, was_named: self.was_named, left_to: LeftTo::Next };
        sources.end(self.source, ended, now)
    }
}

/// What a script does with a connection.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Says 31 lines under a name, however long that takes.
    SaysAll,
    /// Ends as soon as it has to wait.
    EndsWhenItWaits,
    /// The same, and opens and ends an empty connection in between.
    EndsAnEmptyOne,
    /// The same, and comes without a word now and then.
    KeepsSilentAtTimes,
    /// The same, and is from another address of the same network each time.
    IsItsNeighbour,
    /// Says 8 lines.
    SaysFew,
}

/// What the others read while six threads do this for four seconds. `took`: how long a connection
/// takes at least, on the wire.
fn read_by_others(way: Way, took: Duration) -> usize {
    let mut sources = sources();
    let (mut read, end) = (0, ms(4_000));
    // When each goes on, with which connection, and how many lines it has sent.
    let mut threads: Vec<(Duration, Option<Connection>, u32)> =
        (0..6).map(|_| (Duration::ZERO, None, 0)).collect();
    let mut visits = 0;
    while let Some(next) = threads.iter().map(|(at, ..)| *at).min()
        && next < end
    {
        let thread = threads.iter_mut().find(|(at, ..)| *at == next).unwrap();
        let (at, connection, sent) = (&mut thread.0, &mut thread.1, &mut thread.2);
        let now = *at;
        let Some(mut open) = connection.take() else {
            visits += 1;
            let source = match way {
                Way::IsItsNeighbour => address_of(&format!("2001:db8::{visits}")),
                _ => address_of("192.0.2.7"),
            };
            let (mut open, greeted) = Connection::begin(&mut sources, Source::Address(source), now);
            open.is_silent = matches!(way, Way::KeepsSilentAtTimes) && visits % 7 == 0;
            (*at, *connection, *sent) = (greeted + took, Some(open), 0);
            continue;
        };
        let most = if let Way::SaysFew = way { 8 } else { 32 };
        let is_silent = open.is_silent;
        let goes_on = match way {
            _ if is_silent => now,
            _ => open.says(&mut sources, now),
        };
        if !is_silent {
            read += 1; // the first is the name: its coming and going are two more
            read += usize::from(!std::mem::replace(&mut open.was_named, true));
            *sent += 1;
        }
        let is_late = goes_on > now && !matches!(way, Way::SaysAll | Way::SaysFew);
        if *sent < most && !is_late && !is_silent {
            (*at, *connection) = (goes_on.max(now), Some(open));
            continue;
        }
        open.end(&mut sources, now);
        if let Way::EndsAnEmptyOne = way {
            let (empty, _) = Connection::begin(&mut sources, school(), now);
            empty.end(&mut sources, now);
        }
        *at = now + took;
    }
    read
}

#[test]
fn whoever_reconnects_has_no_more_bursts_than_it_had_connections_at_once() {
    for took in [ms(1), ms(50)] {
        for way in [
            Way::SaysAll,
            Way::EndsWhenItWaits,
            Way::EndsAnEmptyOne,
            Way::KeepsSilentAtTimes,
            Way::IsItsNeighbour,
            Way::SaysFew,
        ] {
            let read = read_by_others(way, took);
            println!("{way:?} with {took:?} for a connection: {read}");
            // Six bursts, 8 lines a second, and a coming and going that is just under way.
            assert!((150..=240).contains(&read), "{way:?} {took:?}: {read}");
        }
    }
}

#[test]
fn a_class_that_pastes_is_not_slowed_even_if_one_of_it_has_come_back() {
    let mut sources = sources();
    let now = ms(10_000);
    let (mut first, _) = Connection::begin(&mut sources, school(), now);
    first.was_named = true;
    (0..4).for_each(|_| assert_eq!(first.says(&mut sources, now), now));
    first.end(&mut sources, now);
    for i in 0..12 {
        let (mut pupil, greeted) = Connection::begin(&mut sources, school(), now);
        assert_eq!(greeted, now, "{i} is greeted at once");
        for line in 0..21 {
            assert_eq!(pupil.says(&mut sources, now), now, "line {line} of {i}");
        }
    }
}

#[test]
fn a_class_of_512_may_come_and_be_thrown_out_and_come_again() {
    let (mut sources, mut now) = (sources(), Duration::ZERO);
    for round in 0..4 {
        let mut class = Vec::new();
        for _ in 0..512 {
            sources
                .admit(address_of("192.0.2.7"), now)
                .unwrap_or_else(|why| panic!("{round}: {why:?}"));
            let (mut pupil, greeted) = Connection::begin(&mut sources, school(), now);
            assert_eq!(greeted, now);
            pupil.was_named = true;
            (0..5).for_each(|_| assert_eq!(pupil.says(&mut sources, now), now));
            class.push(pupil);
        }
        now += ms(8_000);
        for pupil in class {
            pupil.end(&mut sources, now);
            sources.release(address_of("192.0.2.7"));
        }
        now += ms(2_000);
    }
    assert!(sources.open.is_empty());
}

#[test]
fn a_pupil_whose_network_breaks_every_five_seconds_is_read_as_they_type() {
    let (mut sources, mut now) = (sources(), Duration::ZERO);
    for _ in 0..30 {
        sources.admit(address_of("192.0.2.7"), now).unwrap();
        let (mut pupil, greeted) = Connection::begin(&mut sources, school(), now);
        assert_eq!(greeted, now);
        pupil.was_named = true;
        for _ in 0..8 {
            assert_eq!(pupil.says(&mut sources, now), now);
            now += ms(600);
        }
        pupil.end(&mut sources, now);
        sources.release(address_of("192.0.2.7"));
        now += ms(200);
    }
}

#[test]
fn what_was_promised_to_somebody_who_goes_is_promised_to_the_next_one() {
    let mut sources = sources();
    // They have spent their bursts, and wait for the shared refill.
    let wait = |sources: &mut Sources, now| {
        let (mut one, greeted) = Connection::begin(sources, school(), now);
        let mut at = greeted;
        while at == now {
            at = one.says(sources, now);
        }
        (one, at)
    };
    let now = ms(1_000);
    let (first, _) = wait(&mut sources, now);
    first.end(&mut sources, now);
    for i in 0..1_000 {
        let (one, at) = wait(&mut sources, now);
        assert!(at <= now + ms(500), "{i} waits until {at:?}");
        one.end(&mut sources, now);
    }
}

#[test]
fn connections_that_end_at_once_are_limited_and_a_sentence_says_for_how_long() {
    let (mut sources, mut now) = (sources(), Duration::ZERO);
    let visit = |sources: &mut Sources, address: &str, now: Duration| {
        sources.admit(address_of(address), now).map_err(|denied| denied.refusal())?;
        let (silent, _) = Connection::begin(sources, school(), now);
        let is_counted = silent.end(sources, now);
        sources.release(address_of(address));
        Ok::<bool, String>(is_counted)
    };
    let (mut admitted, mut why) = (0, String::new());
    for _ in 0..10_000 {
        match visit(&mut sources, "192.0.2.7", now) {
            Ok(is_counted) => {
                admitted += 1;
                assert!(is_counted || admitted < 30, "the log counts, after a while");
            }
            Err(sentence) => why = sentence,
        }
        now += ms(1); // a thousand a second
    }
    assert_eq!(admitted, 128 + 21, "what is free at once, and what is forgotten in ten seconds");
    let expected = "Sorry: 128 connections from your address have ended within a minute, and that is the most. Please try again in 1 s.";
    assert_eq!(why, expected);
    assert_eq!(sources.admit(address_of("192.0.2.8"), now), Ok(()), "others are not affected");
    now += ms(1_000);
    assert!(visit(&mut sources, "192.0.2.7", now).is_ok(), "after that second");
}

/// While a script connects and ends a thousand times a second.
#[test]
fn whoever_waits_is_let_in_when_it_is_their_turn_and_no_more_than_may_end() {
    let (mut sources, school) = (sources(), address_of("192.0.2.7"));
    let mut waiting = 0;
    let mut times = Vec::new();
    for i in 0..10_000 {
        let now = ms(i);
        if sources.admit(school, now).is_ok() {
            let (silent, _) = Connection::begin(&mut sources, self::school(), now);
            silent.end(&mut sources, now);
            sources.release(school);
        }
        if i == 5_000 {
            waiting = 6;
        }
        while waiting > 0 && sources.admit_waiting(school, now).is_ok() {
            waiting -= 1;
            times.push(i - 5_000);
            let next = sources.admit_waiting(school, now).unwrap_err().wait;
            assert_eq!(next.unwrap().as_millis(), 468, "the next one knows how long that is");
        }
    }
    assert_eq!(times, [0, 469, 938, 1_407, 1_876, 2_345]);
}

/// A script takes a name and closes its side, as fast as it can: what others read of it is owed.
#[test]
fn what_a_script_owes_shuts_nobody_out_for_long() {
    let (mut sources, now) = (sources(), ms(0));
    let empty = Bucket { tokens: 0.5, asked_for: 0.0, wait: Duration::ZERO };
    let (bucket, address) = (Some(empty), address_of("192.0.2.7"));
    sources.leave(school(), empty, now);
    for _ in 0..128 {
        let ended =
            Ended { bucket, address, age: now, was_named: true, left_to: LeftTo::NextAlready };
        sources.end(school(), ended, now);
    }
    let denied = sources.admit_waiting(address_of("192.0.2.7"), now).unwrap_err();
    assert!(denied.may_wait(), "{denied:?}");
    assert_eq!(sources.admit_waiting(address_of("192.0.2.7"), ms(1_100)), Ok(()));
}

#[test]
fn whoever_begins_together_with_many_does_not_wait_for_all_of_them() {
    let (mut sources, now) = (sources(), ms(0));
    let empty = Bucket { tokens: 0.0, asked_for: 0.0, wait: Duration::ZERO };
    (0..200).for_each(|_| sources.leave(school(), empty, now));
    let begun = (0..200).map(|_| Connection::begin(&mut sources, school(), now));
    let (mut last, greeted_at) = begun.last().unwrap();
    assert_eq!((greeted_at, last.says(&mut sources, greeted_at)), (ms(5_000), ms(5_125)));
}

#[test]
fn an_owner_is_counted_by_the_account_and_not_by_the_address() {
    let (mut sources, now) = (sources(), ms(1_000));
    let account = AccountId(7);
    let empty = Bucket { tokens: -2.0, asked_for: 0.0, wait: Duration::ZERO };
    let ended = Ended {
        bucket: Some(empty),
        address: address_of("192.0.2.7"),
        age: ms(10),
        was_named: true,
        left_to: LeftTo::Next,
    };
    sources.end(school(), ended, now);
    // Somebody at that address has to wait; the owner has, too, up to the password.
    let at_the_door = sources.begin(school(), now).unwrap();
    assert!(at_the_door.wait > Duration::ZERO);
    let bucket = Bucket { wait: Duration::ZERO, ..at_the_door };
    assert_eq!(sources.prove(school(), account, bucket, now), None, "a full bucket");
    // Their lines are the account's, wherever they come from next.
    sources.end(Source::Account(account), ended, now);
    let elsewhere = Source::Address(address_of("198.51.100.1"));
    assert_eq!(sources.begin(elsewhere, now), None);
    let full = Bucket { tokens: 30.0, asked_for: 0.0, wait: Duration::ZERO };
    let own = sources.prove(elsewhere, account, full, now).unwrap();
    let handed =
        |Bucket { tokens, asked_for, wait }| Bucket { tokens: tokens - asked_for, asked_for, wait };
    assert!(own.wait > Duration::ZERO, "it was spent");
    // To log in again is no way to a full bucket.
    let again = sources.prove(Source::Account(account), account, handed(own), now).unwrap();
    assert!(again.wait > Duration::ZERO);
}

#[test]
fn refused_names_wait_after_a_hundred_of_them_from_one_address() {
    let (mut sources, now) = (sources(), Duration::ZERO);
    let address = address_of("192.0.2.7");
    for _ in 0..100 {
        assert_eq!(sources.refuse_name(address, now), Duration::ZERO, "a class mistypes");
    }
    for i in 1..=10 {
        let wait = sources.refuse_name(address, now).as_secs_f64();
        assert!((wait - f64::from(i) * 3.0).abs() < 0.001, "{wait}");
    }
    let wait = sources.refuse_name(address, now);
    assert!(wait < ms(30_001), "{wait:?}: no longer than a login may take");
    assert_eq!(sources.refuse_name(address_of("192.0.2.8"), now), Duration::ZERO);
    assert_eq!(sources.refuse_name(address, now + ms(60_000)), Duration::ZERO, "it is forgotten");
}

#[test]
fn without_the_limits_nothing_outlives_a_connection() {
    let (mut sources, now) = (Sources::new(1_000, Some(LIMIT), false), Duration::ZERO);
    for _ in 0..10_000 {
        sources.admit(address_of("192.0.2.7"), now).unwrap();
        let (mut one, greeted) = Connection::begin(&mut sources, school(), now);
        assert_eq!(greeted, now);
        (0..32).for_each(|_| assert_eq!(one.says(&mut sources, now), now));
        assert!(!one.end(&mut sources, now));
        sources.release(address_of("192.0.2.7"));
        assert!(!sources.refuse(address_of("192.0.2.7"), now));
        assert_eq!(sources.refuse_name(address_of("192.0.2.7"), now), Duration::ZERO);
    }
}
