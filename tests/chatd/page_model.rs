//! Random conversations of six clients over sockets: each of them reads what docs/protocol.md says, and in one order. What
//! the page says is in tests/model/page, which knows nothing of the code.
//!
//! Steps come one after the other, and everybody has read what came of one before the next begins. Only `*3` is different:
//! there everybody who may says three lines at the same time. In which order they came, one who listens in that room
//! tells; everybody else there must have read them in the same order.
//!
//! `CHATD_MODEL=SECONDS cargo test --test chatd page_says` goes on for that time, with other conversations each time. One
//! that fails is printed with its seed, cut down to the fewest steps that still fail; tests/model/kept.txt is the place
//! for it.

use crate::{
    harness::{Client, Server},
    page::{self, CODE, Chat, Heard, is_expected},
    random::{conversation, shrunk},
};
use chatd::core::wire::sanitize::sanitize;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

const PLACES: usize = 6;
const NAMES: [&str; PLACES] = ["ann", "bob", "cy", "Dee", "eve", "fay"];
/// Conversations, if nobody says how long.
const ROUNDS: u64 = 20;
const KEPT: &str = include_str!("../model/kept.txt");
/// How long a line may take while a conversation that has failed is cut down.
const SOON: Duration = Duration::from_secs(2);

#[test]
pub fn each_client_reads_what_the_page_says() {
    let seconds = std::env::var("CHATD_MODEL").ok().and_then(|text| text.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let first = if end.is_some() { u64::from(std::process::id()) << 20 } else { 1 };
    let mut played = 0;
    while end.map_or(played < ROUNDS, |end| Instant::now() < end) {
        let (seed, text) = (first + played, conversation(first + played));
        let fails = |text: &str, wait| catch_unwind(AssertUnwindSafe(|| play(text, wait))).is_err();
        if fails(&text, None) {
            let text = shrunk(&text, |text| fails(text, Some(SOON)));
            panic!("seed {seed}, and tests/model/kept.txt is the place for it:\n{text}");
        }
        played += 1;
    }
    println!("{played} conversations of {PLACES} clients");
}

#[test]
pub fn conversations_that_have_failed_once_do_not_any_more() {
    KEPT.split("\n\n").filter(|text| !text.starts_with('#')).for_each(|text| play(text, None));
}

/// Plays a conversation on a server of its own.
fn play(text: &str, wait: Option<Duration>) {
    let server = Server::start("--flood off --instructor");
    let code = if text.contains(CODE) { server.pairing_code() } else { String::new() };
    let clients = std::array::from_fn(|_| None);
    let mut world = World { server, code, wait, clients, page: Chat::new(PLACES) };
    text.lines().for_each(|step| world.does(step));
    for client in world.clients.iter_mut().flatten() {
        client.says("/help quit");
        let line = client.reads();
        let is_silent = line.as_ref().is_some_and(|line| line.starts_with("*** /quit [WHY]"));
        assert!(
            is_silent || line.as_deref().is_some_and(is_question),
            "{} also reads {line:?}",
            client.name
        );
    }
}

/// At the door every line is a name, or none.
fn is_question(line: &str) -> bool {
    line.ends_with("What is your name?")
}

struct World {
    server: Server,
    code: String,
    wait: Option<Duration>,
    clients: [Option<Client>; PLACES],
    page: Chat,
}

impl World {
    fn does(&mut self, step: &str) {
        if let Some(count) = step.strip_prefix('*') {
            return self.all_talk(count.parse().unwrap());
        }
        let (place, rest) = step.split_at(1);
        let (kind, text) = rest.split_at(1);
        let place: usize = place.parse().unwrap();
        if self.clients[place].is_none() {
            if kind == "-" {
                return;
            }
            self.connects(place);
            self.says(place, if kind == "+" { text } else { NAMES[place] });
        }
        match kind {
            "+" => {}
            "-" => {
                self.clients[place].as_mut().unwrap().stops_sending();
                self.page.closes(place);
                self.compare();
            }
            _ => self.says(place, text),
        }
    }

    fn connects(&mut self, place: usize) {
        let client = self.server.connect(NAMES[place]);
        if self.wait.is_some() {
            client.stream().set_read_timeout(self.wait).unwrap();
        }
        self.clients[place] = Some(client);
        self.page.connects(place);
        self.compare();
    }

    /// Says a line, if it is one of which the page says what comes of it.
    fn says(&mut self, place: usize, text: &str) {
        let heard = Heard::Text(sanitize(text).into_owned());
        if self.clients[place].is_none() || !self.page.knows(place, &heard) {
            return;
        }
        self.clients[place].as_mut().unwrap().says(&text.replace(CODE, &self.code));
        self.page.hears_all(place, vec![heard]);
        let answer = self.page.reads(place);
        let read: Vec<String> = answer.iter().map_while(|_| self.reads(place)).collect();
        self.is_right(place, &answer, &read);
        if answer.is_empty() {
            // What they have said is before whatever anybody says from now on.
            self.clients[place].as_mut().unwrap().hears_nothing();
        }
        self.compare();
    }

    /// In each room one listens, and the others talk at the same time.
    fn all_talk(&mut self, count: usize) {
        let rooms = self.page.talkers();
        thread::scope(|scope| {
            for (place, client) in self.clients.iter_mut().enumerate() {
                let talks = rooms.iter().any(|(_, talkers)| talkers.contains(&place));
                if let (true, Some(client)) = (talks, client) {
                    scope.spawn(move || {
                        (0..count).for_each(|i| client.says(&format!("line {i} of {place}")));
                    });
                }
            }
        });
        for (listener, talkers) in rooms {
            let heard: Vec<String> = (0..count * talkers.len())
                .map(|_| self.reads(listener).unwrap_or_default())
                .collect();
            for line in &heard {
                let text = line.rsplit_once("> ").map_or("", |(_, text)| text);
                let said = text.rsplit_once(' ').and_then(|(_, place)| place.parse().ok());
                let author = said.unwrap_or_else(|| panic!("a line is torn: {line:?}"));
                self.page.hears_all(author, vec![Heard::Text(text.to_owned())]);
            }
            self.has_read(listener, &heard);
        }
        self.compare();
    }

    #[track_caller]
    fn reads(&mut self, place: usize) -> Option<String> {
        self.clients[place].as_mut().expect("somebody is here").reads()
    }

    /// Everybody reads what the page says, and nobody is here who should not be.
    #[track_caller]
    fn compare(&mut self) {
        for place in 0..PLACES {
            let expected = self.page.reads(place);
            let read: Vec<String> = expected.iter().map_while(|_| self.reads(place)).collect();
            self.is_right(place, &expected, &read);
            if self.clients[place].is_some() && !self.page.is_here(place) {
                self.clients[place].take().expect("somebody is here").is_hung_up();
            }
        }
    }

    #[track_caller]
    fn has_read(&mut self, place: usize, read: &[String]) {
        let expected = self.page.reads(place);
        self.is_right(place, &expected, read);
    }

    #[track_caller]
    fn is_right(&self, place: usize, expected: &[String], read: &[String]) {
        let is_right = expected.len() == read.len()
            && expected.iter().zip(read).all(|(expected, line)| is_expected(expected, line));
        let is_clean = read.iter().all(|line| !line.contains(page::is_forbidden));
        let by_the_page = expected.join("\n").replace(page::ANY, "…");
        assert!(
            is_right && is_clean,
            "client {place} reads\n{}\nand by the page\n{by_the_page}",
            read.join("\n")
        );
    }
}
