//! The writer handle: one connected client, as the other threads see them; and their outbox.
//!
//! The client's own thread reads. Three threads may write: the fan-out (what the room says), the
//! client's own thread (answers to their own commands) and the flusher (what did not fit). They
//! meet in the outbox, under one lock, which nobody holds while waiting. [`WriterHandle::deliver`]
//! has the rules.

mod answer;
mod encrypted;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nothing is handed over there"))]
mod handover;

pub(super) use encrypted::HandshakeError;

use super::{
    flusher::{FlusherQueue, SlowClient},
    send_queue::SendQueue,
    turn::Turn,
};
use crate::{
    core::{
        close_reason::CloseReason,
        event::{Answer, ClientId},
        rooms::Delivery,
    },
    lock::{Guard, LockKind, Locked, assert_no_lock_held},
    origin::Origin,
    server::{
        net,
        status::{Activity, Status},
    },
};
use parking_lot::Condvar;
use std::{
    net::{Shutdown, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How often a thread that waits for its own client checks whether somebody has hung the client up.
pub(super) const LOOK_UP: Duration = Duration::from_millis(250);

/// What makes a client a slow consumer.
#[derive(Clone, Copy)]
pub(crate) struct SlowLimits {
    /// The high-water mark: bytes that may wait in an outbox.
    pub(crate) high_water: usize,
    /// How long bytes may wait without the client taking any.
    pub(crate) write_deadline: Duration,
}

/// One connected client.
pub(crate) struct WriterHandle {
    pub(crate) number: ClientId,
    pub(crate) peer: Origin,
    pub(crate) status: Arc<Status>,
    socket: TcpStream,
    limits: SlowLimits,
    flusher: Arc<FlusherQueue>,
    outbox: Locked<Outbox>,
    /// Tells the client's own thread that there is an answer.
    answered: Condvar,
    /// Set with the reason. It can be read for each line without the lock.
    hung_up: AtomicBool,
    /// Set before anything is read or sent: what is read has to be decrypted.
    is_encrypted: AtomicBool,
}

/// What waits for the client to read.
#[derive(Default)]
struct Outbox {
    queue: SendQueue,
    turn: Turn,
    /// The answer to the client's question, for their own thread to take.
    answer: Option<Answer>,
    /// The client is on the flusher's list.
    is_flushing: bool,
    /// Why the client is being hung up.
    close_reason: Option<CloseReason>,
}

impl WriterHandle {
    /// Makes the handle of an accepted socket.
    pub(crate) fn new(
        number: ClientId,
        socket: TcpStream,
        peer: Origin,
        limits: SlowLimits,
        flusher: Arc<FlusherQueue>,
    ) -> Arc<Self> {
        net::prepare(&socket);
        Arc::new(WriterHandle {
            number,
            peer,
            status: Status::new(&format!("c{number}")),
            socket,
            limits,
            flusher,
            outbox: Locked::new(LockKind::Outbox, Outbox::default()),
            answered: Condvar::new(),
            hung_up: AtomicBool::new(false),
            is_encrypted: AtomicBool::new(false),
        })
    }

    /// The client's socket, to read from or to wait for.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    // --- Called by the fan-out ---

    /// Delivers what the rooms tell this client.
    ///
    /// 1. It MUST NOT wait: the socket takes what it takes now, the rest goes into the outbox.
    /// 2. It MUST NOT reorder: once something waits in the outbox, everything goes behind it.
    /// 3. Two threads MUST NOT tear a line: every send to this socket happens under this lock, or
    ///    by the client's own thread in its turn, when nobody else sends.
    /// 4. A client over the high-water mark (bytes) or the write deadline (seconds) MUST be hung
    ///    up, told why if they can still read, and counted.
    ///
    /// The answer to the client's own question is handed to their thread, which writes it and waits
    /// while the client is slow. What comes `after` waits until that is done, so that no live line
    /// is read before a long answer's end.
    pub(crate) fn deliver(self: &Arc<Self>, delivery: Delivery<'_>) {
        let Delivery { before, answer, after, lines, close } = delivery;
        self.status.count_out(lines);
        let mut outbox = self.outbox.lock();
        match outbox.turn {
            Turn::Anybody => outbox.queue.send(&self.socket, before),
            Turn::AnswerAfter(_) | Turn::OwnThread => outbox.queue.push(before),
        }
        if answer.is_none() && close.is_none() && outbox.queue.is_empty() {
            return; // the usual case
        }
        if let Some(answer) = answer {
            outbox.turn = Turn::AnswerAfter(outbox.queue.len());
            outbox.answer = Some(answer);
            self.answered.notify_all();
        }
        outbox.queue.push(after);
        if let Some(reason) = close {
            outbox.close_reason.get_or_insert(reason);
            self.stop_reading(outbox);
        } else if outbox.queue.len() > self.limits.high_water {
            outbox.refuse_more(CloseReason::TooSlow(self.limits.high_water));
            self.stop_reading(outbox);
        } else {
            self.flush_later(outbox);
        }
    }

    // --- Called by the client's own thread ---

    /// Waits for the answer to what was asked through the events channel. The fan-out always gives
    /// one.
    pub(crate) fn wait_for_answer(&self) -> Answer {
        assert_no_lock_held("an answer");
        self.status.set(Activity::Asking);
        let mut outbox = self.outbox.lock();
        loop {
            if let Some(answer) = outbox.answer.take() {
                self.status.set(Activity::Working);
                return answer;
            }
            outbox.wait_on(&self.answered, LOOK_UP); // `deliver` notifies; the time is a safety net
        }
    }

    /// Why the connection is broken, if what the client sent last may be cut off. A send may have
    /// found that out: then a read finds only an end of file.
    pub(crate) fn cut_off(&self) -> Option<String> {
        // A send that is under way holds the lock.
        let found = self.outbox.lock().queue.cut_off().map(str::to_owned);
        found.or_else(|| net::cut_off(&self.socket))
    }

    /// Why the connection is broken, if a send found that out.
    pub(crate) fn broken(&self) -> Option<String> {
        self.outbox.lock().queue.broken().map(str::to_owned)
    }

    /// Settles the one reason for the end: `reason`, unless there was one before.
    pub(crate) fn settle(&self, reason: CloseReason) -> CloseReason {
        self.outbox.lock().close_reason.get_or_insert(reason).clone()
    }

    /// Takes what still waits, with the last words behind it; from now on nobody else sends.
    pub(super) fn take_waiting(&self, reason: &CloseReason) -> Vec<u8> {
        let mut outbox = self.outbox.lock();
        outbox.turn = Turn::OwnThread;
        outbox.queue.take_with_last_words(reason)
    }

    /// Sends a whole frame that is no text, behind everything that waits. The client may send many
    /// pings and read nothing: what waits of the answers counts against the mark.
    pub(super) fn send_control(self: &Arc<Self>, frame: &[u8]) {
        let mut outbox = self.outbox.lock();
        outbox.queue.push_encoded(frame);
        if outbox.turn == Turn::Anybody {
            outbox.queue.send_waiting(&self.socket, &[], Instant::now());
        }
        if outbox.queue.len() > self.limits.high_water {
            outbox.refuse_more(CloseReason::TooSlow(self.limits.high_water));
            return self.stop_reading(outbox);
        }
        self.flush_later(outbox);
    }

    /// From now on the client gets line ends as telnet wants them.
    pub(crate) fn begin_telnet(&self) {
        self.outbox.lock().queue.begin_telnet();
    }

    /// From now on the client gets frames. To be called before anything is sent.
    pub(super) fn begin_frames(&self) {
        self.outbox.lock().queue.begin_frames();
    }

    /// From now on their last line has a note in front, or has none.
    pub(crate) fn set_reads_notes(&self, reads_notes: bool) {
        self.outbox.lock().queue.reads_notes = reads_notes;
    }

    /// How long a slow consumer may take for the last sentence.
    pub(super) fn write_deadline(&self) -> Duration {
        self.limits.write_deadline
    }

    // --- Called by anybody ---

    /// Whether somebody hung the client up.
    pub(crate) fn is_hung_up(&self) -> bool {
        self.hung_up.load(Relaxed)
    }

    /// Hangs the client up: their own thread's read returns, and that thread does the rest.
    pub(crate) fn hang_up(&self, reason: CloseReason) {
        let mut outbox = self.outbox.lock();
        outbox.close_reason.get_or_insert(reason);
        self.stop_reading(outbox);
    }

    /// Why the client is being hung up, if they are.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.outbox.lock().close_reason.clone()
    }

    /// Cuts the connection, so that no thread waits for it any longer.
    pub(crate) fn cut(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// For a demonstration: keeps the outbox locked while `wait` waits.
    pub(crate) fn hold_outbox(&self, wait: impl FnOnce()) {
        self.outbox.lock().break_the_lock_rule(wait);
    }

    fn stop_reading(&self, outbox: Guard<'_, Outbox>) {
        self.status.set_waiting(outbox.queue.len());
        drop(outbox);
        self.hung_up.store(true, Relaxed);
        net::end_reading(&self.socket);
    }

    /// Puts the client on the flusher's list, if something waits that nobody else will send.
    fn flush_later(self: &Arc<Self>, mut outbox: Guard<'_, Outbox>) {
        if outbox.queue.is_empty() {
            return;
        }
        self.status.set_waiting(outbox.queue.len());
        let is_needed =
            outbox.turn == Turn::Anybody && !outbox.queue.is_shut() && !outbox.is_flushing;
        outbox.is_flushing |= is_needed;
        drop(outbox);
        if is_needed {
            self.flusher.add(self.clone());
        }
    }
}

/// Called by the flusher.
impl SlowClient for WriterHandle {
    fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Sends what the client takes now. Returns their write deadline, or `None`: off the list.
    fn flush(&self, now: Instant) -> Option<Instant> {
        let mut outbox = self.outbox.lock();
        if outbox.turn == Turn::Anybody {
            outbox.queue.send_waiting(&self.socket, &[], now);
        }
        self.status.set_waiting(outbox.queue.len());
        let deadline = outbox.queue.progress() + self.limits.write_deadline;
        outbox.is_flushing =
            outbox.turn == Turn::Anybody && !outbox.queue.is_empty() && !outbox.queue.is_shut();
        if !outbox.is_flushing {
            return None;
        }
        if now < deadline {
            return Some(deadline);
        }
        outbox.refuse_more(CloseReason::TooLate(self.limits.write_deadline.as_secs()));
        outbox.is_flushing = false;
        self.stop_reading(outbox);
        None
    }
}

impl Outbox {
    /// Shuts a slow consumer's queue, and notes the reason. The caller hangs the client up.
    fn refuse_more(&mut self, reason: CloseReason) {
        if self.turn == Turn::OwnThread {
            // What has begun is on its way, outside the lock: nothing that waits belongs to it.
            self.queue.put_back(std::iter::empty());
        }
        let begun = self.queue.refuse_more();
        if let Turn::AnswerAfter(before) = &mut self.turn {
            *before = begun.min(*before);
        }
        self.close_reason.get_or_insert(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_their_own_thread_writes_nothing_that_waits_belongs_to_what_has_begun() {
        let mut outbox = Outbox { turn: Turn::OwnThread, ..Outbox::default() };
        outbox.queue.begin_frames();
        outbox.queue.note_sent(b"\x81\x05ab"); // the thread has "c\n" and a byte more
        outbox.queue.push(&[b"said later\n"]);
        outbox.refuse_more(CloseReason::TooSlow(1));
        assert_eq!(outbox.queue.len(), 0, "three of its bytes are no frame");
    }
}
