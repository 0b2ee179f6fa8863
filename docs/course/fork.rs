//! Step 3, a process for each client: the same one-second answer as step 4, after a `fork`. Port 18001. Unix only.

#[cfg(unix)]
#[path = "slow_answer.rs"]
mod slow_answer;

#[cfg(unix)]
use {
    chatd::socketserver::{Connection, program, run_handler},
    nix::unistd::{ForkResult, fork},
    rustix::event::{PollFd, PollFlags, poll},
    rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    std::io::Write as _,
};

/// Processes at once. One more client is sent away.
#[cfg(unix)]
const CHILDREN_MAX: usize = 64;

#[cfg(unix)]
fn main() -> anyhow::Result<()> {
    let ctrl_c = program::CtrlC::new()?;
    let listener = program::listen("127.0.0.1:18001")?;
    let mut children: Vec<Pid> = Vec::new();
    for number in 1.. {
        let mut waits =
            [PollFd::new(&ctrl_c, PollFlags::IN), PollFd::new(&listener, PollFlags::IN)];
        while poll(&mut waits, None).is_err() {} // interrupted by a signal: look again
        if !waits[0].revents().is_empty() {
            break;
        }
        let Ok((mut stream, peer)) = listener.accept() else { continue };
        children.retain(|child| is_running(*child, WaitOptions::NOHANG));
        if children.len() == CHILDREN_MAX {
            let _ = stream.write_all(b"Full.\n");
            continue;
        }
        // SAFETY: this process has one thread, so no other thread can hold a lock that the child would miss.
        match unsafe { fork() } {
            Ok(ForkResult::Parent { child }) => children.extend(Pid::from_raw(child.as_raw())),
            Ok(ForkResult::Child) => {
                drop(listener); // it belongs to the parent
                run_handler(
                    Connection { number, stream, peer, others: 0 },
                    &slow_answer::SlowAnswer,
                );
                std::process::exit(0);
            }
            Err(error) => eprintln!("{peer} is turned away: {error}"),
        }
    }
    for child in children {
        let _ = kill_process(child, Signal::KILL);
        is_running(child, WaitOptions::empty());
    }
    Ok(())
}

/// Whether a child still runs. One that does not is buried: until its parent asks, it stays as a zombie.
#[cfg(unix)]
fn is_running(child: Pid, options: WaitOptions) -> bool {
    matches!(waitpid(Some(child), options), Ok(None))
}

#[cfg(not(unix))]
fn main() {
    eprintln!("fork exists on Unix only");
}
