//! Step 3, a process for each client: the same one-second answer as step 4, after a `fork`. Port 18001. Unix only.
//!
//! `Forking` is a mix-in as those of `chatd::socketserver` are; it is here because `fork` needs `unsafe`.

#[cfg(unix)]
#[path = "slow_answer.rs"]
mod slow_answer;

#[cfg(unix)]
use {
    chatd::socketserver::{Connection, Handler, MixIn, Refusal, Server, program, run_handler},
    nix::unistd::{ForkResult, close, fork},
    rustix::event::{PollFd, PollFlags, poll},
    rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    std::os::fd::{AsRawFd as _, RawFd},
    std::sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Processes at once. One more client is closed at once.
#[cfg(unix)]
const CHILDREN_MAX: usize = 64;

/// A process for each connection.
#[cfg(unix)]
struct Forking {
    listener: RawFd,
    children: Mutex<Vec<Pid>>,
}

#[cfg(unix)]
impl Forking {
    /// # Safety
    /// As long as it serves, the process must have one thread: a child has only the thread that forked, so a lock that
    /// another thread held would stay locked in it for ever. And `listener` must stay open.
    unsafe fn new(listener: RawFd) -> Self {
        Forking { listener, children: Mutex::default() }
    }

    fn children(&self) -> MutexGuard<'_, Vec<Pid>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every child, whatever it does.
    fn hang_up(&self) {
        for child in &*self.children() {
            let _ = kill_process(*child, Signal::KILL);
        }
    }
}

#[cfg(unix)]
impl MixIn for Forking {
    fn process<H: Handler>(
        &self,
        connection: Connection,
        handler: &Arc<H>,
    ) -> Result<(), (Connection, Refusal)> {
        let mut children = self.children();
        children.retain(|child| is_running(*child, WaitOptions::NOHANG));
        let running = children.len();
        if running == CHILDREN_MAX {
            return Err((connection, Refusal::Full { most: CHILDREN_MAX }));
        }
        // SAFETY: this process has one thread, as `new` demands.
        match unsafe { fork() } {
            Ok(ForkResult::Parent { child }) => children.extend(Pid::from_raw(child.as_raw())),
            Ok(ForkResult::Child) => {
                let _ = close(self.listener); // it belongs to the parent
                run_handler(connection, &**handler);
                std::process::exit(0);
            }
            Err(error) => {
                return Err((connection, Refusal::NoThread { running, error: error.into() }));
            }
        }
        Ok(())
    }

    /// Waits for every child, as Python's `server_close` does.
    fn close(&self) {
        for child in self.children().drain(..) {
            is_running(child, WaitOptions::empty());
        }
    }
}

/// Whether a child still runs. One that does not is buried: until its parent asks, it stays as a zombie.
#[cfg(unix)]
fn is_running(child: Pid, options: WaitOptions) -> bool {
    matches!(waitpid(Some(child), options), Ok(None))
}

#[cfg(unix)]
fn main() -> anyhow::Result<()> {
    let ctrl_c = program::CtrlC::new()?;
    let listener = program::listen("127.0.0.1:18001")?;
    // SAFETY: nothing here starts a thread, and the server keeps the listener until the end.
    let forking = Arc::new(unsafe { Forking::new(listener.as_raw_fd()) });
    let server = Server::new(listener, Arc::new(slow_answer::SlowAnswer), Arc::clone(&forking));
    loop {
        let listener = server.listener();
        let mut waits = [PollFd::new(&ctrl_c, PollFlags::IN), PollFd::new(listener, PollFlags::IN)];
        while poll(&mut waits, None).is_err() {} // interrupted by a signal: look again
        if !waits[0].revents().is_empty() {
            break;
        }
        server.handle_request();
    }
    forking.hang_up();
    forking.close();
    Ok(())
}

#[cfg(not(unix))]
fn main() {
    eprintln!("fork exists on Unix only");
}
