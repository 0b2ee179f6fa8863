//! One connected client: a row of the loop's table. Thread `main` runs it.
//!
//! chatd has a thread and a writer handle for each client. What is a place in that thread's code is a [`Stage`] here; and
//! because one thread does everything, the queue of what waits needs no lock.

use chatd::{
    core::{
        close_reason::CloseReason,
        event::{Answer, ClientId},
        rooms::Delivery,
        session::Session,
    },
    origin::Origin,
    server::{
        client::send_queue::SendQueue,
        sources::Usage,
        status::{Activity, Status},
    },
};
use std::{
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

slotmap::new_key_type! {
    /// A client's place in the table.
    pub struct ClientKey;
}

/// What a socket is watched for; and what it was found ready for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Interest {
    pub read: bool,
    pub write: bool,
}

/// What the loop waits for at a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Their next bytes.
    Reading,
    /// The end of a pause (flood). They are not read until then, so TCP slows them down.
    Paused(Instant),
    /// That they read the answer to their own command. They are not read until then.
    Behind,
    /// That everything that was said before they go is delivered.
    Departing,
    /// That they take the last line, until then at most.
    Goodbye(Instant),
    /// That they close their side, until then at most.
    Lingering(Instant),
}

/// One connected client.
pub struct Client<'a> {
    pub number: ClientId,
    pub peer: Origin,
    pub socket: TcpStream,
    /// `None` while it runs, and when they leave.
    pub session: Option<Box<Session<'a>>>,
    /// What waits for them to read.
    pub queue: SendQueue,
    /// Of these bytes, the ones up to the end of the last answer. They do not count against the high-water mark: who has
    /// an answer to read is not read.
    answer_bytes: usize,
    /// For their session, which has asked.
    pub answer: Option<Answer>,
    /// What they read behind the answer, until their session has shown that.
    after: Vec<u8>,
    pub stage: Stage,
    /// Why they are being hung up.
    pub close_reason: Option<CloseReason>,
    pub began: Instant,
    /// How long they may take to give a name; `None`: they have.
    pub login_deadline: Option<Duration>,
    /// When they were first seen to have ended their side in the middle of a flood.
    pub ended_at: Option<Instant>,
    pub status: Arc<Status>,
    pub usage: Usage,
    /// When the loop looks at them next, if nothing happens before.
    pub timer: Option<Instant>,
    /// What the system was told to watch the socket for.
    pub watched: Interest,
}

impl Client<'_> {
    pub fn new(
        number: ClientId,
        socket: TcpStream,
        peer: Origin,
        login: Duration,
        usage: Usage,
    ) -> Self {
        Client {
            number,
            peer,
            socket,
            session: None,
            queue: SendQueue::default(),
            answer_bytes: 0,
            answer: None,
            after: Vec::new(),
            stage: Stage::Reading,
            close_reason: None,
            began: Instant::now(),
            login_deadline: Some(login),
            ended_at: None,
            status: Status::new(&format!("c{number}")),
            usage,
            timer: None,
            watched: Interest::default(),
        }
    }

    // --- Sending: compare `WriterHandle` ---

    /// Delivers what the rooms tell this client. Never waits, and never reorders.
    pub fn deliver(&mut self, delivery: Delivery<'_>, high_water: usize) {
        let Delivery { before, answer, after, lines, close } = delivery;
        self.status.count_out(lines);
        self.send_after();
        self.queue.send(&self.socket, before);
        match answer {
            Some(answer) => (self.answer, self.after) = (Some(answer), after.concat()),
            None => self.queue.send(&self.socket, after),
        }
        if let Some(reason) = close {
            self.close_reason.get_or_insert(reason);
        } else if self.queue.len() - self.answer_bytes > high_water {
            self.refuse_more(CloseReason::TooSlow(high_water));
        }
    }

    /// Sends an answer of any length. What they do not take now waits, and so do they.
    pub fn reply(&mut self, bytes: &[u8]) {
        self.status.count_out(memchr::memchr_iter(b'\n', bytes).count());
        self.queue.send(&self.socket, &[bytes]);
        self.answer_bytes = self.queue.len();
        self.send_after();
    }

    /// Sends what comes behind an answer.
    pub fn send_after(&mut self) {
        let after = std::mem::take(&mut self.after);
        if !after.is_empty() {
            self.queue.send(&self.socket, &[&after]);
        }
    }

    /// Whether they have to read an answer before they are read again.
    pub fn is_behind(&self) -> bool {
        self.answer_bytes > 0
    }

    /// Sends what they take now.
    pub fn send_waiting(&mut self) {
        let waiting = self.queue.len();
        self.queue.send_waiting(&self.socket, &[], Instant::now());
        self.answer_bytes = self.answer_bytes.saturating_sub(waiting - self.queue.len());
    }

    /// Hangs up a slow consumer.
    pub fn refuse_more(&mut self, reason: CloseReason) {
        self.answer_bytes = self.answer_bytes.min(self.queue.refuse_more());
        self.close_reason.get_or_insert(reason);
    }

    /// Sends the last words, behind what still waits.
    pub fn send_last(&mut self, reason: &CloseReason) {
        self.send_after();
        let words = self.queue.take_with_last_words(reason);
        self.queue = SendQueue::default(); // a slow consumer's takes nothing more
        self.reply(&words);
    }

    // --- Waiting ---

    /// From now on the loop waits for this.
    pub fn wait_for(&mut self, stage: Stage) {
        self.stage = stage;
        self.status.set(match stage {
            Stage::Reading => Activity::Reading,
            Stage::Paused(_) => Activity::Pausing,
            Stage::Behind => Activity::Answering,
            Stage::Departing | Stage::Goodbye(_) | Stage::Lingering(_) => Activity::Leaving,
        });
    }

    pub fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Departing | Stage::Goodbye(_) | Stage::Lingering(_))
    }

    /// A slow consumer who has not taken the last words, either.
    pub fn is_stuck(&self) -> bool {
        self.close_reason.as_ref().is_some_and(CloseReason::is_slow) && !self.queue.is_empty()
    }

    /// What to watch the socket for. For writing only while something waits: a socket is nearly always writable, and the
    /// loop would spin.
    pub fn interest(&self) -> Interest {
        let read = matches!(self.stage, Stage::Reading | Stage::Lingering(_));
        Interest { read, write: !self.queue.is_empty() }
    }

    /// What is due next, even if nothing happens: the end of the stage (`None`), or of the conversation for a reason.
    pub fn next_due(&self, write_deadline: u64) -> Option<(Instant, Option<CloseReason>)> {
        let mut due = match self.stage {
            Stage::Departing => return None,
            Stage::Goodbye(until) | Stage::Lingering(until) => return Some((until, None)),
            Stage::Paused(until) => vec![(until, None)],
            Stage::Reading | Stage::Behind => Vec::new(),
        };
        if let (Stage::Reading, Some(session)) = (self.stage, &self.session) {
            due.extend(session.program.next_beat().map(|beat| (self.began + beat, None)));
        }
        due.extend(self.login_deadline.map(|deadline| {
            (self.began + deadline, Some(CloseReason::NoName(deadline.as_secs())))
        }));
        if !self.queue.is_empty() {
            let at = self.queue.progress() + Duration::from_secs(write_deadline);
            due.push((at, Some(CloseReason::TooLate(write_deadline))));
        }
        due.into_iter().min_by_key(|&(at, _)| at)
    }
}
