//! Answers of any length: the client's own thread writes them, and waits while the client is slow.

use super::{LOOK_UP, WriterHandle};
use crate::{
    core::close_reason::CloseReason,
    lock::assert_no_lock_held,
    server::{
        client::{frames::encode, turn::Turn},
        net,
        status::Activity,
    },
};
use std::{io, sync::Arc, time::Instant};

/// The most bytes of an answer that are sent while the outbox is locked: the fan-out waits for the
/// lock meanwhile.
const AT_ONCE_MAX: usize = 16 * 1024;

impl WriterHandle {
    /// Writes an answer of any length to this client, waits for them to read, and then releases
    /// what waits behind the answer. The answer does not count against the high-water mark: a
    /// client that reads slowly here delays only themselves.
    pub(crate) fn write_answer(self: &Arc<Self>, answer: &[u8]) {
        self.status.count_out(memchr::memchr_iter(b'\n', answer).count());
        let wire = self.outbox.lock().queue.wire();
        let answer = &*encode(answer, wire);
        let mut outbox = self.outbox.lock();
        let before = match outbox.turn {
            Turn::AnswerAfter(before) => before,
            Turn::Anybody | Turn::OwnThread => outbox.queue.len(), // behind everything that waits
        };
        let (mut sent, now) = (0, Instant::now());
        if before == 0 && answer.len() <= AT_ONCE_MAX && !outbox.queue.is_shut() {
            sent = outbox.queue.send_waiting(&self.socket, answer, now);
        }
        if sent == answer.len() {
            outbox.turn = Turn::Anybody; // the usual case
            outbox.queue.begin_to_wait(now);
            self.status.set_waiting(outbox.queue.len());
            return self.flush_later(outbox);
        }
        outbox.turn = Turn::OwnThread;
        let before = outbox.queue.take_first(before);
        drop(outbox);
        self.write_long_answer(&before, &answer[sent..]);
    }

    /// Writes an answer that the client does not take at once.
    #[inline(never)] // see `Session::hear`
    pub(super) fn write_long_answer(self: &Arc<Self>, before: &[u8], answer: &[u8]) {
        self.status.set(Activity::Answering);
        let unsent = self.write_waiting(before);
        let unanswered = if unsent.is_empty() { self.write_waiting(answer) } else { answer };
        self.status.set(Activity::Working);

        let mut outbox = self.outbox.lock();
        outbox.turn = Turn::Anybody;
        outbox.queue.begin_to_wait(Instant::now());
        if !unanswered.is_empty() {
            // The write was given up. All is put back, so that `refuse_more` can keep the rest of
            // the line that was begun, and drop everything else.
            outbox.queue.put_back(unsent.iter().chain(unanswered).copied());
            outbox.refuse_more(CloseReason::TooLate(self.limits.write_deadline.as_secs()));
            return self.stop_reading(outbox);
        }
        outbox.queue.send_waiting(&self.socket, &[], Instant::now());
        self.status.set_waiting(outbox.queue.len());
        self.flush_later(outbox);
    }

    /// Writes whole lines while the client reads. Returns what they did not take: nothing, unless
    /// they were hung up, or took nothing for the whole write deadline.
    fn write_waiting<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let (mut sent, mut progress) = (0, Instant::now());
        while sent < bytes.len() {
            match self.send_answer(&bytes[sent..]) {
                Ok(0) => {
                    let progress =
                        self.progress_of_record().max(Some(progress)).unwrap_or(progress);
                    let is_late = progress.elapsed() >= self.limits.write_deadline;
                    if is_late || self.close_reason().is_some() {
                        break;
                    }
                    assert_no_lock_held("a socket");
                    let at_most = LOOK_UP.min(self.limits.write_deadline);
                    let _ = net::wait_writable(&self.socket, at_most);
                }
                Ok(n) => (sent, progress) = (sent + n, Instant::now()),
                Err(e) => {
                    // As if it was sent: nobody is left to read it. What the client sent before
                    // will still be read.
                    self.outbox.lock().queue.break_off(&e);
                    sent = bytes.len();
                }
            }
        }
        if sent > 0 {
            self.outbox.lock().queue.note_sent(&bytes[..sent]);
        }
        &bytes[sent..]
    }

    /// Sends what the socket takes now. If it is encrypted, that is under the lock: nobody else makes
    /// records meanwhile.
    fn send_answer(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.is_encrypted() {
            false => net::send_now(&self.socket, &[bytes]),
            true => self.outbox.lock().queue.send_answer(&self.socket, bytes),
        }
    }

    /// When the client took something of a record that is on its way, if there are records.
    fn progress_of_record(&self) -> Option<Instant> {
        self.is_encrypted().then(|| self.outbox.lock().queue.progress())
    }
}
