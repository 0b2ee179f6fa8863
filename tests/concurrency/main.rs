//! Faults that are planted for the tools of this folder, which have to find them. Nothing here is run by `cargo test`.

use std::{cell::UnsafeCell, sync::Barrier, thread::scope};

/// A counter that two threads may change at once, which nobody may do.
struct Unguarded(UnsafeCell<u64>);

// SAFETY: it is not safe. That is what `tsan.sh` has to find.
unsafe impl Sync for Unguarded {}

#[test]
#[ignore = "a data race, for tests/concurrency/tsan.sh"]
fn a_planted_data_race() {
    let counter = Unguarded(UnsafeCell::new(0));
    let both_are_there = Barrier::new(2); // else the one may be over before the other begins, which brings them in an order
    let counts = || {
        let counter = &counter;
        both_are_there.wait();
        // SAFETY: it is not safe: the other thread does the same meanwhile.
        unsafe { *counter.0.get() += 1 };
    };
    scope(|scope| {
        scope.spawn(counts);
        scope.spawn(counts);
    });
    assert!(counter.0.into_inner() > 0);
}
