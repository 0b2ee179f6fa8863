//! A fixed pool of threads. It suits requests, which end. A conversation keeps its thread: at a
//! pool of four, the fifth student waits until another leaves.

use super::{Connection, Handler, MixIn, Refusal, run_handler};
use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread::{Builder, JoinHandle},
};

/// A job: one connection with its handler.
type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of workers takes the connections in turn; a few more may wait for one.
pub struct Pool {
    jobs: Mutex<Option<Sender<Job>>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    /// Connections with a worker or waiting for one.
    taken: Arc<AtomicUsize>,
    most: usize,
}

impl Pool {
    /// Starts `workers` threads, named `worker1` and so on. `waiting_max` connections may wait for
    /// one.
    pub fn new(workers: usize, waiting_max: usize) -> io::Result<Self> {
        let most = workers + waiting_max;
        let (jobs, queue) = crossbeam_channel::bounded(most);
        let start = |i| {
            let queue: Receiver<Job> = queue.clone();
            Builder::new()
                .name(format!("worker{i}"))
                .spawn(move || queue.iter().for_each(|job| job()))
        };
        let workers = (1..=workers).map(start).collect::<io::Result<Vec<_>>>()?;
        Ok(Pool {
            jobs: Mutex::new(Some(jobs)),
            workers: Mutex::new(workers),
            taken: Arc::default(),
            most,
        })
    }
}

impl MixIn for Pool {
    fn process<H: Handler>(
        &self,
        connection: Connection,
        handler: &Arc<H>,
    ) -> Result<(), (Connection, Refusal)> {
        let full = Refusal::Full { most: self.most };
        let Some(jobs) = self.jobs.lock().clone() else { return Err((connection, full)) };
        if self.taken.fetch_add(1, SeqCst) >= self.most {
            self.taken.fetch_sub(1, SeqCst);
            return Err((connection, full));
        }
        let (handler, taken) = (Arc::clone(handler), Arc::clone(&self.taken));
        let job = move || {
            run_handler(connection, &*handler);
            taken.fetch_sub(1, SeqCst);
        };
        let _ = jobs.send(Box::new(job)); // there is room: no more jobs than `most` are taken
        Ok(())
    }

    fn close(&self) {
        // The workers end when the queue is empty and nobody can fill it.
        drop(self.jobs.lock().take());
        let workers = std::mem::take(&mut *self.workers.lock());
        for worker in workers {
            let _ = worker.join();
        }
    }
}
