//! What a chat *is*, and nothing of how it is served: no socket, thread, lock, channel, clock or
//! database (tests/house checks it). The threaded server drives this core, and so can an event loop.
//!
//! ```text
//!  bytes ─> LineBuffer ─> Session ── Event ──> Chat::apply ... Chat::flush ─> Delivery, one for each client
//!           (wire)        (one client's        (everybody: rooms, accounts,
//!                          dialogue)            order, who is told what)
//! ```
//!
//! [`wire`] turns bytes into lines. A [`session`] turns lines into talk, commands and answers.
//! [`rooms`] hold everybody's state. [`commands`] change it. The others are data that all may use.

pub mod address;
mod change;
pub mod close_reason;
pub mod commands;
pub mod driver;
pub mod event;
pub mod hazard;
mod history_reply;
pub mod ids;
pub mod json;
pub mod length_of_time;
pub mod name;
pub mod notes;
pub mod notice;
pub mod pairing_code;
mod pairs;
pub mod password;
pub mod places;
pub mod quiz_shown;
pub(crate) mod recent;
pub mod record;
pub mod returning;
pub mod rooms;
pub mod search_words;
pub mod sentences;
pub mod session;
#[cfg(test)]
mod tests;
pub mod token;
pub mod wire;

use close_reason::CloseReason;
use commands::{
    Table, account, demo, entry, mail, questions,
    row::{Reply, RoomsCtx, Run, SessionCtx},
};
use driver::Driver;
use event::{Answer, ClientId, Event, SHOWN_MAX};
use hazard::Announcement;
use jiff::Timestamp;
use notice::{Refusal, notice};
use record::{Outcome, Record, Snapshot};
use rooms::{
    Action, ClientKey, Delivery, Rooms, RoomsConfig,
    clients::Clients,
    coming_back::{self, save},
    handover,
    pending::{Reservation, Reserved},
};
use serde::{Deserialize, Serialize};
use session::{EVENT_MAX, Session};
use std::mem::take;

/// The most bytes of a batch; the event that passes the bound still belongs to it. A batch waits
/// until it is written, and has to fit into a client's outbox, so this is the default high-water
/// mark.
pub const BATCH_MAX: usize = 64 * 1024;

/// The bytes after which a batch ends on a server with this high-water mark: with the last event,
/// and a notice of an outage, it fits into an empty outbox (if the mark is above 20 KiB).
pub fn batch_max(high_water: usize) -> usize {
    BATCH_MAX.min(high_water.saturating_sub(EVENT_MAX + SHOWN_MAX))
}

/// The most bytes of answers in a batch, which wait with it; the last one may exceed the bound.
const ANSWERS_MAX: usize = 4 * 1024 * 1024;

/// Runs a command that a session heard: on the client's own thread, or by sending it to the rooms.
/// `text` is the line without its slash.
pub fn run_command(table: Table, session: &mut Session<'_>, text: &str, driver: &mut dyn Driver) {
    session.input.overwrite_taken(); // there may be a password in it
    let found = table.find(text);
    // Without a name few commands work ("at the door"). Any other is refused as a name is, and what
    // stands behind it is not looked at.
    if session.is_naming() && !found.as_ref().is_ok_and(|(row, _)| row.at_the_door) {
        let command = text.split(char::is_whitespace).next().unwrap_or_default();
        return session.offer_name(&format!("/{command}"), driver);
    }
    let lines = match found {
        Err(sentence) => notice(sentence),
        Ok((row, arguments)) => match row.run_for(session.is_naming()) {
            Run::Rooms(_) => {
                let answer = driver.ask(Event::Command(text.to_owned()));
                session.take_in(answer, driver)
            }
            Run::Session(run) => run(&mut SessionCtx { session, driver, table }, arguments)
                .unwrap_or_else(|refusal| row.refused(refusal)),
        },
    };
    if !lines.is_empty() {
        driver.reply(lines.as_bytes());
        session.pace.pay_for_answer(lines.len());
    }
}

/// The whole chat. `H` is the driver's handle of a client: carried along, and never looked into.
///
/// A driver applies events one after the other, and then ends the batch: [`Chat::seal`] returns its
/// records, which are written; [`Chat::settle`] takes their outcomes; [`Chat::flush`] delivers what
/// the batch shows. Meanwhile the next batch gathers. So nothing is shown before it is written, and
/// nothing is reordered.
///
/// ```
/// use chatd::core::{
///     Chat,
///     commands::Table,
///     event::{Entry, Event, Question, Wishes},
///     name::NameRule,
///     record::Snapshot,
///     rooms::RoomsConfig,
/// };
/// use jiff::Timestamp;
///
/// let mut chat = Chat::new(RoomsConfig::default(), Table::default(), Snapshot::default());
/// let name = NameRule::Ascii.check("alice", "name")?;
/// let (login, reserve_of, is_instructor, wishes) = (None, None, false, Wishes::default());
/// let address = "192.0.2.7".parse()?;
/// let entry = Entry { name, address, login, reserve_of, is_instructor, wishes };
/// let enters = Event::Ask(Question::Enter(Box::new(entry)));
/// chat.apply(Timestamp::UNIX_EPOCH, 1, &"alice's socket", enters);
/// assert!(chat.seal().is_empty(), "nothing of that has to be written");
/// chat.flush(|&handle, delivery| {
///     assert_eq!(handle, "alice's socket");
///     assert!(delivery.answer.is_some());
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Chat<H> {
    #[serde(skip)]
    table: Table,
    clients: Clients<H>,
    rooms: Rooms,
    /// A line for everybody, to be delivered before the sealed batch.
    outage_notice: Option<String>,
    /// The server stops, and nobody waits for the disk.
    is_closing_at_once: bool,
}

impl<H> Chat<H> {
    /// Starts with an empty lobby, and with what the store has.
    pub fn new(config: RoomsConfig, table: Table, mut snapshot: Snapshot) -> Chat<H> {
        let returning = take(&mut snapshot.returning);
        let mut rooms = Rooms::new(config, snapshot);
        coming_back::restore(&mut rooms, returning);
        Chat {
            table,
            clients: Clients::default(),
            rooms,
            outage_notice: None,
            is_closing_at_once: false,
        }
    }

    // --- Events ---

    /// It is `now`, and what comes next is no client's event: news of the store, a shutdown.
    pub fn set_now(&mut self, now: Timestamp) {
        self.rooms.set_now(now);
    }

    /// Applies an event of `client` that happened at `now`. `handle` is that client's.
    pub fn apply(&mut self, now: Timestamp, client: ClientId, handle: &H, event: Event)
    where
        H: Clone,
    {
        self.rooms.set_now(now);
        let key = self.clients.key(client, handle);
        let is_member = self.rooms.members().contains(key);
        let answer = match event {
            Event::Talk(talk) if is_member => return self.rooms.say(key, talk),
            Event::Talk(_) => return, // they were sent away meanwhile
            Event::Depart(reason) => return self.rooms.depart(key, &reason),
            Event::Command(text) if is_member => self.command(key, &text),
            Event::Ask(question) => {
                let ctx = &mut RoomsCtx { rooms: &mut self.rooms, client: key };
                questions::answer(ctx, client, question, is_member)
            }
            Event::Command(_) => Some(Answer::default()),
        };
        if let Some(answer) = answer {
            self.rooms.answer(key, answer); // otherwise the answer comes with the outcome
        }
        save(&mut self.rooms, key);
    }

    /// Runs a member's command. A command that runs on the client's thread does not come here.
    /// `None`: the answer comes with the outcome.
    fn command(&mut self, client: ClientKey, text: &str) -> Option<Answer> {
        let now = self.rooms.now();
        self.rooms.members_mut()[client].touch(now);
        let (row, arguments) = match self.table.find(text) {
            Ok(found) => found,
            Err(sentence) => return Some(Answer::Text(notice(sentence))),
        };
        let Run::Rooms(run) = row.run else { return Some(Answer::default()) };
        let reply = match row.who.are_administrators() && !self.rooms.is_admin(client) {
            true => Err(Refusal::from("That is for administrators.")),
            false => run(&mut RoomsCtx { rooms: &mut self.rooms, client }, arguments),
        };
        reply.unwrap_or_else(|refusal| Reply::Now(row.refused(refusal))).into_answer()
    }

    // --- Batches ---

    /// Whether it is time to end the batch: `most` bytes are to be shown, [`BATCH_MAX`] bytes to be
    /// written, or `ANSWERS_MAX` bytes of answers to be given.
    pub fn is_full(&mut self, most: usize) -> bool {
        let (written, output) = (self.rooms.pending.bytes(), &self.rooms.output);
        output.bytes() >= most.max(1)
            || written >= BATCH_MAX
            || output.answer_bytes() >= ANSWERS_MAX
    }

    /// Whether a batch is sealed and not delivered yet.
    pub(crate) fn is_sealed(&mut self) -> bool {
        self.rooms.output.is_sealed()
    }

    /// Ends the batch that gathers. Returns its records, to be written in one transaction; if there
    /// are none, it can be delivered at once. The batch before it must have been delivered.
    pub fn seal(&mut self) -> Vec<Record> {
        if self.is_closing_at_once {
            self.give_up_waiting(); // there may be no later batch to answer them in
        }
        self.rooms.seal()
    }

    /// Tells everybody who waits for an outcome that it is not known.
    fn give_up_waiting(&mut self) {
        for client in self.rooms.pending.give_up() {
            let sentence = "It is not known whether that is written: the server stops, and the disk has not answered.";
            self.rooms.answer(client, Answer::Text(notice(sentence)));
        }
    }

    /// Takes the outcomes of the oldest batch that is not settled yet. Most records only have to be
    /// written. A few may fail (a registration, mail for somebody who is away): what they need
    /// stays reserved (`rooms/pending.rs`), and their client is not answered before the outcome is
    /// known. There is one outcome for each of these, in their order. The answers belong to the
    /// batch that gathers.
    pub fn settle(&mut self, now: Timestamp, outcomes: Vec<Outcome>) {
        self.rooms.set_now(now);
        for (Reservation { client, what }, outcome) in self.rooms.pending.settle(outcomes) {
            let ctx = &mut RoomsCtx { rooms: &mut self.rooms, client };
            let text = match what {
                Reserved::Account(account, name) => {
                    account::registered(ctx, account, &name, outcome)
                }
                Reserved::Password(id, quietly) => account::password_set(ctx, id, quietly, outcome),
                Reserved::Deletion(account) => account::unregistered(ctx, account, outcome),
                Reserved::Mail { to, by_guest } => mail::kept(ctx, to, by_guest, outcome),
                Reserved::MailDeletion { account, count } => {
                    mail::deleted(ctx, account, count, outcome)
                }
            };
            self.rooms.answer(client, Answer::Text(text));
            save(&mut self.rooms, client);
        }
    }

    /// Delivers the sealed batch. Calls `deliver` at most once for each client; and before that, if
    /// there is a notice of an outage, once for every member.
    pub fn flush(&mut self, mut deliver: impl FnMut(&H, Delivery<'_>)) {
        if let Some(line) = self.outage_notice.take() {
            for key in self.rooms.members().iter().map(|(key, _)| key) {
                if let Some(handle) = self.clients.handle(key) {
                    deliver(handle, Delivery::line(&[line.as_bytes()]));
                }
            }
        }
        let clients = &self.clients;
        let ended = self.rooms.output.flush(|key, delivery| {
            if let Some(handle) = clients.handle(key) {
                deliver(handle, delivery); // otherwise they left without waiting for an outcome
            }
        });
        for key in ended {
            self.clients.remove(key);
        }
    }

    /// Delivers to one client alone what they have to read by now, with their answer: for an event
    /// loop, which cannot go on without it. `false`: they have to wait, because something is sealed
    /// or has to be written.
    pub fn flush_one(&mut self, client: ClientId, deliver: impl FnOnce(&H, Delivery<'_>)) -> bool {
        if self.rooms.output.is_sealed() || !self.rooms.pending.is_empty() {
            return false;
        }
        let clients = &self.clients;
        if let Some(key) = self.clients.find(client) {
            self.rooms.output.flush_one(key, |key, delivery| {
                if let Some(handle) = clients.handle(key) {
                    deliver(handle, delivery);
                }
            });
        }
        true
    }

    /// Takes what the driver has to do besides delivering.
    pub fn take_actions(&mut self) -> Vec<Action> {
        take(&mut self.rooms.actions)
    }

    // --- The history ---

    /// Tells everybody that nothing is written since `since`, and why. They read it before the
    /// sealed batch; and so does everybody who comes later.
    pub fn begin_outage(&mut self, why: &str, since: Timestamp) {
        let line = self.rooms.lasting.begin_outage(&self.rooms.config().clone(), why, since);
        match self.rooms.output.is_sealed() {
            true => self.outage_notice = Some(line),
            false => self.rooms.tell_everybody(&line),
        }
    }

    /// Tells everybody that the history is written again, and that what was said in `gap` is lost.
    pub fn end_outage(&mut self, gap: Option<(Timestamp, Timestamp)>) {
        self.rooms.rooms.doubt_all(); // the file may be another one now, with more in it
        let line = self.rooms.lasting.end_outage(&self.rooms.config().clone(), gap);
        self.rooms.tell_everybody(&line);
        coming_back::save_all(&mut self.rooms);
    }

    /// No password can be read until [`Chat::restore`] is called. So nobody can prove who they are:
    /// whoever comes in is let in without a password, and their name is marked.
    pub fn doubt_names(&mut self) {
        entry::doubt_names(&mut self.rooms);
    }

    /// Takes in what the file has: another process changed accounts, sanctions, or the whole file;
    /// or it can be read again.
    pub fn restore(&mut self, snapshot: Snapshot) {
        let is_large = snapshot.is_large;
        self.rooms.restore(snapshot);
        entry::check_names(&mut self.rooms);
        entry::note_size(&mut self.rooms, is_large);
    }

    /// Tells everybody what is being shown, and records who wanted it.
    pub fn announce_hazard(&mut self, announcement: Announcement) {
        demo::announce(&mut self.rooms, announcement);
    }

    /// Tells administrators what is wrong with the server itself; `None`: nothing is, any longer.
    pub fn warn(&mut self, warning: Option<String>) {
        entry::warn(&mut self.rooms, warning);
    }

    // --- From one server to another ---

    /// Its epoch, if the chat can be handed over now; if not, why: the end of a sentence.
    pub fn check_rest(&self) -> Result<u64, &'static str> {
        handover::check_rest(&self.rooms).map(|()| self.rooms.config().epoch)
    }

    /// Takes up a chat that was handed over, under these options. Its clients have no handles yet.
    pub fn go_on(mut self, config: RoomsConfig, table: Table) -> Result<Chat<H>, &'static str> {
        handover::go_on(&mut self.rooms, config)?;
        Ok(Chat { table, ..self })
    }

    /// Gives clients their handles. Whoever gets none has gone.
    pub fn set_handles(&mut self, handles: Vec<(ClientId, H)>) {
        handles.into_iter().for_each(|(client, handle)| self.clients.set_handle(client, handle));
        for client in self.clients.without_handle() {
            self.rooms.depart(client, &CloseReason::Upgrade);
        }
    }

    // --- The end ---

    /// Begins the shutdown. From now on departures are not announced, and no connection is closed
    /// before everybody has said goodbye. So what was accepted from one client before the shutdown
    /// reaches all the others.
    pub fn close(&mut self) {
        self.rooms.close(false);
    }

    /// Hurries the shutdown. From now on whoever has said goodbye leaves at once, without waiting
    /// for the others. Nobody waits for the disk, either: the sealed batch can be delivered, and
    /// everybody who waits for an outcome reads that it is not known.
    pub fn close_at_once(&mut self) {
        self.is_closing_at_once = true;
        self.give_up_waiting();
        self.rooms.close(true);
    }
}
