//! One thread for each connection, with a bound. Modelled on Python's
//! `ThreadingMixIn`, which has no bound.

use super::{Connection, Handler, MixIn, Refusal, run_handler};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::Arc,
    thread::{Builder, JoinHandle},
};

/// Starts a thread for each connection, named `c` and its number; refuses those above a bound.
pub struct Threading {
    most: usize,
    stack_bytes: usize,
    threads: Arc<Mutex<Threads>>,
}

/// Every thread that is being started, or was started and is not joined yet. The bound limits their
/// number. (Several accept loops may share one `Threading`.)
#[derive(Default)]
struct Threads {
    starting: usize,
    started: HashMap<u64, JoinHandle<()>>,
    /// Those that have reported their end: joining one waits for a few instructions.
    ended: Vec<u64>,
}

impl Threading {
    /// At most `most` threads, each with a stack of `stack_bytes` (address space; memory is used as
    /// it is touched).
    pub fn new(most: usize, stack_bytes: usize) -> Self {
        Threading { most, stack_bytes, threads: Arc::default() }
    }

    /// How many threads run, or are about to.
    pub fn running(&self) -> usize {
        let Threads { starting, started, ended } = &*self.threads.lock();
        (starting + started.len()).saturating_sub(ended.len())
    }

    /// Calls this for every thread that has not been joined.
    pub fn for_each(&self, call: impl Fn(&JoinHandle<()>)) {
        self.threads.lock().started.values().for_each(call);
    }

    /// Reserves a place, and returns how many were taken before; `None`: all are taken.
    fn reserve(&self) -> Option<usize> {
        let mut threads = self.threads.lock();
        let running = threads.starting + threads.started.len();
        threads.starting += usize::from(running < self.most);
        (running < self.most).then_some(running)
    }

    /// Takes out the threads that can be joined without waiting for more than their last few
    /// instructions.
    fn take_ended(&self) -> Vec<JoinHandle<()>> {
        let mut joinable = Vec::new();
        let Threads { started, ended, .. } = &mut *self.threads.lock();
        // Moves each from `started` to `joinable`. One that ended before it was noted as started
        // stays on the list until the next time.
        ended.retain(|number| started.remove(number).map(|thread| joinable.push(thread)).is_none());
        joinable
    }
}

impl MixIn for Threading {
    fn process<H: Handler>(
        &self,
        mut connection: Connection,
        handler: &Arc<H>,
    ) -> Result<(), (Connection, Refusal)> {
        join_all(self.take_ended());
        let Some(running) = self.reserve() else {
            return Err((connection, Refusal::Full { most: self.most }));
        };
        connection.others = running;
        let number = connection.number;
        // A failed `spawn` would drop the connection with its closure. So the thread takes it from
        // here; if it cannot be started, this function takes it back.
        let handed_over = Arc::new(Mutex::new(Some(connection)));
        let run = {
            let (handed_over, handler, threads) =
                (Arc::clone(&handed_over), Arc::clone(handler), Arc::clone(&self.threads));
            move || {
                let connection = handed_over.lock().take();
                if let Some(connection) = connection {
                    run_handler(connection, &*handler);
                }
                drop(handler); // before the report: the last one may take long to drop
                threads.lock().ended.push(number);
            }
        };
        let spawned =
            Builder::new().name(format!("c{number}")).stack_size(self.stack_bytes).spawn(run);
        let error = {
            let mut threads = self.threads.lock();
            threads.starting -= 1;
            match spawned {
                Ok(thread) => {
                    threads.started.insert(number, thread);
                    return Ok(());
                }
                Err(error) => error,
            }
        };
        match handed_over.lock().take() {
            Some(connection) => Err((connection, Refusal::NoThread { running, error })),
            None => Ok(()), // cannot be: no thread was there to take it
        }
    }

    fn close(&self) {
        let threads = std::mem::take(&mut self.threads.lock().started);
        join_all(threads.into_values());
    }
}

fn join_all(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        let _ = thread.join(); // its panic was caught and reported
    }
}
