//! What a client reads does not depend on where the batches end; and nobody reads what is not written yet.
//!
//! The fan-out takes whatever waits in the channel, so the borders between batches are an accident of timing. Here the
//! same random conversation is played twice, handed out after every event and in random batches, and every client must
//! have read the same bytes both times. A failure is cut down to the fewest events that still fail.

use chatd::core::{
    command::{Command, PastWanted, Preference},
    delivery::Delivery,
    event::{ClientId, Entry, Event, Question, Talk},
    farewell::Farewell,
    name::{Name, NameRule},
    record::{Remembered, What},
    rooms::{Rooms, RoomsConfig},
    source::Source,
};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet};

const CLIENTS: u64 = 5;
const STEPS: usize = 60;
const ROUNDS: u64 = 1_000;

/// One thing that happens. `Close` is the server's; all others are a client's.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Say(ClientId, String),
    Ask(ClientId, Command),
    Enter(ClientId, String),
    Rename(ClientId, String),
    Depart(ClientId),
    /// All that has gathered is written.
    Write,
    Close,
}

/// A xorshift: the tests need dice, not a dependency.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }
}

fn name(text: &str) -> Name {
    NameRule::Ascii.check(text, "name").unwrap()
}

fn enter(name: Name) -> Event {
    Event::Ask(Question::Enter(Box::new(Entry {
        name,
        source: Source::default(),
        login: None,
        reserve_of: None,
    })))
}

fn random_step(dice: &mut Dice, i: usize) -> Step {
    let client = 1 + dice.below(CLIENTS);
    let names = ["ann", "bob", "cy", "dee", "eve", "Fay"];
    let on = dice.one(&[Some(true), Some(false), None]);
    match dice.below(24) {
        0..6 => {
            let lines = 1 + dice.below(3);
            Step::Say(client, (0..lines).map(|line| format!("<c{client}> {i}.{line}\n")).collect())
        }
        6..9 => Step::Enter(client, dice.one(&names).to_owned()),
        9 => Step::Rename(client, dice.one(&names).to_owned()),
        10 => Step::Ask(client, Command::Join(dice.one(&["lobby", "red", "blue"]).to_owned())),
        11 => Step::Ask(
            client,
            Command::Msg { to: dice.one(&names).to_owned(), text: format!("psst {i}") },
        ),
        12 => Step::Ask(client, Command::Reply(format!("re {i}"))),
        13 => Step::Ask(client, Command::Ignore(Some(dice.one(&names).to_owned()))),
        14 => Step::Ask(client, Command::Unignore(dice.one(&names).to_owned())),
        15 => Step::Ask(client, Command::Set(Preference::Quiet, on)),
        16 => Step::Ask(client, Command::Set(Preference::Timestamps, on)),
        17 => Step::Ask(client, Command::Set(Preference::Echo, on)),
        18 => Step::Ask(
            client,
            dice.one(&[
                Command::Who,
                Command::History(PastWanted::Last(5)),
                Command::Topic(Some(format!("t{i}"))),
            ]),
        ),
        19 => Step::Depart(client),
        20..23 => Step::Write,
        _ if dice.below(12) == 0 => Step::Close,
        _ => Step::Ask(client, Command::Names),
    }
}

/// What each client read, in bytes and in lines as they were counted.
type Read = BTreeMap<ClientId, String>;

struct Play {
    rooms: Rooms<ClientId>,
    read: Read,
    /// They asked something and do nothing before they have the answer, as a session does.
    asking: BTreeSet<ClientId>,
    gone: BTreeSet<ClientId>,
    /// Every line of talk that is written; `None`: talk is not kept.
    written: Option<String>,
}

impl Play {
    fn new(keeps_talk: bool) -> Play {
        let config = RoomsConfig {
            backlog_lines: 4,
            names: NameRule::Ascii,
            zone: TimeZone::UTC,
            keeps_talk,
        };
        Play {
            rooms: Rooms::new(config, Remembered::default()),
            read: Read::new(),
            asking: BTreeSet::new(),
            gone: BTreeSet::new(),
            written: keeps_talk.then(String::new),
        }
    }

    /// Writes all that has gathered, and says so. (What is decided meanwhile is the next time's.)
    fn write(&mut self) {
        for record in self.rooms.take_records() {
            match (record.what, &mut self.written) {
                (What::Said { text, .. }, Some(written)) => written.push_str(&text),
                (What::Said { .. }, None) => panic!("talk is not to be kept"),
                _ => {}
            }
        }
        self.rooms.written(Ok(()));
        self.rooms.go_on(Timestamp::UNIX_EPOCH, usize::MAX);
    }

    fn write_all(&mut self) {
        while self.rooms.holds_any() {
            self.write();
        }
    }

    fn flush(&mut self) {
        let mut seen = BTreeSet::new();
        let Play { rooms, read, asking, written, .. } = self;
        rooms.flush(|&client, delivery| {
            assert!(seen.insert(client), "client {client} was delivered to twice in one flush");
            reads(client, delivery, read, asking, written);
        });
    }

    fn flush_one(&mut self, client: ClientId) {
        let Play { rooms, read, asking, written, .. } = self;
        rooms.flush_one(client, |&one, delivery| {
            assert_eq!(one, client);
            reads(client, delivery, read, asking, written);
        });
    }

    fn step(&mut self, step: &Step) {
        let (client, event) = match step.clone() {
            Step::Close => return self.rooms.close(),
            Step::Write => return self.write(),
            Step::Say(c, text) => (c, Event::Say(Talk { lines: text.matches('\n').count(), text })),
            Step::Ask(c, command) => (c, Event::Ask(Question::Command(command))),
            Step::Enter(c, n) => (c, enter(name(&n))),
            Step::Rename(c, n) => (c, Event::Ask(Question::Rename(name(&n)))),
            Step::Depart(c) => (c, Event::Depart(Farewell::Closed)),
        };
        if self.asking.contains(&client) {
            self.flush_one(client); // it acts again, so it has had its answer
        }
        if self.gone.contains(&client) || self.asking.contains(&client) {
            return; // gone, or its goodbye is held back: nothing comes from it
        }
        if !matches!(event, Event::Say(_)) {
            self.asking.insert(client);
        }
        if matches!(event, Event::Depart(_)) {
            self.gone.insert(client);
        }
        self.rooms.apply(Timestamp::UNIX_EPOCH, client, &client, event);
    }

    /// At the end everybody says goodbye, and everybody is answered.
    fn end(mut self) -> Read {
        self.write_all();
        self.rooms.close();
        for client in 1..=CLIENTS {
            self.step(&Step::Depart(client));
        }
        self.write_all();
        self.flush();
        assert!(self.asking.is_empty(), "never answered: {:?}", self.asking);
        self.read
    }
}

/// A client reads what it is delivered.
fn reads(
    client: ClientId,
    delivery: Delivery<'_>,
    read: &mut Read,
    asking: &mut BTreeSet<ClientId>,
    written: &Option<String>,
) {
    let text = read.entry(client).or_default();
    let mut lines = 0;
    let mut push = |slices: &[&[u8]], text: &mut String| {
        for slice in slices {
            let slice = std::str::from_utf8(slice).expect("pieces are whole characters");
            lines += slice.matches('\n').count();
            for line in slice.split_inclusive('\n').filter(|line| line.starts_with('<')) {
                let is_written = written.as_ref().is_none_or(|written| written.contains(line));
                assert!(is_written, "client {client} reads {line:?}, which is not written");
            }
            text.push_str(slice);
        }
    };
    push(delivery.before, text);
    if let Some(answer) = &delivery.answer {
        assert!(asking.remove(&client), "client {client} asked nothing and was answered");
        text.push_str(&answer.text);
        text.push_str(&answer.recall.as_ref().map(|recall| recall.tell()).unwrap_or_default());
        text.push_str("(answered)\n");
    }
    push(delivery.after, text);
    assert_eq!(lines, delivery.lines, "lines of client {client}");
}

/// `borders[i]`: a batch ends behind step i.
fn play(steps: &[Step], borders: &[bool], keeps_talk: bool) -> Read {
    let mut play = Play::new(keeps_talk);
    for (step, &border) in steps.iter().zip(borders) {
        play.step(step);
        if border {
            play.flush();
        }
    }
    play.end()
}

fn differs(steps: &[Step], borders: &[bool], keeps_talk: bool) -> bool {
    play(steps, borders, keeps_talk) != play(steps, &vec![true; steps.len()], keeps_talk)
}

/// Leaves out events for as long as the rest still differs.
fn shrink(
    mut steps: Vec<Step>,
    mut borders: Vec<bool>,
    keeps_talk: bool,
) -> (Vec<Step>, Vec<bool>) {
    let mut i = 0;
    while i < steps.len() {
        let (mut fewer, mut marks) = (steps.clone(), borders.clone());
        fewer.remove(i);
        marks.remove(i);
        if differs(&fewer, &marks, keeps_talk) {
            (steps, borders, i) = (fewer, marks, 0);
        } else {
            i += 1;
        }
    }
    (steps, borders)
}

#[test]
fn what_is_read_does_not_depend_on_where_batches_end() {
    for seed in 1..=ROUNDS {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let steps: Vec<Step> = (0..STEPS).map(|i| random_step(&mut dice, i)).collect();
        let mean = 1 + dice.below(20);
        let borders: Vec<bool> = (0..STEPS).map(|_| dice.below(mean) == 0).collect();
        let keeps_talk = seed % 2 == 0;
        if differs(&steps, &borders, keeps_talk) {
            let (steps, borders) = shrink(steps, borders, keeps_talk);
            let (batched, single) = (
                play(&steps, &borders, keeps_talk),
                play(&steps, &vec![true; steps.len()], keeps_talk),
            );
            let client = (1..=CLIENTS).find(|c| batched.get(c) != single.get(c)).unwrap();
            panic!(
                "seed {seed}: client {client} reads of {steps:#?}\nwith batches ending at {borders:?}:\n{}\n--- one by one:\n{}",
                batched.get(&client).map_or("", String::as_str),
                single.get(&client).map_or("", String::as_str),
            );
        }
    }
}
