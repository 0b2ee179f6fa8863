//! What lasts, attacked: the power fails, calls of the disk fail or take long, the server is stopped at any
//! moment and starts anew under load. docs/reliability.md has the figures of the long runs, which `CHATD_ROUNDS`
//! asks for.

#![cfg(target_os = "linux")]

mod backpressure;
mod cuts;
mod cuts_of_commands;
mod disk;
mod errors;
mod restarts;
mod stops;
mod trace;
mod visitor;

#[allow(dead_code, reason = "the other test binaries need the rest")]
#[path = "../harness/mod.rs"]
mod harness;

/// How often a test tries: so often in the suite, and as often as CHATD_ROUNDS says by hand.
fn rounds(in_the_suite: usize) -> usize {
    std::env::var("CHATD_ROUNDS").map_or(in_the_suite, |rounds| rounds.parse().unwrap())
}

/// Numbers that are the same in every run: a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*, as in G. Marsaglia's and S. Vigna's papers.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }
}
