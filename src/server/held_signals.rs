//! Signals that wait: until a program has said what it does with them (before that, they end it), and
//! while one program becomes another. Only those that wait for the process then find the other one.
//! On Linux; elsewhere no program becomes another. Runs on thread `main`.

#[cfg(target_os = "linux")]
use nix::sys::signal::{SigSet, Signal};

/// While it is there, the signals that a server acts on wait, for the calling thread and for every
/// thread that it starts meanwhile. (For those they wait for ever: they are thread `main`'s.)
#[must_use]
#[derive(Debug)]
pub struct HeldSignals(());

impl HeldSignals {
    /// From now on they wait.
    pub fn hold() -> HeldSignals {
        #[cfg(target_os = "linux")]
        let _ = held().thread_block(); // it fails for a wrong set alone
        HeldSignals(())
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        let _ = held().thread_unblock();
    }
}

#[cfg(target_os = "linux")]
fn held() -> SigSet {
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR2].into_iter().collect()
}
