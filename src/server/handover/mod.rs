//! An upgrade in place: another version of the program takes over, and nobody is hung up. Linux only.
//!
//! ```text
//!  old server                                     new program, three times
//!  0 starts it ──────────────────────────────────> in a process of its own: reads its options
//!  1 every thread rests and leaves what it knows
//!  2 state and descriptors ──────────────────────> a rehearsal, in a process of its own: reads
//!                                                  all of it, opens the database, says "ready"
//!  3 execve: the same process, with the same       reads all of it, and serves
//!    number, parent and terminal ────────────────>
//! ```
//!
//! Whatever goes wrong before the last step, the old server goes on: each thread is where it was. As
//! the process stays the same, neither a shell nor systemd notices anything.
//!
//! - `package`: what is handed over, and its version.
//! - `pass`: how it goes from process to process: through a socket that is the standard input.
//! - `leaving`: the old server's side. `taking_up`: the new one's.

mod leaving;
mod package;
mod pass;
mod taking_up;

pub use taking_up::{Handed, is_taking_over, may_be_asked, refuse, times_handed_over};
