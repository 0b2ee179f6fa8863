//! What a session asks of its [`Driver`] where each client has a thread: channel sends, waits, and
//! socket writes. Runs on thread `c7:alice`.
//!
//! (Compare `LoopDriver` in docs/versions/common/driver.rs, where one thread drives all sessions.)

use super::handler::{ClientThread, REPLIES_MAX};
use crate::{
    core::{
        address::ClientAddress,
        driver::{Bucket, Driver, LoginAttempt, LoginResult, ViewTicket},
        event::{Answer, Event, Question},
        hazard::DemoRequest,
        password::Password,
        record::{AccountId, Found, PasswordHash, Query},
        token::Token,
    },
    server::{auth::tickets::Who, random, status},
    socketserver::READ_TIMEOUT,
    thread_status::Group,
};
use std::time::Duration;

impl Driver for ClientThread<'_> {
    fn ask(&mut self, event: Event) -> Answer {
        let is_entry = matches!(event, Event::Ask(Question::Enter(_)));
        let resumes = matches!(event, Event::Ask(Question::Resume(_)));
        if !is_entry {
            // The answer may take long, so the replies go first. On entry one send carries both.
            self.flush();
        }
        self.send(event);
        let answer = self.client.wait_for_answer();
        self.usage.note_answer(&self.handler.sources, &answer, resumes);
        // Even an empty reply has to be written: what the room said meanwhile waits behind it.
        self.replies.get_or_insert_default();
        if let Answer::Named(name, ..) = &answer {
            self.client.status.rename_thread(&format!("c{}:{}", self.client.number, name.shown()));
            // From now on there is no deadline for reading.
            let _ = self.client.socket().set_read_timeout(Some(READ_TIMEOUT));
        }
        answer
    }

    /// Replies are not flushed before it, as they are before other waits: an answer and the past
    /// lines that belong to it stay one piece.
    fn find(&mut self, query: Query) -> Found {
        self.handler.history.find_unless(query, || self.client.is_hung_up())
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, String> {
        self.flush();
        self.handler.authenticator.hash_unless(password, &|| self.client.is_hung_up())
    }

    fn verify(&mut self, attempt: LoginAttempt<'_>) -> Result<LoginResult, String> {
        self.flush();
        // An account that does not exist is looked up too: it must take as long.
        let stored = match self.find(Query::Password(attempt.account.unwrap_or_default())) {
            Found::Password(stored) => stored,
            Found::Unavailable(why) => return Err(why),
            Found::Lines(_) | Found::Partly { .. } | Found::Author(_) | Found::Count(_) => None,
        };
        let gives_up = || self.client.is_hung_up();
        let (authenticator, first) = (&self.handler.authenticator, self.usage.first_password());
        let result = authenticator.verify_unless(&attempt, first, stored.as_ref(), &gives_up);
        self.usage.note_password(result);
        Ok(result)
    }

    fn note_owner(&mut self, account: AccountId, address: ClientAddress) {
        self.handler.authenticator.note_owner(account, address);
    }

    fn verify_code(&mut self, typed: &Password, address: ClientAddress) -> LoginResult {
        let result = self.handler.authenticator.verify_code(typed, address);
        if let LoginResult::Right { .. } = result {
            self.usage.note_instructor(&self.handler.sources);
        }
        result
    }

    fn make_code(&mut self) -> Result<String, String> {
        let made = self.handler.authenticator.make_code();
        made.map(|code| code.to_string()).map_err(|error| error.to_string())
    }

    fn ask_for_lines(&mut self, lines: f64) -> Duration {
        self.usage.ask_for_lines(&self.handler.sources, lines)
    }

    fn refuse_name(&mut self) -> Duration {
        self.usage.refuse_name(&self.handler.sources)
    }

    fn prove(&mut self, account: AccountId, left: Bucket) -> Option<Bucket> {
        self.usage.prove(&self.handler.sources, account, left)
    }

    fn reply(&mut self, bytes: &[u8]) {
        let replies = self.replies.get_or_insert_default();
        if replies.is_empty() && bytes.len() > REPLIES_MAX {
            (self.replies, self.has_looked) = (None, false);
            return self.client.write_answer(bytes); // without a copy, unless by telnet
        }
        replies.extend(bytes);
        if replies.len() > REPLIES_MAX {
            self.flush();
        }
    }

    fn begin_telnet(&mut self) {
        self.client.begin_telnet();
    }

    fn demonstrate(&mut self, request: DemoRequest) -> Result<String, String> {
        let name = self.client.status.name();
        let by = name.split_once(':').map_or(&*name, |(_, name)| name);
        match &self.handler.hazards {
            Some(hazards) => hazards.obey(request, by),
            None => Err("There are no demonstrations without --demo.".to_owned()),
        }
    }

    fn draw_token(&mut self) -> Token {
        random::token()
    }

    fn set_reads_notes(&mut self, reads_notes: bool) {
        self.client.set_reads_notes(reads_notes);
    }

    fn give_ticket(&mut self, may: bool) -> Result<ViewTicket, String> {
        let name = self.client.status.name();
        let is_anonymous = self.handler.session.lock().anonymous;
        let name = match name.split_once(':') {
            Some((_, name)) if !is_anonymous => name.to_owned(),
            _ => format!("c{}", self.client.number),
        };
        let tickets = &self.handler.authenticator.tickets;
        let (ticket, address) = tickets.give(Who { name, may })?;
        Ok(ViewTicket { ticket, address })
    }

    /// It asks no other thread: each has noted in its `Status` what it does.
    fn describe_threads(&mut self) -> String {
        let (handler, rows) = (self.handler, self.handler.threads.all());
        let summary = format!(
            "{} of {} clients, {} of {} events waiting",
            rows.iter().filter(|status| status.group == Group::Client).count(),
            handler.threads_max,
            handler.events.queue.len(),
            handler.events.queue.capacity().unwrap_or(0)
        );
        status::table(&summary, &handler.totals, &rows)
    }
}
