//! Whatever a thread does, and whenever somebody looks, its accounts add up.

use super::*;
use std::{hint::black_box, thread};

/// Works for some microseconds.
fn work() {
    (0..200u64).for_each(|n| _ = black_box(n * n));
}

#[test]
fn the_account_of_a_thread_adds_up_to_its_life() {
    use Activity::{Applying, Sending, WaitingForEvents};
    let status = Status::new("fanout");
    let own = Arc::clone(&status);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            own.attach();
            let begun = Instant::now(); // only now: a busy machine starts a thread some time later
            while begun.elapsed() < Duration::from_millis(50) {
                for activity in [Applying, Sending, WaitingForEvents] {
                    own.turn(activity);
                    work();
                }
            }
            is_over.store(true, Release);
        });
        let mut last = status.sample();
        while !is_over.load(Acquire) {
            // Whenever somebody looks, and whatever the thread is about to do.
            let sample = status.sample();
            let sum: u64 = sample.spent.iter().sum();
            let off = sum.abs_diff(sample.life);
            assert!(off < 1_000_000, "{off} ns are counted twice: {sample:?}");
            assert!(sample.life >= last.life);
            last = sample;
        }
    });
    status.set(Activity::Ended);
    let sample = status.sample();
    assert_eq!(sample.spent.iter().sum::<u64>(), sample.life);
    let [applying, sending, waiting] =
        [Applying, Sending, WaitingForEvents].map(|activity| sample.spent[activity as usize]);
    assert!(applying > 0 && sending > 0 && waiting > 0, "{sample:?}");
    assert_eq!(sample.spent_on(ActivityKind::Works), applying + sending);
}

#[test]
fn what_lasts_longer_than_the_clock_of_an_activity_is_counted_right() {
    let year = 365 * 24 * 3600 * 1_000_000_000;
    let before = Transition::new(2 * year, Activity::Working);
    let later = Transition::new(3 * year, Activity::Working); // beyond 56 bits
    assert_eq!(before.until(later), year);
}

#[test]
fn a_thread_belongs_to_a_group_by_its_name() {
    for (name, group) in [
        ("accept", Group::Server),
        ("c7:alice", Group::Client),
        ("c7", Group::Client),
        ("view", Group::Server),
        ("v1", Group::Looker),
        ("demo:holder", Group::Demonstration),
    ] {
        assert_eq!(Group::of(name), group, "{name}");
    }
}

/// `cargo test --release --lib cost_of_a_transition -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, for a release build on a quiet machine"]
fn cost_of_a_transition() {
    let status = Status::new("fanout");
    let best = |calls: u32| {
        let round = |_| {
            let began = Instant::now();
            for _ in 0..calls {
                black_box(&status).set(Activity::Sending);
            }
            began.elapsed().as_nanos() as f64 / f64::from(calls)
        };
        (0..5).map(round).fold(f64::INFINITY, f64::min)
    };
    let clock = (0..5).map(|_| {
        let began = Instant::now();
        (0..4_000_000).for_each(|_| _ = black_box(Instant::now()));
        began.elapsed().as_nanos() as f64 / 4e6
    });
    println!("the clock alone: {:.1} ns", clock.fold(f64::INFINITY, f64::min));
    println!("Status::set: {:.1} ns", best(4_000_000));
    set_recording(true);
    println!("Status::set while recording: {:.1} ns", best(4_000_000));
    set_recording(false);
    println!("{} bytes a thread", size_of::<Status>());
}
