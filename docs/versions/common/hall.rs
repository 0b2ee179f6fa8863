//! What a session can do to the world where all sessions share one thread: nothing that waits. Runs on thread `main`.
//!
//! Compare chatd's `ThreadHall` (`src/server/handler.rs`): there `say` waits for the channel, `ask` for the fan-out,
//! `reply` for the client. Here `say` and `ask` are plain calls, because nobody else runs meanwhile: one order for all
//! costs nothing. But `reply` must put away what the client does not take, and the session has to be left and come back
//! to when it has ([`Hall::is_behind`]): what was a place in the code there is a state in a table here. And `find`, `hash`
//! and `verify` do wait, for the disk and for the processor: then everybody does.

use super::house::House;
use chatd::{
    core::{
        event::{Answer, Attempt, Event, Hall, Question, Talk, Verdict},
        record::{Found, PasswordHash, Query},
        secret::Secret,
    },
    server::status::{self, Doing, Status},
};
use std::sync::atomic::Ordering::Relaxed;

/// One client's hall.
pub struct LoopHall<'h, 'a> {
    /// Everything.
    pub house: &'h mut House<'a>,
    /// The client.
    pub key: usize,
}

impl Hall for LoopHall<'_, '_> {
    fn say(&mut self, talk: Talk) {
        let lines = talk.lines;
        self.house.main.count_in(lines);
        self.house.totals.said.fetch_add(lines as u64, Relaxed);
        self.house.apply(self.key, Event::Say(talk));
        self.house.flush_if_much();
    }

    fn ask(&mut self, question: Question) -> Answer {
        self.house.apply(self.key, Event::Ask(question));
        // What the asker has to read so far is sent, so that the answer stands at its place in the one order.
        let answer = self.house.answer(self.key).unwrap_or_default();
        if let Some(name) = &answer.name {
            let client = &self.house.clients[self.key];
            client.status.rename(&format!("c{}:{}", client.number, name.shown()));
        }
        answer
    }

    fn find(&mut self, query: Query) -> Found {
        self.house.memory.find(query)
    }

    fn hash(&mut self, password: &Secret) -> Result<PasswordHash, String> {
        self.house.porter.hash(password)
    }

    fn verify(&mut self, attempt: Attempt<'_>) -> Result<Verdict, String> {
        let stored = match self.find(Query::Password(attempt.account.unwrap_or_default())) {
            Found::Password(stored) => stored,
            Found::Unavailable(why) => return Err(why),
            Found::Lines(_) => None,
        };
        Ok(self.house.porter.verify(&attempt, stored.as_ref()))
    }

    fn reply(&mut self, bytes: &[u8]) {
        let now = self.house.now;
        let client = &mut self.house.clients[self.key];
        client.outgoing.answer(&client.socket, bytes, now);
        client.status.count_out(memchr::memchr_iter(b'\n', bytes).count());
        self.house.touch(self.key);
    }

    fn is_behind(&self) -> bool {
        self.house.clients[self.key].outgoing.is_behind()
    }

    fn is_hung_up(&self) -> bool {
        self.house.clients[self.key].farewell.is_some()
    }

    fn describe_threads(&mut self) -> String {
        self.house.describe_threads(self.key)
    }
}

impl House<'_> {
    /// The truth about a server of one thread: it is always working when it answers this, and clients are no threads.
    fn describe_threads(&self, asker: usize) -> String {
        let summary = format!(
            "{} of {} clients, all served by thread main",
            self.clients.len(),
            self.clients_max
        );
        let [main, ..] = &self.threads;
        main.now(Doing::Working);
        self.clients[asker].status.now(Doing::Working);
        let mut text = status::table(&summary, &self.totals, &self.threads);
        text.push_str(
            "*** Clients have no threads here. What the loop waits for at each of them:\n",
        );
        let mut rows: Vec<(u64, &Status)> =
            self.clients.iter().map(|(_, c)| (c.number, &*c.status)).collect();
        rows.sort_unstable_by_key(|&(number, _)| number);
        for (_, status) in rows {
            text.push_str(&status.row());
        }
        text
    }
}
