//! The few places where these tests look behind the protocol, all in this file.

pub use chatd::core::rooms::ROOMS_MAX;
use chatd::{
    core::{
        event::{Attempt, Verdict},
        secret::Secret,
        source::Source,
    },
    server::porter::Porter,
};
use std::time::{Duration, Instant};

/// How long it takes to find that a password is wrong: where the account has another one, and where there is no account.
/// Taken in turns in one run, so that a busy machine is busy for both.
pub fn times_of_wrong_passwords(rounds: u8) -> [Vec<Duration>; 2] {
    let porter = Porter::default();
    let stored = porter.hash(&Secret::new("correct horse")).unwrap();
    let wrong = Secret::new("wrong horse");
    let mut times = [Vec::new(), Vec::new()];
    for i in 0..rounds {
        for (kind, stored) in [(0, Some(&stored)), (1, None)] {
            // Each from an address of its own and for a name of its own, or the delays would be measured.
            let name = format!("{kind}.{i}");
            let source = Source::of([10, kind, 0, i].into());
            let attempt = Attempt { name: &name, account: None, source, password: &wrong };
            let began = Instant::now();
            assert_eq!(porter.verify(&attempt, stored), Verdict::Wrong);
            times[usize::from(kind)].push(began.elapsed());
        }
    }
    times
}
