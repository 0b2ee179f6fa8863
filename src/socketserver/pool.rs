//! A fixed pool of threads. Right for requests, which end; a conversation keeps its thread, and the fifth student at a
//! pool of four waits until somebody leaves.

use super::{Connection, Handler, MixIn, Refusal, run_handler};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::Mutex;
use std::{
    io,
    sync::Arc,
    thread::{Builder, JoinHandle},
};

/// A job: one connection with its handler.
type Job = Box<dyn FnOnce() + Send>;

/// So many workers take the connections in turn; a few more may wait for them.
pub struct Pool {
    jobs: Mutex<Option<Sender<Job>>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    waiting_max: usize,
}

impl Pool {
    /// Starts `workers` threads, named `worker1` and so on. `waiting_max` connections may wait for one.
    pub fn new(workers: usize, waiting_max: usize) -> io::Result<Self> {
        let (jobs, queue) = crossbeam_channel::bounded(waiting_max);
        let start = |i| {
            let queue: Receiver<Job> = queue.clone();
            Builder::new().name(format!("worker{i}")).spawn(move || queue.iter().for_each(|job| job()))
        };
        let workers = (1..=workers).map(start).collect::<io::Result<Vec<_>>>()?;
        Ok(Pool { jobs: Mutex::new(Some(jobs)), workers: Mutex::new(workers), waiting_max })
    }
}

impl MixIn for Pool {
    fn process<H: Handler>(&self, connection: Connection, handler: &Arc<H>) -> Result<(), (Connection, Refusal)> {
        let parcel = Arc::new(Mutex::new(Some(connection)));
        let job: Job = {
            let (parcel, handler) = (Arc::clone(&parcel), Arc::clone(handler));
            Box::new(move || {
                let connection = parcel.lock().take();
                if let Some(connection) = connection {
                    run_handler(connection, &*handler);
                }
            })
        };
        let jobs = self.jobs.lock().clone();
        let refused = match jobs.map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => parcel.lock().take(),
        };
        refused.map_or(Ok(()), |connection| Err((connection, Refusal::Full { most: self.waiting_max })))
    }

    fn close(&self) {
        drop(self.jobs.lock().take()); // the workers end when the queue is empty and nobody can fill it
        let workers = std::mem::take(&mut *self.workers.lock());
        for worker in workers {
            let _ = worker.join();
        }
    }
}
