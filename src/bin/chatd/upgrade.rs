//! An upgrade in place: `chatd upgrade`, which asks a server for one, and the server's answer to the
//! signal. Runs on thread `main`.

use chatd::{server::Chatd, socketserver::signals::StopSignals};
use std::path::Path;

/// If that is wanted, has the program take over that is now where this one was. If nothing comes of
/// it, says why.
#[cfg(target_os = "linux")]
pub(crate) fn look(stop: &StopSignals, chatd: &Chatd) {
    if !stop.wants_upgrade() {
        return;
    }
    let mut arguments = std::env::args_os();
    let mut program = std::process::Command::new(arguments.next().unwrap_or("chatd".into()));
    let Err(error) = chatd.hand_over(program.args(arguments));
    log::error!(event = "not_upgraded"; "nothing is upgraded: {error:#}. This server goes on");
}

/// Asks the server that has the database at `path`, and waits for what comes of it.
#[cfg(target_os = "linux")]
pub(crate) fn run(path: &Path) -> anyhow::Result<()> {
    use anyhow::{Context as _, bail};
    use chatd::{server::handover::times_handed_over, store::ServerLock};
    use rustix::process::{Pid, Signal, kill_process};
    use std::time::{Duration, Instant};

    /// Longer than the server waits for the new program.
    const PATIENCE: Duration = Duration::from_secs(30);

    let number = ServerLock::holder(path);
    let Some(pid) = number.and_then(Pid::from_raw) else {
        bail!(
            "no server has {}. One without a database is asked by: kill -USR2 PID",
            path.display()
        );
    };
    let before = times_handed_over(pid.as_raw_nonzero().get());
    kill_process(pid, Signal::USR2).context("the server cannot be asked")?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        if times_handed_over(pid.as_raw_nonzero().get()) > before {
            crate::print::print_line(&format!(
                "Process {pid} is upgraded.",
                pid = pid.as_raw_nonzero()
            ));
            return Ok(());
        }
    }
    bail!("nothing is upgraded within {PATIENCE:?}. The server's log says why")
}

/// There is no such signal.
#[cfg(not(target_os = "linux"))]
pub(crate) fn look(_: &StopSignals, _: &Chatd) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_: &Path) -> anyhow::Result<()> {
    anyhow::bail!("a server is upgraded in place on Linux only. Stop it, and start the new one")
}
