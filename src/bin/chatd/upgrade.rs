//! An upgrade in place: `chatd upgrade`, which asks a server for one, and the server's answer to the
//! signal. If it refuses, it says so in the log, and in the file of its lock, where the command looks.
//! Runs on thread `main`.

use chatd::{server::Chatd, socketserver::signals::StopSignals};
use std::path::Path;

/// If that is wanted, has the program take over that is now where this one was. If nothing comes of
/// it, says why. The server has the database at `path`, if it has one.
#[cfg(target_os = "linux")]
pub(crate) fn look(stop: &StopSignals, chatd: &Chatd, path: Option<&Path>) {
    if !stop.wants_upgrade() {
        return;
    }
    let mut arguments = std::env::args_os();
    let mut program = std::process::Command::new(arguments.next().unwrap_or("chatd".into()));
    let Err(error) = chatd.hand_over(program.args(arguments), &|| stop.is_stopping());
    let goes_on = if stop.is_stopping() { "" } else { ". The server goes on" };
    let why = format!("{error:#}").trim_end_matches('.').to_owned() + goes_on;
    if let Some(path) = path {
        // With the time, so that each is another one. If it cannot be written, the log has it.
        let word = format!("{} {}", jiff::Timestamp::now(), why.replace('\n', " "));
        let _ = chatd::store::ServerLock::leave_word(path, &word);
    }
    log::error!(event = "not_upgraded"; "nothing is upgraded: {why}");
}

#[cfg(target_os = "linux")]
pub(crate) use chatd::server::handover::{is_taking_over, refuse};

/// Asks the server that has the database at `path`, and waits for what comes of it.
#[cfg(target_os = "linux")]
pub(crate) fn run(path: &Path) -> anyhow::Result<()> {
    use anyhow::{Context as _, bail};
    use chatd::{
        server::handover::{may_be_asked, times_handed_over},
        store::ServerLock,
    };
    use rustix::process::{Pid, Signal, kill_process, test_kill_process};
    use std::time::{Duration, Instant};

    /// Longer than the server waits: twice 10 s for the new program, and 21 s for its own threads.
    const PATIENCE: Duration = Duration::from_secs(45);

    let Some((number, pid)) =
        ServerLock::holder(path).and_then(|it| Some((it, Pid::from_raw(it)?)))
    else {
        bail!(
            "no server of yours has {}. One without a database is asked by: kill -USR2 PID",
            path.display()
        );
    };
    if !may_be_asked(number) {
        bail!("process {number} is of a version that is not upgraded in place: start it anew");
    }
    let before = times_handed_over(number);
    let word_before = ServerLock::word_left(path);
    kill_process(pid, Signal::USR2).context("the server cannot be asked")?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        if times_handed_over(number) > before {
            crate::print::print_line(&format!("Process {number} is upgraded."));
            return Ok(());
        }
        if test_kill_process(pid).is_err() {
            bail!("the server has ended. Its log says why");
        }
        let word = ServerLock::word_left(path).filter(|word| Some(word) != word_before.as_ref());
        if let Some((_time, why)) = word.as_deref().and_then(|word| word.split_once(' ')) {
            bail!("nothing is upgraded: {why}");
        }
    }
    bail!("nothing is upgraded within {PATIENCE:?}. The server's log says why")
}

/// There is no such signal.
#[cfg(not(target_os = "linux"))]
pub(crate) fn look(_: &StopSignals, _: &Chatd, _: Option<&Path>) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_taking_over() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn refuse(_: &anyhow::Error) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_: &Path) -> anyhow::Result<()> {
    anyhow::bail!("a server is upgraded in place on Linux only. Stop it, and start the new one")
}
