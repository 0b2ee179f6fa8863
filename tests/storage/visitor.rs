//! A program that comes back by itself when its server is started anew: by nc's wire or by a browser's, with
//! `/notes`, `/since` and `/resume` as docs/protocol.md has them. It counts along what it hears.

use crate::harness::{Client, Program, wait_for};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a talker waits before it says the next line, and a visitor before it tries again.
const PACE: Duration = Duration::from_millis(100);

/// What all visitors share.
pub struct Visit {
    /// For nc, and for browsers.
    pub addresses: [SocketAddr; 2],
    /// Whoever is in, since the last restart.
    pub back: AtomicUsize,
    /// When the last restart began, and how long each was away because of each.
    pub began: Mutex<Instant>,
    pub pauses: Mutex<Vec<Duration>>,
    /// Nobody begins another line.
    pub is_over: AtomicBool,
    /// Talkers that wait for nothing.
    pub idle: AtomicUsize,
    /// Lines that were heard by anybody.
    pub heard: AtomicUsize,
}

pub struct Visitor {
    pub visit: Arc<Visit>,
    pub name: String,
    pub room: &'static str,
    pub is_browser: bool,
    pub talks: bool,
    token: Option<String>,
    /// The last line that a note has told of, and what was heard since.
    last: i64,
    since: Vec<(String, usize)>,
    /// The last number that was heard of each talker.
    heard: BTreeMap<String, usize>,
    /// The number that was said and is not heard yet.
    said: usize,
    is_waiting: bool,
    /// All that came by this connection, for whoever looks into a failure.
    came: Vec<String>,
}

impl Visitor {
    pub fn new(visit: Arc<Visit>, name: String, room: &'static str) -> Visitor {
        Visitor {
            visit,
            name,
            room,
            is_browser: false,
            talks: false,
            token: None,
            last: 0,
            since: Vec::new(),
            heard: BTreeMap::new(),
            said: 0,
            is_waiting: false,
            came: Vec::new(),
        }
    }

    /// Until it hears the end.
    pub fn run(mut self) {
        let program = if self.is_browser { Program::Browser } else { Program::Chatd };
        program.keeps_here(|| {
            loop {
                let mut client = self.comes_in();
                if self.stays(&mut client) {
                    client.asks_until("/ignore", "*** You ignore: troll.");
                    return;
                }
            }
        });
    }

    /// Tries until it is in: the first time by its name, then by its token.
    fn comes_in(&mut self) -> Client {
        let address = self.visit.addresses[usize::from(self.is_browser)];
        loop {
            let look = || {
                let client = Client::try_to_connect(address, &self.name);
                if client.is_none() {
                    thread::park_timeout(PACE);
                }
                client
            };
            let mut client = wait_for(look, || format!("{} finds no server", self.name));
            self.came.clear();
            client.tries_to_say("/notes on");
            match &self.token {
                None => client.tries_to_say(&self.name),
                Some(token) => {
                    client.tries_to_say(&format!("/since {} {}", self.room, self.last));
                    client.tries_to_say(&format!("/resume {token}"));
                }
            }
            let is_new = self.token.is_none();
            if self.is_let_in(&mut client, is_new) {
                if is_new {
                    self.settles(&mut client);
                }
                return client;
            }
        }
    }

    /// Reads up to the note of the room that it was in, or the first time of any; what it has missed comes before that.
    fn is_let_in(&mut self, client: &mut Client, is_new: bool) -> bool {
        while let Some(line) = client.reads_whole() {
            assert!(!line.contains("token is not good"), "{}: {line}", self.name);
            let is_room = self.hears(&line);
            if is_room.is_some() && (is_new || is_room.as_deref() == Some(self.room)) {
                assert!(self.token.is_some(), "{} has a token", self.name);
                // Whatever it has heard, a note has told of.
                assert_eq!(self.since, [], "{} heard what the server does not tell of", self.name);
                return true;
            }
            assert!(is_room.is_none(), "{} is in {is_room:?}, not in {}", self.name, self.room);
        }
        false
    }

    /// The first time.
    fn settles(&mut self, client: &mut Client) {
        for setting in ["/quiet on", "/ignore troll", "/echo on"] {
            client.says(setting);
        }
        client.says(&format!("/join {}", self.room));
        while self.room != "lobby"
            && self.hears(&client.reads().expect("a room")) != Some(self.room.to_owned())
        {}
        // Up to here it has read everything; and what is said meanwhile is heard, too.
        client.says("/help quit");
        loop {
            let line = client.reads().expect("the help");
            if line.starts_with("*** /quit [WHY]") {
                break;
            }
            self.hears(&line);
        }
        if self.talks {
            self.visit.idle.fetch_add(1, Relaxed);
        }
    }

    /// Talks and listens until the server hangs up. Returns whether that was the end.
    fn stays(&mut self, client: &mut Client) -> bool {
        self.visit.pauses.lock().unwrap().push(self.visit.began.lock().unwrap().elapsed());
        self.visit.back.fetch_add(1, Relaxed);
        // What was said and is not told now was not said.
        if self.is_waiting {
            client.tries_to_say(&self.said.to_string());
        }
        loop {
            if self.talks && !self.is_waiting && !self.visit.is_over.load(Relaxed) {
                thread::park_timeout(PACE);
                (self.said, self.is_waiting) = (self.said + 1, true);
                self.visit.idle.fetch_sub(1, Relaxed);
                client.tries_to_say(&self.said.to_string());
            }
            match client.reads_whole() {
                None => return false,
                Some(line) if line.contains("<main> the end") => return true,
                Some(line) => drop(self.hears(&line)),
            }
        }
    }

    /// Takes in one line. Returns the room, if it is told of one.
    fn hears(&mut self, line: &str) -> Option<String> {
        self.came.push(line.to_owned());
        if line.starts_with('{') {
            let note: Value = serde_json::from_str(line).unwrap();
            if let Some(token) = note["resume"].as_str() {
                assert_eq!(note["in"], *self.name);
                self.token = Some(token.to_owned());
            }
            if let Some(last) = note["last"].as_i64() {
                self.last = last;
                self.since.clear();
            }
            return note["room"].as_str().map(str::to_owned);
        }
        // Perhaps with a time in front: `(12:00) <t1> 17`.
        let said =
            line.strip_prefix('(').and_then(|line| line.split_once(") ")).map_or(line, |l| l.1);
        let (talker, number) = said.strip_prefix('<')?.split_once("> ")?;
        let (talker, number) = (talker.to_owned(), number.parse::<usize>().ok()?);
        let told_again = self.since.iter().position(|heard| *heard == (talker.clone(), number));
        if let Some(place) = told_again.filter(|_| said != line) {
            self.since.remove(place); // it came behind the last note
            return None;
        }
        let before = self.heard.insert(talker.clone(), number);
        assert!(
            before.is_none_or(|before| number == before + 1),
            "{} in {} heard {talker} say {before:?} and then {number}: {:#?}",
            self.name,
            self.room,
            self.came
        );
        if said == line {
            self.since.push((talker.clone(), number));
        }
        self.visit.heard.fetch_add(1, Relaxed);
        if talker == self.name && number == self.said {
            self.is_waiting = false;
            self.visit.idle.fetch_add(1, Relaxed);
        }
        None
    }
}
