//! The signals that end a program, and waiting for the first of them. The first one stops a server
//! gracefully, a second one ends it at once.
//!
//! Whoever starts a program may have it ignore a signal: `nohup` does so with SIGHUP, and a shell
//! with SIGINT for what it runs in the background. Such a signal stays ignored.

#[cfg(unix)]
pub use unix::{Hangup, StopSignals, not_ignored, signals_in, survive_full_files};
#[cfg(windows)]
pub use windows::{Hangup, StopSignals, survive_full_files};

#[cfg(unix)]
mod unix {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2, SIGXFSZ},
        flag,
        low_level::pipe,
    };
    use std::{
        fs,
        io::{self, ErrorKind, Read as _, Write as _},
        os::unix::net::UnixStream,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::SeqCst},
        },
        time::Duration,
    };

    /// From now on a write to a file that may not become larger (`ulimit -f`) fails, as on a full
    /// disk. Without this, the kernel ends the process with SIGXFSZ.
    pub fn survive_full_files() -> io::Result<()> {
        flag::register(SIGXFSZ, Arc::default()).map(drop) // nobody looks at the flag
    }

    /// Of these signals, those that a program should act on: all but the ones that were ignored
    /// when it was started. SIGTERM always counts, or nothing but SIGKILL might be left.
    ///
    /// To be called before any handler is set. (Linux alone tells which signals are ignored without
    /// unsafe code; elsewhere none of them counts as ignored.)
    pub fn not_ignored(signals: &[i32]) -> Vec<i32> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = signals_in(&status, "SigIgn:");
        let counts = |&signal: &i32| signal == SIGTERM || ignored & (1 << (signal - 1)) == 0;
        signals.iter().copied().filter(counts).collect()
    }

    /// Signals from the text of `/proc/PID/status`, by the name of their line there: those that are
    /// ignored, say. The lowest bit is signal 1.
    pub fn signals_in(status: &str, line: &str) -> u64 {
        let mask = status.lines().find_map(|it| it.strip_prefix(line));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }

    /// What SIGHUP is for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Hangup {
        /// The terminal was closed: an end.
        Stops,
        /// Whoever looks after a service wants its options read again.
        Reloads,
    }

    /// SIGINT (Ctrl-C), SIGTERM and SIGHUP.
    pub struct StopSignals {
        /// Has a byte when one has come.
        came: UnixStream,
        raised: UnixStream,
        ends_at_once: Arc<AtomicBool>,
        is_stopping: Arc<AtomicBool>,
        is_reloading: Arc<AtomicBool>,
        is_upgrading: Arc<AtomicBool>,
    }

    impl StopSignals {
        /// From now on the first signal is waited for, and a second one (but SIGHUP) ends the
        /// process with exit code 130. To be called once.
        pub fn watch(hangup: Hangup) -> io::Result<StopSignals> {
            let (came, raised) = UnixStream::pair()?;
            let (is_stopping, is_reloading) = (Arc::<AtomicBool>::default(), Arc::default());
            let (is_upgrading, ends_at_once) = (Arc::default(), Arc::default());
            flag::register(SIGUSR2, Arc::clone(&is_upgrading))?;
            pipe::register(SIGUSR2, raised.try_clone()?)?;
            let mut stop = vec![SIGINT, SIGTERM];
            match hangup {
                Hangup::Stops => stop.push(SIGHUP),
                Hangup::Reloads => {
                    flag::register(SIGHUP, Arc::clone(&is_reloading))?;
                    pipe::register(SIGHUP, raised.try_clone()?)?;
                }
            }
            for signal in not_ignored(&stop) {
                flag::register_conditional_shutdown(signal, 0, Arc::clone(&ends_at_once))?;
                // A terminal that is closed sends SIGHUP more than once (its shell does, and the
                // kernel), which is no second wish.
                if signal != SIGHUP {
                    // In this order: the first signal finds the flag down and raises it, the
                    // second finds it up.
                    flag::register_conditional_shutdown(signal, 130, Arc::clone(&is_stopping))?;
                }
                flag::register(signal, Arc::clone(&is_stopping))?;
                pipe::register(signal, raised.try_clone()?)?;
            }
            Ok(StopSignals { came, raised, ends_at_once, is_stopping, is_reloading, is_upgrading })
        }

        /// Whether the first signal ends the process at once, with exit code 0: while a server starts,
        /// say, which may have a large file to read.
        pub fn end_at_once(&self, ends: bool) {
            self.ends_at_once.store(ends, SeqCst);
        }

        /// Something that does what the first signal does.
        pub fn raiser(&self) -> io::Result<impl Fn() + Send + use<>> {
            let (raised, is_stopping) = (self.raised.try_clone()?, Arc::clone(&self.is_stopping));
            Ok(move || {
                is_stopping.store(true, SeqCst);
                let _ = (&raised).write(&[1]); // if it is full, a byte waits already
            })
        }

        /// Waits for a signal, at most so long. Returns whether the server is to stop.
        pub fn wait(&self, at_most: Duration) -> io::Result<bool> {
            self.came.set_read_timeout(Some(at_most))?;
            loop {
                match (&self.came).read(&mut [0]) {
                    Ok(_) => return Ok(self.is_stopping.load(SeqCst)),
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                        return Ok(false);
                    }
                    Err(e) => return Err(e),
                }
            }
        }

        /// Whether SIGHUP has come since this was asked last, and it [reloads](Hangup::Reloads).
        pub fn wants_reload(&self) -> bool {
            self.is_reloading.swap(false, SeqCst)
        }

        /// Whether a signal that stops the server has come.
        pub fn is_stopping(&self) -> bool {
            self.is_stopping.load(SeqCst)
        }

        /// Whether SIGUSR2 has come since this was asked last: another program is to take over.
        pub fn wants_upgrade(&self) -> bool {
            self.is_upgrading.swap(false, SeqCst)
        }

        /// A socket that becomes readable at the first signal, for a program that waits for many.
        pub fn into_socket(self) -> UnixStream {
            self.came
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_ignored_is_read_from_the_kernels_table() {
            for (mask, ignores) in [
                ("0000000000000000", [false, false]),
                ("0000000000000001", [true, false]), // nohup
                ("0000000000001001", [true, false]), // nohup, and Rust ignores SIGPIPE
                ("0000000000000006", [false, true]), // in the background of a shell: and SIGQUIT
                ("fffffffffffffeff", [true, true]),
                ("nonsense", [false, false]),
            ] {
                let status = format!("Name:\tchatd\nSigIgn:\t{mask}\nSigCgt:\tff\n");
                let ignored = signals_in(&status, "SigIgn:");
                let found = [SIGHUP, SIGINT].map(|signal| ignored & (1 << (signal - 1)) != 0);
                assert_eq!(found, ignores, "{mask}");
            }
            assert_eq!(
                signals_in("Name:\tchatd\n", "SigIgn:"),
                0,
                "another system has no such line"
            );
        }
    }
}

/// The same where there are no signals: Ctrl-C, and the console being closed.
#[cfg(windows)]
mod windows {
    use std::{
        io,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::SeqCst},
            mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
        },
        time::Duration,
    };

    /// Nothing: files may always become larger.
    pub fn survive_full_files() -> io::Result<()> {
        Ok(())
    }

    /// There is no SIGHUP.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[allow(missing_docs, reason = "see the one for Unix")]
    pub enum Hangup {
        Stops,
        Reloads,
    }

    /// Ctrl-C, and the console being closed.
    pub struct StopSignals {
        first: SyncSender<()>,
        stopped: Receiver<()>,
        ends_at_once: Arc<AtomicBool>,
    }

    impl StopSignals {
        /// From now on the first one is waited for, and a second one ends the process with exit
        /// code 130. To be called once.
        pub fn watch(_: Hangup) -> io::Result<StopSignals> {
            let (stop, stopped) = sync_channel(1);
            let (first, ends_at_once) = (stop.clone(), Arc::<AtomicBool>::default());
            let is_at_once = Arc::clone(&ends_at_once);
            let asked = move || {
                if is_at_once.load(SeqCst) {
                    std::process::exit(0);
                }
                if stop.try_send(()).is_err() {
                    std::process::exit(130); // the second one: the first still waits, or nobody does
                }
            };
            ctrlc::set_handler(asked).map_err(io::Error::other)?;
            Ok(StopSignals { first, stopped, ends_at_once })
        }

        /// Whether the first one ends the process at once, with exit code 0: while a server starts,
        /// say, which may have a large file to read.
        pub fn end_at_once(&self, ends: bool) {
            self.ends_at_once.store(ends, SeqCst);
        }

        /// Something that does what Ctrl-C does.
        pub fn raiser(&self) -> io::Result<impl Fn() + Send + use<>> {
            let stop = self.first.clone();
            Ok(move || {
                let _ = stop.try_send(()); // one that waits is enough
            })
        }

        /// Never.
        pub fn wants_reload(&self) -> bool {
            false
        }

        /// Waits for the first, at most so long. Returns whether it has come.
        pub fn wait(&self, at_most: Duration) -> io::Result<bool> {
            match self.stopped.recv_timeout(at_most) {
                Err(RecvTimeoutError::Timeout) => Ok(false),
                _ => Ok(true),
            }
        }
    }
}
