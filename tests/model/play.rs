//! One play of a conversation: a driver that checks what it is given.

use chatd::core::{
    Chat,
    close_reason::CloseReason,
    commands::Table,
    event::{Answer, ClientId, Entry, Event, Login, Question, Talk, Wishes},
    name::{Name, NameRule},
    record::{Account, AccountId, Change, LineId, Outcome, PasswordHash, Record, Snapshot},
    rooms::{Delivery, RoomsConfig},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem::take,
};

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Say(ClientId, String),
    Type(ClientId, String),
    Enter(ClientId, String),
    Whose(ClientId, String),
    /// To ann's account.
    Logs(ClientId),
    Depart(ClientId, CloseReason),
    Close,
    Register(ClientId),
    SetPassword(ClientId),
    Unregister(ClientId),
    DeleteMail(ClientId),
    /// Departs without waiting for an answer.
    DepartUnanswered(ClientId),
    /// Asks without waiting for an answer.
    Ask(ClientId),
    /// Another process has changed something.
    Restore,
    CloseAtOnce,
}

/// What the driver does after a step, if it can.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub seals: bool,
    pub writes: bool,
    pub flushes: bool,
    /// If it writes: the disk fails.
    pub fails: bool,
}

impl Step {
    fn may_fail(&self) -> bool {
        matches!(
            self,
            Step::Register(_) | Step::SetPassword(_) | Step::Unregister(_) | Step::DeleteMail(_)
        )
    }
}

/// How far the batch is that was sealed last.
#[derive(Default)]
enum Sealed {
    #[default]
    Nothing,
    Records(Vec<Record>),
    Written,
}

pub struct Play {
    /// What each client has read.
    pub read: BTreeMap<ClientId, String>,
    /// Every delivery, in order.
    pub log: Vec<String>,
    chat: Chat<ClientId>,
    now: Timestamp,
    sealed: Sealed,
    /// They asked something and do nothing before they have the answer, as a session does.
    asking: BTreeSet<ClientId>,
    /// They asked again before they had it: one of the answers may be lost.
    hasty: BTreeSet<ClientId>,
    /// They have a name, and so do not come in again.
    named: BTreeSet<ClientId>,
    gone: BTreeSet<ClientId>,
    /// They were hung up.
    closed: BTreeSet<ClientId>,
    /// They know of an outage, or came in later.
    warned: BTreeSet<ClientId>,
    was_outage: bool,
    /// Every line of talk that is written; `None`: talk is not kept.
    written: Option<BTreeSet<String>>,
}

/// The beginning of what everybody is told before they read what could not be written.
const OUTAGE: &str = "*** The history has not been written since";
const ANNS: AccountId = AccountId(1);

fn snapshot() -> Snapshot {
    let account = |id, name: &str, is_admin| Account {
        id,
        name: name.to_owned(),
        is_admin,
        since: Timestamp::UNIX_EPOCH,
        mail: 0,
    };
    let accounts = vec![account(ANNS, "ann", true), account(AccountId(2), "zoe", false)];
    Snapshot { accounts, last_account: AccountId(2), ..Snapshot::default() }
}

fn name(text: &str) -> Name {
    NameRule::Ascii.check(text, "name").unwrap()
}

fn enter(text: &str) -> Event {
    let login = (text == "ann").then(|| Login { account: ANNS, private: Vec::new() });
    let (name, address) = (name(text), "192.0.2.7".parse().unwrap());
    let (reserve_of, is_instructor, wishes) = (None, false, Wishes::default());
    let entry = Entry { name, address, login, reserve_of, is_instructor, wishes };
    Event::Ask(Question::Enter(Box::new(entry)))
}

impl Play {
    fn new(keeps_talk: bool) -> Play {
        let config = RoomsConfig { backlog_lines: 4, keeps_talk, ..RoomsConfig::default() };
        Play {
            read: BTreeMap::new(),
            log: Vec::new(),
            chat: Chat::new(config, Table::default(), snapshot()),
            now: Timestamp::UNIX_EPOCH,
            sealed: Sealed::Nothing,
            asking: BTreeSet::new(),
            hasty: BTreeSet::new(),
            named: BTreeSet::new(),
            gone: BTreeSet::new(),
            closed: BTreeSet::new(),
            warned: BTreeSet::new(),
            was_outage: false,
            written: keeps_talk.then(BTreeSet::new),
        }
    }

    /// Each event is a batch of its own.
    pub fn one_by_one(steps: &[(Step, Turn)], keeps_talk: bool) -> Play {
        let mut play = Play::new(keeps_talk);
        for (step, _) in steps {
            play.does(step);
            play.finish_batch();
        }
        play.end()
    }

    /// Batches end, are written and are delivered when their turn comes.
    pub fn in_batches(steps: &[(Step, Turn)], keeps_talk: bool) -> Play {
        let mut play = Play::new(keeps_talk);
        for (step, turn) in steps {
            play.does(step);
            if turn.flushes {
                play.flush();
            }
            if turn.seals {
                play.seal();
            }
            if turn.writes {
                play.write(turn.fails && steps.iter().any(|(step, _)| step.may_fail()));
            }
        }
        play.end()
    }

    // --- The driver ---

    fn seal(&mut self) {
        if let Sealed::Nothing = self.sealed {
            let records = self.chat.seal();
            self.sealed =
                if records.is_empty() { Sealed::Written } else { Sealed::Records(records) };
        }
    }

    fn write(&mut self, fails: bool) {
        let records = match take(&mut self.sealed) {
            Sealed::Records(records) => records,
            other => return self.sealed = other,
        };
        self.sealed = Sealed::Written;
        if fails && records.len() % 2 == 0 {
            self.was_outage = true;
            self.chat.begin_outage("it is full.", self.now);
            let may_fail = records.iter().filter(|record| record.change.may_fail());
            let outcomes = may_fail.map(|_| Err("it is full.".to_owned())).collect();
            return self.chat.settle(self.now, outcomes);
        }
        let outcome = |_| if fails { Err("it is not.".to_owned()) } else { Ok(()) };
        let may_fail = records.iter().filter(|record| record.change.may_fail());
        let outcomes: Vec<Outcome> = may_fail.map(outcome).collect();
        for record in records {
            match (record.change, &mut self.written) {
                (Change::RoomMessage { text, .. }, Some(written)) => {
                    written.extend(text.lines().map(str::to_owned));
                }
                (Change::RoomMessage { .. }, None) => panic!("talk is not to be kept"),
                _ => {}
            }
        }
        self.chat.settle(self.now, outcomes);
    }

    fn flush(&mut self) {
        let Sealed::Written = self.sealed else { return };
        self.sealed = Sealed::Nothing;
        let mut deliveries = Vec::new();
        self.chat.flush(|&client, delivery| deliveries.push((client, Copied::of(delivery))));
        let mut seen = BTreeSet::new();
        for (client, delivery) in deliveries {
            let is_notice = delivery.lines == 1 && delivery.before.starts_with(OUTAGE);
            if is_notice {
                self.warned.insert(client);
            } else {
                assert!(seen.insert(client), "{client} was delivered to twice in one flush");
            }
            self.reads(client, delivery);
        }
        self.log.push("flushed".to_owned());
    }

    fn finish_batch(&mut self) {
        self.write(false);
        self.flush();
        self.seal();
        self.write(false);
        self.flush();
    }

    /// A client acts again, so it has had its answer.
    fn answer(&mut self, client: ClientId) {
        let mut delivery = None;
        if self.asking.contains(&client)
            && self.chat.flush_one(client, |&one, delivered| {
                assert_eq!(one, client);
                delivery = Some(Copied::of(delivered));
            })
        {
            self.reads(client, delivery.expect("there is an answer"));
        }
        for _ in 0..2 {
            if self.asking.contains(&client) {
                self.finish_batch();
            }
        }
        assert!(!self.asking.contains(&client), "{client} is not answered");
    }

    fn does(&mut self, step: &Step) {
        self.now += SignedDuration::from_secs(7);
        let hash = || PasswordHash("$".to_owned());
        let (client, event) = match step.clone() {
            Step::Close => return self.chat.close(),
            Step::CloseAtOnce => return self.chat.close_at_once(),
            Step::Restore => return self.chat.restore(snapshot()),
            Step::Say(c, text) => (
                c,
                Event::Talk(Talk { lines: text.matches('\n').count(), text, ..Talk::default() }),
            ),
            Step::Type(c, command) => (c, Event::Command(command)),
            Step::Enter(c, n) => (c, enter(&n)),
            Step::Whose(c, n) => (c, Event::Ask(Question::WhoseIs(name(&n)))),
            Step::Logs(c) => {
                let login = Login { account: ANNS, private: Vec::new() };
                (c, Event::Ask(Question::LogIn(login)))
            }
            Step::Depart(c, reason) => (c, Event::Depart(reason)),
            Step::Register(c) => (c, Event::Ask(Question::Register(hash()))),
            Step::SetPassword(c) => {
                (c, Event::Ask(Question::SetPassword { hash: hash(), quietly: false }))
            }
            Step::Unregister(c) => (c, Event::Ask(Question::Unregister)),
            Step::DeleteMail(c) => (c, Event::Ask(Question::DeleteMail(vec![LineId(1)]))),
            Step::DepartUnanswered(c) => (c, Event::Depart(CloseReason::Closed)),
            Step::Ask(c) => (c, Event::Ask(Question::MyAccount)),
        };
        if self.gone.contains(&client) {
            return;
        }
        match step {
            Step::DepartUnanswered(_) | Step::Ask(_) => drop(self.hasty.insert(client)),
            _ if self.hasty.contains(&client) => {}
            _ => self.answer(client),
        }
        let is_inside = self.named.contains(&client) || self.hasty.contains(&client);
        if is_inside && matches!(step, Step::Enter(..)) {
            return;
        }
        match &event {
            Event::Talk(_) => {}
            Event::Command(_) | Event::Ask(_) => drop(self.asking.insert(client)),
            Event::Depart(_) => drop((self.asking.insert(client), self.gone.insert(client))),
        }
        self.chat.apply(self.now, client, &client, event);
    }

    /// At the end everybody says goodbye, and everybody is answered.
    fn end(mut self) -> Play {
        for client in self.read.keys().chain(&self.asking).copied().collect::<Vec<_>>() {
            if !self.gone.contains(&client) && !self.hasty.contains(&client) {
                self.answer(client);
            }
        }
        self.chat.close();
        for client in 1..=10 {
            self.does(&Step::Depart(client, CloseReason::Shutdown));
        }
        self.finish_batch();
        self.finish_batch();
        assert!(self.asking.is_empty(), "never answered: {:?}", self.asking);
        self
    }

    // --- A client ---

    /// A client reads what it is delivered.
    fn reads(&mut self, client: ClientId, delivery: Copied) {
        let Copied { before, answer, is_named, after, lines, close } = delivery;
        self.log.push(format!("{client}: {before:?} {answer:?} {after:?} {close:?}"));
        assert_eq!(
            before.matches('\n').count() + after.matches('\n').count(),
            lines,
            "lines of {client}"
        );
        let mut text = before;
        if let Some(answer) = answer {
            let is_expected = self.asking.remove(&client) || self.hasty.contains(&client);
            assert!(is_expected, "client {client} asked nothing and was answered");
            if is_named {
                self.named.insert(client);
                if self.was_outage {
                    self.warned.insert(client);
                }
            }
            text.push_str(&answer);
            text.push_str("(answered)\n");
        }
        text.push_str(&after);
        // Who is leaving already is not told of an outage any more.
        let is_told =
            [&self.warned, &self.gone, &self.closed].iter().any(|set| set.contains(&client));
        for line in text.lines() {
            // `<c1> hi`, with a time in front perhaps.
            let said = line.find("<c").filter(|&at| at <= "[12:30] ".len()).map(|at| &line[at..]);
            if let (Some(said), Some(written), false) = (said, &self.written, is_told || close) {
                assert!(
                    written.contains(said),
                    "client {client} reads {said:?}, which is not written"
                );
            }
        }
        if close {
            assert!(self.closed.insert(client), "{client} is hung up twice");
        }
        self.read.entry(client).or_default().push_str(&text);
    }
}

/// A delivery, to be looked at when it is over.
struct Copied {
    before: String,
    answer: Option<String>,
    is_named: bool,
    after: String,
    lines: usize,
    close: bool,
}

impl Copied {
    fn of(delivery: Delivery<'_>) -> Copied {
        let text = |slices: &[&[u8]]| {
            let whole =
                |slice: &&[u8]| std::str::from_utf8(slice).expect("whole characters").to_owned();
            slices.iter().map(whole).collect()
        };
        let is_named = matches!(delivery.answer, Some(Answer::Named(..)));
        let answer = delivery.answer.map(|answer| match answer {
            Answer::Text(text) | Answer::Named(_, text, None) => text,
            Answer::Fetch(text, mut reply) | Answer::Named(_, text, Some(mut reply)) => {
                format!("{text}{}{:?}\n", reply.show(), reply.take_query())
            }
            other => format!("{other:?}\n"),
        });
        Copied {
            before: text(delivery.before),
            answer,
            is_named,
            after: text(delivery.after),
            lines: delivery.lines,
            close: delivery.close.is_some(),
        }
    }
}
