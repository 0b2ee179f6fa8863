//! The real `chat` program against a server that says exactly what a test wants said: on a
//! terminal, where the tests look at the screen a person would see (Unix), and in pipes
//! (everywhere).

mod endings;
mod json;
mod pipes;
mod server;
mod tls;
mod tls_front;

#[cfg(unix)]
mod completing;
#[cfg(unix)]
mod cuts;
#[cfg(unix)]
mod figures;
#[cfg(unix)]
mod full;
#[cfg(unix)]
mod full_endings;
#[cfg(unix)]
mod full_keys;
#[cfg(unix)]
#[allow(dead_code, reason = "the other test binaries need the rest")]
#[path = "../harness/mod.rs"]
mod harness;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod leaving;
#[cfg(unix)]
mod passwords;
#[cfg(unix)]
mod pasting;
#[cfg(unix)]
mod person;
#[cfg(unix)]
mod picture;
#[cfg(unix)]
mod reconnecting;
#[cfg(unix)]
mod sacred;
#[cfg(unix)]
mod settings;
#[cfg(unix)]
mod status;
#[cfg(unix)]
mod strangers;
#[cfg(target_os = "linux")]
mod threads;
#[cfg(unix)]
mod tls_chatd;
#[cfg(unix)]
mod tls_people;
#[cfg(unix)]
mod typing;
#[cfg(unix)]
mod window;

use std::{path::PathBuf, time::Duration};

/// No wait is longer. Far more than a busy machine needs: it is there to end a test that would
/// hang.
const DEADLINE: Duration = Duration::from_mins(2);

/// Waits for something to become true. The thread is parked for about 1 ms between two looks.
#[cfg(unix)]
#[track_caller]
fn wait_until(mut is_true: impl FnMut() -> bool, complaint: impl Fn() -> String) {
    let end = std::time::Instant::now() + DEADLINE;
    while !is_true() {
        assert!(std::time::Instant::now() < end, "{}", complaint());
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// A new folder that nobody else uses.
fn folder() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("chat-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
