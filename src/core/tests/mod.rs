//! The whole core, driven as a driver drives it.

mod ages;
mod asking;
mod batches;
mod changes;
mod closing;
mod commands;
mod elsewhere;
mod handover;
mod identity;
mod instructor;
mod lasting;
mod leaves;
mod look_alikes;
mod muted;
mod notes;
mod other_chats;
mod outcomes;
mod paused;
mod quiz;
mod reading;
mod removing;
mod restart;
mod resume;
mod rooms;
mod sanctions;
mod sessions;
mod since;
mod whom;

use super::{
    BATCH_MAX, Chat,
    close_reason::CloseReason,
    commands::Table,
    event::{Answer, ClientId, Entry, Event, Login, Question, Talk, Wishes},
    name::NameRule,
    notice::notice,
    record::{Account, AccountId, Change, Outcome, PasswordHash, Query, Snapshot},
    rooms::{Action, Delivery, RoomsConfig},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

const ALICE: ClientId = 1;
const BOB: ClientId = 2;
const CAROL: ClientId = 3;

/// Alice's account. She is the administrator.
const ALICES: AccountId = AccountId(1);
/// Zoe's, who is never here.
const ZOES: AccountId = AccountId(2);

/// A conversation: what its clients do, and what they have read.
struct Conversation {
    chat: Chat<ClientId>,
    now: Timestamp,
    /// What each has read and was not asked about yet.
    read: BTreeMap<ClientId, String>,
    /// Who was answered, in that order.
    answered: Vec<ClientId>,
    closed: BTreeMap<ClientId, CloseReason>,
    /// What the store would be asked.
    queries: Vec<Query>,
    lines: usize,
}

impl Conversation {
    /// Nobody is here yet.
    fn empty(keeps_talk: bool) -> Conversation {
        Conversation::with(Conversation::config(keeps_talk))
    }

    fn config(keeps_talk: bool) -> RoomsConfig {
        RoomsConfig {
            backlog_lines: 20,
            names: NameRule::Ascii,
            anonymous: false,
            has_code: false,
            zone: TimeZone::UTC,
            keeps_talk,
            epoch: 7,
            history_days: None,
            history_max: None,
        }
    }

    fn with(config: RoomsConfig) -> Conversation {
        Conversation {
            chat: Chat::new(config, Table::default(), snapshot()),
            now: Timestamp::UNIX_EPOCH,
            read: BTreeMap::new(),
            answered: Vec::new(),
            closed: BTreeMap::new(),
            queries: Vec::new(),
            lines: 0,
        }
    }

    /// Alice and Bob are here, and talk is written.
    fn new() -> Conversation {
        let mut chat = Conversation::empty(true);
        chat.asks(ALICE, enter("alice", Some(ALICES)));
        chat.asks(BOB, enter("bob", None));
        chat.finishes();
        chat.forgets();
        chat
    }

    // --- What clients do ---

    fn does(&mut self, client: ClientId, event: Event) {
        self.chat.apply(self.now, client, &client, event);
    }

    /// Says a line, as its author's session makes it: `<alice> hi`.
    fn says(&mut self, client: ClientId, line: &str) {
        self.does(
            client,
            Event::Talk(Talk { text: format!("{line}\n"), lines: 1, ..Talk::default() }),
        );
    }

    fn types(&mut self, client: ClientId, command: &str) {
        self.does(client, Event::Command(command.trim_start_matches('/').to_owned()));
    }

    fn asks(&mut self, client: ClientId, question: Question) {
        self.does(client, Event::Ask(question));
    }

    fn departs(&mut self, client: ClientId, reason: CloseReason) {
        self.does(client, Event::Depart(reason));
    }

    fn passes(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    // --- What the driver does ---

    /// Ends the batch, and returns what is to be written.
    fn seals(&mut self) -> Vec<Change> {
        self.chat.seal().into_iter().map(|record| record.change).collect()
    }

    /// What was sealed is written, all of it.
    fn writes(&mut self, changes: &[Change]) {
        let outcomes = changes.iter().filter(|change| change.may_fail()).map(|_| Ok(()));
        self.settles(Ok(outcomes.collect()));
    }

    fn settles(&mut self, outcomes: Result<Vec<Outcome>, String>) {
        // More than any batch here has.
        let outcomes = outcomes.unwrap_or_else(|why| vec![Err(why); 10]);
        self.chat.settle(self.now, outcomes);
    }

    fn flushes(&mut self) {
        let mut seen = Vec::new();
        let Conversation { chat, read, answered, closed, queries, lines, .. } = self;
        chat.flush(|&client, delivery| {
            seen.push(client);
            take(client, delivery, read, answered, closed, queries, lines);
        });
        let outages =
            seen.iter().filter(|&&client| self.read[&client].contains("not been written"));
        if outages.count() == 0 {
            seen.sort_unstable();
            let all = seen.len();
            seen.dedup();
            assert_eq!(seen.len(), all, "somebody was delivered to twice");
        }
    }

    fn flushes_one(&mut self, client: ClientId) -> bool {
        let Conversation { chat, read, answered, closed, queries, lines, .. } = self;
        chat.flush_one(client, |&one, delivery| {
            assert_eq!(one, client);
            take(client, delivery, read, answered, closed, queries, lines);
        })
    }

    /// Writes and delivers the batch. Returns what was written.
    fn ends_batch(&mut self) -> Vec<Change> {
        let changes = self.seals();
        self.writes(&changes);
        self.flushes();
        changes
    }

    /// Writes the batch, and hands over the answers.
    fn hands_out_answers(&mut self, mut take: impl FnMut(ClientId, Option<Answer>)) {
        let changes = self.seals();
        self.writes(&changes);
        self.chat.flush(|&client, delivery| take(client, delivery.answer));
    }

    /// Writes and delivers everything, the answers about outcomes too. Returns what was written.
    fn finishes(&mut self) -> Vec<Change> {
        let changes = self.ends_batch();
        self.ends_batch();
        changes
    }

    // --- What came of it ---

    /// What a client has read since this was last asked.
    fn reads(&mut self, client: ClientId) -> String {
        self.read.remove(&client).unwrap_or_default()
    }

    /// Types a command, and returns what its client has read when it is answered.
    fn is_told(&mut self, client: ClientId, command: &str) -> String {
        self.forgets();
        self.types(client, command);
        self.finishes();
        self.reads(client)
    }

    fn logs(&mut self) -> Vec<String> {
        let actions = self.chat.take_actions().into_iter();
        actions
            .filter_map(
                |action| if let Action::Log(line) = action { Some(line.text) } else { None },
            )
            .collect()
    }

    /// Forgets what was read so far.
    fn forgets(&mut self) {
        self.read.clear();
        self.answered.clear();
        self.queries.clear();
        self.lines = 0;
    }
}

/// A client reads what it is delivered: the answer as its session would show it.
fn take(
    client: ClientId,
    delivery: Delivery<'_>,
    read: &mut BTreeMap<ClientId, String>,
    answered: &mut Vec<ClientId>,
    closed: &mut BTreeMap<ClientId, CloseReason>,
    queries: &mut Vec<Query>,
    lines: &mut usize,
) {
    let text = read.entry(client).or_default();
    let before = text.len();
    text.push_str(std::str::from_utf8(&delivery.before.concat()).unwrap());
    let after = String::from_utf8(delivery.after.concat()).unwrap();
    let shown = text[before..].matches('\n').count() + after.matches('\n').count();
    assert_eq!(shown, delivery.lines, "lines of {client}");
    *lines += shown;
    if let Some(answer) = delivery.answer {
        answered.push(client);
        text.push_str(&match answer {
            Answer::Text(text) | Answer::Named(_, text, None) => text,
            Answer::Fetch(text, mut reply) | Answer::Named(_, text, Some(mut reply)) => {
                queries.extend(reply.take_query());
                text + &reply.show()
            }
            Answer::Account(account) => format!("({account:?})\n"),
            Answer::MayAdminister(may) => format!("({may})\n"),
            Answer::NeedsPassword(account) => format!("(password of {account}?)\n"),
            Answer::NameRefused(sentence) => notice(sentence),
            Answer::Close(reason) => format!("({reason})\n"),
            Answer::LookUp(lookup) => {
                queries.push(lookup.query);
                "(looks up)\n".to_owned()
            }
        });
    }
    text.push_str(&after);
    if let Some(reason) = delivery.close {
        assert!(closed.insert(client, reason).is_none(), "{client} is hung up twice");
    }
}

fn enter(name: &str, account: Option<AccountId>) -> Question {
    enter_as(NameRule::Ascii, name, account)
}

fn enter_as(rule: NameRule, name: &str, account: Option<AccountId>) -> Question {
    let name = rule.check(name, "name").unwrap();
    let login = account.map(|account| Login { account, private: Vec::new() });
    let address = "192.0.2.7".parse().unwrap();
    Question::Enter(Box::new(Entry {
        name,
        address,
        login,
        reserve_of: None,
        is_instructor: false,
        wishes: Wishes::default(),
    }))
}

fn register() -> Question {
    Question::Register(PasswordHash("$".to_owned()))
}

fn account(id: AccountId, name: &str, is_admin: bool) -> Account {
    Account { id, name: name.to_owned(), is_admin, since: Timestamp::UNIX_EPOCH, mail: 0 }
}

/// The accounts of alice, an administrator, and of zoe.
fn snapshot() -> Snapshot {
    let accounts = vec![account(ALICES, "alice", true), account(ZOES, "zoe", false)];
    Snapshot { accounts, last_account: ZOES, ..Snapshot::default() }
}
