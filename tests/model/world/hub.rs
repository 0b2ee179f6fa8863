//! The rooms and what their clients read, for a world without sockets: what a driver of the core has to do.

use super::PLACES;
use chatd::core::{
    Chat,
    address::ClientAddress,
    close_reason::CloseReason,
    commands::Table,
    driver::{Bucket, Driver, LoginAttempt, LoginResult},
    event::{Answer, ClientId, Event},
    password::Password,
    record::{AccountId, Change, Found, PasswordHash, Query, Snapshot},
    rooms::{Delivery, RoomsConfig},
    token::Token,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{collections::BTreeMap, mem::take, time::Duration};

/// All but the sessions.
pub struct Hub {
    pub chat: Chat<usize>,
    pub now: Timestamp,
    pub count: ClientId,
    pub clients: [Client; PLACES],
    pub passwords: BTreeMap<AccountId, PasswordHash>,
    pub tokens: u128,
}

/// What a driver keeps of a client.
#[derive(Default)]
pub struct Client {
    pub number: ClientId,
    pub read: Vec<u8>,
    pub answer: Option<Answer>,
    /// What stands behind the answer.
    pub after: Vec<u8>,
    pub close: Option<CloseReason>,
    pub speaks_telnet: bool,
}

impl Hub {
    /// Nobody is here.
    pub fn new() -> Hub {
        let config = RoomsConfig {
            backlog_lines: 20,
            has_code: true,
            zone: TimeZone::UTC,
            keeps_talk: false,
            ..RoomsConfig::default()
        };
        Hub {
            chat: Chat::new(config, Table::default(), Snapshot::default()),
            now: Timestamp::UNIX_EPOCH,
            count: 0,
            clients: Default::default(),
            passwords: BTreeMap::new(),
            tokens: 0,
        }
    }

    pub fn apply(&mut self, place: usize, event: Event) {
        self.chat.apply(self.now, self.clients[place].number, &place, event);
    }

    /// Ends the batch, writes it, and delivers it.
    pub fn commit(&mut self) {
        loop {
            let records = self.chat.seal();
            let outcomes =
                records.iter().filter(|record| record.change.may_fail()).map(|_| Ok(())).collect();
            let is_last = records.is_empty();
            for record in records {
                match record.change {
                    Change::Registered(account, hash) => {
                        drop(self.passwords.insert(account.id, hash));
                    }
                    Change::PasswordChanged(account, hash) => {
                        drop(self.passwords.insert(account, hash));
                    }
                    Change::RoomMessage { .. } => panic!("talk is not to be kept"),
                    _ => {}
                }
            }
            if !is_last {
                self.chat.settle(self.now, outcomes);
            }
            let Hub { chat, clients, .. } = self;
            chat.flush(|&place, delivery| clients[place].takes(delivery));
            self.chat.take_actions();
            if is_last {
                return;
            }
        }
    }

    pub fn answer(&mut self, place: usize) -> Answer {
        let Hub { chat, clients, .. } = self;
        let number = clients[place].number;
        if !chat.flush_one(number, |&place, delivery| clients[place].takes(delivery)) {
            self.commit();
        }
        self.clients[place].answer.take().unwrap_or_default()
    }
}

impl Client {
    fn takes(&mut self, delivery: Delivery<'_>) {
        let after = take(&mut self.after);
        self.read.extend(after);
        delivery.before.iter().for_each(|bytes| self.read.extend_from_slice(bytes));
        match delivery.answer {
            Some(answer) => (self.answer, self.after) = (Some(answer), delivery.after.concat()),
            None => delivery.after.iter().for_each(|bytes| self.read.extend_from_slice(bytes)),
        }
        if let Some(reason) = delivery.close {
            self.close.get_or_insert(reason);
        }
    }
}

pub struct HubDriver<'a> {
    pub hub: &'a mut Hub,
    pub place: usize,
}

impl Driver for HubDriver<'_> {
    fn ask(&mut self, event: Event) -> Answer {
        self.hub.apply(self.place, event);
        self.hub.answer(self.place)
    }

    fn find(&mut self, query: Query) -> Found {
        match query {
            Query::Password(account) => Found::Password(self.hub.passwords.get(&account).cloned()),
            _ => Found::Lines(Vec::new()),
        }
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, String> {
        Ok(PasswordHash(format!("{password:?}{}", self.hub.passwords.len())))
    }

    fn verify(&mut self, attempt: LoginAttempt<'_>) -> Result<LoginResult, String> {
        let account = attempt.account.filter(|account| self.hub.passwords.contains_key(account));
        Ok(match account {
            Some(AccountId(id)) if id % 2 == 1 => LoginResult::Right { is_weak: false },
            _ => LoginResult::Wrong,
        })
    }

    fn note_owner(&mut self, _: AccountId, _: ClientAddress) {}

    /// Nobody but the core can read what was typed. (The model knows no other code.)
    fn verify_code(&mut self, _: &Password, _: ClientAddress) -> LoginResult {
        LoginResult::Right { is_weak: false }
    }

    fn make_code(&mut self) -> Result<String, String> {
        Ok("AAAA-AAAA".to_owned())
    }

    fn ask_for_lines(&mut self, _: f64) -> Duration {
        Duration::ZERO
    }

    fn refuse_name(&mut self) -> Duration {
        Duration::ZERO
    }

    fn prove(&mut self, _: AccountId, _: Bucket) -> Option<Bucket> {
        None
    }

    fn reply(&mut self, bytes: &[u8]) {
        let client = &mut self.hub.clients[self.place];
        client.read.extend_from_slice(bytes);
        let after = take(&mut client.after);
        client.read.extend(after);
    }

    fn begin_telnet(&mut self) {}

    fn draw_token(&mut self) -> Token {
        self.hub.tokens += 1;
        Token::of(self.hub.tokens)
    }

    fn set_reads_notes(&mut self, _: bool) {}

    fn describe_threads(&mut self) -> String {
        "*** Threads of a test\n".to_owned()
    }
}
