//! The few places where these tests look behind the protocol, all in this file.

pub use chatd::core::rooms::ROOMS_MAX;
use chatd::{
    core::{
        address::ClientAddress,
        event::{LoginAttempt, LoginResult},
        password::Password,
    },
    server::auth::Authenticator,
};
use std::time::{Duration, Instant};

/// How long it takes to find that a password is wrong: where the account has another one, and where there is no account.
/// Taken in turns in one run, so that a busy machine is busy for both.
pub fn times_of_wrong_passwords(rounds: u8) -> [Vec<Duration>; 2] {
    let authenticator = Authenticator::default();
    let stored = authenticator.hash(&Password::new("correct horse")).unwrap();
    let wrong = Password::new("wrong horse");
    let mut times = [Vec::new(), Vec::new()];
    for i in 0..rounds {
        for (kind, stored) in [(0, Some(&stored)), (1, None)] {
            // Each from an address of its own and for a name of its own, or the delays would be measured.
            let name = format!("{kind}.{i}");
            let address = ClientAddress::of([10, kind, 0, i].into());
            let attempt = LoginAttempt { name: &name, account: None, address, password: &wrong };
            let began = Instant::now();
            assert_eq!(authenticator.verify(&attempt, stored), LoginResult::Wrong);
            times[usize::from(kind)].push(began.elapsed());
        }
    }
    times
}
