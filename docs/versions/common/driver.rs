//! What a session can do to the world where all sessions share one thread. Thread `main` runs it.
//!
//! Compare `ClientThread` (`src/server/client/handler.rs`). There `ask` is a message to the fan-out and a wait for the
//! answer; here it is a call, because nobody else runs meanwhile. There `reply` waits for the client; here it may not, so
//! the session is left in the middle of its lines, and gone on with later. And `find`, `hash`, `verify` wait in both: there
//! one thread, here everybody.

use super::{
    client::{Client, ClientKey, Stage},
    server::Server,
};
use chatd::{
    core::{
        address::ClientAddress,
        close_reason::CloseReason,
        driver::{Bucket, Driver, LoginAttempt, LoginResult},
        event::{Answer, Event, Question, Talk},
        password::Password,
        record::{AccountId, Found, PasswordHash, Query},
        run_command,
        session::{Heard, Session},
        token::Token,
    },
    server::{
        random,
        status::{self, Activity},
    },
};
use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// The driver of one client's session, for one turn.
pub struct LoopDriver<'s, 'a> {
    /// Everything.
    pub server: &'s mut Server<'a>,
    /// The client.
    pub key: ClientKey,
}

impl<'a> LoopDriver<'_, 'a> {
    /// Runs the session on what was read, up to where a thread would wait, and returns for what. (`ClientThread::run`
    /// waits there, and goes on.)
    pub fn run(&mut self, session: &mut Session<'_>) -> Result<Stage, CloseReason> {
        let commands = self.server.options.commands();
        loop {
            let elapsed = self.client().began.elapsed();
            self.client().send_after(); // if there was an answer, nothing of it was shown
            let heard = session.hear(elapsed, self);
            self.client().status.count_in(session.take_line_count());
            if let Some(reason) = self.client().close_reason.clone() {
                return Err(reason); // somebody hung this client up
            }
            match heard {
                Heard::Talk(talk) => self.say(talk),
                Heard::Command(text) => run_command(commands, session, &text, self),
                Heard::Dialogue => {}
                Heard::Close(reason) => return Err(reason),
                Heard::Pause(wait) => {
                    if !session.pace.is_greeted() {
                        self.client().login_deadline.iter_mut().for_each(|most| *most += wait);
                    }
                    return Ok(Stage::Paused(Instant::now() + wait));
                }
                Heard::Nothing => return Ok(Stage::Reading),
            }
            if self.client().is_behind() {
                return Ok(Stage::Behind);
            }
        }
    }

    fn client(&mut self) -> &mut Client<'a> {
        &mut self.server.clients[self.key]
    }

    fn say(&mut self, talk: Talk) {
        self.server.threads[0].count_in(talk.lines);
        self.server.totals.said.fetch_add(talk.lines as u64, Relaxed);
        self.server.apply(self.key, Event::Talk(talk));
    }
}

impl Driver for LoopDriver<'_, '_> {
    fn ask(&mut self, event: Event) -> Answer {
        let resumes = matches!(event, Event::Ask(Question::Resume(_)));
        self.server.apply(self.key, event);
        let answer = self.server.answer(self.key);
        self.server.clients[self.key].usage.note_answer(&self.server.sources, &answer, resumes);
        if let Answer::Named(name, ..) = &answer {
            let client = self.client();
            client.status.rename(&format!("c{}:{}", client.number, name.shown()));
            client.login_deadline = None;
        }
        answer
    }

    fn find(&mut self, query: Query) -> Found {
        self.server.hear_historian(); // it must not wait for us while we wait for it
        self.server.history.find(query)
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, String> {
        self.server.authenticator.hash(password)
    }

    fn verify(&mut self, attempt: LoginAttempt<'_>) -> Result<LoginResult, String> {
        let stored = match self.find(Query::Password(attempt.account.unwrap_or_default())) {
            Found::Password(stored) => stored,
            Found::Unavailable(why) => return Err(why),
            Found::Lines(_) | Found::Partly { .. } | Found::Author(_) | Found::Count(_) => None,
        };
        let usage = &mut self.server.clients[self.key].usage;
        let first = usage.first_password();
        let result = self.server.authenticator.verify_first(&attempt, first, stored.as_ref());
        usage.note_password(result);
        Ok(result)
    }

    fn note_owner(&mut self, account: AccountId, address: ClientAddress) {
        self.server.authenticator.note_owner(account, address);
    }

    fn verify_code(&mut self, typed: &Password, address: ClientAddress) -> LoginResult {
        let result = self.server.authenticator.verify_code(typed, address);
        if let LoginResult::Right { .. } = result {
            self.server.clients[self.key].usage.note_instructor(&self.server.sources);
        }
        result
    }

    fn make_code(&mut self) -> Result<String, String> {
        let made = self.server.authenticator.make_code();
        made.map(|code| code.to_string()).map_err(|error| error.to_string())
    }

    fn ask_for_lines(&mut self, lines: f64) -> Duration {
        self.server.clients[self.key].usage.ask_for_lines(&self.server.sources, lines)
    }

    fn refuse_name(&mut self) -> Duration {
        self.server.clients[self.key].usage.refuse_name(&self.server.sources)
    }

    fn prove(&mut self, account: AccountId, left: Bucket) -> Option<Bucket> {
        self.server.clients[self.key].usage.prove(&self.server.sources, account, left)
    }

    fn reply(&mut self, bytes: &[u8]) {
        self.client().reply(bytes);
    }

    fn begin_telnet(&mut self) {
        self.client().queue.begin_telnet();
    }

    fn draw_token(&mut self) -> Token {
        random::token()
    }

    fn set_reads_notes(&mut self, reads_notes: bool) {
        self.client().queue.reads_notes = reads_notes;
    }

    fn describe_threads(&mut self) -> String {
        let Server { clients, options, threads, totals, .. } = &*self.server;
        threads[0].set(Activity::Working);
        clients[self.key].status.set(Activity::Working);
        let (here, most) = (clients.len(), options.threads_max);
        let summary = format!("{here} of {most} clients, all served by thread main");
        let mut text = status::table(&summary, totals, threads);
        text += "*** Clients have no threads here. What the loop waits for at each of them:\n";
        let mut clients: Vec<&Client<'_>> = clients.values().collect();
        clients.sort_by_key(|client| client.number);
        text.extend(clients.iter().map(|client| status::row(&client.status)));
        text
    }
}
