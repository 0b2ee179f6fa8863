//! What the tests of running programs share: a server process, its clients, programs that people use, and waits.
//!
//! ```ignore
//! let server = Server::start("--flood off");
//! let [mut alice, mut bob] = server.enter(["alice", "bob"]);
//! alice.says("hi");
//! bob.hears("<alice> hi");
//! ```
//!
//! Every wait has a deadline, so a broken program fails a test and never hangs it. No deadline is short, so a busy machine
//! fails no test. A test binary takes this in by `#[path = "../harness/mod.rs"] mod harness;`.

pub mod client;
pub mod example;
pub mod folder;
pub mod preload;
pub mod process;
pub mod script;
pub mod server;
pub mod tls;
pub mod wire;

pub use client::Client;
pub use folder::Folder;
pub use process::Process;
pub use server::{Program, Server};

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long to wait for anything that has to happen: on a machine with twenty times the work that it can do, too.
pub const DEADLINE: Duration = Duration::from_mins(2);

/// Waits for something to become true.
#[track_caller]
pub fn eventually(what: &str, is_true: impl FnMut() -> bool) {
    wait_until(is_true, || format!("it did not happen that {what}"));
}

/// The same with a longer complaint.
#[track_caller]
pub fn wait_until(mut is_true: impl FnMut() -> bool, complaint: impl Fn() -> String) {
    wait_for(|| is_true().then_some(()), complaint);
}

/// Waits for something to be there. The thread is parked for about 1 ms between two looks.
#[track_caller]
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>, complaint: impl Fn() -> String) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{}", complaint());
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Compares a line with one in which `{…}` (or `{n}`, or anything in braces) stands for any text.
pub fn matches(pattern: &str, line: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return pattern == line };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let Some(rest) = line.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|end| rest.is_char_boundary(end) && matches(after, &rest[end..]))
}

/// For what a test cannot have here: it fails under CI, which has to have it, and is skipped elsewhere.
pub fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI has to have what is missing: {what}");
    println!("SKIPPED: {what}");
}

/// Whether a program of the machine's is there; if not, says that its test is skipped.
pub fn has_program(program: &str) -> bool {
    let found = Command::new("which").arg(program).stdout(Stdio::null()).status();
    let is_there = found.is_ok_and(|status| status.success());
    if !is_there {
        skip(&format!("{program} is not installed"));
    }
    is_there
}

/// Raises this process's limit of descriptors, and so that of the programs it starts: some tests hold more than a thousand
/// sockets at once, and 1,024 is the usual limit.
pub fn raise_descriptors() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(8192, |maximum| maximum.min(8192));
        if current.is_some_and(|current| current < wanted) {
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
}
