//! The fan-out: one thread that owns everybody's state and delivers what is said. Runs on thread
//! `fanout`.
//!
//! All events come through one bounded channel, so there is one order. The thread applies all
//! events that wait, and then sends once to each client: when the room is busy, a thousand lines
//! cost one send per client, not a thousand.
//!
//! Nothing is shown before it is written (unless the disk fails: then everybody is told), and yet
//! the fan-out never waits for the disk: it hands a batch's records to the historian and goes on.
//! When the historian answers, the batch is shown. All that gathered meanwhile is the next batch:
//! the slower the disk, the larger the transactions.

mod commit;
mod leaving;
mod yielding;

use super::{
    client::outbox::WriterHandle,
    clock::Clock,
    cues::{Cue, Cues},
    history::historian::{HistorianEvent, HistorianHandle},
    logger,
    status::{Activity, Status, Totals},
    trace::Passes,
};
use crate::{
    core::{Chat, batch_max, event::Event, rooms::Action},
    lock::assert_no_lock_held,
};
use commit::{Commit, bytes};
use crossbeam_channel::{Receiver, Sender, TryRecvError, at, bounded, never, select};
use leaving::{Asked, leave};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use yielding::let_the_talkers_talk;

/// Events that may wait, for each client of a full server: a new client sends a name and a first
/// line. When the channel is full, the talkers' threads wait, stop reading, and TCP slows the
/// talkers down.
///
/// Measured with 5,000 clients that connect at once: with only 1,024 events, 0.87 times as many
/// enter per second, and each costs 1.5 KiB more.
const EVENTS_EACH: usize = 2;
/// The fewest events, for a server with few clients that talk much, and the most, which fit into
/// some 20 MiB.
const EVENTS_BOUNDS: (usize, usize) = (64, 16 * 1024);
/// The bytes of talk from which on an event is large.
const LARGE: usize = 1024;
/// Large events that may wait. An event holds at most 18 KiB of talk, so these are 1.1 MiB at most,
/// and the small ones of 512 clients another MiB (a string may have allocated twice that). It is
/// some twenty batches, so the fan-out never lacks work; and all of it is delivered after a stop
/// has begun, which is to end soon. (With 1,024 large events, two clients that sent without end made
/// a stop take 4.5 s: 2,800,000 lines waited.)
const LARGE_MAX: usize = 64;
/// How long a batch waits to be written. Then it is shown unwritten, after a line that says so.
const COMMIT_PATIENCE: Duration = Duration::from_millis(2500);
/// The bytes of records that may wait for a historian that is late: as much as it keeps
/// during an outage. With more, no events are taken, so talkers wait.
const TO_WRITE_MAX: usize = 4 * 1024 * 1024;

/// The ends of the events channel of a server of `threads_max` clients, and of the places of large
/// events.
pub(crate) fn events(threads_max: usize) -> (EventSender, Receiver<ClientEvent>, Receiver<()>) {
    let most = EVENTS_EACH.saturating_mul(threads_max).clamp(EVENTS_BOUNDS.0, EVENTS_BOUNDS.1);
    let ((queue, events), (large, places)) = (bounded(most), bounded(LARGE_MAX));
    (EventSender { queue, large }, events, places)
}

/// What comes through the events channel: something happened at this client.
pub(crate) type ClientEvent = (Arc<WriterHandle>, Event);

/// Where client threads send their events.
pub(crate) struct EventSender {
    pub(crate) queue: Sender<ClientEvent>,
    /// Where a large event takes its place before it is sent.
    pub(crate) large: Sender<()>,
}

/// Whether an event takes one of the [`LARGE_MAX`] places.
pub(crate) fn is_large(event: &Event) -> bool {
    matches!(event, Event::Talk(talk) if talk.wire_bytes() >= LARGE)
}

/// How to shut down. It does not come through the events channel, which may be full because the
/// disk is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// See [`Chat::close`].
    Gracefully,
    /// The graceful shutdown takes too long: see [`Chat::close_at_once`]. Nothing waits for the
    /// disk any more.
    AtOnce,
}

/// What the fan-out works with.
pub(crate) struct FanOut {
    /// Events, in the one order.
    pub(crate) events: Receiver<ClientEvent>,
    /// The places that large events have taken: one is given back with each.
    pub(crate) large: Receiver<()>,
    pub(crate) shutdown: Receiver<Shutdown>,
    /// What is being shown to a class.
    pub(crate) cues: Cues,
    pub(crate) historian: HistorianHandle,
    /// Read when an event is taken, never before a wait.
    pub(crate) clock: Clock,
    /// Bytes that may wait for one client. A batch is no larger, so one batch alone puts no client
    /// with an empty outbox over the mark (except for the times that `/timestamps` adds).
    pub(crate) high_water: usize,
    /// Stops the server, as a signal does.
    pub(crate) stop: Box<dyn Fn() + Send>,
    pub(crate) status: Arc<Status>,
    pub(crate) totals: Arc<Totals>,
}

/// What the thread waited for.
enum Wakeup {
    Event(ClientEvent),
    History(HistorianEvent),
    Shutdown(Shutdown),
    Cue(Cue),
    /// Another server is to have the chat.
    Leave(Asked),
    /// The disk does not answer.
    Late,
    /// The time that an administrator gave the server is over.
    StopTime,
    /// Every client has left, and everything is written.
    End,
}

impl FanOut {
    /// The thread runs this until every sender of `events` is gone and everything is written.
    pub(crate) fn run(mut self, mut chat: Chat<Arc<WriterHandle>>) {
        self.status.attach();
        let batch_max = batch_max(self.high_water);
        let mut commit = Commit::default();
        let (mut is_stopping, mut stop_at, mut asked_to_leave) = (false, None, None);
        self.end_batch(&mut chat, &mut commit); // whoever was not handed over has left
        loop {
            // After `Shutdown::AtOnce` departures are taken, whatever waits: they have no records.
            let is_behind = commit.bytes_to_write >= TO_WRITE_MAX && !commit.is_closing_at_once;
            let takes_events = !(is_behind || chat.is_full(batch_max));
            let mut next = None;
            let wakeup = self.wait(takes_events, &commit, stop_at);
            chat.set_now(self.clock.now());
            match wakeup {
                Wakeup::Event(event) => next = Some(event),
                Wakeup::History(event) => self.on_history(&mut chat, &mut commit, event),
                Wakeup::Cue(Cue::Announcement(it)) => chat.announce_hazard(it),
                Wakeup::Cue(Cue::Warning(warning)) => chat.warn(warning),
                Wakeup::Leave(asked) => asked_to_leave = Some(asked),
                Wakeup::Shutdown(Shutdown::Gracefully) => {
                    (is_stopping, stop_at) = (true, None);
                    chat.close();
                }
                Wakeup::Shutdown(Shutdown::AtOnce) => {
                    commit.is_closing_at_once = true;
                    chat.close_at_once();
                    self.deliver(&mut chat, &mut commit);
                }
                Wakeup::Late => {
                    commit.is_late = true;
                    let since = commit.oldest;
                    commit.tell_outage(&mut chat, "the disk does not answer.", since);
                    self.deliver(&mut chat, &mut commit);
                }
                Wakeup::StopTime => {
                    (is_stopping, stop_at) = (true, None);
                    (self.stop)();
                }
                Wakeup::End => return self.status.set(Activity::Ended),
            }
            while let Some(event) = next.take() {
                self.apply(&mut chat, &mut commit, event);
                next = if chat.is_full(batch_max) { None } else { self.events.try_recv().ok() };
            }
            for action in chat.take_actions() {
                match action {
                    Action::Log(line) => logger::record(&line),
                    Action::ShutDown(_) if is_stopping => {} // a second stop would end the process at once
                    Action::ShutDown(after) => stop_at = Some(Instant::now() + after),
                    Action::CancelShutDown => stop_at = None,
                    Action::ShowQuiz(quiz) => self.totals.board.show(&quiz),
                }
            }
            self.end_batch(&mut chat, &mut commit);
            self.note(&commit);
            if asked_to_leave.is_some() && commit.is_at_rest() && self.events.is_empty() {
                asked_to_leave.take().iter().for_each(|asked| leave(&chat, asked));
            }
        }
    }

    fn apply(
        &self,
        chat: &mut Chat<Arc<WriterHandle>>,
        commit: &mut Commit,
        (client, event): ClientEvent,
    ) {
        let mut traced = None;
        if let Event::Talk(talk) = &event {
            self.status.count_in(talk.lines);
            self.totals.said.fetch_add(talk.lines as u64, Relaxed);
            traced = talk.trace;
            commit.gathered_bytes += talk.wire_bytes();
        }
        if is_large(&event) {
            let _ = self.large.try_recv();
        }
        self.status.at_client(client.number);
        self.totals.trace.pass(traced, Passes::Taken);
        chat.apply(self.clock.now(), client.number, &client, event);
        self.totals.trace.pass(traced, Passes::Applied);
        commit.traced.gathering = traced.or(commit.traced.gathering);
    }

    /// Notes how much waits, for the view.
    fn note(&self, commit: &Commit) {
        let to_write = commit.bytes_to_write + commit.bytes_handed_over;
        self.totals.to_show.store(commit.gathered_bytes + commit.sealed_bytes, Relaxed);
        self.totals.to_write.store(to_write, Relaxed);
        let was_outage = self.totals.is_outage.swap(commit.is_told, Relaxed);
        self.totals.outages.fetch_add(u64::from(commit.is_told && !was_outage), Relaxed);
    }

    /// Ends the batch that gathers, unless the one before it still waits to be written.
    fn end_batch(&self, chat: &mut Chat<Arc<WriterHandle>>, commit: &mut Commit) {
        if chat.is_sealed() {
            return;
        }
        let records = chat.seal();
        commit.traced.seal();
        commit.sealed_bytes = std::mem::take(&mut commit.gathered_bytes);
        if records.is_empty() || commit.is_late || commit.is_closing_at_once {
            self.deliver(chat, commit);
        }
        if !records.is_empty() {
            commit.bytes_to_write += bytes(&records);
            commit.to_write.push_back(records);
        }
        self.hand_over(commit);
    }

    /// Hands the next batch's records to the historian, if it is free.
    fn hand_over(&self, commit: &mut Commit) {
        if commit.handed_over_at.is_none()
            && let Some(records) = commit.to_write.pop_front()
        {
            commit.bytes_handed_over = bytes(&records);
            commit.bytes_to_write -= commit.bytes_handed_over;
            commit.oldest = records.first().map_or(commit.oldest, |record| record.at);
            // There is room: the last one was answered.
            self.totals.trace.pass(commit.traced.sealed, Passes::HandedOver);
            let _ = self.historian.commits.send(records);
            commit.handed_over_at = Some(Instant::now());
        }
    }

    fn on_history(
        &self,
        chat: &mut Chat<Arc<WriterHandle>>,
        commit: &mut Commit,
        event: HistorianEvent,
    ) {
        match event {
            HistorianEvent::Committed(outcomes) => {
                (commit.handed_over_at, commit.bytes_handed_over) = (None, 0);
                self.totals.trace.pass(commit.traced.sealed, Passes::Written);
                chat.settle(self.clock.now(), outcomes);
                // If a batch is sealed, it is the one that is answered here: while the historian is
                // late, no batch stays sealed.
                if chat.is_sealed() {
                    self.deliver(chat, commit);
                }
                self.hand_over(commit);
                // It is on time again if nothing more had to be handed over.
                commit.is_late &= commit.handed_over_at.is_some();
                commit.tell_recovery(chat);
            }
            // The historian says so before it answers the batch that it could not write.
            HistorianEvent::Outage { why, since } => {
                commit.is_outage = true;
                commit.tell_outage(chat, &why, since);
            }
            HistorianEvent::Recovered { gap } => {
                commit.is_outage = false;
                // If an earlier gap is not told yet, both are told as one.
                commit.gap = match (commit.gap.take(), gap) {
                    (Some((from, _)), Some((_, to))) => Some((from, to)),
                    (earlier, gap) => earlier.or(gap),
                };
                commit.tell_recovery(chat);
            }
            HistorianEvent::Unreadable => chat.doubt_names(),
            HistorianEvent::Changed(snapshot) => chat.restore(snapshot),
        }
    }

    /// Sends each client what the sealed batch has for them.
    fn deliver(&self, chat: &mut Chat<Arc<WriterHandle>>, commit: &mut Commit) {
        self.status.set(Activity::Sending);
        self.cues.brake.wait();
        let (mut delivered, traced) = (0, commit.traced.sealed.take());
        commit.sealed_bytes = 0;
        self.totals.trace.pass(traced, Passes::LaidOut);
        let mut first = traced;
        chat.flush(|client, delivery| {
            delivered += delivery.lines;
            self.status.at_client(client.number);
            client.deliver(delivery);
            self.totals.trace.pass(first.take(), Passes::FirstSend);
        });
        self.totals.trace.pass(traced, Passes::LastSend);
        self.status.count_out(delivered);
        self.totals.delivered.fetch_add(delivered as u64, Relaxed);
    }

    /// Waits for the next thing to do: an event of a client only if `takes_events`.
    fn wait(&mut self, takes_events: bool, commit: &Commit, stop_at: Option<Instant>) -> Wakeup {
        assert_no_lock_held("events");
        self.status.turn(match takes_events {
            true => Activity::WaitingForEvents,
            false => Activity::WaitingForTheDisk,
        });
        let wakeup = self.next(takes_events, commit, stop_at);
        if let Wakeup::Event(_) = wakeup {
            let_the_talkers_talk(&self.events);
        }
        self.status.turn(Activity::Applying);
        self.cues.brake.wait();
        wakeup
    }

    fn next(&mut self, takes_events: bool, commit: &Commit, stop_at: Option<Instant>) -> Wakeup {
        // These come first: when everybody talks all the time, there is always one more event.
        if let Ok(shutdown) = self.shutdown.try_recv() {
            return Wakeup::Shutdown(shutdown);
        }
        if let Ok(cue) = self.cues.told.try_recv() {
            return Wakeup::Cue(cue);
        }
        if let Ok(asked) = self.cues.rest.asked.try_recv() {
            return Wakeup::Leave(asked);
        }
        if let Ok(event) = self.historian.events.try_recv() {
            return Wakeup::History(event);
        }
        let waits = !commit.is_late && !commit.is_closing_at_once;
        let late_at = commit.handed_over_at.filter(|_| waits).map(|since| since + COMMIT_PATIENCE);
        if late_at.is_some_and(|at| at <= Instant::now()) {
            return Wakeup::Late;
        }
        if stop_at.is_some_and(|at| at <= Instant::now()) {
            return Wakeup::StopTime;
        }
        let next = if takes_events { self.events.try_recv() } else { Err(TryRecvError::Empty) };
        match next {
            Ok(event) => Wakeup::Event(event),
            Err(TryRecvError::Disconnected) if commit.handed_over_at.is_none() => Wakeup::End,
            Err(error) => {
                let nobody = never(); // a channel on which nothing comes
                let is_open = takes_events && error != TryRecvError::Disconnected;
                let events = if is_open { &self.events } else { &nobody };
                select! {
                    recv(events) -> event => match event {
                        Ok(event) => Wakeup::Event(event),
                        Err(_) => self.next(takes_events, commit, stop_at), // all have left
                    },
                    recv(self.historian.events) -> event => event.map_or(Wakeup::End, Wakeup::History),
                    recv(self.cues.told) -> cue => cue.map_or(Wakeup::End, Wakeup::Cue),
                    recv(self.cues.rest.asked) -> asked => asked.map_or(Wakeup::End, Wakeup::Leave),
                    recv(self.shutdown) -> word => word.map_or(Wakeup::End, Wakeup::Shutdown),
                    recv(late_at.map_or_else(never, at)) -> _ => Wakeup::Late,
                    recv(stop_at.map_or_else(never, at)) -> _ => Wakeup::StopTime,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
