//! What the table counts for an address, one call after the other.

use super::*;
use crate::core::session::sources::used::OWED_MAX;

const NOW: Duration = Duration::from_secs(1_000);

fn here() -> ClientAddress {
    "192.0.2.7".parse().unwrap()
}

fn sources(per_source: usize) -> Sources {
    Sources::new(per_source, Some(LIMIT), true)
}

/// A connection that was open for this time, with a bucket of `tokens` lines.
fn ended(age: Duration, was_named: bool, tokens: f64) -> Ended {
    let bucket = Some(Bucket { tokens, asked_for: 0.0, wait: Duration::ZERO });
    Ended { bucket, address: here(), age, was_named, left_to: LeftTo::Next }
}

fn close_to(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-6
}

#[test]
fn the_last_that_may_end_is_let_in_and_the_next_one_is_told_how_long_to_wait() {
    let mut sources = sources(1_000);
    for _ in 0..127 {
        sources.end(Source::Address(here()), ended(Duration::ZERO, false, LIMIT.burst), NOW);
    }
    assert_eq!(sources.admit(here(), NOW), Ok(()));
    sources.end(Source::Address(here()), ended(Duration::ZERO, false, LIMIT.burst), NOW);
    let denied = sources.admit(here(), NOW).unwrap_err();
    let told = "Please wait: 128 connections from your address have ended within a minute, and that is the most. You are let in soon.";
    assert_eq!(denied.request(), told);
    assert!(denied.may_wait() && close_to(denied.wait.unwrap().as_secs_f64(), 60.0 / 128.0));
    assert_eq!(sources.admit_waiting(here(), NOW), Ok(()));
    assert!(sources.admit_waiting(here(), NOW).is_err());
    let next = NOW + YOUNG.div_f64(128.0);
    assert_eq!(sources.admit_waiting(here(), next), Ok(()), "at that time, and not behind it");
}

#[test]
fn who_has_too_many_open_need_not_wait_and_the_others_stay_counted() {
    let mut sources = sources(2);
    (0..2).for_each(|_| sources.admit(here(), NOW).unwrap());
    let denied = sources.admit(here(), NOW).unwrap_err();
    assert!(!denied.may_wait(), "nobody knows how long");
    sources.release(here());
    assert_eq!(sources.admit(here(), NOW), Ok(()));
    assert!(sources.admit(here(), NOW).is_err(), "one left, and one came");
    let mut next = Sources::new(2, Some(LIMIT), true);
    next.go_on(sources, [here(); 2].into_iter());
    assert!(next.admit(here(), NOW).is_err(), "both were handed over");
    next.release(here());
    assert_eq!(next.admit(here(), NOW), Ok(()));
}

#[test]
fn one_address_may_have_a_number_of_connections_and_no_more() {
    let (mut sources, now) = (Sources::new(2, Some(LIMIT), true), Duration::ZERO);
    assert_eq!(sources.admit(address_of("192.0.2.1"), now), Ok(()));
    assert_eq!(sources.admit(address_of("192.0.2.1"), now), Ok(()));
    let refused = sources.admit(address_of("192.0.2.1"), now).unwrap_err().refusal();
    assert!(refused.contains("2 connections from your address"), "{refused}");
    assert_eq!(sources.admit(address_of("192.0.2.2"), now), Ok(()), "others are not affected");
    sources.release(address_of("192.0.2.1"));
    assert_eq!(sources.admit(address_of("192.0.2.1"), now), Ok(()), "one place is free again");
    for _ in 0..1000 {
        assert_eq!(sources.admit(address_of("127.0.0.1"), now), Ok(()), "loopback is exempt");
        assert_eq!(sources.admit(address_of("::1"), now), Ok(()));
    }
}

#[test]
fn only_an_addresss_connections_of_less_than_a_minute_count_as_short() {
    let short = |source, age| {
        let mut sources = sources(1_000);
        sources.end(source, ended(age, false, LIMIT.burst), NOW);
        sources.uses.entry(source, NOW).short(NOW)
    };
    let (address, account) = (Source::Address(here()), Source::Account(AccountId(7)));
    assert!(close_to(short(address, YOUNG - Duration::from_nanos(1)), 1.0));
    assert!(close_to(short(address, YOUNG), 0.0));
    assert!(close_to(short(account, Duration::ZERO), 0.0));
    let mut sources = sources(1_000);
    for _ in 0..1_000 {
        sources.end(address, ended(Duration::ZERO, false, LIMIT.burst), NOW);
    }
    let short = sources.uses.entry(address, NOW).short(NOW);
    assert!(close_to(short, 128.0 + CROWDED), "nobody has to wait much longer for that");
}

#[test]
fn a_connection_that_was_meant_to_stay_tells_how_many_are_open() {
    let most = |ages: &[(u64, bool)]| {
        let mut sources = sources(1_000);
        (0..9).for_each(|_| sources.admit(here(), NOW).unwrap());
        for &(age, was_named) in ages {
            let age = Duration::from_millis(age);
            sources.end(Source::Address(here()), ended(age, was_named, LIMIT.burst), NOW);
            sources.release(here());
        }
        sources.uses.entry(Source::Address(here()), NOW).most.0
    };
    assert_eq!(most(&[(199, false)]), 0, "made only to end");
    assert_eq!(most(&[(200, false)]), 9);
    assert_eq!(most(&[(0, true)]), 9);
    assert_eq!(most(&[(200, false), (200, false)]), 9, "the most of the last ten minutes");
}

#[test]
fn how_many_were_open_is_known_for_ten_minutes_and_of_the_buckets_a_number() {
    let mut used = Use::default();
    used.note_open(9, NOW);
    used.note_open(2, NOW + FORGOTTEN_AFTER);
    assert_eq!(used.most.0, 9);
    used.note_open(2, NOW + FORGOTTEN_AFTER + Duration::from_nanos(1));
    assert_eq!(used.most.0, 2);
    let empty = Bucket { tokens: 0.0, asked_for: 0.0, wait: Duration::ZERO };
    (0..1_030).for_each(|_| used.leave(empty, LIMIT, NOW));
    assert_eq!(used.left.len(), 1_024);
    used.promised = NOW + Duration::from_hours(1); // nothing fills them
    used.pour(LIMIT, NOW + YOUNG - Duration::from_nanos(1));
    assert_eq!(used.left.len(), 1_024);
    used.pour(LIMIT, NOW + YOUNG);
    assert_eq!(used.left.len(), 0, "they are not young any more");
}

#[test]
fn an_owner_leaves_a_bucket_behind_unless_it_is_nearly_full() {
    for (tokens, source, is_left) in [
        (LIMIT.burst - LOG_IN_LINES, Source::Address(here()), false),
        (LIMIT.burst - LOG_IN_LINES - 1.0, Source::Address(here()), true),
        (LIMIT.burst - 1.0, Source::Account(AccountId(6)), true),
    ] {
        let mut sources = sources(1_000);
        let left = Bucket { tokens, asked_for: 0.0, wait: Duration::ZERO };
        sources.prove(source, AccountId(7), left, NOW);
        let found = sources.uses.entry(source, NOW).left.back().copied();
        assert_eq!(found, is_left.then_some((NOW, tokens)), "{tokens}");
    }
}

#[test]
fn refused_connections_wait_for_their_end_of_file_after_eight_in_a_minute() {
    let mut sources = sources(1_000);
    let mut refused = |now| sources.refuse(here(), now);
    assert!((0..8).all(|_| !refused(NOW)));
    assert!((0..100).all(|_| refused(NOW)));
    let later = NOW + Duration::from_mins(1);
    assert!((0..8).all(|i| refused(later) || i < 1), "sixteen are remembered, and eight forgotten");
    assert!(!refused(later + Duration::from_mins(3)));
}

#[test]
fn many_that_come_in_a_second_are_doubted_and_many_that_end_are_counted() {
    let mut sources = sources(1_000);
    assert!((0..5).all(|_| sources.crowding(here(), NOW) == (false, false)));
    assert_eq!(sources.crowding(here(), NOW), (false, true));
    assert_eq!(sources.crowding(here(), NOW + Duration::from_secs(2)), (false, false));
    for _ in 0..20 {
        sources.end(Source::Address(here()), ended(Duration::ZERO, false, LIMIT.burst), NOW);
    }
    assert!(sources.crowding(here(), NOW).0);
}

#[test]
fn all_who_were_gone_before_they_were_served_have_one_bucket() {
    let mut sources = sources(1_000);
    let first = sources.serve_gone(here(), NOW).unwrap();
    assert!(close_to(first.tokens, LIMIT.burst));
    assert_eq!(sources.serve_gone(here(), NOW), None, "it is with the first one");
    let left_to = LeftTo::Gone;
    let back = Ended { left_to, ..ended(YOUNG, false, LIMIT.burst - 2.0) };
    sources.end(Source::Address(here()), back, NOW);
    let second = sources.serve_gone(here(), NOW).unwrap();
    assert!(close_to(second.tokens, LIMIT.burst - 2.0));
    let later = sources.serve_gone(here(), NOW + Duration::from_millis(125)).unwrap();
    assert!(close_to(later.tokens, 1.0), "a line's worth of time, and no less than a line");
    assert_eq!(sources.serve_gone(here(), NOW + Duration::from_millis(200)), None);
}

#[test]
fn what_nobody_asks_for_fills_the_oldest_bucket_and_a_second_of_it_is_spared() {
    let mut used = Use { promised: NOW, ..Use::default() };
    used.leave(Bucket { tokens: 24.0, asked_for: 0.0, wait: Duration::ZERO }, LIMIT, NOW);
    used.leave(Bucket { tokens: 16.0, asked_for: 0.0, wait: Duration::ZERO }, LIMIT, NOW);
    used.leave(Bucket { tokens: LIMIT.burst, asked_for: 0.0, wait: Duration::ZERO }, LIMIT, NOW);
    assert_eq!(used.left.len(), 2, "a full one is none");
    let tokens = |used: &mut Use, ms| {
        used.pour(LIMIT, NOW + Duration::from_millis(ms));
        used.left.iter().map(|(_, tokens)| *tokens).collect::<Vec<_>>()
    };
    assert_eq!(tokens(&mut used, 500), [28.0, 16.0]);
    assert_eq!(tokens(&mut used, 1_000), [16.0], "full, and nothing over");
    assert_eq!(tokens(&mut used, 1_500), [20.0]);
    assert_eq!(tokens(&mut used, 60_000), [0.0; 0]);
    assert!(close_to(used.spared, LIMIT.per_second));
    let now = NOW + Duration::from_mins(1);
    assert_eq!(used.promise(4.0, LIMIT, now), Duration::ZERO, "of what was spared");
    assert!(close_to(used.promise(5.0, LIMIT, now).as_secs_f64(), 1.0 / 8.0), "one more than that");
    let latest = used.promised.max(now + OWED_MAX);
    used.promise_soon(1_000.0, LIMIT, now);
    assert_eq!(used.promised, latest);
}

#[test]
fn whoever_would_wait_for_a_line_longer_than_four_seconds_is_not_let_in() {
    let mut used = Use { promised: NOW + Duration::from_secs(6), ..Use::default() };
    let denied = |used: &Use| used.check_lines(NOW).err().and_then(|denied| denied.wait);
    assert_eq!(denied(&used), None, "a full bucket");
    used.left.push_back((NOW, 1.0));
    assert_eq!(denied(&used), None, "a line");
    used.left.push_back((NOW, 0.5));
    assert_eq!(denied(&used), Some(Duration::from_secs(2)));
    used.promised = NOW + Duration::from_secs(4);
    assert_eq!(denied(&used), None);
}
