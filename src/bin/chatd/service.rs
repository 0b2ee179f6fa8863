//! What chatd tells the manager of services that has started it, if there is one: systemd, by the
//! protocol of sd_notify(3), with `Type=notify-reload` and `WatchdogSec=`. Runs on thread `main`.

use chatd::server::{Chatd, watch::Watch};

/// The manager; nobody, if the server was started by hand.
pub(crate) struct Service {
    /// What it was told last: `37 of 512 clients`.
    status: String,
    threads_max: usize,
}

impl Service {
    pub(crate) fn new(threads_max: usize) -> Service {
        Service { status: String::new(), threads_max }
    }

    /// Clients can come.
    pub(crate) fn ready(&mut self, chatd: &Chatd) {
        tell(&State::Ready);
        self.tell_status(chatd);
    }

    pub(crate) fn reloading() {
        tell(&State::Reloading);
    }

    pub(crate) fn stopping() {
        tell(&State::Stopping);
    }

    /// To be called about once a second. While the fan-out does not turn, the manager hears nothing,
    /// and starts the server anew after its `WatchdogSec=`.
    pub(crate) fn look(&mut self, chatd: &Chatd, watch: &Watch) {
        if watch.is_turning("fanout") {
            tell(&State::Alive);
        }
        self.tell_status(chatd);
    }

    fn tell_status(&mut self, chatd: &Chatd) {
        let Some(clients) = chatd.clients() else { return };
        let status = format!("{clients} of {} clients", self.threads_max);
        if status != self.status {
            tell(&State::Status(&status));
            self.status = status;
        }
    }
}

/// What can be told.
enum State<'a> {
    Ready,
    Reloading,
    Stopping,
    Alive,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is nobody to tell"))]
    Status(&'a str),
}

/// Whether a manager has started this process.
pub(crate) fn is_managed() -> bool {
    cfg!(unix) && std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// A manager that does not listen is not worth a word: it does what it does with a silent service.
#[cfg(unix)]
fn tell(state: &State<'_>) {
    use sd_notify::{NotifyState, notify};
    let _ = match state {
        State::Ready => notify(&[NotifyState::Ready]),
        State::Reloading => {
            NotifyState::monotonic_usec_now().and_then(|now| notify(&[NotifyState::Reloading, now]))
        }
        State::Stopping => notify(&[NotifyState::Stopping]),
        State::Alive => notify(&[NotifyState::Watchdog]),
        State::Status(text) => notify(&[NotifyState::Status(text)]),
    };
}

#[cfg(not(unix))]
fn tell(_: &State<'_>) {}
