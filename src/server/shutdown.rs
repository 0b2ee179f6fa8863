//! The end of a server: everybody is told, what was accepted is delivered and written, every thread is
//! joined; and whatever hangs, that takes a few seconds. Runs on the threads `main` and `shutdown`.

use super::{Chatd, fanout::Shutdown, logger, start_thread};
use crate::{core::close_reason::CloseReason, socketserver::MixIn as _};
use anyhow::bail;
use crossbeam_channel::{RecvTimeoutError, bounded};
use parking_lot::Mutex;
use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long clients may take to say goodbye when the server stops, before their connections are
/// cut.
pub const SHUTDOWN_PATIENCE: Duration = Duration::from_millis(2500);
/// How long they may take after that to read their last line.
const LAST_PATIENCE: Duration = Duration::from_millis(1200);
/// How long the whole stop may take, whatever hangs; then the process ends without it. Whoever
/// stops a server is promised 5 s.
const STOP_PATIENCE: Duration = Duration::from_secs(4);
/// When the log has to have its last line. What is left of the 5 s is for a busy machine: it wakes
/// each thread late, and some five wake-ups lie between the signal and the end of the process.
const LOG_PATIENCE: Duration = Duration::from_millis(4500);

impl Chatd {
    /// Stops gracefully, on a thread of its own: if another thread hangs, perhaps with a lock,
    /// whoever called this goes on all the same.
    ///
    /// # Errors
    /// A thread hangs: the sentence says which, where, and what is not delivered, and the process is
    /// to be ended without it. Or the disk has failed: the sentence says how much is lost. It is in
    /// the log.
    pub fn shutdown(self) -> anyhow::Result<()> {
        let began = Instant::now();
        let stopped = self.stop_within(began + STOP_PATIENCE);
        if let Err(error) = &stopped {
            log::error!("{error:#}"); // by the logger: a terminal that is stopped must not stop us
        }
        logger::flush(Some(began + LOG_PATIENCE));
        stopped
    }

    /// The same, up to the log.
    fn stop_within(self, end: Instant) -> anyhow::Result<()> {
        let watch = self.watch();
        let (clients, loss) = (Arc::downgrade(&self.handler), self.handler.history.loss());
        let (done, is_done) = bounded::<()>(1);
        // If no thread can be started for it, this one takes it back: nothing has been done yet.
        let handed_over = Arc::new(Mutex::new(Some((self, done))));
        let stop = || {
            let handed_over = Arc::clone(&handed_over);
            move || {
                let chatd = handed_over.lock().take();
                if let Some((chatd, _done)) = chatd {
                    chatd.stop();
                }
            }
        };
        if let Err(error) = start_thread("shutdown", stop()) {
            log::warn!("{error:#}");
            stop()();
        }
        // It drops `done` at its end.
        let is_late = is_done.recv_deadline(end) == Err(RecvTimeoutError::Timeout);
        if let Some(loss) = loss() {
            if is_late {
                log::warn!("{}. Nothing more had to be written", watch.hanging());
            }
            return loss;
        }
        let left = clients.upgrade().map_or(Some(0), |handler| handler.registry.count());
        let clients = left.map_or("some".to_owned(), |left| left.to_string());
        bail!(
            "{}, and what waits for {clients} clients. What was said last may not be in the history",
            watch.hanging()
        )
    }

    /// Accepts nobody, tells everybody, delivers what was accepted, joins every thread. Channels
    /// run one way: each thread ends because the ones before it have.
    fn stop(self) {
        for server in &self.servers {
            server.shutdown();
        }
        join(self.accepting);
        if let Some(web) = self.web {
            web.stop.stop();
            join([web.thread]); // it has a handle of the handler, which the end below waits for
            web.view.close();
        }

        self.handler.hazards.iter().for_each(|hazards| hazards.close());
        self.handler.history.begin_to_stop();
        let _ = self.shutdown.send(Shutdown::Gracefully);
        let clients = self.handler.registry.close();
        log::info!(event = "stopping"; "shutting down, {} clients connected", clients.len());
        for client in clients {
            client.hang_up(CloseReason::Shutdown);
        }
        if !self.handler.registry.wait_until_empty(Instant::now() + SHUTDOWN_PATIENCE) {
            // Somebody has not said goodbye. The others stop waiting for them, and whoever is left
            // is cut off.
            let _ = self.shutdown.send(Shutdown::AtOnce);
            self.handler.registry.wait_until_empty(Instant::now() + LAST_PATIENCE);
            for client in self.handler.registry.all() {
                client.cut();
            }
        }
        self.threads.close();

        let flusher_queue = Arc::clone(&self.handler.flusher);
        drop(self.servers);
        drop(self.handler); // with it the last sender of events, of queries, and of the refused
        join(self.workers);
        flusher_queue.stop();
        join([self.flusher]);
        log::info!(event = "stopped"; "every thread has ended");
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        let _ = thread.join(); // a panic in it has ended the process
    }
}
